//! A consent kept alive: refreshed in time, once, by whoever needs it first, and never lost by accident.
//!
//! A [`SessionPool`] is a client and a store; a [`Session`] is one cardholder's consent in it. See the manual's
//! page [running a fleet](crate::manual::running_a_fleet) for what is guaranteed.
//!
//! How a refresh goes: the store first records that it starts (by compare-and-swap, so that one process wins),
//! with the fingerprint of the refresh token and the moment until which the starter may be waiting; then the
//! bank is asked, on a thread of its own whose time is [`SessionOptions::refresh_timeout`], whatever little time
//! the check that caused it has: cutting a refresh short is how a consent gets lost at a bank that rotates
//! tokens; then the outcome is recorded. Whoever finds a start without an outcome tries the old token once more.

mod flight;
mod pool;
mod record;
mod refresh;
mod renewals;
mod status;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use pool::SessionPool;
pub use record::{ConsentEvent, ConsentMoment};
pub use renewals::{RenewalDue, RenewalReason, RenewalsDue, renewals_due};
pub use status::{ConsentState, ConsentStatus, NextAction};

use crate::{CallOptions, Client, Error, ErrorCode, FundsConfirmation, FundsRequest, Result, Timestamp};
use flight::{Limits, Shared, Why};

/// When a consent is refreshed and when it should be renewed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionOptions {
    /// How long before its end an access token is refreshed; at most half of the token's life is used. Default
    /// 60 s; at most one hour.
    pub refresh_margin: Duration,
    /// How long before its end a consent should be renewed. Default 14 days; at most 3650.
    pub renew_before: Duration,
    /// The time a refresh may take, whatever time the check that caused it has. Default 10 s; 1 s to 5 minutes.
    pub refresh_timeout: Duration,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            refresh_margin: Duration::from_secs(60),
            renew_before: Duration::from_secs(14 * 24 * 60 * 60),
            refresh_timeout: Duration::from_secs(10),
        }
    }
}

impl SessionOptions {
    /// Sets [`refresh_margin`](Self::refresh_margin).
    #[must_use]
    pub fn refresh_margin(mut self, margin: Duration) -> Self {
        self.refresh_margin = margin;
        self
    }

    /// Sets [`renew_before`](Self::renew_before).
    #[must_use]
    pub fn renew_before(mut self, before: Duration) -> Self {
        self.renew_before = before;
        self
    }

    /// Sets [`refresh_timeout`](Self::refresh_timeout).
    #[must_use]
    pub fn refresh_timeout(mut self, timeout: Duration) -> Self {
        self.refresh_timeout = timeout;
        self
    }

    fn validate(&self) -> Result<()> {
        let refused = |what: &str| Err(Error::new(ErrorCode::OptionValue, format!("The option {what}.")));
        if self.refresh_margin > Duration::from_secs(60 * 60) {
            return refused("refresh_margin is more than one hour");
        }
        if self.renew_before > Duration::from_secs(3650 * 24 * 60 * 60) {
            return refused("renew_before is more than 3650 days");
        }
        if !(Duration::from_secs(1)..=Duration::from_secs(300)).contains(&self.refresh_timeout) {
            return refused("refresh_timeout is not between 1 s and 5 minutes");
        }
        Ok(())
    }
}

/// One cardholder's consent at one bank. Cheap to clone, shared freely between threads.
#[derive(Clone)]
pub struct Session(Arc<Shared>);

impl Session {
    /// The id the consent is kept under.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// The client that asks the bank.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.pool.client
    }

    /// Asks the bank whether the account covers the amount, with an access token that is refreshed before its
    /// end, or once after the bank refuses it.
    ///
    /// **No answer is not "no funds"**: see [`Client::confirm_funds`].
    ///
    /// # Errors
    /// As [`Client::confirm_funds`] and [`Client::refresh`]; of kind `consent_required` when the cardholder has to
    /// go to the bank again: `consent.expired`, `consent.lost`, `consent.refresh_answer_lost` (both with the time
    /// line in the message), `consent.no_refresh_token`, `consent.unknown`; of kind `store` when a refresh is due
    /// and the store fails before the bank is asked.
    pub fn confirm_funds(&self, request: &FundsRequest) -> Result<FundsConfirmation> {
        self.confirm_funds_with(request, &CallOptions::default())
    }

    /// As [`confirm_funds`](Self::confirm_funds), with limits of its own. The time-out covers everything, waiting
    /// for a refresh included; a refresh that takes longer goes on without this call.
    ///
    /// # Errors
    /// As [`confirm_funds`](Self::confirm_funds).
    pub fn confirm_funds_with(
        &self,
        request: &FundsRequest,
        options: &CallOptions,
    ) -> Result<FundsConfirmation> {
        let limits = Limits::new(self.client().timeout(), options);
        let tokens = self.0.tokens(&Why::Due, &limits)?;
        let first = self.client().confirm_funds_with(&tokens, request, &limits.rest()?);
        if !matches!(&first, Err(error) if error.code() == ErrorCode::AccessTokenRefused) {
            return self.heard(first);
        }
        let tokens = self.0.tokens(&Why::Refused(tokens), &limits)?;
        self.heard(self.client().confirm_funds_with(&tokens, request, &limits.rest()?))
    }

    /// Takes notice of what an answer says about the consent.
    fn heard(&self, outcome: Result<FundsConfirmation>) -> Result<FundsConfirmation> {
        use ErrorCode::{AccessNotGranted, AccessTokenRefused, WrongRole};
        match outcome.as_ref().map_err(Error::code) {
            Ok(_) => self.0.note_verdict(None),
            Err(code @ (AccessTokenRefused | WrongRole | AccessNotGranted)) => {
                self.0.note_verdict(Some(code))
            }
            Err(_) => {}
        }
        outcome
    }

    /// How the consent stands now, as far as this process knows; no I/O.
    #[must_use]
    pub fn status(&self) -> ConsentStatus {
        let pool = &self.0.pool;
        status::assess(&self.0.state().record, &pool.options, pool.client.now())
    }

    /// How the consent stands now, in one word.
    #[must_use]
    pub fn state(&self) -> ConsentState {
        self.status().state
    }

    /// When the consent ends, counted from the strong authentication. Refreshing does not move it.
    #[must_use]
    pub fn consent_expires_at(&self) -> Timestamp {
        self.status().consent_expires_at
    }

    /// From when on the consent should be renewed.
    #[must_use]
    pub fn renew_from(&self) -> Timestamp {
        self.status().renew_from
    }

    /// The whole days that are left, rounded down.
    #[must_use]
    pub fn days_left(&self) -> u32 {
        self.status().days_left
    }

    /// What is to be done next.
    #[must_use]
    pub fn next_action(&self) -> NextAction {
        self.status().next_action
    }

    /// What happened to the consent, oldest first: its last 16 moments.
    #[must_use]
    pub fn history(&self) -> Vec<ConsentMoment> {
        self.0.state().record.history().to_vec()
    }

    /// Reads the consent from the store again, to see what other processes did to it.
    ///
    /// # Errors
    /// `consent.unknown` when it is there no more; of kind `store`.
    pub fn reload(&self) -> Result<ConsentStatus> {
        self.0.reload()?;
        Ok(self.status())
    }

    /// Whether fresh tokens wait in memory because the store could not take them: the process should not end
    /// before the store works again. Saving is tried again with the checks that follow.
    #[must_use]
    pub fn has_unsaved_tokens(&self) -> bool {
        self.0.state().is_unsaved()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.0.id)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
