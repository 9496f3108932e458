//! Each thing a strict bank refuses, and what it says.

use std::time::{Duration, SystemTime};

use cbpii_sandbox::{Sandbox, SandboxOptions};
use serde_json::json;
use tokio_rustls::rustls;

use crate::client::*;

fn bank() -> Sandbox {
    Sandbox::start(SandboxOptions::default()).unwrap()
}

/// The error parameter the bank sends back to the redirect URI for a spoiled consent URL.
#[track_caller]
fn sent_back(bank: &Sandbox, url: &str) -> (String, Option<String>) {
    let callback = bank.approve(url, "CLAIRE").unwrap();
    (parameter(&callback, "error").unwrap(), parameter(&callback, "state"))
}

#[test]
fn an_unknown_client_or_redirect_is_never_redirected() {
    let bank = bank();
    let good = consent_url(&bank, "s");
    for (from, to) in [
        ("PSDFR-ACPR-12345", "PSDFR-ACPR-54321"),
        ("callback&", "callback%2F&"),
        ("psd2%2Fcallback", "PSD2%2Fcallback"),
        ("redirect_uri=", "redirect_url="),
        ("client_id=", "client="),
        ("&scope", "&redirect_uri=https%3A%2F%2Fcarte-exemple.example%2Fpsd2%2Fcallback&scope"),
    ] {
        let url = good.replace(from, to);
        assert_ne!(url, good);
        let reply = Client::with(&bank, None, rustls::ALL_VERSIONS).get(&url);
        assert_eq!((reply.status, reply.header("location")), (400, None), "{url}");
        assert!(reply.header("content-type").unwrap().starts_with("text/html"));
    }
}

#[test]
fn other_faults_of_a_consent_url_come_back_with_the_state() {
    let bank = bank();
    let good = consent_url(&bank, "s");
    for (from, to, error) in [
        ("response_type=code", "response_type=token", "unsupported_response_type"),
        ("response_type=code&", "", "invalid_request"),
        ("scope=cbpii", "scope=piisp", "invalid_scope"),
        ("scope=cbpii", "scope=cbpii+aisp", "invalid_scope"),
        ("scope=cbpii", "scope=cbpii&nonce=1", "invalid_request"),
        ("scope=cbpii", "scope=cbpii&scope=cbpii", "invalid_request"),
        ("scope=cbpii", "scope=cbpii&code_challenge=x&code_challenge_method=S256", "invalid_request"),
    ] {
        let url = good.replace(from, to);
        assert_ne!(url, good);
        assert_eq!(sent_back(&bank, &url), (error.to_owned(), Some("s".to_owned())), "{url}");
    }
    let (error, state) = sent_back(&bank, &good.replace("&state=s", ""));
    assert_eq!((error.as_str(), state), ("invalid_request", None));
}

#[test]
fn a_refusal_comes_back_as_access_denied() {
    let bank = bank();
    let callback = bank.refuse(&consent_url(&bank, "s"), "CLAIRE").unwrap().unwrap();
    assert_eq!(parameter(&callback, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&callback, "state").as_deref(), Some("s"));
}

#[test]
fn pkce_is_demanded_and_verified_where_the_bank_has_it() {
    let bank = bank();
    bank.control().configure(&json!({"pkce": true})).unwrap();
    let good = consent_url(&bank, "s");
    assert_eq!(sent_back(&bank, &good).0, "invalid_request");
    // RFC 7636, appendix B.
    let (verifier, challenge) =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let plain = format!("{good}&code_challenge={challenge}&code_challenge_method=plain");
    assert_eq!(sent_back(&bank, &plain).0, "invalid_request");
    let url = format!("{good}&code_challenge={challenge}&code_challenge_method=S256");
    let mut client = Client::new(&bank);
    for (sent, status) in [("wrong", 400), (verifier, 200)] {
        let code = parameter(&bank.approve(&url, "CLAIRE").unwrap(), "code").unwrap();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &bank.issuer().redirect_uri),
            ("client_id", &bank.issuer().client_id),
            ("code_verifier", sent),
        ];
        assert_eq!(client.form(&bank.endpoints().token_url, &fields).unwrap().status, status);
    }
}

#[test]
fn the_token_endpoint_refuses_what_the_protocol_does_not_have() {
    let bank = bank();
    let mut client = Client::new(&bank);
    let redirect = bank.issuer().redirect_uri.clone();
    let code = code(&bank, "CLAIRE");
    let grant = ("grant_type", "authorization_code");
    let (code, redirect, id) =
        (("code", code.as_str()), ("redirect_uri", redirect.as_str()), ("client_id", "PSDFR-ACPR-12345"));
    let other = ("redirect_uri", "https://carte-exemple.example/other");
    for (fields, status, error) in [
        (vec![grant, code, redirect, id, ("scope", "cbpii")], 400, "invalid_request"),
        (vec![grant, code, redirect, id, ("code_verifier", "x")], 400, "invalid_request"),
        (vec![grant, code, redirect, id, ("client_secret", "x")], 400, "invalid_request"),
        (vec![grant, code, redirect, id, id], 400, "invalid_request"),
        (vec![code, redirect, id], 400, "invalid_request"),
        (vec![grant, redirect, id], 400, "invalid_request"),
        (vec![grant, code, id], 400, "invalid_request"),
        (vec![grant, code, redirect], 400, "invalid_request"),
        (vec![grant, code, other, id], 400, "invalid_grant"),
        (vec![grant, ("code", "x"), redirect, id], 400, "invalid_grant"),
        (vec![grant, code, redirect, ("client_id", "PSDFR-ACPR-54321")], 401, "invalid_client"),
        (vec![("grant_type", "client_credentials"), id], 400, "unsupported_grant_type"),
        (vec![("grant_type", "refresh_token"), ("refresh_token", "x"), id], 400, "invalid_grant"),
    ] {
        let reply = client.form(&bank.endpoints().token_url, &fields).unwrap();
        assert_eq!((reply.status, &reply.json()["error"]), (status, &error.into()), "{fields:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
    let json =
        client.send(&bank.endpoints().token_url, "POST", &[("Content-Type", "application/json")], b"{}");
    assert_eq!(json.unwrap().status, 400);
    assert_eq!(client.get(&bank.endpoints().token_url).status, 405);
    assert_eq!(exchange(&bank, &mut client, code.1).status, 200, "none of it spent the code");
}

#[test]
fn a_code_expires() {
    let bank = bank();
    let code = code(&bank, "CLAIRE");
    bank.control().advance_clock(Duration::from_secs(61));
    assert_eq!(exchange(&bank, &mut Client::new(&bank), &code).json()["error"], "invalid_grant");
}

/// Spoils an honest funds request and looks at the status and a word of the message.
#[track_caller]
fn refused(bank: &Sandbox, client: &mut Client, spoil: impl Fn(Funds) -> Funds, status: u16, word: &str) {
    let funds = spoil(Funds::new(bank, &token(bank, "CLAIRE"), &coverage("1", CLAIRE)));
    let reply = funds.send(client).unwrap();
    assert_eq!(reply.status, status, "{}", reply.text());
    let body = reply.json();
    assert!(body["message"].as_str().unwrap().contains(word), "{body}");
    assert_eq!(
        (&body["status"], &body["path"]),
        (&status.into(), &"/stet/psd2/v1.4.2/funds-confirmations".into())
    );
    assert!(body["timestamp"].is_string() && body["error"].is_string(), "{body}");
    let last = bank.control().requests().pop().unwrap();
    assert!(last.verdict.contains(word), "{}", last.verdict);
}

#[test]
fn headers_of_a_funds_request_are_checked_one_by_one() {
    let bank = bank();
    let client = &mut Client::new(&bank);
    let late = httpdate::fmt_http_date(SystemTime::now() - Duration::from_secs(400));
    let early = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(400));
    refused(&bank, client, |f| f.without("x-request-id"), 400, "X-Request-ID");
    refused(&bank, client, |f| f.set("X-Request-ID", &"x".repeat(71)), 400, "X-Request-ID");
    refused(&bank, client, |f| f.without("date"), 400, "Date");
    refused(&bank, client, |f| f.set("Date", "2026-11-23T13:18:33Z"), 400, "Date");
    refused(&bank, client, |f| f.set("Date", &late), 400, "Date");
    refused(&bank, client, |f| f.set("Date", &early), 400, "Date");
    refused(&bank, client, |f| f.without("digest"), 400, "Digest");
    refused(&bank, client, |f| f.set("Digest", &digest_of(b"other")), 400, "Digest");
    refused(&bank, client, |f| f.set("Content-Type", "text/json"), 415, "Content-Type");
    refused(&bank, client, |f| f.set("Accept", "text/html"), 406, "Accept");
    refused(&bank, client, |f| f.without("authorization"), 401, "Authorization");
    refused(&bank, client, |f| f.set("Authorization", "Basic eA=="), 401, "bearer");
    refused(&bank, client, |f| f.set("Authorization", "Bearer x"), 401, "access token");
    refused(&bank, client, |f| Funds { method: "PUT".to_owned(), ..f }, 405, "NIMP");
}

#[test]
fn the_signature_is_really_verified() {
    let bank = bank();
    let client = &mut Client::new(&bank);
    let without = |name: &'static str| {
        move |mut f: Funds| {
            f.signed.retain(|signed| signed != name);
            f
        }
    };
    refused(&bank, client, |f| Funds { signature: Some(String::new()), ..f }, 400, "Signature");
    for name in ["(request-target)", "date", "digest", "x-request-id"] {
        refused(&bank, client, without(name), 400, name);
    }
    refused(&bank, client, |f| Funds { algorithm: "hs2019".to_owned(), ..f }, 400, "algorithm");
    refused(&bank, client, |f| Funds { key_id: "PSDFR-ACPR-1".to_owned(), ..f }, 403, "BE05");
    let qwac_key = bank.issuer().qwac.key_pem.clone();
    refused(&bank, client, |f| Funds { key_pem: qwac_key.clone(), ..f }, 403, "does not verify");
    let created = |f: Funds| {
        let signature = Some(format!("{},created=1402170695", f.signature_header()));
        Funds { signature, ..f }
    };
    refused(&bank, client, created, 400, "created");
    let moved = |f: Funds| {
        let signature = Some(f.signature_header());
        Funds { signature, ..f }.set("X-Request-ID", "another")
    };
    refused(&bank, client, moved, 403, "does not verify");
}

#[test]
fn a_certificate_url_and_more_signed_headers_are_accepted() {
    let bank = bank();
    let der = std::fs::read(&bank.issuer().qsealc_forms.certificate_der).unwrap();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut funds = Funds::new(&bank, &token(&bank, "CLAIRE"), &coverage("1", CLAIRE));
    funds.key_id = format!("https://carte-exemple.example/keys/qsealc_{hex}");
    funds.signed.push("content-type".to_owned());
    assert_eq!(funds.send(&mut Client::new(&bank)).unwrap().status, 200);
}

#[test]
fn the_body_follows_the_schema() {
    let bank = bank();
    let client = &mut Client::new(&bank);
    let access = token(&bank, "CLAIRE");
    let good = coverage("12.50", CLAIRE);
    let long_payee = format!(r#"{{"payee":"{}","pay"#, "x".repeat(71));
    for (from, to) in [
        ("\"12.50\"", "12.50"),
        ("\"12.50\"", "\"12.500\""),
        ("\"12.50\"", "\"-12.50\""),
        ("\"12.50\"", "\"0\""),
        ("\"12.50\"", "\"12.\""),
        ("\"12.50\"", "\"1e1\""),
        ("\"12.50\"", "\"12,50\""),
        ("\"12.50\"", "\"12345678901234\""),
        ("EUR", "USD"),
        ("EUR", "eur"),
        ("MyCoverage123456", ""),
        ("MyCoverage123456", "123456789012345678901234567890123456"),
        ("{\"pay", long_payee.as_str()),
        ("{\"pay", "{\"more\":1,\"pay"),
        ("{\"pay", "{\"payee\":\"a\",\"payee\":\"b\",\"pay"),
        ("\"iban\"", "\"Iban\""),
        ("74006", "74007"),
        ("\"iban\"", "\"currency\":\"EUR\",\"iban\""),
        ("\"accountId\"", "\"account\""),
        ("}}", "}"),
    ] {
        let body = good.replace(from, to);
        assert_ne!(body, good);
        let reply = Funds::new(&bank, &access, &body).send(client).unwrap();
        assert_eq!(reply.status, 400, "{body}: {}", reply.text());
    }
    let payee = good.replace("{\"pay", &format!(r#"{{"payee":"{}","pay"#, "é".repeat(70)));
    assert_eq!(Funds::new(&bank, &access, &payee).send(client).unwrap().status, 200);
    let other = good.replace(
        &format!("\"iban\":\"{CLAIRE}\""),
        &format!(r#""other":{{"identification":"{}","schemeName":"BANK"}}"#, &CLAIRE[4..]),
    );
    assert_eq!(Funds::new(&bank, &access, &other).send(client).unwrap().status, 200, "{other}");
}

#[test]
fn each_persona_answers_with_its_business_code() {
    let bank = bank();
    let client = &mut Client::new(&bank);
    let refusing: Vec<_> = bank.control().personas().into_iter().filter(|p| p.refusal.is_some()).collect();
    assert_eq!(refusing.len(), 10);
    for persona in refusing {
        let refusal = persona.refusal.unwrap();
        let reply = ask(&bank, client, &persona.id, "1", &persona.iban);
        assert_eq!(reply.status, refusal.status, "{}", persona.id);
        assert!(reply.json()["message"].as_str().unwrap().starts_with(&refusal.code));
        assert_eq!(reply.header("retry-after"), (refusal.code == "TMRQ").then_some("30"));
    }
    let other = ask(&bank, client, "CLAIRE", "1", LEA);
    assert_eq!((other.status, other.json()["message"].as_str().unwrap().starts_with("AC01")), (404, true));
}

#[test]
fn retry_after_can_be_a_date_or_missing() {
    let bank = bank();
    let client = &mut Client::new(&bank);
    let theo = "FR7617515006000000441070713";
    bank.control().configure(&json!({"retry_after": "date"})).unwrap();
    let reply = ask(&bank, client, "THEO", "1", theo);
    assert!(httpdate::parse_http_date(reply.header("retry-after").unwrap()).unwrap() > SystemTime::now());
    bank.control().configure(&json!({"retry_after": "missing"})).unwrap();
    assert_eq!(ask(&bank, client, "THEO", "1", theo).header("retry-after"), None);
}

#[test]
fn a_token_of_another_role_is_bads() {
    let bank = bank();
    let tokens = bank.control().issue_tokens("CLAIRE", Some("aisp")).unwrap();
    let access = tokens["access_token"].as_str().unwrap();
    let reply = Funds::new(&bank, access, &coverage("1", CLAIRE)).send(&mut Client::new(&bank)).unwrap();
    assert_eq!((reply.status, reply.json()["message"].as_str().unwrap().starts_with("BADS")), (403, true));
}

#[test]
fn an_unknown_path_is_not_found() {
    let bank = bank();
    let url = bank.endpoints().funds_url.replace("v1.4.2", "v1.4.3");
    assert_eq!(Client::new(&bank).get(&url).status, 404);
}
