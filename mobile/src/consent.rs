//! The consent: begun and completed without any key.

use std::sync::Arc;

use cbpii::{AuthorizationCode, ConsentOptions, PendingConsent, Secret};

use crate::bank::RawBank;
use crate::call::direct;
use crate::error::RawFailure;
use crate::identity::RawIssuer;
use crate::object::object;
use crate::values::{TimeSpan, Timestamp};

/// Options with this time for the cardholder, or the default.
pub(crate) fn options(valid_for: Option<TimeSpan>) -> cbpii::Result<ConsentOptions> {
    let options = ConsentOptions::default();
    Ok(match valid_for {
        Some(span) => options.valid_for(span.duration("valid_for")?),
        None => options,
    })
}

object! {
    /// A consent that is being asked for: open its URL, keep it, and complete it with the callback. It prints without its
    /// secrets.
    RawPendingConsent(PendingConsent), |pending| format!("{pending:?}")
}

#[uniffi::export]
impl RawPendingConsent {
    /// Begins a consent without a client, and so without certificate and key. `valid_for` is how long the cardholder may take
    /// at the bank, 15 minutes when none is given; `at` is the present.
    ///
    /// Throws `configuration.endpoint_missing`, `configuration.option`, and what a bank record can fail with.
    #[uniffi::constructor]
    pub fn begin(
        bank: Arc<RawBank>,
        issuer: Arc<RawIssuer>,
        valid_for: Option<TimeSpan>,
        at: Option<Timestamp>,
    ) -> Result<Arc<Self>, RawFailure> {
        direct(|| {
            let options = options(valid_for)?;
            let (bank, issuer) = (&bank.inner, &issuer.inner);
            let begun = match at {
                Some(at) => PendingConsent::new_at(bank, issuer, &options, at),
                None => PendingConsent::new(bank, issuer, &options),
            };
            begun.map(Self::of)
        })
    }

    /// Reads the saved form back.
    ///
    /// Throws `request.saved_state`.
    #[uniffi::constructor]
    pub fn from_json(json: String) -> Result<Arc<Self>, RawFailure> {
        let json = Secret::new(json);
        direct(|| PendingConsent::from_json(json.expose()).map(Self::of))
    }

    /// The saved form. It holds the `state` and the PKCE verifier: keep it in the app's private, encrypted storage.
    pub fn to_json(&self) -> String {
        self.inner.to_json().expose().to_owned()
    }

    /// Where to send the cardholder. Opened as a universal or app link, it starts the bank's app.
    pub fn url(&self) -> String {
        self.inner.url().to_owned()
    }

    /// The id of the bank this consent is asked from.
    pub fn bank_id(&self) -> String {
        self.inner.bank_id().to_owned()
    }

    /// The `state` parameter: it ties the callback to this consent, and can serve as the key under which this is kept.
    pub fn state(&self) -> String {
        self.inner.state().to_owned()
    }

    /// The redirect URI, byte for byte as registered.
    pub fn redirect_uri(&self) -> String {
        self.inner.redirect_uri().to_owned()
    }

    /// When it began.
    pub fn created_at(&self) -> Timestamp {
        self.inner.created_at()
    }

    /// When it is no longer accepted.
    pub fn expires_at(&self) -> Timestamp {
        self.inner.expires_at()
    }

    /// Reads the callback, that is the URL the app was opened with. `at` is the present.
    ///
    /// Throws `request.callback`, `consent.state_mismatch`, `consent.issuer_mismatch`, `consent.duplicated_parameter`,
    /// `consent.callback_without_answer`, `consent.pending_expired`, `consent.access_denied`, `consent.refused_by_bank`,
    /// `consent.bank_unavailable`, `request.token`.
    pub fn complete(
        &self,
        callback_url: String,
        at: Option<Timestamp>,
    ) -> Result<Arc<RawAuthorizationCode>, RawFailure> {
        direct(|| {
            let code = match at {
                Some(at) => self.inner.complete_at(&callback_url, at),
                None => self.inner.complete(&callback_url),
            };
            code.map(RawAuthorizationCode::of)
        })
    }
}

object! {
    /// The one-time code of a consent that was given. It lives for minutes: exchange it at once. It prints masked.
    RawAuthorizationCode(AuthorizationCode), |code| code.masked()
}

#[uniffi::export]
impl RawAuthorizationCode {
    /// A code that came on another way than a callback URL.
    ///
    /// Throws `request.token`.
    #[uniffi::constructor]
    pub fn new(code: String) -> Result<Arc<Self>, RawFailure> {
        direct(|| AuthorizationCode::new(code).map(Self::of))
    }

    /// The code itself, for the issuer's server. Never log what this returns.
    pub fn expose(&self) -> String {
        self.inner.expose().to_owned()
    }
}
