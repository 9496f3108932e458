//! What a program gives the library to call: a transport, a listener, a clock. Each counts that it is destroyed once.

use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::atomic::{AtomicIsize, Ordering};

use cbpii_ffi::error::{cbpii_error, cbpii_error_free, cbpii_error_new};
use cbpii_ffi::event::{cbpii_event, cbpii_event_text};
use cbpii_ffi::transport::{
    cbpii_http_request, cbpii_http_request_body, cbpii_http_request_body_length,
    cbpii_http_request_header_count, cbpii_http_request_header_name, cbpii_http_request_header_value,
    cbpii_http_request_url, cbpii_http_response, cbpii_http_response_add_header,
    cbpii_http_response_set_body, cbpii_http_response_set_status, cbpii_transport,
};

use crate::choices::Choices;
use crate::facts::read_text;

/// How many user data the library holds.
static HELD: AtomicIsize = AtomicIsize::new(0);

/// What a transport answers with.
struct Answer {
    kind: u8,
    body: Vec<u8>,
}

/// A yes to 12.50 EUR for ORDER-4711.
const YES: &str = r#"{"request":{"paymentCoverageRequestId":"ORDER-4711","instructedAmount":{"currency":"EUR","amount":"12.50"},"accountId":{"iban":"FR7617515900000800358074006"}},"result":true,"_links":{}}"#;
const TOKENS: &str = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","token_type":"Bearer","expires_in":60}"#;

fn hold<T>(value: T) -> *mut c_void {
    HELD.fetch_add(1, Ordering::Relaxed);
    Box::into_raw(Box::new(value)).cast()
}

unsafe extern "C" fn destroy<T>(user_data: *mut c_void) {
    HELD.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: `hold` made it of a `T`.
    drop(unsafe { Box::from_raw(user_data.cast::<T>()) });
}

/// Every user data is destroyed once its last holder is gone: at once, or when a refresh that goes on has ended.
pub fn assert_destroyed() {
    for _ in 0..5_000_000 {
        if HELD.load(Ordering::Relaxed) == 0 {
            return;
        }
        std::thread::yield_now();
    }
    panic!("{} user data were never destroyed", HELD.load(Ordering::Relaxed));
}

/// A transport in memory.
pub fn transport(choices: &mut Choices<'_>) -> cbpii_transport {
    let answer = Answer { kind: choices.byte(), body: choices.given() };
    let exchange: Option<unsafe extern "C" fn(_, _, _) -> _> =
        if answer.kind == 255 { None } else { Some(exchange) };
    cbpii_transport { user_data: hold(answer), exchange, destroy: Some(destroy::<Answer>) }
}

/// User data and destructor of a listener and of a clock.
pub fn held() -> (*mut c_void, Option<unsafe extern "C" fn(*mut c_void)>) {
    (hold(0_u64), Some(destroy::<u64>))
}

pub unsafe extern "C" fn listener(_: *mut c_void, event: *const cbpii_event) {
    unsafe { read_text(cbpii_event_text(event)) }
}

pub unsafe extern "C" fn clock(_: *mut c_void) -> i64 {
    1_795_439_100_000
}

unsafe extern "C" fn exchange(
    user_data: *mut c_void,
    request: *const cbpii_http_request,
    response: *mut cbpii_http_response,
) -> *mut cbpii_error {
    unsafe {
        let answer = &*user_data.cast::<Answer>();
        read_request(request);
        let is_token = CStr::from_ptr(cbpii_http_request_url(request)).to_bytes().ends_with(b"token");
        let body = match answer.kind % 8 {
            0 => answer.body.as_slice(),
            1 => return cbpii_error_new(i32::from(answer.body.len() as u8) + 9000, ptr::null()),
            2 => return ptr::null_mut(),
            _ if is_token => TOKENS.as_bytes(),
            _ => YES.as_bytes(),
        };
        let status = if answer.kind % 8 == 3 { 401 } else { 200 };
        forget(cbpii_http_response_set_status(response, status));
        forget(cbpii_http_response_add_header(response, c"x-correlationid".as_ptr(), c"1".as_ptr()));
        forget(cbpii_http_response_set_body(response, body.as_ptr(), body.len()));
        ptr::null_mut()
    }
}

unsafe fn read_request(request: *const cbpii_http_request) {
    unsafe {
        for place in 0..=cbpii_http_request_header_count(request) {
            read_text(cbpii_http_request_header_name(request, place));
            read_text(cbpii_http_request_header_value(request, place));
        }
        let length = cbpii_http_request_body_length(request);
        let body = std::slice::from_raw_parts(cbpii_http_request_body(request), length);
        assert!(body.is_ascii());
    }
}

unsafe fn forget(error: *mut cbpii_error) {
    unsafe { cbpii_error_free(error) }
}
