//! Bank records, as the JSON that the package's `Bank` is made of.

use cbpii::bank::TrustMode;
use cbpii::{Bank, Environment, Error, ErrorCode};
use pyo3::prelude::*;

use crate::call::direct;
use crate::convert::{Source, text};
use crate::funds::{given_iban, json_text};

#[pyfunction]
#[pyo3(name = "_bank_bpce")]
pub(crate) fn bank_bpce(code: &Bound<'_, PyAny>, environment: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = code.py();
    let (code, environment) = (text(code, "code")?, text(environment, "environment")?);
    direct(py, || Bank::bpce(code, environment.parse()?)?.to_json())
}

#[pyfunction]
#[pyo3(name = "_bank_by_id")]
pub(crate) fn bank_by_id(id: &Bound<'_, PyAny>, environment: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = id.py();
    let (id, environment) = (text(id, "id")?, text(environment, "environment")?);
    direct(py, || Bank::by_id(id, environment.parse()?)?.to_json())
}

#[pyfunction]
#[pyo3(name = "_banks_by_code")]
pub(crate) fn banks_by_code(
    code: &Bound<'_, PyAny>,
    environment: &Bound<'_, PyAny>,
) -> PyResult<Vec<String>> {
    let code = text(code, "code")?;
    several(environment, |environment| Ok(Bank::by_code(code, environment)))
}

#[pyfunction]
#[pyo3(name = "_banks_from_iban")]
pub(crate) fn banks_from_iban(
    iban: &Bound<'_, PyAny>,
    environment: &Bound<'_, PyAny>,
) -> PyResult<Vec<String>> {
    let iban = given_iban(iban, "iban", "an Iban or the text of one")?;
    several(environment, |environment| Bank::from_iban(&iban, environment))
}

#[pyfunction]
#[pyo3(name = "_banks_found")]
pub(crate) fn banks_found(words: &Bound<'_, PyAny>, environment: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let words = text(words, "words")?;
    several(environment, |environment| Ok(Bank::find(words, environment)))
}

#[pyfunction]
#[pyo3(name = "_bank_directory")]
pub(crate) fn bank_directory(environment: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    several(environment, |environment| Ok(Bank::directory(environment)))
}

fn several(
    environment: &Bound<'_, PyAny>,
    banks: impl FnOnce(Environment) -> cbpii::Result<Vec<Bank>> + Send,
) -> PyResult<Vec<String>> {
    let py = environment.py();
    let environment = text(environment, "environment")?;
    direct(py, || banks(environment.parse()?)?.iter().map(Bank::to_json).collect())
}

#[pyfunction]
#[pyo3(name = "_bank_from_json")]
pub(crate) fn bank_from_json(text: &Bound<'_, PyAny>) -> PyResult<String> {
    let record = json_text(text, ErrorCode::BankRecord, "The bank record is not UTF-8.")?;
    direct(text.py(), || Bank::from_json(record.expose())?.to_json())
}

#[pyfunction]
#[pyo3(name = "_bank_with_origin")]
pub(crate) fn bank_with_origin(py: Python<'_>, bank: &str, origin: &Bound<'_, PyAny>) -> PyResult<String> {
    let origin = text(origin, "origin")?;
    direct(py, || Bank::from_json(bank)?.with_origin(origin)?.to_json())
}

#[pyfunction]
#[pyo3(name = "_bank_with_trust_anchor")]
pub(crate) fn bank_with_trust_anchor(
    py: Python<'_>,
    bank: &str,
    pem: &Bound<'_, PyAny>,
    mode: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let (pem, mode) = (Source::given(pem, "pem")?, text(mode, "mode")?);
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
