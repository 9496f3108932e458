//! Enumerations as numbers, and the stable names of their values.

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::LazyLock;

use cbpii_core::bank::Standard;
use cbpii_core::funds::ResponseSignature;
use cbpii_core::identity::{FindingCode, Psd2Role, QcType, Severity, SignatureAlgorithm};
use cbpii_core::session::{ConsentEvent, RenewalReason};
use cbpii_core::{
    Advice, ConsentState, Environment, Error, ErrorCode, ErrorKind, NextAction, Operation, RequestSent,
    Result,
};

use crate::text::c_string;

/// An enumeration of the core: its values in their order, numbered from 1 in C, and their stable names.
pub(crate) trait Enumeration: Copy + PartialEq + 'static {
    const VALUES: &'static [Self];
    fn text(self) -> &'static str;

    /// The number of a value.
    fn number(self) -> i32 {
        let place = Self::VALUES.iter().position(|value| *value == self).unwrap_or_default();
        i32::try_from(place).unwrap_or_default() + 1
    }

    /// The value of a number.
    fn of(number: i32) -> Option<Self> {
        usize::try_from(number.checked_sub(1)?).ok().and_then(|place| Self::VALUES.get(place).copied())
    }

    /// The value of a number that C passed.
    fn given(number: i32, argument: &str) -> Result<Self> {
        Self::of(number).ok_or_else(|| {
            let names: Vec<&str> = Self::VALUES.iter().map(|value| value.text()).collect();
            let message = format!(
                "The argument {argument} is {number}, which is no constant of its kind; take that of one of {}.",
                names.join(", ")
            );
            Error::new(ErrorCode::Argument, message)
        })
    }
}

macro_rules! enumerations {
    ($($name:ty),* $(,)?) => {
        $(impl Enumeration for $name {
            const VALUES: &'static [Self] = &<$name>::ALL;

            fn text(self) -> &'static str {
                self.as_str()
            }
        })*

        /// Every stable name, sorted, as a string of C.
        static NAMES: LazyLock<Vec<(&'static str, CString)>> = LazyLock::new(|| {
            let mut names: Vec<&'static str> = Vec::new();
            $(names.extend(<$name>::VALUES.iter().map(|value| value.text()));)*
            names.extend(ErrorCode::ALL.iter().map(|code| code.as_str()));
            names.extend(FindingCode::ALL.iter().map(|code| code.as_str()));
            names.sort_unstable();
            names.dedup();
            names.into_iter().map(|name| (name, c_string(name))).collect()
        });
    };
}

enumerations!(
    Advice,
    ConsentEvent,
    ConsentState,
    Environment,
    ErrorKind,
    NextAction,
    Operation,
    Psd2Role,
    QcType,
    RenewalReason,
    RequestSent,
    ResponseSignature,
    Severity,
    SignatureAlgorithm,
    Standard,
);

/// A stable name as a string that lives as long as the program.
pub(crate) fn stable(name: &'static str) -> *const c_char {
    let place = NAMES.binary_search_by_key(&name, |(name, _)| name);
    place.map_or(ptr::null(), |place| NAMES[place].1.as_ptr())
}

/// The name of a number of an enumeration; NULL for any other number.
pub(crate) fn name_of<E: Enumeration>(number: i32) -> *const c_char {
    E::of(number).map_or(ptr::null(), |value| stable(value.text()))
}

/// The catalogue's entry of a number.
pub(crate) fn error_code(number: i32) -> Option<ErrorCode> {
    ErrorCode::ALL.iter().copied().find(|code| i32::from(code.number()) == number)
}
