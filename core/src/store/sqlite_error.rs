//! What SQLite's result codes mean to a caller of the store.

use rusqlite::ErrorCode as SqliteCode;
use rusqlite::ffi;

use crate::{Error, ErrorCode};

/// The error of the catalogue. SQLite's own text says nothing of a record's content.
pub(super) fn translate(error: &rusqlite::Error) -> Error {
    let (code, then) = match error.sqlite_error() {
        Some(failure) => meaning(failure),
        None => (ErrorCode::StoreFailed, "try again"),
    };
    let what = code.summary().trim_end_matches('.');
    let said = match error.sqlite_error() {
        Some(failure) => format!("SQLite {}", failure.extended_code),
        None => "SQLite gave an unexpected answer".to_owned(),
    };
    Error::new(code, format!("{what} ({said}); nothing was changed: {then}."))
}

fn meaning(failure: &ffi::Error) -> (ErrorCode, &'static str) {
    match failure.code {
        SqliteCode::DatabaseBusy | SqliteCode::DatabaseLocked | SqliteCode::FileLockingProtocolFailed => {
            (ErrorCode::StoreLocked, "try again, and look for a process that keeps the database locked")
        }
        SqliteCode::ReadOnly => {
            (ErrorCode::StoreReadOnly, "give the process write access to the file and its folder")
        }
        SqliteCode::DiskFull => (ErrorCode::StoreFull, "make room on the disk"),
        SqliteCode::DatabaseCorrupt | SqliteCode::NotADatabase => {
            (ErrorCode::StoreCorrupt, "restore the file from a copy")
        }
        SqliteCode::CannotOpen | SqliteCode::PermissionDenied => {
            (ErrorCode::StoreUnreachable, "check the path and the access rights of file and folder")
        }
        // SQLITE_IOERR_SHORT_READ: the file ends before its last page.
        SqliteCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_SHORT_READ => {
            (ErrorCode::StoreCorrupt, "restore the file from a copy")
        }
        // "no such table": the file was replaced under an open connection.
        SqliteCode::Unknown => (ErrorCode::StoreCorrupt, "restore the file from a copy"),
        _ => (ErrorCode::StoreFailed, "check the disk, then try again"),
    }
}
