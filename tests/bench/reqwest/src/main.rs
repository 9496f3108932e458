//! The funds check by hand, with reqwest as it comes (rustls and AWS-LC). One measurement, told as a line of JSON:
//!
//!     PROGRAM (blocking|async) kept-alive N      N calls on one kept-alive connection
//!     PROGRAM (blocking|async) together T N      T threads (or tasks) with N calls each, sharing a client
//!     PROGRAM (blocking|async) new-connection N  N calls, each on a new connection
//!     PROGRAM (blocking|async) once              one call, then the end
//!
//! Two calls of each thread (or BENCH_REHEARSALS) come before the clock starts, except for `once`.

mod funds;

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use funds::{Answer, CALL, CONNECT, Funds, constant_headers, identity};
use reqwest::redirect::Policy;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is to be done.
#[derive(Clone, Copy)]
struct Work {
    together: usize,
    rehearsals: usize,
    calls: usize,
    keeps: bool,
}

impl Work {
    fn parse(words: &[&str]) -> Result<Self, Failure> {
        let rehearsals = env::var("BENCH_REHEARSALS").map_or(Ok(2), |given| given.parse())?;
        Ok(match words {
            ["kept-alive", calls] => Self { together: 1, rehearsals, calls: calls.parse()?, keeps: true },
            ["together", together, calls] => {
                Self { together: together.parse()?, rehearsals, calls: calls.parse()?, keeps: true }
            }
            ["new-connection", calls] => {
                Self { together: 1, rehearsals, calls: calls.parse()?, keeps: false }
            }
            ["once"] => Self { together: 1, rehearsals: 0, calls: 1, keeps: true },
            _ => return Err(format!("there is no work {words:?}").into()),
        })
    }

    fn idle(self) -> usize {
        if self.keeps { usize::MAX } else { 0 }
    }
}

/// Wall and CPU time of all calls, and the time of each.
struct Spent {
    wall: Duration,
    cpu: Duration,
    times: Vec<Duration>,
}

impl Spent {
    fn tell(mut self) -> String {
        self.times.sort_unstable();
        let percentile = |percent: usize| self.times[self.times.len() * percent / 100].as_secs_f64();
        serde_json::json!({
            "calls": self.times.len(),
            "wall_seconds": self.wall.as_secs_f64(),
            "cpu_seconds": self.cpu.as_secs_f64(),
            "p50_seconds": percentile(50),
            "p99_seconds": percentile(99),
            "memory_peak": peak_memory(),
        })
        .to_string()
    }
}

/// CPU time of the process, user and system, of all threads that ever ran.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// The largest resident size so far, in KiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok()).unwrap_or_default()
}

fn blocking(work: Work) -> Result<Spent, Failure> {
    let (roots, identity) = identity()?;
    let client = reqwest::blocking::Client::builder()
        .tls_certs_only(roots)
        .identity(identity)
        .default_headers(constant_headers())
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(CALL)
        .pool_max_idle_per_host(work.idle())
        .build()?;
    let funds = Funds::from_environment()?;
    let call = || -> Result<(), Failure> {
        let (body, headers) = funds.request()?;
        let response = client.post(funds.url.clone()).headers(headers).body(body).send()?;
        let status = response.status();
        funds.check(status, &response.json::<Answer>()?)
    };
    if work.together == 1 {
        (0..work.rehearsals).try_for_each(|_| call())?;
        let (started, cpu) = (Instant::now(), cpu_time());
        let times = timed(work.calls, call)?;
        return Ok(Spent { wall: started.elapsed(), cpu: cpu_time() - cpu, times });
    }
    let barrier = Barrier::new(work.together + 1);
    thread::scope(|scope| {
        let thread = || {
            let rehearsed = (0..work.rehearsals).try_for_each(|_| call());
            barrier.wait();
            rehearsed?;
            timed(work.calls, call)
        };
        let threads: Vec<_> = (0..work.together).map(|_| scope.spawn(thread)).collect();
        barrier.wait();
        let (started, cpu) = (Instant::now(), cpu_time());
        let mut times = Vec::new();
        for thread in threads {
            times.extend(thread.join().map_err(|_| "a thread panicked")??);
        }
        Ok(Spent { wall: started.elapsed(), cpu: cpu_time() - cpu, times })
    })
}

fn timed(calls: usize, call: impl Fn() -> Result<(), Failure>) -> Result<Vec<Duration>, Failure> {
    let one = |_| {
        let started = Instant::now();
        call()?;
        Ok(started.elapsed())
    };
    (0..calls).map(one).collect()
}

async fn asynchronous(work: Work) -> Result<Spent, Failure> {
    let (roots, identity) = identity()?;
    let client = reqwest::Client::builder()
        .tls_certs_only(roots)
        .identity(identity)
        .default_headers(constant_headers())
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(CALL)
        .pool_max_idle_per_host(work.idle())
        .build()?;
    let funds = Arc::new(Funds::from_environment()?);
    let task = async |calls: usize| -> Result<Vec<Duration>, Failure> {
        let mut tasks = Vec::new();
        for _ in 0..work.together {
            let (client, funds) = (client.clone(), Arc::clone(&funds));
            tasks.push(tokio::spawn(async move { calls_of_task(&client, &funds, calls).await }));
        }
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await??);
        }
        Ok(times)
    };
    task(work.rehearsals).await?;
    let (started, cpu) = (Instant::now(), cpu_time());
    let times = task(work.calls).await?;
    Ok(Spent { wall: started.elapsed(), cpu: cpu_time() - cpu, times })
}

async fn calls_of_task(
    client: &reqwest::Client,
    funds: &Funds,
    calls: usize,
) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let started = Instant::now();
        let (body, headers) = funds.request()?;
        let response = client.post(funds.url.clone()).headers(headers).body(body).send().await?;
        let status = response.status();
        funds.check(status, &response.json::<Answer>().await?)?;
        times.push(started.elapsed());
    }
    Ok(times)
}

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let spent = match &words[..] {
        ["blocking", work @ ..] => Work::parse(work).and_then(blocking),
        ["async", work @ ..] => Work::parse(work).and_then(|work| {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(asynchronous(work))
        }),
        _ => Err("usage: PROGRAM (blocking|async) WORK".into()),
    };
    match spent {
        Ok(spent) => println!("{}", spent.tell()),
        Err(error) => {
            eprintln!("reqwest: {error:?}");
            process::exit(1);
        }
    }
}
