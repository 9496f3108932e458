//! The library through its C header, beside the same program on libcurl and OpenSSL.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::json;

use crate::bank::Control;
use crate::measure::{cpu_per_call, figure, milliseconds, note, same_bytes};
use crate::rounds::{IN_C, IN_C_WITH_OPENSSL, Runner, Runs, Side, Sides, Work, median, quickest};
use crate::table::{Row, Table, Target};
use crate::{Failure, offline};

/// The part about C alone.
pub(crate) fn run(control: &str, offline_output: &Path, c_folder: &Path) -> Result<(), Failure> {
    let control = Control::new(control)?;
    let folder = tempfile::tempdir()?;
    let setup = folder.path().join("setup.json");
    control.setup()?.write(&setup)?;
    let mut table = Table(Vec::new());
    rows(&mut table.0, &control, &Runner::new(&setup, c_folder)?, offline_output)?;
    writeln!(io::stdout(), "\n{table}")?;
    Ok(())
}

pub(crate) fn rows(
    rows: &mut Vec<Row>,
    control: &Control,
    runner: &Runner,
    offline_output: &Path,
) -> Result<(), Failure> {
    for (sides, who) in
        [(IN_C, "C (baseline: libcurl)"), (IN_C_WITH_OPENSSL, "C, its key in OpenSSL (baseline: libcurl)")]
    {
        same_bytes(control, runner, sides)?;
        kept_alive(rows, runner, sides, who)?;
        throughput(rows, runner, sides)?;
        new_connections(rows, control, runner, sides)?;
        start(rows, runner, sides)?;
    }
    boundary(rows, runner, offline_output)?;
    size(rows, runner)
}

fn kept_alive(rows: &mut Vec<Row>, runner: &Runner, sides: Sides, who: &str) -> Result<(), Failure> {
    note(&format!("{who}: CPU time per call on one kept-alive connection"));
    let work = Work { mode: "kept", threads: 1, calls: 300 };
    let rounds = runner.rounds(sides, 9, work)?.figures(|measured, _| cpu_per_call(measured));
    let target = Some(Target::AtMost(0.92));
    rows.push(Row::compared(format!("{who}: CPU per call, kept-alive"), "ms", rounds, target));
    Ok(())
}

fn throughput(rows: &mut Vec<Row>, runner: &Runner, sides: Sides) -> Result<(), Failure> {
    note("C: throughput of 32 threads");
    let work = Work { mode: "kept", threads: 32, calls: 2_400 / 32 };
    let runs = runner.rounds(sides, 7, work)?;
    let rounds = runs.figures(|measured, _| figure(measured.calls) / measured.wall_seconds);
    rows.push(Row::compared("  throughput, 32 threads", "calls/s", rounds, Some(Target::AtLeast(1.1))));
    Ok(())
}

/// Beside libcurl given what is parsed already, and beside libcurl with its options for files. The target speaks of the
/// former: it is the quicker one.
fn new_connections(
    rows: &mut Vec<Row>,
    control: &Control,
    runner: &Runner,
    sides: Sides,
) -> Result<(), Failure> {
    control.configure(&json!({"tls_versions": "1.3"}))?;
    let target = Some(Target::AtMost(1.0 / 1.4));
    for (sides, baseline, target) in [
        (sides, "libcurl", target),
        ([Side::LibcurlFiles, sides[1]], "libcurl that reads its files each time", None),
    ] {
        note(&format!("C: a new connection per call, resumed, beside {baseline}"));
        let runs = new_connections_of(runner, sides)?;
        let cpu = runs.figures(|measured, _| cpu_per_call(measured));
        let wall = runs.figures(|measured, _| milliseconds_per_call(measured.wall_seconds, measured.calls));
        let (by_the_clock, by_cpu) = match target {
            Some(_) => ("  a call on a new connection, resumed", "    its CPU"),
            None => ("  the same, libcurl reading its files each time", "    its CPU"),
        };
        rows.push(Row::compared(by_the_clock, "ms", wall, target));
        rows.push(Row::compared(by_cpu, "ms", cpu, None));
    }
    control.configure(&json!({"tls_versions": "1.2+1.3"}))
}

/// Every call on a new connection, all but the first of a process resumed; else the sides do different work.
fn new_connections_of(runner: &Runner, sides: Sides) -> Result<Runs, Failure> {
    let runs = runner.rounds(sides, 7, Work { mode: "fresh", threads: 1, calls: 100 })?;
    for (measured, _) in runs.baseline.iter().chain(&runs.library) {
        if measured.connections < measured.calls || measured.resumed + 1 < measured.connections {
            return Err(format!("not all connections are new and resumed: {measured:?}").into());
        }
    }
    Ok(runs)
}

fn start(rows: &mut Vec<Row>, runner: &Runner, sides: Sides) -> Result<(), Failure> {
    note("C: process start to first answer");
    let runs = runner.rounds(sides, 31, Work { mode: "kept", threads: 1, calls: 1 })?;
    let rounds = runs.figures(|_, lived| milliseconds(lived));
    rows.push(Row::compared("  process start to first answer", "ms", rounds, Some(Target::AtMost(0.5))));
    Ok(())
}

/// What the way through C adds, its bank in memory. Less than the machine's noise: the quickest rounds are compared, for
/// noise only ever adds.
fn boundary(rows: &mut Vec<Row>, runner: &Runner, offline_output: &Path) -> Result<(), Failure> {
    note("C: a confirmation without the network");
    let work = Work { mode: "memory", threads: 1, calls: 200 };
    let in_rust = offline::read(offline_output, "all_but_rsa")?.allocations;
    for (side, what) in [
        (Side::MemoryInC, "C (baseline: Rust): one confirmation in memory, all but RSA"),
        (Side::TransportInC, "  the same with a transport of the caller's own, in C"),
    ] {
        let runs = runner.rounds([Side::Library, side], 9, work)?;
        let times = runs.figures(|measured, _| measured.wall_seconds * 1e6 / figure(measured.calls));
        let [rust, c] = [quickest(&times.baseline), quickest(&times.library)];
        let counts = runs.figures(|measured, _| figure(measured.allocations));
        let allocations = median(&counts.library);
        rows.push(Row::figure(what, "µs", Some(rust), c, None));
        let limit = (side == Side::MemoryInC).then_some(Target::AtMost(2.0));
        if limit.is_some() {
            rows.push(Row::figure("    more than in Rust", "µs", None, c - rust, limit));
        }
        rows.push(Row::figure("    its allocations", "", Some(in_rust), allocations, None));
        if limit.is_some() {
            rows.push(Row::figure("    more than in Rust", "", None, allocations - in_rust, limit));
        }
    }
    Ok(())
}

fn size(rows: &mut Vec<Row>, runner: &Runner) -> Result<(), Failure> {
    let megabytes = figure(fs::metadata(runner.c_folder().join("libcbpii.so"))?.len()) / 1e6;
    rows.push(Row::figure("size of libcbpii.so, stripped", "MB", None, megabytes, Some(Target::AtMost(4.0))));
    Ok(())
}

fn milliseconds_per_call(seconds: f64, calls: u64) -> f64 {
    seconds * 1e3 / figure(calls)
}
