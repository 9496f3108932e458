//! Consents kept alive.

use cbpii::session::{ConsentStatus, SessionOptions};
use cbpii::{CallOptions, ErrorCode, SessionPool};
use pyo3::prelude::*;

use crate::call::{attended, blocking, direct, soon};
use crate::client::{CancelToken, Client, token};
use crate::consent::Tokens;
use crate::convert::{confirmation, duration, enum_member, imported, limits, moment, text};
use crate::funds::FundsRequest;
use crate::process::Owned;
use crate::store::SealedStore;
use crate::workers::Workers;

/// One cardholder's consent at one bank, kept alive: access tokens are refreshed in time, exactly once across threads
/// and processes. Made by a :class:`SessionPool`; shared freely between threads.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct Session {
    pub(crate) inner: Owned<cbpii::Session>,
    asks_python: bool,
}

impl Session {
    fn new(session: cbpii::Session, asks_python: bool) -> Self {
        Self { inner: Owned::new(session), asks_python }
    }

    /// How the consent stands. Without the GIL: the clock may be Python's.
    fn standing(&self, py: Python<'_>) -> PyResult<ConsentStatus> {
        let session = self.inner.get(py)?;
        direct(py, || Ok(session.status()))
    }

    fn check(
        &self,
        py: Python<'_>,
        request: &FundsRequest,
        options: CallOptions,
    ) -> PyResult<impl FnOnce() -> cbpii::Result<cbpii::FundsConfirmation> + Send + use<>> {
        let (session, request) = (self.inner.get(py)?.clone(), request.inner.clone());
        Ok(move || session.confirm_funds_with(&request, &options))
    }
}

fn status_object(py: Python<'_>, status: ConsentStatus) -> PyResult<Bound<'_, PyAny>> {
    imported!(py, "cbpii._results", "ConsentStatus")?.call1((
        enum_member(py, "ConsentState", status.state.as_str())?,
        moment(py, status.consent_expires_at)?,
        moment(py, status.renew_from)?,
        status.days_left,
        enum_member(py, "NextAction", status.next_action.as_str())?,
    ))
}

#[pymethods]
impl Session {
    /// The id the consent is kept under.
    #[getter]
    fn id(&self, py: Python<'_>) -> PyResult<&str> {
        Ok(self.inner.get(py)?.id())
    }

    /// Asks the bank whether the account covers the amount, with an access token that is refreshed before its end, or
    /// once after the bank refuses it. The time-out covers everything.
    ///
    /// **No answer is not "no funds"**: raises what :meth:`Client.confirm_funds` and :meth:`Client.refresh` raise;
    /// ``consent.expired``, ``consent.lost``, ``consent.refresh_answer_lost``, ``consent.no_refresh_token`` or
    /// ``consent.unknown`` when the cardholder has to go to the bank again; and ``store.…``.
    #[pyo3(signature = (request, *, timeout=None, cancel=None))]
    fn confirm_funds<'py>(
        &self,
        py: Python<'py>,
        request: &FundsRequest,
        timeout: Option<&Bound<'py, PyAny>>,
        cancel: Option<&Bound<'py, CancelToken>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cancel = token(cancel);
        let call = self.check(py, request, limits(timeout, &cancel)?)?;
        confirmation(py, attended(py, &cancel, self.asks_python, call)?)
    }

    /// How the consent stands now, as far as this process knows; no I/O.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        status_object(py, self.standing(py)?)
    }

    /// How the consent stands now, in one word.
    #[getter]
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        enum_member(py, "ConsentState", self.standing(py)?.state.as_str())
    }

    /// When the consent ends, in UTC.
    #[getter]
    fn consent_expires_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        moment(py, self.standing(py)?.consent_expires_at)
    }

    /// From when on the consent should be renewed, in UTC.
    #[getter]
    fn renew_from<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        moment(py, self.standing(py)?.renew_from)
    }

    /// The whole days that are left, rounded down.
    #[getter]
    fn days_left(&self, py: Python<'_>) -> PyResult<u32> {
        Ok(self.standing(py)?.days_left)
    }

    /// What is to be done next.
    #[getter]
    fn next_action<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        enum_member(py, "NextAction", self.standing(py)?.next_action.as_str())
    }

    /// What happened to the consent, oldest first: its last 16 moments.
    fn history<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let session = self.inner.get(py)?;
        let history = direct(py, || Ok(session.history()))?;
        let class = imported!(py, "cbpii._results", "ConsentMoment")?;
        let object = |one: &cbpii::session::ConsentMoment| {
            class.call1((
                moment(py, one.at)?,
                enum_member(py, "ConsentEvent", one.event.as_str())?,
                one.cause.map(ErrorCode::as_str),
            ))
        };
        history.iter().map(object).collect()
    }

    /// Reads the consent from the store again, to see what other processes did to it.
    ///
    /// Raises ``consent.unknown`` when it is there no more; ``store.…``.
    fn reload<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let session = self.inner.get(py)?.clone();
        let status = blocking(py, &cbpii::CancelToken::new(), move || session.reload())?;
        status_object(py, status)
    }

    /// Whether fresh tokens wait in memory because the store could not take them: the process should not end yet.
    #[getter]
    fn has_unsaved_tokens(&self, py: Python<'_>) -> PyResult<bool> {
        let session = self.inner.get(py)?;
        direct(py, || Ok(session.has_unsaved_tokens()))
    }

    fn _confirm_funds<'py>(
        &self,
        py: Python<'py>,
        workers: &Workers,
        request: &FundsRequest,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cancel = cbpii::CancelToken::new();
        let call = self.check(py, request, limits(timeout, &cancel)?)?;
        soon(py, workers, cancel, call, confirmation)
    }

    fn _reload<'py>(&self, py: Python<'py>, workers: &Workers) -> PyResult<Bound<'py, PyAny>> {
        let session = self.inner.get(py)?.clone();
        soon(py, workers, cbpii::CancelToken::new(), move || session.reload(), status_object)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let Some(session) = self.inner.here() else { return Ok("Session(of the parent process)".to_owned()) };
        let status = self.standing(py)?;
        Ok(format!("Session({:?}, state='{}', days_left={})", session.id(), status.state, status.days_left))
    }
}

/// The sessions of one client; the package's pools are made of it.
#[pyclass(frozen, name = "_Pool", module = "cbpii")]
pub(crate) struct Pool {
    inner: Owned<SessionPool>,
    /// Whether its sessions ask a callable or a store of Python's for something.
    asks_python: bool,
}

impl Pool {
    /// What makes a session an object.
    fn wrap(&self) -> impl FnOnce(Python<'_>, cbpii::Session) -> PyResult<Bound<'_, PyAny>> + Send + use<> {
        let asks_python = self.asks_python;
        move |py, session| Bound::new(py, Session::new(session, asks_python)).map(Bound::into_any)
    }
}

#[pymethods]
impl Pool {
    #[new]
    fn new(
        py: Python<'_>,
        client: &Client,
        store: &SealedStore,
        refresh_margin: &Bound<'_, PyAny>,
        renew_before: &Bound<'_, PyAny>,
        refresh_timeout: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let options = SessionOptions::default()
            .refresh_margin(duration(refresh_margin, "refresh_margin")?)
            .renew_before(duration(renew_before, "renew_before")?)
            .refresh_timeout(duration(refresh_timeout, "refresh_timeout")?);
        let asks_python = client.asks_python || store.is_python;
        let (client, store) = (client.core(py)?, store.inner.get(py)?.clone());
        let pool = direct(py, || SessionPool::with_options(client, store, options))?;
        Ok(Self { inner: Owned::new(pool), asks_python })
    }

    fn keep(&self, py: Python<'_>, id: &Bound<'_, PyAny>, tokens: &Tokens) -> PyResult<Session> {
        let id = text(id, "id")?.to_owned();
        let (pool, tokens) = (self.inner.get(py)?.clone(), tokens.0.clone());
        blocking(py, &cbpii::CancelToken::new(), move || pool.keep(&id, &tokens))
            .map(|session| Session::new(session, self.asks_python))
    }

    fn open(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<Session> {
        let id = text(id, "id")?.to_owned();
        let pool = self.inner.get(py)?.clone();
        blocking(py, &cbpii::CancelToken::new(), move || pool.open(&id))
            .map(|session| Session::new(session, self.asks_python))
    }

    fn forget(&self, py: Python<'_>, id: &Bound<'_, PyAny>) -> PyResult<bool> {
        let id = text(id, "id")?.to_owned();
        let pool = self.inner.get(py)?.clone();
        blocking(py, &cbpii::CancelToken::new(), move || pool.forget(&id))
    }

    fn _keep<'py>(
        &self,
        py: Python<'py>,
        workers: &Workers,
        id: &Bound<'py, PyAny>,
        tokens: &Tokens,
    ) -> PyResult<Bound<'py, PyAny>> {
        let id = text(id, "id")?.to_owned();
        let (pool, tokens) = (self.inner.get(py)?.clone(), tokens.0.clone());
        soon(py, workers, cbpii::CancelToken::new(), move || pool.keep(&id, &tokens), self.wrap())
    }

    fn _open<'py>(
        &self,
        py: Python<'py>,
        workers: &Workers,
        id: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let id = text(id, "id")?.to_owned();
        let pool = self.inner.get(py)?.clone();
        soon(py, workers, cbpii::CancelToken::new(), move || pool.open(&id), self.wrap())
    }

    fn _forget<'py>(
        &self,
        py: Python<'py>,
        workers: &Workers,
        id: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let id = text(id, "id")?.to_owned();
        let pool = self.inner.get(py)?.clone();
        soon(
            py,
            workers,
            cbpii::CancelToken::new(),
            move || pool.forget(&id),
            |py, was_there| Ok(was_there.into_pyobject(py)?.to_owned().into_any()),
        )
    }
}
