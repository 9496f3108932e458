//! Errors as objects.

use std::ffi::c_char;
use std::ptr;

use cbpii_core::{Advice, Error, ErrorCode, ErrorKind, RequestSent, Result};

use crate::explanation::{ExplanationFacts, cbpii_explanation};
use crate::guard;
use crate::handle::{Tagged, fact, free, given_mut, handle, into_raw, put_if_some, take};
use crate::names::{Enumeration, error_code, name_of, stable};
use crate::text::{Texts, text};

/// What went wrong, and what to do about it. It holds no secret: IBANs and tokens in it are masked.
pub struct cbpii_error {
    _opaque: [u8; 0],
}

handle!(cbpii_error => ErrorFacts);

/// An error with its strings.
pub struct ErrorFacts {
    error: Error,
    texts: Texts<5>,
    explanation: Option<Box<Tagged<cbpii_explanation>>>,
}

impl ErrorFacts {
    pub(crate) fn new(error: Error) -> Self {
        let texts = Texts::of([
            Some(error.message()),
            error.bank_code(),
            error.bank_message(),
            error.request_id(),
            error.correlation_id(),
        ]);
        let explanation =
            error.explanation().map(|one| Box::new(Tagged::new(ExplanationFacts::new(one.clone()))));
        Self { error, texts, explanation }
    }

    fn text(&self, place: usize) -> *const c_char {
        self.texts.get(place)
    }
}

impl cbpii_error {
    pub(crate) fn new(error: Error) -> *mut Self {
        into_raw(ErrorFacts::new(error))
    }
}

/// What a callback returned: NULL for success, or an error that is now ours.
pub(crate) unsafe fn returned(error: *mut cbpii_error) -> Result<()> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: the header asks for an error made by `cbpii_error_new`.
    Err(unsafe { take(error) }.map_or_else(
        || Error::new(ErrorCode::Argument, "A callback returned a pointer that is no cbpii_error; return one of cbpii_error_new, or NULL."),
        |facts| facts.error,
    ))
}

/// Makes an error, for a callback to return. `number` is one of `CBPII_ERROR_…`; `message` is one sentence that says
/// what happened and what to do, without any secret. A number that is none becomes `CBPII_ERROR_INTERNAL`, and a message
/// that is NULL or not UTF-8 the code's own sentence. Never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_new(number: i32, message: *const c_char) -> *mut cbpii_error {
    let code = error_code(number).unwrap_or(ErrorCode::Internal);
    let message =
        guard::or(code.summary().to_owned(), || unsafe { text(message, "message") }.ok().map(str::to_owned));
    cbpii_error::new(Error::new(code, message))
}

/// States whether the failed request reached the bank, for a transport: one of `CBPII_REQUEST_SENT_…`. What may be
/// repeated depends on it; without it the library takes it that the request may have reached the bank.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_set_request_sent(
    error: *mut cbpii_error,
    sent: i32,
) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(error, "error") }?;
        facts.error = facts.error.clone().with_request_sent(RequestSent::given(sent, "sent")?);
        Ok(())
    })
}

/// Frees an error. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_free(error: *mut cbpii_error) {
    unsafe { free(error) }
}

/// The stable number of the cause: one of `CBPII_ERROR_…`. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_number(error: *const cbpii_error) -> i32 {
    unsafe { fact(error, 0, |facts| i32::from(facts.error.code().number())) }
}

/// The stable text of the cause, e.g. "consent.state_mismatch".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_code(error: *const cbpii_error) -> *const c_char {
    unsafe { fact(error, ptr::null(), |facts| stable(facts.error.code().as_str())) }
}

/// The group of the cause: one of `CBPII_ERROR_KIND_…`. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_kind(error: *const cbpii_error) -> i32 {
    unsafe { fact(error, 0, |facts| facts.error.kind().number()) }
}

/// What to do: one of `CBPII_ADVICE_…`. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_advice(error: *const cbpii_error) -> i32 {
    unsafe { fact(error, 0, |facts| facts.error.advice().number()) }
}

/// One sentence for a person: what happened and what to do.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_message(error: *const cbpii_error) -> *const c_char {
    unsafe { fact(error, ptr::null(), |facts| facts.text(0)) }
}

/// How long the bank asks to wait before the next call, in milliseconds. False when it does not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_retry_after(error: *const cbpii_error, milliseconds: *mut i64) -> bool {
    let wait = unsafe { fact(error, None, |facts| facts.error.retry_after()) };
    unsafe { put_if_some(milliseconds, wait.map(|wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))) }
}

/// The HTTP status of the bank's answer. 0 when there was none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_http_status(error: *const cbpii_error) -> i32 {
    unsafe { fact(error, 0, |facts| facts.error.http_status().map_or(0, i32::from)) }
}

/// The bank's business code ("AC01", …) or OAuth error code ("invalid_grant", …). NULL when it gave none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_bank_code(error: *const cbpii_error) -> *const c_char {
    unsafe { fact(error, ptr::null(), |facts| facts.text(1)) }
}

/// What the bank wrote, masked and cut to 512 characters. NULL when it wrote nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_bank_message(error: *const cbpii_error) -> *const c_char {
    unsafe { fact(error, ptr::null(), |facts| facts.text(2)) }
}

/// The X-Request-ID of the failed request: what the bank's support asks for first. NULL when there was none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_request_id(error: *const cbpii_error) -> *const c_char {
    unsafe { fact(error, ptr::null(), |facts| facts.text(3)) }
}

/// The bank's own X-CorrelationID. NULL when it gave none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_correlation_id(error: *const cbpii_error) -> *const c_char {
    unsafe { fact(error, ptr::null(), |facts| facts.text(4)) }
}

/// Whether the failed request reached the bank: one of `CBPII_REQUEST_SENT_…`. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_request_sent(error: *const cbpii_error) -> i32 {
    unsafe { fact(error, 0, |facts| facts.error.request_sent().number()) }
}

/// The failed request laid open, to be pasted in a ticket to the bank; borrowed from the error. NULL when none was built.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_error_explanation(error: *const cbpii_error) -> *const cbpii_explanation {
    unsafe {
        fact(error, ptr::null(), |facts| facts.explanation.as_ref().map_or(ptr::null(), |one| one.as_ptr()))
    }
}

/// The stable text of a number of the catalogue, e.g. "bank.account_closed" for `CBPII_ERROR_BANK_ACCOUNT_CLOSED`. NULL
/// for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_error_number_code(number: i32) -> *const c_char {
    guard::or(ptr::null(), || error_code(number).map(|code| stable(code.as_str())))
}

/// The stable name of a kind of error, e.g. "bank_refused". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_error_kind_name(kind: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<ErrorKind>(kind)))
}

/// The stable name of an advice, e.g. "renew_consent". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_advice_name(advice: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<Advice>(advice)))
}

/// The stable name of an answer to "did it reach the bank?": "no", "yes", "unknown". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_request_sent_name(sent: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<RequestSent>(sent)))
}
