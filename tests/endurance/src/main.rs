//! `cbpii-endurance`: the long runs, with a report of each.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use cbpii_endurance::{CrashPlan, DeadlinePlan, Failure, LoadPlan, check, crashes, deadlines, load, refresh};

const USAGE: &str = "\
cbpii-endurance run [SEED]                    everything, at full length; a random seed unless one is given
cbpii-endurance load SEED CHECKS              so many checks, 32 in flight, at a bank with faults
cbpii-endurance deadlines SEED CALLS          so many calls per way in which a bank can stall
cbpii-endurance kills SEED KILLS              so many processes killed, at a bank that replaces refresh tokens and at one that keeps them
(cbpii-endurance check …, refresh …           what the others start)
";

const CHECKS: u64 = 200_000;
const CALLS: usize = 100;
const KILLS: u64 = 500;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to do when the standard error is closed.
            let _ = writeln!(io::stderr(), "cbpii-endurance: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all was well.
fn dispatch(arguments: &[&str]) -> Result<bool, Failure> {
    match *arguments {
        ["run"] => run(fastrand::u64(..)),
        ["run", seed] => run(seed.parse()?),
        ["load", seed, checks] => run_load(seed.parse()?, checks.parse()?),
        ["deadlines", seed, calls] => run_deadlines(seed.parse()?, calls.parse()?),
        ["kills", seed, kills] => run_kills(seed.parse()?, kills.parse()?),
        ["check", setup, seed, checks, in_flight] => {
            check(setup, seed.parse()?, checks.parse()?, in_flight.parse()?).map(|()| true)
        }
        ["refresh", setup, database, start] => {
            refresh(setup, Path::new(database), start.parse()?).map(|()| true)
        }
        _ => Err(USAGE.into()),
    }
}

fn run(seed: u64) -> Result<bool, Failure> {
    let all = [run_deadlines(seed, CALLS)?, run_kills(seed, KILLS)?, run_load(seed, CHECKS)?];
    Ok(all == [true; 3])
}

fn show(report: &impl Display) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{report}")?)
}

fn run_load(seed: u64, checks: u64) -> Result<bool, Failure> {
    // None are met while a cardholder consents: one more than five, to meet five.
    let plan = LoadPlan { seed, checks, in_flight: 32, fault_percent: 6 };
    let report = load(&std::env::current_exe()?, plan)?;
    show(&report)?;
    let (allocated, resident) = report.growth();
    let (early, late, _) = report.descriptors();
    Ok(report.wrong().is_empty() && allocated <= 64 && resident <= 1024 && late <= early + 8)
}

fn run_deadlines(seed: u64, calls: usize) -> Result<bool, Failure> {
    let report = deadlines(DeadlinePlan { seed, calls, longest: Duration::from_millis(500) })?;
    show(&report)?;
    Ok(report.held().is_empty())
}

fn run_kills(seed: u64, kills: u64) -> Result<bool, Failure> {
    let mut well = true;
    for rotates in [true, false] {
        let report = crashes(&std::env::current_exe()?, CrashPlan { seed, kills, rotates })?;
        show(&report)?;
        well &= report.wrong().is_empty();
    }
    Ok(well)
}
