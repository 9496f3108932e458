//! Errors, from the core to Python and back.

use std::cell::RefCell;

use cbpii::{Error, ErrorCode, RequestSent};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::convert::{enum_member, explanation};

/// An error of the core, with the exception of a callback that led to it.
pub(crate) struct Failure {
    pub(crate) error: Error,
    pub(crate) cause: Option<PyErr>,
}

impl Failure {
    pub(crate) fn raise(self, py: Python<'_>) -> PyErr {
        let raised = raise(py, &self.error);
        if self.cause.is_some() {
            raised.set_cause(py, self.cause);
        }
        raised
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, cause: None }
    }
}

/// The base class.
fn base(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static BASE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    BASE.import(py, "cbpii.errors", "CbpiiError")
}

/// The exception for an error.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    exception(py, error).map_or_else(|failure| failure, PyErr::from_value)
}

/// The exception for an error, not raised.
pub(crate) fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let facts = PyDict::new(py);
    facts.set_item("retry_after", error.retry_after())?;
    facts.set_item("http_status", error.http_status())?;
    facts.set_item("bank_code", error.bank_code())?;
    facts.set_item("bank_message", error.bank_message())?;
    facts.set_item("request_id", error.request_id())?;
    facts.set_item("correlation_id", error.correlation_id())?;
    facts.set_item("request_sent", enum_member(py, "RequestSent", error.request_sent().as_str())?)?;
    facts.set_item("explanation", error.explanation().map(|one| explanation(py, one)).transpose()?)?;
    base(py)?.call((error.code().as_str(), error.message()), Some(&facts))
}

/// An error with this code, raised.
pub(crate) fn refused(py: Python<'_>, code: ErrorCode, message: &str) -> PyErr {
    raise(py, &Error::new(code, message))
}

thread_local! {
    /// The exception of the callback that failed last on this thread.
    static CAUSE: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Takes what the last failed callback of this thread raised.
pub(crate) fn take_cause() -> Option<PyErr> {
    CAUSE.take()
}

/// What a callback raised, as an error of the core: its own when it is one of the package's, else of this code.
pub(crate) fn callback_failed(
    py: Python<'_>,
    raised: PyErr,
    code: ErrorCode,
    sent: RequestSent,
    what: &str,
) -> Error {
    let error = own(py, &raised).unwrap_or_else(|| {
        let kind =
            raised.get_type(py).name().map_or_else(|_| "an exception".to_owned(), |name| name.to_string());
        let message = format!("The {what} raised {kind}; see the exception that is the cause of this one.");
        Error::new(code, message).with_request_sent(sent)
    });
    CAUSE.set(Some(raised));
    error
}

/// What a callback would be needed for while the interpreter ends.
pub(crate) fn ending() -> Error {
    Error::new(
        ErrorCode::Cancelled,
        "Python is ending, so that no callback runs any more; the call was given up.",
    )
}

/// An error of the package as one of the core.
fn own(py: Python<'_>, raised: &PyErr) -> Option<Error> {
    let value = raised.value(py);
    if !value.is_instance(base(py).ok()?).ok()? {
        return None;
    }
    let text = |name: &str| value.getattr(name).and_then(|fact| fact.extract::<String>()).ok();
    let error = Error::new(ErrorCode::from_text(&text("code")?)?, text("message")?);
    Some(match text("_request_sent").as_deref() {
        Some("no") => error.with_request_sent(RequestSent::No),
        Some("yes") => error.with_request_sent(RequestSent::Yes),
        Some(_) => error.with_request_sent(RequestSent::Unknown),
        // Whoever made it did not state it: the core knows what that means where it was raised.
        None => error,
    })
}

/// The whole catalogue: code, number, kind, advice, summary.
#[pyfunction]
#[pyo3(name = "_catalogue")]
pub(crate) fn catalogue() -> Vec<(&'static str, u16, &'static str, &'static str, &'static str)> {
    ErrorCode::ALL
        .iter()
        .map(|code| {
            (code.as_str(), code.number(), code.kind().as_str(), code.advice().as_str(), code.summary())
        })
        .collect()
}
