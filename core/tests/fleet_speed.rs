//! Measurements, run by hand: `cargo test --release -p cbpii --test fleet_speed -- --ignored --nocapture --test-threads 1`.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "common/session.rs"]
mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cbpii::many::FundsCheck;
use cbpii::store::{MemoryStore, SqliteStore};
use cbpii::{Clock, SessionPool, confirm_many};
use support::{MemoryBank, TestClock, check, invalid_grant, memory_client, sealed, tokens};

/// The best of some rounds: noise only ever adds.
fn best(rounds: usize, mut round: impl FnMut()) -> Duration {
    let time = |round: &mut dyn FnMut()| {
        let started = Instant::now();
        round();
        started.elapsed()
    };
    (0..rounds).map(|_| time(&mut round)).min().unwrap()
}

#[test]
#[ignore = "a measurement"]
fn what_a_session_adds_to_a_call() {
    const CALLS: u32 = 2_000;
    let clock = TestClock::now_real();
    let bank = MemoryBank::new(|_| invalid_grant());
    let client = memory_client(&bank, &clock);
    let tokens = tokens("access", Some("refresh"), clock.now());
    let session = SessionPool::new(client.clone(), sealed(MemoryStore::new())).keep("a", &tokens).unwrap();
    let request = check("R");
    let (mut bare, mut kept) = (Duration::MAX, Duration::MAX);
    for _ in 0..30 {
        bare = bare.min(best(1, || {
            (0..CALLS).for_each(|_| assert!(client.confirm_funds(&tokens, &request).is_ok()));
        }));
        kept =
            kept.min(best(1, || (0..CALLS).for_each(|_| assert!(session.confirm_funds(&request).is_ok()))));
    }
    let added = kept.saturating_sub(bare) / CALLS;
    println!("a call without network {:?}, the session adds {added:?}", bare / CALLS);
    assert!(added < Duration::from_micros(5));
}

#[test]
#[ignore = "a measurement"]
fn opening_a_store_of_a_hundred_thousand_and_loading_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consents.db");
    let clock = TestClock::now_real();
    let client = memory_client(&MemoryBank::new(|_| invalid_grant()), &clock);
    let pool = |store| SessionPool::new(client.clone(), sealed(store));
    let given = tokens("access-2YotnFZFEjr1zCsicMWpAA", Some("refresh-tGzv3JOkF0XG5Qx2TlKWIA"), clock.now());
    let _ = pool(SqliteStore::open(&path).unwrap()).keep("wanted", &given).unwrap();
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch(
        "INSERT INTO consent (id, version, due_at, sealed)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         SELECT 'consent-' || i, i + 10, due_at + i, sealed FROM n, consent WHERE id = 'wanted'",
    )
    .unwrap();
    drop(raw);
    let opened = best(20, || drop(SqliteStore::open(&path).unwrap()));
    let store = SqliteStore::open(&path).unwrap();
    let pool = pool(store);
    let loaded = best(200, || drop(pool.open("wanted").unwrap()));
    let raw = rusqlite::Connection::open(&path).unwrap();
    let read = best(200, || {
        let bytes: Vec<u8> =
            raw.query_row("SELECT sealed FROM consent WHERE id = 'wanted'", [], |row| row.get(0)).unwrap();
        assert!(!bytes.is_empty());
    });
    let ratio = loaded.as_secs_f64() / read.as_secs_f64();
    println!("open {opened:?}, load one {loaded:?}, raw read {read:?}: ratio {ratio:.1}");
    assert!(loaded < Duration::from_millis(5));
}

#[test]
#[ignore = "a measurement"]
fn eight_workers_against_eight_bare_threads() {
    const CALLS: usize = 2_000;
    let sandbox = common::sandbox();
    let _ = sandbox.control().configure(&serde_json::json!({ "recording": false })).unwrap();
    let client = common::client(&sandbox);
    let tokens = common::consent(&sandbox, &client, "CLAIRE");
    let session = SessionPool::new(client.clone(), sealed(MemoryStore::new())).keep("a", &tokens).unwrap();
    client.warm_up(8).unwrap();
    let bare = || {
        let left = AtomicUsize::new(CALLS);
        let take =
            || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    while take() {
                        assert!(client.confirm_funds(&tokens, &check("R")).is_ok());
                    }
                });
            }
        });
    };
    let many = || {
        let session = session.clone();
        let checks = (0..CALLS).map(move |_| FundsCheck {
            session: session.clone(),
            request: check("R"),
            context: (),
        });
        assert_eq!(confirm_many(checks, 8).unwrap().filter(|(_, outcome)| outcome.is_ok()).count(), CALLS);
    };
    let (mut quickest_bare, mut quickest_many) = (Duration::MAX, Duration::MAX);
    for _ in 0..5 {
        quickest_bare = quickest_bare.min(best(1, bare));
        quickest_many = quickest_many.min(best(1, many));
    }
    let (bare, many) = (quickest_bare, quickest_many);
    println!(
        "bare {bare:?}, confirm_many {many:?}: {:.2} of its throughput",
        bare.as_secs_f64() / many.as_secs_f64()
    );
}
