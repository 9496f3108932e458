//! Accounts, amounts, and the question.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

use cbpii::ErrorCode;
use cbpii::funds::AccountIdentifier;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyString, PyTuple};
use rust_decimal::Decimal;

use crate::call::computed;
use crate::convert::{self, enum_member, imported, optional_text, text, wrong_type};
use crate::error::refused;

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// An International Bank Account Number, checked (ISO 13616: country, length, structure, check digits).
///
/// Blanks and small letters are accepted. ``str()`` and ``repr()`` mask it: ``FR76…4006``. Raises ``request.iban``.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct Iban(cbpii::Iban);

#[pymethods]
impl Iban {
    #[new]
    fn new(text: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = text.py();
        let text = convert::text(text, "text")?;
        computed(py, || cbpii::Iban::parse(text)).map(Self)
    }

    /// The IBAN in clear, without blanks. Do not log it.
    #[getter]
    fn unmasked(&self) -> &str {
        self.0.as_str()
    }

    /// The country, e.g. ``FR``.
    #[getter]
    fn country(&self) -> &str {
        self.0.country()
    }

    /// Positions 5 to 9 of a French IBAN, which name the bank; None for another country's.
    #[getter]
    fn bank_code(&self) -> Option<&str> {
        self.0.bank_code()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        hash(&self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Iban('{}')", self.0)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyAny>, (String,)) {
        (slf.get_type().into_any(), (slf.get().0.as_str().to_owned(),))
    }
}

/// A currency by its ISO 4217 code, in capitals. Raises ``request.currency``.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct Currency(cbpii::Currency);

#[pymethods]
impl Currency {
    #[new]
    fn new(code: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = code.py();
        let code = text(code, "code")?;
        computed(py, || cbpii::Currency::from_code(code)).map(Self)
    }

    /// The code, e.g. ``EUR``.
    #[getter]
    fn code(&self) -> &'static str {
        self.0.code()
    }

    /// How many decimals its amounts have: 2 for ``EUR``, 0 for ``JPY``.
    #[getter]
    fn decimals(&self) -> u8 {
        self.0.decimals()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        hash(&self.0)
    }

    fn __str__(&self) -> &'static str {
        self.0.code()
    }

    fn __repr__(&self) -> String {
        format!("Currency('{}')", self.0)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyAny>, (&'static str,)) {
        (slf.get_type().into_any(), (slf.get().code(),))
    }
}

/// An IBAN as callers give it, an `Iban` or its text; `name` says which one, `wanted` what it may be.
pub(crate) fn given_iban(given: &Bound<'_, PyAny>, name: &str, wanted: &str) -> PyResult<cbpii::Iban> {
    if let Ok(iban) = given.cast::<Iban>() {
        return Ok(iban.get().0);
    }
    if !given.is_instance_of::<PyString>() {
        return Err(wrong_type(given, name, wanted));
    }
    let text = text(given, name)?;
    computed(given.py(), || cbpii::Iban::parse(text))
}

/// A positive amount of a currency, exact.
///
/// ``value`` is a Decimal, an int, or decimal text such as ``"12.50"``; a float is refused, for most decimal amounts
/// do not exist as one. At most 13 digits before the point, and as many decimals as the currency has. ``currency`` is an
/// ISO 4217 code. Raises ``request.amount`` and ``request.currency``.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct Amount(cbpii::Amount);

#[pymethods]
impl Amount {
    #[new]
    fn new(value: &Bound<'_, PyAny>, currency: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::given(value, "value", text(currency, "currency")?).map(Self)
    }

    /// The value, with the decimals it was given with.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        imported!(py, "decimal", "Decimal")?.call1((self.0.value().to_string(),))
    }

    /// The ISO 4217 code.
    #[getter]
    fn currency(&self) -> &'static str {
        self.0.currency().code()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        hash(&self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Amount('{}', '{}')", self.0.value(), self.0.currency())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyAny>, (String, &'static str)) {
        let amount = slf.get().0;
        (slf.get_type().into_any(), (amount.value().to_string(), amount.currency().code()))
    }
}

impl Amount {
    /// The amount a caller gave; `name` says which argument the value was.
    fn given(value: &Bound<'_, PyAny>, name: &str, currency: &str) -> PyResult<cbpii::Amount> {
        let py = value.py();
        let currency = computed(py, || cbpii::Currency::from_code(currency))?;
        if value.is_instance_of::<PyFloat>() {
            let message = "The amount is a float, and most decimal amounts do not exist as one: 0.1 is really 0.1000000000000000055; give a Decimal, an int, or text such as \"12.50\".";
            return Err(refused(py, ErrorCode::Amount, message));
        }
        if value.is_instance_of::<PyString>() {
            let text = text(value, name)?;
            return computed(py, || cbpii::Amount::parse(text, currency));
        }
        let value = decimal(value, name)?;
        computed(py, || cbpii::Amount::from_decimal(value, currency))
    }
}

/// The value of a Decimal or of whatever is an integer.
fn decimal(value: &Bound<'_, PyAny>, name: &str) -> PyResult<Decimal> {
    let py = value.py();
    let text: String = if value.is_instance(imported!(py, "decimal", "Decimal")?)? {
        value.call_method1("__format__", ("f",))?.extract()?
    } else if !value.is_instance_of::<PyBool>() && value.hasattr("__index__")? {
        value.call_method0("__index__")?.str()?.to_string()
    } else {
        return Err(wrong_type(value, name, "a Decimal, an int, or decimal text"));
    };
    Decimal::from_str_exact(&text).map_err(|_| {
        refused(py, ErrorCode::Amount, "The amount is not a number of at most 28 digits; no bank takes it.")
    })
}

/// The account a check is about, by its IBAN.
///
/// ``currency`` (ISO 4217) is the one the account is held in: a request in another is then refused before it is sent.
/// ``workspace`` (STET 1.6) is one of several contracts of the same cardholder, 1 to 32 characters.
/// Raises ``request.iban``, ``request.currency``, ``request.account``.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct Account(cbpii::Account);

#[pymethods]
impl Account {
    #[new]
    #[pyo3(signature = (iban, *, currency=None, workspace=None))]
    fn new(
        iban: &Bound<'_, PyAny>,
        currency: Option<&Bound<'_, PyAny>>,
        workspace: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = iban.py();
        let iban = given_iban(iban, "iban", "an Iban or the text of one")?;
        let currency = optional_text(currency, "currency")?;
        let workspace = optional_text(workspace, "workspace")?;
        computed(py, || finish_account(cbpii::Account::iban(iban), currency, workspace)).map(Self)
    }

    /// An account by a number of another scheme: ``identification`` of 1 to 70 characters, ``issuer`` of 1 to 35.
    #[staticmethod]
    #[pyo3(signature = (identification, scheme, *, issuer=None, currency=None, workspace=None))]
    fn other(
        identification: &Bound<'_, PyAny>,
        scheme: &Bound<'_, PyAny>,
        issuer: Option<&Bound<'_, PyAny>>,
        currency: Option<&Bound<'_, PyAny>>,
        workspace: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = identification.py();
        let identification = text(identification, "identification")?;
        let scheme = text(scheme, "scheme")?;
        let issuer = optional_text(issuer, "issuer")?;
        let currency = optional_text(currency, "currency")?;
        let workspace = optional_text(workspace, "workspace")?;
        let account = computed(py, || {
            let account = cbpii::Account::other(identification, scheme.parse()?, issuer)?;
            finish_account(account, currency, workspace)
        });
        account.map(Self)
    }

    /// The IBAN, when the account is named by one.
    #[getter]
    fn iban(&self) -> Option<Iban> {
        match self.0.identifier() {
            AccountIdentifier::Iban(iban) => Some(Iban(*iban)),
            _ => None,
        }
    }

    /// The number of another scheme, in clear. Do not log it.
    #[getter]
    fn identification(&self) -> Option<&str> {
        self.as_other().map(cbpii::funds::OtherAccount::identification)
    }

    /// The scheme of that number.
    #[getter]
    fn scheme<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.as_other().map(|other| enum_member(py, "AccountScheme", other.scheme().as_str())).transpose()
    }

    /// Who issued that number.
    #[getter]
    fn issuer(&self) -> Option<&str> {
        self.as_other().and_then(cbpii::funds::OtherAccount::issuer)
    }

    /// The currency the account is held in, when stated.
    #[getter]
    fn currency(&self) -> Option<&'static str> {
        self.0.currency().map(cbpii::Currency::code)
    }

    /// The workspace, when stated.
    #[getter]
    fn workspace(&self) -> Option<&str> {
        self.0.workspace()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __hash__(&self) -> u64 {
        hash(&self.0)
    }

    fn __repr__(&self) -> String {
        let mut text = match self.0.identifier() {
            AccountIdentifier::Iban(iban) => format!("Account('{iban}'"),
            AccountIdentifier::Other(other) => format!("Account.other('…', '{}'", other.scheme()),
            _ => "Account(…".to_owned(),
        };
        let issuer = self.as_other().and_then(cbpii::funds::OtherAccount::issuer);
        for (name, value) in
            [("issuer", issuer), ("currency", self.currency()), ("workspace", self.0.workspace())]
        {
            if let Some(value) = value {
                // Writing to a String does not fail.
                let _ = write!(text, ", {name}={value:?}");
            }
        }
        text.push(')');
        text
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let facts = PyDict::new(py);
        if let AccountIdentifier::Iban(iban) = self.0.identifier() {
            facts.set_item("iban", iban.as_str())?;
        }
        if let Some(other) = self.as_other() {
            facts.set_item("identification", other.identification())?;
            facts.set_item("scheme", other.scheme().as_str())?;
            facts.set_item("issuer", other.issuer())?;
        }
        facts.set_item("currency", self.currency())?;
        facts.set_item("workspace", self.0.workspace())?;
        restored_by(imported!(py, "cbpii._convert", "account")?, facts)
    }
}

impl Account {
    fn as_other(&self) -> Option<&cbpii::funds::OtherAccount> {
        match self.0.identifier() {
            AccountIdentifier::Other(other) => Some(other),
            _ => None,
        }
    }
}

fn finish_account(
    mut account: cbpii::Account,
    currency: Option<&str>,
    workspace: Option<&str>,
) -> cbpii::Result<cbpii::Account> {
    if let Some(code) = currency {
        account = account.with_currency(cbpii::Currency::from_code(code)?);
    }
    match workspace {
        Some(workspace) => account.with_workspace(workspace),
        None => Ok(account),
    }
}

/// What pickle keeps of a value that is made of keyword arguments.
fn restored_by<'py>(
    callable: &Bound<'py, PyAny>,
    facts: Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyTuple>> {
    let arguments = PyTuple::new(callable.py(), [facts])?;
    PyTuple::new(callable.py(), [callable.clone(), arguments.into_any()])
}

/// One question to the bank: does this account hold this amount at this moment? Nothing is reserved by asking.
///
/// - ``reference``: the issuer's own, 1 to 35 characters; it comes back in the answer.
/// - ``account``: an :class:`Account`, or an IBAN.
/// - ``amount``: an :class:`Amount`; or a Decimal, an int or decimal text, and then ``currency`` (ISO 4217) is needed.
/// - ``payee``: the merchant, for the cardholder's information, 1 to 70 characters.
/// - ``psu``: the cardholder's own connection, when the cardholder is present.
/// - ``request_id``: the ``X-Request-ID``, 1 to 70 visible ASCII characters; by default a fresh UUID for every call.
///
/// Raises the errors ``request.…``.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct FundsRequest {
    pub(crate) inner: cbpii::FundsRequest,
    payee: Option<String>,
    psu: Option<Py<PyAny>>,
    request_id: Option<String>,
}

#[pymethods]
impl FundsRequest {
    #[new]
    #[pyo3(signature = (*, reference, account, amount, currency=None, payee=None, psu=None, request_id=None))]
    #[expect(clippy::too_many_arguments, reason = "they are Python's keywords")]
    fn new(
        py: Python<'_>,
        reference: &Bound<'_, PyAny>,
        account: &Bound<'_, PyAny>,
        amount: &Bound<'_, PyAny>,
        currency: Option<&Bound<'_, PyAny>>,
        payee: Option<&Bound<'_, PyAny>>,
        psu: Option<Py<PyAny>>,
        request_id: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let reference = text(reference, "reference")?;
        let currency = optional_text(currency, "currency")?;
        let payee = optional_text(payee, "payee")?.map(str::to_owned);
        let request_id = optional_text(request_id, "request_id")?.map(str::to_owned);
        let account = match account.cast::<Account>() {
            Ok(account) => account.get().0.clone(),
            Err(_) => given_iban(account, "account", "an Account, an Iban, or the text of one")?.into(),
        };
        let amount = given_amount(amount, currency)?;
        let context = psu.as_ref().map(|psu| psu_context(psu.bind(py))).transpose()?;
        let inner = computed(py, || {
            let mut request = cbpii::FundsRequest::new(reference, account, amount)?;
            if let Some(payee) = &payee {
                request = request.payee(payee)?;
            }
            if let Some(context) = context {
                request = request.psu(context)?;
            }
            match &request_id {
                Some(id) => request.request_id(id),
                None => Ok(request),
            }
        })?;
        Ok(Self { inner, payee, psu, request_id })
    }

    /// The issuer's own reference.
    #[getter]
    fn reference(&self) -> &str {
        self.inner.reference()
    }

    /// The account in question.
    #[getter]
    fn account(&self) -> Account {
        Account(self.inner.account().clone())
    }

    /// The amount in question.
    #[getter]
    fn amount(&self) -> Amount {
        Amount(self.inner.amount())
    }

    /// The merchant.
    #[getter]
    fn payee(&self) -> Option<&str> {
        self.payee.as_deref()
    }

    /// The cardholder's own connection.
    #[getter]
    fn psu(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.psu.as_ref().map(|psu| psu.clone_ref(py))
    }

    /// The ``X-Request-ID``, when one was given.
    #[getter]
    fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.inner == other.inner
    }

    fn __repr__(&self) -> String {
        let mut text = format!(
            "FundsRequest(reference={:?}, account={}, amount={}",
            self.inner.reference(),
            self.account().__repr__(),
            self.amount().__repr__()
        );
        for (name, value) in [("payee", &self.payee), ("request_id", &self.request_id)] {
            if let Some(value) = value {
                let _ = write!(text, ", {name}={value:?}");
            }
        }
        if self.psu.is_some() {
            text.push_str(", psu=…");
        }
        text.push(')');
        text
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let facts = PyDict::new(py);
        facts.set_item("reference", self.inner.reference())?;
        facts.set_item("account", self.account())?;
        facts.set_item("amount", self.amount())?;
        facts.set_item("payee", self.payee())?;
        facts.set_item("psu", self.psu(py))?;
        facts.set_item("request_id", self.request_id())?;
        restored_by(imported!(py, "cbpii._convert", "funds_request")?, facts)
    }
}

/// An amount as callers give it: an `Amount`, or a number and a currency.
fn given_amount(amount: &Bound<'_, PyAny>, currency: Option<&str>) -> PyResult<cbpii::Amount> {
    let py = amount.py();
    match (amount.cast::<Amount>(), currency) {
        (Ok(amount), None) => Ok(amount.get().0),
        (Ok(amount), Some(code)) if amount.get().currency() == code => Ok(amount.get().0),
        (Ok(_), Some(_)) => {
            let message = "The currency differs from the one of the Amount; leave it out.";
            Err(refused(py, ErrorCode::Currency, message))
        }
        (Err(_), Some(code)) => Amount::given(amount, "amount", code),
        (Err(_), None) => {
            let message = "The amount has no currency; give one (ISO 4217), or an Amount.";
            Err(refused(py, ErrorCode::Currency, message))
        }
    }
}

/// A `PsuContext`.
fn psu_context(given: &Bound<'_, PyAny>) -> PyResult<cbpii::PsuContext> {
    let py = given.py();
    if !given.is_instance(imported!(py, "cbpii._results", "PsuContext")?)? {
        return Err(wrong_type(given, "psu", "a PsuContext"));
    }
    let field = |name: &str| {
        let value = given.getattr(name)?;
        let value = if value.is_none() { None } else { Some(text(&value, name)?.to_owned()) };
        Ok::<_, PyErr>(value)
    };
    Ok(cbpii::PsuContext {
        ip_address: field("ip_address")?,
        ip_port: field("ip_port")?,
        http_method: field("http_method")?,
        date: field("date")?,
        geo_location: field("geo_location")?,
        user_agent: field("user_agent")?,
        referer: field("referer")?,
        accept: field("accept")?,
        accept_charset: field("accept_charset")?,
        accept_encoding: field("accept_encoding")?,
        accept_language: field("accept_language")?,
        device_id: field("device_id")?,
    })
}

/// Text or bytes of JSON; what is not UTF-8 is an error of this code with this message.
pub(crate) fn json_text(given: &Bound<'_, PyAny>, code: ErrorCode, message: &str) -> PyResult<cbpii::Secret> {
    let text = match given.cast::<PyString>() {
        Ok(text) => text.to_str().ok(),
        Err(_) => {
            let bytes = given.cast::<PyBytes>().map_err(|_| wrong_type(given, "text", "a str or bytes"))?;
            std::str::from_utf8(bytes.as_bytes()).ok()
        }
    };
    text.map(cbpii::Secret::new).ok_or_else(|| refused(given.py(), code, message))
}
