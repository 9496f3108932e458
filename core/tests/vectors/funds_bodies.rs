use cbpii::{Result, Timestamp, Tokens};
use serde::Deserialize;
use serde_json::Value;

use crate::facts::facts_of_confirmation;
use crate::requests::Input;
use crate::suite::Facts;
use crate::wire::{Body, Wire, answer, client};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shared {
    bank: Value,
    now: String,
    request: Input,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    bank: Option<Value>,
    request: Option<Input>,
    status: u16,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<Body>,
}

pub(crate) fn run(shared: &Shared, case: Case) -> Result<Facts> {
    let now: Timestamp = shared.now.parse()?;
    let wire = Wire::new(answer(case.status, &case.headers, case.body.as_ref()));
    let client = client(case.bank.as_ref().unwrap_or(&shared.bank), now, wire)?;
    let request = case.request.as_ref().unwrap_or(&shared.request).request()?;
    let answer = client.confirm_funds(&tokens(now)?, &request)?;
    Ok(facts_of_confirmation(&answer))
}

/// Tokens that last.
pub(crate) fn tokens(now: Timestamp) -> Result<Tokens> {
    Tokens::new(
        "2YotnFZFEjr1zCsicMWpAA",
        None,
        now,
        None,
        now.saturating_add(std::time::Duration::from_secs(86_400)),
    )
}
