//! Banks, and the directory of them.

use std::ffi::c_char;
use std::ptr;

use cbpii_core::bank::{ClientAuthentication, Standard, TrustMode};
use cbpii_core::{Bank, Environment, Iban, Result};

use crate::error::cbpii_error;
use crate::guard;
use crate::handle::{Tagged, fact, free, given, given_mut, handle, out};
use crate::names::{Enumeration, name_of};
use crate::string::cbpii_string;
use crate::text::{Texts, text};

/// `sandbox`: static test data, no money.
pub const CBPII_ENVIRONMENT_SANDBOX: i32 = 1;
/// `production`: the real accounts, at the hosts of the bank's current definition.
pub const CBPII_ENVIRONMENT_PRODUCTION: i32 = 2;
/// `production-legacy`: the real accounts, at the hosts older pages name.
pub const CBPII_ENVIRONMENT_PRODUCTION_LEGACY: i32 = 3;

/// STET PSD2 API 1.4.0: the role is still called `piisp`.
pub const CBPII_STANDARD_STET_1_4_0: i32 = 1;
/// STET PSD2 API 1.4.1 and 1.4.2: the role is called `cbpii`.
pub const CBPII_STANDARD_STET_1_4_2: i32 = 2;
/// STET PSD2 API 1.6.x: amounts are JSON numbers.
pub const CBPII_STANDARD_STET_1_6: i32 = 3;

/// A bank: everything that differs from bank to bank, as data.
pub struct cbpii_bank {
    _opaque: [u8; 0],
}

handle!(cbpii_bank => BankFacts);

/// A bank with its strings.
pub struct BankFacts {
    pub(crate) bank: Bank,
    texts: Texts<9>,
}

impl BankFacts {
    fn new(bank: Bank) -> Self {
        let texts = Texts::of([
            Some(&bank.id),
            Some(&bank.name),
            bank.brand.as_deref(),
            bank.establishment_code.as_deref(),
            bank.note.as_deref(),
            bank.authorize_url.as_deref(),
            bank.token_url.as_deref(),
            bank.funds_url.as_deref(),
            Some(&bank.scope),
        ]);
        Self { bank, texts }
    }
}

/// A list of banks, the best match first.
pub struct cbpii_bank_list {
    _opaque: [u8; 0],
}

handle!(cbpii_bank_list => Vec<Tagged<cbpii_bank>>);

fn listed(banks: Vec<Bank>) -> Vec<Tagged<cbpii_bank>> {
    banks.into_iter().map(|bank| Tagged::new(BankFacts::new(bank))).collect()
}

/// The bank of Groupe BPCE's platform 89C3 with this establishment code (positions 5 to 9 of its IBANs), e.g. "17515".
/// `environment` is one of `CBPII_ENVIRONMENT_…`. Where two brands share a code, the main one.
///
/// Fails with configuration.bank_unknown, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_bpce(
    code: *const c_char,
    environment: i32,
    bank: *mut *mut cbpii_bank,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(bank, "bank")?;
        let code = unsafe { text(code, "code") }?;
        place.put_new(BankFacts::new(Bank::bpce(code, Environment::given(environment, "environment")?)?));
        Ok(())
    })
}

/// The bank of the directory with this id, e.g. "bpce-17515" or "lydia".
///
/// Fails with configuration.bank_unknown, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_by_id(
    id: *const c_char,
    environment: i32,
    bank: *mut *mut cbpii_bank,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(bank, "bank")?;
        let id = unsafe { text(id, "id") }?;
        place.put_new(BankFacts::new(Bank::by_id(id, Environment::given(environment, "environment")?)?));
        Ok(())
    })
}

/// A bank from its record as JSON. With "base" and "environment" it is the directory's record of that id, changed by
/// the other members (RFC 7396); without a base, "id", "name" and "standard" are needed. Every field of the record can be
/// overridden this way; `cbpii_bank_to_json` shows them all.
///
/// Fails with configuration.bank_record (naming the path of the field), configuration.bank_unknown,
/// configuration.endpoint_invalid, configuration.trust_anchor, configuration.header, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_from_json(
    json: *const c_char,
    bank: *mut *mut cbpii_bank,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(bank, "bank")?;
        place.put_new(BankFacts::new(Bank::from_json(unsafe { text(json, "json") }?)?));
        Ok(())
    })
}

/// A bank of its own for the caller, for instance out of a list.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_clone(
    original: *const cbpii_bank,
    bank: *mut *mut cbpii_bank,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(bank, "bank")?;
        place.put_new(BankFacts::new(unsafe { given(original, "original") }?.bank.clone()));
        Ok(())
    })
}

/// The whole record as JSON, which `cbpii_bank_from_json` reads back.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_to_json(
    bank: *const cbpii_bank,
    json: *mut *mut cbpii_string,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(json, "json")?;
        place.put_text(&unsafe { given(bank, "bank") }?.bank.to_json()?);
        Ok(())
    })
}

unsafe fn change(bank: *mut cbpii_bank, how: impl FnOnce(Bank) -> Result<Bank>) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(bank, "bank") }?;
        *facts = BankFacts::new(how(facts.bank.clone())?);
        Ok(())
    })
}

/// Moves all three addresses to another origin, e.g. "https://localhost:8443"; paths and queries stay.
///
/// Fails with configuration.endpoint_invalid, configuration.endpoint_missing, request.argument; the bank is then as it
/// was.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_set_origin(
    bank: *mut cbpii_bank,
    origin: *const c_char,
) -> *mut cbpii_error {
    unsafe { change(bank, |bank| bank.with_origin(text(origin, "origin")?)) }
}

/// Sets where the cardholder's browser is sent for consent: an absolute https URL.
///
/// Fails with configuration.endpoint_invalid, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_set_authorize_url(
    bank: *mut cbpii_bank,
    url: *const c_char,
) -> *mut cbpii_error {
    unsafe { change(bank, |bank| bank.with_authorize_url(text(url, "url")?)) }
}

/// Sets where codes and refresh tokens are changed for tokens: an absolute https URL.
///
/// Fails with configuration.endpoint_invalid, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_set_token_url(
    bank: *mut cbpii_bank,
    url: *const c_char,
) -> *mut cbpii_error {
    unsafe { change(bank, |bank| bank.with_token_url(text(url, "url")?)) }
}

/// Sets where funds are asked for: an absolute https URL.
///
/// Fails with configuration.endpoint_invalid, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_set_funds_url(
    bank: *mut cbpii_bank,
    url: *const c_char,
) -> *mut cbpii_error {
    unsafe { change(bank, |bank| bank.with_funds_url(text(url, "url")?)) }
}

/// Trusts one or more further root certificates (PEM text) for the bank's TLS. `only` true: these alone, not the public
/// web's roots; it holds for all own roots of the bank.
///
/// Fails with configuration.trust_anchor, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_add_trust_anchor(
    bank: *mut cbpii_bank,
    pem: *const c_char,
    only: bool,
) -> *mut cbpii_error {
    let mode = if only { TrustMode::Replace } else { TrustMode::Add };
    unsafe { change(bank, |bank| bank.with_trust_anchor(text(pem, "pem")?, mode)) }
}

unsafe fn text_of(bank: *const cbpii_bank, place: usize) -> *const c_char {
    unsafe { fact(bank, ptr::null(), |facts| facts.texts.get(place)) }
}

/// The stable name of the record, e.g. "bpce-17515".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_id(bank: *const cbpii_bank) -> *const c_char {
    unsafe { text_of(bank, 0) }
}

/// The bank's name, for people.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_name(bank: *const cbpii_bank) -> *const c_char {
    unsafe { text_of(bank, 1) }
}

/// The brand the cardholder knows. NULL when there is none of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_brand(bank: *const cbpii_bank) -> *const c_char {
    unsafe { text_of(bank, 2) }
}

/// The bank's five digits in a French IBAN (positions 5 to 9). NULL when no single code names it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_establishment_code(bank: *const cbpii_bank) -> *const c_char {
    unsafe { text_of(bank, 3) }
}

/// What a user of this record should know: what is deduced, chosen or unknown. NULL when there is nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_note(bank: *const cbpii_bank) -> *const c_char {
    unsafe { text_of(bank, 4) }
}

/// Where the cardholder's browser is sent for consent. NULL when the caller must set it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_authorize_url(bank: *const cbpii_bank) -> *const c_char {
    unsafe { text_of(bank, 5) }
}

/// Where codes and refresh tokens are changed for tokens. NULL when the caller must set it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_token_url(bank: *const cbpii_bank) -> *const c_char {
    unsafe { text_of(bank, 6) }
}

/// Where funds are asked for. NULL when the caller must set it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_funds_url(bank: *const cbpii_bank) -> *const c_char {
    unsafe { text_of(bank, 7) }
}

/// The OAuth 2 scope of this role: "cbpii", or "piisp" for STET 1.4.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_scope(bank: *const cbpii_bank) -> *const c_char {
    unsafe { text_of(bank, 8) }
}

/// Which installation the addresses belong to: one of `CBPII_ENVIRONMENT_…`. 0 when the record does not say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_environment(bank: *const cbpii_bank) -> i32 {
    unsafe { fact(bank, 0, |facts| facts.bank.environment.map_or(0, Enumeration::number)) }
}

/// The version of the STET definition the bank speaks: one of `CBPII_STANDARD_…`. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_standard(bank: *const cbpii_bank) -> i32 {
    unsafe { fact(bank, 0, |facts| facts.bank.standard.number()) }
}

/// Whether something in the record has not been confirmed by the bank's own pages; the note says what.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_is_unverified(bank: *const cbpii_bank) -> bool {
    unsafe { fact(bank, false, |facts| facts.bank.unverified) }
}

/// How long a consent lasts from the strong authentication, in days: 180, or 90. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_consent_lifetime_days(bank: *const cbpii_bank) -> i32 {
    unsafe { fact(bank, 0, |facts| i32::from(facts.bank.consent_lifetime_days)) }
}

/// Whether the issuer needs a client secret at this bank.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_wants_client_secret(bank: *const cbpii_bank) -> bool {
    unsafe {
        fact(bank, false, |facts| facts.bank.client_authentication != ClientAuthentication::TlsClientAuth)
    }
}

/// Whether the bank refuses certificates that are themselves signed with RSASSA-PSS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_refuses_pss_certificates(bank: *const cbpii_bank) -> bool {
    unsafe { fact(bank, false, |facts| facts.bank.refuses_pss_certificates) }
}

/// Frees a bank that the caller owns, not one borrowed from a list. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_free(bank: *mut cbpii_bank) {
    unsafe { free(bank) }
}

/// Every bank of the directory in this environment.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_list_directory(
    environment: i32,
    banks: *mut *mut cbpii_bank_list,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(banks, "banks")?;
        place.put_new(listed(Bank::directory(Environment::given(environment, "environment")?)));
        Ok(())
    })
}

/// The banks a person may mean, best first: every word must be part of the name, the brand or the code, whatever its case
/// and accents. The list may be empty.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_list_find(
    words: *const c_char,
    environment: i32,
    banks: *mut *mut cbpii_bank_list,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(banks, "banks")?;
        let words = unsafe { text(words, "words") }?;
        place.put_new(listed(Bank::find(words, Environment::given(environment, "environment")?)));
        Ok(())
    })
}

/// The bank, or the brands of the bank, that hold the account: found by positions 5 to 9 of a French IBAN. At least one.
///
/// Fails with request.iban, configuration.bank_unknown, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_list_from_iban(
    iban: *const c_char,
    environment: i32,
    banks: *mut *mut cbpii_bank_list,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(banks, "banks")?;
        let iban = Iban::parse(unsafe { text(iban, "iban") }?)?;
        place.put_new(listed(Bank::from_iban(&iban, Environment::given(environment, "environment")?)?));
        Ok(())
    })
}

/// Every bank with this establishment code, the main brand first. The list may be empty.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_list_by_code(
    code: *const c_char,
    environment: i32,
    banks: *mut *mut cbpii_bank_list,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(banks, "banks")?;
        let code = unsafe { text(code, "code") }?;
        place.put_new(listed(Bank::by_code(code, Environment::given(environment, "environment")?)));
        Ok(())
    })
}

/// How many banks there are. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_list_length(banks: *const cbpii_bank_list) -> usize {
    unsafe { fact(banks, 0, Vec::len) }
}

/// A bank of the list, borrowed from it; `cbpii_bank_clone` makes one to keep. NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_list_get(
    banks: *const cbpii_bank_list,
    place: usize,
) -> *const cbpii_bank {
    unsafe { fact(banks, ptr::null(), |banks| banks.get(place).map_or(ptr::null(), Tagged::as_ptr)) }
}

/// Frees a list and the banks in it. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_bank_list_free(banks: *mut cbpii_bank_list) {
    unsafe { free(banks) }
}

/// The stable name of an environment, e.g. "production-legacy". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_environment_name(environment: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<Environment>(environment)))
}

/// The stable name of a version of STET, e.g. "stet-1.4.2". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_standard_name(standard: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<Standard>(standard)))
}
