//! Who the issuer is: certificates and keys.

use std::sync::Arc;

use cbpii::identity::{
    CertificateChain, CertificateReport, CertificateUse, InspectOptions, PrivateKey, SignatureAlgorithm,
    Signer,
};
use cbpii::{Bank, Error, ErrorCode, SecretBytes};
use napi::bindgen_prelude::{ClassInstance, Function, Uint8Array, Unknown};
use napi_derive::napi;

use crate::call::{Outcome, direct};
use crate::consent::at;
use crate::secret::Secret;
use crate::signer::{JsSigner, Signing};

type SignFunction<'env> = Function<'env, Signing, Unknown<'static>>;

fn exposed(password: Option<ClassInstance<'_, Secret>>) -> Option<cbpii::Secret> {
    password.map(|password| password.0.clone())
}

fn signer(sign: &SignFunction<'_>, algorithms: &[String]) -> cbpii::Result<Arc<dyn Signer>> {
    let algorithms: Vec<SignatureAlgorithm> =
        algorithms.iter().map(|name| name.parse()).collect::<cbpii::Result<_>>()?;
    if algorithms.is_empty() {
        return Err(Error::new(ErrorCode::OptionValue, "The signer offers no algorithm; name at least one."));
    }
    let signer = JsSigner::new(sign, algorithms)
        .map_err(|error| Error::new(ErrorCode::Internal, format!("The signer cannot be called: {error}.")))?;
    Ok(Arc::new(signer))
}

fn subject(chain: &CertificateChain) -> String {
    chain.report(at(None)).subject.rfc4514
}

/// Who we are to the bank's TLS.
#[napi]
pub struct TransportIdentity(cbpii::identity::TransportIdentity);

#[napi]
impl TransportIdentity {
    #[napi(catch_unwind)]
    pub fn subject(&self) -> Outcome<String> {
        direct(|| Ok(subject(self.0.chain())))
    }
}

#[napi(catch_unwind)]
pub fn transport_identity(
    certificate: &[u8],
    key: &[u8],
    password: Option<ClassInstance<'_, Secret>>,
) -> Outcome<TransportIdentity> {
    let password = exposed(password);
    direct(|| {
        let (chain, key) = (CertificateChain::from_bytes(certificate)?, private_key(key, password.as_ref())?);
        cbpii::identity::TransportIdentity::new(chain, key).map(TransportIdentity)
    })
}

#[napi(catch_unwind)]
pub fn transport_identity_from_pkcs12(keystore: &[u8], password: &Secret) -> Outcome<TransportIdentity> {
    direct(|| {
        let keystore = SecretBytes::new(keystore);
        cbpii::identity::TransportIdentity::from_pkcs12(keystore.expose(), &password.0).map(TransportIdentity)
    })
}

#[napi(catch_unwind)]
pub fn transport_identity_with_signer(
    certificate: &[u8],
    algorithms: Vec<String>,
    sign: SignFunction<'_>,
) -> Outcome<TransportIdentity> {
    direct(|| {
        let (chain, signer) = (CertificateChain::from_bytes(certificate)?, signer(&sign, &algorithms)?);
        cbpii::identity::TransportIdentity::with_signer(chain, signer).map(TransportIdentity)
    })
}

/// Who signs our requests.
#[napi]
pub struct SealIdentity(cbpii::identity::SealIdentity);

#[napi]
impl SealIdentity {
    #[napi(catch_unwind)]
    pub fn subject(&self) -> Outcome<String> {
        direct(|| Ok(subject(self.0.chain())))
    }

    #[napi(catch_unwind)]
    pub fn key_id(&self) -> Option<String> {
        self.0.key_id().map(ToOwned::to_owned)
    }
}

fn seal(
    key_id: Option<String>,
    make: impl FnOnce() -> cbpii::Result<cbpii::identity::SealIdentity>,
) -> Outcome<SealIdentity> {
    direct(|| {
        let identity = make()?;
        match key_id {
            Some(key_id) => identity.with_key_id(key_id),
            None => Ok(identity),
        }
        .map(SealIdentity)
    })
}

#[napi(catch_unwind)]
pub fn seal_identity(
    certificate: &[u8],
    key: &[u8],
    password: Option<ClassInstance<'_, Secret>>,
    key_id: Option<String>,
) -> Outcome<SealIdentity> {
    let password = exposed(password);
    seal(key_id, || {
        let (chain, key) = (CertificateChain::from_bytes(certificate)?, private_key(key, password.as_ref())?);
        cbpii::identity::SealIdentity::new(chain, key)
    })
}

#[napi(catch_unwind)]
pub fn seal_identity_from_pkcs12(
    keystore: &[u8],
    password: &Secret,
    key_id: Option<String>,
) -> Outcome<SealIdentity> {
    seal(key_id, || {
        let keystore = SecretBytes::new(keystore);
        cbpii::identity::SealIdentity::from_pkcs12(keystore.expose(), &password.0)
    })
}

#[napi(catch_unwind)]
pub fn seal_identity_with_signer(
    certificate: &[u8],
    algorithms: Vec<String>,
    sign: SignFunction<'_>,
    key_id: Option<String>,
) -> Outcome<SealIdentity> {
    seal(key_id, || {
        let (chain, signer) = (CertificateChain::from_bytes(certificate)?, signer(&sign, &algorithms)?);
        Ok(cbpii::identity::SealIdentity::with_signer(chain, signer))
    })
}

fn private_key(key: &[u8], password: Option<&cbpii::Secret>) -> cbpii::Result<PrivateKey> {
    PrivateKey::from_bytes(key, password)
}

/// One thing found about a certificate.
#[napi(object, object_from_js = false)]
pub struct Finding {
    pub severity: String,
    pub code: String,
    pub sentence: String,
}

/// The card issuer.
#[napi]
pub struct Issuer(pub(crate) cbpii::Issuer);

#[napi]
impl Issuer {
    #[napi(catch_unwind)]
    pub fn check(&self, bank: String, now: Option<f64>) -> Outcome<Vec<Finding>> {
        direct(|| {
            let findings = self.0.check(&Bank::from_json(&bank)?, at(now));
            let finding = |one: &cbpii::identity::Finding| Finding {
                severity: one.severity.as_str().to_owned(),
                code: one.code.as_str().to_owned(),
                sentence: one.sentence.clone(),
            };
            Ok(findings.iter().map(finding).collect())
        })
    }
}

#[napi(catch_unwind)]
pub fn issuer(
    client_id: String,
    redirect_uri: String,
    client_secret: Option<ClassInstance<'_, Secret>>,
    transport: Option<ClassInstance<'_, TransportIdentity>>,
    seal: Option<ClassInstance<'_, SealIdentity>>,
) -> Outcome<Issuer> {
    direct(|| {
        let mut issuer = cbpii::Issuer::new(client_id, redirect_uri)?;
        if let Some(secret) = client_secret {
            issuer = issuer.with_client_secret(secret.0.clone())?;
        }
        if let Some(transport) = transport {
            issuer = issuer.with_transport(transport.0.clone());
        }
        if let Some(seal) = seal {
            issuer = issuer.with_seal(seal.0.clone());
        }
        Ok(Issuer(issuer))
    })
}

/// How a certificate is looked at.
#[napi(object, object_to_js = false)]
pub struct CertificateQuestion {
    pub r#use: Option<String>,
    pub key: Option<Uint8Array>,
    pub client_id: Option<String>,
    pub accept_pss: Option<bool>,
    pub now: Option<f64>,
}

/// A report on a certificate, as JSON.
#[napi(catch_unwind)]
pub fn inspect_certificate(
    certificate: &[u8],
    question: CertificateQuestion,
    password: Option<ClassInstance<'_, Secret>>,
) -> Outcome<String> {
    let password = exposed(password);
    direct(|| {
        let accepts_pss = question.accept_pss.unwrap_or_default();
        let mut options = InspectOptions::at(at(question.now)).accepting_pss(accepts_pss);
        if let Some(name) = &question.r#use {
            options = options.for_use(certificate_use(name)?);
        }
        if let Some(key) = &question.key {
            options = options.with_key(private_key(key, password.as_ref())?);
        }
        if let Some(client_id) = question.client_id {
            options = options.with_client_id(client_id);
        }
        Ok(CertificateReport::of(&CertificateChain::from_bytes(certificate)?, &options).to_json())
    })
}

fn certificate_use(name: &str) -> cbpii::Result<CertificateUse> {
    match name {
        "transport" => Ok(CertificateUse::Transport),
        "seal" => Ok(CertificateUse::Seal),
        _ => {
            let message = "The use of a certificate is neither transport nor seal; use one of them.";
            Err(Error::new(ErrorCode::OptionValue, message))
        }
    }
}
