//! Bring your own HTTP.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::time::Instant;

use cbpii_core::http::{HttpRequest, HttpResponse, Transport, TransportContext};
use cbpii_core::{Error, ErrorCode, RequestSent, Result};
use zeroize::Zeroizing;

use crate::callback::{UserData, cbpii_destroy};
use crate::error::{cbpii_error, returned};
use crate::guard;
use crate::handle::{Tagged, fact, given_mut, handle, missing};
use crate::text::{TextList, Texts, bytes, text};

/// A request that a transport must send, complete: path, headers and body exactly as given, for they have been signed. It
/// lives as long as the callback it was given to.
pub struct cbpii_http_request {
    _opaque: [u8; 0],
}

handle!(cbpii_http_request => RequestFacts);

/// A request as strings.
pub struct RequestFacts {
    texts: Texts<2>,
    names: TextList,
    values: TextList,
    body: Zeroizing<Vec<u8>>,
    context: TransportContext,
    fresh_connection: bool,
}

impl RequestFacts {
    fn new(request: &HttpRequest, context: &TransportContext) -> Result<Self> {
        let headers = request.headers();
        // `keys` would give a name once that is there twice.
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let values = headers.values().map(|value| value.to_str()).collect::<Result<Vec<_>, _>>();
        let values = values.map_err(|_| {
            let message =
                "A header of the request is not text and cannot be given to the transport; report it.";
            Error::new(ErrorCode::Internal, message)
        })?;
        Ok(Self {
            texts: Texts::of([Some(request.method()), Some(&request.uri().to_string())]),
            names: TextList::of(&names),
            values: TextList::of(&values),
            body: Zeroizing::new(request.body().to_vec()),
            context: context.clone(),
            fresh_connection: request.wants_fresh_connection(),
        })
    }
}

/// The method: "POST".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_request_method(request: *const cbpii_http_request) -> *const c_char {
    unsafe { fact(request, ptr::null(), |facts| facts.texts.get(0)) }
}

/// The absolute https URL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_request_url(request: *const cbpii_http_request) -> *const c_char {
    unsafe { fact(request, ptr::null(), |facts| facts.texts.get(1)) }
}

/// How many headers there are. Host and Content-Length are not among them: they are the transport's business.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_request_header_count(request: *const cbpii_http_request) -> usize {
    unsafe { fact(request, 0, |facts| facts.names.len()) }
}

/// The name of a header, in small letters. NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_request_header_name(
    request: *const cbpii_http_request,
    place: usize,
) -> *const c_char {
    unsafe { fact(request, ptr::null(), |facts| facts.names.get(place)) }
}

/// The value of a header, which may be a secret: never log it. NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_request_header_value(
    request: *const cbpii_http_request,
    place: usize,
) -> *const c_char {
    unsafe { fact(request, ptr::null(), |facts| facts.values.get(place)) }
}

/// The body, `cbpii_http_request_body_length` bytes, which may hold secrets: never log it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_request_body(request: *const cbpii_http_request) -> *const u8 {
    unsafe { fact(request, ptr::null(), |facts| facts.body.as_ptr()) }
}

/// The length of the body in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_request_body_length(request: *const cbpii_http_request) -> usize {
    unsafe { fact(request, 0, |facts| facts.body.len()) }
}

/// How many milliseconds are left until the whole answer must be there. 0 when the time is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_request_time_left(request: *const cbpii_http_request) -> i64 {
    let left = |facts: &RequestFacts| facts.context.deadline.saturating_duration_since(Instant::now());
    unsafe { fact(request, 0, |facts| i64::try_from(left(facts).as_millis()).unwrap_or(i64::MAX)) }
}

/// Whether the caller has cancelled the call: a transport that waits should look now and then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_request_is_cancelled(request: *const cbpii_http_request) -> bool {
    unsafe {
        fact(request, false, |facts| {
            facts.context.cancel.as_ref().is_some_and(cbpii_core::CancelToken::is_cancelled)
        })
    }
}

/// Whether the request must not travel on a connection that has been idle: it changes something at the bank, and its fate
/// would be unknown if such a connection died under it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_request_wants_fresh_connection(
    request: *const cbpii_http_request,
) -> bool {
    unsafe { fact(request, false, |facts| facts.fresh_connection) }
}

/// The answer that a transport fills in. It lives as long as the callback it was given to.
pub struct cbpii_http_response {
    _opaque: [u8; 0],
}

handle!(cbpii_http_response => ResponseFacts);

/// An answer as far as it was filled in.
#[derive(Default)]
pub struct ResponseFacts {
    status: u16,
    headers: Vec<(String, String)>,
    body: Zeroizing<Vec<u8>>,
}

/// Sets the status, 100 to 599.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_response_set_status(
    response: *mut cbpii_http_response,
    status: i32,
) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(response, "response") }?;
        facts.status =
            u16::try_from(status).ok().filter(|status| (100..=599).contains(status)).ok_or_else(|| {
                Error::new(ErrorCode::Argument, "The argument status is not an HTTP status, 100 to 599.")
            })?;
        Ok(())
    })
}

/// Adds a header of the answer.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_response_add_header(
    response: *mut cbpii_http_response,
    name: *const c_char,
    value: *const c_char,
) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(response, "response") }?;
        let (name, value) = unsafe { (text(name, "name")?, text(value, "value")?) };
        facts.headers.push((name.to_owned(), value.to_owned()));
        Ok(())
    })
}

/// Sets the body: `length` bytes, which are copied. More than 1 MiB makes the call fail with protocol.answer_too_large.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_http_response_set_body(
    response: *mut cbpii_http_response,
    body: *const u8,
    length: usize,
) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(response, "response") }?;
        facts.body = Zeroizing::new(unsafe { bytes(body, length, "body") }?.to_vec());
        Ok(())
    })
}

/// Sends the request and fills in the whole answer. It must not follow redirects, not retry, not treat a status as an
/// error, not read more than 1 MiB of body. Returns NULL, or an error of `cbpii_error_new`, best with
/// `CBPII_ERROR_NETWORK_TRANSPORT_FAILED`, which is never repeated, or with `CBPII_ERROR_NETWORK_CONNECT` or another network
/// error, and with `cbpii_error_set_request_sent`: what of these is repeated depends on it. Called from any thread, several
/// at once.
pub type cbpii_exchange = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        request: *const cbpii_http_request,
        response: *mut cbpii_http_response,
    ) -> *mut cbpii_error,
>;

/// An HTTP stack of the caller: TLS and the client certificate are then its business. The function that takes a transport
/// copies this struct.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cbpii_transport {
    /// Given to the functions below.
    pub user_data: *mut c_void,
    /// Makes one exchange.
    pub exchange: cbpii_exchange,
    /// Called once when `user_data` is needed no more, also when taking the transport failed. May be NULL.
    pub destroy: cbpii_destroy,
}

pub(crate) struct ForeignTransport {
    user_data: UserData,
    exchange: unsafe extern "C" fn(
        *mut c_void,
        *const cbpii_http_request,
        *mut cbpii_http_response,
    ) -> *mut cbpii_error,
}

/// Takes a transport over; its destructor runs even when this fails.
pub(crate) unsafe fn taken(transport: *const cbpii_transport) -> Result<ForeignTransport> {
    if transport.is_null() {
        return Err(missing("transport"));
    }
    // SAFETY: the header asks for a valid struct.
    let transport = unsafe { transport.read_unaligned() };
    let user_data = UserData::new(transport.user_data, transport.destroy);
    let exchange = transport.exchange.ok_or_else(|| missing("transport->exchange"))?;
    Ok(ForeignTransport { user_data, exchange })
}

impl Transport for ForeignTransport {
    fn exchange(&self, request: &HttpRequest, context: &TransportContext) -> Result<HttpResponse> {
        let request = Tagged::<cbpii_http_request>::new(RequestFacts::new(request, context)?);
        let mut response = Tagged::<cbpii_http_response>::new(ResponseFacts::default());
        // SAFETY: both live longer than the call, and the header says what the function may do with them.
        unsafe { returned((self.exchange)(self.user_data.get(), request.as_ptr(), response.as_mut_ptr())) }?;
        let ResponseFacts { status, headers, mut body } = response.into_value();
        HttpResponse::new(status, headers, std::mem::take(&mut *body))
            .map_err(|error| error.with_request_sent(RequestSent::Yes))
    }
}
