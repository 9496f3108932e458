//! The QCStatements extension of a PSD2 certificate (ETSI EN 319 412-5 and TS 119 495), as its issuer writes it.

use rcgen::CustomExtension;
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, DERWriterSeq, construct_der};

/// The extension's own identifier, `id-pe-qcStatements`.
pub(crate) const EXTENSION: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 3];

const CERTIFICATE_POLICIES: &[u64] = &[2, 5, 29, 32];
const QC_COMPLIANCE: &[u64] = &[0, 4, 0, 1862, 1, 1];
const QC_PDS: &[u64] = &[0, 4, 0, 1862, 1, 5];
const QC_TYPE: &[u64] = &[0, 4, 0, 1862, 1, 6];
const QC_PSD2: &[u64] = &[0, 4, 0, 19495, 2];

/// What a qualified certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QcType {
    /// An electronic seal: a QSealC.
    Seal,
    /// Web site authentication: a QWAC.
    Web,
}

/// A role of a payment service provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Account information.
    Ai,
    /// Issuing of card-based payment instruments: the CBPII.
    Ic,
}

impl Role {
    fn oid(self) -> &'static [u64] {
        match self {
            Role::Ai => &[0, 4, 0, 19495, 1, 3],
            Role::Ic => &[0, 4, 0, 19495, 1, 4],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Role::Ai => "PSP_AI",
            Role::Ic => "PSP_IC",
        }
    }
}

/// The DER content of the extension. No role at all leaves the PSD2 statement out.
pub(crate) fn encode(kind: QcType, roles: &[Role], authority_name: &str, authority_id: &str) -> Vec<u8> {
    construct_der(|writer| {
        writer.write_sequence(|statements| {
            statements.next().write_sequence(|s| write_oid(s, QC_COMPLIANCE));
            statement(statements.next(), QC_TYPE, |info| {
                info.write_sequence(|types| write_oid(types, kind.oid()));
            });
            statement(statements.next(), QC_PDS, write_disclosure);
            if !roles.is_empty() {
                statement(statements.next(), QC_PSD2, |info| {
                    write_psd2(info, roles, authority_name, authority_id);
                });
            }
        });
    })
}

/// The certificate policy a qualified certificate is issued under: QCP-w-psd2 or QCP-l.
pub(crate) fn policy(kind: QcType) -> CustomExtension {
    let policy: &[u64] = match kind {
        QcType::Seal => &[0, 4, 0, 194112, 1, 1],
        QcType::Web => &[0, 4, 0, 19495, 3, 1],
    };
    let content = construct_der(|writer| {
        writer.write_sequence(|policies| policies.next().write_sequence(|entry| write_oid(entry, policy)));
    });
    CustomExtension::from_oid_content(CERTIFICATE_POLICIES, content)
}

impl QcType {
    fn oid(self) -> &'static [u64] {
        match self {
            QcType::Seal => &[0, 4, 0, 1862, 1, 6, 2],
            QcType::Web => &[0, 4, 0, 1862, 1, 6, 3],
        }
    }
}

fn statement(writer: DERWriter<'_>, oid: &[u64], info: impl FnOnce(DERWriter<'_>)) {
    writer.write_sequence(|parts| {
        write_oid(parts, oid);
        info(parts.next());
    });
}

/// Where the issuer's PKI disclosure statement would be, in English as the standard wants.
fn write_disclosure(writer: DERWriter<'_>) {
    writer.write_sequence(|locations| {
        locations.next().write_sequence(|location| {
            location.next().write_ia5_string("https://qtsp.example/pds_en.pdf");
            location.next().write_printable_string("en");
        });
    });
}

fn write_psd2(writer: DERWriter<'_>, roles: &[Role], authority_name: &str, authority_id: &str) {
    writer.write_sequence(|parts| {
        parts.next().write_sequence(|list| {
            for role in roles {
                list.next().write_sequence(|entry| {
                    write_oid(entry, role.oid());
                    entry.next().write_utf8_string(role.name());
                });
            }
        });
        parts.next().write_utf8_string(authority_name);
        parts.next().write_utf8_string(authority_id);
    });
}

fn write_oid(writer: &mut DERWriterSeq<'_>, oid: &[u64]) {
    writer.next().write_oid(&ObjectIdentifier::from_slice(oid));
}
