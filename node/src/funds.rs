//! Accounts, amounts, and the question.

use std::sync::Arc;

use napi::bindgen_prelude::{ClassInstance, Either};
use napi_derive::napi;

use crate::call::{Outcome, direct};

/// What there is to say about an IBAN.
#[napi(object, object_from_js = false)]
pub struct IbanFacts {
    pub text: String,
    pub masked: String,
    pub country: String,
    pub bank_code: Option<String>,
}

#[napi(catch_unwind)]
pub fn iban(text: String) -> Outcome<IbanFacts> {
    direct(|| {
        let iban = cbpii::Iban::parse(&text)?;
        Ok(IbanFacts {
            text: iban.as_str().to_owned(),
            masked: iban.to_string(),
            country: iban.country().to_owned(),
            bank_code: iban.bank_code().map(ToOwned::to_owned),
        })
    })
}

/// How many decimals the amounts of a currency have.
#[napi(catch_unwind)]
pub fn currency_decimals(code: String) -> Outcome<u8> {
    direct(|| Ok(cbpii::Currency::from_code(&code)?.decimals()))
}

/// Checks an amount, and gives its value back in the form it is sent in.
#[napi(catch_unwind)]
pub fn amount_value(value: String, currency: String) -> Outcome<String> {
    direct(|| Ok(cbpii::Amount::new(&value, &currency)?.value().to_string()))
}

/// An account, by its IBAN or by a number of another scheme.
#[napi(object, object_to_js = false)]
pub struct AccountParts {
    pub iban: Option<String>,
    pub identification: Option<String>,
    pub scheme: Option<String>,
    pub issuer: Option<String>,
    pub currency: Option<String>,
    pub workspace: Option<String>,
}

impl AccountParts {
    fn account(&self) -> cbpii::Result<cbpii::Account> {
        let mut account = match &self.iban {
            Some(iban) => cbpii::Account::iban(cbpii::Iban::parse(iban)?),
            None => {
                let scheme = self.scheme.as_deref().unwrap_or_default().parse()?;
                let identification = self.identification.as_deref().unwrap_or_default();
                cbpii::Account::other(identification, scheme, self.issuer.as_deref())?
            }
        };
        if let Some(code) = &self.currency {
            account = account.with_currency(cbpii::Currency::from_code(code)?);
        }
        match &self.workspace {
            Some(workspace) => account.with_workspace(workspace),
            None => Ok(account),
        }
    }
}

/// Checks an account.
#[napi(catch_unwind)]
pub fn check_account(account: AccountParts) -> Outcome<bool> {
    direct(|| account.account().map(|_| true))
}

/// The `PSU-*` headers.
#[napi(object, object_to_js = false)]
pub struct PsuContext {
    pub ip_address: Option<String>,
    pub ip_port: Option<String>,
    pub http_method: Option<String>,
    pub date: Option<String>,
    pub geo_location: Option<String>,
    pub user_agent: Option<String>,
    pub referer: Option<String>,
    pub accept: Option<String>,
    pub accept_charset: Option<String>,
    pub accept_encoding: Option<String>,
    pub accept_language: Option<String>,
    pub device_id: Option<String>,
}

impl From<PsuContext> for cbpii::PsuContext {
    fn from(given: PsuContext) -> Self {
        let PsuContext {
            ip_address,
            ip_port,
            http_method,
            date,
            geo_location,
            user_agent,
            referer,
            accept,
            accept_charset,
            accept_encoding,
            accept_language,
            device_id,
        } = given;
        Self {
            ip_address,
            ip_port,
            http_method,
            date,
            geo_location,
            user_agent,
            referer,
            accept,
            accept_charset,
            accept_encoding,
            accept_language,
            device_id,
        }
    }
}

/// One question to the bank.
#[napi]
pub struct FundsRequest(pub(crate) Arc<cbpii::FundsRequest>);

/// The parts of a question: reference, account (an IBAN, or its parts), amount, currency, payee, the cardholder's connection,
/// request id.
pub type Question = (
    String,
    Either<String, AccountParts>,
    String,
    String,
    Option<String>,
    Option<PsuContext>,
    Option<String>,
);

fn checked(question: Question) -> cbpii::Result<Arc<cbpii::FundsRequest>> {
    let (reference, account, amount, currency, payee, psu, request_id) = question;
    let account = match account {
        Either::A(iban) => cbpii::Account::iban(cbpii::Iban::parse(&iban)?),
        Either::B(parts) => parts.account()?,
    };
    let amount = cbpii::Amount::new(&amount, &currency)?;
    let mut request = cbpii::FundsRequest::new(&reference, account, amount)?;
    if let Some(payee) = &payee {
        request = request.payee(payee)?;
    }
    if let Some(psu) = psu {
        request = request.psu(psu.into())?;
    }
    match &request_id {
        Some(id) => request.request_id(id),
        None => Ok(request),
    }
    .map(Arc::new)
}

/// Checks a question.
#[napi(catch_unwind)]
pub fn funds_request(question: Question) -> Outcome<FundsRequest> {
    direct(|| checked(question).map(FundsRequest))
}

/// What a call asks: a question that was checked before, or its parts. Those become no object of JavaScript, which would
/// cost more than checking them does.
pub type Asked<'env> = Either<Question, ClassInstance<'env, FundsRequest>>;

/// Gives the question to whoever asks it, which checks it there.
pub(crate) fn asked(given: Asked<'_>) -> impl FnOnce() -> cbpii::Result<Arc<cbpii::FundsRequest>> + use<> {
    let given = match given {
        Either::A(parts) => Either::A(parts),
        Either::B(request) => Either::B(Arc::clone(&request.0)),
    };
    || match given {
        Either::A(parts) => checked(parts),
        Either::B(request) => Ok(request),
    }
}
