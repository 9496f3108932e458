//! Runs the language-neutral cases of `tests/vectors` through the public API. Their README says how they are read.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod codes;
mod facts;
mod journeys;
mod outcomes;
mod suite;
mod wire;

/// One test for each file of cases, and the list of them all.
macro_rules! files {
    ($($file:ident),* $(,)?) => {
        $(
            mod $file;

            #[test]
            fn $file() {
                suite::run(stringify!($file), $file::run);
            }
        )*

        const FILES: &[&str] = &[$(stringify!($file)),*];
    };
}

files![callbacks, certificates, consent_urls, error_bodies, funds_bodies, requests, token_bodies];

#[test]
fn every_file_is_run() {
    let here: Vec<String> = FILES.iter().map(|file| format!("{file}.json")).collect();
    let counted: Vec<String> = suite::manifest().into_keys().collect();
    let mut found: Vec<String> = std::fs::read_dir(suite::FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json") && name != suite::MANIFEST)
        .collect();
    found.sort();
    assert_eq!(here, found, "each file has a runner");
    assert_eq!(counted, found, "each file is counted in {}", suite::MANIFEST);
}
