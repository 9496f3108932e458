//! Every block of code in every page is compiled, run or parsed by some test. This file knows by which.

use crate::commands;
use crate::page::{Block, Page, pages};
use crate::read;

/// What looks after the blocks of one language in a page.
enum By {
    /// rustdoc, by the file that includes the page.
    Doctests(&'static str),
    /// A test that reads the page: its file, and words of it that show it does.
    Test(&'static str, &'static str),
    /// A file that is compiled and has the same lines, whatever their indentation.
    SameLines(&'static str),
    /// A reader, here.
    Here(fn(&Page, &Block) -> Result<(), String>),
    /// Nothing: it shows what a program printed.
    Output,
}

const KOTLIN: &str = "mobile/kotlin/src/test/kotlin/io/github/cbpii/example/ReadmeExamples.kt";
const SWIFT: &str = "mobile/swift/Tests/CbpiiTests/ReadmeExamples.swift";
const MANUAL: &str = "core/src/manual/";

/// By page (or folder) and language. A line that no block needs any more is a mistake, too.
const LOOKED_AFTER: &[(&str, &str, By)] = &[
    ("README.md", "rust", By::Doctests("core/src/lib.rs")),
    ("README.md", "toml", By::Here(toml)),
    (MANUAL, "rust", By::Doctests("core/src/manual/mod.rs")),
    (MANUAL, "json", By::Here(json)),
    ("ffi/README.md", "c", By::Test("ffi/tests/packaging_test", "blocks = readme_blocks(\"c\")")),
    ("ffi/README.md", "cmake", By::Test("ffi/tests/packaging_test", "readme_blocks(\"cmake\")")),
    (
        "python/README.md",
        "python",
        By::Test("python/tests/test_readme.py", "for code in blocks(\"python\")[2:]"),
    ),
    ("python/README.md", "toml", By::Test("python/tests/test_readme.py", "blocks(\"toml\")")),
    ("node/README.md", "js", By::Test("node/test/readme.test.mjs", "README.matchAll(/^```js\\n")),
    ("mobile/README.md", "kotlin", By::SameLines(KOTLIN)),
    ("mobile/swift/README.md", "swift", By::SameLines(SWIFT)),
    ("tests/sandbox/README.md", "rust", By::SameLines("tests/sandbox/tests/bank/readme.rs")),
    ("tests/sandbox/README.md", "json", By::Test("tests/sandbox/tests/bank/readme.rs", "block(\"json\")")),
    ("tests/vectors/README.md", "json", By::Here(json)),
    ("tests/", "text", By::Output),
    ("", "sh", By::Here(commands::all)),
];

/// Blocks that cannot be compiled here, with how many a page has. Each says so itself.
const UNTESTED: &[(&str, usize)] = &[("mobile/swift/README.md", 2)];

/// Marks of rustdoc under which a block is still compiled.
const COMPILED: &[&str] = &["rust", "no_run", "should_panic"];

#[test]
fn every_block_is_looked_after() {
    let pages = pages();
    let mut used = vec![false; LOOKED_AFTER.len()];
    let mut failures = Vec::new();
    let mut count = 0;
    for page in &pages {
        for block in page.blocks.iter().filter(|block| !block.is("untested")) {
            let place = LOOKED_AFTER.iter().position(|(path, language, _)| {
                *language == block.language()
                    && (page.path == *path
                        || path.ends_with('/') && page.path.starts_with(path)
                        || path.is_empty())
            });
            let outcome = match place {
                None => Err(format!("no test looks after {:?}", block.info)),
                Some(place) => {
                    used[place] = true;
                    LOOKED_AFTER[place].2.holds(page, block)
                }
            };
            if let Err(reason) = outcome {
                failures.push(format!("{}:{}: {reason}", page.path, block.line));
            }
            count += 1;
        }
    }
    assert!(count > 50, "the blocks were found: {count}");
    assert!(failures.is_empty(), "{failures:#?}");
    let unused: Vec<_> =
        LOOKED_AFTER.iter().zip(used).filter(|(_, used)| !used).map(|(line, _)| (line.0, line.1)).collect();
    assert!(unused.is_empty(), "there are no such blocks any more: {unused:?}");
}

#[test]
fn what_is_untested_says_so() {
    let mut untested = Vec::new();
    for page in pages() {
        let here: Vec<&Block> = page.blocks.iter().filter(|block| block.is("untested")).collect();
        assert!(
            here.iter().all(|block| block.code.contains("untested:")),
            "{}: a comment says why",
            page.path
        );
        if !here.is_empty() {
            untested.push((page.path, here.len()));
        }
    }
    let untested: Vec<(&str, usize)> = untested.iter().map(|(path, count)| (path.as_str(), *count)).collect();
    assert_eq!(untested, UNTESTED);
}

impl By {
    fn holds(&self, page: &Page, block: &Block) -> Result<(), String> {
        match self {
            Self::Doctests(file) => {
                let name = page.path.rsplit('/').next().unwrap_or_default();
                let included = read(file).contains(&format!("{name}\")]"));
                let compiled = block.info.iter().all(|word| COMPILED.contains(&word.as_str()));
                ok(included && compiled, || {
                    format!("{file} does not have rustdoc compile it: {:?}", block.info)
                })
            }
            Self::Test(file, words) => ok(read(file).contains(words), || format!("{file} has no {words:?}")),
            Self::SameLines(file) => same_lines(&block.code, &read(file))
                .map_err(|lines| format!("{file} does not have these lines together:\n{lines}")),
            Self::Here(check) => check(page, block),
            Self::Output => Ok(()),
        }
    }
}

fn ok(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}

/// Whether the paragraphs of a block stand in a file, each in one piece, one after the other; else the first that does not.
fn same_lines(code: &str, file: &str) -> Result<(), String> {
    let bare = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let file = format!("\n{}\n", bare(file));
    let mut from = 0;
    for paragraph in bare(code).split("\n\n") {
        let place = file[from..].find(&format!("\n{}\n", paragraph.trim()));
        from += place.ok_or_else(|| paragraph.to_owned())? + paragraph.len();
    }
    Ok(())
}

/// One value, or one a line.
fn json(_: &Page, block: &Block) -> Result<(), String> {
    let mut values = serde_json::Deserializer::from_str(&block.code).into_iter::<serde_json::Value>();
    values.try_for_each(|value| value.map(drop).map_err(|error| error.to_string()))
}

fn toml(_: &Page, block: &Block) -> Result<(), String> {
    let table: Result<toml::Table, _> = toml::from_str(&block.code);
    table.map(drop).map_err(|error| error.to_string())
}

#[test]
fn lines_are_compared_by_paragraphs_in_their_order() {
    let file = "import A\n\nfunc f() {\n    let a = 1\n    let b = 2\n}\n";
    assert_eq!(same_lines("import A\n\nlet a = 1\nlet b = 2\n", file), Ok(()));
    assert_eq!(same_lines("let a = 1\n\nimport A\n", file), Err("import A".to_owned()));
    assert_eq!(same_lines("let b = 2\nlet a = 1\n", file), Err("let b = 2\nlet a = 1".to_owned()));
    assert_eq!(same_lines("let a = 11\n", file), Err("let a = 11".to_owned()));
}
