//! The sandbox bank seen from outside: over TLS, over its control endpoint, and as a process.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod binary;
mod client;
mod control;
mod faults;
mod journey;
mod kit;
mod lydia;
mod pages;
mod readme;
mod refusals;
mod tls;
