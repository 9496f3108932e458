//! The PSD2 authorisation number of a payment service provider, as certificates carry it.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::{Error, ErrorCode, Result};

/// Longest whole identifier: X.520 bounds `organizationIdentifier` at 256 characters.
const MAX_LENGTH: usize = 256;

/// An organisation identifier by the PSD2 scheme of ETSI TS 119 495 §5.2.1: `PSD`, the country of the
/// authority (ISO 3166, two letters), `-`, the authority (2 to 8 letters A–Z), `-`, and the number the
/// authority gave. Example: `PSDFR-ACPR-12345`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrganisationIdentifier {
    text: String,
    authority_end: usize,
}

impl OrganisationIdentifier {
    const SCHEME: &str = "PSD";
    const AUTHORITY_START: usize = 6;

    /// The country of the authority, e.g. `FR`.
    #[must_use]
    pub fn country(&self) -> &str {
        &self.text[Self::SCHEME.len()..Self::AUTHORITY_START - 1]
    }

    /// The national authority, e.g. `ACPR`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.text[Self::AUTHORITY_START..self.authority_end]
    }

    /// The number by which the authority knows the provider, e.g. `12345`; its form is the authority's.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.text[self.authority_end + 1..]
    }

    /// The whole identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn read(text: &str) -> Option<Self> {
        let (country, rest) = text.strip_prefix(Self::SCHEME)?.split_once('-')?;
        let (authority, number) = rest.split_once('-')?;
        let is_letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_number = !number.is_empty() && !number.chars().any(char::is_control);
        let is_valid = country.len() == 2
            && is_letters(country)
            && (2..=8).contains(&authority.len())
            && is_letters(authority)
            && is_number
            && text.chars().count() <= MAX_LENGTH;
        is_valid
            .then(|| Self { text: text.to_owned(), authority_end: Self::AUTHORITY_START + authority.len() })
    }
}

impl FromStr for OrganisationIdentifier {
    type Err = Error;

    /// Reads an identifier such as `PSDFR-ACPR-12345`.
    ///
    /// # Errors
    /// `configuration.option` when it does not follow the grammar.
    fn from_str(text: &str) -> Result<Self> {
        Self::read(text).ok_or_else(|| {
            Error::new(
                ErrorCode::OptionValue,
                "A PSD2 organisation identifier is PSD, a country, a hyphen, 2 to 8 letters for the authority, a hyphen and a number, such as PSDFR-ACPR-12345.",
            )
        })
    }
}

impl fmt::Display for OrganisationIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// As its parts: `{"text": …, "country": …, "authority": …, "number": …}`.
impl Serialize for OrganisationIdentifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut parts = serializer.serialize_struct("OrganisationIdentifier", 4)?;
        parts.serialize_field("text", self.as_str())?;
        parts.serialize_field("country", self.country())?;
        parts.serialize_field("authority", self.authority())?;
        parts.serialize_field("number", self.number())?;
        parts.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn identifiers_come_apart() {
        for (text, country, authority, number) in [
            ("PSDFR-ACPR-12345", "FR", "ACPR", "12345"),
            ("PSDES-BDE-3DFD21", "ES", "BDE", "3DFD21"),
            ("PSDPL-PFSA-1234567890", "PL", "PFSA", "1234567890"),
            ("PSDBE-NBB-1234.567.890", "BE", "NBB", "1234.567.890"),
            ("PSDFI-FINFSA-1234567-8", "FI", "FINFSA", "1234567-8"),
        ] {
            let identifier: OrganisationIdentifier = text.parse().unwrap();
            let parts = (identifier.country(), identifier.authority(), identifier.number());
            assert_eq!(parts, (country, authority, number));
            assert_eq!(identifier.to_string(), text);
        }
        let json = serde_json::to_value("PSDFR-ACPR-1".parse::<OrganisationIdentifier>().unwrap()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"text": "PSDFR-ACPR-1", "country": "FR", "authority": "ACPR", "number": "1"})
        );
    }

    #[test]
    fn what_does_not_follow_the_grammar_is_refused() {
        for text in [
            "",
            "PSD",
            "PSDFR",
            "PSDFR-",
            "PSDFR-ACPR",
            "PSDFR-ACPR-",
            "PSDFR-A-1",
            "PSDFR-ABCDEFGHI-1",
            "PSDFR-acpr-1",
            "PSDfr-ACPR-1",
            "PSDF-ACPR-1",
            "PSDFRA-ACPR-1",
            "VATFR-12345678",
            "psdFR-ACPR-1",
            "PSDFR-ACPR-1\n",
            "PSDÉ-ACPR-1",
        ] {
            assert_eq!(
                text.parse::<OrganisationIdentifier>().unwrap_err().code(),
                ErrorCode::OptionValue,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "(PSD)?\\PC{0,4}-?\\PC{0,9}-?\\PC{0,9}") {
            if let Ok(identifier) = text.parse::<OrganisationIdentifier>() {
                let again = format!("PSD{}-{}-{}", identifier.country(), identifier.authority(), identifier.number());
                prop_assert_eq!(again, text);
            }
        }
    }
}
