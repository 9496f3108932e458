//! The commands of the pages: what they name exists. (Whether they work is for the tests of what they start.)

use crate::page::{Block, Page};
use crate::{read, root};

/// Checks every line of a block.
pub(crate) fn all(page: &Page, block: &Block) -> Result<(), String> {
    // How a program is called, in square brackets, is compared with what it takes by the sandbox's own tests.
    if block.code.starts_with("cbpii-sandbox [") {
        return has("tests/sandbox/tests/bank/readme.rs", "block(\"sh\")");
    }
    block.code.lines().filter(|line| !line.trim().is_empty()).try_for_each(|line| command(page, line))
}

fn command(page: &Page, line: &str) -> Result<(), String> {
    let line = line.split(" #").next().unwrap_or_default().trim();
    let setting = |word: &&str| {
        word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    };
    let words: Vec<&str> = line.split_whitespace().skip_while(setting).collect();
    let folder = page.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    match words[..] {
        ["make", ref targets @ ..] => targets
            .iter()
            .filter(|word| !setting(word))
            .try_for_each(|target| has("Makefile", &format!("\n{target}: "))),
        ["npm", "ci"] => exists(&format!("{folder}/package-lock.json")),
        ["npm", "test"] => has(&format!("{folder}/package.json"), "\"test\": \""),
        ["npm", "run", script] => has(&format!("{folder}/package.json"), &format!("\"{script}\": \"")),
        ["npm", "install", package] => has("node/package.json", &format!("\"name\": \"{package}\"")),
        ["pip", "install", package] => pip(package.trim_matches('\'')),
        ["cbpii", ..] => {
            let run =
                "for code in blocks(\"sh\") for line in code.splitlines() if line.startswith(\"cbpii\")";
            has("python/tests/test_readme.py", run)
        }
        ["cc", ..] => has(
            "ffi/tests/packaging_test",
            "readme_blocks(\"sh\") for line in block.splitlines() if line.startswith(\"cc \")",
        ),
        // As seen from the repository, or from the page.
        [program, ..] => exists(program).or_else(|_| exists(&format!("{folder}/{program}"))),
        [] => Ok(()),
    }
}

fn exists(path: &str) -> Result<(), String> {
    if root().join(path).is_file() { Ok(()) } else { Err(format!("there is no {path}")) }
}

fn has(path: &str, words: &str) -> Result<(), String> {
    exists(path)?;
    if read(path).contains(words) { Ok(()) } else { Err(format!("{path} has no {words:?}")) }
}

/// `cbpii`, or with an extra.
fn pip(package: &str) -> Result<(), String> {
    let (name, extra) = package.trim_end_matches(']').split_once('[').unwrap_or((package, ""));
    has("python/pyproject.toml", &format!("\nname = \"{name}\"\n"))?;
    if extra.is_empty() { Ok(()) } else { has("python/pyproject.toml", &format!("\n{extra} = [")) }
}
