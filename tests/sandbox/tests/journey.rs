//! The honest journey, as an issuer's software goes through it.
#![allow(missing_docs)]

mod common;

use cbpii_sandbox::{Sandbox, SandboxOptions};
use common::*;

#[test]
fn consent_tokens_and_a_yes_and_a_no() {
    let bank = Sandbox::start(SandboxOptions::default()).unwrap();
    let mut client = Client::new(&bank);
    let callback = bank.approve(&consent_url(&bank, "état/1"), "CLAIRE").unwrap();
    assert!(callback.starts_with("https://carte-exemple.example/psd2/callback?code="), "{callback}");
    assert_eq!(parameter(&callback, "state").as_deref(), Some("état/1"));
    let tokens = exchange(&bank, &mut client, &parameter(&callback, "code").unwrap());
    assert_eq!(tokens.status, 200, "{}", tokens.text());
    let tokens = tokens.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&"Bearer".into(), &3600.into()));
    let access = tokens["access_token"].as_str().unwrap();
    for (amount, expected) in [("458.99", true), ("459", false), ("0.01", true)] {
        let reply = Funds::new(&bank, access, &coverage(amount, CLAIRE)).send(&mut client).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.json()["result"], expected, "{amount}");
    }
    let requests = bank.control().requests();
    assert_eq!(requests.len(), 5);
    assert!(requests.iter().all(|request| request.verdict == "accepted"), "{requests:?}");
    assert_eq!(bank.control().connections_opened(), 2, "the browser's and the issuer's");
}
