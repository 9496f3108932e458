//! What the README shows is what there is.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use cbpii_sandbox::{Endpoint, Fault, FaultRule, Sandbox, SandboxOptions};
use serde_json::Value;

use crate::binary::Process;

/// The README's only block of a language.
fn block(language: &str) -> String {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once(&format!("```{language}\n")).unwrap();
    let (code, rest) = rest.split_once("```\n").unwrap();
    assert!(!rest.contains(&format!("```{language}\n")), "there is one such block");
    code.to_owned()
}

fn options(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
    words.filter(|word| word.starts_with("--") && word.len() > 2).collect()
}

#[test]
fn it_names_every_option() {
    let output = Command::new(env!("CARGO_BIN_EXE_cbpii-sandbox")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let taken: BTreeSet<&str> =
        options(&help).into_iter().filter(|option| !["--help", "--version"].contains(option)).collect();
    assert_eq!(options(&block("sh")), taken);
}

/// Every member that is shown is announced, and in the parts that are shown whole, no other.
#[test]
fn it_shows_the_announcement() {
    let shown: Value = serde_json::from_str(&block("json")).unwrap();
    let announced = Process::start(&["--quiet"]).announcement();
    same_members("", &shown, &announced);
}

fn same_members(path: &str, shown: &Value, announced: &Value) {
    let (Value::Object(shown), Value::Object(announced)) = (shown, announced) else {
        assert_eq!(shown.is_object(), announced.is_object(), "{path}");
        return;
    };
    // `{}` stands for more of the same, and of the variants only one is shown.
    if !shown.is_empty() && path != "/issuer/variants" {
        let names: (BTreeSet<_>, BTreeSet<_>) = (shown.keys().collect(), announced.keys().collect());
        assert_eq!(names.0, names.1, "{path}");
    }
    for (name, value) in shown {
        same_members(&format!("{path}/{name}"), value, &announced[name]);
    }
}

/// The README's example of a bank in the same process.
#[test]
fn its_example_works() -> Result<(), Box<dyn std::error::Error>> {
    // Closed when it is dropped.
    let bank = Sandbox::start(SandboxOptions::default())?;

    let (endpoints, issuer) = (bank.endpoints(), bank.issuer());
    let consent_url = format!(
        "{}?response_type=code&client_id={}&redirect_uri={}&scope=cbpii&state=s1",
        endpoints.authorize_url, issuer.client_id, issuer.redirect_uri
    );

    // The redirect, not followed.
    let callback = bank.approve(&consent_url, "CLAIRE")?;
    bank.control().set_fault(FaultRule::once(Endpoint::Funds, Fault::ResetMidAnswer))?;
    bank.control().advance_clock(Duration::from_secs(86_400 * 181));
    // Raw headers, body, verdict, TLS version …
    let last = bank.control().requests().pop();

    assert!(callback.ends_with("state=s1"));
    assert!(last.is_some());
    Ok(())
}
