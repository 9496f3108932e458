//! A journey and its steps as the files write them.

use std::time::Duration;

use cbpii::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::certificates::Use;
use crate::suite::Facts;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journey {
    #[serde(rename = "about")]
    _about: String,
    /// A bank of its own, started with these options.
    pub(crate) sandbox: Option<SandboxInput>,
    pub(crate) now: Timestamp,
    pub(crate) bank: Facts,
    pub(crate) issuer: Facts,
    pub(crate) client: Facts,
    pub(crate) session: SessionInput,
    pub(crate) request: Facts,
    pub(crate) steps: Vec<Facts>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SandboxInput {
    #[serde(default)]
    pub(crate) bank: cbpii_sandbox::Dialect,
    #[serde(default)]
    pub(crate) stet: cbpii_sandbox::Standard,
    pub(crate) settings: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionInput {
    pub(crate) refresh_margin_seconds: Option<u64>,
    pub(crate) renew_before_seconds: Option<u64>,
    pub(crate) refresh_timeout_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerInput {
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    pub(crate) redirect_uri: String,
    pub(crate) transport: Option<IdentityInput>,
    pub(crate) seal: Option<IdentityInput>,
}

/// Certificates and key as PEM text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityInput {
    pub(crate) chain: String,
    pub(crate) key: String,
    pub(crate) password: Option<String>,
    /// Of a seal.
    pub(crate) key_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientInput {
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) connect_timeout_ms: Option<u64>,
    pub(crate) max_idle_connections: Option<usize>,
    pub(crate) retries: Option<u32>,
    pub(crate) proxy: Option<String>,
}

/// Whose clock is moved.
#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    Bank,
    Client,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Step {
    Client {
        #[serde(default)]
        bank: Facts,
        #[serde(default)]
        issuer: Facts,
        #[serde(default)]
        client: Facts,
    },
    BeginConsent {
        valid_for_seconds: Option<u64>,
    },
    Visit {
        decision: String,
        persona: String,
    },
    Complete {
        callback: Option<String>,
    },
    CompleteConsent {
        callback: Option<String>,
    },
    ExchangeCode {
        code: Option<String>,
    },
    Consent {
        persona: String,
    },
    Tokens(TokensInput),
    Refresh {
        timeout_ms: Option<u64>,
    },
    ConfirmFunds(QuestionInput),
    Explain {
        #[serde(default)]
        request: Facts,
    },
    Store {
        url: String,
        key: String,
        #[serde(default)]
        old_keys: Vec<String>,
    },
    Keep {
        id: String,
    },
    Open {
        id: String,
    },
    Forget {
        id: String,
    },
    Session {},
    SessionConfirmFunds(QuestionInput),
    RenewalsDue {
        before: Timestamp,
    },
    AdvanceClock {
        seconds: u64,
        only: Option<Side>,
    },
    Control {
        call: String,
        body: Option<Value>,
    },
    RequestsSeen {},
    Inspect(InspectInput),
    WriteFile {
        path: String,
        base64: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokensInput {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) obtained_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) consent_expires_at: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InspectInput {
    pub(crate) chain: String,
    pub(crate) key: Option<String>,
    pub(crate) password: Option<String>,
    #[serde(rename = "use")]
    pub(crate) intended_use: Option<Use>,
    pub(crate) client_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuestionInput {
    #[serde(default)]
    pub(crate) request: Facts,
    pub(crate) timeout_ms: Option<u64>,
}

impl QuestionInput {
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout_ms.map(Duration::from_millis)
    }
}
