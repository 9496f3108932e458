//! What the built-in transport promises: connections, deadlines, retries, cancelling, proxies, client certificates.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::cell::Cell;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use cbpii::bank::RefreshTokenRotation;
use cbpii::http::{HttpRequest, HttpResponse, Transport, TransportContext};
use cbpii::identity::{CertificateChain, SealIdentity, SignatureAlgorithm, Signer};
use cbpii::{
    CallOptions, CancelToken, Client, ClientBuilder, ConsentOptions, Error, ErrorCode, Issuer, RequestSent,
    Result, Tokens, with_lookout,
};
use cbpii_sandbox::{Endpoint, Fault, FaultRule, Sandbox};
use common::*;
use serde_json::json;

fn answer(status: u16, headers: &[(&str, &str)]) -> Fault {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Fault::Answer { status, headers, content_type: None, body: String::new() }
}

fn funds_once(setting: &Setting, fault: Fault) {
    setting.fault(FaultRule::once(Endpoint::Funds, fault));
}

fn within(timeout: Duration) -> CallOptions {
    CallOptions::default().timeout(timeout)
}

// Retries.

#[test]
fn a_funds_check_is_sent_again_once_after_a_passing_failure() {
    let passing = [502, 503, 504].map(|status| answer(status, &[]));
    for fault in passing.into_iter().chain([
        Fault::ResetBeforeReading,
        Fault::ResetMidAnswer,
        Fault::AnswerLost,
        Fault::TruncatedBody,
    ]) {
        let setting = Setting::new();
        funds_once(&setting, fault.clone());
        assert!(setting.check().unwrap().available, "{fault:?}");
        let seen = setting.seen(Endpoint::Funds);
        assert_eq!(seen.len(), 2, "{fault:?}");
        assert_eq!(seen[0].header("x-request-id"), seen[1].header("x-request-id"));
        assert!(fault == Fault::ResetBeforeReading || seen[0].body == seen[1].body);
    }
}

#[test]
fn a_funds_check_is_not_sent_a_third_time() {
    let setting = Setting::new();
    assert_code(setting.check_under(answer(503, &[])), ErrorCode::BankUnavailable);
    assert_eq!(setting.seen(Endpoint::Funds).len(), 2);
}

#[test]
fn a_funds_check_is_sent_as_often_as_allowed() {
    for retries in [0, 1, 5] {
        let setting = Setting::with(|builder| builder.retries(retries));
        assert_code(setting.check_under(Fault::ResetBeforeReading), ErrorCode::Disconnected);
        assert_eq!(setting.seen(Endpoint::Funds).len(), retries as usize + 1);
    }
}

#[test]
fn what_will_not_pass_is_not_sent_again() {
    let setting = Setting::new();
    let pause = [("retry-after", "1")];
    let lasting = [
        answer(400, &[]),
        answer(401, &[]),
        answer(403, &[]),
        answer(408, &[]),
        answer(429, &[]),
        answer(500, &[]),
        answer(501, &[]),
        answer(505, &[]),
        answer(503, &pause),
        answer(502, &pause),
        Fault::HtmlPage { status: 200 },
        Fault::Garbage,
        Fault::OtherRequestId,
        Fault::BadDigest,
    ];
    for fault in lasting {
        let before = setting.seen(Endpoint::Funds).len();
        error_of(setting.check_under(fault.clone()));
        assert_eq!(setting.seen(Endpoint::Funds).len(), before + 1, "{fault:?}");
    }
}

#[test]
fn nothing_is_sent_again_beyond_the_deadline() {
    let setting = Setting::with(|builder| builder.retries(5));
    setting.check().unwrap();
    setting.fault(FaultRule::always(Endpoint::Funds, Fault::Delay { milliseconds: 5_000 }));
    let started = Instant::now();
    let outcome = setting.client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "1"), &within(BRIEFLY));
    assert_code(outcome, ErrorCode::TotalTimeout);
    assert!(started.elapsed() >= BRIEFLY && started.elapsed() < Duration::from_secs(4));
    assert_eq!(setting.seen(Endpoint::Funds).len(), 2);
}

#[test]
fn all_attempts_share_one_deadline() {
    let setting = Setting::with(|builder| builder.retries(5));
    setting.check().unwrap();
    setting.fault(FaultRule::times(Endpoint::Funds, 2, answer(503, &[])));
    setting.fault(FaultRule::always(Endpoint::Funds, Fault::Stall));
    let started = Instant::now();
    let outcome =
        setting.client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "1"), &within(BRIEFLY * 2));
    assert_code(outcome, ErrorCode::TotalTimeout);
    assert!(started.elapsed() < BRIEFLY * 2 + Duration::from_secs(2));
    assert_eq!(setting.seen(Endpoint::Funds).len(), 4);
}

/// The outcome of exchanging a fresh code of CLAIRE's.
fn exchange(setting: &Setting) -> Result<Tokens> {
    let pending = setting.client.begin_consent(&ConsentOptions::default()).unwrap();
    let code = pending.complete(&setting.sandbox.approve(pending.url(), "CLAIRE").unwrap()).unwrap();
    setting.client.exchange_code(&pending, &code)
}

#[test]
fn a_code_exchange_is_never_sent_again() {
    let faults = [
        answer(502, &[]),
        answer(503, &[]),
        answer(504, &[]),
        Fault::ResetBeforeReading,
        Fault::ResetMidAnswer,
        Fault::AnswerLost,
        Fault::TruncatedBody,
        Fault::Garbage,
    ];
    for fault in faults {
        let setting = Setting::with(|builder| builder.retries(5));
        setting.fault(FaultRule::once(Endpoint::Token, fault.clone()));
        error_of(exchange(&setting));
        assert_eq!(setting.seen(Endpoint::Token).len(), 1, "{fault:?}");
    }
}

#[test]
fn a_code_exchange_is_not_even_tried_again_when_nothing_was_sent() {
    let setting = Setting::with(|builder| builder.retries(5));
    let pending = setting.client.begin_consent(&ConsentOptions::default()).unwrap();
    let code = pending.complete(&setting.sandbox.approve(pending.url(), "CLAIRE").unwrap()).unwrap();
    let before = setting.control().connections_opened();
    setting.fault(FaultRule::once(Endpoint::Connection, Fault::ResetBeforeReading));
    let error = error_of(setting.client.exchange_code(&pending, &code));
    assert_eq!(error.request_sent(), RequestSent::No);
    assert_eq!(setting.control().connections_opened(), before + 1);
}

fn rotating(rotation: RefreshTokenRotation) -> Setting {
    Setting::with_bank(|_, bank| bank.refresh_token_rotation = rotation)
}

#[test]
fn a_refresh_is_sent_again_once_where_the_refresh_token_stays() {
    for fault in [answer(503, &[]), Fault::ResetBeforeReading, Fault::AnswerLost] {
        let setting = rotating(RefreshTokenRotation::Same);
        setting.fault(FaultRule::once(Endpoint::Token, fault.clone()));
        assert!(setting.client.refresh(&setting.tokens).is_ok(), "{fault:?}");
        assert_eq!(setting.seen(Endpoint::Token).len(), 2);
        setting.fault(FaultRule::always(Endpoint::Token, fault));
        error_of(setting.client.refresh(&setting.tokens));
        assert_eq!(setting.seen(Endpoint::Token).len(), 4);
    }
}

#[test]
fn a_refresh_that_may_have_arrived_is_not_sent_again_where_tokens_rotate() {
    for rotation in [RefreshTokenRotation::Rotated, RefreshTokenRotation::Unknown] {
        for fault in [answer(503, &[]), Fault::ResetBeforeReading, Fault::AnswerLost] {
            let setting = rotating(rotation);
            setting.fault(FaultRule::once(Endpoint::Token, fault.clone()));
            let error = error_of(setting.client.refresh(&setting.tokens));
            assert_ne!(error.request_sent(), RequestSent::No);
            assert_eq!(setting.seen(Endpoint::Token).len(), 1, "{fault:?}");
        }
    }
}

#[test]
fn a_refresh_that_never_left_is_sent_again_even_where_tokens_rotate() {
    let setting = rotating(RefreshTokenRotation::Rotated);
    setting.fault(FaultRule::once(Endpoint::Connection, Fault::ResetBeforeReading));
    assert!(setting.client.refresh(&setting.tokens).is_ok());
    assert_eq!(setting.seen(Endpoint::Token).len(), 1);
}

// Time.

/// A client of a bank at another origin, and tokens for it.
fn at(sandbox: &Sandbox, origin: &str, adjust: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    let bank = bank(sandbox).with_origin(origin).unwrap();
    adjust(Client::builder(bank, issuer(sandbox)).retries(0)).build().unwrap()
}

#[test]
fn a_handshake_that_never_comes_ends_with_the_connect_timeout() {
    let sandbox = sandbox();
    let (_listener, origin) = silent_listener();
    let client = at(&sandbox, &origin, |builder| builder.connect_timeout(BRIEFLY).timeout(PATIENCE));
    let started = Instant::now();
    let error = assert_code(
        client.confirm_funds(&tokens(&sandbox, "CLAIRE"), &request(CLAIRE, "1")),
        ErrorCode::ConnectTimeout,
    );
    assert_eq!(error.request_sent(), RequestSent::No);
    assert!(started.elapsed() >= BRIEFLY && started.elapsed() < PATIENCE / 2);
}

/// A seal that does not sign before the bank has seen the client's hello.
struct AfterHello(Mutex<TcpListener>);

impl Signer for AfterHello {
    fn sign(&self, _: SignatureAlgorithm, _: &[u8]) -> Result<Vec<u8>> {
        const HANDSHAKE: u8 = 22;
        let (mut bank, _) = self.0.lock().unwrap().accept().unwrap();
        bank.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut hello = [0];
        bank.read_exact(&mut hello).unwrap();
        assert_eq!(hello, [HANDSHAKE]);
        Err(Error::new(ErrorCode::SignerFailed, "The hello was there."))
    }

    fn algorithms(&self) -> Vec<SignatureAlgorithm> {
        vec![SignatureAlgorithm::RsaPkcs1Sha256]
    }
}

#[test]
fn a_request_is_signed_while_the_bank_answers_the_hello() {
    let sandbox = sandbox();
    let (listener, origin) = silent_listener();
    let chain = CertificateChain::from_pem(sandbox.issuer().qsealc.chain_pem.as_bytes()).unwrap();
    let seal = SealIdentity::with_signer(chain, Arc::new(AfterHello(Mutex::new(listener))));
    let bank = bank(&sandbox).with_origin(&origin).unwrap();
    let client = Client::builder(bank, issuer(&sandbox).with_seal(seal)).build().unwrap();
    let outcome = client.confirm_funds(&tokens(&sandbox, "CLAIRE"), &request(CLAIRE, "1"));
    let error = assert_code(outcome, ErrorCode::SignerFailed);
    assert_eq!((error.message(), error.request_sent()), ("The hello was there.", RequestSent::No));
    assert_eq!(client.statistics().connections, 1);
}

#[test]
fn the_deadline_bounds_the_connect_timeout() {
    let sandbox = sandbox();
    let (_listener, origin) = silent_listener();
    let client = at(&sandbox, &origin, |builder| builder.connect_timeout(PATIENCE));
    let outcome =
        client.confirm_funds_with(&tokens(&sandbox, "CLAIRE"), &request(CLAIRE, "1"), &within(BRIEFLY));
    assert_eq!(assert_code(outcome, ErrorCode::TotalTimeout).request_sent(), RequestSent::No);
}

/// A listener whose queue of connections is full, so that a further one waits for ever; the queue.
fn full_listener() -> (TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(20)) {
        queue.push(stream);
        assert!(queue.len() < 20_000, "the queue is endless");
    }
    (listener, queue)
}

#[test]
fn a_connection_that_is_not_taken_ends_with_the_connect_timeout() {
    let sandbox = sandbox();
    let (listener, _queue) = full_listener();
    let origin = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let client = at(&sandbox, &origin, |builder| builder.connect_timeout(BRIEFLY).timeout(PATIENCE));
    let started = Instant::now();
    assert_code(
        client.confirm_funds(&tokens(&sandbox, "CLAIRE"), &request(CLAIRE, "1")),
        ErrorCode::ConnectTimeout,
    );
    assert!(started.elapsed() < PATIENCE / 2);
}

#[test]
fn a_deadline_that_has_passed_sends_nothing() {
    let setting = Setting::new();
    let outcome =
        setting.client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "1"), &within(Duration::ZERO));
    assert_unsent(&setting.sandbox, outcome, ErrorCode::TotalTimeout);
}

#[test]
fn an_endless_time_is_no_reason_to_panic() {
    let setting = Setting::new();
    let outcome =
        setting.client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "1"), &within(Duration::MAX));
    assert!(outcome.unwrap().available);
}

// Cancelling.

/// Cancels a call once the bank has its request, and gives the call's outcome.
fn cancel_while(setting: &Setting, call: impl FnOnce(&CallOptions) -> Error + Send) -> Error {
    let token = CancelToken::new();
    let options = within(PATIENCE).cancel(token.clone());
    let started = Instant::now();
    let error = thread::scope(|threads| {
        let call = threads.spawn(|| call(&options));
        assert!(setting.control().wait_for_requests(1, PATIENCE));
        token.cancel();
        call.join().unwrap()
    });
    assert!(started.elapsed() < PATIENCE / 2, "it took {:?}", started.elapsed());
    error
}

#[test]
fn a_stalled_funds_check_can_be_cancelled() {
    for fault in [Fault::Stall, Fault::StallAfterHeaders, Fault::Hold] {
        let setting = Setting::new();
        setting.fault(FaultRule::always(Endpoint::Funds, fault));
        let check = |options: &CallOptions| {
            error_of(setting.client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "1"), options))
        };
        let error = cancel_while(&setting, check);
        assert_eq!(error.code(), ErrorCode::Cancelled);
        assert_ne!(error.request_sent(), RequestSent::No);
        assert_eq!(setting.seen(Endpoint::Funds).len(), 1);
    }
}

#[test]
fn a_stalled_refresh_can_be_cancelled() {
    let setting = Setting::new();
    setting.fault(FaultRule::always(Endpoint::Token, Fault::Stall));
    let refresh = |options: &CallOptions| error_of(setting.client.refresh_with(&setting.tokens, options));
    assert_eq!(cancel_while(&setting, refresh).code(), ErrorCode::Cancelled);
    assert_eq!(setting.seen(Endpoint::Token).len(), 1);
}

/// Makes a call that waits, cancels it at the third look, and gives its outcome.
fn cancel_at_a_look(call: impl FnOnce(&CallOptions) -> Error) -> Error {
    let token = CancelToken::new();
    let options = within(PATIENCE).cancel(token.clone());
    let (started, looks) = (Instant::now(), Cell::new(0));
    let look = move || {
        looks.set(looks.get() + 1);
        if looks.get() == 3 {
            token.cancel();
        }
    };
    let error = with_lookout(Duration::from_millis(20), look, || call(&options));
    assert!(started.elapsed() < PATIENCE / 2, "it took {:?}", started.elapsed());
    error
}

#[test]
fn a_lookout_can_cancel_a_call_that_waits() {
    let setting = Setting::new();
    for endpoint in [Endpoint::Funds, Endpoint::Token] {
        setting.fault(FaultRule::always(endpoint, Fault::Stall));
    }
    let (listener, origin) = silent_listener();
    let silent = at(&setting.sandbox, &origin, |builder| builder.connect_timeout(PATIENCE));
    let ask = |client: &Client, options: &CallOptions| {
        error_of(client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "1"), options))
    };
    let errors = [
        cancel_at_a_look(|options| ask(&setting.client, options)),
        cancel_at_a_look(|options| error_of(setting.client.refresh_with(&setting.tokens, options))),
        cancel_at_a_look(|options| ask(&silent, options)),
    ];
    drop(listener);
    assert!(errors.iter().all(|error| error.code() == ErrorCode::Cancelled), "{errors:?}");
}

#[test]
fn a_handshake_can_be_cancelled() {
    let sandbox = sandbox();
    let (listener, origin) = silent_listener();
    let client = at(&sandbox, &origin, |builder| builder.connect_timeout(PATIENCE));
    let (tokens, token) = (tokens(&sandbox, "CLAIRE"), CancelToken::new());
    let options = within(PATIENCE).cancel(token.clone());
    let started = Instant::now();
    let error = thread::scope(|threads| {
        let call =
            threads.spawn(|| error_of(client.confirm_funds_with(&tokens, &request(CLAIRE, "1"), &options)));
        let _accepted = listener.accept().unwrap();
        token.cancel();
        call.join().unwrap()
    });
    assert_eq!((error.code(), error.request_sent()), (ErrorCode::Cancelled, RequestSent::No));
    assert!(started.elapsed() < PATIENCE / 2);
}

#[test]
fn a_cancelled_token_refuses_later_calls() {
    let setting = Setting::new();
    let token = CancelToken::new();
    token.cancel();
    let options = CallOptions::default().cancel(token);
    let outcome = setting.client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "1"), &options);
    assert_unsent(&setting.sandbox, outcome, ErrorCode::Cancelled);
    assert_unsent(
        &setting.sandbox,
        setting.client.refresh_with(&setting.tokens, &options),
        ErrorCode::Cancelled,
    );
    assert_eq!(setting.control().connections_opened(), 0);
}

#[test]
fn a_pooled_connection_survives_a_later_cancel() {
    let setting = Setting::new();
    let token = CancelToken::new();
    let options = CallOptions::default().cancel(token.clone());
    setting.client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "1"), &options).unwrap();
    token.cancel();
    assert!(setting.check().unwrap().available);
    assert_eq!(setting.client.statistics().connections, 1);
}

// Connections.

#[test]
fn many_calls_need_one_connection_and_one_look_up() {
    let setting = Setting::new();
    for _ in 0..200 {
        assert!(setting.check().unwrap().available);
    }
    let statistics = setting.client.statistics();
    assert_eq!((statistics.connections, setting.control().connections_opened()), (1, 1));
    assert!(statistics.name_lookups <= 1);
    assert_eq!(setting.seen(Endpoint::Funds).len(), 200);
}

#[test]
fn without_idle_connections_every_call_has_its_own() {
    let setting = Setting::with(|builder| builder.max_idle_connections(0));
    for _ in 0..3 {
        setting.check().unwrap();
    }
    assert_eq!(setting.control().connections_opened(), 3);
}

#[test]
fn a_connection_the_bank_closed_while_idle_is_replaced_without_an_error() {
    for round in 0..10 {
        let setting = Setting::with(|builder| builder.retries(if round % 2 == 0 { 0 } else { 1 }));
        setting.check().unwrap();
        setting.control().close_connections();
        let (before, outcome) = (setting.seen(Endpoint::Funds).len(), setting.check());
        match outcome {
            Ok(answer) => assert!(answer.available),
            // The close was still on its way when the request left, and nothing may be repeated.
            Err(error) => assert!(round % 2 == 0 && error.code() == ErrorCode::Disconnected, "{error:?}"),
        }
        assert!(setting.seen(Endpoint::Funds).len() <= before + 1);
    }
}

/// Calls that each need a new connection, so that all but the first can resume.
fn resumptions(version: &str) -> (u64, usize) {
    let setting = Setting::with(|builder| builder.max_idle_connections(0));
    setting.control().configure(&json!({"tls_versions": version})).unwrap();
    for _ in 0..4 {
        setting.check().unwrap();
    }
    let seen = setting.control().connections();
    assert!(seen.iter().all(|connection| connection.tls_version.as_deref() == Some(version)));
    assert!(seen.iter().all(|connection| connection.organisation.as_deref() == Some("PSDFR-ACPR-12345")));
    (setting.client.statistics().resumed, seen.iter().filter(|connection| connection.resumed).count())
}

#[test]
fn sessions_are_resumed_in_both_tls_versions() {
    assert_eq!(resumptions("1.2"), (3, 3));
    assert_eq!(resumptions("1.3"), (3, 3));
}

#[test]
fn token_requests_resume_the_session_too() {
    let setting = Setting::new();
    setting.check().unwrap();
    setting.client.refresh(&setting.tokens).unwrap();
    assert_eq!(setting.client.statistics().resumed, 1);
}

#[test]
fn connections_opened_ahead_serve_parallel_calls() {
    let setting = Setting::new();
    assert_eq!(setting.client.warm_up(4).unwrap(), 4);
    let control = setting.control();
    assert_eq!((control.connections_opened(), control.requests().len()), (4, 0));
    setting.fault(FaultRule::times(Endpoint::Funds, 4, Fault::Hold));
    thread::scope(|threads| {
        let calls: Vec<_> = (0..4).map(|_| threads.spawn(|| setting.check().unwrap().available)).collect();
        assert!(control.wait_for_requests(4, PATIENCE));
        control.clear_faults();
        assert!(calls.into_iter().all(|call| call.join().unwrap()));
    });
    assert_eq!((setting.client.statistics().connections, control.connections_opened()), (4, 4));
}

#[test]
fn warming_up_nothing_is_nothing() {
    let setting = Setting::new();
    assert_eq!(setting.client.warm_up(0).unwrap(), 0);
    assert_eq!(setting.control().connections_opened(), 0);
}

#[test]
fn token_requests_never_use_an_idle_connection() {
    let setting = Setting::new();
    setting.client.warm_up(2).unwrap();
    setting.check().unwrap();
    let tokens = setting.client.refresh(&setting.tokens).unwrap();
    let tokens = setting.client.refresh(&tokens).unwrap();
    setting.client.confirm_funds(&tokens, &request(CLAIRE, "1")).unwrap();
    let used: Vec<_> =
        setting.control().requests().iter().map(|request| (request.endpoint, request.connection)).collect();
    let of = |endpoint| {
        used.iter().filter(|(at, _)| *at == endpoint).map(|(_, connection)| *connection).collect::<Vec<_>>()
    };
    let (funds, token) = (of(Endpoint::Funds), of(Endpoint::Token));
    assert!(funds[0] == funds[1] && token[0] != token[1], "{used:?}");
    assert!(token.iter().all(|connection| *connection > 2 && !funds.contains(connection)), "{used:?}");
}

#[test]
fn many_threads_share_one_client() {
    let setting = Setting::new();
    thread::scope(|threads| {
        for thread in 0..16 {
            let setting = &setting;
            threads.spawn(move || (0..50).for_each(|call| ask(setting, thread * 50 + call)));
        }
    });
    assert_eq!(setting.seen(Endpoint::Funds).len(), 800);
    assert!(setting.client.statistics().connections <= 16);
}

/// Asks with a reference and an amount of its own, so that no answer can pass for another's.
fn ask(setting: &Setting, number: u32) {
    let amount = format!("{}.{:02}", number + 1, number % 100);
    let reference = format!("ORDER-{number}");
    let amount = cbpii::Amount::new(&amount, "EUR").unwrap();
    let question =
        cbpii::FundsRequest::new(&reference, CLAIRE.parse::<cbpii::Iban>().unwrap(), amount).unwrap();
    let answer = setting.client.confirm_funds(&setting.tokens, &question).unwrap();
    assert_eq!((answer.reference, answer.available), (reference, number < 458));
}

#[test]
fn clients_of_different_issuers_live_side_by_side() {
    let (one, other) = (Setting::new(), Setting::new());
    thread::scope(|threads| {
        for setting in [&one, &other] {
            threads.spawn(|| (0..20).for_each(|_| assert!(setting.check().unwrap().available)));
        }
    });
    assert_eq!((one.seen(Endpoint::Funds).len(), other.seen(Endpoint::Funds).len()), (20, 20));
}

// Proxies.

fn through(proxy: &Proxy, url: String) -> Setting {
    let setting = Setting::with(|builder| builder.proxy(url).retries(0));
    assert!(proxy.heads().is_empty());
    setting
}

#[test]
fn a_proxy_is_asked_for_a_tunnel_and_learns_nothing_else() {
    let proxy = Proxy::start(Manner::Honest);
    let setting = through(&proxy, proxy.url());
    for _ in 0..3 {
        assert!(setting.check().unwrap().available);
    }
    setting.client.refresh(&setting.tokens).unwrap();
    let heads = proxy.heads();
    let authority = setting.sandbox.endpoints().origin.trim_start_matches("https://").to_owned();
    assert_eq!(heads.len(), 2, "{heads:?}");
    assert!(heads[0].starts_with(&format!("CONNECT {authority} HTTP/1.1\r\n")), "{heads:?}");
    for head in &heads {
        assert_without_secrets(head, &secrets_of(&setting.tokens));
        assert!(!head.to_lowercase().contains("authorization"), "{head}");
    }
}

#[test]
fn a_proxy_is_given_its_credentials_and_the_bank_is_not() {
    let credentials = "dXNlcjpzZWNyZXQ=";
    assert_eq!(BASE64_STANDARD.encode("user:secret"), credentials);
    let proxy = Proxy::start(Manner::Asking(credentials));
    let setting = through(&proxy, format!("http://user:secret@{}", proxy.address));
    assert!(setting.check().unwrap().available);
    assert!(proxy.heads()[0].contains(credentials));
    let sent = setting.seen(Endpoint::Funds).remove(0);
    assert!(sent.headers.iter().all(|(name, _)| !name.to_ascii_lowercase().starts_with(b"proxy")));
}

#[test]
fn a_proxy_that_refuses_is_an_error_of_its_own() {
    for (manner, user) in [(Manner::Refusing, ""), (Manner::Asking("another"), "user:secret@")] {
        let proxy = Proxy::start(manner);
        let setting = through(&proxy, format!("http://{user}{}", proxy.address));
        let outcome = setting.check();
        assert!(!format!("{outcome:?}").contains("secret"));
        assert_unsent(&setting.sandbox, outcome, ErrorCode::ProxyFailed);
    }
}

#[test]
fn a_proxy_that_stalls_ends_with_the_deadline() {
    let proxy = Proxy::start(Manner::Stalling);
    let setting = through(&proxy, proxy.url());
    let started = Instant::now();
    let outcome =
        setting.client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "1"), &within(BRIEFLY * 2));
    assert_unsent(&setting.sandbox, outcome, ErrorCode::TotalTimeout);
    assert!(started.elapsed() < PATIENCE / 2);
}

#[test]
fn a_proxy_that_stalls_ends_with_the_connect_timeout() {
    let proxy = Proxy::start(Manner::Stalling);
    let setting = Setting::with(|builder| builder.proxy(proxy.url()).retries(0).connect_timeout(BRIEFLY));
    let started = Instant::now();
    assert_unsent(&setting.sandbox, setting.check(), ErrorCode::ConnectTimeout);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_call_through_a_proxy_can_be_cancelled() {
    let proxy = Proxy::start(Manner::Honest);
    let setting = through(&proxy, proxy.url());
    setting.fault(FaultRule::always(Endpoint::Funds, Fault::Stall));
    let check = |options: &CallOptions| {
        error_of(setting.client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "1"), options))
    };
    assert_eq!(cancel_while(&setting, check).code(), ErrorCode::Cancelled);
}

#[test]
fn warming_up_goes_through_the_proxy() {
    let proxy = Proxy::start(Manner::Honest);
    let setting = through(&proxy, proxy.url());
    assert_eq!(setting.client.warm_up(2).unwrap(), 2);
    assert_eq!((setting.control().connections_opened(), proxy.heads().len()), (2, 2));
    assert!(setting.check().unwrap().available);
    assert_eq!((setting.control().connections_opened(), proxy.heads().len()), (2, 2));
}

/// Run in a process of its own, in whose environment a proxy is named; see the test after it.
#[test]
fn a_check_in_whatever_environment_this_is() {
    assert!(Setting::new().check().unwrap().available);
}

#[test]
fn proxies_of_the_environment_are_ignored() {
    let proxy = Proxy::start(Manner::Refusing);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_check_in_whatever_environment_this_is"]);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy"] {
        command.env(name, proxy.url());
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert!(proxy.heads().is_empty());
}

// Client certificates.

/// The code of a check by an issuer with this QWAC, or none, at a bank that refuses in this way.
fn refusal(sandbox: &Sandbox, variant: Option<&str>) -> Error {
    let mut issuer = bare_issuer(sandbox).with_seal(seal(&sandbox.issuer().qsealc));
    if let Some(variant) = variant {
        issuer = issuer.with_transport(transport(sandbox.issuer().variant(variant).unwrap()));
    }
    let client = Client::builder(bank(sandbox), issuer).check_eligibility(false).build().unwrap();
    error_of(client.confirm_funds(&tokens(sandbox, "CLAIRE"), &request(CLAIRE, "1")))
}

#[track_caller]
fn assert_refusals(way: &str, lingering: bool) {
    for version in ["1.2", "1.3"] {
        let settings =
            json!({"client_certificate_refusal": way, "tls_versions": version, "lingering_close": lingering});
        let sandbox = sandbox_with(settings);
        for run in 0..20 {
            let missing = refusal(&sandbox, None);
            assert_eq!(
                missing.code(),
                ErrorCode::TlsClientCertificateMissing,
                "{way} {version} run {run}: {missing:?}"
            );
            let variant = ["unknown-ca", "expired", "not-yet-valid"][run % 3];
            let refused = refusal(&sandbox, Some(variant));
            assert_eq!(
                refused.code(),
                ErrorCode::TlsClientCertificateRefused,
                "{way} {version} {variant}: {refused:?}"
            );
        }
    }
}

#[test]
fn a_client_certificate_refused_in_a_page_is_named() {
    assert_refusals("http", true);
}

#[test]
fn a_client_certificate_refused_by_an_alert_is_named() {
    assert_refusals("alert", true);
}

#[test]
fn a_client_certificate_refused_by_a_bank_that_hangs_up_at_once_is_named() {
    assert_refusals("alert", false);
}

#[test]
fn a_refused_certificate_is_named_on_warming_up() {
    for tls_versions in ["1.2", "1.3"] {
        let sandbox =
            sandbox_with(json!({"client_certificate_refusal": "alert", "tls_versions": tls_versions}));
        let issuer = bare_issuer(&sandbox).with_seal(seal(&sandbox.issuer().qsealc));
        let client = Client::new(bank(&sandbox), issuer).unwrap();
        assert_code(client.warm_up(2), ErrorCode::TlsClientCertificateMissing);
    }
}

#[test]
fn a_certificate_the_bank_has_not_registered_is_refused_by_the_bank_itself() {
    let sandbox = sandbox();
    for variant in ["no-role", "other-role", "eseal-as-qwac", "other-organisation", "rsassa-pss"] {
        assert_eq!(refusal(&sandbox, Some(variant)).code(), ErrorCode::TppUnknown, "{variant}");
    }
}

// Transports of the caller's own.

#[derive(Clone, Default)]
struct Recording(Arc<Mutex<Vec<HttpRequest>>>);

impl Recording {
    fn taken(&self) -> HttpRequest {
        self.0.lock().unwrap().pop().unwrap()
    }
}

impl Transport for Recording {
    fn exchange(&self, request: &HttpRequest, _: &TransportContext) -> Result<HttpResponse> {
        self.0.lock().unwrap().push(request.clone());
        Err(Error::new(ErrorCode::TransportFailed, "The gateway is away; try again.")
            .with_request_sent(RequestSent::Unknown))
    }
}

/// Carries what a caller's transport was given to the bank, through the built-in one of another client.
#[test]
fn a_transport_of_ones_own_gets_exactly_the_bytes() {
    let setting = Setting::new();
    let recording = Recording::default();
    let own = Client::builder(bank(&setting.sandbox), issuer(&setting.sandbox))
        .transport(recording.clone())
        .build()
        .unwrap();
    let question = request(CLAIRE, "12.50").request_id("the-same").unwrap();
    error_of(own.confirm_funds(&setting.tokens, &question));
    setting.client.confirm_funds(&setting.tokens, &question).unwrap();
    let (given, sent) = (recording.taken(), setting.seen(Endpoint::Funds).remove(0));
    assert_eq!(
        (given.method(), given.uri().to_string()),
        ("POST", setting.sandbox.endpoints().funds_url.clone())
    );
    assert_eq!((given.uri().path(), given.body()), (sent.target.as_str(), sent.body.as_slice()));
    assert!(!given.wants_fresh_connection());
    for (name, value) in given.headers() {
        let same = sent.header(name.as_str()) == value.to_str().ok();
        assert!(same || ["date", "signature"].contains(&name.as_str()), "{name}");
    }
    error_of(own.refresh(&setting.tokens));
    assert!(recording.taken().wants_fresh_connection());
}

#[test]
fn errors_of_a_transport_of_ones_own_pass_through() {
    let setting = Setting::with(|builder| builder.transport(Recording::default()));
    let error = assert_code(setting.check(), ErrorCode::TransportFailed);
    assert_eq!(
        (error.message(), error.request_sent()),
        ("The gateway is away; try again.", RequestSent::Unknown)
    );
    assert!(error.explanation().is_some() && error.request_id().is_some());
}

/// Answers what it was made with.
struct Canned(u16, &'static str);

impl Transport for Canned {
    fn exchange(&self, _: &HttpRequest, _: &TransportContext) -> Result<HttpResponse> {
        HttpResponse::new(self.0, [("Content-Type", "application/json")], self.1.as_bytes().to_vec())
    }
}

#[test]
fn answers_of_a_transport_of_ones_own_are_read_as_strictly() {
    let check = |status, body| Setting::with(|builder| builder.transport(Canned(status, body))).check();
    assert_code(check(200, r#"{"result":true}"#), ErrorCode::AnswerShape);
    assert_code(check(302, ""), ErrorCode::Redirected);
    assert_code(check(700, ""), ErrorCode::MalformedHttp);
}

#[test]
fn a_transport_of_ones_own_needs_no_client_certificate_here() {
    let sandbox = sandbox();
    let kit = sandbox.issuer();
    let issuer = Issuer::new(&kit.client_id, &kit.redirect_uri).unwrap().with_seal(seal(&kit.qsealc));
    let client = Client::builder(bank(&sandbox), issuer).transport(Canned(503, "")).build().unwrap();
    assert_code(
        client.confirm_funds(&tokens(&sandbox, "CLAIRE"), &request(CLAIRE, "1")),
        ErrorCode::BankUnavailable,
    );
    assert_eq!((client.warm_up(3).unwrap(), client.statistics().connections), (0, 0));
}

// Events.

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn by(&self, builder: ClientBuilder) -> ClientBuilder {
        let told = self.clone();
        builder.on_event(move |event| {
            let line = format!(
                "{} {} {:?} {:?} {}",
                event.operation.as_str(),
                event.attempt,
                event.http_status,
                event.error,
                event.request_id.is_some()
            );
            told.0.lock().unwrap().push(line);
        })
    }

    fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[test]
fn events_tell_every_attempt() {
    let told = Told::default();
    let setting = Setting::with(|builder| told.by(builder));
    setting.check().unwrap();
    assert_eq!(told.lines(), ["confirm_funds 1 Some(200) None true"]);
    funds_once(&setting, answer(503, &[]));
    setting.check().unwrap();
    assert_eq!(
        told.lines(),
        ["confirm_funds 1 Some(503) Some(BankUnavailable) true", "confirm_funds 2 Some(200) None true"]
    );
    funds_once(&setting, Fault::ResetBeforeReading);
    setting.check().unwrap();
    assert_eq!(
        told.lines(),
        ["confirm_funds 1 None Some(Disconnected) true", "confirm_funds 2 Some(200) None true"]
    );
    exchange(&setting).unwrap();
    assert_eq!(told.lines(), ["exchange_code 1 Some(200) None false"]);
    error_of(setting.client.refresh(&setting.tokens));
    assert_eq!(told.lines(), ["refresh 1 Some(400) Some(ConsentLost) false"]);
}
