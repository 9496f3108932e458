//! Many checks at once.

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use cbpii_core::many::{ConfirmMany, FundsCheck, ManyOptions, Progress, confirm_many_with};
use cbpii_core::{Error, FundsConfirmation, Result};

use crate::cancel::cbpii_cancel_token;
use crate::client_options::duration;
use crate::error::{ErrorFacts, cbpii_error};
use crate::funds::{ConfirmationFacts, cbpii_funds_confirmation, cbpii_funds_request};
use crate::guard;
use crate::handle::{Tagged, given, missing, optional, wanted};
use crate::session::cbpii_session;

/// One check of many. Session and request are borrowed until the function that gave them is called again or returns for good.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct cbpii_check {
    /// The consent to ask with.
    pub session: *const cbpii_session,
    /// The question.
    pub request: *const cbpii_funds_request,
    /// Anything of the caller's, to match the answer by.
    pub context: *mut c_void,
}

/// Gives the next check: fills in `check` and returns true, or returns false behind the last. Called from threads of the
/// library, never two at a time, while results are being handed over on the caller's thread.
pub type cbpii_next_check =
    Option<unsafe extern "C" fn(user_data: *mut c_void, check: *mut cbpii_check) -> bool>;

/// Takes a result: exactly one of `confirmation` and `error` is not NULL; both are borrowed for the call. Returns true to go
/// on, false to stop. Called on the caller's thread, in the order in which the checks end.
pub type cbpii_take_result = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        context: *mut c_void,
        confirmation: *const cbpii_funds_confirmation,
        error: *const cbpii_error,
    ) -> bool,
>;

/// How far many checks have come.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct cbpii_progress {
    /// Checks that ended, well or not.
    pub done: u64,
    /// Of these, with "the funds are there".
    pub yes: u64,
    /// With "they are not".
    pub no: u64,
    /// With an error.
    pub errors: u64,
    /// From the start to the last check that ended, in microseconds.
    pub elapsed: i64,
}

impl From<Progress> for cbpii_progress {
    fn from(progress: Progress) -> Self {
        let Progress { done, yes, no, errors, elapsed, .. } = progress;
        Self { done, yes, no, errors, elapsed: i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX) }
    }
}

/// A pointer of the caller's that travels between threads.
#[derive(Clone, Copy)]
struct Carried(*mut c_void);

// SAFETY: the header says from which threads the functions that get it are called.
unsafe impl Send for Carried {}

/// Where the checks come from.
struct Source {
    next: unsafe extern "C" fn(*mut c_void, *mut cbpii_check) -> bool,
    user_data: Carried,
    /// Why the source ended early.
    failure: Arc<Mutex<Option<Error>>>,
}

impl Source {
    fn pull(&self) -> Result<Option<FundsCheck<Carried>>> {
        let mut check = cbpii_check { session: ptr::null(), request: ptr::null(), context: ptr::null_mut() };
        // SAFETY: the header says what the function may do with these; handles are checked.
        unsafe {
            if !(self.next)(self.user_data.0, &raw mut check) {
                return Ok(None);
            }
            Ok(Some(FundsCheck {
                session: given(check.session, "check->session")?.session.clone(),
                request: given(check.request, "check->request")?.request.clone(),
                context: Carried(check.context),
            }))
        }
    }
}

impl Iterator for Source {
    type Item = FundsCheck<Carried>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pull().unwrap_or_else(|error| {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            None
        })
    }
}

/// Hands one result over; false to stop.
fn hand_over(
    take: unsafe extern "C" fn(
        *mut c_void,
        *mut c_void,
        *const cbpii_funds_confirmation,
        *const cbpii_error,
    ) -> bool,
    user_data: *mut c_void,
    context: Carried,
    outcome: Result<FundsConfirmation>,
) -> bool {
    match outcome {
        Ok(answer) => {
            let answer = Tagged::new(ConfirmationFacts::new(&answer));
            // SAFETY: the answer outlives the call.
            unsafe { take(user_data, context.0, answer.as_ptr(), ptr::null()) }
        }
        Err(error) => {
            let error = Tagged::new(ErrorFacts::new(error));
            // SAFETY: the error outlives the call.
            unsafe { take(user_data, context.0, ptr::null(), error.as_ptr()) }
        }
    }
}

/// Ends a stream and waits until no thread of it can call the caller's functions any more.
fn stop(stream: ConfirmMany<Carried>) {
    stream.handle().cancel();
    stream.for_each(drop);
}

/// Asks many banks many questions and returns when all are answered. At most `max_in_flight` (1 to 256) checks are under
/// way, and no more than a few times as many are pulled ahead of their results. A bank that answers 429 is left alone for as
/// long as it says.
///
/// `timeout` is the time each check may take, in milliseconds, 0 for its client's own; `max_pause` the longest pause of a bank
/// that is waited for, 0 for 5 minutes. `cancel` (may be NULL) ends everything: no further check is pulled, those under way
/// end with the error `cancelled`, and all that were pulled are still handed over. When `take` returns false the rest is
/// cancelled and not handed over. `progress` (may be NULL) is written in the end, also when this fails.
///
/// Fails with configuration.option, request.argument (also when `next` gave a check without session or request: the checks
/// before it are answered), internal (no thread). Errors of checks are results.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_confirm_many(
    next: cbpii_next_check,
    take: cbpii_take_result,
    user_data: *mut c_void,
    max_in_flight: usize,
    timeout: i64,
    max_pause: i64,
    cancel: *const cbpii_cancel_token,
    progress: *mut cbpii_progress,
) -> *mut cbpii_error {
    guard::call(|| {
        let (next, take) = (next.ok_or_else(|| missing("next"))?, take.ok_or_else(|| missing("take"))?);
        let options = unsafe { options(max_in_flight, timeout, max_pause, cancel) }?;
        let failure = Arc::new(Mutex::new(None));
        let source = Source { next, user_data: Carried(user_data), failure: Arc::clone(&failure) };
        let mut stream = confirm_many_with(source, &options)?;
        let handle = stream.handle();
        let mut goes_on = true;
        while goes_on && let Some((check, outcome)) = stream.next() {
            goes_on = hand_over(take, user_data, check.context, outcome);
        }
        if !goes_on {
            stop(stream);
        }
        if let Some(place) = wanted(progress) {
            place.put(handle.progress().into());
        }
        failure.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    })
}

unsafe fn options(
    max_in_flight: usize,
    timeout: i64,
    max_pause: i64,
    cancel: *const cbpii_cancel_token,
) -> Result<ManyOptions> {
    let mut options = ManyOptions::new(max_in_flight);
    if timeout != 0 {
        options = options.timeout(duration(timeout, "timeout")?);
    }
    if max_pause != 0 {
        options = options.max_pause(duration(max_pause, "max_pause")?);
    }
    if let Some(token) = unsafe { optional(cancel, "cancel") }? {
        options = options.cancel(token.clone());
    }
    Ok(options)
}
