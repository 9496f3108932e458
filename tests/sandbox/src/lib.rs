//! A bank on loopback that is as strict as the protocol allows, for the tests and the demo of `cbpii`.
//!
//! It shares no code with the library it tests: its certificates, its reading of the protocol and its signature checks
//! are its own.
//!
//! ```
//! use cbpii_sandbox::{Sandbox, SandboxOptions};
//!
//! let bank = Sandbox::start(SandboxOptions::default())?;
//! let issuer = bank.issuer();
//! let consent_url = format!(
//!     "{}?response_type=code&client_id={}&redirect_uri={}&scope=cbpii&state=s1",
//!     bank.endpoints().authorize_url,
//!     issuer.client_id,
//!     issuer.redirect_uri,
//! );
//! let callback = bank.approve(&consent_url, "CLAIRE")?;
//! assert!(callback.starts_with(&issuer.redirect_uri) && callback.ends_with("state=s1"));
//! # Ok::<(), cbpii_sandbox::SandboxError>(())
//! ```

mod answer_body;
mod authorize;
mod bank;
mod browser;
mod clock;
mod connection;
mod consent_page;
mod control;
mod control_http;
mod eligibility;
mod error;
mod exchange;
mod faults;
mod form;
mod funds;
mod grants;
mod iban;
mod issuer;
mod lock;
mod merge;
mod pages;
mod personas;
mod pki;
mod record;
mod sandbox;
mod secrets;
mod server;
mod service;
mod settings;
mod signature;
mod tls;
mod token;

pub use bank::Endpoints;
pub use control::Control;
pub use error::SandboxError;
pub use exchange::Endpoint;
pub use faults::{Fault, FaultRule};
pub use issuer::{Identity, IssuerKit, KEY_PASSWORD, KeyForms};
pub use personas::{Persona, Refusal};
pub use record::{ConnectionRecord, KEPT, Log, PENDING, RequestRecord};
pub use sandbox::{Sandbox, SandboxOptions};
pub use secrets::SECRETS_VARIABLE;
pub use settings::{
    AmountFormat, ClientAuthentication, ClientCertificateRefusal, ConsentEntry, Dialect, EchoedAccount,
    ErrorStyle, ExpiresIn, GrantedScope, RefreshTokenRotation, RetryAfter, ServerCertificate, Settings,
    Standard, TlsVersions,
};
