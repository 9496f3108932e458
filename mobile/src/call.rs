//! How a call runs: its panics caught, at once or on one of the threads kept for calls.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use cbpii::{CallOptions, CancelToken, Error, ErrorCode, Result, Workers};

use crate::error::RawFailure;
use crate::testing::{self, Live};
use crate::values::TimeSpan;

/// Ends a call from elsewhere: cancelling it ends a wait for the network at once, and the call fails with `cancelled`. A
/// token is for one call; once cancelled it stays so.
#[derive(Default, uniffi::Object)]
pub struct RawCancelToken {
    pub(crate) inner: CancelToken,
    _live: Live,
}

#[uniffi::export]
impl RawCancelToken {
    /// A token that is not cancelled.
    #[uniffi::constructor]
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Ends the call it was given to.
    pub fn cancel(&self) {
        self.inner.cancel();
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.inner.is_cancelled()
    }
}

/// Does what takes no time.
pub(crate) fn direct<T>(job: impl FnOnce() -> Result<T>) -> Result<T, RawFailure> {
    Ok(caught(job)?)
}

fn caught<T>(job: impl FnOnce() -> Result<T>) -> Result<T> {
    let job = AssertUnwindSafe(|| {
        testing::detonate();
        job()
    });
    catch_unwind(job).unwrap_or_else(|payload| {
        discard(payload);
        let message = "The library met a defect of its own (a panic) and gave the call up; please report it.";
        Err(Error::new(ErrorCode::Internal, message))
    })
}

/// A panic's payload may panic when it is dropped.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}

/// The limits of one call, and the token that ends it: the caller's, or one of its own.
pub(crate) fn limits(
    timeout: Option<TimeSpan>,
    cancel: Option<&RawCancelToken>,
) -> Result<(CallOptions, CancelToken)> {
    let token = cancel.map(|cancel| cancel.inner.clone()).unwrap_or_default();
    let mut options = CallOptions::default().cancel(token.clone());
    if let Some(timeout) = timeout {
        options = options.timeout(timeout.duration("timeout")?);
    }
    Ok((options, token))
}

/// Has a call made by one of the threads kept for calls. When nobody waits for it any more, it is cancelled.
pub(crate) async fn soon<T: Send + 'static>(
    cancel: CancelToken,
    job: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T, RawFailure> {
    static WORKERS: LazyLock<Workers> = LazyLock::new(Workers::unlimited);
    let slot = Arc::new(Slot(Mutex::new(State { outcome: None, waker: None })));
    let (filled, token) = (Arc::clone(&slot), cancel.clone());
    WORKERS.run(move || {
        filled.fill(if token.is_cancelled() {
            Err(Error::new(ErrorCode::Cancelled, "The call was cancelled before it began."))
        } else {
            caught(job)
        });
    })?;
    Ok(Waiting { slot, cancel: Some(cancel) }.await?)
}

/// Where a call leaves its outcome.
struct Slot<T>(Mutex<State<T>>);

struct State<T> {
    outcome: Option<Result<T>>,
    waker: Option<Waker>,
}

impl<T> Slot<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(&self, outcome: Result<T>) {
        let mut state = self.state();
        state.outcome = Some(outcome);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

struct Waiting<T> {
    slot: Arc<Slot<T>>,
    /// None when the outcome is there.
    cancel: Option<CancelToken>,
}

impl<T> Future for Waiting<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.slot.state();
        if let Some(outcome) = state.outcome.take() {
            drop(state);
            self.cancel = None;
            return Poll::Ready(outcome);
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        if let Some(cancel) = &self.cancel {
            cancel.cancel();
        }
    }
}
