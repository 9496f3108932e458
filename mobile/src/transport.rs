//! The transport: one HTTP exchange, over the platform's own stack.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Instant;

use cbpii::http::{HttpRequest, HttpResponse, Transport, TransportContext};
use cbpii::{Error, ErrorCode, RequestSent};

use crate::call::direct;
use crate::error::{RawFailure, SeamFailure};
use crate::object::object;
use crate::values::TimeSpan;

/// One HTTP exchange over mutual TLS by the platform's own stack (OkHttp, URLSession), which then does the TLS, client
/// certificate included.
///
/// A transport must not follow redirects, not retry, not treat a status as an error, not read more than 1 MiB of body, and
/// must send path, headers and body exactly as given.
#[uniffi::export(with_foreign)]
#[async_trait::async_trait]
pub trait RawTransport: Send + Sync {
    /// Sends the request and returns the whole answer. It is cancelled when the call is, and when its time is over.
    async fn exchange(&self, request: Arc<RawHttpRequest>) -> Result<Arc<RawHttpResponse>, SeamFailure>;
}

/// A request and the time it has.
pub(crate) struct TimedRequest {
    request: HttpRequest,
    deadline: Instant,
}

object! {
    /// One request, complete. It prints masked.
    RawHttpRequest(TimedRequest), |timed| format!("{:?}", timed.request)
}

#[uniffi::export]
impl RawHttpRequest {
    /// The method: everything this protocol sends is a `POST`.
    pub fn method(&self) -> String {
        self.inner.request.method().to_owned()
    }

    /// The absolute https URL.
    pub fn url(&self) -> String {
        self.inner.request.uri().to_string()
    }

    /// The names of the headers, in order. `Host` and `Content-Length` are the transport's business.
    pub fn header_names(&self) -> Vec<String> {
        self.inner.request.headers().keys().map(ToString::to_string).collect()
    }

    /// The value of a header, in clear: the token is one of them. Empty when there is none of this name.
    pub fn expose_header(&self, name: String) -> String {
        let value = self.inner.request.headers().get(name.as_str());
        value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
    }

    /// The body as it must be sent, byte for byte: it has been digested and signed.
    pub fn expose_body(&self) -> Vec<u8> {
        self.inner.request.body().to_vec()
    }

    /// The time that is left for the whole exchange.
    pub fn time_left(&self) -> TimeSpan {
        self.inner.deadline.saturating_duration_since(Instant::now()).into()
    }

    /// Whether this request must not travel on a connection that has been idle: it changes something at the bank, and an idle
    /// connection may die under it and leave its fate unknown.
    pub fn wants_fresh_connection(&self) -> bool {
        self.inner.request.wants_fresh_connection()
    }
}

object! {
    /// One whole answer. It prints masked.
    RawHttpResponse(HttpResponse), |answer| format!("{answer:?}")
}

#[uniffi::export]
impl RawHttpResponse {
    /// An answer: the status, the headers' names and their values in the same order, and the body of at most 1 MiB.
    ///
    /// Throws `protocol.malformed_http`, `protocol.answer_too_large`.
    #[uniffi::constructor]
    pub fn new(
        status: i32,
        header_names: Vec<String>,
        header_values: Vec<String>,
        body: Vec<u8>,
    ) -> Result<Arc<Self>, RawFailure> {
        direct(|| {
            let status = u16::try_from(status).unwrap_or_default();
            let answer = HttpResponse::new(status, header_names.iter().zip(&header_values), body);
            answer.map(Self::of).map_err(|error| error.with_request_sent(RequestSent::Yes))
        })
    }
}

/// A transport of the other side, as the core has it.
pub(crate) struct ForeignTransport(pub(crate) Arc<dyn RawTransport>);

impl Transport for ForeignTransport {
    fn exchange(&self, request: &HttpRequest, context: &TransportContext) -> cbpii::Result<HttpResponse> {
        let timed = TimedRequest { request: request.clone(), deadline: context.deadline };
        let answer = wait(self.0.exchange(RawHttpRequest::of(timed)), context)?;
        match answer {
            Ok(answer) => Ok(answer.inner.clone()),
            Err(failure) => Err(failure.into_error(ErrorCode::TransportFailed, "transport")),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for what is done on the other side, as long as the context allows; dropping it then cancels it there.
fn wait<T>(work: impl Future<Output = T>, context: &TransportContext) -> cbpii::Result<T> {
    let given_up = |code, message| Error::new(code, message).with_request_sent(RequestSent::Unknown);
    let thread = std::thread::current();
    let waker = Waker::from(Arc::new(Unpark(thread.clone())));
    let _awake = context.cancel.as_ref().map(|token| token.on_cancel(move || thread.unpark()));
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(outcome) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Ok(outcome);
        }
        if context.cancel.as_ref().is_some_and(cbpii::CancelToken::is_cancelled) {
            return Err(given_up(ErrorCode::Cancelled, "The call was cancelled while the transport worked."));
        }
        let left = context.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let message = "The transport gave no answer in time; this is not a \"no\": try again.";
            return Err(given_up(ErrorCode::TotalTimeout, message));
        }
        std::thread::park_timeout(left);
    }
}
