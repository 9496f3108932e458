//! Whatever the bank does wrong ends in the right error, and never in a yes.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Instant;

use cbpii::bank::EchoRule;
use cbpii::{
    CallOptions, Client, ClientBuilder, ConsentOptions, Error, ErrorCode, FundsConfirmation, RequestSent,
    Result, Tokens,
};
use cbpii_sandbox::{Endpoint, Fault, FaultRule, Sandbox, ServerCertificate, TlsVersions};
use common::*;
use serde_json::{Value, json};

fn once_only(builder: ClientBuilder) -> ClientBuilder {
    builder.retries(0)
}

fn setting() -> Setting {
    Setting::with(once_only)
}

/// A bank whose signing certificate is known: every answer must verify.
fn verifying() -> Setting {
    Setting::with_bank(|sandbox, bank| {
        bank.response_signing_certificates.push(sandbox.issuer().bank_seal_pem.clone());
    })
}

fn patch(patch: Value) -> Fault {
    Fault::AnswerPatch { patch: Some(patch), set: BTreeMap::new() }
}

fn set(pointer: &str, value: Value) -> Fault {
    Fault::AnswerPatch { patch: None, set: BTreeMap::from([(pointer.to_owned(), value)]) }
}

fn headers(changes: &[(&str, Option<&str>)]) -> Fault {
    let owned = |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
    Fault::AnswerHeaders { headers: changes.iter().map(owned).collect() }
}

fn answer(status: u16, body: impl Into<String>) -> Fault {
    let content_type = Some("application/json".to_owned());
    Fault::Answer { status, headers: Vec::new(), content_type, body: body.into() }
}

/// The body of a yes to the question of [`Setting::check`].
fn yes() -> Value {
    answer_body("458.99", true)
}

#[track_caller]
fn assert_each(setting: &Setting, code: ErrorCode, faults: impl IntoIterator<Item = Fault>) {
    for fault in faults {
        let shown = format!("{fault:?}");
        match setting.check_under(fault) {
            Err(error) => assert_eq!(error.code(), code, "{shown}: {error:?}"),
            Ok(answer) => panic!("{shown} became available={}", answer.available),
        }
    }
    assert!(setting.check().unwrap().available, "an honest bank is believed again");
}

#[test]
fn the_yes_these_tests_spoil_is_one() {
    assert!(setting().check_under(answer(200, yes().to_string())).unwrap().available);
}

/// What a status means when the body says nothing.
fn meaning_at_funds(status: u16) -> ErrorCode {
    match status {
        200 => ErrorCode::NotJson,
        300..=399 => ErrorCode::Redirected,
        401 => ErrorCode::AccessTokenRefused,
        403 => ErrorCode::Forbidden,
        404 => ErrorCode::NotFound,
        405 | 406 | 415 => ErrorCode::FormRefused,
        408 | 502..=599 => ErrorCode::BankUnavailable,
        429 => ErrorCode::RateLimited,
        400..=499 => ErrorCode::RequestRefused,
        500 => ErrorCode::BankInternalError,
        501 => ErrorCode::NotImplemented,
        _ => ErrorCode::UnexpectedStatus,
    }
}

#[test]
fn every_status_has_its_meaning() {
    let setting = setting();
    for status in (200..600).chain([600, 777, 999]) {
        let error = assert_code(setting.check_under(answer(status, "")), meaning_at_funds(status));
        assert_eq!((error.http_status(), error.request_sent()), (Some(status), RequestSent::Yes));
    }
}

#[test]
fn a_yes_under_another_status_than_200_is_none() {
    let setting = setting();
    for status in [201, 202, 203, 206, 226, 299, 300, 302, 400, 401, 403, 404, 409, 429, 500, 503, 600] {
        let error = error_of(setting.check_under(answer(status, yes().to_string())));
        assert_eq!(error.code(), meaning_at_funds(status), "{error:?}");
    }
}

#[test]
fn a_page_is_never_an_answer() {
    let setting = setting();
    for status in [200, 400, 401, 403, 404, 500, 502, 503] {
        assert_each(&setting, meaning_at_funds(status), [Fault::HtmlPage { status }]);
    }
}

#[test]
fn redirects_are_never_followed() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    target.set_nonblocking(true).unwrap();
    let setting = setting();
    let location = format!(
        "https://localhost:{}/stet/psd2/v1.4.2/funds-confirmations",
        target.local_addr().unwrap().port()
    );
    for status in [301, 302, 303, 307, 308] {
        let fault = || Fault::Redirect { status, location: location.clone() };
        assert_each(&setting, ErrorCode::Redirected, [fault()]);
        setting.fault(FaultRule::once(Endpoint::Token, fault()));
        assert_code(setting.client.refresh(&setting.tokens), ErrorCode::Redirected);
    }
    assert_eq!(target.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_redirect_to_the_bank_itself_is_not_followed_either() {
    let setting = setting();
    let location = setting.sandbox.endpoints().funds_url.clone();
    assert_each(&setting, ErrorCode::Redirected, [Fault::Redirect { status: 308, location }]);
    assert_eq!(setting.seen(Endpoint::Funds).len(), 2);
}

#[test]
fn a_result_is_true_or_false_and_nothing_else() {
    let others = [
        json!("true"),
        json!("false"),
        json!(1),
        json!(0),
        json!("yes"),
        json!([true]),
        json!({"value": true}),
        json!(1.0),
        json!(null),
        json!(""),
    ];
    assert_each(&setting(), ErrorCode::ResultNotBoolean, others.map(|result| set("/result", result)));
}

#[test]
fn a_bank_that_writes_results_as_text_is_believed_where_its_record_says_so() {
    let setting = Setting::with_bank(|_, bank| bank.accepts_string_result = true);
    assert!(setting.check_under(set("/result", json!("true"))).unwrap().available);
    assert!(!setting.check_under(set("/result", json!("false"))).unwrap().available);
    assert_each(
        &setting,
        ErrorCode::ResultNotBoolean,
        ["TRUE", "True", " true", "1"].map(|text| set("/result", json!(text))),
    );
}

#[test]
fn required_members_must_be_there() {
    let names = ["result", "request", "_links"];
    assert_each(&setting(), ErrorCode::AnswerShape, names.map(|name| patch(json!({name: null}))));
    assert_each(
        &setting(),
        ErrorCode::AnswerShape,
        ["/request", "/_links"].map(|name| set(name, json!(null))),
    );
}

#[test]
fn members_of_a_wrong_type_are_no_answer() {
    let wrong = [json!(1), json!("x"), json!(true), json!(["ORDER-4711"])];
    let pointers =
        ["/request", "/request/paymentCoverageRequestId", "/request/instructedAmount", "/request/accountId"];
    let faults = pointers.iter().flat_map(|pointer| wrong.clone().map(|value| set(pointer, value)));
    let texts = |fault: &Fault| *fault != set("/request/paymentCoverageRequestId", json!("x"));
    assert_each(&setting(), ErrorCode::AnswerShape, faults.filter(texts));
}

/// An array of the values in the places where serde would look for them.
#[test]
fn an_array_of_the_members_is_no_answer() {
    let (yes, setting) = (yes(), setting());
    let whole = json!([yes["request"], true, yes["_links"]]);
    assert_each(&setting, ErrorCode::AnswerShape, [answer(200, whole.to_string())]);
    for (pointer, value) in [
        ("/request", json!(["ORDER-4711", {"currency": "EUR", "amount": "458.99"}, {"iban": CLAIRE}])),
        ("/request/instructedAmount", json!(["EUR", "458.99"])),
        ("/request/accountId", json!([CLAIRE, null])),
    ] {
        assert_each(&setting, ErrorCode::AnswerShape, [set(pointer, value)]);
    }
}

#[test]
fn what_is_not_json_is_no_answer() {
    let yes = yes().to_string();
    let bodies = [
        "",
        " ",
        "true",
        "yes",
        "{",
        "nul",
        "[",
        &yes[..yes.len() - 1],
        &format!("{yes}{yes}"),
        &format!("{yes} x"),
        &"[".repeat(100_000),
        &"{\"a\":".repeat(100_000),
    ];
    for body in bodies {
        let error = error_of(setting().check_under(answer(200, body)));
        assert!(matches!(error.code(), ErrorCode::NotJson | ErrorCode::AnswerShape), "{error:?}");
    }
}

#[test]
fn duplicated_members_are_no_answer() {
    let yes = yes().to_string();
    let twice = |members: &str| answer(200, yes.replacen('{', &format!("{{{members},"), 1));
    let faults = [
        Fault::DuplicateMembers,
        twice("\"result\":true"),
        twice("\"result\":false"),
        twice("\"request\":{}"),
    ];
    assert_each(&setting(), ErrorCode::AnswerShape, faults);
}

#[test]
fn what_is_not_utf_8_is_no_answer() {
    assert_each(&setting(), ErrorCode::NotJson, [Fault::InvalidUtf8]);
}

#[test]
fn an_answer_to_another_question_is_none() {
    let faults = [
        patch(json!({"request": {"paymentCoverageRequestId": "ORDER-4712"}})),
        patch(json!({"request": {"paymentCoverageRequestId": "order-4711"}})),
        patch(json!({"request": {"paymentCoverageRequestId": null}})),
        patch(json!({"request": {"instructedAmount": {"amount": "458.98"}}})),
        patch(json!({"request": {"instructedAmount": {"amount": "4589.9"}}})),
        patch(json!({"request": {"instructedAmount": {"amount": "-458.99"}}})),
        patch(json!({"request": {"instructedAmount": {"amount": "458,99"}}})),
        patch(json!({"request": {"instructedAmount": {"amount": {"value": "458.99"}}}})),
        patch(json!({"request": {"instructedAmount": {"amount": null}}})),
        patch(json!({"request": {"instructedAmount": {"currency": "USD"}}})),
        patch(json!({"request": {"instructedAmount": {"currency": "eur"}}})),
        patch(json!({"request": {"instructedAmount": null}})),
        patch(json!({"request": {"accountId": {"iban": "FR7613807008043001965405158"}}})),
        patch(json!({"request": {"accountId": {"iban": null}}})),
        patch(json!({"request": {"accountId": null}})),
        set("/request", json!({})),
        Fault::OtherRequestId,
    ];
    assert_each(&setting(), ErrorCode::EchoMismatch, faults);
}

#[test]
fn the_same_question_written_otherwise_is_the_same() {
    let setting = setting();
    for fault in [
        patch(json!({"request": {"instructedAmount": {"amount": 458.99}}})),
        patch(json!({"request": {"instructedAmount": {"amount": "458.9900"}}})),
        patch(json!({"request": {"accountId": {"iban": "FR76 1751 5900 0008 0035 8074 006"}}})),
        patch(json!({"request": {"payee": "unasked", "more": [1, 2]}, "more": {}})),
        headers(&[("x-request-id", None)]),
        headers(&[("x-correlationid", None)]),
    ] {
        assert!(setting.check_under(fault).unwrap().available);
    }
}

#[test]
fn an_account_may_be_echoed_otherwise_where_the_record_says_so() {
    let setting = Setting::with_bank(|_, bank| bank.echo = EchoRule::ReferenceAndAmount);
    assert!(setting.check_under(patch(json!({"request": {"accountId": null}}))).unwrap().available);
    assert_each(
        &setting,
        ErrorCode::EchoMismatch,
        [patch(json!({"request": {"paymentCoverageRequestId": "x"}}))],
    );
}

#[test]
fn a_body_that_is_not_its_digests_is_no_answer() {
    assert_each(
        &setting(),
        ErrorCode::DigestMismatch,
        [
            Fault::BadDigest,
            headers(&[("digest", Some("SHA-256=AAAA"))]),
            headers(&[("digest", Some("SHA-256="))]),
            headers(&[("digest", Some("sha-256=not base64"))]),
        ],
    );
    assert_each(&verifying(), ErrorCode::DigestMismatch, [Fault::BadDigest]);
}

#[test]
fn an_answer_must_be_signed_when_the_banks_certificate_is_known() {
    let signature = "keyId=\"k\",algorithm=\"rsa-sha256\",headers=\"digest\",signature=\"AAAA\"";
    assert_each(
        &verifying(),
        ErrorCode::SignatureInvalid,
        [
            Fault::BadSignature,
            headers(&[("signature", None)]),
            headers(&[("signature", Some(""))]),
            headers(&[("signature", Some("nonsense"))]),
            headers(&[("signature", Some(signature))]),
            headers(&[("digest", None)]),
            headers(&[("date", Some("Mon, 23 Nov 2026 13:11:00 GMT"))]),
            headers(&[("content-type", Some("application/json"))]),
            headers(&[("digest", Some("MD5=AAAA"))]),
            answer(200, yes().to_string()),
        ],
    );
}

#[test]
fn a_yes_signed_with_another_banks_key_is_none() {
    let setting = Setting::with_bank(|sandbox, bank| {
        bank.response_signing_certificates.push(sandbox.issuer().qsealc.certificate_pem.clone());
    });
    assert_code(setting.check(), ErrorCode::SignatureInvalid);
}

#[test]
fn an_answer_that_breaks_off_is_none() {
    let setting = setting();
    for (fault, sent) in [
        (Fault::ResetBeforeReading, RequestSent::Unknown),
        (Fault::AnswerLost, RequestSent::Unknown),
        (Fault::ResetMidAnswer, RequestSent::Yes),
        (Fault::TruncatedBody, RequestSent::Yes),
    ] {
        let error = assert_code(setting.check_under(fault.clone()), ErrorCode::Disconnected);
        assert_eq!(error.request_sent(), sent, "{fault:?}");
    }
    assert!(setting.check().unwrap().available);
}

#[test]
fn an_answer_without_end_is_none() {
    assert_each(&setting(), ErrorCode::AnswerTooLarge, [Fault::OversizedBody]);
    assert_each(
        &setting(),
        ErrorCode::AnswerTooLarge,
        [answer(200, format!("{} {}", yes(), " ".repeat(1 << 20)))],
    );
}

#[test]
fn bytes_that_are_not_http_are_no_answer() {
    assert_each(&setting(), ErrorCode::MalformedHttp, [Fault::Garbage]);
}

#[test]
fn headers_without_end_are_no_answer() {
    let many = (0..2000).map(|number| (format!("x-{number}"), "a".repeat(40))).collect();
    let fault = Fault::Answer { status: 200, headers: many, content_type: None, body: yes().to_string() };
    let error = error_of(setting().check_under(fault));
    assert!(matches!(error.code(), ErrorCode::AnswerTooLarge | ErrorCode::MalformedHttp), "{error:?}");
}

/// The outcome of a check that is given little time, on a connection that is there already.
fn check_briefly(setting: &Setting, fault: Fault) -> Result<FundsConfirmation> {
    setting.check().unwrap();
    setting.fault(FaultRule::always(Endpoint::Funds, fault));
    let started = Instant::now();
    let options = CallOptions::default().timeout(BRIEFLY);
    let outcome = setting.client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "458.99"), &options);
    assert!(started.elapsed() < PATIENCE / 2);
    setting.control().clear_faults();
    outcome
}

#[test]
fn an_answer_that_does_not_come_in_time_is_none() {
    let setting = setting();
    for (fault, sent) in [
        (Fault::Stall, RequestSent::Unknown),
        (Fault::StallAfterHeaders, RequestSent::Yes),
        (Fault::Delay { milliseconds: 5_000 }, RequestSent::Unknown),
        (Fault::Hold, RequestSent::Unknown),
    ] {
        let error = assert_code(check_briefly(&setting, fault.clone()), ErrorCode::TotalTimeout);
        assert_eq!(error.request_sent(), sent, "{fault:?}");
    }
    assert!(setting.check().unwrap().available);
}

#[test]
fn a_slow_answer_in_time_is_an_answer() {
    assert!(setting().check_under(Fault::Delay { milliseconds: 50 }).unwrap().available);
}

// Before there is a connection.

#[track_caller]
fn assert_no_connection(fault: Fault, code: ErrorCode) {
    let setting = Setting::with(|builder| builder.retries(0).connect_timeout(BRIEFLY * 2));
    setting.fault(FaultRule::always(Endpoint::Connection, fault.clone()));
    let error = assert_code(setting.check(), code);
    assert_eq!(error.request_sent(), RequestSent::No, "{error:?}");
    let error = assert_code(setting.client.refresh(&setting.tokens), code);
    assert_eq!(error.request_sent(), RequestSent::No, "{error:?}");
    assert_code(setting.client.warm_up(2), code);
    assert!(setting.control().requests().is_empty(), "{fault:?}");
}

#[test]
fn nothing_is_sent_to_a_server_with_a_wrong_certificate() {
    let certificate = |certificate| Fault::ServerCertificate { certificate };
    assert_no_connection(certificate(ServerCertificate::Expired), ErrorCode::TlsServerCertificateExpired);
    assert_no_connection(certificate(ServerCertificate::OtherHost), ErrorCode::TlsHostName);
    assert_no_connection(certificate(ServerCertificate::UnknownIssuer), ErrorCode::TlsUnknownIssuer);
}

#[test]
fn nothing_is_sent_without_a_handshake() {
    assert_no_connection(Fault::Garbage, ErrorCode::TlsProtocol);
    assert_no_connection(Fault::Stall, ErrorCode::ConnectTimeout);
}

#[test]
fn a_connection_that_is_reset_at_once_is_a_network_error() {
    let setting = setting();
    setting.fault(FaultRule::always(Endpoint::Connection, Fault::ResetBeforeReading));
    let error = error_of(setting.check());
    // The reset may arrive while the connection is made, or just after.
    assert!(matches!(error.code(), ErrorCode::Connect | ErrorCode::Disconnected), "{error:?}");
    assert_eq!(error.request_sent(), RequestSent::No);
}

#[test]
fn the_webs_roots_do_not_vouch_for_this_bank() {
    let sandbox = sandbox();
    let mut bank = bank(&sandbox);
    bank.trust_anchors = Default::default();
    let client = Client::new(bank, issuer(&sandbox)).unwrap();
    let outcome = client.confirm_funds(&tokens(&sandbox, "CLAIRE"), &request(CLAIRE, "1"));
    assert_unsent(&sandbox, outcome, ErrorCode::TlsUnknownIssuer);
}

#[test]
fn either_tls_version_is_good_enough() {
    for versions in [TlsVersions::Only12, TlsVersions::Only13, TlsVersions::Both] {
        let setting = setting();
        setting.fault(FaultRule::always(Endpoint::Connection, Fault::TlsVersions { versions }));
        assert!(setting.check().unwrap().available);
    }
}

// The token endpoint.

type TokenCall = fn(&Sandbox, &Client, &Tokens, Fault) -> Result<Tokens>;

fn refresh_under(sandbox: &Sandbox, client: &Client, tokens: &Tokens, fault: Fault) -> Result<Tokens> {
    sandbox.control().set_fault(FaultRule::always(Endpoint::Token, fault)).unwrap();
    let outcome = client.refresh_with(tokens, &CallOptions::default().timeout(PATIENCE));
    sandbox.control().clear_faults();
    outcome
}

fn exchange_under(sandbox: &Sandbox, client: &Client, _: &Tokens, fault: Fault) -> Result<Tokens> {
    let pending = client.begin_consent(&ConsentOptions::default()).unwrap();
    let code = pending.complete(&sandbox.approve(pending.url(), "LEA").unwrap()).unwrap();
    sandbox.control().set_fault(FaultRule::always(Endpoint::Token, fault)).unwrap();
    let outcome = client.exchange_code(&pending, &code);
    sandbox.control().clear_faults();
    outcome
}

/// Both calls to the token endpoint end so, and leave a record of what was sent.
#[track_caller]
fn assert_tokens(setting: &Setting, fault: &Fault, code: ErrorCode) -> Vec<Error> {
    let calls: [TokenCall; 2] = [refresh_under, exchange_under];
    let under = |call: TokenCall| {
        let outcome = call(&setting.sandbox, &setting.client, &setting.tokens, fault.clone());
        let error = assert_code(outcome, code);
        assert!(error.explanation().is_some() && error.request_id().is_none(), "{error:?}");
        error
    };
    calls.into_iter().map(under).collect()
}

fn meaning_at_token(status: u16) -> ErrorCode {
    match status {
        401 | 403 => ErrorCode::ClientRefused,
        400..=499 if meaning_at_funds(status) == ErrorCode::RequestRefused => ErrorCode::TokenRequestRefused,
        other => meaning_at_funds(other),
    }
}

#[test]
fn every_status_of_the_token_endpoint_has_its_meaning() {
    let setting = setting();
    for status in [
        200, 201, 204, 226, 301, 302, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 415, 418,
        429, 500, 501, 502, 503, 504, 599, 600, 999,
    ] {
        for error in assert_tokens(&setting, &answer(status, ""), meaning_at_token(status)) {
            assert_eq!((error.http_status(), error.request_sent()), (Some(status), RequestSent::Yes));
        }
    }
}

#[test]
fn only_the_banks_own_invalid_grant_ends_a_consent() {
    let setting = setting();
    let body = |error: &str| json!({"error": error}).to_string();
    let lost =
        |fault| error_of(refresh_under(&setting.sandbox, &setting.client, &setting.tokens, fault)).code();
    assert_eq!(lost(answer(400, body("invalid_grant"))), ErrorCode::ConsentLost);
    assert_eq!(lost(answer(401, body("invalid_grant"))), ErrorCode::ConsentLost);
    for fault in [
        answer(500, body("invalid_grant")),
        answer(503, body("invalid_grant")),
        answer(200, body("invalid_grant")),
        answer(302, body("invalid_grant")),
        answer(400, body("invalid_request")),
        answer(400, "invalid_grant"),
        answer(401, ""),
        answer(429, body("invalid_grant")),
    ] {
        assert_ne!(lost(fault.clone()), ErrorCode::ConsentLost, "{fault:?}");
    }
}

#[test]
fn token_answers_must_be_json_objects_with_a_token() {
    let setting = setting();
    assert_tokens(&setting, &Fault::HtmlPage { status: 200 }, ErrorCode::NotJson);
    assert_tokens(&setting, &Fault::InvalidUtf8, ErrorCode::NotJson);
    assert_tokens(&setting, &answer(200, ""), ErrorCode::NotJson);
    for body in [
        json!({}),
        json!([]),
        json!("token"),
        json!(null),
        json!(["token", "Bearer", 3600, "refresh", "cbpii"]),
        json!({"error": "invalid_grant"}),
    ] {
        assert_tokens(&setting, &answer(200, body.to_string()), ErrorCode::TokenAnswer);
    }
    assert_tokens(&setting, &Fault::DuplicateMembers, ErrorCode::TokenAnswer);
}

#[test]
fn token_answers_of_a_wrong_type_are_none() {
    let setting = setting();
    for (member, value) in [
        ("/access_token", json!(5)),
        ("/access_token", json!(null)),
        ("/access_token", json!("")),
        ("/access_token", json!("two words")),
        ("/access_token", json!("line\r\nbreak")),
        ("/refresh_token", json!(["a"])),
        ("/refresh_token", json!("two words")),
        ("/token_type", json!("mac")),
        ("/token_type", json!(1)),
    ] {
        assert_tokens(&setting, &set(member, value), ErrorCode::TokenAnswer);
    }
}

#[test]
fn a_strange_life_time_or_scope_does_not_cost_the_tokens() {
    let setting = setting();
    for (member, value) in [
        ("/expires_in", json!("soon")),
        ("/expires_in", json!(-1)),
        ("/expires_in", json!({})),
        ("/scope", json!(["cbpii"])),
        ("/expires_in", json!(u64::MAX)),
    ] {
        let fault = set(member, value);
        assert!(
            refresh_under(&setting.sandbox, &setting.client, &setting.tokens, fault.clone()).is_ok(),
            "{fault:?}"
        );
    }
}

#[test]
fn token_answers_that_break_off_are_none() {
    let setting = setting();
    for fault in [Fault::ResetBeforeReading, Fault::ResetMidAnswer, Fault::TruncatedBody, Fault::AnswerLost] {
        assert_tokens(&setting, &fault, ErrorCode::Disconnected);
    }
    assert_tokens(&setting, &Fault::OversizedBody, ErrorCode::AnswerTooLarge);
    assert_tokens(&setting, &Fault::Garbage, ErrorCode::MalformedHttp);
}

#[test]
fn token_answers_that_do_not_come_in_time_are_none() {
    let setting = Setting::with(|builder| builder.timeout(BRIEFLY * 3));
    for fault in [Fault::Stall, Fault::StallAfterHeaders, Fault::Hold] {
        setting.fault(FaultRule::always(Endpoint::Token, fault));
        let options = CallOptions::default().timeout(BRIEFLY * 2);
        assert_code(setting.client.refresh_with(&setting.tokens, &options), ErrorCode::TotalTimeout);
        setting.control().clear_faults();
    }
    assert!(setting.client.refresh(&setting.tokens).is_ok());
}
