//! A bank that differs from 89C3 at almost every point, as nothing but a record of the directory.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use cbpii::funds::ResponseSignature;
use cbpii::{Client, ConsentOptions, Environment, Error, ErrorCode, Issuer, Tokens};
use cbpii_sandbox::{Endpoint, Fault, FaultRule, RequestRecord, Sandbox};
use common::*;

struct Lydia {
    sandbox: Sandbox,
    client: Client,
    tokens: Tokens,
}

impl Lydia {
    fn new() -> Self {
        let sandbox = lydia();
        let client = Client::new(lydia_bank(&sandbox), issuer(&sandbox)).unwrap();
        let tokens = consent(&sandbox, &client, "CLAIRE");
        Self { sandbox, client, tokens }
    }

    fn available(&self, amount: &str) -> bool {
        self.client.confirm_funds(&self.tokens, &request(CLAIRE, amount)).unwrap().available
    }

    fn refused(&self, persona: &str, iban: &str) -> Error {
        let tokens = tokens(&self.sandbox, persona);
        error_of(self.client.confirm_funds(&tokens, &request(iban, "1")))
    }

    fn last(&self, endpoint: Endpoint) -> RequestRecord {
        let seen = self.sandbox.control().requests();
        seen.into_iter().rfind(|record| record.endpoint == endpoint).unwrap()
    }
}

#[test]
fn the_whole_journey_is_data() {
    let lydia = Lydia::new();
    assert!(lydia.available("458.99") && !lydia.available("459"));
    let refreshed = lydia.client.refresh(&lydia.tokens).unwrap();
    assert!(Lydia { tokens: refreshed, ..lydia }.available("458.90"));
}

#[test]
fn the_record_has_three_origins() {
    let endpoints = lydia_bank(&lydia()).endpoints().unwrap();
    let ports = [&endpoints.authorize, &endpoints.token, &endpoints.funds]
        .map(|address| url::Url::parse(address).unwrap().port().unwrap());
    assert!(ports[0] != ports[1] && ports[1] != ports[2] && ports[2] != ports[0], "{ports:?}");
    let record = cbpii::Bank::by_id("lydia", Environment::Production).unwrap();
    assert_eq!(
        record.token_url.as_deref(),
        Some("https://openbanking.lydia-app.com:8082/openbanking/oauth/v2/token")
    );
}

#[test]
fn the_consent_url_has_no_response_type() {
    let lydia = Lydia::new();
    let pending = lydia.client.begin_consent(&ConsentOptions::default()).unwrap();
    assert!(pending.url().contains("scope=cbpii") && pending.url().contains("state="));
    assert!(!pending.url().contains("response_type"), "{}", pending.url());
}

#[test]
fn a_refusing_cardholder_never_comes_back_and_the_consent_ages_out() {
    let lydia = Lydia::new();
    assert!(!lydia.client.bank().refusal_returns);
    let pending =
        lydia.client.begin_consent(&ConsentOptions::default().valid_for(Duration::from_secs(600))).unwrap();
    assert_eq!(lydia.sandbox.refuse(pending.url(), "CLAIRE").unwrap(), None);
    let callback = lydia.sandbox.approve(pending.url(), "CLAIRE").unwrap();
    assert!(pending.complete(&callback).is_ok());
    assert_code(pending.complete_at(&callback, pending.expires_at()), ErrorCode::PendingConsentExpired);
}

#[test]
fn the_client_secret_is_in_the_form_and_the_answer_lacks_its_type() {
    let lydia = Lydia::new();
    let secret = lydia.sandbox.issuer().client_secret.clone().unwrap();
    let sent = lydia.last(Endpoint::Token);
    assert!(sent.body_text().contains(&format!("client_secret={secret}")));
    assert_eq!((sent.verdict.as_str(), lydia.tokens.token_type()), ("accepted", "Bearer"));
}

#[test]
fn a_funds_request_is_neither_signed_nor_numbered() {
    let lydia = Lydia::new();
    let answer = lydia.client.confirm_funds(&lydia.tokens, &request(CLAIRE, "12.50")).unwrap();
    let sent = lydia.last(Endpoint::Funds);
    for name in ["signature", "digest", "date", "x-request-id"] {
        assert_eq!(sent.header(name), None, "{name}");
    }
    assert!(
        sent.body_text().contains(&format!(r#""amount":12.50}},"accountId":{{"Iban":"{CLAIRE}"}}"#)),
        "{}",
        sent.body_text()
    );
    assert_eq!((answer.request_id, answer.response_signature), (None, ResponseSignature::Absent));
}

#[test]
fn an_explanation_has_nothing_to_say_about_signatures() {
    let explanation = Lydia::new().client.explain(&request(CLAIRE, "1")).unwrap();
    assert_eq!(
        (explanation.signing_string, explanation.key_id, explanation.digest_input),
        (None, None, None)
    );
}

#[test]
fn refusals_under_409_are_understood() {
    let lydia = Lydia::new();
    for (business_code, code) in [
        ("AC04", ErrorCode::AccountClosed),
        ("AC06", ErrorCode::AccountBlocked),
        ("NGAC", ErrorCode::AccessNotGranted),
    ] {
        let (persona, iban) = refused_persona(&lydia.sandbox, business_code);
        let error = lydia.refused(&persona, &iban);
        assert_eq!(
            (error.code(), error.http_status(), error.bank_code()),
            (code, Some(409), Some(business_code))
        );
        assert_eq!(error.request_id(), None);
    }
    let body = r#"{"error":"refused","error_description":"no"}"#.to_owned();
    let fault = Fault::Answer { status: 409, headers: Vec::new(), content_type: None, body };
    lydia.sandbox.control().set_fault(FaultRule::once(Endpoint::Funds, fault)).unwrap();
    assert_eq!(lydia.refused("CLAIRE", CLAIRE).code(), ErrorCode::RequestRefused);
}

#[test]
fn a_401_without_a_body_is_understood() {
    let lydia = Lydia::new();
    let kit = lydia.sandbox.issuer();
    let issuer = Issuer::new(&kit.client_id, &kit.redirect_uri).unwrap().with_transport(transport(&kit.qwac));
    let issuer = issuer.with_client_secret("another").unwrap();
    let client = Client::new(lydia_bank(&lydia.sandbox), issuer).unwrap();
    let error = assert_code(client.refresh(&lydia.tokens), ErrorCode::ClientRefused);
    assert_eq!((error.http_status(), error.bank_message()), (Some(401), None));
}

#[test]
fn no_seal_is_needed() {
    let sandbox = lydia();
    let issuer = bare_issuer(&sandbox).with_transport(transport(&sandbox.issuer().qwac));
    let client = Client::new(lydia_bank(&sandbox), issuer).unwrap();
    let answer = client.confirm_funds(&tokens(&sandbox, "CLAIRE"), &request(CLAIRE, "1"));
    assert!(answer.unwrap().available);
}

#[test]
fn the_answer_is_still_about_this_question() {
    let lydia = Lydia::new();
    let patch = serde_json::json!({"request": {"instructedAmount": {"amount": 2}}});
    let fault = Fault::AnswerPatch { patch: Some(patch), set: Default::default() };
    lydia.sandbox.control().set_fault(FaultRule::once(Endpoint::Funds, fault)).unwrap();
    assert_code(lydia.client.confirm_funds(&lydia.tokens, &request(CLAIRE, "1")), ErrorCode::EchoMismatch);
}
