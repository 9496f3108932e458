//! Many checks at a bank at which one request in twenty meets a fault.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use cbpii_sandbox::{Endpoint, Persona, Sandbox, SandboxOptions};
use serde_json::json;

use crate::Failure;
use crate::checker::Said;
use crate::faults::Faults;
use crate::judge::{Findings, Judge};
use crate::process::{Sample, Worker};
use crate::questions::{self, CARDHOLDERS};
use crate::setup::Setup;

/// How often the judge looks, the process is sampled, and faults are topped up.
const GLANCE: Duration = Duration::from_millis(50);
/// How often held requests are let go on.
const RELEASE: Duration = Duration::from_secs(1);
/// The process says nothing for so long: it hangs. Longer than anything takes.
const SILENCE: Duration = Duration::from_secs(900);

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct LoadPlan {
    /// Where randomness starts.
    pub seed: u64,
    /// How many checks in all.
    pub checks: u64,
    /// How many are under way at a time.
    pub in_flight: usize,
    /// How many of a hundred requests meet a fault.
    pub fault_percent: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct LoadReport {
    plan: LoadPlan,
    elapsed: Duration,
    findings: Findings,
    faults: BTreeMap<String, u64>,
    codes_failed: u64,
    consents: u64,
    connections: u64,
    allocated: Change,
    resident: Change,
    descriptors: Change,
    most_descriptors: u64,
}

/// The medians of the second fifth of a run and of its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    early: u64,
    late: u64,
}

impl Change {
    fn of(values: &[u64]) -> Option<Self> {
        let fifth = values.len() / 5;
        Some(Self { early: median(values.get(fifth..2 * fifth)?)?, late: median(values.get(4 * fifth..)?)? })
    }

    fn growth(self) -> u64 {
        self.late.saturating_sub(self.early)
    }
}

fn median(values: &[u64]) -> Option<u64> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// Runs the checks in a process of `program`, which must call [`check`](crate::check) when its first argument is
/// `check`.
///
/// # Errors
/// When the run cannot be made; what it finds out is in the report.
pub fn load(program: &Path, plan: LoadPlan) -> Result<LoadReport, Failure> {
    let sandbox = bank()?;
    let started = Instant::now();
    let setup = Setup::of(&sandbox, true).text()?;
    let numbers = [plan.seed, plan.checks, plan.in_flight as u64].map(|number| number.to_string());
    let arguments = ["check", &setup, &numbers[0], &numbers[1], &numbers[2]];
    let (worker, lines, mut input) = Worker::start(program, &arguments)?;
    let (heard, hear) = channel();
    let reader = std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            // The run is over when nobody listens.
            if heard.send(line).is_err() {
                break;
            }
        }
    });
    let mut run = Run::new(&sandbox, plan);
    run.until_done(&worker, &hear, &mut input)?;
    run.samples.extend(worker.sample());
    input.write_all(b"enough\n")?;
    drop(input);
    worker.wait()?;
    reader.join().map_err(|_| "the reader panicked")?;
    run.report(started.elapsed())
}

/// A bank with as many customers as there are cardholders, whose access tokens are short-lived and whose refresh tokens
/// are replaced.
fn bank() -> Result<Sandbox, Failure> {
    let settings = json!({"refresh_token_rotation": "rotated", "access_token_seconds": 20});
    let sandbox = Sandbox::start(SandboxOptions { settings: Some(settings), ..SandboxOptions::default() })?;
    let control = sandbox.control();
    let known = control.personas().into_iter().next().ok_or("the bank has no customer")?;
    for cardholder in 0..CARDHOLDERS {
        control.put_persona(Persona {
            id: questions::persona(cardholder),
            iban: questions::iban(cardholder),
            available: questions::euros(questions::available_cents(cardholder)).parse()?,
            ..known.clone()
        })?;
    }
    Ok(sandbox)
}

/// A run under way.
struct Run<'a> {
    plan: LoadPlan,
    sandbox: &'a Sandbox,
    judge: Judge,
    faults: Faults,
    /// Checks that ended since the judge last looked.
    ended: Vec<Said>,
    codes_failed: u64,
    consents: u64,
    samples: Vec<Sample>,
    /// How many KiB were allocated, as the process tells.
    allocated: Vec<u64>,
}

impl<'a> Run<'a> {
    fn new(sandbox: &'a Sandbox, plan: LoadPlan) -> Self {
        Self {
            plan,
            sandbox,
            judge: Judge::new(plan.seed, plan.checks),
            faults: Faults::new(sandbox.control(), plan.seed, plan.fault_percent),
            ended: Vec::new(),
            codes_failed: 0,
            consents: 0,
            samples: Vec::new(),
            allocated: Vec::new(),
        }
    }

    fn until_done(
        &mut self,
        worker: &Worker,
        hear: &Receiver<String>,
        input: &mut impl std::io::Write,
    ) -> Result<(), Failure> {
        self.faults.top_up()?;
        let (mut looked, mut released, mut spoke) = (Instant::now(), Instant::now(), Instant::now());
        loop {
            match hear.recv_timeout(GLANCE) {
                Ok(line) => {
                    spoke = Instant::now();
                    if !self.heard(serde_json::from_str(&line)?, input)? {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) if spoke.elapsed() < SILENCE => {}
                Err(why) => return Err(format!("the checks stopped before their end: {why}").into()),
            }
            if looked.elapsed() >= GLANCE {
                looked = Instant::now();
                self.look();
                // Those of the start say nothing: everything is still being set up.
                self.samples.extend(worker.sample().filter(|_| self.judge.findings.judged > 0));
                self.faults.top_up()?;
            }
            if released.elapsed() >= RELEASE {
                released = Instant::now();
                self.faults.clear();
                self.faults.top_up()?;
            }
        }
        self.look();
        Ok(())
    }

    /// False when that was the last.
    fn heard(&mut self, said: Said, input: &mut impl std::io::Write) -> Result<bool, Failure> {
        match said {
            Said::Consent { persona, url } => writeln!(input, "{}", self.approve(&url, &persona)?)?,
            Said::NotExchanged { .. } => self.codes_failed += 1,
            Said::Kept => self.consents += 1,
            Said::Ended { .. } => self.ended.push(said),
            Said::Holds { kib } => self.allocated.push(kib as u64),
            Said::Done => return Ok(false),
        }
        Ok(true)
    }

    /// A cardholder consents. The browser is none of the library's and meets no faults.
    fn approve(&mut self, url: &str, persona: &str) -> Result<String, Failure> {
        self.faults.clear();
        let callback = self.sandbox.approve(url, persona)?;
        self.faults.top_up()?;
        Ok(callback)
    }

    /// The bank's records come first: they are complete for the checks that have ended.
    fn look(&mut self) {
        for record in self.sandbox.control().take_requests() {
            self.judge.saw(&record);
        }
        for said in self.ended.drain(..) {
            if let Said::Ended { number, outcome } = said {
                self.judge.ended(number, &outcome);
            }
        }
    }

    fn report(self, elapsed: Duration) -> Result<LoadReport, Failure> {
        let sampled = |of: fn(&Sample) -> u64| self.samples.iter().map(of).collect::<Vec<_>>();
        let descriptors = sampled(|sample| sample.descriptors);
        let changes = [&self.allocated, &sampled(|sample| sample.resident), &descriptors];
        let [Some(allocated), Some(resident), Some(opened)] = changes.map(|values| Change::of(values)) else {
            return Err("the process was hardly looked at: too few checks".into());
        };
        Ok(LoadReport {
            plan: self.plan,
            elapsed,
            findings: self.judge.close(),
            faults: named(self.sandbox.control().faults_met()),
            codes_failed: self.codes_failed,
            consents: self.consents,
            connections: self.sandbox.control().connections_opened(),
            allocated,
            resident,
            descriptors: opened,
            most_descriptors: descriptors.into_iter().max().unwrap_or_default(),
        })
    }
}

/// Faults by a name for people.
fn named(faults: BTreeMap<(Endpoint, String), u64>) -> BTreeMap<String, u64> {
    let name = |endpoint, kind| format!("{endpoint:?} {kind}").to_lowercase();
    faults.into_iter().map(|((endpoint, kind), count)| (name(endpoint, kind), count)).collect()
}

impl LoadReport {
    /// What must not be, in words: wrong answers, answers of other checks, codes sent twice.
    #[must_use]
    pub fn wrong(&self) -> &[String] {
        &self.findings.wrong
    }

    /// How many checks ended, and how many of them with a yes and with a no.
    #[must_use]
    pub fn checks(&self) -> (u64, u64, u64) {
        (self.findings.judged, self.findings.yes, self.findings.no)
    }

    /// How many requests and connections met a fault, and how many kinds of fault at how many endpoints.
    #[must_use]
    pub fn faults(&self) -> (u64, usize) {
        (self.faults.values().sum(), self.faults.len())
    }

    /// How many codes were sent, and how many exchanges of them failed.
    #[must_use]
    pub fn codes(&self) -> (u64, u64) {
        (self.findings.codes_sent, self.codes_failed)
    }

    /// By how many KiB the process grew between the second fifth of the run and the last: what it had allocated, and
    /// what of it was resident.
    #[must_use]
    pub fn growth(&self) -> (u64, u64) {
        (self.allocated.growth(), self.resident.growth())
    }

    /// Open descriptors in the second fifth of the run, in the last, and at most.
    #[must_use]
    pub fn descriptors(&self) -> (u64, u64, u64) {
        (self.descriptors.early, self.descriptors.late, self.most_descriptors)
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = &self.findings;
        let errors: u64 = found.errors.values().sum();
        writeln!(
            f,
            "Load: seed {}, {} in flight, {:.1} faults in 100 checks",
            self.plan.seed,
            self.plan.in_flight,
            100.0 * self.faults().0 as f64 / found.judged.max(1) as f64
        )?;
        writeln!(
            f,
            "  {} checks in {:.0} s: {} yes, {} no, {errors} errors; {} ran out of time though the bank had answered",
            found.judged,
            self.elapsed.as_secs_f64(),
            found.yes,
            found.no,
            found.late
        )?;
        writeln!(f, "  wrong: {}", found.wrong_count)?;
        found.wrong.iter().try_for_each(|what| writeln!(f, "    {what}"))?;
        writeln!(
            f,
            "  codes: {} sent, none twice unless told above; {} exchanges failed, {} consents kept, {} refreshes, {} connections",
            found.codes_sent, self.codes_failed, self.consents, found.refreshes_sent, self.connections
        )?;
        writeln!(
            f,
            "  in the second fifth of the run and in the last: {} and {} KiB allocated, {} and {} KiB resident, {} and {} \
             descriptors ({} at most)",
            self.allocated.early,
            self.allocated.late,
            self.resident.early,
            self.resident.late,
            self.descriptors.early,
            self.descriptors.late,
            self.most_descriptors
        )?;
        table(f, "faults that were met", &self.faults)?;
        table(f, "errors", &found.errors)
    }
}

fn table(f: &mut fmt::Formatter<'_>, title: &str, counts: &BTreeMap<String, u64>) -> fmt::Result {
    writeln!(f, "  {title}:")?;
    counts.iter().try_for_each(|(name, count)| writeln!(f, "    {count:>7}  {name}"))
}
