//! The funds check: account, amount, request, confirmation.

use std::sync::Arc;

use cbpii::{Currency, Error, ErrorCode};
use rust_decimal::Decimal;

use crate::call::direct;
use crate::error::RawFailure;
use crate::mirror::mirror;
use crate::object::object;
use crate::values::{DecimalText, TimeSpan, Timestamp};

object! {
    /// An International Bank Account Number, checked (ISO 13616). An account number is personal data: it prints masked.
    RawIban(cbpii::Iban), |iban| iban.to_string()
}

#[uniffi::export]
impl RawIban {
    /// Reads an IBAN as people and machines write it; blanks and small letters are accepted.
    ///
    /// Throws `request.iban`.
    #[uniffi::constructor]
    pub fn parse(text: String) -> Result<Arc<Self>, RawFailure> {
        direct(|| cbpii::Iban::parse(&text).map(Self::of))
    }

    /// The whole number in clear, without blanks. Do not log it.
    pub fn expose(&self) -> String {
        self.inner.as_str().to_owned()
    }

    /// The country's two letters (ISO 3166-1).
    pub fn country(&self) -> String {
        self.inner.country().to_owned()
    }

    /// The five characters that name the bank in a French IBAN (positions 5 to 9); none for other countries.
    pub fn bank_code(&self) -> Option<String> {
        self.inner.bank_code().map(ToOwned::to_owned)
    }
}

mirror! {
    /// The scheme of an account that is not named by an IBAN (STET `schemeName`, codes of ISO 20022).
    AccountScheme of cbpii::AccountScheme {
        /// `BANK`: an identification of the bank's own.
        Bank,
        /// `COID`: a country's company identification.
        Coid,
        /// `SREN`: the SIREN number of a French company.
        Sren,
        /// `SRET`: the SIRET number of a French establishment.
        Sret,
        /// `NIDN`: a national identity number.
        Nidn,
        /// `OAUT`: an OAuth 2 access token that identifies the cardholder.
        Oaut,
        /// `CPAN`: a card number.
        Cpan,
        /// `MPAN`: a masked card number.
        Mpan,
    }
}

object! {
    /// The account a check is about. It prints masked.
    RawAccount(cbpii::Account), |account| format!("{account:?}")
}

#[uniffi::export]
impl RawAccount {
    /// An account by its IBAN; with the currency it is held in, when stated (ISO 4217), and the workspace (STET 1.6), 1 to 32
    /// characters.
    ///
    /// Throws `request.currency`, `request.account`.
    #[uniffi::constructor]
    pub fn iban(
        iban: Arc<RawIban>,
        currency: Option<String>,
        workspace: Option<String>,
    ) -> Result<Arc<Self>, RawFailure> {
        direct(|| completed(cbpii::Account::iban(iban.inner), currency, workspace))
    }

    /// An account by a number of another scheme: `identification` of 1 to 70 characters, `issuer` of 1 to 35.
    ///
    /// Throws `request.account`, `request.currency`.
    #[uniffi::constructor]
    pub fn other(
        identification: String,
        scheme: AccountScheme,
        issuer: Option<String>,
        currency: Option<String>,
        workspace: Option<String>,
    ) -> Result<Arc<Self>, RawFailure> {
        direct(|| {
            let account = cbpii::Account::other(&identification, scheme.into(), issuer.as_deref())?;
            completed(account, currency, workspace)
        })
    }
}

fn completed(
    mut account: cbpii::Account,
    currency: Option<String>,
    workspace: Option<String>,
) -> cbpii::Result<Arc<RawAccount>> {
    if let Some(code) = currency {
        account = account.with_currency(Currency::from_code(&code)?);
    }
    if let Some(workspace) = workspace {
        account = account.with_workspace(&workspace)?;
    }
    Ok(RawAccount::of(account))
}

/// How many decimals an amount of this currency has at most (ISO 4217): 2 for `EUR`, 0 for `JPY`.
///
/// Throws `request.currency`.
#[uniffi::export]
pub fn currency_decimals(code: String) -> Result<i32, RawFailure> {
    direct(|| Ok(Currency::from_code(&code)?.decimals().into()))
}

object! {
    /// A positive amount of a currency, exact: at most 13 digits before the point, and as many decimals as the currency has.
    RawAmount(cbpii::Amount), |amount| amount.to_string()
}

#[uniffi::export]
impl RawAmount {
    /// An amount from decimal text, such as `12.50`, and an ISO 4217 code.
    ///
    /// Throws `request.amount`, `request.currency`.
    #[uniffi::constructor]
    pub fn parse(text: String, currency: String) -> Result<Arc<Self>, RawFailure> {
        direct(|| cbpii::Amount::new(&text, &currency).map(Self::of))
    }

    /// An amount from a decimal value. Decimals that are zero beyond what the currency has are dropped.
    ///
    /// Throws `request.amount`, `request.currency`.
    #[uniffi::constructor]
    pub fn from_decimal(value: DecimalText, currency: String) -> Result<Arc<Self>, RawFailure> {
        direct(|| {
            let currency = Currency::from_code(&currency)?;
            let value = Decimal::from_str_exact(&value.0).map_err(|_| {
                Error::new(
                    ErrorCode::Amount,
                    "The amount has more digits than any bank takes; round it first.",
                )
            })?;
            cbpii::Amount::from_decimal(value, currency).map(Self::of)
        })
    }

    /// The value, with the decimals it was given with.
    pub fn value(&self) -> DecimalText {
        DecimalText(self.inner.value().to_string())
    }

    /// The ISO 4217 code.
    pub fn currency(&self) -> String {
        self.inner.currency().code().to_owned()
    }
}

/// The `PSU-*` headers of STET: what is known of the cardholder's own connection. Set them only when the cardholder is really
/// present. Every value is printable ASCII without blanks at its ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct PsuContext {
    /// `PSU-IP-Address`: the address the cardholder connects from.
    #[uniffi(default = None)]
    pub ip_address: Option<String>,
    /// `PSU-IP-Port`: the port the cardholder connects from.
    #[uniffi(default = None)]
    pub ip_port: Option<String>,
    /// `PSU-HTTP-Method`: the method of the cardholder's request, e.g. `POST`.
    #[uniffi(default = None)]
    pub http_method: Option<String>,
    /// `PSU-Date`: the moment of the cardholder's request, as an HTTP date (RFC 9110 §5.6.7).
    #[uniffi(default = None)]
    pub date: Option<String>,
    /// `PSU-GEO-Location`: where the cardholder is, as `GEO:<latitude>;<longitude>` (RFC 5870).
    #[uniffi(default = None)]
    pub geo_location: Option<String>,
    /// `PSU-User-Agent`: the browser or app of the cardholder.
    #[uniffi(default = None)]
    pub user_agent: Option<String>,
    /// `PSU-Referer`: the `Referer` the cardholder's browser sent.
    #[uniffi(default = None)]
    pub referer: Option<String>,
    /// `PSU-Accept`: the `Accept` the cardholder's browser sent.
    #[uniffi(default = None)]
    pub accept: Option<String>,
    /// `PSU-Accept-Charset`: the `Accept-Charset` the cardholder's browser sent.
    #[uniffi(default = None)]
    pub accept_charset: Option<String>,
    /// `PSU-Accept-Encoding`: the `Accept-Encoding` the cardholder's browser sent.
    #[uniffi(default = None)]
    pub accept_encoding: Option<String>,
    /// `PSU-Accept-Language`: the `Accept-Language` the cardholder's browser sent.
    #[uniffi(default = None)]
    pub accept_language: Option<String>,
    /// `PSU-Device-ID`: a UUID of the cardholder's device or installation.
    #[uniffi(default = None)]
    pub device_id: Option<String>,
}

impl From<PsuContext> for cbpii::PsuContext {
    fn from(context: PsuContext) -> Self {
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
        } = context;
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

object! {
    /// One question to the bank: does this account hold this amount at this moment? Nothing is reserved by asking. It prints
    /// masked.
    RawFundsRequest(cbpii::FundsRequest), |request| format!("{request:?}")
}

#[uniffi::export]
impl RawFundsRequest {
    /// A question: `reference` of 1 to 35 characters, which comes back in the answer; `payee`, the merchant, of 1 to 70;
    /// `request_id`, the `X-Request-ID`, of 1 to 70 visible ASCII characters, a fresh UUID when there is none.
    ///
    /// Throws `request.reference`, `request.currency` (the amount is not in the account's), `request.payee`,
    /// `request.psu_header`, `request.request_id`.
    #[uniffi::constructor]
    pub fn new(
        reference: String,
        account: Arc<RawAccount>,
        amount: Arc<RawAmount>,
        payee: Option<String>,
        psu: Option<PsuContext>,
        request_id: Option<String>,
    ) -> Result<Arc<Self>, RawFailure> {
        direct(|| {
            let mut request = cbpii::FundsRequest::new(&reference, account.inner.clone(), amount.inner)?;
            if let Some(payee) = payee {
                request = request.payee(&payee)?;
            }
            if let Some(psu) = psu {
                request = request.psu(psu.into())?;
            }
            if let Some(id) = request_id {
                request = request.request_id(&id)?;
            }
            Ok(Self::of(request))
        })
    }

    /// The issuer's own reference.
    pub fn reference(&self) -> String {
        self.inner.reference().to_owned()
    }
}

mirror! {
    /// Whether the answer carried a signature of the bank, and whether it could be checked.
    ResponseSignature of cbpii::funds::ResponseSignature {
        /// Signed by the bank, over the body.
        Verified,
        /// The answer was not signed.
        Absent,
        /// Signed, but the bank's certificate is not in its record, so it was not checked.
        Unverified,
    }
}

/// The bank's yes or no. Nothing is reserved by it, and it is true only for the moment.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FundsConfirmation {
    /// Whether the account covers the amount.
    pub available: bool,
    /// The issuer's own reference, as asked.
    pub reference: String,
    /// The `X-Request-ID` that was sent: what the bank's support asks for first. None at a bank that takes none.
    pub request_id: Option<String>,
    /// The bank's own `X-CorrelationID`, when it gave one.
    pub correlation_id: Option<String>,
    /// The id of the bank that answered.
    pub bank_id: String,
    /// When the answer came.
    pub checked_at: Timestamp,
    /// How long the call took, retries included.
    pub duration: TimeSpan,
    /// What is known of the answer's signature.
    pub response_signature: ResponseSignature,
    /// The bank's announcement that this version of its API will end (HTTP `Warning: 299`).
    pub deprecation_warning: Option<String>,
}

impl From<cbpii::FundsConfirmation> for FundsConfirmation {
    fn from(answer: cbpii::FundsConfirmation) -> Self {
        Self {
            available: answer.available,
            reference: answer.reference,
            request_id: answer.request_id,
            correlation_id: answer.correlation_id,
            bank_id: answer.bank_id,
            checked_at: answer.checked_at,
            duration: answer.duration.into(),
            response_signature: answer.response_signature.into(),
            deprecation_warning: answer.deprecation_warning,
        }
    }
}
