//! The one place that knows which cryptography library is compiled in: `ring`, or `aws-lc-rs` when its
//! feature is on (it wins if both are). With the feature `aws-lc-rsa`, AWS-LC makes the RSA signatures of requests
//! whichever it is, on processors where it is the quicker.

#[cfg(feature = "aws-lc-rsa")]
mod aws_lc_rsa;

use std::fmt;
use std::sync::Arc;

#[cfg(feature = "aws-lc-rs")]
use aws_lc_rs as backend;
#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
use ring as backend;
#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
compile_error!("cbpii needs one of its features `ring` (the default) or `aws-lc-rs`.");

use backend::rand::SystemRandom;
use backend::signature::{self, EcdsaKeyPair, KeyPair as _, RsaEncoding, RsaKeyPair, VerificationAlgorithm};

use crate::identity::{KeyType, SignatureAlgorithm};

/// The TLS cryptography of the compiled-in library. Nothing is installed for the process.
pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    #[cfg(feature = "aws-lc-rs")]
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc-rs"))]
    let provider = rustls::crypto::ring::default_provider();
    Arc::new(provider)
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(backend::digest::digest(&backend::digest::SHA256, bytes).as_ref());
    hash
}

/// SHA-1, for the fingerprints people still compare. Protects nothing.
pub(crate) fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut hash = [0; 20];
    hash.copy_from_slice(backend::digest::digest(&backend::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref());
    hash
}

/// Lower-case hexadecimal without separators.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|n| char::from_digit(n.into(), 16))
        .collect()
}

/// A private key made ready to sign: parsed once, used many times.
pub(crate) enum KeyPair {
    Rsa(RsaKey),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
}

/// The library does not accept the key: its numbers are not consistent, or it is of a kind it refuses.
#[derive(Debug)]
pub(crate) struct KeyRefused;

impl KeyPair {
    /// From PKCS#8 (RFC 5208).
    pub(crate) fn from_pkcs8(key_type: KeyType, pkcs8: &[u8]) -> Result<Self, KeyRefused> {
        match key_type {
            KeyType::Rsa { .. } => RsaKey::from_pkcs8(pkcs8).map(Self::Rsa),
            KeyType::EcP256 => {
                ecdsa_key_pair(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8).map(Self::P256)
            }
            KeyType::EcP384 => {
                ecdsa_key_pair(&signature::ECDSA_P384_SHA384_ASN1_SIGNING, pkcs8).map(Self::P384)
            }
        }
    }

    /// The public key as a certificate carries it in `subjectPublicKey` (RFC 5280 §4.1.2.7).
    pub(crate) fn public_key(&self) -> &[u8] {
        match self {
            Self::Rsa(key) => key.pair.public_key().as_ref(),
            Self::P256(pair) | Self::P384(pair) => pair.public_key().as_ref(),
        }
    }

    /// Signs, or returns nothing when this key cannot sign so.
    pub(crate) fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => key.sign(algorithm, message),
            Self::P256(pair) if algorithm == SignatureAlgorithm::EcdsaP256Sha256 => {
                pair.sign(&random, message).ok().map(|signature| signature.as_ref().to_vec())
            }
            Self::P384(pair) if algorithm == SignatureAlgorithm::EcdsaP384Sha384 => {
                pair.sign(&random, message).ok().map(|signature| signature.as_ref().to_vec())
            }
            Self::P256(_) | Self::P384(_) => None,
        }
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPair(…)")
    }
}

/// An RSA key that every library accepts which is to sign with it.
pub(crate) struct RsaKey {
    pair: RsaKeyPair,
    /// Signs requests (RSASSA-PKCS1-v1_5), which is nearly all that a call costs. For RSASSA-PSS, which only a new TLS
    /// session needs, AWS-LC would bring 74 KB of hashes along.
    #[cfg(feature = "aws-lc-rsa")]
    pkcs1_signer: Option<aws_lc_rsa::Key>,
}

impl RsaKey {
    fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyRefused> {
        Ok(Self {
            pair: RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| KeyRefused)?,
            #[cfg(feature = "aws-lc-rsa")]
            pkcs1_signer: aws_lc_rsa::is_quicker()
                .then(|| aws_lc_rsa::Key::from_pkcs8(pkcs8).ok_or(KeyRefused))
                .transpose()?,
        })
    }

    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Option<Vec<u8>> {
        #[cfg(feature = "aws-lc-rsa")]
        if let (Some(signer), Some(hash)) = (&self.pkcs1_signer, aws_lc_rsa::Pkcs1Hash::of(algorithm)) {
            return signer.sign_pkcs1(hash, message);
        }
        let mut signature = vec![0; modulus_len(&self.pair)];
        self.pair.sign(rsa_encoding(algorithm)?, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }
}

fn ecdsa_key_pair(
    algorithm: &'static signature::EcdsaSigningAlgorithm,
    pkcs8: &[u8],
) -> Result<EcdsaKeyPair, KeyRefused> {
    #[cfg(feature = "aws-lc-rs")]
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8);
    #[cfg(not(feature = "aws-lc-rs"))]
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8, &SystemRandom::new());
    pair.map_err(|_| KeyRefused)
}

fn modulus_len(pair: &RsaKeyPair) -> usize {
    #[cfg(feature = "aws-lc-rs")]
    let length = pair.public_modulus_len();
    #[cfg(not(feature = "aws-lc-rs"))]
    let length = pair.public().modulus_len();
    length
}

fn rsa_encoding(algorithm: SignatureAlgorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match algorithm {
        SignatureAlgorithm::RsaPkcs1Sha256 => &signature::RSA_PKCS1_SHA256,
        SignatureAlgorithm::RsaPkcs1Sha384 => &signature::RSA_PKCS1_SHA384,
        SignatureAlgorithm::RsaPkcs1Sha512 => &signature::RSA_PKCS1_SHA512,
        SignatureAlgorithm::RsaPssSha256 => &signature::RSA_PSS_SHA256,
        SignatureAlgorithm::RsaPssSha384 => &signature::RSA_PSS_SHA384,
        SignatureAlgorithm::RsaPssSha512 => &signature::RSA_PSS_SHA512,
        SignatureAlgorithm::EcdsaP256Sha256 | SignatureAlgorithm::EcdsaP384Sha384 => return None,
    })
}

/// Whether `signature` over `message` was made with the private half of `public_key`, given as a
/// certificate carries it in `subjectPublicKey`.
pub(crate) fn verify(
    algorithm: SignatureAlgorithm,
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let algorithm: &'static dyn VerificationAlgorithm = match algorithm {
        SignatureAlgorithm::RsaPkcs1Sha256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        SignatureAlgorithm::RsaPkcs1Sha384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        SignatureAlgorithm::RsaPkcs1Sha512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        SignatureAlgorithm::RsaPssSha256 => &signature::RSA_PSS_2048_8192_SHA256,
        SignatureAlgorithm::RsaPssSha384 => &signature::RSA_PSS_2048_8192_SHA384,
        SignatureAlgorithm::RsaPssSha512 => &signature::RSA_PSS_2048_8192_SHA512,
        SignatureAlgorithm::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_ASN1,
        SignatureAlgorithm::EcdsaP384Sha384 => &signature::ECDSA_P384_SHA384_ASN1,
    };
    signature::UnparsedPublicKey::new(algorithm, public_key).verify(message, signature).is_ok()
}

/// [`verify`] for the one algorithm that draft-cavage calls `rsa-sha256`.
pub(crate) fn verify_rsa_pkcs1_sha256(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    verify(SignatureAlgorithm::RsaPkcs1Sha256, public_key, message, signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_published_ones() {
        assert_eq!(hex(&sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }

    /// A signature RSASSA-PKCS1-v1_5 depends on nothing but key and message: the two libraries must make the same.
    #[test]
    #[cfg(feature = "aws-lc-rsa")]
    fn rsa_signatures_are_the_same_with_and_without_aws_lc() {
        let key =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
        let pkcs8 = key.serialize_der();
        let pair = || RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
        let plain = RsaKey { pair: pair(), pkcs1_signer: None };
        let quick = RsaKey { pair: pair(), pkcs1_signer: aws_lc_rsa::Key::from_pkcs8(&pkcs8) };
        assert!(quick.pkcs1_signer.is_some());
        for algorithm in [
            SignatureAlgorithm::RsaPkcs1Sha256,
            SignatureAlgorithm::RsaPkcs1Sha384,
            SignatureAlgorithm::RsaPkcs1Sha512,
        ] {
            let signature = plain.sign(algorithm, b"message").unwrap();
            assert_eq!(quick.sign(algorithm, b"message").unwrap(), signature);
            assert!(verify(algorithm, pair().public_key().as_ref(), b"message", &signature));
        }
    }

    #[test]
    fn nothing_verifies_with_garbage() {
        assert!(!verify_rsa_pkcs1_sha256(b"", b"message", b""));
        assert!(!verify(SignatureAlgorithm::EcdsaP256Sha256, &[4; 65], b"message", &[0; 64]));
    }
}
