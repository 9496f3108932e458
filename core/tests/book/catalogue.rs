//! The page of the catalogue is made from the library: `make catalogue` writes it anew.

use std::fmt::Write as _;

use cbpii::{Advice, ErrorCode, ErrorKind, RequestSent};

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

const KINDS: &str = "\
| kind | C: `CBPII_ERROR_KIND_…` | Python, Node | Rust: `ErrorKind::…`, Kotlin: `CbpiiException.…` | Swift |
|---|---|---|---|---|
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    kinds(&mut page);
    for kind in ErrorKind::ALL {
        write!(page, "\n# {kind}\n\n| code, number, advice | what it means | what to do |\n|---|---|---|\n")
            .unwrap();
        for code in ErrorCode::ALL.iter().filter(|code| code.kind() == kind) {
            let (number, advice) = (code.number(), code.advice());
            writeln!(page, "| `{code}`<br>{number} `{advice}` | {} | {} |", code.summary(), code.remedy())
                .unwrap();
        }
    }
    page
}

fn kinds(page: &mut String) {
    let names = Names::read();
    page.push_str(KINDS);
    for kind in ErrorKind::ALL {
        let c = names.c[&kind].trim_start_matches("CBPII_ERROR_KIND_");
        let scripts = together(&names.python[&kind], &names.node[&kind]);
        let (classes, swift) = (together(&names.rust[&kind], &names.kotlin[&kind]), &names.swift[&kind]);
        writeln!(page, "| `{kind}` | `{c}` | {scripts} | {classes} | `{swift}` |").unwrap();
    }
}

/// One name where two languages have the same.
fn together(one: &str, other: &str) -> String {
    if one == other { format!("`{one}`") } else { format!("`{one}`, `{other}`") }
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
fn what_an_advice_means_is_said_where_the_page_leads() {
    let text = read("core/src/manual/errors_and_retries.md");
    for advice in Advice::ALL {
        assert!(text.contains(&format!("\n| `{advice}` | ")), "{advice}");
    }
    for sent in RequestSent::ALL {
        assert!(text.contains(&format!("`{}`", sent.as_str())), "{sent:?}");
    }
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
