//! What the token endpoint answers: tokens only as the bank wrote them, which are saved and read back and never shown.
//!
//! Input: flags (1: of a refresh), then the body of a 200.
#![no_main]

use cbpii::{AuthorizationCode, ErrorCode, Secret, Tokens};
use cbpii_fuzz::bank_in_memory::{answer, bank, client, pending, tokens};
use cbpii_fuzz::json::Json;
use cbpii_fuzz::secrets::{CODE, REFRESH_TOKEN, assert_sound};
use cbpii_fuzz::{input, memory};
use libfuzzer_sys::fuzz_target;

const GOOD: &[u8] = b"\0{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":60}";

fuzz_target!(init: assert!(run(GOOD)), |data: &[u8]| memory::limited(|| run(data)));

/// Whether there were tokens.
fn run(data: &[u8]) -> bool {
    let (flags, body) = input::flags(data);
    let Some(answer) = answer(200, &[("content-type", "application/json")], body) else { return false };
    let client = client(&bank(""), answer);
    let refresh = flags & 1 != 0;
    let outcome = if refresh {
        client.refresh(&tokens())
    } else {
        client.exchange_code(&pending(), &AuthorizationCode::new(CODE).expect("a code"))
    };
    match outcome {
        Ok(tokens) => {
            check(&tokens, body, refresh);
            assert_eq!(Tokens::from_json(tokens.to_json().expose()).expect("their own saved form"), tokens);
            true
        }
        Err(error) => {
            assert_sound(&error);
            assert!(matches!(error.code(), ErrorCode::NotJson | ErrorCode::TokenAnswer), "{error:?}");
            false
        }
    }
}

fn check(tokens: &Tokens, body: &[u8], refresh: bool) {
    let answer = Json::read(body).expect("tokens from what is no JSON");
    let text = |name| answer.member(name).and_then(Json::text).filter(|text| !text.is_empty());
    let (access, rotated) = (tokens.access_token().expose(), tokens.refresh_token().map(Secret::expose));
    assert_eq!(Some(access), text("access_token"));
    assert_eq!(rotated, text("refresh_token").or(refresh.then_some(REFRESH_TOKEN)));
    assert!(
        answer
            .member("token_type")
            .and_then(Json::text)
            .is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"))
    );
    let shown = format!("{tokens:?} {tokens}");
    for secret in [Some(access), rotated].into_iter().flatten().filter(|secret| secret.len() >= 16) {
        assert!(
            !shown.contains(secret) || tokens.scope().is_some_and(|scope| scope.contains(secret)),
            "{shown}"
        );
    }
}
