//! The ways of writing a secret: as it is, in base64, in hexadecimal digits, as a list of numbers, percent-encoded.
//!
//! None of them holds white space: what is searched is searched without it, so that it does not matter whether an account
//! number is written in groups, or a key in lines.

use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD, Engine as _};

/// Each with its name.
pub(crate) fn of(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![
        ("as it is", secret.to_vec()),
        ("in hexadecimal digits", joined(secret, "", |byte| format!("{byte:02x}"))),
        ("as a list of numbers", joined(secret, ",", |byte| byte.to_string())),
        ("as a list of hexadecimal numbers", joined(secret, ",", |byte| format!("{byte:x}"))),
        ("as a list of hexadecimal numbers", joined(secret, ",", |byte| format!("0x{byte:02x}"))),
        ("percent-encoded", joined(secret, "", |byte| format!("%{byte:02x}"))),
        ("percent-encoded", form_urlencoded::byte_serialize(secret).collect::<String>().into_bytes()),
        ("escaped", joined(secret, "", |byte| format!("\\x{byte:02x}"))),
    ];
    for before in 0..3 {
        forms.push(("in base64", in_base64(secret, before, |bytes| BASE64_STANDARD_NO_PAD.encode(bytes))));
        forms.push(("in base64url", in_base64(secret, before, |bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes))));
    }
    forms.sort_by(|a, b| a.1.cmp(&b.1));
    forms.dedup_by(|a, b| a.1 == b.1);
    forms
}

fn joined(secret: &[u8], separator: &str, write: impl Fn(u8) -> String) -> Vec<u8> {
    let mut text = String::new();
    for byte in secret {
        let separator = if text.is_empty() { "" } else { separator };
        // Writing to a string does not fail.
        let _ = write!(text, "{separator}{}", write(*byte));
    }
    text.into_bytes()
}

/// In the middle of something that is in base64: after so many bytes of a group of three. The characters that its
/// neighbours have a part in are left out.
fn in_base64(secret: &[u8], before: usize, encode: impl Fn(&[u8]) -> String) -> Vec<u8> {
    let whole = [&vec![0; before][..], secret].concat();
    let own = (before * 8).div_ceil(6)..whole.len() * 8 / 6;
    encode(&whole).get(own).unwrap_or_default().as_bytes().to_vec()
}
