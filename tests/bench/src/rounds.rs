//! Baseline and library in turns, so that a noisy moment hits both, and what the rounds have in common.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::bank::Setup;
use crate::work::Measured;

/// What is compared: baseline first.
pub(crate) type Sides = [Side; 2];
/// The library in Rust beside the hand-written loop.
pub(crate) const IN_RUST: Sides = [Side::Bare, Side::Library];
/// The library through its C header beside a C program on libcurl.
pub(crate) const IN_C: Sides = [Side::Libcurl, Side::LibraryInC];
/// The same, the seal's key held by OpenSSL on both sides.
pub(crate) const IN_C_WITH_OPENSSL: Sides = [Side::Libcurl, Side::LibraryInCWithOpenssl];

/// Whose calls a process makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    /// `bare_loop.rs`
    Bare,
    /// The library in Rust.
    Library,
    /// `c/libcurl_loop.c`
    Libcurl,
    /// The same with each connection's files read anew, as libcurl's own options do.
    LibcurlFiles,
    /// `c/cbpii_loop.c`
    LibraryInC,
    /// The same, its seal's key held by OpenSSL.
    LibraryInCWithOpenssl,
    /// `c/in_memory.c`, its bank in Rust
    MemoryInC,
    /// `c/in_memory.c`, its bank in C
    TransportInC,
}

/// One measurement as a command line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work<'a> {
    pub(crate) mode: &'a str,
    pub(crate) threads: usize,
    pub(crate) calls: usize,
}

/// Starts a process for each measurement: this program again, or one of those in C.
pub(crate) struct Runner {
    program: PathBuf,
    setup_file: PathBuf,
    setup: Setup,
    c_folder: PathBuf,
}

impl Runner {
    pub(crate) fn new(setup_file: &Path, c_folder: &Path) -> Result<Self, Failure> {
        Ok(Self {
            program: std::env::current_exe()?,
            setup_file: setup_file.to_owned(),
            setup: Setup::read(setup_file)?,
            c_folder: c_folder.to_owned(),
        })
    }

    /// Program and arguments. The programs in C read the setup from their environment.
    fn command_line(&self, side: Side, work: Work<'_>) -> Result<Vec<OsString>, Failure> {
        let Work { mode, threads, calls } = work;
        let in_rust = |side: &str| {
            let words = ["work".into(), self.setup_file.clone().into(), side.into(), mode.into()];
            let numbers = [threads, calls].map(|number| number.to_string().into());
            [self.program.clone().into()].into_iter().chain(words).chain(numbers).collect()
        };
        let in_c = |program: &str| {
            let words = match (mode, threads, calls) {
                ("kept", 1, 1) => vec!["once".to_owned()],
                ("kept", 1, calls) => vec!["kept-alive".to_owned(), calls.to_string()],
                ("kept", threads, calls) => {
                    vec!["threads".to_owned(), threads.to_string(), calls.to_string()]
                }
                ("memory", 1, calls) if side == Side::MemoryInC => {
                    vec!["memory".to_owned(), calls.to_string()]
                }
                ("memory", 1, calls) => vec!["transport".to_owned(), calls.to_string()],
                ("fresh", 1, calls) => vec!["new-connection".to_owned(), calls.to_string()],
                _ => return Err(Failure::from(format!("the programs in C cannot do {work:?}"))),
            };
            let program = self.c_folder.join(program).into_os_string();
            Ok([program].into_iter().chain(words.into_iter().map(Into::into)).collect())
        };
        match side {
            Side::Bare => Ok(in_rust("bare")),
            Side::Library => Ok(in_rust("cbpii")),
            Side::Libcurl | Side::LibcurlFiles => in_c("libcurl_loop"),
            Side::LibraryInC => in_c("cbpii_loop"),
            Side::LibraryInCWithOpenssl => in_c("cbpii_openssl_loop"),
            Side::MemoryInC | Side::TransportInC => in_c("in_memory"),
        }
    }

    /// Where the programs in C are, and the library.
    pub(crate) fn c_folder(&self) -> &Path {
        &self.c_folder
    }

    fn environment(&self, side: Side) -> Vec<(&'static str, OsString)> {
        let mut variables = match side {
            Side::Bare | Side::Library => Vec::new(),
            _ => self.setup.variables(),
        };
        if side == Side::LibcurlFiles {
            variables.push(("BENCH_TLS_FILES", "1".into()));
        }
        variables
    }

    /// One measurement, and how long its process lived.
    pub(crate) fn run(&self, side: Side, work: Work<'_>) -> Result<(Measured, Duration), Failure> {
        let line = self.command_line(side, work)?;
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).envs(self.environment(side)).stderr(Stdio::inherit());
        let started = Instant::now();
        let output = command.output()?;
        let lived = started.elapsed();
        if !output.status.success() {
            return Err(format!("{side:?} {work:?} ended with {}", output.status).into());
        }
        Ok((serde_json::from_slice(&output.stdout)?, lived))
    }

    /// The rounds of one measurement that needs no bank; seconds.
    pub(crate) fn fleet(&self, what: &str) -> Result<Rounds, Failure> {
        let output = Command::new(&self.program).args(["fleet", what]).stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("fleet {what} ended with {}", output.status).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// User instructions of one measurement, by `perf` where it can count them, else by callgrind.
    fn instructions(&self, side: Side, work: Work<'_>) -> Result<f64, Failure> {
        let line = self.command_line(side, work)?;
        let perf = Command::new("perf")
            .args(["stat", "-x", ";", "-e", "instructions:u"])
            .args(&line)
            .envs(self.environment(side))
            .stdout(Stdio::null())
            .output();
        if let Ok(output) = perf {
            let text = String::from_utf8_lossy(&output.stderr);
            let counted = text.lines().find(|line| line.contains("instructions"));
            if let Some(count) = counted.and_then(|line| line.split(';').next()?.parse().ok()) {
                return Ok(count);
            }
        }
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .args(&line)
            .envs(self.environment(side))
            .stdout(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        let collected = text.lines().find_map(|line| line.split_once("Collected :"));
        let count = collected.and_then(|(_, count)| count.trim().parse().ok());
        count.ok_or_else(|| format!("neither perf nor callgrind counted instructions: {text}").into())
    }

    /// User instructions per call: the difference between many calls and few, so that start-up cancels out.
    pub(crate) fn instructions_per_call(&self, side: Side) -> Result<f64, Failure> {
        const FEW: usize = 10;
        const MANY: usize = 60;
        let count = |calls| self.instructions(side, Work { mode: "kept", threads: 1, calls });
        Ok((count(MANY)? - count(FEW)?) / as_f64(MANY - FEW))
    }

    /// Baseline and library in turns.
    pub(crate) fn rounds(&self, sides: Sides, count: usize, work: Work<'_>) -> Result<Runs, Failure> {
        let [baseline, library] = sides;
        let mut runs = Runs::default();
        for round in 0..count {
            // Who goes first changes from round to round.
            if round % 2 == 0 {
                runs.baseline.push(self.run(baseline, work)?);
                runs.library.push(self.run(library, work)?);
            } else {
                runs.library.push(self.run(library, work)?);
                runs.baseline.push(self.run(baseline, work)?);
            }
        }
        Ok(runs)
    }
}

/// What the processes of both sides measured, and how long each lived.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    pub(crate) baseline: Vec<(Measured, Duration)>,
    pub(crate) library: Vec<(Measured, Duration)>,
}

impl Runs {
    /// One figure of each process.
    pub(crate) fn figures(&self, figure: impl Fn(&Measured, Duration) -> f64) -> Rounds {
        let read = |runs: &[(Measured, Duration)]| {
            runs.iter().map(|(measured, lived)| figure(measured, *lived)).collect()
        };
        Rounds { baseline: read(&self.baseline), library: read(&self.library) }
    }
}

/// The figures of both sides, round by round.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rounds {
    pub(crate) baseline: Vec<f64>,
    pub(crate) library: Vec<f64>,
}

impl Rounds {
    /// The same in a unit of which a second has so many.
    pub(crate) fn times(mut self, factor: f64) -> Self {
        self.baseline.iter_mut().chain(&mut self.library).for_each(|figure| *figure *= factor);
        self
    }

    /// Library over baseline, round by round.
    pub(crate) fn ratios(&self) -> Vec<f64> {
        self.library.iter().zip(&self.baseline).map(|(library, baseline)| library / baseline).collect()
    }
}

pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// The least of the figures.
pub(crate) fn quickest(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The middle half of the figures: first and third quartile.
pub(crate) fn middle_half(figures: &[f64]) -> (f64, f64) {
    let mut sorted = figures.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |quarter: usize| {
        sorted.get(sorted.len().saturating_sub(1) * quarter / 4).copied().unwrap_or(f64::NAN)
    };
    (at(1), at(3))
}

/// A count as a figure; counts here are far below where that loses anything.
pub(crate) fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_compared_round_by_round() {
        let rounds = Rounds { baseline: vec![1.0, 2.0], library: vec![3.0, 2.5] }.times(2.0);
        assert_eq!(quickest(&rounds.library), 5.0);
        assert_eq!(rounds.ratios(), [3.0, 1.25]);
    }

    #[test]
    fn medians_and_quartiles() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(middle_half(&[5.0, 1.0, 2.0, 3.0, 4.0]), (2.0, 4.0));
        assert!(median(&[]).is_nan());
    }
}
