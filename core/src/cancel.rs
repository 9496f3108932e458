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

    /// Calls `wake` once when the token is cancelled, on the thread that cancels it, or at once when it is already. For
    /// those who implement a `Transport` that waits in a way of its own. Forgotten when what this returns is dropped.
    #[must_use = "what is dropped is not called"]
    pub fn on_cancel(&self, wake: impl Fn() + Send + Sync + 'static) -> OnCancel {
        let call: Arc<dyn Interrupt> = Arc::new(Call(wake));
        self.register(Arc::downgrade(&call));
        OnCancel { token: self.clone(), call }
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

/// Keeps a call of [`CancelToken::on_cancel`] awaited; dropping it forgets the call.
pub struct OnCancel {
    token: CancelToken,
    call: Arc<dyn Interrupt>,
}

impl Drop for OnCancel {
    fn drop(&mut self) {
        self.token.unregister(&Arc::downgrade(&self.call));
    }
}

impl fmt::Debug for OnCancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnCancel").finish_non_exhaustive()
    }
}

struct Call<F>(F);

impl<F: Fn() + Send + Sync> Interrupt for Call<F> {
    fn interrupt(&self) {
        (self.0)();
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken").field("cancelled", &self.is_cancelled()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_call_is_made_once_and_only_while_it_is_awaited() {
        let calls = Arc::new(AtomicUsize::new(0));
        let count = || {
            let calls = Arc::clone(&calls);
            move || {
                calls.fetch_add(1, Ordering::Relaxed);
            }
        };
        let token = CancelToken::new();
        drop(token.on_cancel(count()));
        let awaited = token.on_cancel(count());
        token.cancel();
        token.cancel();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        let late = token.on_cancel(count());
        assert_eq!(calls.load(Ordering::Relaxed), 2);
        drop((awaited, late));
    }
}
