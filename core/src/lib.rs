//! Ask a bank "are the funds there?".
//!
//! `cbpii` is for card issuers in the PSD2 role CBPII.

pub mod bank;
mod cancel;
mod client;
mod clock;
mod consent;
mod crypto;
mod error;
mod event;
mod explain;
pub mod funds;
pub mod http;
pub mod identity;
pub mod manual;
mod refusal;
mod secret;
pub mod session;
pub mod store;
mod token;

pub use bank::{Bank, Environment};
pub use cancel::CancelToken;
pub use client::{CallOptions, Client, ClientBuilder};
pub use clock::{Clock, Entropy, SystemClock, SystemEntropy, Timestamp};
pub use consent::{AuthorizationCode, ConsentOptions, PendingConsent};
pub use error::{Advice, Error, ErrorCode, ErrorKind, RequestSent, Result};
pub use event::{Event, Operation};
pub use explain::Explanation;
pub use funds::{Account, AccountScheme, Amount, Currency, FundsConfirmation, FundsRequest, Iban, PsuContext};
pub use identity::Issuer;
pub use secret::{Secret, SecretBytes};
pub use session::{ConsentState, ConsentStatus, NextAction, Session, SessionOptions, SessionPool, renewals_due};
pub use token::Tokens;
