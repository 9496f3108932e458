//! Looks for secrets where they must not be: `tests/secrets/run` runs the suites with all their output kept, while the
//! sandbox banks tell what their secrets are, and then searches that output for every one of them, in every way of
//! writing it.

mod forms;
mod journey;
mod search;
mod told;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Every failure here ends the run with a sentence.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "\
cbpii-secrets search SECRETS PATH…   look for the secrets of the file SECRETS in files, and folders with all that is in them
cbpii-secrets journey FOLDER         a whole journey with everything logged and shown; its store stays in FOLDER
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["search", secrets, ref paths @ ..] if !paths.is_empty() => search(Path::new(secrets), paths),
        ["journey", folder] => journey::run(Path::new(folder)).map(|()| true),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nothing is left to do when the standard error is closed.
            let _ = writeln!(io::stderr(), "cbpii-secrets: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing was found.
fn search(secrets: &Path, paths: &[&str]) -> Result<bool, Failure> {
    let told = told::read(secrets)?;
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    let report = search::run(&told.secrets, &paths)?;
    writeln!(
        io::stdout(),
        "{} secrets in {} ways of writing them ({} were too short to be told from chance), {} files, {} KiB: found {}",
        told.secrets.len(),
        report.patterns,
        told.short,
        report.files,
        report.bytes / 1024,
        report.found.len()
    )?;
    for found in &report.found {
        writeln!(io::stdout(), "  {found}")?;
    }
    Ok(report.found.is_empty())
}
