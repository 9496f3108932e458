use cbpii::{ConsentOptions, Issuer, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::suite::{Facts, facts};
use crate::wire::{CODE_CHALLENGE, Wire, answer, bank, builder, seal};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shared {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    bank: Value,
    client_id: String,
    redirect_uri: String,
    client_secret: Option<String>,
}

pub(crate) fn run(_: &Shared, case: Case) -> Result<Facts> {
    let bank = bank(&case.bank)?;
    let mut issuer = Issuer::new(&case.client_id, &case.redirect_uri)?.with_seal(seal());
    if let Some(secret) = case.client_secret {
        issuer = issuer.with_client_secret(secret)?;
    }
    let now = Timestamp::from_unix_seconds(1_795_438_800);
    let client = builder(bank, issuer, now).transport(Wire::new(answer(500, &[], None))).build()?;
    let pending = client.begin_consent(&ConsentOptions::default())?;
    assert_eq!(pending.redirect_uri(), case.redirect_uri);
    assert_eq!((pending.created_at(), pending.state().len()), (now, 43));
    let url = Url::parse(pending.url()).expect("a URL");
    assert!(url.fragment().is_none());
    let stand_in = |(name, value): (std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| match &*name {
        "state" if value == pending.state() => json!([name, "{state}"]),
        "code_challenge" if value == CODE_CHALLENGE => json!([name, "{code_challenge}"]),
        _ => json!([name, value]),
    };
    Ok(facts(json!({
        "origin": url.origin().ascii_serialization(),
        "path": url.path(),
        "query": url.query_pairs().map(stand_in).collect::<Vec<_>>(),
    })))
}
