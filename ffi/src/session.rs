//! Consents kept alive.

use std::ffi::{CString, c_char};
use std::ptr;

use cbpii_core::session::{ConsentEvent, ConsentMoment, RenewalDue, RenewalReason, RenewalsDue};
use cbpii_core::{ConsentState, NextAction, Session, SessionOptions, SessionPool, Timestamp, renewals_due};

use crate::cancel::cbpii_cancel_token;
use crate::client::{cbpii_client, limits};
use crate::client_options::duration;
use crate::error::cbpii_error;
use crate::funds::{ConfirmationFacts, cbpii_funds_confirmation, cbpii_funds_request};
use crate::guard;
use crate::handle::{fact, free, given, given_mut, handle, optional, out, wanted};
use crate::names::{Enumeration, name_of};
use crate::store::cbpii_store;
use crate::text::{Texts, c_string, text};
use crate::tokens::cbpii_tokens;

/// Good, and its end is not near.
pub const CBPII_CONSENT_STATE_ACTIVE: i32 = 1;
/// Good, and `renew_from` has passed.
pub const CBPII_CONSENT_STATE_RENEW_SOON: i32 = 2;
/// Its days are over, or its access token has ended and the bank gave no refresh token. Checks fail without asking the bank.
pub const CBPII_CONSENT_STATE_EXPIRED: i32 = 3;
/// The bank still accepts the tokens, and its last word on a check was that this consent does not allow it: another role (`BADS`), no access to the account (`NGAC`), or a token refused right after it was refreshed (401). Checks still ask the bank, and the state ends with the next yes or no.
pub const CBPII_CONSENT_STATE_REFUSED: i32 = 4;
/// The bank does not accept the refresh token any more. Checks fail without asking the bank.
pub const CBPII_CONSENT_STATE_LOST: i32 = 5;

/// Nothing.
pub const CBPII_NEXT_ACTION_NONE: i32 = 1;
/// The access token is at its end, or the outcome of a refresh is unknown. The next check sees to it.
pub const CBPII_NEXT_ACTION_REFRESH: i32 = 2;
/// Send the cardholder to the bank.
pub const CBPII_NEXT_ACTION_RENEW_CONSENT: i32 = 3;

/// Its tokens were handed over to be kept.
pub const CBPII_CONSENT_EVENT_KEPT: i32 = 1;
/// A refresh was recorded as started, before the bank was asked.
pub const CBPII_CONSENT_EVENT_REFRESH_STARTED: i32 = 2;
/// The bank gave new tokens.
pub const CBPII_CONSENT_EVENT_REFRESHED: i32 = 3;
/// The bank was not reached, or refused without touching the consent: nothing has changed.
pub const CBPII_CONSENT_EVENT_REFRESH_FAILED: i32 = 4;
/// No readable answer to a refresh came: it may have been done or not.
pub const CBPII_CONSENT_EVENT_OUTCOME_UNKNOWN: i32 = 5;
/// The bank says that the consent does not allow the check.
pub const CBPII_CONSENT_EVENT_REFUSED: i32 = 6;
/// The bank answered a check again.
pub const CBPII_CONSENT_EVENT_ANSWERED: i32 = 7;
/// The bank does not accept the refresh token any more.
pub const CBPII_CONSENT_EVENT_LOST: i32 = 8;

/// It ends, or ended, before the moment asked for.
pub const CBPII_RENEWAL_ENDING: i32 = 1;
/// The bank says that it does not allow checks.
pub const CBPII_RENEWAL_REFUSED: i32 = 2;
/// The bank does not accept its refresh token any more.
pub const CBPII_RENEWAL_LOST: i32 = 3;

/// When consents are refreshed and when they should be renewed.
pub struct cbpii_session_options {
    _opaque: [u8; 0],
}

handle!(cbpii_session_options => SessionOptions);

/// The defaults.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_options_new(
    options: *mut *mut cbpii_session_options,
) -> *mut cbpii_error {
    guard::call(|| {
        out(options, "options")?.put_new(SessionOptions::default());
        Ok(())
    })
}

/// Sets how long before its end an access token is refreshed, in milliseconds: at most one hour, default 60 000.
///
/// Fails with request.argument; the range is checked when the pool is made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_options_set_refresh_margin(
    options: *mut cbpii_session_options,
    milliseconds: i64,
) -> *mut cbpii_error {
    guard::call(|| {
        unsafe { given_mut(options, "options") }?.refresh_margin = duration(milliseconds, "milliseconds")?;
        Ok(())
    })
}

/// Sets how long before its end a consent should be renewed, in milliseconds: at most 3650 days, default 14 days.
///
/// Fails with request.argument; the range is checked when the pool is made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_options_set_renew_before(
    options: *mut cbpii_session_options,
    milliseconds: i64,
) -> *mut cbpii_error {
    guard::call(|| {
        unsafe { given_mut(options, "options") }?.renew_before = duration(milliseconds, "milliseconds")?;
        Ok(())
    })
}

/// Sets the time a refresh may take, whatever time the check that caused it has, in milliseconds: 1 000 to 300 000, default
/// 10 000.
///
/// Fails with request.argument; the range is checked when the pool is made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_options_set_refresh_timeout(
    options: *mut cbpii_session_options,
    milliseconds: i64,
) -> *mut cbpii_error {
    guard::call(|| {
        unsafe { given_mut(options, "options") }?.refresh_timeout = duration(milliseconds, "milliseconds")?;
        Ok(())
    })
}

/// Frees the options. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_options_free(options: *mut cbpii_session_options) {
    unsafe { free(options) }
}

/// The consents of one issuer at one bank: a client and a store.
pub struct cbpii_session_pool {
    _opaque: [u8; 0],
}

handle!(cbpii_session_pool => SessionPool);

/// A pool. `options` may be NULL for the defaults; client, store and options can be freed afterwards.
///
/// Fails with configuration.option, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_pool_new(
    client: *const cbpii_client,
    store: *const cbpii_store,
    options: *const cbpii_session_options,
    pool: *mut *mut cbpii_session_pool,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(pool, "pool")?;
        let (client, store) = unsafe { (given(client, "client")?, given(store, "store")?) };
        let options = unsafe { optional(options, "options") }?.cloned().unwrap_or_default();
        place.put_new(SessionPool::with_options(client.clone(), store.clone(), options)?);
        Ok(())
    })
}

/// Keeps the tokens of a consent that was just given under `id` (1 to 255 bytes, chosen by the issuer; it is stored in
/// clear). A consent that was there is replaced: this is also how one is renewed.
///
/// Fails with request.consent_id, an error of kind store (nothing was kept then), request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_pool_keep(
    pool: *const cbpii_session_pool,
    id: *const c_char,
    tokens: *const cbpii_tokens,
    session: *mut *mut cbpii_session,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(session, "session")?;
        let (pool, id) = unsafe { (given(pool, "pool")?, text(id, "id")?) };
        place.put_new(SessionFacts::new(pool.keep(id, &unsafe { given(tokens, "tokens") }?.tokens)?));
        Ok(())
    })
}

/// The consent that is kept under `id`.
///
/// Fails with consent.unknown, store.bank (it is another bank's), request.consent_id, an error of kind store,
/// request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_pool_open(
    pool: *const cbpii_session_pool,
    id: *const c_char,
    session: *mut *mut cbpii_session,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(session, "session")?;
        let (pool, id) = unsafe { (given(pool, "pool")?, text(id, "id")?) };
        place.put_new(SessionFacts::new(pool.open(id)?));
        Ok(())
    })
}

/// Forgets a consent, for instance when the cardholder ends the contract. `removed` (may be NULL) is whether there was one.
///
/// Fails with request.consent_id, an error of kind store, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_pool_forget(
    pool: *const cbpii_session_pool,
    id: *const c_char,
    removed: *mut bool,
) -> *mut cbpii_error {
    guard::call(|| {
        let (pool, id) = unsafe { (given(pool, "pool")?, text(id, "id")?) };
        let was_there = pool.forget(id)?;
        if let Some(place) = wanted(removed) {
            place.put(was_there);
        }
        Ok(())
    })
}

/// Frees a pool; its sessions go on. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_pool_free(pool: *mut cbpii_session_pool) {
    unsafe { free(pool) }
}

/// One cardholder's consent, refreshed when it is needed, once for all threads and processes.
pub struct cbpii_session {
    _opaque: [u8; 0],
}

handle!(cbpii_session => SessionFacts);

/// A session with its string.
pub struct SessionFacts {
    pub(crate) session: Session,
    id: CString,
}

impl SessionFacts {
    fn new(session: Session) -> Self {
        Self { id: c_string(session.id()), session }
    }
}

/// Asks the bank whether the account covers the amount, with an access token that is refreshed before its end, or once
/// after the bank refuses it. An error is no answer, and no answer is not "no funds".
///
/// Fails as `cbpii_client_confirm_funds` and `cbpii_client_refresh`; with an error of kind consent_required when the
/// cardholder has to go to the bank again; of kind store; request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_confirm_funds(
    session: *const cbpii_session,
    request: *const cbpii_funds_request,
    confirmation: *mut *mut cbpii_funds_confirmation,
) -> *mut cbpii_error {
    unsafe { cbpii_session_confirm_funds_with(session, request, 0, ptr::null(), confirmation) }
}

/// As `cbpii_session_confirm_funds`, with limits of its own: `timeout` in milliseconds, 0 for the client's own, covers
/// everything; a refresh that takes longer goes on without this call. `cancel` may be NULL.
///
/// Fails as it does; cancelled.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_confirm_funds_with(
    session: *const cbpii_session,
    request: *const cbpii_funds_request,
    timeout: i64,
    cancel: *const cbpii_cancel_token,
    confirmation: *mut *mut cbpii_funds_confirmation,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(confirmation, "confirmation")?;
        let (session, request) = unsafe { (given(session, "session")?, given(request, "request")?) };
        let options = unsafe { limits(timeout, cancel) }?;
        let answer = session.session.confirm_funds_with(&request.request, &options)?;
        place.put_new(ConfirmationFacts::new(&answer));
        Ok(())
    })
}

/// The id the consent is kept under.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_id(session: *const cbpii_session) -> *const c_char {
    unsafe { fact(session, ptr::null(), |facts| facts.id.as_ptr()) }
}

/// How the consent stands now, as far as this process knows: one of `CBPII_CONSENT_STATE_…`. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_state(session: *const cbpii_session) -> i32 {
    unsafe { fact(session, 0, |facts| facts.session.state().number()) }
}

/// What is to be done next: one of `CBPII_NEXT_ACTION_…`. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_next_action(session: *const cbpii_session) -> i32 {
    unsafe { fact(session, 0, |facts| facts.session.next_action().number()) }
}

/// When the consent ends, in milliseconds since 1970 (UTC). Refreshing does not move it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_consent_expires_at(session: *const cbpii_session) -> i64 {
    unsafe { fact(session, 0, |facts| facts.session.consent_expires_at().unix_millis()) }
}

/// From when on the consent should be renewed, in milliseconds since 1970 (UTC).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_renew_from(session: *const cbpii_session) -> i64 {
    unsafe { fact(session, 0, |facts| facts.session.renew_from().unix_millis()) }
}

/// The whole days that are left, rounded down: 0 on the last day and after the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_days_left(session: *const cbpii_session) -> u32 {
    unsafe { fact(session, 0, |facts| facts.session.days_left()) }
}

/// Whether fresh tokens wait in memory because the store could not take them: the process should not end before the store
/// works again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_has_unsaved_tokens(session: *const cbpii_session) -> bool {
    unsafe { fact(session, false, |facts| facts.session.has_unsaved_tokens()) }
}

/// Reads the consent from the store again, to see what other processes did to it.
///
/// Fails with consent.unknown, an error of kind store, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_reload(session: *const cbpii_session) -> *mut cbpii_error {
    guard::call(|| unsafe { given(session, "session") }?.session.reload().map(|_| ()))
}

/// What happened to the consent, oldest first: its last 16 moments.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_history(
    session: *const cbpii_session,
    history: *mut *mut cbpii_consent_history,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(history, "history")?;
        place.put_new(unsafe { given(session, "session") }?.session.history());
        Ok(())
    })
}

/// Frees a session; the consent stays in the store. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_session_free(session: *mut cbpii_session) {
    unsafe { free(session) }
}

/// What happened to a consent.
pub struct cbpii_consent_history {
    _opaque: [u8; 0],
}

handle!(cbpii_consent_history => Vec<ConsentMoment>);

unsafe fn moment<T: Copy>(
    history: *const cbpii_consent_history,
    place: usize,
    absent: T,
    read: impl FnOnce(&ConsentMoment) -> T,
) -> T {
    unsafe { fact(history, absent, |moments| moments.get(place).map_or(absent, read)) }
}

/// How many moments there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_consent_history_length(history: *const cbpii_consent_history) -> usize {
    unsafe { fact(history, 0, Vec::len) }
}

/// What happened: one of `CBPII_CONSENT_EVENT_…`. 0 beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_consent_history_event(
    history: *const cbpii_consent_history,
    place: usize,
) -> i32 {
    unsafe { moment(history, place, 0, |one| one.event.number()) }
}

/// When it happened, in milliseconds since 1970 (UTC). 0 beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_consent_history_at(
    history: *const cbpii_consent_history,
    place: usize,
) -> i64 {
    unsafe { moment(history, place, 0, |one| one.at.unix_millis()) }
}

/// The error that goes with it: one of `CBPII_ERROR_…`. 0 when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_consent_history_cause(
    history: *const cbpii_consent_history,
    place: usize,
) -> i32 {
    unsafe { moment(history, place, 0, |one| one.cause.map_or(0, |code| i32::from(code.number()))) }
}

/// Frees a history. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_consent_history_free(history: *mut cbpii_consent_history) {
    unsafe { free(history) }
}

/// The consents of a store that should be renewed, read page by page while they are walked.
pub struct cbpii_renewals {
    _opaque: [u8; 0],
}

handle!(cbpii_renewals => RenewalsDue);

/// The consents of every bank that end before `before` (milliseconds since 1970, UTC), or are lost or refused, the earliest
/// first. Pass the present plus two weeks every night.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_renewals_due(
    store: *const cbpii_store,
    before: i64,
    renewals: *mut *mut cbpii_renewals,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(renewals, "renewals")?;
        let store = unsafe { given(store, "store") }?;
        place.put_new(renewals_due(store, Timestamp::from_unix_millis(before)));
        Ok(())
    })
}

/// The next consent to renew; `renewal` becomes NULL behind the last. A record that cannot be opened is an error in its
/// place, and the walk can go on.
///
/// Fails with an error of kind store, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_renewals_next(
    renewals: *mut cbpii_renewals,
    renewal: *mut *mut cbpii_renewal,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(renewal, "renewal")?;
        let walk = unsafe { given_mut(renewals, "renewals") }?;
        match walk.next().transpose()? {
            Some(due) => place.put_new(RenewalFacts::new(&due)),
            None => place.put(ptr::null_mut()),
        }
        Ok(())
    })
}

/// Frees a walk. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_renewals_free(renewals: *mut cbpii_renewals) {
    unsafe { free(renewals) }
}

/// A consent to renew.
pub struct cbpii_renewal {
    _opaque: [u8; 0],
}

handle!(cbpii_renewal => RenewalFacts);

/// A renewal as numbers and strings.
pub struct RenewalFacts {
    reason: i32,
    consent_expires_at: i64,
    texts: Texts<2>,
}

impl RenewalFacts {
    fn new(due: &RenewalDue) -> Self {
        Self {
            reason: due.reason.number(),
            consent_expires_at: due.consent_expires_at.unix_millis(),
            texts: Texts::of([Some(&due.id), Some(&due.bank_id)]),
        }
    }
}

/// The id the consent is kept under.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_renewal_id(renewal: *const cbpii_renewal) -> *const c_char {
    unsafe { fact(renewal, ptr::null(), |facts| facts.texts.get(0)) }
}

/// The id of its bank.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_renewal_bank_id(renewal: *const cbpii_renewal) -> *const c_char {
    unsafe { fact(renewal, ptr::null(), |facts| facts.texts.get(1)) }
}

/// When it ends or ended, in milliseconds since 1970 (UTC).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_renewal_consent_expires_at(renewal: *const cbpii_renewal) -> i64 {
    unsafe { fact(renewal, 0, |facts| facts.consent_expires_at) }
}

/// Why it is on the list: one of `CBPII_RENEWAL_…`. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_renewal_reason(renewal: *const cbpii_renewal) -> i32 {
    unsafe { fact(renewal, 0, |facts| facts.reason) }
}

/// Frees a renewal. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_renewal_free(renewal: *mut cbpii_renewal) {
    unsafe { free(renewal) }
}

/// The stable name of a state, e.g. "renew_soon". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_consent_state_name(state: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<ConsentState>(state)))
}

/// The stable name of an action, e.g. "renew_consent". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_next_action_name(action: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<NextAction>(action)))
}

/// The stable name of what happened, e.g. "refresh_started". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_consent_event_name(event: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<ConsentEvent>(event)))
}

/// The stable name of a reason, e.g. "ending". NULL for a number that is none.
#[unsafe(no_mangle)]
pub extern "C" fn cbpii_renewal_reason_name(reason: i32) -> *const c_char {
    guard::or(ptr::null(), || Some(name_of::<RenewalReason>(reason)))
}
