//! The second dialect: another bank at almost every point.

use cbpii_sandbox::{Dialect, Sandbox, SandboxOptions};
use serde_json::json;
use tokio_rustls::rustls;
use url::Url;

use crate::client::*;

fn bank() -> Sandbox {
    Sandbox::start(SandboxOptions { dialect: Dialect::Lydia, ..Default::default() }).unwrap()
}

fn coverage(amount: &str, iban: &str) -> String {
    format!(
        r#"{{"paymentCoverageRequestId":"R1","instructedAmount":{{"currency":"EUR","amount":{amount}}},"accountId":{{"Iban":"{iban}"}}}}"#
    )
}

#[track_caller]
fn confirm(bank: &Sandbox, client: &mut Client, access: &str, body: &str) -> Reply {
    let authorization = format!("Bearer {access}");
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    client.send(&bank.endpoints().funds_url, "POST", &headers, body.as_bytes()).unwrap()
}

#[test]
fn the_journey_needs_no_signature_and_has_three_origins() {
    let bank = bank();
    let mut client = Client::new(&bank);
    let endpoints = bank.endpoints();
    let ports: std::collections::BTreeSet<_> =
        [&endpoints.authorize_url, &endpoints.token_url, &endpoints.funds_url]
            .map(|url| Url::parse(url).unwrap().port().unwrap())
            .into();
    assert_eq!(ports.len(), 3);
    assert_eq!(bank.issuer().client_id.len(), 64);
    let tokens = exchange(&bank, &mut client, &code(&bank, "CLAIRE")).json();
    assert_eq!((tokens.get("token_type"), &tokens["expires_in"]), (None, &json!(3600)));
    let reply =
        confirm(&bank, &mut client, tokens["access_token"].as_str().unwrap(), &coverage("12.50", CLAIRE));
    let expected = json!({
        "request": {
            "paymentCoverageRequestId": "R1",
            "instructedAmount": {"currency": "EUR", "amount": 12.5},
            "accountId": {"other": {"iban": CLAIRE}},
        },
        "result": true,
    });
    assert_eq!((reply.status, reply.json()), (200, expected));
    assert!(reply.text().contains("12.50"), "{}", reply.text());
    assert_eq!((reply.header("signature"), reply.header("digest")), (None, None));
}

#[test]
fn a_path_is_only_at_its_own_origin() {
    let bank = bank();
    let wrong = format!("{}/cbpii/funds-confirmations", bank.endpoints().origin);
    assert_eq!(Client::new(&bank).send(&wrong, "POST", &[], b"{}").unwrap().status, 404);
}

#[test]
fn the_consent_url_leads_to_the_app_and_has_no_response_type() {
    let bank = bank();
    let mut browser = Client::with(&bank, None, rustls::ALL_VERSIONS);
    let reply = browser.get(&consent_url(&bank, "s"));
    assert_eq!(reply.status, 302);
    assert!(reply.header("location").unwrap().starts_with("com.lydia-app://openauth?"));
    let missing = browser.get(&format!("{}?scope=cbpii", bank.endpoints().authorize_url));
    let sentence = "invalid_request: missing parameter client_id";
    assert_eq!((missing.status, missing.text().as_str()), (400, sentence));
    assert_eq!(missing.header("content-type"), Some("text/plain"));
    assert_eq!(browser.get(&format!("{}&response_type=code", consent_url(&bank, "s"))).status, 400);
}

#[test]
fn a_state_that_was_not_sent_does_not_come_back() {
    let bank = bank();
    let callback = bank.approve(&consent_url(&bank, "s").replace("&state=s", ""), "CLAIRE").unwrap();
    assert!(parameter(&callback, "code").is_some());
    assert_eq!(parameter(&callback, "state"), None);
}

#[test]
fn a_refusal_does_not_come_back() {
    let bank = bank();
    assert_eq!(bank.refuse(&consent_url(&bank, "s"), "CLAIRE").unwrap(), None);
    assert_eq!(bank.control().requests().pop().unwrap().verdict, "refused by the cardholder");
}

#[test]
fn the_client_secret_is_demanded_with_an_empty_401() {
    let bank = bank();
    let mut client = Client::new(&bank);
    let code = code(&bank, "CLAIRE");
    let grant =
        [("grant_type", "authorization_code"), ("code", &code), ("client_id", &bank.issuer().client_id)];
    for secret in [None, Some("wrong")] {
        let mut fields = grant.to_vec();
        fields.extend(secret.map(|secret| ("client_secret", secret)));
        let reply = client.form(&bank.endpoints().token_url, &fields).unwrap();
        assert_eq!((reply.status, reply.body.len()), (401, 0));
    }
    let mut fields = grant.to_vec();
    fields.push(("client_secret", bank.issuer().client_secret.as_deref().unwrap()));
    assert_eq!(
        client.form(&bank.endpoints().token_url, &fields).unwrap().status,
        200,
        "without redirect_uri"
    );
}

#[test]
fn refusals_have_oauth_bodies_and_409() {
    let bank = bank();
    let mut client = Client::new(&bank);
    let alice = bank.control().personas().into_iter().find(|persona| persona.id == "ALICE").unwrap();
    let reply = confirm(&bank, &mut client, &token(&bank, "ALICE"), &coverage("1", &alice.iban));
    assert_eq!((reply.status, &reply.json()["error"]), (409, &json!("AC04")));
    assert!(reply.json()["error_description"].is_string());
    assert_eq!(confirm(&bank, &mut client, "x", &coverage("1", CLAIRE)).status, 401);
    let access = token(&bank, "CLAIRE");
    for body in
        [coverage("\"1\"", CLAIRE), coverage("1", CLAIRE).replace("Iban", "iban"), coverage("1.0e1", CLAIRE)]
    {
        let reply = confirm(&bank, &mut client, &access, &body);
        assert_eq!((reply.status, &reply.json()["error"]), (400, &json!("invalid_request")), "{body}");
    }
}

#[test]
fn the_pages_are_reachable_by_the_identifier_in_the_app_link() {
    let bank = bank();
    let mut browser = Client::with(&bank, None, rustls::ALL_VERSIONS);
    let reply = browser.get(&consent_url(&bank, "s"));
    let flow = parameter(reply.header("location").unwrap(), "request").unwrap();
    let page = browser.get(&format!("{}/authorization/consent/login?flow={flow}", bank.endpoints().origin));
    assert!(page.status == 200 && page.text().contains("CLAIRE"));
}
