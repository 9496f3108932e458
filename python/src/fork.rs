//! What a fork must not cut in two: handing a log record to Python's handlers.
//!
//! A handler writes to a stream, and the stream's own lock is one that Python does not free in a child: where it was held at the
//! moment of the fork, the child's first record waits for ever. So a fork waits for those who hand on a record, and whoever
//! would begin meanwhile waits for the fork.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::gate;

/// How long they wait for each other at most: a handler may be stuck, or wait for a lock of the thread that forks.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often they look.
const GLANCE: Duration = Duration::from_millis(1);

/// Records that are being handed on, and forks that are being made. Changed with the GIL only.
static RECORDS: AtomicUsize = AtomicUsize::new(0);
static FORKS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Those of this thread, for which it does not wait: a handler may log, or fork.
    static OWN_RECORDS: Cell<usize> = const { Cell::new(0) };
    static FORKING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, no other thread forks. Dropped with the GIL, too.
pub(crate) struct Whole(());

impl Whole {
    pub(crate) fn begin(py: Python<'_>) -> Self {
        if OWN_RECORDS.get() == 0 && !FORKING.get() {
            patiently(py, || FORKS.load(Ordering::SeqCst) == 0);
        }
        RECORDS.fetch_add(1, Ordering::SeqCst);
        OWN_RECORDS.set(OWN_RECORDS.get() + 1);
        Self(())
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        RECORDS.fetch_sub(1, Ordering::SeqCst);
        OWN_RECORDS.set(OWN_RECORDS.get() - 1);
    }
}

fn patiently(py: Python<'_>, done: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !done() && Instant::now() < until {
        py.detach(|| std::thread::sleep(GLANCE));
    }
}

#[pyfunction]
fn before(py: Python<'_>) {
    FORKING.set(true);
    FORKS.fetch_add(1, Ordering::SeqCst);
    patiently(py, || RECORDS.load(Ordering::SeqCst) == OWN_RECORDS.get());
}

#[pyfunction]
fn after_in_parent() {
    if FORKING.replace(false) {
        FORKS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Of all threads there is only this one.
#[pyfunction]
fn after_in_child() {
    FORKING.set(false);
    FORKS.store(0, Ordering::SeqCst);
    RECORDS.store(OWN_RECORDS.get(), Ordering::SeqCst);
    gate::empty();
}

/// Has Python tell of forks.
pub(crate) fn set_up(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let os = py.import("os")?;
    // Where there is no fork, nothing is registered for it.
    if os.hasattr("register_at_fork")? {
        let hooks = PyDict::new(py);
        hooks.set_item("before", wrap_pyfunction!(before, module)?)?;
        hooks.set_item("after_in_parent", wrap_pyfunction!(after_in_parent, module)?)?;
        hooks.set_item("after_in_child", wrap_pyfunction!(after_in_child, module)?)?;
        os.call_method("register_at_fork", (), Some(&hooks))?;
    }
    Ok(())
}
