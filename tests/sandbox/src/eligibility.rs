//! Whether a client certificate makes its holder a CBPII this bank knows.

use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use x509_parser::der_parser::oid;
use x509_parser::oid_registry::Oid;
use x509_parser::prelude::X509Certificate;
use yasna::models::ObjectIdentifier;
use yasna::{ASN1Result, BERReader, parse_der};

use crate::exchange::Refused;

const QC_TYPE: &[u64] = &[0, 4, 0, 1862, 1, 6];
const QC_TYPE_WEB: &[u64] = &[0, 4, 0, 1862, 1, 6, 3];
const QC_PSD2: &[u64] = &[0, 4, 0, 19495, 2];
const PSP_IC: &[u64] = &[0, 4, 0, 19495, 1, 4];
const ORGANIZATION_IDENTIFIER: Oid<'static> = oid!(2.5.4.97);
const QC_STATEMENTS: Oid<'static> = oid!(1.3.6.1.5.5.7.1.3);
const RSASSA_PSS: Oid<'static> = oid!(1.2.840.113549.1.1.10);

/// What the client showed in the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    Nothing,
    /// A certificate that does not lead to the bank's authority now.
    Untrusted(String),
    Trusted(Tpp),
}

/// What a trusted certificate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tpp {
    pub(crate) organisation: Option<String>,
    roles: Vec<Vec<u64>>,
    types: Vec<Vec<u64>>,
    signed_with_pss: bool,
}

impl Presented {
    /// Judges the chain a client sent, leaf first.
    pub(crate) fn judge(chain: Option<&[CertificateDer<'_>]>, verifier: &dyn ClientCertVerifier) -> Self {
        let Some((leaf, intermediates)) = chain.and_then(<[_]>::split_first) else { return Self::Nothing };
        if let Err(error) = verifier.verify_client_cert(leaf, intermediates, UnixTime::now()) {
            return Self::Untrusted(error.to_string());
        }
        match x509_parser::parse_x509_certificate(leaf) {
            Ok((_, certificate)) => match Tpp::read(&certificate) {
                Ok(tpp) => Self::Trusted(tpp),
                Err(reason) => Self::Untrusted(reason),
            },
            Err(error) => Self::Untrusted(error.to_string()),
        }
    }

    pub(crate) fn organisation(&self) -> Option<&str> {
        match self {
            Self::Trusted(tpp) => tpp.organisation.as_deref(),
            Self::Nothing | Self::Untrusted(_) => None,
        }
    }
}

impl Tpp {
    fn read(certificate: &X509Certificate<'_>) -> Result<Self, String> {
        let mut tpp = Self {
            organisation: certificate
                .subject()
                .iter_by_oid(&ORGANIZATION_IDENTIFIER)
                .next()
                .and_then(|found| found.as_str().ok())
                .map(str::to_owned),
            signed_with_pss: certificate.signature_algorithm.algorithm == RSASSA_PSS,
            ..Self::default()
        };
        let extension = certificate
            .get_extension_unique(&QC_STATEMENTS)
            .map_err(|_| "two QCStatements extensions".to_owned())?;
        if let Some(extension) = extension {
            let statements = parse_der(extension.value, read_statements)
                .map_err(|error| format!("QCStatements are not DER: {error}"))?;
            for (statement, info) in statements {
                tpp.take(&statement, &info).map_err(|error| format!("a QCStatement is not DER: {error}"))?;
            }
        }
        Ok(tpp)
    }

    fn take(&mut self, statement: &[u64], info: &[u8]) -> ASN1Result<()> {
        if statement == QC_TYPE {
            self.types = parse_der(info, |reader| {
                reader.collect_sequence_of(|entry| Ok(entry.read_oid()?.components().clone()))
            })?;
        } else if statement == QC_PSD2 {
            self.roles = parse_der(info, read_psd2)?;
        }
        Ok(())
    }

    /// Refuses whoever is not the registered CBPII.
    pub(crate) fn admit(&self, registered: &str) -> Result<(), Refused> {
        let refuse = |reason: &str| Err(Refused::coded(403, "BE05", reason));
        if self.signed_with_pss {
            return refuse("a certificate signed with RSASSA-PSS is not accepted");
        }
        if !self.types.iter().any(|kind| kind == QC_TYPE_WEB) {
            return refuse("the client certificate is not a QWAC");
        }
        if !self.roles.iter().any(|role| role == PSP_IC) {
            return refuse("the client certificate does not have the role PSP_IC");
        }
        if self.organisation.as_deref() != Some(registered) {
            return refuse("the organisation of the client certificate is not registered");
        }
        Ok(())
    }
}

/// Statement identifiers with their information, empty when there is none.
fn read_statements(reader: BERReader<'_, '_>) -> ASN1Result<Vec<(Vec<u64>, Vec<u8>)>> {
    reader.collect_sequence_of(|statement| {
        statement.read_sequence(|parts| {
            let identifier: ObjectIdentifier = parts.next().read_oid()?;
            let info = parts.read_optional(|info| info.read_der())?;
            Ok((identifier.components().clone(), info.unwrap_or_default()))
        })
    })
}

/// The role identifiers of a PSD2 statement.
fn read_psd2(reader: BERReader<'_, '_>) -> ASN1Result<Vec<Vec<u64>>> {
    reader.read_sequence(|parts| {
        let roles = parts.next().collect_sequence_of(|role| {
            role.read_sequence(|parts| {
                let identifier = parts.next().read_oid()?;
                parts.next().read_utf8string()?;
                Ok(identifier.components().clone())
            })
        })?;
        parts.next().read_utf8string()?;
        parts.next().read_utf8string()?;
        Ok(roles)
    })
}
