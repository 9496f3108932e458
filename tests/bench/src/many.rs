//! `confirm_many` beside bare threads: as many workers on both sides take checks until none is left.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use cbpii::many::FundsCheck;
use cbpii::{Session, confirm_many};

use crate::Failure;
use crate::bare_loop::{Loop, Shared};
use crate::library::Library;
use crate::process::cpu_time;

/// Wall and CPU time of all calls, after two calls per worker that are not counted.
pub(crate) type Spent = (Duration, Duration);

/// Threads with a hand-written loop each.
pub(crate) fn bare(shared: &Arc<Shared>, threads: usize, calls: usize) -> Result<Spent, Failure> {
    let left = AtomicUsize::new(calls);
    let take = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
    let barrier = Barrier::new(threads + 1);
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                let mut bare = Loop::new(shared, true);
                let (take, barrier) = (&take, &barrier);
                scope.spawn(move || -> Result<(), Failure> {
                    let rehearsed = bare.call().and_then(|()| bare.call());
                    barrier.wait();
                    rehearsed?;
                    while take() {
                        bare.call()?;
                    }
                    Ok(())
                })
            })
            .collect();
        barrier.wait();
        let (started, cpu_before) = (Instant::now(), cpu_time());
        for handle in handles {
            handle.join().map_err(|_| "a thread panicked")??;
        }
        Ok((started.elapsed(), cpu_time().saturating_sub(cpu_before)))
    })
}

/// `confirm_many` over one session; its workers are started within the time.
pub(crate) fn library(library: &Library, workers: usize, calls: usize) -> Result<Spent, Failure> {
    let session = library.session()?;
    library.client.warm_up(workers).map(drop)?;
    all_yes(library, &session, workers, workers * 2)?;
    let (started, cpu_before) = (Instant::now(), cpu_time());
    all_yes(library, &session, workers, calls)?;
    Ok((started.elapsed(), cpu_time().saturating_sub(cpu_before)))
}

fn all_yes(library: &Library, session: &Session, workers: usize, calls: usize) -> Result<(), Failure> {
    let check = FundsCheck { session: session.clone(), request: library.request.clone(), context: () };
    let mut answers = 0;
    for (_, outcome) in confirm_many(std::iter::repeat_n(check, calls), workers)? {
        if !outcome?.available {
            return Err("not a yes".into());
        }
        answers += 1;
    }
    if answers == calls { Ok(()) } else { Err(format!("{answers} answers to {calls} checks").into()) }
}
