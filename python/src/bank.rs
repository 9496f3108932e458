//! Bank records, as the JSON that the package's `Bank` is made of.

use cbpii::bank::TrustMode;
use cbpii::{Bank, Environment, Error, ErrorCode};
use pyo3::prelude::*;

use crate::call::direct;
use crate::convert::Source;
use crate::funds::GivenIban;

#[pyfunction]
#[pyo3(name = "_bank_bpce")]
pub(crate) fn bank_bpce(py: Python<'_>, code: &str, environment: &str) -> PyResult<String> {
    direct(py, || Bank::bpce(code, environment.parse()?)?.to_json())
}

#[pyfunction]
#[pyo3(name = "_bank_by_id")]
pub(crate) fn bank_by_id(py: Python<'_>, id: &str, environment: &str) -> PyResult<String> {
    direct(py, || Bank::by_id(id, environment.parse()?)?.to_json())
}

#[pyfunction]
#[pyo3(name = "_banks_by_code")]
pub(crate) fn banks_by_code(py: Python<'_>, code: &str, environment: &str) -> PyResult<Vec<String>> {
    several(py, environment, |environment| Ok(Bank::by_code(code, environment)))
}

#[pyfunction]
#[pyo3(name = "_banks_from_iban")]
pub(crate) fn banks_from_iban(py: Python<'_>, iban: GivenIban, environment: &str) -> PyResult<Vec<String>> {
    several(py, environment, |environment| Bank::from_iban(&iban.0, environment))
}

#[pyfunction]
#[pyo3(name = "_banks_found")]
pub(crate) fn banks_found(py: Python<'_>, words: &str, environment: &str) -> PyResult<Vec<String>> {
    several(py, environment, |environment| Ok(Bank::find(words, environment)))
}

#[pyfunction]
#[pyo3(name = "_bank_directory")]
pub(crate) fn bank_directory(py: Python<'_>, environment: &str) -> PyResult<Vec<String>> {
    several(py, environment, |environment| Ok(Bank::directory(environment)))
}

fn several(
    py: Python<'_>,
    environment: &str,
    banks: impl FnOnce(Environment) -> cbpii::Result<Vec<Bank>> + Send,
) -> PyResult<Vec<String>> {
    direct(py, || banks(environment.parse()?)?.iter().map(Bank::to_json).collect())
}

#[pyfunction]
#[pyo3(name = "_bank_from_json")]
pub(crate) fn bank_from_json(py: Python<'_>, text: &str) -> PyResult<String> {
    direct(py, || Bank::from_json(text)?.to_json())
}

#[pyfunction]
#[pyo3(name = "_bank_with_origin")]
pub(crate) fn bank_with_origin(py: Python<'_>, bank: &str, origin: &str) -> PyResult<String> {
    direct(py, || Bank::from_json(bank)?.with_origin(origin)?.to_json())
}

#[pyfunction]
#[pyo3(name = "_bank_with_trust_anchor")]
pub(crate) fn bank_with_trust_anchor(
    py: Python<'_>,
    bank: &str,
    pem: Source,
    mode: &str,
) -> PyResult<String> {
    let unreadable = || {
        Error::new(
            ErrorCode::TrustAnchor,
            "The root certificates are not PEM text; give str or bytes with it.",
        )
    };
    direct(py, || {
        let mode = match mode {
            "add" => TrustMode::Add,
            "replace" => TrustMode::Replace,
            _ => {
                let message = "The trust mode is neither add nor replace; use one of them.";
                return Err(Error::new(ErrorCode::OptionValue, message));
            }
        };
        let text = pem.contents().and_then(|bytes| std::str::from_utf8(bytes).ok()).ok_or_else(unreadable)?;
        Bank::from_json(bank)?.with_trust_anchor(text, mode)?.to_json()
    })
}
