//! The stream of many checks that the package's `confirm_many` is made of.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cbpii::many::{ConfirmMany, FundsCheck, ManyHandle, ManyOptions, confirm_many_with};
use cbpii::{CancelToken, FundsConfirmation};
use pyo3::prelude::*;

use crate::call::{blocking, direct, soon};
use crate::convert::{confirmation, duration};
use crate::error::exception;
use crate::funds::FundsRequest;
use crate::process::Owned;
use crate::session::Session;
use crate::workers::Workers;

type Check = FundsCheck<Py<PyAny>>;
type Ended = Option<(Check, cbpii::Result<FundsConfirmation>)>;

/// Many checks: they are sent one by one, and their outcomes come as they end.
#[pyclass(frozen, name = "_Checks", module = "cbpii")]
pub(crate) struct Checks(Owned<Parts>);

struct Parts {
    /// None when no more checks come.
    feed: Mutex<Option<Sender<Check>>>,
    stream: Arc<Mutex<ConfirmMany<Py<PyAny>>>>,
    handle: ManyHandle,
}

impl Parts {
    fn feed(&self) -> MutexGuard<'_, Option<Sender<Check>>> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.handle.cancel();
    }
}

impl Checks {
    /// A job that waits for the next check that ends.
    fn job(&self, py: Python<'_>) -> PyResult<impl FnOnce() -> cbpii::Result<Ended> + Send + use<>> {
        let stream = Arc::clone(&self.0.get(py)?.stream);
        Ok(move || Ok(stream.lock().unwrap_or_else(PoisonError::into_inner).next()))
    }
}

fn outcome(py: Python<'_>, ended: Ended) -> PyResult<Bound<'_, PyAny>> {
    let Some((check, outcome)) = ended else { return Ok(py.None().into_bound(py)) };
    let (answer, error) = match outcome {
        Ok(answer) => (Some(confirmation(py, answer)?), None),
        Err(error) => (None, Some(exception(py, &error)?)),
    };
    Ok((check.context, answer, error).into_pyobject(py)?.into_any())
}

#[pymethods]
impl Checks {
    #[new]
    fn new(
        py: Python<'_>,
        max_in_flight: usize,
        timeout: Option<&Bound<'_, PyAny>>,
        max_pause: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let mut options = ManyOptions::new(max_in_flight).max_pause(duration(max_pause, "max_pause")?);
        if let Some(given) = timeout {
            options = options.timeout(duration(given, "timeout")?);
        }
        let (feed, checks) = channel::<Check>();
        let stream = direct(py, || confirm_many_with(checks, &options))?;
        let handle = stream.handle();
        let (feed, stream) = (Mutex::new(Some(feed)), Arc::new(Mutex::new(stream)));
        Ok(Self(Owned::new(Parts { feed, stream, handle })))
    }

    fn send(
        &self,
        py: Python<'_>,
        session: &Session,
        request: &FundsRequest,
        context: Py<PyAny>,
    ) -> PyResult<()> {
        let check =
            Check { session: session.inner.get(py)?.clone(), request: request.inner.clone(), context };
        if let Some(feed) = &*self.0.get(py)?.feed() {
            // Nobody takes it when the stream was cancelled, and then nobody asks for it.
            let _ = feed.send(check);
        }
        Ok(())
    }

    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        drop(self.0.get(py)?.feed().take());
        Ok(())
    }

    fn cancel(&self, py: Python<'_>) {
        if let Some(parts) = self.0.here() {
            py.detach(|| {
                parts.handle.cancel();
                drop(parts.feed().take());
            });
        }
    }

    fn next<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        outcome(py, blocking(py, &CancelToken::new(), self.job(py)?)?)
    }

    fn _next<'py>(&self, py: Python<'py>, workers: &Workers) -> PyResult<Bound<'py, PyAny>> {
        soon(py, workers, CancelToken::new(), self.job(py)?, outcome)
    }

    fn progress(&self, py: Python<'_>) -> PyResult<(u64, u64, u64, u64, Duration)> {
        let progress = self.0.get(py)?.handle.progress();
        Ok((progress.done, progress.yes, progress.no, progress.errors, progress.elapsed))
    }
}
