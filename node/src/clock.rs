//! A clock that JavaScript sets.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use cbpii::{Clock, Timestamp};

use crate::convert::timestamp;

/// Shows what it was set to. The package sets it when a call begins and again and again while calls are under way: a
/// clock that asked JavaScript would make the event loop and the calls wait for each other.
#[derive(Clone)]
pub(crate) struct SetClock(Arc<AtomicI64>);

impl SetClock {
    pub(crate) fn at(now: f64) -> Self {
        Self(Arc::new(AtomicI64::new(timestamp(now).unix_millis())))
    }

    pub(crate) fn set(&self, now: f64) {
        self.0.store(timestamp(now).unix_millis(), Ordering::Release);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.0.load(Ordering::Acquire))
    }
}
