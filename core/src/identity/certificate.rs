//! One X.509 certificate (RFC 5280): the facts this library needs of it, read once.

use std::net::IpAddr;

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use super::distinguished_name::{self, DistinguishedName, ORGANIZATION_IDENTIFIER};
use super::organisation_identifier::OrganisationIdentifier;
use super::private_key::{KeyType, unsigned_bits};
use super::qc_statement::{self, QcStatements};
use crate::{Error, ErrorCode, Result, Timestamp};

const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
/// MD5 and SHA-1 with RSA, DSA with SHA-1, ECDSA with SHA-1.
const BROKEN_HASHES: &[&str] =
    &["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10040.4.3", "1.2.840.10045.4.1"];

/// The facts of one certificate.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) der: Vec<u8>,
    pub(super) subject: DistinguishedName,
    pub(super) issuer: DistinguishedName,
    /// How to call the subject in a sentence.
    pub(super) display_name: String,
    pub(super) organisation_identifier: Option<String>,
    pub(super) serial: Serial,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) key: PublicKeyFacts,
    pub(super) signature: SignatureFacts,
    pub(super) extensions: Extensions,
    raw_subject: Vec<u8>,
    raw_issuer: Vec<u8>,
}

/// A serial number in the two ways it is written.
#[derive(Clone, Debug)]
pub(super) struct Serial {
    /// Lower case, an even number of digits, without a leading zero byte.
    pub(super) hex: String,
    pub(super) decimal: String,
}

/// The certified public key.
#[derive(Clone, Debug)]
pub(super) struct PublicKeyFacts {
    /// `RSA`, `EC P-256`, … or the number of an unknown type.
    pub(super) type_name: String,
    pub(super) bits: Option<u32>,
    /// The type, when it is one this library can use.
    pub(super) usable_as: Option<KeyType>,
    /// The contents of `subjectPublicKey`.
    pub(super) bytes: Vec<u8>,
}

/// How the issuer signed the certificate.
#[derive(Clone, Debug)]
pub(super) struct SignatureFacts {
    /// OpenSSL's name, e.g. `sha256WithRSAEncryption`.
    pub(super) name: String,
    pub(super) is_pss: bool,
    pub(super) has_broken_hash: bool,
}

/// What the extensions say.
#[derive(Clone, Debug, Default)]
pub(super) struct Extensions {
    pub(super) is_ca: bool,
    /// `DNS:…`, `IP:…`, `email:…`, `URI:…`.
    pub(super) alternative_names: Vec<String>,
    /// Whether TLS clients may use it; none when there is no extended key usage.
    pub(super) client_authentication: Option<bool>,
    pub(super) statements: Option<QcStatements>,
    /// There are QCStatements, and they are malformed.
    pub(super) statements_malformed: bool,
    subject_key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
}

impl Certificate {
    /// Reads one certificate in DER.
    pub(super) fn read(der: &[u8]) -> Result<Self> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| {
            unreadable("The certificate is not X.509 in DER, or it is damaged; copy the file anew.")
        })?;
        if rest.iter().any(|byte| !byte.is_ascii_whitespace()) {
            return Err(unreadable(
                "There is something after the end of the DER certificate; give several certificates as PEM.",
            ));
        }
        let subject = parsed.subject();
        Ok(Self {
            der: parsed.as_raw().to_vec(),
            display_name: distinguished_name::display_name(subject),
            organisation_identifier: distinguished_name::attribute(subject, ORGANIZATION_IDENTIFIER),
            raw_subject: subject.as_raw().to_vec(),
            raw_issuer: parsed.issuer().as_raw().to_vec(),
            subject: DistinguishedName::of(subject),
            issuer: DistinguishedName::of(parsed.issuer()),
            serial: Serial {
                hex: crate::crypto::hex(&parsed.serial.to_bytes_be()),
                decimal: parsed.serial.to_string(),
            },
            not_before: Timestamp::from_unix_seconds(parsed.validity().not_before.timestamp()),
            not_after: Timestamp::from_unix_seconds(parsed.validity().not_after.timestamp()),
            key: PublicKeyFacts::of(parsed.public_key()),
            signature: SignatureFacts::of(&parsed.signature_algorithm),
            extensions: Extensions::of(&parsed),
        })
    }

    /// The organisation identifier, when it follows the PSD2 scheme.
    pub(super) fn psd2_identifier(&self) -> Option<OrganisationIdentifier> {
        self.organisation_identifier.as_deref()?.parse().ok()
    }

    /// Whether it names itself as its issuer: a root.
    pub(super) fn is_self_issued(&self) -> bool {
        self.raw_subject == self.raw_issuer
    }

    /// Whether `self` can have been issued by `issuer`: by the names, and by the key identifiers where both
    /// have them (RFC 5280 §4.2.1.1).
    pub(super) fn is_issued_by(&self, issuer: &Self) -> bool {
        let keys_agree = match (&self.extensions.authority_key_id, &issuer.extensions.subject_key_id) {
            (Some(authority), Some(subject)) => authority == subject,
            _ => true,
        };
        self.raw_issuer == issuer.raw_subject && keys_agree
    }
}

impl PublicKeyFacts {
    fn of(info: &SubjectPublicKeyInfo<'_>) -> Self {
        let (type_name, bits, usable_as) = match info.parsed() {
            Ok(PublicKey::RSA(key)) => {
                let bits = unsigned_bits(key.modulus);
                ("RSA".to_owned(), bits, bits.map(|bits| KeyType::Rsa { bits }))
            }
            Ok(PublicKey::EC(_)) => match named_curve(&info.algorithm).as_deref() {
                Some(P256) => ("EC P-256".to_owned(), Some(256), Some(KeyType::EcP256)),
                Some(P384) => ("EC P-384".to_owned(), Some(384), Some(KeyType::EcP384)),
                Some(other) => (format!("EC {other}"), None, None),
                None => ("EC".to_owned(), None, None),
            },
            _ => (algorithm_name(&info.algorithm), None, None),
        };
        Self { type_name, bits, usable_as, bytes: info.subject_public_key.data.to_vec() }
    }
}

impl SignatureFacts {
    fn of(algorithm: &AlgorithmIdentifier<'_>) -> Self {
        let oid = algorithm.algorithm.to_id_string();
        Self {
            name: algorithm_name(algorithm),
            is_pss: oid == RSASSA_PSS,
            has_broken_hash: BROKEN_HASHES.contains(&oid.as_str()),
        }
    }
}

impl Extensions {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let mut facts = Self::default();
        for extension in certificate.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::BasicConstraints(constraints) => facts.is_ca = constraints.ca,
                ParsedExtension::SubjectKeyIdentifier(id) => facts.subject_key_id = Some(id.0.to_vec()),
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    facts.authority_key_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
                }
                ParsedExtension::ExtendedKeyUsage(usage) => {
                    facts.client_authentication = Some(usage.client_auth || usage.any);
                }
                ParsedExtension::SubjectAlternativeName(names) => {
                    facts.alternative_names =
                        names.general_names.iter().filter_map(alternative_name).collect();
                }
                _ if extension.oid.to_id_string() == qc_statement::EXTENSION => {
                    facts.statements = QcStatements::read(extension.value);
                    facts.statements_malformed = facts.statements.is_none();
                }
                _ => {}
            }
        }
        facts
    }
}

fn alternative_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(host) => Some(format!("DNS:{host}")),
        GeneralName::RFC822Name(address) => Some(format!("email:{address}")),
        GeneralName::URI(uri) => Some(format!("URI:{uri}")),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            address.ok().map(|address| format!("IP:{address}"))
        }
        _ => None,
    }
}

fn named_curve(algorithm: &AlgorithmIdentifier<'_>) -> Option<String> {
    Some(algorithm.parameters.as_ref()?.as_oid().ok()?.to_id_string())
}

/// The algorithm as RFC 5912 names it; one that is not expected in a certificate, by its number.
fn algorithm_name(algorithm: &AlgorithmIdentifier<'_>) -> String {
    let number = algorithm.algorithm.to_id_string();
    let name = match number.as_str() {
        "1.2.840.10040.4.1" => "id-dsa",
        "1.2.840.10045.4.3.1" => "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.2.840.113549.1.1.1" => "rsaEncryption",
        "1.2.840.113549.1.1.4" => "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        RSASSA_PSS => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.2.840.113549.1.1.14" => "sha224WithRSAEncryption",
        "1.3.101.112" => "ed25519",
        "1.3.101.113" => "ed448",
        _ => return number,
    };
    name.to_owned()
}

pub(super) fn unreadable(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::CertificateUnreadable, message)
}
