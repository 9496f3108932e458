//! Access and refresh tokens.

use std::ffi::c_char;
use std::ptr;

use cbpii_core::{Timestamp, Tokens};

use crate::error::cbpii_error;
use crate::guard;
use crate::handle::{fact, free, given, handle, out, put_if_some};
use crate::string::cbpii_string;
use crate::text::{Texts, optional_secret, text};

/// The tokens of one cardholder's consent at one bank. Only functions with "expose" or "json" in their name give them in
/// clear.
pub struct cbpii_tokens {
    _opaque: [u8; 0],
}

handle!(cbpii_tokens => TokenFacts);

/// Tokens with their strings.
pub struct TokenFacts {
    pub(crate) tokens: Tokens,
    texts: Texts<3>,
}

impl TokenFacts {
    pub(crate) fn new(tokens: Tokens) -> Self {
        let description = tokens.to_string();
        let texts = Texts::of([Some(tokens.token_type()), tokens.scope(), Some(&description)]);
        Self { tokens, texts }
    }
}

/// Tokens that were obtained elsewhere, for example by the software this one replaces. `refresh_token` may be NULL. Moments
/// are in milliseconds since 1970 (UTC); `expires_at` may be NULL when it is not known.
///
/// Fails with request.token, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_new(
    access_token: *const c_char,
    refresh_token: *const c_char,
    obtained_at: i64,
    expires_at: *const i64,
    consent_expires_at: i64,
    tokens: *mut *mut cbpii_tokens,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(tokens, "tokens")?;
        let access_token = unsafe { text(access_token, "access_token") }?;
        let refresh_token = unsafe { optional_secret(refresh_token, "refresh_token") }?;
        // SAFETY: the header asks for NULL or a readable number.
        let end = (!expires_at.is_null()).then(|| unsafe { expires_at.read_unaligned() });
        place.put_new(TokenFacts::new(Tokens::new(
            access_token,
            refresh_token,
            Timestamp::from_unix_millis(obtained_at),
            end.map(Timestamp::from_unix_millis),
            Timestamp::from_unix_millis(consent_expires_at),
        )?));
        Ok(())
    })
}

/// Tokens from their saved form.
///
/// Fails with request.saved_state, request.token, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_from_json(
    json: *const c_char,
    tokens: *mut *mut cbpii_tokens,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(tokens, "tokens")?;
        place.put_new(TokenFacts::new(Tokens::from_json(unsafe { text(json, "json") }?)?));
        Ok(())
    })
}

/// The saved form: a secret, for it holds the tokens in clear. Encrypt it.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_to_json(
    tokens: *const cbpii_tokens,
    json: *mut *mut cbpii_string,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(json, "json")?;
        place.put_text(unsafe { given(tokens, "tokens") }?.tokens.to_json().expose());
        Ok(())
    })
}

/// The access token in clear: a secret.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_expose_access_token(
    tokens: *const cbpii_tokens,
    secret: *mut *mut cbpii_string,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(secret, "secret")?;
        place.put_text(unsafe { given(tokens, "tokens") }?.tokens.access_token().expose());
        Ok(())
    })
}

/// The refresh token in clear: a secret. `secret` becomes NULL when the bank gave none.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_expose_refresh_token(
    tokens: *const cbpii_tokens,
    secret: *mut *mut cbpii_string,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(secret, "secret")?;
        match unsafe { given(tokens, "tokens") }?.tokens.refresh_token() {
            Some(token) => place.put_text(token.expose()),
            None => place.put(ptr::null_mut()),
        }
        Ok(())
    })
}

/// Always "Bearer" (RFC 6750).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_token_type(tokens: *const cbpii_tokens) -> *const c_char {
    unsafe { fact(tokens, ptr::null(), |facts| facts.texts.get(0)) }
}

/// The scope as the bank stated it. NULL when it did not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_scope(tokens: *const cbpii_tokens) -> *const c_char {
    unsafe { fact(tokens, ptr::null(), |facts| facts.texts.get(1)) }
}

/// A masked description, for a person or a log.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_text(tokens: *const cbpii_tokens) -> *const c_char {
    unsafe { fact(tokens, ptr::null(), |facts| facts.texts.get(2)) }
}

/// Whether the bank gave a refresh token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_has_refresh_token(tokens: *const cbpii_tokens) -> bool {
    unsafe { fact(tokens, false, |facts| facts.tokens.refresh_token().is_some()) }
}

/// When the access token was obtained, in milliseconds since 1970 (UTC).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_obtained_at(tokens: *const cbpii_tokens) -> i64 {
    unsafe { fact(tokens, 0, |facts| facts.tokens.obtained_at().unix_millis()) }
}

/// When the access token ends, in milliseconds since 1970 (UTC). False when the bank did not say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_expires_at(tokens: *const cbpii_tokens, moment: *mut i64) -> bool {
    let end = unsafe { fact(tokens, None, |facts| facts.tokens.expires_at()) };
    unsafe { put_if_some(moment, end.map(Timestamp::unix_millis)) }
}

/// When the consent as a whole ends, in milliseconds since 1970 (UTC): the bank's 90 or 180 days. Refreshing does not move it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_consent_expires_at(tokens: *const cbpii_tokens) -> i64 {
    unsafe { fact(tokens, 0, |facts| facts.tokens.consent_expires_at().unix_millis()) }
}

/// Whether the access token has ended at `now`, in milliseconds since 1970 (UTC); false when its end is not known.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_is_expired(tokens: *const cbpii_tokens, now: i64) -> bool {
    unsafe { fact(tokens, false, |facts| facts.tokens.is_expired(Timestamp::from_unix_millis(now))) }
}

/// Overwrites and frees tokens. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_tokens_free(tokens: *mut cbpii_tokens) {
    unsafe { free(tokens) }
}
