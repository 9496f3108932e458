//! The funds check: amount, account, request, confirmation.

mod account;
mod amount;
mod currency;
mod iban;
mod psu;
mod request;

pub use account::{Account, AccountIdentifier, AccountScheme, OtherAccount};
pub use amount::Amount;
pub use currency::Currency;
pub use iban::Iban;
pub use psu::PsuContext;
pub use request::FundsRequest;
