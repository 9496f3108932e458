//! The embedded store: one SQLite file, shared by the threads and processes of one host.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Row, Transaction, TransactionBehavior, named_params,
};

use super::sqlite_error::translate;
use super::{ConsentStore, DueRecord, SaveOutcome, StoredRecord, sqlite_schema};
use crate::{Error, ErrorCode, Result, Timestamp};

/// How a SQLite store is opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SqliteOptions {
    /// How long a call waits while another process writes. Default 5 s.
    pub busy_timeout: Duration,
    /// Opens an existing file without ever writing to it, for reports. Default false.
    pub read_only: bool,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { busy_timeout: Duration::from_secs(5), read_only: false }
    }
}

impl SqliteOptions {
    /// Sets [`busy_timeout`](Self::busy_timeout).
    #[must_use]
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Sets [`read_only`](Self::read_only).
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }
}

/// Keeps records in one SQLite file (bundled SQLite, write-ahead log, every write synchronised to the disk).
///
/// Several threads and several processes of one host share the file. It must not lie on a network file system:
/// SQLite's locks do not hold there.
pub struct SqliteStore(Mutex<Connection>);

impl SqliteStore {
    /// Opens the file, or makes it (readable by its owner only), with the defaults.
    ///
    /// # Errors
    /// As [`open_with`](Self::open_with).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &SqliteOptions::default())
    }

    /// Opens the file. An older schema is brought up to date, in one step.
    ///
    /// # Errors
    /// Of kind `store`: `store.unreachable`, `store.corrupt`, `store.locked`, `store.read_only`, `store.full`, and
    /// `store.schema` when a newer release wrote the file. Nothing is changed then.
    pub fn open_with(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self> {
        if !options.read_only {
            make_private(path.as_ref())?;
        }
        let access = if options.read_only {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        } else {
            OpenFlags::SQLITE_OPEN_READ_WRITE
        };
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let started = Instant::now();
        let opened = Connection::open_with_flags(path, flags).map_err(|error| translate(&error))?;
        let mut connection = opened;
        connection.busy_timeout(options.busy_timeout).map_err(|error| translate(&error))?;
        // Switching to the write-ahead log does not always ask the busy handler: it is asked for again here.
        loop {
            match set_up(&mut connection, options.read_only) {
                Ok(ready) => {
                    return match ready {
                        Ok(()) => Ok(Self(Mutex::new(connection))),
                        Err(sqlite_schema::TooNew) => Err(newer()),
                    };
                }
                Err(error) if is_busy(&error) && started.elapsed() < options.busy_timeout => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(translate(&error)),
            }
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a missing file readable by its owner only; SQLite gives its companions the same rights.
fn make_private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => {
            let message = format!(
                "The file of the consent store could not be made ({}); check the path and the access rights of its folder.",
                error.kind()
            );
            Err(Error::new(ErrorCode::StoreUnreachable, message))
        }
    }
}

fn set_up(
    connection: &mut Connection,
    read_only: bool,
) -> rusqlite::Result<std::result::Result<(), sqlite_schema::TooNew>> {
    if read_only {
        // An older schema can be read as it is: nothing but speed depends on the later steps.
        return Ok(sqlite_schema::check(connection)?.unwrap_or(Ok(())));
    }
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    // A token that a bank has rotated must survive a power cut: every commit reaches the disk.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "secure_delete", true)?;
    sqlite_schema::migrate(connection)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
    )
}

fn newer() -> Error {
    Error::new(
        ErrorCode::StoreSchema,
        "The consent store was written by a newer release of this library; use that release, nothing was changed.",
    )
}

/// Compares and writes within one transaction that holds the write lock.
fn compare_and_swap(
    connection: &mut Connection,
    id: &str,
    sealed: &[u8],
    due_at: i64,
    expected: Option<i64>,
) -> rusqlite::Result<SaveOutcome> {
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
    let found: Option<i64> = transaction
        .prepare("SELECT version FROM consent WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    if found != expected {
        return Ok(SaveOutcome::Conflict);
    }
    let version: i64 = transaction
        .prepare("UPDATE counter SET last_version = last_version + 1 RETURNING last_version")?
        .query_row([], |row| row.get(0))?;
    transaction
        .prepare(
            "INSERT INTO consent (id, version, due_at, sealed) VALUES (:id, :version, :due_at, :sealed)
             ON CONFLICT (id) DO UPDATE SET version = :version, due_at = :due_at, sealed = :sealed",
        )?
        .execute(named_params! { ":id": id, ":version": version, ":due_at": due_at, ":sealed": sealed })?;
    transaction.commit()?;
    Ok(SaveOutcome::Saved(version.unsigned_abs()))
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredRecord> {
    Ok(StoredRecord {
        sealed: row.get(0)?,
        due_at: Timestamp::from_unix_millis(row.get(1)?),
        version: row.get::<_, i64>(2)?.unsigned_abs(),
    })
}

impl ConsentStore for SqliteStore {
    fn load(&self, id: &str) -> Result<Option<StoredRecord>> {
        let connection = self.connection();
        let found = connection
            .prepare("SELECT sealed, due_at, version FROM consent WHERE id = ?1")
            .and_then(|mut select| select.query_row([id], stored).optional());
        found.map_err(|error| translate(&error))
    }

    fn save(&self, id: &str, sealed: &[u8], due_at: Timestamp, expected: Option<u64>) -> Result<SaveOutcome> {
        // A version this store never gave cannot be the present one.
        let Ok(expected) = expected.map(i64::try_from).transpose() else { return Ok(SaveOutcome::Conflict) };
        compare_and_swap(&mut self.connection(), id, sealed, due_at.unix_millis(), expected)
            .map_err(|error| translate(&error))
    }

    fn delete(&self, id: &str) -> Result<bool> {
        let removed = self.connection().execute("DELETE FROM consent WHERE id = ?1", [id]);
        removed.map(|rows| rows > 0).map_err(|error| translate(&error))
    }

    fn list(&self, due_before: Timestamp, after: Option<&DueRecord>, limit: usize) -> Result<Vec<DueRecord>> {
        let (after_due, after_id) = match after {
            Some(line) => (line.due_at.unix_millis(), line.id.as_str()),
            None => (i64::MIN, ""),
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let connection = self.connection();
        let lines = connection
            .prepare(
                "SELECT id, due_at FROM consent WHERE due_at < ?1 AND (due_at, id) > (?2, ?3)
                 ORDER BY due_at, id LIMIT ?4",
            )
            .and_then(|mut select| {
                let line = |row: &Row<'_>| {
                    Ok(DueRecord { id: row.get(0)?, due_at: Timestamp::from_unix_millis(row.get(1)?) })
                };
                let parameters = (due_before.unix_millis(), after_due, after_id, limit);
                select.query_map(parameters, line)?.collect::<rusqlite::Result<Vec<_>>>()
            });
        lines.map_err(|error| translate(&error))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn a_full_disk_is_said_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("consents.db")).unwrap();
        let SaveOutcome::Saved(version) = store.save("a", b"before", at(5), None).unwrap() else { panic!() };
        // SQLite's own way to say that there is no room for another page.
        let pages: i64 = store.connection().query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        store.connection().pragma_update(None, "max_page_count", pages).unwrap();
        for (id, expected) in [("b", None), ("a", Some(version))] {
            let error = store.save(id, &vec![7; 100_000], at(6), expected).unwrap_err();
            assert_eq!(error.code(), ErrorCode::StoreFull, "{error}");
        }
        store.connection().pragma_update(None, "max_page_count", 1_000_000).unwrap();
        assert_eq!(store.load("a").unwrap().unwrap().sealed, b"before");
        assert_eq!(store.load("b").unwrap(), None);
        assert!(matches!(store.save("a", b"after", at(6), Some(version)).unwrap(), SaveOutcome::Saved(_)));
    }

    #[test]
    fn a_file_of_the_first_schema_becomes_one_of_today_and_keeps_its_records() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("consents.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(
            "CREATE TABLE consent (id TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, due_at INTEGER NOT NULL, sealed BLOB NOT NULL);
             CREATE TABLE counter (last_version INTEGER NOT NULL);
             INSERT INTO counter VALUES (41);
             INSERT INTO consent VALUES ('a', 41, 5000, x'626566');
             PRAGMA user_version = 1;",
        )
        .unwrap();
        drop(old);
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(sqlite_schema::check(&store.connection()).unwrap().map(|known| known.is_ok()), Some(true));
        let record = store.load("a").unwrap().unwrap();
        assert_eq!((record.sealed.as_slice(), record.version), (b"bef".as_slice(), 41));
        assert_eq!(store.save("b", b"x", at(1), None).unwrap(), SaveOutcome::Saved(42));
    }

    #[test]
    fn a_file_of_a_newer_release_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("consents.db");
        drop(SqliteStore::open(&path).unwrap());
        let newer = Connection::open(&path).unwrap();
        newer.pragma_update(None, "user_version", sqlite_schema::CURRENT + 1).unwrap();
        for read_only in [false, true] {
            let options = SqliteOptions::default().read_only(read_only);
            assert_eq!(SqliteStore::open_with(&path, &options).unwrap_err().code(), ErrorCode::StoreSchema);
        }
    }
}
