//! Threads that make calls, kept for the next ones.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;

use crate::error::raise;
use crate::process::Owned;

/// Threads of this process: a child after `os.fork()` gets its own.
pub(crate) struct OwnWorkers {
    /// None: as many as there are calls.
    limit: Option<usize>,
    /// Locked with the GIL only.
    workers: Mutex<Option<Owned<Arc<cbpii::Workers>>>>,
}

impl OwnWorkers {
    pub(crate) const fn unlimited() -> Self {
        Self { limit: None, workers: Mutex::new(None) }
    }

    pub(crate) fn get(&self, _py: Python<'_>) -> cbpii::Result<Arc<cbpii::Workers>> {
        let mut slot = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(workers) = slot.as_ref().and_then(Owned::here) {
            return Ok(Arc::clone(workers));
        }
        let workers = match self.limit {
            Some(limit) => cbpii::Workers::new(limit)?,
            None => cbpii::Workers::unlimited(),
        };
        let workers = Arc::new(workers);
        *slot = Some(Owned::new(Arc::clone(&workers)));
        Ok(workers)
    }
}

/// The threads of an asynchronous client.
#[pyclass(frozen, name = "_Workers", module = "cbpii")]
pub(crate) struct Workers(OwnWorkers);

#[pymethods]
impl Workers {
    #[new]
    fn new(py: Python<'_>, max_in_flight: usize) -> PyResult<Self> {
        let own = OwnWorkers { limit: Some(max_in_flight), workers: Mutex::new(None) };
        // Refuses a number out of range now, and not at the first call.
        own.get(py).map_err(|error| raise(py, &error))?;
        Ok(Self(own))
    }
}

impl Workers {
    pub(crate) fn run(&self, py: Python<'_>, job: impl FnOnce() + Send + 'static) -> PyResult<()> {
        let outcome = self.0.get(py).and_then(|workers| {
            // Without the GIL: a thread that wants it may hold the lock.
            py.detach(|| workers.run(job))
        });
        outcome.map_err(|error| raise(py, &error))
    }
}
