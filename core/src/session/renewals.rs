//! The consents to renew, for a nightly job.

use std::fmt;

use super::record::ConsentRecord;
use crate::store::{DueLines, SealedStore};
use crate::{Result, Timestamp};

/// Why a consent is on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RenewalReason {
    /// It ends, or ended, before the moment asked for.
    Ending,
    /// The bank says that it does not allow checks.
    Refused,
    /// The bank does not accept its refresh token any more.
    Lost,
}

impl RenewalReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Ending, Self::Refused, Self::Lost];

    /// Stable lower-case name, e.g. `ending`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ending => "ending",
            Self::Refused => "refused",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for RenewalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A consent to renew.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenewalDue {
    /// The id it is kept under.
    pub id: String,
    /// Its bank ([`Bank::id`](crate::bank::Bank::id)).
    pub bank_id: String,
    /// When it ends or ended.
    pub consent_expires_at: Timestamp,
    /// Why it is on the list.
    pub reason: RenewalReason,
}

/// The consents of every bank that end before `before`, or are lost or refused since a moment before it, the
/// earliest first. Pass the present plus two weeks every night. The list is read page by page while it is walked,
/// and holds no more than a page.
///
/// A record that cannot be opened is an error in its place, and the walk goes on; after an error of the store
/// itself it ends.
pub fn renewals_due(store: &SealedStore, before: Timestamp) -> RenewalsDue {
    RenewalsDue { store: store.clone(), lines: store.due_before(before), before }
}

/// What [`renewals_due`] walks through.
pub struct RenewalsDue {
    store: SealedStore,
    lines: DueLines,
    before: Timestamp,
}

impl RenewalsDue {
    /// None when the consent was renewed or forgotten since its line was read.
    fn renewal(&self, id: String) -> Result<Option<RenewalDue>> {
        let Some(opened) = self.store.load(&id)? else { return Ok(None) };
        let record = ConsentRecord::from_bytes(&opened.clear)?;
        if record.due_at() >= self.before {
            return Ok(None);
        }
        let reason = match (record.lost, record.refused) {
            (Some(_), _) => RenewalReason::Lost,
            (None, Some(_)) => RenewalReason::Refused,
            (None, None) => RenewalReason::Ending,
        };
        let consent_expires_at = record.tokens.consent_expires_at();
        Ok(Some(RenewalDue { id, bank_id: record.bank_id, consent_expires_at, reason }))
    }
}

impl Iterator for RenewalsDue {
    type Item = Result<RenewalDue>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = match self.lines.next()? {
                Ok(line) => self.renewal(line.id).transpose(),
                Err(error) => Some(Err(error)),
            };
            if found.is_some() {
                return found;
            }
        }
    }
}

impl fmt::Debug for RenewalsDue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenewalsDue").field("before", &self.before).finish_non_exhaustive()
    }
}
