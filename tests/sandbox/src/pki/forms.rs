//! One private key in every form an issuer's security team may hand over.

use p12_keystore::{Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use pkcs8::PrivateKeyInfoRef;
use tokio_rustls::rustls::pki_types::CertificateDer;
use yasna::models::ObjectIdentifier;
use yasna::{Tag, construct_der, parse_der};

use crate::error::SandboxError;

/// Writes DER as PEM with 64 columns.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for start in (0..text.len()).step_by(64) {
        out.push_str(&text[start..text.len().min(start + 64)]);
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// The algorithm's own key inside a PKCS#8 document: PKCS#1 for RSA.
pub(crate) fn pkcs1(pkcs8_der: &[u8]) -> Result<Vec<u8>, SandboxError> {
    Ok(open(pkcs8_der)?.private_key.as_bytes().to_vec())
}

/// A SEC1 `ECPrivateKey` that names its curve, as OpenSSL wants it.
pub(crate) fn sec1(pkcs8_der: &[u8]) -> Result<Vec<u8>, SandboxError> {
    let inner = open(pkcs8_der)?.private_key.as_bytes().to_vec();
    let (secret, public) = parse_der(&inner, |reader| {
        reader.read_sequence(|parts| {
            parts.next().read_u8()?;
            let secret = parts.next().read_bytes()?;
            parts.read_optional(|r| r.read_tagged(Tag::context(0), |r| r.read_der()))?;
            let public = parts.read_optional(|r| r.read_tagged(Tag::context(1), |r| r.read_der()))?;
            Ok((secret, public))
        })
    })
    .map_err(|error| SandboxError::Pki(format!("EC key: {error}")))?;
    let curve = ObjectIdentifier::from_slice(&[1, 2, 840, 10045, 3, 1, 7]);
    Ok(construct_der(|writer| {
        writer.write_sequence(|parts| {
            parts.next().write_u8(1);
            parts.next().write_bytes(&secret);
            parts.next().write_tagged(Tag::context(0), |w| w.write_oid(&curve));
            if let Some(public) = &public {
                parts.next().write_tagged(Tag::context(1), |w| w.write_der(public));
            }
        });
    }))
}

/// PKCS#8 encrypted with a password (PBES2, scrypt or PBKDF2 as the crate's modern default has it).
pub(crate) fn encrypted_pkcs8(pkcs8_der: &[u8], password: &str) -> Result<String, SandboxError> {
    let mut salt = [0; 16];
    let mut iv = [0; 16];
    for part in [&mut salt, &mut iv] {
        aws_lc_rs::rand::fill(part).map_err(|_| SandboxError::Pki("no randomness".to_owned()))?;
    }
    let scheme = pkcs8::pkcs5::pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(2048, &salt, iv)
        .map_err(|error| SandboxError::Pki(format!("PBES2: {error}")))?;
    let document = open(pkcs8_der)?
        .encrypt_with_params(scheme, password)
        .map_err(|error| SandboxError::Pki(format!("encrypting PKCS#8: {error}")))?;
    Ok(pem("ENCRYPTED PRIVATE KEY", document.as_bytes()))
}

/// A PKCS#12 file with the key and its chain: AES-256 as OpenSSL 3 writes it, or 3DES as older tools do.
pub(crate) fn pkcs12(
    pkcs8_der: &[u8],
    chain: &[CertificateDer<'static>],
    password: &str,
    legacy: bool,
) -> Result<Vec<u8>, SandboxError> {
    let refused = |error: p12_keystore::error::Error| SandboxError::Pki(format!("PKCS#12: {error}"));
    let certificates =
        chain.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>().map_err(refused)?;
    let key = PrivateKey::from_der(pkcs8_der).map_err(refused)?;
    let mut store = KeyStore::new();
    store.add_entry(
        "tpp",
        KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new(&b"tpp"[..], key, certificates)),
    );
    let algorithm = if legacy {
        EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc
    } else {
        EncryptionAlgorithm::PbeWithHmacSha256AndAes256
    };
    store
        .writer(password)
        .encryption_algorithm(algorithm)
        .encryption_iterations(2048)
        .mac_iterations(2048)
        .write()
        .map_err(refused)
}

fn open(pkcs8_der: &[u8]) -> Result<PrivateKeyInfoRef<'_>, SandboxError> {
    PrivateKeyInfoRef::try_from(pkcs8_der).map_err(|error| SandboxError::Pki(format!("PKCS#8: {error}")))
}
