//! What a test can make the bank do wrong.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::exchange::Endpoint;
use crate::lock::Locked as _;
use crate::settings::{ServerCertificate, TlsVersions};

/// Something the bank does wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// Any answer at all; the request is not processed.
    Answer {
        /// The status.
        status: u16,
        /// Headers, in their order.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// The content type; none leaves the header out.
        #[serde(default)]
        content_type: Option<String>,
        /// The body.
        #[serde(default)]
        body: String,
    },
    /// The honest answer with a JSON merge patch, then with exact values at JSON pointers (which can say `null`).
    AnswerPatch {
        /// The merge patch (RFC 7386); a null removes.
        #[serde(default)]
        patch: Option<Value>,
        /// JSON pointer to value.
        #[serde(default)]
        set: BTreeMap<String, Value>,
    },
    /// The honest answer with these headers set; a null removes one.
    AnswerHeaders {
        /// Name to value.
        headers: BTreeMap<String, Option<String>>,
    },
    /// A redirect; the request is not processed.
    Redirect {
        /// 301, 302, 307 or 308.
        status: u16,
        /// Where to.
        location: String,
    },
    /// A page of HTML where JSON is expected; the request is not processed.
    HtmlPage {
        /// The status.
        status: u16,
    },
    /// A real RST before the body is read; on a connection, right after it is accepted.
    ResetBeforeReading,
    /// The request is processed, half of the answer sent, then a real RST.
    ResetMidAnswer,
    /// No answer until the client leaves; the request is not processed. On a connection: no handshake.
    Stall,
    /// The request is processed, the head of the answer sent, and nothing more.
    StallAfterHeaders,
    /// The request is processed and the connection closed in the middle of the body.
    TruncatedBody,
    /// A body that never ends, written as fast as the client reads.
    OversizedBody,
    /// The `Digest` of the answer is of another body.
    BadDigest,
    /// The `Signature` of the answer does not verify.
    BadSignature,
    /// The answer carries another `X-Request-ID`.
    OtherRequestId,
    /// Every member of the answer's object appears twice, the first time with another value.
    DuplicateMembers,
    /// The answer is not UTF-8.
    InvalidUtf8,
    /// The request is processed, then the connection is closed without an answer.
    AnswerLost,
    /// Bytes that are not HTTP; on a connection, not TLS.
    Garbage,
    /// The request waits until the faults are cleared, then goes on honestly.
    Hold,
    /// The honest answer after a while of real time.
    Delay {
        /// How long.
        milliseconds: u64,
    },
    /// For [`Endpoint::Connection`]: another server certificate.
    ServerCertificate {
        /// Which.
        certificate: ServerCertificate,
    },
    /// For [`Endpoint::Connection`]: other TLS versions.
    TlsVersions {
        /// Which.
        versions: TlsVersions,
    },
}

/// A fault and when it applies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Where.
    pub endpoint: Endpoint,
    /// How many times; none until it is cleared.
    #[serde(default)]
    pub times: Option<u64>,
    /// How many requests pass honestly first.
    #[serde(default)]
    pub after: u64,
    /// What.
    pub fault: Fault,
}

impl FaultRule {
    /// The fault at every request from now on.
    pub fn always(endpoint: Endpoint, fault: Fault) -> Self {
        Self { endpoint, times: None, after: 0, fault }
    }

    /// The fault at the next request only.
    pub fn once(endpoint: Endpoint, fault: Fault) -> Self {
        Self { endpoint, times: Some(1), after: 0, fault }
    }

    /// The fault at the next `times` requests.
    pub fn times(endpoint: Endpoint, times: u64, fault: Fault) -> Self {
        Self { endpoint, times: Some(times), after: 0, fault }
    }
}

/// The faults in force, first come first served at each endpoint.
#[derive(Default)]
pub(crate) struct Faults {
    rules: Mutex<VecDeque<FaultRule>>,
    /// How often each fault was met.
    met: Mutex<BTreeMap<(Endpoint, String), u64>>,
    /// How often the faults were cleared: a held request waits for the next time.
    cleared: watch::Sender<u64>,
}

impl Faults {
    pub(crate) fn add(&self, rule: FaultRule) {
        self.rules.locked().push_back(rule);
    }

    pub(crate) fn list(&self) -> Vec<FaultRule> {
        self.rules.locked().iter().cloned().collect()
    }

    /// How often each fault was met, by endpoint and kind.
    pub(crate) fn met(&self) -> BTreeMap<(Endpoint, String), u64> {
        self.met.locked().clone()
    }

    /// Removes every fault and lets held requests go on.
    pub(crate) fn clear(&self) {
        let mut rules = self.rules.locked();
        rules.clear();
        self.cleared.send_modify(|count| *count += 1);
    }

    /// The fault that applies to a request at `endpoint` now, if any.
    pub(crate) fn take(&self, endpoint: Endpoint) -> Option<Taken> {
        let mut rules = self.rules.locked();
        let position = rules.iter().position(|rule| rule.endpoint == endpoint)?;
        let rule = rules.get_mut(position)?;
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        let fault = rule.fault.clone();
        if let Some(times) = &mut rule.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                rules.remove(position);
            }
        }
        drop(rules);
        *self.met.locked().entry((endpoint, fault.kind())).or_default() += 1;
        let before = *self.cleared.borrow();
        Some(Taken { fault, cleared: self.cleared.subscribe(), before })
    }
}

/// A fault on its way to a request.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) fault: Fault,
    cleared: watch::Receiver<u64>,
    before: u64,
}

impl Taken {
    /// Ends when the faults have been cleared since the fault was taken.
    pub(crate) async fn released(mut self) {
        let before = self.before;
        // An error means that the bank is closing.
        let _ = self.cleared.wait_for(|count| *count != before).await;
    }
}

impl Fault {
    /// The name it has in JSON.
    pub fn kind(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Whether it is about a connection and not about a request, or may be about either.
    fn fits(&self, endpoint: Endpoint) -> bool {
        let either = matches!(self, Fault::ResetBeforeReading | Fault::Stall | Fault::Garbage);
        let connection = matches!(self, Fault::ServerCertificate { .. } | Fault::TlsVersions { .. });
        either || connection == (endpoint == Endpoint::Connection)
    }
}

impl FaultRule {
    /// Says what does not make sense about a rule.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !self.fault.fits(self.endpoint) {
            return Err(format!("{} does not apply to {:?}", self.fault.kind(), self.endpoint));
        }
        match &self.fault {
            Fault::Answer { status, .. } | Fault::Redirect { status, .. } | Fault::HtmlPage { status }
                if !(200..=999).contains(status) =>
            {
                Err(format!("{status} is not a final status"))
            }
            Fault::Answer { headers, .. } => {
                headers.iter().try_for_each(|(name, value)| check_header(name, value))
            }
            Fault::AnswerHeaders { headers } => headers
                .iter()
                .try_for_each(|(name, value)| check_header(name, value.as_deref().unwrap_or_default())),
            _ => Ok(()),
        }
    }
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    let named = hyper::header::HeaderName::from_bytes(name.as_bytes()).is_ok();
    let valued = hyper::header::HeaderValue::from_str(value).is_ok();
    if named && valued { Ok(()) } else { Err(format!("{name}: {value} is not a header")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_waits_then_runs_out_and_leaves_other_endpoints_alone() {
        let faults = Faults::default();
        faults.add(FaultRule { after: 1, ..FaultRule::times(Endpoint::Funds, 2, Fault::Stall) });
        let take = |endpoint| faults.take(endpoint).map(|taken| taken.fault);
        assert_eq!(take(Endpoint::Token), None);
        assert_eq!(take(Endpoint::Funds), None);
        assert_eq!(take(Endpoint::Funds), Some(Fault::Stall));
        assert_eq!(take(Endpoint::Funds), Some(Fault::Stall));
        assert_eq!(take(Endpoint::Funds), None);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_fault_reads_as_the_readme_writes_it() {
        let text = r#"{"endpoint":"funds","times":3,"fault":{"kind":"answer","status":503,"body":"down"}}"#;
        let rule: FaultRule = serde_json::from_str(text).unwrap();
        assert_eq!(rule.times, Some(3));
        assert!(matches!(rule.fault, Fault::Answer { status: 503, .. }));
    }
}
