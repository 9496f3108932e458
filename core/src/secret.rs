//! Texts and bytes that cannot be printed by accident and leave no trace in memory.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A secret text: a token, a code, a verifier, a client secret, a password. `Debug` and `Display` show
/// only that there is one; it is overwritten when dropped; it leaves by [`expose`](Self::expose) alone.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself. Never log what this returns.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A form that may be shown: the first four characters of a long secret, then an ellipsis.
    #[must_use]
    pub fn masked(&self) -> String {
        crate::http::masking::mask_secret(&self.0)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// Equality in constant time.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq;
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

/// Secret bytes: a private key. The same promises as [`Secret`].
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The secret itself. Never log what this returns.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        let token = Secret::new("2YotnFZFEjr1zCsicMWpAA");
        assert_eq!(format!("{token:?} {token}"), "Secret(…) …");
        assert_eq!(token.masked(), "2Yot…");
        assert_eq!(Secret::new("abcd1234").masked(), "…");
        assert_eq!(format!("{:?}", SecretBytes::new([1, 2, 3])), "SecretBytes(3 bytes)");
    }

    #[test]
    fn secrets_compare_by_value() {
        assert_eq!(Secret::new("a"), Secret::from("a"));
        assert_ne!(Secret::new("a"), Secret::from("ab".to_owned()));
    }
}
