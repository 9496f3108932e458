//! Looking after something else while a call waits.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

struct Lookout {
    every: Duration,
    look: Box<dyn Fn()>,
}

thread_local! {
    /// A call runs on one thread from start to end.
    static POSTED: RefCell<Option<Rc<Lookout>>> = const { RefCell::new(None) };
}

/// Puts back what was posted before, also when a panic unwinds.
struct Relieve(Option<Rc<Lookout>>);

impl Drop for Relieve {
    fn drop(&mut self) {
        POSTED.replace(self.0.take());
    }
}

/// Makes calls on this thread, and has `look` called about every `every` whenever one of them waits: for a host name, a
/// connection, the bank's answer, or a refresh.
///
/// For a host whose main thread has to look at signals while it waits, as interpreters do: the call need not be made on
/// another thread. To end a call, `look` cancels the [`CancelToken`](crate::CancelToken) of that call. No lock is held while it
/// runs. A transport, signer, store or clock that was supplied, and a busy database, wait without it.
pub fn with_lookout<T>(every: Duration, look: impl Fn() + 'static, work: impl FnOnce() -> T) -> T {
    let lookout = Rc::new(Lookout { every, look: Box::new(look) });
    let _relieve = Relieve(POSTED.replace(Some(lookout)));
    work()
}

fn posted() -> Option<Rc<Lookout>> {
    POSTED.with_borrow(Clone::clone)
}

/// Whether somebody looks after something on this thread.
pub(crate) fn is_posted() -> bool {
    POSTED.with_borrow(Option::is_some)
}

/// How much of the time that is left may be waited for before [`look`] is called.
pub(crate) fn share(left: Duration) -> Duration {
    posted().map_or(left, |lookout| left.min(lookout.every))
}

/// Between two waits, with no lock held.
pub(crate) fn look() {
    if let Some(lookout) = posted() {
        (lookout.look)();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    const LONG: Duration = Duration::from_secs(10);
    const SHORT: Duration = Duration::from_millis(50);

    #[test]
    fn a_wait_is_cut_short_only_while_somebody_looks() {
        assert_eq!((share(LONG), is_posted()), (LONG, false));
        let looks = Rc::new(Cell::new(0));
        let own = Rc::clone(&looks);
        with_lookout(
            SHORT,
            move || own.set(own.get() + 1),
            || {
                assert_eq!((share(LONG), is_posted()), (SHORT, true));
                assert_eq!(share(SHORT / 2), SHORT / 2);
                look();
                with_lookout(SHORT / 2, || {}, || assert_eq!(share(LONG), SHORT / 2));
                assert_eq!(share(LONG), SHORT);
                look();
            },
        );
        look();
        assert_eq!((share(LONG), looks.get()), (LONG, 2));
    }

    #[test]
    fn a_panic_ends_it_too() {
        let panicking = || with_lookout(SHORT, || {}, || std::panic::panic_any("on purpose"));
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        assert!(!is_posted());
    }
}
