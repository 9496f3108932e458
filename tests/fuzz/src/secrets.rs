//! What must never show, and where it could.

use cbpii::Error;

/// Access tokens of other forms: what they look like must not matter where they were sent.
pub const UNUSUAL_TOKENS: [&str; 3] =
    ["kP9aB3xQ7mN2vR5tY8", "onlylettersandnodigitsatallhere", "kP9aB3xQ7mN/2vR5tY8wE4uI6/oP1sD3fG=="];
/// Random texts in the forms of real ones.
pub const ACCESS_TOKEN: &str = "2YotnFZFEjr1zCsicMWpAA";
/// As above.
pub const REFRESH_TOKEN: &str = "tGzv3JOkF0XG5Qx2TlKWIA";
/// As above.
pub const CODE: &str = "SplxlOBeZQQYbYS6WxSbIA";
/// As above.
pub const STATE: &str = "Kx0yMmRrbGJfZ1hQbEtqd3ZtTnBRc1R1VnhZejAxMjM";
/// As above.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mBpwQ1q2w3e4r5t6y7u8i9o0pAB";
/// The cardholder's account.
pub const IBAN: &str = "FR7617515900000800358074006";
/// Opens the seeds' keys and keystores.
pub const PASSWORD: &str = "sandbox";

const ALL: [&str; 6] = [ACCESS_TOKEN, REFRESH_TOKEN, CODE, STATE, VERIFIER, IBAN];

/// An error says something, and nothing without end.
///
/// # Panics
/// When it does not.
pub fn assert_said(error: &Error) {
    assert!(!error.message().is_empty(), "{error:?}");
    assert!(error.message().chars().count() < 1024, "{} characters", error.message().chars().count());
}

/// As [`assert_said`], and none of the secrets shows, wherever the error is read.
///
/// # Panics
/// When it does not.
pub fn assert_sound(error: &Error) {
    assert_said(error);
    let explanation = error.explanation().map(|explanation| format!("{explanation} {explanation:?}"));
    let bank_message = error.bank_message().unwrap_or_default();
    assert!(bank_message.chars().count() <= 513 && !bank_message.contains(char::is_control), "{error:?}");
    let shown =
        [error.to_string(), format!("{error:?}"), bank_message.to_owned(), explanation.unwrap_or_default()];
    shown.iter().for_each(|shown| assert_hidden(shown));
}

/// A secret of this call does not show in its error.
///
/// # Panics
/// When it does.
pub fn assert_hides(error: &Error, secret: &str) {
    let explanation = error.explanation().map(ToString::to_string).unwrap_or_default();
    let shown = format!("{error} {error:?} {} {explanation}", error.bank_message().unwrap_or_default());
    assert!(!shown.contains(secret), "a secret shows: {shown}");
}

/// Whether a text that is not secret, such as a bank's own address, has one of the secrets in it by chance of the words it is made
/// of.
pub fn is_among(text: &str) -> bool {
    ALL.iter().any(|secret| text.contains(secret))
}

/// A text shows none of the secrets.
///
/// # Panics
/// When it does.
pub fn assert_hidden(shown: &str) {
    for secret in ALL {
        assert!(!shown.contains(secret), "a secret shows: {shown}");
    }
}
