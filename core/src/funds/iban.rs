//! International bank account numbers.

use std::fmt;
use std::str::FromStr;

use iban::{IbanLike, ParseIbanError};

use crate::http::masking::mask_iban;
use crate::{Error, ErrorCode, Result};

/// The longest IBAN of ISO 13616.
const MAX_LENGTH: usize = 34;

/// An international bank account number (ISO 13616) whose country, length, structure and check digits
/// (ISO 7064, mod 97-10) are right. The countries and their structures are those of SWIFT's IBAN registry
/// as `iban_validate` 5 has them.
///
/// An account number is personal data: `Debug` and `Display` show `FR76…5158`, and only
/// [`as_str`](Self::as_str) gives it in clear.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Iban(iban::Iban);

impl Iban {
    /// Reads an IBAN as people and machines write it: blanks of any kind are dropped and letters are
    /// capitalised, because the printed form has the one and the standard knows no other letters.
    ///
    /// # Errors
    /// `request.iban` when it is none; the message says what is wrong with it, in masked form.
    pub fn parse(text: &str) -> Result<Self> {
        let mut compact = String::with_capacity(MAX_LENGTH);
        for character in text.chars().filter(|character| !character.is_whitespace()) {
            if !character.is_ascii_alphanumeric() {
                return Err(refused(
                    "The IBAN has a character that is neither a letter nor a digit; remove it.",
                ));
            }
            if compact.len() == MAX_LENGTH {
                return Err(refused("The IBAN is longer than any country's, 34 characters; check it."));
            }
            compact.push(character.to_ascii_uppercase());
        }
        let Some(right) = right_check_digits(&compact) else {
            return Err(refused(
                "The IBAN does not start with a country code and two check digits, such as FR76; check it.",
            ));
        };
        let read = |text: &str| text.parse::<iban::Iban>().map_err(|error| structure_error(&compact, &error));
        if compact[2..4].parse() == Ok(right) {
            return read(&compact).map(Self);
        }
        // The check digits are judged last: with them corrected, what is still refused is the structure.
        read(&format!("{}{right:02}{}", &compact[..2], &compact[4..]))?;
        Err(refused(format!(
            "The check digits of the IBAN {} do not match the rest of it; a character is mistyped.",
            mask_iban(&compact)
        )))
    }

    /// The whole number in clear, without blanks: what is sent to the bank. Do not log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.electronic_str()
    }

    /// The country's two letters (ISO 3166-1).
    #[must_use]
    pub fn country(&self) -> &str {
        self.0.country_code()
    }

    /// The five characters that name the bank in a French IBAN (positions 5 to 9, *code banque* or CIB),
    /// which Groupe BPCE calls establishment code. `None` for other countries.
    #[must_use]
    pub fn bank_code(&self) -> Option<&str> {
        if self.country() == "FR" { self.as_str().get(4..9) } else { None }
    }
}

/// The check digits that its country code and account part ask for (ISO 7064 mod 97-10), 2 to 98.
/// `None` when it does not start with two letters and two digits, or has nothing after them.
fn right_check_digits(compact: &str) -> Option<u32> {
    let (country, rest) = compact.split_at_checked(2)?;
    let (check_digits, account) = rest.split_at_checked(2)?;
    let well_begun = country.bytes().all(|byte| byte.is_ascii_uppercase())
        && check_digits.bytes().all(|byte| byte.is_ascii_digit())
        && !account.is_empty();
    if !well_begun {
        return None;
    }
    let remainder =
        account.bytes().chain(country.bytes()).chain(*b"00").fold(0_u32, |remainder, byte| match byte {
            b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
            _ => (remainder * 100 + u32::from(byte.wrapping_sub(b'A')) + 10) % 97,
        });
    Some(98 - remainder)
}

fn structure_error(compact: &str, error: &ParseIbanError) -> Error {
    let country = &compact[..2];
    match error {
        ParseIbanError::UnknownCountry(_) => refused(format!(
            "No country of the IBAN registry has the code {country}; check the first letters."
        )),
        ParseIbanError::InvalidBban(_) | ParseIbanError::InvalidBaseIban { .. } => refused(format!(
            "The IBAN {} of {} characters does not have the length or structure of an IBAN of {country}; compare it \
             with the account statement.",
            mask_iban(compact),
            compact.len()
        )),
    }
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::Iban, message)
}

impl FromStr for Iban {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Display for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask_iban(self.as_str()))
    }
}

impl fmt::Debug for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iban({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LEA: &str = "FR7613807008043001965405158";
    /// Examples of SWIFT's IBAN registry.
    const EXAMPLES: [&str; 10] = [
        LEA,
        "FR1420041010050500013M02606",
        "DE89370400440532013000",
        "BE68539007547034",
        "NO9386011117947",
        "GB29NWBK60161331926819",
        "MT84MALT011000012345MTLCAST001S",
        "MC5811222000010123456789030",
        "ES9121000418450200051332",
        "CH9300762011623852957",
    ];

    #[test]
    fn examples_of_the_registry_are_read() {
        for text in EXAMPLES {
            assert_eq!(Iban::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn people_write_blanks_and_small_letters() {
        let lea = Iban::parse(LEA).unwrap();
        for text in [
            "FR76 1380 7008 0430 0196 5405 158",
            "FR76\u{a0}1380\u{a0}7008\u{a0}0430\u{a0}0196\u{a0}5405\u{a0}158",
            "FR76\u{202f}1380 7008 0430 0196 5405 158\n",
            " fr76 13807 00804 30019654051 58 ",
        ] {
            assert_eq!(Iban::parse(text).unwrap(), lea, "{text:?}");
        }
        assert_eq!(Iban::parse("fr1420041010050500013m02606").unwrap().as_str(), EXAMPLES[1]);
    }

    #[test]
    fn it_shows_masked_and_names_its_bank() {
        let lea = Iban::parse(LEA).unwrap();
        assert_eq!(format!("{lea} {lea:?}"), "FR76…5158 Iban(FR76…5158)");
        assert_eq!((lea.country(), lea.bank_code()), ("FR", Some("13807")));
        assert_eq!(Iban::parse("DE89370400440532013000").unwrap().bank_code(), None);
    }

    #[test]
    fn a_refusal_says_what_is_wrong() {
        for (text, part) in [
            ("", "does not start"),
            ("FR", "does not start"),
            ("FR76", "does not start"),
            ("76FR13807008043001965405158", "does not start"),
            ("FR76-1380-7008-0430-0196-5405-158", "neither a letter nor a digit"),
            ("FR761380700804300196540515８", "neither a letter nor a digit"),
            ("YY13RDHN98392489481620896668799742", "has the code YY"),
            ("FR761380700804300196540515", "FR76…0515 of 26 characters does not have the length"),
            ("FR7613807008043001965405159", "The check digits of the IBAN FR76…5159"),
            ("FR7713807008043001965405158", "check digits"),
            ("FR76138070080430019654051580000000000", "longer than any"),
        ] {
            let error = Iban::parse(text).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Iban);
            assert!(error.message().contains(part), "{text:?}: {error}");
            assert!(text.len() < 12 || !error.message().contains(&text[4..12]), "not masked: {error}");
        }
    }

    #[test]
    fn check_digits_have_one_spelling() {
        // 99 leaves the same remainder as 02, yet ISO 13616 only makes 02 to 98.
        let account = (0..100).map(|n| format!("BE{:02}5390075{n:05}", 2)).find(|t| Iban::parse(t).is_ok());
        let account = account.unwrap();
        assert!(Iban::parse(&account.replacen("BE02", "BE99", 1)).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = Iban::parse(&text);
        }

        #[test]
        fn any_text_that_looks_like_one_is_answered(text in "[A-Z]{2}[0-9]{2}[ A-Za-z0-9]{0,40}") {
            let _ = Iban::parse(&text);
        }

        #[test]
        fn one_wrong_digit_is_found(
            example in proptest::sample::select(&EXAMPLES[..]),
            place in any::<proptest::sample::Index>(),
            digit in 0_u8..10,
        ) {
            let digits: Vec<usize> = (2..example.len()).filter(|&i| example.as_bytes()[i].is_ascii_digit()).collect();
            let at = digits[place.index(digits.len())];
            let mut changed = example.as_bytes().to_vec();
            changed[at] = b'0' + digit;
            let changed = String::from_utf8(changed).unwrap();
            prop_assert_eq!(Iban::parse(&changed).is_ok(), changed == example);
        }
    }
}
