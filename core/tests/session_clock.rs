//! The consent's own clock, to the second.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "common/session.rs"]
mod support;

use std::time::Duration;

use cbpii::store::MemoryStore;
use cbpii::{ConsentState, ErrorCode, NextAction, Session, SessionOptions, SessionPool, Timestamp, Tokens};
use support::{MemoryBank, TestClock, check, invalid_grant, memory_client, sealed, token_answer};

const DAY: u64 = 24 * 60 * 60;

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A consent of `days` given at `given`, with tokens that do not end before it.
fn session(given: &str, days: u64, options: SessionOptions) -> (Session, TestClock, MemoryBank) {
    let given = moment(given);
    let clock = TestClock::at(given);
    let bank = MemoryBank::new(|_| token_answer("fresh", None));
    let pool =
        SessionPool::with_options(memory_client(&bank, &clock), sealed(MemoryStore::new()), options).unwrap();
    let end = given.saturating_add(Duration::from_secs(days * DAY));
    let tokens = Tokens::new("access", Some("refresh".into()), given, None, end).unwrap();
    (pool.keep("a", &tokens).unwrap(), clock, bank)
}

#[test]
fn a_consent_goes_from_active_to_renew_soon_to_expired_at_exact_seconds() {
    // 90 and 180 days, over a leap day, over one that is left out, and over the ends of summer time.
    for (given, days, renew_from, end) in [
        ("2027-12-01T10:30:15Z", 90, "2028-02-15T10:30:15Z", "2028-02-29T10:30:15Z"),
        ("2026-12-01T10:30:15Z", 90, "2027-02-15T10:30:15Z", "2027-03-01T10:30:15Z"),
        ("2028-01-31T23:59:59Z", 180, "2028-07-15T23:59:59Z", "2028-07-29T23:59:59Z"),
        ("2099-12-31T00:00:00Z", 90, "2100-03-17T00:00:00Z", "2100-03-31T00:00:00Z"),
        ("2026-06-01T00:00:00Z", 180, "2026-11-14T00:00:00Z", "2026-11-28T00:00:00Z"),
    ] {
        let (session, clock, bank) = session(given, days, SessionOptions::default());
        assert_eq!((session.renew_from(), session.consent_expires_at()), (moment(renew_from), moment(end)));
        let second = Duration::from_secs(1);
        for (now, state, action, days_left) in [
            (moment(given), ConsentState::Active, NextAction::None, days),
            (moment(given).saturating_add(second), ConsentState::Active, NextAction::None, days - 1),
            (moment(renew_from).saturating_sub(second), ConsentState::Active, NextAction::None, 14),
            (moment(renew_from), ConsentState::RenewSoon, NextAction::RenewConsent, 14),
            (
                moment(renew_from).saturating_add(second),
                ConsentState::RenewSoon,
                NextAction::RenewConsent,
                13,
            ),
            (moment(end).saturating_sub(second), ConsentState::RenewSoon, NextAction::RenewConsent, 0),
            (moment(end), ConsentState::Expired, NextAction::RenewConsent, 0),
            (moment(end).saturating_add(second), ConsentState::Expired, NextAction::RenewConsent, 0),
        ] {
            clock.set(now);
            let status = session.status();
            assert_eq!((status.state, status.next_action), (state, action), "{given} at {now}");
            assert_eq!(u64::from(status.days_left), days_left, "{given} at {now}");
        }
        clock.set(moment(end).saturating_sub(second));
        assert!(session.confirm_funds(&check("R1")).unwrap().available);
        clock.set(moment(end));
        let error = session.confirm_funds(&check("R2")).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ConsentExpired, "{error}");
        assert_eq!((bank.checks(), bank.refreshes()), (1, 0), "an expired consent asks the bank nothing");
    }
}

#[test]
fn when_to_renew_is_the_issuers_choice() {
    let week = Duration::from_secs(7 * DAY);
    let (session, clock, _) =
        session("2026-01-01T00:00:00Z", 90, SessionOptions::default().renew_before(week));
    assert_eq!(session.renew_from(), moment("2026-03-25T00:00:00Z"));
    clock.set(moment("2026-03-24T23:59:59Z"));
    assert_eq!(session.state(), ConsentState::Active);
}

#[test]
fn a_token_that_ends_without_a_refresh_token_is_the_end_of_the_consent() {
    let clock = TestClock::at(moment("2026-01-01T00:00:00Z"));
    let bank = MemoryBank::new(|_| invalid_grant());
    let pool = SessionPool::new(memory_client(&bank, &clock), sealed(MemoryStore::new()));
    let session = pool.keep("a", &support::tokens("access", None, moment("2026-01-01T00:00:00Z"))).unwrap();
    clock.set(moment("2026-01-01T00:59:59Z"));
    assert_eq!((session.state(), session.next_action()), (ConsentState::Active, NextAction::Refresh));
    clock.set(moment("2026-01-01T01:00:00Z"));
    assert_eq!((session.state(), session.next_action()), (ConsentState::Expired, NextAction::RenewConsent));
    assert_eq!(session.confirm_funds(&check("R")).unwrap_err().code(), ErrorCode::NoRefreshToken);
    assert_eq!(bank.refreshes(), 0);
}

#[test]
fn very_short_tokens_are_not_refreshed_at_every_check() {
    let start = moment("2026-01-01T00:00:00Z");
    let clock = TestClock::at(start);
    let bank = MemoryBank::new(|_| token_answer("fresh", None));
    let pool = SessionPool::new(memory_client(&bank, &clock), sealed(MemoryStore::new()));
    let end = |seconds| Some(start.saturating_add(Duration::from_secs(seconds)));
    let consent_end = start.saturating_add(Duration::from_secs(90 * DAY));
    let brief = Tokens::new("access", Some("refresh".into()), start, end(40), consent_end).unwrap();
    let session = pool.keep("a", &brief).unwrap();
    clock.set(moment("2026-01-01T00:00:19Z"));
    session.confirm_funds(&check("R1")).unwrap();
    assert_eq!(bank.refreshes(), 0);
    clock.set(moment("2026-01-01T00:00:20Z"));
    session.confirm_funds(&check("R2")).unwrap();
    assert_eq!(bank.refreshes(), 1);
}

#[test]
fn a_token_that_is_due_at_once_is_used_all_the_same() {
    let start = moment("2026-01-01T00:00:00Z");
    let clock = TestClock::at(start);
    let answer = || {
        let body = br#"{"access_token":"fresh","expires_in":0}"#.to_vec();
        cbpii::http::HttpResponse::new(200, [("content-type", "application/json")], body)
    };
    let bank = MemoryBank::new(move |_| answer());
    let pool = SessionPool::new(memory_client(&bank, &clock), sealed(MemoryStore::new()));
    let session = pool.keep("a", &support::tokens("access", Some("refresh"), start)).unwrap();
    clock.advance(Duration::from_secs(3600));
    assert!(session.confirm_funds(&check("R1")).unwrap().available);
    assert_eq!(bank.refreshes(), 1);
}

#[test]
fn options_are_checked() {
    let clock = TestClock::at(moment("2026-01-01T00:00:00Z"));
    let client = memory_client(&MemoryBank::new(|_| invalid_grant()), &clock);
    let day = Duration::from_secs(DAY);
    for bad in [
        SessionOptions::default().refresh_margin(day),
        SessionOptions::default().renew_before(day * 3651),
        SessionOptions::default().refresh_timeout(Duration::from_millis(999)),
        SessionOptions::default().refresh_timeout(Duration::from_secs(301)),
    ] {
        let error = SessionPool::with_options(client.clone(), sealed(MemoryStore::new()), bad).unwrap_err();
        assert_eq!(error.code(), ErrorCode::OptionValue);
    }
}
