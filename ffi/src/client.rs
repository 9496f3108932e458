//! One issuer at one bank: consent, tokens, funds checks.

use std::ffi::c_char;

use cbpii_core::{CallOptions, Client, ConsentOptions, Result};

use crate::bank::cbpii_bank;
use crate::cancel::cbpii_cancel_token;
use crate::client_options::{cbpii_client_options, duration};
use crate::consent::{PendingFacts, cbpii_authorization_code, cbpii_pending_consent};
use crate::error::cbpii_error;
use crate::explanation::{ExplanationFacts, cbpii_explanation};
use crate::funds::{ConfirmationFacts, cbpii_funds_confirmation, cbpii_funds_request};
use crate::guard;
use crate::handle::{fact, free, given, handle, optional, out, wanted};
use crate::issuer::cbpii_issuer;
use crate::text::text;
use crate::tokens::{TokenFacts, cbpii_tokens};

/// One issuer at one bank. It keeps connections open and resumes TLS sessions, so make one and keep it; all threads share
/// it.
pub struct cbpii_client {
    _opaque: [u8; 0],
}

handle!(cbpii_client => Client);

/// The limits of one call: `timeout` in milliseconds, 0 for the client's own; `cancel` may be NULL.
pub(crate) unsafe fn limits(timeout: i64, cancel: *const cbpii_cancel_token) -> Result<CallOptions> {
    let mut options = CallOptions::default();
    if timeout != 0 {
        options = options.timeout(duration(timeout, "timeout")?);
    }
    if let Some(token) = unsafe { optional(cancel, "cancel") }? {
        options = options.cancel(token.clone());
    }
    Ok(options)
}

/// A client. Everything is checked, nothing is sent. `options` may be NULL for the defaults; bank, issuer and options can be
/// freed afterwards.
///
/// Fails with an error of kind configuration when bank record, keys, certificates or options cannot be used, of kind
/// eligibility when the certificates do not entitle the issuer; request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_new(
    bank: *const cbpii_bank,
    issuer: *const cbpii_issuer,
    options: *const cbpii_client_options,
    client: *mut *mut cbpii_client,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(client, "client")?;
        let (bank, issuer) = unsafe { (given(bank, "bank")?, given(issuer, "issuer")?) };
        let mut builder = Client::builder(bank.bank.clone(), issuer.issuer.clone());
        if let Some(settings) = unsafe { optional(options, "options") }? {
            builder = settings.apply(builder);
        }
        place.put_new(builder.build()?);
        Ok(())
    })
}

/// Begins a consent: makes the URL to send the cardholder to. Nothing is sent. `valid_for`, in milliseconds, is how long the
/// cardholder may take; 0 for 15 minutes.
///
/// Fails with request.argument, internal (no randomness).
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_begin_consent(
    client: *const cbpii_client,
    valid_for: i64,
    pending: *mut *mut cbpii_pending_consent,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(pending, "pending")?;
        let client = unsafe { given(client, "client") }?;
        let mut options = ConsentOptions::default();
        if valid_for != 0 {
            options = options.valid_for(duration(valid_for, "valid_for")?);
        }
        place.put_new(PendingFacts::new(client.begin_consent(&options)?));
        Ok(())
    })
}

/// Reads the callback (the URL the browser was sent back to, whole or from its path or ? on) and exchanges its code for
/// tokens, in one step. A code works once, so this is never repeated.
///
/// Fails as `cbpii_pending_consent_complete` and `cbpii_client_exchange_code`.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_complete_consent(
    client: *const cbpii_client,
    pending: *const cbpii_pending_consent,
    callback_url: *const c_char,
    tokens: *mut *mut cbpii_tokens,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(tokens, "tokens")?;
        let (client, pending) = unsafe { (given(client, "client")?, given(pending, "pending")?) };
        let callback_url = unsafe { text(callback_url, "callback_url") }?;
        place.put_new(TokenFacts::new(client.complete_consent(&pending.pending, callback_url)?));
        Ok(())
    })
}

/// Exchanges the code for tokens (RFC 6749 §4.1.3). A code works once, so this is never repeated: after a time-out or a
/// broken connection ask the cardholder again. `timeout` in milliseconds, 0 for the client's own; `cancel` may be NULL.
///
/// Fails with consent.code_refused, bank.client_refused, request.saved_state (the pending consent is of another bank), any
/// error of kind network, tls, timeout, protocol or cancelled; request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_exchange_code(
    client: *const cbpii_client,
    pending: *const cbpii_pending_consent,
    code: *const cbpii_authorization_code,
    timeout: i64,
    cancel: *const cbpii_cancel_token,
    tokens: *mut *mut cbpii_tokens,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(tokens, "tokens")?;
        let (client, pending) = unsafe { (given(client, "client")?, given(pending, "pending")?) };
        let (code, options) = unsafe { (given(code, "code")?, limits(timeout, cancel)?) };
        place.put_new(TokenFacts::new(client.exchange_code_with(&pending.pending, code, &options)?));
        Ok(())
    })
}

/// Refreshes the tokens (RFC 6749 §6). What the bank leaves out of its answer, such as the refresh token, stays as it was.
/// `timeout` in milliseconds, 0 for the client's own; `cancel` may be NULL.
///
/// Fails with consent.lost, consent.no_refresh_token, any error of kind network, tls, timeout, protocol or cancelled;
/// request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_refresh(
    client: *const cbpii_client,
    tokens: *const cbpii_tokens,
    timeout: i64,
    cancel: *const cbpii_cancel_token,
    refreshed: *mut *mut cbpii_tokens,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(refreshed, "refreshed")?;
        let (client, tokens) = unsafe { (given(client, "client")?, given(tokens, "tokens")?) };
        let options = unsafe { limits(timeout, cancel) }?;
        place.put_new(TokenFacts::new(client.refresh_with(&tokens.tokens, &options)?));
        Ok(())
    })
}

/// Asks the bank whether the account covers the amount. Nothing is reserved. An error is no answer, and no answer is not
/// "no funds".
///
/// Fails with consent.access_token_refused, an error of kind bank_refused, rate_limited, bank_unavailable, network, tls,
/// timeout, protocol; request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_confirm_funds(
    client: *const cbpii_client,
    tokens: *const cbpii_tokens,
    request: *const cbpii_funds_request,
    confirmation: *mut *mut cbpii_funds_confirmation,
) -> *mut cbpii_error {
    unsafe { cbpii_client_confirm_funds_with(client, tokens, request, 0, std::ptr::null(), confirmation) }
}

/// As `cbpii_client_confirm_funds`, with limits of its own: `timeout` in milliseconds, 0 for the client's own; `cancel` may
/// be NULL.
///
/// Fails as it does; cancelled.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_confirm_funds_with(
    client: *const cbpii_client,
    tokens: *const cbpii_tokens,
    request: *const cbpii_funds_request,
    timeout: i64,
    cancel: *const cbpii_cancel_token,
    confirmation: *mut *mut cbpii_funds_confirmation,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(confirmation, "confirmation")?;
        let (client, tokens) = unsafe { (given(client, "client")?, given(tokens, "tokens")?) };
        let (request, options) = unsafe { (given(request, "request")?, limits(timeout, cancel)?) };
        let answer = client.confirm_funds_with(&tokens.tokens, &request.request, &options)?;
        place.put_new(ConfirmationFacts::new(&answer));
        Ok(())
    })
}

/// What `cbpii_client_confirm_funds` would send, header by header, with the exact signing string. Nothing is sent and no
/// key is used.
///
/// Fails as far as a check fails before it is sent; request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_explain(
    client: *const cbpii_client,
    request: *const cbpii_funds_request,
    explanation: *mut *mut cbpii_explanation,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(explanation, "explanation")?;
        let (client, request) = unsafe { (given(client, "client")?, given(request, "request")?) };
        place.put_new(ExplanationFacts::new(client.explain(&request.request)?));
        Ok(())
    })
}

/// Opens connections to the bank and finishes their handshakes ahead, so that the first real calls cost what later ones do.
/// `ready` (may be NULL) is how many are: 0 with a transport of the caller's own.
///
/// Fails when not one could be opened: an error of kind network, tls or timeout; configuration.option for more than 256;
/// request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_warm_up(
    client: *const cbpii_client,
    connections: usize,
    ready: *mut usize,
) -> *mut cbpii_error {
    guard::call(|| {
        let count = unsafe { given(client, "client") }?.warm_up(connections)?;
        if let Some(place) = wanted(ready) {
            place.put(count);
        }
        Ok(())
    })
}

/// How many TCP connections the client has opened so far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_connections(client: *const cbpii_client) -> u64 {
    unsafe { fact(client, 0, |client| client.statistics().connections) }
}

/// How many of these resumed an earlier TLS session.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_resumed_connections(client: *const cbpii_client) -> u64 {
    unsafe { fact(client, 0, |client| client.statistics().resumed) }
}

/// How often the client has looked up a host name so far.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_name_lookups(client: *const cbpii_client) -> u64 {
    unsafe { fact(client, 0, |client| client.statistics().name_lookups) }
}

/// Frees a client when no call of it is under way; sessions that were made with it go on. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_free(client: *mut cbpii_client) {
    unsafe { free(client) }
}
