//! The bank as a process: one JSON line, then service until it is told to stop.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cbpii_sandbox::SECRETS_VARIABLE;
use serde_json::Value;

use crate::client::control;

pub(crate) struct Process {
    child: Child,
    announcement: Value,
}

impl Process {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(arguments, &[])
    }

    fn start_in(arguments: &[&str], environment: &[(&str, &Path)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cbpii-sandbox"))
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { child, announcement: serde_json::from_str(&line).unwrap() }
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from(self.announcement["issuer"]["folder"].as_str().unwrap())
    }

    /// What it said of itself; with this, it ends.
    pub(crate) fn announcement(mut self) -> Value {
        drop(self.child.stdin.take());
        let announcement = self.announcement.clone();
        self.finish();
        announcement
    }

    /// Waits for the end; gives what was logged.
    #[track_caller]
    fn finish(mut self) -> String {
        let folder = self.folder();
        assert!(self.child.wait().unwrap().success());
        assert!(!folder.exists(), "the files are gone");
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }
}

#[test]
fn it_announces_itself_and_ends_with_its_standard_input() {
    let mut process = Process::start(&["--port", "0", "--stet", "1.4.0", "--rotation", "rotated"]);
    let announced = &process.announcement;
    assert_eq!(announced["pid"], process.child.id());
    assert!(
        announced["endpoints"]["funds_url"].as_str().unwrap().ends_with("/stet/psd2/v1/funds-confirmations")
    );
    for pointer in
        ["/issuer/ca", "/issuer/qwac/chain", "/issuer/qsealc/key", "/issuer/variants/expired/chain"]
    {
        let path = announced.pointer(pointer).and_then(Value::as_str).unwrap();
        assert!(PathBuf::from(path).exists(), "{path}");
    }
    let (status, settings) =
        control(announced["endpoints"]["control_url"].as_str().unwrap(), "GET", "/settings", "");
    assert_eq!((status, &settings["refresh_token_rotation"]), (200, &"rotated".into()));
    drop(process.child.stdin.take());
    assert_eq!(process.finish(), "");
}

#[test]
fn it_tells_its_secrets_where_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secrets.txt");
    let settings = r#"{"client_authentication": "client_secret_basic"}"#;
    let mut process =
        Process::start_in(&["--quiet", "--settings", settings], &[(SECRETS_VARIABLE, file.as_path())]);
    let announced = process.announcement.clone();
    let url = announced["endpoints"]["control_url"].as_str().unwrap();
    let (_, tokens) = control(url, "POST", "/tokens", "");
    drop(process.child.stdin.take());
    process.finish();
    let told = std::fs::read_to_string(&file).unwrap();
    let tells = |kind: &str, secret: &Value| {
        let line = format!("{kind}\t{}", secret.as_str().unwrap());
        told.lines().any(|told| told == line)
    };
    assert!(tells("access_token", &tokens["access_token"]));
    assert!(tells("refresh_token", &tokens["refresh_token"]));
    assert!(tells("client_secret", &announced["issuer"]["client_secret"]));
    assert_eq!(told.lines().filter(|line| line.starts_with("private_key\t")).count(), 2);
    assert_eq!(told.lines().count(), 5, "each once");
}

#[test]
fn a_signal_ends_it_and_its_files() {
    for signal in ["TERM", "INT"] {
        let process = Process::start(&["--bank", "lydia", "--quiet"]);
        assert!(process.announcement["issuer"]["client_secret"].is_string());
        let killed =
            Command::new("kill").args(["-s", signal, &process.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        process.finish();
    }
}

#[test]
fn wrong_options_are_refused() {
    for arguments in [["--bank", "bnp"], ["--stet", "1.5"], ["--settings", "{\"nothing\":1}"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_cbpii-sandbox")).args(arguments).output().unwrap();
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}
