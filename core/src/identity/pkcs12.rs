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

#[cfg(test)]
mod tests {
    use super::super::test_support::{Issued, commands_in, openssl, path, run};
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    const PASSWORD: &str = "changeit";

    fn password() -> Secret {
        Secret::new(PASSWORD)
    }

    struct Pair {
        middle: Issued,
        leaf: Issued,
    }

    fn pair() -> Pair {
        let middle = Issued::root("Root").issue_authority("Middle");
        let leaf = middle.issue_rsa_leaf("Leaf");
        Pair { middle, leaf }
    }

    impl Pair {
        /// The keystore `openssl pkcs12 -export` makes with these options.
        fn export(&self, options: &[&str]) -> Vec<u8> {
            let text = [self.leaf.key_pem(), self.middle.pem(), self.leaf.pem()].concat();
            let out = format!("pass:{PASSWORD}");
            openssl(&[&["pkcs12", "-export", "-passout", &out], options].concat(), text.as_bytes())
        }

        fn assert_is(&self, store: &KeyStore) {
            assert_eq!(store.chain.ders().collect::<Vec<_>>(), [self.leaf.der(), self.middle.der()]);
            assert!(store.key.belonging_to(store.chain.leaf_public_key()).is_some());
        }
    }

    #[test]
    fn keystores_of_openssl_open_with_their_password_alone() {
        let pair = pair();
        for options in [
            &[][..],
            &["-legacy"],
            &["-name", "Émetteur", "-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC", "-macalg", "sha512"],
            &["-keypbe", "NONE", "-certpbe", "NONE"],
            &["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
        ] {
            let bytes = pair.export(options);
            pair.assert_is(&KeyStore::from_pkcs12(&bytes, &password()).unwrap());
            for wrong in ["", "wrong"] {
                let error = KeyStore::from_pkcs12(&bytes, &Secret::new(wrong)).unwrap_err();
                assert_eq!(error.code(), ErrorCode::KeyPassword, "{options:?}");
            }
        }
    }

    #[test]
    fn keystores_of_java_open_even_when_an_ec_key_lacks_its_public_half() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("java.p12");
        for (alias, kind) in
            [("rsa", &["-keyalg", "RSA"][..]), ("ec", &["-keyalg", "EC", "-groupname", "secp384r1"])]
        {
            let common = ["-genkeypair", "-alias", alias, "-dname", "CN=Java, C=FR", "-storetype", "PKCS12"];
            run(
                "keytool",
                &[&common, kind, &["-storepass", PASSWORD, "-keystore", path(&file)]].concat(),
                b"",
            );
            let store = KeyStore::from_pkcs12(&std::fs::read(&file).unwrap(), &password()).unwrap();
            assert!(store.key.key_pair().is_ok(), "{alias}");
            std::fs::remove_file(&file).unwrap();
        }
    }

    #[test]
    fn the_commands_in_the_message_convert_what_is_not_supported() {
        let pair = pair();
        let bytes = pair.export(&["-legacy", "-keypbe", "PBE-SHA1-2DES", "-certpbe", "PBE-SHA1-RC2-128"]);
        let error = KeyStore::from_pkcs12(&bytes, &password()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeyUnsupported);

        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("old.p12"), bytes).unwrap();
        let secret = format!("pass:{PASSWORD}");
        for (command, side) in commands_in(error.message()).into_iter().zip(["-passin", "-passout"]) {
            let arguments: Vec<String> = command
                .into_iter()
                .map(
                    |argument| {
                        if argument.contains('.') { path(&file(&argument)).to_owned() } else { argument }
                    },
                )
                .collect();
            let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            arguments.extend([side, &secret]);
            openssl(&arguments, b"");
        }
        let converted = std::fs::read(file("new.p12")).unwrap();
        pair.assert_is(&KeyStore::from_pkcs12(&converted, &password()).unwrap());
    }

    #[test]
    fn what_is_missing_is_named() {
        let pair = pair();
        let code_of = |bytes: &[u8]| KeyStore::from_pkcs12(bytes, &password()).unwrap_err().code();
        assert_eq!(code_of(&pair.export(&["-nokeys"])), ErrorCode::KeyUnreadable);
        assert_eq!(code_of(b""), ErrorCode::KeyUnreadable);
        assert_eq!(code_of(pair.leaf.pem().as_bytes()), ErrorCode::KeyUnreadable);
        assert_eq!(code_of(&pair.export(&["-nocerts"])), ErrorCode::CertificateUnreadable);

        let other = Issued::root("Other");
        let key = p12_keystore::PrivateKey::from_der(&pair.leaf.key.serialize_der()).unwrap();
        let certificate = p12_keystore::Certificate::from_der(other.der()).unwrap();
        let chain = p12_keystore::PrivateKeyChain::new("id", key, [certificate]);
        let mut mixed = p12_keystore::KeyStore::new();
        mixed.add_entry("mixed", p12_keystore::KeyStoreEntry::PrivateKeyChain(chain));
        assert_eq!(code_of(&mixed.writer(PASSWORD).write().unwrap()), ErrorCode::KeyMismatch);
    }

    static STORE: LazyLock<Vec<u8>> =
        LazyLock::new(|| pair().export(&["-iter", "1", "-keypbe", "NONE", "-certpbe", "NONE", "-nomac"]));

    proptest! {
        #[test]
        fn damaged_keystores_never_panic(place in any::<prop::sample::Index>(), value: u8, end in any::<prop::sample::Index>()) {
            let mut bytes = STORE.clone();
            let place = place.index(bytes.len());
            bytes[place] = value;
            let _ = KeyStore::from_pkcs12(&bytes, &password());
            bytes.truncate(end.index(bytes.len()));
            let _ = KeyStore::from_pkcs12(&bytes, &password());
        }
    }
}
