//! Signatures of answers: an answer counts as signed only when the bank's key signed it, its body included. The target holds
//! the bank's key and signs what the input asks for.
//!
//! Input: a line for `Signature`, in which `{signature}` stands for one over the headers it names; a line for `Digest`, in
//! which `{digest}` stands for the body's; a line `name: value`; then the body, by default a yes.
#![no_main]

use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cbpii::funds::ResponseSignature;
use cbpii::identity::{KeySigner, PrivateKey, SignatureAlgorithm, Signer};
use cbpii::{Bank, ErrorCode};
use cbpii_fuzz::bank_in_memory::{Asked, YES, answer, bank, client, question, tokens};
use cbpii_fuzz::kit::QSEALC;
use cbpii_fuzz::secrets::assert_sound;
use cbpii_fuzz::yes::{self, Echo};
use cbpii_fuzz::{input, memory};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

const SIGNED: &str = "{signature}";

static KEY: LazyLock<KeySigner> = LazyLock::new(|| {
    let key = PrivateKey::from_pem(&QSEALC.key, None).expect("the kit's key");
    KeySigner::new(&key).expect("a key that signs")
});
static BANK: LazyLock<Bank> = LazyLock::new(|| {
    let certificates = vec![String::from_utf8(QSEALC.certificate.clone()).expect("PEM")];
    Bank { response_signing_certificates: certificates, ..bank("") }
});
static TARGET: LazyLock<String> = LazyLock::new(|| {
    let url = BANK.funds_url.as_deref().expect("the address of the funds checks");
    let path = url.splitn(4, '/').nth(3).expect("a path");
    format!("post /{path}")
});

const GOOD: &[u8] =
    b"keyId=\"x\",algorithm=\"rsa-sha256\",headers=\"(request-target) digest\",signature=\"{signature}\"\nSHA-256={digest}\n\n";

fuzz_target!(init: assert!(run(GOOD)), |data: &[u8]| memory::limited(|| run(data)));

/// Whether the answer counted as signed.
fn run(data: &[u8]) -> bool {
    let (Some(template), rest) = input::text_line(data) else { return false };
    let (Some(digest), rest) = input::text_line(rest) else { return false };
    let (Some(extra), rest) = input::text_line(rest) else { return false };
    let body = if rest.is_empty() { YES } else { rest };
    let hash = BASE64_STANDARD.encode(Sha256::digest(body));
    let digest = digest.replace("{digest}", &hash);
    let mut headers = vec![("digest", digest.as_str())];
    headers.extend(extra.split_once(": "));
    let signature = sign(template, &headers);
    let header = template.replace(SIGNED, signature.as_deref().unwrap_or("AAAA"));
    headers.push(("signature", &header));
    let Some(answer) = answer(200, &headers, body) else { return false };
    match client(&BANK, answer).confirm_funds(&tokens(), &question(Asked::Iban)) {
        Ok(confirmation) => {
            assert_eq!(confirmation.response_signature, ResponseSignature::Verified);
            assert_eq!(yes::in_body(body, Asked::Iban, Echo::All, false), Some(confirmation.available));
            assert!(signature.is_some() && template.contains(SIGNED), "a forged signature: {header}");
            assert!(digest.contains(&hash), "signed, but not over this body: {header}");
            let names = parameter(template, "headers").unwrap_or_default().to_ascii_lowercase();
            assert!(
                names.split_whitespace().any(|name| name == "digest"),
                "the body is not signed: {header}"
            );
            assert!(!parameter(template, "algorithm").unwrap_or_default().contains("hmac"), "{header}");
            true
        }
        Err(error) => {
            assert_sound(&error);
            assert_ne!(error.code(), ErrorCode::Internal);
            false
        }
    }
}

/// What the bank would write for the headers that a template names, if they are all there.
fn sign(template: &str, headers: &[(&str, &str)]) -> Option<String> {
    let names = parameter(template, "headers").filter(|_| template.contains(SIGNED))?.to_ascii_lowercase();
    let line = |name: &str| {
        let values: Vec<_> = headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
            .collect();
        match name {
            "(request-target)" => Some(format!("{name}: {}", *TARGET)),
            _ if values.is_empty() => None,
            _ => Some(format!("{name}: {}", values.join(", ").trim())),
        }
    };
    let lines: Vec<String> = names.split_ascii_whitespace().map(line).collect::<Option<_>>()?;
    let signature = KEY.sign(SignatureAlgorithm::RsaPkcs1Sha256, lines.join("\n").as_bytes());
    Some(BASE64_STANDARD.encode(signature.expect("a signature")))
}

/// The first quoted value of this name that does not stand within another one.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let start = format!("{name}=\"");
    let outside = |place: &usize| header[..*place].matches('"').count().is_multiple_of(2);
    let place = header.match_indices(&start).map(|(place, _)| place).find(outside)?;
    header[place + start.len()..].split_once('"').map(|(value, _)| value)
}
