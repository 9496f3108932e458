//! The book is true: its catalogue is the library's and every door's, its links lead somewhere, all of its code is run or
//! compiled by some test, and everything that names a version names the same.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod blocks;
mod catalogue;
mod commands;
mod doors;
mod links;
mod page;
mod versions;

use std::path::{Path, PathBuf};

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the repository.
fn read(path: &str) -> String {
    let text = std::fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
}
