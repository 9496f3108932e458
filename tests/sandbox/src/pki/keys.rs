//! The private keys of the sandbox, generated once per process: a second bank in the same process starts fast.

use std::sync::OnceLock;
use std::thread;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};

use crate::error::SandboxError;

/// Every private key a sandbox needs; none of them is ever written into the repository.
pub(crate) struct KeyRing {
    /// The root certification authority.
    pub(crate) root: KeyPair,
    /// The intermediate authority that issues the TPP's certificates.
    pub(crate) intermediate: KeyPair,
    /// The bank's TLS server.
    pub(crate) server: KeyPair,
    /// The key of the QWAC.
    pub(crate) qwac: KeyPair,
    /// The key of the QSealC.
    pub(crate) qsealc: KeyPair,
    /// The bank's own seal, for signed answers.
    pub(crate) bank_seal: KeyPair,
    /// A key that belongs to nobody the bank knows: another authority, a mismatched pair.
    pub(crate) stranger: KeyPair,
    /// An elliptic curve key for the EC variant of the QWAC.
    pub(crate) elliptic: KeyPair,
}

/// The process's keys.
pub(crate) fn key_ring() -> Result<&'static KeyRing, SandboxError> {
    static RING: OnceLock<Result<KeyRing, String>> = OnceLock::new();
    match RING.get_or_init(|| KeyRing::generate().map_err(|error| error.to_string())) {
        Ok(ring) => Ok(ring),
        Err(reason) => Err(SandboxError::Pki(reason.clone())),
    }
}

impl KeyRing {
    fn generate() -> Result<Self, rcgen::Error> {
        let rsa = || KeyPair::generate_for(&PKCS_RSA_SHA256);
        thread::scope(|scope| {
            let keys: Vec<_> = (0..7).map(|_| scope.spawn(rsa)).collect();
            let mut keys =
                keys.into_iter().map(|key| key.join().unwrap_or(Err(rcgen::Error::RingUnspecified)));
            let mut next = || keys.next().unwrap_or(Err(rcgen::Error::RingUnspecified));
            Ok(Self {
                root: next()?,
                intermediate: next()?,
                server: next()?,
                qwac: next()?,
                qsealc: next()?,
                bank_seal: next()?,
                stranger: next()?,
                elliptic: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
            })
        })
    }
}
