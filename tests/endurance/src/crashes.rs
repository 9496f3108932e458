//! Processes that are killed in the middle of a refresh.
//!
//! A process that is killed has told which refreshes are in the store. So the bank and the judge know, when the next
//! process makes its first check, what the outcome must be:
//!
//! - the bank did no refresh beyond those: the store holds the token that the bank honours, and the check must work;
//! - the bank did one more, and its tokens got into the store: the check must work;
//! - the bank did one more, and the process died before its tokens were in the store: the bank honours nothing that is
//!   left, and the error must be `consent.refresh_answer_lost`, with the bank's `invalid_grant`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufReader, Lines, Write as _};
use std::path::Path;
use std::process::ChildStdout;
use std::time::{Duration, Instant};

use cbpii::store::SqliteStore;
use cbpii::{Client, Clock as _, ConsentOptions, SessionPool, SystemClock};
use cbpii_sandbox::{Persona, Sandbox, SandboxOptions};
use serde_json::json;

use crate::Failure;
use crate::process::Worker;
use crate::questions::{iban, persona};
use crate::refresher::{CONSENTS, Heard, LIFE, ROUNDS};
use crate::setup::{Setup, sealed};

/// The longest a process lives on after its first checks.
const LONGEST_LIFE: Duration = Duration::from_millis(60);

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct CrashPlan {
    /// Where randomness starts.
    pub seed: u64,
    /// How many processes are killed.
    pub kills: u64,
    /// Whether the bank replaces refresh tokens: only then can a crash cost a consent.
    pub rotates: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct CrashReport {
    plan: CrashPlan,
    elapsed: Duration,
    refreshes: u64,
    untouched: u64,
    saved: u64,
    repeated: u64,
    lost: u64,
    other: BTreeMap<String, u64>,
    wrong: Vec<String>,
}

/// What is known of one consent.
#[derive(Clone, Copy, Default)]
struct Known {
    /// How many refreshes were told to be in the store.
    told: u64,
    /// It has to be given anew.
    is_lost: bool,
}

struct Run {
    sandbox: Sandbox,
    pool: SessionPool,
    known: Vec<Known>,
    report: CrashReport,
}

/// Kills processes of `program`, which must call [`refresh`](crate::refresh) when its first argument is `refresh`.
///
/// # Errors
/// When the run cannot be made; what it finds out is in the report.
pub fn crashes(program: &Path, plan: CrashPlan) -> Result<CrashReport, Failure> {
    let started = Instant::now();
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let sandbox = bank(plan.rotates)?;
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("consents.db");
    let setup = Setup::of(&sandbox, plan.rotates);
    let pool = SessionPool::new(setup.client(|builder| builder)?, sealed(SqliteStore::open(&database)?));
    let mut run = Run::new(plan, sandbox, pool)?;
    let (setup, database) = (setup.text()?, database.to_str().ok_or("a strange path")?.to_owned());
    let start = SystemClock.now().unix_millis();
    let epoch = i64::try_from((LIFE * (ROUNDS + 6)).as_millis())?;
    // The last process is not killed for its own sake: it tells what became of the one before.
    for generation in 1..=plan.kills + 1 {
        let moment = (start + epoch * i64::try_from(generation)?).to_string();
        let (worker, mut lines, mut input) =
            Worker::start(program, &["refresh", &setup, &database, &moment])?;
        run.first_checks(&mut lines)?;
        input.write_all(b"go on\n")?;
        std::thread::sleep(LONGEST_LIFE.mul_f64(random.f64()));
        worker.kill()?;
        for line in lines {
            run.later_check(&serde_json::from_str(&line?)?)?;
        }
        run.renew_lost()?;
    }
    run.report.elapsed = started.elapsed();
    Ok(run.report)
}

/// A bank whose customers have more than is asked for. The clocks of the killed processes run ahead of its own.
fn bank(rotates: bool) -> Result<Sandbox, Failure> {
    let settings = json!({
        "refresh_token_rotation": if rotates { "rotated" } else { "same" },
        "access_token_seconds": LIFE.as_secs(),
        "date_tolerance_seconds": null,
    });
    let sandbox = Sandbox::start(SandboxOptions { settings: Some(settings), ..SandboxOptions::default() })?;
    let known = sandbox.control().personas().into_iter().next().ok_or("the bank has no customer")?;
    for consent in 0..CONSENTS {
        let (id, iban) = (persona(consent), iban(consent));
        sandbox.control().put_persona(Persona { id, iban, available: 100.into(), ..known.clone() })?;
    }
    Ok(sandbox)
}

impl Run {
    fn new(plan: CrashPlan, sandbox: Sandbox, pool: SessionPool) -> Result<Self, Failure> {
        let report = CrashReport::new(plan);
        let known = (0..CONSENTS).map(|_| Known { told: 0, is_lost: true }).collect();
        let mut run = Self { sandbox, pool, known, report };
        run.renew_lost()?;
        Ok(run)
    }

    /// The cardholders whose consents are lost consent again.
    fn renew_lost(&mut self) -> Result<(), Failure> {
        for (consent, known) in (0..CONSENTS).zip(&mut self.known) {
            if known.is_lost {
                let tokens = give_consent(&self.sandbox, self.pool.client(), &persona(consent))?;
                self.pool.keep(&persona(consent), &tokens).map(drop)?;
                *known = Known::default();
            }
        }
        Ok(())
    }

    /// The first check of each consent is judged: it tells what the process before left behind.
    fn first_checks(&mut self, lines: &mut Lines<BufReader<ChildStdout>>) -> Result<(), Failure> {
        for _ in 0..CONSENTS {
            let line = lines.next().ok_or("the process ended by itself")??;
            let heard: Heard = serde_json::from_str(&line)?;
            let name = persona(heard.consent());
            let done = self.sandbox.control().refreshes(&name).ok_or("the bank knows no such consent")?;
            let known = self.known.get_mut(usize::try_from(heard.consent())?).ok_or("no such consent")?;
            self.report.first_check(known, &heard, done);
        }
        Ok(())
    }

    /// What a process told after that, before it was killed.
    fn later_check(&mut self, heard: &Heard) -> Result<(), Failure> {
        let known = self.known.get_mut(usize::try_from(heard.consent())?).ok_or("no such consent")?;
        match heard {
            Heard::Answered { .. } => {
                known.told += 1;
                self.report.refreshes += 1;
            }
            Heard::Failed { code, .. } => self.report.other_failure(code),
        }
        Ok(())
    }
}

/// Whether a consent is over, by the code of an error.
fn is_end(code: &str) -> bool {
    code.starts_with("consent.")
}

impl CrashReport {
    fn new(plan: CrashPlan) -> Self {
        Self {
            plan,
            elapsed: Duration::ZERO,
            refreshes: 0,
            untouched: 0,
            saved: 0,
            repeated: 0,
            lost: 0,
            other: BTreeMap::new(),
            wrong: Vec::new(),
        }
    }

    /// `done`: how many refreshes the bank has done, that of this check included.
    fn first_check(&mut self, known: &mut Known, heard: &Heard, done: u64) {
        let beyond = done.saturating_sub(known.told);
        match heard {
            Heard::Answered { .. } => {
                match beyond {
                    1 => self.untouched += 1,
                    2 if self.plan.rotates => self.saved += 1,
                    2 => self.repeated += 1,
                    _ => {
                        self.wrong.push(format!("a yes after {done} refreshes, {} of them told", known.told))
                    }
                }
                known.told = done;
            }
            Heard::Failed { code, bank_code, .. } if is_end(code) => {
                known.is_lost = true;
                self.lost += 1;
                let as_documented =
                    code == "consent.refresh_answer_lost" && bank_code.as_deref() == Some("invalid_grant");
                if !self.plan.rotates || !as_documented || beyond != 1 {
                    let told = known.told;
                    self.wrong.push(format!(
                        "{code} ({bank_code:?}) after {done} refreshes at the bank, {told} of them told"
                    ));
                }
            }
            Heard::Failed { code, .. } => self.other_failure(code),
        }
    }

    /// A failure that a kill does not explain: a machine that stands still may run out of time.
    fn other_failure(&mut self, code: &str) {
        *self.other.entry(code.to_owned()).or_default() += 1;
        if is_end(code) {
            self.wrong.push(format!("{code} in a process that was alive"));
        }
    }

    /// What must not be, in words: a consent that was lost though the bank honours what the store held, or one that the
    /// bank refreshed without anybody's knowledge.
    #[must_use]
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }

    /// How many first checks after a kill there were: at consents that the kill did not touch, whose new tokens had been
    /// saved, whose refresh was repeated (at a bank that keeps the token), and that were lost with the answer.
    #[must_use]
    pub fn outcomes(&self) -> (u64, u64, u64, u64) {
        (self.untouched, self.saved, self.repeated, self.lost)
    }
}

impl fmt::Display for CrashReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bank = if self.plan.rotates { "replaces refresh tokens" } else { "keeps refresh tokens" };
        writeln!(f, "Kills: seed {}, the bank {bank}", self.plan.seed)?;
        writeln!(
            f,
            "  {} processes killed in {:.0} s, {CONSENTS} consents each, {} refreshes",
            self.plan.kills,
            self.elapsed.as_secs_f64(),
            self.refreshes
        )?;
        writeln!(f, "  first checks of the process after:")?;
        writeln!(f, "    {:>6}  worked: no refresh was under way at the bank", self.untouched)?;
        writeln!(f, "    {:>6}  worked: a refresh was, and its tokens had got into the store", self.saved)?;
        writeln!(f, "    {:>6}  worked: a refresh was, and was repeated with the old token", self.repeated)?;
        writeln!(
            f,
            "    {:>6}  refresh_answer_lost: a refresh was, and its tokens died with the process",
            self.lost
        )?;
        self.other
            .iter()
            .try_for_each(|(code, count)| writeln!(f, "    {count:>6}  {code}, whose consent lives on"))?;
        writeln!(f, "  wrong: {}", self.wrong.len())?;
        self.wrong.iter().try_for_each(|what| writeln!(f, "    {what}"))
    }
}

fn give_consent(sandbox: &Sandbox, client: &Client, persona: &str) -> Result<cbpii::Tokens, Failure> {
    let pending = client.begin_consent(&ConsentOptions::default())?;
    let callback = sandbox.approve(pending.url(), persona)?;
    Ok(client.complete_consent(&pending, &callback)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many wrongs a first check makes, at a consent of which 5 refreshes were told.
    fn wrongs(rotates: bool, heard: &Heard, done: u64) -> usize {
        let plan = CrashPlan { seed: 0, kills: 0, rotates };
        let mut report = CrashReport::new(plan);
        report.first_check(&mut Known { told: 5, is_lost: false }, heard, done);
        report.wrong.len()
    }

    #[test]
    fn the_judge_knows_right_from_wrong() {
        let failed = |code: &str, bank_code: Option<&str>| Heard::Failed {
            consent: 0,
            code: code.to_owned(),
            bank_code: bank_code.map(str::to_owned),
        };
        let answered = Heard::Answered { consent: 0 };
        let lost = failed("consent.refresh_answer_lost", Some("invalid_grant"));
        assert_eq!([5, 6, 7, 8].map(|done| wrongs(true, &answered, done)), [1, 0, 0, 1]);
        assert_eq!([5, 6, 7].map(|done| wrongs(true, &lost, done)), [1, 0, 1]);
        assert_eq!(wrongs(false, &lost, 6), 1);
        assert_eq!(wrongs(true, &failed("consent.refresh_answer_lost", None), 6), 1);
        assert_eq!(wrongs(true, &failed("consent.lost", Some("invalid_grant")), 6), 1);
        assert_eq!(wrongs(true, &failed("timeout.total", None), 6), 0);
    }
}
