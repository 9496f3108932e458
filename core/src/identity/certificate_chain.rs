//! A certificate and those that vouch for it, in the order TLS wants them.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use super::certificate::{Certificate, unreadable};
use super::pem;
use super::private_key::PrivateKey;
use super::report::{CertificateReport, InspectOptions};
use crate::{Result, Timestamp};

/// A certificate chain, brought in order: the end-entity certificate (the leaf) first, then each one's
/// issuer. Never empty. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CertificateChain {
    given: Arc<[Certificate]>,
    /// Places in `given`, leaf first.
    path: Arc<[usize]>,
}

impl CertificateChain {
    /// Reads certificates from PEM or from DER, whichever it is. See [`from_pem`](Self::from_pem) and
    /// [`from_der`](Self::from_der).
    ///
    /// # Errors
    /// As these two.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if pem::is_pem(bytes) { Self::from_pem(bytes) } else { Self::from_der(bytes) }
    }

    /// Reads every certificate of a PEM text, in any order; text and other blocks, such as keys, are passed
    /// over. The leaf is the one that issued none of the others.
    ///
    /// # Errors
    /// `configuration.certificate_unreadable` when there is none, or one is damaged.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let blocks = pem::blocks(pem);
        let is_certificate = |label: &str| matches!(label, "CERTIFICATE" | "X509 CERTIFICATE");
        let mut certificates = Vec::new();
        for block in blocks.iter().filter(|block| is_certificate(&block.label)) {
            let place = certificates.len() + 1;
            match &block.contents {
                Ok(der) => certificates.push(Certificate::read(der)?),
                Err(flaw) => {
                    return Err(unreadable(format!(
                        "Certificate {place} of the PEM text {}.",
                        flaw.sentence()
                    )));
                }
            }
        }
        if certificates.is_empty() {
            return Err(unreadable(if blocks.iter().any(|block| block.label == "PKCS7") {
                "This is PKCS#7, not plain certificates; `openssl pkcs7 -print_certs -in chain.p7b -out chain.pem` converts it."
            } else {
                "The PEM text has no certificate; a block -----BEGIN CERTIFICATE----- is needed."
            }));
        }
        Ok(Self::arrange(certificates))
    }

    /// Reads one certificate from DER.
    ///
    /// # Errors
    /// `configuration.certificate_unreadable` when it is not exactly one certificate.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        Ok(Self::arrange(vec![Certificate::read(der)?]))
    }

    /// Everything known about the leaf and this chain, with findings as of `now`. For findings about a use,
    /// a key or a client_id see [`CertificateReport::of`].
    #[must_use]
    pub fn report(&self, now: Timestamp) -> CertificateReport {
        CertificateReport::of(self, &InspectOptions::at(now))
    }

    /// From the certificates of a keystore: at least one.
    pub(super) fn from_ders<'a>(ders: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let certificates = ders.into_iter().map(Certificate::read).collect::<Result<Vec<_>>>()?;
        if certificates.is_empty() {
            return Err(unreadable(
                "The keystore has no certificate; export it again with its certificates.",
            ));
        }
        Ok(Self::arrange(certificates))
    }

    /// The leaf in DER.
    pub(crate) fn leaf_der(&self) -> &[u8] {
        &self.leaf().der
    }

    /// The certificates of the chain in DER, leaf first.
    pub(crate) fn ders(&self) -> impl Iterator<Item = &[u8]> {
        self.path
            .iter()
            .filter_map(|place| self.given.get(*place))
            .map(|certificate| certificate.der.as_slice())
    }

    /// The leaf's public key, as in its `subjectPublicKey`.
    pub(crate) fn leaf_public_key(&self) -> &[u8] {
        &self.leaf().key.bytes
    }

    /// The chain as rustls takes it.
    pub(super) fn to_rustls(&self) -> Vec<CertificateDer<'static>> {
        self.ders().map(|der| CertificateDer::from(der.to_vec())).collect()
    }

    /// The leaf's facts.
    pub(super) fn leaf(&self) -> &Certificate {
        // Both lists have at least one entry from `arrange` on, and the places are within `given`.
        &self.given[self.path[0]]
    }

    /// Whether the certificates were given in another order than the chain's.
    pub(super) fn is_reordered(&self) -> bool {
        !self.path.is_sorted()
    }

    /// Whether the leaf stands alone although someone else issued it.
    pub(super) fn is_incomplete(&self) -> bool {
        self.path.len() == 1 && !self.leaf().is_self_issued()
    }

    /// The certificates that are no part of the leaf's chain.
    pub(super) fn unrelated(&self) -> impl Iterator<Item = &Certificate> {
        self.given
            .iter()
            .enumerate()
            .filter(|(place, _)| !self.path.contains(place))
            .map(|(_, certificate)| certificate)
    }

    /// The chain of the certificate this key belongs to, with the key (completed, see
    /// [`PrivateKey::belonging_to`]); none when it belongs to none of the certificates.
    pub(super) fn led_by(&self, key: &PrivateKey) -> Option<(Self, PrivateKey)> {
        let leaf_first = self.path.iter().take(1).copied().chain(0..self.given.len());
        let (place, key) = leaf_first
            .filter_map(|place| Some((place, key.belonging_to(&self.given.get(place)?.key.bytes)?)))
            .next()?;
        let path = path_from(&self.given, place).into();
        Some((Self { given: Arc::clone(&self.given), path }, key))
    }

    fn arrange(mut certificates: Vec<Certificate>) -> Self {
        let mut known = std::collections::HashSet::new();
        certificates.retain(|certificate| known.insert(certificate.der.clone()));
        let path = path_from(&certificates, find_leaf(&certificates)).into();
        Self { given: certificates.into(), path }
    }
}

/// The certificate that issued none of the others; an end-entity certificate before a CA's.
fn find_leaf(certificates: &[Certificate]) -> usize {
    let issued_nobody = |place: usize| {
        let issuer = &certificates[place];
        !certificates.iter().enumerate().any(|(other, issued)| other != place && issued.is_issued_by(issuer))
    };
    let candidates: Vec<usize> = (0..certificates.len()).filter(|place| issued_nobody(*place)).collect();
    let end_entity = candidates.iter().copied().find(|place| !certificates[*place].extensions.is_ca);
    end_entity.or(candidates.first().copied()).unwrap_or(0)
}

/// From a certificate up to its root, or as far as the issuers are there.
fn path_from(certificates: &[Certificate], leaf: usize) -> Vec<usize> {
    let mut path = vec![leaf];
    let mut last = leaf;
    while !certificates[last].is_self_issued() {
        let issuer = (0..certificates.len())
            .find(|place| !path.contains(place) && certificates[last].is_issued_by(&certificates[*place]));
        let Some(issuer) = issuer else { break };
        path.push(issuer);
        last = issuer;
    }
    path
}
