//! Ask a bank "are the funds there?".

pub mod bank;
mod cancel;
mod clock;
mod error;
mod explain;
pub mod funds;
pub mod http;
pub mod identity;
mod secret;

pub use bank::{Bank, Environment};
pub use cancel::CancelToken;
pub use clock::{Clock, Entropy, SystemClock, SystemEntropy, Timestamp};
pub use error::{Advice, Error, ErrorCode, ErrorKind, RequestSent, Result};
pub use explain::Explanation;
pub use funds::{Account, AccountScheme, Amount, Currency, FundsRequest, Iban, PsuContext};
pub use secret::{Secret, SecretBytes};
