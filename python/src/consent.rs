//! A consent and its tokens.

use cbpii::ErrorCode;
use pyo3::prelude::*;

use crate::call::direct;
use crate::convert::{moment, text, timestamp, timestamp_or_now};
use crate::funds::json_text;
use crate::secret::{Secret, no_pickle, optional_secret, secret};

/// The one-time code of a consent that was given. It lives for minutes: exchange it at once.
///
/// Raises ``request.token`` when it is empty or has characters no code has.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct AuthorizationCode(pub(crate) cbpii::AuthorizationCode);

#[pymethods]
impl AuthorizationCode {
    #[new]
    fn new(code: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = code.py();
        let code = text(code, "code")?.to_owned();
        direct(py, || cbpii::AuthorizationCode::new(code)).map(Self)
    }

    /// The code itself. Never log what this returns.
    fn expose(&self) -> &str {
        self.0.expose()
    }

    /// A form that may be shown.
    #[getter]
    fn masked(&self) -> String {
        self.0.masked()
    }

    fn __repr__(&self) -> String {
        format!("AuthorizationCode('{}')", self.0.masked())
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(no_pickle("AuthorizationCode", "expose()"))
    }
}

/// A consent that is being asked for: send the cardholder to :attr:`url`, keep this (as :meth:`to_json`) where only the
/// cardholder's browser session leads to, and complete it with the callback. It does not pickle.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct PendingConsent(pub(crate) cbpii::PendingConsent);

#[pymethods]
impl PendingConsent {
    /// Where to send the cardholder's browser. On a phone it opens the bank's app.
    #[getter]
    fn url(&self) -> &str {
        self.0.url()
    }

    /// The bank this consent is asked from.
    #[getter]
    fn bank_id(&self) -> &str {
        self.0.bank_id()
    }

    /// An unguessable text that ties the callback to this consent: a key under which a server can keep it.
    #[getter]
    fn state(&self) -> &str {
        self.0.state()
    }

    /// The redirect URI, byte for byte as registered.
    #[getter]
    fn redirect_uri(&self) -> &str {
        self.0.redirect_uri()
    }

    /// When it began, in UTC.
    #[getter]
    fn created_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        moment(py, self.0.created_at())
    }

    /// When it is no longer accepted, in UTC.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        moment(py, self.0.expires_at())
    }

    /// Reads the callback: the URL the browser was sent back to, whole, or from its path or ``?`` on.
    ///
    /// Needs no key and no network. Raises ``consent.access_denied`` when the cardholder refused,
    /// ``consent.refused_by_bank``, ``consent.bank_unavailable``, ``consent.pending_expired``,
    /// ``consent.state_mismatch``, ``consent.issuer_mismatch``, ``consent.duplicated_parameter``,
    /// ``consent.callback_without_answer``, ``request.callback``, ``request.token``.
    #[pyo3(signature = (callback_url, *, now=None))]
    fn complete(
        &self,
        callback_url: &Bound<'_, PyAny>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<AuthorizationCode> {
        let py = callback_url.py();
        let callback_url = text(callback_url, "callback_url")?;
        let now = timestamp_or_now(now, "now")?;
        direct(py, || self.0.complete_at(callback_url, now)).map(AuthorizationCode)
    }

    /// The saved form. It holds the ``state`` and the PKCE verifier.
    fn to_json(&self) -> String {
        self.0.to_json().expose().to_owned()
    }

    /// Reads the saved form back. Raises ``request.saved_state``.
    #[staticmethod]
    fn from_json(text: &Bound<'_, PyAny>) -> PyResult<Self> {
        let json = json_text(text, ErrorCode::SavedState, "What was saved is not UTF-8.")?;
        direct(text.py(), || cbpii::PendingConsent::from_json(json.expose())).map(Self)
    }

    fn __repr__(&self) -> String {
        format!(
            "PendingConsent(bank_id='{}', redirect_uri='{}', created_at='{}', expires_at='{}')",
            self.0.bank_id(),
            self.0.redirect_uri(),
            self.0.created_at(),
            self.0.expires_at()
        )
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(no_pickle("PendingConsent", "to_json()"))
    }
}

/// The tokens of one cardholder's consent at one bank. They neither print nor pickle: keep them by :meth:`to_json`.
///
/// The constructor is for tokens that were obtained elsewhere. Moments are aware datetimes. Raises ``request.token`` when
/// a token is empty or has blanks, control or non-ASCII characters.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct Tokens(pub(crate) cbpii::Tokens);

#[pymethods]
impl Tokens {
    #[new]
    #[pyo3(signature = (*, access_token, refresh_token=None, obtained_at, expires_at=None, consent_expires_at))]
    fn new(
        py: Python<'_>,
        access_token: &Bound<'_, PyAny>,
        refresh_token: Option<&Bound<'_, PyAny>>,
        obtained_at: &Bound<'_, PyAny>,
        expires_at: Option<&Bound<'_, PyAny>>,
        consent_expires_at: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let obtained_at = timestamp(obtained_at, "obtained_at")?;
        let expires_at = expires_at.map(|given| timestamp(given, "expires_at")).transpose()?;
        let consent_expires_at = timestamp(consent_expires_at, "consent_expires_at")?;
        let access_token = secret(access_token, "access_token")?;
        let refresh_token = optional_secret(refresh_token, "refresh_token")?;
        let tokens = direct(py, || {
            cbpii::Tokens::new(access_token, refresh_token, obtained_at, expires_at, consent_expires_at)
        });
        tokens.map(Self)
    }

    /// The access token.
    #[getter]
    fn access_token(&self) -> Secret {
        Secret(self.0.access_token().clone())
    }

    /// The refresh token, if the bank gave one.
    #[getter]
    fn refresh_token(&self) -> Option<Secret> {
        self.0.refresh_token().cloned().map(Secret)
    }

    /// Always ``Bearer``.
    #[getter]
    fn token_type(&self) -> &'static str {
        self.0.token_type()
    }

    /// The scope as the bank stated it; it may be wider than what was asked for.
    #[getter]
    fn scope(&self) -> Option<&str> {
        self.0.scope()
    }

    /// When the bank issued the access token, in UTC.
    #[getter]
    fn obtained_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        moment(py, self.0.obtained_at())
    }

    /// When the access token ends, in UTC; None when the bank did not say.
    #[getter]
    fn expires_at<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.expires_at().map(|end| moment(py, end)).transpose()
    }

    /// When the consent as a whole ends, in UTC. Refreshing does not move it.
    #[getter]
    fn consent_expires_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        moment(py, self.0.consent_expires_at())
    }

    /// Whether the access token has ended, by default at present; False when its end is not known.
    #[pyo3(signature = (now=None))]
    fn is_expired(&self, now: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        Ok(self.0.is_expired(timestamp_or_now(now, "now")?))
    }

    /// The saved form. It holds the tokens in clear: encrypt it.
    fn to_json(&self) -> String {
        self.0.to_json().expose().to_owned()
    }

    /// Reads the saved form back. Raises ``request.saved_state`` or ``request.token``.
    #[staticmethod]
    fn from_json(text: &Bound<'_, PyAny>) -> PyResult<Self> {
        let json = json_text(text, ErrorCode::SavedState, "What was saved is not UTF-8.")?;
        direct(text.py(), || cbpii::Tokens::from_json(json.expose())).map(Self)
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    fn __repr__(&self) -> String {
        let shown = |moment: Option<cbpii::Timestamp>| moment.map_or("None".to_owned(), |m| format!("'{m}'"));
        let refresh =
            self.0.refresh_token().map_or("None".to_owned(), |token| format!("'{}'", token.masked()));
        format!(
            "Tokens(access_token='{}', refresh_token={refresh}, expires_at={}, consent_expires_at={})",
            self.0.access_token().masked(),
            shown(self.0.expires_at()),
            shown(Some(self.0.consent_expires_at()))
        )
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(no_pickle("Tokens", "to_json()"))
    }
}
