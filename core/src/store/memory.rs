//! The store that ends with the process.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{ConsentStore, DueRecord, SaveOutcome, StoredRecord};
use crate::{Result, Timestamp};

/// Keeps records in memory, for tests and for issuers that keep their tokens elsewhere. It ends with the process.
#[derive(Default)]
pub struct MemoryStore(Mutex<Records>);

#[derive(Default)]
struct Records {
    by_id: HashMap<String, StoredRecord>,
    by_due: BTreeSet<(Timestamp, String)>,
    last_version: u64,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConsentStore for MemoryStore {
    fn load(&self, id: &str) -> Result<Option<StoredRecord>> {
        Ok(self.records().by_id.get(id).cloned())
    }

    fn save(&self, id: &str, sealed: &[u8], due_at: Timestamp, expected: Option<u64>) -> Result<SaveOutcome> {
        let mut records = self.records();
        if records.by_id.get(id).map(|record| record.version) != expected {
            return Ok(SaveOutcome::Conflict);
        }
        records.last_version += 1;
        let version = records.last_version;
        let record = StoredRecord { sealed: sealed.to_vec(), due_at, version };
        if let Some(old) = records.by_id.insert(id.to_owned(), record) {
            records.by_due.remove(&(old.due_at, id.to_owned()));
        }
        records.by_due.insert((due_at, id.to_owned()));
        Ok(SaveOutcome::Saved(version))
    }

    fn delete(&self, id: &str) -> Result<bool> {
        let mut records = self.records();
        let Some(old) = records.by_id.remove(id) else { return Ok(false) };
        records.by_due.remove(&(old.due_at, id.to_owned()));
        Ok(true)
    }

    fn list(&self, due_before: Timestamp, after: Option<&DueRecord>, limit: usize) -> Result<Vec<DueRecord>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = match after {
            Some(line) => Excluded((line.due_at, line.id.clone())),
            None => Unbounded,
        };
        let records = self.records();
        let due = records.by_due.range((from, Unbounded)).take_while(|(due_at, _)| *due_at < due_before);
        Ok(due.take(limit).map(|(due_at, id)| DueRecord { id: id.clone(), due_at: *due_at }).collect())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("records", &self.records().by_id.len()).finish()
    }
}
