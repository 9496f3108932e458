//! A clock that JavaScript sets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use cbpii::{Clock, Timestamp};

use crate::convert::timestamp;

/// Shows what it was set to, and goes on from there with the machine's time. The package sets it whenever a call begins:
/// a clock that asked JavaScript each time would make the event loop and the calls wait for each other.
#[derive(Clone)]
pub(crate) struct SetClock(Arc<Mutex<(Timestamp, Instant)>>);

impl SetClock {
    pub(crate) fn at(now: f64) -> Self {
        Self(Arc::new(Mutex::new((timestamp(now), Instant::now()))))
    }

    pub(crate) fn set(&self, now: f64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (timestamp(now), Instant::now());
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        let (then, set) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        then.saturating_add(set.elapsed())
    }
}
