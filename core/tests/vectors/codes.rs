//! Every code of the catalogue is provoked: by a case, or by tests that are named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cbpii::ErrorCode;
use serde::Deserialize;
use serde_json::Value;

use crate::suite::FOLDER;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Elsewhere {
    #[serde(rename = "about")]
    _about: String,
    codes: Vec<Exemption>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exemption {
    code: String,
    reason: String,
    tests: BTreeMap<String, String>,
}

#[test]
fn every_code_is_provoked() {
    let text = std::fs::read_to_string(format!("{ROOT}/tests/conformance/provoked_elsewhere.json")).unwrap();
    let elsewhere: Elsewhere = serde_json::from_str(&text).unwrap();
    let mut expected = BTreeSet::new();
    for folder in [FOLDER.to_owned(), format!("{FOLDER}/journeys")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                gather(
                    &serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap(),
                    &mut expected,
                );
            }
        }
    }
    let mut named = BTreeSet::new();
    for exemption in elsewhere.codes {
        check(&exemption);
        assert!(named.insert(exemption.code.clone()), "{} is there twice", exemption.code);
    }
    for code in ErrorCode::ALL {
        let (case, test) = (expected.contains(code.as_str()), named.remove(code.as_str()));
        assert!(case || test, "no case and no named test provokes {code}");
        assert!(!(case && test), "{code} is provoked by a case: it needs no named test");
    }
    assert!(named.is_empty(), "not in the catalogue: {named:?}");
}

/// The errors that are expected anywhere in a file.
fn gather(value: &Value, expected: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let facts = members.get("expect");
            for name in ["error", "client"] {
                expected.extend(facts.and_then(|facts| facts[name].as_str()).map(ToOwned::to_owned));
            }
            members.values().for_each(|member| gather(member, expected));
        }
        Value::Array(parts) => parts.iter().for_each(|part| gather(part, expected)),
        _ => {}
    }
}

/// The tests that are named must be there.
fn check(exemption: &Exemption) {
    assert!(!exemption.reason.is_empty() && !exemption.tests.is_empty(), "{}", exemption.code);
    for (file, name) in &exemption.tests {
        let text = std::fs::read_to_string(Path::new(ROOT).join(file))
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(name), "{file} has nothing called {name:?}");
    }
}
