//! A client whose bank is a file: answers are given from memory, requests are kept, time stands still.

use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cbpii::http::{HttpRequest, HttpResponse, Transport, TransportContext};
use cbpii::identity::SealIdentity;
use cbpii::{Bank, Client, ClientBuilder, Clock, Entropy, Issuer, Result, Timestamp};
use cbpii_sandbox::{IssuerKit, Sandbox, SandboxOptions};
use serde::Deserialize;
use serde_json::Value;

pub(crate) const CLIENT_ID: &str = "PSDFR-ACPR-12345";
pub(crate) const REDIRECT_URI: &str = "https://issuer.example/psd2/callback";
/// The secret of banks that want one.
pub(crate) const CLIENT_SECRET: &str = "s3cr3t";
/// The example of RFC 7636, appendix B: these random bytes give this challenge.
const RANDOM: [u8; 32] = [
    116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214,
    191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
];
pub(crate) const CODE_CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

static SANDBOX: LazyLock<Sandbox> =
    LazyLock::new(|| Sandbox::start(SandboxOptions::default()).expect("the sandbox starts"));
static SEAL: LazyLock<SealIdentity> = LazyLock::new(|| {
    let (chain, key) = (&kit().qsealc.chain_pem, &kit().qsealc.key_pem);
    SealIdentity::from_pem(chain.as_bytes(), key.as_bytes(), None)
        .and_then(|seal| seal.with_key_id("https://issuer.example/seal"))
        .expect("a readable identity")
});

/// The certificates of the sandbox bank's issuer.
pub(crate) fn kit() -> &'static IssuerKit {
    SANDBOX.issuer()
}

/// The body of an answer.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Body {
    /// Any serialisation of this value.
    Json(Value),
    /// Exactly this text.
    Text(String),
    /// Exactly these bytes.
    Base64(String),
    /// Texts, each as often as said.
    Repeated(Vec<(String, usize)>),
}

impl Body {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Json(value) => value.to_string().into_bytes(),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Base64(text) => BASE64_STANDARD.decode(text).expect("base64"),
            Self::Repeated(parts) => {
                parts.iter().map(|(text, times)| text.repeat(*times)).collect::<String>().into_bytes()
            }
        }
    }
}

/// What the bank answers, whatever it is asked.
pub(crate) fn answer(status: u16, headers: &[(String, String)], body: Option<&Body>) -> HttpResponse {
    let body = body.map(Body::bytes).unwrap_or_default();
    HttpResponse::new(status, headers.iter().map(|(name, value)| (name, value)), body)
        .expect("an answer HTTP allows")
}

/// Answers from memory and keeps what was sent.
#[derive(Clone)]
pub(crate) struct Wire {
    answer: HttpResponse,
    sent: Arc<Mutex<Vec<HttpRequest>>>,
}

impl Wire {
    pub(crate) fn new(answer: HttpResponse) -> Self {
        Self { answer, sent: Arc::default() }
    }

    /// The last request.
    pub(crate) fn last(&self) -> HttpRequest {
        self.sent.lock().unwrap().last().cloned().expect("something was sent")
    }
}

impl Transport for Wire {
    fn exchange(&self, request: &HttpRequest, _: &TransportContext) -> Result<HttpResponse> {
        self.sent.lock().unwrap().push(request.clone());
        Ok(self.answer.clone())
    }
}

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

struct Known;

impl Entropy for Known {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        bytes.copy_from_slice(&RANDOM[..bytes.len()]);
        Ok(())
    }
}

/// The bank of a case: the record as it is written there.
pub(crate) fn bank(record: &Value) -> Result<Bank> {
    Bank::from_json(&record.to_string())
}

/// An issuer with a seal, and with a secret where the bank wants one.
pub(crate) fn issuer(bank: &Bank) -> Result<Issuer> {
    let issuer = Issuer::new(CLIENT_ID, REDIRECT_URI)?.with_seal(SEAL.clone());
    match bank.client_authentication {
        cbpii::bank::ClientAuthentication::TlsClientAuth => Ok(issuer),
        _ => issuer.with_client_secret(CLIENT_SECRET),
    }
}

/// A client at a moment. Certificates are judged by `certificates.json` alone, since they are made afresh.
pub(crate) fn builder(bank: Bank, issuer: Issuer, now: Timestamp) -> ClientBuilder {
    Client::builder(bank, issuer).clock(At(now)).entropy(Known).check_eligibility(false)
}

/// A client whose bank is `wire`.
pub(crate) fn client(record: &Value, now: Timestamp, wire: Wire) -> Result<Client> {
    let bank = bank(record)?;
    let issuer = issuer(&bank)?;
    builder(bank, issuer, now).transport(wire).build()
}

/// The seal of every issuer here.
pub(crate) fn seal() -> SealIdentity {
    SEAL.clone()
}
