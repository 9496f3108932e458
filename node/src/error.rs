//! Errors, from the core to JavaScript and back.

use cbpii::{Error, ErrorCode, RequestSent};
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::convert::{Explanation, millis};
use crate::question::Cause;

/// What became of a call that gives back no value.
#[napi(object, object_from_js = false)]
pub struct Failure {
    /// Why.
    pub failure: ErrorFacts,
}

/// An error of the core, as plain facts.
#[napi(object, object_from_js = false)]
pub struct ErrorFacts {
    pub code: String,
    pub message: String,
    pub retry_after_ms: Option<f64>,
    pub http_status: Option<u16>,
    pub bank_code: Option<String>,
    pub bank_message: Option<String>,
    pub request_id: Option<String>,
    pub correlation_id: Option<String>,
    pub request_sent: String,
    pub explanation: Option<Explanation>,
    /// What a callback threw, in an object.
    #[napi(ts_type = "{ thrown: unknown }")]
    pub cause: Option<Cause>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { failure: ErrorFacts::from(&error) }
    }
}

impl From<&Error> for ErrorFacts {
    fn from(error: &Error) -> Self {
        use std::error::Error as _;
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        Self {
            code: error.code().as_str().to_owned(),
            message: error.message().to_owned(),
            retry_after_ms: error.retry_after().map(millis),
            http_status: error.http_status(),
            bank_code: owned(error.bank_code()),
            bank_message: owned(error.bank_message()),
            request_id: owned(error.request_id()),
            correlation_id: owned(error.correlation_id()),
            request_sent: error.request_sent().as_str().to_owned(),
            explanation: error.explanation().map(Explanation::from),
            cause: error.source().and_then(|source| source.downcast_ref::<Cause>()?.try_clone().ok()),
        }
    }
}

/// What a callback threw, as the package hands it over.
#[napi(object, object_to_js = false)]
pub struct Thrown<'env> {
    /// Of an error of the package, its code.
    pub code: Option<String>,
    /// One sentence.
    pub message: String,
    /// Of an error of the package that states it: `no`, `yes` or `unknown`.
    pub request_sent: Option<String>,
    /// What was thrown, in an object.
    #[napi(ts_type = "{ thrown: unknown }")]
    pub cause: Unknown<'env>,
}

impl Thrown<'_> {
    /// As an error of the core; of this code unless it is one of the package's.
    pub(crate) fn into_error(self, code: ErrorCode) -> Error {
        let code = self.code.as_deref().and_then(ErrorCode::from_text).unwrap_or(code);
        let error = Error::new(code, self.message).with_source(Cause::from(self.cause));
        match self.request_sent.as_deref() {
            Some("no") => error.with_request_sent(RequestSent::No),
            Some("yes") => error.with_request_sent(RequestSent::Yes),
            Some(_) => error.with_request_sent(RequestSent::Unknown),
            // Whoever made it did not state it: the core knows what that means where it was raised.
            None => error,
        }
    }
}

/// One cause of errors.
#[napi(object, object_from_js = false)]
pub struct CatalogueEntry {
    pub code: String,
    pub number: u16,
    pub kind: String,
    pub advice: String,
    pub summary: String,
}

/// The whole catalogue, in order of number.
#[napi(catch_unwind)]
pub fn catalogue() -> Vec<CatalogueEntry> {
    let entry = |code: &ErrorCode| CatalogueEntry {
        code: code.as_str().to_owned(),
        number: code.number(),
        kind: code.kind().as_str().to_owned(),
        advice: code.advice().as_str().to_owned(),
        summary: code.summary().to_owned(),
    };
    ErrorCode::ALL.iter().map(entry).collect()
}
