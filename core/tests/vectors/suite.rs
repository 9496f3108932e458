//! Reads a file of cases, runs each, and compares what came out with what is expected, fact by fact.

use std::collections::{BTreeMap, BTreeSet};

use cbpii::Result;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::facts::facts_of_error;
use crate::outcomes;

pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors");
pub(crate) const MANIFEST: &str = "manifest.json";

/// What came out of a case, or is expected to.
pub(crate) type Facts = Map<String, Value>;

/// Runs every case of a file; fails when one is missing, extra, unreadable or has another outcome.
pub(crate) fn run<S: DeserializeOwned, C: DeserializeOwned>(name: &str, run: fn(&S, C) -> Result<Facts>) {
    let suite_name = name;
    let file = format!("{name}.json");
    let Value::Object(mut suite) = read(&file) else { panic!("{file} is not an object") };
    let Some(Value::Array(cases)) = suite.remove("cases") else { panic!("{file} has no cases") };
    assert!(
        suite.remove("about").is_some_and(|about| about.is_string()),
        "{file} does not say what it is about"
    );
    assert_eq!(Some(&cases.len()), manifest().get(&file), "the number of cases of {file} in {MANIFEST}");
    let shared: S = serde_json::from_value(suite.into()).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut names = BTreeSet::new();
    let mut failures = String::new();
    for case in cases {
        let (name, expected, case) = take_apart(&file, case);
        assert!(names.insert(name.clone()), "{file} has the case {name:?} twice");
        let case = serde_json::from_value(case).unwrap_or_else(|error| panic!("{file}, {name}: {error}"));
        let actual = run(&shared, case).unwrap_or_else(|error| facts_of_error(&error));
        outcomes::tell(suite_name, &name, &actual);
        for difference in differences(&expected, &actual) {
            failures.push_str(&format!("\n  {name}: {difference}"));
        }
    }
    assert!(failures.is_empty(), "{file}:{failures}");
}

/// How many cases each file has.
pub(crate) fn manifest() -> BTreeMap<String, usize> {
    serde_json::from_value(read(MANIFEST)).expect("file names and numbers")
}

pub(crate) fn read(file: &str) -> Value {
    let text =
        std::fs::read_to_string(format!("{FOLDER}/{file}")).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Name, expectation, and the members that remain, which are the file's own.
fn take_apart(file: &str, case: Value) -> (String, Facts, Value) {
    let Value::Object(mut case) = case else { panic!("a case of {file} is not an object") };
    let (name, expected) = (case.remove("name"), case.remove("expect"));
    match (name, expected) {
        (Some(Value::String(name)), Some(Value::Object(expected))) if !expected.is_empty() => {
            (name, expected, case.into())
        }
        (name, _) => panic!("the case {name:?} of {file} lacks a name or an expectation"),
    }
}

/// Every expected fact must be there and equal; an error must be expected.
pub(crate) fn differences(expected: &Facts, actual: &Facts) -> Vec<String> {
    let mut differences: Vec<String> = expected
        .iter()
        .filter(|(fact, value)| actual.get(*fact) != Some(*value))
        .map(|(fact, value)| match actual.get(fact) {
            Some(found) => format!("{fact} is {found}, not {value}"),
            None => format!("{fact} is not there (it should be {value}), but {actual:?}"),
        })
        .collect();
    if let Some(error) = actual.get("error").filter(|_| !expected.contains_key("error")) {
        differences.push(format!("fails with {error}"));
    }
    differences
}

/// A JSON object as facts.
pub(crate) fn facts(value: Value) -> Facts {
    match value {
        Value::Object(facts) => facts,
        other => panic!("{other} is not an object"),
    }
}
