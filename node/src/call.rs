//! How a call runs: at once, or on a thread of its own that tells the outcome later; never with a panic.

#[cfg(target_os = "linux")]
use std::cell::Cell;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cbpii::{CallOptions, Error, ErrorCode, Workers};
use napi::bindgen_prelude::{ClassInstance, Either, FnArgs, Function, ToNapiValue, Unknown};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Status, sys};
use napi_derive::napi;

use crate::error::Failure;

/// A value, or why there is none.
pub(crate) type Outcome<T> = Either<T, Failure>;

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

/// The outcome of a call, to be made into a value of JavaScript on the thread of the event loop.
pub struct Settled {
    call: u32,
    outcome: Made,
}

/// Makes a value of JavaScript.
pub struct Made(Box<dyn FnOnce(sys::napi_env) -> napi::Result<sys::napi_value> + Send>);

impl ToNapiValue for Made {
    unsafe fn to_napi_value(env: sys::napi_env, made: Self) -> napi::Result<sys::napi_value> {
        (made.0)(env)
    }
}

type Settle = ThreadsafeFunction<Settled, Unknown<'static>, FnArgs<(u32, Made)>, Status, false, true>;
type SettleFunction<'env> = Function<'env, FnArgs<(u32, Made)>, Unknown<'static>>;

/// Tells the package the outcomes of its calls, by the numbers it gave them. It is one for all calls: a deferred of napi
/// would make, and close, a handle of the event loop for each.
#[napi]
pub struct Settler(Arc<Settle>);

#[napi]
impl Settler {
    #[napi(constructor, catch_unwind)]
    pub fn new(settle: SettleFunction<'_>) -> napi::Result<Self> {
        let function = settle
            .build_threadsafe_function::<Settled>()
            .weak::<true>()
            .build_callback(|told| Ok(FnArgs::from((told.value.call, told.value.outcome))))?;
        Ok(Self(Arc::new(function)))
    }
}

/// The threads that make calls, and where the outcomes go.
pub(crate) struct Crew {
    workers: Workers,
    settle: Arc<Settle>,
}

impl Crew {
    pub(crate) fn new(settler: &Settler, max_in_flight: usize) -> cbpii::Result<Arc<Self>> {
        Ok(Arc::new(Self { workers: Workers::new(max_in_flight)?, settle: Arc::clone(&settler.0) }))
    }

    /// Has a job done, and tells its outcome as that of this call.
    pub(crate) fn soon<T, V>(
        &self,
        call: u32,
        limits: &Limits,
        job: impl FnOnce() -> cbpii::Result<T> + Send + 'static,
        convert: impl FnOnce(T) -> V + Send + 'static,
    ) where
        T: Send + 'static,
        V: ToNapiValue,
    {
        let end = End {
            deadline: limits.timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            cancel: limits.cancel.clone(),
        };
        let settle = Arc::clone(&self.settle);
        let make = move || {
            step_back();
            END.set(end);
            let result = guarded(job);
            END.take();
            result
        };
        let started = self.workers.run_and_tell(make, move |result| {
            tell(&settle, call, move || direct(|| result.map(convert)));
        });
        if let Err(error) = started {
            tell(&self.settle, call, || Outcome::<V>::B(error.into()));
        }
    }
}

/// Lets the event loop go first where processors are scarce: signing is most of a call's work, and nobody but its own caller
/// waits for it. Elsewhere than on Linux a process has one niceness for all its threads.
#[cfg(target_os = "linux")]
fn step_back() {
    /// How far the threads stand behind the event loop, from 0 to 19.
    const NICENESS: i32 = 15;
    thread_local! {
        static STEPPED_BACK: Cell<bool> = const { Cell::new(false) };
    }
    if !STEPPED_BACK.replace(true) {
        // Without it the call is made all the same.
        let _ = rustix::process::nice(NICENESS);
    }
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}

fn tell<V: ToNapiValue>(settle: &Settle, call: u32, outcome: impl FnOnce() -> Outcome<V> + Send + 'static) {
    // SAFETY: napi calls it with its environment, on the thread of that environment.
    let made = Made(Box::new(move |env| unsafe { ToNapiValue::to_napi_value(env, outcome()) }));
    // When the environment has ended, nobody waits any more.
    settle.call(Settled { call, outcome: made }, ThreadsafeFunctionCallMode::NonBlocking);
}
