//! The tables of the SQLite store and how older files become newer ones.

use rusqlite::{Connection, Transaction, TransactionBehavior};

/// What makes version n + 1 of version n, from an empty file on. Append; never change one that was released.
const STEPS: &[&str] = &[
    "CREATE TABLE consent (
        id TEXT PRIMARY KEY NOT NULL,
        version INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        sealed BLOB NOT NULL
    );
    CREATE TABLE counter (last_version INTEGER NOT NULL);
    INSERT INTO counter VALUES (0);",
    "CREATE INDEX consent_by_due ON consent (due_at, id);",
];

/// The version this release writes.
pub(super) const CURRENT: u32 = STEPS.len() as u32;

/// The file was written by a newer release of this library.
pub(super) struct TooNew;

/// Brings a file to the current version, in one transaction: another process sees all of it or nothing.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), TooNew>> {
    if let Some(settled) = settled(version(connection)?) {
        return Ok(settled);
    }
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if let Some(settled) = settled(found) {
        return Ok(settled);
    }
    for step in STEPS.iter().skip(found as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", CURRENT)?;
    transaction.commit()?;
    Ok(Ok(()))
}

/// Whether a file of this version can be used without changing it.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<Option<Result<(), TooNew>>> {
    Ok(settled(version(connection)?))
}

fn settled(version: u32) -> Option<Result<(), TooNew>> {
    match version.cmp(&CURRENT) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal => Some(Ok(())),
        std::cmp::Ordering::Greater => Some(Err(TooNew)),
    }
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}
