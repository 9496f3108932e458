//! The cardholder's consent: the URL to send the browser to, and what comes back on the redirect
//! (OAuth 2 authorization code, RFC 6749 §4.1; PKCE, RFC 7636; `iss`, RFC 9207).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::address::Address;
use crate::bank::Bank;
use crate::clock::Entropy;
use crate::http::masking::mask_text;
use crate::identity::Issuer;
use crate::json::Object;
use crate::token::is_token_text;
use crate::{Clock, Error, ErrorCode, Result, Secret, SystemClock, SystemEntropy, Timestamp, crypto};

/// What may be chosen when a consent begins.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConsentOptions {
    /// How long the cardholder may take at the bank. Some banks never send the cardholder back, so a pending
    /// consent needs an end of its own. Default 15 minutes.
    pub valid_for: Duration,
}

impl Default for ConsentOptions {
    fn default() -> Self {
        Self { valid_for: Duration::from_secs(15 * 60) }
    }
}

impl ConsentOptions {
    /// Sets [`valid_for`](Self::valid_for).
    #[must_use]
    pub fn valid_for(mut self, duration: Duration) -> Self {
        self.valid_for = duration;
        self
    }
}

/// A consent that is being asked for: send the cardholder to [`url`](Self::url), keep this value (as JSON in a
/// session or a signed, encrypted cookie), and [`complete`](Self::complete) it with the callback.
///
/// It is not serialisable as it stands, so that it does not end up in a log by the way of some larger value: what
/// leaves it leaves by [`to_json`](Self::to_json).
#[derive(Clone)]
pub struct PendingConsent(Saved);

/// The saved form, version 1.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    #[serde(rename = "v")]
    version: Version1,
    bank_id: String,
    url: String,
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code_verifier: Option<String>,
    redirect_uri: String,
    /// What `iss` must be, if the bank sends one.
    issuer: String,
    created_at: Timestamp,
    expires_at: Timestamp,
}

/// The version of a saved form: the number 1, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub(crate) struct Version1;

impl TryFrom<u8> for Version1 {
    type Error = &'static str;

    fn try_from(number: u8) -> std::result::Result<Self, Self::Error> {
        if number == 1 { Ok(Self) } else { Err("a version this library does not know") }
    }
}

impl From<Version1> for u8 {
    fn from(_: Version1) -> Self {
        1
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.state.zeroize();
        self.code_verifier.zeroize();
        self.url.zeroize();
    }
}

impl PendingConsent {
    /// Begins a consent without a client, so that neither certificate nor key is needed: for an app that sends the
    /// cardholder to the bank while the issuer's server holds the keys and exchanges the code. No I/O.
    ///
    /// # Errors
    /// As [`Bank::validate`] and [`Bank::endpoints`]; `configuration.option` when `valid_for` is zero; `internal` when
    /// there is no randomness.
    pub fn new(bank: &Bank, issuer: &Issuer, options: &ConsentOptions) -> Result<Self> {
        Self::new_at(bank, issuer, options, SystemClock.now())
    }

    /// As [`new`](Self::new), at a given moment.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn new_at(bank: &Bank, issuer: &Issuer, options: &ConsentOptions, now: Timestamp) -> Result<Self> {
        bank.validate()?;
        let authorize = bank.endpoints()?.authorize;
        let (client_id, redirect_uri) = (issuer.client_id(), issuer.redirect_uri());
        Self::begin(bank, &authorize, client_id, redirect_uri, options, now, &SystemEntropy)
    }

    /// Builds the consent URL of STET's redirect approach.
    pub(crate) fn begin(
        bank: &Bank,
        authorize: &str,
        client_id: &str,
        redirect_uri: &str,
        options: &ConsentOptions,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Self> {
        if options.valid_for.is_zero() {
            return Err(Error::new(
                ErrorCode::OptionValue,
                "valid_for is zero: the cardholder needs some time at the bank.",
            ));
        }
        let state = random_text(entropy)?;
        let code_verifier = bank.pkce.then(|| random_text(entropy)).transpose()?;
        let mut query = query_of(authorize);
        if bank.response_type {
            query.append_pair("response_type", "code");
        }
        query.append_pair("client_id", client_id);
        query.append_pair("redirect_uri", redirect_uri);
        query.append_pair("scope", &bank.scope);
        query.append_pair("state", &state);
        if let Some(verifier) = &code_verifier {
            let challenge = BASE64_URL_SAFE_NO_PAD.encode(crypto::sha256(verifier.as_bytes()));
            query.append_pair("code_challenge", &challenge);
            query.append_pair("code_challenge_method", "S256");
        }
        Ok(Self(Saved {
            version: Version1,
            bank_id: bank.id.clone(),
            url: query.finish(),
            state,
            code_verifier,
            redirect_uri: redirect_uri.to_owned(),
            issuer: origin(authorize).unwrap_or_default(),
            created_at: now,
            expires_at: now.saturating_add(options.valid_for),
        }))
    }

    /// Where to send the cardholder's browser. On a phone it opens the bank's app.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The bank this consent is asked from ([`Bank::id`]).
    #[must_use]
    pub fn bank_id(&self) -> &str {
        &self.0.bank_id
    }

    /// The `state` parameter: an unguessable text that ties the callback to this consent. It can serve as
    /// the key under which a server keeps this value.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.0.state
    }

    /// The redirect URI, byte for byte as registered.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.0.redirect_uri
    }

    /// When it began: not later than the cardholder's strong authentication.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.0.created_at
    }

    /// When it is no longer accepted.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }

    pub(crate) fn code_verifier(&self) -> Option<&str> {
        self.0.code_verifier.as_deref()
    }

    /// Reads the callback, that is the URL the browser was sent back to (whole, or from its path or `?` on).
    /// Needs no key and no network.
    ///
    /// # Errors
    /// `request.callback`, `consent.state_mismatch`, `consent.issuer_mismatch`, `consent.duplicated_parameter`,
    /// `consent.callback_without_answer`, `consent.pending_expired`, `consent.access_denied`,
    /// `consent.refused_by_bank`, `consent.bank_unavailable`, `request.token`.
    pub fn complete(&self, callback_url: &str) -> Result<AuthorizationCode> {
        self.complete_at(callback_url, SystemClock.now())
    }

    /// As [`complete`](Self::complete), at a given moment.
    ///
    /// # Errors
    /// As [`complete`](Self::complete).
    pub fn complete_at(&self, callback_url: &str, now: Timestamp) -> Result<AuthorizationCode> {
        let parameters = Parameters::read(query_of_callback(callback_url)?)?;
        self.check_state(parameters.state.as_deref())?;
        self.check_issuer(parameters.iss.as_deref())?;
        if now >= self.0.expires_at {
            let message = format!(
                "The cardholder came back after {}, when the pending consent had ended; begin a new one.",
                self.0.expires_at
            );
            return Err(Error::new(ErrorCode::PendingConsentExpired, message));
        }
        // A parameter without a value counts as left out (RFC 6749 §3.1).
        let code = parameters.code.filter(|code| !code.is_empty());
        let error = parameters.error.filter(|error| !error.is_empty());
        match (code, error) {
            (_, Some(error)) => Err(refusal(&error, parameters.error_description.as_deref())),
            (Some(code), None) => AuthorizationCode::new(code),
            (None, None) => Err(Error::new(
                ErrorCode::CallbackWithoutAnswer,
                "The bank sent the cardholder back with neither a code nor an error; begin a new consent.",
            )),
        }
    }

    fn check_state(&self, state: Option<&str>) -> Result<()> {
        let same = state.is_some_and(|state| state.as_bytes().ct_eq(self.0.state.as_bytes()).into());
        if same {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::StateMismatch,
            "The callback does not belong to this consent (its state differs): it may be forged, or of another browser tab; begin a new consent.",
        ))
    }

    fn check_issuer(&self, iss: Option<&str>) -> Result<()> {
        let Some(iss) = iss else { return Ok(()) };
        if origin(iss).is_some_and(|origin| origin == self.0.issuer) {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::IssuerMismatch,
            "The callback names another authorization server than the bank's (RFC 9207); begin a new consent.",
        ))
    }

    /// The saved form. It holds the `state` and the PKCE verifier: keep it where only this cardholder's
    /// browser session leads to.
    #[must_use]
    pub fn to_json(&self) -> Secret {
        // Strings, timestamps and a number always serialise.
        Secret::new(serde_json::to_string(&self.0).unwrap_or_default())
    }

    /// Reads the saved form back.
    ///
    /// # Errors
    /// `request.saved_state`.
    pub fn from_json(json: &str) -> Result<Self> {
        serde_json::from_str(json).map(|Object(saved)| Self(saved)).map_err(|error| {
            let message = format!(
                "The saved pending consent cannot be read (line {}, column {}); begin a new one.",
                error.line(),
                error.column()
            );
            Error::new(ErrorCode::SavedState, message)
        })
    }
}

impl fmt::Debug for PendingConsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingConsent")
            .field("bank_id", &self.0.bank_id)
            .field("redirect_uri", &self.0.redirect_uri)
            .field("created_at", &self.0.created_at)
            .field("expires_at", &self.0.expires_at)
            .finish_non_exhaustive()
    }
}

/// Writes on behind the query the address has already.
fn query_of(address: &str) -> Serializer<'static, String> {
    let mut url = address.to_owned();
    let start = match url.find('?') {
        Some(place) => place + 1,
        None => {
            url.push('?');
            url.len()
        }
    };
    Serializer::for_suffix(url, start)
}

fn origin(address: &str) -> Option<String> {
    Address::parse(address)?.origin()
}

/// The query of what the browser asked for, whatever it stands behind: an app's own scheme, a path, or nothing. Browsers
/// send queries that are no RFC 3986 ones, so it is taken as it is.
fn query_of_callback(callback_url: &str) -> Result<&str> {
    let callback = callback_url.trim();
    let (address, _fragment) = callback.split_once('#').unwrap_or((callback, ""));
    if let Some((_, query)) = address.split_once('?') {
        return Ok(query);
    }
    if Address::parse(address).is_some_and(|address| address.host().is_some() || !address.path().is_empty()) {
        return Ok("");
    }
    Err(Error::new(
        ErrorCode::Callback,
        "The callback is not a URL; pass what the browser asked for, from its scheme, path or ? on.",
    ))
}

/// The parameters of a callback that have a meaning; each may be there once.
#[derive(Default)]
struct Parameters<'a> {
    code: Option<Cow<'a, str>>,
    state: Option<Cow<'a, str>>,
    iss: Option<Cow<'a, str>>,
    error: Option<Cow<'a, str>>,
    error_description: Option<Cow<'a, str>>,
}

impl<'a> Parameters<'a> {
    fn read(query: &'a str) -> Result<Self> {
        let mut found = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match &*name {
                "code" => &mut found.code,
                "state" => &mut found.state,
                "iss" => &mut found.iss,
                "error" => &mut found.error,
                "error_description" => &mut found.error_description,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                let message = format!(
                    "The callback has the parameter {name} twice; it may be forged: begin a new consent."
                );
                return Err(Error::new(ErrorCode::DuplicatedParameter, message));
            }
        }
        Ok(found)
    }
}

/// What an error on the redirect means (RFC 6749 §4.1.2.1).
fn refusal(error: &str, description: Option<&str>) -> Error {
    let (code, message) = match error {
        "access_denied" => (
            ErrorCode::AccessDenied,
            "The cardholder refused the consent or interrupted it at the bank; ask again only if the cardholder wants to.".to_owned(),
        ),
        "server_error" | "temporarily_unavailable" => (
            ErrorCode::ConsentServiceUnavailable,
            "The bank's consent service is not available at the moment; begin a new consent later.".to_owned(),
        ),
        other => (
            ErrorCode::ConsentRefusedByBank,
            format!("The bank refused to ask the cardholder for consent ({}); check client_id, redirect URI, scope and registration.", mask_text(other, 64)),
        ),
    };
    Error::new(code, message)
        .with_bank_code(Some(mask_text(error, 64)))
        .with_bank_message(description.map(|text| mask_text(text, 512)))
}

/// The one-time code of a consent that was given. It lives for minutes: exchange it at once.
#[derive(Clone, Debug)]
pub struct AuthorizationCode(Secret);

impl AuthorizationCode {
    /// A code that reached the issuer on another way than a callback URL.
    ///
    /// # Errors
    /// `request.token` when it is empty or has characters no code has (RFC 6749 appendix A.11).
    pub fn new(code: impl Into<String>) -> Result<Self> {
        let code = Secret::new(code);
        if is_token_text(code.expose()) {
            return Ok(Self(code));
        }
        Err(Error::new(
            ErrorCode::Token,
            "The authorization code is empty or has spaces, control or non-ASCII characters; pass the callback as it came.",
        ))
    }

    /// The code itself. Never log what this returns.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// A form that may be shown.
    #[must_use]
    pub fn masked(&self) -> String {
        self.0.masked()
    }
}

/// 256 unpredictable bits as 43 characters that need no escaping (RFC 7636 §4.1).
fn random_text(entropy: &dyn Entropy) -> Result<String> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    entropy.fill(&mut *bytes)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(*bytes))
}

/// A form body of the token endpoint.
pub(crate) fn form(pairs: &[(&str, &str)]) -> zeroize::Zeroizing<Vec<u8>> {
    let length = pairs.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
    let mut form = Serializer::new(String::with_capacity(length));
    form.extend_pairs(pairs);
    zeroize::Zeroizing::new(form.finish().into_bytes())
}
