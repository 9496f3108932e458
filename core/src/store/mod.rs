//! Where consents are kept between calls, processes and reboots.
//!
//! A [`ConsentStore`] keeps opaque bytes: it never sees a token. Sealing is done once, above it, by
//! [`SealedStore`], so that a store written elsewhere, in any language, inherits the encryption. All a store
//! knows in clear is the id the caller chose, a version, and the moment at which the record falls due.

mod key;
mod memory;
mod sealed;
mod sqlite;
mod sqlite_error;
mod sqlite_schema;

use std::sync::Arc;

pub use key::{RecordKey, RecordKeys};
pub use memory::MemoryStore;
pub(crate) use sealed::DueLines;
pub use sealed::SealedStore;
pub use sqlite::{SqliteOptions, SqliteStore};

use crate::{Error, ErrorCode, Result, Timestamp};

/// The longest id of a consent, in bytes of UTF-8.
pub const MAX_CONSENT_ID: usize = 255;

/// A record as a store gives it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// The sealed bytes, as they were saved.
    pub sealed: Vec<u8>,
    /// When the record falls due, as it was saved.
    pub due_at: Timestamp,
    /// Which writing of the record this is. The versions a store gives only grow, also for an id that was
    /// deleted and came back: what was read before cannot be taken for what is there now.
    pub version: u64,
}

/// What [`ConsentStore::save`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a record that met a conflict was not saved"]
pub enum SaveOutcome {
    /// The record is saved, durably, under this version.
    Saved(u64),
    /// The record is not at the expected version (any more): somebody else was faster. Nothing was changed.
    Conflict,
}

/// One line of the index by due moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRecord {
    /// The consent's id.
    pub id: String,
    /// When it falls due.
    pub due_at: Timestamp,
}

/// Where records are kept. Implementations are shared by threads and, when they are on disk, by processes.
///
/// Every method fails with an error of kind `store` ([`ErrorCode::StoreFailed`] when nothing else fits) and
/// then has changed nothing.
pub trait ConsentStore: Send + Sync {
    /// The record of this id, or none.
    ///
    /// # Errors
    /// Of kind `store`.
    fn load(&self, id: &str) -> Result<Option<StoredRecord>>;

    /// Saves a record, if it is still at the version `expected` (none: if there is no record of this id).
    /// Comparison and writing are one step, for every thread and process that uses the store; when it
    /// returns `Saved`, the record survives a crash of the process and, on disk, of the machine.
    ///
    /// # Errors
    /// Of kind `store`; the record is then as it was.
    fn save(&self, id: &str, sealed: &[u8], due_at: Timestamp, expected: Option<u64>) -> Result<SaveOutcome>;

    /// Removes a record; false when there was none.
    ///
    /// # Errors
    /// Of kind `store`.
    fn delete(&self, id: &str) -> Result<bool>;

    /// At most `limit` records that fall due before `due_before`, in the order of `due_at`, then of the id's
    /// bytes, from the one behind `after` on.
    ///
    /// # Errors
    /// Of kind `store`.
    fn list(&self, due_before: Timestamp, after: Option<&DueRecord>, limit: usize) -> Result<Vec<DueRecord>>;
}

impl<S: ConsentStore + ?Sized> ConsentStore for Arc<S> {
    fn load(&self, id: &str) -> Result<Option<StoredRecord>> {
        (**self).load(id)
    }

    fn save(&self, id: &str, sealed: &[u8], due_at: Timestamp, expected: Option<u64>) -> Result<SaveOutcome> {
        (**self).save(id, sealed, due_at, expected)
    }

    fn delete(&self, id: &str) -> Result<bool> {
        (**self).delete(id)
    }

    fn list(&self, due_before: Timestamp, after: Option<&DueRecord>, limit: usize) -> Result<Vec<DueRecord>> {
        (**self).list(due_before, after, limit)
    }
}

/// Opens the store a URL names: `memory`, or `sqlite://` followed by a path (`sqlite:///var/lib/cbpii/consents.db`;
/// the path is taken literally). A database that does not exist is made.
///
/// # Errors
/// `store.url` for any other text; what [`SqliteStore::open`] fails with.
pub fn open_store(url: &str) -> Result<Arc<dyn ConsentStore>> {
    if url == "memory" {
        return Ok(Arc::new(MemoryStore::new()));
    }
    match url.strip_prefix("sqlite://") {
        Some(path) if !path.is_empty() => Ok(Arc::new(SqliteStore::open(path)?)),
        _ => Err(Error::new(
            ErrorCode::StoreUrl,
            "The store's URL is neither `memory` nor `sqlite://` with a path; use one of them.",
        )),
    }
}

/// An id a consent can have.
pub(crate) fn check_id(id: &str) -> Result<()> {
    if id.is_empty() || id.len() > MAX_CONSENT_ID || id.chars().any(char::is_control) {
        return Err(Error::new(
            ErrorCode::ConsentId,
            "The id of a consent is not 1 to 255 bytes of UTF-8 without control characters; choose another.",
        ));
    }
    Ok(())
}
