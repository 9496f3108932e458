//! The page of the catalogue is made from the library: `make catalogue` writes it anew.

use std::fmt::Write as _;

use cbpii::{ErrorCode, ErrorKind};

use crate::doors::Names;
use crate::{read, root};

const PAGE: &str = "core/src/manual/error_catalogue.md";

const HEAD: &str = "# The error catalogue

Every cause of an error, in every language the same. Number and code are stable: new ones are added, and the number of a
retired one is never used again. What an advice means, what is retried for you, and when the request may have reached the bank
is said in [errors and retries](crate::manual::errors_and_retries). The message of an error is about the case at hand and says
more than this page.

This page is written by `make catalogue` from the library itself; the tests of every language hold their errors against it.

# Kinds

Decide the flow of a program by the kind. Its name in each language:

";

fn page() -> String {
    let mut page = HEAD.to_owned();
    kinds(&mut page);
    for kind in ErrorKind::ALL {
        write!(
            page,
            "\n# {kind}\n\n| number | code | advice | what it means | what to do |\n|---|---|---|---|---|\n"
        )
        .unwrap();
        for code in ErrorCode::ALL.iter().filter(|code| code.kind() == kind) {
            let (number, advice) = (code.number(), code.advice());
            writeln!(page, "| {number} | `{code}` | `{advice}` | {} | {} |", code.summary(), code.remedy())
                .unwrap();
        }
    }
    page
}

fn kinds(page: &mut String) {
    let names = Names::read();
    page.push_str("| kind | Rust | C | Python | Node | Kotlin | Swift |\n|---|---|---|---|---|---|---|\n");
    for kind in ErrorKind::ALL {
        let columns = [&names.rust, &names.c, &names.python, &names.node, &names.kotlin, &names.swift];
        let columns: Vec<String> = columns.iter().map(|names| format!("`{}`", names[&kind])).collect();
        writeln!(page, "| `{kind}` | {} |", columns.join(" | ")).unwrap();
    }
}

/// With `CBPII_WRITE_CATALOGUE` set it writes the page instead (`make catalogue`).
#[test]
fn the_page_is_the_librarys_catalogue() {
    let page = page();
    if std::env::var_os("CBPII_WRITE_CATALOGUE").is_some() {
        std::fs::write(root().join(PAGE), &page).unwrap();
    }
    assert!(read(PAGE) == page, "{PAGE} is not what the library says: run `make catalogue`");
}

#[test]
fn every_cause_says_what_to_do() {
    for code in ErrorCode::ALL {
        let remedy = code.remedy();
        assert!(remedy.ends_with('.') && remedy.len() > 10 && remedy != code.summary(), "{code}: {remedy}");
        assert!(
            ![code.summary(), remedy].iter().any(|text| text.contains('|')),
            "{code} would break the table"
        );
    }
}
