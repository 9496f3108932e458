//! Sessions against the sandbox bank: refreshing in time, once, and without ever losing a consent by accident.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "common/session.rs"]
mod support;

use std::sync::Barrier;
use std::time::Duration;

use cbpii::session::ConsentEvent;
use cbpii::store::{MemoryStore, SealedStore};
use cbpii::{
    Advice, CallOptions, CancelToken, Client, ConsentState, ErrorCode, ErrorKind, NextAction, Secret,
    Session, SessionPool, Tokens,
};
use cbpii_sandbox::{Endpoint, Fault, FaultRule, RefreshTokenRotation, Sandbox};
use support::{TestClock, careful_builder, check, refreshes, rotating, sealed};

/// A bank, a client that shares its clock, and CLAIRE's consent kept in a store in memory.
struct Scene {
    sandbox: Sandbox,
    clock: TestClock,
    client: Client,
    store: SealedStore,
    pool: SessionPool,
    session: Session,
    tokens: Tokens,
}

fn scene(rotation: RefreshTokenRotation) -> Scene {
    let sandbox = rotating(rotation);
    let clock = TestClock::now_real();
    // Tests move one clock without the other.
    sandbox.control().configure(&serde_json::json!({ "date_tolerance_seconds": 1_000_000 })).unwrap();
    let client = careful_builder(&sandbox).clock(clock.clone()).build().unwrap();
    let tokens = common::consent(&sandbox, &client, "CLAIRE");
    let store = sealed(MemoryStore::new());
    let pool = SessionPool::new(client.clone(), store.clone());
    let session = pool.keep("claire", &tokens).unwrap();
    Scene { sandbox, clock, client, store, pool, session, tokens }
}

impl Scene {
    /// Moves the clocks of both sides.
    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.sandbox.control().advance_clock(Duration::from_secs(seconds));
    }

    fn fault(&self, fault: Fault) {
        self.sandbox.control().set_fault(FaultRule::once(Endpoint::Token, fault)).unwrap();
    }

    /// As another process on the same store sees it.
    fn elsewhere(&self) -> Session {
        SessionPool::new(self.client.clone(), self.store.clone()).open("claire").unwrap()
    }

    fn events(&self) -> Vec<ConsentEvent> {
        self.session.history().iter().map(|moment| moment.event).collect()
    }
}

fn unavailable() -> Fault {
    Fault::Answer { status: 503, headers: Vec::new(), content_type: None, body: String::new() }
}

#[test]
fn a_token_is_refreshed_from_the_second_of_the_margin_on() {
    let scene = scene(RefreshTokenRotation::Same);
    scene.clock.set(scene.tokens.expires_at().unwrap().saturating_sub(Duration::from_millis(60_001)));
    assert_eq!(scene.session.next_action(), NextAction::None);
    assert!(scene.session.confirm_funds(&check("R1")).unwrap().available);
    assert_eq!(refreshes(&scene.sandbox), 0);
    scene.clock.advance(Duration::from_millis(1));
    assert_eq!(scene.session.next_action(), NextAction::Refresh);
    assert!(scene.session.confirm_funds(&check("R2")).unwrap().available);
    assert!(scene.session.confirm_funds(&check("R3")).unwrap().available);
    assert_eq!(refreshes(&scene.sandbox), 1);
    assert_eq!(
        scene.session.consent_expires_at(),
        scene.tokens.consent_expires_at(),
        "refreshing moves no end"
    );
}

#[test]
fn a_refused_token_is_refreshed_once_and_the_check_is_answered() {
    let scene = scene(RefreshTokenRotation::Same);
    scene.sandbox.control().expire_access_tokens();
    assert!(scene.session.confirm_funds(&check("R1")).unwrap().available);
    assert_eq!(refreshes(&scene.sandbox), 1);
    assert_eq!(scene.events(), [ConsentEvent::Kept, ConsentEvent::RefreshStarted, ConsentEvent::Refreshed]);
}

#[test]
fn after_a_401_the_token_another_process_refreshed_is_used() {
    let scene = scene(RefreshTokenRotation::Rotated);
    let elsewhere = scene.elsewhere();
    scene.sandbox.control().expire_access_tokens();
    assert!(elsewhere.confirm_funds(&check("R1")).unwrap().available);
    assert!(scene.session.confirm_funds(&check("R2")).unwrap().available);
    assert_eq!(refreshes(&scene.sandbox), 1);
}

#[test]
fn a_token_refused_right_after_its_refresh_marks_the_consent_as_refused() {
    let scene = scene(RefreshTokenRotation::Same);
    let refused = Fault::Answer {
        status: 401,
        headers: Vec::new(),
        content_type: Some("application/json".to_owned()),
        body: r#"{"error":"invalid_token"}"#.to_owned(),
    };
    scene.sandbox.control().set_fault(FaultRule::times(Endpoint::Funds, 2, refused)).unwrap();
    let error = scene.session.confirm_funds(&check("R1")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::AccessTokenRefused);
    assert_eq!((refreshes(&scene.sandbox), scene.session.state()), (1, ConsentState::Refused));
    assert_eq!(scene.elsewhere().state(), ConsentState::Refused);
    assert!(scene.session.confirm_funds(&check("R2")).unwrap().available);
    assert_eq!(scene.elsewhere().state(), ConsentState::Active);
}

#[test]
fn many_threads_make_one_refresh() {
    for expired_here in [true, false] {
        let scene = scene(RefreshTokenRotation::Rotated);
        if expired_here {
            scene.advance(3600);
        } else {
            scene.sandbox.control().expire_access_tokens();
        }
        let start = Barrier::new(16);
        std::thread::scope(|scope| {
            for n in 0..16 {
                let (start, session) = (&start, scene.pool.open("claire").unwrap());
                scope.spawn(move || {
                    start.wait();
                    assert!(session.confirm_funds(&check(&format!("R{n}"))).unwrap().available);
                });
            }
        });
        assert_eq!(refreshes(&scene.sandbox), 1, "expired by this side's clock: {expired_here}");
    }
}

#[test]
fn who_waits_for_a_refresh_waits_no_longer_than_its_own_deadline_and_the_refresh_goes_on() {
    let scene = scene(RefreshTokenRotation::Rotated);
    scene.advance(3600);
    scene.fault(Fault::Hold);
    let brief = CallOptions::default().timeout(Duration::from_millis(50));
    for reference in ["R1", "R2"] {
        let error = scene.session.confirm_funds_with(&check(reference), &brief).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TotalTimeout);
    }
    let cancelled = CancelToken::new();
    std::thread::scope(|scope| {
        let (session, options) = (&scene.session, CallOptions::default().cancel(cancelled.clone()));
        let waiting = scope.spawn(move || session.confirm_funds_with(&check("R3"), &options).unwrap_err());
        cancelled.cancel();
        assert_eq!(waiting.join().unwrap().code(), ErrorCode::Cancelled);
    });
    assert!(scene.sandbox.control().wait_until(Duration::from_secs(5), |seen| {
        seen.iter().any(|request| String::from_utf8_lossy(&request.body).contains("grant_type=refresh_token"))
    }));
    scene.sandbox.control().clear_faults();
    assert!(scene.session.confirm_funds(&check("R4")).unwrap().available);
    assert_eq!(refreshes(&scene.sandbox), 1);
}

#[test]
fn a_refresh_token_is_kept_when_none_comes_back_and_replaced_when_one_does() {
    for rotation in [RefreshTokenRotation::Absent, RefreshTokenRotation::Same, RefreshTokenRotation::Rotated]
    {
        let scene = scene(rotation);
        for round in 1..=3 {
            scene.advance(3600);
            assert!(scene.elsewhere().confirm_funds(&check("R")).unwrap().available, "{rotation:?}");
            assert_eq!(refreshes(&scene.sandbox), round, "{rotation:?}");
        }
    }
}

#[test]
fn at_a_bank_that_keeps_the_token_a_lost_answer_is_made_good_by_the_next_caller() {
    let faults = [
        Fault::AnswerLost,
        Fault::ResetMidAnswer,
        Fault::TruncatedBody,
        Fault::HtmlPage { status: 500 },
        unavailable(),
    ];
    for fault in faults {
        let scene = scene(RefreshTokenRotation::Same);
        scene.advance(3600);
        scene.fault(fault.clone());
        let error = scene.session.confirm_funds(&check("R1")).unwrap_err();
        assert_ne!(error.kind(), ErrorKind::ConsentRequired, "{fault:?}: {error}");
        assert_eq!(scene.events().last(), Some(&ConsentEvent::OutcomeUnknown), "{fault:?}: {error}");
        assert_eq!(
            (scene.session.state(), scene.session.next_action()),
            (ConsentState::Active, NextAction::Refresh)
        );
        assert!(scene.elsewhere().confirm_funds(&check("R2")).unwrap().available, "{fault:?}");
        assert_eq!(refreshes(&scene.sandbox), 2, "{fault:?}");
    }
}

#[test]
fn at_a_bank_that_rotates_a_lost_answer_ends_the_consent_only_after_the_old_token_was_tried() {
    let scene = scene(RefreshTokenRotation::Rotated);
    scene.advance(3600);
    scene.fault(Fault::AnswerLost);
    let error = scene.session.confirm_funds(&check("R1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    assert_eq!(scene.elsewhere().state(), ConsentState::Active);
    scene.advance(10);
    let error = scene.session.confirm_funds(&check("R2")).unwrap_err();
    assert_eq!((error.code(), error.advice()), (ErrorCode::RefreshAnswerLost, Advice::RenewConsent));
    assert_eq!((error.kind(), error.bank_code()), (ErrorKind::ConsentRequired, Some("invalid_grant")));
    for moment in scene.session.history() {
        assert!(error.message().contains(&moment.to_string()), "{error}");
    }
    let told = [
        ConsentEvent::Kept,
        ConsentEvent::RefreshStarted,
        ConsentEvent::OutcomeUnknown,
        ConsentEvent::RefreshStarted,
        ConsentEvent::Lost,
    ];
    assert_eq!(scene.events(), told);
    for session in [&scene.session, &scene.elsewhere()] {
        assert_eq!((session.state(), session.next_action()), (ConsentState::Lost, NextAction::RenewConsent));
        assert_eq!(session.confirm_funds(&check("R3")).unwrap_err().code(), ErrorCode::RefreshAnswerLost);
    }
    assert_eq!(refreshes(&scene.sandbox), 2, "a lost consent asks the bank no more");
}

#[test]
fn a_withdrawn_consent_is_lost_at_once_and_renewed_by_a_new_one() {
    let scene = scene(RefreshTokenRotation::Same);
    let elsewhere = scene.elsewhere();
    scene.sandbox.control().revoke_consents(Some("CLAIRE"));
    for session in [&scene.session, &elsewhere] {
        let error = session.confirm_funds(&check("R1")).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ConsentLost, "{error}");
    }
    assert_eq!(refreshes(&scene.sandbox), 1);
    let renewed = common::consent(&scene.sandbox, &scene.client, "CLAIRE");
    let _ = scene.pool.keep("claire", &renewed).unwrap();
    for session in [&scene.session, &elsewhere] {
        assert!(session.confirm_funds(&check("R2")).unwrap().available);
        assert_eq!(session.state(), ConsentState::Active);
    }
}

#[test]
fn a_refresh_the_bank_refuses_for_another_reason_changes_nothing() {
    let scene = scene(RefreshTokenRotation::Rotated);
    scene.advance(3600);
    for (status, code) in [(401, ErrorCode::ClientRefused), (429, ErrorCode::RateLimited)] {
        scene.fault(Fault::Answer { status, headers: Vec::new(), content_type: None, body: String::new() });
        assert_eq!(scene.session.confirm_funds(&check("R1")).unwrap_err().code(), code);
        assert_eq!(scene.events().last(), Some(&ConsentEvent::RefreshFailed));
    }
    scene.sandbox.control().revoke_consents(None);
    let error = scene.session.confirm_funds(&check("R2")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ConsentLost, "nothing was unknown before: {error}");
}

#[test]
fn a_refresh_that_fails_before_the_tokens_end_does_not_fail_the_check() {
    let scene = scene(RefreshTokenRotation::Same);
    scene.clock.set(scene.tokens.expires_at().unwrap().saturating_sub(Duration::from_secs(30)));
    scene.fault(unavailable());
    assert!(scene.session.confirm_funds(&check("R1")).unwrap().available);
    assert!(scene.session.confirm_funds(&check("R2")).unwrap().available);
    assert_eq!(refreshes(&scene.sandbox), 1, "the bank is given a rest");
    scene.clock.advance(Duration::from_secs(5));
    assert!(scene.session.confirm_funds(&check("R3")).unwrap().available);
    assert_eq!(refreshes(&scene.sandbox), 2);
}

#[test]
fn what_a_bank_says_of_the_account_is_no_state_of_the_consent() {
    let scene = scene(RefreshTokenRotation::Same);
    let control = scene.sandbox.control();
    for (persona, code, state) in [
        ("ALICE", ErrorCode::AccountClosed, ConsentState::Active),
        ("BRUNO", ErrorCode::AccountBlocked, ConsentState::Active),
        ("NINA", ErrorCode::AccessNotGranted, ConsentState::Refused),
    ] {
        let tokens = common::consent(&scene.sandbox, &scene.client, persona);
        let session = scene.pool.keep(persona, &tokens).unwrap();
        let iban = control.personas().into_iter().find(|known| known.id == persona).unwrap().iban;
        let error = session.confirm_funds(&common::request(&iban, "10.00")).unwrap_err();
        assert_eq!((error.code(), session.state()), (code, state));
    }
}

#[test]
fn a_forgotten_consent_that_was_kept_elsewhere_is_opened_again() {
    let scene = scene(RefreshTokenRotation::Same);
    assert!(scene.pool.forget("claire").unwrap());
    let other = SessionPool::new(scene.client.clone(), scene.store.clone());
    let _ = other.keep("claire", &scene.tokens).unwrap();
    let opened = scene.pool.open("claire").unwrap();
    for session in [&opened, &scene.session] {
        assert!(session.confirm_funds(&check("R")).unwrap().available);
    }
}

#[test]
fn a_forgotten_consent_is_unknown_to_every_session() {
    let scene = scene(RefreshTokenRotation::Same);
    assert!(scene.pool.forget("claire").unwrap());
    assert!(!scene.pool.forget("claire").unwrap());
    for error in [
        scene.session.confirm_funds(&check("R1")).unwrap_err(),
        scene.session.reload().unwrap_err(),
        scene.pool.open("claire").unwrap_err(),
        scene.pool.open("nobody").unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::ConsentUnknown);
    }
    let expected = scene.tokens.refresh_token().map(Secret::expose);
    assert!(
        expected.is_some()
            && scene.sandbox.control().requests().iter().all(|seen| seen.endpoint != Endpoint::Funds)
    );
}
