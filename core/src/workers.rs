//! Threads that make calls for callers who must not wait: an event loop's promises, futures and coroutines.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::{Error, ErrorCode, Result};

/// The most threads that can be asked for.
const MAX_IN_FLIGHT: usize = 1024;
/// How long a thread with nothing to do is kept.
const KEPT: Duration = Duration::from_secs(20);

type Job = Box<dyn FnOnce() -> Tell + Send>;
type Tell = Box<dyn FnOnce()>;

/// Threads that are started when they are needed, at most so many, and kept for the next calls.
///
/// A job waits its turn when all threads are busy. Idle threads end after 20 seconds, and all of them when the
/// `Workers` is dropped and the jobs given to it are done. A child after `fork` has none of the threads: make another
/// `Workers` there.
pub struct Workers(Arc<Shared>);

struct Shared {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Threads that do no job: those asleep, and those that look for one before they sleep.
    free: usize,
    /// The one that fell asleep last is woken first: what it needs is still in the processor's caches.
    asleep: Vec<Thread>,
    /// Jobs that are not in the list yet, because the thread for them is being started.
    promised: usize,
    /// Nobody can bring jobs any more.
    ended: bool,
}

impl Workers {
    /// At most this many threads, 1 to 1024.
    ///
    /// # Errors
    /// `configuration.option_value` for another number.
    pub fn new(max_in_flight: usize) -> Result<Self> {
        if !(1..=MAX_IN_FLIGHT).contains(&max_in_flight) {
            let message = format!("The option max_in_flight is not 1 to {MAX_IN_FLIGHT}.");
            return Err(Error::new(ErrorCode::OptionValue, message));
        }
        Ok(Self::limited(max_in_flight))
    }

    /// As many threads as there are jobs at the same time.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::limited(usize::MAX)
    }

    fn limited(limit: usize) -> Self {
        Self(Arc::new(Shared { limit, state: Mutex::default() }))
    }

    /// Has a job done by the next thread that is free. A panic of it stays in that thread.
    ///
    /// # Errors
    /// `internal` when there is no thread yet and the operating system gives none; the job is then dropped, not done.
    pub fn run(&self, job: impl FnOnce() + Send + 'static) -> Result<()> {
        self.run_and_tell(job, |()| ())
    }

    /// The same for a job whose outcome is told by `tell`, in that thread. It counts as free by then, so that whoever is
    /// told and brings the next job finds a thread that is awake: `tell` must not wait for anything.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_and_tell<T: 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
        tell: impl FnOnce(T) + Send + 'static,
    ) -> Result<()> {
        self.bring(Box::new(move || {
            let outcome = job();
            Box::new(move || tell(outcome))
        }))
    }

    fn bring(&self, job: Job) -> Result<()> {
        let shared = &self.0;
        let mut state = shared.state();
        if state.free <= state.jobs.len() + state.promised && state.threads < shared.limit {
            state.threads += 1;
            state.free += 1;
            state.promised += 1;
            drop(state);
            let own = Arc::clone(shared);
            let started = std::thread::Builder::new().name("cbpii".to_owned()).spawn(move || own.work());
            state = shared.state();
            state.promised -= 1;
            if started.is_err() {
                state.threads -= 1;
                state.free -= 1;
                if state.threads == 0 {
                    let message = "The operating system gives no thread for the call; try again.";
                    return Err(Error::new(ErrorCode::Internal, message));
                }
            }
        }
        state.jobs.push_back(job);
        // Threads that are awake look for jobs by themselves.
        let more_than_awake = state.jobs.len() + state.promised > state.free - state.asleep.len();
        let woken = if more_than_awake { state.asleep.pop() } else { None };
        drop(state);
        if let Some(thread) = woken {
            thread.unpark();
        }
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.ended = true;
        let all = std::mem::take(&mut state.asleep);
        drop(state);
        for thread in all {
            thread.unpark();
        }
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state();
        let (threads, waiting) = (state.threads, state.jobs.len());
        f.debug_struct("Workers").field("threads", &threads).field("waiting", &waiting).finish()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // The job's owner learns of a panic by what the job did not deliver.
            let tell = catch_unwind(AssertUnwindSafe(job));
            self.state().free += 1;
            if let Ok(tell) = tell {
                let _ = catch_unwind(AssertUnwindSafe(tell));
            }
        }
    }

    /// Waits for a job; none when the thread, which is free, has to end.
    fn next(&self) -> Option<Job> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                state.free -= 1;
                return Some(job);
            }
            if state.ended {
                break;
            }
            let this = thread::current();
            state.asleep.push(this.clone());
            drop(state);
            let since = Instant::now();
            thread::park_timeout(KEPT);
            state = self.state();
            // Whoever wakes a thread takes it off the list.
            if let Some(place) = state.asleep.iter().position(|one| one.id() == this.id()) {
                state.asleep.remove(place);
                if state.jobs.is_empty() && since.elapsed() >= KEPT {
                    break;
                }
            }
        }
        state.threads -= 1;
        state.free -= 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Barrier};

    use super::*;

    #[test]
    fn so_many_jobs_run_at_once_and_the_others_wait() {
        let workers = Workers::new(2).unwrap();
        let together = Arc::new(Barrier::new(2));
        let (sender, receiver) = channel();
        for _ in 0..6 {
            let (together, sender) = (Arc::clone(&together), sender.clone());
            workers
                .run(move || {
                    together.wait();
                    sender.send(thread::current().id()).unwrap();
                })
                .unwrap();
        }
        drop(sender);
        let by: Vec<_> = receiver.iter().collect();
        assert_eq!(by.len(), 6);
        assert_eq!(by.iter().collect::<HashSet<_>>().len(), 2);
    }

    #[test]
    fn without_a_limit_every_job_finds_a_thread() {
        let workers = Workers::unlimited();
        let together = Arc::new(Barrier::new(21));
        for _ in 0..20 {
            let together = Arc::clone(&together);
            workers
                .run(move || {
                    together.wait();
                })
                .unwrap();
        }
        together.wait();
    }

    #[test]
    fn jobs_brought_at_the_same_time_find_a_thread_each() {
        for _ in 0..100 {
            let workers = Workers::unlimited();
            let (brought, together) = (Barrier::new(8), Arc::new(Barrier::new(9)));
            thread::scope(|scope| {
                for _ in 0..8 {
                    let together = Arc::clone(&together);
                    scope.spawn(|| {
                        brought.wait();
                        workers
                            .run(move || {
                                together.wait();
                            })
                            .unwrap();
                    });
                }
            });
            together.wait();
        }
    }

    #[test]
    fn a_thread_survives_a_panic_and_the_end_of_its_owner() {
        let workers = Workers::new(1).unwrap();
        let (sender, receiver) = channel();
        let own = sender.clone();
        workers.run(move || own.send(thread::current().id()).unwrap()).unwrap();
        workers.run(|| std::panic::panic_any("a panic on purpose")).unwrap();
        workers.run(move || sender.send(thread::current().id()).unwrap()).unwrap();
        drop(workers);
        let by: Vec<_> = receiver.iter().collect();
        assert_eq!(by.len(), 2);
        assert_eq!(by[0], by[1]);
    }

    #[test]
    fn whoever_is_told_of_an_outcome_finds_its_thread_free() {
        let workers = Workers::unlimited();
        let (sender, receiver) = channel();
        let by: HashSet<_> = (0..1000)
            .map(|_| {
                let told = sender.clone();
                workers
                    .run_and_tell(|| thread::current().id(), move |thread| told.send(thread).unwrap())
                    .unwrap();
                receiver.recv().unwrap()
            })
            .collect();
        assert_eq!(by.len(), 1);
    }

    #[test]
    fn the_thread_that_fell_asleep_last_is_woken() {
        let workers = Workers::unlimited();
        let together = Arc::new(Barrier::new(3));
        for _ in 0..3 {
            let together = Arc::clone(&together);
            workers
                .run(move || {
                    together.wait();
                })
                .unwrap();
        }
        let last = loop {
            let state = workers.0.state();
            match state.asleep[..] {
                [_, _, ref last] => break last.id(),
                _ => thread::yield_now(),
            }
        };
        let (sender, receiver) = channel();
        workers.run(move || sender.send(thread::current().id()).unwrap()).unwrap();
        assert_eq!(receiver.recv().unwrap(), last);
    }

    #[test]
    fn a_panic_of_whoever_is_told_stays_in_the_thread() {
        let workers = Workers::new(1).unwrap();
        let (sender, receiver) = channel();
        workers.run_and_tell(|| (), |()| std::panic::panic_any("a panic on purpose")).unwrap();
        workers.run(move || sender.send(()).unwrap()).unwrap();
        receiver.recv().unwrap();
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for number in [0, 1025] {
            assert_eq!(Workers::new(number).unwrap_err().code(), ErrorCode::OptionValue);
        }
        assert!(Workers::new(1024).is_ok());
    }
}
