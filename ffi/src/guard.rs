//! No panic leaves an entry point: it would abort the caller's process.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use cbpii_core::{Error, ErrorCode, Result};

use crate::error::cbpii_error;

/// A call that can fail: NULL for success.
pub(crate) fn call(work: impl FnOnce() -> Result<()>) -> *mut cbpii_error {
    match caught(work).unwrap_or_else(|| Err(panicked())) {
        Ok(()) => ptr::null_mut(),
        Err(error) => cbpii_error::new(error),
    }
}

/// A call that cannot fail: `absent` when there is nothing to give.
pub(crate) fn or<T>(absent: T, work: impl FnOnce() -> Option<T>) -> T {
    caught(work).flatten().unwrap_or(absent)
}

fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(discard).ok()
}

/// A panic's payload may panic when it is dropped.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}

fn panicked() -> Error {
    Error::new(
        ErrorCode::Internal,
        "The library met a defect of its own (a panic) and gave the call up; please report it.",
    )
}
