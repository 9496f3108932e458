//! The issuer's certificates and keys: every file is what its name says.

use std::fs;
use std::path::Path;

use cbpii_sandbox::{KEY_PASSWORD, KeyForms, Sandbox, SandboxOptions};
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use x509_parser::der_parser::oid;

use crate::client::provider;

fn bank() -> Sandbox {
    Sandbox::start(SandboxOptions::default()).unwrap()
}

fn chain(path: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(path).unwrap().collect::<Result<_, _>>().unwrap()
}

fn matches(certificates: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> bool {
    CertifiedKey::from_der(certificates, key, &provider()).is_ok()
}

#[test]
fn every_identity_matches_its_key_but_the_mismatched_one() {
    let bank = bank();
    let kit = bank.issuer();
    let names: Vec<&str> = kit.variants.keys().map(String::as_str).collect();
    let expected = [
        "ec-p256",
        "eseal-as-qwac",
        "expired",
        "expires-soon",
        "key-mismatch",
        "no-role",
        "not-yet-valid",
        "other-organisation",
        "other-role",
        "rsassa-pss",
        "several-roles",
        "unknown-ca",
    ];
    assert_eq!(names, expected);
    for identity in kit.variants.values().chain([&kit.qwac, &kit.qsealc]) {
        let key = PrivateKeyDer::from_pem_file(&identity.key).unwrap();
        assert_eq!(
            matches(chain(&identity.chain), key),
            identity.name != "key-mismatch",
            "{}",
            identity.name
        );
        assert_eq!((chain(&identity.chain).len(), chain(&identity.certificate).len()), (2, 1));
        assert_eq!(fs::read_to_string(&identity.chain).unwrap(), identity.chain_pem);
    }
    let sec1 = PrivateKeyDer::from_pem_file(&kit.ec_sec1_pem).unwrap();
    assert!(matches!(sec1, PrivateKeyDer::Sec1(_)));
    assert!(matches(chain(&kit.variants["ec-p256"].chain), sec1));
}

#[test]
fn every_form_of_a_key_is_the_same_key() {
    let bank = bank();
    let kit = bank.issuer();
    for (identity, forms) in [(&kit.qwac, &kit.qwac_forms), (&kit.qsealc, &kit.qsealc_forms)] {
        let leaf = chain(&identity.certificate);
        let pkcs8 = fs::read(&forms.pkcs8_der).unwrap();
        let pkcs1 = fs::read(&forms.pkcs1_der).unwrap();
        for key in [
            PrivateKeyDer::Pkcs8(pkcs8.clone().into()),
            PrivateKeyDer::Pkcs1(pkcs1.into()),
            PrivateKeyDer::from_pem_file(&forms.pkcs1_pem).unwrap(),
        ] {
            assert!(matches(leaf.clone(), key));
        }
        assert_eq!(fs::read(&forms.certificate_der).unwrap(), leaf[0].to_vec());
        let mut reversed = chain(&forms.chain_reversed);
        reversed.reverse();
        assert_eq!(reversed, chain(&identity.chain));
        assert_encrypted_forms(forms, &pkcs8);
    }
}

fn assert_encrypted_forms(forms: &KeyForms, pkcs8: &[u8]) {
    let pem = fs::read_to_string(&forms.encrypted_pkcs8_pem).unwrap();
    let (label, document) = SecretDocument::from_pem(&pem).unwrap();
    assert_eq!(label, "ENCRYPTED PRIVATE KEY");
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).unwrap();
    assert_eq!(encrypted.decrypt(KEY_PASSWORD).unwrap().as_bytes(), pkcs8);
    assert!(encrypted.decrypt("wrong").is_err());
    for path in [&forms.pkcs12, &forms.pkcs12_legacy] {
        let data = fs::read(path).unwrap();
        let store = p12_keystore::KeyStore::from_pkcs12(&data, KEY_PASSWORD, Default::default()).unwrap();
        let (_, found) = store.private_key_chain().unwrap();
        assert_eq!((found.key().as_der(), found.certs().len()), (pkcs8, 2));
    }
}

#[test]
fn the_qwac_says_who_it_is_and_what_for() {
    let bank = bank();
    let leaf = chain(&bank.issuer().qwac.certificate).remove(0);
    let (_, parsed) = x509_parser::parse_x509_certificate(&leaf).unwrap();
    let organisation = parsed.subject().iter_by_oid(&oid!(2.5.4.97)).next().unwrap();
    assert_eq!(organisation.as_str().unwrap(), "PSDFR-ACPR-12345");
    let usage = parsed.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && usage.server_auth);
    let statements = parsed.get_extension_unique(&oid!(1.3.6.1.5.5.7.1.3)).unwrap().unwrap();
    assert!(!statements.critical);
    // The DER of 0.4.0.19495.1.4, PSP_IC.
    let psp_ic = [0x06, 0x07, 0x04, 0x00, 0x81, 0x98, 0x27, 0x01, 0x04];
    assert!(statements.value.windows(psp_ic.len()).any(|window| window == psp_ic));
    let seal = chain(&bank.issuer().qsealc.certificate).remove(0);
    let (_, seal) = x509_parser::parse_x509_certificate(&seal).unwrap();
    assert!(seal.key_usage().unwrap().unwrap().value.non_repudiation());
    assert!(seal.extended_key_usage().unwrap().is_none());
}

#[test]
fn the_pss_variant_is_a_real_signature_of_the_authority() {
    let bank = bank();
    let leaf = chain(&bank.issuer().variants["rsassa-pss"].certificate).remove(0);
    let (_, parsed) = x509_parser::parse_x509_certificate(&leaf).unwrap();
    assert_eq!(parsed.signature_algorithm.algorithm, oid!(1.2.840.113549.1.1.10));
    let authority = chain(&bank.issuer().intermediate).remove(0);
    let (_, authority) = x509_parser::parse_x509_certificate(&authority).unwrap();
    let key = &authority.public_key().subject_public_key.data;
    aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::RSA_PSS_2048_8192_SHA256, key)
        .verify(parsed.tbs_certificate.as_ref(), &parsed.signature_value.data)
        .unwrap();
}

#[test]
fn the_files_go_with_the_bank() {
    let bank = bank();
    let folder = bank.issuer().folder.clone();
    assert!(folder.join("ca.pem").exists());
    drop(bank);
    assert!(!folder.exists());
}
