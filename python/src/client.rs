//! One issuer at one bank.

use std::sync::{Arc, Mutex, PoisonError};

use cbpii::{CallOptions, ClientBuilder, Clock, ConsentOptions, ErrorCode, SystemClock};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::call::{attended, blocking, direct, soon};
use crate::consent::{AuthorizationCode, PendingConsent, Tokens};
use crate::convert::{confirmation, duration, explanation, imported, limits, optional_text, text};
use crate::error::{raise, refused};
use crate::funds::FundsRequest;
use crate::identity::{Issuer, given_bank};
use crate::process::Owned;
use crate::transport::{PyClock, PyTransport, tell};
use crate::workers::Workers;

/// Ends the calls it was given to, from any thread. Once cancelled it stays so. Ctrl-C cancels the token of its call.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct CancelToken(pub(crate) cbpii::CancelToken);

#[pymethods]
impl CancelToken {
    #[new]
    fn new() -> Self {
        Self(cbpii::CancelToken::new())
    }

    /// Ends every call that runs under this token, and every later one before it starts.
    fn cancel(&self, py: Python<'_>) {
        py.detach(|| self.0.cancel());
    }

    /// Whether :meth:`cancel` was called.
    #[getter]
    fn cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    fn __repr__(&self) -> String {
        format!("CancelToken(cancelled={})", if self.0.is_cancelled() { "True" } else { "False" })
    }
}

/// The token of a call: the caller's, or one of its own.
pub(crate) fn token(given: Option<&Bound<'_, CancelToken>>) -> cbpii::CancelToken {
    given.map_or_else(cbpii::CancelToken::new, |given| given.get().0.clone())
}

/// One issuer at one bank. Shared freely between threads; does no I/O until it is asked to.
///
/// It keeps connections open and resumes TLS sessions, so make one and keep it. A call releases the GIL, and Ctrl-C
/// interrupts it. After ``os.fork()`` it goes on in the child with connections of its own.
///
/// Options (durations are seconds or timedeltas):
///
/// - ``timeout``: the time a whole call may take, retries included; from 1 ms to one hour.
/// - ``connect_timeout``: the time one connection, TLS handshake included, may take; likewise.
/// - ``max_idle_connections``: how many unused connections are kept open per host; 0 keeps none.
/// - ``max_idle_age``: how long an unused connection is kept open.
/// - ``retries``: how often a funds check is sent again after a failure of the connection or a 502, 503 or 504; 0 to 5.
///   It never applies to a code exchange.
/// - ``proxy``: an http proxy that offers CONNECT, ``http://user:password@host:3128``. The environment's is never used.
/// - ``clock``: another source of the present: returns an aware datetime.
/// - ``transport``: another way to send a request: TLS and the client certificate are then its business. It must not follow
///   redirects, not retry and not treat a status as an error; what it raises becomes ``network.transport_failed``, or stays
///   as it is when it is a :class:`cbpii.CbpiiError`.
/// - ``on_event``: called after every HTTP exchange, on the thread that made it. It must be quick. The same goes to the
///   logger ``cbpii`` at DEBUG.
/// - ``check_eligibility``: whether certificates that make the issuer ineligible keep the client from being built.
///
/// Raises errors of the kinds ``configuration`` and ``eligibility``.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct Client {
    bank: Py<PyAny>,
    issuer: Py<Issuer>,
    /// Makes the client anew in a child after `os.fork()`.
    builder: ClientBuilder,
    clock: Arc<dyn Clock>,
    /// Whether calls ask a callable of Python's for something.
    pub(crate) asks_python: bool,
    /// None once it is closed. Locked with the GIL only.
    open: Mutex<Option<Owned<cbpii::Client>>>,
}

impl Client {
    /// The client of this process.
    pub(crate) fn core(&self, py: Python<'_>) -> PyResult<cbpii::Client> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(owned) = &*open else {
            return Err(refused(py, ErrorCode::OptionValue, "The client is closed; make another one."));
        };
        if let Some(client) = owned.here() {
            return Ok(client.clone());
        }
        // The certificates were checked when the client was made.
        let client = self.builder.clone().check_eligibility(false).build();
        let client = client.map_err(|error| raise(py, &error))?;
        *open = Some(Owned::new(client.clone()));
        Ok(client)
    }
}

/// A call of a client, as a job that needs nothing of Python.
type Call<T> = Box<dyn FnOnce() -> cbpii::Result<T> + Send>;

impl Client {
    fn completion(
        &self,
        py: Python<'_>,
        pending: &PendingConsent,
        callback_url: &Bound<'_, PyAny>,
        options: CallOptions,
    ) -> PyResult<Call<cbpii::Tokens>> {
        let (client, clock, pending) = (self.core(py)?, Arc::clone(&self.clock), pending.0.clone());
        let callback_url = cbpii::Secret::new(text(callback_url, "callback_url")?);
        Ok(Box::new(move || {
            let code = pending.complete_at(callback_url.expose(), clock.now())?;
            client.exchange_code_with(&pending, &code, &options)
        }))
    }

    fn exchange(
        &self,
        py: Python<'_>,
        pending: &PendingConsent,
        code: &AuthorizationCode,
        options: CallOptions,
    ) -> PyResult<Call<cbpii::Tokens>> {
        let (client, pending, code) = (self.core(py)?, pending.0.clone(), code.0.clone());
        Ok(Box::new(move || client.exchange_code_with(&pending, &code, &options)))
    }

    fn renewal(
        &self,
        py: Python<'_>,
        tokens: &Tokens,
        options: CallOptions,
    ) -> PyResult<Call<cbpii::Tokens>> {
        let (client, tokens) = (self.core(py)?, tokens.0.clone());
        Ok(Box::new(move || client.refresh_with(&tokens, &options)))
    }

    fn check(
        &self,
        py: Python<'_>,
        tokens: &Tokens,
        request: &FundsRequest,
        options: CallOptions,
    ) -> PyResult<Call<cbpii::FundsConfirmation>> {
        let (client, tokens, request) = (self.core(py)?, tokens.0.clone(), request.inner.clone());
        Ok(Box::new(move || client.confirm_funds_with(&tokens, &request, &options)))
    }
}

/// Tokens as an object of Python.
fn tokens_object(py: Python<'_>, tokens: cbpii::Tokens) -> PyResult<Bound<'_, PyAny>> {
    Bound::new(py, Tokens(tokens)).map(Bound::into_any)
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (
        bank, issuer, *, timeout=None, connect_timeout=None, max_idle_connections=32, max_idle_age=None, retries=1,
        proxy=None, clock=None, transport=None, on_event=None, check_eligibility=true
    ), text_signature = "(bank, issuer, *, timeout=10.0, connect_timeout=5.0, max_idle_connections=32, max_idle_age=60.0, retries=1, proxy=None, clock=None, transport=None, on_event=None, check_eligibility=True)")]
    #[expect(clippy::too_many_arguments, reason = "they are Python's keywords")]
    fn new(
        bank: &Bound<'_, PyAny>,
        issuer: &Bound<'_, Issuer>,
        timeout: Option<&Bound<'_, PyAny>>,
        connect_timeout: Option<&Bound<'_, PyAny>>,
        max_idle_connections: usize,
        max_idle_age: Option<&Bound<'_, PyAny>>,
        retries: u32,
        proxy: Option<&Bound<'_, PyAny>>,
        clock: Option<Py<PyAny>>,
        transport: Option<Py<PyAny>>,
        on_event: Option<Py<PyAny>>,
        check_eligibility: bool,
    ) -> PyResult<Self> {
        let py = bank.py();
        for (name, callable) in [("clock", &clock), ("transport", &transport), ("on_event", &on_event)] {
            if callable.as_ref().is_some_and(|callable| !callable.bind(py).is_callable()) {
                return Err(PyTypeError::new_err(format!("{name} is a callable")));
            }
        }
        let mut builder = cbpii::Client::builder(given_bank(bank)?, issuer.get().inner.clone())
            .max_idle_connections(max_idle_connections)
            .retries(retries)
            .check_eligibility(check_eligibility);
        if let Some(given) = timeout {
            builder = builder.timeout(duration(given, "timeout")?);
        }
        if let Some(given) = connect_timeout {
            builder = builder.connect_timeout(duration(given, "connect_timeout")?);
        }
        if let Some(given) = max_idle_age {
            builder = builder.max_idle_age(duration(given, "max_idle_age")?);
        }
        if let Some(proxy) = optional_text(proxy, "proxy")? {
            builder = builder.proxy(proxy);
        }
        let asks_python =
            clock.is_some() || transport.is_some() || on_event.is_some() || issuer.get().signs_in_python;
        let clock: Arc<dyn Clock> = match clock {
            Some(clock) => Arc::new(PyClock(clock)),
            None => Arc::new(SystemClock),
        };
        builder = builder.clock(Arc::clone(&clock));
        if let Some(transport) = transport {
            builder = builder.transport(PyTransport(transport));
        }
        if let Some(listener) = on_event {
            builder = builder.on_event(move |event| tell(&listener, event));
        }
        let own = builder.clone();
        let client = direct(py, move || own.build())?;
        Ok(Self {
            bank: bank.clone().unbind(),
            issuer: issuer.clone().unbind(),
            builder,
            clock,
            asks_python,
            open: Mutex::new(Some(Owned::new(client))),
        })
    }

    /// The bank.
    #[getter]
    fn bank(&self, py: Python<'_>) -> Py<PyAny> {
        self.bank.clone_ref(py)
    }

    /// The issuer.
    #[getter]
    fn issuer(&self, py: Python<'_>) -> Py<Issuer> {
        self.issuer.clone_ref(py)
    }

    /// What the connections have done so far.
    #[getter]
    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let client = self.core(py)?;
        let statistics = direct(py, || Ok(client.statistics()))?;
        imported!(py, "cbpii._results", "TransportStatistics")?.call1((
            statistics.connections,
            statistics.resumed,
            statistics.name_lookups,
        ))
    }

    /// Begins a consent: builds the URL to send the cardholder to. No I/O.
    ///
    /// ``valid_for`` is how long the cardholder may take at the bank; some banks never send the cardholder back.
    #[pyo3(signature = (*, valid_for=None), text_signature = "($self, *, valid_for=900.0)")]
    fn begin_consent(
        &self,
        py: Python<'_>,
        valid_for: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PendingConsent> {
        let client = self.core(py)?;
        let mut options = ConsentOptions::default();
        if let Some(given) = valid_for {
            options = options.valid_for(duration(given, "valid_for")?);
        }
        direct(py, || client.begin_consent(&options)).map(PendingConsent)
    }

    /// Reads the callback and exchanges its code for tokens, in one step.
    ///
    /// Raises what :meth:`PendingConsent.complete` and :meth:`exchange_code` raise.
    #[pyo3(signature = (pending, callback_url, *, timeout=None, cancel=None))]
    fn complete_consent(
        &self,
        py: Python<'_>,
        pending: &PendingConsent,
        callback_url: &Bound<'_, PyAny>,
        timeout: Option<&Bound<'_, PyAny>>,
        cancel: Option<&Bound<'_, CancelToken>>,
    ) -> PyResult<Tokens> {
        let cancel = token(cancel);
        let call = self.completion(py, pending, callback_url, limits(timeout, &cancel)?)?;
        attended(py, &cancel, self.asks_python, call).map(Tokens)
    }

    /// Exchanges the code for tokens. A code works once, so this is never re-sent: after a time-out or a broken
    /// connection ask the cardholder again.
    ///
    /// Raises ``consent.code_refused``, ``bank.client_refused``, and any error of network, TLS, time and protocol.
    #[pyo3(signature = (pending, code, *, timeout=None, cancel=None))]
    fn exchange_code(
        &self,
        py: Python<'_>,
        pending: &PendingConsent,
        code: &AuthorizationCode,
        timeout: Option<&Bound<'_, PyAny>>,
        cancel: Option<&Bound<'_, CancelToken>>,
    ) -> PyResult<Tokens> {
        let cancel = token(cancel);
        let call = self.exchange(py, pending, code, limits(timeout, &cancel)?)?;
        attended(py, &cancel, self.asks_python, call).map(Tokens)
    }

    /// Refreshes the tokens. What the bank leaves out of its answer stays as it was. A :class:`Session` does this by
    /// itself.
    ///
    /// Raises ``consent.lost``, ``consent.no_refresh_token``, and any error of network, TLS, time and protocol.
    #[pyo3(signature = (tokens, *, timeout=None, cancel=None))]
    fn refresh(
        &self,
        py: Python<'_>,
        tokens: &Tokens,
        timeout: Option<&Bound<'_, PyAny>>,
        cancel: Option<&Bound<'_, CancelToken>>,
    ) -> PyResult<Tokens> {
        let cancel = token(cancel);
        let call = self.renewal(py, tokens, limits(timeout, &cancel)?)?;
        attended(py, &cancel, self.asks_python, call).map(Tokens)
    }

    /// Asks the bank whether the account covers the amount. Nothing is reserved.
    ///
    /// **No answer is not "no funds"**: anything but a well-formed yes or no to exactly this request is raised.
    /// ``consent.access_token_refused`` when the access token is no longer good, ``bank.…`` when the bank refuses, and
    /// any error of network, TLS, time and protocol.
    #[pyo3(signature = (tokens, request, *, timeout=None, cancel=None))]
    fn confirm_funds<'py>(
        &self,
        py: Python<'py>,
        tokens: &Tokens,
        request: &FundsRequest,
        timeout: Option<&Bound<'py, PyAny>>,
        cancel: Option<&Bound<'py, CancelToken>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cancel = token(cancel);
        let call = self.check(py, tokens, request, limits(timeout, &cancel)?)?;
        confirmation(py, attended(py, &cancel, self.asks_python, call)?)
    }

    /// What :meth:`confirm_funds` would send, header by header, with the exact signing string. Nothing is sent.
    fn explain<'py>(&self, py: Python<'py>, request: &FundsRequest) -> PyResult<Bound<'py, PyAny>> {
        let client = self.core(py)?;
        explanation(py, &direct(py, || client.explain(&request.inner))?)
    }

    /// Opens connections (at most 256) to the bank ahead, so that the first calls cost what later ones do.
    ///
    /// Returns how many are ready. Raises when not one could be opened.
    #[pyo3(signature = (connections=1))]
    fn warm_up(&self, py: Python<'_>, connections: usize) -> PyResult<usize> {
        let client = self.core(py)?;
        blocking(py, &cbpii::CancelToken::new(), move || client.warm_up(connections))
    }

    /// Closes the unused connections; later calls raise ``configuration.option``. Leaving a ``with`` does this.
    fn close(&self, py: Python<'_>) {
        let closed = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| drop(closed));
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) {
        self.close(py);
    }

    fn _complete_consent<'py>(
        &self,
        py: Python<'py>,
        workers: &Workers,
        pending: &PendingConsent,
        callback_url: &Bound<'py, PyAny>,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cancel = cbpii::CancelToken::new();
        let call = self.completion(py, pending, callback_url, limits(timeout, &cancel)?)?;
        soon(py, workers, cancel, call, tokens_object)
    }

    fn _exchange_code<'py>(
        &self,
        py: Python<'py>,
        workers: &Workers,
        pending: &PendingConsent,
        code: &AuthorizationCode,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cancel = cbpii::CancelToken::new();
        let call = self.exchange(py, pending, code, limits(timeout, &cancel)?)?;
        soon(py, workers, cancel, call, tokens_object)
    }

    fn _refresh<'py>(
        &self,
        py: Python<'py>,
        workers: &Workers,
        tokens: &Tokens,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cancel = cbpii::CancelToken::new();
        let call = self.renewal(py, tokens, limits(timeout, &cancel)?)?;
        soon(py, workers, cancel, call, tokens_object)
    }

    fn _confirm_funds<'py>(
        &self,
        py: Python<'py>,
        workers: &Workers,
        tokens: &Tokens,
        request: &FundsRequest,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let cancel = cbpii::CancelToken::new();
        let call = self.check(py, tokens, request, limits(timeout, &cancel)?)?;
        soon(py, workers, cancel, call, confirmation)
    }

    fn _warm_up<'py>(
        &self,
        py: Python<'py>,
        workers: &Workers,
        connections: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let client = self.core(py)?;
        let call = move || client.warm_up(connections);
        soon(py, workers, cbpii::CancelToken::new(), call, |py, ready| {
            Ok(ready.into_pyobject(py)?.into_any())
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let bank: String = self.bank.bind(py).getattr("id")?.extract()?;
        Ok(format!("Client(bank={bank:?}, client_id={:?})", self.issuer.get().inner.client_id()))
    }
}
