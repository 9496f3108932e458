//! What a fleet of consents costs beside one: a session around a call, and a store of a hundred thousand consents.
//!
//! Each is a process of its own (`cbpii-bench fleet …`) that takes its baseline and the library in turns.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use cbpii::funds::{Amount, Iban};
use cbpii::store::{ConsentStore, MemoryStore, RecordKey, RecordKeys, SealedStore, SqliteStore};
use cbpii::{Bank, Client, Clock as _, Environment, FundsRequest, Issuer, SessionPool, SystemClock, Tokens};
use rusqlite::Connection;

use crate::Failure;
use crate::bank::{AMOUNT, REFERENCE};
use crate::in_memory::{IBAN, Memory};
use crate::rounds::Rounds;

/// How many consents stand in the store beside the one that is loaded.
const CONSENTS: u32 = 100_000;
const ID: &str = "wanted";

pub(crate) fn run(what: &str) -> Result<(), Failure> {
    let rounds = match what {
        "session" => session()?,
        "open" => with_store(open)?,
        "load" => with_store(load)?,
        _ => return Err(format!("no measurement {what}").into()),
    };
    writeln!(io::stdout(), "{}", serde_json::to_string(&rounds)?)?;
    Ok(())
}

/// Seconds of a call by the client, and of the same call by a session whose tokens need no refresh.
fn session() -> Result<Rounds, Failure> {
    const CALLS: u32 = 2_000;
    let client = client()?;
    let tokens = tokens("access", "refresh")?;
    let session = SessionPool::new(client.clone(), sealed(MemoryStore::new())).keep(ID, &tokens)?;
    let request = request()?;
    let time = |call: &dyn Fn() -> cbpii::Result<bool>| -> Result<f64, Failure> {
        let started = Instant::now();
        for _ in 0..CALLS {
            if !call()? {
                return Err("not a yes".into());
            }
        }
        Ok(started.elapsed().as_secs_f64() / f64::from(CALLS))
    };
    in_turns(
        51,
        || time(&|| Ok(client.confirm_funds(&tokens, &request)?.available)),
        || time(&|| Ok(session.confirm_funds(&request)?.available)),
    )
}

/// Seconds until the file is open and was looked into once. SQLite itself reads nothing when it opens a file.
fn open(path: &Path) -> Result<Rounds, Failure> {
    let raw = || {
        let started = Instant::now();
        let connection = Connection::open(path)?;
        let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let opened = started.elapsed().as_secs_f64();
        if version == 0 { Err("not the file of a store".into()) } else { Ok(opened) }
    };
    let library = || {
        let started = Instant::now();
        let store = SqliteStore::open(path)?;
        let opened = started.elapsed().as_secs_f64();
        drop(store);
        Ok(opened)
    };
    in_turns(51, raw, library)
}

/// Seconds to load one consent: to read its bytes, and to get a session of it.
fn load(path: &Path) -> Result<Rounds, Failure> {
    let connection = Connection::open(path)?;
    let pool = SessionPool::new(client()?, sealed(SqliteStore::open(path)?));
    let raw = || {
        let started = Instant::now();
        let sealed: Vec<u8> =
            connection.query_row("SELECT sealed FROM consent WHERE id = ?1", [ID], |row| row.get(0))?;
        let read = started.elapsed().as_secs_f64();
        if sealed.is_empty() { Err("an empty record".into()) } else { Ok(read) }
    };
    let library = || {
        let started = Instant::now();
        // Dropped each time: a session that is open is not read again.
        let session = pool.open(ID)?;
        let loaded = started.elapsed().as_secs_f64();
        drop(session);
        Ok(loaded)
    };
    in_turns(501, raw, library)
}

/// Measures on a file of so many consents. One is kept by the library, the others are copies of its record.
fn with_store(measure: impl FnOnce(&Path) -> Result<Rounds, Failure>) -> Result<Rounds, Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("consents.db");
    let given = tokens("access-2YotnFZFEjr1zCsicMWpAA", "refresh-tGzv3JOkF0XG5Qx2TlKWIA")?;
    let pool = SessionPool::new(client()?, sealed(SqliteStore::open(&path)?));
    pool.keep(ID, &given).map(drop)?;
    drop(pool);
    let copies = Connection::open(&path)?.execute(
        "INSERT INTO consent (id, version, due_at, sealed)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         SELECT 'consent-' || i, i + 10, due_at + i, sealed FROM n, consent WHERE id = ?2",
        (CONSENTS, ID),
    )?;
    if u32::try_from(copies)? != CONSENTS {
        return Err(format!("{copies} consents were copied, not {CONSENTS}").into());
    }
    measure(&path)
}

/// Baseline and library in turns; who goes first changes from round to round.
fn in_turns(
    count: usize,
    mut baseline: impl FnMut() -> Result<f64, Failure>,
    mut library: impl FnMut() -> Result<f64, Failure>,
) -> Result<Rounds, Failure> {
    let mut rounds = Rounds::default();
    for round in 0..count {
        if round % 2 == 0 {
            rounds.baseline.push(baseline()?);
            rounds.library.push(library()?);
        } else {
            rounds.library.push(library()?);
            rounds.baseline.push(baseline()?);
        }
    }
    Ok(rounds)
}

/// A client of a bank in memory: no certificates, no signatures.
pub(crate) fn client() -> Result<Client, Failure> {
    let mut bank = Bank::bpce("17515", Environment::Sandbox)?;
    bank.signature = None;
    let issuer = Issuer::new("PSDFR-ACPR-12345", "https://issuer.example/callback")?;
    Ok(Client::builder(bank, issuer).check_eligibility(false).transport(Memory).build()?)
}

/// What the bank in memory is asked.
pub(crate) fn request() -> Result<FundsRequest, Failure> {
    Ok(FundsRequest::new(REFERENCE, Iban::parse(IBAN)?, Amount::new(AMOUNT, "EUR")?)?)
}

/// Tokens that no measurement outlives.
pub(crate) fn tokens(access: &str, refresh: &str) -> Result<Tokens, Failure> {
    let now = SystemClock.now();
    let end = now.saturating_add(Duration::from_secs(3600));
    let consent_end = now.saturating_add(Duration::from_secs(180 * 24 * 3600));
    Ok(Tokens::new(access, Some(refresh.into()), now, Some(end), consent_end)?)
}

/// The store, sealed as an issuer's is.
pub(crate) fn sealed(store: impl ConsentStore + 'static) -> SealedStore {
    SealedStore::new(store, RecordKeys::new(RecordKey::new([7; 32])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_goes_first_changes() {
        let order = std::cell::RefCell::new(String::new());
        let side = |name| {
            let order = &order;
            move || {
                order.borrow_mut().push(name);
                Ok(1.0)
            }
        };
        let rounds = in_turns(3, side('b'), side('l')).unwrap_or_default();
        assert_eq!((rounds.baseline.len(), rounds.library.len()), (3, 3));
        assert_eq!(*order.borrow(), "bllbbl");
    }
}
