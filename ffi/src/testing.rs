//! One function that panics for each shape of entry point, so that the tests can prove that no panic gets out. They are in
//! no header and in nothing that is shipped.

use std::ffi::c_char;
use std::ptr;

use crate::bank::cbpii_bank;
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
