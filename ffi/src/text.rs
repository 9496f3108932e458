//! Strings and bytes, in and out.

use std::ffi::{CStr, CString, c_char};
use std::{ptr, slice};

use cbpii_core::{Error, ErrorCode, Result, Secret};
use zeroize::Zeroizing;

use crate::handle::missing;

/// A NUL-terminated string of C that must be there.
pub(crate) unsafe fn text<'a>(pointer: *const c_char, argument: &str) -> Result<&'a str> {
    if pointer.is_null() {
        return Err(missing(argument));
    }
    // SAFETY: the header asks for a NUL-terminated string.
    unsafe { CStr::from_ptr(pointer) }.to_str().map_err(|error| {
        let place = error.valid_up_to();
        let message = format!("The argument {argument} is not UTF-8 (at byte {place}); convert it first.");
        Error::new(ErrorCode::Argument, message)
    })
}

/// A string that may be left out.
pub(crate) unsafe fn optional_text<'a>(pointer: *const c_char, argument: &str) -> Result<Option<&'a str>> {
    // SAFETY: as in `text`.
    if pointer.is_null() { Ok(None) } else { unsafe { text(pointer, argument).map(Some) } }
}

/// A secret that may be left out.
pub(crate) unsafe fn optional_secret(pointer: *const c_char, argument: &str) -> Result<Option<Secret>> {
    // SAFETY: as in `text`.
    Ok(unsafe { optional_text(pointer, argument) }?.map(Secret::from))
}

/// Bytes with their length; NULL is allowed for none.
pub(crate) unsafe fn bytes<'a>(pointer: *const u8, length: usize, argument: &str) -> Result<&'a [u8]> {
    if length == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(missing(argument));
    }
    if isize::try_from(length).is_err() {
        let message =
            format!("The length of the argument {argument} is larger than any memory; pass the real one.");
        return Err(Error::new(ErrorCode::Argument, message));
    }
    // SAFETY: the header asks for `length` readable bytes.
    Ok(unsafe { slice::from_raw_parts(pointer, length) })
}

/// A string for C. A NUL in it, which no fact of the library has, becomes a blank.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}

/// The strings of one handle, NUL-terminated, one behind the other; overwritten when dropped.
pub(crate) struct Texts<const N: usize> {
    bytes: Zeroizing<Vec<u8>>,
    starts: [Option<usize>; N],
}

impl<const N: usize> Texts<N> {
    pub(crate) fn of(parts: [Option<&str>; N]) -> Self {
        let length = parts.iter().flatten().map(|part| part.len() + 1).sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        let starts = parts.map(|part| part.map(|part| append(&mut bytes, part)));
        Self { bytes, starts }
    }

    /// NULL when the string is not there.
    pub(crate) fn get(&self, place: usize) -> *const c_char {
        self.starts[place].map_or(ptr::null(), |start| self.bytes[start..].as_ptr().cast())
    }
}

/// A list of strings, kept like [`Texts`].
#[derive(Default)]
pub(crate) struct TextList {
    bytes: Zeroizing<Vec<u8>>,
    starts: Vec<usize>,
}

impl TextList {
    pub(crate) fn of(parts: &[&str]) -> Self {
        // Room for all at once: a buffer that moved would leave a copy behind.
        let length = parts.iter().map(|part| part.len() + 1).sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        let starts = parts.iter().map(|part| append(&mut bytes, part)).collect();
        Self { bytes, starts }
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// NULL beyond the end.
    pub(crate) fn get(&self, place: usize) -> *const c_char {
        self.starts.get(place).map_or(ptr::null(), |start| self.bytes[*start..].as_ptr().cast())
    }
}

fn append(bytes: &mut Vec<u8>, part: &str) -> usize {
    let start = bytes.len();
    bytes.extend(part.bytes().map(|byte| if byte == 0 { b' ' } else { byte }));
    bytes.push(0);
    start
}
