//! Threads that make calls, kept for the next ones.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cbpii::{Error, ErrorCode};
use pyo3::prelude::*;

use crate::error::{raise, refused};
use crate::process::Owned;

/// How long a thread with nothing to do is kept.
const KEPT: Duration = Duration::from_secs(20);

type Job = Box<dyn FnOnce() + Send>;

/// Threads, started when they are needed, at most so many.
pub(crate) struct Crew(Arc<Shared>);

struct Shared {
    limit: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    /// Nobody can bring jobs any more.
    ended: bool,
}

impl Crew {
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Shared { limit, state: Mutex::default(), changed: Condvar::new() }))
    }

    /// Has a job done, by the next thread that is free.
    pub(crate) fn run(&self, job: Job) -> Result<(), Error> {
        let shared = &self.0;
        let mut state = shared.state();
        if state.idle <= state.jobs.len() && state.threads < shared.limit {
            state.threads += 1;
            drop(state);
            let own = Arc::clone(shared);
            let started = std::thread::Builder::new().name("cbpii".to_owned()).spawn(move || own.work());
            state = shared.state();
            if started.is_err() {
                state.threads -= 1;
                if state.threads == 0 {
                    let message = "The operating system gives no thread for the call; try again.";
                    return Err(Error::new(ErrorCode::Internal, message));
                }
            }
        }
        state.jobs.push_back(job);
        shared.changed.notify_one();
        Ok(())
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.0.state().ended = true;
        self.0.changed.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.state();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job();
                state = self.state();
                continue;
            }
            if state.ended {
                break;
            }
            state.idle += 1;
            let (again, waited) =
                self.changed.wait_timeout(state, KEPT).unwrap_or_else(PoisonError::into_inner);
            state = again;
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }
}

/// A crew of this process: a child after `os.fork()` gets its own.
pub(crate) struct OwnCrew {
    limit: usize,
    /// Locked with the GIL only.
    crew: Mutex<Option<Owned<Arc<Crew>>>>,
}

impl OwnCrew {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { limit, crew: Mutex::new(None) }
    }

    pub(crate) fn get(&self, _py: Python<'_>) -> Arc<Crew> {
        let mut slot = self.crew.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(crew) = slot.as_ref().and_then(Owned::here) {
            return Arc::clone(crew);
        }
        let crew = Arc::new(Crew::new(self.limit));
        *slot = Some(Owned::new(Arc::clone(&crew)));
        crew
    }
}

/// The threads of an asynchronous client.
#[pyclass(frozen, name = "_Workers", module = "cbpii")]
pub(crate) struct Workers(OwnCrew);

#[pymethods]
impl Workers {
    #[new]
    fn new(py: Python<'_>, max_in_flight: usize) -> PyResult<Self> {
        if !(1..=1024).contains(&max_in_flight) {
            return Err(refused(py, ErrorCode::OptionValue, "The option max_in_flight is not 1 to 1024."));
        }
        Ok(Self(OwnCrew::new(max_in_flight)))
    }
}

impl Workers {
    pub(crate) fn run(&self, py: Python<'_>, job: Job) -> PyResult<()> {
        let crew = self.0.get(py);
        // Without the GIL: a thread that wants it may hold the lock.
        py.detach(|| crew.run(job)).map_err(|error| raise(py, &error))
    }
}
