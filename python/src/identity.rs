//! Who the issuer is: certificates, keys, signers.

use std::sync::Arc;

use cbpii::identity::{
    CertificateChain, CertificateReport, CertificateUse, InspectOptions, PrivateKey, SignatureAlgorithm,
    Signer,
};
use cbpii::{Bank, Error, ErrorCode, RequestSent};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::call::direct;
use crate::convert::{Source, enum_member, imported, optional_text, text, timestamp_or_now, wrong_type};
use crate::error::{callback_failed, ending, refused};
use crate::gate;
use crate::secret::{optional_secret, secret};

/// A chain, of wherever it was given.
fn chain(certificate: &Source) -> cbpii::Result<CertificateChain> {
    check_text(certificate, ErrorCode::CertificateUnreadable)?;
    match certificate {
        Source::Path(path) => CertificateChain::from_bytes(&read(path, ErrorCode::CertificateUnreadable)?),
        _ => CertificateChain::from_bytes(certificate.contents().unwrap_or_default()),
    }
}

/// A key, of wherever it was given.
fn key(key: &Source, password: Option<&cbpii::Secret>) -> cbpii::Result<PrivateKey> {
    check_text(key, ErrorCode::KeyUnreadable)?;
    match key {
        Source::Path(path) => {
            let bytes = cbpii::SecretBytes::new(read(path, ErrorCode::KeyUnreadable)?);
            PrivateKey::from_bytes(bytes.expose(), password)
        }
        _ => PrivateKey::from_bytes(key.contents().unwrap_or_default(), password),
    }
}

/// A text that is no PEM is most likely meant as a path.
fn check_text(source: &Source, code: ErrorCode) -> cbpii::Result<()> {
    match source {
        Source::Text(text) if !text.contains("-----BEGIN") => {
            let message = "The text is not PEM (a str is never taken as a path); give pathlib.Path(…) for a file, or bytes for DER.";
            Err(Error::new(code, message))
        }
        _ => Ok(()),
    }
}

fn read(path: &std::path::Path, code: ErrorCode) -> cbpii::Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        let why = error.kind();
        Error::new(code, format!("The file {path:?} cannot be read ({why}); check path and rights."))
    })
}

/// A keystore, of wherever it was given.
fn keystore(source: &Source) -> cbpii::Result<cbpii::SecretBytes> {
    match source {
        Source::Path(path) => read(path, ErrorCode::KeyUnreadable).map(cbpii::SecretBytes::new),
        _ => Ok(cbpii::SecretBytes::new(source.contents().unwrap_or_default())),
    }
}

/// A signer written in Python.
struct PySigner {
    sign: Py<PyAny>,
    algorithms: Vec<SignatureAlgorithm>,
}

impl PySigner {
    fn given(sign: Py<PyAny>, algorithms: &Bound<'_, PyAny>) -> PyResult<Arc<dyn Signer>> {
        let py = algorithms.py();
        if !sign.bind(py).is_callable() {
            return Err(PyTypeError::new_err("sign is a callable of algorithm and message"));
        }
        let mut known = Vec::new();
        for name in algorithms.try_iter()? {
            let name = name?;
            let name = text(&name, "each of algorithms")?;
            known.push(direct(py, || name.parse())?);
        }
        if known.is_empty() {
            return Err(refused(
                py,
                ErrorCode::OptionValue,
                "The signer offers no algorithm; name at least one.",
            ));
        }
        Ok(Arc::new(Self { sign, algorithms: known }))
    }
}

impl Signer for PySigner {
    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> cbpii::Result<Vec<u8>> {
        let signature = gate::attach(|py| {
            let signature = || -> PyResult<Vec<u8>> {
                let algorithm = enum_member(py, "SignatureAlgorithm", algorithm.as_str())?;
                let signature = self.sign.bind(py).call1((algorithm, PyBytes::new(py, message)))?;
                Ok(signature.cast::<PyBytes>()?.as_bytes().to_vec())
            };
            signature().map_err(|raised| {
                callback_failed(py, raised, ErrorCode::SignerFailed, RequestSent::No, "signer")
            })
        });
        signature.unwrap_or_else(|| Err(ending()))
    }

    fn algorithms(&self) -> Vec<SignatureAlgorithm> {
        self.algorithms.clone()
    }
}

/// Who we are to the bank's TLS: the QWAC's certificate chain and its key.
///
/// Each is given as the path (``pathlib.Path``) of a PEM or DER file, or as its contents: PEM as text or bytes, DER as
/// bytes. A ``str`` is always PEM text, never a path. Certificates may come in any order.
///
/// Raises ``configuration.certificate_unreadable``, ``configuration.key_unreadable``, ``configuration.key_password``,
/// ``configuration.key_unsupported``, ``configuration.key_mismatch``.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct TransportIdentity {
    inner: cbpii::identity::TransportIdentity,
    signs_in_python: bool,
}

#[pymethods]
impl TransportIdentity {
    #[new]
    #[pyo3(signature = (certificate, key, *, password=None))]
    fn new(
        py: Python<'_>,
        certificate: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        password: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let (certificate, key) = (Source::given(certificate, "certificate")?, Source::given(key, "key")?);
        let password = optional_secret(password, "password")?;
        let identity = direct(py, || {
            let chain = chain(&certificate)?;
            cbpii::identity::TransportIdentity::new(chain, self::key(&key, password.as_ref())?)
        });
        identity.map(|inner| Self { inner, signs_in_python: false })
    }

    /// From a PKCS#12 keystore (``.p12``, ``.pfx``) or the path of one.
    #[staticmethod]
    #[pyo3(signature = (keystore, *, password))]
    fn from_pkcs12(
        py: Python<'_>,
        keystore: &Bound<'_, PyAny>,
        password: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let keystore = Source::given(keystore, "keystore")?;
        let password = secret(password, "password")?;
        let identity = direct(py, || {
            let bytes = self::keystore(&keystore)?;
            cbpii::identity::TransportIdentity::from_pkcs12(bytes.expose(), &password)
        });
        identity.map(|inner| Self { inner, signs_in_python: false })
    }

    /// With a key in an HSM or KMS: ``sign(algorithm, message)`` returns the bare signature of the message (not of
    /// its hash). It is called from any thread. An RSA key must offer ``rsa-pss-sha256`` for TLS 1.3.
    ///
    /// What it raises becomes ``configuration.signer_failed``.
    #[staticmethod]
    fn with_signer(
        py: Python<'_>,
        certificate: &Bound<'_, PyAny>,
        sign: Py<PyAny>,
        algorithms: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let certificate = Source::given(certificate, "certificate")?;
        let signer = PySigner::given(sign, algorithms)?;
        let identity =
            direct(py, || cbpii::identity::TransportIdentity::with_signer(chain(&certificate)?, signer));
        identity.map(|inner| Self { inner, signs_in_python: true })
    }

    /// The subject of the certificate (RFC 4514).
    #[getter]
    fn subject(&self) -> String {
        subject(self.inner.chain())
    }

    fn __repr__(&self) -> String {
        format!("TransportIdentity({:?})", self.subject())
    }
}

/// Who signs our requests: the QSealC's certificate chain and its key. Takes what :class:`TransportIdentity` takes.
///
/// ``key_id`` states the whole ``keyId`` of signatures, instead of the one the bank's record would make: for instance the
/// URL at which the certificate was published. Raises ``configuration.header`` when it cannot be sent.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct SealIdentity {
    inner: cbpii::identity::SealIdentity,
    signs_in_python: bool,
}

impl SealIdentity {
    fn finish(
        py: Python<'_>,
        key_id: Option<&str>,
        signs_in_python: bool,
        make: impl FnOnce() -> cbpii::Result<cbpii::identity::SealIdentity> + Send,
    ) -> PyResult<Self> {
        let identity = direct(py, || {
            let identity = make()?;
            match key_id {
                Some(key_id) => identity.with_key_id(key_id),
                None => Ok(identity),
            }
        });
        identity.map(|inner| Self { inner, signs_in_python })
    }
}

#[pymethods]
impl SealIdentity {
    #[new]
    #[pyo3(signature = (certificate, key, *, password=None, key_id=None))]
    fn new(
        py: Python<'_>,
        certificate: &Bound<'_, PyAny>,
        key: &Bound<'_, PyAny>,
        password: Option<&Bound<'_, PyAny>>,
        key_id: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let key_id = optional_text(key_id, "key_id")?;
        let (certificate, key) = (Source::given(certificate, "certificate")?, Source::given(key, "key")?);
        let password = optional_secret(password, "password")?;
        Self::finish(py, key_id, false, || {
            let chain = chain(&certificate)?;
            cbpii::identity::SealIdentity::new(chain, self::key(&key, password.as_ref())?)
        })
    }

    /// From a PKCS#12 keystore (``.p12``, ``.pfx``) or the path of one.
    #[staticmethod]
    #[pyo3(signature = (keystore, *, password, key_id=None))]
    fn from_pkcs12(
        py: Python<'_>,
        keystore: &Bound<'_, PyAny>,
        password: &Bound<'_, PyAny>,
        key_id: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let key_id = optional_text(key_id, "key_id")?;
        let keystore = Source::given(keystore, "keystore")?;
        let password = secret(password, "password")?;
        Self::finish(py, key_id, false, || {
            let bytes = self::keystore(&keystore)?;
            cbpii::identity::SealIdentity::from_pkcs12(bytes.expose(), &password)
        })
    }

    /// With a key in an HSM or KMS: ``sign(algorithm, message)`` returns the bare signature of the message (not of
    /// its hash). It is called from any thread. What it raises becomes ``configuration.signer_failed``.
    #[staticmethod]
    #[pyo3(signature = (certificate, sign, algorithms, *, key_id=None))]
    fn with_signer(
        py: Python<'_>,
        certificate: &Bound<'_, PyAny>,
        sign: Py<PyAny>,
        algorithms: &Bound<'_, PyAny>,
        key_id: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let key_id = optional_text(key_id, "key_id")?;
        let certificate = Source::given(certificate, "certificate")?;
        let signer = PySigner::given(sign, algorithms)?;
        Self::finish(py, key_id, true, || {
            Ok(cbpii::identity::SealIdentity::with_signer(chain(&certificate)?, signer))
        })
    }

    /// The subject of the certificate (RFC 4514).
    #[getter]
    fn subject(&self) -> String {
        subject(self.inner.chain())
    }

    /// The ``keyId`` that was stated, if any.
    #[getter]
    fn key_id(&self) -> Option<&str> {
        self.inner.key_id()
    }

    fn __repr__(&self) -> String {
        match self.inner.key_id() {
            Some(key_id) => format!("SealIdentity({:?}, key_id={key_id:?})", self.subject()),
            None => format!("SealIdentity({:?})", self.subject()),
        }
    }
}

fn subject(chain: &CertificateChain) -> String {
    use cbpii::Clock as _;
    chain.report(cbpii::SystemClock.now()).subject.rfc4514
}

/// The card issuer: the regulated party that asks.
///
/// - ``client_id``: as registered at the bank, usually the organisation identifier ``PSDFR-ACPR-12345``.
/// - ``redirect_uri``: where the bank sends the cardholder back, kept byte for byte.
/// - ``client_secret``: for the banks that want one.
/// - ``transport``: the QWAC, for mutual TLS.
/// - ``seal``: the QSealC, for signed requests.
///
/// Raises ``configuration.client_id``, ``configuration.redirect_uri``, ``configuration.client_secret``.
#[pyclass(frozen, module = "cbpii")]
pub(crate) struct Issuer {
    pub(crate) inner: cbpii::Issuer,
    /// Whether one of its keys is behind a signer written in Python.
    pub(crate) signs_in_python: bool,
}

#[pymethods]
impl Issuer {
    #[new]
    #[pyo3(signature = (*, client_id, redirect_uri, client_secret=None, transport=None, seal=None))]
    fn new(
        client_id: &Bound<'_, PyAny>,
        redirect_uri: &Bound<'_, PyAny>,
        client_secret: Option<&Bound<'_, PyAny>>,
        transport: Option<&Bound<'_, TransportIdentity>>,
        seal: Option<&Bound<'_, SealIdentity>>,
    ) -> PyResult<Self> {
        let py = client_id.py();
        let client_id = text(client_id, "client_id")?;
        let redirect_uri = text(redirect_uri, "redirect_uri")?;
        let client_secret = optional_secret(client_secret, "client_secret")?;
        let signs_in_python = transport.is_some_and(|one| one.get().signs_in_python)
            || seal.is_some_and(|one| one.get().signs_in_python);
        let (transport, seal) =
            (transport.map(|one| one.get().inner.clone()), seal.map(|one| one.get().inner.clone()));
        let issuer = direct(py, || {
            let mut issuer = cbpii::Issuer::new(client_id, redirect_uri)?;
            if let Some(secret) = client_secret {
                issuer = issuer.with_client_secret(secret)?;
            }
            if let Some(transport) = transport {
                issuer = issuer.with_transport(transport);
            }
            Ok(match seal {
                Some(seal) => issuer.with_seal(seal),
                None => issuer,
            })
        });
        issuer.map(|inner| Self { inner, signs_in_python })
    }

    /// The client_id.
    #[getter]
    fn client_id(&self) -> &str {
        self.inner.client_id()
    }

    /// The redirect URI, byte for byte.
    #[getter]
    fn redirect_uri(&self) -> &str {
        self.inner.redirect_uri()
    }

    /// The eligibility check of the product's prerequisites at ``now``, by default the present: every finding of both
    /// certificates that matters at this bank. Those of severity ``error`` keep a client from being built.
    #[pyo3(signature = (bank, *, now=None))]
    fn check<'py>(
        &self,
        bank: &Bound<'py, PyAny>,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let py = bank.py();
        let now = timestamp_or_now(now, "now")?;
        let bank = given_bank(bank)?;
        let findings = direct(py, || Ok(self.inner.check(&bank, now)))?;
        let finding = imported!(py, "cbpii._certificate", "finding")?;
        findings
            .iter()
            .map(|one| finding.call1((one.severity.as_str(), one.code.as_str(), one.sentence.as_str())))
            .collect()
    }

    fn __repr__(&self) -> String {
        let shown = |there: bool| if there { "…" } else { "None" };
        format!(
            "Issuer(client_id={:?}, redirect_uri={:?}, transport={}, seal={})",
            self.inner.client_id(),
            self.inner.redirect_uri(),
            shown(self.inner.transport().is_some()),
            shown(self.inner.seal().is_some())
        )
    }
}

/// A `Bank` as the core's.
pub(crate) fn given_bank(bank: &Bound<'_, PyAny>) -> PyResult<Bank> {
    let py = bank.py();
    if !bank.is_instance(imported!(py, "cbpii._bank", "Bank")?)? {
        return Err(wrong_type(bank, "bank", "a Bank"));
    }
    let record: String = bank.call_method0("to_json")?.extract()?;
    direct(py, || Bank::from_json(&record))
}

/// A report on a certificate, as JSON.
#[pyfunction]
#[pyo3(name = "_inspect_certificate")]
#[expect(clippy::too_many_arguments, reason = "they are the options of one call")]
pub(crate) fn inspect_certificate(
    py: Python<'_>,
    certificate: &Bound<'_, PyAny>,
    r#use: Option<&Bound<'_, PyAny>>,
    key: Option<&Bound<'_, PyAny>>,
    password: Option<&Bound<'_, PyAny>>,
    client_id: Option<&Bound<'_, PyAny>>,
    accept_pss: bool,
    now: Option<&Bound<'_, PyAny>>,
) -> PyResult<String> {
    let certificate = Source::given(certificate, "certificate")?;
    let r#use = optional_text(r#use, "use")?;
    let key = key.map(|key| Source::given(key, "key")).transpose()?;
    let password = optional_secret(password, "password")?;
    let client_id = optional_text(client_id, "client_id")?;
    let now = timestamp_or_now(now, "now")?;
    direct(py, || {
        let mut options = InspectOptions::at(now).accepting_pss(accept_pss);
        if let Some(name) = r#use {
            options = options.for_use(certificate_use(name)?);
        }
        if let Some(key) = &key {
            options = options.with_key(self::key(key, password.as_ref())?);
        }
        if let Some(client_id) = client_id {
            options = options.with_client_id(client_id);
        }
        Ok(CertificateReport::of(&chain(&certificate)?, &options).to_json())
    })
}

fn certificate_use(name: &str) -> cbpii::Result<CertificateUse> {
    match name {
        "transport" => Ok(CertificateUse::Transport),
        "seal" => Ok(CertificateUse::Seal),
        _ => Err(Error::new(
            ErrorCode::OptionValue,
            "The use of a certificate is neither transport nor seal; use one of them.",
        )),
    }
}
