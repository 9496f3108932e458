//! The file in which the sandbox banks tell their secrets.

use std::collections::BTreeSet;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::Failure;

/// What is shorter occurs by chance, or is a word.
const SHORTEST: usize = 16;
/// Where the private half of a PKCS#8 key of RSA-2048 begins for certain: before it stands the public one.
const PUBLIC_PART: usize = 320;
/// A key is looked for in pieces: one of them is a leak already.
const PIECE: usize = 24;

/// One secret, and what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Secret {
    pub(crate) kind: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) struct Told {
    pub(crate) secrets: Vec<Secret>,
    /// How many were left out.
    pub(crate) short: usize,
}

/// A run without secrets would find none, and prove nothing.
pub(crate) fn read(path: &Path) -> Result<Told, Failure> {
    let told = parse(&std::fs::read_to_string(path)?)?;
    for kind in ["access_token", "private_key"] {
        if !told.secrets.iter().any(|secret| secret.kind == kind) {
            return Err(format!("{} tells no {kind}: was no bank running?", path.display()).into());
        }
    }
    Ok(told)
}

fn parse(text: &str) -> Result<Told, Failure> {
    let (mut secrets, mut short) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines() {
        let (kind, secret) = line.split_once('\t').ok_or("a line that tells no secret")?;
        if secret.len() < SHORTEST {
            short.insert(secret);
        } else if kind == "private_key" {
            let der = BASE64_STANDARD.decode(secret)?;
            let pieces = der.get(PUBLIC_PART..).unwrap_or_default().chunks_exact(PIECE);
            secrets.extend(pieces.map(|piece| Secret { kind: kind.to_owned(), bytes: piece.to_vec() }));
        } else {
            secrets.insert(Secret { kind: kind.to_owned(), bytes: secret.as_bytes().to_vec() });
        }
    }
    Ok(Told { secrets: secrets.into_iter().collect(), short: short.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_pieces_and_words_not_at_all() {
        let key = BASE64_STANDARD.encode((0..=255).cycle().take(1218).collect::<Vec<u8>>());
        let told =
            parse(&format!("code\tcode\naccess_token\t{}\nprivate_key\t{key}\n", "a".repeat(43))).unwrap();
        // What repeats itself in that key counts once.
        assert!(told.secrets.len() > 10 && told.short == 1);
        assert!(told.secrets.iter().all(|secret| secret.bytes.len() >= 24));
        assert!(parse("no secret").is_err());
    }
}
