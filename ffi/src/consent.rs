//! The cardholder's consent.

use std::ffi::c_char;
use std::ptr;

use cbpii_core::{AuthorizationCode, PendingConsent, Timestamp};

use crate::error::cbpii_error;
use crate::guard;
use crate::handle::{fact, free, given, handle, out};
use crate::string::cbpii_string;
use crate::text::{Texts, text};

/// A consent that is being asked for: send the cardholder to its URL, keep it (as JSON, where only this cardholder's browser
/// session leads to), and complete it with the callback.
pub struct cbpii_pending_consent {
    _opaque: [u8; 0],
}

handle!(cbpii_pending_consent => PendingFacts);

/// A pending consent with its strings.
pub struct PendingFacts {
    pub(crate) pending: PendingConsent,
    texts: Texts<4>,
}

impl PendingFacts {
    pub(crate) fn new(pending: PendingConsent) -> Self {
        let texts =
            Texts::of([pending.url(), pending.bank_id(), pending.state(), pending.redirect_uri()].map(Some));
        Self { pending, texts }
    }
}

/// A pending consent from its saved form.
///
/// Fails with request.saved_state, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_pending_consent_from_json(
    json: *const c_char,
    pending: *mut *mut cbpii_pending_consent,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(pending, "pending")?;
        place.put_new(PendingFacts::new(PendingConsent::from_json(unsafe { text(json, "json") }?)?));
        Ok(())
    })
}

/// The saved form: a secret, for it holds the `state` and the PKCE verifier.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_pending_consent_to_json(
    pending: *const cbpii_pending_consent,
    json: *mut *mut cbpii_string,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(json, "json")?;
        place.put_text(unsafe { given(pending, "pending") }?.pending.to_json().expose());
        Ok(())
    })
}

/// Reads the callback: the URL the browser was sent back to, whole or from its path or ? on. Needs no key and no network.
/// `now` in milliseconds since 1970 (UTC), 0 for the system's clock.
///
/// Fails with request.callback, consent.state_mismatch, consent.issuer_mismatch, consent.duplicated_parameter,
/// consent.callback_without_answer, consent.pending_expired, consent.access_denied, consent.refused_by_bank,
/// consent.bank_unavailable, request.token, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_pending_consent_complete(
    pending: *const cbpii_pending_consent,
    callback_url: *const c_char,
    now: i64,
    code: *mut *mut cbpii_authorization_code,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(code, "code")?;
        let pending = &unsafe { given(pending, "pending") }?.pending;
        let callback_url = unsafe { text(callback_url, "callback_url") }?;
        place.put_new(match now {
            0 => pending.complete(callback_url)?,
            now => pending.complete_at(callback_url, Timestamp::from_unix_millis(now))?,
        });
        Ok(())
    })
}

unsafe fn text_of(pending: *const cbpii_pending_consent, place: usize) -> *const c_char {
    unsafe { fact(pending, ptr::null(), |facts| facts.texts.get(place)) }
}

/// Where to send the cardholder's browser. On a phone it opens the bank's app.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_pending_consent_url(pending: *const cbpii_pending_consent) -> *const c_char {
    unsafe { text_of(pending, 0) }
}

/// The id of the bank it is asked from.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_pending_consent_bank_id(
    pending: *const cbpii_pending_consent,
) -> *const c_char {
    unsafe { text_of(pending, 1) }
}

/// The `state` parameter: an unguessable text that ties the callback to this consent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_pending_consent_state(pending: *const cbpii_pending_consent) -> *const c_char {
    unsafe { text_of(pending, 2) }
}

/// The redirect URI, byte for byte as registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_pending_consent_redirect_uri(
    pending: *const cbpii_pending_consent,
) -> *const c_char {
    unsafe { text_of(pending, 3) }
}

/// When it began, in milliseconds since 1970 (UTC).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_pending_consent_created_at(pending: *const cbpii_pending_consent) -> i64 {
    unsafe { fact(pending, 0, |facts| facts.pending.created_at().unix_millis()) }
}

/// When it is no longer accepted, in milliseconds since 1970 (UTC).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_pending_consent_expires_at(pending: *const cbpii_pending_consent) -> i64 {
    unsafe { fact(pending, 0, |facts| facts.pending.expires_at().unix_millis()) }
}

/// Frees a pending consent. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_pending_consent_free(pending: *mut cbpii_pending_consent) {
    unsafe { free(pending) }
}

/// The one-time code of a consent that was given. It lives for minutes: exchange it at once.
pub struct cbpii_authorization_code {
    _opaque: [u8; 0],
}

handle!(cbpii_authorization_code => AuthorizationCode);

/// A code that reached the issuer on another way than a callback URL.
///
/// Fails with request.token, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_authorization_code_new(
    text_of_code: *const c_char,
    code: *mut *mut cbpii_authorization_code,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(code, "code")?;
        place.put_new(AuthorizationCode::new(unsafe { text(text_of_code, "text_of_code") }?)?);
        Ok(())
    })
}

/// The code in clear: a secret.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_authorization_code_expose(
    code: *const cbpii_authorization_code,
    secret: *mut *mut cbpii_string,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(secret, "secret")?;
        place.put_text(unsafe { given(code, "code") }?.expose());
        Ok(())
    })
}

/// Overwrites and frees a code. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_authorization_code_free(code: *mut cbpii_authorization_code) {
    unsafe { free(code) }
}
