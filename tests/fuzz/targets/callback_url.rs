//! What the browser comes back with: a code only from a callback of exactly this consent, in time, that refuses nothing.
//!
//! Input: flags (1: it comes after the end), then the callback.
#![no_main]

use cbpii::{ErrorCode, PendingConsent, Result};
use cbpii_fuzz::bank_in_memory::{ORIGIN, ends_at, now, pending};
use cbpii_fuzz::secrets::{CODE, STATE, VERIFIER, assert_hidden, assert_sound};
use cbpii_fuzz::{input, memory, query};
use libfuzzer_sys::fuzz_target;

const GOOD: &str =
    "\0/callback?code=SplxlOBeZQQYbYS6WxSbIA&state=Kx0yMmRrbGJfZ1hQbEtqd3ZtTnBRc1R1VnhZejAxMjM";

fuzz_target!(init: assert!(run(GOOD.as_bytes())), |data: &[u8]| memory::limited(|| run(data)));

/// Whether there was a code.
fn run(data: &[u8]) -> bool {
    let (flags, rest) = input::flags(data);
    let Ok(callback) = std::str::from_utf8(rest) else { return false };
    let late = flags & 1 != 0;
    let pending = pending();
    let saved = PendingConsent::from_json(pending.to_json().expose()).expect("its own saved form");
    let moment = if late { ends_at() } else { now() };
    let outcome = saved.complete_at(callback, moment).map(|code| {
        assert!(!format!("{code:?}").contains(code.expose()) || code.expose().len() < CODE.len());
        code.expose().to_owned()
    });
    assert_eq!(
        outcome.as_deref().ok(),
        pending.complete_at(callback, moment).as_ref().ok().map(|code| code.expose())
    );
    assert_hidden(&format!("{pending:?}"));
    let is_code = outcome.is_ok();
    check(callback, late, outcome);
    is_code
}

fn check(callback: &str, late: bool, outcome: Result<String>) {
    let callback = callback.trim();
    let values = |name| query::values(callback, name);
    match outcome {
        Ok(code) => {
            assert!(!late, "a code after the end");
            assert_eq!(values("state"), [STATE], "a code of another consent");
            assert_eq!(values("code"), [code]);
            assert!(values("error").iter().all(String::is_empty), "a code beside a refusal");
            assert!(
                values("iss").iter().all(|iss| iss.to_ascii_lowercase().starts_with(ORIGIN)),
                "another issuer"
            );
        }
        Err(error) => {
            assert_sound(&error);
            let right = values("state") == [STATE];
            assert!(right || error.code() != ErrorCode::AccessDenied, "a forged refusal");
            assert!(!error.message().contains(VERIFIER));
        }
    }
}
