//! The consent's own clock: how long it lasts and what is to be done about it.

use std::fmt;
use std::time::Duration;

use super::SessionOptions;
use super::record::ConsentRecord;
use crate::{Timestamp, Tokens};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How a consent stands. What a bank says about the *account* (closed, blocked, unknown) is not a state of the
/// consent; it is the error of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConsentState {
    /// Good, and its end is not near.
    Active,
    /// Good, and [`renew_from`](ConsentStatus::renew_from) has passed.
    RenewSoon,
    /// Its days are over, or its access token has ended and the bank gave no refresh token. Checks fail without
    /// asking the bank.
    Expired,
    /// The bank still accepts the tokens, and its last word on a check was that this consent does not allow
    /// it: another role (`BADS`), no access to the account (`NGAC`), or a token refused right after it was
    /// refreshed (401). Checks still ask the bank, and the state ends with the next yes or no.
    Refused,
    /// The bank does not accept the refresh token any more. Checks fail without asking the bank.
    Lost,
}

impl ConsentState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Active, Self::RenewSoon, Self::Expired, Self::Refused, Self::Lost];

    /// Stable lower-case name, e.g. `renew_soon`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::RenewSoon => "renew_soon",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for ConsentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is to be done next about a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NextAction {
    /// Nothing.
    None,
    /// The access token is at its end, or the outcome of a refresh is unknown. The next check sees to it.
    Refresh,
    /// Send the cardholder to the bank.
    RenewConsent,
}

impl NextAction {
    /// Every action.
    pub const ALL: [Self; 3] = [Self::None, Self::Refresh, Self::RenewConsent];

    /// Stable lower-case name, e.g. `renew_consent`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Refresh => "refresh",
            Self::RenewConsent => "renew_consent",
        }
    }
}

impl fmt::Display for NextAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a consent stands at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsentStatus {
    /// In one word.
    pub state: ConsentState,
    /// When the consent ends: the bank's 90 or 180 days of 24 hours from the strong authentication, in UTC.
    /// Refreshing does not move it. At this very second it has ended.
    pub consent_expires_at: Timestamp,
    /// From this second on it should be renewed ([`SessionOptions::renew_before`] the end).
    pub renew_from: Timestamp,
    /// The whole days (24 hours) that are left, rounded down: 0 on the last day and after the end.
    pub days_left: u32,
    /// What is to be done.
    pub next_action: NextAction,
}

/// Whether the access token has to be refreshed at `now`. The margin is at most half of the token's life, so
/// that a bank with very short tokens is not asked for a new one at every check.
pub(super) fn is_due(tokens: &Tokens, margin: Duration, now: Timestamp) -> bool {
    let Some(end) = tokens.expires_at() else { return false };
    let life = end.saturating_duration_since(tokens.obtained_at());
    now >= end.saturating_sub(margin.min(life / 2))
}

pub(super) fn assess(record: &ConsentRecord, options: &SessionOptions, now: Timestamp) -> ConsentStatus {
    let tokens = &record.tokens;
    let consent_expires_at = tokens.consent_expires_at();
    let renew_from = consent_expires_at.saturating_sub(options.renew_before);
    let days_left = consent_expires_at.saturating_duration_since(now).as_secs() / DAY.as_secs();
    let spent = tokens.refresh_token().is_none() && tokens.is_expired(now);
    let state = if record.lost.is_some() {
        ConsentState::Lost
    } else if now >= consent_expires_at || spent {
        ConsentState::Expired
    } else if record.refused.is_some() {
        ConsentState::Refused
    } else if now >= renew_from {
        ConsentState::RenewSoon
    } else {
        ConsentState::Active
    };
    let next_action = match state {
        ConsentState::Active if record.is_uncertain() || is_due(tokens, options.refresh_margin, now) => {
            NextAction::Refresh
        }
        ConsentState::Active => NextAction::None,
        _ => NextAction::RenewConsent,
    };
    ConsentStatus {
        state,
        consent_expires_at,
        renew_from,
        days_left: u32::try_from(days_left).unwrap_or(u32::MAX),
        next_action,
    }
}
