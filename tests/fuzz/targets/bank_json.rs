//! Bank records: one that is read is valid, can be written and read back, and makes clients that send only to https.
//!
//! Input: the text of a record.
#![no_main]

use cbpii::{Bank, Client, ConsentOptions, ErrorCode, Issuer};
use cbpii_fuzz::bank_in_memory::{Asked, CLIENT_ID, Canned, REDIRECT_URI, answer, question, tokens};
use cbpii_fuzz::memory;
use cbpii_fuzz::secrets::{assert_hidden, assert_said, is_among};
use libfuzzer_sys::fuzz_target;

const GOOD: &[u8] = br#"{"base":"bpce-17515","environment":"sandbox","signature":null}"#;

fuzz_target!(init: assert!(run(GOOD)), |data: &[u8]| memory::limited(|| run(data)));

/// Whether a client of the bank could ask it.
fn run(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    match Bank::from_json(text) {
        Ok(bank) => check(bank),
        Err(error) => {
            assert_said(&error);
            false
        }
    }
}

fn check(bank: Bank) -> bool {
    bank.validate().expect("what is read is valid");
    let record = bank.to_json().expect("JSON");
    assert_eq!(Bank::from_json(&record).expect("its own JSON"), bank);
    // A bank's own address may be made of the words that are our secrets elsewhere, and is shown.
    let hides = !is_among(&record);
    let issuer = Issuer::new(CLIENT_ID, REDIRECT_URI).and_then(|issuer| issuer.with_client_secret("s3cr3t"));
    let answer = answer(200, &[], b"{}").expect("an answer");
    let builder = Client::builder(bank, issuer.expect("an issuer")).check_eligibility(false);
    let client = match builder.transport(Canned(answer)).build() {
        Ok(client) => client,
        Err(error) => {
            assert_said(&error);
            return false;
        }
    };
    let pending = client.begin_consent(&ConsentOptions::default()).expect("a consent");
    assert!(pending.url().starts_with("https://") && pending.url().is_ascii(), "{}", pending.url());
    match client.explain(&question(Asked::Iban)) {
        Ok(explanation) => {
            assert!(explanation.url.starts_with("https://"), "{}", explanation.url);
            if hides {
                assert_hidden(&explanation.to_string());
            }
        }
        Err(error) => assert_said(&error),
    }
    let error =
        client.confirm_funds(&tokens(), &question(Asked::Iban)).expect_err("an empty object is no yes");
    if hides {
        assert_hidden(&error.explanation().map(ToString::to_string).unwrap_or_default());
    }
    assert_ne!(error.code(), ErrorCode::Internal);
    error.code() == ErrorCode::AnswerShape
}
