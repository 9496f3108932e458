//! The sandbox bank as a process, for tests in any language and for the demo.
//!
//! Prints one JSON line with its addresses and files, then serves until its standard input ends or it gets SIGTERM or
//! SIGINT. Its files go with it.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use cbpii_sandbox::{Dialect, Log, RefreshTokenRotation, Sandbox, SandboxOptions, Standard};
use clap::Parser;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// A strict PSD2 bank on loopback.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Port of the (first) origin; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Port of the control endpoint; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// Whose dialect: 89c3 or lydia.
    #[arg(long, default_value = "89c3", value_parser = named::<Dialect>)]
    bank: Dialect,
    /// Version of STET: 1.4.0, 1.4.2 or 1.6.
    #[arg(long, default_value = "1.4.2", value_parser = named::<Standard>)]
    stet: Standard,
    /// What a refresh does to the refresh token: same, rotated or absent.
    #[arg(long, value_parser = named::<RefreshTokenRotation>)]
    rotation: Option<RefreshTokenRotation>,
    /// The redirect URI the issuer registered.
    #[arg(long)]
    redirect_uri: Option<String>,
    /// The issuer's organizationIdentifier.
    #[arg(long)]
    organisation_id: Option<String>,
    /// A JSON merge patch on the settings.
    #[arg(long, value_parser = json_text)]
    settings: Option<Value>,
    /// Log to this file instead of the standard error.
    #[arg(long)]
    log: Option<PathBuf>,
    /// Log nothing.
    #[arg(long, conflicts_with = "log")]
    quiet: bool,
    /// Go on when the standard input ends.
    #[arg(long)]
    ignore_stdin: bool,
}

/// Reads an option by the name it has in JSON.
fn named<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, String> {
    let deserializer: StrDeserializer<'_, ValueError> = text.into_deserializer();
    T::deserialize(deserializer).map_err(|error| error.to_string())
}

fn json_text(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

impl Arguments {
    fn options(self) -> SandboxOptions {
        let defaults = SandboxOptions::default();
        SandboxOptions {
            dialect: self.bank,
            standard: self.stet,
            rotation: self.rotation,
            port: self.port,
            control_port: self.control_port,
            redirect_uri: self.redirect_uri.unwrap_or(defaults.redirect_uri),
            organisation_id: self.organisation_id.unwrap_or(defaults.organisation_id),
            settings: self.settings,
            log: match self.log {
                _ if self.quiet => Log::Off,
                Some(path) => Log::File(path),
                None => Log::Stderr,
            },
            ..defaults
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // When even the standard error is gone, the exit code is all that is left.
            let _ = writeln!(std::io::stderr(), "{}", json!({"error": error.to_string()}));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let ignore_stdin = arguments.ignore_stdin;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anybody knows the bank is there, so that no signal finds the default handler and leaves files behind.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let bank = Sandbox::start(arguments.options())?;
        let line = json!({"endpoints": bank.endpoints(), "issuer": bank.issuer(), "pid": std::process::id()});
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()?;
        drop(out);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stdin_end(), if !ignore_stdin => {}
        }
        drop(bank);
        Ok(())
    })
}

/// Ends with the standard input, which a thread of its own reads: it may never end.
async fn stdin_end() {
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        let mut stdin = std::io::stdin().lock();
        while matches!(stdin.read(&mut buffer), Ok(read) if read > 0) {}
        // The bank may be closing already.
        let _ = ended.send(());
    });
    // The sender lives until it sends.
    let _ = end.await;
}
