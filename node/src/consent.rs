//! A consent and its tokens.

use std::sync::Arc;

use cbpii::Clock as _;
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;

use crate::call::{Outcome, direct};
use crate::convert::{moment, timestamp};
use crate::secret::Secret;

/// The present, unless another moment was given.
pub(crate) fn at(now: Option<f64>) -> cbpii::Timestamp {
    now.map_or_else(|| cbpii::SystemClock.now(), timestamp)
}

/// The one-time code of a consent that was given.
#[napi]
pub struct AuthorizationCode(pub(crate) cbpii::AuthorizationCode);

#[napi]
impl AuthorizationCode {
    #[napi(catch_unwind)]
    pub fn expose(&self) -> String {
        self.0.expose().to_owned()
    }

    #[napi(catch_unwind)]
    pub fn masked(&self) -> String {
        self.0.masked()
    }
}

#[napi(catch_unwind)]
pub fn authorization_code(text: String) -> Outcome<AuthorizationCode> {
    direct(|| cbpii::AuthorizationCode::new(text).map(AuthorizationCode))
}

/// What may be shown of a pending consent.
#[napi(object, object_from_js = false)]
pub struct PendingConsentFacts {
    pub bank_id: String,
    pub redirect_uri: String,
    pub created_at: f64,
    pub expires_at: f64,
}

/// A consent that is being asked for.
#[napi]
pub struct PendingConsent(pub(crate) cbpii::PendingConsent);

#[napi]
impl PendingConsent {
    #[napi(catch_unwind)]
    pub fn facts(&self) -> PendingConsentFacts {
        PendingConsentFacts {
            bank_id: self.0.bank_id().to_owned(),
            redirect_uri: self.0.redirect_uri().to_owned(),
            created_at: moment(self.0.created_at()),
            expires_at: moment(self.0.expires_at()),
        }
    }

    #[napi(catch_unwind)]
    pub fn url(&self) -> String {
        self.0.url().to_owned()
    }

    #[napi(catch_unwind)]
    pub fn state(&self) -> String {
        self.0.state().to_owned()
    }

    #[napi(catch_unwind)]
    pub fn complete(&self, callback_url: String, now: Option<f64>) -> Outcome<AuthorizationCode> {
        let callback_url = cbpii::Secret::new(callback_url);
        direct(|| self.0.complete_at(callback_url.expose(), at(now)).map(AuthorizationCode))
    }

    #[napi(catch_unwind)]
    pub fn serialize(&self) -> String {
        self.0.to_json().expose().to_owned()
    }
}

#[napi(catch_unwind)]
pub fn pending_consent(serialized: String) -> Outcome<PendingConsent> {
    let serialized = cbpii::Secret::new(serialized);
    direct(|| cbpii::PendingConsent::from_json(serialized.expose()).map(PendingConsent))
}

/// What may be shown of tokens.
#[napi(object, object_from_js = false)]
pub struct TokensFacts {
    pub access_token: String,
    pub refresh_token: Option<String>,
    pub token_type: String,
    pub scope: Option<String>,
    pub obtained_at: f64,
    pub expires_at: Option<f64>,
    pub consent_expires_at: f64,
}

/// The tokens of one cardholder's consent at one bank.
#[napi]
pub struct Tokens(pub(crate) Arc<cbpii::Tokens>);

impl From<cbpii::Tokens> for Tokens {
    fn from(tokens: cbpii::Tokens) -> Self {
        Self(Arc::new(tokens))
    }
}

#[napi]
impl Tokens {
    /// Tokens in it are masked.
    #[napi(catch_unwind)]
    pub fn facts(&self) -> TokensFacts {
        TokensFacts {
            access_token: self.0.access_token().masked(),
            refresh_token: self.0.refresh_token().map(cbpii::Secret::masked),
            token_type: self.0.token_type().to_owned(),
            scope: self.0.scope().map(ToOwned::to_owned),
            obtained_at: moment(self.0.obtained_at()),
            expires_at: self.0.expires_at().map(moment),
            consent_expires_at: moment(self.0.consent_expires_at()),
        }
    }

    #[napi(catch_unwind)]
    pub fn access_token(&self) -> Secret {
        Secret(self.0.access_token().clone())
    }

    #[napi(catch_unwind)]
    pub fn refresh_token(&self) -> Option<Secret> {
        self.0.refresh_token().cloned().map(Secret)
    }

    #[napi(catch_unwind)]
    pub fn is_expired(&self, now: Option<f64>) -> bool {
        self.0.is_expired(at(now))
    }

    #[napi(catch_unwind)]
    pub fn equals(&self, other: &Tokens) -> bool {
        self.0 == other.0
    }

    #[napi(catch_unwind)]
    pub fn serialize(&self) -> String {
        self.0.to_json().expose().to_owned()
    }
}

#[napi(catch_unwind)]
pub fn tokens(
    access_token: &Secret,
    refresh_token: Option<ClassInstance<'_, Secret>>,
    obtained_at: f64,
    expires_at: Option<f64>,
    consent_expires_at: f64,
) -> Outcome<Tokens> {
    let refresh_token = refresh_token.map(|secret| secret.0.clone());
    direct(|| {
        let tokens = cbpii::Tokens::new(
            access_token.0.clone(),
            refresh_token,
            timestamp(obtained_at),
            expires_at.map(timestamp),
            timestamp(consent_expires_at),
        );
        tokens.map(Tokens::from)
    })
}

#[napi(catch_unwind)]
pub fn saved_tokens(serialized: String) -> Outcome<Tokens> {
    let serialized = cbpii::Secret::new(serialized);
    direct(|| cbpii::Tokens::from_json(serialized.expose()).map(Tokens::from))
}
