//! What every consent store promises, and what the SQLite store promises besides.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cbpii::store::{
    ConsentStore, DueRecord, MemoryStore, SaveOutcome, SqliteOptions, SqliteStore, open_store,
};
use cbpii::{ErrorCode, ErrorKind, Timestamp};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

fn saved(outcome: SaveOutcome) -> u64 {
    match outcome {
        SaveOutcome::Saved(version) => version,
        SaveOutcome::Conflict => panic!("a conflict"),
    }
}

fn line(id: &str, due_at: i64) -> DueRecord {
    DueRecord { id: id.to_owned(), due_at: at(due_at) }
}

/// Runs one promise against every store there is.
fn on_every_store(promise: impl Fn(Arc<dyn ConsentStore>)) {
    promise(Arc::new(MemoryStore::new()));
    let folder = tempfile::tempdir().unwrap();
    promise(Arc::new(SqliteStore::open(folder.path().join("consents.db")).unwrap()));
}

#[test]
fn what_is_saved_comes_back_byte_for_byte() {
    on_every_store(|store| {
        assert_eq!(store.load("a").unwrap(), None);
        let bytes: Vec<u8> = (0..=255).collect();
        for (id, due_at) in [("a", at(5)), ("é'\"; DROP", Timestamp::from_unix_millis(-1)), ("A", at(5))] {
            let version = saved(store.save(id, &bytes, due_at, None).unwrap());
            let record = store.load(id).unwrap().unwrap();
            assert_eq!((record.sealed, record.due_at, record.version), (bytes.clone(), due_at, version));
        }
    });
}

#[test]
fn a_record_is_saved_only_over_the_version_that_was_read() {
    on_every_store(|store| {
        assert_eq!(store.save("a", b"x", at(1), Some(1)).unwrap(), SaveOutcome::Conflict);
        let first = saved(store.save("a", b"one", at(1), None).unwrap());
        assert_eq!(store.save("a", b"x", at(1), None).unwrap(), SaveOutcome::Conflict);
        let second = saved(store.save("a", b"two", at(1), Some(first)).unwrap());
        assert_eq!(store.save("a", b"x", at(9), Some(first)).unwrap(), SaveOutcome::Conflict);
        assert_eq!(store.save("a", b"x", at(9), Some(u64::MAX)).unwrap(), SaveOutcome::Conflict);
        let record = store.load("a").unwrap().unwrap();
        assert_eq!(
            (record.sealed.as_slice(), record.due_at, record.version),
            (b"two".as_slice(), at(1), second)
        );
    });
}

#[test]
fn a_version_never_comes_back_even_after_a_delete() {
    on_every_store(|store| {
        let first = saved(store.save("a", b"one", at(1), None).unwrap());
        assert!(store.delete("a").unwrap());
        assert!(!store.delete("a").unwrap());
        assert_eq!(store.load("a").unwrap(), None);
        let second = saved(store.save("a", b"two", at(1), None).unwrap());
        assert_ne!(first, second);
        assert_eq!(store.save("a", b"x", at(1), Some(first)).unwrap(), SaveOutcome::Conflict);
    });
}

#[test]
fn of_many_who_save_over_one_version_one_wins() {
    on_every_store(|store| {
        let first = saved(store.save("a", b"start", at(1), None).unwrap());
        let winners: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8u8)
                .map(|n| {
                    let store = &store;
                    scope.spawn(move || {
                        store.save("a", &[n], at(1), Some(first)).unwrap() != SaveOutcome::Conflict
                    })
                })
                .collect();
            threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
        });
        assert_eq!(winners, 1);
    });
}

#[test]
fn the_index_lists_in_order_before_the_moment_and_page_by_page() {
    on_every_store(|store| {
        for (id, due_at) in [("d", 40), ("b", 20), ("c", 20), ("a", 30), ("gone", 10)] {
            let _ = saved(store.save(id, b"x", at(due_at), None).unwrap());
        }
        assert!(store.delete("gone").unwrap());
        let version = store.load("a").unwrap().unwrap().version;
        let _ = saved(store.save("a", b"x", at(5), Some(version)).unwrap());
        assert_eq!(store.list(at(40), None, 9).unwrap(), [line("a", 5), line("b", 20), line("c", 20)]);
        assert_eq!(store.list(at(5), None, 9).unwrap(), []);
        assert_eq!(store.list(at(41), None, 2).unwrap(), [line("a", 5), line("b", 20)]);
        assert_eq!(store.list(at(41), Some(&line("b", 20)), 2).unwrap(), [line("c", 20), line("d", 40)]);
        assert_eq!(store.list(at(41), Some(&line("d", 40)), 2).unwrap(), []);
    });
}

#[test]
fn a_url_names_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("consents.db").display());
    let _ = saved(open_store(&url).unwrap().save("a", b"x", at(1), None).unwrap());
    assert!(open_store(&url).unwrap().load("a").unwrap().is_some());
    assert!(open_store("memory").unwrap().load("a").unwrap().is_none());
    for bad in ["", "sqlite://", "redis://host", "Memory"] {
        assert_eq!(open_store(bad).map(|_| ()).unwrap_err().code(), ErrorCode::StoreUrl, "{bad}");
    }
}

/// A database with a few hundred records, closed.
fn filled(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    for n in 0..40 {
        let _ = saved(store.save(&format!("consent-{n}"), &[n; 1000], at(1), None).unwrap());
    }
}

fn all_of(path: &Path) -> Result<usize, cbpii::Error> {
    let store = SqliteStore::open(path)?;
    let ids = (0..40).map(|n| format!("consent-{n}"));
    let mut found = 0;
    for id in ids {
        found += usize::from(store.load(&id)?.is_some());
    }
    Ok(found)
}

#[test]
fn a_damaged_file_is_an_error_and_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 3] = [
        ("not a database", |bytes| bytes[..100].fill(0x5a)),
        ("pages overwritten", |bytes| bytes[4096..].fill(0x5a)),
        ("truncated", |bytes| bytes.truncate(bytes.len() / 2 + 100)),
    ];
    for (what, damage) in damages {
        let path = folder.path().join(what);
        filled(&path);
        let good = fs::read(&path).unwrap();
        let mut bytes = good.clone();
        damage(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        let error = all_of(&path).unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Store, ErrorCode::StoreCorrupt),
            "{what}: {error}"
        );
        assert!(fs::read(&path).unwrap() == bytes, "{what}: the damaged file was changed");
        fs::write(&path, &good).unwrap();
        assert_eq!(all_of(&path).unwrap(), 40, "{what}: the copy is good again");
    }
}

#[test]
fn a_locked_database_is_an_error_after_the_busy_timeout_and_works_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consents.db");
    let options = SqliteOptions::default().busy_timeout(Duration::from_millis(20));
    let store = SqliteStore::open_with(&path, &options).unwrap();
    let version = saved(store.save("a", b"before", at(1), None).unwrap());
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.save("a", b"during", at(1), Some(version)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::StoreLocked, "{error}");
    assert_eq!(store.load("a").unwrap().unwrap().sealed, b"before");
    other.execute_batch("ROLLBACK").unwrap();
    let _ = saved(store.save("a", b"after", at(1), Some(version)).unwrap());
}

#[test]
fn a_read_only_store_reads_and_refuses_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consents.db");
    let read_only = SqliteOptions::default().read_only(true);
    let missing = SqliteStore::open_with(&path, &read_only).unwrap_err();
    assert_eq!(missing.code(), ErrorCode::StoreUnreachable, "{missing}");
    filled(&path);
    let store = SqliteStore::open_with(&path, &read_only).unwrap();
    let record = store.load("consent-7").unwrap().unwrap();
    for error in [
        store.save("consent-7", b"x", at(1), Some(record.version)).unwrap_err(),
        store.save("new", b"x", at(1), None).unwrap_err(),
        store.delete("consent-7").unwrap_err(),
    ] {
        assert_eq!(error.code(), ErrorCode::StoreReadOnly, "{error}");
    }
    assert_eq!(all_of(&path).unwrap(), 40);
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let error = SqliteStore::open("/nowhere/at/all/consents.db").unwrap_err();
    assert_eq!(error.code(), ErrorCode::StoreUnreachable, "{error}");
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consents.db");
    let store = SqliteStore::open(&path).unwrap();
    let _ = saved(store.save("a", b"x", at(1), None).unwrap());
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
    }
}
