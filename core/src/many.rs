//! Many checks at once, over many consents and banks, in bounded memory.
//!
//! A fixed number of workers pulls checks from an iterator that may never end, and hands the answers over as they
//! come. What is pulled but not handed over yet is at most a few times the number of workers: a slow consumer
//! slows the workers down, and the iterator with them.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{
    CallOptions, CancelToken, Error, ErrorCode, FundsConfirmation, FundsRequest, Result, Session, Timestamp,
};

/// The most workers a stream can have.
pub const MAX_IN_FLIGHT: usize = 256;
/// How often a check that met a 429 is sent again after the pause.
const TRIES: u32 = 3;
/// How long a bank is left alone that names no pause; doubled each time in a row, up to the last one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// How often a worker with nothing to do looks whether a pause is over or the stream cancelled.
const GLANCE: Duration = Duration::from_millis(20);

/// One check of many. It comes back with its answer.
#[derive(Clone, Debug)]
pub struct FundsCheck<T = ()> {
    /// The consent to ask with.
    pub session: Session,
    /// The question.
    pub request: FundsRequest,
    /// Anything of the caller's, to match the answer by.
    pub context: T,
}

/// Limits of many checks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ManyOptions {
    /// How many checks are under way at most, 1 to 256.
    pub max_in_flight: usize,
    /// The time each check may take; its client's own when none is given. Pauses a bank asks for do not count.
    pub timeout: Option<Duration>,
    /// The longest pause (429) that is waited for. While a bank asks for a longer one, its checks fail with
    /// `bank.rate_limited` without being sent. Default 5 minutes.
    pub max_pause: Duration,
    /// Ends the stream when it is cancelled, as [`ManyHandle::cancel`] does.
    pub cancel: Option<CancelToken>,
}

impl ManyOptions {
    /// The defaults, for this many checks under way.
    #[must_use]
    pub fn new(max_in_flight: usize) -> Self {
        Self { max_in_flight, timeout: None, max_pause: Duration::from_secs(300), cancel: None }
    }

    /// Sets [`timeout`](Self::timeout).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets [`max_pause`](Self::max_pause).
    #[must_use]
    pub fn max_pause(mut self, pause: Duration) -> Self {
        self.max_pause = pause;
        self
    }

    /// Sets [`cancel`](Self::cancel).
    #[must_use]
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.cancel = Some(token);
        self
    }
}

/// How far a stream has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Checks that ended, well or not.
    pub done: u64,
    /// … with "the funds are there".
    pub yes: u64,
    /// … with "they are not".
    pub no: u64,
    /// … with an error.
    pub errors: u64,
    /// From the start to the last check that ended.
    pub elapsed: Duration,
    /// Checks a second over that time.
    pub rate: f64,
}

/// Asks many banks many questions: a stream of each check with its answer, in the order in which they end.
///
/// A bank that answers 429 is left alone for as long as it says (`Retry-After` in seconds or as a date; else one
/// second, doubled up to a minute); its checks wait and the other banks' go on.
///
/// # Errors
/// As [`confirm_many_with`].
pub fn confirm_many<T, I>(checks: I, max_in_flight: usize) -> Result<ConfirmMany<T>>
where
    T: Send + 'static,
    I: IntoIterator<Item = FundsCheck<T>>,
    I::IntoIter: Send + 'static,
{
    confirm_many_with(checks, &ManyOptions::new(max_in_flight))
}

/// As [`confirm_many`], with limits of its own.
///
/// # Errors
/// `configuration.option` when `max_in_flight` is not 1 to 256; `internal` when the system gives no thread.
pub fn confirm_many_with<T, I>(checks: I, options: &ManyOptions) -> Result<ConfirmMany<T>>
where
    T: Send + 'static,
    I: IntoIterator<Item = FundsCheck<T>>,
    I::IntoIter: Send + 'static,
{
    if !(1..=MAX_IN_FLIGHT).contains(&options.max_in_flight) {
        return Err(Error::new(ErrorCode::OptionValue, "The option max_in_flight is not 1 to 256."));
    }
    let desk = Arc::new(Desk {
        source: Mutex::new(Box::new(checks.into_iter())),
        state: Mutex::new(State::default()),
        changed: Condvar::new(),
        handle: ManyHandle {
            cancel: options.cancel.clone().unwrap_or_default(),
            counters: Arc::new(Counters::new()),
        },
        options: options.clone(),
    });
    let (sender, results) = sync_channel(options.max_in_flight);
    let mut workers = 0;
    for _ in 0..options.max_in_flight {
        let (desk, sender) = (Arc::clone(&desk), sender.clone());
        let thread = std::thread::Builder::new().name("cbpii-many".to_owned());
        workers += usize::from(thread.spawn(move || desk.work(&sender)).is_ok());
    }
    if workers == 0 {
        return Err(Error::new(
            ErrorCode::Internal,
            "The operating system gives no thread for the checks; try again.",
        ));
    }
    Ok(ConfirmMany { results, desk })
}

/// The stream of [`confirm_many`]. Dropping it before its end cancels the rest.
pub struct ConfirmMany<T> {
    results: Receiver<(FundsCheck<T>, Result<FundsConfirmation>)>,
    desk: Arc<Desk<T>>,
}

impl<T> ConfirmMany<T> {
    /// What another thread may hold to watch the stream, and to end it.
    #[must_use]
    pub fn handle(&self) -> ManyHandle {
        self.desk.handle.clone()
    }

    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.desk.handle.progress()
    }
}

impl<T> Iterator for ConfirmMany<T> {
    type Item = (FundsCheck<T>, Result<FundsConfirmation>);

    /// The next check that ended. A panic of the iterator of checks comes out here, at the end of the stream.
    fn next(&mut self) -> Option<Self::Item> {
        if let Ok(result) = self.results.recv() {
            return Some(result);
        }
        let panic = self.desk.state().panic.take();
        match panic {
            Some(panic) => resume_unwind(panic),
            None => None,
        }
    }
}

impl<T> Drop for ConfirmMany<T> {
    fn drop(&mut self) {
        self.desk.handle.cancel();
    }
}

impl<T> fmt::Debug for ConfirmMany<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfirmMany").field("progress", &self.progress()).finish_non_exhaustive()
    }
}

/// Watches a stream and ends it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ManyHandle {
    cancel: CancelToken,
    counters: Arc<Counters>,
}

impl ManyHandle {
    /// Ends the stream: no further check is pulled, those under way end with the error `cancelled`, and all that
    /// were pulled still come out. An iterator that blocks is not interrupted.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// How far the stream has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let counters = &*self.counters;
        let [yes, no, errors, micros] = [&counters.yes, &counters.no, &counters.errors, &counters.last_done]
            .map(|counter| counter.load(Ordering::Acquire));
        let (done, elapsed) = (yes + no + errors, Duration::from_micros(micros));
        let rate = if elapsed.is_zero() { 0.0 } else { done as f64 / elapsed.as_secs_f64() };
        Progress { done, yes, no, errors, elapsed, rate }
    }
}

#[derive(Debug)]
struct Counters {
    started: Instant,
    yes: AtomicU64,
    no: AtomicU64,
    errors: AtomicU64,
    /// In microseconds since the start.
    last_done: AtomicU64,
}

impl Counters {
    fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self { started: Instant::now(), yes: zero(), no: zero(), errors: zero(), last_done: zero() }
    }

    fn count(&self, outcome: &Result<FundsConfirmation>) {
        let counter = match outcome {
            Ok(answer) if answer.available => &self.yes,
            Ok(_) => &self.no,
            Err(_) => &self.errors,
        };
        counter.fetch_add(1, Ordering::AcqRel);
        let micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_done.fetch_max(micros, Ordering::AcqRel);
    }
}

/// Where the workers get their checks.
struct Desk<T> {
    source: Mutex<Box<dyn Iterator<Item = FundsCheck<T>> + Send>>,
    state: Mutex<State<T>>,
    changed: Condvar,
    handle: ManyHandle,
    options: ManyOptions,
}

struct State<T> {
    /// Checks whose bank wants a pause.
    parked: VecDeque<Pulled<T>>,
    pauses: HashMap<String, Pause>,
    /// Whether a worker is asking the source.
    pulling: bool,
    exhausted: bool,
    panic: Option<Box<dyn Any + Send>>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        let (parked, pauses) = (VecDeque::new(), HashMap::new());
        Self { parked, pauses, pulling: false, exhausted: false, panic: None }
    }
}

struct Pause {
    until: Timestamp,
    length: Duration,
}

struct Pulled<T> {
    check: FundsCheck<T>,
    tries: u32,
}

impl<T> Pulled<T> {
    fn bank_id(&self) -> &str {
        &self.check.session.client().bank().id
    }

    fn now(&self) -> Timestamp {
        self.check.session.client().now()
    }
}

impl<T> State<T> {
    /// How long the bank of this check wants to be left alone yet.
    fn pause_left(&self, pulled: &Pulled<T>) -> Duration {
        match self.pauses.get(pulled.bank_id()) {
            Some(pause) => pause.until.saturating_duration_since(pulled.now()),
            None => Duration::ZERO,
        }
    }

    /// Notes what a bank said, and returns the pause it wants.
    fn pause(&mut self, pulled: &Pulled<T>, asked: Option<Duration>) -> Duration {
        let before = self.pauses.get(pulled.bank_id()).map(|pause| pause.length);
        let doubled = before.map_or(FIRST_PAUSE, |length| (length * 2).clamp(FIRST_PAUSE, LAST_PAUSE));
        let length = asked.unwrap_or(doubled);
        let until = pulled.now().saturating_add(length);
        self.pauses.insert(pulled.bank_id().to_owned(), Pause { until, length });
        length
    }
}

impl<T> Desk<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, results: &SyncSender<(FundsCheck<T>, Result<FundsConfirmation>)>) {
        while let Some(pulled) = self.next() {
            let outcome = self.ask(&pulled);
            let Some((pulled, outcome)) = self.unless_parked(pulled, outcome) else { continue };
            self.handle.counters.count(&outcome);
            if results.send((pulled.check, outcome)).is_err() {
                return;
            }
        }
    }

    /// The next check to make; none when there will be no more.
    fn next(&self) -> Option<Pulled<T>> {
        let mut state = self.state();
        loop {
            if self.handle.cancel.is_cancelled() {
                return state.parked.pop_front();
            }
            let ready = state.parked.iter().position(|pulled| self.may_go(&state, pulled));
            if let Some(pulled) = ready.and_then(|position| state.parked.remove(position)) {
                return Some(pulled);
            }
            if !state.exhausted && !state.pulling && state.parked.len() < 4 * self.options.max_in_flight {
                let (again, pulled) = self.pull(state);
                state = again;
                match pulled {
                    Some(pulled) if self.may_go(&state, &pulled) => return Some(pulled),
                    Some(pulled) => state.parked.push_back(pulled),
                    None => {}
                }
                continue;
            }
            if state.exhausted && state.parked.is_empty() {
                return None;
            }
            state = self.changed.wait_timeout(state, GLANCE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether a check need not wait: its bank wants no pause, or one that is not waited for.
    fn may_go(&self, state: &State<T>, pulled: &Pulled<T>) -> bool {
        let left = state.pause_left(pulled);
        left.is_zero() || left > self.options.max_pause
    }

    /// Asks the source without holding up the others.
    fn pull<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<T>>,
    ) -> (MutexGuard<'a, State<T>>, Option<Pulled<T>>) {
        state.pulling = true;
        drop(state);
        let pulled = {
            let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
            catch_unwind(AssertUnwindSafe(|| source.next()))
        };
        let mut state = self.state();
        state.pulling = false;
        let pulled = pulled.unwrap_or_else(|panic| {
            state.panic = Some(panic);
            None
        });
        state.exhausted = pulled.is_none();
        self.changed.notify_one();
        (state, pulled.map(|check| Pulled { check, tries: 0 }))
    }

    fn ask(&self, pulled: &Pulled<T>) -> Result<FundsConfirmation> {
        let left = self.state().pause_left(pulled);
        if !left.is_zero() && !self.handle.cancel.is_cancelled() {
            let message = "The bank asked for a pause that is longer than this stream waits; the check was not sent: try again after it.";
            return Err(Error::new(ErrorCode::RateLimited, message).with_retry_after(Some(left)));
        }
        let mut options = CallOptions::default().cancel(self.handle.cancel.clone());
        options.timeout = self.options.timeout;
        let (session, request) = (&pulled.check.session, &pulled.check.request);
        catch_unwind(AssertUnwindSafe(|| session.confirm_funds_with(request, &options))).unwrap_or_else(
            |_| {
                Err(Error::new(
                    ErrorCode::Internal,
                    "The check ended in a panic, of this library or of a part supplied to it; report it.",
                ))
            },
        )
    }

    /// Puts a check aside whose bank wants a pause; everything else is the outcome.
    fn unless_parked(
        &self,
        mut pulled: Pulled<T>,
        outcome: Result<FundsConfirmation>,
    ) -> Option<(Pulled<T>, Result<FundsConfirmation>)> {
        let (limited, asked) = match &outcome {
            Err(error) if error.code() == ErrorCode::RateLimited => {
                (error.http_status().is_some(), error.retry_after())
            }
            _ => (false, None),
        };
        let mut state = self.state();
        if !limited {
            // Any other answer shows that the bank takes calls again.
            if outcome.is_ok() && !state.pauses.is_empty() && state.pause_left(&pulled).is_zero() {
                state.pauses.remove(pulled.bank_id());
            }
            return Some((pulled, outcome));
        }
        pulled.tries += 1;
        let length = state.pause(&pulled, asked);
        if pulled.tries > TRIES || length > self.options.max_pause {
            return Some((pulled, outcome));
        }
        state.parked.push_back(pulled);
        None
    }
}
