//! The checked-in header is the one the sources make, and its constants are the core's.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cbpii_core::bank::Standard;
use cbpii_core::funds::ResponseSignature;
use cbpii_core::identity::{Psd2Role, QcType, Severity, SignatureAlgorithm};
use cbpii_core::session::{ConsentEvent, RenewalReason};
use cbpii_core::{
    Advice, ConsentState, Environment, ErrorCode, ErrorKind, NextAction, Operation, RequestSent,
};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn header_path() -> PathBuf {
    folder().join("include/cbpii.h")
}

fn header() -> String {
    std::fs::read_to_string(header_path()).unwrap()
}

/// With `CBPII_WRITE_HEADER` set it writes the header instead (`make header`).
#[test]
fn the_header_is_in_step_with_the_sources() {
    let config = cbindgen::Config::from_file(folder().join("cbindgen.toml")).unwrap();
    let bindings = cbindgen::Builder::new().with_crate(folder()).with_config(config).generate().unwrap();
    let mut made = Vec::new();
    bindings.write(&mut made);
    let made = String::from_utf8(made).unwrap();
    if std::env::var_os("CBPII_WRITE_HEADER").is_some() {
        std::fs::write(header_path(), &made).unwrap();
    }
    assert!(header() == made, "include/cbpii.h is not what the sources make: run `make header`");
}

/// The header's constants that start with `prefix`, without it.
fn constants(prefix: &str) -> BTreeMap<String, i32> {
    let header = header();
    let lines = header.lines().filter_map(|line| line.strip_prefix("#define ")?.strip_prefix(prefix));
    lines
        .map(|line| {
            let (name, number) = line.split_once(' ').unwrap();
            (name.to_owned(), number.parse().unwrap())
        })
        .collect()
}

/// A stable name as it is written in a constant.
fn constant(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

fn numbered<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, i32> {
    names.map(constant).zip(1..).collect()
}

#[test]
fn the_numbers_of_errors_are_the_catalogue() {
    let kinds = constants("CBPII_ERROR_KIND_");
    assert_eq!(kinds, numbered(ErrorKind::ALL.iter().map(|kind| kind.as_str())));
    let mut codes = constants("CBPII_ERROR_");
    codes.retain(|name, _| !name.strip_prefix("KIND_").is_some_and(|kind| kinds.contains_key(kind)));
    let catalogue: BTreeMap<String, i32> =
        ErrorCode::ALL.iter().map(|code| (constant(code.as_str()), i32::from(code.number()))).collect();
    assert_eq!(codes, catalogue);
}

#[test]
fn the_numbers_of_enumerations_are_the_cores() {
    macro_rules! check {
        ($($prefix:literal => $name:ty),* $(,)?) => { $(
            assert_eq!(constants($prefix), numbered(<$name>::ALL.iter().map(|value| value.as_str())), $prefix);
        )* };
    }
    check!(
        "CBPII_ADVICE_" => Advice,
        "CBPII_ALGORITHM_" => SignatureAlgorithm,
        "CBPII_CONSENT_EVENT_" => ConsentEvent,
        "CBPII_CONSENT_STATE_" => ConsentState,
        "CBPII_ENVIRONMENT_" => Environment,
        "CBPII_NEXT_ACTION_" => NextAction,
        "CBPII_OPERATION_" => Operation,
        "CBPII_QC_TYPE_" => QcType,
        "CBPII_RENEWAL_" => RenewalReason,
        "CBPII_REQUEST_SENT_" => RequestSent,
        "CBPII_RESPONSE_SIGNATURE_" => ResponseSignature,
        "CBPII_ROLE_" => Psd2Role,
        "CBPII_SEVERITY_" => Severity,
        "CBPII_STANDARD_" => Standard,
    );
}

/// `exported-symbols.txt` is what the shared library exports (`make test-c` compares) and what the header declares.
#[test]
fn the_header_declares_what_is_exported() {
    let header = header();
    let declared: BTreeSet<&str> = header
        .lines()
        .filter(|line| !line.starts_with("//") && !line.starts_with("typedef") && !line.starts_with(' '))
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("cbpii_"))
        .collect();
    let list = std::fs::read_to_string(folder().join("exported-symbols.txt")).unwrap();
    let exported: BTreeSet<&str> = list.lines().collect();
    assert_eq!(declared, exported);
}

#[test]
fn the_soname_carries_the_version_of_the_binary_interface() {
    let version = constants("CBPII_ABI_")["VERSION"];
    let script = std::fs::read_to_string(folder().join("build.rs")).unwrap();
    assert!(script.contains(&format!("-soname,libcbpii.so.{version}\"")), "{script}");
}
