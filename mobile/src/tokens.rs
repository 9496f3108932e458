//! Tokens: an object, for they must not be printed.

use std::sync::Arc;

use cbpii::{Secret, Tokens};

use crate::call::direct;
use crate::error::RawFailure;
use crate::object::object;
use crate::values::Timestamp;

object! {
    /// The tokens of one cardholder's consent at one bank. They print masked and are overwritten when the object goes.
    RawTokens(Tokens), |tokens| tokens.to_string()
}

#[uniffi::export]
impl RawTokens {
    /// Tokens that were obtained elsewhere. `expires_at` is the access token's end, when known.
    ///
    /// Throws `request.token`.
    #[uniffi::constructor]
    pub fn new(
        access_token: String,
        refresh_token: Option<String>,
        obtained_at: Timestamp,
        expires_at: Option<Timestamp>,
        consent_expires_at: Timestamp,
    ) -> Result<Arc<Self>, RawFailure> {
        let (access_token, refresh_token) = (Secret::new(access_token), refresh_token.map(Secret::new));
        direct(|| {
            Tokens::new(access_token, refresh_token, obtained_at, expires_at, consent_expires_at)
                .map(Self::of)
        })
    }

    /// Reads the saved form back.
    ///
    /// Throws `request.saved_state`, `request.token`.
    #[uniffi::constructor]
    pub fn from_json(json: String) -> Result<Arc<Self>, RawFailure> {
        let json = Secret::new(json);
        direct(|| Tokens::from_json(json.expose()).map(Self::of))
    }

    /// The saved form. It holds the tokens in clear: encrypt it.
    pub fn to_json(&self) -> String {
        self.inner.to_json().expose().to_owned()
    }

    /// The access token. Never log what this returns.
    pub fn expose_access_token(&self) -> String {
        self.inner.access_token().expose().to_owned()
    }

    /// The refresh token, if the bank gave one. Never log what this returns.
    pub fn expose_refresh_token(&self) -> Option<String> {
        self.inner.refresh_token().map(|token| token.expose().to_owned())
    }

    /// Always `Bearer` (RFC 6750): nothing else is accepted.
    pub fn token_type(&self) -> String {
        self.inner.token_type().to_owned()
    }

    /// The scope as the bank stated it.
    pub fn scope(&self) -> Option<String> {
        self.inner.scope().map(ToOwned::to_owned)
    }

    /// When the bank issued the access token.
    pub fn obtained_at(&self) -> Timestamp {
        self.inner.obtained_at()
    }

    /// When the access token ends; none when the bank did not say.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.inner.expires_at()
    }

    /// When the consent as a whole ends. Refreshing does not move it.
    pub fn consent_expires_at(&self) -> Timestamp {
        self.inner.consent_expires_at()
    }
}
