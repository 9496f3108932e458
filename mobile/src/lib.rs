//! The library for Kotlin and Swift: what a phone needs of the core, exported through UniFFI.
//!
//! What is generated from here is wrapped by a thin layer in each language (`kotlin/`, `swift/`). Objects that the layers
//! wrap are called `Raw…`; records and enums are used as they are. Three rules:
//!
//! - Whatever can fail throws, because a panic in a function that does not throw ends a Swift process; a panic is caught
//!   here and thrown as the error `internal`.
//! - Whatever holds a secret or an account number is an object, because a record prints its fields; objects print masked.
//! - Whatever may wait is asynchronous and runs on one of the threads kept for calls.

#![allow(clippy::result_large_err, reason = "an error's facts are copied into a buffer at once")]

mod bank;
mod call;
mod certificate;
mod client;
mod consent;
mod error;
mod funds;
mod identity;
mod mirror;
mod object;
mod room;
mod seam;
mod session;
mod store;
mod testing;
mod tokens;
mod transport;
mod values;

pub use bank::*;
pub use call::RawCancelToken;
pub use certificate::*;
pub use client::*;
pub use consent::*;
pub use error::*;
pub use funds::*;
pub use identity::*;
pub use seam::*;
pub use session::*;
pub use store::*;
pub use tokens::*;
pub use transport::*;
pub use values::*;

uniffi::setup_scaffolding!("cbpii");
