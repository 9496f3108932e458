//! What a qualified certificate states about itself: the QCStatements extension (RFC 3739 §3.2.6) with the
//! statements of ETSI EN 319 412-5 and, for payment service providers, of ETSI TS 119 495.

use std::fmt;

use serde::Serialize;
use x509_parser::asn1_rs::{Any, FromDer, Oid, Tag};

use super::distinguished_name::text;

const COMPLIANCE: &str = "0.4.0.1862.1.1";
const SECURE_DEVICE: &str = "0.4.0.1862.1.4";
const TYPE: &str = "0.4.0.1862.1.6";
const PSD2: &str = "0.4.0.19495.2";

/// The extension that holds the statements.
pub(super) const EXTENSION: &str = "1.3.6.1.5.5.7.1.3";

/// What a payment service provider is authorised to be (PSD2, ETSI TS 119 495 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub enum Psd2Role {
    /// `PSP_AS`, account servicing: a bank.
    #[serde(rename = "PSP_AS")]
    AccountServicing,
    /// `PSP_PI`, payment initiation.
    #[serde(rename = "PSP_PI")]
    PaymentInitiation,
    /// `PSP_AI`, account information.
    #[serde(rename = "PSP_AI")]
    AccountInformation,
    /// `PSP_IC`, issuing of card-based payment instruments: what funds confirmation needs.
    #[serde(rename = "PSP_IC")]
    CardIssuing,
}

impl Psd2Role {
    /// Every role, in ETSI's order.
    pub const ALL: [Self; 4] =
        [Self::AccountServicing, Self::PaymentInitiation, Self::AccountInformation, Self::CardIssuing];

    /// ETSI's name, e.g. `PSP_IC`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountServicing => "PSP_AS",
            Self::PaymentInitiation => "PSP_PI",
            Self::AccountInformation => "PSP_AI",
            Self::CardIssuing => "PSP_IC",
        }
    }

    const fn oid(self) -> &'static str {
        match self {
            Self::AccountServicing => "0.4.0.19495.1.1",
            Self::PaymentInitiation => "0.4.0.19495.1.2",
            Self::AccountInformation => "0.4.0.19495.1.3",
            Self::CardIssuing => "0.4.0.19495.1.4",
        }
    }
}

impl fmt::Display for Psd2Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a qualified certificate was issued for (ETSI EN 319 412-5 §4.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum QcType {
    /// Electronic signatures of a person.
    ESign,
    /// Electronic seals of an organisation: a QSealC.
    ESeal,
    /// Website authentication, and in PSD2 both ends of TLS: a QWAC.
    Web,
}

impl QcType {
    /// Every type, in the order of ETSI EN 319 412-5.
    pub const ALL: [Self; 3] = [Self::ESign, Self::ESeal, Self::Web];

    /// Stable lower-case name: `esign`, `eseal` or `web`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ESign => "esign",
            Self::ESeal => "eseal",
            Self::Web => "web",
        }
    }

    fn from_oid(oid: &str) -> Option<Self> {
        match oid {
            "0.4.0.1862.1.6.1" => Some(Self::ESign),
            "0.4.0.1862.1.6.2" => Some(Self::ESeal),
            "0.4.0.1862.1.6.3" => Some(Self::Web),
            _ => None,
        }
    }
}

impl fmt::Display for QcType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The statements this library understands; others are passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct QcStatements {
    /// The certificate claims to be qualified (QcCompliance).
    pub(super) qualified: bool,
    /// The key is in a qualified device (QcSSCD).
    pub(super) secure_device: bool,
    pub(super) types: Vec<QcType>,
    pub(super) psd2: Option<Psd2Statement>,
}

/// `PSD2QcType` of ETSI TS 119 495 annex A.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Psd2Statement {
    pub(super) roles: Vec<Psd2Role>,
    pub(super) authority_name: String,
    pub(super) authority_id: String,
}

impl QcStatements {
    /// Reads the value of the extension; none when it is malformed.
    pub(super) fn read(extension: &[u8]) -> Option<Self> {
        let mut statements = Self::default();
        for statement in elements(extension)? {
            let mut parts = parts(&statement)?.into_iter();
            let oid = parts.next()?.oid().ok()?.to_id_string();
            let info = parts.next();
            match oid.as_str() {
                COMPLIANCE => statements.qualified = true,
                SECURE_DEVICE => statements.secure_device = true,
                TYPE => statements.types = read_types(&info?)?,
                PSD2 => statements.psd2 = Some(Psd2Statement::read(&info?)?),
                _ => {}
            }
        }
        Some(statements)
    }
}

impl Psd2Statement {
    fn read(info: &Any<'_>) -> Option<Self> {
        let [roles, authority_name, authority_id, ..] = &parts(info)?[..] else { return None };
        let roles = parts(roles)?.iter().map(role_oid).collect::<Option<Vec<_>>>()?;
        Some(Self {
            roles: Psd2Role::ALL
                .into_iter()
                .filter(|role| roles.iter().any(|oid| oid == role.oid()))
                .collect(),
            authority_name: text(authority_name)?,
            authority_id: text(authority_id)?,
        })
    }
}

/// `RoleOfPSP ::= SEQUENCE { roleOfPspOid, roleOfPspName }`: the OID alone decides.
fn role_oid(role: &Any<'_>) -> Option<String> {
    Some(parts(role)?.into_iter().next()?.oid().ok()?.to_id_string())
}

fn read_types(info: &Any<'_>) -> Option<Vec<QcType>> {
    let oids: Vec<Oid<'_>> = parts(info)?.into_iter().map(|part| part.oid().ok()).collect::<Option<_>>()?;
    Some(oids.iter().filter_map(|oid| QcType::from_oid(&oid.to_id_string())).collect())
}

/// The elements of a SEQUENCE in DER.
fn elements(der: &[u8]) -> Option<Vec<Any<'_>>> {
    let (rest, whole) = Any::from_der(der).ok()?;
    if rest.is_empty() { parts(&whole) } else { None }
}

/// The elements of a SEQUENCE.
fn parts<'a>(sequence: &Any<'a>) -> Option<Vec<Any<'a>>> {
    sequence.header.assert_tag(Tag::Sequence).ok()?;
    let mut found = Vec::new();
    let mut rest = sequence.data;
    while !rest.is_empty() {
        let (after, element) = Any::from_der(rest).ok()?;
        found.push(element);
        rest = after;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = QcStatements::read(&bytes);
        }
    }
}
