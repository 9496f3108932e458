//! The process that makes the checks of a load: many at once, over consents that it keeps alive.

use std::collections::HashSet;
use std::io::{self, Write as _};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cbpii::many::{FundsCheck, ManyOptions, confirm_many_with};
use cbpii::store::MemoryStore;
use cbpii::{
    CallOptions, Client, ConsentOptions, ErrorKind, FundsConfirmation, Session, SessionOptions, SessionPool,
    Tokens,
};
use serde::{Deserialize, Serialize};

use crate::questions::{CARDHOLDERS, Question, persona};
use crate::setup::{Setup, sealed};
use crate::{Failure, HEAP};

/// The time a check has, and a token request.
pub(crate) const TIME: Duration = Duration::from_millis(1_500);
const TOKEN_TIME: Duration = Duration::from_secs(3);
/// After so many answers one cardholder consents anew, though nothing forces it.
const RENEWAL_EVERY: u64 = 400;
/// After so many answers it is told how much is allocated.
const WEIGHED_EVERY: u64 = 100;
/// How often a cardholder is sent to the bank until the exchange of a code works.
const PATIENCE: usize = 50;

/// What the process tells, a line of JSON each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    /// A cardholder is at the bank's consent page; the callback is awaited as a line.
    Consent { persona: String, url: String },
    /// A code was not exchanged.
    NotExchanged { code: String },
    /// A cardholder's consent is kept.
    Kept,
    /// A check ended.
    Ended { number: u64, outcome: Outcome },
    /// So many KiB are allocated. Told now and then, between two checks.
    Holds { kib: usize },
    /// All checks have ended. The process goes on until its input ends, so that it can be looked at.
    Done,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Answered { available: bool, reference: String, request_id: Option<String> },
    Failed { kind: String, code: String },
}

fn say(said: &Said) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string(said)?)?)
}

/// Makes `checks` checks with `in_flight` under way at a time, and tells the outcomes on the standard output.
///
/// # Errors
/// When the library cannot be set up, or the process is not listened to any more.
pub fn check(setup: &str, seed: u64, checks: u64, in_flight: usize) -> Result<(), Failure> {
    let client = Setup::read(setup)?.client(|builder| builder)?;
    let options = SessionOptions::default().refresh_timeout(TOKEN_TIME);
    let pool = SessionPool::with_options(client.clone(), sealed(MemoryStore::new()), options)?;
    let desk = Desk { client, pool };
    let sessions: Vec<Session> =
        (0..CARDHOLDERS).map(|cardholder| desk.consent(cardholder)).collect::<Result<_, _>>()?;
    let waiting = Arc::<Mutex<HashSet<u64>>>::default();
    let (renew, renewals) = channel();
    let served = Arc::clone(&waiting);
    let renewer = std::thread::spawn(move || desk.serve(&renewals, &served));
    let source = (0..checks).map_while(move |number| {
        let question = Question::new(seed, number);
        let session = sessions[usize::try_from(question.cardholder).ok()?].clone();
        Some(FundsCheck { session, request: question.request().ok()?, context: question })
    });
    let many = ManyOptions::new(in_flight).timeout(TIME);
    for (count, (check, outcome)) in (1u64..).zip(confirm_many_with(source, &many)?) {
        let cardholder = check.context.cardholder;
        let ended = matches!(&outcome, Err(error) if error.kind() == ErrorKind::ConsentRequired);
        if ended || count.is_multiple_of(RENEWAL_EVERY) {
            queue(&waiting, &renew, cardholder)?;
        }
        say(&Said::Ended { number: check.context.number, outcome: told(outcome) })?;
        if count.is_multiple_of(WEIGHED_EVERY) {
            say(&Said::Holds { kib: HEAP.current_usage() / 1024 })?;
        }
    }
    drop(renew);
    renewer.join().map_err(|_| "the renewals panicked")??;
    say(&Said::Done)?;
    io::stdin().read_line(&mut String::new())?;
    Ok(())
}

fn told(outcome: cbpii::Result<FundsConfirmation>) -> Outcome {
    match outcome {
        Ok(answer) => Outcome::Answered {
            available: answer.available,
            reference: answer.reference,
            request_id: answer.request_id,
        },
        Err(error) => {
            Outcome::Failed { kind: error.kind().to_string(), code: error.code().as_str().to_owned() }
        }
    }
}

/// Sends a cardholder to the bank, unless that is under way.
fn queue(waiting: &Mutex<HashSet<u64>>, renew: &Sender<u64>, cardholder: u64) -> Result<(), Failure> {
    if waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(cardholder) {
        renew.send(cardholder)?;
    }
    Ok(())
}

/// Where cardholders consent.
struct Desk {
    client: Client,
    pool: SessionPool,
}

impl Desk {
    fn serve(&self, renewals: &Receiver<u64>, waiting: &Mutex<HashSet<u64>>) -> Result<(), Failure> {
        for cardholder in renewals {
            self.consent(cardholder).map(drop)?;
            waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&cardholder);
        }
        Ok(())
    }

    /// Sends the cardholder to the bank until the code becomes tokens. A code whose exchange failed is not tried again.
    fn consent(&self, cardholder: u64) -> Result<Session, Failure> {
        for _ in 0..PATIENCE {
            if let Some(tokens) = self.tokens(cardholder)? {
                let session = self.pool.keep(&persona(cardholder), &tokens)?;
                say(&Said::Kept)?;
                return Ok(session);
            }
        }
        Err(format!("{PATIENCE} consents of one cardholder in a row came to nothing").into())
    }

    fn tokens(&self, cardholder: u64) -> Result<Option<Tokens>, Failure> {
        let pending = self.client.begin_consent(&ConsentOptions::default())?;
        say(&Said::Consent { persona: persona(cardholder), url: pending.url().to_owned() })?;
        let mut callback = String::new();
        io::stdin().read_line(&mut callback)?;
        let options = CallOptions::default().timeout(TOKEN_TIME);
        match self.client.complete_consent_with(&pending, callback.trim_end(), &options) {
            Ok(tokens) => Ok(Some(tokens)),
            Err(error) => {
                say(&Said::NotExchanged { code: error.code().as_str().to_owned() })?;
                Ok(None)
            }
        }
    }
}
