//! One version, in everything that names it. (What cargo reads itself is compared in `dependency_rules`.)

use serde_json::Value;

use crate::{read, root};

/// The workspace's.
fn version() -> String {
    let manifest: toml::Table = toml::from_str(&read("Cargo.toml")).unwrap();
    manifest["workspace"]["package"]["version"].as_str().unwrap().to_owned()
}

/// As far as a user names it: a release that only mends something keeps it.
fn minor() -> String {
    version().rsplit_once('.').unwrap().0.to_owned()
}

fn json(path: &str) -> Value {
    serde_json::from_str(&read(path)).unwrap()
}

#[test]
fn cargo_takes_it_from_the_workspace() {
    let workspace: toml::Table = toml::from_str(&read("Cargo.toml")).unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    assert!(members.len() >= 7, "the members were found");
    for member in members.iter().map(|member| member.as_str().unwrap()) {
        let manifest: toml::Table = toml::from_str(&read(&format!("{member}/Cargo.toml"))).unwrap();
        let stated = &manifest["package"]["version"];
        assert_eq!(
            stated.get("workspace").and_then(toml::Value::as_bool),
            Some(true),
            "{member}: {stated:?}"
        );
    }
    // The generator of bindings is no part of a release.
    let bindgen: toml::Table = toml::from_str(&read("mobile/bindgen/Cargo.toml")).unwrap();
    assert_eq!(bindgen["package"]["publish"].as_bool(), Some(false));
    assert_eq!(bindgen["package"]["version"].as_str(), Some("0.0.0"));
}

/// maturin gives the wheel the version of the crate.
#[test]
fn python_takes_it_from_cargo() {
    let manifest: toml::Table = toml::from_str(&read("python/pyproject.toml")).unwrap();
    let project = manifest["project"].as_table().unwrap();
    assert_eq!(project["dynamic"].as_array().unwrap(), &[toml::Value::from("version")]);
    assert!(!project.contains_key("version"));
}

/// The packages of the binaries get it from this one (`node/pack`).
#[test]
fn npm_has_the_same() {
    for folder in ["node", "node/examples/checkout"] {
        let manifest = json(&format!("{folder}/package.json"));
        assert_eq!(manifest["version"], version(), "{folder}");
        let lock = json(&format!("{folder}/package-lock.json"));
        assert_eq!(
            (&lock["version"], &lock["packages"][""]["version"]),
            (&manifest["version"], &manifest["version"]),
            "{folder}"
        );
    }
    assert!(read("node/pack").contains("const { version, license, author, repository, engines } = manifest"));
}

#[test]
fn maven_has_the_same() {
    let pom = read("mobile/kotlin/pom.xml");
    let (_, rest) = pom.split_once("<artifactId>cbpii</artifactId>").unwrap();
    assert_eq!(rest.trim_start().lines().next(), Some(format!("<version>{}</version>", version()).as_str()));
}

/// The library says it itself; pkg-config, CMake and the file's name get it when it is installed.
#[test]
fn c_takes_it_from_cargo() {
    assert!(read("ffi/src/version.rs").contains("concat!(env!(\"CARGO_PKG_VERSION\"), \"\\0\")"));
    assert!(read("ffi/include/cbpii.h").contains(&format!("e.g. \"{}\"", version())));
    for entry in std::fs::read_dir(root().join("ffi/packaging")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let text = read(&format!("ffi/packaging/{name}"));
        assert!(!text.contains(&version()), "{name}");
        assert!(name.contains("config.cmake") || text.contains("@VERSION@"), "{name}");
    }
    assert!(read("ffi/install").contains("/^\\[workspace\\.package\\]/,/^\\[/ s/^version = \"(.*)\"$/\\1/p"));
}

/// A Swift package's version is its tag in Git, so no file of it may state another.
#[test]
fn the_swift_package_states_none() {
    let manifest = read("mobile/swift/Package.swift");
    assert!(manifest.contains("name: \"Cbpii\"") && !manifest.contains(&version()));
}

/// What is not released yet stands at the head; once it is, its version does.
#[test]
fn the_changelog_begins_with_it() {
    let log = read("CHANGELOG.md");
    let head = log.lines().find_map(|line| line.strip_prefix("## [")?.split(']').next()).unwrap();
    assert!(head == "Unreleased" || head == version(), "{head}");
    let released = log.lines().filter_map(|line| line.strip_prefix("## [")?.split(']').next());
    assert!(released.filter(|head| *head != "Unreleased").all(|head| head <= version().as_str()));
}

#[test]
fn the_pages_name_it() {
    let rust: Vec<String> = crate::page::Page::read("README.md".to_owned())
        .blocks
        .into_iter()
        .filter(|block| block.language() == "toml")
        .map(|block| block.code)
        .collect();
    let wanted = format!("[dependencies]\ncbpii = \"{}\"\n", minor());
    assert_eq!(rust, [wanted], "what a Rust program writes into its Cargo.toml");
    assert!(read("ffi/README.md").contains(&format!("find_package(cbpii {} REQUIRED)", minor())));
}
