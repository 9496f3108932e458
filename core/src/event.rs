//! What a client tells about its work, for logs and metrics. Nothing in it is secret.

use std::fmt;
use std::time::Duration;

use crate::ErrorCode;

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// An authorization code is exchanged for tokens.
    ExchangeCode,
    /// Tokens are refreshed.
    Refresh,
    /// Funds are checked.
    ConfirmFunds,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 3] = [Self::ExchangeCode, Self::Refresh, Self::ConfirmFunds];

    /// Stable lower-case name, e.g. `confirm_funds`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExchangeCode => "exchange_code",
            Self::Refresh => "refresh",
            Self::ConfirmFunds => "confirm_funds",
        }
    }
}

/// One HTTP exchange that ended, well or not. A call that was retried tells more than one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event<'a> {
    /// What was being done.
    pub operation: Operation,
    /// At which bank ([`Bank::id`](crate::bank::Bank::id)).
    pub bank_id: &'a str,
    /// The `X-Request-ID`, when the request had one.
    pub request_id: Option<&'a str>,
    /// Counts the attempts of one call, from one.
    pub attempt: u32,
    /// How long this exchange took.
    pub duration: Duration,
    /// The status, when an answer came.
    pub http_status: Option<u16>,
    /// Why it failed, when it did.
    pub error: Option<ErrorCode>,
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, bank_id, request_id, attempt, duration, http_status, error } = self;
        write!(f, "{} bank={bank_id} attempt={attempt} ms={}", operation.as_str(), duration.as_millis())?;
        if let Some(id) = request_id {
            write!(f, " request_id={id}")?;
        }
        if let Some(status) = http_status {
            write!(f, " status={status}")?;
        }
        if let Some(code) = error {
            write!(f, " error={code}")?;
        }
        Ok(())
    }
}
