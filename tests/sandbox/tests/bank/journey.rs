//! The honest journey, as an issuer's software goes through it.

use std::time::Duration;

use cbpii_sandbox::{RefreshTokenRotation, Sandbox, SandboxOptions, Standard};
use serde_json::json;

use crate::client::*;

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

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn a_refresh_replaces_the_access_token_and_keeps_the_refresh_token() {
    let bank = Sandbox::start(SandboxOptions::default()).unwrap();
    let mut client = Client::new(&bank);
    let first = exchange(&bank, &mut client, &code(&bank, "LEA")).json();
    let token = first["refresh_token"].as_str().unwrap();
    let second = refresh(&bank, &mut client, token).json();
    assert_eq!(second["refresh_token"], first["refresh_token"]);
    let body = coverage("4179.00", LEA);
    let old = Funds::new(&bank, first["access_token"].as_str().unwrap(), &body).send(&mut client).unwrap();
    assert_eq!(old.status, 401, "{}", old.text());
    let new = Funds::new(&bank, second["access_token"].as_str().unwrap(), &body).send(&mut client).unwrap();
    assert_eq!(new.json()["result"], true);
}

#[test]
fn a_rotated_refresh_token_dies_when_it_is_used() {
    let options = SandboxOptions { rotation: Some(RefreshTokenRotation::Rotated), ..Default::default() };
    let bank = Sandbox::start(options).unwrap();
    let mut client = Client::new(&bank);
    let first = exchange(&bank, &mut client, &code(&bank, "LEA")).json();
    let old = first["refresh_token"].as_str().unwrap();
    let second = refresh(&bank, &mut client, old).json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(refresh(&bank, &mut client, old).json()["error"], "invalid_grant");
    let fresh = second["refresh_token"].as_str().unwrap();
    assert_eq!(refresh(&bank, &mut client, fresh).status, 200);
}

#[test]
fn the_consent_ends_after_its_days_however_often_it_is_refreshed() {
    let bank = Sandbox::start(SandboxOptions::default()).unwrap();
    let mut client = Client::new(&bank);
    let tokens = exchange(&bank, &mut client, &code(&bank, "LEA")).json();
    let token = tokens["refresh_token"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        bank.control().advance_clock(89 * DAY);
        assert_eq!(refresh(&bank, &mut client, &token).status, 200);
    }
    bank.control().advance_clock(3 * DAY);
    let refused = refresh(&bank, &mut client, &token);
    assert_eq!((refused.status, &refused.json()["error"]), (400, &"invalid_grant".into()));
}

#[test]
fn an_access_token_expires_by_the_banks_clock() {
    let bank = Sandbox::start(SandboxOptions::default()).unwrap();
    bank.control().configure(&json!({"date_tolerance_seconds": null})).unwrap();
    let mut client = Client::new(&bank);
    let access = token(&bank, "CLAIRE");
    bank.control().advance_clock(Duration::from_secs(3601));
    let reply = Funds::new(&bank, &access, &coverage("1", CLAIRE)).send(&mut client).unwrap();
    assert_eq!(reply.status, 401);
}

#[test]
fn a_code_used_twice_takes_its_tokens_with_it() {
    let bank = Sandbox::start(SandboxOptions::default()).unwrap();
    let mut client = Client::new(&bank);
    let code = code(&bank, "CLAIRE");
    let tokens = exchange(&bank, &mut client, &code).json();
    assert_eq!(exchange(&bank, &mut client, &code).json()["error"], "invalid_grant");
    assert_eq!(refresh(&bank, &mut client, tokens["refresh_token"].as_str().unwrap()).status, 400);
    let access = tokens["access_token"].as_str().unwrap();
    let reply = Funds::new(&bank, access, &coverage("1", CLAIRE)).send(&mut client).unwrap();
    assert_eq!(reply.status, 401);
}

#[test]
fn a_new_consent_ends_the_one_before() {
    let bank = Sandbox::start(SandboxOptions::default()).unwrap();
    let mut client = Client::new(&bank);
    let first = exchange(&bank, &mut client, &code(&bank, "CLAIRE")).json();
    assert_eq!(exchange(&bank, &mut client, &code(&bank, "CLAIRE")).status, 200);
    assert_eq!(refresh(&bank, &mut client, first["refresh_token"].as_str().unwrap()).status, 400);
}

#[test]
fn each_version_of_the_standard_has_its_scope_path_and_amount() {
    for (standard, scope, path, amount) in [
        (Standard::V1_4_0, "piisp", "/stet/psd2/v1/funds-confirmations", "\"1.50\""),
        (Standard::V1_4_2, "cbpii", "/stet/psd2/v1.4.2/funds-confirmations", "\"1.50\""),
        (Standard::V1_6, "cbpii", "/stet/psd2/v1.6.2/funds-confirmations", "1.50"),
    ] {
        let bank = Sandbox::start(SandboxOptions { standard, ..Default::default() }).unwrap();
        let mut client = Client::new(&bank);
        assert_eq!(bank.control().settings().scope, scope);
        assert!(bank.endpoints().funds_url.ends_with(path));
        let tokens = exchange(&bank, &mut client, &code(&bank, "CLAIRE")).json();
        let body = coverage("1.50", CLAIRE).replace("\"1.50\"", amount);
        let reply =
            Funds::new(&bank, tokens["access_token"].as_str().unwrap(), &body).send(&mut client).unwrap();
        assert_eq!(reply.status, 200, "{standard:?}: {}", reply.text());
        assert!(reply.text().contains(&format!("\"amount\":{amount}")), "{}", reply.text());
    }
}

#[test]
fn the_answer_echoes_the_request_and_is_signed_by_the_bank() {
    let bank = Sandbox::start(SandboxOptions::default()).unwrap();
    let mut client = Client::new(&bank);
    let reply = ask(&bank, &mut client, "CLAIRE", "12.50", CLAIRE);
    let expected = json!({
        "request": {
            "paymentCoverageRequestId": "MyCoverage123456",
            "instructedAmount": {"currency": "EUR", "amount": "12.50"},
            "accountId": {"iban": CLAIRE},
        },
        "result": true,
        "_links": {"self": {"href": "v1.4.2/funds-confirmations"}},
    });
    assert_eq!(reply.json(), expected);
    assert_eq!(reply.header("content-type"), Some("application/hal+json; charset=utf-8"));
    assert_eq!(reply.header("x-request-id"), Some("7b54b1d1-6f2e-4a61-b4c2-4f7b3a6c9d10"));
    assert!(reply.header("x-correlationid").is_some());
    assert_eq!(reply.header("digest"), Some(digest_of(&reply.body).as_str()));
    verify_answer(&bank, &reply);
}

/// Verifies the bank's signature with the certificate it publishes.
fn verify_answer(bank: &Sandbox, reply: &Reply) {
    let signature = reply.header("signature").unwrap();
    assert!(
        signature.contains(r#"headers="digest date content-type x-request-id (request-target)""#),
        "{signature}"
    );
    let names = ["digest", "date", "content-type", "x-request-id"];
    let mut lines: Vec<String> =
        names.iter().map(|name| format!("{name}: {}", reply.header(name).unwrap())).collect();
    lines.push("(request-target): post /stet/psd2/v1.4.2/funds-confirmations".to_owned());
    let value = signature.rsplit_once("signature=\"").unwrap().1.trim_end_matches('"');
    assert!(verifies(&bank.issuer().bank_seal_pem, &lines.join("\n"), value));
}

#[test]
fn a_bank_can_want_http_basic_and_the_scope_and_say_who_it_is() {
    let patch = json!({
        "client_authentication": "client_secret_basic", "scope_in_token_request": true, "iss_returned": true,
    });
    let bank = Sandbox::start(SandboxOptions { settings: Some(patch), ..Default::default() }).unwrap();
    let callback = bank.approve(&consent_url(&bank, "s"), "CLAIRE").unwrap();
    assert_eq!(parameter(&callback, "iss").as_deref(), Some(bank.endpoints().origin.as_str()));
    let code = parameter(&callback, "code").unwrap();
    let issuer = bank.issuer();
    let secret = issuer.client_secret.as_deref().unwrap();
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("code", &code)
        .append_pair("redirect_uri", &issuer.redirect_uri)
        .append_pair("scope", "cbpii")
        .finish();
    let mut client = Client::new(&bank);
    let mut send = |secret: &str, body: &str| {
        let authorization = basic(&issuer.client_id, secret);
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Authorization", authorization.as_str()),
        ];
        client.send(&bank.endpoints().token_url, "POST", &headers, body.as_bytes()).unwrap()
    };
    assert_eq!(send("wrong", &body).json()["error"], "invalid_client");
    assert_eq!(send(secret, &body.replace("&scope=cbpii", "")).json()["error"], "invalid_scope");
    assert_eq!(send(secret, &body).status, 200);
}

#[test]
fn two_banks_live_side_by_side() {
    let one = Sandbox::start(SandboxOptions::default()).unwrap();
    let two = Sandbox::start(SandboxOptions::default()).unwrap();
    assert_ne!(one.endpoints().origin, two.endpoints().origin);
    one.control().configure(&json!({"pkce": true})).unwrap();
    assert!(!two.control().settings().pkce);
    drop(one);
    assert_eq!(ask(&two, &mut Client::new(&two), "CLAIRE", "1", CLAIRE).status, 200);
}
