//! Certificates and keys for the tests, made at run time; and the `openssl` command as the other opinion.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize, SanType, SerialNumber,
};

/// A certificate with its key.
pub(super) struct Issued {
    pub(super) certificate: rcgen::Certificate,
    pub(super) key: KeyPair,
    params: CertificateParams,
}

impl Issued {
    pub(super) fn root(name: &str) -> Self {
        Self::root_with_key(name, KeyPair::generate().unwrap())
    }

    pub(super) fn root_with_key(name: &str, key: KeyPair) -> Self {
        let params = authority(name);
        Self { certificate: params.self_signed(&key).unwrap(), key, params }
    }

    pub(super) fn issue(&self, params: CertificateParams, key: KeyPair) -> Self {
        let issuer = Issuer::from_params(&self.params, &self.key);
        Self { certificate: params.signed_by(&key, &issuer).unwrap(), key, params }
    }

    /// An intermediate authority.
    pub(super) fn issue_authority(&self, name: &str) -> Self {
        self.issue(authority(name), KeyPair::generate().unwrap())
    }

    /// An end-entity certificate with a key of type EC P-256.
    pub(super) fn issue_leaf(&self, name: &str) -> Self {
        self.issue(leaf(name), KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap())
    }

    /// An end-entity certificate with a key of type RSA 2048.
    pub(super) fn issue_rsa_leaf(&self, name: &str) -> Self {
        self.issue(leaf(name), rsa_key())
    }

    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub(super) fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    pub(super) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }
}

/// One RSA key for all tests of this process: making one takes a while.
pub(super) fn rsa_key() -> KeyPair {
    static KEY: LazyLock<String> = LazyLock::new(|| {
        KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap().serialize_pem()
    });
    KeyPair::from_pem(&KEY).unwrap()
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "FR");
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

pub(super) fn leaf(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.subject_alt_names = vec![SanType::DnsName("issuer.example".try_into().unwrap())];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// A leaf as a payment service provider has it.
pub(super) fn psd2_leaf(name: &str, qc_types: &[u8], roles: &[(u8, &str)]) -> CertificateParams {
    let mut params = leaf(name);
    params.distinguished_name.push(DnType::OrganizationName, "Émetteur, SA");
    params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), "PSDFR-ACPR-12345");
    params.serial_number = Some(SerialNumber::from(vec![0x0a, 0xbc, 0xde, 0xf0]));
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2027, 1, 1);
    params.custom_extensions =
        vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 3], qc_statements(qc_types, roles))];
    params
}

/// A QCStatements extension, encoded by OpenSSL: QcCompliance, QcSSCD, QcType and the PSD2 statement.
pub(super) fn qc_statements(qc_types: &[u8], roles: &[(u8, &str)]) -> Vec<u8> {
    let mut text = String::from(
        "asn1=SEQUENCE:all\n[all]\na=SEQUENCE:compliance\nb=SEQUENCE:device\nc=SEQUENCE:type\nd=SEQUENCE:psd2\n\
         [compliance]\na=OID:0.4.0.1862.1.1\n[device]\na=OID:0.4.0.1862.1.4\n\
         [type]\na=OID:0.4.0.1862.1.6\nb=SEQUENCE:types\n\
         [psd2]\na=OID:0.4.0.19495.2\nb=SEQUENCE:info\n\
         [info]\na=SEQUENCE:roles\nb=FORMAT:UTF8,UTF8String:Autorité de contrôle prudentiel et de résolution\nc=UTF8String:FR-ACPR\n",
    );
    text.push_str("[types]\n");
    for (place, qc_type) in qc_types.iter().enumerate() {
        text.push_str(&format!("t{place}=OID:0.4.0.1862.1.6.{qc_type}\n"));
    }
    let (mut list, mut sections) = (String::from("[roles]\n"), String::new());
    for (place, (role, name)) in roles.iter().enumerate() {
        list.push_str(&format!("r{place}=SEQUENCE:role{place}\n"));
        sections.push_str(&format!("[role{place}]\na=OID:0.4.0.19495.1.{role}\nb=UTF8String:{name}\n"));
    }
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("statements.cnf");
    std::fs::write(&configuration, format!("{text}{list}{sections}")).unwrap();
    let out = folder.path().join("statements.der");
    openssl(&["asn1parse", "-noout", "-genconf", path(&configuration), "-out", path(&out)], b"");
    std::fs::read(out).unwrap()
}

/// Runs `openssl`, feeding it `input`, and returns what it wrote; the test fails when the command does.
pub(super) fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    run("openssl", arguments, input)
}

/// Runs a command, feeding it `input`, and returns what it wrote; the test fails when the command does.
pub(super) fn run(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("these tests need the command {program}: {error}"));
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
    output.stdout
}

/// The text `openssl` wrote, without the line end.
pub(super) fn openssl_text(arguments: &[&str], input: &[u8]) -> String {
    String::from_utf8(openssl(arguments, input)).unwrap().trim_end().to_owned()
}

pub(super) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The commands between backquotes in a message, as arguments without the program's name.
pub(super) fn commands_in(message: &str) -> Vec<Vec<String>> {
    let quoted = message.split('`').skip(1).step_by(2);
    quoted.map(|command| command.split(' ').skip(1).map(str::to_owned).collect()).collect()
}
