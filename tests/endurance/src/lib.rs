//! Long runs of `cbpii` against the sandbox bank: many checks at a bank that misbehaves, calls that must end in time, and
//! processes that are killed in the middle of a refresh.
//!
//! The bank and its judge live in this process; the library works in a process of its own, so that its memory and its
//! descriptors are its own, and so that it can be killed. What the bank recorded is the witness: an outcome that the
//! library tells is held against the requests that the bank saw and what it answered to each.
//!
//! Everything random comes from a seed, which every report names.

mod checker;
mod crashes;
mod deadlines;
mod faults;
mod judge;
mod load;
mod process;
mod questions;
mod refresher;
mod setup;

pub use checker::check;
pub use crashes::{CrashPlan, CrashReport, crashes};
pub use deadlines::{DeadlinePlan, DeadlineReport, deadlines};
pub use load::{LoadPlan, LoadReport, load};
pub use refresher::refresh;

/// What every process of these runs holds is counted: the operating system knows only what is resident, and that is up
/// to the allocator too.
#[global_allocator]
static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// Why a run could not be made. What a run found out is in its report.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
