//! Stores of consents: the core's, and those written in JavaScript.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cbpii::store::{
    ConsentStore, DueRecord, RecordKey, RecordKeys, SaveOutcome, SqliteOptions, SqliteStore, StoredRecord,
    open_store,
};
use cbpii::{Error, ErrorCode, RequestSent, Timestamp};
use napi::bindgen_prelude::{Buffer, Function, Uint8Array, Unknown};
use napi_derive::napi;

use crate::call::{Crew, Limits, Outcome, Settler, direct};
use crate::convert::{duration, moment, timestamp};
use crate::error::Thrown;
use crate::question::{Listener, Reply};

/// How many threads work for a store, besides those of the clients that use it.
const THREADS: usize = 4;

/// A store and the keys that seal its records.
#[napi]
pub struct SealedStore {
    pub(crate) core: cbpii::store::SealedStore,
    crew: Arc<Crew>,
}

fn keys(key: &[u8], old_keys: &[Uint8Array]) -> cbpii::Result<RecordKeys> {
    let mut keys = RecordKeys::new(RecordKey::from_slice(key)?);
    for old in old_keys {
        keys = keys.with_old(RecordKey::from_slice(old)?);
    }
    Ok(keys)
}

/// Opens a store of the core: by a URL, or a SQLite file by its path.
#[napi(catch_unwind, ts_return_type = "Soon<SealedStore>")]
pub fn open_sealed_store(
    call: u32,
    settler: &Settler,
    name: String,
    is_url: bool,
    key: &[u8],
    old_keys: Vec<Uint8Array>,
    busy_timeout_ms: Option<f64>,
    read_only: bool,
) -> napi::Result<()> {
    let keys = keys(key, &old_keys);
    let mut options = SqliteOptions::default().read_only(read_only);
    if let Some(millis) = busy_timeout_ms {
        options = options.busy_timeout(duration(millis));
    }
    let crew = Crew::new(settler, THREADS).map_err(|error| napi::Error::from_reason(error.message()))?;
    let own = Arc::clone(&crew);
    let job = move || {
        let keys = keys?;
        let store: Arc<dyn ConsentStore> = match (is_url, sqlite_path(&name)) {
            (true, Some(path)) => Arc::new(SqliteStore::open_with(path, &options)?),
            (true, None) => open_store(&name)?,
            (false, _) => Arc::new(SqliteStore::open_with(&name, &options)?),
        };
        Ok(cbpii::store::SealedStore::new(store, keys))
    };
    crew.soon(call, &Limits::default(), job, move |core| SealedStore { core, crew: own });
    Ok(())
}

/// The path in a URL of a SQLite store, which has options beside it.
fn sqlite_path(url: &str) -> Option<PathBuf> {
    url.strip_prefix("sqlite://").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Seals what a store written in JavaScript keeps.
#[napi(catch_unwind)]
pub fn own_sealed_store(
    settler: &Settler,
    ask: Function<'_, Storing, Unknown<'static>>,
    key: &[u8],
    old_keys: Vec<Uint8Array>,
) -> Outcome<SealedStore> {
    direct(|| {
        let unusable = |error: napi::Error| {
            Error::new(ErrorCode::Internal, format!("The store cannot be called: {error}."))
        };
        let store = JsStore(Listener::new(&ask).map_err(unusable)?);
        let core = cbpii::store::SealedStore::new(store, keys(key, &old_keys)?);
        Ok(SealedStore { core, crew: Crew::new(settler, THREADS)? })
    })
}

#[napi]
impl SealedStore {
    #[napi(catch_unwind, ts_return_type = "Soon<number>")]
    pub fn reseal(&self, call: u32) {
        let store = self.core.clone();
        self.crew.soon(call, &Limits::default(), move || store.reseal(), |count| count as f64);
    }

    #[napi(catch_unwind)]
    pub fn renewals_due(&self, before: f64) -> RenewalsDue {
        let due = cbpii::renewals_due(&self.core, timestamp(before));
        RenewalsDue { due: Arc::new(Mutex::new(due)), crew: Arc::clone(&self.crew) }
    }
}

/// A consent to renew.
#[napi(object, object_from_js = false)]
pub struct Renewal {
    pub id: String,
    pub bank_id: String,
    pub consent_expires_at: f64,
    pub reason: String,
}

/// The consents to renew, one by one.
#[napi]
pub struct RenewalsDue {
    due: Arc<Mutex<cbpii::session::RenewalsDue>>,
    crew: Arc<Crew>,
}

#[napi]
impl RenewalsDue {
    #[napi(catch_unwind, ts_return_type = "Soon<Renewal | null>")]
    pub fn next(&self, call: u32) {
        let due = Arc::clone(&self.due);
        let job = move || due.lock().unwrap_or_else(PoisonError::into_inner).next().transpose();
        self.crew.soon(call, &Limits::default(), job, |due| {
            due.map(|one| Renewal {
                id: one.id,
                bank_id: one.bank_id,
                consent_expires_at: moment(one.consent_expires_at),
                reason: one.reason.as_str().to_owned(),
            })
        });
    }
}

/// What a store is asked, and how it answers.
enum Ask {
    Load(Reply<Option<StoredRecord>>),
    Save(Reply<SaveOutcome>),
    Delete(Reply<bool>),
    List(Reply<Vec<DueRecord>>),
}

/// A line of the index by due moment.
#[napi(object)]
pub struct DueLine {
    pub id: String,
    pub due_at: f64,
}

/// What a store is asked with; which of these, depends on the operation.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct StoreArguments {
    pub id: String,
    pub sealed: Option<Buffer>,
    pub due_at: Option<f64>,
    pub expected: Option<f64>,
    pub due_before: Option<f64>,
    pub after: Option<DueLine>,
    pub limit: Option<u32>,
}

/// What a store written in JavaScript is asked to do.
#[napi]
pub struct Storing {
    ask: Ask,
    arguments: Mutex<StoreArguments>,
}

#[napi]
impl Storing {
    #[napi(catch_unwind, ts_return_type = "'load' | 'save' | 'delete' | 'list'")]
    pub fn operation(&self) -> String {
        let name = match &self.ask {
            Ask::Load(_) => "load",
            Ask::Save(_) => "save",
            Ask::Delete(_) => "delete",
            Ask::List(_) => "list",
        };
        name.to_owned()
    }

    /// What it is asked with; to be taken once.
    #[napi(catch_unwind)]
    pub fn arguments(&self) -> StoreArguments {
        std::mem::take(&mut *self.arguments.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[napi(catch_unwind)]
    pub fn loaded(&self, sealed: &[u8], due_at: f64, version: f64) {
        if let Ask::Load(reply) = &self.ask {
            let due_at = timestamp(due_at);
            reply.give(Ok(Some(StoredRecord { sealed: sealed.to_vec(), due_at, version: whole(version) })));
        }
    }

    #[napi(catch_unwind)]
    pub fn not_there(&self) {
        if let Ask::Load(reply) = &self.ask {
            reply.give(Ok(None));
        }
    }

    #[napi(catch_unwind)]
    pub fn saved(&self, version: Option<f64>) {
        if let Ask::Save(reply) = &self.ask {
            let outcome = version.map_or(SaveOutcome::Conflict, |version| SaveOutcome::Saved(whole(version)));
            reply.give(Ok(outcome));
        }
    }

    #[napi(catch_unwind)]
    pub fn deleted(&self, was_there: bool) {
        if let Ask::Delete(reply) = &self.ask {
            reply.give(Ok(was_there));
        }
    }

    #[napi(catch_unwind)]
    pub fn listed(&self, lines: Vec<DueLine>) {
        if let Ask::List(reply) = &self.ask {
            let line = |line: DueLine| DueRecord { id: line.id, due_at: timestamp(line.due_at) };
            reply.give(Ok(lines.into_iter().map(line).collect()));
        }
    }

    #[napi(catch_unwind)]
    pub fn failed(&self, thrown: Thrown<'_>) {
        let error = thrown.into_error(ErrorCode::StoreFailed).with_request_sent(RequestSent::No);
        match &self.ask {
            Ask::Load(reply) => reply.give(Err(error)),
            Ask::Save(reply) => reply.give(Err(error)),
            Ask::Delete(reply) => reply.give(Err(error)),
            Ask::List(reply) => reply.give(Err(error)),
        }
    }
}

/// A version that the package has checked: a whole number, from zero to 2^53 - 1.
fn whole(version: f64) -> u64 {
    version as u64
}

/// A store that is written in JavaScript.
struct JsStore(Listener<Storing>);

impl JsStore {
    fn ask<A>(&self, ask: fn(Reply<A>) -> Ask, arguments: StoreArguments) -> cbpii::Result<A> {
        self.0.ask(|reply| Storing { ask: ask(reply), arguments: Mutex::new(arguments) })
    }
}

fn about(id: &str) -> StoreArguments {
    StoreArguments { id: id.to_owned(), ..StoreArguments::default() }
}

impl ConsentStore for JsStore {
    fn load(&self, id: &str) -> cbpii::Result<Option<StoredRecord>> {
        self.ask(Ask::Load, about(id))
    }

    fn save(
        &self,
        id: &str,
        sealed: &[u8],
        due_at: Timestamp,
        expected: Option<u64>,
    ) -> cbpii::Result<SaveOutcome> {
        let arguments = StoreArguments {
            sealed: Some(sealed.to_vec().into()),
            due_at: Some(moment(due_at)),
            expected: expected.map(|version| version as f64),
            ..about(id)
        };
        self.ask(Ask::Save, arguments)
    }

    fn delete(&self, id: &str) -> cbpii::Result<bool> {
        self.ask(Ask::Delete, about(id))
    }

    fn list(
        &self,
        due_before: Timestamp,
        after: Option<&DueRecord>,
        limit: usize,
    ) -> cbpii::Result<Vec<DueRecord>> {
        let arguments = StoreArguments {
            due_before: Some(moment(due_before)),
            after: after.map(|line| DueLine { id: line.id.clone(), due_at: moment(line.due_at) }),
            limit: Some(u32::try_from(limit).unwrap_or(u32::MAX)),
            ..StoreArguments::default()
        };
        self.ask(Ask::List, arguments)
    }
}
