//! Where a journey takes place: the bank, the clock, and what the steps so far have led to.

use std::sync::LazyLock;

use cbpii::store::SealedStore;
use cbpii::{AuthorizationCode, Client, PendingConsent, Session, SessionPool, Tokens};
use cbpii_sandbox::{Sandbox, SandboxOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::clock::HandClock;
use super::input::{Journey, SandboxInput};
use super::names::Names;
use crate::suite::Facts;

/// The bank of all journeys that do not need one of their own.
static BANK: LazyLock<Sandbox> = LazyLock::new(|| start(SandboxOptions::default()));

fn start(options: SandboxOptions) -> Sandbox {
    Sandbox::start(options).expect("the sandbox starts")
}

pub(crate) struct Scene {
    pub(crate) journey: Journey,
    pub(crate) clock: HandClock,
    pub(crate) client: Option<Client>,
    pub(crate) pending: Option<PendingConsent>,
    pub(crate) callback: Option<String>,
    pub(crate) code: Option<AuthorizationCode>,
    pub(crate) tokens: Option<Tokens>,
    pub(crate) store: Option<SealedStore>,
    pub(crate) pool: Option<SessionPool>,
    pub(crate) session: Option<Session>,
    folder: TempDir,
    own_bank: Option<Sandbox>,
    names: Names,
}

impl Scene {
    /// The bank as at its start, at the journey's moment.
    pub(crate) fn open(journey: Journey, text: String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let names = Names::new(text, folder.path().to_str().expect("a path in UTF-8").to_owned());
        let own_bank = journey.sandbox.as_ref().map(own_bank);
        let scene = Self {
            clock: HandClock::at(journey.now),
            journey,
            client: None,
            pending: None,
            callback: None,
            code: None,
            tokens: None,
            store: None,
            pool: None,
            session: None,
            folder,
            own_bank,
            names,
        };
        scene.control("POST", "/reset", &json!({}));
        scene.control("DELETE", "/connections", &Value::Null);
        scene.control("POST", "/clock", &json!({ "set": scene.journey.now.unix_seconds() }));
        scene
    }

    pub(crate) fn bank(&self) -> &Sandbox {
        self.own_bank.as_ref().unwrap_or(&BANK)
    }

    /// A call of the bank's control endpoint, which must be accepted.
    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) -> Value {
        let address = format!("{}{path}", self.bank().endpoints().control_url);
        let agent: ureq::Agent =
            ureq::Agent::config_builder().proxy(None).http_status_as_error(false).build().into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(address)
            .header("content-type", "application/json")
            .body(if body.is_null() { String::new() } else { body.to_string() })
            .expect("a request");
        let mut answer = agent.run(request).expect("the control endpoint answers");
        let text = answer.body_mut().read_to_string().expect("text");
        assert_eq!(answer.status().as_u16(), 200, "{method} {path}: {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The facts of a step with names for what is random.
    pub(crate) fn named(&mut self, facts: Facts) -> Facts {
        self.names.give(facts)
    }

    /// What a journey writes, with its stand-ins filled.
    pub(crate) fn filled(&self, value: Value) -> Value {
        match value {
            Value::String(text) if text == "{client_secret}" => {
                self.bank().issuer().client_secret.clone().into()
            }
            Value::String(text) => self.filled_text(text).into(),
            Value::Array(parts) => parts.into_iter().map(|part| self.filled(part)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(name, member)| (name, self.filled(member))).collect()
            }
            other => other,
        }
    }

    fn filled_text(&self, mut text: String) -> String {
        let (ends, kit) = (self.bank().endpoints(), self.bank().issuer());
        let control = ends.control_url.trim_end_matches("/control");
        let folder = self.folder.path().to_str().expect("a path in UTF-8");
        let known = [
            ("{origin}", Some(ends.origin.as_str())),
            ("{authorize_url}", Some(&ends.authorize_url)),
            ("{token_url}", Some(&ends.token_url)),
            ("{funds_url}", Some(&ends.funds_url)),
            ("{control}", Some(control)),
            ("{client_id}", Some(&kit.client_id)),
            ("{redirect_uri}", Some(&kit.redirect_uri)),
            ("{folder}", Some(folder)),
            ("{state}", self.pending.as_ref().map(PendingConsent::state)),
            ("{callback}", self.callback.as_deref()),
        ];
        for (name, value) in known {
            if let Some(value) = value {
                text = text.replace(name, value);
            }
        }
        self.filled_files(text)
    }

    /// `{file:qwac.chain}` is what the file holds that the bank's description names there.
    fn filled_files(&self, text: String) -> String {
        let Some((before, rest)) = text.split_once("{file:") else { return text };
        let (path, after) = rest.split_once('}').expect("a stand-in that ends");
        let kit = serde_json::to_value(self.bank().issuer()).expect("JSON");
        let file = path.split('.').fold(&kit, |value, name| &value[name]);
        let content = std::fs::read_to_string(file.as_str().expect("a file of the kit")).expect("text");
        format!("{before}{content}{}", self.filled_files(after.to_owned()))
    }
}

fn own_bank(input: &SandboxInput) -> Sandbox {
    start(SandboxOptions {
        dialect: input.bank,
        standard: input.stet,
        settings: input.settings.clone(),
        ..SandboxOptions::default()
    })
}
