//! What the doors to other languages call the kinds of errors, read from their sources.

use std::collections::BTreeMap;

use cbpii::{Advice, ErrorCode, ErrorKind};

use crate::read;

/// The name of a kind in each language: the columns of the catalogue's first table.
pub(crate) struct Names {
    pub(crate) rust: BTreeMap<ErrorKind, String>,
    pub(crate) c: BTreeMap<ErrorKind, String>,
    pub(crate) python: BTreeMap<ErrorKind, String>,
    pub(crate) node: BTreeMap<ErrorKind, String>,
    pub(crate) kotlin: BTreeMap<ErrorKind, String>,
    pub(crate) swift: BTreeMap<ErrorKind, String>,
}

impl Names {
    pub(crate) fn read() -> Self {
        Self {
            rust: all(ErrorKind::ALL.map(|kind| (kind, format!("{kind:?}")))),
            c: all(c()),
            python: all(python()),
            node: all(node()),
            kotlin: all(kotlin()),
            swift: all(swift()),
        }
    }
}

/// Every kind must be there, once.
#[track_caller]
fn all(names: impl IntoIterator<Item = (ErrorKind, String)>) -> BTreeMap<ErrorKind, String> {
    let listed: Vec<(ErrorKind, String)> = names.into_iter().collect();
    let kinds: Vec<ErrorKind> = listed.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, ErrorKind::ALL, "every kind, in the order of the catalogue");
    listed.into_iter().collect()
}

/// The kind of this name, however a language writes it.
fn kind(name: &str) -> ErrorKind {
    let bare = |name: &str| name.to_lowercase().replace(['_', '`'], "");
    let found = ErrorKind::ALL.into_iter().find(|kind| bare(kind.as_str()) == bare(name));
    found.unwrap_or_else(|| panic!("the library has no kind of errors {name}"))
}

/// `#define CBPII_ERROR_KIND_… n`, where n is the kind's place.
fn c() -> Vec<(ErrorKind, String)> {
    let header = read("ffi/include/cbpii.h");
    let defined = header.lines().filter_map(|line| line.strip_prefix("#define ")?.split_once(' '));
    let kinds = defined.filter_map(|(name, number)| Some((name.strip_prefix("CBPII_ERROR_KIND_")?, number)));
    let kinds: Vec<(ErrorKind, &str)> = kinds.map(|(name, number)| (kind(name), number)).collect();
    let numbers: Vec<&str> = kinds.iter().map(|(_, number)| *number).collect();
    let places: Vec<String> = (1..=ErrorKind::ALL.len()).map(|place| place.to_string()).collect();
    assert_eq!(numbers, places, "the numbers of the kinds in C");
    let name = |kind: ErrorKind| format!("CBPII_ERROR_KIND_{}", kind.as_str().to_uppercase());
    kinds.into_iter().map(|(kind, _)| (kind, name(kind))).collect()
}

/// A class, and in it `_kind = ErrorKind.…`.
fn python() -> Vec<(ErrorKind, String)> {
    let source = read("python/python/cbpii/errors.py");
    let mut class = "";
    let mut names = Vec::new();
    for line in source.lines() {
        if let Some(name) = line.strip_prefix("class ").and_then(|rest| rest.split(['(', ':']).next()) {
            class = name;
        }
        if let Some(name) = line.trim().strip_prefix("_kind = ErrorKind.") {
            names.push((kind(name), class.to_owned()));
        }
    }
    names
}

/// `kind(SomeError, 'some')`.
fn node() -> Vec<(ErrorKind, String)> {
    let source = read("node/lib/errors.ts");
    let calls =
        source.lines().filter_map(|line| line.strip_prefix("kind(")?.strip_suffix("')")?.split_once(", '"));
    calls.map(|(class, name)| (kind(name), class.to_owned())).collect()
}

/// `public class Some internal constructor(…) : CbpiiException(…)`.
fn kotlin() -> Vec<(ErrorKind, String)> {
    let source = read("mobile/kotlin/src/main/kotlin/io/github/cbpii/CbpiiException.kt");
    let classes = source.lines().filter(|line| line.ends_with(": CbpiiException(facts, cause)"));
    let names = classes.filter_map(|line| line.trim().strip_prefix("public class ")?.split(' ').next());
    names.map(|name| (kind(name), name.to_owned())).collect()
}

/// The cases of `ErrorKind`.
fn swift() -> Vec<(ErrorKind, String)> {
    let source = read("mobile/swift/Sources/CbpiiGenerated/CbpiiGenerated.swift");
    let (_, rest) = source.split_once("public enum ErrorKind:").expect("the kinds");
    let body = rest.split("\n}").next().unwrap();
    let cases = body.lines().filter_map(|line| line.trim().strip_prefix("case "));
    let cases = cases.filter(|case| case.chars().all(|c| c.is_alphanumeric() || c == '`'));
    cases.map(|case| (kind(case), format!(".{}", case.replace('`', "")))).collect()
}

/// A stable name as it is written in a constant of C.
fn constant(name: &str) -> String {
    name.to_uppercase().replace('.', "_")
}

/// A stable name as it is written in Swift.
fn camel(name: &str) -> String {
    let words: Vec<&str> = name.split(['.', '_']).collect();
    let capital = |word: &&str| word[..1].to_uppercase() + &word[1..];
    words[0].to_owned() + &words[1..].iter().map(capital).collect::<String>()
}

#[test]
fn the_codes_of_c_are_the_catalogue() {
    let header = read("ffi/include/cbpii.h");
    let mut defined: Vec<(&str, &str)> = header
        .lines()
        .filter_map(|line| line.strip_prefix("#define CBPII_ERROR_")?.split_once(' '))
        .collect();
    // A kind's number is its place; a code's is above a thousand.
    defined.retain(|(_, number)| number.parse::<u16>().unwrap() > 1000);
    let expected: Vec<(String, String)> =
        ErrorCode::ALL.iter().map(|code| (constant(code.as_str()), code.number().to_string())).collect();
    let defined: Vec<(String, String)> =
        defined.into_iter().map(|(name, number)| (name.to_owned(), number.to_owned())).collect();
    assert_eq!(defined, expected);
}

/// What the tests in C hold the library against.
#[test]
fn the_table_of_the_tests_in_c_is_the_catalogue() {
    let table = read("ffi/tests/support/catalogue.c");
    let rows: Vec<&str> =
        table.lines().filter_map(|line| line.trim().strip_prefix('{')?.strip_suffix("},")).collect();
    let row = |code: &ErrorCode| {
        let (name, kind, advice) = (constant(code.as_str()), code.kind().as_str(), code.advice().as_str());
        let (kind, advice) = (constant(kind), constant(advice));
        format!(
            "CBPII_ERROR_{name}, {}, \"{code}\", CBPII_ERROR_KIND_{kind}, CBPII_ADVICE_{advice}",
            code.number()
        )
    };
    assert_eq!(rows, ErrorCode::ALL.iter().map(row).collect::<Vec<_>>());
}

/// Swift writes every code out, with its meaning.
#[test]
fn the_codes_of_swift_are_the_catalogue() {
    let source = read("mobile/swift/Sources/Cbpii/ErrorCode.swift");
    let mut lines = source.lines().map(str::trim).peekable();
    let mut codes = Vec::new();
    while let Some(line) = lines.next() {
        let case = lines.peek().and_then(|next| next.strip_prefix("case "));
        // Without a value, the name is it.
        let case = case.map(|case| case.split_once(" = ").unwrap_or((case, case)));
        if let (Some(meaning), Some((name, code))) = (line.strip_prefix("/// "), case) {
            let bare = |text: &str| text.trim_matches(['"', '`']).to_owned();
            codes.push((bare(name), bare(code), meaning.to_owned()));
        }
    }
    assert_eq!(codes.len(), ErrorCode::ALL.len());
    for (stated, code) in codes.into_iter().zip(ErrorCode::ALL) {
        assert_eq!(stated, (camel(code.as_str()), code.as_str().to_owned(), code.summary().to_owned()));
    }
}

/// The page of each door tells its readers of every kind, by its own name for it, and leads to the catalogue.
#[test]
fn the_page_of_every_door_names_every_kind_and_every_advice() {
    let names = Names::read();
    let doors = [
        ("ffi/README.md", &names.c),
        ("python/README.md", &names.python),
        ("node/README.md", &names.node),
        ("mobile/README.md", &names.kotlin),
        ("mobile/swift/README.md", &names.swift),
    ];
    for (path, kinds) in doors {
        let page = read(path);
        let errors =
            page.split("\n## Errors\n").nth(1).unwrap_or_else(|| panic!("{path} has a part about errors"));
        let errors = errors.split("\n## ").next().unwrap();
        for name in kinds.values() {
            let short = name.replace("CBPII_ERROR_KIND_", "…_");
            assert!(
                [name, &short].iter().any(|name| errors.contains(&format!("`{name}`"))),
                "{path}: {name}"
            );
        }
        for advice in Advice::ALL {
            let (small, capital) = (advice.as_str(), constant(advice.as_str()));
            let known = [
                small.to_owned(),
                capital.clone(),
                format!("CBPII_ADVICE_{capital}"),
                format!(".{}", camel(small)),
            ];
            assert!(known.iter().any(|name| errors.contains(&format!("`{name}`"))), "{path}: {advice}");
        }
        assert!(errors.contains("core/src/manual/error_catalogue.md"), "{path} leads to the catalogue");
    }
}
