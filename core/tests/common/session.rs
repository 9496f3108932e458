//! What the tests of sessions share: a clock that is set by hand, a bank in memory, stores with keys.
#![allow(dead_code, reason = "each test file uses what it needs")]

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cbpii::http::{HttpRequest, HttpResponse, Transport, TransportContext};
use cbpii::store::{ConsentStore, RecordKey, RecordKeys, SealedStore};
use cbpii::{
    Amount, Bank, Client, ClientBuilder, Clock, Environment, Error, FundsRequest, Iban, Issuer, SystemClock,
    Timestamp, Tokens,
};
use cbpii_sandbox::{Endpoint, RefreshTokenRotation, Sandbox, SandboxOptions};

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub(crate) fn at(moment: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(moment.unix_millis())))
    }

    pub(crate) fn now_real() -> Self {
        Self::at(SystemClock.now())
    }

    pub(crate) fn set(&self, moment: Timestamp) {
        self.0.store(moment.unix_millis(), Ordering::SeqCst);
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(by));
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn keys() -> RecordKeys {
    RecordKeys::new(RecordKey::new([7; 32]))
}

pub(crate) fn sealed(store: impl ConsentStore + 'static) -> SealedStore {
    SealedStore::new(store, keys())
}

type Answer = Box<dyn Fn(&str) -> Result<HttpResponse, Error> + Send + Sync>;
type MaybeAnswer = Box<dyn Fn(&str) -> Option<HttpResponse> + Send + Sync>;

/// A bank in memory: it answers token requests as it is told, and every check with yes unless it is told otherwise.
#[derive(Clone)]
pub(crate) struct MemoryBank(Arc<MemoryBankState>);

struct MemoryBankState {
    token: Mutex<Answer>,
    funds: MaybeAnswer,
    checks: AtomicUsize,
    refreshes: AtomicUsize,
}

impl MemoryBank {
    pub(crate) fn new(token: impl Fn(&str) -> Result<HttpResponse, Error> + Send + Sync + 'static) -> Self {
        Self::with_funds(token, |_| None)
    }

    /// A bank whose answers to checks are given by `funds`, where it gives one.
    pub(crate) fn with_funds(
        token: impl Fn(&str) -> Result<HttpResponse, Error> + Send + Sync + 'static,
        funds: impl Fn(&str) -> Option<HttpResponse> + Send + Sync + 'static,
    ) -> Self {
        let (checks, refreshes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (token, funds) = (Mutex::new(Box::new(token) as Answer), Box::new(funds));
        Self(Arc::new(MemoryBankState { token, funds, checks, refreshes }))
    }

    pub(crate) fn checks(&self) -> usize {
        self.0.checks.load(Ordering::SeqCst)
    }

    pub(crate) fn refreshes(&self) -> usize {
        self.0.refreshes.load(Ordering::SeqCst)
    }
}

/// A token answer with these tokens, for an hour.
pub(crate) fn token_answer(access: &str, refresh: Option<&str>) -> Result<HttpResponse, Error> {
    let refresh = refresh.map(|token| format!(r#","refresh_token":"{token}""#)).unwrap_or_default();
    let body = format!(r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":3600{refresh}}}"#);
    HttpResponse::new(200, [("content-type", "application/json")], body.into_bytes())
}

pub(crate) fn invalid_grant() -> Result<HttpResponse, Error> {
    HttpResponse::new(400, [("content-type", "application/json")], br#"{"error":"invalid_grant"}"#.to_vec())
}

impl Transport for MemoryBank {
    fn exchange(&self, request: &HttpRequest, _: &TransportContext) -> Result<HttpResponse, Error> {
        if request.uri().path().ends_with("/token") {
            self.0.refreshes.fetch_add(1, Ordering::SeqCst);
            let body = String::from_utf8_lossy(request.body()).into_owned();
            let answer = self.0.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            return answer(&body);
        }
        self.0.checks.fetch_add(1, Ordering::SeqCst);
        let asked = String::from_utf8_lossy(request.body()).into_owned();
        if let Some(answer) = (self.0.funds)(&asked) {
            return Ok(answer);
        }
        let body = format!(r#"{{"request":{asked},"result":true,"_links":{{"self":{{"href":"v1/x"}}}}}}"#);
        HttpResponse::new(200, [("content-type", "application/json")], body.into_bytes())
    }
}

/// A client of the bank in memory: no certificates, no signatures.
pub(crate) fn memory_client(bank: &MemoryBank, clock: &TestClock) -> Client {
    memory_client_of("17515", bank, clock)
}

/// The same, of the establishment of this code.
pub(crate) fn memory_client_of(
    code: &str,
    bank: &MemoryBank,
    clock: &(impl Clock + Clone + 'static),
) -> Client {
    let mut record = Bank::bpce(code, Environment::Sandbox).unwrap();
    record.signature = None;
    record.refresh_token_rotation = cbpii::bank::RefreshTokenRotation::Unknown;
    let issuer = Issuer::new("PSDFR-ACPR-12345", "https://issuer.example/callback").unwrap();
    let builder = Client::builder(record, issuer).clock(clock.clone()).transport(bank.clone());
    builder.check_eligibility(false).build().unwrap()
}

/// Tokens of a consent that was given at `now`.
pub(crate) fn tokens(access: &str, refresh: Option<&str>, now: Timestamp) -> Tokens {
    let end = now.saturating_add(Duration::from_secs(3600));
    let consent_end = now.saturating_add(Duration::from_secs(180 * 24 * 3600));
    Tokens::new(access, refresh.map(Into::into), now, Some(end), consent_end).unwrap()
}

pub(crate) fn check(reference: &str) -> FundsRequest {
    let account = Iban::parse(crate::common::CLAIRE).unwrap();
    FundsRequest::new(reference, account, Amount::new("12.50", "EUR").unwrap()).unwrap()
}

/// A sandbox bank that treats refresh tokens in this way.
pub(crate) fn rotating(rotation: RefreshTokenRotation) -> Sandbox {
    Sandbox::start(SandboxOptions { rotation: Some(rotation), ..SandboxOptions::default() }).unwrap()
}

/// A client of the sandbox that does not know what the bank does to refresh tokens, so that it never re-sends.
pub(crate) fn careful_builder(sandbox: &Sandbox) -> ClientBuilder {
    let mut bank = crate::common::bank(sandbox);
    bank.refresh_token_rotation = cbpii::bank::RefreshTokenRotation::Unknown;
    Client::builder(bank, crate::common::issuer(sandbox))
}

/// How many refreshes the sandbox bank has seen.
pub(crate) fn refreshes(sandbox: &Sandbox) -> usize {
    let requests = sandbox.control().requests();
    let refresh = |body: &[u8]| String::from_utf8_lossy(body).contains("grant_type=refresh_token");
    requests.iter().filter(|seen| seen.endpoint == Endpoint::Token && refresh(&seen.body)).count()
}
