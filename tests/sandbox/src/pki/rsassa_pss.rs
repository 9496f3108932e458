//! Re-signs a certificate with RSASSA-PSS. rcgen only signs with PKCS#1 v1.5, and a bank that refuses PSS needs one to refuse.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PSS_SHA256, RsaKeyPair};
use yasna::models::ObjectIdentifier;
use yasna::{ASN1Result, BERReader, Tag, construct_der, parse_der};

use crate::error::SandboxError;

/// The position of `signature` in a version 3 `TBSCertificate`: after the version and the serial number.
const SIGNATURE_FIELD: usize = 2;

/// The same certificate with RSASSA-PSS (SHA-256, MGF1, salt of 32) as its signature, made with the issuer's key.
pub(crate) fn resign(certificate: &[u8], issuer_key: &RsaKeyPair) -> Result<Vec<u8>, SandboxError> {
    let broken = |_| SandboxError::Pki("the certificate to re-sign is not DER".to_owned());
    let parts = parse_der(certificate, elements).map_err(broken)?;
    let body = parts.first().ok_or_else(|| SandboxError::Pki("an empty certificate".to_owned()))?;
    let mut fields = parse_der(body, elements).map_err(broken)?;
    let algorithm = pss_identifier();
    if let Some(field) = fields.get_mut(SIGNATURE_FIELD) {
        field.clone_from(&algorithm);
    }
    let body = construct_der(|writer| {
        writer.write_sequence(|sequence| fields.iter().for_each(|field| sequence.next().write_der(field)));
    });
    let mut signature = vec![0; issuer_key.public_modulus_len()];
    issuer_key
        .sign(&RSA_PSS_SHA256, &SystemRandom::new(), &body, &mut signature)
        .map_err(|_| SandboxError::Pki("signing with RSASSA-PSS failed".to_owned()))?;
    Ok(construct_der(|writer| {
        writer.write_sequence(|sequence| {
            sequence.next().write_der(&body);
            sequence.next().write_der(&algorithm);
            sequence.next().write_bitvec_bytes(&signature, signature.len() * 8);
        });
    }))
}

fn elements(reader: BERReader<'_, '_>) -> ASN1Result<Vec<Vec<u8>>> {
    reader.collect_sequence_of(|element| element.read_der())
}

/// `id-RSASSA-PSS` with SHA-256, MGF1 with SHA-256 and a salt of 32 octets (RFC 4055).
fn pss_identifier() -> Vec<u8> {
    let pss = ObjectIdentifier::from_slice(&[1, 2, 840, 113549, 1, 1, 10]);
    let mgf1 = ObjectIdentifier::from_slice(&[1, 2, 840, 113549, 1, 1, 8]);
    let sha256 = construct_der(|writer| {
        writer.write_sequence(|s| {
            s.next().write_oid(&ObjectIdentifier::from_slice(&[2, 16, 840, 1, 101, 3, 4, 2, 1]));
            s.next().write_null();
        });
    });
    construct_der(|writer| {
        writer.write_sequence(|identifier| {
            identifier.next().write_oid(&pss);
            identifier.next().write_sequence(|parameters| {
                parameters.next().write_tagged(Tag::context(0), |w| w.write_der(&sha256));
                parameters.next().write_tagged(Tag::context(1), |w| {
                    w.write_sequence(|s| {
                        s.next().write_oid(&mgf1);
                        s.next().write_der(&sha256);
                    });
                });
                parameters.next().write_tagged(Tag::context(2), |w| w.write_u8(32));
            });
        });
    })
}
