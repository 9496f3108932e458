//! The core's log records, handed to Python's `logging`. They hold no secret.
//!
//! Handing one on takes the GIL in the middle of a call, so those that nobody listens to are not made: what the logger wants is
//! asked for when a call begins. A program that has not imported `logging` listens to warnings and errors only, as Python has it.

use log::{Level, LevelFilter, Log, Metadata, Record};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::fork::Whole;
use crate::gate;

struct Forwarder;

/// Hands on what the core logs from now on. What its libraries log stays here: it may hold what was sent.
pub(crate) fn forward() {
    if log::set_logger(&Forwarder).is_ok() {
        log::set_max_level(LevelFilter::Debug);
    }
}

/// Whether somebody listens to what calls log. Asked at the start of each, with the GIL.
pub(crate) fn is_heard(py: Python<'_>) -> bool {
    let heard = wanted(py).unwrap_or_else(|raised| {
        raised.write_unraisable(py, None);
        true
    });
    log::set_max_level(if heard { LevelFilter::Debug } else { LevelFilter::Warn });
    heard
}

fn wanted(py: Python<'_>) -> PyResult<bool> {
    static MODULES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if LOGGER.get(py).is_none() && !MODULES.import(py, "sys", "modules")?.contains("logging")? {
        return Ok(false);
    }
    logger(py)?.call_method1("isEnabledFor", (10,))?.extract()
}

static LOGGER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn logger(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    let logger = LOGGER.get_or_try_init(py, || {
        py.import("logging")?.call_method1("getLogger", ("cbpii",)).map(Bound::unbind)
    })?;
    Ok(logger.bind(py))
}

impl Log for Forwarder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "cbpii" && metadata.level() <= Level::Debug
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // Nothing is logged while the interpreter is ending.
        gate::attach(|py| {
            if let Err(raised) = hand_on(py, record) {
                raised.write_unraisable(py, None);
            }
        });
    }

    fn flush(&self) {}
}

fn hand_on(py: Python<'_>, record: &Record<'_>) -> PyResult<()> {
    let logger = logger(py)?;
    let level = match record.level() {
        Level::Error => 40,
        Level::Warn => 30,
        Level::Info => 20,
        Level::Debug | Level::Trace => 10,
    };
    if logger.call_method1("isEnabledFor", (level,))?.extract()? {
        let _whole = Whole::begin(py);
        logger.call_method1("log", (level, "%s", record.args().to_string()))?;
    }
    Ok(())
}
