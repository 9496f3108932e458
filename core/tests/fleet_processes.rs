//! Several processes on one database.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "common/session.rs"]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cbpii::bank::{RefreshTokenRotation, TrustMode};
use cbpii::identity::{SealIdentity, TransportIdentity};
use cbpii::store::SqliteStore;
use cbpii::{Bank, Client, Environment, Issuer, SessionPool, Tokens};
use cbpii_sandbox::RefreshTokenRotation as Rotation;
use serde_json::{Value, json};
use support::{check, refreshes, rotating, sealed};

const SPEC: &str = "CBPII_TEST_FLEET_PROCESS";
const PROCESSES: usize = 8;

/// What one process of the fleet does, when it is one: it says that it is ready, waits for the start, and checks.
#[test]
fn a_process_of_the_fleet() {
    let Ok(spec) = std::env::var(SPEC) else { return };
    let spec: Value = serde_json::from_str(&spec).unwrap();
    let text = |name: &str| spec[name].as_str().unwrap();
    let file = |name: &str| std::fs::read(text(name)).unwrap();
    let transport = TransportIdentity::from_pem(&file("qwac_chain"), &file("qwac_key"), None).unwrap();
    let seal = SealIdentity::from_pem(&file("seal_chain"), &file("seal_key"), None).unwrap();
    let issuer = Issuer::new(text("client_id"), text("redirect_uri")).unwrap();
    let ca = String::from_utf8(file("ca")).unwrap();
    let mut bank = Bank::bpce("17515", Environment::Sandbox)
        .and_then(|bank| bank.with_origin(text("origin")))
        .and_then(|bank| bank.with_trust_anchor(&ca, TrustMode::Replace))
        .unwrap();
    bank.refresh_token_rotation = RefreshTokenRotation::Rotated;
    let client = Client::new(bank, issuer.with_transport(transport).with_seal(seal)).unwrap();
    println!("\nready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let pool = SessionPool::new(client, sealed(SqliteStore::open(text("database")).unwrap()));
    let session = pool.open("claire").unwrap();
    for n in 0..3 {
        assert!(session.confirm_funds(&check(&format!("{}-{n}", std::process::id()))).unwrap().available);
    }
}

fn start(spec: &Value) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_process_of_the_fleet", "--nocapture"])
        .env(SPEC, spec.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Starts the processes, lets them go at once and waits until they have ended well.
fn run(spec: &Value) {
    let mut children: Vec<Child> = (0..PROCESSES).map(|_| start(spec)).collect();
    let mut outputs = Vec::new();
    for child in &mut children {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"), "the process got ready");
        outputs.push(lines);
    }
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    for (mut child, lines) in children.into_iter().zip(outputs) {
        let said: Vec<String> = lines.map(Result::unwrap).collect();
        assert!(child.wait().unwrap().success(), "{}", said.join("\n"));
    }
}

#[test]
fn eight_processes_with_an_ended_token_make_one_refresh() {
    let sandbox = rotating(Rotation::Rotated);
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("consents.db");
    let client = common::client(&sandbox);
    let given = common::consent(&sandbox, &client, "CLAIRE");
    let kit = sandbox.issuer();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let spec = json!({
        "origin": sandbox.endpoints().origin, "client_id": kit.client_id, "redirect_uri": kit.redirect_uri,
        "ca": path(&kit.ca), "qwac_chain": path(&kit.qwac.chain), "qwac_key": path(&kit.qwac.key),
        "seal_chain": path(&kit.qsealc.chain), "seal_key": path(&kit.qsealc.key), "database": path(&database),
    });
    for ended_by_our_clock in [true, false] {
        // Either the token says that it has ended, or only the bank knows.
        let end = ended_by_our_clock.then(|| given.obtained_at().saturating_sub(Duration::from_secs(1)));
        let given = common::consent(&sandbox, &client, "CLAIRE");
        let tokens = Tokens::new(
            given.access_token().clone(),
            given.refresh_token().cloned(),
            given.obtained_at(),
            end,
            given.consent_expires_at(),
        );
        let pool = SessionPool::new(client.clone(), sealed(SqliteStore::open(&database).unwrap()));
        let _ = pool.keep("claire", &tokens.unwrap()).unwrap();
        sandbox.control().expire_access_tokens();
        sandbox.control().forget_requests();
        run(&spec);
        assert_eq!(refreshes(&sandbox), 1, "ended by our clock: {ended_by_our_clock}");
    }
}
