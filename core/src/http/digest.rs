//! The `Digest` header (RFC 3230 with SHA-256): binds a body to the headers that are signed.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::{Error, ErrorCode, Result, crypto};

/// The value of `Digest` for a body.
pub(crate) fn digest_header(body: &[u8]) -> String {
    let mut value = String::with_capacity(52);
    value.push_str("SHA-256=");
    BASE64_STANDARD.encode_string(crypto::sha256(body), &mut value);
    value
}

/// Whether a received `Digest` vouches for the body: `false` when it names no SHA-256.
///
/// # Errors
/// `protocol.digest_mismatch` when the SHA-256 it names is not the body's.
pub(crate) fn check_digest(header: &str, body: &[u8]) -> Result<bool> {
    let named = header.split(',').find_map(|instance| {
        let (algorithm, value) = instance.trim().split_once('=')?;
        algorithm.eq_ignore_ascii_case("sha-256").then_some(value)
    });
    match named.map(|value| BASE64_STANDARD.decode(value)) {
        None => Ok(false),
        Some(Ok(hash)) if hash == crypto::sha256(body) => Ok(true),
        Some(_) => Err(Error::new(
            ErrorCode::DigestMismatch,
            "The bank's answer does not match its own Digest: it was changed on the way or is broken; it was not used.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_bind_the_body() {
        let header = digest_header(b"{\"hello\": \"world\"}");
        assert_eq!(
            header, "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
            "the example of draft-cavage"
        );
        assert!(check_digest(&header, b"{\"hello\": \"world\"}").unwrap());
        assert_eq!(
            check_digest(&format!("MD5=x, {}", header.to_lowercase().replacen("x48e", "X48E", 1)), b"x")
                .unwrap_err()
                .code(),
            ErrorCode::DigestMismatch
        );
        assert!(!check_digest("MD5=HUXZLQLMuI/KZ5KDcJPcOA==", b"x").unwrap());
        assert_eq!(check_digest("sha-256=!!", b"x").unwrap_err().code(), ErrorCode::DigestMismatch);
    }
}
