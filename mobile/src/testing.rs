//! What the tests in Kotlin and Swift need to know and do: see the feature `testing`. Nothing, in what is shipped.

#[cfg(feature = "testing")]
mod armed {
    use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

    static ARMED: AtomicBool = AtomicBool::new(false);
    static ALIVE: AtomicI64 = AtomicI64::new(0);

    /// Makes the next call that can fail panic.
    #[unsafe(no_mangle)]
    extern "C" fn cbpii_mobile_testing_arm() {
        ARMED.store(true, Ordering::SeqCst);
    }

    /// How many objects are alive on this side.
    #[unsafe(no_mangle)]
    extern "C" fn cbpii_mobile_testing_alive() -> i64 {
        ALIVE.load(Ordering::SeqCst)
    }

    pub(crate) fn detonate() {
        assert!(!ARMED.swap(false, Ordering::SeqCst), "a panic made for a test, with a secret: s3cr3t");
    }

    /// Counts the object it is a part of.
    pub(crate) struct Live(());

    impl Default for Live {
        fn default() -> Self {
            ALIVE.fetch_add(1, Ordering::SeqCst);
            Self(())
        }
    }

    impl Drop for Live {
        fn drop(&mut self) {
            ALIVE.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

#[cfg(not(feature = "testing"))]
mod armed {
    pub(crate) fn detonate() {}

    #[derive(Default)]
    pub(crate) struct Live(());
}

pub(crate) use armed::{Live, detonate};
