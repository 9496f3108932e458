//! What a bank says when it refuses: always an error of the catalogue, bounded, without a secret, and a consent counts as
//! lost only by the bank's own word.
//!
//! Input: the operation (modulo 3: funds, exchange, refresh; a third of it: which token and account), two bytes for the status, a line for `Retry-After`, then the
//! body.
#![no_main]

use cbpii::{Advice, AuthorizationCode, Client, Error, ErrorCode, RequestSent};
use cbpii_fuzz::bank_in_memory::{Asked, CARD, answer, bank, client, pending, question, tokens, tokens_of};
use cbpii_fuzz::json::Json;
use cbpii_fuzz::secrets::{CODE, IBAN, UNUSUAL_TOKENS, assert_hides, assert_sound};
use cbpii_fuzz::{input, memory};
use libfuzzer_sys::fuzz_target;

const GOOD: &[u8] = b"\x02\x01\x2c\n{\"error\":\"invalid_grant\"}";

fuzz_target!(init: assert_eq!(run(GOOD), Some(ErrorCode::ConsentLost)), |data: &[u8]| memory::limited(|| run(data)));

/// The error, if there is a refusal.
fn run(data: &[u8]) -> Option<ErrorCode> {
    let [operation, high, low, rest @ ..] = data else { return None };
    let status = 100 + u16::from_be_bytes([*high, *low]) % 500;
    let (retry_after, body) = input::text_line(rest);
    let headers: Vec<_> = retry_after.map(|value| ("retry-after", value)).into_iter().collect();
    let answer = answer(status, &headers, body).filter(|_| status != 200)?;
    let error = refused(&client(&bank(""), answer), *operation);
    assert_sound(&error);
    assert_eq!((error.http_status(), error.request_sent()), (Some(status), RequestSent::Yes));
    assert_ne!(error.code(), ErrorCode::Internal);
    if error.advice() == Advice::RetryAfter && error.code() != ErrorCode::RateLimited {
        assert!(error.retry_after().is_some());
    }
    let said = Json::read(&body[..body.len().min(64 * 1024)]);
    let invalid_grant = said.is_some_and(|said| says_invalid_grant(&said)) && matches!(status, 400 | 401);
    if matches!(error.code(), ErrorCode::ConsentLost | ErrorCode::CodeRefused) {
        assert!(invalid_grant && operation % 3 != 0, "lost without the bank's word: {error:?}");
    }
    Some(error.code())
}

fn refused(client: &Client, operation: u8) -> Error {
    let outcome = match operation % 3 {
        0 => return refused_check(client, operation / 3),
        1 => client.exchange_code(&pending(), &AuthorizationCode::new(CODE).expect("a code")).err(),
        _ => client.refresh(&tokens()).err(),
    };
    outcome.expect("a refusal is an error")
}

/// A check with a token of one form or another, of one account or the other.
fn refused_check(client: &Client, form: u8) -> Error {
    let token = UNUSUAL_TOKENS[usize::from(form / 2) % UNUSUAL_TOKENS.len()];
    let (asked, account) = if form.is_multiple_of(2) { (Asked::Iban, IBAN) } else { (Asked::Card, CARD) };
    let error = client.confirm_funds(&tokens_of(token), &question(asked)).expect_err("a refusal is an error");
    assert_hides(&error, token);
    assert_hides(&error, account);
    error
}

/// A member that is there twice may count by either.
fn says_invalid_grant(said: &Json) -> bool {
    let Json::Object(members) = said else { return false };
    members.iter().any(|(name, value)| name == "error" && value.text() == Some("invalid_grant"))
}
