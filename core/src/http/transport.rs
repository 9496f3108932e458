//! The seam for one HTTP exchange.

use std::fmt;
use std::time::Instant;

use super::masking::mask_header;
use crate::{CancelToken, Result};

/// One request, complete: everything that will be written, in the order it will be written.
#[derive(Clone)]
pub struct HttpRequest {
    pub(crate) method: &'static str,
    pub(crate) url: url::Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) extra_headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) fresh_connection: bool,
}

impl HttpRequest {
    /// The method, e.g. `POST`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.method
    }

    /// The absolute https URL.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Names and values in order. `Host`, `Content-Length` and `Connection` are the transport's business.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let fixed = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let extra = self.extra_headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        fixed.chain(extra)
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
        let headers: Vec<_> = self.headers().map(|(name, value)| (name, mask_header(name, value))).collect();
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("origin", &self.url.origin().ascii_serialization())
            .field("path", &self.url.path())
            .field("headers", &headers)
            .field("body_length", &self.body.len())
            .finish()
    }
}

/// One whole answer.
#[derive(Clone)]
pub struct HttpResponse {
    /// The status, 100 to 599.
    pub status: u16,
    /// Names and values as received, in order.
    pub headers: Vec<(String, String)>,
    /// The whole body, at most 1 MiB.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The value of the first header of this name, whatever its case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (name, mask_header(name, value))).collect();
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &headers)
            .field("body_length", &self.body.len())
            .finish()
    }
}

/// What a transport must respect during one exchange.
#[derive(Clone, Debug)]
pub struct TransportContext {
    /// The moment by which the whole answer must be there.
    pub deadline: Instant,
    /// Ends the exchange when the caller cancels.
    pub cancel: CancelToken,
}

/// One HTTP exchange over mutual TLS. Bring your own to use a host's HTTP stack (OkHttp, URLSession, a
/// corporate gateway); it then does the TLS, client certificate included.
///
/// A transport must not follow redirects, not retry, not treat a status as an error, not read more than
/// 1 MiB of body, and must send method, path, headers and body exactly as given.
pub trait Transport: Send + Sync {
    /// Sends the request and returns the whole answer.
    ///
    /// # Errors
    /// Any [`Error`](crate::Error), best of kind `network`, `tls`, `timeout` or `cancelled`, with
    /// [`request_sent`](crate::Error::with_request_sent) stated: what may be repeated depends on it.
    fn exchange(&self, request: &HttpRequest, context: &TransportContext) -> Result<HttpResponse>;

    /// Opens up to `count` connections to the origin of `url` and finishes their handshakes ahead, so
    /// that the next calls find them ready. Returns how many are ready; the default has nothing to do.
    ///
    /// # Errors
    /// As [`exchange`](Self::exchange).
    fn warm_up(&self, url: &url::Url, count: usize, context: &TransportContext) -> Result<usize> {
        let _ = (url, count, context);
        Ok(0)
    }
}
