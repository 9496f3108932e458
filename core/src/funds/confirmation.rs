//! The bank's answer to a funds check: a yes or a no that is certainly the answer to what was asked.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Account, AccountIdentifier, FundsRequest};
use crate::bank::{Bank, EchoRule};
use crate::json::{Object, Unreadable, read_member, read_object};
use crate::{Error, ErrorCode, Result, Timestamp};

/// Whether the answer carried a signature of the bank, and whether it could be checked. One that is wrong is
/// never handed out: it is the error `protocol.signature_invalid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseSignature {
    /// Signed by the bank, over the body.
    Verified,
    /// The answer was not signed.
    Absent,
    /// Signed, but the bank's certificate is not in its record, so it was not checked.
    Unverified,
}

impl ResponseSignature {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Verified, Self::Absent, Self::Unverified];

    /// Stable lower-case name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Absent => "absent",
            Self::Unverified => "unverified",
        }
    }
}

/// The bank's yes or no. Nothing is reserved by it, and it is true only for the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FundsConfirmation {
    /// Whether the account covers the amount.
    pub available: bool,
    /// The issuer's own reference, as asked.
    pub reference: String,
    /// The `X-Request-ID` that was sent: what the bank's support asks for first. None at a bank that takes none.
    pub request_id: Option<String>,
    /// The bank's own `X-CorrelationID`, when it gave one.
    pub correlation_id: Option<String>,
    /// The bank that answered ([`Bank::id`]).
    pub bank_id: String,
    /// When the answer came.
    pub checked_at: Timestamp,
    /// How long the call took, retries included.
    pub duration: Duration,
    /// What is known of the answer's signature.
    pub response_signature: ResponseSignature,
    /// The bank's announcement that this version of its API will end (HTTP `Warning: 299`).
    pub deprecation_warning: Option<String>,
}

impl fmt::Display for FundsConfirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = if self.available { "funds available" } else { "funds not available" };
        write!(f, "{answer} for {} at {} ({} ms)", self.reference, self.bank_id, self.duration.as_millis())
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    request: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "_links")]
    links: Option<&'a RawValue>,
}

/// Keeps a `null` apart from a missing member.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct EchoedRequest<'a> {
    #[serde(borrow, default, rename = "paymentCoverageRequestId")]
    reference: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "instructedAmount")]
    amount: Option<Object<EchoedAmount<'a>>>,
    #[serde(borrow, default, rename = "accountId")]
    account: Option<Object<EchoedAccount<'a>>>,
}

#[derive(Deserialize)]
struct EchoedAmount<'a> {
    #[serde(borrow, default)]
    currency: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    amount: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct EchoedAccount<'a> {
    #[serde(borrow, default, alias = "Iban")]
    iban: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    other: Option<Object<EchoedOther<'a>>>,
}

#[derive(Deserialize)]
struct EchoedOther<'a> {
    #[serde(borrow, default, alias = "Iban")]
    iban: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    identification: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "schemeName")]
    scheme: Option<Cow<'a, str>>,
}

/// Reads the body of a 200: the yes or no, if it is certainly the answer to `request`.
pub(crate) fn read_result(bank: &Bank, request: &FundsRequest, body: &[u8]) -> Result<bool> {
    let answer: Answer<'_> = read_object(body).map_err(unreadable)?;
    let result = answer.result.ok_or_else(|| misshapen("lacks the member result"))?;
    if bank.links_required && answer.links.is_none() {
        return Err(misshapen("lacks the member _links"));
    }
    let available = read_boolean(result.get(), bank.accepts_string_result)?;
    if bank.echo != EchoRule::None {
        let echo = answer.request.ok_or_else(|| misshapen("lacks the member request"))?;
        let echo: EchoedRequest<'_> = read_member(echo.get()).map_err(unreadable)?;
        check_echo(bank.echo, request, &echo)?;
    }
    Ok(available)
}

fn read_boolean(result: &str, string_accepted: bool) -> Result<bool> {
    match result {
        "true" => Ok(true),
        "false" => Ok(false),
        "\"true\"" if string_accepted => Ok(true),
        "\"false\"" if string_accepted => Ok(false),
        _ => Err(Error::new(
            ErrorCode::ResultNotBoolean,
            "The bank's answer has a result that is neither true nor false; it is not a yes: ask the bank.",
        )),
    }
}

fn unreadable(why: Unreadable) -> Error {
    match why {
        Unreadable::Shape => misshapen("has a member of the wrong type, or one that is there twice"),
        Unreadable::NotJson => {
            Error::new(ErrorCode::NotJson, "The bank's answer is not JSON; it is not a yes: ask the bank.")
        }
    }
}

fn misshapen(how: &str) -> Error {
    Error::new(ErrorCode::AnswerShape, format!("The bank's answer {how}; it is not a yes: ask the bank."))
}

fn check_echo(rule: EchoRule, request: &FundsRequest, echo: &EchoedRequest<'_>) -> Result<()> {
    let amount = echo.amount.as_ref().map(|Object(amount)| amount);
    let differs = if echo.reference.as_deref() != Some(request.reference()) {
        "reference"
    } else if amount.and_then(|amount| amount.currency.as_deref()) != Some(request.amount().currency().code())
    {
        "currency"
    } else if amount.and_then(|amount| read_decimal(amount.amount?.get())) != Some(request.amount().value()) {
        "amount"
    } else if rule == EchoRule::Strict
        && !echo.account.as_ref().is_some_and(|Object(echo)| same_account(request.account(), echo))
    {
        "account"
    } else {
        return Ok(());
    };
    let message = format!(
        "The bank's answer is about another request (its {differs} differs); it is not a yes: ask the bank."
    );
    Err(Error::new(ErrorCode::EchoMismatch, message))
}

/// A decimal from a JSON number or from a string that holds one, exactly: never by way of floating point, and
/// not with more digits than a [`Decimal`] holds without rounding.
fn read_decimal(json: &str) -> Option<Decimal> {
    const MAX_DIGITS: usize = 28;
    let text = if json.starts_with('"') { serde_json::from_str(json).ok()? } else { Cow::Borrowed(json) };
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if digits > MAX_DIGITS || !is_number {
        return None;
    }
    Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}

fn same_account(asked: &Account, echo: &EchoedAccount<'_>) -> bool {
    let other = echo.other.as_ref().map(|Object(other)| other);
    match asked.identifier() {
        AccountIdentifier::Iban(iban) => {
            let echoed = echo.iban.as_deref().or_else(|| other?.iban.as_deref());
            echoed.is_some_and(|echoed| {
                let echoed = echoed.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase());
                echoed.eq(iban.as_str().chars())
            })
        }
        AccountIdentifier::Other(asked) => other.is_some_and(|echoed| {
            echoed.identification.as_deref() == Some(asked.identification())
                && echoed.scheme.as_deref() == Some(asked.scheme().as_str())
        }),
    }
}
