//! A store together with the keys that seal what goes into it.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::key::RecordKeys;
use super::{ConsentStore, DueRecord, SaveOutcome, check_id};
use crate::{Result, Timestamp};

/// How many lines of the index are read at a time.
const PAGE: usize = 256;

/// A [`ConsentStore`] and the keys that seal its records. Cheap to clone; clones are the same store.
#[derive(Clone)]
pub struct SealedStore(Arc<Inner>);

struct Inner {
    store: Arc<dyn ConsentStore>,
    keys: RecordKeys,
}

/// A record, opened.
pub(crate) struct OpenedRecord {
    pub(crate) clear: Zeroizing<Vec<u8>>,
    pub(crate) version: u64,
}

impl SealedStore {
    /// Puts a store behind keys.
    #[must_use]
    pub fn new(store: impl ConsentStore + 'static, keys: RecordKeys) -> Self {
        Self(Arc::new(Inner { store: Arc::new(store), keys }))
    }

    /// Seals every record that is still sealed with an old key with the current one, and returns how many those
    /// were. Safe while others use the store: a record that changes meanwhile was written by somebody who knows
    /// the current key, or is sealed in a second attempt. When it returns, the old keys are needed no more,
    /// provided that every process has the current one.
    ///
    /// # Errors
    /// Of kind `store`: `store.key` when a record needs a key that was not given, `store.corrupt` when one cannot
    /// be opened. What was rewritten before stays so.
    pub fn reseal(&self) -> Result<u64> {
        let mut rewritten = 0;
        for line in self.due_before(Timestamp::from_unix_millis(i64::MAX)) {
            rewritten += u64::from(self.reseal_one(&line?.id)?);
        }
        Ok(rewritten)
    }

    fn reseal_one(&self, id: &str) -> Result<bool> {
        let Inner { store, keys } = &*self.0;
        while let Some(stored) = store.load(id)? {
            if keys.is_current(&stored.sealed) {
                return Ok(false);
            }
            let clear = keys.open(id, stored.due_at, &stored.sealed)?;
            let sealed = keys.seal(id, stored.due_at, &clear)?;
            if store.save(id, &sealed, stored.due_at, Some(stored.version))? != SaveOutcome::Conflict {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(crate) fn load(&self, id: &str) -> Result<Option<OpenedRecord>> {
        check_id(id)?;
        let Some(stored) = self.0.store.load(id)? else { return Ok(None) };
        let clear = self.0.keys.open(id, stored.due_at, &stored.sealed)?;
        Ok(Some(OpenedRecord { clear, version: stored.version }))
    }

    /// The version a record is at, without opening it: a damaged one can be replaced.
    pub(crate) fn version(&self, id: &str) -> Result<Option<u64>> {
        check_id(id)?;
        Ok(self.0.store.load(id)?.map(|stored| stored.version))
    }

    pub(crate) fn save(
        &self,
        id: &str,
        clear: &[u8],
        due_at: Timestamp,
        expected: Option<u64>,
    ) -> Result<SaveOutcome> {
        check_id(id)?;
        let sealed = self.0.keys.seal(id, due_at, clear)?;
        self.0.store.save(id, &sealed, due_at, expected)
    }

    pub(crate) fn delete(&self, id: &str) -> Result<bool> {
        check_id(id)?;
        self.0.store.delete(id)
    }

    /// The index, page by page.
    pub(crate) fn due_before(&self, due_before: Timestamp) -> DueLines {
        DueLines { store: self.clone(), due_before, page: Vec::new().into_iter(), last: None, ended: false }
    }
}

impl fmt::Debug for SealedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedStore").field("keys", &self.0.keys).finish_non_exhaustive()
    }
}

/// Walks the index without holding more than a page of it.
pub(crate) struct DueLines {
    store: SealedStore,
    due_before: Timestamp,
    page: std::vec::IntoIter<DueRecord>,
    last: Option<DueRecord>,
    ended: bool,
}

impl Iterator for DueLines {
    type Item = Result<DueRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.len() == 0 && !self.ended {
            match self.store.0.store.list(self.due_before, self.last.as_ref(), PAGE) {
                Ok(page) => {
                    self.ended = page.len() < PAGE;
                    self.page = page.into_iter();
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        let line = self.page.next()?;
        if self.page.len() == 0 {
            self.last = Some(line.clone());
        }
        Some(Ok(line))
    }
}
