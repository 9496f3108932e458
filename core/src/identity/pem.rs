//! Finding the blocks of a PEM text (RFC 7468), as people really paste it: any order, text between the
//! blocks, indented, Windows line ends, or all on one line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";

/// One block: `-----BEGIN label-----` … `-----END label-----`.
pub(super) struct Block {
    /// E.g. `CERTIFICATE`.
    pub(super) label: String,
    /// Whether an RFC 1421 header says that the contents are encrypted (`Proc-Type: 4,ENCRYPTED`).
    pub(super) encrypted_by_header: bool,
    /// The decoded contents, or why there are none.
    pub(super) contents: Result<Zeroizing<Vec<u8>>, Flaw>,
}

/// Why a block has no contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The `-----END …-----` line is missing or of another label.
    Cut,
    /// The contents are not base64.
    NotBase64,
}

impl Flaw {
    /// The rest of a sentence that starts with what the block is.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Cut => "is cut: its -----END----- line is missing; copy the whole file",
            Self::NotBase64 => {
                "is damaged: it is not base64 (were its line breaks turned into the two characters \\n?); copy the file anew"
            }
        }
    }
}

/// Whether the bytes look like PEM rather than DER.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    find(bytes, BEGIN).is_some()
}

/// Every block, in order.
pub(super) fn blocks(bytes: &[u8]) -> Vec<Block> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some(start) = find(rest, BEGIN) {
        rest = &rest[start + BEGIN.len()..];
        let Some(label_end) = find(rest, DASHES) else { break };
        let Some(label) = label(&rest[..label_end]) else { continue };
        rest = &rest[label_end + DASHES.len()..];
        let body_end = find(rest, DASHES).unwrap_or(rest.len());
        let (body, after) = rest.split_at(body_end);
        let closed = after.starts_with(format!("-----END {label}-----").as_bytes());
        found.push(Block::read(label, body, closed));
        rest = after;
    }
    found
}

/// A label (RFC 7468 §3), as narrow as the known ones are: where dashes are missing, what follows `BEGIN` is the contents,
/// and those of a key must not get into a message.
fn label(bytes: &[u8]) -> Option<&str> {
    const LONGEST: usize = 40;
    let is_label = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    let text = std::str::from_utf8(bytes).ok()?;
    (bytes.len() <= LONGEST && bytes.iter().all(is_label)).then_some(text)
}

impl Block {
    fn read(label: &str, body: &[u8], closed: bool) -> Self {
        let encrypted_by_header = find(body, b"Proc-Type:").is_some() && find(body, b"ENCRYPTED").is_some();
        let contents = if closed { decode(body) } else { Err(Flaw::Cut) };
        Self { label: label.to_owned(), encrypted_by_header, contents }
    }
}

fn decode(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Flaw> {
    let mut text = Zeroizing::new(Vec::with_capacity(body.len()));
    text.extend(body.iter().filter(|byte| !byte.is_ascii_whitespace()));
    // The capacity is an upper bound, so that no unzeroised copy is left behind by a reallocation.
    let mut contents = Zeroizing::new(Vec::with_capacity(text.len()));
    STANDARD.decode_vec(text.as_slice(), &mut contents).map_err(|_| Flaw::NotBase64)?;
    Ok(contents)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contents(text: &str) -> Vec<(String, Result<Vec<u8>, Flaw>)> {
        blocks(text.as_bytes())
            .into_iter()
            .map(|block| (block.label, block.contents.map(|bytes| bytes.to_vec())))
            .collect()
    }

    #[test]
    fn blocks_are_found_however_they_are_pasted() {
        let expected = vec![("X".to_owned(), Ok(b"hello".to_vec())), ("Y Z".to_owned(), Ok(b"!".to_vec()))];
        for text in [
            "-----BEGIN X-----\naGVsbG8=\n-----END X-----\n-----BEGIN Y Z-----\nIQ==\n-----END Y Z-----\n",
            "subject=/C=FR\r\n  -----BEGIN X-----\r\n  aGVs\r\n  bG8=\r\n  -----END X-----\r\n\r\nnote\r\n-----BEGIN Y Z-----\rIQ==\r-----END Y Z-----",
            "-----BEGIN X----- aGVsbG8= -----END X----- -----BEGIN Y Z----- IQ== -----END Y Z-----",
        ] {
            assert_eq!(contents(text), expected, "{text}");
        }
    }

    #[test]
    fn a_flawed_block_does_not_hide_its_neighbours() {
        let text = "-----BEGIN A-----\naGVs\n-----BEGIN B-----\nIQ==\n-----END B-----\n-----BEGIN C-----\n\\nIQ==\\n-----END C-----\n-----BEGIN D-----\nIQ";
        let expected = vec![
            ("A".to_owned(), Err(Flaw::Cut)),
            ("B".to_owned(), Ok(b"!".to_vec())),
            ("C".to_owned(), Err(Flaw::NotBase64)),
            ("D".to_owned(), Err(Flaw::Cut)),
        ];
        assert_eq!(contents(text), expected);
    }

    #[test]
    fn contents_are_never_a_label() {
        for text in [
            "-----BEGIN X----\naGVsbG8=\n----END X-----",
            "-----BEGIN X---- aGVsbG8= ----END X-----",
            "-----BEGIN X----\nAAAA\n----END X-----\n-----BEGIN Y Z-----\nIQ==\n-----END Y Z-----",
        ] {
            assert!(contents(text).iter().all(|(label, _)| label == "Y Z"), "{text}");
        }
    }

    #[test]
    fn encryption_headers_are_seen() {
        let text = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nIQ==\n-----END RSA PRIVATE KEY-----";
        assert!(blocks(text)[0].encrypted_by_header);
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(-----BEGIN |-----END |A|-----|\\PC|\n){0,40}") {
            let _ = blocks(text.as_bytes());
        }
    }
}
