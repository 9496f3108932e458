//! The search itself.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;

use crate::Failure;
use crate::forms;
use crate::told::Secret;

/// Found: what, how it is written, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    kind: String,
    form: &'static str,
    file: PathBuf,
    /// What stands before it.
    before: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {} after {:?}", self.kind, self.form, self.file.display(), self.before)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) patterns: usize,
    pub(crate) files: usize,
    pub(crate) bytes: usize,
    /// Each way of leaking in each file once.
    pub(crate) found: Vec<Found>,
}

/// Looks for all secrets at once, in these files and in whatever is in these folders.
pub(crate) fn run(secrets: &[Secret], paths: &[PathBuf]) -> Result<Report, Failure> {
    let searcher = Searcher::new(secrets)?;
    let mut report = Report { patterns: searcher.patterns.len(), ..Report::default() };
    let mut found = BTreeMap::new();
    for file in paths.iter().map(|path| files(path)).collect::<Result<Vec<_>, _>>()?.concat() {
        let content = fs::read(&file)?;
        report.files += 1;
        report.bytes += content.len();
        for one in searcher.search(&file, &content) {
            found.entry((one.kind.clone(), one.form, one.file.clone())).or_insert(one);
        }
    }
    report.found = found.into_values().collect();
    Ok(report)
}

/// The files below a path. A path that is not there is an error: nothing would be found in it.
fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let about = fs::symlink_metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if !about.is_dir() {
        return Ok(if about.is_file() { vec![path.to_owned()] } else { Vec::new() });
    }
    let mut below = Vec::new();
    for entry in fs::read_dir(path)? {
        below.extend(files(&entry?.path())?);
    }
    Ok(below)
}

struct Searcher<'a> {
    automaton: AhoCorasick,
    patterns: Vec<(&'a Secret, &'static str)>,
}

impl<'a> Searcher<'a> {
    fn new(secrets: &'a [Secret]) -> Result<Self, Failure> {
        let (mut patterns, mut texts) = (Vec::new(), Vec::new());
        for secret in secrets {
            for (form, text) in forms::of(&secret.bytes) {
                patterns.push((secret, form));
                texts.push(without_space(&text));
            }
        }
        // Account numbers may be in small letters, digits in either; in base64 that finds nothing by chance.
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(texts)?;
        Ok(Self { automaton, patterns })
    }

    fn search(&self, file: &Path, content: &[u8]) -> Vec<Found> {
        let compact = without_space(content);
        let found = self.automaton.find_iter(&compact).map(|at| {
            let (secret, form) = self.patterns[at.pattern().as_usize()];
            let before = &compact[at.start().saturating_sub(60)..at.start()];
            Found {
                kind: secret.kind.clone(),
                form,
                file: file.to_owned(),
                before: String::from_utf8_lossy(before).into_owned(),
            }
        });
        found.collect()
    }
}

/// Without white space, that which does not break lines (U+00A0) included.
fn without_space(content: &[u8]) -> Vec<u8> {
    let mut kept: Vec<u8> = Vec::with_capacity(content.len());
    for byte in content.iter().copied().filter(|byte| !byte.is_ascii_whitespace()) {
        if byte == 0xa0 && kept.last() == Some(&0xc2) {
            kept.pop();
        } else {
            kept.push(byte);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, Engine as _};

    use super::*;

    fn finds(secret: &[u8], content: impl AsRef<[u8]>) -> bool {
        let secrets = [Secret { kind: "planted".to_owned(), bytes: secret.to_vec() }];
        let searcher = Searcher::new(&secrets).unwrap();
        !searcher.search(Path::new("x"), content.as_ref()).is_empty()
    }

    fn hex(secret: &[u8]) -> String {
        secret.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    #[test]
    fn a_planted_secret_is_found_however_it_is_written() {
        let token = b"hUsjnKITYzs-kZNuAhZxTDa_2YotnFZFEjr1zCsicMW";
        let key: Vec<u8> = (0..24).map(|n| (n * 37 + 200) as u8).collect();
        for secret in [&token[..], &key] {
            let percent: String = secret.iter().map(|byte| format!("%{byte:02X}")).collect();
            let ways = [
                [b"before ", secret, b" after"].concat(),
                hex(secret).into_bytes(),
                hex(secret).to_lowercase().into_bytes(),
                percent.into_bytes(),
                format!("x={}&y=1", form_urlencoded::byte_serialize(secret).collect::<String>()).into_bytes(),
                format!("{secret:?}").into_bytes(),
                format!("{secret:#?}").replace(",\n]", "\n]").into_bytes(),
                format!("{secret:x?}").into_bytes(),
                secret.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>().into_bytes(),
            ];
            for (number, way) in ways.iter().enumerate() {
                assert!(finds(secret, way), "way {number}");
            }
            for before in 0..4 {
                let whole = [&b"abcd"[..before], secret, b"more"].concat();
                assert!(finds(secret, BASE64_STANDARD.encode(&whole)), "after {before} bytes");
                assert!(finds(secret, BASE64_URL_SAFE.encode(&whole)), "after {before} bytes");
            }
            assert!(!finds(secret, &secret[1..]));
        }
    }

    #[test]
    fn groups_lines_and_small_letters_hide_nothing() {
        let iban = b"FR7617515900000800358074006";
        for text in [
            "FR76 1751 5900 0008 0035 8074 006",
            "FR76\u{a0}1751\u{a0}5900\u{a0}0008\u{a0}0035\u{a0}8074\u{a0}006",
            "fr7617515900000800358074006",
            "FR7617515900\n000800358074006",
        ] {
            assert!(finds(iban, text), "{text}");
        }
        assert!(!finds(iban, "FR76…4006"));
    }
}
