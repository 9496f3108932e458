//! What a client tells about its work.

use std::ffi::{c_char, c_void};
use std::ptr;

use cbpii_core::{Event, Operation};

use crate::guard;
use crate::handle::{Tagged, fact, handle};
use crate::names::{Enumeration, name_of};
use crate::text::Texts;

/// An authorization code is exchanged for tokens.
pub const CBPII_OPERATION_EXCHANGE_CODE: i32 = 1;
/// Tokens are refreshed.
pub const CBPII_OPERATION_REFRESH: i32 = 2;
/// Funds are checked.
pub const CBPII_OPERATION_CONFIRM_FUNDS: i32 = 3;

/// One HTTP exchange that ended, well or not; a call that was retried tells more than one. Nothing in it is secret. It
/// lives as long as the callback it was given to.
pub struct cbpii_event {
    _opaque: [u8; 0],
}

handle!(cbpii_event => EventFacts);

/// An event with its strings.
pub struct EventFacts {
    operation: i32,
    attempt: u32,
    duration_us: i64,
    http_status: i32,
    error_number: i32,
    texts: Texts<3>,
}

impl EventFacts {
    pub(crate) fn tagged(event: &Event<'_>) -> Tagged<cbpii_event> {
        let whole = event.to_string();
        Tagged::new(Self {
            operation: event.operation.number(),
            attempt: event.attempt,
            duration_us: i64::try_from(event.duration.as_micros()).unwrap_or(i64::MAX),
            http_status: event.http_status.map_or(0, i32::from),
            error_number: event.error.map_or(0, |code| i32::from(code.number())),
            texts: Texts::of([Some(&whole), Some(event.bank_id), event.request_id]),
        })
    }
}

/// Called after every HTTP exchange, on the thread that made it. It must be quick.
pub type cbpii_event_listener =
    Option<unsafe extern "C" fn(user_data: *mut c_void, event: *const cbpii_event)>;

/// What was being done: one of `CBPII_OPERATION_…`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_event_operation(event: *const cbpii_event) -> i32 {
    unsafe { fact(event, 0, |facts| facts.operation) }
}

/// At which bank: its id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_event_bank_id(event: *const cbpii_event) -> *const c_char {
    unsafe { fact(event, ptr::null(), |facts| facts.texts.get(1)) }
}

/// The X-Request-ID. NULL when the request had none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_event_request_id(event: *const cbpii_event) -> *const c_char {
    unsafe { fact(event, ptr::null(), |facts| facts.texts.get(2)) }
}

/// Counts the attempts of one call, from 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_event_attempt(event: *const cbpii_event) -> u32 {
    unsafe { fact(event, 0, |facts| facts.attempt) }
}

/// How long the exchange took, in microseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_event_duration(event: *const cbpii_event) -> i64 {
    unsafe { fact(event, 0, |facts| facts.duration_us) }
}

/// The HTTP status. 0 when no answer came.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_event_http_status(event: *const cbpii_event) -> i32 {
    unsafe { fact(event, 0, |facts| facts.http_status) }
}

/// Why it failed: one of `CBPII_ERROR_…`. 0 when it did not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_event_error_number(event: *const cbpii_event) -> i32 {
    unsafe { fact(event, 0, |facts| facts.error_number) }
}

/// All of it as one line, for a log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_event_text(event: *const cbpii_event) -> *const c_char {
    unsafe { fact(event, ptr::null(), |facts| facts.texts.get(0)) }
}

/// The stable name of an operation, e.g. "confirm_funds". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_operation_name(operation: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<Operation>(operation)))
}
