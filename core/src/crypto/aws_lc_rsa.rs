//! AWS-LC's RSA without the rest of AWS-LC: its C functions are called directly, for `aws-lc-rs` reaches RSA only
//! through a table of all algorithms, which brings 2.4 MB along.
//!
//! The only unsafe code of this crate, and only with the feature `aws-lc-rsa`.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use aws_lc_sys::{
    ERR_clear_error, NID_sha256, NID_sha384, NID_sha512, RSA, RSA_free, RSA_private_key_from_bytes, RSA_sign,
    RSA_size,
};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::Decode;

use super::backend::digest::{self, Digest};
use crate::identity::SignatureAlgorithm;

/// Whether this processor has AVX-512 IFMA, which AWS-LC's RSA makes use of. Without it, ring signs 7 % sooner.
pub(super) fn is_quicker() -> bool {
    #[cfg(target_arch = "x86_64")]
    let quicker = is_x86_feature_detected!("avx512ifma") && is_x86_feature_detected!("avx512vl");
    #[cfg(not(target_arch = "x86_64"))]
    let quicker = false;
    quicker
}

/// The hash under a signature RSASSA-PKCS1-v1_5.
#[derive(Clone, Copy)]
pub(super) enum Pkcs1Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Pkcs1Hash {
    /// That of a signature algorithm; nothing when it is not RSASSA-PKCS1-v1_5.
    pub(super) const fn of(algorithm: SignatureAlgorithm) -> Option<Self> {
        match algorithm {
            SignatureAlgorithm::RsaPkcs1Sha256 => Some(Self::Sha256),
            SignatureAlgorithm::RsaPkcs1Sha384 => Some(Self::Sha384),
            SignatureAlgorithm::RsaPkcs1Sha512 => Some(Self::Sha512),
            _ => None,
        }
    }

    /// How it is computed.
    fn digest(self, message: &[u8]) -> Digest {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, message)
    }

    /// AWS-LC's number of it.
    const fn nid(self) -> i32 {
        match self {
            Self::Sha256 => NID_sha256,
            Self::Sha384 => NID_sha384,
            Self::Sha512 => NID_sha512,
        }
    }
}

/// An RSA private key in AWS-LC's memory, which AWS-LC overwrites when it is freed.
pub(super) struct Key(NonNull<RSA>);

// SAFETY: AWS-LC's thread-local state is not in the key, so any thread may use and free it.
unsafe impl Send for Key {}
// SAFETY: `RSA_size` and `RSA_sign` are documented to be callable from several threads at once; nothing else is called
// between reading and freeing.
unsafe impl Sync for Key {}

impl Key {
    /// From PKCS#8; nothing when AWS-LC finds the key malformed or its numbers inconsistent.
    pub(super) fn from_pkcs8(pkcs8: &[u8]) -> Option<Self> {
        let der = PrivateKeyInfoRef::from_der(pkcs8).ok()?.private_key.as_bytes();
        // SAFETY: the pointer and the length are those of one slice, which is only read, and not kept.
        let key = NonNull::new(unsafe { RSA_private_key_from_bytes(der.as_ptr(), der.len()) }).map(Self);
        if key.is_none() {
            forget_errors();
        }
        key
    }

    /// The signature RSASSA-PKCS1-v1_5 of a message; nothing when the computation failed.
    pub(super) fn sign_pkcs1(&self, hash: Pkcs1Hash, message: &[u8]) -> Option<Vec<u8>> {
        let (key, digest) = (self.0.as_ptr(), hash.digest(message));
        let digest = digest.as_ref();
        // SAFETY: the key is valid until it is dropped.
        let mut signature = vec![0; usize::try_from(unsafe { RSA_size(key) }).ok()?];
        let mut length = 0;
        // SAFETY: the key is valid, `digest` a slice, and `signature` of the `RSA_size` bytes that are written at most.
        let made = unsafe {
            RSA_sign(hash.nid(), digest.as_ptr(), digest.len(), signature.as_mut_ptr(), &raw mut length, key)
        };
        if made != 1 || usize::try_from(length) != Ok(signature.len()) {
            forget_errors();
            return None;
        }
        Some(signature)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: nobody else has a reference to this key, and it is not used again.
        unsafe { RSA_free(self.0.as_ptr()) }
    }
}

/// Empties the thread's list of errors, which AWS-LC would keep until the thread ends.
fn forget_errors() {
    // SAFETY: touches nothing but the list of this thread.
    unsafe { ERR_clear_error() }
}
