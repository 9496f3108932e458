use cbpii::{Account, Amount, Currency, FundsRequest, Iban, PsuContext, Result, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::funds_bodies::tokens;
use crate::suite::{Facts, facts};
use crate::wire::{Wire, answer, client};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shared {
    bank: Value,
    now: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    kind: Kind,
    bank: Option<Value>,
    input: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Amount,
    Currency,
    Iban,
    Request,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CurrencyInput {
    code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountInput {
    amount: String,
    currency: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IbanInput {
    iban: String,
}

/// A funds request as a case writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    reference: String,
    account: AccountInput,
    amount: String,
    currency: String,
    payee: Option<String>,
    request_id: Option<String>,
    psu: Option<PsuInput>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountInput {
    iban: Option<String>,
    other: Option<OtherInput>,
    currency: Option<String>,
    workspace: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OtherInput {
    identification: String,
    scheme: String,
    issuer: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct PsuInput {
    ip_address: Option<String>,
    ip_port: Option<String>,
    http_method: Option<String>,
    date: Option<String>,
    geo_location: Option<String>,
    user_agent: Option<String>,
    referer: Option<String>,
    accept: Option<String>,
    accept_charset: Option<String>,
    accept_encoding: Option<String>,
    accept_language: Option<String>,
    device_id: Option<String>,
}

pub(crate) fn run(shared: &Shared, case: Case) -> Result<Facts> {
    let input = case.input;
    match case.kind {
        Kind::Currency => {
            let currency = Currency::from_code(&read::<CurrencyInput>(input).code)?;
            Ok(facts(json!({ "code": currency.code(), "decimals": currency.decimals() })))
        }
        Kind::Amount => {
            let AmountInput { amount, currency } = read(input);
            let amount = Amount::new(&amount, &currency)?;
            Ok(facts(json!({ "amount": amount.value().to_string(), "currency": amount.currency().code() })))
        }
        Kind::Iban => {
            let iban = Iban::parse(&read::<IbanInput>(input).iban)?;
            Ok(facts(json!({
                "iban": iban.as_str(),
                "country": iban.country(),
                "bank_code": iban.bank_code(),
                "masked": iban.to_string(),
            })))
        }
        Kind::Request => send(case.bank.as_ref().unwrap_or(&shared.bank), shared.now.parse()?, &read(input)),
    }
}

/// What leaves for the bank: the body byte for byte, and the headers that depend on the request.
fn send(bank: &Value, now: Timestamp, input: &Input) -> Result<Facts> {
    let wire = Wire::new(answer(500, &[], None));
    let client = client(bank, now, wire.clone())?;
    let request = input.request()?;
    client.confirm_funds(&tokens(now)?, &request).expect_err("the wire says no");
    let sent = wire.last();
    let own = ["accept", "authorization", "content-type", "date", "digest", "signature"];
    let headers = sent.headers().iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let headers: Vec<_> = headers
        .map(|(name, value)| {
            let name = name.as_str();
            // Header names have no case; they are compared as STET writes them.
            let written = PSU_NAMES.iter().chain(&NAMES).find(|known| known.eq_ignore_ascii_case(name));
            json!([written.copied().unwrap_or(name), value.to_str().expect("text")])
        })
        .collect();
    let body = std::str::from_utf8(sent.body()).expect("UTF-8");
    Ok(facts(json!({ "body": body, "headers": headers })))
}
const NAMES: [&str; 2] = ["X-Request-ID", "X-My-Request"];
const PSU_NAMES: [&str; 12] = [
    "PSU-IP-Address",
    "PSU-IP-Port",
    "PSU-HTTP-Method",
    "PSU-Date",
    "PSU-GEO-Location",
    "PSU-User-Agent",
    "PSU-Referer",
    "PSU-Accept",
    "PSU-Accept-Charset",
    "PSU-Accept-Encoding",
    "PSU-Accept-Language",
    "PSU-Device-ID",
];

impl Input {
    pub(crate) fn request(&self) -> Result<FundsRequest> {
        let amount = Amount::new(&self.amount, &self.currency)?;
        let mut request = FundsRequest::new(&self.reference, self.account.account()?, amount)?;
        if let Some(payee) = &self.payee {
            request = request.payee(payee)?;
        }
        if let Some(id) = &self.request_id {
            request = request.request_id(id)?;
        }
        match &self.psu {
            Some(psu) => request.psu(psu.clone().into()),
            None => Ok(request),
        }
    }
}

impl AccountInput {
    fn account(&self) -> Result<Account> {
        let mut account = match (&self.iban, &self.other) {
            (Some(iban), None) => Account::iban(Iban::parse(iban)?),
            (None, Some(other)) => {
                Account::other(&other.identification, other.scheme.parse()?, other.issuer.as_deref())?
            }
            _ => panic!("an account has either an IBAN or another identification"),
        };
        if let Some(currency) = &self.currency {
            account = account.with_currency(currency.parse()?);
        }
        match &self.workspace {
            Some(workspace) => account.with_workspace(workspace),
            None => Ok(account),
        }
    }
}

impl From<PsuInput> for PsuContext {
    fn from(input: PsuInput) -> Self {
        Self {
            ip_address: input.ip_address,
            ip_port: input.ip_port,
            http_method: input.http_method,
            date: input.date,
            geo_location: input.geo_location,
            user_agent: input.user_agent,
            referer: input.referer,
            accept: input.accept,
            accept_charset: input.accept_charset,
            accept_encoding: input.accept_encoding,
            accept_language: input.accept_language,
            device_id: input.device_id,
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(input: Value) -> T {
    serde_json::from_value(input).expect("an input of this kind")
}
