//! What callbacks of C have in common.

use std::ffi::c_void;

/// Ends the life of a callback's `user_data`.
pub type cbpii_destroy = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// The `user_data` of a callback and its destructor, which runs exactly once.
pub(crate) struct UserData {
    data: *mut c_void,
    destroy: cbpii_destroy,
}

// SAFETY: the header asks that callbacks and their user data can be used from any thread.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

impl UserData {
    pub(crate) fn new(data: *mut c_void, destroy: cbpii_destroy) -> Self {
        Self { data, destroy }
    }

    pub(crate) fn get(&self) -> *mut c_void {
        self.data
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the header asks for a function that takes this pointer.
            unsafe { destroy(self.data) }
        }
    }
}
