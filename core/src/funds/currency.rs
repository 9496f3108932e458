//! ISO 4217 currencies.

use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorCode, Result};

/// A currency of ISO 4217 in which an account can be held: one that has minor units, be it none of them
/// (`JPY`), two (`EUR`) or more. Gold, test codes and the like (`XAU`, `XXX`) have no minor units and are
/// not currencies here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    entry: iso_currency::Currency,
    decimals: u8,
}

impl Currency {
    /// The euro, the only currency of most French funds products.
    pub const EUR: Self = Self { entry: iso_currency::Currency::EUR, decimals: 2 };

    /// The currency with this alphabetic code, e.g. `EUR`. The code is case-sensitive, as it is on the wire.
    ///
    /// # Errors
    /// `request.currency` for what is not an ISO 4217 code, or is one without minor units.
    pub fn from_code(code: &str) -> Result<Self> {
        let entry = iso_currency::Currency::from_code(code).ok_or_else(|| {
            let shown: String = code.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
            refused(format!(
                "The currency {shown:?} is not an ISO 4217 code; give three capital letters such as EUR."
            ))
        })?;
        let decimals =
            entry.exponent().and_then(|exponent| u8::try_from(exponent).ok()).ok_or_else(|| {
                refused(format!(
                    "{code} has no minor units and is not the currency of any account; use another."
                ))
            })?;
        Ok(Self { entry, decimals })
    }

    /// The alphabetic code, e.g. `EUR`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.entry.code()
    }

    /// How many decimals an amount of this currency has at most (ISO 4217 minor units): 2 for `EUR`, 0 for
    /// `JPY`, 3 for `KWD`.
    #[must_use]
    pub const fn decimals(self) -> u8 {
        self.decimals
    }
}

fn refused(message: String) -> Error {
    Error::new(ErrorCode::Currency, message)
}

impl FromStr for Currency {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self> {
        Self::from_code(code)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_are_those_of_the_standard() {
        for (code, decimals) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XPF", 0), ("USD", 2)] {
            let currency = Currency::from_code(code).unwrap();
            assert_eq!((currency.code(), currency.decimals()), (code, decimals));
        }
        assert_eq!(Currency::from_code("EUR").unwrap(), Currency::EUR);
    }

    #[test]
    fn what_is_no_currency_of_an_account_is_refused() {
        for code in ["", "EU", "eur", "EURO", "ABC", "XAU", "XXX", "XTS", "€", "EUR\n"] {
            assert_eq!(Currency::from_code(code).unwrap_err().code(), ErrorCode::Currency, "{code:?}");
        }
    }
}
