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
    let outcome = Arc::new(Mutex::new(None));
    let (filled, token) = (Arc::clone(&outcome), cancel.clone());
    let job = move || {
        let result = if token.is_cancelled() {
            Err(Error::new(ErrorCode::Cancelled, "The call was cancelled before it began."))
        } else {
            caught(job)
        };
        *locked(&filled) = Some(result);
    };
    started(cancel, Box::new(job))?.await;
    let outcome = locked(&outcome).take();
    Ok(outcome
        .unwrap_or_else(|| Err(Error::new(ErrorCode::Internal, "A call left no outcome; report it.")))?)
}

/// Starts the job; what is awaited ends with it. This, like what follows, is there once for all types of outcome.
fn started(cancel: CancelToken, job: Box<dyn FnOnce() + Send>) -> Result<Running> {
    static WORKERS: LazyLock<Workers> = LazyLock::new(Workers::unlimited);
    let progress = Arc::new(Mutex::new(Progress::default()));
    let reported = Arc::clone(&progress);
    WORKERS.run(move || {
        job();
        let mut progress = locked(&reported);
        progress.done = true;
        let waker = progress.waker.take();
        drop(progress);
        if let Some(waker) = waker {
            waker.wake();
        }
    })?;
    Ok(Running { progress, cancel: Some(cancel) })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct Progress {
    done: bool,
    waker: Option<Waker>,
}

struct Running {
    progress: Arc<Mutex<Progress>>,
    /// None when the job is done.
    cancel: Option<CancelToken>,
}

impl Future for Running {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut progress = locked(&self.progress);
        if progress.done {
            drop(progress);
            self.cancel = None;
            return Poll::Ready(());
        }
        progress.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(cancel) = &self.cancel {
            cancel.cancel();
        }
    }
}
