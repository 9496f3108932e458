//! The control endpoint over plain HTTP, and what the records hold.

use std::time::Duration;

use cbpii_sandbox::{Endpoint, Fault, FaultRule, Log, PENDING, Persona, Sandbox, SandboxOptions};
use serde_json::{Value, json};

use crate::client::{self, *};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn bank() -> Sandbox {
    Sandbox::start(SandboxOptions::default()).unwrap()
}

#[track_caller]
fn call(bank: &Sandbox, method: &str, route: &str, body: &str) -> Value {
    let (status, value) = client::control(&bank.endpoints().control_url, method, route, body);
    assert_eq!(status, 200, "{value}");
    value
}

#[test]
fn everything_a_test_needs_can_be_done_over_http() {
    let bank = bank();
    let index = call(&bank, "GET", "", "");
    assert_eq!(index["endpoints"]["funds_url"], json!(bank.endpoints().funds_url));
    assert_eq!(index["issuer"]["client_id"], "PSDFR-ACPR-12345");
    assert_eq!(
        call(&bank, "PATCH", "/settings", r#"{"consent_lifetime_days": 90}"#)["consent_lifetime_days"],
        90
    );
    call(
        &bank,
        "POST",
        "/faults",
        r#"{"endpoint": "funds", "times": 1, "fault": {"kind": "html_page", "status": 502}}"#,
    );
    assert_eq!(call(&bank, "GET", "/faults", "")[0]["fault"]["kind"], "html_page");
    call(&bank, "DELETE", "/faults", "");
    assert_eq!(call(&bank, "GET", "/faults", ""), json!([]));
    let before = call(&bank, "GET", "/clock", "")["now"].as_u64().unwrap();
    let after = call(&bank, "POST", "/clock", r#"{"advance_seconds": 1000}"#)["now"].as_u64().unwrap();
    assert!(after >= before + 1000);
    assert!(call(&bank, "DELETE", "/clock", "")["now"].as_u64().unwrap() < before + 900);
    assert_eq!(
        call(&bank, "POST", "/clock", r#"{"set": 1000000000}"#)["date"],
        "Sun, 09 Sep 2001 01:46:40 GMT"
    );
    assert_eq!(call(&bank, "GET", "/personas", "").as_array().unwrap().len(), 13);
    call(&bank, "POST", "/reset", "");
    assert_eq!(bank.control().settings().consent_lifetime_days, 180);
}

#[test]
fn tokens_and_consents_can_be_managed() {
    let bank = bank();
    let mut client = Client::new(&bank);
    let tokens = call(&bank, "POST", "/tokens", r#"{"persona": "LEA"}"#);
    let access = tokens["access_token"].as_str().unwrap();
    let funds = Funds::new(&bank, access, &coverage("1", LEA));
    assert_eq!(funds.send(&mut client).unwrap().status, 200);
    call(&bank, "POST", "/tokens/expire", "");
    assert_eq!(funds.send(&mut client).unwrap().status, 401);
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(refresh(&bank, &mut client, token).status, 200);
    call(&bank, "POST", "/consents/revoke", r#"{"persona": "CLAIRE"}"#);
    assert_eq!(refresh(&bank, &mut client, token).status, 200);
    call(&bank, "POST", "/consents/revoke", "");
    assert_eq!(refresh(&bank, &mut client, token).json()["error"], "invalid_grant");
}

#[test]
fn what_was_dealt_with_can_be_taken_and_what_is_pending_stays() {
    let bank = &bank();
    let control = bank.control();
    control.set_fault(FaultRule::once(Endpoint::Funds, Fault::Hold)).unwrap();
    let access = token(bank, "CLAIRE");
    std::thread::scope(|scope| {
        let ask = || {
            let mut client = Client::new(bank);
            Funds::new(bank, &access, &coverage("1", CLAIRE)).send(&mut client).unwrap().status
        };
        let held = scope.spawn(ask);
        assert!(control.wait_until(PATIENCE, |seen| seen.iter().any(|one| one.verdict == PENDING)));
        assert_eq!(ask(), 200);
        let taken = control.take_requests();
        assert!(taken.iter().all(|one| one.verdict != PENDING) && !taken.is_empty());
        assert_eq!(control.requests().len(), 1);
        control.clear_faults();
        assert_eq!(held.join().unwrap(), 200);
    });
    assert_eq!(control.take_requests()[0].verdict, "accepted");
    assert!(control.requests().is_empty());
    assert_eq!(
        control.faults_met().into_iter().collect::<Vec<_>>(),
        [((Endpoint::Funds, "hold".to_owned()), 1)]
    );
}

#[test]
fn refreshes_are_counted_by_consent() {
    let bank = bank();
    let mut client = Client::new(&bank);
    assert_eq!(bank.control().refreshes("LEA"), None);
    let tokens = call(&bank, "POST", "/tokens", r#"{"persona": "LEA"}"#);
    assert_eq!(bank.control().refreshes("LEA"), Some(0));
    assert_eq!(refresh(&bank, &mut client, tokens["refresh_token"].as_str().unwrap()).status, 200);
    assert_eq!(refresh(&bank, &mut client, "another").status, 400);
    assert_eq!(bank.control().refreshes("LEA"), Some(1));
    call(&bank, "POST", "/tokens", r#"{"persona": "LEA"}"#);
    assert_eq!(bank.control().refreshes("LEA"), Some(0));
}

#[test]
fn records_hold_the_request_exactly_as_it_was_sent() {
    let bank = bank();
    let mut client = Client::new(&bank);
    let funds =
        Funds::new(&bank, &token(&bank, "CLAIRE"), &coverage("1", CLAIRE)).set("PSU-IP-Address", "192.0.2.1");
    funds.send(&mut client).unwrap();
    let seen = bank.control().requests().pop().unwrap();
    let names: Vec<_> =
        seen.headers.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect();
    let mut expected = vec!["Host"];
    expected.extend(funds.headers.iter().map(|(name, _)| name.as_str()));
    expected.extend(["Signature", "Content-Length"]);
    assert_eq!(names, expected);
    assert_eq!(
        (seen.body, seen.target.as_str()),
        (funds.body.clone(), "/stet/psd2/v1.4.2/funds-confirmations")
    );
    funds.send(&mut client).unwrap();
    let listed = call(&bank, "GET", "/requests?wait_for=2&after=1", "");
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["headers"][0][0], "Host");
    let connections = call(&bank, "GET", "/connections", "");
    assert_eq!(
        (&connections["opened"], &connections["connections"][0]["resumed"]),
        (&json!(1), &json!(false))
    );
    call(&bank, "DELETE", "/requests", "");
    assert!(bank.control().requests().is_empty());
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let bank = bank();
    let url = &bank.endpoints().control_url;
    for (method, route, body, status) in [
        ("GET", "/nowhere", "", 404),
        ("PATCH", "/settings", r#"{"pkcee": true}"#, 400),
        ("PATCH", "/settings", r#"{"pkce": "yes"}"#, 400),
        ("POST", "/faults", r#"{"endpoint": "funds", "fault": {"kind": "nap"}}"#, 400),
        ("POST", "/clock", r#"{"advance": 1}"#, 400),
        ("POST", "/tokens", r#"{"persona": "NOBODY"}"#, 400),
        ("POST", "/personas", r#"{"id": "X", "display_name": "X", "iban": "FR00", "available": "1"}"#, 400),
    ] {
        let (answered, value) = client::control(url, method, route, body);
        assert_eq!((answered, value["error"].is_string()), (status, true), "{route} {body}: {value}");
    }
}

#[test]
fn a_test_can_bring_its_own_customer() {
    let bank = bank();
    let persona =
        r#"{"id": "ZOE", "display_name": "Zoe", "iban": "GB82WEST12345698765432", "available": "0.05"}"#;
    let persona: Persona = serde_json::from_str(persona).unwrap();
    bank.control().put_persona(persona.clone()).unwrap();
    let mut client = Client::new(&bank);
    assert_eq!(ask(&bank, &mut client, "ZOE", "0.05", &persona.iban).json()["result"], true);
    assert_eq!(ask(&bank, &mut client, "ZOE", "0.06", &persona.iban).json()["result"], false);
}

#[test]
fn the_log_tells_the_verdict_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let bank = Sandbox::start(SandboxOptions { log: Log::File(path.clone()), ..Default::default() }).unwrap();
    let mut client = Client::new(&bank);
    let code = code(&bank, "CLAIRE");
    let tokens = exchange(&bank, &mut client, &code).json();
    let access = tokens["access_token"].as_str().unwrap();
    Funds::new(&bank, access, &coverage("1", CLAIRE)).send(&mut client).unwrap();
    let log = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!((&lines[2]["verdict"], &lines[2]["account"]), (&json!("accepted"), &json!("FR76…4006")));
    for secret in [code.as_str(), access, tokens["refresh_token"].as_str().unwrap(), CLAIRE] {
        assert!(!log.contains(secret), "{log}");
    }
}
