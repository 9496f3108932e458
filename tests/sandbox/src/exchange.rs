//! One request as the bank sees it, and the answer it gives.

use hyper::body::Bytes;
use hyper::{HeaderMap, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::iso;
use crate::connection::ConnectionFacts;
use crate::settings::{ErrorStyle, Settings};

/// The parts of the bank a fault or a record can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// The consent URL.
    Authorize,
    /// The pages the cardholder sees after it.
    Consent,
    /// The token endpoint.
    Token,
    /// The funds confirmation.
    Funds,
    /// Any other path.
    Other,
    /// The connection itself, before any request.
    Connection,
}

/// A request whose body has been read.
pub(crate) struct Exchange {
    pub(crate) endpoint: Endpoint,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) connection: ConnectionFacts,
}

impl Exchange {
    /// Path and query exactly as sent.
    pub(crate) fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The only value of a header; an error when there are two, or when it is not text.
    pub(crate) fn single(&self, name: &str) -> Result<Option<&str>, String> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next();
        if values.next().is_some() {
            return Err(format!("header {name} sent twice"));
        }
        match first.map(hyper::http::HeaderValue::to_str) {
            None => Ok(None),
            Some(Ok(text)) => Ok(Some(text)),
            Some(Err(_)) => Err(format!("header {name} is not visible ASCII")),
        }
    }
}

/// What the bank answers, and why.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// `accepted`, or the reason of the refusal.
    pub(crate) verdict: String,
}

/// The verdict on a request the bank has nothing against.
pub(crate) const ACCEPTED: &str = "accepted";

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.into(),
            verdict: ACCEPTED.to_owned(),
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json;charset=UTF-8", body.to_string())
    }

    pub(crate) fn html(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set_header(name, value);
        self
    }

    /// Replaces every value of a header.
    pub(crate) fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
    }

    pub(crate) fn because(mut self, verdict: impl Into<String>) -> Self {
        self.verdict = verdict.into();
        self
    }
}

/// A request the bank refuses on a resource path.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    /// A business code such as `BADS`, or an empty text.
    pub(crate) code: String,
    pub(crate) reason: String,
}

impl Refused {
    pub(crate) fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, code: String::new(), reason: reason.into() }
    }

    pub(crate) fn coded(status: u16, code: &str, reason: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), reason: reason.into() }
    }

    /// The code, when there is one, and the sentence.
    pub(crate) fn message(&self) -> String {
        match self.code.as_str() {
            "" => self.reason.clone(),
            code => format!("{code}: {}", self.reason),
        }
    }

    /// The answer in the bank's own shape.
    pub(crate) fn answer(&self, settings: &Settings, path: &str, now: std::time::SystemTime) -> Answer {
        let phrase = hyper::StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Error");
        let body = match settings.error_style {
            ErrorStyle::Stet => json!({
                "timestamp": iso(now, "+0000"),
                "status": self.status,
                "error": phrase,
                "message": self.message(),
                "path": path,
            }),
            ErrorStyle::OAuth => json!({
                "error": if self.code.is_empty() { "invalid_request" } else { self.code.as_str() },
                "error_description": self.reason,
            }),
        };
        Answer::json(self.status, &body).because(self.message())
    }
}
