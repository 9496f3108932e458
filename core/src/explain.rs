//! What would be sent, or was sent, in a form made for a person and for a ticket to the bank.

use std::fmt;

/// A request laid open: header by header, with the exact signing string. Tokens and account numbers are
/// masked, so it can be pasted anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The method, e.g. `POST`.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// Names and (masked) values in the order of sending.
    pub headers: Vec<(String, String)>,
    /// The body, account numbers masked.
    pub body: String,
    /// The input of the digest in words: how many bytes, and their SHA-256 in base64.
    pub digest_input: Option<String>,
    /// The exact lines that were signed (secrets masked), joined by `\n`.
    pub signing_string: Option<String>,
    /// The keyId as written, and where it comes from.
    pub key_id: Option<String>,
    /// Where the keyId comes from: `seal` when the issuer stated it, else the source the bank's record names.
    pub key_id_source: Option<String>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.method, self.url)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        writeln!(f, "\n{}", self.body)?;
        if let Some(input) = &self.digest_input {
            writeln!(f, "\nDigest input: {input}")?;
        }
        if let Some(text) = &self.signing_string {
            writeln!(f, "\nSigning string:")?;
            for line in text.lines() {
                writeln!(f, "  {line}")?;
            }
        }
        if let (Some(key_id), Some(source)) = (&self.key_id, &self.key_id_source) {
            writeln!(f, "\nkeyId: {key_id} (from {source})")?;
        }
        Ok(())
    }
}
