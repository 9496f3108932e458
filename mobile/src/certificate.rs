//! What there is to say about a certificate.

use cbpii::identity::{self, InspectOptions, PrivateKey};
use cbpii::{Clock, SecretBytes, SystemClock};

use crate::call::direct;
use crate::error::RawFailure;
use crate::mirror::mirror;
use crate::values::Timestamp;

mirror! {
    /// How grave a finding is.
    Severity of identity::Severity {
        /// Banks will refuse; no client is built with this certificate.
        Error,
        /// Some banks may refuse, or will soon.
        Warning,
        /// Worth knowing.
        Information,
    }
}

/// What a certificate is given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CertificateUse {
    /// Mutual TLS with the bank: the QWAC.
    Transport,
    /// Signing requests: the QSealC.
    Seal,
}

/// One thing that is wrong with a certificate, or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// What it is about, as stable text, e.g. `not_a_cbpii`.
    pub code: String,
    /// What was found and what to do, for a person.
    pub sentence: String,
}

impl From<identity::Finding> for Finding {
    fn from(finding: identity::Finding) -> Self {
        Self {
            severity: finding.severity.into(),
            code: finding.code.as_str().to_owned(),
            sentence: finding.sentence,
        }
    }
}

/// A name in every spelling a bank may ask for.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DistinguishedName {
    /// RFC 2253, with numbers and text for what has no keyword there.
    pub rfc2253: String,
    /// RFC 2253, with numbers and hexadecimal DER for what has no keyword there.
    pub rfc2253_hex: String,
    /// RFC 4514, with every name there is.
    pub rfc4514: String,
    /// OpenSSL's line with slashes.
    pub openssl: String,
}

impl From<identity::DistinguishedName> for DistinguishedName {
    fn from(name: identity::DistinguishedName) -> Self {
        Self {
            rfc2253: name.rfc2253,
            rfc2253_hex: name.rfc2253_hex,
            rfc4514: name.rfc4514,
            openssl: name.openssl,
        }
    }
}

/// Everything known about a certificate (the leaf of its chain), and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CertificateReport {
    /// Whom it was issued to.
    pub subject: DistinguishedName,
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// The subject's `organizationIdentifier` (2.5.4.97) as it stands, e.g. `PSDFR-ACPR-12345`.
    pub organisation_identifier: Option<String>,
    /// The country of the authority in it, when it follows the PSD2 scheme of ETSI TS 119 495.
    pub organisation_country: Option<String>,
    /// The authority in it, e.g. `ACPR`, likewise.
    pub organisation_authority: Option<String>,
    /// The number in it, likewise.
    pub organisation_number: Option<String>,
    /// The PSD2 roles it carries, e.g. `PSP_IC`.
    pub psd2_roles: Vec<String>,
    /// The name of the authority that gave the roles.
    pub authority_name: Option<String>,
    /// The identifier of that authority, e.g. `FR-ACPR`.
    pub authority_id: Option<String>,
    /// What it was issued for: `esign`, `eseal`, `web` (ETSI EN 319 412-5).
    pub qc_types: Vec<String>,
    /// Whether it states that it is qualified (QcCompliance).
    pub qualified: bool,
    /// Whether it states that its key is in a qualified device (QcSSCD).
    pub secure_device: bool,
    /// The first moment of its validity.
    pub not_before: Timestamp,
    /// The last moment of its validity.
    pub not_after: Timestamp,
    /// Whole days until `not_after`, rounded down; negative once it has expired.
    pub days_left: i64,
    /// The serial number in lower-case hexadecimal, two digits a byte.
    pub serial_hex: String,
    /// The serial number in decimal.
    pub serial_decimal: String,
    /// SHA-1 of the DER, lower-case hexadecimal without colons.
    pub sha1_fingerprint: String,
    /// SHA-256 of the DER, lower-case hexadecimal without colons.
    pub sha256_fingerprint: String,
    /// SHA-256 of the DER as JOSE writes it: the value of `x5t#S256`.
    pub x5t_s256: String,
    /// The type of its public key: `RSA`, `EC P-256`, ….
    pub key_type: String,
    /// The size of that key in bits, when it is known.
    pub key_bits: Option<i32>,
    /// How the issuer signed it, by OpenSSL's name.
    pub signature_algorithm: String,
    /// Subject alternative names: `DNS:…`, `IP:…`, `email:…`, `URI:…`.
    pub alternative_names: Vec<String>,
    /// How many certificates its chain has, itself included.
    pub chain_length: i32,
    /// What is wrong or worth knowing, the gravest first.
    pub findings: Vec<Finding>,
}

impl From<identity::CertificateReport> for CertificateReport {
    fn from(report: identity::CertificateReport) -> Self {
        let psd2 = report.psd2_identifier.as_ref();
        Self {
            organisation_country: psd2.map(|parts| parts.country().to_owned()),
            organisation_authority: psd2.map(|parts| parts.authority().to_owned()),
            organisation_number: psd2.map(|parts| parts.number().to_owned()),
            subject: report.subject.into(),
            issuer: report.issuer.into(),
            organisation_identifier: report.organisation_identifier,
            psd2_roles: report.psd2_roles.iter().map(ToString::to_string).collect(),
            authority_name: report.authority_name,
            authority_id: report.authority_id,
            qc_types: report.qc_types.iter().map(ToString::to_string).collect(),
            qualified: report.qualified,
            secure_device: report.secure_device,
            not_before: report.not_before,
            not_after: report.not_after,
            days_left: report.days_left,
            serial_hex: report.serial_hex,
            serial_decimal: report.serial_decimal,
            sha1_fingerprint: report.sha1_fingerprint,
            sha256_fingerprint: report.sha256_fingerprint,
            x5t_s256: report.x5t_s256,
            key_type: report.key_type,
            key_bits: report.key_bits.and_then(|bits| i32::try_from(bits).ok()),
            signature_algorithm: report.signature_algorithm,
            alternative_names: report.alternative_names,
            chain_length: i32::try_from(report.chain_length).unwrap_or(i32::MAX),
            findings: report.findings.into_iter().map(Finding::from).collect(),
        }
    }
}

/// What to hold a certificate against.
#[derive(Clone, Debug, Default, uniffi::Record)]
pub struct InspectionOptions {
    /// The present; the device's clock when none is given.
    #[uniffi(default = None)]
    pub at: Option<Timestamp>,
    /// Also checks that the certificate was issued for this use.
    #[uniffi(default = None)]
    pub intended_use: Option<CertificateUse>,
    /// Also compares the organisation identifier with this client_id, if it looks like one.
    #[uniffi(default = None)]
    pub client_id: Option<String>,
    /// Whether the bank takes certificates signed with RSASSA-PSS; Groupe BPCE does not.
    #[uniffi(default = false)]
    pub accepts_pss: bool,
}

/// Reports on a certificate, PEM (with its chain in any order) or DER; with a key (PEM or DER, not encrypted), also on whether the two belong
/// together.
///
/// Throws `configuration.certificate_unreadable`, `configuration.key_…`.
#[uniffi::export]
pub fn inspect_certificate(
    certificate: Vec<u8>,
    options: InspectionOptions,
    key: Option<Vec<u8>>,
) -> Result<CertificateReport, RawFailure> {
    let key = key.map(SecretBytes::new);
    direct(|| {
        let now = options.at.unwrap_or_else(|| SystemClock.now());
        let mut held = InspectOptions::at(now).accepting_pss(options.accepts_pss);
        held = match options.intended_use {
            Some(CertificateUse::Transport) => held.for_use(identity::CertificateUse::Transport),
            Some(CertificateUse::Seal) => held.for_use(identity::CertificateUse::Seal),
            None => held,
        };
        if let Some(client_id) = options.client_id {
            held = held.with_client_id(client_id);
        }
        if let Some(key) = key {
            held = held.with_key(PrivateKey::from_bytes(key.expose(), None)?);
        }
        identity::CertificateReport::inspect(&certificate, &held).map(CertificateReport::from)
    })
}
