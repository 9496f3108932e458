//! Secret texts.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::convert;

/// A secret text: a token, a client secret. It shows only that there is one, never pickles, and leaves by expose.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct Secret(pub(crate) cbpii::Secret);

#[pymethods]
impl Secret {
    #[new]
    fn new(text: &Bound<'_, PyAny>) -> PyResult<Self> {
        convert::text(text, "text").map(|text| Self(cbpii::Secret::new(text)))
    }

    /// The secret itself. Never log what this returns.
    fn expose(&self) -> &str {
        self.0.expose()
    }

    /// A form that may be shown: the first four characters of a long secret, then an ellipsis.
    #[getter]
    fn masked(&self) -> String {
        self.0.masked()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __repr__(&self) -> String {
        format!("Secret('{}')", self.0.masked())
    }

    fn __str__(&self) -> String {
        self.0.masked()
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(no_pickle("Secret", "expose()"))
    }
}

/// The error of pickling what must not leave by accident.
pub(crate) fn no_pickle(class: &str, instead: &str) -> PyErr {
    PyTypeError::new_err(format!("cannot pickle {class}: a secret would leave by accident; use {instead}"))
}

/// A secret as callers give it, a `str` or a `Secret`; `name` says which one.
pub(crate) fn secret(given: &Bound<'_, PyAny>, name: &str) -> PyResult<cbpii::Secret> {
    if given.is_instance_of::<PyString>() {
        return convert::text(given, name).map(cbpii::Secret::new);
    }
    match given.cast::<Secret>() {
        Ok(secret) => Ok(secret.get().0.clone()),
        Err(_) => Err(convert::wrong_type(given, name, "a str or a Secret")),
    }
}

/// The same, for what need not be given.
pub(crate) fn optional_secret(
    given: Option<&Bound<'_, PyAny>>,
    name: &str,
) -> PyResult<Option<cbpii::Secret>> {
    given.map(|given| secret(given, name)).transpose()
}
