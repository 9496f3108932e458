//! PKCS#12 keystores (`.p12`, `.pfx`; RFC 7292): a certificate, its key and its chain in one file.

use p12_keystore::error::Error as KeystoreError;
use p12_keystore::{Pkcs12Archive, PrivateKeyBag};

use super::certificate_chain::CertificateChain;
use super::private_key::PrivateKey;
use crate::{Error, ErrorCode, Result, Secret};

/// What a PKCS#12 file holds: one private key, and the chain of the certificate it belongs to.
#[derive(Clone, Debug)]
pub struct KeyStore {
    /// The chain, leaf first.
    pub chain: CertificateChain,
    /// The key of the leaf.
    pub key: PrivateKey,
}

impl KeyStore {
    /// Opens a PKCS#12 file as OpenSSL 1.1 and 3 (`-legacy` too), Java's keytool and Windows write it.
    /// When it holds several keys, the first that belongs to one of its certificates counts.
    ///
    /// # Errors
    /// - `configuration.key_password`: the password is wrong.
    /// - `configuration.key_unsupported`: an encryption that is not supported; the message gives the openssl
    ///   command that converts the file.
    /// - `configuration.key_unreadable`: not PKCS#12, or no key in it.
    /// - `configuration.certificate_unreadable`: no certificate in it.
    /// - `configuration.key_mismatch`: its key belongs to none of its certificates.
    pub fn from_pkcs12(bytes: &[u8], password: &Secret) -> Result<Self> {
        let archive =
            Pkcs12Archive::from_pkcs12(bytes, password.expose()).map_err(|error| describe(&error))?;
        if archive.keys.is_empty() {
            return Err(Error::new(
                ErrorCode::KeyUnreadable,
                "The keystore has no private key; export it again with its key.",
            ));
        }
        let chain = CertificateChain::from_ders(archive.certs.iter().map(|bag| bag.cert.as_der()))?;
        let keys = archive.keys.iter().map(read_key).collect::<Result<Vec<_>>>()?;
        let found = keys.iter().find_map(|key| chain.led_by(key));
        let (chain, key) = found.ok_or_else(|| {
            Error::new(
                ErrorCode::KeyMismatch,
                "The private key of the keystore belongs to none of its certificates; export the pair again.",
            )
        })?;
        Ok(Self { chain, key })
    }
}

fn read_key(bag: &PrivateKeyBag) -> Result<PrivateKey> {
    PrivateKey::from_der(bag.key.as_der(), None)
}

fn describe(error: &KeystoreError) -> Error {
    match error {
        // A keystore without MAC betrays a wrong password only when its contents do not decrypt.
        KeystoreError::MacError(_) | KeystoreError::UnpadError | KeystoreError::Pkcs5Error(_) => Error::new(
            ErrorCode::KeyPassword,
            "The password does not open the keystore; give the one it was exported with.",
        ),
        KeystoreError::UnsupportedEncryptionScheme
        | KeystoreError::UnsupportedMacAlgorithm
        | KeystoreError::InvalidParameters
        | KeystoreError::UnsupportedContentType => Error::new(
            ErrorCode::KeyUnsupported,
            "The keystore is encrypted in a way that is not supported; `openssl pkcs12 -legacy -in old.p12 -nodes -out pair.pem` followed by `openssl pkcs12 -export -in pair.pem -out new.p12` converts it (delete pair.pem afterwards).",
        ),
        _ => Error::new(
            ErrorCode::KeyUnreadable,
            "This is not a PKCS#12 keystore, or it is damaged; give the .p12 or .pfx file as it was exported.",
        ),
    }
}
