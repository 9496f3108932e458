//! Runs the journeys: the steps of each, one after the other, against the sandbox bank.

mod clock;
mod input;
mod names;
mod scene;
mod steps;

use std::panic::catch_unwind;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::facts::facts_of_error;
use crate::outcomes;
use crate::suite::{FOLDER, Facts, differences, facts, read};
use input::Journey;
use scene::Scene;

/// What all journeys start from.
const DEFAULTS: &str = "defaults";

#[test]
fn journeys() {
    let defaults = facts(read(&format!("journeys/{DEFAULTS}.json")));
    let mut names: Vec<String> = std::fs::read_dir(format!("{FOLDER}/journeys"))
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".json").filter(|name| *name != DEFAULTS).map(ToOwned::to_owned)
        })
        .collect();
    names.sort();
    assert!(!names.is_empty(), "there are journeys");
    let unfinished = |name: &str| format!("\n  {name} could not be finished: see the panic above");
    let failures: String = names
        .iter()
        .map(|name| catch_unwind(|| run(name, &defaults)).unwrap_or_else(|_| unfinished(name)))
        .collect();
    assert!(failures.is_empty(), "{failures}");
}

/// Runs a journey to its end, and says where it differs from what is expected.
fn run(name: &str, defaults: &Facts) -> String {
    let text = std::fs::read_to_string(format!("{FOLDER}/journeys/{name}.json")).unwrap();
    let own = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let journey = Journey::deserialize(Value::from(laid_over(defaults, own)))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let steps = journey.steps.clone();
    let mut scene = Scene::open(journey, text);
    let (mut outcomes, mut failures) = (Vec::new(), String::new());
    for (place, mut step) in steps.into_iter().enumerate() {
        let expected = step.remove("expect").map(facts).unwrap_or_default();
        let asked = step.clone();
        let step = serde_json::from_value(scene.filled(step.into()))
            .unwrap_or_else(|error| panic!("{name}, step {}: {error}", place + 1));
        let actual = scene.run(step).unwrap_or_else(|error| facts_of_error(&error));
        let actual = scene.named(actual);
        for difference in differences(&expected, &actual) {
            failures.push_str(&format!("\n  {name}, step {} ({}): {difference}", place + 1, asked["do"]));
        }
        outcomes.push(actual);
    }
    outcomes::tell("journeys", name, &facts(json!({ "steps": outcomes })));
    failures
}

/// The defaults with the journey's members over them: objects member by member, everything else as a whole.
fn laid_over(defaults: &Facts, own: Facts) -> Facts {
    let mut all = defaults.clone();
    for (name, value) in own {
        match (all.get_mut(&name), value) {
            (Some(Value::Object(base)), Value::Object(over)) => base.extend(over),
            (_, value) => {
                all.insert(name, value);
            }
        }
    }
    all
}
