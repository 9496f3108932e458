//! Certificates and keys by the paths of their files.

use std::path::Path;

use zeroize::Zeroizing;

use super::certificate_chain::CertificateChain;
use super::private_key::PrivateKey;
use crate::{Error, ErrorCode, Result, Secret};

/// Reads a chain and a key, each PEM or DER.
pub(super) fn read_pair(
    chain: &Path,
    key: &Path,
    password: Option<&Secret>,
) -> Result<(CertificateChain, PrivateKey)> {
    let certificates = read(chain, "certificate", ErrorCode::CertificateUnreadable)?;
    let secret = read(key, "private key", ErrorCode::KeyUnreadable)?;
    Ok((CertificateChain::from_bytes(&certificates)?, PrivateKey::from_bytes(&secret, password)?))
}

fn read(path: &Path, what: &str, code: ErrorCode) -> Result<Zeroizing<Vec<u8>>> {
    std::fs::read(path).map(Zeroizing::new).map_err(|error| {
        let why = error.kind();
        Error::new(
            code,
            format!("The file {path:?} of the {what} cannot be read ({why}); check path and rights."),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_support::Issued;
    use super::super::{SealIdentity, TransportIdentity};
    use super::*;

    #[test]
    fn files_may_be_pem_or_der_or_missing() {
        let issued = Issued::root("Root").issue_leaf("Leaf");
        let folder = tempfile::tempdir().unwrap();
        let [pem, key, der, missing] =
            ["chain.pem", "key.pem", "leaf.der", "none"].map(|n| folder.path().join(n));
        std::fs::write(&pem, issued.pem()).unwrap();
        std::fs::write(&key, issued.key_pem()).unwrap();
        std::fs::write(&der, issued.der()).unwrap();
        for chain in [&pem, &der] {
            assert_eq!(TransportIdentity::from_files(chain, &key, None).unwrap().chain().ders().count(), 1);
            assert_eq!(SealIdentity::from_files(chain, &key, None).unwrap().chain().ders().count(), 1);
        }
        for (chain, key, code) in
            [(&missing, &key, ErrorCode::CertificateUnreadable), (&pem, &missing, ErrorCode::KeyUnreadable)]
        {
            let error = SealIdentity::from_files(chain, key, None).unwrap_err();
            assert_eq!(error.code(), code);
            assert!(error.message().contains("none\""), "{error}");
        }
    }
}
