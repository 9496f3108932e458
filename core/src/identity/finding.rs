//! What is wrong with a certificate, or worth knowing: each with a stable code and a sentence that says
//! what to do.

use std::fmt;

use serde::{Serialize, Serializer};

use super::certificate::Certificate;
use super::certificate_chain::CertificateChain;
use super::organisation_identifier::OrganisationIdentifier;
use super::private_key::KeyType;
use super::qc_statement::{Psd2Role, QcType};
use super::report::{CertificateUse, InspectOptions, days_between};
use crate::ErrorCode;

/// From how many days before its end on a certificate should be renewed.
const EXPIRES_SOON_DAYS: i64 = 30;
const MIN_RSA_BITS: u32 = 2048;
const MAX_RSA_BITS: u32 = 4096;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Banks will refuse; no client is built with this certificate.
    Error,
    /// Some banks may refuse, or will soon.
    Warning,
    /// Worth knowing.
    Information,
}

impl Severity {
    /// Every severity, the gravest first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Information];

    /// Stable lower-case name: `error`, `warning` or `information`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! finding_codes {
    ($( $(#[doc = $doc:literal])* $variant:ident = $text:literal, $error:expr; )*) => {
        /// What a finding is about. The texts are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum FindingCode {
            $( $(#[doc = $doc])* $variant, )*
        }

        impl FindingCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )* ];

            /// The stable text, e.g. `not_a_cbpii`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text, )* }
            }

            /// The error that stops a client from being built with such a certificate; none for what never
            /// stops it.
            #[must_use]
            pub const fn error_code(self) -> Option<ErrorCode> {
                match self { $( Self::$variant => $error, )* }
            }
        }
    };
}

finding_codes! {
    /// It does not carry the role PSP_IC (ETSI TS 119 495).
    NotACbpii = "not_a_cbpii", Some(ErrorCode::NotACbpii);
    /// It has expired.
    CertificateExpired = "certificate_expired", Some(ErrorCode::CertificateExpired);
    /// It is not valid yet.
    CertificateNotYetValid = "certificate_not_yet_valid", Some(ErrorCode::CertificateNotYetValid);
    /// It was issued for another use than the one it is given for.
    CertificateWrongUse = "certificate_wrong_use", Some(ErrorCode::CertificateWrongUse);
    /// It is signed with RSASSA-PSS, which Groupe BPCE refuses.
    CertificatePss = "certificate_pss", Some(ErrorCode::CertificatePss);
    /// The private key given with it belongs to another certificate.
    KeyMismatch = "key_mismatch", Some(ErrorCode::KeyMismatch);
    /// Its key is of a size or type that cannot be used.
    WeakKey = "weak_key", Some(ErrorCode::KeyUnsupported);
    /// It is signed over a broken hash (MD5, SHA-1).
    WeakSignature = "weak_signature", None;
    /// It ends within 30 days.
    ExpiresSoon = "expires_soon", None;
    /// The certificate of its issuer was not given.
    ChainIncomplete = "chain_incomplete", None;
    /// Certificates were given that are no part of its chain.
    ChainUnrelated = "chain_unrelated", None;
    /// The chain was given in another order; it has been put right.
    ChainOutOfOrder = "chain_out_of_order", None;
    /// It does not state that it is qualified.
    NotQualified = "not_qualified", None;
    /// Its subject has no organisation identifier by the PSD2 scheme.
    OrganisationIdentifierMissing = "organisation_identifier_missing", None;
    /// The client_id looks like an organisation identifier, and is another one.
    ClientIdDiffers = "client_id_differs", None;
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for FindingCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing that is wrong with a certificate, or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// What it is about.
    pub code: FindingCode,
    /// What was found and what to do, for a person.
    pub sentence: String,
}

impl Finding {
    /// The error this finding is, when its severity is [`Severity::Error`].
    #[must_use]
    pub fn error_code(&self) -> Option<ErrorCode> {
        if self.severity == Severity::Error { self.code.error_code() } else { None }
    }

    fn new(severity: Severity, code: FindingCode, sentence: impl Into<String>) -> Self {
        Self { severity, code, sentence: sentence.into() }
    }

    fn error(code: FindingCode, sentence: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, sentence)
    }

    fn warning(code: FindingCode, sentence: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, sentence)
    }
}

/// All findings about the leaf of a chain, the gravest first.
pub(super) fn diagnose(chain: &CertificateChain, options: &InspectOptions) -> Vec<Finding> {
    let leaf = chain.leaf();
    let mut findings: Vec<Finding> = [
        role(leaf),
        validity(leaf, options),
        options.intended_use.and_then(|intended_use| wrong_use(leaf, intended_use)),
        pss(leaf, options),
        key_mismatch(chain, options),
        weak_key(leaf),
        weak_signature(leaf),
        qualification(leaf),
        identifier(leaf),
        client_id(leaf, options),
    ]
    .into_iter()
    .flatten()
    .chain(chain_findings(chain))
    .collect();
    findings.sort_by_key(|finding| finding.severity);
    findings
}

fn role(leaf: &Certificate) -> Option<Finding> {
    let sentence = if leaf.extensions.statements_malformed {
        "The QCStatements of the certificate are malformed, so that no PSD2 role can be read; ask its issuer for a correct one.".to_owned()
    } else {
        match leaf.extensions.statements.as_ref().and_then(|statements| statements.psd2.as_ref()) {
            None => "The certificate has no PSD2 statement; funds confirmation needs a qualified PSD2 certificate with the role PSP_IC.".to_owned(),
            Some(psd2) if psd2.roles.contains(&Psd2Role::CardIssuing) => return None,
            Some(psd2) => {
                let roles: Vec<&str> = psd2.roles.iter().map(|role| role.as_str()).collect();
                let roles = if roles.is_empty() { "none".to_owned() } else { roles.join(", ") };
                format!("The PSD2 roles of the certificate are {roles}; funds confirmation needs PSP_IC: have one issued with it.")
            }
        }
    };
    Some(Finding::error(FindingCode::NotACbpii, sentence))
}

fn validity(leaf: &Certificate, options: &InspectOptions) -> Option<Finding> {
    let (start, end) = (leaf.not_before, leaf.not_after);
    if options.now > end {
        let sentence = format!("The certificate expired at {end}; renew it and tell the bank.");
        return Some(Finding::error(FindingCode::CertificateExpired, sentence));
    }
    if options.now < start {
        let sentence = format!(
            "The certificate is valid from {start} only, and it is {} here; wait, or set this machine's clock.",
            options.now
        );
        return Some(Finding::error(FindingCode::CertificateNotYetValid, sentence));
    }
    let days = days_between(options.now, end);
    (days < EXPIRES_SOON_DAYS).then(|| {
        let sentence = format!("The certificate expires at {end}, in {days} days; renew it now.");
        Finding::warning(FindingCode::ExpiresSoon, sentence)
    })
}

fn wrong_use(leaf: &Certificate, intended_use: CertificateUse) -> Option<Finding> {
    let (wanted, name) = match intended_use {
        CertificateUse::Transport => (QcType::Web, "a QWAC (web)"),
        CertificateUse::Seal => (QcType::ESeal, "a QSealC (eseal)"),
    };
    let types = leaf.extensions.statements.as_ref().map_or(&[][..], |statements| &statements.types);
    let sentence = if leaf.extensions.is_ca {
        format!("This is the certificate of a certification authority; {name} of your own is needed.")
    } else if !types.is_empty() && !types.contains(&wanted) {
        let types: Vec<&str> = types.iter().map(|one| one.as_str()).collect();
        format!("The certificate was issued as {}; {name} is needed here.", types.join(", "))
    } else if intended_use == CertificateUse::Transport
        && leaf.extensions.client_authentication == Some(false)
    {
        "The certificate may not authenticate TLS clients (its extended key usage lacks clientAuth); have one issued that may.".to_owned()
    } else {
        return None;
    };
    Some(Finding::error(FindingCode::CertificateWrongUse, sentence))
}

fn pss(leaf: &Certificate, options: &InspectOptions) -> Option<Finding> {
    let severity = if options.accepts_pss { Severity::Information } else { Severity::Error };
    leaf.signature.is_pss.then(|| {
        Finding::new(
            severity,
            FindingCode::CertificatePss,
            "The certificate is signed with RSASSA-PSS, which banks of Groupe BPCE refuse; have one issued that is signed with PKCS#1 v1.5.",
        )
    })
}

fn key_mismatch(chain: &CertificateChain, options: &InspectOptions) -> Option<Finding> {
    let key = options.key.as_ref()?;
    chain.led_by(key).is_none().then(|| {
        Finding::error(
            FindingCode::KeyMismatch,
            "The private key does not belong to the certificate; give the key it was issued for.",
        )
    })
}

fn weak_key(leaf: &Certificate) -> Option<Finding> {
    let sentence = match leaf.key.usable_as {
        Some(KeyType::Rsa { bits }) if bits < MIN_RSA_BITS => {
            format!("The RSA key of the certificate has {bits} bits; at least {MIN_RSA_BITS} are needed.")
        }
        Some(KeyType::Rsa { bits }) if bits > MAX_RSA_BITS => {
            format!(
                "The RSA key of the certificate has {bits} bits; this library takes {MAX_RSA_BITS} at most."
            )
        }
        Some(_) => return None,
        None => format!(
            "The key of the certificate is of the type {}; RSA, or EC P-256 or P-384, is needed.",
            leaf.key.type_name
        ),
    };
    Some(Finding::error(FindingCode::WeakKey, sentence))
}

fn weak_signature(leaf: &Certificate) -> Option<Finding> {
    leaf.signature.has_broken_hash.then(|| {
        let sentence = format!(
            "The certificate is signed with {}, which is broken; have it issued anew.",
            leaf.signature.name
        );
        Finding::warning(FindingCode::WeakSignature, sentence)
    })
}

fn qualification(leaf: &Certificate) -> Option<Finding> {
    let is_qualified = leaf.extensions.statements.as_ref().is_some_and(|statements| statements.qualified);
    (!is_qualified).then(|| {
        Finding::warning(
            FindingCode::NotQualified,
            "The certificate does not state that it is qualified (QcCompliance); production needs one of a qualified trust service provider.",
        )
    })
}

fn identifier(leaf: &Certificate) -> Option<Finding> {
    let sentence = match (&leaf.organisation_identifier, leaf.psd2_identifier()) {
        (_, Some(_)) => return None,
        (Some(other), None) => format!(
            "The organisation identifier of the certificate is {other:?}, which is not a PSD2 one such as PSDFR-ACPR-12345."
        ),
        (None, None) => {
            "The certificate has no organisation identifier (2.5.4.97) such as PSDFR-ACPR-12345.".to_owned()
        }
    };
    Some(Finding::warning(FindingCode::OrganisationIdentifierMissing, sentence))
}

fn client_id(leaf: &Certificate, options: &InspectOptions) -> Option<Finding> {
    let client_id: OrganisationIdentifier = options.client_id.as_deref()?.parse().ok()?;
    let own = leaf.organisation_identifier.as_deref()?;
    (client_id.as_str() != own).then(|| {
        let sentence = format!(
            "The client_id {client_id} is not the certificate's organisation identifier {own:?}; banks that match the two will refuse."
        );
        Finding::new(Severity::Information, FindingCode::ClientIdDiffers, sentence)
    })
}

fn chain_findings(chain: &CertificateChain) -> impl Iterator<Item = Finding> {
    let incomplete = chain.is_incomplete().then(|| {
        let sentence = format!(
            "The certificate of the issuer is not there; add it after yours: {}.",
            chain.leaf().issuer.rfc4514
        );
        Finding::warning(FindingCode::ChainIncomplete, sentence)
    });
    let names: Vec<&str> = chain.unrelated().map(|certificate| certificate.display_name.as_str()).collect();
    let unrelated = (!names.is_empty()).then(|| {
        let sentence = format!(
            "These certificates are no part of the chain and are not sent: {}; remove them, or add what links them.",
            names.join(", ")
        );
        Finding::warning(FindingCode::ChainUnrelated, sentence)
    });
    let reordered = chain.is_reordered().then(|| {
        Finding::new(
            Severity::Information,
            FindingCode::ChainOutOfOrder,
            "The certificates were not given in the order of the chain; they have been put in order.",
        )
    });
    [incomplete, unrelated, reordered].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::super::private_key::PrivateKey;
    use super::super::report::CertificateReport;
    use super::super::test_support::{Issued, openssl, path, psd2_leaf, rsa_key};
    use super::*;
    use crate::{ErrorKind, Timestamp};
    use proptest::prelude::*;
    use rcgen::CustomExtension;
    use std::sync::LazyLock;

    const ISSUER: [(u8, &str); 1] = [(4, "PSP_IC")];

    fn at(day: &str) -> InspectOptions {
        InspectOptions::at(format!("{day}T12:00:00Z").parse::<Timestamp>().unwrap())
    }

    fn today() -> InspectOptions {
        at("2026-06-01")
    }

    static ROOT: LazyLock<Issued> = LazyLock::new(|| Issued::root_with_key("Root", rsa_key()));

    fn issued(qc_type: u8, roles: &[(u8, &str)]) -> Issued {
        ROOT.issue(psd2_leaf("Issuer", &[qc_type], roles), rcgen::KeyPair::generate().unwrap())
    }

    fn with_root(issued: &Issued) -> Vec<u8> {
        (issued.pem() + &ROOT.pem()).into_bytes()
    }

    fn findings(bytes: &[u8], options: &InspectOptions) -> Vec<(Severity, &'static str)> {
        let found = CertificateReport::inspect(bytes, options).unwrap().findings;
        found.iter().map(|finding| (finding.severity, finding.code.as_str())).collect()
    }

    #[test]
    fn a_good_certificate_has_no_findings() {
        let (qwac, seal) = (issued(3, &ISSUER), issued(2, &ISSUER));
        let key = PrivateKey::from_pem(qwac.key_pem().as_bytes(), None).unwrap();
        let options =
            today().for_use(CertificateUse::Transport).with_key(key).with_client_id("PSDFR-ACPR-12345");
        assert_eq!(findings(&with_root(&qwac), &options), []);
        assert_eq!(findings(&with_root(&seal), &today().for_use(CertificateUse::Seal)), []);
        assert_eq!(findings(&with_root(&seal), &today().with_client_id("an opaque one")), []);
    }

    #[test]
    fn missing_roles_are_errors() {
        let mut params = psd2_leaf("Malformed", &[3], &ISSUER);
        params.custom_extensions =
            vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 3], vec![0x30, 1])];
        let malformed = ROOT.issue(params, rcgen::KeyPair::generate().unwrap());
        for (certificate, part) in [
            (issued(3, &[(1, "PSP_AS"), (3, "PSP_AI")]), "PSP_AS, PSP_AI"),
            (issued(3, &[]), "none"),
            (ROOT.issue_leaf("Plain"), "no PSD2 statement"),
            (malformed, "malformed"),
        ] {
            let report = CertificateReport::inspect(&with_root(&certificate), &today()).unwrap();
            let finding = &report.findings[0];
            assert_eq!(finding.code, FindingCode::NotACbpii);
            assert_eq!(finding.error_code(), Some(ErrorCode::NotACbpii));
            assert!(finding.sentence.contains(part), "{}", finding.sentence);
        }
    }

    #[test]
    fn validity_is_as_of_the_given_moment() {
        let bytes = with_root(&issued(3, &ISSUER));
        for (day, expected) in [
            ("2025-12-31", vec![(Severity::Error, "certificate_not_yet_valid")]),
            ("2026-01-01", vec![]),
            ("2026-12-01", vec![]),
            ("2026-12-02", vec![(Severity::Warning, "expires_soon")]),
            ("2026-12-31", vec![(Severity::Warning, "expires_soon")]),
            ("2027-01-01", vec![(Severity::Error, "certificate_expired")]),
        ] {
            assert_eq!(findings(&bytes, &at(day)), expected, "{day}");
        }
    }

    #[test]
    fn a_certificate_for_another_use_is_an_error() {
        let wrong = vec![(Severity::Error, "certificate_wrong_use")];
        let transport = today().for_use(CertificateUse::Transport);
        let seal = today().for_use(CertificateUse::Seal);
        assert_eq!(findings(&with_root(&issued(2, &ISSUER)), &transport), wrong);
        assert_eq!(findings(&with_root(&issued(3, &ISSUER)), &seal), wrong);
        assert_eq!(findings(&with_root(&issued(1, &ISSUER)), &seal), wrong);

        let mut server_only = psd2_leaf("Server", &[3], &ISSUER);
        server_only.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let server_only = ROOT.issue(server_only, rcgen::KeyPair::generate().unwrap());
        assert_eq!(findings(&with_root(&server_only), &transport), wrong);
        assert_eq!(findings(ROOT.pem().as_bytes(), &transport)[1], wrong[0]);
    }

    #[test]
    fn the_key_and_the_client_id_are_compared() {
        let own = issued(3, &ISSUER);
        let options = today()
            .with_key(PrivateKey::from_pem(rsa_key().serialize_pem().as_bytes(), None).unwrap())
            .with_client_id("PSDFR-ACPR-99999");
        assert_eq!(
            findings(own.pem().as_bytes(), &options),
            [
                (Severity::Error, "key_mismatch"),
                (Severity::Warning, "chain_incomplete"),
                (Severity::Information, "client_id_differs")
            ]
        );
    }

    #[test]
    fn the_state_of_the_chain_is_told() {
        let own = issued(3, &ISSUER);
        let upside_down = ROOT.pem() + &own.pem();
        assert_eq!(
            findings(upside_down.as_bytes(), &today()),
            [(Severity::Information, "chain_out_of_order")]
        );
        let stranger = own.pem() + &ROOT.pem() + &Issued::root("Stranger").pem();
        assert_eq!(findings(stranger.as_bytes(), &today()), [(Severity::Warning, "chain_unrelated")]);
    }

    /// A good certificate as `openssl` signs it with the root's key and these options.
    fn signed(options: &[&str]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let (root, key) = (folder.path().join("root.pem"), folder.path().join("root.key"));
        std::fs::write(&root, ROOT.pem()).unwrap();
        std::fs::write(&key, ROOT.key_pem()).unwrap();
        let common = ["x509", "-CA", path(&root), "-CAkey", path(&key), "-CAcreateserial", "-days", "10000"];
        let mut params = psd2_leaf("Issuer", &[3], &ISSUER);
        params.use_authority_key_identifier_extension = false;
        let unsigned = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        let pem = openssl(&[&common, options].concat(), unsigned.pem().as_bytes());
        [pem, ROOT.pem().into_bytes()].concat()
    }

    #[test]
    fn signatures_that_banks_refuse_are_found() {
        // openssl dates its certificates from this very second: look at them tomorrow.
        let tomorrow = std::time::SystemTime::now() + std::time::Duration::from_secs(24 * 60 * 60);
        let options = InspectOptions::at(Timestamp::from(tomorrow));
        let pss = signed(&["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"]);
        assert_eq!(findings(&pss, &options), [(Severity::Error, "certificate_pss")]);
        let accepting = options.clone().accepting_pss(true);
        assert_eq!(findings(&pss, &accepting), [(Severity::Information, "certificate_pss")]);
        assert_eq!(findings(&signed(&["-sha1"]), &options), [(Severity::Warning, "weak_signature")]);
        assert_eq!(findings(&signed(&["-sha256"]), &options), []);
    }

    #[test]
    fn keys_that_cannot_be_used_are_found() {
        for algorithm in
            [&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"][..], &["-algorithm", "ED25519"]]
        {
            let key = openssl(&[&["genpkey"], algorithm].concat(), b"");
            let pem = openssl(&["req", "-x509", "-new", "-key", "/dev/stdin", "-subj", "/CN=Weak"], &key);
            let found = CertificateReport::inspect(&pem, &today()).unwrap().findings;
            let weak = found.iter().find(|finding| finding.code == FindingCode::WeakKey).unwrap();
            assert_eq!(weak.error_code(), Some(ErrorCode::KeyUnsupported));
        }
    }

    #[test]
    fn codes_are_unique_and_map_to_the_catalogue() {
        let texts: std::collections::HashSet<_> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), FindingCode::ALL.len());
        for code in FindingCode::ALL.iter().filter_map(|code| code.error_code()) {
            assert!(matches!(code.kind(), ErrorKind::Eligibility | ErrorKind::Configuration));
        }
    }

    static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(|| issued(3, &ISSUER).der().to_vec());

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn damaged_certificates_never_panic(
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut bytes = SAMPLE.clone();
            for (place, value) in damage {
                let place = place.index(bytes.len());
                bytes[place] = value;
            }
            let options = today().for_use(CertificateUse::Seal).with_client_id("PSDFR-ACPR-1");
            let _ = CertificateReport::inspect(&bytes, &options);
        }
    }
}
