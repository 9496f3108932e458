//! The compiled part of the Node package `cbpii`: it converts, makes calls on threads of its own, and tells their outcomes.
//!
//! It knows no class of the package: every function gives back a plain value or a [`error::Failure`], which the
//! package's JavaScript turns into an error. Three rules keep the event loop free and the process alive. No function of
//! this file waits: whatever asks the network or a store runs on a client's [`cbpii::Workers`]. A callback written in
//! JavaScript is asked from such a thread only, as a question that is dropped, and so answered, when its environment
//! ends. And no panic leaves a function: it is the error `internal`.

// What napi exports must be `pub`.
#![allow(unreachable_pub)]

mod bank;
mod call;
mod client;
mod clock;
mod consent;
mod convert;
mod error;
mod funds;
mod identity;
mod many;
mod question;
mod secret;
mod session;
mod signer;
mod store;
mod transport;
