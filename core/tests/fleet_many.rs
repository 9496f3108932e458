//! Many checks at once.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "common/session.rs"]
mod support;

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use cbpii::http::HttpResponse;
use cbpii::many::{FundsCheck, ManyOptions, confirm_many_with};
use cbpii::store::MemoryStore;
use cbpii::{
    Amount, CancelToken, Clock, ErrorCode, FundsRequest, Iban, RequestSent, Session, SessionPool, Timestamp,
    Tokens, confirm_many,
};
use cbpii_sandbox::{Control, Persona};
use support::{MemoryBank, TestClock, check, invalid_grant, memory_client_of, sealed, tokens};

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// A session at a bank in memory.
fn session(code: &str, bank: &MemoryBank, clock: &(impl Clock + Clone + 'static)) -> Session {
    let pool = SessionPool::new(memory_client_of(code, bank, clock), sealed(MemoryStore::new()));
    pool.keep("a", &tokens("access", Some("refresh"), clock.now())).unwrap()
}

fn numbered(session: &Session, count: usize) -> impl Iterator<Item = FundsCheck<usize>> + Send + use<> {
    let session = session.clone();
    (0..count).map(move |n| FundsCheck {
        session: session.clone(),
        request: check(&format!("R-{n}")),
        context: n,
    })
}

#[test]
fn every_check_comes_out_once_with_its_own_answer_and_is_counted() {
    let clock = TestClock::at(start());
    let refuse = |body: &str| {
        body.contains("R-13\"").then(|| HttpResponse::new(403, [("x", "y")], b"AC06".to_vec()).unwrap())
    };
    let bank = MemoryBank::with_funds(|_| invalid_grant(), refuse);
    let mut stream = confirm_many(numbered(&session("17515", &bank, &clock), 500), 8).unwrap();
    let mut seen = HashSet::new();
    for (check, outcome) in stream.by_ref() {
        assert!(seen.insert(check.context));
        match outcome {
            Ok(answer) => assert_eq!(answer.reference, format!("R-{}", check.context)),
            Err(error) => assert_eq!((check.context, error.code()), (13, ErrorCode::AccountBlocked)),
        }
    }
    assert_eq!(seen.len(), 500);
    let progress = stream.progress();
    assert_eq!((progress.done, progress.yes, progress.no, progress.errors), (500, 499, 0, 1));
    assert!(progress.rate > 0.0 && !progress.elapsed.is_zero());
}

/// Counts how many of it are alive.
struct Alive(Arc<AtomicI64>);

impl Alive {
    fn new(alive: &Arc<AtomicI64>, peak: &Arc<AtomicI64>) -> Self {
        peak.fetch_max(alive.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Self(Arc::clone(alive))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Checks that count how many of them are alive: without end, in turn at each of the sessions.
fn counted(sessions: Vec<Session>) -> (impl Iterator<Item = FundsCheck<Alive>> + Send, Arc<AtomicI64>) {
    let (alive, peak) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let highest = Arc::clone(&peak);
    let checks = (0usize..).map(move |n| FundsCheck {
        session: sessions[n % sessions.len()].clone(),
        request: check("R"),
        context: Alive::new(&alive, &highest),
    });
    (checks, peak)
}

#[test]
fn an_endless_input_is_pulled_no_faster_than_the_answers_are_taken() {
    let clock = TestClock::at(start());
    let bank = MemoryBank::new(|_| invalid_grant());
    let (checks, peak) = counted(vec![session("17515", &bank, &clock)]);
    let mut stream = confirm_many(checks, 8).unwrap();
    assert_eq!(stream.by_ref().take(20_000).filter(|(_, outcome)| outcome.is_ok()).count(), 20_000);
    // Under way, ready to be taken, and the one in hand.
    assert!(peak.load(Ordering::SeqCst) <= 8 + 8 + 1, "{} alive at once", peak.load(Ordering::SeqCst));
    stream.handle().cancel();
    assert!(stream.count() <= 8 + 8);
}

#[test]
fn checks_that_wait_for_a_pause_do_not_pile_up() {
    let clock = TestClock::at(start());
    let asked = AtomicUsize::new(0);
    let limited = MemoryBank::with_funds(
        |_| invalid_grant(),
        move |_| {
            let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            first.then(|| HttpResponse::new(429, [("retry-after", "30")], Vec::new()).unwrap())
        },
    );
    let quick = MemoryBank::new(|_| invalid_grant());
    let sessions = [session("17515", &quick, &clock), session("13807", &limited, &clock)];
    let pulled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&pulled);
    let checks = (0..40usize).map(move |n| {
        count.fetch_add(1, Ordering::SeqCst);
        FundsCheck { session: sessions[n % 2].clone(), request: check("R"), context: n }
    });
    let mut stream = confirm_many(checks, 1).unwrap();
    let first: Vec<usize> = stream.by_ref().take(4).map(|(check, _)| check.context).collect();
    assert_eq!(first, [0, 2, 4, 6]);
    // Four are set aside for one worker. A worker that went on pulling would do so now.
    (0..2_000).for_each(|_| std::thread::yield_now());
    assert!(pulled.load(Ordering::SeqCst) <= 8, "{} pulled", pulled.load(Ordering::SeqCst));
    clock.advance(Duration::from_secs(30));
    assert_eq!(stream.filter(|(_, outcome)| outcome.is_ok()).count(), 36);
}

fn pause_at_one_bank_only(header: fn(Timestamp) -> String) {
    let clock = TestClock::at(start());
    let (calls, asked) = (Arc::new(Mutex::new(Vec::new())), AtomicUsize::new(0));
    let (log, at) = (Arc::clone(&calls), clock.clone());
    let limited = MemoryBank::with_funds(
        |_| invalid_grant(),
        move |_| {
            log.lock().unwrap().push(at.now());
            let first = asked.fetch_add(1, Ordering::SeqCst) == 0;
            first.then(|| HttpResponse::new(429, [("retry-after", header(at.now()))], Vec::new()).unwrap())
        },
    );
    let other = MemoryBank::new(|_| invalid_grant());
    let (slow, quick) = (session("17515", &limited, &clock), session("13807", &other, &clock));
    let checks: Vec<_> = (0..40)
        .map(|n| FundsCheck {
            session: if n < 3 { slow.clone() } else { quick.clone() },
            request: check(&format!("R-{n}")),
            context: n,
        })
        .collect();
    let mut stream = confirm_many(checks, 1).unwrap();
    let first: Vec<i32> = stream
        .by_ref()
        .take(37)
        .map(|(check, outcome)| {
            assert!(outcome.unwrap().available);
            check.context
        })
        .collect();
    assert_eq!(first, (3..40).collect::<Vec<_>>(), "the other bank's checks went on");
    clock.advance(Duration::from_secs(30));
    let rest: HashSet<i32> = stream
        .map(|(check, outcome)| {
            assert!(outcome.unwrap().available, "asked again after the pause");
            check.context
        })
        .collect();
    assert_eq!(rest, HashSet::from([0, 1, 2]));
    let end = start().saturating_add(Duration::from_secs(30));
    assert_eq!(*calls.lock().unwrap(), [start(), end, end, end], "left alone during the pause");
}

#[test]
fn a_bank_that_asks_for_a_pause_in_seconds_is_left_alone_and_the_others_go_on() {
    pause_at_one_bank_only(|_| "30".to_owned());
}

#[test]
fn a_bank_that_asks_for_a_pause_until_a_date_is_left_alone_and_the_others_go_on() {
    pause_at_one_bank_only(|_| "Thu, 01 Jan 2026 00:00:30 GMT".to_owned());
}

#[test]
fn a_pause_that_is_too_long_is_an_error_and_nothing_is_sent_meanwhile() {
    let clock = TestClock::at(start());
    let limited = |_: &str| Some(HttpResponse::new(429, [("retry-after", "3600")], Vec::new()).unwrap());
    let bank = MemoryBank::with_funds(|_| invalid_grant(), limited);
    let options = ManyOptions::new(1).max_pause(Duration::from_secs(60));
    let stream = confirm_many_with(numbered(&session("17515", &bank, &clock), 5), &options).unwrap();
    let errors: Vec<_> = stream.map(|(_, outcome)| outcome.unwrap_err()).collect();
    assert!(
        errors.iter().all(|error| error.code() == ErrorCode::RateLimited && error.retry_after().is_some())
    );
    assert_eq!(errors.iter().filter(|error| error.request_sent() == RequestSent::No).count(), 4);
    assert_eq!(bank.checks(), 1);
}

#[test]
fn a_cancelled_stream_ends_and_gives_back_all_it_pulled() {
    let clock = TestClock::at(start());
    let bank = MemoryBank::new(|_| invalid_grant());
    let session = session("17515", &bank, &clock);
    let pulled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&pulled);
    let endless = std::iter::repeat_with(move || {
        count.fetch_add(1, Ordering::SeqCst);
        FundsCheck { session: session.clone(), request: check("R"), context: () }
    });
    for by_its_handle in [true, false] {
        pulled.store(0, Ordering::SeqCst);
        let token = CancelToken::new();
        let options = ManyOptions::new(4).cancel(token.clone());
        let mut stream = confirm_many_with(endless.clone(), &options).unwrap();
        let before = stream.by_ref().take(10).count();
        if by_its_handle {
            stream.handle().cancel()
        } else {
            token.cancel()
        }
        let after = stream.count();
        assert_eq!(before + after, pulled.load(Ordering::SeqCst));
    }
}

#[test]
fn a_dropped_stream_lets_go_of_its_source() {
    let clock = TestClock::at(start());
    let bank = MemoryBank::new(|_| invalid_grant());
    let session = session("17515", &bank, &clock);
    let (held, released) = mpsc::channel::<()>();
    let endless = std::iter::repeat_with(move || {
        let _ = &held;
        FundsCheck { session: session.clone(), request: check("R"), context: () }
    });
    drop(confirm_many(endless, 4).unwrap());
    assert!(released.recv().is_err(), "the workers have ended");
}

#[test]
fn a_panic_of_the_source_reaches_the_consumer_after_the_answers() {
    let clock = TestClock::at(start());
    let bank = MemoryBank::new(|_| invalid_grant());
    let source =
        numbered(&session("17515", &bank, &clock), 9).inspect(|check| assert!(check.context < 5, "meant"));
    let mut stream = confirm_many(source, 2).unwrap();
    assert_eq!(stream.by_ref().take(5).count(), 5);
    assert!(catch_unwind(AssertUnwindSafe(|| stream.next().is_some())).is_err());
    assert!(stream.next().is_none());
}

#[test]
fn a_panic_in_a_check_is_its_error() {
    let clock = TestClock::at(start());
    let bank = MemoryBank::with_funds(
        |_| invalid_grant(),
        |body| {
            assert!(!body.contains("R-1\""), "meant");
            None
        },
    );
    let stream = confirm_many(numbered(&session("17515", &bank, &clock), 3), 2).unwrap();
    let failed: Vec<_> =
        stream.filter_map(|(check, outcome)| Some((check.context, outcome.err()?.code()))).collect();
    assert_eq!(failed, [(1, ErrorCode::Internal)]);
}

#[test]
fn the_number_of_workers_has_bounds() {
    for count in [0, 257] {
        let refused = confirm_many(Vec::<FundsCheck>::new(), count).map(|_| ()).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::OptionValue);
    }
    assert_eq!(confirm_many(Vec::<FundsCheck>::new(), 256).unwrap().count(), 0);
}

/// A French IBAN of the sandbox's bank for an account of this number.
fn iban(number: u64) -> String {
    let bban = format!("1751500000{number:011}00");
    let rest =
        format!("{bban}152700").bytes().fold(0, |rest, digit| (rest * 10 + u64::from(digit - b'0')) % 97);
    format!("FR{:02}{bban}", 98 - rest)
}

/// A cardholder who has `number` euros, and the tokens of her consent; every tenth token has ended.
fn cardholder(control: &Control, pool: &SessionPool, number: u64) -> Session {
    let mut persona: Persona = control.personas().into_iter().find(|known| known.id == "CLAIRE").unwrap();
    persona.id = format!("P-{number}");
    persona.iban = iban(number);
    persona.available = number.into();
    control.put_persona(persona).unwrap();
    let issued = control.issue_tokens(&format!("P-{number}"), None).unwrap();
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let now = cbpii::SystemClock.now();
    let end = if number.is_multiple_of(10) { now } else { now.saturating_add(Duration::from_secs(3600)) };
    let consent_end = now.saturating_add(Duration::from_secs(180 * 24 * 3600));
    let tokens =
        Tokens::new(text("access_token"), Some(text("refresh_token").into()), now, Some(end), consent_end)
            .unwrap();
    pool.keep(&format!("consent-{number}"), &tokens).unwrap()
}

#[test]
fn ten_thousand_checks_over_five_hundred_consents_match_their_answers() {
    let sandbox = common::sandbox();
    let control = sandbox.control();
    let _ = control.configure(&serde_json::json!({ "recording": false })).unwrap();
    let pool = SessionPool::new(common::client(&sandbox), sealed(MemoryStore::new()));
    let sessions: Vec<Session> = (1..=500).map(|number| cardholder(&control, &pool, number)).collect();
    let checks = (0..10_000u64).map(move |n| {
        let (number, amount) = (n % 500 + 1, n * 7919 % 500 + 1);
        let account = Iban::parse(&iban(number)).unwrap();
        let amount_text = Amount::new(&amount.to_string(), "EUR").unwrap();
        let request = FundsRequest::new(&format!("R-{n}"), account, amount_text).unwrap();
        let session = sessions[usize::try_from(number - 1).unwrap()].clone();
        FundsCheck { session, request, context: amount <= number }
    });
    let mut stream = confirm_many(checks, 8).unwrap();
    let mut seen = HashSet::new();
    for (check, outcome) in stream.by_ref() {
        let answer = outcome.unwrap();
        assert_eq!((answer.reference.as_str(), answer.available), (check.request.reference(), check.context));
        assert!(seen.insert(answer.reference));
    }
    assert_eq!(seen.len(), 10_000);
    let progress = stream.progress();
    assert_eq!((progress.done, progress.errors), (10_000, 0));
    assert!(progress.yes > 1000 && progress.no > 1000);
    println!("{:.0} checks a second", progress.rate);
}
