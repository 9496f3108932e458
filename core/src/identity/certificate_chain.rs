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
    #[cfg(feature = "encrypted-keys")]
    pub(super) fn from_ders<'a>(ders: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let certificates = ders.into_iter().map(Certificate::read).collect::<Result<Vec<_>>>()?;
        if certificates.is_empty() {
            return Err(unreadable(
                "The keystore has no certificate; export it again with its certificates.",
            ));
        }
        Ok(Self::arrange(certificates))
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

#[cfg(test)]
mod tests {
    use super::super::test_support::{Issued, openssl};
    use super::*;
    use crate::ErrorCode;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    struct Family {
        root: Issued,
        middle: Issued,
        leaf: Issued,
        other_leaf: Issued,
    }

    static FAMILY: LazyLock<Family> = LazyLock::new(|| {
        let root = Issued::root("Root");
        let middle = root.issue_authority("Middle");
        let (leaf, other_leaf) = (middle.issue_leaf("Leaf"), middle.issue_leaf("Other leaf"));
        Family { root, middle, leaf, other_leaf }
    });

    fn read(members: &[&Issued]) -> CertificateChain {
        let text: String = members.iter().map(|member| format!("comment\n{}", member.pem())).collect();
        CertificateChain::from_pem(text.as_bytes()).unwrap()
    }

    fn assert_is(chain: &CertificateChain, members: &[&Issued]) {
        let expected: Vec<&[u8]> = members.iter().map(|member| member.der()).collect();
        assert_eq!(chain.ders().collect::<Vec<_>>(), expected);
        assert_eq!(chain.leaf().der, expected[0]);
    }

    #[test]
    fn every_order_becomes_the_right_one() {
        let Family { root, middle, leaf, .. } = &*FAMILY;
        let chain = [leaf, middle, root];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let read = read(&order.map(|place| chain[place]));
            assert_is(&read, &chain);
            assert_eq!(read.is_reordered(), order != [0, 1, 2]);
            assert!(!read.is_incomplete());
            assert_eq!(read.unrelated().count(), 0);
        }
    }

    #[test]
    fn missing_links_are_seen() {
        let Family { root, middle, leaf, .. } = &*FAMILY;
        assert!(read(&[leaf]).is_incomplete());
        assert!(!read(&[leaf, middle]).is_incomplete());
        assert!(!read(&[root]).is_incomplete());
        let gap = read(&[leaf, root]);
        assert_is(&gap, &[leaf]);
        assert!(gap.is_incomplete());
        assert_eq!(gap.unrelated().count(), 1);
    }

    #[test]
    fn duplicates_count_once() {
        let Family { middle, leaf, .. } = &*FAMILY;
        let chain = read(&[leaf, middle, leaf, middle]);
        assert_is(&chain, &[leaf, middle]);
        assert!(!chain.is_reordered());
    }

    #[test]
    fn the_key_decides_which_leaf_it_is() {
        let Family { root, middle, leaf, other_leaf } = &*FAMILY;
        let both = read(&[other_leaf, leaf, middle]);
        assert_is(&both, &[other_leaf, middle]);
        let key = PrivateKey::from_pem(leaf.key_pem().as_bytes(), None).unwrap();
        let (own, _) = both.led_by(&key).unwrap();
        assert_is(&own, &[leaf, middle]);
        assert_eq!(own.unrelated().count(), 1);
        assert!(read(&[middle, root]).led_by(&key).is_none());
    }

    #[test]
    fn two_authorities_of_one_name_are_told_apart_by_their_keys() {
        let (old, new) = (Issued::root("Same"), Issued::root("Same"));
        let leaf = new.issue_leaf("Leaf");
        assert_is(&read(&[&leaf, &old, &new]), &[&leaf, &new]);
    }

    #[test]
    fn authorities_that_issued_each_other_do_not_loop() {
        let (a, b) = (Issued::root("A"), Issued::root("B"));
        let a_by_b = b.issue(super::super::test_support::leaf("A"), rcgen::KeyPair::generate().unwrap());
        let b_by_a = a.issue(super::super::test_support::leaf("B"), rcgen::KeyPair::generate().unwrap());
        assert!(read(&[&a_by_b, &b_by_a]).ders().count() <= 2);
    }

    #[test]
    fn forms_are_recognised() {
        let Family { middle, leaf, .. } = &*FAMILY;
        assert_is(&CertificateChain::from_bytes(leaf.der()).unwrap(), &[leaf]);
        let bundle = format!("{}{}{}", leaf.key_pem(), middle.pem(), leaf.pem());
        assert_is(&CertificateChain::from_bytes(bundle.as_bytes()).unwrap(), &[leaf, middle]);
        let one_line = leaf.pem().replace('\n', " ");
        assert_is(&CertificateChain::from_bytes(one_line.as_bytes()).unwrap(), &[leaf]);
    }

    #[test]
    fn what_is_no_certificate_is_refused_with_the_reason() {
        let Family { leaf, .. } = &*FAMILY;
        let cut = &leaf.pem()[..100];
        let pkcs7 = openssl(&["crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin"], leaf.pem().as_bytes());
        let two = [leaf.der(), leaf.der()].concat();
        for (bytes, part) in [
            (&b""[..], "not X.509"),
            (b"text", "not X.509"),
            (leaf.key_pem().as_bytes(), "no certificate"),
            (cut.as_bytes(), "is cut"),
            (&pkcs7, "openssl pkcs7"),
            (&two, "after the end"),
            (b"-----BEGIN CERTIFICATE-----\nIQ==\n-----END CERTIFICATE-----", "not X.509"),
        ] {
            let error = CertificateChain::from_bytes(bytes).unwrap_err();
            assert_eq!(error.code(), ErrorCode::CertificateUnreadable);
            assert!(error.message().contains(part), "{}", error.message());
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(CertificateChain::from_bytes(&bytes).is_err());
        }
    }
}
