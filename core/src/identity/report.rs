//! What there is to say about a certificate, for people who have to enrol it at a bank.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::certificate_chain::CertificateChain;
use super::distinguished_name::DistinguishedName;
use super::finding::{Finding, diagnose};
use super::organisation_identifier::OrganisationIdentifier;
use super::private_key::PrivateKey;
use super::qc_statement::{Psd2Role, QcType};
use crate::crypto::{hex, sha1, sha256};
use crate::{Result, Timestamp};

const MILLIS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

/// What a certificate is given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertificateUse {
    /// Mutual TLS with the bank: the QWAC.
    Transport,
    /// Signing requests: the QSealC.
    Seal,
}

/// What to hold a certificate against; only the moment is needed.
#[derive(Clone, Debug)]
pub struct InspectOptions {
    pub(super) now: Timestamp,
    pub(super) intended_use: Option<CertificateUse>,
    pub(super) key: Option<PrivateKey>,
    pub(super) client_id: Option<String>,
    pub(super) accepts_pss: bool,
}

impl InspectOptions {
    /// Findings about validity are as of `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now, intended_use: None, key: None, client_id: None, accepts_pss: false }
    }

    /// Also checks that the certificate was issued for this use.
    #[must_use]
    pub fn for_use(mut self, intended_use: CertificateUse) -> Self {
        self.intended_use = Some(intended_use);
        self
    }

    /// Also checks that the key belongs to the certificate.
    #[must_use]
    pub fn with_key(mut self, key: PrivateKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Also compares the organisation identifier with this client_id, if it looks like one.
    #[must_use]
    pub fn with_client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Whether the bank takes certificates signed with RSASSA-PSS; Groupe BPCE does not. The default is
    /// that it does not: such a certificate is an error then, and worth a mere remark otherwise.
    #[must_use]
    pub fn accepting_pss(mut self, accepts_pss: bool) -> Self {
        self.accepts_pss = accepts_pss;
        self
    }
}

/// Everything known about a certificate (the leaf of its chain), and what is wrong with it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CertificateReport {
    /// Whom it was issued to.
    pub subject: DistinguishedName,
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// The subject's `organizationIdentifier` (2.5.4.97) as it stands, whatever its scheme.
    pub organisation_identifier: Option<String>,
    /// Its parts, when it follows the PSD2 scheme of ETSI TS 119 495.
    pub psd2_identifier: Option<OrganisationIdentifier>,
    /// The PSD2 roles it carries (ETSI TS 119 495); empty when it carries none or no such statement.
    pub psd2_roles: Vec<Psd2Role>,
    /// The name of the authority that gave the roles.
    pub authority_name: Option<String>,
    /// The identifier of that authority, e.g. `FR-ACPR`.
    pub authority_id: Option<String>,
    /// What it was issued for, as a qualified certificate states it (ETSI EN 319 412-5).
    pub qc_types: Vec<QcType>,
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
    /// SHA-256 of the DER as JOSE writes it (RFC 7517 §4.9, base64url): the value of `x5t#S256`.
    #[serde(rename = "x5t#S256")]
    pub x5t_s256: String,
    /// The type of its public key: `RSA`, `EC P-256`, ….
    pub key_type: String,
    /// The size of that key in bits, when it is known.
    pub key_bits: Option<u32>,
    /// How the issuer signed it, by OpenSSL's name, e.g. `sha256WithRSAEncryption`.
    pub signature_algorithm: String,
    /// Subject alternative names: `DNS:…`, `IP:…`, `email:…`, `URI:…`.
    pub alternative_names: Vec<String>,
    /// How many certificates its chain has, itself included.
    pub chain_length: usize,
    /// What is wrong or worth knowing, the gravest first.
    pub findings: Vec<Finding>,
}

impl CertificateReport {
    /// Reports on a certificate, PEM (with its chain in any order) or DER.
    ///
    /// # Errors
    /// `configuration.certificate_unreadable`.
    pub fn inspect(bytes: &[u8], options: &InspectOptions) -> Result<Self> {
        Ok(Self::of(&CertificateChain::from_bytes(bytes)?, options))
    }

    /// Reports on the leaf of a chain; with a key, on the certificate of the chain it belongs to.
    #[must_use]
    pub fn of(chain: &CertificateChain, options: &InspectOptions) -> Self {
        let own = options.key.as_ref().and_then(|key| chain.led_by(key)).map(|(own, _)| own);
        let chain = own.as_ref().unwrap_or(chain);
        let leaf = chain.leaf();
        let statements = leaf.extensions.statements.clone().unwrap_or_default();
        let psd2 = statements.psd2.as_ref();
        let sha256 = sha256(&leaf.der);
        Self {
            subject: leaf.subject.clone(),
            issuer: leaf.issuer.clone(),
            organisation_identifier: leaf.organisation_identifier.clone(),
            psd2_identifier: leaf.psd2_identifier(),
            psd2_roles: psd2.map(|psd2| psd2.roles.clone()).unwrap_or_default(),
            authority_name: psd2.map(|psd2| psd2.authority_name.clone()),
            authority_id: psd2.map(|psd2| psd2.authority_id.clone()),
            qualified: statements.qualified,
            secure_device: statements.secure_device,
            not_before: leaf.not_before,
            not_after: leaf.not_after,
            days_left: days_between(options.now, leaf.not_after),
            serial_hex: leaf.serial.hex.clone(),
            serial_decimal: leaf.serial.decimal.clone(),
            sha1_fingerprint: hex(&sha1(&leaf.der)),
            sha256_fingerprint: hex(&sha256),
            x5t_s256: URL_SAFE_NO_PAD.encode(sha256),
            key_type: leaf.key.type_name.clone(),
            key_bits: leaf.key.bits,
            signature_algorithm: leaf.signature.name.clone(),
            alternative_names: leaf.extensions.alternative_names.clone(),
            chain_length: chain.ders().count(),
            findings: diagnose(chain, options),
            qc_types: statements.types,
        }
    }
}

/// Whole days from one moment to another, rounded down.
pub(super) fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    to.unix_millis().saturating_sub(from.unix_millis()).div_euclid(MILLIS_PER_DAY)
}
