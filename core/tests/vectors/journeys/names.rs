//! What is random gets a name, so that a journey comes to the same facts everywhere.

use serde_json::Value;

use crate::suite::Facts;

/// The facts that may be random, in the order in which they are named.
const RANDOM: [&str; 5] = ["access_token", "refresh_token", "code", "request_id", "correlation_id"];

/// The random texts of a journey, in the order of their appearance.
pub(crate) struct Names {
    /// The file: what stands there is not random.
    journey: String,
    folder: String,
    seen: Vec<String>,
}

impl Names {
    pub(crate) fn new(journey: String, folder: String) -> Self {
        Self { journey, folder, seen: Vec::new() }
    }

    /// The facts with names for what is random, for ports and for the folder.
    pub(crate) fn give(&mut self, mut facts: Facts) -> Facts {
        for fact in RANDOM {
            if let Some(Value::String(text)) = facts.get_mut(fact) {
                *text = self.name(text);
            }
        }
        for value in facts.values_mut() {
            self.rename(value);
        }
        facts
    }

    fn name(&mut self, text: &str) -> String {
        if self.journey.contains(text) {
            return text.to_owned();
        }
        let place = self.seen.iter().position(|seen| seen == text).unwrap_or_else(|| {
            self.seen.push(text.to_owned());
            self.seen.len() - 1
        });
        format!("{{{}}}", place + 1)
    }

    fn rename(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = without_ports(&text.replace(&self.folder, "{folder}")),
            Value::Array(parts) => parts.iter_mut().for_each(|part| self.rename(part)),
            Value::Object(members) => members.values_mut().for_each(|member| self.rename(member)),
            _ => {}
        }
    }
}

/// Digits behind the names of this machine are ports.
fn without_ports(text: &str) -> String {
    let mut text = text.to_owned();
    for host in ["localhost:", "127.0.0.1:"] {
        let mut parts = text.split(host);
        let mut shown = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
            let port = if rest.len() < part.len() { "{port}" } else { "" };
            shown.push_str(&format!("{host}{port}{rest}"));
        }
        text = shown;
    }
    text
}
