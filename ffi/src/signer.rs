//! Signing with a key that this library never sees.

use std::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

use cbpii_core::identity::{SignatureAlgorithm, Signer};
use cbpii_core::{Error, ErrorCode, Result};

use crate::callback::{UserData, cbpii_destroy};
use crate::error::{cbpii_error, returned};
use crate::guard;
use crate::handle::missing;
use crate::names::{Enumeration, name_of};

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2): what banks mean by `rsa-sha256`.
pub const CBPII_ALGORITHM_RSA_PKCS1_SHA256: i32 = 1;
/// RSASSA-PKCS1-v1_5 with SHA-384.
pub const CBPII_ALGORITHM_RSA_PKCS1_SHA384: i32 = 2;
/// RSASSA-PKCS1-v1_5 with SHA-512.
pub const CBPII_ALGORITHM_RSA_PKCS1_SHA512: i32 = 3;
/// RSASSA-PSS with SHA-256, MGF1 of the same hash and a salt as long as the hash (RFC 8017 §8.1): what TLS 1.3 uses with RSA keys.
pub const CBPII_ALGORITHM_RSA_PSS_SHA256: i32 = 4;
/// RSASSA-PSS with SHA-384, likewise.
pub const CBPII_ALGORITHM_RSA_PSS_SHA384: i32 = 5;
/// RSASSA-PSS with SHA-512, likewise.
pub const CBPII_ALGORITHM_RSA_PSS_SHA512: i32 = 6;
/// ECDSA on P-256 with SHA-256; the signature is the ASN.1 form of RFC 3279 §2.2.3.
pub const CBPII_ALGORITHM_ECDSA_P256_SHA256: i32 = 7;
/// ECDSA on P-384 with SHA-384; the signature is the ASN.1 form of RFC 3279 §2.2.3.
pub const CBPII_ALGORITHM_ECDSA_P384_SHA384: i32 = 8;

/// Room for a signature: that of an RSA key of 8192 bits.
const CAPACITY: usize = 1024;

/// Signs `message` (not its hash) with one of the signer's algorithms: writes the bare signature to `signature`, where
/// there is room for `capacity` bytes (1024), and its length to `signature_length`. Returns NULL, or an error of
/// `cbpii_error_new`, best with `CBPII_ERROR_CONFIGURATION_SIGNER_FAILED`; it becomes the error of the call that needed the
/// signature. Called from any thread, several at once.
pub type cbpii_sign = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        algorithm: i32,
        message: *const u8,
        message_length: usize,
        signature: *mut u8,
        capacity: usize,
        signature_length: *mut usize,
    ) -> *mut cbpii_error,
>;

/// A key in an HSM, a smart card, another process: bytes in, signature out. The function that takes a signer copies this
/// struct.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cbpii_signer {
    /// Given to the functions below.
    pub user_data: *mut c_void,
    /// Signs.
    pub sign: cbpii_sign,
    /// What it offers, the preferred first: `algorithm_count` of `CBPII_ALGORITHM_…`. A TLS key of type RSA must offer an
    /// `RSA_PSS` one (RFC 8446).
    pub algorithms: *const i32,
    /// How many they are.
    pub algorithm_count: usize,
    /// Called once when `user_data` is needed no more, also when taking the signer failed. May be NULL.
    pub destroy: cbpii_destroy,
}

struct ForeignSigner {
    user_data: UserData,
    sign: unsafe extern "C" fn(
        *mut c_void,
        i32,
        *const u8,
        usize,
        *mut u8,
        usize,
        *mut usize,
    ) -> *mut cbpii_error,
    algorithms: Vec<SignatureAlgorithm>,
}

/// Takes a signer over; its destructor runs even when this fails.
pub(crate) unsafe fn taken(signer: *const cbpii_signer) -> Result<Arc<dyn Signer>> {
    if signer.is_null() {
        return Err(missing("signer"));
    }
    // SAFETY: the header asks for a valid struct.
    let signer = unsafe { signer.read_unaligned() };
    let user_data = UserData::new(signer.user_data, signer.destroy);
    let sign = signer.sign.ok_or_else(|| missing("signer->sign"))?;
    if signer.algorithms.is_null() || signer.algorithm_count == 0 {
        return Err(missing("signer->algorithms"));
    }
    let algorithms = (0..signer.algorithm_count)
        // SAFETY: the header asks for `algorithm_count` numbers.
        .map(|place| unsafe { signer.algorithms.add(place).read_unaligned() })
        .map(|number| SignatureAlgorithm::given(number, "signer->algorithms"))
        .collect::<Result<_>>()?;
    Ok(Arc::new(ForeignSigner { user_data, sign, algorithms }))
}

impl Signer for ForeignSigner {
    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>> {
        let mut signature = vec![0; CAPACITY];
        let mut length = 0;
        // SAFETY: the header says what the function may do with these.
        unsafe {
            returned((self.sign)(
                self.user_data.get(),
                algorithm.number(),
                message.as_ptr(),
                message.len(),
                signature.as_mut_ptr(),
                signature.len(),
                &raw mut length,
            ))
        }?;
        if length == 0 || length > CAPACITY {
            let message = format!(
                "The signer reported success and a signature of {length} bytes; it must write 1 to {CAPACITY}."
            );
            return Err(Error::new(ErrorCode::SignerFailed, message));
        }
        signature.truncate(length);
        Ok(signature)
    }

    fn algorithms(&self) -> Vec<SignatureAlgorithm> {
        self.algorithms.clone()
    }
}

/// The stable name of an algorithm, e.g. "rsa-pkcs1-sha256". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_algorithm_name(algorithm: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<SignatureAlgorithm>(algorithm)))
}
