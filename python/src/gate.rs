//! The way into Python from threads that are not Python's: it closes before the interpreter ends.
//!
//! A thread that still runs Python code while the interpreter takes itself apart crashes the process. So whoever comes
//! from a thread of ours goes through here, and at exit Python first closes the gate and waits for those inside, as it
//! waits for the threads of its own pools.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use pyo3::prelude::*;

/// How often the end of the interpreter looks whether somebody is inside.
const GLANCE: Duration = Duration::from_millis(5);

static CLOSED: AtomicBool = AtomicBool::new(false);
static INSIDE: AtomicUsize = AtomicUsize::new(0);
/// Counts the forks: who is inside in the parent is not in the child.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// Somebody inside.
struct Visit {
    forks: u32,
}

impl Visit {
    fn begin() -> Self {
        INSIDE.fetch_add(1, Ordering::SeqCst);
        Self { forks: FORKS.load(Ordering::SeqCst) }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if self.forks == FORKS.load(Ordering::SeqCst) {
            INSIDE.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Runs something with the GIL; none when the interpreter is ending.
pub(crate) fn attach<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let _visit = Visit::begin();
    if CLOSED.load(Ordering::SeqCst) { None } else { Python::try_attach(work) }
}

/// Closes the gate and waits until nobody is inside.
#[pyfunction]
fn close(py: Python<'_>) -> PyResult<()> {
    CLOSED.store(true, Ordering::SeqCst);
    while INSIDE.load(Ordering::SeqCst) > 0 {
        py.detach(|| std::thread::sleep(GLANCE));
        py.check_signals()?;
    }
    Ok(())
}

/// In a child nobody is inside but the thread that forked, and that one is Python's.
pub(crate) fn empty() {
    FORKS.fetch_add(1, Ordering::SeqCst);
    INSIDE.store(0, Ordering::SeqCst);
}

/// Has Python close the gate at its end.
pub(crate) fn set_up(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.py().import("atexit")?.call_method1("register", (wrap_pyfunction!(close, module)?,))?;
    Ok(())
}
