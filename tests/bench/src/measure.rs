//! Everything that is measured, in order.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::bank::{Control, constant_part};
use crate::rounds::{IN_RUST, Runner, Side, Sides, Work, as_f64, median, quickest};
use crate::table::{Row, Table, Target};
use crate::work::Measured;
use crate::{Failure, in_c, offline};

pub(crate) fn run(
    control: &str,
    offline_output: &Path,
    c_folder: &Path,
    json_file: &Path,
) -> Result<(), Failure> {
    let control = Control::new(control)?;
    let folder = tempfile::tempdir()?;
    let setup = folder.path().join("setup.json");
    control.setup()?.write(&setup)?;
    let runner = Runner::new(&setup, c_folder)?;
    let mut rows = Vec::new();
    note("without the network");
    offline_rows(&mut rows, offline_output)?;
    fleet(&mut rows, &runner)?;
    same_bytes(&control, &runner, IN_RUST)?;
    rows.push(Row::figure(
        "requests that differ from the hand-written loop's",
        "",
        None,
        0.0,
        Some(Target::AtMost(0.0)),
    ));
    kept_alive(&mut rows, &runner)?;
    memory(&mut rows, &control, &runner)?;
    start(&mut rows, &runner)?;
    throughput(&mut rows, &runner)?;
    many(&mut rows, &runner)?;
    warm_up(&mut rows, &runner)?;
    new_connections(&mut rows, &control, &runner)?;
    in_c::rows(&mut rows, &control, &runner, offline_output)?;
    let table = Table(rows);
    fs::write(json_file, serde_json::to_vec_pretty(&table)?)?;
    writeln!(io::stdout(), "\n{table}")?;
    Ok(())
}

/// Says what is being measured, while it is.
pub(crate) fn note(what: &str) {
    // Nobody to tell when the standard error is closed.
    let _ = writeln!(io::stderr(), "measuring: {what}");
}

fn offline_rows(rows: &mut Vec<Row>, output: &Path) -> Result<(), Failure> {
    let read = |name: &str| offline::read(output, name);
    let (rest, answer, rsa) = (read("all_but_rsa")?, read("answer_alone")?, read("rsa_alone")?);
    let time = rest.microseconds - answer.microseconds;
    let allocations = rest.allocations - answer.allocations;
    rows.push(Row::figure(
        "one confirmation without the network, all but RSA",
        "µs",
        Some(rsa.microseconds),
        time,
        Some(Target::AtMost(25.0)),
    ));
    rows.push(Row::figure(
        "  its allocations (baseline: the RSA operation's)",
        "",
        Some(rsa.allocations),
        allocations,
        Some(Target::AtMost(40.0)),
    ));
    Ok(())
}

/// What sessions and stores add, without the network.
fn fleet(rows: &mut Vec<Row>, runner: &Runner) -> Result<(), Failure> {
    note("what a session adds to a call");
    let rounds = runner.fleet("session")?.times(1e6);
    // Less than the machine's noise: the quickest rounds are compared, for noise only ever adds.
    let [call, kept] = [quickest(&rounds.baseline), quickest(&rounds.library)];
    rows.push(Row::figure(
        "a session adds to a call, no refresh due (baseline: the call)",
        "µs",
        Some(call),
        kept - call,
        Some(Target::AtMost(5.0)),
    ));
    note("a store of 100 000 consents");
    for (what, name) in [
        ("open", "opening a store of 100 000 consents (baseline: rusqlite)"),
        ("load", "  loading one of them (baseline: reading its bytes)"),
    ] {
        let rounds = runner.fleet(what)?.times(1e6);
        rows.push(Row::figure_compared(name, "µs", rounds, Target::AtMost(5_000.0)));
    }
    Ok(())
}

/// Both sides must send the same, or their comparison means nothing. libcurl puts its own headers first and writes their
/// names with capitals, so beside it order and case are left out.
pub(crate) fn same_bytes(control: &Control, runner: &Runner, sides: Sides) -> Result<(), Failure> {
    note("whether both send the same bytes");
    control.configure(&json!({"recording": true, "signed_answers": false}))?;
    control.forget_requests()?;
    for side in sides {
        runner.run(side, Work { mode: "kept", threads: 1, calls: 1 })?;
    }
    let seen = control.requests()?;
    control.configure(&json!({"recording": false}))?;
    let [baseline, library] = &seen[..] else {
        return Err(format!("the bank saw {} requests, not two", seen.len()).into());
    };
    let [mut baseline, mut library] = [constant_part(baseline), constant_part(library)];
    if sides.contains(&Side::Libcurl) {
        for (headers, _) in [&mut baseline, &mut library] {
            headers.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
            headers.sort();
        }
    }
    if baseline != library {
        return Err(format!("the two sides send different requests:\n{baseline:#?}\n{library:#?}").into());
    }
    Ok(())
}

fn kept_alive(rows: &mut Vec<Row>, runner: &Runner) -> Result<(), Failure> {
    note("CPU time per call on one kept-alive connection");
    let work = Work { mode: "kept", threads: 1, calls: 300 };
    let rounds = runner.rounds(IN_RUST, 9, work)?.figures(|measured, _| cpu_per_call(measured));
    rows.push(Row::compared(
        "CPU per call, one kept-alive connection",
        "ms",
        rounds,
        Some(Target::AtMost(1.10)),
    ));
    note("user instructions per call (takes a while)");
    let [bare, library] =
        [runner.instructions_per_call(Side::Bare)?, runner.instructions_per_call(Side::Library)?];
    let above = library - bare;
    rows.push(Row::figure("user instructions per call", "", Some(bare), library, None));
    rows.push(Row::figure("  above the loop", "", None, above, Some(Target::AtMost(60_000.0))));
    note("connections and name look-ups");
    let (measured, _) = runner.run(Side::Library, Work { mode: "kept", threads: 1, calls: 2_000 })?;
    let beyond_first = |count: u64| figure(count.saturating_sub(1));
    let none = Some(Target::AtMost(0.0));
    rows.push(Row::figure("reconnects in 2 000 calls", "", None, beyond_first(measured.connections), none));
    rows.push(Row::figure(
        "name look-ups after the first in 2 000 calls",
        "",
        None,
        beyond_first(measured.name_lookups),
        none,
    ));
    Ok(())
}

/// The bank answers late, so that all calls are under way together.
fn memory(rows: &mut Vec<Row>, control: &Control, runner: &Runner) -> Result<(), Failure> {
    note("memory at 32 in flight");
    control.delay(Some(150))?;
    let runs = runner.rounds(IN_RUST, 3, Work { mode: "kept", threads: 32, calls: 3 })?;
    control.delay(None)?;
    let megabytes = |kibibytes: u64| figure(kibibytes) / 1024.0;
    let above =
        runs.figures(|measured, _| megabytes(measured.memory_peak.saturating_sub(measured.memory_before)));
    let in_all = runs.figures(|measured, _| megabytes(measured.memory_peak));
    let connections = runs.figures(|measured, _| figure(measured.connections));
    let limit = Some(Target::AtMost(10.0));
    for (what, unit, rounds, target) in [
        ("memory of 32 calls in flight, above idle", "MiB", above, limit),
        ("  resident in all", "MiB", in_all, None),
        ("  connections", "", connections, None),
    ] {
        rows.push(Row::figure(what, unit, Some(median(&rounds.baseline)), median(&rounds.library), target));
    }
    Ok(())
}

fn start(rows: &mut Vec<Row>, runner: &Runner) -> Result<(), Failure> {
    note("process start to first confirmation");
    let work = Work { mode: "kept", threads: 1, calls: 1 };
    let rounds = runner.rounds(IN_RUST, 31, work)?.figures(|_, lived| milliseconds(lived));
    rows.push(Row::compared("process start to first confirmation", "ms", rounds, Some(Target::AtMost(1.5))));
    Ok(())
}

fn throughput(rows: &mut Vec<Row>, runner: &Runner) -> Result<(), Failure> {
    for threads in [8, 32] {
        note(&format!("throughput of {threads} threads"));
        let work = Work { mode: "kept", threads, calls: 2_400 / threads };
        let rounds = runner
            .rounds(IN_RUST, 7, work)?
            .figures(|measured, _| figure(measured.calls) / measured.wall_seconds);
        rows.push(Row::compared(
            format!("throughput, {threads} threads sharing a client"),
            "calls/s",
            rounds,
            Some(Target::AtLeast(0.95)),
        ));
    }
    Ok(())
}

/// On both sides a free worker takes the next call.
fn many(rows: &mut Vec<Row>, runner: &Runner) -> Result<(), Failure> {
    note("throughput of confirm_many");
    let work = Work { mode: "many", threads: 8, calls: 2_400 };
    let rounds = runner
        .rounds(IN_RUST, 7, work)?
        .figures(|measured, _| figure(measured.calls) / measured.wall_seconds);
    rows.push(Row::compared(
        "throughput of confirm_many, 8 workers",
        "calls/s",
        rounds,
        Some(Target::AtLeast(0.90)),
    ));
    Ok(())
}

/// The first call on a connection made ahead: against the loop's, and against later calls of the same process. The
/// first is that of a cold process in any case, so the loop's own share of that stands beside.
fn warm_up(rows: &mut Vec<Row>, runner: &Runner) -> Result<(), Failure> {
    note("the first call after warm_up");
    let runs = runner.rounds(IN_RUST, 31, Work { mode: "ahead", threads: 1, calls: 30 })?;
    let first = runs.figures(|measured, _| measured.first_seconds * 1e3);
    let over_later = runs.figures(|measured, _| measured.first_seconds / measured.later_seconds);
    let [baseline, library] = [median(&over_later.baseline), median(&over_later.library)];
    let limit = Some(Target::AtMost(1.10));
    rows.push(Row::compared("first call after warm_up (baseline: after its handshake)", "ms", first, None));
    rows.push(Row::figure("  first call over a later one", "times", Some(baseline), library, limit));
    Ok(())
}

fn new_connections(rows: &mut Vec<Row>, control: &Control, runner: &Runner) -> Result<(), Failure> {
    for version in ["1.3", "1.2"] {
        note(&format!("a new connection per call, TLS {version}, resumed"));
        control.configure(&json!({"tls_versions": version}))?;
        let work = Work { mode: "fresh", threads: 1, calls: 100 };
        let runs = runner.rounds(IN_RUST, 7, work)?;
        for (side, runs) in [("the bare loop", &runs.baseline), ("cbpii", &runs.library)] {
            let (connections, resumed) = runs.iter().fold((0, 0), |(connections, resumed), (measured, _)| {
                (connections + measured.connections, resumed + measured.resumed)
            });
            note(&format!("{side} resumed {resumed} of {connections} connections"));
        }
        let cpu = runs.figures(|measured, _| cpu_per_call(measured));
        let wall = runs.figures(|measured, _| measured.wall_seconds * 1e3 / figure(measured.calls));
        rows.push(Row::compared(
            format!("CPU per call, new TLS {version} connection, resumed"),
            "ms",
            cpu,
            Some(Target::AtMost(1.20)),
        ));
        rows.push(Row::compared("  the same by the clock", "ms", wall, Some(Target::AtMost(1.20))));
    }
    control.configure(&json!({"tls_versions": "1.2+1.3"}))
}

pub(crate) fn figure(count: u64) -> f64 {
    count.try_into().map_or(f64::INFINITY, as_f64)
}

pub(crate) fn cpu_per_call(measured: &Measured) -> f64 {
    measured.cpu_seconds * 1e3 / figure(measured.calls)
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
