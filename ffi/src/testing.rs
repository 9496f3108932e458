//! One function that panics for each shape of entry point, so that the tests can prove that no panic gets out; and a bank
//! in memory, so that the bench can tell what the way through C costs. They are in no header and in nothing that is
//! shipped.

use std::ffi::c_char;
use std::ptr;

use cbpii_core::Result;
use cbpii_core::http::{HttpRequest, HttpResponse, Transport, TransportContext};

use crate::bank::cbpii_bank;
use crate::client_options::{self, cbpii_client_options};
use crate::error::cbpii_error;
use crate::guard;
use crate::handle::{fact, free, handle, into_raw, out};

/// What panics when it is dropped.
pub struct cbpii_testing_bomb {
    _opaque: [u8; 0],
}

handle!(cbpii_testing_bomb => Bomb);

/// See [`cbpii_testing_bomb`].
pub struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a panic made for a test, in a destructor");
    }
}

/// A call that can fail, with a result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_testing_panic_in_call(bank: *mut *mut cbpii_bank) -> *mut cbpii_error {
    guard::call(|| {
        let _place = out(bank, "bank")?;
        panic!("a panic made for a test, with a secret: s3cr3t");
    })
}

/// A call that can fail and panics with a value that panics again when it is dropped.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_testing_panic_twice() -> *mut cbpii_error {
    guard::call(|| std::panic::panic_any(Bomb))
}

/// A fact that is text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_testing_panic_in_text(error: *const cbpii_error) -> *const c_char {
    unsafe { fact(error, ptr::null(), |_| panic!("a panic made for a test")) }
}

/// A fact that is a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_testing_panic_in_number(error: *const cbpii_error) -> i64 {
    unsafe { fact(error, -1, |_| panic!("a panic made for a test")) }
}

/// A fact that is a yes or no.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_testing_panic_in_bool(error: *const cbpii_error) -> bool {
    unsafe { fact(error, false, |_| panic!("a panic made for a test")) }
}

/// A name without a handle.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_testing_panic_in_name() -> *const c_char {
    guard::or(ptr::null(), || panic!("a panic made for a test"))
}

/// A handle whose end panics.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_testing_bomb_new() -> *mut cbpii_testing_bomb {
    into_raw(Bomb)
}

/// Frees it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_testing_bomb_free(bomb: *mut cbpii_testing_bomb) {
    unsafe { free(bomb) }
}

/// A bank in memory that answers every check by yes: the same as `tests/bench/src/in_memory.rs`, so that their costs can be
/// compared.
struct Memory;

impl Transport for Memory {
    fn exchange(&self, request: &HttpRequest, _: &TransportContext) -> Result<HttpResponse> {
        const BODY: &str = r#"{"request":{"paymentCoverageRequestId":"MyCoverage123456","instructedAmount":{"currency":"EUR","amount":"12.50"},"accountId":{"iban":"FR7617515900000800358074006"}},"result":true,"_links":{"self":{"href":"v1/funds-confirmations"}}}"#;
        let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
        let headers = [
            ("content-type", "application/hal+json; charset=utf-8"),
            ("x-request-id", id.unwrap_or_default()),
            ("x-correlationid", "5f0c7a52-3f5e-4d0f-8a53-0123456789ab"),
            ("date", "Mon, 23 Nov 2026 13:11:00 GMT"),
            ("content-length", "231"),
        ];
        HttpResponse::new(200, headers, BODY.as_bytes().to_vec())
    }
}

/// Lets a client with these options ask the bank in memory instead of a real one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_testing_answer_in_memory(
    options: *mut cbpii_client_options,
) -> *mut cbpii_error {
    guard::call(|| unsafe { client_options::add(options, |builder| builder.transport(Memory)) })
}
