//! The runs at a length that every test run can afford. Memory is left to the long run: this one is over before the
//! process has its size.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::time::Duration;

use cbpii_endurance::{CrashPlan, DeadlinePlan, LoadPlan, crashes, deadlines, load};

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_cbpii-endurance"))
}

/// Another one each time; a failure shows the report, which names it.
fn seed() -> u64 {
    fastrand::u64(..)
}

#[test]
fn every_answer_is_right_at_a_bank_with_faults() {
    let plan = LoadPlan { seed: seed(), checks: 3_000, in_flight: 32, fault_percent: 5 };
    let report = load(program(), plan).unwrap();
    let (judged, yes, no) = report.checks();
    assert_eq!((judged, report.wrong()), (3_000, &[][..]), "{report}");
    assert!(yes > 1_000 && no > 1_000, "{report}");
    let (faults, kinds) = report.faults();
    assert!(faults > 60 && kinds > 15, "{report}");
    let (sent, failed) = report.codes();
    assert!(sent >= 64 && sent - failed >= 64, "{report}");
    // A connection for each check under way, one for a token request, and what a process has anyway.
    assert!(report.descriptors().2 <= 32 + 32, "{report}");
}

#[test]
fn a_bank_that_stalls_holds_no_call() {
    let plan = DeadlinePlan { seed: seed(), calls: 3, longest: Duration::from_millis(200) };
    let report = deadlines(plan).unwrap();
    assert_eq!((report.calls(), report.held()), (30, Vec::new()), "{report}");
}

#[test]
fn a_crash_loses_no_consent_that_the_bank_honours() {
    for rotates in [true, false] {
        let report = crashes(program(), CrashPlan { seed: seed(), kills: 10, rotates }).unwrap();
        assert_eq!(report.wrong(), &[][..] as &[String], "{report}");
        let (untouched, saved, repeated, lost) = report.outcomes();
        assert!(untouched > 0 && saved + repeated + lost > 0, "{report}");
        assert_eq!(if rotates { repeated } else { lost + saved }, 0, "{report}");
    }
}
