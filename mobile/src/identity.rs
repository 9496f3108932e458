//! Who asks: the issuer, its certificates and keys.

use std::sync::Arc;

use cbpii::identity::{CertificateChain, SealIdentity, TransportIdentity};
use cbpii::{Clock, Issuer, Secret, SystemClock};

use crate::bank::RawBank;
use crate::call::direct;
use crate::certificate::Finding;
use crate::error::RawFailure;
use crate::object::object;
use crate::seam::{ForeignSigner, RawSigner};
use crate::values::Timestamp;

object! {
    /// The certificate chain and the key with which the issuer authenticates in mutual TLS: the QWAC.
    RawTransportIdentity(TransportIdentity), |identity| format!("{identity:?}")
}

#[uniffi::export]
impl RawTransportIdentity {
    /// From PEM: the certificates in any order, and the key (PKCS#8, PKCS#1, SEC1), not encrypted: the
    /// platform's own key store opens PKCS#12 and what is under a password.
    ///
    /// Throws `configuration.certificate_unreadable`, `configuration.key_…`.
    #[uniffi::constructor]
    pub fn from_pem(chain: String, key: String) -> Result<Arc<Self>, RawFailure> {
        let key = Secret::new(key);
        direct(|| TransportIdentity::from_pem(chain.as_bytes(), key.expose().as_bytes(), None).map(Self::of))
    }

    /// With a key that stays where it is. `chain` is PEM or DER.
    ///
    /// Throws `configuration.certificate_unreadable`, `configuration.key_unsupported`, `configuration.signer_failed` when the
    /// signer offers nothing that TLS 1.3 can use with this certificate.
    #[uniffi::constructor]
    pub fn with_signer(chain: Vec<u8>, signer: Arc<dyn RawSigner>) -> Result<Arc<Self>, RawFailure> {
        direct(|| {
            let chain = CertificateChain::from_bytes(&chain)?;
            TransportIdentity::with_signer(chain, ForeignSigner::of(signer)?).map(Self::of)
        })
    }
}

object! {
    /// The certificate chain and the key that signs requests: the QSealC.
    RawSealIdentity(SealIdentity), |identity| format!("{identity:?}")
}

fn sealed(seal: SealIdentity, key_id: Option<String>) -> cbpii::Result<Arc<RawSealIdentity>> {
    let seal = match key_id {
        Some(key_id) => seal.with_key_id(key_id)?,
        None => seal,
    };
    Ok(RawSealIdentity::of(seal))
}

#[uniffi::export]
impl RawSealIdentity {
    /// From PEM, as for the QWAC. `key_id` is the whole keyId to write, instead of the one the bank's record would make.
    ///
    /// Throws `configuration.certificate_unreadable`, `configuration.key_…`, `configuration.header`.
    #[uniffi::constructor]
    pub fn from_pem(chain: String, key: String, key_id: Option<String>) -> Result<Arc<Self>, RawFailure> {
        let key = Secret::new(key);
        direct(|| {
            let key = key.expose().as_bytes();
            sealed(SealIdentity::from_pem(chain.as_bytes(), key, None)?, key_id)
        })
    }

    /// With a key that stays where it is. `chain` is PEM or DER. The signer is not tried here.
    ///
    /// Throws `configuration.certificate_unreadable`, `configuration.signer_failed`, `configuration.header`.
    #[uniffi::constructor]
    pub fn with_signer(
        chain: Vec<u8>,
        signer: Arc<dyn RawSigner>,
        key_id: Option<String>,
    ) -> Result<Arc<Self>, RawFailure> {
        direct(|| {
            let chain = CertificateChain::from_bytes(&chain)?;
            sealed(SealIdentity::with_signer(chain, ForeignSigner::of(signer)?), key_id)
        })
    }
}

object! {
    /// A card issuer in the PSD2 role CBPII, as the banks know it.
    RawIssuer(Issuer), |issuer| format!("{issuer:?}")
}

#[uniffi::export]
impl RawIssuer {
    /// An issuer by its `client_id` and its redirect URI, which is kept byte for byte; with the client secret that some banks
    /// want, and its certificates, where they are on this device at all.
    ///
    /// Throws `configuration.client_id`, `configuration.redirect_uri`, `configuration.client_secret`.
    #[uniffi::constructor]
    pub fn new(
        client_id: String,
        redirect_uri: String,
        client_secret: Option<String>,
        transport: Option<Arc<RawTransportIdentity>>,
        seal: Option<Arc<RawSealIdentity>>,
    ) -> Result<Arc<Self>, RawFailure> {
        let client_secret = client_secret.map(Secret::new);
        direct(|| {
            let mut issuer = Issuer::new(client_id, redirect_uri)?;
            if let Some(secret) = client_secret {
                issuer = issuer.with_client_secret(secret)?;
            }
            if let Some(transport) = transport {
                issuer = issuer.with_transport(transport.inner.clone());
            }
            if let Some(seal) = seal {
                issuer = issuer.with_seal(seal.inner.clone());
            }
            Ok(Self::of(issuer))
        })
    }

    /// The client_id.
    pub fn client_id(&self) -> String {
        self.inner.client_id().to_owned()
    }

    /// The redirect URI, byte for byte.
    pub fn redirect_uri(&self) -> String {
        self.inner.redirect_uri().to_owned()
    }

    /// Every finding of both certificates that matters at this bank. `at` is the present.
    ///
    /// Throws `internal`.
    pub fn check(&self, bank: Arc<RawBank>, at: Option<Timestamp>) -> Result<Vec<Finding>, RawFailure> {
        direct(|| {
            let findings = self.inner.check(&bank.inner, at.unwrap_or_else(|| SystemClock.now()));
            Ok(findings.into_iter().map(Finding::from).collect())
        })
    }
}
