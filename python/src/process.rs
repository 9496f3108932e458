//! What belongs to the process that made it.

use cbpii::{Error, ErrorCode};
use pyo3::prelude::*;

use crate::error::raise;

/// A value that a child after `os.fork()` must neither use nor drop: a thread that does not exist there may hold its
/// locks, and its connections and files are the parent's.
pub(crate) struct Owned<T> {
    process: u32,
    /// Taken out when it is dropped, and only then.
    value: Option<T>,
}

impl<T> Owned<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { process: std::process::id(), value: Some(value) }
    }

    /// The value, in the process that made it.
    pub(crate) fn here(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| self.process == std::process::id())
    }

    /// The value, or the error that it does not survive a fork.
    pub(crate) fn get(&self, py: Python<'_>) -> PyResult<&T> {
        self.here().ok_or_else(|| {
            let message = "This object was made before os.fork() and cannot be used in the child; open the store and make the pool of sessions again there.";
            raise(py, &Error::new(ErrorCode::OptionValue, message))
        })
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        if self.here().is_none() {
            std::mem::forget(self.value.take());
        }
    }
}
