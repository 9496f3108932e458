//! Who we are to the bank's TLS: the QWAC.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use super::certificate_chain::CertificateChain;
use super::files::read_pair;
#[cfg(feature = "encrypted-keys")]
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

#[cfg(test)]
mod tests {
    use super::super::signer::{KeySigner, signer_from_fn};
    use super::super::test_support::Issued;
    use super::*;
    use crate::crypto::provider;
    use rustls::pki_types::{CertificateDer, ServerName};
    use rustls::server::WebPkiClientVerifier;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

    struct Bank {
        root: Issued,
        server: Issued,
    }

    impl Bank {
        fn new() -> Self {
            let root = Issued::root("Root");
            let server = root.issue_leaf("Bank");
            Self { root, server }
        }

        fn roots(&self) -> Arc<RootCertStore> {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from(self.root.der().to_vec())).unwrap();
            Arc::new(roots)
        }

        fn server(&self, version: &'static rustls::SupportedProtocolVersion) -> ServerConnection {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(self.roots(), provider()).build().unwrap();
            let own = TransportIdentity::from_pem(
                self.server.pem().as_bytes(),
                self.server.key_pem().as_bytes(),
                None,
            );
            let resolver =
                rustls::sign::SingleCertAndKey::from(own.unwrap().certified_key(&provider()).unwrap());
            let config = ServerConfig::builder_with_provider(provider())
                .with_protocol_versions(&[version])
                .unwrap()
                .with_client_cert_verifier(verifier)
                .with_cert_resolver(Arc::new(resolver));
            ServerConnection::new(Arc::new(config)).unwrap()
        }

        fn client(&self, identity: &TransportIdentity) -> ClientConnection {
            let resolver = rustls::sign::SingleCertAndKey::from(identity.certified_key(&provider()).unwrap());
            let config = ClientConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(self.roots())
                .with_client_cert_resolver(Arc::new(resolver));
            ClientConnection::new(Arc::new(config), ServerName::try_from("issuer.example").unwrap()).unwrap()
        }
    }

    /// A whole handshake in memory; returns the client certificates the server saw.
    fn handshake(
        client: &mut ClientConnection,
        server: &mut ServerConnection,
    ) -> Result<Vec<Vec<u8>>, rustls::Error> {
        while client.is_handshaking() || server.is_handshaking() {
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire).unwrap();
            }
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets()?;
            let mut wire = Vec::new();
            while server.wants_write() {
                server.write_tls(&mut wire).unwrap();
            }
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        Ok(server.peer_certificates().unwrap().iter().map(|certificate| certificate.to_vec()).collect())
    }

    fn identities(leaf: &Issued) -> [TransportIdentity; 2] {
        let chain = CertificateChain::from_pem(leaf.pem().as_bytes()).unwrap();
        let key = PrivateKey::from_pem(leaf.key_pem().as_bytes(), None).unwrap();
        let signer = Arc::new(KeySigner::new(&key).unwrap());
        [
            TransportIdentity::new(chain.clone(), key).unwrap(),
            TransportIdentity::with_signer(chain, signer).unwrap(),
        ]
    }

    #[test]
    fn keys_and_signers_make_handshakes() {
        let bank = Bank::new();
        for leaf in [bank.root.issue_rsa_leaf("Issuer"), bank.root.issue_leaf("Issuer")] {
            for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
                for identity in identities(&leaf) {
                    let seen = handshake(&mut bank.client(&identity), &mut bank.server(version)).unwrap();
                    assert_eq!(seen, [leaf.der()]);
                }
            }
        }
    }

    #[test]
    fn the_error_of_a_signer_comes_out_of_the_handshake() {
        let bank = Bank::new();
        let leaf = bank.root.issue_leaf("Issuer");
        let signer = signer_from_fn([SignatureAlgorithm::EcdsaP256Sha256], |_, _| {
            Err(Error::new(ErrorCode::SignerFailed, "The HSM is away; try again."))
        });
        let chain = CertificateChain::from_der(leaf.der()).unwrap();
        let identity = TransportIdentity::with_signer(chain, Arc::new(signer)).unwrap();
        let error =
            handshake(&mut bank.client(&identity), &mut bank.server(&rustls::version::TLS13)).unwrap_err();
        let rustls::Error::Other(other) = error else { panic!("{error}") };
        assert_eq!(other.0.downcast_ref::<Error>().unwrap().code(), ErrorCode::SignerFailed);
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let root = Issued::root("Root");
        let (one, other, rsa) =
            (root.issue_leaf("One"), root.issue_leaf("Other"), root.issue_rsa_leaf("RSA"));
        for wrong in [&other, &rsa] {
            let error = TransportIdentity::from_pem(one.pem().as_bytes(), wrong.key_pem().as_bytes(), None)
                .unwrap_err();
            assert_eq!(error.code(), ErrorCode::KeyMismatch);
            assert!(error.message().contains("One"), "{}", error.message());
        }
        let both = format!("{}{}{}", root.pem(), other.pem(), one.pem());
        let identity = TransportIdentity::from_pem(both.as_bytes(), one.key_pem().as_bytes(), None).unwrap();
        assert_eq!(identity.chain().leaf().der, one.der());
        assert!(!format!("{identity:?}").contains("BEGIN"));
    }

    #[test]
    fn a_signer_must_offer_what_tls_needs() {
        let root = Issued::root("Root");
        for (leaf, offered) in [
            (root.issue_rsa_leaf("RSA"), SignatureAlgorithm::RsaPkcs1Sha256),
            (root.issue_rsa_leaf("RSA"), SignatureAlgorithm::EcdsaP256Sha256),
            (root.issue_leaf("EC"), SignatureAlgorithm::EcdsaP384Sha384),
        ] {
            let chain = CertificateChain::from_der(leaf.der()).unwrap();
            let signer = Arc::new(signer_from_fn([offered], |_, _| Ok(Vec::new())));
            let error = TransportIdentity::with_signer(chain, signer).unwrap_err();
            assert_eq!(error.code(), ErrorCode::SignerFailed);
        }
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let leaf = root.issue(super::super::test_support::leaf("Ed25519"), key);
        let chain = CertificateChain::from_der(leaf.der()).unwrap();
        let signer = Arc::new(signer_from_fn(SignatureAlgorithm::ALL, |_, _| Ok(Vec::new())));
        let error = TransportIdentity::with_signer(chain, signer).unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeyUnsupported);
    }
}
