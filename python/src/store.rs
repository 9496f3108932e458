//! Stores of consents: the core's, and those written in Python.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cbpii::store::{
    ConsentStore, DueRecord, RecordKey, RecordKeys, SaveOutcome, SqliteOptions, SqliteStore, StoredRecord,
    open_store,
};
use cbpii::{CancelToken, ErrorCode, RequestSent, Timestamp};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::call::{blocking, direct, soon};
use crate::convert::{bytes, duration, enum_member, imported, moment, timestamp, wrong_type};
use crate::error::{callback_failed, ending};
use crate::gate;
use crate::process::Owned;
use crate::workers::Workers;

/// A store of consents and the key that seals them.
///
/// ``store`` is the path of a SQLite file (made when it is missing), ``memory``, a URL (``sqlite:///path``), or a
/// :class:`ConsentStore` of your own. A str that is ``memory``, has ``://`` or begins with ``sqlite:`` is never a path.
/// ``key`` is 32 random bytes from a key store, never a password; ``old_keys`` only open what was sealed before. Closed when
/// it is collected. It does not survive ``os.fork()``: open it again in the child.
///
/// Raises errors of the kind ``store``, such as ``store.key``, ``store.url``, ``store.unreachable``.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct SealedStore {
    pub(crate) inner: Owned<cbpii::store::SealedStore>,
    /// Whether the store in it is written in Python.
    pub(crate) is_python: bool,
    shown: String,
}

#[pymethods]
impl SealedStore {
    #[new]
    #[pyo3(
        signature = (store, *, key, old_keys=None, busy_timeout=None, read_only=false),
        text_signature = "(store, *, key, old_keys=(), busy_timeout=5.0, read_only=False)"
    )]
    fn new(
        store: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        old_keys: Option<&Bound<'_, PyAny>>,
        busy_timeout: Option<&Bound<'_, PyAny>>,
        read_only: bool,
    ) -> PyResult<Self> {
        let py = store.py();
        let key = bytes(key, "key")?;
        let mut keys = direct(py, || RecordKey::from_slice(key)).map(RecordKeys::new)?;
        if let Some(old_keys) = old_keys {
            for old in old_keys.try_iter()? {
                let old = old?;
                let old = bytes(&old, "each of old_keys")?;
                keys = keys.with_old(direct(py, || RecordKey::from_slice(old))?);
            }
        }
        let mut options = SqliteOptions::default().read_only(read_only);
        if let Some(given) = busy_timeout {
            options = options.busy_timeout(duration(given, "busy_timeout")?);
        }
        let shown = shown(store)?;
        let is_python = store.is_instance(imported!(py, "cbpii._store", "ConsentStore")?)?;
        let store =
            if is_python { Arc::new(PyStore(store.clone().unbind())) } else { given_store(store, options)? };
        Ok(Self { inner: Owned::new(cbpii::store::SealedStore::new(store, keys)), is_python, shown })
    }

    /// Seals every record that is still sealed with an old key with the current one, and returns how many those were.
    ///
    /// Raises ``store.key`` when a record needs a key that was not given, ``store.corrupt`` when one cannot be opened.
    fn reseal(&self, py: Python<'_>) -> PyResult<u64> {
        let store = self.inner.get(py)?.clone();
        blocking(py, &CancelToken::new(), move || store.reseal())
    }

    /// The consents of every bank that end before ``before``, or are lost or refused since before it, the earliest
    /// first. Pass the present plus two weeks every night.
    fn renewals_due(&self, before: &Bound<'_, PyAny>) -> PyResult<RenewalsDue> {
        let store = self.inner.get(before.py())?;
        let due = cbpii::renewals_due(store, timestamp(before, "before")?);
        Ok(RenewalsDue(Owned::new(Arc::new(Mutex::new(due)))))
    }

    fn __repr__(&self) -> String {
        format!("SealedStore({}, key=…)", self.shown)
    }
}

fn shown(store: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(store.repr()?.to_string())
}

/// A store of our own as callers give it: a path or a URL.
fn given_store(store: &Bound<'_, PyAny>, options: SqliteOptions) -> PyResult<Arc<dyn ConsentStore>> {
    let py = store.py();
    let sqlite = move |path: PathBuf| -> PyResult<Arc<dyn ConsentStore>> {
        let store = blocking(py, &CancelToken::new(), move || SqliteStore::open_with(path, &options))?;
        Ok(Arc::new(store))
    };
    // A str that is not UTF-8 is a path of the file system, as os.fsdecode makes it.
    if let Some(name) = store.cast::<PyString>().ok().and_then(|name| name.to_str().ok()) {
        return match name.strip_prefix("sqlite://") {
            Some(path) if !path.is_empty() => sqlite(PathBuf::from(path)),
            _ if is_url(name) => direct(py, || open_store(name)),
            _ => sqlite(PathBuf::from(name)),
        };
    }
    let path = store
        .extract::<PathBuf>()
        .map_err(|_| wrong_type(store, "store", "a path, \"memory\", a URL, or a ConsentStore"))?;
    sqlite(path)
}

/// Whether a text names a store by a URL, be it a wrong one, and not by a path.
fn is_url(name: &str) -> bool {
    name.is_empty() || name == "memory" || name.starts_with("sqlite:") || name.contains("://")
}

/// A store written in Python.
struct PyStore(Py<PyAny>);

impl PyStore {
    fn ask<T>(&self, ask: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> cbpii::Result<T> {
        let answer = gate::attach(|py| {
            ask(self.0.bind(py)).map_err(|raised| {
                callback_failed(py, raised, ErrorCode::StoreFailed, RequestSent::No, "consent store")
            })
        });
        answer.unwrap_or_else(|| Err(ending()))
    }
}

impl ConsentStore for PyStore {
    fn load(&self, id: &str) -> cbpii::Result<Option<StoredRecord>> {
        self.ask(|store| {
            let record = store.call_method1("load", (id,))?;
            if record.is_none() {
                return Ok(None);
            }
            Ok(Some(StoredRecord {
                sealed: record.getattr("sealed")?.cast::<PyBytes>()?.as_bytes().to_vec(),
                due_at: timestamp(&record.getattr("due_at")?, "due_at")?,
                version: record.getattr("version")?.extract()?,
            }))
        })
    }

    fn save(
        &self,
        id: &str,
        sealed: &[u8],
        due_at: Timestamp,
        expected: Option<u64>,
    ) -> cbpii::Result<SaveOutcome> {
        self.ask(|store| {
            let py = store.py();
            let arguments = (id, PyBytes::new(py, sealed), moment(py, due_at)?, expected);
            let version: Option<u64> = store.call_method1("save", arguments)?.extract()?;
            Ok(version.map_or(SaveOutcome::Conflict, SaveOutcome::Saved))
        })
    }

    fn delete(&self, id: &str) -> cbpii::Result<bool> {
        self.ask(|store| store.call_method1("delete", (id,))?.extract())
    }

    fn list(
        &self,
        due_before: Timestamp,
        after: Option<&DueRecord>,
        limit: usize,
    ) -> cbpii::Result<Vec<DueRecord>> {
        self.ask(|store| {
            let py = store.py();
            let line = |one: &DueRecord| {
                imported!(py, "cbpii._store", "DueRecord")?.call1((one.id.as_str(), moment(py, one.due_at)?))
            };
            let after = after.map(line).transpose()?;
            let lines = store.call_method1("list", (moment(py, due_before)?, after, limit))?;
            let read = |line: PyResult<Bound<'_, PyAny>>| {
                let line = line?;
                Ok(DueRecord {
                    id: line.getattr("id")?.extract()?,
                    due_at: timestamp(&line.getattr("due_at")?, "due_at")?,
                })
            };
            lines.try_iter()?.map(read).collect()
        })
    }
}

/// The consents to renew, read page by page.
///
/// A record that cannot be opened raises in its place; asking on with ``next()`` goes on behind it.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct RenewalsDue(Owned<Arc<Mutex<cbpii::session::RenewalsDue>>>);

impl RenewalsDue {
    fn job(
        &self,
        py: Python<'_>,
    ) -> PyResult<impl FnOnce() -> cbpii::Result<Option<cbpii::session::RenewalDue>> + Send + use<>> {
        let due = Arc::clone(self.0.get(py)?);
        Ok(move || due.lock().unwrap_or_else(PoisonError::into_inner).next().transpose())
    }
}

#[pymethods]
impl RenewalsDue {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let due = blocking(py, &CancelToken::new(), self.job(py)?)?;
        due.map(|one| renewal(py, &one)).transpose()
    }

    fn _next<'py>(&self, py: Python<'py>, workers: &Workers) -> PyResult<Bound<'py, PyAny>> {
        soon(py, workers, CancelToken::new(), self.job(py)?, |py, due| match due {
            Some(one) => renewal(py, &one),
            None => Ok(py.None().into_bound(py)),
        })
    }
}

fn renewal<'py>(py: Python<'py>, one: &cbpii::session::RenewalDue) -> PyResult<Bound<'py, PyAny>> {
    imported!(py, "cbpii._results", "RenewalDue")?.call1((
        one.id.as_str(),
        one.bank_id.as_str(),
        moment(py, one.consent_expires_at)?,
        enum_member(py, "RenewalReason", one.reason.as_str())?,
    ))
}
