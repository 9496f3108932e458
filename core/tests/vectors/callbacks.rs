use std::collections::BTreeMap;

use cbpii::{PendingConsent, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::suite::{Facts, facts};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shared {
    pending: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pending: Value,
    callback: String,
    now: String,
}

pub(crate) fn run(shared: &Shared, case: Case) -> Result<Facts> {
    let saved = case.pending.as_str().map_or(&case.pending, |name| &shared.pending[name]);
    let pending = PendingConsent::from_json(&saved.to_string())?;
    let now: Timestamp = case.now.parse()?;
    let code = pending.complete_at(&case.callback, now)?;
    Ok(facts(json!({ "code": code.expose() })))
}
