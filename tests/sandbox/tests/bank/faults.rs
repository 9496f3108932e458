//! Each thing the bank can do wrong, as the client sees it.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;

use cbpii_sandbox::{Endpoint, Fault, FaultRule, Sandbox, SandboxOptions};
use serde_json::{Value, json};

use crate::client::*;

fn bank() -> Sandbox {
    Sandbox::start(SandboxOptions::default()).unwrap()
}

/// Puts a fault in force once, as JSON, at the funds endpoint.
#[track_caller]
fn once(bank: &Sandbox, fault: Value) {
    let rule = json!({"endpoint": "funds", "times": 1, "fault": fault});
    bank.control().set_fault(serde_json::from_value(rule).unwrap()).unwrap();
}

/// The result of one funds call under a fault; the next call is honest again.
#[track_caller]
fn under(bank: &Sandbox, fault: Value) -> io::Result<Reply> {
    once(bank, fault);
    let mut client = Client::new(bank);
    let funds = Funds::new(bank, &token(bank, "CLAIRE"), &coverage("1", CLAIRE));
    let result = funds.send(&mut client);
    client.hang_up();
    assert_eq!(funds.send(&mut client).unwrap().json()["result"], true);
    result
}

#[test]
fn any_answer_can_be_given() {
    let bank = bank();
    let fault = json!({
        "kind": "answer", "status": 503, "content_type": "text/plain", "body": "maintenance",
        "headers": [["Retry-After", "7"], ["Warning", "299 - \"deprecated\""]],
    });
    let reply = under(&bank, fault).unwrap();
    assert_eq!((reply.status, reply.text().as_str()), (503, "maintenance"));
    assert_eq!((reply.header("retry-after"), reply.header("content-type")), (Some("7"), Some("text/plain")));
    assert!(reply.header("signature").is_none());
    let seen = bank.control().requests();
    assert_eq!((seen[0].verdict.as_str(), seen[0].status), ("fault: answer", Some(503)));
}

#[test]
fn a_patch_changes_or_removes_any_member() {
    let bank = bank();
    for (fault, pointer, expected) in [
        (json!({"patch": {"result": "true"}}), "/result", Some(json!("true"))),
        (json!({"patch": {"result": 1}}), "/result", Some(json!(1))),
        (json!({"patch": {"result": null}}), "/result", None),
        (json!({"set": {"/result": null}}), "/result", Some(Value::Null)),
        (
            json!({"set": {"/request/instructedAmount/amount": "2"}}),
            "/request/instructedAmount/amount",
            Some(json!("2")),
        ),
        (
            json!({"patch": {"request": {"accountId": {"iban": LEA}}}}),
            "/request/accountId/iban",
            Some(json!(LEA)),
        ),
    ] {
        let mut fault = fault;
        fault["kind"] = json!("answer_patch");
        let reply = under(&bank, fault).unwrap();
        assert_eq!(reply.json().pointer(pointer), expected.as_ref());
        assert_eq!(
            reply.header("digest"),
            Some(digest_of(&reply.body).as_str()),
            "the digest is of what is sent"
        );
    }
}

#[test]
fn a_token_answer_can_be_patched_and_switched() {
    let bank = bank();
    let control = bank.control();
    let mut client = Client::new(&bank);
    let fault = Fault::AnswerPatch {
        patch: Some(json!({"refresh_token": null, "expires_in": -1})),
        set: Default::default(),
    };
    control.set_fault(FaultRule::once(Endpoint::Token, fault)).unwrap();
    let body = exchange(&bank, &mut client, &code(&bank, "CLAIRE")).json();
    assert_eq!((body.get("refresh_token"), &body["expires_in"]), (None, &json!(-1)));
    let patch = json!({"expires_in": "string", "token_type": null, "granted_scope": "wider", "refresh_token_rotation": "absent"});
    control.configure(&patch).unwrap();
    let first = exchange(&bank, &mut client, &code(&bank, "CLAIRE")).json();
    assert_eq!((&first["expires_in"], first.get("token_type")), (&json!("3600"), None));
    assert!(first["scope"].as_str().unwrap().starts_with("cbpii "));
    let token = first["refresh_token"].as_str().unwrap();
    assert_eq!(refresh(&bank, &mut client, token).json().get("refresh_token"), None);
    assert_eq!(refresh(&bank, &mut client, token).status, 200, "the one that was not repeated stays valid");
}

#[test]
fn redirects_and_html_come_where_json_is_expected() {
    let bank = bank();
    for status in [301, 302, 307, 308] {
        let fault = json!({"kind": "redirect", "status": status, "location": "https://localhost/elsewhere"});
        let reply = under(&bank, fault).unwrap();
        assert_eq!((reply.status, reply.header("location")), (status, Some("https://localhost/elsewhere")));
    }
    let reply = under(&bank, json!({"kind": "html_page", "status": 200})).unwrap();
    assert!(reply.text().starts_with("<!doctype html>"));
}

#[test]
fn seals_can_be_broken() {
    let bank = bank();
    let reply = under(&bank, json!({"kind": "bad_digest"})).unwrap();
    assert_ne!(reply.header("digest"), Some(digest_of(&reply.body).as_str()));
    assert_eq!(reply.json()["result"], true);
    let reply = under(&bank, json!({"kind": "bad_signature"})).unwrap();
    assert_eq!(reply.header("digest"), Some(digest_of(&reply.body).as_str()));
    let names = ["digest", "date", "content-type", "x-request-id"];
    let mut lines: Vec<String> =
        names.iter().map(|name| format!("{name}: {}", reply.header(name).unwrap())).collect();
    lines.push("(request-target): post /stet/psd2/v1.4.2/funds-confirmations".to_owned());
    let value =
        reply.header("signature").unwrap().rsplit_once("signature=\"").unwrap().1.trim_end_matches('"');
    assert!(!verifies(&bank.issuer().bank_seal_pem, &lines.join("\n"), value));
    let reply = under(&bank, json!({"kind": "other_request_id"})).unwrap();
    assert_ne!(reply.header("x-request-id"), Some("7b54b1d1-6f2e-4a61-b4c2-4f7b3a6c9d10"));
    let reply =
        under(&bank, json!({"kind": "answer_headers", "headers": {"Digest": null, "X-Extra": "1"}})).unwrap();
    assert_eq!((reply.header("digest"), reply.header("x-extra")), (None, Some("1")));
}

#[test]
fn json_can_be_ambiguous_or_not_text() {
    let bank = bank();
    let reply = under(&bank, json!({"kind": "duplicate_members"})).unwrap();
    assert_eq!(reply.text().matches("\"result\":").count(), 2);
    assert!(reply.text().contains("\"result\":false") && reply.text().contains("\"result\":true"));
    let reply = under(&bank, json!({"kind": "invalid_utf8"})).unwrap();
    assert!(std::str::from_utf8(&reply.body).is_err());
}

#[test]
fn resets_are_real() {
    let bank = bank();
    for kind in ["reset_before_reading", "reset_mid_answer"] {
        let error = under(&bank, json!({"kind": kind})).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{kind}: {error}");
    }
}

#[test]
fn a_truncated_body_ends_before_its_length() {
    let bank = bank();
    let error = under(&bank, json!({"kind": "truncated_body"})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error}");
}

#[test]
fn garbage_is_not_http() {
    let bank = bank();
    let error = under(&bank, json!({"kind": "garbage"})).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof), "{error}");
}

#[test]
fn an_endless_body_goes_on() {
    let bank = bank();
    let reply = under(&bank, json!({"kind": "oversized_body"})).unwrap();
    assert_eq!(reply.body.len(), 2 << 20);
}

#[test]
fn a_lost_answer_was_processed() {
    let bank = bank();
    let mut client = Client::new(&bank);
    let tokens = bank.control().issue_tokens("CLAIRE", None).unwrap();
    bank.control().configure(&json!({"refresh_token_rotation": "rotated"})).unwrap();
    bank.control().set_fault(FaultRule::once(Endpoint::Token, Fault::AnswerLost)).unwrap();
    let old = tokens["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", old), ("client_id", "PSDFR-ACPR-12345")];
    let error = client.form(&bank.endpoints().token_url, &fields).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error}");
    assert_eq!(refresh(&bank, &mut client, old).json()["error"], "invalid_grant", "the token was rotated");
}

/// Sends on a thread and gives its result when the bank lets go.
fn in_background(bank: &Sandbox) -> thread::JoinHandle<io::Result<Reply>> {
    let mut client = Client::new(bank);
    let funds = Funds::new(bank, &token(bank, "CLAIRE"), &coverage("1", CLAIRE));
    thread::spawn(move || funds.send(&mut client))
}

#[test]
fn a_held_request_goes_on_when_the_faults_are_cleared() {
    let bank = bank();
    once(&bank, json!({"kind": "hold"}));
    let call = in_background(&bank);
    assert!(bank.control().wait_for_requests(1, PATIENCE));
    assert_eq!(bank.control().requests()[0].verdict, cbpii_sandbox::PENDING);
    bank.control().clear_faults();
    assert_eq!(call.join().unwrap().unwrap().json()["result"], true);
    assert_eq!(bank.control().requests()[0].verdict, "accepted");
}

#[test]
fn stalls_last_until_the_bank_closes() {
    for kind in ["stall", "stall_after_headers"] {
        let bank = bank();
        once(&bank, json!({"kind": kind}));
        let call = in_background(&bank);
        let stalled =
            bank.control().wait_until(PATIENCE, |seen| seen.iter().any(|r| r.verdict.starts_with("fault")));
        assert!(stalled && !call.is_finished(), "{kind}");
        drop(bank);
        assert!(call.join().unwrap().is_err(), "{kind}");
    }
}

#[test]
fn connections_can_be_broken_before_tls() {
    let bank = bank();
    for fault in [Fault::ResetBeforeReading, Fault::Garbage] {
        bank.control().set_fault(FaultRule::once(Endpoint::Connection, fault.clone())).unwrap();
        let mut client = Client::new(&bank);
        let funds = Funds::new(&bank, &token(&bank, "CLAIRE"), &coverage("1", CLAIRE));
        assert!(funds.send(&mut client).is_err(), "{fault:?}");
        assert_eq!(funds.send(&mut client).unwrap().status, 200, "{fault:?}");
    }
    bank.control().set_fault(FaultRule::once(Endpoint::Connection, Fault::Stall)).unwrap();
    let port = url::Url::parse(&bank.endpoints().origin).unwrap().port().unwrap();
    let mut silent = TcpStream::connect(("127.0.0.1", port)).unwrap();
    silent.write_all(b"hello?").unwrap();
    drop(bank);
    let mut answer = Vec::new();
    // An end or a reset: no byte either way.
    let _ = silent.read_to_end(&mut answer);
    assert!(answer.is_empty());
}

#[test]
fn idle_connections_can_be_closed_behind_the_clients_back() {
    let bank = bank();
    let mut client = Client::new(&bank);
    let funds = Funds::new(&bank, &token(&bank, "CLAIRE"), &coverage("1", CLAIRE));
    assert_eq!(funds.send(&mut client).unwrap().status, 200);
    bank.control().close_connections();
    let error = funds.send(&mut client).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        "{error}"
    );
    assert_eq!(funds.send(&mut client).unwrap().status, 200);
    assert_eq!(bank.control().requests().len(), 2, "the one in between never arrived");
}

#[test]
fn a_fault_that_makes_no_sense_is_refused() {
    let control = bank().control();
    for rule in [
        json!({"endpoint": "funds", "fault": {"kind": "tls_versions", "versions": "1.2"}}),
        json!({"endpoint": "connection", "fault": {"kind": "truncated_body"}}),
        json!({"endpoint": "funds", "fault": {"kind": "answer", "status": 99}}),
        json!({"endpoint": "funds", "fault": {"kind": "answer", "status": 200, "headers": [["a b", "c"]]}}),
    ] {
        assert!(control.set_fault(serde_json::from_value(rule.clone()).unwrap()).is_err(), "{rule}");
    }
}
