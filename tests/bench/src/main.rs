//! Measures `cbpii` beside a hand-written loop on bare rustls that sends the same bytes, in the same run.
//!
//! `tests/bench/run` builds everything, starts a bank and calls `cbpii-bench measure`. Each measurement is a
//! process of its own (`cbpii-bench work …`), so that start-up, memory and CPU time are that side's alone.

mod bank;
mod bare_loop;
mod fleet;
mod growth;
mod in_c;
mod in_memory;
mod library;
mod many;
mod measure;
mod offline;
mod process;
mod rounds;
mod table;
mod work;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

/// Every failure here ends the run with a sentence.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "\
cbpii-bench measure CONTROL_URL OFFLINE_OUTPUT C_FOLDER JSON_FILE   measure everything, print the table
    C_FOLDER  what tests/bench/run compiles of tests/bench/c, and libcbpii.so
cbpii-bench measure-c CONTROL_URL OFFLINE_OUTPUT C_FOLDER           the part about C only, print its table
cbpii-bench work SETUP SIDE MODE THREADS CALLS             one measurement, as a line of JSON
    SIDE  bare | cbpii
    MODE  kept (one connection per thread) | fresh (a new one per call) | ahead (connected before the first call)
          | many (as many threads and calls in all; cbpii: confirm_many)
          | memory (cbpii on one thread: the quickest of several batches, the bank in memory)
cbpii-bench fleet WHAT                                     one measurement without a bank, as a line of JSON
    WHAT  session | open | load
cbpii-bench growth WHAT SETUP                              what a call takes the more there is, as a line of JSON
    WHAT  calls | calls-in-memory | consents-asked | consents-opened | consents-held | banks
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["measure", control, offline, c_folder, json] => {
            measure::run(control, Path::new(offline), Path::new(c_folder), Path::new(json))
        }
        ["measure-c", control, offline, c_folder] => {
            in_c::run(control, Path::new(offline), Path::new(c_folder))
        }
        ["work", setup, side, mode, threads, calls] => {
            work::run(Path::new(setup), side, mode, threads, calls)
        }
        ["fleet", what] => fleet::run(what),
        ["growth", what, setup] => growth::run(what, Path::new(setup)),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when the standard error is closed.
            let _ = writeln!(io::stderr(), "cbpii-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
