//! How a call runs: at once, or as a promise that a thread of its own settles; never with a panic.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use cbpii::{CallOptions, Error, ErrorCode, Workers};
use napi::Env;
use napi::bindgen_prelude::{ClassInstance, Either, ToNapiValue};
use napi_derive::napi;

use crate::error::Failure;

/// A value, or why there is none.
pub(crate) type Outcome<T> = Either<T, Failure>;

/// A promise of an outcome. Its type is stated where it is given back.
pub(crate) type Promise<'env> = napi::Result<napi::bindgen_prelude::Object<'env>>;

/// Runs a part of the core; a panic of it is the error `internal`.
pub(crate) fn guarded<T>(job: impl FnOnce() -> cbpii::Result<T>) -> cbpii::Result<T> {
    catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|_| {
        let message =
            "The call ended in a panic, of this library or of a part supplied to it; please report it.";
        Err(Error::new(ErrorCode::Internal, message))
    })
}

fn outcome<T>(result: cbpii::Result<T>) -> Outcome<T> {
    match result {
        Ok(value) => Either::A(value),
        Err(error) => Either::B(error.into()),
    }
}

/// Runs what takes no time worth waiting for.
pub(crate) fn direct<T>(job: impl FnOnce() -> cbpii::Result<T>) -> Outcome<T> {
    outcome(guarded(job))
}

/// Ends the calls it was given to.
#[napi]
pub struct CancelToken(cbpii::CancelToken);

#[napi]
impl CancelToken {
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self(cbpii::CancelToken::new())
    }

    /// Ends every call that runs under this token.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.0.cancel();
    }
}

/// The limits of one call.
#[derive(Clone, Default)]
pub(crate) struct Limits {
    timeout: Option<Duration>,
    cancel: Option<cbpii::CancelToken>,
}

impl Limits {
    pub(crate) fn new(timeout_ms: Option<f64>, cancel: Option<ClassInstance<'_, CancelToken>>) -> Self {
        let timeout = timeout_ms.map(crate::convert::duration);
        Self { timeout, cancel: cancel.map(|token| token.0.clone()) }
    }

    pub(crate) fn options(&self) -> CallOptions {
        let mut options = CallOptions::default();
        options.timeout = self.timeout;
        options.cancel = self.cancel.clone();
        options
    }
}

/// When a call has to end.
#[derive(Clone, Default)]
pub(crate) struct End {
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancel: Option<cbpii::CancelToken>,
}

thread_local! {
    /// When the call that this thread makes has to end: a callback is not waited for any longer.
    static END: RefCell<End> = RefCell::default();
}

/// When the call that this thread makes has to end.
pub(crate) fn end_of_call() -> End {
    END.with_borrow(Clone::clone)
}

/// Has a job done by one of the workers, and returns the promise of its outcome.
pub(crate) fn soon<'env, T, V>(
    env: &'env Env,
    workers: &Workers,
    limits: &Limits,
    job: impl FnOnce() -> cbpii::Result<T> + Send + 'static,
    convert: impl FnOnce(T) -> V + Send + 'static,
) -> Promise<'env>
where
    T: Send + 'static,
    V: ToNapiValue + 'static,
{
    type Settle<V> = Box<dyn FnOnce(Env) -> napi::Result<Outcome<V>> + Send>;
    let (deferred, promise) = env.create_deferred::<Outcome<V>, Settle<V>>()?;
    let end = End {
        deadline: limits.timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
        cancel: limits.cancel.clone(),
    };
    // Both settle the same promise; the first one does.
    let refused = deferred.clone();
    let started = workers.run(move || {
        END.set(end);
        let result = guarded(job);
        END.take();
        deferred.resolve(Box::new(move |_| Ok(direct(|| result.map(convert)))));
    });
    if let Err(error) = started {
        refused.resolve(Box::new(move |_| Ok(Either::B(error.into()))));
    }
    Ok(promise)
}
