//! What an answer means that is not a success: from status, body and headers to an error of the catalogue.

use std::time::Duration;

use serde_json::Value;

use crate::bank::Bank;
use crate::http::HttpResponse;
use crate::http::masking::{Sent, hide, mask_text};
use crate::{Error, ErrorCode, RequestSent, Timestamp};

/// How much of a refusal is read at all.
const READ_LIMIT: usize = 64 * 1024;
/// How much of what the bank wrote is kept.
const MESSAGE_LIMIT: usize = 512;

/// Where an answer came from: the same status means different things at the two endpoints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// The token endpoint; `invalid_grant` there is about the code, or about the refresh token.
    Token { refresh: bool },
    /// The funds confirmation resource.
    Funds,
}

/// What a body that refuses says.
#[derive(Default)]
struct Said {
    business_code: Option<&'static BusinessCode>,
    oauth_error: Option<String>,
    text: Option<String>,
}

/// A STET business code (ISO 20022 status reasons and STET's own).
struct BusinessCode {
    text: &'static str,
    code: ErrorCode,
}

const BUSINESS_CODES: &[BusinessCode] = &[
    BusinessCode { text: "AC01", code: ErrorCode::AccountUnknown },
    BusinessCode { text: "AC04", code: ErrorCode::AccountClosed },
    BusinessCode { text: "AC06", code: ErrorCode::AccountBlocked },
    BusinessCode { text: "BE05", code: ErrorCode::TppUnknown },
    BusinessCode { text: "BADS", code: ErrorCode::WrongRole },
    BusinessCode { text: "NGAC", code: ErrorCode::AccessNotGranted },
    BusinessCode { text: "NAAC", code: ErrorCode::NoEligibleAccount },
    BusinessCode { text: "IPSU", code: ErrorCode::PsuUnknown },
    BusinessCode { text: "INTE", code: ErrorCode::BankInternalError },
    BusinessCode { text: "INTS", code: ErrorCode::BankInternalError },
    BusinessCode { text: "TMRQ", code: ErrorCode::RateLimited },
    BusinessCode { text: "NIMP", code: ErrorCode::NotImplemented },
];

/// The error that an answer other than a success is. What was `sent` does not show in it, should the bank repeat it.
pub(crate) fn refusal(
    bank: &Bank,
    endpoint: Endpoint,
    answer: &HttpResponse,
    now: Timestamp,
    sent: &[Sent],
) -> Error {
    let said = read(answer.body(), sent);
    let code = match refused_certificate(answer) {
        Some(code) => code,
        None => meaning(bank, endpoint, answer.status(), &said),
    };
    let bank_code = said.business_code.map(|known| known.text.to_owned()).or(said.oauth_error);
    Error::new(code, sentence(code, &bank.name, answer.status(), bank_code.as_deref()))
        .with_bank_code(bank_code)
        .with_bank_message(said.text)
        .with_retry_after(answer.header("retry-after").and_then(|value| retry_after(value, now)))
        .with_http_status(answer.status())
        .with_request_sent(RequestSent::Yes)
}

/// One sentence: what happened, and what to do.
fn sentence(code: ErrorCode, bank: &str, status: u16, bank_code: Option<&str>) -> String {
    let what = code.summary().trim_end_matches('.');
    let told = match bank_code {
        Some(bank_code) if !what.contains(bank_code) => format!("status {status}, {bank_code}"),
        _ => format!("status {status}"),
    };
    let then = match code.advice() {
        _ if code == ErrorCode::AccessTokenRefused => {
            "refresh the tokens, and renew the consent if that is refused too"
        }
        crate::Advice::Retry => "try again",
        crate::Advice::RetryAfter => "wait before the next call",
        crate::Advice::RenewConsent => "send the cardholder to the bank for a new consent",
        crate::Advice::FixRequest => "correct the request",
        crate::Advice::FixConfiguration => "check the configuration and the registration at the bank",
        crate::Advice::ContactBank => "ask the bank, with the request id",
    };
    format!("{bank}: {what} ({told}); {then}.")
}

fn meaning(bank: &Bank, endpoint: Endpoint, status: u16, said: &Said) -> ErrorCode {
    if (300..400).contains(&status) {
        return ErrorCode::Redirected;
    }
    if !(400..600).contains(&status) {
        return ErrorCode::UnexpectedStatus;
    }
    if let Some(known) = said.business_code {
        return known.code;
    }
    match status {
        429 => ErrorCode::RateLimited,
        500 => ErrorCode::BankInternalError,
        501 => ErrorCode::NotImplemented,
        408 | 502..=599 => ErrorCode::BankUnavailable,
        _ => match endpoint {
            Endpoint::Token { refresh } => token_meaning(status, refresh, said.oauth_error.as_deref()),
            Endpoint::Funds => funds_meaning(bank, status, said.oauth_error.as_deref()),
        },
    }
}

/// RFC 6749 §5.2. Only the bank's own `invalid_grant` says that a consent is gone.
fn token_meaning(status: u16, refresh: bool, oauth_error: Option<&str>) -> ErrorCode {
    match (oauth_error, status) {
        (Some("invalid_grant"), 400 | 401) if refresh => ErrorCode::ConsentLost,
        (Some("invalid_grant"), 400 | 401) => ErrorCode::CodeRefused,
        (Some("invalid_client" | "unauthorized_client"), _) | (_, 401 | 403) => ErrorCode::ClientRefused,
        (_, 404) => ErrorCode::NotFound,
        (_, 405 | 406 | 415) => ErrorCode::FormRefused,
        _ => ErrorCode::TokenRequestRefused,
    }
}

fn funds_meaning(bank: &Bank, status: u16, oauth_error: Option<&str>) -> ErrorCode {
    match (oauth_error, status) {
        (Some("invalid_token"), _) => ErrorCode::AccessTokenRefused,
        (Some("insufficient_scope"), _) => ErrorCode::WrongRole,
        (_, status) if bank.refused_statuses.contains(&status) => ErrorCode::RequestRefused,
        (_, 401) => ErrorCode::AccessTokenRefused,
        (_, 403) => ErrorCode::Forbidden,
        (_, 404) => ErrorCode::NotFound,
        (_, 405 | 406 | 415) => ErrorCode::FormRefused,
        _ => ErrorCode::RequestRefused,
    }
}

/// nginx says in a page what others say in a TLS alert; both must be the same error.
fn refused_certificate(answer: &HttpResponse) -> Option<ErrorCode> {
    if answer.status() != 400 {
        return None;
    }
    let page = String::from_utf8_lossy(&answer.body()[..answer.body().len().min(4096)]);
    if page.contains("No required SSL certificate was sent") {
        Some(ErrorCode::TlsClientCertificateMissing)
    } else if page.contains("The SSL certificate error") {
        Some(ErrorCode::TlsClientCertificateRefused)
    } else {
        None
    }
}

/// Reads what the many forms of error bodies have in common.
fn read(body: &[u8], sent: &[Sent]) -> Said {
    let body = &body[..body.len().min(READ_LIMIT)];
    let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(body) else {
        let text = hide(&String::from_utf8_lossy(body), sent);
        let shown = mask_text(text.trim(), MESSAGE_LIMIT);
        return Said {
            business_code: find_business_code(&text),
            oauth_error: None,
            text: (!shown.is_empty()).then_some(shown),
        };
    };
    let texts = |names: &[&str]| -> Vec<String> {
        let texts = names.iter().filter_map(|name| members.get(*name)?.as_str());
        texts.filter(|text| !text.trim().is_empty()).map(|text| hide(text, sent)).collect()
    };
    let said = texts(&["message", "error_description", "errorMessage", "error", "code"]);
    let oauth_error = texts(&["error"]).into_iter().find(|error| is_oauth_error(error));
    Said {
        business_code: said.iter().find_map(|text| find_business_code(text)),
        oauth_error,
        text: said.first().map(|text| mask_text(text, MESSAGE_LIMIT)),
    }
}

fn find_business_code(text: &str) -> Option<&'static BusinessCode> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .find_map(|word| BUSINESS_CODES.iter().find(|known| known.text == word))
}

/// OAuth error codes are lower case with underscores; STET's `error` is a phrase such as "Bad Request".
fn is_oauth_error(text: &str) -> bool {
    (3..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// `Retry-After`: seconds, or a date (RFC 9110 §10.2.3). What is beyond a year is no pause, and no moment to compute with.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    const YEAR: Duration = Duration::from_secs(366 * 86_400);
    let value = value.trim();
    let pause = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = httpdate::parse_http_date(value).ok()?;
            Timestamp::from(date).saturating_duration_since(now)
        }
    };
    Some(pause).filter(|pause| *pause <= YEAR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pauses_are_seconds_or_dates() {
        let now: Timestamp = "2026-11-23T13:00:00Z".parse().unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 13:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Mon, 23 Nov 2026 12:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("14970101234567890", now), None);
        assert_eq!(retry_after("Mon, 23 Nov 2099 13:00:30 GMT", now), None);
    }

    #[test]
    fn business_codes_are_found_whole_or_inside() {
        for (text, expected) in [
            ("AC01", Some("AC01")),
            ("Compte bloqué (AC06)", Some("AC06")),
            ("TRAC010", None),
            ("FORMAT", None),
        ] {
            assert_eq!(find_business_code(text).map(|known| known.text), expected, "{text}");
        }
    }

    #[test]
    fn every_form_of_error_body_is_read() {
        let read = |body: &[u8]| read(body, &[]);
        let stet = read(r#"{"timestamp":"x","status":"403","error":"Forbidden","message":"NGAC: accès refusé","path":"/"}"#.as_bytes());
        assert_eq!(stet.business_code.map(|known| known.text), Some("NGAC"));
        assert_eq!((stet.oauth_error, stet.text.as_deref()), (None, Some("NGAC: accès refusé")));
        let oauth = read(br#"{"error":"invalid_grant","error_description":"gone"}"#);
        assert_eq!(
            (oauth.oauth_error.as_deref(), oauth.text.as_deref()),
            (Some("invalid_grant"), Some("gone"))
        );
        let other = read(br#"{"errorMessage":"token expired"}"#);
        assert_eq!(other.text.as_deref(), Some("token expired"));
        let page = read(b"<html>\n<h1>Down</h1></html>");
        assert_eq!(page.text.as_deref(), Some("<html> <h1>Down</h1></html>"));
        assert_eq!(read(br#"{"message":" ","error":"Forbidden"}"#).text.as_deref(), Some("Forbidden"));
        assert_eq!(read(b"").text, None);
        assert_eq!(read(b"[1]").text.as_deref(), Some("[1]"));
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..300), status in 100u16..600) {
            let said = read(&body, &[]);
            let bank = Bank::bpce("17515", crate::bank::Environment::Sandbox).unwrap();
            let _ = meaning(&bank, Endpoint::Funds, status, &said);
        }
    }
}
