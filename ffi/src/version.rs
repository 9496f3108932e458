//! Which library this is.

use std::ffi::c_char;

/// The version of the binary interface this header describes. It changes only when a program that was compiled with
/// an older header could no longer run with a newer library; the library's soname carries it.
pub const CBPII_ABI_VERSION: u32 = 1;

/// The version of the binary interface of the library that was loaded: equal to `CBPII_ABI_VERSION`, or the program
/// must not go on.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_abi_version() -> u32 {
    CBPII_ABI_VERSION
}

/// The version of the library that was loaded, e.g. "0.1.0". It lives as long as the program.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}
