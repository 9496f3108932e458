//! Keystores given by mistake: a key only with the certificate it belongs to.
//!
//! Input: flags (1: another password), then the keystore.
#![no_main]

use cbpii::Secret;
use cbpii::identity::{KeyStore, SealIdentity};
use cbpii_fuzz::secrets::{PASSWORD, assert_sound};
use cbpii_fuzz::{input, kit, memory};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: assert!(run(&[b"\0", kit::read("qsealc.p12").as_slice()].concat())),
    |data: &[u8]| memory::limited(|| run(data)));

/// Whether the keystore opened.
fn run(data: &[u8]) -> bool {
    let (flags, bytes) = input::flags(data);
    let password = Secret::new(if flags & 1 == 0 { PASSWORD } else { "" });
    match KeyStore::from_pkcs12(bytes, &password) {
        Ok(store) => {
            assert!(format!("{:?}", store.key).len() < 40, "a key shows");
            SealIdentity::new(store.chain, store.key).expect("the key is the certificate's");
            true
        }
        Err(error) => {
            assert_sound(&error);
            false
        }
    }
}
