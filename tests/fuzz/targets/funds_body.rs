//! What a funds check is answered: a yes or a no only when the bank wrote one, to exactly this question.
//!
//! Input: flags (the lowest two: which bank; 4: a card instead of an IBAN; the next two: the status; 32: a line with a
//! `Digest` comes first), then the body.
#![no_main]

use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cbpii::{Bank, ErrorCode, RequestSent};
use cbpii_fuzz::bank_in_memory::{Asked, YES, answer, bank, client, question, tokens};
use cbpii_fuzz::secrets::assert_sound;
use cbpii_fuzz::yes::{self, Echo};
use cbpii_fuzz::{input, memory};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

/// Banks that differ in what they answer: the record, the echo they owe, and whether their yes may be a text.
static BANKS: LazyLock<[(Bank, Echo, bool); 4]> = LazyLock::new(|| {
    [
        (bank(""), Echo::All, false),
        (bank(r#","accepts_string_result":true,"links_required":false"#), Echo::All, true),
        (bank(r#","echo":"reference-and-amount""#), Echo::ReferenceAndAmount, false),
        (bank(r#","echo":"none","accepts_string_result":true"#), Echo::Nothing, true),
    ]
});

fuzz_target!(init: assert!(run(&[b"\0", YES].concat())), |data: &[u8]| memory::limited(|| run(data)));

/// Whether the answer was a yes.
fn run(data: &[u8]) -> bool {
    let (flags, rest) = input::flags(data);
    let (bank, echo, as_text) = &BANKS[usize::from(flags & 3)];
    let asked = if flags & 4 == 0 { Asked::Iban } else { Asked::Card };
    let status = [200, 200, 201, 404][usize::from(flags >> 3 & 3)];
    let (digest, body) = if flags & 32 == 0 { (None, rest) } else { input::text_line(rest) };
    let headers: Vec<_> = digest.map(|digest| ("digest", digest)).into_iter().collect();
    let Some(answer) = answer(status, &headers, body) else { return false };
    match client(bank, answer).confirm_funds(&tokens(), &question(asked)) {
        Ok(confirmation) => {
            assert_eq!(status, 200);
            assert_eq!(
                yes::in_body(body, asked, *echo, *as_text),
                Some(confirmation.available),
                "no such answer"
            );
            let hash = BASE64_STANDARD.encode(Sha256::digest(body));
            let fits =
                |digest: &str| !digest.to_ascii_lowercase().starts_with("sha-256=") || digest.contains(&hash);
            assert!(digest.is_none_or(fits), "the digest is another body's");
            confirmation.available
        }
        Err(error) => {
            assert_sound(&error);
            assert_eq!(error.request_sent(), RequestSent::Yes);
            assert_ne!(error.code(), ErrorCode::Internal);
            false
        }
    }
}
