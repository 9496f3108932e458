//! Ending a call from another thread.

use cbpii_core::CancelToken;

use crate::error::cbpii_error;
use crate::guard;
use crate::handle::{fact, free, handle, out};

/// Ends the calls it was given to, from any thread.
pub struct cbpii_cancel_token {
    _opaque: [u8; 0],
}

handle!(cbpii_cancel_token => CancelToken);

/// A token that has not been cancelled.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_cancel_token_new(token: *mut *mut cbpii_cancel_token) -> *mut cbpii_error {
    guard::call(|| {
        out(token, "token")?.put_new(CancelToken::new());
        Ok(())
    })
}

/// Ends every call that runs under this token with the error `cancelled`, and every later one before it starts. May be
/// called from any thread, but not from a signal handler: it takes a lock. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_cancel_token_cancel(token: *const cbpii_cancel_token) {
    unsafe { fact(token, (), CancelToken::cancel) }
}

/// Whether the token was cancelled.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_cancel_token_is_cancelled(token: *const cbpii_cancel_token) -> bool {
    unsafe { fact(token, false, CancelToken::is_cancelled) }
}

/// Frees the token; calls that run under it go on. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_cancel_token_free(token: *mut cbpii_cancel_token) {
    unsafe { free(token) }
}
