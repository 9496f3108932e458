//! Banks: the directory, and records of one's own.

use std::sync::Arc;

use cbpii::Bank;
use cbpii::bank::TrustMode as CoreTrustMode;

use crate::call::direct;
use crate::error::RawFailure;
use crate::funds::RawIban;
use crate::mirror::mirror;
use crate::object::object;

mirror! {
    /// Which of a bank's installations is meant.
    Environment of cbpii::Environment {
        /// Static test data, no money.
        Sandbox,
        /// The real accounts, at the hosts of the bank's current definition.
        Production,
        /// The real accounts, at the hosts older pages name.
        ProductionLegacy,
    }
}

mirror! {
    /// The version of the STET definition a bank speaks.
    Standard of cbpii::bank::Standard {
        /// STET PSD2 API 1.4.0: the role is still called `piisp`.
        Stet140,
        /// STET PSD2 API 1.4.1 and 1.4.2: the role is called `cbpii`.
        Stet142,
        /// STET PSD2 API 1.6.x: amounts are JSON numbers.
        Stet16,
    }
}

/// What own root certificates do to the public web's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum TrustMode {
    /// Both are trusted.
    Add,
    /// Only the own ones are trusted.
    Replace,
}

/// What a record says about its bank, as far as an app shows it or decides by it. The JSON has everything.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct BankFacts {
    /// Stable name of the record, e.g. `bpce-17515`.
    pub id: String,
    /// The bank's name, for people.
    pub name: String,
    /// The brand the cardholder knows, e.g. `Caisse d'Epargne`.
    pub brand: Option<String>,
    /// The bank's five digits in a French IBAN (positions 5 to 9), when one code names it.
    pub establishment_code: Option<String>,
    /// Which installation the endpoints belong to.
    pub environment: Option<Environment>,
    /// The version of the STET definition the bank speaks.
    pub standard: Standard,
    /// Whether something in this record has not been confirmed by the bank's own pages; `note` says what.
    pub unverified: bool,
    /// What a user of this record should know.
    pub note: Option<String>,
    /// Where the cardholder is sent for consent; on a phone it opens the bank's app.
    pub authorize_url: Option<String>,
    /// Where codes and refresh tokens are changed for tokens.
    pub token_url: Option<String>,
    /// Where funds are asked for.
    pub funds_url: Option<String>,
    /// The OAuth 2 scope of this role.
    pub scope: String,
    /// Whether a refusing cardholder is sent back; if not, a pending consent just ages out.
    pub refusal_returns: bool,
    /// How long a consent lasts from the strong authentication, in days.
    pub consent_lifetime_days: i32,
}

object! {
    /// Everything that differs from bank to bank, as data.
    RawBank(Bank), |bank| format!("Bank({})", bank.id)
}

fn all(banks: Vec<Bank>) -> Vec<Arc<RawBank>> {
    banks.into_iter().map(RawBank::of).collect()
}

/// Every bank of the directory that exists in this environment.
///
/// Throws `internal`.
#[uniffi::export]
pub fn bank_directory(environment: Environment) -> Result<Vec<Arc<RawBank>>, RawFailure> {
    direct(|| Ok(all(Bank::directory(environment.into()))))
}

/// The banks a person may mean, best first: every word must be part of the name, the brand or the code, whatever its case and
/// accents. No words find nothing.
///
/// Throws `internal`.
#[uniffi::export]
pub fn banks_found(words: String, environment: Environment) -> Result<Vec<Arc<RawBank>>, RawFailure> {
    direct(|| Ok(all(Bank::find(&words, environment.into()))))
}

/// The bank, or the brands of the bank, that hold the account: found by positions 5 to 9 of a French IBAN.
///
/// Throws `configuration.bank_unknown`.
#[uniffi::export]
pub fn banks_from_iban(
    iban: Arc<RawIban>,
    environment: Environment,
) -> Result<Vec<Arc<RawBank>>, RawFailure> {
    direct(|| Bank::from_iban(&iban.inner, environment.into()).map(all))
}

/// Every bank with this establishment code (positions 5 to 9 of its IBANs), the main brand first; none when the directory has
/// no such code.
///
/// Throws `internal`.
#[uniffi::export]
pub fn banks_by_code(code: String, environment: Environment) -> Result<Vec<Arc<RawBank>>, RawFailure> {
    direct(|| Ok(all(Bank::by_code(&code, environment.into()))))
}

#[uniffi::export]
impl RawBank {
    /// The bank of Groupe BPCE's platform 89C3 with this establishment code. Where two brands share a code, the main one.
    ///
    /// Throws `configuration.bank_unknown`.
    #[uniffi::constructor]
    pub fn bpce(code: String, environment: Environment) -> Result<Arc<Self>, RawFailure> {
        direct(|| Bank::bpce(&code, environment.into()).map(Self::of))
    }

    /// The bank with this id, e.g. `lydia` or `bpce-17515`.
    ///
    /// Throws `configuration.bank_unknown`.
    #[uniffi::constructor]
    pub fn by_id(id: String, environment: Environment) -> Result<Arc<Self>, RawFailure> {
        direct(|| Bank::by_id(&id, environment.into()).map(Self::of))
    }

    /// A record from JSON, whole or as changes (RFC 7396) to one of the directory: `{"base": "bpce-17515", "environment":
    /// "production", "consent_lifetime_days": 90}`.
    ///
    /// Throws `configuration.bank_record`, naming the path of the field; `configuration.bank_unknown`;
    /// `configuration.endpoint_invalid`; `configuration.trust_anchor`; `configuration.header`.
    #[uniffi::constructor]
    pub fn from_json(json: String) -> Result<Arc<Self>, RawFailure> {
        direct(|| Bank::from_json(&json).map(Self::of))
    }

    /// The whole record as JSON, which `from_json` reads back.
    ///
    /// Throws `internal`.
    pub fn to_json(&self) -> Result<String, RawFailure> {
        direct(|| self.inner.to_json())
    }

    /// What the record says.
    pub fn facts(&self) -> BankFacts {
        let bank = self.inner.clone();
        BankFacts {
            id: bank.id,
            name: bank.name,
            brand: bank.brand,
            establishment_code: bank.establishment_code,
            environment: bank.environment.map(Environment::from),
            standard: bank.standard.into(),
            unverified: bank.unverified,
            note: bank.note,
            authorize_url: bank.authorize_url,
            token_url: bank.token_url,
            funds_url: bank.funds_url,
            scope: bank.scope,
            refusal_returns: bank.refusal_returns,
            consent_lifetime_days: bank.consent_lifetime_days.into(),
        }
    }

    /// The same bank with all three addresses moved to another origin, e.g. `https://localhost:8443`; paths and queries stay.
    ///
    /// Throws `configuration.endpoint_invalid`, `configuration.endpoint_missing`.
    pub fn with_origin(&self, origin: String) -> Result<Arc<Self>, RawFailure> {
        direct(|| self.inner.clone().with_origin(&origin).map(Self::of))
    }

    /// The same bank that also trusts these root certificates (PEM).
    ///
    /// Throws `configuration.trust_anchor`.
    pub fn with_trust_anchor(&self, pem: String, mode: TrustMode) -> Result<Arc<Self>, RawFailure> {
        let mode = match mode {
            TrustMode::Add => CoreTrustMode::Add,
            TrustMode::Replace => CoreTrustMode::Replace,
        };
        direct(|| self.inner.clone().with_trust_anchor(&pem, mode).map(Self::of))
    }
}
