//! How much memory one input costs. The sanitizer's own memory would hide it, so allocations are counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The most that one input may make the library hold at once, in bytes.
const LIMIT: usize = 64 << 20;
/// A new peak is told when it is this much above the last one that was, in bytes.
const STEP: usize = 4 << 10;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// What was live when the present input began, and the most that one input has cost so far.
static START: AtomicUsize = AtomicUsize::new(usize::MAX);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is passed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may be there for a moment.
        grow(size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        unsafe { System.realloc(place, layout, size) }
    }
}

fn grow(size: usize) {
    let live = LIVE.fetch_add(size, Relaxed) + size;
    PEAK.fetch_max(live, Relaxed);
    if live > START.load(Relaxed).saturating_add(LIMIT) {
        // Aborting keeps the input; a panic could be caught.
        START.store(usize::MAX, Relaxed);
        eprintln!("one input cost more than {LIMIT} bytes of memory");
        std::process::abort();
    }
}

/// Works on one input within the limit. A new peak goes to the standard error.
pub fn limited<T>(work: impl FnOnce() -> T) {
    let start = LIVE.load(Relaxed);
    PEAK.store(start, Relaxed);
    START.store(start, Relaxed);
    drop(work());
    START.store(usize::MAX, Relaxed);
    let cost = PEAK.load(Relaxed).saturating_sub(start);
    let most = MOST.load(Relaxed);
    if cost > most + STEP {
        MOST.store(cost, Relaxed);
        eprintln!("memory of one input: {cost} bytes at most so far");
    }
}
