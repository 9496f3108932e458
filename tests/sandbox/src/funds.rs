//! The funds confirmation: every check the protocol allows, then the cardholder's balance.

use std::str::FromStr as _;
use std::time::{Duration, SystemTime};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::bank::Bank;
use crate::eligibility::Presented;
use crate::exchange::{Answer, Exchange, Refused};
use crate::iban;
use crate::lock::Locked as _;
use crate::settings::{AmountFormat, EchoedAccount, ErrorStyle, RetryAfter, Settings};

const SCHEMES: [&str; 8] = ["BANK", "COID", "SREN", "SRET", "NIDN", "OAUT", "CPAN", "MPAN"];

/// `PaymentCoverageRequestResource`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CoverageRequest {
    payment_coverage_request_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payee: Option<String>,
    instructed_amount: InstructedAmount,
    account_id: Account,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InstructedAmount {
    currency: String,
    amount: Box<RawValue>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    #[serde(skip_serializing_if = "Option::is_none")]
    iban: Option<String>,
    #[serde(rename = "Iban", skip_serializing_if = "Option::is_none")]
    capital_iban: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<OtherAccount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OtherAccount {
    identification: String,
    scheme_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
}

/// The answer, its members in the order of the documentation.
#[derive(Serialize)]
struct CoverageAnswer {
    request: Box<RawValue>,
    result: bool,
    #[serde(rename = "_links", skip_serializing_if = "Option::is_none")]
    links: Option<Value>,
}

pub(crate) fn answer(bank: &Bank, settings: &Settings, exchange: &Exchange) -> Answer {
    match confirm(bank, settings, exchange) {
        Ok(body) => {
            let content_type = match settings.error_style {
                ErrorStyle::Stet => "application/hal+json; charset=utf-8",
                ErrorStyle::OAuth => "application/json",
            };
            Answer::new(200, content_type, body)
        }
        Err(refused) => refuse(bank, settings, exchange, &refused),
    }
}

/// Adds what every honest answer of this endpoint carries, and signs it.
pub(crate) fn complete(bank: &Bank, settings: &Settings, exchange: &Exchange, answer: &mut Answer) {
    if !matches!(*exchange.connection.client, Presented::Trusted(_)) {
        // Refused in front of the bank, which never saw the request.
        return;
    }
    let is_set = answer.headers.iter().any(|(name, _)| name == "x-request-id");
    if let Some(id) = exchange.headers.get("x-request-id").and_then(|value| value.to_str().ok())
        && !is_set
    {
        answer.set_header("x-request-id", id);
    }
    answer.set_header("x-correlationid", uuid::Uuid::new_v4().to_string());
    answer.set_header("date", httpdate::fmt_http_date(bank.now()));
    if settings.signed_answers {
        answer.set_header("digest", crate::signature::digest_header(&answer.body));
        let line = format!("{} {}", exchange.method.as_str().to_ascii_lowercase(), exchange.target());
        let signature = bank.bank_seal.sign(&answer.headers, &line);
        answer.set_header("signature", signature);
    }
}

fn refuse(bank: &Bank, settings: &Settings, exchange: &Exchange, refused: &Refused) -> Answer {
    let mut answer = refused.answer(settings, &exchange.path, bank.now());
    match refused.status {
        405 => answer.set_header("allow", "POST"),
        401 => answer.set_header("www-authenticate", "Bearer error=\"invalid_token\""),
        429 => {
            let delay = settings.retry_after_seconds;
            match settings.retry_after {
                RetryAfter::Seconds => answer.set_header("retry-after", delay.to_string()),
                RetryAfter::Date => {
                    let at = bank.now() + Duration::from_secs(delay);
                    answer.set_header("retry-after", httpdate::fmt_http_date(at));
                }
                RetryAfter::Missing => {}
            }
        }
        _ => {}
    }
    answer
}

fn confirm(bank: &Bank, settings: &Settings, exchange: &Exchange) -> Result<Vec<u8>, Refused> {
    if exchange.method != hyper::Method::POST {
        return Err(Refused::coded(405, "NIMP", "method not implemented"));
    }
    check_headers(bank, settings, exchange)?;
    if let Some(required) = &settings.signed_headers {
        bank.seal.verify(exchange, required)?;
    }
    let persona = authorised(bank, settings, exchange)?;
    let request: CoverageRequest = serde_json::from_slice(&exchange.body)
        .map_err(|error| Refused::new(400, format!("the body is not the resource: {error}")))?;
    let amount = check_request(settings, &request).map_err(|reason| Refused::new(400, reason))?;
    let result = amount <= balance(bank, settings, &persona, &request.account_id)?;
    let answer = CoverageAnswer {
        request: echo(settings, request)?,
        result,
        links: settings.links.then(|| json!({"self": {"href": relative(&exchange.path)}})),
    };
    serde_json::to_vec(&answer).map_err(internal)
}

fn internal(error: serde_json::Error) -> Refused {
    Refused::coded(500, "INTS", error.to_string())
}

/// The path as `_links` shows it: from the version on.
fn relative(path: &str) -> &str {
    path.strip_prefix("/stet/psd2/").unwrap_or(path)
}

fn check_headers(bank: &Bank, settings: &Settings, exchange: &Exchange) -> Result<(), Refused> {
    let bad = |reason: String| Refused::new(400, reason);
    if exchange.query.is_some() {
        return Err(bad("this path takes no query".to_owned()));
    }
    let content_type = exchange.single("content-type").map_err(bad)?.unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    if !is_json || parts.any(|parameter| !parameter.eq_ignore_ascii_case("charset=utf-8")) {
        return Err(Refused::new(415, "Content-Type is not application/json"));
    }
    if !accepts_json(exchange) {
        return Err(Refused::new(406, "Accept allows neither application/hal+json nor application/json"));
    }
    let id = exchange.single("x-request-id").map_err(bad)?.unwrap_or_default();
    if id.len() > 70 || (settings.request_id_required && id.is_empty()) {
        return Err(bad("X-Request-ID is missing or longer than 70 characters".to_owned()));
    }
    match settings.date_tolerance_seconds {
        Some(tolerance) => check_date(exchange, bank.now(), tolerance).map_err(bad),
        None => Ok(()),
    }
}

fn accepts_json(exchange: &Exchange) -> bool {
    let ranges: Vec<String> = exchange
        .headers
        .get_all("accept")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.trim().to_ascii_lowercase())
        .collect();
    let wanted = ["application/hal+json", "application/json", "application/*", "*/*"];
    let fits = |range: &String| {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default();
        wanted.contains(&media) && !parts.any(|parameter| parameter == "q=0")
    };
    ranges.is_empty() || ranges.iter().any(fits)
}

fn check_date(exchange: &Exchange, now: SystemTime, tolerance: u64) -> Result<(), String> {
    let text = exchange.single("date")?.ok_or("header Date is missing")?;
    let date = httpdate::parse_http_date(text).map_err(|_| "Date is not an HTTP date")?;
    if httpdate::fmt_http_date(date) != text {
        return Err("Date is not an IMF-fixdate".to_owned());
    }
    let distance = now.duration_since(date).unwrap_or_else(|ahead| ahead.duration());
    // The header has whole seconds.
    if distance > Duration::from_secs(tolerance + 1) {
        return Err(format!("Date is more than {tolerance} seconds away from the bank's clock"));
    }
    Ok(())
}

/// Who the bearer token speaks for.
fn authorised(bank: &Bank, settings: &Settings, exchange: &Exchange) -> Result<String, Refused> {
    let header = exchange.single("authorization").map_err(|reason| Refused::new(400, reason))?;
    let header = header.ok_or_else(|| Refused::new(401, "header Authorization is missing"))?;
    let token = header.strip_prefix("Bearer ").ok_or_else(|| Refused::new(401, "not a bearer token"))?;
    let bearer =
        bank.grants.locked().bearer(token, bank.now()).map_err(|reason| Refused::new(401, reason))?;
    if bearer.scope != settings.scope {
        return Err(Refused::coded(403, "BADS", "the token is for another role"));
    }
    Ok(bearer.persona)
}

fn check_request(settings: &Settings, request: &CoverageRequest) -> Result<Decimal, String> {
    let length = request.payment_coverage_request_id.chars().count();
    if !(1..=35).contains(&length) {
        return Err("paymentCoverageRequestId has 1 to 35 characters".to_owned());
    }
    if request.payee.as_ref().is_some_and(|payee| payee.chars().count() > 70) {
        return Err("payee has at most 70 characters".to_owned());
    }
    if request.instructed_amount.currency != "EUR" {
        return Err("currency is not the account's, EUR".to_owned());
    }
    check_account(settings, &request.account_id)?;
    read_amount(settings.amount_format, request.instructed_amount.amount.get())
}

/// An amount greater than zero with at most 13 digits before and 2 after the point.
fn read_amount(format: AmountFormat, json: &str) -> Result<Decimal, String> {
    let text = match (format, json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))) {
        (AmountFormat::String, Some(text)) => text,
        (AmountFormat::Number, None) => json,
        (AmountFormat::String, None) => return Err("amount is not a JSON string".to_owned()),
        (AmountFormat::Number, Some(_)) => return Err("amount is not a JSON number".to_owned()),
    };
    let (whole, decimals) = match text.split_once('.') {
        Some((_, "")) => return Err("amount ends in a point".to_owned()),
        Some((whole, decimals)) => (whole, decimals),
        None => (text, ""),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=13).contains(&whole.len()) || !digits(whole) || !digits(decimals) {
        return Err("amount does not match its pattern, or is negative".to_owned());
    }
    if decimals.len() > 2 {
        return Err("amount has more decimals than EUR".to_owned());
    }
    let amount = Decimal::from_str(text).map_err(|error| format!("amount: {error}"))?;
    if amount.is_zero() { Err("amount is zero".to_owned()) } else { Ok(amount) }
}

fn check_account(settings: &Settings, account: &Account) -> Result<(), String> {
    let wrong_spelling = match settings.account_member.as_str() {
        "Iban" => account.iban.is_some(),
        _ => account.capital_iban.is_some(),
    };
    if wrong_spelling {
        return Err(format!("the member of accountId is {}", settings.account_member));
    }
    let iban = account.iban.as_ref().or(account.capital_iban.as_ref());
    match (iban, &account.other) {
        (Some(text), None) if !iban::is_valid(text) => return Err("the IBAN is not valid".to_owned()),
        (Some(_), None) => {}
        (None, Some(other)) => check_other(other)?,
        _ => return Err("accountId has either an IBAN or other".to_owned()),
    }
    let extended = account.currency.is_some() || account.workspace.is_some();
    if extended && !settings.account_extensions {
        return Err("accountId has neither currency nor workspace in this version".to_owned());
    }
    if account.currency.as_ref().is_some_and(|currency| currency != "EUR") {
        return Err("the account is in EUR".to_owned());
    }
    if account.workspace.as_ref().is_some_and(|workspace| workspace.chars().count() > 32) {
        return Err("workspace has at most 32 characters".to_owned());
    }
    Ok(())
}

fn check_other(other: &OtherAccount) -> Result<(), String> {
    if !(1..=70).contains(&other.identification.chars().count()) {
        return Err("identification has 1 to 70 characters".to_owned());
    }
    if !SCHEMES.contains(&other.scheme_name.as_str()) {
        return Err(format!("schemeName is one of {}", SCHEMES.join(" ")));
    }
    if other.issuer.as_ref().is_some_and(|issuer| issuer.chars().count() > 35) {
        return Err("issuer has at most 35 characters".to_owned());
    }
    Ok(())
}

/// What is available on the account, when it is the persona's own and nothing stands against it.
fn balance(bank: &Bank, settings: &Settings, persona: &str, account: &Account) -> Result<Decimal, Refused> {
    let status = |documented: u16| {
        if settings.error_style == ErrorStyle::OAuth && documented < 429 { 409 } else { documented }
    };
    let customers = bank.customers.locked();
    let persona = customers
        .get(persona)
        .ok_or_else(|| Refused::coded(status(403), "IPSU", "the cardholder is no longer known"))?;
    let asked = match (&account.iban, &account.capital_iban, &account.other) {
        (Some(iban), ..) | (None, Some(iban), _) => iban.as_str(),
        (None, None, Some(other)) => other.identification.as_str(),
        (None, None, None) => "",
    };
    let bban = persona.iban.get(4..).unwrap_or_default();
    if asked != persona.iban && !(account.other.is_some() && asked == bban) {
        return Err(Refused::coded(status(404), "AC01", "account number unknown or incorrect"));
    }
    match &persona.refusal {
        Some(refusal) => Err(Refused::coded(status(refusal.status), &refusal.code, refusal.message.clone())),
        None => Ok(persona.available),
    }
}

/// The request as the answer repeats it.
fn echo(settings: &Settings, mut request: CoverageRequest) -> Result<Box<RawValue>, Refused> {
    if settings.echoed_account == EchoedAccount::AsSent {
        return to_raw_value(&request).map_err(internal);
    }
    let account = std::mem::take(&mut request.account_id);
    let iban = account.capital_iban.or(account.iban).or(account.other.map(|other| other.identification));
    let mut echoed = to_raw_value(&request).map_err(internal)?.get().to_owned();
    let member = json!({"other": {"iban": iban}}).to_string();
    // The emptied account is the last member written.
    if let Some(start) = echoed.rfind("{}") {
        echoed.replace_range(start..start + 2, &member);
    }
    RawValue::from_string(echoed).map_err(internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_strict() {
        let read = |text| read_amount(AmountFormat::String, text);
        assert_eq!(read(r#""458.99""#), Ok(Decimal::new(45_899, 2)));
        assert_eq!(read(r#""9999999999999.99""#), Ok(Decimal::new(999_999_999_999_999, 2)));
        for wrong in [
            r#""0""#,
            r#""0.00""#,
            r#""-1""#,
            r#""1.""#,
            r#"".5""#,
            r#""1.005""#,
            r#""1e3""#,
            r#""12345678901234""#,
            "12",
            r#""""#,
            r#""1 ""#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(read_amount(AmountFormat::Number, "12.50"), Ok(Decimal::new(1250, 2)));
        assert!(read_amount(AmountFormat::Number, "1.25e1").is_err());
        assert!(read_amount(AmountFormat::Number, r#""12.50""#).is_err());
    }
}
