//! Signing with a key we hold, or with one we never see.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::private_key::{KeyType, PrivateKey};
use crate::crypto::KeyPair;
use crate::{Error, ErrorCode, Result};

/// A way to sign: the kind of key, the padding and the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2): what banks mean by `rsa-sha256`.
    RsaPkcs1Sha256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RsaPkcs1Sha384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RsaPkcs1Sha512,
    /// RSASSA-PSS with SHA-256, MGF1 of the same hash and a salt as long as the hash (RFC 8017 §8.1): what
    /// TLS 1.3 uses with RSA keys.
    RsaPssSha256,
    /// RSASSA-PSS with SHA-384, likewise.
    RsaPssSha384,
    /// RSASSA-PSS with SHA-512, likewise.
    RsaPssSha512,
    /// ECDSA on P-256 with SHA-256; the signature is the ASN.1 form of RFC 3279 §2.2.3.
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384; the signature is the ASN.1 form of RFC 3279 §2.2.3.
    EcdsaP384Sha384,
}

impl SignatureAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 8] = [
        Self::RsaPkcs1Sha256,
        Self::RsaPkcs1Sha384,
        Self::RsaPkcs1Sha512,
        Self::RsaPssSha256,
        Self::RsaPssSha384,
        Self::RsaPssSha512,
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
    ];

    /// Stable lower-case name, e.g. `rsa-pkcs1-sha256`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaPkcs1Sha256 => "rsa-pkcs1-sha256",
            Self::RsaPkcs1Sha384 => "rsa-pkcs1-sha384",
            Self::RsaPkcs1Sha512 => "rsa-pkcs1-sha512",
            Self::RsaPssSha256 => "rsa-pss-sha256",
            Self::RsaPssSha384 => "rsa-pss-sha384",
            Self::RsaPssSha512 => "rsa-pss-sha512",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::EcdsaP384Sha384 => "ecdsa-p384-sha384",
        }
    }

    /// What a key of this type can sign, the algorithms TLS prefers first.
    pub(super) fn of(key_type: KeyType) -> &'static [Self] {
        match key_type {
            KeyType::Rsa { .. } => &[
                Self::RsaPssSha256,
                Self::RsaPssSha384,
                Self::RsaPssSha512,
                Self::RsaPkcs1Sha256,
                Self::RsaPkcs1Sha384,
                Self::RsaPkcs1Sha512,
            ],
            KeyType::EcP256 => &[Self::EcdsaP256Sha256],
            KeyType::EcP384 => &[Self::EcdsaP384Sha384],
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SignatureAlgorithm {
    type Err = Error;

    /// Reads what [`as_str`](Self::as_str) writes.
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Error::new(ErrorCode::OptionValue, format!("A signature algorithm must be one of {known}."))
        })
    }
}

impl Serialize for SignatureAlgorithm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SignatureAlgorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Signs with a private key that this library need not see: in an HSM, a KMS, a phone's secure element.
/// Called from any thread, several at once.
pub trait Signer: Send + Sync {
    /// Signs `message` (not its hash) with one of the [`algorithms`](Self::algorithms) and returns the bare
    /// signature.
    ///
    /// # Errors
    /// Any [`Error`], best with the code `configuration.signer_failed`; it becomes the error of the call
    /// that needed the signature.
    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>>;

    /// The algorithms this signer offers, the preferred one first. A TLS key of type RSA should offer
    /// `rsa-pss-sha256`, for TLS 1.3 allows nothing else (RFC 8446 §4.2.3).
    fn algorithms(&self) -> Vec<SignatureAlgorithm>;
}

impl<T: Signer + ?Sized> Signer for Arc<T> {
    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>> {
        (**self).sign(algorithm, message)
    }

    fn algorithms(&self) -> Vec<SignatureAlgorithm> {
        (**self).algorithms()
    }
}

/// Signs with a [`PrivateKey`], parsed once in each process.
#[derive(Debug)]
pub struct KeySigner {
    key: PrivateKey,
    pair: KeyPair,
    process: u32,
    /// The same in a child after `fork`.
    in_child: OnceLock<Option<Box<KeySigner>>>,
}

impl KeySigner {
    /// A signer with this key.
    ///
    /// # Errors
    /// `configuration.key_unreadable` when the key is an EC key whose file left its public key out and it
    /// was not completed by its certificate: take the identity types, which do that.
    pub fn new(key: &PrivateKey) -> Result<Self> {
        let (key, pair) = (key.clone(), key.key_pair()?);
        Ok(Self { key, pair, process: std::process::id(), in_child: OnceLock::new() })
    }

    /// The key as this process parsed it. A child must not use its parent's: AWS-LC keeps a lock and blinding factors with an RSA
    /// key, which a thread that the child has not got may have been using.
    fn pair(&self) -> Option<&KeyPair> {
        let process = std::process::id();
        let mut signer = self;
        while signer.process != process {
            let again = || Self::new(&self.key).ok().map(Box::new);
            signer = signer.in_child.get_or_init(again).as_deref()?;
        }
        Some(&signer.pair)
    }
}

impl Signer for KeySigner {
    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>> {
        self.pair().and_then(|pair| pair.sign(algorithm, message)).ok_or_else(|| {
            let message = format!("A key of type {} cannot sign with {algorithm}.", self.key.key_type());
            Error::new(ErrorCode::SignerFailed, message)
        })
    }

    fn algorithms(&self) -> Vec<SignatureAlgorithm> {
        SignatureAlgorithm::of(self.key.key_type()).to_vec()
    }
}

/// Signs with a closure; made by [`signer_from_fn`].
pub struct FnSigner<F> {
    algorithms: Vec<SignatureAlgorithm>,
    sign: F,
}

/// A signer out of a closure: `signer_from_fn([SignatureAlgorithm::RsaPkcs1Sha256], |algorithm, message| …)`.
pub fn signer_from_fn<F>(algorithms: impl Into<Vec<SignatureAlgorithm>>, sign: F) -> FnSigner<F>
where
    F: Fn(SignatureAlgorithm, &[u8]) -> Result<Vec<u8>> + Send + Sync,
{
    FnSigner { algorithms: algorithms.into(), sign }
}

impl<F> Signer for FnSigner<F>
where
    F: Fn(SignatureAlgorithm, &[u8]) -> Result<Vec<u8>> + Send + Sync,
{
    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>> {
        (self.sign)(algorithm, message)
    }

    fn algorithms(&self) -> Vec<SignatureAlgorithm> {
        self.algorithms.clone()
    }
}

impl<F> fmt::Debug for FnSigner<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnSigner").field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{openssl, openssl_text, path, rsa_key};
    use super::*;
    use crate::crypto;

    fn key(pem: &[u8]) -> PrivateKey {
        PrivateKey::from_pem(pem, None).unwrap()
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for algorithm in SignatureAlgorithm::ALL {
            assert_eq!(algorithm.to_string().parse::<SignatureAlgorithm>().unwrap(), algorithm);
            let json = serde_json::to_string(&algorithm).unwrap();
            assert_eq!(serde_json::from_str::<SignatureAlgorithm>(&json).unwrap(), algorithm);
        }
        let error = "RSA-SHA256".parse::<SignatureAlgorithm>().unwrap_err();
        assert_eq!(error.code(), ErrorCode::OptionValue);
        assert!(error.message().contains("rsa-pkcs1-sha256"));
    }

    /// The options with which `openssl dgst -verify` checks such a signature.
    fn openssl_options(algorithm: SignatureAlgorithm) -> &'static [&'static str] {
        const PSS: &str = "rsa_padding_mode:pss";
        const SALT: &str = "rsa_pss_saltlen:digest";
        match algorithm {
            SignatureAlgorithm::RsaPkcs1Sha256 | SignatureAlgorithm::EcdsaP256Sha256 => &["-sha256"],
            SignatureAlgorithm::RsaPkcs1Sha384 | SignatureAlgorithm::EcdsaP384Sha384 => &["-sha384"],
            SignatureAlgorithm::RsaPkcs1Sha512 => &["-sha512"],
            SignatureAlgorithm::RsaPssSha256 => &["-sha256", "-sigopt", PSS, "-sigopt", SALT],
            SignatureAlgorithm::RsaPssSha384 => &["-sha384", "-sigopt", PSS, "-sigopt", SALT],
            SignatureAlgorithm::RsaPssSha512 => &["-sha512", "-sigopt", PSS, "-sigopt", SALT],
        }
    }

    #[test]
    fn openssl_accepts_every_signature() {
        let ec = |curve: &str| openssl(&["ecparam", "-genkey", "-noout", "-name", curve], b"");
        let keys = [rsa_key().serialize_pem().into_bytes(), ec("prime256v1"), ec("secp384r1")];
        let folder = tempfile::tempdir().unwrap();
        let (public, signature_file) = (folder.path().join("public.pem"), folder.path().join("signature"));
        let message = b"(request-target): post /stet/psd2/v1.4.2/funds-confirmations";
        for pem in keys {
            std::fs::write(&public, openssl(&["pkey", "-pubout"], &pem)).unwrap();
            let signer = KeySigner::new(&key(&pem)).unwrap();
            for algorithm in SignatureAlgorithm::ALL {
                if !signer.algorithms().contains(&algorithm) {
                    assert_eq!(signer.sign(algorithm, message).unwrap_err().code(), ErrorCode::SignerFailed);
                    continue;
                }
                let signature = signer.sign(algorithm, message).unwrap();
                std::fs::write(&signature_file, &signature).unwrap();
                let verify = ["dgst", "-verify", path(&public), "-signature", path(&signature_file)];
                let said = openssl_text(&[&verify, openssl_options(algorithm)].concat(), message);
                assert_eq!(said, "Verified OK", "{algorithm}");
                let own_public = signer.pair.public_key();
                assert!(crypto::verify(algorithm, own_public, message, &signature), "{algorithm}");
                assert!(!crypto::verify(algorithm, own_public, b"another", &signature), "{algorithm}");
            }
        }
    }

    #[test]
    fn rsa_pkcs1_signatures_equal_openssls() {
        let pem = rsa_key().serialize_pem().into_bytes();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.pem");
        std::fs::write(&file, &pem).unwrap();
        let signer = KeySigner::new(&key(&pem)).unwrap();
        let own = signer.sign(SignatureAlgorithm::RsaPkcs1Sha256, b"message").unwrap();
        assert_eq!(own, openssl(&["dgst", "-sha256", "-sign", path(&file)], b"message"));
    }

    #[test]
    fn a_closure_signs() {
        let refusal = || Error::new(ErrorCode::SignerFailed, "The HSM is away; try again.");
        let signer = signer_from_fn([SignatureAlgorithm::RsaPkcs1Sha256], |_, message| {
            if message.is_empty() { Err(refusal()) } else { Ok(message.to_vec()) }
        });
        let signer: Arc<dyn Signer> = Arc::new(signer);
        assert_eq!(signer.algorithms(), [SignatureAlgorithm::RsaPkcs1Sha256]);
        assert_eq!(signer.sign(SignatureAlgorithm::RsaPkcs1Sha256, b"a").unwrap(), b"a");
        let error = signer.sign(SignatureAlgorithm::RsaPkcs1Sha256, b"").unwrap_err();
        assert_eq!(error.message(), refusal().message());
    }
}
