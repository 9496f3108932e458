//! Ask a bank "are the funds there?".
//!
//! A card issuer (PSD2 role CBPII) whose card is debited from an account at another bank may ask that bank, with the
//! cardholder's consent and in real time, whether the account covers an amount: yes or no, nothing is reserved. This
//! crate does what that takes: the consent redirect (OAuth 2), tokens over mutual TLS with eIDAS certificates, signed
//! requests (STET), and an answer that is a yes or a no only when the bank said so.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use cbpii::bank::TrustMode;
//! # let sandbox = cbpii_sandbox::Sandbox::start(cbpii_sandbox::SandboxOptions::default())?;
//! # let kit = sandbox.issuer();
//! # let (qwac_pem, qwac_key) = (kit.qwac.chain_pem.as_bytes(), kit.qwac.key_pem.as_bytes());
//! # let (qsealc_pem, qsealc_key) = (kit.qsealc.chain_pem.as_bytes(), kit.qsealc.key_pem.as_bytes());
//! # let (client_id, redirect_uri) = (kit.client_id.as_str(), kit.redirect_uri.as_str());
//! use cbpii::identity::{SealIdentity, TransportIdentity};
//! use cbpii::{Amount, Bank, Client, ConsentOptions, Environment, FundsRequest, Iban, Issuer};
//!
//! // Who asks, and whom: make one client per bank and keep it.
//! let issuer = Issuer::new(client_id, redirect_uri)?
//!     .with_transport(TransportIdentity::from_pem(qwac_pem, qwac_key, None)?)
//!     .with_seal(SealIdentity::from_pem(qsealc_pem, qsealc_key, None)?);
//! let bank = Bank::bpce("17515", Environment::Sandbox)?;
//! # let bank = bank.with_origin(&sandbox.endpoints().origin)?.with_trust_anchor(&kit.ca_pem, TrustMode::Replace)?;
//! let client = Client::new(bank, issuer)?;
//!
//! // Once per cardholder: the browser goes to the bank, and comes back.
//! let pending = client.begin_consent(&ConsentOptions::default())?;
//! # let callback = sandbox.approve(pending.url(), "CLAIRE")?;
//! let tokens = client.complete_consent(&pending, &callback)?;
//!
//! // At every payment.
//! let account = Iban::parse("FR76 1751 5900 0008 0035 8074 006")?;
//! let request = FundsRequest::new("ORDER-4711", account, Amount::new("59.90", "EUR")?)?;
//! let answer = client.confirm_funds(&tokens, &request)?;
//! assert!(answer.available);
//! # Ok(()) }
//! ```
//!
//! # Where to read on
//!
//! - [`manual`]: how-to pages on the protocol, certificates, consent on a web server, errors and their catalogue, timeouts,
//!   running a fleet of consents, HSMs, logging, operations
//! - [`Client`]: the calls; [`Error`] and [`ErrorCode`]: what can go wrong and what to do then
//! - [`session`] and [`store`]: consents kept alive, refreshed once across threads and processes, sealed on disk
//! - [`many`]: many checks at once
//! - [`bank`]: the directory, and how to describe another bank as data
//! - [`identity`]: certificates and what a bank will find wrong with them
//! - [`http::Transport`] and [`identity::Signer`]: the two seams, to bring your own HTTP stack or HSM
//!
//! # Cargo features
//!
//! - `ring` (default): the cryptography under TLS and signatures; small, and quickly built.
//! - `aws-lc-rs`: AWS-LC instead (it wins if both are on). On processors with AVX-512 IFMA it signs in less than half of
//!   ring's time; it is 2 MB larger. Build it with `AWS_LC_SYS_NO_JITTER_ENTROPY=1` in the environment: without, it costs
//!   60 to 90 ms of CPU at the start of every process.
//! - `aws-lc-rsa`: beside `ring`, AWS-LC's RSA for the signatures of requests and nothing else, and only where the processor
//!   has AVX-512 IFMA: as fast, for 0.15 MB. It needs the same variable, and is the one feature with `unsafe` in this
//!   crate: the calls of its C functions.
//!
//! No feature installs anything process-wide: several clients with different identities live side by side.

#![cfg_attr(not(feature = "aws-lc-rsa"), forbid(unsafe_code))]
#![deny(unsafe_code)]

mod address;
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
mod json;
mod lookout;
pub mod manual;
pub mod many;
mod refusal;
mod secret;
pub mod session;
pub mod store;
mod token;
mod workers;

pub use bank::{Bank, Environment};
pub use cancel::{CancelToken, OnCancel};
pub use client::{CallOptions, Client, ClientBuilder};
pub use clock::{Clock, Entropy, SystemClock, SystemEntropy, Timestamp};
pub use consent::{AuthorizationCode, ConsentOptions, PendingConsent};
pub use error::{Advice, Error, ErrorCode, ErrorKind, RequestSent, Result};
pub use event::{Event, Operation};
pub use explain::Explanation;
pub use funds::{
    Account, AccountScheme, Amount, Currency, FundsConfirmation, FundsRequest, Iban, PsuContext,
};
pub use identity::Issuer;
pub use lookout::with_lookout;
pub use many::confirm_many;
pub use secret::{Secret, SecretBytes};
pub use session::{
    ConsentState, ConsentStatus, NextAction, Session, SessionOptions, SessionPool, renewals_due,
};
pub use token::Tokens;
pub use workers::Workers;

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
