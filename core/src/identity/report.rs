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

impl CertificateReport {
    /// The whole report as JSON, for doors that have no serde.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings, numbers and lists of them always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Whole days from one moment to another, rounded down.
pub(super) fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    to.unix_millis().saturating_sub(from.unix_millis()).div_euclid(MILLIS_PER_DAY)
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{Issued, leaf, openssl_text, psd2_leaf, rsa_key};
    use super::*;
    use rcgen::{DnType, DnValue};

    fn noon(day: &str) -> Timestamp {
        format!("{day}T12:00:00Z").parse().unwrap()
    }

    fn qwac() -> Issued {
        let roles = [(3, "PSP_AI"), (4, "PSP_IC")];
        Issued::root("Root").issue(psd2_leaf("Issuer", &[3], &roles), rsa_key())
    }

    fn report_on(issued: &Issued) -> CertificateReport {
        CertificateReport::inspect(issued.der(), &InspectOptions::at(noon("2026-06-01"))).unwrap()
    }

    #[test]
    fn a_psd2_certificate_is_read_whole() {
        let report = report_on(&qwac());
        assert_eq!(report.organisation_identifier.as_deref(), Some("PSDFR-ACPR-12345"));
        assert_eq!(report.psd2_identifier.as_ref().unwrap().authority(), "ACPR");
        assert_eq!(report.psd2_roles, [Psd2Role::AccountInformation, Psd2Role::CardIssuing]);
        assert_eq!(report.authority_id.as_deref(), Some("FR-ACPR"));
        assert_eq!(
            report.authority_name.as_deref(),
            Some("Autorité de contrôle prudentiel et de résolution")
        );
        assert_eq!(report.qc_types, [QcType::Web]);
        assert!(report.qualified && report.secure_device);
        assert_eq!(report.not_before.to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(report.not_after.to_string(), "2027-01-01T00:00:00Z");
        assert_eq!(report.days_left, 213);
        assert_eq!((report.serial_hex.as_str(), report.serial_decimal.as_str()), ("0abcdef0", "180150000"));
        assert_eq!((report.key_type.as_str(), report.key_bits), ("RSA", Some(2048)));
        assert_eq!(report.signature_algorithm, "ecdsa-with-SHA256");
        assert_eq!(report.alternative_names, ["DNS:issuer.example"]);
        assert_eq!(report.chain_length, 1);
    }

    #[test]
    fn openssl_says_the_same() {
        let issued = qwac();
        let report = report_on(&issued);
        let pem = issued.pem();
        let ask = |what: &[&str]| openssl_text(&[&["x509", "-noout"], what].concat(), pem.as_bytes());
        let name = |style: &str| ask(&["-subject", "-issuer", "-nameopt", style]);
        let lines = |subject: &str, issuer: &str| format!("subject={subject}\nissuer={issuer}");
        assert_eq!(lines(&report.subject.openssl, &report.issuer.openssl), name("compat"));
        assert_eq!(
            lines(&report.subject.rfc4514, &report.issuer.rfc4514),
            name("esc_2253,esc_ctrl,utf8,sep_comma_plus,dn_rev,sname")
        );
        let fingerprint = |kind: &str| ask(&["-fingerprint", kind]).to_lowercase().replace(':', "");
        assert_eq!(format!("sha1 fingerprint={}", report.sha1_fingerprint), fingerprint("-sha1"));
        assert_eq!(format!("sha256 fingerprint={}", report.sha256_fingerprint), fingerprint("-sha256"));
    }

    #[test]
    fn names_are_spelled_in_every_way() {
        let subject = report_on(&qwac()).subject;
        assert_eq!(subject.rfc2253, r"2.5.4.97=PSDFR-ACPR-12345,O=Émetteur\, SA,CN=Issuer,C=FR");
        assert_eq!(
            subject.rfc2253_hex,
            r"2.5.4.97=#0c1050534446522d414350522d3132333435,O=Émetteur\, SA,CN=Issuer,C=FR"
        );
        assert_eq!(
            subject.rfc4514,
            r"organizationIdentifier=PSDFR-ACPR-12345,O=Émetteur\, SA,CN=Issuer,C=FR"
        );
        assert_eq!(
            subject.openssl,
            r"/C=FR/CN=Issuer/O=\xC3\x89metteur, SA/organizationIdentifier=PSDFR-ACPR-12345"
        );
    }

    #[test]
    fn every_string_type_has_a_text() {
        let mut params = leaf("x");
        let name = &mut params.distinguished_name;
        name.push(DnType::OrganizationName, DnValue::BmpString("Société".try_into().unwrap()));
        name.push(DnType::LocalityName, DnValue::UniversalString("Orléans".try_into().unwrap()));
        name.push(DnType::StateOrProvinceName, DnValue::TeletexString("Loiret".try_into().unwrap()));
        name.push(DnType::OrganizationalUnitName, DnValue::PrintableString("Cards".try_into().unwrap()));
        name.push(
            DnType::CustomDnType(vec![1, 2, 840, 113549, 1, 9, 1]),
            DnValue::Ia5String("a@b.fr".try_into().unwrap()),
        );
        let issued = Issued::root("Root").issue(params, rsa_key());
        let subject = report_on(&issued).subject;
        assert_eq!(subject.rfc4514, "emailAddress=a@b.fr,OU=Cards,ST=Loiret,L=Orléans,O=Société,CN=x,C=FR");
        let said =
            openssl_text(&["x509", "-noout", "-subject", "-nameopt", "compat"], issued.pem().as_bytes());
        assert_eq!(format!("subject={}", subject.openssl), said);
    }

    #[test]
    fn the_report_serialises_under_stable_names() {
        let report = report_on(&qwac());
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["psd2_roles"], serde_json::json!(["PSP_AI", "PSP_IC"]));
        assert_eq!(json["qc_types"], serde_json::json!(["web"]));
        assert_eq!(json["x5t#S256"], report.x5t_s256);
        assert_eq!(json["not_after"], "2027-01-01T00:00:00Z");
        assert_eq!(json["findings"][0]["severity"], "warning");
        assert_eq!(json["findings"][0]["code"], "chain_incomplete");
    }

    #[test]
    fn days_are_whole_and_rounded_down() {
        let end = noon("2026-06-10");
        assert_eq!(days_between(noon("2026-06-09"), end), 1);
        assert_eq!(days_between(Timestamp::from_unix_seconds(end.unix_seconds() - 1), end), 0);
        assert_eq!(days_between(Timestamp::from_unix_seconds(end.unix_seconds() + 1), end), -1);
        assert_eq!(days_between(noon("2026-06-11"), end), -1);
    }
}
