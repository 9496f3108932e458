//! Values between Python and the core.

use std::path::PathBuf;
use std::time::Duration;

use cbpii::{CancelToken, ErrorCode, Timestamp};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDelta, PyDict, PyFloat, PyInt, PyString, PyTuple};

use crate::error::refused;

/// An attribute of a module, imported once.
macro_rules! imported {
    ($py:expr, $module:literal, $name:literal) => {{
        static CELL: pyo3::sync::PyOnceLock<pyo3::Py<pyo3::PyAny>> = pyo3::sync::PyOnceLock::new();
        CELL.import($py, $module, $name)
    }};
}
pub(crate) use imported;

/// A text that a caller gave; `name` says which one.
pub(crate) fn text<'a>(given: &'a Bound<'_, PyAny>, name: &str) -> PyResult<&'a str> {
    let text = given.cast::<PyString>().map_err(|_| wrong_type(given, name, "a str"))?;
    text.to_str().map_err(|_| {
        let message = format!(
            "The argument {name} is not UTF-8: it has half of a surrogate pair, as text read with surrogateescape has; give text that can be encoded."
        );
        refused(given.py(), ErrorCode::Argument, &message)
    })
}

/// The same, for what need not be given.
pub(crate) fn optional_text<'a>(
    given: Option<&'a Bound<'_, PyAny>>,
    name: &str,
) -> PyResult<Option<&'a str>> {
    given.map(|given| text(given, name)).transpose()
}

/// Bytes that a caller gave; `name` says which ones.
pub(crate) fn bytes<'a>(given: &'a Bound<'_, PyAny>, name: &str) -> PyResult<&'a [u8]> {
    given.cast::<PyBytes>().map(|bytes| bytes.as_bytes()).map_err(|_| wrong_type(given, name, "bytes"))
}

/// What an argument of a wrong type is refused with.
pub(crate) fn wrong_type(given: &Bound<'_, PyAny>, name: &str, wanted: &str) -> PyErr {
    match given.get_type().name() {
        Ok(kind) => PyTypeError::new_err(format!("{name} is {wanted}, not {kind}")),
        Err(failure) => failure,
    }
}

/// A moment as an aware datetime in UTC; one Python cannot express becomes the nearest it can.
pub(crate) fn moment(py: Python<'_>, moment: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    /// The first and the last millisecond of Python's years, 1 to 9999.
    const EXPRESSED: (i64, i64) = (-62_135_596_800_000, 253_402_300_799_999);
    let millis = moment.unix_millis().clamp(EXPRESSED.0, EXPRESSED.1);
    let since = imported!(py, "datetime", "timedelta")?.call1((0, 0, millis * 1000))?;
    imported!(py, "cbpii._convert", "EPOCH")?.add(since)
}

/// A moment that a caller gave as an aware datetime; `name` says which one.
pub(crate) fn timestamp(given: &Bound<'_, PyAny>, name: &str) -> PyResult<Timestamp> {
    let py = given.py();
    let millis = imported!(py, "cbpii._convert", "milliseconds")?.call1((given, name))?;
    millis.extract::<Option<i64>>()?.map(Timestamp::from_unix_millis).ok_or_else(|| {
        let message = format!(
            "The moment {name} has no time zone, so that nobody knows when it is; give an aware datetime, such as datetime.now(timezone.utc)."
        );
        refused(py, ErrorCode::Argument, &message)
    })
}

/// The moment that was given, or the present.
pub(crate) fn timestamp_or_now(given: Option<&Bound<'_, PyAny>>, name: &str) -> PyResult<Timestamp> {
    use cbpii::Clock as _;
    given.map_or_else(|| Ok(cbpii::SystemClock.now()), |given| timestamp(given, name))
}

/// A duration that a caller gave as a timedelta or in seconds; `name` says which one.
pub(crate) fn duration(given: &Bound<'_, PyAny>, name: &str) -> PyResult<Duration> {
    let is_number = given.is_instance_of::<PyFloat>() || given.is_instance_of::<PyInt>();
    let seconds: f64 = if is_number && !given.is_instance_of::<PyBool>() {
        given.extract()?
    } else if given.is_instance_of::<PyDelta>() {
        given.call_method0("total_seconds")?.extract()?
    } else {
        return Err(wrong_type(given, name, "a timedelta or a number of seconds"));
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| {
        let message =
            format!("The option {name} is negative or beyond every clock; give seconds or a timedelta.");
        refused(given.py(), ErrorCode::OptionValue, &message)
    })
}

/// The limits of one call.
pub(crate) fn limits(
    timeout: Option<&Bound<'_, PyAny>>,
    cancel: &CancelToken,
) -> PyResult<cbpii::CallOptions> {
    let mut options = cbpii::CallOptions::default().cancel(cancel.clone());
    options.timeout = timeout.map(|given| duration(given, "timeout")).transpose()?;
    Ok(options)
}

/// A member of one of the package's enums, by its stable name.
pub(crate) fn enum_member<'py>(py: Python<'py>, class: &str, name: &str) -> PyResult<Bound<'py, PyAny>> {
    static KNOWN: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let known = KNOWN.get_or_init(py, || PyDict::new(py).unbind()).bind(py);
    if let Some(member) = known.get_item((class, name))? {
        return Ok(member);
    }
    let member = py.import("cbpii.enums")?.getattr(class)?.call1((name,))?;
    known.set_item((class, name), &member)?;
    Ok(member)
}

/// A certificate, key or keystore as callers give it.
pub(crate) enum Source {
    /// PEM text.
    Text(String),
    /// PEM or DER.
    Bytes(Vec<u8>),
    /// Of a file with either.
    Path(PathBuf),
}

impl Drop for Source {
    fn drop(&mut self) {
        // It may be a key. `Secret` overwrites what it takes over.
        match self {
            Self::Text(text) => drop(cbpii::Secret::new(std::mem::take(text))),
            Self::Bytes(bytes) => drop(cbpii::SecretBytes::new(std::mem::take(bytes))),
            Self::Path(_) => {}
        }
    }
}

impl Source {
    /// What a caller gave; `name` says which one.
    pub(crate) fn given(given: &Bound<'_, PyAny>, name: &str) -> PyResult<Self> {
        if given.is_instance_of::<PyString>() {
            return Ok(Self::Text(text(given, name)?.to_owned()));
        }
        if let Ok(bytes) = given.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.as_bytes().to_vec()));
        }
        if let Ok(bytes) = given.cast::<PyByteArray>() {
            return Ok(Self::Bytes(bytes.to_vec()));
        }
        given.extract::<PathBuf>().map(Self::Path).map_err(|_| {
            wrong_type(
                given,
                name,
                "PEM text (str), PEM or DER (bytes), or the path of a file (pathlib.Path)",
            )
        })
    }

    /// What was given in memory; none for a path.
    pub(crate) fn contents(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Bytes(bytes) => Some(bytes),
            Self::Path(_) => None,
        }
    }
}

/// An `Explanation`.
pub(crate) fn explanation<'py>(py: Python<'py>, one: &cbpii::Explanation) -> PyResult<Bound<'py, PyAny>> {
    imported!(py, "cbpii._results", "Explanation")?.call1((
        one.method.as_str(),
        one.url.as_str(),
        PyTuple::new(py, &one.headers)?,
        one.body.as_str(),
        one.digest_input.as_deref(),
        one.signing_string.as_deref(),
        one.key_id.as_deref(),
        one.key_id_source.as_deref(),
        one.to_string(),
    ))
}

/// A `FundsConfirmation`: its answer, and what makes the rest when something asks for it.
///
/// Its `__init__` would do the same. But while the call waited, Python's code and interpreter went out of the processor's
/// caches, and running them for this would be the dearest thing the package does.
pub(crate) fn confirmation(py: Python<'_>, one: cbpii::FundsConfirmation) -> PyResult<Bound<'_, PyAny>> {
    static NEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = imported!(py, "cbpii._results", "FundsConfirmation")?;
    let made =
        NEW.get_or_try_init(py, || class.getattr("__new__").map(Bound::unbind))?.bind(py).call1((class,))?;
    let facts = imported!(py, "cbpii._results", "_facts")?.call1((&made,))?.cast_into::<PyDict>()?;
    facts.set_item(intern!(py, "available"), one.available)?;
    facts.set_item(intern!(py, "_rest"), Bound::new(py, Rest(one))?)?;
    Ok(made)
}

/// Makes what a `FundsConfirmation` tells besides its answer.
#[pyclass(frozen, name = "_Rest", module = "cbpii")]
struct Rest(cbpii::FundsConfirmation);

#[pymethods]
impl Rest {
    fn __call__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let one = &self.0;
        let facts = PyDict::new(py);
        facts.set_item("reference", &one.reference)?;
        facts.set_item("request_id", one.request_id.as_deref())?;
        facts.set_item("correlation_id", one.correlation_id.as_deref())?;
        facts.set_item("bank_id", &one.bank_id)?;
        facts.set_item("checked_at", moment(py, one.checked_at)?)?;
        facts.set_item("duration", one.duration)?;
        let signature = enum_member(py, "ResponseSignature", one.response_signature.as_str())?;
        facts.set_item("response_signature", signature)?;
        facts.set_item("deprecation_warning", one.deprecation_warning.as_deref())?;
        Ok(facts)
    }
}
