//! Moments, spans and decimals, as each language has them.

use std::time::Duration;

pub use cbpii::Timestamp;
use cbpii::{Error, ErrorCode};

/// A moment: `kotlin.time.Instant`, `Date`. Travels as milliseconds since 1970.
mod moment {
    use super::Timestamp;

    uniffi::custom_type!(Timestamp, i64, {
        remote,
        try_lift: |millis| Ok(Timestamp::from_unix_millis(millis)),
        lower: |moment| moment.unix_millis(),
    });
}

/// A span of time: `kotlin.time.Duration`, `Duration`. Travels as nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSpan(i64);

uniffi::custom_newtype!(TimeSpan, i64);

impl From<Duration> for TimeSpan {
    fn from(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl TimeSpan {
    /// The duration; a negative one is refused under its name.
    pub(crate) fn duration(self, name: &str) -> cbpii::Result<Duration> {
        u64::try_from(self.0).map(Duration::from_nanos).map_err(|_| {
            Error::new(
                ErrorCode::OptionValue,
                format!("The option {name} is negative; give a positive duration."),
            )
        })
    }
}

/// A decimal number: `BigDecimal`, `Decimal`. Travels as plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecimalText(pub(crate) String);

uniffi::custom_newtype!(DecimalText, String);
