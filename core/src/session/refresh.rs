//! One refresh, from the record of its start to the record of its outcome.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::flight::Why;
use super::pool::{Pool, unknown};
use super::record::ConsentRecord;
use super::status;
use crate::store::SaveOutcome;
use crate::{CallOptions, Error, ErrorCode, RequestSent, Result, Tokens};

/// The time to record an outcome in, after the bank's time is up: the lease covers it.
const RECORDING_TIME: Duration = Duration::from_secs(5);
/// How long fresh tokens are offered to a store that fails before they are kept in memory for the time being.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a process waits before it looks again whether another one is done.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// A record as it is now.
pub(super) struct Seen {
    pub(super) record: ConsentRecord,
    pub(super) version: u64,
    /// What was in the store before, if the record could not be saved; `version` is then the one to save over.
    pub(super) unsaved_over: Option<ConsentRecord>,
}

impl Seen {
    fn saved(record: ConsentRecord, version: u64) -> Self {
        Self { record, version, unsaved_over: None }
    }
}

/// How a refresh ended.
pub(super) struct Landing {
    pub(super) seen: Option<Seen>,
    pub(super) failure: Option<Error>,
}

/// What one look at the store led to.
enum Step {
    Done(Box<Landing>),
    /// Another process is at it.
    Wait,
    /// Somebody changed the record in between.
    Again,
}

fn done(landing: Landing) -> Step {
    Step::Done(Box::new(landing))
}

/// Gets tokens that do for `why` into the store; first of all those of `known` that it could not take earlier.
pub(super) fn run(pool: &Arc<Pool>, id: &str, why: &Why, known: Seen) -> Landing {
    let refresh = Refresh { pool, id, why, end: Instant::now() + pool.options.refresh_timeout };
    if let Some(base) = &known.unsaved_over {
        match refresh.put_over(base, &known.record, known.version) {
            Ok(Some(_)) => {}
            Ok(None) => return refresh.unknown(),
            Err(failure) => return Landing { seen: Some(known), failure: Some(failure) },
        }
    }
    let mut pause = SHORTEST_PAUSE;
    loop {
        match refresh.step() {
            Ok(Step::Done(landing)) => return *landing,
            Ok(Step::Again) => {}
            Ok(Step::Wait) => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(failure) => return Landing { seen: None, failure: Some(failure) },
        }
        if Instant::now() >= refresh.end {
            let message = "Another process did not finish its refresh of this consent in time; this is not a \"no\": try again.";
            let failure = Some(Error::new(ErrorCode::TotalTimeout, message));
            return Landing { seen: None, failure };
        }
    }
}

struct Refresh<'a> {
    pool: &'a Arc<Pool>,
    id: &'a str,
    why: &'a Why,
    end: Instant,
}

impl Refresh<'_> {
    fn unknown(&self) -> Landing {
        Landing { seen: None, failure: Some(unknown(self.id)) }
    }

    /// One look at the store, and what follows from it.
    fn step(&self) -> Result<Step> {
        let (pool, now) = (self.pool, self.pool.client.now());
        let Some((record, version)) = pool.load(self.id)? else { return Ok(done(self.unknown())) };
        let seen = |record, failure| Ok(done(Landing { seen: Some(Seen::saved(record, version)), failure }));
        if let Some(end) = record.end(&pool.client.bank().name, now) {
            return seen(record, Some(end));
        }
        let needed = match self.why {
            Why::Due => status::is_due(&record.tokens, pool.options.refresh_margin, now),
            Why::Refused(refused) => record.tokens.access_token() == refused.access_token(),
        };
        if !needed {
            return seen(record, None);
        }
        if record.tokens.refresh_token().is_none() {
            let message = "The access token is at its end and the bank gave no refresh token; send the cardholder to the bank for a new consent.";
            return seen(record, Some(Error::new(ErrorCode::NoRefreshToken, message)));
        }
        if record.is_leased(now) {
            return Ok(Step::Wait);
        }
        let started = record.started(now, pool.options.refresh_timeout + RECORDING_TIME);
        match pool.save(self.id, &started, version)? {
            SaveOutcome::Conflict => Ok(Step::Again),
            SaveOutcome::Saved(version) => Ok(self.ask(started, version)),
        }
    }

    /// Asks the bank, and records what came of it. It always has the whole time, however long another process
    /// was waited for.
    fn ask(&self, started: ConsentRecord, version: u64) -> Step {
        let options = CallOptions::default().timeout(self.pool.options.refresh_timeout);
        let outcome = self.pool.client.refresh_with(&started.tokens, &options);
        match outcome {
            Ok(tokens) => done(self.take(&started, version, tokens)),
            Err(error) if error.code() == ErrorCode::ConsentLost => self.declare_lost(started, version),
            Err(error) => done(self.give_up(started, version, error)),
        }
    }

    /// The bank gave new tokens: from here on they must not be lost.
    fn take(&self, started: &ConsentRecord, version: u64, tokens: Tokens) -> Landing {
        let fresh = started.clone().refreshed(Arc::new(tokens), self.pool.client.now());
        let patience = Instant::now() + PATIENCE;
        loop {
            let failure = match self.put_over(started, &fresh, version) {
                Ok(Some(seen)) => return Landing { seen: Some(seen), failure: None },
                Ok(None) => return self.unknown(),
                Err(failure) => failure,
            };
            if Instant::now() >= patience {
                log::error!(target: "cbpii", "the store cannot take refreshed tokens, they are in memory only: {failure}");
                let seen = Seen { record: fresh, version, unsaved_over: Some(started.clone()) };
                return Landing { seen: Some(seen), failure: None };
            }
            std::thread::sleep(LONGEST_PAUSE);
        }
    }

    /// Saves `fresh` over `base`, the record it came from, whatever others made of that meanwhile, even if they declared
    /// it lost: they had only the old token. Newer tokens of somebody else win.
    fn put_over(
        &self,
        base: &ConsentRecord,
        fresh: &ConsentRecord,
        mut version: u64,
    ) -> Result<Option<Seen>> {
        loop {
            if let SaveOutcome::Saved(version) = self.pool.save(self.id, fresh, version)? {
                return Ok(Some(Seen::saved(fresh.clone(), version)));
            }
            let Some((found, at)) = self.pool.load(self.id)? else { return Ok(None) };
            if found.tokens.access_token() != base.tokens.access_token() {
                return Ok(Some(Seen::saved(found, at)));
            }
            version = at;
        }
    }

    /// The bank refused the refresh token. It is lost only if the record is still the one that was started:
    /// otherwise somebody has newer tokens.
    fn declare_lost(&self, started: ConsentRecord, version: u64) -> Step {
        let now = self.pool.client.now();
        let lost = started.lost(now);
        let failure = lost.end(&self.pool.client.bank().name, now);
        let version = match self.pool.save(self.id, &lost, version) {
            Ok(SaveOutcome::Conflict) => return Step::Again,
            Ok(SaveOutcome::Saved(version)) => version,
            // The next one will ask again and hear the same.
            Err(_) => version,
        };
        done(Landing { seen: Some(Seen::saved(lost, version)), failure })
    }

    /// No new tokens. Recorded as far as possible: without it the others wait until the lease ends.
    fn give_up(&self, started: ConsentRecord, version: u64, error: Error) -> Landing {
        let now = self.pool.client.now();
        let record = if left_unchanged(&error) {
            started.failed(now, error.code())
        } else {
            started.unknown(now, error.code())
        };
        let seen = match self.pool.save(self.id, &record, version) {
            Ok(SaveOutcome::Saved(version)) => Some(Seen::saved(record, version)),
            Ok(SaveOutcome::Conflict) | Err(_) => None,
        };
        Landing { seen, failure: Some(error) }
    }
}

/// Whether a failed refresh certainly left everything at the bank as it was: it never got there, or the bank
/// refused it with a status that says so. A 5xx, a 408, a broken connection and an unreadable 200 leave it open.
fn left_unchanged(error: &Error) -> bool {
    match error.http_status() {
        Some(408) => false,
        Some(status) => (400..500).contains(&status),
        None => error.request_sent() == RequestSent::No,
    }
}
