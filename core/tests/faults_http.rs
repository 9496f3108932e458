//! Answers no HTTP library would write: each is an error or certainly the answer to the question asked.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::Write as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use cbpii::{CallOptions, Error, ErrorCode, FundsConfirmation, Result};
use cbpii_sandbox::Sandbox;
use common::*;

/// Only its issuer is used here.
static ISSUER: LazyLock<Sandbox> = LazyLock::new(sandbox);

/// The body of an answer to the question of [`ask`].
fn body(available: bool) -> String {
    answer_body("1", available).to_string()
}

fn answer(available: bool) -> String {
    let body = body(available);
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn ask(client: &cbpii::Client) -> Result<FundsConfirmation> {
    client.confirm_funds(&tokens(&ISSUER, "CLAIRE"), &request(CLAIRE, "1"))
}

/// The outcome of a check at a bank that answers its first request with these bytes and hangs up.
fn told(bytes: impl Into<Vec<u8>>) -> Result<FundsConfirmation> {
    let bytes = bytes.into();
    let bank = RawBank::start(move |stream| {
        read_request(stream);
        // The client may have heard enough before all is written.
        let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
        stream.conn.send_close_notify();
        let _ = stream.flush();
    });
    ask(&bank.client(&ISSUER))
}

#[track_caller]
fn assert_one_of(outcome: Result<FundsConfirmation>, codes: &[ErrorCode]) -> Error {
    let error = error_of(outcome);
    assert!(codes.contains(&error.code()), "{error:?}");
    error
}

#[test]
fn an_answer_may_be_written_in_any_way_http_allows() {
    let body = body(true);
    let (first, second) = body.split_at(20);
    let chunked = format!(
        "{:x}\r\n{first}\r\n{:X};extension=1\r\n{second}\r\n0\r\ntrailer: 1\r\n\r\n",
        first.len(),
        second.len()
    );
    for bytes in [
        answer(true),
        format!("HTTP/1.1 200\r\ncontent-length: {}\r\n\r\n{body}", body.len()),
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunked}"),
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{body}"),
        format!("HTTP/1.0 200 OK\r\n\r\n{body}"),
        format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n{}", answer(true)),
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {0}\r\ncontent-length: {0}, {0}\r\n\r\n{body}",
            body.len()
        ),
        format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: Chunked\r\n\r\n{chunked}"),
    ] {
        assert!(told(bytes.as_str()).unwrap_or_else(|error| panic!("{bytes}: {error:?}")).available);
    }
}

#[test]
fn what_http_does_not_allow_is_no_answer() {
    let body = body(true);
    let malformed = [
        ErrorCode::MalformedHttp,
        ErrorCode::AnswerTooLarge,
        ErrorCode::Disconnected,
        ErrorCode::UnexpectedStatus,
        ErrorCode::NotJson,
    ];
    for head in [
        "HTTP/1.1 200 OK\r\nx: a\0b",
        "HTTP/1.1 200 OK\r\nx y: a",
        "HTTP/1.1 200 OK\r\nno colon",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 abc OK",
        "HTTP/2 200 OK",
        "HTTP/9.9 200 OK",
        "ICY 200 OK",
        "200 OK",
        "HTTP/1.1 200 OK\r\ncontent-length: -1",
        "HTTP/1.1 200 OK\r\ncontent-length: 1, 2",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 400",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: identity",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked",
        "HTTP/1.1 101 Switching Protocols",
        "HTTP/1.1 204 No Content",
    ] {
        assert_one_of(told(format!("{head}\r\n\r\n{body}")), &malformed);
    }
    assert_one_of(told(""), &malformed);
    assert_one_of(told("\r\n\r\n"), &malformed);
}

#[test]
fn an_answer_shorter_than_it_says_is_none() {
    let body = body(true);
    let more = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len() + 1);
    let cut = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len());
    for bytes in [more, cut] {
        assert_one_of(told(bytes), &[ErrorCode::Disconnected, ErrorCode::MalformedHttp]);
    }
}

#[test]
fn an_answer_may_come_in_pieces() {
    let bank = RawBank::start(|stream| {
        read_request(stream);
        for byte in answer(true).as_bytes() {
            stream.write_all(std::slice::from_ref(byte)).and_then(|()| stream.flush()).unwrap();
        }
    });
    assert!(ask(&bank.client(&ISSUER)).unwrap().available);
}

/// Sends the same bytes until the client leaves.
fn endless(start: &'static str, bytes: &'static str) -> RawBank {
    RawBank::start(move |stream| {
        read_request(stream);
        let mut more = stream.write_all(start.as_bytes());
        while more.is_ok() {
            more = stream.write_all(bytes.as_bytes()).and_then(|()| stream.flush());
        }
    })
}

#[test]
fn nothing_endless_is_waited_for() {
    let ends = [ErrorCode::AnswerTooLarge, ErrorCode::MalformedHttp, ErrorCode::TotalTimeout];
    for (start, bytes) in [
        ("HTTP/1.1 200 OK\r\n", "x: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
        ("HTTP/1.1 200 OK\r\nx: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\na\r\n"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "0000000000000000000000000000000"),
        ("", "HTTP/1.1 100 Continue\r\n\r\n"),
        ("", "\r\n"),
    ] {
        let bank = endless(start, bytes);
        let (client, started) = (bank.client(&ISSUER), Instant::now());
        let options = CallOptions::default().timeout(BRIEFLY * 4);
        let outcome = client.confirm_funds_with(&tokens(&ISSUER, "CLAIRE"), &request(CLAIRE, "1"), &options);
        assert_one_of(outcome, &ends);
        assert!(started.elapsed() < PATIENCE / 2, "{start}{bytes}");
    }
}

/// A second answer that nobody asked for, right behind the first: it must not answer the next question.
#[test]
fn an_answer_that_came_too_early_is_never_taken() {
    static REQUESTS: AtomicUsize = AtomicUsize::new(0);
    let bank = RawBank::start(|stream| {
        while read_request(stream).is_some() {
            let number = REQUESTS.fetch_add(1, Ordering::SeqCst);
            let unasked = if number == 0 { answer(true) } else { String::new() };
            let both = format!("{}{unasked}", answer(false));
            if stream.write_all(both.as_bytes()).and_then(|()| stream.flush()).is_err() {
                break;
            }
        }
    });
    let client = bank.client(&ISSUER);
    for _ in 0..3 {
        assert!(!ask(&client).unwrap().available);
    }
    assert_eq!(REQUESTS.load(Ordering::SeqCst), 3);
}

#[test]
fn head_and_body_of_a_request_are_written_as_http_wants_them() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let bank = RawBank::start(move |stream| {
        sender.send(read_request(stream).unwrap()).unwrap();
        let _ = stream.write_all(answer(true).as_bytes()).and_then(|()| stream.flush());
    });
    ask(&bank.client(&ISSUER)).unwrap();
    let sent = receiver.recv().unwrap();
    let authority = bank.origin.trim_start_matches("https://");
    assert!(sent.starts_with("POST /stet/psd2/v1.4.2/funds-confirmations HTTP/1.1\r\n"), "{sent}");
    assert!(sent.to_lowercase().contains(&format!("\r\nhost: {authority}\r\n")), "{sent}");
    let (head, body) = sent.split_once("\r\n\r\n").unwrap();
    assert!(head.to_lowercase().contains(&format!("content-length: {}", body.len())));
    assert!(!head.to_lowercase().contains("expect:") && !head.to_lowercase().contains("transfer-encoding"));
}
