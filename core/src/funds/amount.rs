//! Money, exactly.

use std::fmt;

use rust_decimal::Decimal;

use super::Currency;
use crate::{Error, ErrorCode, Result};

/// The longest integer part the STET definition allows (`^-?[0-9]{1,13}(\.[0-9]{0,5})?$`).
const MAX_INTEGER_DIGITS: usize = 13;

/// A positive amount of a currency, held as a decimal and never as a binary fraction.
///
/// What is sent is the text it was made from without leading zeros: `12.50` stays `12.50`, `12` stays `12`,
/// `007.5` becomes `7.5`. Two amounts are equal when their values are: `12.5` equals `12.50`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Amount {
    value: Decimal,
    currency: Currency,
}

impl Amount {
    /// An amount from decimal text and an ISO 4217 code: `Amount::new("12.50", "EUR")`.
    ///
    /// # Errors
    /// `request.currency` for the code, `request.amount` for the text as in [`parse`](Self::parse).
    pub fn new(text: &str, currency: &str) -> Result<Self> {
        Self::parse(text, Currency::from_code(currency)?)
    }

    /// An amount from decimal text: 1 to 13 digits, and after a point 1 to as many decimals as the currency
    /// has. Neither sign nor exponent nor blank nor comma, and not zero.
    ///
    /// # Errors
    /// `request.amount` for any other text.
    pub fn parse(text: &str, currency: Currency) -> Result<Self> {
        let (integer, fraction) = match text.split_once('.') {
            None => (text, None),
            Some((integer, fraction)) => (integer, Some(fraction)),
        };
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(integer) || !fraction.is_none_or(digits) {
            return Err(refused(
                "The amount is not plain decimal text; write digits and, if need be, a point and decimals, \
                 such as 12.50.",
            ));
        }
        if integer.len() > MAX_INTEGER_DIGITS {
            return Err(refused("The amount has more than 13 digits before the point; no bank takes it."));
        }
        if fraction.is_some_and(|fraction| fraction.len() > usize::from(currency.decimals())) {
            return Err(too_many_decimals(currency));
        }
        let value = Decimal::from_str_exact(text)
            .map_err(|_| refused("The amount is not decimal text; write it such as 12.50."))?;
        Self::positive(value, currency)
    }

    /// An amount from a decimal value. Decimals that are zero beyond what the currency has are dropped
    /// (`12.5000` becomes `12.50` euros), because the value stays the same.
    ///
    /// # Errors
    /// `request.amount` when it is not positive, has 14 or more digits before the point, or does not fit the
    /// currency's decimals.
    pub fn from_decimal(value: Decimal, currency: Currency) -> Result<Self> {
        let decimals = u32::from(currency.decimals());
        let mut fitted = value;
        if fitted.scale() > decimals {
            fitted = value.trunc_with_scale(decimals);
        }
        if fitted != value {
            return Err(too_many_decimals(currency));
        }
        if fitted >= Decimal::from(10_u64.pow(MAX_INTEGER_DIGITS as u32)) {
            return Err(refused("The amount has more than 13 digits before the point; no bank takes it."));
        }
        Self::positive(fitted, currency)
    }

    fn positive(value: Decimal, currency: Currency) -> Result<Self> {
        if value > Decimal::ZERO {
            Ok(Self { value, currency })
        } else {
            Err(refused("The amount is zero or negative; ask for a positive amount."))
        }
    }

    /// The value, with the decimals it was given with.
    #[must_use]
    pub fn value(&self) -> Decimal {
        self.value
    }

    /// The currency.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }
}

fn refused(message: &str) -> Error {
    Error::new(ErrorCode::Amount, message)
}

fn too_many_decimals(currency: Currency) -> Error {
    refused(&format!(
        "The amount has more decimals than {currency}, which has {}; round it first.",
        currency.decimals()
    ))
}

/// The amount as sent, then the currency: `12.50 EUR`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.currency)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_is_kept_without_leading_zeros() {
        for (text, shown) in [
            ("12345.67", "12345.67 EUR"),
            ("12.50", "12.50 EUR"),
            ("12.5", "12.5 EUR"),
            ("12", "12 EUR"),
            ("0.01", "0.01 EUR"),
            ("007.5", "7.5 EUR"),
            ("9999999999999.99", "9999999999999.99 EUR"),
        ] {
            assert_eq!(Amount::new(text, "EUR").unwrap().to_string(), shown);
        }
        assert_eq!(Amount::new("12.5", "EUR").unwrap(), Amount::new("12.50", "EUR").unwrap());
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "0",
            "0.00",
            "-1",
            "+1",
            "1.",
            ".5",
            ".",
            "1e3",
            "1E3",
            " 1",
            "1 ",
            "1 000",
            "1,5",
            "1.2.3",
            "1.234",
            "12345678901234",
            "NaN",
            "inf",
            "0x10",
            "1_000",
            "١٢",
            "1\n",
            "1.5\0",
        ] {
            assert_eq!(Amount::new(text, "EUR").unwrap_err().code(), ErrorCode::Amount, "{text:?}");
        }
        assert_eq!(Amount::new("1", "ABC").unwrap_err().code(), ErrorCode::Currency);
    }

    #[test]
    fn the_currency_bounds_the_decimals() {
        assert!(Amount::new("1.234", "KWD").is_ok());
        assert!(Amount::new("1.2345", "KWD").is_err());
        assert!(Amount::new("100", "JPY").is_ok());
        let refused = Amount::new("1.5", "JPY").unwrap_err();
        assert_eq!(refused.message(), "The amount has more decimals than JPY, which has 0; round it first.");
    }

    #[test]
    fn a_decimal_must_fit_without_rounding() {
        let euros = |text: &str| Amount::from_decimal(text.parse().unwrap(), Currency::EUR);
        assert_eq!(euros("12.5000").unwrap().to_string(), "12.50 EUR");
        assert_eq!(euros("12.5").unwrap().to_string(), "12.5 EUR");
        for text in ["12.505", "0", "-3", "10000000000000", "79228162514264337593543950335"] {
            assert_eq!(euros(text).unwrap_err().code(), ErrorCode::Amount, "{text}");
        }
        assert!(euros("9999999999999.99").is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in any::<String>(), code in "[A-Z]{3}") {
            let _ = Amount::new(&text, &code);
        }

        #[test]
        fn an_amount_comes_back_as_it_went(cents in 1_u64..1_000_000_000_000_000) {
            let text = format!("{}.{:02}", cents / 100, cents % 100);
            let amount = Amount::parse(&text, Currency::EUR).unwrap();
            prop_assert_eq!(amount.value().to_string(), text);
            prop_assert_eq!(Amount::from_decimal(amount.value(), Currency::EUR).unwrap(), amount);
        }
    }
}
