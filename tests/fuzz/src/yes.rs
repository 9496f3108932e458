//! A second opinion on what is a yes or a no.

use crate::bank_in_memory::{AMOUNT, Asked, CARD, CURRENCY, REFERENCE};
use crate::decimal::is_number;
use crate::json::Json;
use crate::secrets::IBAN;

/// The echo a bank owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    All,
    ReferenceAndAmount,
    Nothing,
}

/// The answer of the bank to what was asked, if the body is one.
#[must_use]
pub fn in_body(body: &[u8], asked: Asked, echo: Echo, as_text: bool) -> Option<bool> {
    let answer = Json::read(body)?;
    let available = match answer.member("result")? {
        Json::Bool(available) => *available,
        Json::Text(text) if as_text && text == "true" => true,
        Json::Text(text) if as_text && text == "false" => false,
        _ => return None,
    };
    (echo == Echo::Nothing || echoes(answer.member("request")?, asked, echo)).then_some(available)
}

fn echoes(request: &Json, asked: Asked, echo: Echo) -> bool {
    let text = |value: Option<&Json>, wanted: &str| value.and_then(Json::text) == Some(wanted);
    let amount = request.member("instructedAmount");
    let value = match amount.and_then(|amount| amount.member("amount")) {
        Some(Json::Number(text) | Json::Text(text)) => text,
        _ => return false,
    };
    text(request.member("paymentCoverageRequestId"), REFERENCE)
        && text(amount.and_then(|amount| amount.member("currency")), CURRENCY)
        && is_number(value, AMOUNT.0, AMOUNT.1)
        && (echo == Echo::ReferenceAndAmount
            || request.member("accountId").is_some_and(|it| is_account(it, asked)))
}

fn is_account(account: &Json, asked: Asked) -> bool {
    let other = account.member("other");
    let member = |name| other.and_then(|other| other.member(name)).and_then(Json::text);
    match asked {
        Asked::Iban => {
            let places = [Some(account), other].into_iter().flatten();
            let mut ibans =
                places.flat_map(|place| ["iban", "Iban"].map(|name| place.member(name))).flatten();
            ibans.any(|iban| {
                let compact = |text: &str| text.split_whitespace().collect::<String>().to_uppercase();
                iban.text().is_some_and(|text| compact(text) == IBAN)
            })
        }
        Asked::Card => member("identification") == Some(CARD) && member("schemeName") == Some("CPAN"),
    }
}
