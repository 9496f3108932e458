//! Whether a call costs more the more there already is: calls made, consents kept, banks in the process.
//!
//! Each is a process of its own (`cbpii-bench growth …`) that grows step by step and tells what a call takes at each step.

use std::io::{self, Write as _};
use std::path::Path;

use cbpii::store::{MemoryStore, SqliteStore};
use cbpii::{Bank, Client, Environment, FundsRequest, Session, SessionPool, Tokens};
use serde::Serialize;

use crate::Failure;
use crate::bank::Setup;
use crate::fleet::{client, request, sealed, tokens};
use crate::library::Library;
use crate::process::{cpu_time, resident_memory};

/// Batches of calls at each step; each batch gives one figure.
const BATCHES: usize = 5;
/// How many there are at each step, of calls and of consents.
const STEPS: [usize; 6] = [1, 10, 100, 1_000, 10_000, 100_000];

/// What was measured at each step.
#[derive(Debug, Default, Serialize)]
struct Growth {
    /// What there is more and more of.
    of: &'static str,
    /// What is done.
    name: &'static str,
    counts: Vec<usize>,
    /// CPU time per call, in microseconds: for each step one figure per batch.
    cpu_us: Vec<Vec<f64>>,
    /// Resident at each step, in KiB.
    resident_kib: Vec<u64>,
}

impl Growth {
    fn new(of: &'static str, name: &'static str) -> Self {
        Self { of, name, ..Self::default() }
    }

    fn step(&mut self, count: usize, cpu_us: Vec<f64>) {
        self.counts.push(count);
        self.cpu_us.push(cpu_us);
        self.resident_kib.push(resident_memory());
    }
}

pub(crate) fn run(what: &str, setup: &Path) -> Result<(), Failure> {
    let setup = Setup::read(setup)?;
    let grown = match what {
        "calls" => {
            let library = Library::new(&setup, true)?;
            library.client.warm_up(1)?;
            calls(&library, "over the network")?
        }
        "calls-in-memory" => calls(&Library::in_memory(&setup)?, "without RSA and network")?,
        "consents-asked" => {
            let library = Library::new(&setup, true)?;
            library.client.warm_up(1)?;
            consents_opened(library.client, library.request, 300, "from SQLite, over the network")?
        }
        "consents-opened" => {
            consents_opened(client()?, request()?, 2_000, "from SQLite, without RSA and network")?
        }
        "consents-held" => consents_held()?,
        "banks" => banks(&setup)?,
        _ => return Err(format!("no growth of {what}").into()),
    };
    writeln!(io::stdout(), "{}", serde_json::to_string(&grown)?)?;
    Ok(())
}

/// CPU time per call, in microseconds.
fn cost(calls: usize, mut call: impl FnMut(usize) -> Result<(), Failure>) -> Result<f64, Failure> {
    let before = cpu_time();
    (0..calls).try_for_each(&mut call)?;
    let calls = u32::try_from(calls)?;
    Ok(cpu_time().saturating_sub(before).as_secs_f64() * 1e6 / f64::from(calls))
}

/// At each step all calls since the step before.
fn calls(library: &Library, name: &'static str) -> Result<Growth, Failure> {
    let mut growth = Growth::new("calls made by one client", name);
    let mut made = 0;
    for count in STEPS {
        let each = cost(count - made, |_| library.call())?;
        growth.step(count, vec![each]);
        made = count;
    }
    Ok(growth)
}

/// One consent after the other is loaded from a SQLite file, asked about and dropped.
fn consents_opened(
    client: Client,
    request: FundsRequest,
    calls: usize,
    name: &'static str,
) -> Result<Growth, Failure> {
    let mut growth = Growth::new("consents", name);
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(folder.path().join("consents.db"))?;
    let pool = SessionPool::new(client, sealed(store));
    let given = consent()?;
    let mut kept = 0;
    for count in STEPS {
        for place in kept..count {
            pool.keep(&id(place), &given).map(drop)?;
        }
        kept = count;
        let batch = |_| cost(calls, |call| asked(&pool.open(&id(spread(call, count)))?, &request));
        growth.step(count, (0..BATCHES).map(batch).collect::<Result<_, _>>()?);
    }
    Ok(growth)
}

/// All consents are held open at once.
fn consents_held() -> Result<Growth, Failure> {
    let mut growth = Growth::new("consents", "all held open");
    let (pool, request) = (SessionPool::new(client()?, sealed(MemoryStore::new())), request()?);
    let given = consent()?;
    let mut sessions: Vec<Session> = Vec::new();
    for count in STEPS {
        for place in sessions.len()..count {
            sessions.push(pool.keep(&id(place), &given)?);
        }
        let batch = |_| cost(2_000, |call| asked(&sessions[spread(call, count)], &request));
        growth.step(count, (0..BATCHES).map(batch).collect::<Result<_, _>>()?);
    }
    Ok(growth)
}

fn consent() -> Result<Tokens, Failure> {
    tokens("access-2YotnFZFEjr1zCsicMWpAA", "refresh-tGzv3JOkF0XG5Qx2TlKWIA")
}

fn id(place: usize) -> String {
    format!("consent-{place}")
}

/// Calls go to all of them, not in the order they were made in.
fn spread(call: usize, count: usize) -> usize {
    call * 7_919 % count
}

fn asked(session: &Session, request: &FundsRequest) -> Result<(), Failure> {
    if session.confirm_funds(request)?.available { Ok(()) } else { Err("not a yes".into()) }
}

/// A client with a connection for each bank, all at the same server; the calls go round.
fn banks(setup: &Setup) -> Result<Growth, Failure> {
    let mut growth = Growth::new("banks in one process", "over the network");
    let directory: Vec<Bank> = Bank::directory(Environment::Sandbox)
        .into_iter()
        .filter(|bank| bank.id.starts_with("bpce-"))
        .collect();
    let mut clients: Vec<Library> = Vec::new();
    for count in [1, 2, 4, 8, 16, 33] {
        for bank in directory.iter().take(count).skip(clients.len()) {
            let library = Library::of_bank(bank.clone(), setup, true)?;
            library.call()?;
            clients.push(library);
        }
        if clients.len() < count {
            return Err(format!("the directory has {} banks, not {count}", clients.len()).into());
        }
        let batch = |_| cost(330, |call| clients[call % count].call());
        growth.step(count, (0..BATCHES).map(batch).collect::<Result<_, _>>()?);
    }
    Ok(growth)
}
