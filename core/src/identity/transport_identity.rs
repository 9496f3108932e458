//! Who we are to the bank's TLS: the QWAC.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use super::certificate_chain::CertificateChain;
use super::pkcs12::KeyStore;
use super::private_key::PrivateKey;
use super::signer::{SignatureAlgorithm, Signer};
use super::tls_key::TlsKey;
use crate::{Error, ErrorCode, Result, Secret};

/// The certificate chain and the key with which we authenticate in mutual TLS: the QWAC. The key may live
/// elsewhere, behind a [`Signer`]. Cheap to clone.
#[derive(Clone)]
pub struct TransportIdentity {
    chain: CertificateChain,
    key: Key,
}

#[derive(Clone)]
enum Key {
    Here(Arc<PrivateKey>),
    Elsewhere(Arc<dyn Signer>),
}

impl TransportIdentity {
    /// From a chain and the key of its leaf.
    ///
    /// # Errors
    /// `configuration.key_mismatch` when the key belongs to none of the chain's certificates.
    pub fn new(chain: CertificateChain, key: PrivateKey) -> Result<Self> {
        let (chain, key) = match_key(&chain, &key)?;
        Ok(Self { chain, key: Key::Here(Arc::new(key)) })
    }

    /// With a key that this library need not see. The signer is not tried here; a TLS handshake with a
    /// signer of another key fails.
    ///
    /// # Errors
    /// - `configuration.key_unsupported` when the leaf's key is not RSA or EC P-256 or P-384.
    /// - `configuration.signer_failed` when the signer offers no algorithm that TLS 1.3 can use with this
    ///   certificate: `rsa-pss-*` for RSA, `ecdsa-p256-sha256`, `ecdsa-p384-sha384`.
    pub fn with_signer(chain: CertificateChain, signer: Arc<dyn Signer>) -> Result<Self> {
        let usable = tls_algorithms(&chain)?;
        let offered = signer.algorithms();
        if !usable.iter().any(|algorithm| for_tls_1_3(*algorithm) && offered.contains(algorithm)) {
            let names: Vec<&str> =
                usable.iter().filter(|one| for_tls_1_3(**one)).map(|one| one.as_str()).collect();
            return Err(Error::new(
                ErrorCode::SignerFailed,
                format!(
                    "The signer of the TLS key offers no algorithm that TLS 1.3 can use; it must offer one of {}.",
                    names.join(", ")
                ),
            ));
        }
        Ok(Self { chain, key: Key::Elsewhere(signer) })
    }

    /// From PEM texts: the certificates in any order, and the key (they may be the same text).
    ///
    /// # Errors
    /// As [`CertificateChain::from_pem`], [`PrivateKey::from_pem`] and [`new`](Self::new).
    pub fn from_pem(chain: &[u8], key: &[u8], password: Option<&Secret>) -> Result<Self> {
        Self::new(CertificateChain::from_pem(chain)?, PrivateKey::from_pem(key, password)?)
    }

    /// From a PKCS#12 keystore.
    ///
    /// # Errors
    /// As [`KeyStore::from_pkcs12`].
    pub fn from_pkcs12(bytes: &[u8], password: &Secret) -> Result<Self> {
        let store = KeyStore::from_pkcs12(bytes, password)?;
        Self::new(store.chain, store.key)
    }

    /// The certificates, leaf first.
    #[must_use]
    pub fn chain(&self) -> &CertificateChain {
        &self.chain
    }

    /// The identity as rustls takes it, checked, so that nothing can go wrong with it later on.
    pub(crate) fn certified_key(&self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>> {
        let key = match &self.key {
            Key::Here(key) => {
                let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.pkcs8().to_vec()));
                provider.key_provider.load_private_key(der).map_err(|_| unsupported_key())?
            }
            Key::Elsewhere(signer) => {
                let key = TlsKey::new(Arc::clone(signer), tls_algorithms(&self.chain)?);
                Arc::new(key.ok_or_else(unsupported_key)?)
            }
        };
        Ok(Arc::new(CertifiedKey::new(self.chain.to_rustls(), key)))
    }
}

impl fmt::Debug for TransportIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportIdentity")
            .field("subject", &self.chain.leaf().subject.rfc4514)
            .finish_non_exhaustive()
    }
}

/// The chain of the key's certificate and the key, or the error that it has none.
pub(super) fn match_key(
    chain: &CertificateChain,
    key: &PrivateKey,
) -> Result<(CertificateChain, PrivateKey)> {
    chain.led_by(key).ok_or_else(|| {
        let leaf = chain.leaf();
        Error::new(
            ErrorCode::KeyMismatch,
            format!(
                "The private key ({}) does not belong to the certificate of {} ({}); give the key the certificate was issued for.",
                key.key_type(),
                leaf.display_name,
                leaf.key.type_name
            ),
        )
    })
}

/// What the leaf's key can sign in TLS.
fn tls_algorithms(chain: &CertificateChain) -> Result<&'static [SignatureAlgorithm]> {
    chain.leaf().key.usable_as.map(SignatureAlgorithm::of).ok_or_else(unsupported_key)
}

/// RFC 8446 §4.2.3 leaves PKCS#1 v1.5 to certificates alone.
const fn for_tls_1_3(algorithm: SignatureAlgorithm) -> bool {
    !matches!(
        algorithm,
        SignatureAlgorithm::RsaPkcs1Sha256
            | SignatureAlgorithm::RsaPkcs1Sha384
            | SignatureAlgorithm::RsaPkcs1Sha512
    )
}

fn unsupported_key() -> Error {
    Error::new(
        ErrorCode::KeyUnsupported,
        "The key of the TLS certificate cannot be used; RSA of 2048 to 4096 bits, or EC P-256 or P-384, is needed.",
    )
}
