//! The seam for one HTTP exchange.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use zeroize::Zeroizing;

use super::dialer::Begun;
use super::masking::mask_header;
use crate::{CancelToken, Error, ErrorCode, Result};

/// One POST request, complete: every header in the order it was signed and will be written, and the body
/// byte for byte.
#[derive(Clone)]
pub struct HttpRequest {
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
    pub(crate) fresh_connection: bool,
}

impl HttpRequest {
    /// The method: everything this protocol sends is a `POST`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        "POST"
    }

    /// The absolute https URL.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Names and values in order. `Host` and `Content-Length` are the transport's business.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body as it must be sent, byte for byte: it has been digested and signed.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether this request must not travel on a connection that has been idle: it changes something at
    /// the bank, and an idle connection may die under it and leave its fate unknown.
    #[must_use]
    pub fn wants_fresh_connection(&self) -> bool {
        self.fresh_connection
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("uri", &self.uri)
            .field("headers", &MaskedHeaders(&self.headers))
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// One whole answer.
#[derive(Clone)]
pub struct HttpResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl HttpResponse {
    /// An answer, for those who implement a [`Transport`].
    ///
    /// # Errors
    /// `protocol.malformed_http` when a header has characters that HTTP does not allow, or the status is
    /// not between 100 and 599; `protocol.answer_too_large` when the body is larger than 1 MiB.
    pub fn new<N, V>(status: u16, headers: impl IntoIterator<Item = (N, V)>, body: Vec<u8>) -> Result<Self>
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let malformed = |what: &str| {
            let message =
                format!("The transport gave an answer with an impossible {what}; nothing was read from it.");
            Error::new(ErrorCode::MalformedHttp, message)
        };
        if !(100..=599).contains(&status) {
            return Err(malformed("status"));
        }
        if body.len() > super::BODY_LIMIT {
            return Err(super::too_large());
        }
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::try_from(name.as_ref()).map_err(|_| malformed("header name"))?;
            let value = HeaderValue::try_from(value.as_ref()).map_err(|_| malformed("header value"))?;
            map.append(name, value);
        }
        Ok(Self { status, headers: map, body: Zeroizing::new(body) })
    }

    /// The status: 100 to 599, or what a bank invents up to 999.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The whole body, at most 1 MiB.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The value of the first header of this name, whatever its case, when it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &MaskedHeaders(&self.headers))
            .field("body_length", &self.body.len())
            .finish()
    }
}

struct MaskedHeaders<'a>(&'a HeaderMap);

impl fmt::Debug for MaskedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = |(name, value): (&'_ HeaderName, &'_ HeaderValue)| {
            (name.to_string(), mask_header(name.as_str(), &String::from_utf8_lossy(value.as_bytes())))
        };
        f.debug_map().entries(self.0.iter().map(masked)).finish()
    }
}

/// What a transport must respect during one exchange.
pub struct TransportContext {
    /// The moment by which the whole answer must be there.
    pub deadline: Instant,
    /// Ends the exchange when the caller cancels.
    pub cancel: Option<CancelToken>,
    /// What [`Transport::prepare`] of the built-in transport began for the exchange.
    pub(super) begun: Mutex<Option<Box<Begun>>>,
}

impl TransportContext {
    pub(crate) fn new(deadline: Instant, cancel: Option<CancelToken>) -> Self {
        Self { deadline, cancel, begun: Mutex::new(None) }
    }
}

/// The limits; a connection that was begun stays where it was begun.
impl Clone for TransportContext {
    fn clone(&self) -> Self {
        Self::new(self.deadline, self.cancel.clone())
    }
}

impl fmt::Debug for TransportContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportContext")
            .field("deadline", &self.deadline)
            .field("cancel", &self.cancel)
            .finish_non_exhaustive()
    }
}

/// What a transport has done so far; counters only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransportStatistics {
    /// TCP connections opened.
    pub connections: u64,
    /// Of these, how many resumed an earlier TLS session.
    pub resumed: u64,
    /// Host names looked up.
    pub name_lookups: u64,
}

/// One HTTP exchange over mutual TLS. Bring your own to use a host's HTTP stack (OkHttp, URLSession, a
/// corporate gateway); it then does the TLS, client certificate included.
///
/// A transport must not follow redirects, not retry, not treat a status as an error, not read more than
/// 1 MiB of body, and must send path, headers and body exactly as given.
pub trait Transport: Send + Sync {
    /// Sends the request and returns the whole answer.
    ///
    /// # Errors
    /// Any [`Error`], best of kind `network`, `tls`, `timeout` or `cancelled`, with
    /// [`request_sent`](Error::with_request_sent) stated: what may be repeated depends on it, and an error that does
    /// not state it counts as unknown.
    fn exchange(&self, request: &HttpRequest, context: &TransportContext) -> Result<HttpResponse>;

    /// Told when a request to `uri` is about to be signed, for the exchange of the same `context`: the built-in transport
    /// begins a connection if it has none, so that the bank answers the first message of TLS meanwhile. A failure is the
    /// exchange's. The default has nothing to do.
    fn prepare(&self, uri: &Uri, context: &TransportContext) {
        let _ = (uri, context);
    }

    /// Opens `count` connections to the origin of `uri` and finishes their handshakes ahead, so that the
    /// next calls find them ready. Returns how many are ready; the default has nothing to do.
    ///
    /// # Errors
    /// As [`exchange`](Self::exchange).
    fn warm_up(&self, uri: &Uri, count: usize, context: &TransportContext) -> Result<usize> {
        let _ = (uri, count, context);
        Ok(0)
    }

    /// What this transport has done so far; the default counts nothing.
    fn statistics(&self) -> TransportStatistics {
        TransportStatistics::default()
    }
}

impl<T: Transport + ?Sized> Transport for Arc<T> {
    fn exchange(&self, request: &HttpRequest, context: &TransportContext) -> Result<HttpResponse> {
        (**self).exchange(request, context)
    }

    fn prepare(&self, uri: &Uri, context: &TransportContext) {
        (**self).prepare(uri, context);
    }

    fn warm_up(&self, uri: &Uri, count: usize, context: &TransportContext) -> Result<usize> {
        (**self).warm_up(uri, count, context)
    }

    fn statistics(&self) -> TransportStatistics {
        (**self).statistics()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_from_foreign_transports_are_checked() {
        let answer = HttpResponse::new(200, [("X-Request-ID", "1")], b"{}".to_vec()).unwrap();
        assert_eq!((answer.status(), answer.header("x-request-id")), (200, Some("1")));
        for (status, name, value) in [(99, "a", "b"), (600, "a", "b"), (200, "a b", "c"), (200, "a", "b\nc")]
        {
            let error = HttpResponse::new(status, [(name, value)], Vec::new()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::MalformedHttp);
        }
        let body = |length| HttpResponse::new(200, [("a", "b")], vec![b' '; length]);
        assert!(body(1 << 20).is_ok());
        assert_eq!(body((1 << 20) + 1).unwrap_err().code(), ErrorCode::AnswerTooLarge);
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Bearer 2YotnFZFEjr1zCsicMWpAA"));
        headers.insert("date", HeaderValue::from_static("Mon, 23 Nov 2026 13:11:00 GMT"));
        let request = HttpRequest {
            uri: Uri::from_static("https://bank.example/funds"),
            headers,
            body: Zeroizing::new(b"FR7613807008043001965405158".to_vec()),
            fresh_connection: false,
        };
        let shown = format!("{request:?}");
        assert!(shown.contains("Bearer 2Yot…") && shown.contains("23 Nov 2026"), "{shown}");
        assert!(!shown.contains("EjrzCsic") && !shown.contains("FR76"), "{shown}");
    }
}
