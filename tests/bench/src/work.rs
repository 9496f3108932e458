//! One measurement in a process of its own, told as a line of JSON.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::bank::Setup;
use crate::bare_loop::{Loop, Shared};
use crate::library::Library;
use crate::many;
use crate::process::{cpu_time, peak_memory};
use crate::rounds::quickest;

/// What one process measured; the programs in C tell a part of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Measured {
    pub(crate) calls: u64,
    /// From the moment every thread was ready to the last answer.
    pub(crate) wall_seconds: f64,
    /// CPU time of the process in that while, user and system.
    pub(crate) cpu_seconds: f64,
    /// The first call of the first thread.
    pub(crate) first_seconds: f64,
    /// The median of that thread's later calls.
    pub(crate) later_seconds: f64,
    /// The median of all calls, and what one in a hundred exceeds.
    pub(crate) p50_seconds: f64,
    pub(crate) p99_seconds: f64,
    pub(crate) connections: u64,
    pub(crate) resumed: u64,
    pub(crate) name_lookups: u64,
    /// Of one call; only where they are counted.
    pub(crate) allocations: u64,
    /// Resident before the first call, and at most; KiB.
    pub(crate) memory_before: u64,
    pub(crate) memory_peak: u64,
}

/// Which of the two is measured.
enum Side {
    Bare(Arc<Shared>),
    Library(Box<Library>),
}

/// What one thread calls with.
enum Caller {
    Bare(Box<Loop>),
    Library(Box<Library>),
}

impl Caller {
    fn call(&mut self) -> Result<(), Failure> {
        match self {
            Self::Bare(bare) => bare.call(),
            Self::Library(library) => library.call(),
        }
    }

    /// Opens and finishes a connection before the first call.
    fn connect(&mut self) -> Result<(), Failure> {
        match self {
            Self::Bare(bare) => bare.connect(),
            Self::Library(library) => Ok(library.client.warm_up(1).map(drop)?),
        }
    }
}

impl Side {
    fn caller(&self, keeps: bool) -> Caller {
        match self {
            Self::Bare(shared) => Caller::Bare(Box::new(Loop::new(shared, keeps))),
            Self::Library(library) => Caller::Library(library.clone()),
        }
    }
}

pub(crate) fn run(setup: &Path, side: &str, mode: &str, threads: &str, calls: &str) -> Result<(), Failure> {
    let setup = Setup::read(setup)?;
    let (threads, calls): (usize, usize) = (threads.parse()?, calls.parse()?);
    if (side, mode, threads) == ("cbpii", "memory", 1) {
        return tell(&measure_in_memory(&setup, calls)?);
    }
    let keeps = match mode {
        "kept" | "ahead" | "many" => true,
        "fresh" => false,
        _ => return Err(format!("no mode {mode}").into()),
    };
    let side = match side {
        "bare" => Side::Bare(Shared::new(&setup)?),
        "cbpii" => Side::Library(Box::new(Library::new(&setup, keeps)?)),
        _ => return Err(format!("no side {side}").into()),
    };
    let measured = match mode {
        "many" => measure_many(&side, threads, calls)?,
        _ => measure(&side, mode, keeps, threads, calls)?,
    };
    tell(&measured)
}

fn tell(measured: &Measured) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string(measured)?)?)
}

/// The quickest of several batches of calls, by a client whose bank is in memory and whose seal has signed already. The
/// same as `c/in_memory.c`.
fn measure_in_memory(setup: &Setup, calls: usize) -> Result<Measured, Failure> {
    const BATCHES: usize = 301;
    let library = Library::in_memory(setup)?;
    let batch = || -> Result<f64, Failure> {
        let started = Instant::now();
        (0..calls).try_for_each(|_| library.call())?;
        Ok(started.elapsed().as_secs_f64())
    };
    let batches = (0..BATCHES).map(|_| batch()).collect::<Result<Vec<_>, _>>()?;
    Ok(Measured { calls: u64::try_from(calls)?, wall_seconds: quickest(&batches), ..Measured::default() })
}

/// Calls of each thread before the clock starts, so that what happens once (lazy set-up, first connection, first ticket)
/// is not divided by the number of calls. None where the first call itself is measured.
fn rehearsals(mode: &str, calls: usize) -> Result<usize, Failure> {
    match std::env::var("BENCH_REHEARSALS") {
        _ if mode == "ahead" || calls == 1 => Ok(0),
        Ok(given) => Ok(given.parse()?),
        Err(_) => Ok(2),
    }
}

fn measure(side: &Side, mode: &str, keeps: bool, threads: usize, calls: usize) -> Result<Measured, Failure> {
    let rehearsals = rehearsals(mode, calls)?;
    let memory_before = peak_memory();
    let barrier = Barrier::new(threads + 1);
    let (mut outcomes, mut wall, mut cpu) = (Vec::new(), Duration::ZERO, Duration::ZERO);
    std::thread::scope(|scope| -> Result<(), Failure> {
        let handles: Vec<_> = (0..threads)
            .map(|_| {
                let mut caller = side.caller(keeps);
                let barrier = &barrier;
                scope.spawn(move || -> Result<Thread, Failure> {
                    let prepared = rehearse(&mut caller, mode, rehearsals);
                    barrier.wait();
                    prepared?;
                    work(caller, calls)
                })
            })
            .collect();
        barrier.wait();
        let (started, cpu_before) = (Instant::now(), cpu_time());
        for handle in handles {
            outcomes.push(handle.join().map_err(|_| "a thread panicked")??);
        }
        (wall, cpu) = (started.elapsed(), cpu_time().saturating_sub(cpu_before));
        Ok(())
    })?;
    let mut times: Vec<_> = outcomes.iter().flat_map(|thread| &thread.times).copied().collect();
    times.sort_unstable();
    let first = outcomes.first().ok_or("no threads")?;
    let mut measured = Measured {
        calls: u64::try_from(threads * calls)?,
        wall_seconds: wall.as_secs_f64(),
        cpu_seconds: cpu.as_secs_f64(),
        first_seconds: first.times.first().copied().unwrap_or_default().as_secs_f64(),
        later_seconds: first.later().as_secs_f64(),
        p50_seconds: percentile(&times, 50).as_secs_f64(),
        p99_seconds: percentile(&times, 99).as_secs_f64(),
        connections: outcomes.iter().map(|thread| thread.connections).sum(),
        resumed: outcomes.iter().map(|thread| thread.resumed).sum(),
        name_lookups: 0,
        allocations: 0,
        memory_before,
        memory_peak: peak_memory(),
    };
    if let Side::Library(library) = side {
        let statistics = library.client.statistics();
        measured.connections = statistics.connections;
        measured.resumed = statistics.resumed;
        measured.name_lookups = statistics.name_lookups;
    }
    Ok(measured)
}

/// The calls are not shared out beforehand: each worker takes the next when it is free.
fn measure_many(side: &Side, threads: usize, calls: usize) -> Result<Measured, Failure> {
    let (wall, cpu) = match side {
        Side::Bare(shared) => many::bare(shared, threads, calls)?,
        Side::Library(library) => many::library(library, threads, calls)?,
    };
    Ok(Measured {
        calls: u64::try_from(calls)?,
        wall_seconds: wall.as_secs_f64(),
        cpu_seconds: cpu.as_secs_f64(),
        ..Measured::default()
    })
}

fn rehearse(caller: &mut Caller, mode: &str, times: usize) -> Result<(), Failure> {
    if mode == "ahead" {
        caller.connect()?;
    }
    (0..times).try_for_each(|_| caller.call())
}

/// What one thread measured: how long each of its calls took, in order.
struct Thread {
    times: Vec<Duration>,
    connections: u64,
    resumed: u64,
}

impl Thread {
    /// The median of all calls but the first.
    fn later(&self) -> Duration {
        let mut later: Vec<_> = self.times.iter().skip(1).copied().collect();
        later.sort_unstable();
        percentile(&later, 50)
    }
}

/// Of times in order.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted.get(sorted.len() * percent / 100).copied().unwrap_or_default()
}

fn work(mut caller: Caller, calls: usize) -> Result<Thread, Failure> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let started = Instant::now();
        caller.call()?;
        times.push(started.elapsed());
    }
    let (connections, resumed) = match &caller {
        Caller::Bare(bare) => (bare.connections, bare.resumed),
        Caller::Library(_) => (0, 0),
    };
    Ok(Thread { times, connections, resumed })
}
