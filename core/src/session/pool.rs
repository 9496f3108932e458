//! One client and one store: where sessions come from.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::flight::Shared;
use super::record::ConsentRecord;
use super::{Session, SessionOptions};
use crate::store::{SaveOutcome, SealedStore};
use crate::{Client, Error, ErrorCode, Result, Tokens};

/// The consents of one issuer at one bank. Cheap to clone; clones are the same pool.
///
/// Sessions of one id share their tokens and their refresh as long as one of them is held.
#[derive(Clone)]
pub struct SessionPool(Arc<Pool>);

pub(super) struct Pool {
    pub(super) client: Client,
    pub(super) store: SealedStore,
    pub(super) options: SessionOptions,
    open: Mutex<HashMap<String, Weak<Shared>>>,
    /// Sessions whose tokens the store could not take yet: they must not go.
    unsaved: Mutex<HashMap<String, Arc<Shared>>>,
}

impl SessionPool {
    /// A pool with the defaults.
    #[must_use]
    pub fn new(client: Client, store: SealedStore) -> Self {
        Self::assemble(client, store, SessionOptions::default())
    }

    /// A pool with margins of its own.
    ///
    /// # Errors
    /// `configuration.option` when one is outside its range.
    pub fn with_options(client: Client, store: SealedStore, options: SessionOptions) -> Result<Self> {
        options.validate()?;
        Ok(Self::assemble(client, store, options))
    }

    fn assemble(client: Client, store: SealedStore, options: SessionOptions) -> Self {
        Self(Arc::new(Pool { client, store, options, open: Mutex::default(), unsaved: Mutex::default() }))
    }

    /// Keeps the tokens of a consent that was just given under `id` (1 to 255 bytes, chosen by the issuer; it is
    /// stored in clear). A consent that was there is replaced: this is also how one is renewed. Sessions that are
    /// open go on with the new tokens.
    ///
    /// # Errors
    /// `request.consent_id`; of kind `store`, and then nothing was kept.
    pub fn keep(&self, id: &str, tokens: &Tokens) -> Result<Session> {
        let pool = &self.0;
        let record = ConsentRecord::new(&pool.client.bank().id, tokens, pool.client.now());
        let bytes = record.to_bytes();
        loop {
            let expected = pool.store.version(id)?;
            if let SaveOutcome::Saved(version) = pool.store.save(id, &bytes, record.due_at(), expected)? {
                let shared = pool.share(id, &record, version);
                shared.adopt(record, version);
                return Ok(Session(shared));
            }
        }
    }

    /// The consent that is kept under `id`. Reads the store, unless a session of this id is open that was not forgotten.
    ///
    /// # Errors
    /// `consent.unknown` when there is none; `store.bank` when it was kept for another bank; `request.consent_id`;
    /// of kind `store`.
    pub fn open(&self, id: &str) -> Result<Session> {
        let pool = &self.0;
        let shared = pool.open().get(id).and_then(Weak::upgrade);
        if let Some(shared) = shared {
            if shared.state().gone {
                // It was forgotten; another process may have kept it anew.
                let (record, version) = pool.load(id)?.ok_or_else(|| unknown(id))?;
                shared.adopt(record, version);
            }
            return Ok(Session(shared));
        }
        let (record, version) = pool.load(id)?.ok_or_else(|| unknown(id))?;
        Ok(Session(pool.share(id, &record, version)))
    }

    /// Forgets a consent, for instance when the cardholder ends the contract; false when there was none. Open
    /// sessions of it in this pool fail with `consent.unknown` from now on.
    ///
    /// # Errors
    /// `request.consent_id`; of kind `store`.
    pub fn forget(&self, id: &str) -> Result<bool> {
        let removed = self.0.store.delete(id)?;
        // The guard of `open` ends with this line: the last session of an id asks for it when it is dropped.
        let shared = self.0.open().get(id).and_then(Weak::upgrade);
        if let Some(shared) = shared {
            shared.state().gone = true;
        }
        self.0.settled(id);
        Ok(removed)
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &SealedStore {
        &self.0.store
    }
}

pub(super) fn unknown(id: &str) -> Error {
    let message = format!(
        "The store has no consent {}; send the cardholder to the bank for one.",
        crate::http::masking::mask_text(id, 64)
    );
    Error::new(ErrorCode::ConsentUnknown, message)
}

impl Pool {
    fn open(&self) -> MutexGuard<'_, HashMap<String, Weak<Shared>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unsaved(&self) -> MutexGuard<'_, HashMap<String, Arc<Shared>>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one place that the sessions of an id share.
    fn share(self: &Arc<Self>, id: &str, record: &ConsentRecord, version: u64) -> Arc<Shared> {
        let mut open = self.open();
        if let Some(shared) = open.get(id).and_then(Weak::upgrade) {
            return shared;
        }
        let shared = Arc::new(Shared::new(id, Arc::clone(self), record.clone(), version));
        open.insert(id.to_owned(), Arc::downgrade(&shared));
        shared
    }

    /// The last session of an id is gone.
    pub(super) fn close(&self, id: &str) {
        let mut open = self.open();
        if open.get(id).is_some_and(|shared| shared.strong_count() == 0) {
            open.remove(id);
        }
    }

    /// Keeps a session whose tokens are nowhere else.
    pub(super) fn hold(&self, shared: &Arc<Shared>) {
        self.unsaved().insert(shared.id.clone(), Arc::clone(shared));
    }

    /// The tokens of this id are in the store.
    pub(super) fn settled(&self, id: &str) {
        let released = self.unsaved().remove(id);
        // Dropped without the lock: the last one closes its entry.
        drop(released);
    }

    /// The record of an id, which must be of this bank.
    pub(super) fn load(&self, id: &str) -> Result<Option<(ConsentRecord, u64)>> {
        let Some(opened) = self.store.load(id)? else { return Ok(None) };
        let record = ConsentRecord::from_bytes(&opened.clear)?;
        if record.bank_id != self.client.bank().id {
            let message = format!(
                "The stored consent is for the bank {}, not for {}; open it with that bank's client.",
                record.bank_id,
                self.client.bank().id
            );
            return Err(Error::new(ErrorCode::StoreBank, message));
        }
        Ok(Some((record, opened.version)))
    }

    pub(super) fn save(&self, id: &str, record: &ConsentRecord, expected: u64) -> Result<SaveOutcome> {
        self.store.save(id, &record.to_bytes(), record.due_at(), Some(expected))
    }
}

impl fmt::Debug for SessionPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionPool")
            .field("client", &self.0.client)
            .field("store", &self.0.store)
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}
