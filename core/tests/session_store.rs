//! What is kept of a consent: sealed, in its place, and never lost with a crash or a failing store.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "common/session.rs"]
mod support;

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cbpii::http::HttpResponse;
use cbpii::session::{ConsentEvent, RenewalReason};
use cbpii::store::{
    ConsentStore, DueRecord, MemoryStore, RecordKey, RecordKeys, SaveOutcome, SealedStore, SqliteStore,
    StoredRecord,
};
use cbpii::{ConsentState, Error, ErrorCode, ErrorKind, RequestSent, SessionPool, Timestamp, renewals_due};
use support::{
    MemoryBank, TestClock, check, invalid_grant, keys, memory_client, sealed, token_answer, tokens,
};

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn pool(bank: &MemoryBank, clock: &TestClock, store: SealedStore) -> SessionPool {
    SessionPool::new(memory_client(bank, clock), store)
}

const ACCESS: &str = "access-2YotnFZFEjr1zCsicMWpAA";
const REFRESH: &str = "refresh-tGzv3JOkF0XG5Qx2TlKWIA";
const FRESH: &str = "fresh-9fZbP1sQmLxW0aKdTgRuVy";

#[test]
fn no_token_is_ever_in_clear_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::at(start());
    let bank = MemoryBank::new(|_| token_answer(FRESH, Some("rotated-8xLOxBtZp8")));
    let pool = pool(&bank, &clock, sealed(SqliteStore::open(folder.path().join("consents.db")).unwrap()));
    let session = pool.keep("a", &tokens(ACCESS, Some(REFRESH), start())).unwrap();
    clock.advance(Duration::from_secs(3600));
    session.confirm_funds(&check("R1")).unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        seen += bytes.len();
        for secret in [ACCESS, REFRESH, FRESH, "rotated-8xLOxBtZp8", "access_token", "bpce-17515"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
        }
    }
    assert!(seen > 4096, "the files were looked at");
}

#[test]
fn a_record_opens_only_in_its_own_place_whole_and_with_its_key() {
    let (clock, raw) = (TestClock::at(start()), Arc::new(MemoryStore::new()));
    let bank = MemoryBank::new(|_| invalid_grant());
    let ours = pool(&bank, &clock, sealed(Arc::clone(&raw)));
    let _ = ours.keep("a", &tokens(ACCESS, Some(REFRESH), start())).unwrap();
    let record = raw.load("a").unwrap().unwrap();
    let put = |id: &str, sealed: &[u8], due_at| {
        let expected = raw.load(id).unwrap().map(|found| found.version);
        assert!(matches!(raw.save(id, sealed, due_at, expected).unwrap(), SaveOutcome::Saved(_)));
    };
    put("b", &record.sealed, record.due_at);
    assert_eq!(ours.open("b").unwrap_err().code(), ErrorCode::StoreCorrupt, "moved to another id");
    put("a", &record.sealed, record.due_at.saturating_add(Duration::from_secs(1)));
    assert_eq!(ours.open("a").unwrap_err().code(), ErrorCode::StoreCorrupt, "moved in the index");
    for position in 0..record.sealed.len() {
        let mut bytes = record.sealed.clone();
        bytes[position] ^= 1;
        put("a", &bytes, record.due_at);
        let error = ours.open("a").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "bit of byte {position}");
        put("a", &record.sealed[..position], record.due_at);
        assert_eq!(ours.open("a").unwrap_err().kind(), ErrorKind::Store, "cut at {position}");
    }
    put("a", &record.sealed, record.due_at);
    assert!(ours.open("a").is_ok());
    let other = SealedStore::new(Arc::clone(&raw), RecordKeys::new(RecordKey::new([8; 32])));
    assert_eq!(pool(&bank, &clock, other).open("a").unwrap_err().code(), ErrorCode::StoreKey);
    assert_eq!(RecordKey::from_slice(&[0; 31]).unwrap_err().code(), ErrorCode::StoreKey);
}

#[test]
fn a_record_is_for_one_bank() {
    let clock = TestClock::at(start());
    let bank = MemoryBank::new(|_| invalid_grant());
    let store = sealed(MemoryStore::new());
    let _ = pool(&bank, &clock, store.clone()).keep("a", &tokens(ACCESS, None, start())).unwrap();
    let mut record = cbpii::Bank::bpce("13807", cbpii::Environment::Sandbox).unwrap();
    record.signature = None;
    let issuer = cbpii::Issuer::new("PSDFR-ACPR-12345", "https://issuer.example/callback").unwrap();
    let client =
        cbpii::Client::builder(record, issuer).transport(bank).check_eligibility(false).build().unwrap();
    assert_eq!(SessionPool::new(client, store).open("a").unwrap_err().code(), ErrorCode::StoreBank);
}

#[test]
fn keys_are_changed_while_records_stay_readable() {
    let (clock, raw) = (TestClock::at(start()), Arc::new(MemoryStore::new()));
    let bank = MemoryBank::new(|_| token_answer(FRESH, None));
    let with = |keys| SealedStore::new(Arc::clone(&raw), keys);
    let (old, new) = (RecordKey::new([1; 32]), RecordKey::new([2; 32]));
    let first = pool(&bank, &clock, with(RecordKeys::new(old.clone())));
    for n in 0..600 {
        let _ = first.keep(&format!("consent-{n}"), &tokens(ACCESS, Some(REFRESH), start())).unwrap();
    }
    let both = with(RecordKeys::new(new.clone()).with_old(old));
    let only_new = || pool(&bank, &clock, with(RecordKeys::new(new.clone())));
    assert!(pool(&bank, &clock, both.clone()).open("consent-1").is_ok());
    assert_eq!(only_new().open("consent-1").unwrap_err().code(), ErrorCode::StoreKey);
    assert_eq!((both.reseal().unwrap(), both.reseal().unwrap()), (600, 0));
    for n in 0..600 {
        assert!(only_new().open(&format!("consent-{n}")).is_ok());
    }
}

/// A store that waits when it is to save, once it was told to.
struct WaitingStore {
    inner: MemoryStore,
    saving: SyncSender<()>,
    go_on: Mutex<Option<Receiver<()>>>,
}

impl ConsentStore for WaitingStore {
    fn load(&self, id: &str) -> cbpii::Result<Option<StoredRecord>> {
        self.inner.load(id)
    }

    fn save(
        &self,
        id: &str,
        sealed: &[u8],
        due_at: Timestamp,
        expected: Option<u64>,
    ) -> cbpii::Result<SaveOutcome> {
        if let Some(go_on) = self.go_on.lock().unwrap().take() {
            self.saving.send(()).unwrap();
            go_on.recv().unwrap();
        }
        self.inner.save(id, sealed, due_at, expected)
    }

    fn delete(&self, id: &str) -> cbpii::Result<bool> {
        self.inner.delete(id)
    }

    fn list(
        &self,
        due_before: Timestamp,
        after: Option<&DueRecord>,
        limit: usize,
    ) -> cbpii::Result<Vec<DueRecord>> {
        self.inner.list(due_before, after, limit)
    }
}

#[test]
fn how_a_consent_stands_is_told_while_the_store_records_a_verdict() {
    let clock = TestClock::at(start());
    let refusal = br#"{"message":"NGAC"}"#.to_vec();
    let refused = move |_: &str| Some(HttpResponse::new(403, [("a", "b")], refusal.clone()).unwrap());
    let bank = MemoryBank::with_funds(|_| invalid_grant(), refused);
    let (saving, is_saving) = sync_channel(1);
    let (go_on, wait) = sync_channel(1);
    let store = Arc::new(WaitingStore { inner: MemoryStore::new(), saving, go_on: Mutex::new(None) });
    let session =
        pool(&bank, &clock, sealed(Arc::clone(&store))).keep("a", &tokens(ACCESS, None, start())).unwrap();
    *store.go_on.lock().unwrap() = Some(wait);
    let version = store.load("a").unwrap().unwrap().version;
    std::thread::scope(|scope| {
        let check = scope.spawn(|| session.confirm_funds(&check("R1")).unwrap_err().code());
        is_saving.recv().unwrap();
        assert_eq!(session.state(), ConsentState::Refused);
        assert_eq!(session.history().last().unwrap().event, ConsentEvent::Refused);
        go_on.send(()).unwrap();
        assert_eq!(check.join().unwrap(), ErrorCode::AccessNotGranted);
    });
    assert!(store.load("a").unwrap().unwrap().version > version, "and then it was recorded");
}

/// A bank whose first refresh kills the process that asked: the thread ends with a panic.
fn deadly_bank(then: fn() -> Result<cbpii::http::HttpResponse, Error>) -> MemoryBank {
    let asked = AtomicUsize::new(0);
    MemoryBank::new(move |_| {
        assert!(asked.fetch_add(1, Ordering::SeqCst) > 0, "a crash that is meant to happen");
        then()
    })
}

#[test]
fn after_a_crash_the_next_process_waits_for_the_lease_and_tries_the_old_token_once() {
    type Then = fn() -> Result<cbpii::http::HttpResponse, Error>;
    let ends: [(Then, Option<ErrorCode>); 2] =
        [(|| token_answer(FRESH, Some(REFRESH)), None), (invalid_grant, Some(ErrorCode::RefreshAnswerLost))];
    for (then, expected) in ends {
        let (clock, store) = (TestClock::at(start()), sealed(MemoryStore::new()));
        let bank = deadly_bank(then);
        let crashed = pool(&bank, &clock, store.clone());
        let session = crashed.keep("a", &tokens(ACCESS, Some(REFRESH), start())).unwrap();
        clock.advance(Duration::from_secs(3600));
        assert_eq!(session.confirm_funds(&check("R1")).unwrap_err().code(), ErrorCode::Internal);
        let survivor = pool(&bank, &clock, store).open("a").unwrap();
        let brief = cbpii::CallOptions::default().timeout(Duration::from_millis(30));
        let waiting = survivor.confirm_funds_with(&check("R2"), &brief).unwrap_err();
        assert_eq!((waiting.code(), bank.refreshes()), (ErrorCode::TotalTimeout, 1), "the lease holds");
        clock.advance(Duration::from_secs(15));
        let outcome = survivor.confirm_funds(&check("R3"));
        assert_eq!(outcome.as_ref().err().map(Error::code), expected, "{outcome:?}");
        assert_eq!(bank.refreshes(), 2);
        assert!(survivor.history().iter().any(|moment| moment.event == ConsentEvent::OutcomeUnknown));
    }
}

/// A store that can be told to fail.
#[derive(Clone)]
struct Failing {
    inner: Arc<MemoryStore>,
    saves_left: Arc<AtomicUsize>,
    failing: Arc<AtomicBool>,
}

impl Failing {
    fn new() -> Self {
        let (saves_left, failing) = (Arc::new(AtomicUsize::new(usize::MAX)), Arc::default());
        Self { inner: Arc::default(), saves_left, failing }
    }

    /// Fails after that many saves.
    fn fail_after(&self, saves: usize) {
        self.saves_left.store(saves, Ordering::SeqCst);
        self.failing.store(true, Ordering::SeqCst);
    }

    fn recover(&self) {
        self.failing.store(false, Ordering::SeqCst);
    }
}

impl ConsentStore for Failing {
    fn load(&self, id: &str) -> Result<Option<StoredRecord>, Error> {
        self.inner.load(id)
    }

    fn save(
        &self,
        id: &str,
        sealed: &[u8],
        due_at: Timestamp,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        let used_up = || {
            self.saves_left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_err()
        };
        if self.failing.load(Ordering::SeqCst) && used_up() {
            return Err(Error::new(
                ErrorCode::StoreFull,
                "The disk of the consent store is full; make room.",
            ));
        }
        self.inner.save(id, sealed, due_at, expected)
    }

    fn delete(&self, id: &str) -> Result<bool, Error> {
        self.inner.delete(id)
    }

    fn list(
        &self,
        before: Timestamp,
        after: Option<&DueRecord>,
        limit: usize,
    ) -> Result<Vec<DueRecord>, Error> {
        self.inner.list(before, after, limit)
    }
}

#[test]
fn a_store_that_fails_before_the_refresh_keeps_the_bank_from_being_asked() {
    let (clock, store) = (TestClock::at(start()), Failing::new());
    let bank = MemoryBank::new(|_| token_answer(FRESH, None));
    let session = pool(&bank, &clock, sealed(store.clone()))
        .keep("a", &tokens(ACCESS, Some(REFRESH), start()))
        .unwrap();
    clock.advance(Duration::from_secs(3600));
    store.fail_after(0);
    assert_eq!(session.confirm_funds(&check("R1")).unwrap_err().code(), ErrorCode::StoreFull);
    assert_eq!(bank.refreshes(), 0);
    store.recover();
    assert!(session.confirm_funds(&check("R2")).unwrap().available);
}

#[test]
fn tokens_a_store_cannot_take_wait_in_memory_even_without_a_session() {
    let (clock, store) = (TestClock::at(start()), Failing::new());
    let bank = MemoryBank::new(|form| {
        if form.contains(REFRESH) {
            token_answer(FRESH, Some("rotated"))
        } else {
            token_answer("second", Some("rotated-2"))
        }
    });
    let ours = pool(&bank, &clock, sealed(store.clone()));
    let session = ours.keep("a", &tokens(ACCESS, Some(REFRESH), start())).unwrap();
    clock.advance(Duration::from_secs(3600));
    store.fail_after(1);
    assert!(session.confirm_funds(&check("R1")).unwrap().available, "the answer is not the store's business");
    assert!(session.has_unsaved_tokens());
    drop(session);
    let session = ours.open("a").unwrap();
    assert!(session.has_unsaved_tokens());
    store.recover();
    clock.advance(Duration::from_secs(3600));
    assert!(session.confirm_funds(&check("R2")).unwrap().available);
    assert!(!session.has_unsaved_tokens());
    assert_eq!(bank.refreshes(), 2, "the second refresh used the rotated token");
    let elsewhere = pool(&bank, &clock, sealed(store)).open("a").unwrap();
    assert!(elsewhere.confirm_funds(&check("R3")).unwrap().available);
    assert_eq!(bank.refreshes(), 2);
}

#[test]
fn a_late_good_answer_wins_over_a_hasty_verdict() {
    // A slow process holds its lease, another one takes over when it has ended and is told invalid_grant, then
    // the slow one's answer comes after all.
    let (clock, store) = (TestClock::at(start()), sealed(MemoryStore::new()));
    let (asked, release) = (Arc::new(AtomicUsize::new(0)), Arc::new(std::sync::Barrier::new(2)));
    let arrived = Arc::new(std::sync::Barrier::new(2));
    let (gate, here) = (Arc::clone(&release), Arc::clone(&arrived));
    let slow_bank = MemoryBank::new(move |_| {
        asked.fetch_add(1, Ordering::SeqCst);
        here.wait();
        gate.wait();
        token_answer(FRESH, Some("rotated"))
    });
    let slow = pool(&slow_bank, &clock, store.clone());
    let session = slow.keep("a", &tokens(ACCESS, Some(REFRESH), start())).unwrap();
    clock.advance(Duration::from_secs(3600));
    let hasty_bank = MemoryBank::new(|_| invalid_grant());
    let hasty = pool(&hasty_bank, &clock, store.clone()).open("a").unwrap();
    std::thread::scope(|scope| {
        let check_slowly = scope.spawn(|| session.confirm_funds(&check("R1")));
        arrived.wait();
        clock.advance(Duration::from_secs(15));
        assert_eq!(hasty.confirm_funds(&check("R2")).unwrap_err().code(), ErrorCode::RefreshAnswerLost);
        release.wait();
        assert!(check_slowly.join().unwrap().unwrap().available);
    });
    assert_eq!(pool(&hasty_bank, &clock, store).open("a").unwrap().state(), ConsentState::Active);
    assert!(hasty.confirm_funds(&check("R3")).unwrap().available, "who thought it lost looks again");
}

#[test]
fn a_verdict_is_not_recorded_over_tokens_that_came_meanwhile() {
    // As before, but now the slow one's good answer comes while the hasty one is waiting for its own, bad one.
    let (clock, store) = (TestClock::at(start()), sealed(MemoryStore::new()));
    let barriers = || [(); 2].map(|()| Arc::new(std::sync::Barrier::new(2)));
    let ([slow_here, slow_go], [hasty_here, hasty_go]) = (barriers(), barriers());
    let (here, go) = (Arc::clone(&slow_here), Arc::clone(&slow_go));
    let slow_bank = MemoryBank::new(move |_| {
        here.wait();
        go.wait();
        token_answer(FRESH, Some("rotated"))
    });
    let (here, go) = (Arc::clone(&hasty_here), Arc::clone(&hasty_go));
    let hasty_bank = MemoryBank::new(move |_| {
        here.wait();
        go.wait();
        invalid_grant()
    });
    let slow =
        pool(&slow_bank, &clock, store.clone()).keep("a", &tokens(ACCESS, Some(REFRESH), start())).unwrap();
    let hasty = pool(&hasty_bank, &clock, store).open("a").unwrap();
    clock.advance(Duration::from_secs(3600));
    std::thread::scope(|scope| {
        let slowly = scope.spawn(|| slow.confirm_funds(&check("R1")));
        slow_here.wait();
        clock.advance(Duration::from_secs(15));
        let hastily = scope.spawn(|| hasty.confirm_funds(&check("R2")));
        hasty_here.wait();
        slow_go.wait();
        assert!(slowly.join().unwrap().unwrap().available);
        hasty_go.wait();
        assert!(hastily.join().unwrap().unwrap().available, "the new tokens are good for both");
    });
    assert_eq!(hasty.state(), ConsentState::Active);
}

#[test]
fn a_renewed_consent_wins_over_the_answer_to_an_old_refresh() {
    let (clock, store) = (TestClock::at(start()), sealed(MemoryStore::new()));
    let (release, arrived) = (Arc::new(std::sync::Barrier::new(2)), Arc::new(std::sync::Barrier::new(2)));
    let (gate, here) = (Arc::clone(&release), Arc::clone(&arrived));
    let bank = MemoryBank::new(move |_| {
        here.wait();
        gate.wait();
        token_answer(FRESH, Some("of-the-old-consent"))
    });
    let ours = pool(&bank, &clock, store.clone());
    let session = ours.keep("a", &tokens(ACCESS, Some(REFRESH), start())).unwrap();
    clock.advance(Duration::from_secs(3600));
    let renewed =
        tokens("renewed", Some("renewed-refresh"), start().saturating_add(Duration::from_secs(3600)));
    std::thread::scope(|scope| {
        let old = scope.spawn(|| session.confirm_funds(&check("R1")));
        arrived.wait();
        let _ = ours.keep("a", &renewed).unwrap();
        release.wait();
        assert!(old.join().unwrap().unwrap().available);
    });
    for session in [session, pool(&bank, &clock, store).open("a").unwrap()] {
        assert_eq!(session.reload().unwrap().consent_expires_at, renewed.consent_expires_at());
    }
}

#[test]
fn a_request_that_never_left_is_no_reason_for_doubt() {
    let clock = TestClock::at(start());
    let fail = Arc::new(AtomicBool::new(true));
    let failing = Arc::clone(&fail);
    let bank = MemoryBank::new(move |_| {
        if failing.swap(false, Ordering::SeqCst) {
            let error = Error::new(
                ErrorCode::TlsUnknownIssuer,
                "The bank's certificate is not trusted; add its root.",
            );
            return Err(error.with_request_sent(RequestSent::No));
        }
        invalid_grant()
    });
    let session = pool(&bank, &clock, sealed(MemoryStore::new()))
        .keep("a", &tokens(ACCESS, Some(REFRESH), start()))
        .unwrap();
    clock.advance(Duration::from_secs(3600));
    assert_eq!(session.confirm_funds(&check("R1")).unwrap_err().code(), ErrorCode::TlsUnknownIssuer);
    assert_eq!(session.confirm_funds(&check("R2")).unwrap_err().code(), ErrorCode::ConsentLost);
}

#[test]
fn the_nightly_list_has_what_ends_what_is_lost_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let raw = Arc::new(SqliteStore::open(folder.path().join("consents.db")).unwrap());
    let (clock, store) = (TestClock::at(start()), SealedStore::new(Arc::clone(&raw), keys()));
    let bank = MemoryBank::new(|_| invalid_grant());
    let ours = pool(&bank, &clock, store.clone());
    let day = |n: u64| start().saturating_add(Duration::from_secs(n * 24 * 3600));
    for n in 0..600 {
        let tokens = cbpii::Tokens::new(ACCESS, Some(REFRESH.into()), start(), None, day(n)).unwrap();
        let _ = ours.keep(&format!("ends-in-{n:03}"), &tokens).unwrap();
    }
    let session = ours.keep("lost", &tokens(ACCESS, Some(REFRESH), start())).unwrap();
    clock.advance(Duration::from_secs(3600));
    assert_eq!(session.confirm_funds(&check("R1")).unwrap_err().code(), ErrorCode::ConsentLost);
    let due: Vec<_> = renewals_due(&store, day(500)).map(Result::unwrap).collect();
    assert_eq!(due.len(), 501);
    let lost: Vec<_> =
        due.iter().filter(|due| due.reason == RenewalReason::Lost).map(|due| &*due.id).collect();
    assert_eq!(lost, ["lost"]);
    assert!(due.iter().any(|due| due.id == "ends-in-499") && !due.iter().any(|due| due.id == "ends-in-500"));
    assert_eq!(
        (due[0].id.as_str(), due[0].consent_expires_at, due[0].bank_id.as_str()),
        ("ends-in-000", day(0), session.client().bank().id.as_str())
    );
    // One damaged record does not hide the others.
    let record = raw.load("ends-in-002").unwrap().unwrap();
    assert!(matches!(
        raw.save("ends-in-002", b"damaged", record.due_at, Some(record.version)).unwrap(),
        SaveOutcome::Saved(_)
    ));
    let (good, bad): (Vec<_>, Vec<_>) = renewals_due(&store, day(5)).partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (5, 1));
    assert_eq!(bad[0].as_ref().unwrap_err().code(), ErrorCode::StoreCorrupt);
}

#[test]
fn ids_are_checked() {
    let clock = TestClock::at(start());
    let ours = pool(&MemoryBank::new(|_| invalid_grant()), &clock, sealed(MemoryStore::new()));
    for bad in ["", "a\nb", &"x".repeat(256)] {
        assert_eq!(ours.open(bad).unwrap_err().code(), ErrorCode::ConsentId);
        assert_eq!(ours.keep(bad, &tokens(ACCESS, None, start())).unwrap_err().code(), ErrorCode::ConsentId);
    }
    assert!(ours.keep(&"x".repeat(255), &tokens(ACCESS, None, start())).is_ok());
}
