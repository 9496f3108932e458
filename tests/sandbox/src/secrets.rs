//! Tells a test what the bank's secrets are, so that it can look for them where they must not be.
//!
//! When the environment variable `CBPII_SANDBOX_SECRETS` names a file, every bank appends to it what it gives out and is
//! sent: a line for each, with a kind, a tab and the secret. Only a test bank may do so.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::sync::Mutex;

use hyper::header::AUTHORIZATION;
use serde_json::Value;
use url::Url;

use crate::error::SandboxError;
use crate::exchange::{Answer, Endpoint, Exchange};
use crate::form::Parameters;
use crate::issuer::{Identity, IssuerKit};
use crate::lock::Locked as _;

/// Names the file.
pub const SECRETS_VARIABLE: &str = "CBPII_SANDBOX_SECRETS";

/// Parameters of a token request that are secrets.
const SECRET_PARAMETERS: [&str; 4] = ["code", "code_verifier", "refresh_token", "client_secret"];
/// Members of a token answer that are secrets.
const SECRET_MEMBERS: [&str; 2] = ["access_token", "refresh_token"];

/// Where the secrets are told; nowhere, unless the variable is set.
pub(crate) struct Secrets(Option<Mutex<Told>>);

struct Told {
    file: File,
    before: HashSet<String>,
}

impl Secrets {
    pub(crate) fn from_environment() -> Result<Self, SandboxError> {
        let Some(path) = std::env::var_os(SECRETS_VARIABLE) else { return Ok(Self(None)) };
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self(Some(Mutex::new(Told { file, before: HashSet::new() }))))
    }

    fn tell(&self, kind: &str, secret: &str) {
        let Some(told) = &self.0 else { return };
        let mut told = told.locked();
        if !secret.is_empty() && told.before.insert(secret.to_owned()) {
            // One write: several banks may share the file. A test without its secrets finds none and fails.
            let _ = told.file.write_all(format!("{kind}\t{secret}\n").as_bytes());
        }
    }

    /// The issuer's keys and client secret.
    pub(crate) fn tell_kit(&self, kit: &IssuerKit) {
        self.tell("client_secret", kit.client_secret.as_deref().unwrap_or_default());
        self.tell_key(&kit.qwac);
        self.tell_key(&kit.qsealc);
    }

    /// The body of the key's PEM on one line: the base64 of its DER.
    fn tell_key(&self, identity: &Identity) {
        let lines = identity.key_pem.lines().filter(|line| !line.starts_with('-'));
        self.tell("private_key", &lines.collect::<String>());
    }

    /// What a request holds, whether it is dealt with or not.
    pub(crate) fn tell_request(&self, exchange: &Exchange) {
        if self.0.is_none() {
            return;
        }
        let bearer = exchange.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = bearer.and_then(|value| value.split_once(' '));
        self.tell("authorization", bearer.map(|(_, credentials)| credentials).unwrap_or_default());
        if exchange.endpoint == Endpoint::Token {
            let (parameters, _) = Parameters::parse(&exchange.body);
            SECRET_PARAMETERS
                .iter()
                .for_each(|name| self.tell(name, parameters.get(name).unwrap_or_default()));
        }
        if exchange.endpoint == Endpoint::Funds {
            let body: Value = serde_json::from_slice(&exchange.body).unwrap_or_default();
            for pointer in ["/accountId/iban", "/accountId/Iban", "/accountId/other/identification"] {
                self.tell("account", body.pointer(pointer).and_then(Value::as_str).unwrap_or_default());
            }
        }
    }

    /// What an honest answer holds: tokens, or the code in a redirect.
    pub(crate) fn tell_answer(&self, answer: &Answer) {
        if self.0.is_none() {
            return;
        }
        self.tell_tokens(&serde_json::from_slice(&answer.body).unwrap_or_default());
        let location = answer.headers.iter().find(|(name, _)| name == "location");
        let url = location.and_then(|(_, value)| Url::parse(value).ok());
        let query = url.as_ref().and_then(Url::query).unwrap_or_default();
        let (parameters, _) = Parameters::parse(query.as_bytes());
        self.tell("code", parameters.get("code").unwrap_or_default());
    }

    /// The tokens of a token answer.
    pub(crate) fn tell_tokens(&self, answer: &Value) {
        for name in SECRET_MEMBERS {
            self.tell(name, answer.get(name).and_then(Value::as_str).unwrap_or_default());
        }
    }
}
