//! Ending a call from another thread.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Ends the calls it was given to, from any thread: a blocked read or write returns at once with the
/// `cancelled` error. Clones are the same token; once cancelled it stays so.
#[derive(Clone, Default)]
pub struct CancelToken(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    cancelled: bool,
    waiting: Vec<Weak<dyn Interrupt>>,
}

/// Something blocked that can be woken: a socket.
pub(crate) trait Interrupt: Send + Sync {
    fn interrupt(&self);
}

impl CancelToken {
    /// A token that has not been cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends every call that runs under this token, and every later one before it starts.
    pub fn cancel(&self) {
        let waiting = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.cancelled = true;
            std::mem::take(&mut state.waiting)
        };
        for blocked in waiting.iter().filter_map(Weak::upgrade) {
            blocked.interrupt();
        }
    }

    /// Whether [`cancel`](Self::cancel) was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).cancelled
    }

    /// Registers what is about to block; it is interrupted at once if the token is cancelled already.
    pub(crate) fn register(&self, blocked: Weak<dyn Interrupt>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.cancelled {
            drop(state);
            if let Some(blocked) = blocked.upgrade() {
                blocked.interrupt();
            }
            return;
        }
        state.waiting.retain(|known| known.strong_count() > 0 && !known.ptr_eq(&blocked));
        state.waiting.push(blocked);
    }

    /// Forgets what no longer blocks, so that a later cancel does not hurt a pooled connection.
    pub(crate) fn unregister(&self, blocked: &Weak<dyn Interrupt>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting.retain(|known| !known.ptr_eq(blocked));
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("cancelled", &self.is_cancelled()).finish()
    }
}
