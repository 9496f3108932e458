//! The process that is killed: it opens the store and refreshes every consent in it again and again.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use cbpii::store::SqliteStore;
use cbpii::{Amount, Clock, FundsRequest, Iban, Session, SessionPool, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::questions::{iban, persona};
use crate::setup::{Setup, sealed};

/// How many consents are in the store.
pub(crate) const CONSENTS: u64 = 4;
/// How long an access token lives: the clock is moved by as much after each check, so that the next one refreshes.
pub(crate) const LIFE: Duration = Duration::from_secs(600);
/// How often a consent is refreshed at most; then the process waits to be killed.
pub(crate) const ROUNDS: u32 = 24;

/// What the process tells, a line of JSON each: a check of this consent was answered by yes, after a refresh whose
/// tokens are in the store, or it failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Heard {
    Answered { consent: u64 },
    Failed { consent: u64, code: String, bank_code: Option<String> },
}

/// A clock that stands still until it is moved.
struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.0.load(Ordering::SeqCst))
    }
}

impl Heard {
    pub(crate) fn consent(&self) -> u64 {
        match self {
            Self::Answered { consent } | Self::Failed { consent, .. } => *consent,
        }
    }
}

/// Opens the store `database` at the moment `start` (Unix milliseconds), checks every consent in it once, waits for a
/// line, and then refreshes them all again and again until the process is killed.
///
/// # Errors
/// When the library cannot be set up, or the process is not listened to any more.
pub fn refresh(setup: &str, database: &Path, start: i64) -> Result<(), Failure> {
    let setup = Setup::read(setup)?;
    let open = |consent| Consent::open(&setup, database, start, consent);
    let consents = (0..CONSENTS).map(open).collect::<Result<Vec<_>, _>>()?;
    at_once(&consents, |consent| {
        consent.is_alive.store(consent.check()?, Ordering::SeqCst);
        Ok(())
    })?;
    io::stdin().read_line(&mut String::new())?;
    at_once(&consents, |consent| {
        for _ in 0..ROUNDS {
            if !consent.is_alive.load(Ordering::SeqCst) {
                break;
            }
            consent.clock.0.fetch_add(i64::try_from(LIFE.as_millis())?, Ordering::SeqCst);
            consent.is_alive.store(consent.check()?, Ordering::SeqCst);
        }
        Ok(())
    })?;
    // Until it is killed.
    io::stdin().read_line(&mut String::new())?;
    Ok(())
}

/// Does it for each consent on a thread of its own.
fn at_once(
    consents: &[Consent],
    work: impl Fn(&Consent) -> Result<(), Failure> + Sync,
) -> Result<(), Failure> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = consents.iter().map(|consent| scope.spawn(|| work(consent))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })
}

/// One consent, with a client, a connection to the store and a clock of its own.
struct Consent {
    number: u64,
    clock: Arc<Moved>,
    session: Session,
    question: FundsRequest,
    /// Whether its last check was answered.
    is_alive: AtomicBool,
}

impl Consent {
    fn open(setup: &Setup, database: &Path, start: i64, number: u64) -> Result<Self, Failure> {
        let clock = Arc::new(Moved(AtomicI64::new(start)));
        let client = setup.client(|builder| builder.clock(Arc::clone(&clock)))?;
        let session =
            SessionPool::new(client, sealed(SqliteStore::open(database)?)).open(&persona(number))?;
        let question = FundsRequest::new("KILLED", Iban::parse(&iban(number))?, Amount::new("1.00", "EUR")?)?;
        Ok(Self { number, clock, session, question, is_alive: AtomicBool::new(true) })
    }

    /// One check, which refreshes first; tells how it went. Whether it was answered.
    fn check(&self) -> Result<bool, Failure> {
        let consent = self.number;
        let heard = match self.session.confirm_funds(&self.question) {
            Ok(answer) if answer.available && !self.session.has_unsaved_tokens() => {
                Heard::Answered { consent }
            }
            Ok(_) => return Err("not a yes, or its tokens are not in the store".into()),
            Err(error) => Heard::Failed {
                consent,
                code: error.code().as_str().to_owned(),
                bank_code: error.bank_code().map(str::to_owned),
            },
        };
        writeln!(io::stdout(), "{}", serde_json::to_string(&heard)?)?;
        Ok(matches!(heard, Heard::Answered { .. }))
    }
}
