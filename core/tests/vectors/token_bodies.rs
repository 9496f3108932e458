use cbpii::{AuthorizationCode, PendingConsent, Result, Tokens};
use serde::Deserialize;
use serde_json::Value;

use crate::facts::facts_of_tokens;
use crate::suite::Facts;
use crate::wire::{Body, Wire, answer, client};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shared {
    bank: Value,
    now: String,
    pending: Value,
    code: String,
    tokens: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    request: Request,
    bank: Option<Value>,
    status: u16,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<Body>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Exchange,
    Refresh,
}

pub(crate) fn run(shared: &Shared, case: Case) -> Result<Facts> {
    let wire = Wire::new(answer(case.status, &case.headers, case.body.as_ref()));
    let client = client(case.bank.as_ref().unwrap_or(&shared.bank), shared.now.parse()?, wire)?;
    let tokens = match case.request {
        Request::Exchange => {
            let pending = PendingConsent::from_json(&shared.pending.to_string())?;
            client.exchange_code(&pending, &AuthorizationCode::new(&shared.code)?)?
        }
        Request::Refresh => client.refresh(&Tokens::from_json(&shared.tokens.to_string())?)?,
    };
    Ok(facts_of_tokens(&tokens))
}
