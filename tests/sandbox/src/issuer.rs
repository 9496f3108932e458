//! What the bank hands to the issuer: its registration, and every certificate and key as files.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::SandboxError;
use crate::pki::{Credential, Pki, forms};

/// The password of every encrypted key file.
pub const KEY_PASSWORD: &str = "sandbox";

/// A certificate and its key as files and as PEM text.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Identity {
    /// Its short name, for instance `qwac` or `expired`.
    pub name: String,
    /// What is right or wrong about it.
    pub note: String,
    /// The leaf alone, PEM.
    pub certificate: PathBuf,
    /// Leaf, then the intermediate authority, PEM.
    pub chain: PathBuf,
    /// The PKCS#8 key, PEM.
    pub key: PathBuf,
    /// Content of `certificate`.
    #[serde(skip)]
    pub certificate_pem: String,
    /// Content of `chain`.
    #[serde(skip)]
    pub chain_pem: String,
    /// Content of `key`.
    #[serde(skip)]
    pub key_pem: String,
}

/// The same key, and where it applies the same chain, in other forms. Encrypted ones open with [`KEY_PASSWORD`].
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct KeyForms {
    /// The leaf, DER.
    pub certificate_der: PathBuf,
    /// Intermediate first, leaf last: the wrong order.
    pub chain_reversed: PathBuf,
    /// PKCS#8, DER.
    pub pkcs8_der: PathBuf,
    /// PKCS#1 (`RSA PRIVATE KEY`), PEM.
    pub pkcs1_pem: PathBuf,
    /// PKCS#1, DER.
    pub pkcs1_der: PathBuf,
    /// Encrypted PKCS#8 (PBES2, AES-256), PEM.
    pub encrypted_pkcs8_pem: PathBuf,
    /// PKCS#12 as OpenSSL 3 writes it (PBES2, AES-256).
    pub pkcs12: PathBuf,
    /// PKCS#12 as older tools write it (3DES).
    pub pkcs12_legacy: PathBuf,
}

/// Everything an issuer needs to talk to this bank, and everything it should not use.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct IssuerKit {
    /// The client identifier the bank knows.
    pub client_id: String,
    /// The client secret, at banks that want one.
    pub client_secret: Option<String>,
    /// The registered redirect URI.
    pub redirect_uri: String,
    /// The `organizationIdentifier` of the registered certificates.
    pub organisation_id: String,
    /// The folder that holds every file; removed with the sandbox.
    pub folder: PathBuf,
    /// The root to trust, PEM.
    pub ca: PathBuf,
    /// The authority between the root and the TPP's certificates, PEM.
    pub intermediate: PathBuf,
    /// The transport certificate.
    pub qwac: Identity,
    /// The seal.
    pub qsealc: Identity,
    /// Other forms of the QWAC and its key.
    pub qwac_forms: KeyForms,
    /// Other forms of the QSealC and its key.
    pub qsealc_forms: KeyForms,
    /// Variants of the QWAC, by name.
    pub variants: BTreeMap<String, Identity>,
    /// The key of the `ec-p256` variant as SEC1 (`EC PRIVATE KEY`), PEM.
    pub ec_sec1_pem: PathBuf,
    /// The certificate that verifies the bank's signed answers, PEM.
    pub bank_seal: PathBuf,
    /// The password of the encrypted forms.
    pub key_password: String,
    /// Content of `ca`.
    #[serde(skip)]
    pub ca_pem: String,
    /// Content of `intermediate`.
    #[serde(skip)]
    pub intermediate_pem: String,
    /// Content of `bank_seal`.
    #[serde(skip)]
    pub bank_seal_pem: String,
}

/// The issuer's registration at the bank.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    pub(crate) redirect_uri: String,
    pub(crate) organisation_id: String,
    /// The name the consent page shows.
    pub(crate) name: String,
}

impl IssuerKit {
    /// Writes every file below `folder`.
    pub(crate) fn write(pki: &Pki, registration: &Registration, folder: &Path) -> Result<Self, SandboxError> {
        let ca_pem = forms::pem("CERTIFICATE", &pki.root);
        let intermediate_pem = forms::pem("CERTIFICATE", &pki.intermediate);
        let bank_seal_pem = forms::pem("CERTIFICATE", pki.bank_seal.leaf());
        let mut variants = BTreeMap::new();
        for credential in &pki.variants {
            variants.insert(credential.name.to_owned(), Identity::write(credential, folder)?);
        }
        let elliptic = pki.variants.iter().find(|credential| credential.name == "ec-p256");
        let sec1 = match elliptic {
            Some(credential) => forms::pem("EC PRIVATE KEY", &forms::sec1(&credential.key)?),
            None => return Err(SandboxError::Pki("the EC variant is missing".to_owned())),
        };
        Ok(Self {
            client_id: registration.client_id.clone(),
            client_secret: registration.client_secret.clone(),
            redirect_uri: registration.redirect_uri.clone(),
            organisation_id: registration.organisation_id.clone(),
            folder: folder.to_owned(),
            ca: save(folder, "ca.pem", ca_pem.as_bytes())?,
            intermediate: save(folder, "intermediate.pem", intermediate_pem.as_bytes())?,
            qwac: Identity::write(&pki.qwac, folder)?,
            qsealc: Identity::write(&pki.qsealc, folder)?,
            qwac_forms: KeyForms::write(&pki.qwac, folder)?,
            qsealc_forms: KeyForms::write(&pki.qsealc, folder)?,
            variants,
            ec_sec1_pem: save(folder, "ec-p256.sec1.key.pem", sec1.as_bytes())?,
            bank_seal: save(folder, "bank-seal.pem", bank_seal_pem.as_bytes())?,
            key_password: KEY_PASSWORD.to_owned(),
            ca_pem,
            intermediate_pem,
            bank_seal_pem,
        })
    }

    /// A variant of the QWAC by its name, for instance `expired`.
    pub fn variant(&self, name: &str) -> Option<&Identity> {
        self.variants.get(name)
    }
}

impl Identity {
    fn write(credential: &Credential, folder: &Path) -> Result<Self, SandboxError> {
        let name = credential.name;
        let certificate_pem = forms::pem("CERTIFICATE", credential.leaf());
        let chain_pem: String = credential.chain.iter().map(|der| forms::pem("CERTIFICATE", der)).collect();
        let key_pem = forms::pem("PRIVATE KEY", &credential.key);
        Ok(Self {
            name: name.to_owned(),
            note: credential.note.to_owned(),
            certificate: save(folder, &format!("{name}.leaf.pem"), certificate_pem.as_bytes())?,
            chain: save(folder, &format!("{name}.chain.pem"), chain_pem.as_bytes())?,
            key: save(folder, &format!("{name}.key.pem"), key_pem.as_bytes())?,
            certificate_pem,
            chain_pem,
            key_pem,
        })
    }
}

impl KeyForms {
    fn write(credential: &Credential, folder: &Path) -> Result<Self, SandboxError> {
        let (name, key, chain) = (credential.name, &credential.key, &credential.chain);
        let file = |suffix: &str, content: &[u8]| save(folder, &format!("{name}.{suffix}"), content);
        let reversed: String = chain.iter().rev().map(|der| forms::pem("CERTIFICATE", der)).collect();
        let pkcs1 = forms::pkcs1(key)?;
        Ok(Self {
            certificate_der: file("leaf.der", credential.leaf())?,
            chain_reversed: file("chain-reversed.pem", reversed.as_bytes())?,
            pkcs8_der: file("key.der", key)?,
            pkcs1_pem: file("pkcs1.key.pem", forms::pem("RSA PRIVATE KEY", &pkcs1).as_bytes())?,
            pkcs1_der: file("pkcs1.key.der", &pkcs1)?,
            encrypted_pkcs8_pem: file(
                "encrypted.key.pem",
                forms::encrypted_pkcs8(key, KEY_PASSWORD)?.as_bytes(),
            )?,
            pkcs12: file("p12", &forms::pkcs12(key, chain, KEY_PASSWORD, false)?)?,
            pkcs12_legacy: file("legacy.p12", &forms::pkcs12(key, chain, KEY_PASSWORD, true)?)?,
        })
    }
}

/// Writes a file only its owner can read.
fn save(folder: &Path, name: &str, content: &[u8]) -> Result<PathBuf, SandboxError> {
    let path = folder.join(name);
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    file.write_all(content)?;
    Ok(path)
}
