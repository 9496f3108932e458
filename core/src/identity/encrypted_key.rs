//! Private keys under a password: `EncryptedPrivateKeyInfo` (RFC 5208 §6) with PBES2 (RFC 8018).

use pkcs8::der::asn1::{AnyRef, ObjectIdentifier};
use pkcs8::der::{Decode, SliceReader};
use pkcs8::pkcs5::pbes2;
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use super::private_key::unsupported_encryption;
use crate::{Error, ErrorCode, Result, Secret};

/// What a hostile or absurd file may make us compute before it is refused.
const MAX_PBKDF2_ITERATIONS: u32 = 10_000_000;
const MAX_SCRYPT_BYTES: u64 = 1 << 30;
const MAX_SCRYPT_PARALLELISM: u16 = 16;

/// The `PrivateKeyInfo` in it.
pub(super) fn decrypt(der: &[u8], password: Option<&Secret>) -> Result<Zeroizing<Vec<u8>>> {
    if encryption_scheme(der) != Some(pbes2::PBES2_OID) {
        return Err(unsupported_encryption("with PBES1, an old scheme"));
    }
    let Ok(info) = EncryptedPrivateKeyInfoRef::from_der(der) else {
        return Err(unsupported_encryption("in a way that is not supported"));
    };
    let Some(parameters) = info.encryption_algorithm.pbes2().filter(|parameters| affordable(&parameters.kdf))
    else {
        return Err(unsupported_encryption("with unreasonably many rounds"));
    };
    let Some(password) = password else {
        return Err(Error::new(
            ErrorCode::KeyPassword,
            "The private key is encrypted; give the password it was encrypted with.",
        ));
    };
    match parameters.decrypt(password.expose(), info.encrypted_data.as_bytes()) {
        Ok(plain) => Some(Zeroizing::new(plain)).filter(|plain| PrivateKeyInfoRef::from_der(plain).is_ok()),
        Err(pkcs8::pkcs5::Error::DecryptFailed) => None,
        Err(_) => return Err(unsupported_encryption("in a way that is not supported")),
    }
    .ok_or_else(|| {
        Error::new(
            ErrorCode::KeyPassword,
            "The password does not open the private key; give the one it was encrypted with.",
        )
    })
}

/// The scheme an `EncryptedPrivateKeyInfo` names, readable even when the scheme is not known.
fn encryption_scheme(der: &[u8]) -> Option<ObjectIdentifier> {
    let outer = AnyRef::from_der(der).ok()?;
    let algorithm = AlgorithmIdentifierRef::decode(&mut SliceReader::new(outer.value()).ok()?).ok()?;
    Some(algorithm.oid)
}

/// Whether deriving the key stays within reasonable time and memory.
fn affordable(kdf: &pbes2::Kdf) -> bool {
    match kdf {
        pbes2::Kdf::Pbkdf2(parameters) => parameters.iteration_count <= MAX_PBKDF2_ITERATIONS,
        pbes2::Kdf::Scrypt(parameters) => {
            let memory = parameters.cost_parameter.checked_mul(128 * u64::from(parameters.block_size));
            parameters.parallelization <= MAX_SCRYPT_PARALLELISM
                && memory.is_some_and(|bytes| bytes <= MAX_SCRYPT_BYTES)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::openssl;
    use super::*;

    #[test]
    fn absurd_key_derivations_are_refused() {
        let mut pbkdf2 = pbes2::Pbkdf2Params::hmac_sha256(600_000, b"salt").unwrap();
        assert!(affordable(&pbkdf2.into()));
        pbkdf2.iteration_count = u32::MAX;
        assert!(!affordable(&pbkdf2.into()));

        let key = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], b"");
        let cost = ["-scrypt", "-scrypt_N", "1024", "-scrypt_r", "8", "-scrypt_p", "1"];
        let form = ["pkcs8", "-topk8", "-passout", "pass:correct horse", "-outform", "DER"];
        let der = openssl(&[&form[..], &cost].concat(), &key);
        let info = EncryptedPrivateKeyInfoRef::from_der(&der).unwrap();
        let pbes2::Kdf::Scrypt(scrypt) = info.encryption_algorithm.pbes2().unwrap().kdf else { panic!() };
        assert!(affordable(&scrypt.into()));
        for (cost_parameter, block_size, parallelization) in
            [(u64::MAX, 8, 1), (1 << 24, 8, 1), (1024, 8, 17)]
        {
            let absurd = pbes2::ScryptParams { cost_parameter, block_size, parallelization, ..scrypt };
            assert!(!affordable(&absurd.into()));
        }
    }
}
