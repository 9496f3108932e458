//! With a logger that listens to everything, the libraries below included: no secret is logged.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::cell::{Cell, RefCell};
use std::sync::Once;

use cbpii::bank::ClientAuthentication;
use cbpii::{Client, ConsentOptions, Tokens};
use cbpii_sandbox::{Endpoint, Fault, FaultRule, Sandbox};
use common::*;
use log::{LevelFilter, Log, Metadata, Record};
use serde_json::json;

thread_local! {
    /// What this thread's test listens to, and all it heard. A call is made on the thread of its caller.
    static LEVEL: Cell<LevelFilter> = const { Cell::new(LevelFilter::Off) };
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Listener;

impl Log for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= LEVEL.get()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            HEARD.with_borrow_mut(|heard| heard.push(format!("{} {}", record.target(), record.args())));
        }
    }

    fn flush(&self) {}
}

/// Listens on this thread from now on.
fn listen(level: LevelFilter) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| log::set_logger(&Listener).unwrap());
    log::set_max_level(LevelFilter::Trace);
    LEVEL.set(level);
}

fn heard() -> String {
    HEARD.take().join("\n")
}

/// A whole journey with all kinds of secrets, some failures and a proxy; gives the secrets.
fn journey(sandbox: &Sandbox, proxy: &Proxy) -> Vec<String> {
    let mut bank = bank(sandbox);
    bank.pkce = true;
    bank.client_authentication = ClientAuthentication::ClientSecretBasic;
    let secret = sandbox.issuer().client_secret.clone().unwrap();
    let proxy = format!("http://user:hushhush@{}", proxy.address);
    let client = Client::builder(bank, issuer(sandbox)).proxy(proxy).build().unwrap();
    let pending = client.begin_consent(&ConsentOptions::default()).unwrap();
    let saved: serde_json::Value = serde_json::from_str(pending.to_json().expose()).unwrap();
    let code = pending.complete(&sandbox.approve(pending.url(), "CLAIRE").unwrap()).unwrap();
    let tokens = client.exchange_code(&pending, &code).unwrap();
    let refreshed = client.refresh(&tokens).unwrap();
    check(sandbox, &client, &refreshed);
    let verifier = saved["code_verifier"].as_str().unwrap().to_owned();
    let basic = "dXNlcjpodXNoaHVzaA==".to_owned();
    let own = vec![
        secret,
        "hushhush".to_owned(),
        basic,
        verifier,
        code.expose().to_owned(),
        pending.state().to_owned(),
    ];
    let of = |tokens: &Tokens| secrets_of(tokens).into_iter().map(str::to_owned).collect::<Vec<_>>();
    [own, of(&tokens), of(&refreshed)].concat()
}

fn check(sandbox: &Sandbox, client: &Client, tokens: &Tokens) {
    let question = request(CLAIRE, "1");
    assert!(client.confirm_funds(tokens, &question).unwrap().available);
    for fault in [Fault::ResetMidAnswer, Fault::HtmlPage { status: 500 }, Fault::BadDigest, Fault::Garbage] {
        sandbox.control().set_fault(FaultRule::always(Endpoint::Funds, fault)).unwrap();
        error_of(client.confirm_funds(tokens, &question));
        sandbox.control().clear_faults();
    }
}

#[track_caller]
fn assert_journey_logs_no_secret(level: LevelFilter) {
    let sandbox = sandbox_with(json!({"pkce": true, "client_authentication": "client_secret_basic"}));
    let proxy = Proxy::start(Manner::Honest);
    listen(level);
    let secrets = journey(&sandbox, &proxy);
    let text = heard();
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    assert_without_secrets(&text, &secrets);
    assert!(text.contains("cbpii confirm_funds bank=bpce-17515"), "{text}");
}

#[test]
fn a_whole_journey_at_debug_logs_no_secret() {
    assert_journey_logs_no_secret(LevelFilter::Debug);
}

#[test]
fn a_whole_journey_at_trace_logs_no_secret() {
    assert_journey_logs_no_secret(LevelFilter::Trace);
}
