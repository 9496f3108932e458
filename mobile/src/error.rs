//! Errors: all the facts of the core's, and what an implementation in Kotlin or Swift threw.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use cbpii::{Error, ErrorCode};

use crate::mirror::mirror;
use crate::values::TimeSpan;

mirror! {
    /// What went wrong, in fifteen groups.
    ErrorKind of cbpii::ErrorKind {
        /// Something given at set-up (bank record, key, certificate, option) cannot be used.
        Configuration,
        /// The issuer's certificates do not entitle it to this product.
        Eligibility,
        /// A value given for this call is not acceptable; nothing was sent.
        InvalidRequest,
        /// The cardholder or the bank said no to the consent.
        ConsentRefused,
        /// There is no usable consent (any more): the cardholder must go to the bank again.
        ConsentRequired,
        /// The bank understood the request and refused it.
        BankRefused,
        /// The bank wants fewer calls.
        RateLimited,
        /// The bank has a problem of its own.
        BankUnavailable,
        /// The time budget ran out. This is not a "no".
        Timeout,
        /// The bank could not be reached, or the connection broke.
        Network,
        /// The secure channel could not be made.
        Tls,
        /// The bank answered with something that is not a valid answer.
        Protocol,
        /// The consent store failed.
        Store,
        /// The caller cancelled the call.
        Cancelled,
        /// A defect of this library.
        Internal,
    }
}

mirror! {
    /// What to do about an error.
    Advice of cbpii::Advice {
        /// Try again; it may well work.
        Retry,
        /// Try again after the pause the bank named (or one of your choice when it named none).
        RetryAfter,
        /// Send the cardholder to the bank for a new consent.
        RenewConsent,
        /// Change what was passed to this call.
        FixRequest,
        /// Change the set-up: bank record, certificates, keys, options.
        FixConfiguration,
        /// Ask the bank, with the request id and the explanation at hand.
        ContactBank,
    }
}

mirror! {
    /// Whether a failed request reached the bank: what decides if a call may be repeated blindly.
    RequestSent of cbpii::RequestSent {
        /// Certainly not: no byte of it left this device.
        No,
        /// Yes: the bank answered it.
        Yes,
        /// It may have: it left, and no answer came.
        Unknown,
    }
}

/// One header of a request laid open.
#[derive(Clone, Debug, uniffi::Record)]
pub struct ExplainedHeader {
    /// The name.
    pub name: String,
    /// The value, secrets masked.
    pub value: String,
}

/// A request laid open: header by header, with the exact signing string. Tokens and account numbers are masked, so it can be
/// pasted anywhere.
#[derive(Clone, Debug, uniffi::Record)]
pub struct Explanation {
    /// The method, e.g. `POST`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Names and (masked) values in the order of sending.
    pub headers: Vec<ExplainedHeader>,
    /// The body, account numbers masked.
    pub body: String,
    /// The input of the digest in words: how many bytes, and their SHA-256 in base64.
    pub digest_input: Option<String>,
    /// The exact lines that were signed (secrets masked).
    pub signing_string: Option<String>,
    /// The keyId as written.
    pub key_id: Option<String>,
    /// Where the keyId comes from: `seal` when the issuer stated it, else the source the bank's record names.
    pub key_id_source: Option<String>,
    /// All of it as one text, for a ticket to the bank.
    pub text: String,
}

impl From<&cbpii::Explanation> for Explanation {
    fn from(one: &cbpii::Explanation) -> Self {
        let headers = one.headers.iter().cloned().map(|(name, value)| ExplainedHeader { name, value });
        Self {
            method: one.method.clone(),
            url: one.url.clone(),
            headers: headers.collect(),
            body: one.body.clone(),
            digest_input: one.digest_input.clone(),
            signing_string: one.signing_string.clone(),
            key_id: one.key_id.clone(),
            key_id_source: one.key_id_source.clone(),
            text: one.to_string(),
        }
    }
}

/// All that is known about a failure. Nothing in it is secret.
#[derive(Clone, Debug, uniffi::Record)]
pub struct ErrorFacts {
    /// The group of the cause.
    pub kind: ErrorKind,
    /// The exact cause, as stable text, e.g. `consent.state_mismatch`.
    pub code: String,
    /// The exact cause, as a stable number.
    pub number: i32,
    /// One sentence that says what happened and what to do.
    pub message: String,
    /// What to do about it.
    pub advice: Advice,
    /// How long the bank asks to wait before the next call (`Retry-After`, RFC 9110 §10.2.3).
    pub retry_after: Option<TimeSpan>,
    /// The status of the bank's answer, when there was one.
    pub http_status: Option<i32>,
    /// The bank's business code (`AC01` …) or OAuth error code (`invalid_grant` …), when it gave one.
    pub bank_code: Option<String>,
    /// What the bank wrote, masked and cut to at most 512 characters.
    pub bank_message: Option<String>,
    /// The `X-Request-ID` of the failed request: what the bank's support asks for first.
    pub request_id: Option<String>,
    /// The bank's own `X-CorrelationID`, when it gave one.
    pub correlation_id: Option<String>,
    /// Whether the failed request reached the bank.
    pub request_sent: RequestSent,
    /// What was sent, header by header, secrets masked. Present on errors of requests that were built.
    pub explanation: Option<Explanation>,
}

impl From<&Error> for ErrorFacts {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind().into(),
            code: error.code().as_str().to_owned(),
            number: error.code().number().into(),
            message: error.message().to_owned(),
            advice: error.advice().into(),
            retry_after: error.retry_after().map(TimeSpan::from),
            http_status: error.http_status().map(i32::from),
            bank_code: error.bank_code().map(ToOwned::to_owned),
            bank_message: error.bank_message().map(ToOwned::to_owned),
            request_id: error.request_id().map(ToOwned::to_owned),
            correlation_id: error.correlation_id().map(ToOwned::to_owned),
            request_sent: error.request_sent().into(),
            explanation: error.explanation().map(Explanation::from),
        }
    }
}

/// What every function that can fail throws. The layers above turn it into errors of their language.
#[derive(Debug, uniffi::Error)]
pub enum RawFailure {
    /// The one case.
    Failed {
        /// All facts.
        facts: ErrorFacts,
        /// What an implementation in Kotlin or Swift threw, when that led to the failure.
        thrown: Option<Arc<dyn Thrown>>,
    },
}

impl fmt::Display for RawFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Failed { facts, .. } = self;
        f.write_str(&facts.message)
    }
}

impl StdError for RawFailure {}

impl From<Error> for RawFailure {
    fn from(error: Error) -> Self {
        let thrown = error.source().and_then(|source| source.downcast_ref::<Cause>());
        Self::Failed { facts: ErrorFacts::from(&error), thrown: thrown.map(|cause| Arc::clone(&cause.0)) }
    }
}

/// An exception or error of Kotlin or Swift, on its way through this library and back.
#[uniffi::export(with_foreign)]
pub trait Thrown: Send + Sync {
    /// What it is, e.g. the name of its class: never its message, which may hold a secret.
    fn kind(&self) -> String;
}

impl fmt::Debug for dyn Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Thrown")
    }
}

/// Carries what was thrown inside an error of the core.
#[derive(Debug)]
struct Cause(Arc<dyn Thrown>);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("thrown by an implementation in Kotlin or Swift")
    }
}

impl StdError for Cause {}

/// What an implementation in Kotlin or Swift (a signer, a transport, a store) throws.
#[derive(Debug, uniffi::Error)]
pub enum SeamFailure {
    /// One of this library's own errors.
    Own {
        /// The code; the seam's own when it is not one of the catalogue.
        code: String,
        /// The message: one sentence, without any secret.
        sentence: String,
        /// Whether the request reached the bank, where that was stated.
        request_sent: Option<RequestSent>,
        /// The error itself, kept as the cause.
        thrown: Option<Arc<dyn Thrown>>,
    },
    /// Anything else.
    Other {
        /// What was thrown.
        thrown: Option<Arc<dyn Thrown>>,
    },
}

impl fmt::Display for SeamFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an implementation in Kotlin or Swift failed")
    }
}

impl StdError for SeamFailure {}

/// What went wrong on the way, in words that are not passed on: they may hold a stack trace.
impl From<uniffi::UnexpectedUniFFICallbackError> for SeamFailure {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Other { thrown: None }
    }
}

impl SeamFailure {
    /// As an error of the core: `code` and `what` (e.g. "signer") say where it was thrown.
    pub(crate) fn into_error(self, code: ErrorCode, what: &str) -> Error {
        let (error, sent, thrown) = match self {
            Self::Own { code: own, sentence, request_sent, thrown } => {
                (Error::new(ErrorCode::from_text(&own).unwrap_or(code), sentence), request_sent, thrown)
            }
            Self::Other { thrown } => {
                let kind =
                    thrown.as_ref().map_or_else(|| "an unknown error".to_owned(), |thrown| thrown.kind());
                let message = format!("The {what} failed with {kind}; see the cause of this error.");
                (Error::new(code, message), None, thrown)
            }
        };
        let error = match sent {
            Some(sent) => error.with_request_sent(sent.into()),
            None => error,
        };
        match thrown {
            Some(thrown) => error.with_source(Cause(thrown)),
            None => error,
        }
    }
}

/// One entry of the catalogue of errors.
#[derive(Clone, Debug, uniffi::Record)]
pub struct CatalogueEntry {
    /// The stable text.
    pub code: String,
    /// The stable number.
    pub number: i32,
    /// The group.
    pub kind: ErrorKind,
    /// What to do about it.
    pub advice: Advice,
    /// What it means, in one sentence.
    pub summary: String,
}

/// Every error there is, in the order of the numbers.
#[uniffi::export]
#[must_use]
pub fn error_catalogue() -> Vec<CatalogueEntry> {
    let entry = |code: &ErrorCode| CatalogueEntry {
        code: code.as_str().to_owned(),
        number: code.number().into(),
        kind: code.kind().into(),
        advice: code.advice().into(),
        summary: code.summary().to_owned(),
    };
    ErrorCode::ALL.iter().map(entry).collect()
}
