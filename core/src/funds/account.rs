//! The account a check is about.

use std::fmt;
use std::str::FromStr;

use super::{Currency, Iban};
use crate::http::masking::{mask_iban, mask_secret};
use crate::{Error, ErrorCode, Result};

/// The account a check is about: an IBAN, or another identification the bank understands, and the few
/// optional members of STET's `AccountIdentification`. `Debug` masks every number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    identifier: AccountIdentifier,
    currency: Option<Currency>,
    workspace: Option<String>,
}

/// How an account is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountIdentifier {
    /// By its IBAN: what 89C3 and nearly everybody works by.
    Iban(Iban),
    /// By a number of another scheme.
    Other(OtherAccount),
}

/// An account named otherwise than by an IBAN (STET `accountId.other`).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OtherAccount {
    identification: String,
    scheme: AccountScheme,
    issuer: Option<String>,
}

/// The scheme of an [`OtherAccount`] (STET `schemeName`, codes of ISO 20022).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccountScheme {
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

impl AccountScheme {
    /// Every scheme, in STET's order.
    pub const ALL: [Self; 8] =
        [Self::Bank, Self::Coid, Self::Sren, Self::Sret, Self::Nidn, Self::Oaut, Self::Cpan, Self::Mpan];

    /// The code as sent, e.g. `CPAN`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bank => "BANK",
            Self::Coid => "COID",
            Self::Sren => "SREN",
            Self::Sret => "SRET",
            Self::Nidn => "NIDN",
            Self::Oaut => "OAUT",
            Self::Cpan => "CPAN",
            Self::Mpan => "MPAN",
        }
    }
}

impl FromStr for AccountScheme {
    type Err = Error;

    /// Reads the code as sent.
    fn from_str(code: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.as_str() == code).ok_or_else(|| {
            refused(
                "The account's scheme is none of BANK, COID, SREN, SRET, NIDN, OAUT, CPAN and MPAN; use one.",
            )
        })
    }
}

impl fmt::Display for AccountScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl OtherAccount {
    /// The number itself, in clear: 1 to 70 characters. Do not log it.
    #[must_use]
    pub fn identification(&self) -> &str {
        &self.identification
    }

    /// The scheme the number belongs to.
    #[must_use]
    pub fn scheme(&self) -> AccountScheme {
        self.scheme
    }

    /// Who issued the number, at most 35 characters.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }
}

impl fmt::Debug for OtherAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = match self.scheme {
            AccountScheme::Oaut => mask_secret(&self.identification),
            _ => mask_iban(&self.identification),
        };
        f.debug_struct("OtherAccount")
            .field("identification", &masked)
            .field("scheme", &self.scheme.as_str())
            .field("issuer", &self.issuer)
            .finish()
    }
}

impl Account {
    /// An account by its IBAN.
    #[must_use]
    pub fn iban(iban: Iban) -> Self {
        Self { identifier: AccountIdentifier::Iban(iban), currency: None, workspace: None }
    }

    /// An account by a number of another scheme: `identification` of 1 to 70 characters, `issuer` of 1 to 35.
    ///
    /// # Errors
    /// `request.account` when one of them is empty, too long or has control characters.
    pub fn other(identification: &str, scheme: AccountScheme, issuer: Option<&str>) -> Result<Self> {
        let other = OtherAccount {
            identification: checked("identification", identification, 70)?,
            scheme,
            issuer: issuer.map(|issuer| checked("issuer", issuer, 35)).transpose()?,
        };
        Ok(Self { identifier: AccountIdentifier::Other(other), currency: None, workspace: None })
    }

    /// States the currency the account is held in; a request in another one is then refused before it is sent.
    #[must_use]
    pub fn with_currency(mut self, currency: Currency) -> Self {
        self.currency = Some(currency);
        self
    }

    /// States the workspace (STET 1.6: one of several contracts of the same cardholder), 1 to 32 characters.
    ///
    /// # Errors
    /// `request.account` when it is empty, too long or has control characters.
    pub fn with_workspace(mut self, workspace: &str) -> Result<Self> {
        self.workspace = Some(checked("workspace", workspace, 32)?);
        Ok(self)
    }

    /// How the account is named.
    #[must_use]
    pub fn identifier(&self) -> &AccountIdentifier {
        &self.identifier
    }

    /// The currency the account is held in, when stated.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.currency
    }

    /// The workspace, when stated.
    #[must_use]
    pub fn workspace(&self) -> Option<&str> {
        self.workspace.as_deref()
    }
}

impl From<Iban> for Account {
    fn from(iban: Iban) -> Self {
        Self::iban(iban)
    }
}

/// The text, when it has 1 to `limit` characters, none of them a control character.
fn checked(member: &str, text: &str, limit: usize) -> Result<String> {
    if text.trim().is_empty() || text.chars().count() > limit || text.chars().any(char::is_control) {
        return Err(refused(format!(
            "The account's {member} is empty, longer than {limit} characters or has control characters; \
             correct it."
        )));
    }
    Ok(text.to_owned())
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::Account, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_accounts_are_bounded() {
        let longest = "é".repeat(70);
        assert!(Account::other(&longest, AccountScheme::Bank, Some(&"x".repeat(35))).is_ok());
        for (identification, issuer) in [
            ("", None),
            (" ", None),
            ("a\nb", None),
            (&*"x".repeat(71), None),
            ("x", Some("")),
            ("x", Some("\0")),
        ] {
            let error = Account::other(identification, AccountScheme::Cpan, issuer).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Account);
        }
        let account = Account::other("x", AccountScheme::Oaut, None).unwrap();
        assert!(account.clone().with_workspace(&"w".repeat(32)).is_ok());
        assert!(account.with_workspace(&"w".repeat(33)).is_err());
    }

    #[test]
    fn numbers_are_masked() {
        let card = Account::other("4970101234567890", AccountScheme::Cpan, None).unwrap();
        let shown = format!("{card:?}");
        assert!(shown.contains("4970…7890") && !shown.contains("123456"), "{shown}");
        let account = Account::from(Iban::parse("FR7613807008043001965405158").unwrap());
        assert!(!format!("{account:?}").contains("13807"));
    }

    #[test]
    fn schemes_are_read_back() {
        for scheme in AccountScheme::ALL {
            assert_eq!(scheme.to_string().parse::<AccountScheme>().unwrap(), scheme);
        }
        assert_eq!("IBAN".parse::<AccountScheme>().unwrap_err().code(), ErrorCode::Account);
    }
}
