//! One refresh at a time for each consent of a process: who needs new tokens starts it or waits for it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::pool::{Pool, unknown};
use super::record::ConsentRecord;
use super::{refresh, status};
use crate::http::TransportContext;
use crate::{CallOptions, CancelToken, Error, ErrorCode, Result, Timestamp, Tokens, lookout};

/// How often a waiting call looks whether it was cancelled.
const CANCEL_PAUSE: Duration = Duration::from_millis(20);
/// How long, after a refresh that failed before its token's end, the token is used without another attempt.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Why tokens are asked for.
#[derive(Clone)]
pub(super) enum Why {
    /// For a check: the ones at hand, unless a refresh is due.
    Due,
    /// The bank refused the access token of these.
    Refused(Arc<Tokens>),
}

/// The limits of one call.
pub(super) struct Limits(TransportContext);

impl Limits {
    pub(super) fn new(default: Duration, options: &CallOptions) -> Self {
        Self(options.starting_now(default))
    }

    /// What is left for the next step.
    pub(super) fn rest(&self) -> Result<CallOptions> {
        let rest = CallOptions::default().timeout(self.left()?);
        Ok(match &self.0.cancel {
            Some(token) => rest.cancel(token.clone()),
            None => rest,
        })
    }

    fn left(&self) -> Result<Duration> {
        if self.0.cancel.as_ref().is_some_and(CancelToken::is_cancelled) {
            return Err(Error::new(
                ErrorCode::Cancelled,
                "The call was cancelled while it waited for a refresh.",
            ));
        }
        let left = self.0.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let message = "The time of the call ran out while the tokens were refreshed; this is not a \"no\": try again, the refresh goes on by itself.";
            return Err(Error::new(ErrorCode::TotalTimeout, message));
        }
        Ok(left)
    }
}

/// What the sessions of one id share.
pub(super) struct Shared {
    pub(super) id: String,
    pub(super) pool: Arc<Pool>,
    /// Never held while the store or the bank is asked: whoever wants to know how the consent stands must not wait.
    state: Mutex<State>,
    landed: Condvar,
    /// Held while a verdict is recorded, so that they reach the store one after the other.
    verdicts: Mutex<()>,
}

pub(super) struct State {
    pub(super) record: ConsentRecord,
    version: u64,
    /// What the store has instead, if the record is in memory only.
    unsaved_over: Option<ConsentRecord>,
    /// Whether the consent was forgotten.
    pub(super) gone: bool,
    in_flight: bool,
    /// How many refreshes have ended, well or not.
    landings: u64,
    /// Why the last one failed.
    failure: Option<Error>,
    /// Until when a failed refresh is not tried again as long as the token is good.
    rest_until: Option<Timestamp>,
}

impl State {
    /// Whether the record is in memory only.
    pub(super) fn is_unsaved(&self) -> bool {
        self.unsaved_over.is_some()
    }

    /// The tokens, if they do for this purpose.
    fn usable(&self, why: &Why, pool: &Pool) -> Option<Arc<Tokens>> {
        let (record, now) = (&self.record, pool.client.now());
        if self.gone || record.end(&pool.client.bank().name, now).is_some() {
            return None;
        }
        let good = match why {
            Why::Due => {
                !status::is_due(&record.tokens, pool.options.refresh_margin, now) || self.is_good_yet(now)
            }
            Why::Refused(refused) => record.tokens.access_token() != refused.access_token(),
        };
        good.then(|| Arc::clone(&record.tokens))
    }

    /// Whether the last refresh failed just now and the token has not ended: no reason to fail a check.
    fn is_good_yet(&self, now: Timestamp) -> bool {
        self.rest_until.is_some_and(|until| now < until) && !self.record.tokens.is_expired(now)
    }
}

impl Shared {
    pub(super) fn new(id: &str, pool: Arc<Pool>, record: ConsentRecord, version: u64) -> Self {
        let state = State {
            record,
            version,
            unsaved_over: None,
            gone: false,
            in_flight: false,
            landings: 0,
            failure: None,
            rest_until: None,
        };
        Self {
            id: id.to_owned(),
            pool,
            state: Mutex::new(state),
            landed: Condvar::new(),
            verdicts: Mutex::new(()),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tokens that do for this purpose, after a refresh if need be.
    pub(super) fn tokens(self: &Arc<Self>, why: &Why, limits: &Limits) -> Result<Arc<Tokens>> {
        let (mut awaited, mut ours) = (None, false);
        let mut state = self.state();
        loop {
            if let Some(tokens) = state.usable(why, &self.pool) {
                self.save_later(state);
                return Ok(tokens);
            }
            if awaited.is_some_and(|landings| state.landings > landings) {
                match &state.failure {
                    Some(failure) => return Err(failure.clone()),
                    // The bank gave a token that is due at once: it is the best there is.
                    None if ours => return Ok(Arc::clone(&state.record.tokens)),
                    // The refresh that was waited for had another purpose.
                    None => awaited = None,
                }
            }
            let left = limits.left()?;
            if state.in_flight {
                awaited.get_or_insert(state.landings);
                let pause = if limits.0.cancel.is_some() { left.min(CANCEL_PAUSE) } else { left };
                let pause = lookout::share(pause);
                drop(self.landed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner));
                lookout::look();
                state = self.state();
            } else {
                awaited = Some(state.landings);
                ours = true;
                state.in_flight = true;
                drop(state);
                self.take_off(why.clone());
                state = self.state();
            }
        }
    }

    /// Tries once more to save what the store could not take, without making the check wait.
    fn save_later(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let now = self.pool.client.now();
        let resting = state.rest_until.is_some_and(|until| now < until);
        if state.is_unsaved() && !state.in_flight && !resting {
            state.in_flight = true;
            drop(state);
            self.take_off(Why::Due);
        }
    }

    /// Refreshes on a thread of its own, whose time does not depend on the call that caused it.
    fn take_off(self: &Arc<Self>, why: Why) {
        let flight = Flight { shared: Arc::clone(self), landed: false };
        let thread = std::thread::Builder::new().name("cbpii-refresh".to_owned());
        // When no thread can be had the flight is dropped, and that is a landing with an error.
        let _ = thread.spawn(move || flight.run(&why));
    }

    /// Takes over a record that was read or written, unless a later one is known.
    pub(super) fn adopt(&self, record: ConsentRecord, version: u64) {
        let mut state = self.state();
        if version >= state.version {
            state.record = record;
            state.version = version;
            state.gone = false;
            state.unsaved_over = None;
            state.rest_until = None;
        }
        drop(state);
        self.pool.settled(&self.id);
    }

    pub(super) fn reload(&self) -> Result<()> {
        if self.state().is_unsaved() {
            return Ok(());
        }
        let (record, version) = self.pool.load(&self.id)?.ok_or_else(|| unknown(&self.id))?;
        self.adopt(record, version);
        Ok(())
    }

    /// Remembers what the bank's answer to a check says about the consent. That it is also stored is a service
    /// to other processes and the nightly list; a store that fails here does not spoil the answer.
    pub(super) fn note_verdict(&self, refused: Option<ErrorCode>) {
        if Self::has_verdict(&self.state(), refused) {
            return;
        }
        let _one_at_a_time = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state();
        if Self::has_verdict(&state, refused) {
            return;
        }
        let now = self.pool.client.now();
        let record = state.record.clone();
        state.record = match refused {
            Some(code) => record.refused(now, code),
            None => record.answered(now),
        };
        if state.is_unsaved() {
            return;
        }
        let (record, version) = (state.record.clone(), state.version);
        drop(state);
        if let Ok(crate::store::SaveOutcome::Saved(version)) = self.pool.save(&self.id, &record, version) {
            let mut state = self.state();
            // A refresh may have landed meanwhile.
            state.version = state.version.max(version);
        }
    }

    /// Whether there is nothing to remember: it is known already, or a refresh is about to say how things stand.
    fn has_verdict(state: &State, refused: Option<ErrorCode>) -> bool {
        state.record.refused.map(|verdict| verdict.code) == refused || state.in_flight
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.pool.close(&self.id);
    }
}

/// A refresh under way. However it ends, those who wait are told.
struct Flight {
    shared: Arc<Shared>,
    landed: bool,
}

impl Flight {
    fn run(mut self, why: &Why) {
        let shared = Arc::clone(&self.shared);
        let known = {
            let state = shared.state();
            let (record, unsaved_over) = (state.record.clone(), state.unsaved_over.clone());
            refresh::Seen { record, version: state.version, unsaved_over }
        };
        self.land(refresh::run(&shared.pool, &shared.id, why, known));
    }

    fn land(&mut self, landing: refresh::Landing) {
        self.landed = true;
        let shared = &self.shared;
        let now = shared.pool.client.now();
        let mut state = shared.state();
        let mut settled = false;
        if let Some(seen) = landing.seen
            && seen.version >= state.version
        {
            state.record = seen.record;
            state.version = seen.version;
            settled = seen.unsaved_over.is_none();
            state.unsaved_over = seen.unsaved_over;
        }
        let resting = landing.failure.is_some() || state.is_unsaved();
        state.rest_until = resting.then(|| now.saturating_add(RETRY_PAUSE));
        state.failure = landing.failure;
        state.in_flight = false;
        state.landings += 1;
        let unsaved = state.is_unsaved();
        drop(state);
        if unsaved {
            shared.pool.hold(shared);
        } else if settled {
            shared.pool.settled(&shared.id);
        }
        shared.landed.notify_all();
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.landed {
            let message = "A refresh ended without a result: no thread could be started for it, or the transport or store broke it off; try again.";
            let failure = Some(Error::new(ErrorCode::Internal, message));
            self.land(refresh::Landing { seen: None, failure });
        }
    }
}
