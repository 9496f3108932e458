//! Where consents are kept: in memory, or where Kotlin and Swift keep them. Records are sealed above it, so a store never
//! sees a token.

use std::sync::Arc;

use cbpii::store::{
    self, ConsentStore, MemoryStore, RecordKey, RecordKeys, SaveOutcome, SealedStore,
    StoredRecord as CoreRecord,
};
use cbpii::{Entropy, Error, ErrorCode, SecretBytes, SystemEntropy};

use crate::call::{direct, soon};
use crate::error::{RawFailure, SeamFailure};
use crate::mirror::mirror;
use crate::object::object;
use crate::values::Timestamp;

/// A record as a store gives it back.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StoredRecord {
    /// The sealed bytes, as they were saved.
    pub sealed: Vec<u8>,
    /// When the record falls due, as it was saved.
    pub due_at: Timestamp,
    /// Which writing of the record this is. The versions a store gives only grow, also for an id that was deleted and came
    /// back.
    pub version: i64,
}

/// One line of the index by due moment.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DueRecord {
    /// The consent's id.
    pub id: String,
    /// When it falls due.
    pub due_at: Timestamp,
}

/// Where records are kept: the Keychain, encrypted preferences, a database. Called from threads of this library, several at
/// once.
#[uniffi::export(with_foreign)]
pub trait RawConsentStore: Send + Sync {
    /// The record of this id, or none.
    fn load(&self, id: String) -> Result<Option<StoredRecord>, SeamFailure>;

    /// Saves a record, if it is still at the version `expected` (none: if there is no record of this id), and returns its new
    /// version; none when the record is at another version, and then nothing was changed. Comparison and writing are one step.
    fn save(
        &self,
        id: String,
        sealed: Vec<u8>,
        due_at: Timestamp,
        expected: Option<i64>,
    ) -> Result<Option<i64>, SeamFailure>;

    /// Removes a record; false when there was none.
    fn delete(&self, id: String) -> Result<bool, SeamFailure>;

    /// At most `limit` records that fall due before `due_before`, in the order of `due_at`, then of the id's bytes, from the
    /// one behind `after` on.
    fn list(
        &self,
        due_before: Timestamp,
        after: Option<DueRecord>,
        limit: i32,
    ) -> Result<Vec<DueRecord>, SeamFailure>;
}

/// A store of the other side, as the core has it.
struct ForeignStore(Arc<dyn RawConsentStore>);

fn failed(failure: SeamFailure) -> Error {
    failure.into_error(ErrorCode::StoreFailed, "consent store")
}

fn version(given: i64) -> cbpii::Result<u64> {
    u64::try_from(given).map_err(|_| {
        Error::new(
            ErrorCode::StoreFailed,
            "The consent store gave a negative version; versions count up from one.",
        )
    })
}

impl ConsentStore for ForeignStore {
    fn load(&self, id: &str) -> cbpii::Result<Option<CoreRecord>> {
        let record = self.0.load(id.to_owned()).map_err(failed)?;
        let converted = |StoredRecord { sealed, due_at, version: given }| {
            Ok(CoreRecord { sealed, due_at, version: version(given)? })
        };
        record.map(converted).transpose()
    }

    fn save(
        &self,
        id: &str,
        sealed: &[u8],
        due_at: Timestamp,
        expected: Option<u64>,
    ) -> cbpii::Result<SaveOutcome> {
        // A version that was given once fits.
        let expected = expected.map(|version| i64::try_from(version).unwrap_or(i64::MAX));
        let saved = self.0.save(id.to_owned(), sealed.to_vec(), due_at, expected).map_err(failed)?;
        saved.map_or(Ok(SaveOutcome::Conflict), |given| version(given).map(SaveOutcome::Saved))
    }

    fn delete(&self, id: &str) -> cbpii::Result<bool> {
        self.0.delete(id.to_owned()).map_err(failed)
    }

    fn list(
        &self,
        due_before: Timestamp,
        after: Option<&store::DueRecord>,
        limit: usize,
    ) -> cbpii::Result<Vec<store::DueRecord>> {
        let after = after.map(|line| DueRecord { id: line.id.clone(), due_at: line.due_at });
        let limit = i32::try_from(limit).unwrap_or(i32::MAX);
        let lines = self.0.list(due_before, after, limit).map_err(failed)?;
        Ok(lines.into_iter().map(|line| store::DueRecord { id: line.id, due_at: line.due_at }).collect())
    }
}

object! {
    /// A store and the keys that seal its records.
    RawSealedStore(SealedStore), |store| format!("{store:?}")
}

fn record_key(bytes: Vec<u8>) -> cbpii::Result<RecordKey> {
    RecordKey::from_slice(SecretBytes::new(bytes).expose())
}

#[uniffi::export]
impl RawSealedStore {
    /// A store of the app's, sealed with a key of 32 random bytes from the platform's key store. Records that a former key
    /// sealed can be read with `old_keys`, and are sealed with `key` when they are next written.
    ///
    /// Throws `store.key`.
    #[uniffi::constructor]
    pub fn new(
        store: Arc<dyn RawConsentStore>,
        key: Vec<u8>,
        old_keys: Vec<Vec<u8>>,
    ) -> Result<Arc<Self>, RawFailure> {
        direct(|| {
            let mut keys = RecordKeys::new(record_key(key)?);
            for old in old_keys {
                keys = keys.with_old(record_key(old)?);
            }
            Ok(Self::of(SealedStore::new(ForeignStore(store), keys)))
        })
    }

    /// A store that ends with the process, sealed with a key of its own.
    ///
    /// Throws `internal` when there is no randomness.
    #[uniffi::constructor]
    pub fn in_memory() -> Result<Arc<Self>, RawFailure> {
        direct(|| {
            let mut key = [0; 32];
            SystemEntropy.fill(&mut key)?;
            Ok(Self::of(SealedStore::new(MemoryStore::new(), RecordKeys::new(RecordKey::new(key)))))
        })
    }

    /// The consents of every bank that end before `before`, or are lost or refused since a moment before it, the earliest
    /// first.
    ///
    /// Throws of kind `store`.
    pub async fn renewals_due(&self, before: Timestamp) -> Result<Vec<RenewalDue>, RawFailure> {
        let store = self.inner.clone();
        soon(cbpii::CancelToken::new(), move || {
            cbpii::renewals_due(&store, before).map(|due| due.map(RenewalDue::from)).collect()
        })
        .await
    }
}

mirror! {
    /// Why a consent is to be renewed.
    RenewalReason of cbpii::session::RenewalReason {
        /// It ends, or ended, before the moment asked for.
        Ending,
        /// The bank says that it does not allow checks.
        Refused,
        /// The bank does not accept its refresh token any more.
        Lost,
    }
}

/// A consent to renew.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RenewalDue {
    /// The id it is kept under.
    pub id: String,
    /// The id of its bank.
    pub bank_id: String,
    /// When it ends or ended.
    pub consent_expires_at: Timestamp,
    /// Why it is on the list.
    pub reason: RenewalReason,
}

impl From<cbpii::session::RenewalDue> for RenewalDue {
    fn from(due: cbpii::session::RenewalDue) -> Self {
        Self {
            id: due.id,
            bank_id: due.bank_id,
            consent_expires_at: due.consent_expires_at,
            reason: due.reason.into(),
        }
    }
}
