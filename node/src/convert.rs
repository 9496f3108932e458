//! Plain values between JavaScript and the core. A moment is its milliseconds since 1970, a duration its milliseconds.

use std::time::Duration;

use cbpii::Timestamp;
use napi::bindgen_prelude::{Either, Undefined};
use napi_derive::napi;

/// A duration in milliseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// A duration of a number of milliseconds that the package has checked.
pub(crate) fn duration(millis: f64) -> Duration {
    Duration::try_from_secs_f64(millis / 1000.0).unwrap_or(Duration::MAX)
}

/// A moment in milliseconds.
pub(crate) fn moment(moment: Timestamp) -> f64 {
    moment.unix_millis() as f64
}

/// A moment of a number of milliseconds; whole ones, as a `Date` has them.
pub(crate) fn timestamp(millis: f64) -> Timestamp {
    Timestamp::from_unix_millis(millis as i64)
}

/// A request laid open.
#[napi(object, object_from_js = false)]
pub struct Explanation {
    pub method: String,
    pub url: String,
    pub headers: Vec<Vec<String>>,
    pub body: String,
    pub digest_input: Option<String>,
    pub signing_string: Option<String>,
    pub key_id: Option<String>,
    pub key_id_source: Option<String>,
    /// The whole, for a person.
    pub text: String,
}

impl From<&cbpii::Explanation> for Explanation {
    fn from(one: &cbpii::Explanation) -> Self {
        Self {
            method: one.method.clone(),
            url: one.url.clone(),
            headers: one.headers.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect(),
            body: one.body.clone(),
            digest_input: one.digest_input.clone(),
            signing_string: one.signing_string.clone(),
            key_id: one.key_id.clone(),
            key_id_source: one.key_id_source.clone(),
            text: one.to_string(),
        }
    }
}

/// The bank's yes or no: its facts in the order of the core's. Elements of an array cost less than members with names, and the
/// package makes its own object of them.
pub type Confirmation = (
    bool,
    String,
    Either<String, Undefined>,
    Either<String, Undefined>,
    String,
    f64,
    f64,
    &'static str,
    Either<String, Undefined>,
);

pub(crate) fn confirmation(one: cbpii::FundsConfirmation) -> Confirmation {
    (
        one.available,
        one.reference,
        one.request_id.into(),
        one.correlation_id.into(),
        one.bank_id,
        moment(one.checked_at),
        millis(one.duration),
        one.response_signature.as_str(),
        one.deprecation_warning.into(),
    )
}
