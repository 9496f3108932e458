//! Calls at a bank that stalls: each must end at its deadline.
//!
//! A machine that is busy wakes every sleeper late. So a plain sleep of the same length runs beside each call, and the
//! call may be later than the sleep by 50 ms. A call that is later still is made again: chance does not repeat itself,
//! a call that is held does.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use cbpii::{Amount, CallOptions, Client, ErrorCode, FundsRequest, Iban, Timestamp, Tokens};
use cbpii_sandbox::{Control, Endpoint, Fault, FaultRule, Sandbox, SandboxOptions};

use crate::Failure;
use crate::setup::Setup;

/// How late a call may be.
const ALLOWED: Duration = Duration::from_millis(50);
/// How often a call that was late is made again.
const TRIES: usize = 5;
/// Longer than any deadline here.
const AGES: u64 = 600_000;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct DeadlinePlan {
    /// Where randomness starts.
    pub seed: u64,
    /// How many calls per way of stalling.
    pub calls: usize,
    /// The longest deadline; the shortest is 20 ms.
    pub longest: Duration,
}

/// One way of stalling, and how late its calls were.
#[derive(Debug)]
struct Way {
    name: String,
    /// Beyond the deadline, sorted.
    late: Vec<Duration>,
    /// Calls beyond what is allowed, the lateness of the machine taken off.
    repeated: usize,
    /// Such calls that were late every time.
    held: usize,
}

/// What came of it.
#[derive(Debug)]
pub struct DeadlineReport {
    plan: DeadlinePlan,
    ways: Vec<Way>,
}

/// What is called.
#[derive(Clone, Copy, PartialEq)]
enum Call {
    Check,
    Refresh,
}

struct Setting {
    control: Control,
    client: Client,
    tokens: Tokens,
    question: FundsRequest,
}

/// Calls a bank that stalls in every way that the sandbox knows.
///
/// # Errors
/// When the run cannot be made, or a call ends otherwise than by its deadline.
pub fn deadlines(plan: DeadlinePlan) -> Result<DeadlineReport, Failure> {
    let sandbox = Sandbox::start(SandboxOptions::default())?;
    let setting = Setting::new(&sandbox)?;
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let delay = Fault::Delay { milliseconds: AGES };
    let of_request = [Fault::Stall, Fault::StallAfterHeaders, Fault::Hold, delay];
    let mut ways = Vec::new();
    for (call, endpoint) in [(Call::Check, Endpoint::Funds), (Call::Refresh, Endpoint::Token)] {
        for fault in &of_request {
            ways.push(setting.way(call, endpoint, fault, plan, &mut random)?);
        }
        ways.push(setting.way(call, Endpoint::Connection, &Fault::Stall, plan, &mut random)?);
    }
    Ok(DeadlineReport { plan, ways })
}

impl Setting {
    fn new(sandbox: &Sandbox) -> Result<Self, Failure> {
        let client = Setup::of(sandbox, false).client(|builder| builder)?;
        let issued = sandbox.control().issue_tokens("CLAIRE", None)?;
        let text =
            |name: &str| issued.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let now = Timestamp::from(SystemTime::now());
        let end = now.saturating_add(Duration::from_secs(24 * 60 * 60));
        let tokens = Tokens::new(text("access_token"), Some(text("refresh_token").into()), now, None, end)?;
        let account = Iban::parse("FR7617515900000800358074006")?;
        let question = FundsRequest::new("STALLED", account, Amount::new("1.00", "EUR")?)?;
        Ok(Self { control: sandbox.control(), client, tokens, question })
    }

    fn way(
        &self,
        call: Call,
        endpoint: Endpoint,
        fault: &Fault,
        plan: DeadlinePlan,
        random: &mut fastrand::Rng,
    ) -> Result<Way, Failure> {
        // Connections that are open already would not meet a fault of new ones.
        self.control.clear_faults();
        self.control.close_connections();
        self.control.set_fault(FaultRule::always(endpoint, fault.clone()))?;
        let place = if endpoint == Endpoint::Connection { "handshake" } else { "request" };
        let what = if call == Call::Check { "check" } else { "refresh" };
        let name = format!("{what}: {} in the {place}", fault.kind());
        let mut way = Way { name, late: Vec::new(), repeated: 0, held: 0 };
        for _ in 0..plan.calls {
            let longest = u64::try_from(plan.longest.as_millis())?;
            let deadline = Duration::from_millis(random.u64(20..=longest));
            way.add(self, call, deadline)?;
        }
        way.late.sort_unstable();
        self.control.clear_faults();
        Ok(way)
    }

    /// How late a call is, and how late a sleep is that runs beside it.
    fn late(&self, call: Call, deadline: Duration) -> Result<(Duration, Duration), Failure> {
        let options = CallOptions::default().timeout(deadline);
        std::thread::scope(|scope| {
            let beside = scope.spawn(move || {
                let started = Instant::now();
                std::thread::sleep(deadline);
                started.elapsed().saturating_sub(deadline)
            });
            let started = Instant::now();
            let outcome = match call {
                Call::Check => {
                    self.client.confirm_funds_with(&self.tokens, &self.question, &options).map(drop)
                }
                Call::Refresh => self.client.refresh_with(&self.tokens, &options).map(drop),
            };
            let late = started.elapsed().saturating_sub(deadline);
            match outcome {
                Err(error) if error.code() == ErrorCode::TotalTimeout => {}
                Err(error) => return Err(format!("not a time-out but {}", error.code()).into()),
                Ok(()) => return Err("an answer of a bank that stalls".into()),
            }
            Ok((late, beside.join().map_err(|_| "the sleeper panicked")?))
        })
    }
}

impl Way {
    fn add(&mut self, setting: &Setting, call: Call, deadline: Duration) -> Result<(), Failure> {
        for attempt in 0..TRIES {
            let (late, machine) = setting.late(call, deadline)?;
            if attempt == 0 {
                self.late.push(late);
            }
            if late.saturating_sub(machine) <= ALLOWED {
                return Ok(());
            }
            self.repeated += usize::from(attempt == 0);
        }
        self.held += 1;
        Ok(())
    }

    fn share(&self, per_mille: usize) -> f64 {
        let at = (self.late.len().saturating_sub(1)) * per_mille / 1000;
        self.late.get(at).copied().unwrap_or_default().as_secs_f64() * 1e3
    }
}

impl DeadlineReport {
    /// The ways of stalling at which a call was held beyond its deadline and what is allowed, each time it was tried.
    #[must_use]
    pub fn held(&self) -> Vec<&str> {
        self.ways.iter().filter(|way| way.held > 0).map(|way| way.name.as_str()).collect()
    }

    /// How many calls were made, not counting those that were made again.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.ways.iter().map(|way| way.late.len()).sum()
    }
}

impl fmt::Display for DeadlineReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Deadlines: seed {}, {} calls per way with 20 to {} ms each; milliseconds beyond the deadline, on this machine:",
            self.plan.seed,
            self.plan.calls,
            self.plan.longest.as_millis()
        )?;
        writeln!(f, "  median    99 %  at most   beyond 50 and the machine's own   held")?;
        for way in &self.ways {
            writeln!(
                f,
                "  {:6.2}  {:6.2}   {:6.2}   {:31}   {:4}   {}",
                way.share(500),
                way.share(990),
                way.share(1000),
                way.repeated,
                way.held,
                way.name
            )?;
        }
        Ok(())
    }
}
