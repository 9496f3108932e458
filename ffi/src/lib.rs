//! The C library: conversions between C and the core, and nothing else. `include/cbpii.h` is made of this crate and
//! is its documentation; the conventions every function here follows are the first chapter of that header.
//!
//! - [`handle`]: what an opaque C type stands for, and how a pointer to one is checked
//! - [`guard`]: no panic leaves an entry point
//! - [`text`]: strings in and out
//! - one module for each chapter of the header

#![allow(non_camel_case_types, reason = "the names are C's")]
#![allow(clippy::missing_safety_doc, reason = "the header's first chapter says what every pointer must be")]

pub mod bank;
pub mod callback;
pub mod cancel;
pub mod certificate;
pub mod client;
pub mod client_options;
pub mod consent;
pub mod error;
pub mod error_number;
pub mod event;
pub mod explanation;
pub mod funds;
mod guard;
mod handle;
pub mod issuer;
pub mod many;
mod names;
pub mod session;
pub mod signer;
pub mod store;
pub mod string;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
pub mod tokens;
pub mod transport;
pub mod version;

/// Clears every block of memory when it is freed: also the buffers of TLS and HTTP, which know nothing of secrets.
#[cfg(not(feature = "host-allocator"))]
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);
