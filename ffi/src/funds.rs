//! The question and the answer.

use std::ffi::c_char;
use std::ptr;

use cbpii_core::funds::{AccountIdentifier, ResponseSignature};
use cbpii_core::{
    Account, AccountScheme, Amount, Currency, FundsConfirmation, FundsRequest, Iban, PsuContext, Result,
};

use crate::error::cbpii_error;
use crate::guard;
use crate::handle::{fact, free, given, given_mut, handle, out};
use crate::names::{Enumeration, name_of};
use crate::text::{Texts, optional_text, text};

/// Signed by the bank, over the body.
pub const CBPII_RESPONSE_SIGNATURE_VERIFIED: i32 = 1;
/// The answer was not signed.
pub const CBPII_RESPONSE_SIGNATURE_ABSENT: i32 = 2;
/// Signed, but the bank's certificate is not in its record, so it was not checked.
pub const CBPII_RESPONSE_SIGNATURE_UNVERIFIED: i32 = 3;

/// Checks an IBAN: structure of its country, and check digits.
///
/// Fails with request.iban, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_iban_check(iban: *const c_char) -> *mut cbpii_error {
    guard::call(|| Iban::parse(unsafe { text(iban, "iban") }?).map(drop))
}

/// How many decimals an amount of a currency (ISO 4217, e.g. "EUR") has at most: what to divide minor units by.
///
/// Fails with request.currency, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_currency_decimals(
    currency: *const c_char,
    decimals: *mut u32,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(decimals, "decimals")?;
        let currency = Currency::from_code(unsafe { text(currency, "currency") }?)?;
        place.put(u32::from(currency.decimals()));
        Ok(())
    })
}

/// The account a check is about.
pub struct cbpii_account {
    _opaque: [u8; 0],
}

handle!(cbpii_account => AccountFacts);

/// An account with its strings.
pub struct AccountFacts {
    account: Account,
    texts: Texts<3>,
}

impl AccountFacts {
    fn new(account: Account) -> Self {
        let texts = match account.identifier() {
            AccountIdentifier::Iban(iban) => {
                Texts::of([Some(iban.country()), iban.bank_code(), Some(&iban.to_string())])
            }
            _ => Texts::of([None; 3]),
        };
        Self { account, texts }
    }
}

/// An account by its IBAN; blanks are dropped.
///
/// Fails with request.iban, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_account_from_iban(
    iban: *const c_char,
    account: *mut *mut cbpii_account,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(account, "account")?;
        place.put_new(AccountFacts::new(Account::iban(Iban::parse(unsafe { text(iban, "iban") }?)?)));
        Ok(())
    })
}

/// An account by a number of another scheme: "BANK", "COID", "SREN", "SRET", "NIDN", "OAUT", "CPAN" or "MPAN" (STET). Its
/// `identification` has 1 to 70 characters, `issuer` 1 to 35, or is NULL.
///
/// Fails with request.account, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_account_other(
    identification: *const c_char,
    scheme: *const c_char,
    issuer: *const c_char,
    account: *mut *mut cbpii_account,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(account, "account")?;
        let scheme = unsafe { text(scheme, "scheme") }?.parse::<AccountScheme>()?;
        let identification = unsafe { text(identification, "identification") }?;
        let issuer = unsafe { optional_text(issuer, "issuer") }?;
        place.put_new(AccountFacts::new(Account::other(identification, scheme, issuer)?));
        Ok(())
    })
}

/// States the currency the account is held in, e.g. "EUR"; a request in another one is then refused before it is sent.
///
/// Fails with request.currency, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_account_set_currency(
    account: *mut cbpii_account,
    currency: *const c_char,
) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(account, "account") }?;
        let currency = Currency::from_code(unsafe { text(currency, "currency") }?)?;
        facts.account = facts.account.clone().with_currency(currency);
        Ok(())
    })
}

/// States the workspace (STET 1.6: one of several contracts of the same cardholder), 1 to 32 characters.
///
/// Fails with request.account, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_account_set_workspace(
    account: *mut cbpii_account,
    workspace: *const c_char,
) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(account, "account") }?;
        facts.account = facts.account.clone().with_workspace(unsafe { text(workspace, "workspace") }?)?;
        Ok(())
    })
}

/// The country of the account's IBAN, e.g. "FR". NULL when it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_account_country(account: *const cbpii_account) -> *const c_char {
    unsafe { fact(account, ptr::null(), |facts| facts.texts.get(0)) }
}

/// The five characters that name the bank in a French IBAN. NULL for other countries, and when the account has no IBAN.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_account_bank_code(account: *const cbpii_account) -> *const c_char {
    unsafe { fact(account, ptr::null(), |facts| facts.texts.get(1)) }
}

/// The account's IBAN as it may be shown, e.g. "FR76…4006". NULL when it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_account_masked_iban(account: *const cbpii_account) -> *const c_char {
    unsafe { fact(account, ptr::null(), |facts| facts.texts.get(2)) }
}

/// Frees an account; requests that were made with it go on. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_account_free(account: *mut cbpii_account) {
    unsafe { free(account) }
}

/// One question to the bank: does this account hold this amount at this moment?
pub struct cbpii_funds_request {
    _opaque: [u8; 0],
}

handle!(cbpii_funds_request => RequestFacts);

/// A request, and the PSU headers as far as they were set.
pub struct RequestFacts {
    pub(crate) request: FundsRequest,
    psu: PsuContext,
}

impl RequestFacts {
    unsafe fn new(
        reference: &str,
        account: Account,
        amount: *const c_char,
        currency: *const c_char,
    ) -> Result<Self> {
        let amount = Amount::new(unsafe { text(amount, "amount") }?, unsafe { text(currency, "currency") }?)?;
        Ok(Self { request: FundsRequest::new(reference, account, amount)?, psu: PsuContext::default() })
    }
}

/// A question. `reference` is the issuer's own, 1 to 35 characters, and comes back in the answer. `amount` is positive
/// decimal text such as "12.50", with at most the decimals of `currency` (ISO 4217, e.g. "EUR").
///
/// Fails with request.reference, request.amount, request.currency, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_request_new(
    reference: *const c_char,
    account: *const cbpii_account,
    amount: *const c_char,
    currency: *const c_char,
    request: *mut *mut cbpii_funds_request,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(request, "request")?;
        let reference = unsafe { text(reference, "reference") }?;
        let account = unsafe { given(account, "account") }?.account.clone();
        place.put_new(unsafe { RequestFacts::new(reference, account, amount, currency) }?);
        Ok(())
    })
}

/// As `cbpii_funds_request_new`, for the account of an IBAN.
///
/// Fails as it does; request.iban.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_request_for_iban(
    reference: *const c_char,
    iban: *const c_char,
    amount: *const c_char,
    currency: *const c_char,
    request: *mut *mut cbpii_funds_request,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(request, "request")?;
        let reference = unsafe { text(reference, "reference") }?;
        let iban = Iban::parse(unsafe { text(iban, "iban") }?)?;
        place.put_new(unsafe { RequestFacts::new(reference, iban.into(), amount, currency) }?);
        Ok(())
    })
}

/// Names the merchant, for the cardholder's information: 1 to 70 characters.
///
/// Fails with request.payee, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_request_set_payee(
    request: *mut cbpii_funds_request,
    payee: *const c_char,
) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(request, "request") }?;
        facts.request = facts.request.clone().payee(unsafe { text(payee, "payee") }?)?;
        Ok(())
    })
}

/// Tells the bank about the cardholder's own connection, when the cardholder is present: one of STET's headers
/// PSU-IP-Address, PSU-IP-Port, PSU-HTTP-Method, PSU-Date, PSU-GEO-Location, PSU-User-Agent, PSU-Referer, PSU-Accept,
/// PSU-Accept-Charset, PSU-Accept-Encoding, PSU-Accept-Language, PSU-Device-ID, with printable ASCII.
///
/// Fails with request.psu_header, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_request_set_psu_header(
    request: *mut cbpii_funds_request,
    name: *const c_char,
    value: *const c_char,
) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(request, "request") }?;
        let (name, value) = unsafe { (text(name, "name")?, text(value, "value")?) };
        facts.psu.set(name, value)?;
        facts.request = facts.request.clone().psu(facts.psu.clone())?;
        Ok(())
    })
}

/// Sets the X-Request-ID of the call, 1 to 70 visible ASCII characters; without it each call makes a fresh UUID.
///
/// Fails with request.request_id, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_request_set_request_id(
    request: *mut cbpii_funds_request,
    id: *const c_char,
) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(request, "request") }?;
        facts.request = facts.request.clone().request_id(unsafe { text(id, "id") }?)?;
        Ok(())
    })
}

/// Frees a request. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_request_free(request: *mut cbpii_funds_request) {
    unsafe { free(request) }
}

/// The bank's yes or no. Nothing is reserved by it, and it is true only for the moment.
pub struct cbpii_funds_confirmation {
    _opaque: [u8; 0],
}

handle!(cbpii_funds_confirmation => ConfirmationFacts);

/// A confirmation as numbers and strings.
pub struct ConfirmationFacts {
    available: bool,
    checked_at: i64,
    duration_us: i64,
    response_signature: ResponseSignature,
    texts: Texts<5>,
}

impl ConfirmationFacts {
    pub(crate) fn new(answer: &FundsConfirmation) -> Self {
        Self {
            available: answer.available,
            checked_at: answer.checked_at.unix_millis(),
            duration_us: i64::try_from(answer.duration.as_micros()).unwrap_or(i64::MAX),
            response_signature: answer.response_signature,
            texts: Texts::of([
                Some(&answer.reference),
                answer.request_id.as_deref(),
                answer.correlation_id.as_deref(),
                Some(&answer.bank_id),
                answer.deprecation_warning.as_deref(),
            ]),
        }
    }
}

unsafe fn text_of(confirmation: *const cbpii_funds_confirmation, place: usize) -> *const c_char {
    unsafe { fact(confirmation, ptr::null(), |facts| facts.texts.get(place)) }
}

/// Whether the account covers the amount. False for NULL, which is no answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_confirmation_available(
    confirmation: *const cbpii_funds_confirmation,
) -> bool {
    unsafe { fact(confirmation, false, |facts| facts.available) }
}

/// The issuer's own reference, as asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_confirmation_reference(
    confirmation: *const cbpii_funds_confirmation,
) -> *const c_char {
    unsafe { text_of(confirmation, 0) }
}

/// The X-Request-ID that was sent: what the bank's support asks for first. NULL at a bank that takes none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_confirmation_request_id(
    confirmation: *const cbpii_funds_confirmation,
) -> *const c_char {
    unsafe { text_of(confirmation, 1) }
}

/// The bank's own X-CorrelationID. NULL when it gave none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_confirmation_correlation_id(
    confirmation: *const cbpii_funds_confirmation,
) -> *const c_char {
    unsafe { text_of(confirmation, 2) }
}

/// The id of the bank that answered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_confirmation_bank_id(
    confirmation: *const cbpii_funds_confirmation,
) -> *const c_char {
    unsafe { text_of(confirmation, 3) }
}

/// The bank's announcement that this version of its API will end (HTTP Warning: 299). NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_confirmation_deprecation_warning(
    confirmation: *const cbpii_funds_confirmation,
) -> *const c_char {
    unsafe { text_of(confirmation, 4) }
}

/// When the answer came, in milliseconds since 1970 (UTC).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_confirmation_checked_at(
    confirmation: *const cbpii_funds_confirmation,
) -> i64 {
    unsafe { fact(confirmation, 0, |facts| facts.checked_at) }
}

/// How long the call took, retries included, in microseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_confirmation_duration(
    confirmation: *const cbpii_funds_confirmation,
) -> i64 {
    unsafe { fact(confirmation, 0, |facts| facts.duration_us) }
}

/// What is known of the answer's signature: one of `CBPII_RESPONSE_SIGNATURE_…`. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_confirmation_response_signature(
    confirmation: *const cbpii_funds_confirmation,
) -> i32 {
    unsafe { fact(confirmation, 0, |facts| facts.response_signature.number()) }
}

/// Frees a confirmation. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_funds_confirmation_free(confirmation: *mut cbpii_funds_confirmation) {
    unsafe { free(confirmation) }
}

/// The stable name of what is known of a signature, e.g. "verified". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_response_signature_name(response_signature: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<ResponseSignature>(response_signature)))
}
