//! Transports and listeners written in JavaScript.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use cbpii::http::{HttpRequest, HttpResponse, Transport, TransportContext};
use cbpii::{ErrorCode, RequestSent};
use napi::bindgen_prelude::{Buffer, Either, Function, Unknown};
use napi_derive::napi;

use crate::call::End;
use crate::convert::millis;
use crate::error::Thrown;
use crate::question::{Listener, Reply};

/// What a transport is told: a request to send, or the number of one that nobody waits for any more.
pub(crate) type Told = Either<Exchange, u32>;
pub(crate) type TransportFunction<'env> = Function<'env, Told, Unknown<'static>>;

/// One request, complete.
#[napi(object, object_from_js = false)]
pub struct OutgoingRequest {
    pub method: String,
    pub url: String,
    pub headers: Vec<Vec<String>>,
    pub body: Buffer,
    pub timeout_ms: f64,
    pub fresh_connection: bool,
}

/// What a transport is asked to send.
#[napi]
pub struct Exchange {
    number: u32,
    request: HttpRequest,
    deadline: Instant,
    reply: Reply<HttpResponse>,
}

#[napi]
impl Exchange {
    #[napi(catch_unwind)]
    pub fn number(&self) -> u32 {
        self.number
    }

    #[napi(catch_unwind)]
    pub fn request(&self) -> OutgoingRequest {
        let request = &self.request;
        let headers = request.headers().iter();
        let pair = headers.map(|(name, value)| {
            vec![name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()]
        });
        OutgoingRequest {
            method: request.method().to_owned(),
            url: request.uri().to_string(),
            headers: pair.collect(),
            body: request.body().to_vec().into(),
            timeout_ms: millis(self.deadline.saturating_duration_since(Instant::now())),
            fresh_connection: request.wants_fresh_connection(),
        }
    }

    #[napi(catch_unwind)]
    pub fn answered(&self, status: u16, headers: Vec<Vec<String>>, body: &[u8]) {
        let pairs = headers.into_iter().filter_map(|pair| <[String; 2]>::try_from(pair).ok());
        let answer = HttpResponse::new(status, pairs.map(|[name, value]| (name, value)), body.to_vec());
        self.reply.give(answer.map_err(|error| error.with_request_sent(RequestSent::Yes)));
    }

    #[napi(catch_unwind)]
    pub fn failed(&self, thrown: Thrown<'_>) {
        self.reply.give(Err(thrown.into_error(ErrorCode::TransportFailed)));
    }
}

/// A transport that is a function of JavaScript.
pub(crate) struct JsTransport {
    exchange: Listener<Told>,
    count: AtomicU32,
}

impl JsTransport {
    pub(crate) fn new(exchange: &TransportFunction<'_>) -> napi::Result<Self> {
        Ok(Self { exchange: Listener::new(exchange)?, count: AtomicU32::new(0) })
    }
}

impl Transport for JsTransport {
    fn exchange(&self, request: &HttpRequest, context: &TransportContext) -> cbpii::Result<HttpResponse> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let (request, deadline) = (request.clone(), context.deadline);
        let end = End { deadline: Some(deadline), cancel: context.cancel.clone() };
        self.exchange.ask_until(
            |reply| Either::A(Exchange { number, request, deadline, reply }),
            &end,
            || {
                self.exchange.tell(Either::B(number));
            },
        )
    }
}

/// One exchange that ended.
#[napi(object, object_from_js = false)]
pub struct Event {
    pub operation: String,
    pub bank_id: String,
    pub request_id: Option<String>,
    pub attempt: u32,
    pub duration_ms: f64,
    pub http_status: Option<u16>,
    pub error: Option<String>,
}

impl From<&cbpii::Event<'_>> for Event {
    fn from(event: &cbpii::Event<'_>) -> Self {
        Self {
            operation: event.operation.as_str().to_owned(),
            bank_id: event.bank_id.to_owned(),
            request_id: event.request_id.map(ToOwned::to_owned),
            attempt: event.attempt,
            duration_ms: millis(event.duration),
            http_status: event.http_status,
            error: event.error.map(|code| code.as_str().to_owned()),
        }
    }
}
