//! Certificates and keys given by mistake: a report or an error, and what was read is what was given.
//!
//! Input: flags (1: for TLS; 2: PSS is accepted; 4: with a client_id), then PEM or DER.
#![no_main]

use cbpii::identity::{
    CertificateChain, CertificateReport, CertificateUse, InspectOptions, PrivateKey, SealIdentity,
};
use cbpii::{Error, Secret};
use cbpii_fuzz::bank_in_memory::{CLIENT_ID, now};
use cbpii_fuzz::kit::QSEALC;
use cbpii_fuzz::secrets::{PASSWORD, assert_sound};
use cbpii_fuzz::{input, memory};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: assert_eq!(run(&[b"\0", QSEALC.chain.as_slice(), &QSEALC.key].concat()), (true, true)),
    |data: &[u8]| memory::limited(|| run(data)));

/// Whether there was a certificate, and whether there was a key.
fn run(data: &[u8]) -> (bool, bool) {
    let (flags, bytes) = input::flags(data);
    let intended = if flags & 1 == 0 { CertificateUse::Seal } else { CertificateUse::Transport };
    let mut options = InspectOptions::at(now()).for_use(intended).accepting_pss(flags & 2 != 0);
    if flags & 4 != 0 {
        options = options.with_client_id(CLIENT_ID);
    }
    let chain = CertificateChain::from_bytes(bytes);
    match &chain {
        Ok(chain) => check(&CertificateReport::of(chain, &options)),
        Err(error) => assert_no_quotation(error, bytes),
    }
    let key = PrivateKey::from_bytes(bytes, Some(&Secret::new(PASSWORD)));
    let read = (chain.is_ok(), key.is_ok());
    match key {
        Ok(key) => {
            assert!(format!("{key:?}").len() < 40, "a key shows");
            if let Ok(chain) = chain {
                let _ = SealIdentity::new(chain, key);
            }
        }
        Err(error) => assert_no_quotation(&error, bytes),
    }
    read
}

/// An error quotes no line of what was given: it may be a key's.
fn assert_no_quotation(error: &Error, bytes: &[u8]) {
    assert_sound(error);
    const LONG: usize = 32;
    let lines = bytes.split(|byte| byte.is_ascii_whitespace()).filter(|line| line.len() >= LONG);
    for line in lines.filter_map(|line| std::str::from_utf8(line).ok()) {
        assert!(!error.message().contains(line), "{error}");
    }
}

/// A report is JSON that holds what it says, and findings that can be read.
fn check(report: &CertificateReport) {
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).expect("a report is JSON");
    assert_eq!(json["serial_hex"], report.serial_hex);
    for finding in &report.findings {
        assert!(
            finding.sentence.ends_with(['.', ';', ')']) && finding.sentence.len() < 4096,
            "{}",
            finding.sentence
        );
    }
}
