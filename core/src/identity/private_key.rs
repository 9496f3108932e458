//! Private keys in every form they come in, brought to one form: PKCS#8, checked and in memory that is
//! overwritten when dropped.

use std::fmt;

use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef, UintRef};
use pkcs8::der::{Decode, Encode, SliceReader, Tag, Tagged};
use pkcs8::spki::AlgorithmIdentifierRef;
use zeroize::Zeroizing;

use super::ec_private_key::EcPrivateKey;
#[cfg(feature = "encrypted-keys")]
use super::encrypted_key::decrypt;
use super::pem;
use crate::crypto::KeyPair;
use crate::{Error, ErrorCode, Result, Secret, SecretBytes};

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// Bounds of the RSA modulus in bits: ETSI TS 119 312 asks for 2048 at least, the cryptography libraries
/// take 4096 at most.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

/// The kind of a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// RSA, with the size of its modulus in bits (2048 to 4096).
    Rsa {
        /// Size of the modulus in bits.
        bits: u32,
    },
    /// Elliptic curve NIST P-256 (`prime256v1`).
    EcP256,
    /// Elliptic curve NIST P-384 (`secp384r1`).
    EcP384,
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::EcP256 => f.write_str("EC P-256"),
            Self::EcP384 => f.write_str("EC P-384"),
        }
    }
}

/// A private key, read and checked: RSA of 2048 to 4096 bits, or EC P-256 or P-384. It is overwritten in
/// memory when dropped, and `Debug` shows only its type.
#[derive(Clone)]
pub struct PrivateKey {
    key_type: KeyType,
    pkcs8: SecretBytes,
    /// As in a certificate's `subjectPublicKey`; none when the file of an EC key leaves it out.
    public_key: Option<Vec<u8>>,
}

impl PrivateKey {
    /// Reads a key from PEM or DER, whichever it is. See [`from_pem`](Self::from_pem) and
    /// [`from_der`](Self::from_der).
    ///
    /// # Errors
    /// As these two.
    pub fn from_bytes(bytes: &[u8], password: Option<&Secret>) -> Result<Self> {
        if pem::is_pem(bytes) { Self::from_pem(bytes, password) } else { Self::from_der(bytes, password) }
    }

    /// Reads the one private key of a PEM text; certificates and other blocks beside it are passed over.
    /// Forms: PKCS#8 (`PRIVATE KEY`), encrypted PKCS#8 (`ENCRYPTED PRIVATE KEY`, PBES2 of RFC 8018 with
    /// AES or 3DES and PBKDF2 or scrypt), PKCS#1 (`RSA PRIVATE KEY`), SEC 1 (`EC PRIVATE KEY`).
    ///
    /// # Errors
    /// - `configuration.key_unreadable`: no key, more than one, or a damaged one.
    /// - `configuration.key_password`: the key is encrypted, and the password is missing or wrong.
    /// - `configuration.key_unsupported`: a type, size or encryption that cannot be used; the message gives
    ///   the openssl command that converts it, where there is one.
    pub fn from_pem(pem: &[u8], password: Option<&Secret>) -> Result<Self> {
        let mut keys = pem::blocks(pem).into_iter().filter(|block| block.label.ends_with("PRIVATE KEY"));
        let Some(block) = keys.next() else {
            return Err(unreadable(
                "The PEM text has no private key; a block such as -----BEGIN PRIVATE KEY----- is needed.",
            ));
        };
        if keys.next().is_some() {
            return Err(unreadable("The PEM text has more than one private key; leave only the one to use."));
        }
        if block.encrypted_by_header {
            return Err(unsupported_encryption("in the old OpenSSL way (Proc-Type: 4,ENCRYPTED)"));
        }
        if block.label == "OPENSSH PRIVATE KEY" {
            return Err(unsupported("This is an SSH key; give the key that was made for the certificate."));
        }
        match block.contents {
            Ok(contents) => Self::from_der(&contents, password),
            Err(flaw) => {
                Err(unreadable(format!("The block {} of the private key {}.", block.label, flaw.sentence())))
            }
        }
    }

    /// Reads a key from DER in one of the forms of [`from_pem`](Self::from_pem); the form is recognised.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der(der: &[u8], password: Option<&Secret>) -> Result<Self> {
        match Form::of(der) {
            Some(Form::Pkcs8) => Self::from_pkcs8(der),
            Some(Form::EncryptedPkcs8) => Self::from_pkcs8(&decrypt(der, password)?),
            Some(Form::Pkcs1) => Self::from_rsa(der),
            Some(Form::Sec1) => Self::from_sec1(der, None),
            Some(Form::Pkcs12) => Err(unreadable(
                "This is a PKCS#12 keystore (.p12, .pfx), not a bare key; load it as PKCS#12.",
            )),
            None => Err(unreadable(
                "The private key is neither PEM nor DER in one of the forms PKCS#8, PKCS#1 and SEC 1.",
            )),
        }
    }

    /// The kind of this key.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The key in PKCS#8.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        self.pkcs8.expose()
    }

    /// The key made ready to sign.
    pub(super) fn key_pair(&self) -> Result<KeyPair> {
        KeyPair::from_pkcs8(self.key_type, self.pkcs8()).map_err(|_| inconsistent())
    }

    /// This key, if it is the private half of this public key (a certificate's `subjectPublicKey`); an EC
    /// key whose file left the public key out is completed with it.
    pub(super) fn belonging_to(&self, public_key: &[u8]) -> Option<Self> {
        if let Some(own) = &self.public_key {
            return (own == public_key).then(|| self.clone());
        }
        let info = PrivateKeyInfoRef::from_der(self.pkcs8()).ok()?;
        let ec = EcPrivateKey::from_der(info.private_key.as_bytes()).ok()?;
        let completed = EcPrivateKey {
            private_key: ec.private_key,
            curve: None,
            public_key: Some(BitStringRef::from_bytes(public_key).ok()?),
        };
        let inner = Zeroizing::new(completed.to_der().ok()?);
        let key = Self::from_ec(&inner, info.algorithm).ok()?;
        (key.public_key.as_deref() == Some(public_key)).then_some(key)
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| inconsistent())?;
        let inner = info.private_key.as_bytes();
        match info.algorithm.oid {
            RSA_ENCRYPTION => Self::from_rsa(inner),
            EC_PUBLIC_KEY => Self::from_sec1(inner, Some(info.algorithm)),
            other => Err(unsupported(format!(
                "The private key is of a type that cannot be used here ({other}); an RSA key of 2048 to 4096 bits, or EC P-256 or P-384, is needed."
            ))),
        }
    }

    fn from_rsa(pkcs1: &[u8]) -> Result<Self> {
        let bits = rsa_bits(pkcs1).ok_or_else(inconsistent)?;
        if !RSA_BITS.contains(&bits) {
            return Err(unsupported(format!(
                "The RSA key has {bits} bits; make a new key of 2048 to 4096 bits and have its certificate issued anew."
            )));
        }
        let algorithm = AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) };
        let key_type = KeyType::Rsa { bits };
        let pkcs8 = wrap(algorithm, pkcs1)?;
        let pair = KeyPair::from_pkcs8(key_type, pkcs8.expose()).map_err(|_| inconsistent())?;
        Ok(Self { key_type, pkcs8, public_key: Some(pair.public_key().to_vec()) })
    }

    fn from_sec1(sec1: &[u8], algorithm: Option<AlgorithmIdentifierRef<'_>>) -> Result<Self> {
        let ec = EcPrivateKey::from_der(sec1).map_err(|_| inconsistent())?;
        let named = algorithm.and_then(|algorithm| algorithm.parameters_oid().ok());
        let Some(curve) = named.or(ec.curve) else {
            return Err(unsupported(
                "The EC key does not name its curve; `openssl ec -param_enc named_curve -in key.pem -out key-new.pem` writes the name, if the curve is P-256 or P-384.",
            ));
        };
        let curve = AnyRef::from(&curve);
        let algorithm = AlgorithmIdentifierRef { oid: EC_PUBLIC_KEY, parameters: Some(curve) };
        if ec.public_key.is_some() {
            return Self::from_ec(sec1, algorithm);
        }
        Ok(Self { key_type: curve_type(algorithm)?, pkcs8: wrap(algorithm, sec1)?, public_key: None })
    }

    /// From an `ECPrivateKey` that has its public key.
    fn from_ec(inner: &[u8], algorithm: AlgorithmIdentifierRef<'_>) -> Result<Self> {
        let key_type = curve_type(algorithm)?;
        let pkcs8 = wrap(algorithm, inner)?;
        let pair = KeyPair::from_pkcs8(key_type, pkcs8.expose()).map_err(|_| inconsistent())?;
        Ok(Self { key_type, pkcs8, public_key: Some(pair.public_key().to_vec()) })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, …)", self.key_type)
    }
}

/// The container of a key, told by the first elements of its outer SEQUENCE.
enum Form {
    Pkcs8,
    EncryptedPkcs8,
    Pkcs1,
    Sec1,
    Pkcs12,
}

impl Form {
    fn of(der: &[u8]) -> Option<Self> {
        const PFX_VERSION: &[u8] = &[3];
        let outer = AnyRef::from_der(der).ok().filter(|outer| outer.tag() == Tag::Sequence)?;
        let mut elements = SliceReader::new(outer.value()).ok()?;
        let first = AnyRef::decode(&mut elements).ok()?;
        let second = AnyRef::decode(&mut elements).ok()?;
        match (first.tag(), second.tag()) {
            (Tag::Integer, Tag::Sequence) if first.value() == PFX_VERSION => Some(Self::Pkcs12),
            (Tag::Integer, Tag::Sequence) => Some(Self::Pkcs8),
            (Tag::Integer, Tag::Integer) => Some(Self::Pkcs1),
            (Tag::Integer, Tag::OctetString) => Some(Self::Sec1),
            (Tag::Sequence, Tag::OctetString) => Some(Self::EncryptedPkcs8),
            _ => None,
        }
    }
}

/// The size of the modulus of an `RSAPrivateKey` (RFC 8017 A.1.2).
fn rsa_bits(pkcs1: &[u8]) -> Option<u32> {
    let outer = AnyRef::from_der(pkcs1).ok().filter(|outer| outer.tag() == Tag::Sequence)?;
    let mut elements = SliceReader::new(outer.value()).ok()?;
    u8::decode(&mut elements).ok()?;
    let modulus = UintRef::decode(&mut elements).ok()?;
    unsigned_bits(modulus.as_bytes())
}

/// The size in bits of a big-endian number.
pub(super) fn unsigned_bits(number: &[u8]) -> Option<u32> {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let significant = &number[start..];
    let first = significant.first()?;
    u32::try_from(significant.len()).ok()?.checked_mul(8)?.checked_sub(first.leading_zeros())
}

fn curve_type(algorithm: AlgorithmIdentifierRef<'_>) -> Result<KeyType> {
    match algorithm.parameters_oid() {
        Ok(P256) => Ok(KeyType::EcP256),
        Ok(P384) => Ok(KeyType::EcP384),
        _ => Err(unsupported(
            "The EC key is on a curve that cannot be used here; P-256 or P-384, or an RSA key, is needed.",
        )),
    }
}

/// A PKCS#8 `PrivateKeyInfo` of version 0, which every library reads, around a key.
fn wrap(algorithm: AlgorithmIdentifierRef<'_>, inner: &[u8]) -> Result<SecretBytes> {
    let wrapped = OctetStringRef::new(inner)
        .and_then(|private_key| PrivateKeyInfoRef::new(algorithm, private_key).to_der())
        .map_err(|_| inconsistent())?;
    Ok(SecretBytes::new(wrapped))
}

fn unreadable(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::KeyUnreadable, message)
}

fn inconsistent() -> Error {
    unreadable("The private key is damaged: its parts do not make a usable key; copy the file anew.")
}

fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::KeyUnsupported, message)
}

pub(super) fn unsupported_encryption(how: &str) -> Error {
    unsupported(format!(
        "The private key is encrypted {how}; `openssl pkcs8 -topk8 -v2 aes-256-cbc -in key.pem -out key-new.pem` converts it."
    ))
}

#[cfg(not(feature = "encrypted-keys"))]
fn decrypt(_: &[u8], _: Option<&Secret>) -> Result<Zeroizing<Vec<u8>>> {
    Err(unsupported(
        "The private key is encrypted, and this build of the library opens no encrypted keys; give it as it comes out of a key store, or sign with the key where it is.",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{commands_in, openssl, path, rsa_key};
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    const PASSWORD: &str = "pass:correct horse";

    fn password() -> Secret {
        Secret::new("correct horse")
    }

    fn generate(algorithm: &[&str]) -> Vec<u8> {
        openssl(&[&["genpkey", "-algorithm"], algorithm].concat(), b"")
    }

    fn encrypt(key: &[u8], options: &[&str]) -> Vec<u8> {
        openssl(&[&["pkcs8", "-topk8", "-passout", PASSWORD], options].concat(), key)
    }

    fn ec_key(curve: &str) -> Vec<u8> {
        generate(&["EC", "-pkeyopt", &format!("ec_paramgen_curve:{curve}")])
    }

    fn code_of(result: Result<PrivateKey>) -> ErrorCode {
        result.unwrap_err().code()
    }

    /// The same key in every form that must be read without a password.
    fn plain_forms(key: &[u8]) -> Vec<Vec<u8>> {
        let traditional = openssl(&["pkey", "-traditional"], key);
        vec![
            key.to_vec(),
            openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], key),
            openssl(&["pkey", "-traditional", "-outform", "DER"], key),
            [b"Bag Attributes\n  friendlyName: x\n", &traditional[..], b"-----BEGIN CERTIFICATE-----\n!\n"]
                .concat(),
            [
                b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
                &traditional[..],
            ]
            .concat(),
            String::from_utf8(traditional).unwrap().replace('\n', "\r\n  ").into_bytes(),
        ]
    }

    #[test]
    fn every_plain_form_is_the_same_key() {
        let rsa = rsa_key().serialize_pem().into_bytes();
        let kinds = [
            (rsa, KeyType::Rsa { bits: 2048 }, "RSA 2048"),
            (ec_key("P-256"), KeyType::EcP256, "EC P-256"),
            (ec_key("P-384"), KeyType::EcP384, "EC P-384"),
        ];
        for (key, key_type, name) in kinds {
            let first = PrivateKey::from_pem(&key, None).unwrap();
            assert_eq!(first.key_type(), key_type);
            assert_eq!(format!("{first:?}"), format!("PrivateKey({name}, …)"));
            for form in plain_forms(&key) {
                let read = PrivateKey::from_bytes(&form, None).unwrap();
                assert_eq!(read.public_key, first.public_key, "{name}");
                assert_eq!(read.key_type(), key_type);
            }
        }
    }

    #[test]
    fn encrypted_keys_open_with_their_password_alone() {
        let key = ec_key("P-256");
        let plain = PrivateKey::from_pem(&key, None).unwrap();
        for options in [
            &["-v2", "aes-256-cbc"][..],
            &["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"],
            &["-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA512", "-iter", "100000"],
            &["-v2", "des3"],
            &["-scrypt"],
        ] {
            for form in [encrypt(&key, options), encrypt(&key, &[options, &["-outform", "DER"]].concat())] {
                let read = PrivateKey::from_bytes(&form, Some(&password())).unwrap();
                assert_eq!(read.public_key, plain.public_key, "{options:?}");
                let wrong = PrivateKey::from_bytes(&form, Some(&Secret::new("wrong"))).unwrap_err();
                let missing = PrivateKey::from_bytes(&form, None).unwrap_err();
                assert_eq!((wrong.code(), missing.code()), (ErrorCode::KeyPassword, ErrorCode::KeyPassword));
                assert_ne!(wrong.message(), missing.message());
            }
        }
    }

    #[test]
    fn the_command_in_the_message_converts_what_is_not_supported() {
        let key = rsa_key().serialize_pem().into_bytes();
        let plain = PrivateKey::from_pem(&key, None).unwrap();
        let old_style = openssl(&["pkey", "-traditional", "-aes256", "-passout", PASSWORD], &key);
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("key.pem"), folder.path().join("key-new.pem"));
        for form in [old_style, encrypt(&key, &["-v1", "PBE-SHA1-3DES"])] {
            let error = PrivateKey::from_pem(&form, Some(&password())).unwrap_err();
            assert_eq!(error.code(), ErrorCode::KeyUnsupported);
            std::fs::write(&old, &form).unwrap();
            let command = commands_in(error.message()).remove(0);
            let mut arguments: Vec<&str> = command
                .iter()
                .map(|argument| match argument.as_str() {
                    "key.pem" => path(&old),
                    "key-new.pem" => path(&new),
                    other => other,
                })
                .collect();
            arguments.extend(["-passin", PASSWORD, "-passout", PASSWORD]);
            openssl(&arguments, b"");
            let converted = PrivateKey::from_pem(&std::fs::read(&new).unwrap(), Some(&password())).unwrap();
            assert_eq!(converted.public_key, plain.public_key);
        }
    }

    #[test]
    fn keys_that_cannot_be_used_are_told_apart() {
        // Four small primes are found sooner than two large ones; the size is judged first.
        let rsa = |bits: &str, primes: &str| {
            let (bits, primes) = (format!("rsa_keygen_bits:{bits}"), format!("rsa_keygen_primes:{primes}"));
            generate(&["RSA", "-pkeyopt", &bits, "-pkeyopt", &primes])
        };
        for key in [
            rsa("1024", "2"),
            rsa("4104", "4"),
            ec_key("P-521"),
            ec_key("secp256k1"),
            generate(&["ED25519"]),
            generate(&["RSA-PSS"]),
        ] {
            for form in [&key, &openssl(&["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], &key)] {
                assert_eq!(code_of(PrivateKey::from_bytes(form, None)), ErrorCode::KeyUnsupported);
            }
        }
        assert_eq!(
            code_of(PrivateKey::from_bytes(&encrypt(&rsa("1024", "2"), &["-iter", "1"]), Some(&password()))),
            ErrorCode::KeyUnsupported
        );
    }

    #[test]
    fn what_is_no_single_key_is_unreadable() {
        let key = String::from_utf8(ec_key("P-256")).unwrap();
        let cut = &key[..key.len() - 30];
        let damaged = key.replacen("MIG", "M\\n", 1);
        let truncated = openssl(&["pkey", "-outform", "DER"], key.as_bytes());
        for bytes in [
            &b""[..],
            b"no key",
            b"-----BEGIN CERTIFICATE-----\nIQ==\n-----END CERTIFICATE-----",
            b"-----BEGIN PRIVATE KEY-----\nIQ==\n-----END PRIVATE KEY-----",
            format!("{key}{key}").as_bytes(),
            cut.as_bytes(),
            damaged.as_bytes(),
            &truncated[..truncated.len() - 1],
        ] {
            assert_eq!(code_of(PrivateKey::from_bytes(bytes, None)), ErrorCode::KeyUnreadable);
        }
    }

    #[test]
    fn a_key_with_dashes_missing_does_not_show_in_its_error() {
        let key = String::from_utf8(ec_key("P-256")).unwrap();
        let secret = key.lines().nth(1).unwrap();
        let damaged = key.replacen("KEY-----", "KEY----", 1).replacen("-----END", "----END", 1);
        for text in [damaged.replace('\n', " "), damaged] {
            let error = PrivateKey::from_pem(text.as_bytes(), None).unwrap_err();
            assert_eq!(error.code(), ErrorCode::KeyUnreadable);
            assert!(!error.message().contains(secret), "{error}");
        }
    }

    #[test]
    fn a_key_knows_its_public_half() {
        let (key, other) = (ec_key("P-256"), ec_key("P-256"));
        let key = PrivateKey::from_pem(&key, None).unwrap();
        let other = PrivateKey::from_pem(&other, None).unwrap();
        let public = key.public_key.clone().unwrap();
        assert!(key.belonging_to(&public).is_some());
        assert!(other.belonging_to(&public).is_none());

        let bare = without_public_key(&key);
        assert!(bare.public_key.is_none());
        assert_eq!(bare.belonging_to(&public).unwrap().pkcs8(), key.pkcs8());
        assert!(bare.belonging_to(other.public_key.as_ref().unwrap()).is_none());
        assert!(bare.belonging_to(b"").is_none());
    }

    /// As Java writes EC keys.
    fn without_public_key(key: &PrivateKey) -> PrivateKey {
        let info = PrivateKeyInfoRef::from_der(key.pkcs8()).unwrap();
        let mut ec = EcPrivateKey::from_der(info.private_key.as_bytes()).unwrap();
        ec.public_key = None;
        PrivateKey::from_der(wrap(info.algorithm, &ec.to_der().unwrap()).unwrap().expose(), None).unwrap()
    }

    static SAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let key = ec_key("P-256");
        let mut samples = plain_forms(&key);
        samples.extend(plain_forms(rsa_key().serialize_pem().as_bytes()));
        samples.push(encrypt(&key, &["-iter", "1", "-outform", "DER"]));
        samples
    });

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(PrivateKey::from_bytes(&bytes, Some(&password())).is_err());
        }

        #[test]
        fn damaged_keys_never_panic(sample in 0..13_usize, place in any::<prop::sample::Index>(), value: u8, end in any::<prop::sample::Index>()) {
            let mut bytes = SAMPLES[sample].clone();
            let place = place.index(bytes.len());
            bytes[place] = value;
            let _ = PrivateKey::from_bytes(&bytes, Some(&password()));
            bytes.truncate(end.index(bytes.len()));
            let _ = PrivateKey::from_bytes(&bytes, Some(&password()));
        }
    }
}
