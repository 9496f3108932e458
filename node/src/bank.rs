//! Bank records, as the JSON that the package's `Bank` is made of.

use cbpii::bank::TrustMode;
use cbpii::{Bank, Environment, Error, ErrorCode, Iban};
use napi_derive::napi;

use crate::call::{Outcome, direct};

#[napi(catch_unwind)]
pub fn bank_bpce(code: String, environment: String) -> Outcome<String> {
    direct(|| Bank::bpce(&code, environment.parse()?)?.to_json())
}

#[napi(catch_unwind)]
pub fn bank_by_id(id: String, environment: String) -> Outcome<String> {
    direct(|| Bank::by_id(&id, environment.parse()?)?.to_json())
}

#[napi(catch_unwind)]
pub fn banks_by_code(code: String, environment: String) -> Outcome<Vec<String>> {
    several(&environment, |environment| Ok(Bank::by_code(&code, environment)))
}

#[napi(catch_unwind)]
pub fn banks_from_iban(iban: String, environment: String) -> Outcome<Vec<String>> {
    several(&environment, |environment| Bank::from_iban(&Iban::parse(&iban)?, environment))
}

#[napi(catch_unwind)]
pub fn banks_found(words: String, environment: String) -> Outcome<Vec<String>> {
    several(&environment, |environment| Ok(Bank::find(&words, environment)))
}

#[napi(catch_unwind)]
pub fn bank_directory(environment: String) -> Outcome<Vec<String>> {
    several(&environment, |environment| Ok(Bank::directory(environment)))
}

fn several(
    environment: &str,
    banks: impl FnOnce(Environment) -> cbpii::Result<Vec<Bank>>,
) -> Outcome<Vec<String>> {
    direct(|| banks(environment.parse()?)?.iter().map(Bank::to_json).collect())
}

#[napi(catch_unwind)]
pub fn bank_from_json(text: String) -> Outcome<String> {
    direct(|| Bank::from_json(&text)?.to_json())
}

#[napi(catch_unwind)]
pub fn bank_with_origin(bank: String, origin: String) -> Outcome<String> {
    direct(|| Bank::from_json(&bank)?.with_origin(&origin)?.to_json())
}

#[napi(catch_unwind)]
pub fn bank_with_trust_anchor(bank: String, pem: String, mode: String) -> Outcome<String> {
    direct(|| {
        let mode = match mode.as_str() {
            "add" => TrustMode::Add,
            "replace" => TrustMode::Replace,
            _ => {
                let message = "The trust mode is neither add nor replace; use one of them.";
                return Err(Error::new(ErrorCode::OptionValue, message));
            }
        };
        Bank::from_json(&bank)?.with_trust_anchor(&pem, mode)?.to_json()
    })
}
