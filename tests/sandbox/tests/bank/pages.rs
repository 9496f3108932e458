//! The cardholder's pages over HTTP, as a browser without scripts or cookies goes through them.

use std::time::Duration;

use cbpii_sandbox::{Sandbox, SandboxOptions};
use tokio_rustls::rustls;

use crate::client::*;

/// A browser at a bank, and the consent it has under way.
struct Visit {
    bank: Sandbox,
    browser: Client,
    flow: String,
}

fn text_between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let start = text.find(before)? + before.len();
    text[start..].split(after).next()
}

impl Visit {
    fn open() -> Self {
        let bank = Sandbox::start(SandboxOptions::default()).unwrap();
        let mut browser = Client::with(&bank, None, rustls::ALL_VERSIONS);
        let page = browser.get(&consent_url(&bank, "a state"));
        assert_eq!(page.status, 200, "{}", page.text());
        assert_protected(&page);
        let flow = text_between(&page.text(), r#"name="flow" value=""#, "\"").unwrap().to_owned();
        Self { bank, browser, flow }
    }

    fn url(&self, step: &str) -> String {
        format!("{}/stet/psd2/oauth/consent/{step}", self.bank.endpoints().origin)
    }

    fn post(&mut self, step: &str, field: (&str, &str)) -> Reply {
        let flow = self.flow.clone();
        self.browser.form(&format!("{}?lang=en", self.url(step)), &[("flow", &flow), field]).unwrap()
    }

    /// Posts a form and follows the bank's own redirect.
    fn step(&mut self, step: &str, field: (&str, &str)) -> Reply {
        let reply = self.post(step, field);
        assert_eq!(reply.status, 303, "{}", reply.text());
        let location = reply.header("location").unwrap().to_owned();
        assert!(
            location.starts_with("/stet/psd2/oauth/consent/") && location.ends_with("lang=en"),
            "{location}"
        );
        self.browser.get(&format!("{}{location}", self.bank.endpoints().origin))
    }

    fn up_to_the_decision(&mut self) -> Reply {
        let sca = self.step("login", ("persona", "LEA")).text();
        let otp = text_between(&sca, "<code>", "</code>").unwrap().to_owned();
        self.step("sca", ("otp", &otp))
    }
}

#[track_caller]
fn assert_protected(page: &Reply) {
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("https://carte-exemple.example"),
        "{policy}"
    );
}

#[test]
fn log_in_authenticate_approve_and_go_back() {
    let mut visit = Visit::open();
    let consent = visit.up_to_the_decision();
    assert_protected(&consent);
    let text = consent.text();
    assert!(
        text.contains("PSDFR-ACPR-12345") && text.contains("FR76…5158") && text.contains("180"),
        "{text}"
    );
    let back = visit.post("decision", ("decision", "approve"));
    let location = back.header("location").unwrap().to_owned();
    assert_eq!((back.status, parameter(&location, "state").as_deref()), (303, Some("a state")));
    let code = parameter(&location, "code").unwrap();
    let mut client = Client::new(&visit.bank);
    let tokens = exchange(&visit.bank, &mut client, &code).json();
    let access = tokens["access_token"].as_str().unwrap();
    let reply = Funds::new(&visit.bank, access, &coverage("4179.01", LEA)).send(&mut client).unwrap();
    assert_eq!(reply.json()["result"], false);
    assert_eq!(visit.post("decision", ("decision", "approve")).status, 404, "decided once and for all");
}

#[test]
fn a_refusal_goes_back_without_a_code() {
    let mut visit = Visit::open();
    visit.up_to_the_decision();
    let back = visit.post("decision", ("decision", "refuse"));
    let location = back.header("location").unwrap();
    assert_eq!(parameter(location, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(location, "code"), None);
}

#[test]
fn wrong_answers_repeat_the_question_and_no_step_can_be_skipped() {
    let mut visit = Visit::open();
    assert_eq!(visit.post("login", ("persona", "NOBODY")).status, 200);
    assert_eq!(visit.post("login", ("persona", "IRIS")).status, 200);
    assert_eq!(visit.post("sca", ("otp", "000000")).status, 200);
    let page = visit.post("decision", ("decision", "approve"));
    assert_eq!((page.status, page.header("location")), (200, None));
    visit.step("login", ("persona", "LEA"));
    assert_eq!(visit.post("sca", ("otp", "wrong")).header("location"), None);
    assert_eq!(visit.post("decision", ("decision", "approve")).header("location"), None);
    let verdicts: Vec<String> =
        visit.bank.control().requests().into_iter().map(|request| request.verdict).collect();
    for expected in
        ["unknown persona", "no online access", "not logged in", "wrong one-time code", "not authenticated"]
    {
        assert!(verdicts.iter().any(|verdict| verdict == expected), "{expected}: {verdicts:?}");
    }
}

#[test]
fn a_consent_that_takes_too_long_ends_on_a_page() {
    let mut visit = Visit::open();
    visit.bank.control().advance_clock(Duration::from_secs(241));
    let page = visit.post("login", ("persona", "LEA"));
    assert_eq!((page.status, page.header("location")), (408, None));
}

#[test]
fn a_guessed_flow_leads_nowhere() {
    let mut visit = Visit::open();
    visit.flow = "guessed".to_owned();
    assert_eq!(visit.post("login", ("persona", "LEA")).status, 404);
    let url = visit.url("login");
    assert_eq!(visit.browser.get(&url).status, 404);
}

#[test]
fn the_language_follows_the_browser() {
    let mut visit = Visit::open();
    let url = format!("{}?flow={}", visit.url("login"), visit.flow);
    for (header, lang) in [("de, en;q=0.5", "lang=\"en\""), ("fr-FR", "lang=\"fr\"")] {
        let page = visit.browser.send(&url, "GET", &[("Accept-Language", header)], b"").unwrap();
        assert!(page.text().contains(&format!("<html {lang}")), "{header}");
    }
}
