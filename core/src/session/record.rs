//! What is kept of one consent: its tokens, the refresh that is under way, and what happened to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::consent::Version1;
use crate::{Error, ErrorCode, Result, Secret, Timestamp, Tokens};

/// How many moments of a consent's history are kept; the oldest go first.
const KEPT_MOMENTS: usize = 16;

/// No lease is longer: the longest time a refresh may take, and to record it.
const LONGEST_LEASE: Duration = Duration::from_secs(6 * 60);

/// What happened to a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConsentEvent {
    /// Its tokens were handed over to be kept.
    Kept,
    /// A refresh was recorded as started, before the bank was asked.
    RefreshStarted,
    /// The bank gave new tokens.
    Refreshed,
    /// The bank was not reached, or refused without touching the consent: nothing has changed.
    RefreshFailed,
    /// No readable answer to a refresh came: it may have been done or not.
    OutcomeUnknown,
    /// The bank says that the consent does not allow the check.
    Refused,
    /// The bank answered a check again.
    Answered,
    /// The bank does not accept the refresh token any more.
    Lost,
}

impl ConsentEvent {
    /// Every event.
    pub const ALL: [Self; 8] = [
        Self::Kept,
        Self::RefreshStarted,
        Self::Refreshed,
        Self::RefreshFailed,
        Self::OutcomeUnknown,
        Self::Refused,
        Self::Answered,
        Self::Lost,
    ];

    /// Stable lower-case name, e.g. `refresh_started`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::RefreshStarted => "refresh_started",
            Self::Refreshed => "refreshed",
            Self::RefreshFailed => "refresh_failed",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::Refused => "refused",
            Self::Answered => "answered",
            Self::Lost => "lost",
        }
    }
}

/// One moment of a consent's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsentMoment {
    /// When, by the clock of who recorded it.
    pub at: Timestamp,
    /// What happened.
    pub event: ConsentEvent,
    /// The error that goes with it, if there is one.
    pub cause: Option<ErrorCode>,
}

impl fmt::Display for ConsentMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.event.as_str())?;
        match self.cause {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

/// A refresh that was started and has no good end yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RefreshMark {
    /// Which refresh token it was started with.
    token: String,
    /// Until when the starter may still be waiting for the bank; none when it is known to have given up.
    lease_until: Option<Timestamp>,
    /// Whether an earlier refresh with the same token has an unknown outcome.
    repeats_unknown: bool,
}

/// The verdict of a bank on a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) at: Timestamp,
    pub(super) code: ErrorCode,
}

/// Everything that is kept of one consent.
#[derive(Clone)]
pub(super) struct ConsentRecord {
    pub(super) bank_id: String,
    pub(super) tokens: Arc<Tokens>,
    pub(super) refused: Option<Verdict>,
    pub(super) lost: Option<Verdict>,
    mark: Option<RefreshMark>,
    history: Vec<ConsentMoment>,
}

/// Tells refresh tokens apart without keeping them: 64 bits of SHA-256.
fn fingerprint(token: Option<&Secret>) -> String {
    let hash = crate::crypto::sha256(token.map(Secret::expose).unwrap_or_default().as_bytes());
    crate::crypto::hex(&hash[..8])
}

impl ConsentRecord {
    /// A consent that was just given.
    pub(super) fn new(bank_id: &str, tokens: &Tokens, now: Timestamp) -> Self {
        let record = Self {
            bank_id: bank_id.to_owned(),
            tokens: Arc::new(tokens.clone()),
            refused: None,
            lost: None,
            mark: None,
            history: Vec::new(),
        };
        record.with(now, ConsentEvent::Kept, None)
    }

    fn with(mut self, at: Timestamp, event: ConsentEvent, cause: Option<ErrorCode>) -> Self {
        let surplus = (self.history.len() + 1).saturating_sub(KEPT_MOMENTS);
        self.history.drain(..surplus);
        self.history.push(ConsentMoment { at, event, cause });
        self
    }

    /// The mark of a refresh with the present refresh token.
    fn own_mark(&self) -> Option<&RefreshMark> {
        let present = fingerprint(self.tokens.refresh_token());
        self.mark.as_ref().filter(|mark| mark.token == present)
    }

    /// Whether somebody who started a refresh may still be at it.
    pub(super) fn is_leased(&self, now: Timestamp) -> bool {
        let until = self.own_mark().and_then(|mark| mark.lease_until);
        // A lease that ends later than any can was written before the clock was set back.
        until.is_some_and(|until| now < until && until.saturating_duration_since(now) <= LONGEST_LEASE)
    }

    /// Whether the outcome of a refresh is not known (any lease included).
    pub(super) fn is_uncertain(&self) -> bool {
        self.own_mark().is_some()
    }

    /// Before the bank is asked.
    pub(super) fn started(self, now: Timestamp, lease: Duration) -> Self {
        let repeats_unknown = self.is_uncertain();
        let abandoned = self.own_mark().is_some_and(|mark| mark.lease_until.is_some());
        let mark = RefreshMark {
            token: fingerprint(self.tokens.refresh_token()),
            lease_until: Some(now.saturating_add(lease)),
            repeats_unknown,
        };
        // The starter never came back to say how it ended.
        let known = if abandoned { self.with(now, ConsentEvent::OutcomeUnknown, None) } else { self };
        Self { mark: Some(mark), ..known }.with(now, ConsentEvent::RefreshStarted, None)
    }

    /// The bank gave new tokens: whatever was believed of the consent before, it is good.
    pub(super) fn refreshed(self, tokens: Arc<Tokens>, now: Timestamp) -> Self {
        Self { tokens, mark: None, lost: None, ..self }.with(now, ConsentEvent::Refreshed, None)
    }

    /// The refresh did not happen.
    pub(super) fn failed(mut self, now: Timestamp, cause: ErrorCode) -> Self {
        let repeats_unknown = self.own_mark().is_some_and(|mark| mark.repeats_unknown);
        self.mark =
            self.mark.filter(|_| repeats_unknown).map(|mark| RefreshMark { lease_until: None, ..mark });
        self.with(now, ConsentEvent::RefreshFailed, Some(cause))
    }

    /// Nobody knows whether the refresh happened.
    pub(super) fn unknown(mut self, now: Timestamp, cause: ErrorCode) -> Self {
        self.mark = self.mark.map(|mark| RefreshMark { lease_until: None, ..mark });
        self.with(now, ConsentEvent::OutcomeUnknown, Some(cause))
    }

    /// The bank refused the refresh token.
    pub(super) fn lost(self, now: Timestamp) -> Self {
        let after_unknown = self.own_mark().is_some_and(|mark| mark.repeats_unknown);
        let code = if after_unknown { ErrorCode::RefreshAnswerLost } else { ErrorCode::ConsentLost };
        let lost = Some(Verdict { at: now, code });
        Self { lost, mark: None, ..self }.with(now, ConsentEvent::Lost, Some(code))
    }

    /// The bank refused a check because of the consent.
    pub(super) fn refused(self, now: Timestamp, code: ErrorCode) -> Self {
        Self { refused: Some(Verdict { at: now, code }), ..self }.with(now, ConsentEvent::Refused, Some(code))
    }

    /// The bank answered a check.
    pub(super) fn answered(self, now: Timestamp) -> Self {
        Self { refused: None, ..self }.with(now, ConsentEvent::Answered, None)
    }

    pub(super) fn history(&self) -> &[ConsentMoment] {
        &self.history
    }

    /// From when on the consent has to be renewed at the latest: the store's index.
    pub(super) fn due_at(&self) -> Timestamp {
        let verdicts = self.lost.iter().chain(&self.refused).map(|verdict| verdict.at);
        verdicts.fold(self.tokens.consent_expires_at(), Timestamp::min)
    }

    /// Why no token of this consent can be used at `now`, if so.
    pub(super) fn end(&self, bank_name: &str, now: Timestamp) -> Option<Error> {
        if let Some(lost) = self.lost {
            return Some(self.loss(bank_name, lost));
        }
        let end = self.tokens.consent_expires_at();
        (now >= end).then(|| {
            let message = format!(
                "The consent at {bank_name} ended at {end}; send the cardholder to the bank for a new consent."
            );
            Error::new(ErrorCode::ConsentExpired, message)
        })
    }

    fn loss(&self, bank_name: &str, lost: Verdict) -> Error {
        let why = match lost.code {
            ErrorCode::RefreshAnswerLost => {
                "the answer to a refresh never came, and the bank does not accept the old refresh token any more"
            }
            _ => "the bank does not accept the refresh token any more, so the consent ended or was withdrawn",
        };
        let line: Vec<String> = self.history.iter().map(ToString::to_string).collect();
        let message = format!(
            "The consent at {bank_name} is lost since {}: {why} (invalid_grant); send the cardholder to the bank for a new consent (time line: {}).",
            lost.at,
            line.join(", ")
        );
        Error::new(lost.code, message).with_bank_code(Some("invalid_grant".to_owned()))
    }

    /// The saved form, version 1: to be sealed.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let tokens = self.tokens.to_json();
        let verdict =
            |verdict: &Verdict| SavedVerdict { at: verdict.at, code: verdict.code.as_str().to_owned() };
        let moment = |moment: &ConsentMoment| SavedMoment {
            at: moment.at,
            event: moment.event,
            cause: moment.cause.map(|cause| cause.as_str().to_owned()),
        };
        let saved = SavedRecord {
            version: Version1,
            bank_id: self.bank_id.clone(),
            refused: self.refused.as_ref().map(verdict),
            lost: self.lost.as_ref().map(verdict),
            refresh: self.mark.clone(),
            history: self.history.iter().map(moment).collect(),
            tokens: Zeroizing::new(tokens.expose().to_owned()),
        };
        // Large enough from the start: growing would leave copies of the tokens behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * tokens.expose().len() + 8 * 1024));
        // Strings, timestamps and numbers always serialise.
        let _ = serde_json::to_writer(&mut *bytes, &saved);
        bytes
    }

    /// Reads the saved form back.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let unreadable = || {
            Error::new(
                ErrorCode::StoreCorrupt,
                "A stored consent opens but cannot be read; it was written by another release: use that one.",
            )
        };
        let saved: SavedRecord = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
        let code = |text: &str| ErrorCode::from_text(text).unwrap_or(ErrorCode::Internal);
        let verdict = |verdict: SavedVerdict| Verdict { at: verdict.at, code: code(&verdict.code) };
        let moment = |moment: SavedMoment| ConsentMoment {
            at: moment.at,
            event: moment.event,
            cause: moment.cause.as_deref().map(code),
        };
        Ok(Self {
            bank_id: saved.bank_id,
            tokens: Arc::new(Tokens::from_json(&saved.tokens).map_err(|_| unreadable())?),
            refused: saved.refused.map(verdict),
            lost: saved.lost.map(verdict),
            mark: saved.refresh,
            history: saved.history.into_iter().map(moment).collect(),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct SavedRecord {
    #[serde(rename = "v")]
    version: Version1,
    bank_id: String,
    refused: Option<SavedVerdict>,
    lost: Option<SavedVerdict>,
    refresh: Option<RefreshMark>,
    history: Vec<SavedMoment>,
    tokens: Zeroizing<String>,
}

#[derive(Serialize, Deserialize)]
struct SavedVerdict {
    at: Timestamp,
    code: String,
}

#[derive(Serialize, Deserialize)]
struct SavedMoment {
    at: Timestamp,
    event: ConsentEvent,
    cause: Option<String>,
}
