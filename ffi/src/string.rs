//! Strings that C owns.

use std::ffi::c_char;
use std::ptr;

use zeroize::Zeroizing;

use crate::handle::{Out, fact, free, handle};

/// A string that belongs to the caller: a secret that was asked for by name, or JSON. It is overwritten when freed.
pub struct cbpii_string {
    _opaque: [u8; 0],
}

handle!(cbpii_string => Zeroizing<Vec<u8>>);

impl Out<*mut cbpii_string> {
    /// A copy of `text`, terminated.
    pub(crate) fn put_text(self, text: &str) {
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 1));
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
        self.put_new(bytes);
    }
}

/// The text, NUL-terminated UTF-8, borrowed from the string. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_string_text(string: *const cbpii_string) -> *const c_char {
    unsafe { fact(string, ptr::null(), |bytes| bytes.as_ptr().cast()) }
}

/// The length of the text in bytes, its NUL not counted. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_string_length(string: *const cbpii_string) -> usize {
    unsafe { fact(string, 0, |bytes| bytes.len().saturating_sub(1)) }
}

/// Overwrites and frees the string. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_string_free(string: *mut cbpii_string) {
    unsafe { free(string) }
}
