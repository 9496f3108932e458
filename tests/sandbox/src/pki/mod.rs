//! The certificates of the sandbox: an authority, the TPP's QWAC and QSealC, their wrong variants, and the bank's own.

pub(crate) mod forms;
mod keys;
mod qc_statements;
mod rsassa_pss;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SerialNumber,
};
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::error::SandboxError;
use qc_statements::{QcType, Role};

use keys::{KeyRing, key_ring};

/// Subject attribute `organizationIdentifier` (ETSI EN 319 412-1).
const ORGANIZATION_IDENTIFIER: &[u64] = &[2, 5, 4, 97];
const AUTHORITY_NAME: &str = "Autorite de controle prudentiel et de resolution";
const AUTHORITY_ID: &str = "FR-ACPR";

/// A certificate with its chain, leaf first, and the private key handed over with it.
#[derive(Clone)]
pub(crate) struct Credential {
    /// A short name, used for the files.
    pub(crate) name: &'static str,
    /// What is right or wrong about it.
    pub(crate) note: &'static str,
    /// Leaf first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// PKCS#8.
    pub(crate) key: Vec<u8>,
}

impl Credential {
    pub(crate) fn leaf(&self) -> &CertificateDer<'static> {
        &self.chain[0]
    }
}

/// Everything a sandbox issues when it starts.
pub(crate) struct Pki {
    /// What a client must trust, and what the bank trusts.
    pub(crate) root: CertificateDer<'static>,
    /// The authority between the root and the TPP.
    pub(crate) intermediate: CertificateDer<'static>,
    /// The honest transport certificate.
    pub(crate) qwac: Credential,
    /// The honest seal.
    pub(crate) qsealc: Credential,
    /// QWACs a bank should not accept, and a few it may.
    pub(crate) variants: Vec<Credential>,
    /// Server certificates: good, expired, for another host, from an unknown issuer.
    pub(crate) servers: Vec<Credential>,
    /// The bank's own seal, for signed answers.
    pub(crate) bank_seal: Credential,
}

/// How one TPP certificate is made.
struct Recipe<'a> {
    name: &'static str,
    note: &'static str,
    organisation: &'a str,
    kind: QcType,
    roles: &'a [Role],
    from_days: i64,
    until_days: i64,
    key: &'a KeyPair,
}

/// An authority that can sign: its parameters, its certificate and its key.
struct Authority<'a> {
    issuer: Issuer<'a, &'a KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Pki {
    /// Issues everything for the TPP `organisation`.
    pub(crate) fn issue(organisation: &str) -> Result<Self, SandboxError> {
        let keys = key_ring()?;
        let root = Authority::root("Sandbox Root CA", &keys.root)?;
        let intermediate = root.subordinate("Sandbox Qualified CA", &keys.intermediate)?;
        let foreign = Authority::root("Unknown Root CA", &keys.stranger)?;
        let honest = Recipe {
            name: "qwac",
            note: "the QWAC, as it should be",
            organisation,
            kind: QcType::Web,
            roles: &[Role::Ic],
            from_days: -30,
            until_days: 700,
            key: &keys.qwac,
        };
        let seal = Recipe {
            name: "qsealc",
            note: "the QSealC, as it should be",
            kind: QcType::Seal,
            key: &keys.qsealc,
            ..honest
        };
        let bank = Recipe {
            name: "bank-seal",
            note: "the bank's own seal, which signs its answers",
            organisation: "PSDFR-ACPR-17515",
            key: &keys.bank_seal,
            ..seal
        };
        Ok(Self {
            qwac: intermediate.tpp(&honest)?,
            qsealc: intermediate.tpp(&seal)?,
            variants: variants(&honest, &intermediate, &foreign, keys)?,
            servers: servers(&root, &foreign, keys)?,
            bank_seal: intermediate.tpp(&bank)?,
            root: root.certificate,
            intermediate: intermediate.certificate,
        })
    }
}

fn variants(
    honest: &Recipe<'_>,
    intermediate: &Authority<'_>,
    foreign: &Authority<'_>,
    keys: &KeyRing,
) -> Result<Vec<Credential>, SandboxError> {
    let both = &[Role::Ai, Role::Ic];
    let recipes = [
        Recipe { name: "no-role", note: "no PSD2 statement at all", roles: &[], ..*honest },
        Recipe { name: "other-role", note: "PSP_AI only", roles: &[Role::Ai], ..*honest },
        Recipe { name: "several-roles", note: "PSP_AI and PSP_IC; accepted", roles: both, ..*honest },
        Recipe { name: "expired", note: "ended 10 days ago", from_days: -400, until_days: -10, ..*honest },
        Recipe { name: "not-yet-valid", note: "starts in 10 days", from_days: 10, ..*honest },
        Recipe { name: "expires-soon", note: "ends in 10 days; accepted", until_days: 10, ..*honest },
        Recipe {
            name: "other-organisation",
            note: "of PSDFR-ACPR-99999, which is not registered",
            organisation: "PSDFR-ACPR-99999",
            ..*honest
        },
        Recipe { name: "ec-p256", note: "an elliptic curve key; accepted", key: &keys.elliptic, ..*honest },
        Recipe { name: "eseal-as-qwac", note: "QcType eSeal used for TLS", kind: QcType::Seal, ..*honest },
    ];
    let mut out = recipes.iter().map(|recipe| intermediate.tpp(recipe)).collect::<Result<Vec<_>, _>>()?;
    let unknown = Recipe { name: "unknown-ca", note: "from an authority the bank does not know", ..*honest };
    out.push(foreign.tpp(&unknown)?);
    let mut mismatched = intermediate.tpp(&Recipe {
        name: "key-mismatch",
        note: "the key is of another certificate",
        ..*honest
    })?;
    mismatched.key = keys.stranger.serialize_der();
    out.push(mismatched);
    let mut pss = intermediate.tpp(&Recipe {
        name: "rsassa-pss",
        note: "the authority signed it with RSASSA-PSS",
        ..*honest
    })?;
    let signer = aws_lc_rs::signature::RsaKeyPair::from_pkcs8(keys.intermediate.serialized_der())
        .map_err(|error| SandboxError::Pki(error.to_string()))?;
    pss.chain[0] = CertificateDer::from(rsassa_pss::resign(pss.leaf(), &signer)?);
    out.push(pss);
    Ok(out)
}

fn servers(
    root: &Authority<'_>,
    foreign: &Authority<'_>,
    keys: &KeyRing,
) -> Result<Vec<Credential>, SandboxError> {
    let here = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let elsewhere = ["elsewhere.example".to_owned()];
    Ok(vec![
        root.server("good", "for localhost and 127.0.0.1", &here, -1, 365, &keys.server)?,
        root.server("expired", "ended 10 days ago", &here, -400, -10, &keys.server)?,
        root.server("other-host", "for elsewhere.example only", &elsewhere, -1, 365, &keys.server)?,
        foreign.server("unknown-issuer", "from an unknown authority", &here, -1, 365, &keys.server)?,
    ])
}

impl<'a> Authority<'a> {
    fn root(name: &str, key: &'a KeyPair) -> Result<Self, SandboxError> {
        let params = authority_params(name, BasicConstraints::Unconstrained)?;
        let certificate = params.self_signed(key)?.der().clone();
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    fn subordinate<'b>(&self, name: &str, key: &'b KeyPair) -> Result<Authority<'b>, SandboxError> {
        let params = authority_params(name, BasicConstraints::Constrained(0))?;
        let certificate = params.signed_by(key, &self.issuer)?.der().clone();
        Ok(Authority { issuer: Issuer::new(params, key), certificate })
    }

    /// A TPP certificate, whose chain goes up to, and without, the root.
    fn tpp(&self, recipe: &Recipe<'_>) -> Result<Credential, SandboxError> {
        let mut params = leaf_params(&[], recipe.from_days, recipe.until_days)?;
        let subject = &mut params.distinguished_name;
        subject.push(DnType::CountryName, country()?);
        subject.push(DnType::OrganizationName, "Carte Exemple SA");
        subject.push(DnType::CustomDnType(ORGANIZATION_IDENTIFIER.to_vec()), recipe.organisation);
        subject.push(DnType::CommonName, "tpp.carte-exemple.example");
        match recipe.kind {
            QcType::Web => {
                params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
                params.extended_key_usages =
                    vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
                params.subject_alt_names =
                    vec![rcgen::SanType::DnsName("tpp.carte-exemple.example".try_into()?)];
            }
            QcType::Seal => {
                params.key_usages =
                    vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::ContentCommitment];
            }
        }
        params.custom_extensions.push(qc_statements::policy(recipe.kind));
        let statements = qc_statements::encode(recipe.kind, recipe.roles, AUTHORITY_NAME, AUTHORITY_ID);
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(qc_statements::EXTENSION, statements));
        let leaf = params.signed_by(recipe.key, &self.issuer)?.der().clone();
        Ok(Credential {
            name: recipe.name,
            note: recipe.note,
            chain: vec![leaf, self.certificate.clone()],
            key: recipe.key.serialize_der(),
        })
    }

    fn server(
        &self,
        name: &'static str,
        note: &'static str,
        hosts: &[String],
        from_days: i64,
        until_days: i64,
        key: &KeyPair,
    ) -> Result<Credential, SandboxError> {
        let mut params = leaf_params(hosts, from_days, until_days)?;
        params.distinguished_name.push(DnType::CommonName, "Sandbox Bank");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = params.signed_by(key, &self.issuer)?.der().clone();
        Ok(Credential { name, note, chain: vec![leaf], key: key.serialize_der() })
    }
}

fn authority_params(name: &str, constraints: BasicConstraints) -> Result<CertificateParams, SandboxError> {
    let mut params = leaf_params(&[], -500, 3650)?;
    params.distinguished_name.push(DnType::CountryName, country()?);
    params.distinguished_name.push(DnType::OrganizationName, "Sandbox QTSP");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(constraints);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// A country is a PrintableString (RFC 5280, appendix A.1), where rcgen writes UTF8String by itself.
fn country() -> Result<DnValue, SandboxError> {
    Ok(DnValue::PrintableString("FR".try_into()?))
}

/// Validity relative to today and a fresh serial number; the subject is still empty.
fn leaf_params(hosts: &[String], from_days: i64, until_days: i64) -> Result<CertificateParams, SandboxError> {
    let now = OffsetDateTime::now_utc();
    let mut serial = *uuid::Uuid::new_v4().as_bytes();
    serial[0] = serial[0] & 0x3f | 0x40; // positive and never shortened
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = DistinguishedName::new();
    params.not_before = now + Duration::days(from_days);
    params.not_after = now + Duration::days(until_days);
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}
