//! A [`Signer`] as rustls wants it, so that the key of a TLS identity may live in an HSM.

use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;

use super::signer::{SignatureAlgorithm, Signer};

/// A rustls key whose signatures are made by a [`Signer`].
pub(super) struct TlsKey {
    signer: Arc<dyn Signer>,
    kind: rustls::SignatureAlgorithm,
    algorithms: Vec<SignatureAlgorithm>,
}

impl TlsKey {
    /// For a certificate whose key can sign with `possible`; none when the signer offers none of these.
    pub(super) fn new(signer: Arc<dyn Signer>, possible: &[SignatureAlgorithm]) -> Option<Self> {
        let mut algorithms = signer.algorithms();
        algorithms.retain(|algorithm| possible.contains(algorithm));
        let kind = kind_of(*algorithms.first()?);
        Some(Self { signer, kind, algorithms })
    }
}

impl rustls::sign::SigningKey for TlsKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn rustls::sign::Signer>> {
        let algorithm =
            *self.algorithms.iter().find(|algorithm| offered.contains(&scheme_of(**algorithm)))?;
        Some(Box::new(TlsSigner { signer: Arc::clone(&self.signer), algorithm }))
    }

    fn algorithm(&self) -> rustls::SignatureAlgorithm {
        self.kind
    }
}

impl fmt::Debug for TlsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsKey").field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

/// One signature of one handshake.
struct TlsSigner {
    signer: Arc<dyn Signer>,
    algorithm: SignatureAlgorithm,
}

impl rustls::sign::Signer for TlsSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let failed = |error| rustls::Error::Other(rustls::OtherError(Arc::new(error)));
        self.signer.sign(self.algorithm, message).map_err(failed)
    }

    fn scheme(&self) -> SignatureScheme {
        scheme_of(self.algorithm)
    }
}

impl fmt::Debug for TlsSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSigner").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The name TLS has for it (RFC 8446 §4.2.3).
const fn scheme_of(algorithm: SignatureAlgorithm) -> SignatureScheme {
    match algorithm {
        SignatureAlgorithm::RsaPkcs1Sha256 => SignatureScheme::RSA_PKCS1_SHA256,
        SignatureAlgorithm::RsaPkcs1Sha384 => SignatureScheme::RSA_PKCS1_SHA384,
        SignatureAlgorithm::RsaPkcs1Sha512 => SignatureScheme::RSA_PKCS1_SHA512,
        SignatureAlgorithm::RsaPssSha256 => SignatureScheme::RSA_PSS_SHA256,
        SignatureAlgorithm::RsaPssSha384 => SignatureScheme::RSA_PSS_SHA384,
        SignatureAlgorithm::RsaPssSha512 => SignatureScheme::RSA_PSS_SHA512,
        SignatureAlgorithm::EcdsaP256Sha256 => SignatureScheme::ECDSA_NISTP256_SHA256,
        SignatureAlgorithm::EcdsaP384Sha384 => SignatureScheme::ECDSA_NISTP384_SHA384,
    }
}

const fn kind_of(algorithm: SignatureAlgorithm) -> rustls::SignatureAlgorithm {
    match algorithm {
        SignatureAlgorithm::EcdsaP256Sha256 | SignatureAlgorithm::EcdsaP384Sha384 => {
            rustls::SignatureAlgorithm::ECDSA
        }
        _ => rustls::SignatureAlgorithm::RSA,
    }
}
