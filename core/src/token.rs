//! Access and refresh tokens: how a bank's token answer is read and how tokens are kept.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use crate::consent::Version1;
use crate::json::{Object, Unreadable, read_object};
use crate::{Error, ErrorCode, Result, Secret, Timestamp};

/// The tokens of one cardholder's consent at one bank. Nothing here prints a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    access_token: Secret,
    refresh_token: Option<Secret>,
    scope: Option<String>,
    obtained_at: Timestamp,
    expires_at: Option<Timestamp>,
    consent_expires_at: Timestamp,
}

/// Whether a text can be a token or code: one or more visible ASCII characters (RFC 6749 appendix A.11, A.12, A.17).
pub(crate) fn is_token_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl Tokens {
    /// Tokens that were obtained elsewhere, for example by the software this one replaces.
    ///
    /// # Errors
    /// `request.token` when a token is empty or has spaces, control or non-ASCII characters.
    pub fn new(
        access_token: impl Into<Secret>,
        refresh_token: Option<Secret>,
        obtained_at: Timestamp,
        expires_at: Option<Timestamp>,
        consent_expires_at: Timestamp,
    ) -> Result<Self> {
        let access_token = access_token.into();
        for (name, token) in [("access", Some(&access_token)), ("refresh", refresh_token.as_ref())] {
            if token.is_some_and(|token| !is_token_text(token.expose())) {
                let message = format!(
                    "The {name} token is empty or has spaces, control or non-ASCII characters; pass it as the bank gave it."
                );
                return Err(Error::new(ErrorCode::Token, message));
            }
        }
        Ok(Self { access_token, refresh_token, scope: None, obtained_at, expires_at, consent_expires_at })
    }

    /// The access token.
    #[must_use]
    pub fn access_token(&self) -> &Secret {
        &self.access_token
    }

    /// The refresh token, if the bank gave one.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    /// Always `Bearer` (RFC 6750): nothing else is accepted.
    #[must_use]
    pub fn token_type(&self) -> &'static str {
        "Bearer"
    }

    /// The scope as the bank stated it; it may be wider than what was asked for.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// When the bank issued the access token, by this machine's clock before the request left.
    #[must_use]
    pub fn obtained_at(&self) -> Timestamp {
        self.obtained_at
    }

    /// When the access token ends; none when the bank did not say.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// When the consent as a whole ends: the bank's 90 or 180 days, counted from the moment the cardholder was
    /// sent to the bank, which is at most minutes before the strong authentication the bank counts from.
    /// Refreshing does not move it.
    #[must_use]
    pub fn consent_expires_at(&self) -> Timestamp {
        self.consent_expires_at
    }

    /// Whether the access token has ended at `now`; false when its end is not known.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| now >= end)
    }

    /// The saved form, version 1. It holds the tokens in clear: encrypt it.
    #[must_use]
    pub fn to_json(&self) -> Secret {
        let saved = SavedTokens {
            version: Version1,
            access_token: self.access_token.expose().to_owned().into(),
            refresh_token: self.refresh_token.as_ref().map(|token| token.expose().to_owned().into()),
            scope: self.scope.clone(),
            obtained_at: self.obtained_at,
            expires_at: self.expires_at,
            consent_expires_at: self.consent_expires_at,
        };
        // Strings, timestamps and a number always serialise.
        Secret::new(serde_json::to_string(&saved).unwrap_or_default())
    }

    /// Reads the saved form back.
    ///
    /// # Errors
    /// `request.saved_state`; `request.token` when a token in it cannot be one.
    pub fn from_json(json: &str) -> Result<Self> {
        let Object(saved): Object<SavedTokens> = serde_json::from_str(json).map_err(|error| {
            let message = format!("The saved tokens cannot be read (line {}, column {}); restore them from a copy or renew the consent.", error.line(), error.column());
            Error::new(ErrorCode::SavedState, message)
        })?;
        let secret = |text: &Zeroizing<String>| Secret::new(text.as_str());
        let tokens = Self::new(
            secret(&saved.access_token),
            saved.refresh_token.as_ref().map(secret),
            saved.obtained_at,
            saved.expires_at,
            saved.consent_expires_at,
        )?;
        Ok(Self { scope: saved.scope, ..tokens })
    }
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "access token {}", self.access_token.masked())?;
        match self.expires_at {
            Some(end) => write!(f, " until {end}")?,
            None => write!(f, " without a stated end")?,
        }
        match &self.refresh_token {
            Some(token) => write!(f, ", refresh token {}", token.masked())?,
            None => write!(f, ", no refresh token")?,
        }
        write!(f, ", consent until {}", self.consent_expires_at)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedTokens {
    #[serde(rename = "v")]
    version: Version1,
    access_token: Zeroizing<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<Zeroizing<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    obtained_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    consent_expires_at: Timestamp,
}

/// A token answer as the banks write it (RFC 6749 §5.1, with the liberties the protocol page lists).
#[derive(Deserialize)]
pub(crate) struct TokenAnswer {
    #[serde(default)]
    access_token: Option<Zeroizing<String>>,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default, deserialize_with = "read_expires_in")]
    expires_in: Option<u64>,
    #[serde(default)]
    refresh_token: Option<Zeroizing<String>>,
    #[serde(default, deserialize_with = "read_scope")]
    scope: Option<String>,
}

/// A number, or a number in a string. Anything else counts as not stated: a strange life time is no reason to
/// throw good tokens away.
fn read_expires_in<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<u64>, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Number(number) => number.as_u64(),
        serde_json::Value::String(text) => text.trim().parse().ok(),
        _ => None,
    })
}

/// The scope only informs: one that is not a text counts as not stated.
fn read_scope<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => Some(text),
        _ => None,
    })
}

impl TokenAnswer {
    /// Reads the body of a 200.
    pub(crate) fn parse(body: &[u8]) -> Result<Self> {
        read_object(body).map_err(|why| match why {
            Unreadable::Shape => unusable("is not an object, or has a member twice or of the wrong type"),
            Unreadable::NotJson => Error::new(
                ErrorCode::NotJson,
                "The bank's token answer is not JSON; no token was taken from it.",
            ),
        })
    }

    /// The tokens of a code exchange, under a consent that ends at `consent_expires_at`.
    pub(crate) fn into_tokens(
        self,
        requested_at: Timestamp,
        consent_expires_at: Timestamp,
    ) -> Result<Tokens> {
        if let Some(kind) = self.token_type.as_deref().filter(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            let kind = crate::http::masking::mask_text(kind, 32);
            return Err(unusable(&format!("is of the type {kind}, not Bearer")));
        }
        let usable = |text: Zeroizing<String>| {
            if is_token_text(&text) {
                Ok(Secret::new(text.as_str()))
            } else {
                Err(unusable("has spaces, control or non-ASCII characters"))
            }
        };
        let access_token = self
            .access_token
            .filter(|text| !text.is_empty())
            .ok_or_else(|| unusable("lacks the access token"))?;
        let refresh_token = self.refresh_token.filter(|text| !text.is_empty()).map(usable).transpose()?;
        Ok(Tokens {
            access_token: usable(access_token)?,
            refresh_token,
            scope: self.scope,
            obtained_at: requested_at,
            expires_at: self
                .expires_in
                .map(|seconds| requested_at.saturating_add(Duration::from_secs(seconds))),
            consent_expires_at,
        })
    }

    /// The tokens after a refresh: what the bank left out stays as it was.
    pub(crate) fn into_refreshed(self, old: &Tokens, requested_at: Timestamp) -> Result<Tokens> {
        let mut tokens = self.into_tokens(requested_at, old.consent_expires_at)?;
        tokens.refresh_token = tokens.refresh_token.or_else(|| old.refresh_token.clone());
        tokens.scope = tokens.scope.or_else(|| old.scope.clone());
        Ok(tokens)
    }
}

fn unusable(how: &str) -> Error {
    let message = format!("The bank's token answer {how}; no token was taken from it: ask the bank.");
    Error::new(ErrorCode::TokenAnswer, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn read(body: &str) -> Result<Tokens> {
        TokenAnswer::parse(body.as_bytes())?.into_tokens(at(1_000), at(9_000))
    }

    #[test]
    fn answers_are_read_with_tolerance() {
        let cases = [
            (r#"{"access_token":"a","token_type":"bearer","expires_in":3600}"#, Some(at(4_600))),
            (r#"{"access_token":"a","expires_in":"3600"}"#, Some(at(4_600))),
            (r#"{"access_token":"a","token_type":"Bearer","scope":"cbpii aisp","more":1}"#, None),
            (r#"{"access_token":"a","expires_in":null,"refresh_token":null,"scope":[]}"#, None),
            (r#"{"access_token":"a","expires_in":-5}"#, None),
        ];
        for (body, expires_at) in cases {
            let tokens = read(body).unwrap();
            assert_eq!((tokens.access_token().expose(), tokens.expires_at()), ("a", expires_at), "{body}");
        }
    }

    #[test]
    fn unusable_answers_give_no_token() {
        for body in [
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":"a b"}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
            r#"{"access_token":"a","refresh_token":"b\n"}"#,
            r#"{"access_token":5}"#,
            r#"{"access_token":"a","access_token":"b"}"#,
            "[]",
        ] {
            assert_eq!(read(body).unwrap_err().code(), ErrorCode::TokenAnswer, "{body}");
        }
        for body in ["", "<html>", r#"{"access_token":"a""#] {
            assert_eq!(read(body).unwrap_err().code(), ErrorCode::NotJson, "{body}");
        }
    }

    #[test]
    fn a_refresh_keeps_what_the_bank_leaves_out() {
        let old = read(r#"{"access_token":"a","refresh_token":"r","scope":"cbpii"}"#).unwrap();
        let kept =
            TokenAnswer::parse(br#"{"access_token":"b"}"#).unwrap().into_refreshed(&old, at(2_000)).unwrap();
        assert_eq!(kept.refresh_token().map(Secret::expose), Some("r"));
        assert_eq!(
            (kept.scope(), kept.consent_expires_at(), kept.obtained_at()),
            (Some("cbpii"), at(9_000), at(2_000))
        );
        let rotated = TokenAnswer::parse(br#"{"access_token":"b","refresh_token":"r2"}"#)
            .unwrap()
            .into_refreshed(&old, at(2_000))
            .unwrap();
        assert_eq!(rotated.refresh_token().map(Secret::expose), Some("r2"));
    }

    #[test]
    fn tokens_are_saved_and_never_shown() {
        let tokens = read(r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","expires_in":60}"#).unwrap();
        let saved = tokens.to_json();
        assert_eq!(Tokens::from_json(saved.expose()).unwrap(), tokens);
        assert!(saved.expose().starts_with(r#"{"v":1,"#));
        for shown in [format!("{tokens:?}"), tokens.to_string()] {
            assert!(
                !shown.contains("EjrzCsic") && !shown.contains("FZFE") && !shown.contains("3JOk"),
                "{shown}"
            );
        }
        for broken in ["", "{}", &saved.expose().replace("\"v\":1", "\"v\":2")] {
            assert_eq!(Tokens::from_json(broken).unwrap_err().code(), ErrorCode::SavedState);
        }
    }

    #[test]
    fn tokens_from_elsewhere_are_checked() {
        for bad in ["", "a b", "a\n", "é"] {
            let error = Tokens::new(bad, None, at(0), None, at(1)).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Token);
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = TokenAnswer::parse(&body);
        }
    }
}
