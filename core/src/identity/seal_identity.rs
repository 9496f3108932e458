//! Who signs our messages: the QSealC.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::certificate_chain::CertificateChain;
use super::files::read_pair;
#[cfg(feature = "encrypted-keys")]
use super::pkcs12::KeyStore;
use super::private_key::PrivateKey;
use super::signer::{KeySigner, Signer};
use super::transport_identity::match_key;
use crate::{Error, ErrorCode, Result, Secret};

/// The certificate chain and the signer of our requests: the QSealC. Cheap to clone.
#[derive(Clone)]
pub struct SealIdentity {
    chain: CertificateChain,
    signer: Arc<dyn Signer>,
    key_id: Option<String>,
}

impl SealIdentity {
    /// From a chain and the key of its leaf.
    ///
    /// # Errors
    /// `configuration.key_mismatch` when the key belongs to none of the chain's certificates.
    pub fn new(chain: CertificateChain, key: PrivateKey) -> Result<Self> {
        let (chain, key) = match_key(&chain, &key)?;
        Ok(Self::with_signer(chain, Arc::new(KeySigner::new(&key)?)))
    }

    /// With a key that this library need not see. The signer is not tried here.
    #[must_use]
    pub fn with_signer(chain: CertificateChain, signer: Arc<dyn Signer>) -> Self {
        Self { chain, signer, key_id: None }
    }

    /// From PEM texts: the certificates in any order, and the key (they may be the same text).
    ///
    /// # Errors
    /// As [`CertificateChain::from_pem`], [`PrivateKey::from_pem`] and [`new`](Self::new).
    pub fn from_pem(chain: &[u8], key: &[u8], password: Option<&Secret>) -> Result<Self> {
        Self::new(CertificateChain::from_pem(chain)?, PrivateKey::from_pem(key, password)?)
    }

    /// From two files, each PEM or DER: the certificates and the key (they may be the same PEM file).
    ///
    /// # Errors
    /// As [`CertificateChain::from_bytes`], [`PrivateKey::from_bytes`] and [`new`](Self::new);
    /// `configuration.certificate_unreadable` or `configuration.key_unreadable` when a file cannot be read.
    pub fn from_files(
        chain: impl AsRef<Path>,
        key: impl AsRef<Path>,
        password: Option<&Secret>,
    ) -> Result<Self> {
        let (chain, key) = read_pair(chain.as_ref(), key.as_ref(), password)?;
        Self::new(chain, key)
    }

    /// From a PKCS#12 keystore.
    ///
    /// # Errors
    /// As [`KeyStore::from_pkcs12`].
    #[cfg(feature = "encrypted-keys")]
    pub fn from_pkcs12(bytes: &[u8], password: &Secret) -> Result<Self> {
        let store = KeyStore::from_pkcs12(bytes, password)?;
        Self::new(store.chain, store.key)
    }

    /// States the whole `keyId` to write in signatures, instead of the one the bank's record would make:
    /// for instance the URL at which the certificate was published.
    ///
    /// # Errors
    /// `configuration.header` when it is empty or has characters that cannot stand between quotes in a
    /// header: control characters, `"`, `\` and what is not ASCII.
    pub fn with_key_id(mut self, key_id: impl Into<String>) -> Result<Self> {
        let key_id = key_id.into();
        let is_sendable = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        if key_id.is_empty() || !key_id.bytes().all(is_sendable) {
            return Err(Error::new(
                ErrorCode::Header,
                "The keyId of the seal must be printable ASCII without quotes and backslashes, and not empty.",
            ));
        }
        self.key_id = Some(key_id);
        Ok(self)
    }

    /// The certificates, leaf first.
    #[must_use]
    pub fn chain(&self) -> &CertificateChain {
        &self.chain
    }

    /// The `keyId` the caller stated, if any.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// What signs.
    pub(crate) fn signer(&self) -> &dyn Signer {
        &*self.signer
    }

    /// The serial number of the leaf in lower-case hexadecimal, as some banks want it in the `keyId`.
    pub(crate) fn serial_hex(&self) -> &str {
        &self.chain.leaf().serial.hex
    }

    /// The issuer of the leaf (RFC 2253, numbers and text for what has no keyword), as some banks want it there.
    pub(crate) fn issuer_dn(&self) -> &str {
        &self.chain.leaf().issuer.rfc2253
    }
}

impl fmt::Debug for SealIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealIdentity")
            .field("subject", &self.chain.leaf().subject.rfc4514)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::signer::SignatureAlgorithm;
    use super::super::test_support::{Issued, openssl_text, psd2_leaf, rsa_key};
    use super::*;
    use crate::crypto::verify_rsa_pkcs1_sha256;

    fn seal() -> (Issued, SealIdentity) {
        let root = Issued::root("Seal, CA");
        let leaf = root.issue(psd2_leaf("Issuer", &[2], &[(4, "PSP_IC")]), rsa_key());
        let seal = SealIdentity::from_pem(leaf.pem().as_bytes(), leaf.key_pem().as_bytes(), None).unwrap();
        (leaf, seal)
    }

    #[test]
    fn what_it_signs_verifies_with_its_certificate() {
        let (_, seal) = seal();
        let signature = seal.signer().sign(SignatureAlgorithm::RsaPkcs1Sha256, b"message").unwrap();
        assert!(verify_rsa_pkcs1_sha256(seal.chain().leaf_public_key(), b"message", &signature));
        assert!(!verify_rsa_pkcs1_sha256(seal.chain().leaf_public_key(), b"messagf", &signature));
    }

    #[test]
    fn serial_and_issuer_are_openssls() {
        let (leaf, seal) = seal();
        let serial = openssl_text(&["x509", "-noout", "-serial"], leaf.pem().as_bytes());
        assert_eq!(format!("serial={}", seal.serial_hex().to_uppercase()), serial);
        assert_eq!(seal.issuer_dn(), r"CN=Seal\, CA,C=FR");
    }

    #[test]
    fn a_stated_key_id_must_fit_into_a_header() {
        let (_, seal) = seal();
        let url = "https://issuer.example/certificate_0123,x=y";
        assert_eq!(seal.clone().with_key_id(url).unwrap().key_id(), Some(url));
        for bad in ["", "a\"b", "a\\b", "a\r\nb", "é"] {
            assert_eq!(seal.clone().with_key_id(bad).unwrap_err().code(), ErrorCode::Header);
        }
        assert!(!format!("{seal:?}").contains("BEGIN"));
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let root = Issued::root("Root");
        let (one, other) = (root.issue_leaf("One"), root.issue_leaf("Other"));
        let error =
            SealIdentity::from_pem(one.pem().as_bytes(), other.key_pem().as_bytes(), None).unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeyMismatch);
    }
}
