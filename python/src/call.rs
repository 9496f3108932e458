//! How a call runs: without the GIL, interruptible by Ctrl-C, or as a future of asyncio; never with a panic.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use cbpii::{CancelToken, Error, ErrorCode, with_lookout};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::error::{Failure, raise, take_cause};
use crate::gate;
use crate::logging;
use crate::workers::{OwnWorkers, Workers};

/// How often the main thread looks for Ctrl-C while it waits.
const GLANCE: Duration = Duration::from_millis(50);

/// Runs a part of the core; a panic of it is the error `internal`.
fn guarded<T>(job: impl FnOnce() -> cbpii::Result<T>) -> Result<T, Failure> {
    drop(take_cause());
    let outcome = catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(|_| {
        let message =
            "The call ended in a panic, of this library or of a part supplied to it; please report it.";
        Err(Error::new(ErrorCode::Internal, message))
    });
    outcome.map_err(|error| Failure { error, cause: take_cause() })
}

/// Runs what takes no time worth interrupting.
pub(crate) fn direct<T: Send>(py: Python<'_>, job: impl FnOnce() -> cbpii::Result<T> + Send) -> PyResult<T> {
    py.detach(|| guarded(job)).map_err(|failure| failure.raise(py))
}

/// Runs what only computes, without a lock or a callback: it keeps the GIL, which costs more to get back than this takes.
pub(crate) fn computed<T>(py: Python<'_>, job: impl FnOnce() -> cbpii::Result<T>) -> PyResult<T> {
    guarded(job).map_err(|failure| failure.raise(py))
}

/// Runs a call to the bank that knows this token. On the main thread, the only one that Python's signal handlers run on, it looks
/// for signals while the call waits; an exception of a handler cancels the call and is raised at once.
///
/// A call that asks Python for something in between is left to a kept thread: a handler's exception would end up in the clock,
/// or in the logger, that the signal happened to meet.
pub(crate) fn attended<T: Send + 'static>(
    py: Python<'_>,
    cancel: &CancelToken,
    asks_python: bool,
    job: impl FnOnce() -> cbpii::Result<T> + Send + 'static,
) -> PyResult<T> {
    if logging::is_heard(py) || asks_python {
        return blocking(py, cancel, job);
    }
    if !on_main_thread(py)? {
        return direct(py, job);
    }
    let (outcome, raised) = py.detach(|| {
        let raised = Rc::new(Cell::new(None));
        let (cancel, own) = (cancel.clone(), Rc::clone(&raised));
        let look = move || {
            if let Some(Err(signal)) = gate::attach(|py| py.check_signals()) {
                own.set(Some(signal));
                cancel.cancel();
            }
        };
        let outcome = with_lookout(GLANCE, look, || guarded(job));
        (outcome, raised.take())
    });
    match raised {
        Some(raised) => Err(raised),
        None => outcome.map_err(|failure| failure.raise(py)),
    }
}

/// Runs whatever may take its time and waits for it. On the main thread a kept thread does it while this one looks for
/// signals; an exception of a handler is raised at once.
pub(crate) fn blocking<T: Send + 'static>(
    py: Python<'_>,
    cancel: &CancelToken,
    job: impl FnOnce() -> cbpii::Result<T> + Send + 'static,
) -> PyResult<T> {
    static KEPT: OwnWorkers = OwnWorkers::unlimited();
    if !on_main_thread(py)? {
        return direct(py, job);
    }
    let (sender, mut receiver) = sync_channel(1);
    let job = move || {
        // When nobody waits any more, the call was interrupted.
        let _ = sender.send(guarded(job));
    };
    let started = KEPT.get(py).and_then(|workers| py.detach(|| workers.run(job)));
    started.map_err(|error| raise(py, &error))?;
    loop {
        let (again, received) = py.detach(move || {
            let received = receiver.recv_timeout(GLANCE);
            (receiver, received)
        });
        receiver = again;
        match received {
            Ok(outcome) => return outcome.map_err(|failure| failure.raise(py)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(raise(py, &Error::new(ErrorCode::Internal, "A call ended without an outcome.")));
            }
        }
        if let Err(raised) = py.check_signals() {
            py.detach(|| cancel.cancel());
            return Err(raised);
        }
    }
}

/// Whether this is Python's main thread.
fn on_main_thread(py: Python<'_>) -> PyResult<bool> {
    thread_local! {
        /// In which process this was found out: a fork makes another thread the main one.
        static KNOWN: Cell<Option<(u32, bool)>> = const { Cell::new(None) };
    }
    let process = std::process::id();
    if let Some((known_in, answer)) = KNOWN.get()
        && known_in == process
    {
        return Ok(answer);
    }
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    let answer = threading.call_method0("get_ident")?.eq(main)?;
    KNOWN.set(Some((process, answer)));
    Ok(answer)
}

/// Has a call made by one of the workers, and returns the future of asyncio for it. Cancelling the future cancels the
/// call.
pub(crate) fn soon<'py, T, C>(
    py: Python<'py>,
    workers: &Workers,
    cancel: CancelToken,
    job: impl FnOnce() -> cbpii::Result<T> + Send + 'static,
    convert: C,
) -> PyResult<Bound<'py, PyAny>>
where
    T: Send + 'static,
    C: for<'a> FnOnce(Python<'a>, T) -> PyResult<Bound<'a, PyAny>> + Send + 'static,
{
    static GET_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    logging::is_heard(py);
    let event_loop = GET_LOOP.import(py, "asyncio", "get_running_loop")?.call0()?;
    let future = event_loop.call_method0("create_future")?;
    future.call_method1("add_done_callback", (Bound::new(py, Canceller(cancel.clone()))?,))?;
    let (waiting, event_loop) = (future.clone().unbind(), event_loop.unbind());
    workers.run(py, move || {
        let outcome = if cancel.is_cancelled() {
            Err(Error::new(ErrorCode::Cancelled, "The call was cancelled before it began.").into())
        } else {
            guarded(job)
        };
        // None when the interpreter is ending, and nobody waits any more.
        gate::attach(|py| {
            let outcome = outcome.map_err(|failure| failure.raise(py)).and_then(|value| convert(py, value));
            let (well, value) = match outcome {
                Ok(value) => (true, value),
                Err(raised) => (false, raised.into_value(py).into_bound(py).into_any()),
            };
            let resolver = Bound::new(py, Resolver);
            // A loop that was closed meanwhile refuses, and nobody waits any more.
            let _ = resolver.and_then(|resolver| {
                event_loop.bind(py).call_method1("call_soon_threadsafe", (resolver, waiting, well, value))
            });
        });
    })?;
    Ok(future)
}

/// Cancels a call when its future is cancelled.
#[pyclass(frozen, name = "_Canceller", module = "cbpii")]
struct Canceller(CancelToken);

#[pymethods]
impl Canceller {
    fn __call__(&self, py: Python<'_>, future: &Bound<'_, PyAny>) -> PyResult<()> {
        if future.call_method0("cancelled")?.extract()? {
            py.detach(|| self.0.cancel());
        }
        Ok(())
    }
}

/// Gives a future its outcome, on the thread of its loop.
#[pyclass(frozen, name = "_Resolver", module = "cbpii")]
struct Resolver;

#[pymethods]
impl Resolver {
    #[expect(clippy::unused_self, reason = "it is an object only to be callable")]
    fn __call__(&self, future: &Bound<'_, PyAny>, well: bool, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if !future.call_method0("done")?.extract::<bool>()? {
            future.call_method1(if well { "set_result" } else { "set_exception" }, (value,))?;
        }
        Ok(())
    }
}

/// Panics in a call, so that a test can show what becomes of it.
#[pyfunction]
#[pyo3(name = "_panic")]
pub(crate) fn panic(py: Python<'_>, how: &str) -> PyResult<()> {
    let job = || std::panic::panic_any("a panic on purpose");
    match how {
        "attended" => attended(py, &CancelToken::new(), false, job),
        "blocking" => blocking(py, &CancelToken::new(), job),
        "direct" => direct(py, job),
        _ => Err(PyValueError::new_err("how is \"attended\", \"blocking\" or \"direct\"")),
    }
}
