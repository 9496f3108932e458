//! What a test may do to the bank. The control endpoint and the library's own users go through here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::bank::Bank;
use crate::error::SandboxError;
use crate::exchange::Endpoint;
use crate::faults::FaultRule;
use crate::iban;
use crate::lock::Locked as _;
use crate::personas::Persona;
use crate::record::{ConnectionRecord, RequestRecord};
use crate::settings::Settings;
use crate::token;

/// A handle on a running bank; cheap to clone.
#[derive(Clone)]
pub struct Control {
    pub(crate) bank: Arc<Bank>,
}

impl Control {
    /// The settings in force.
    pub fn settings(&self) -> Settings {
        (*self.bank.settings()).clone()
    }

    /// Changes settings by a JSON merge patch and gives the result. TLS settings apply to new connections.
    pub fn configure(&self, patch: &Value) -> Result<Settings, SandboxError> {
        let settings = self.bank.settings().patched(patch)?;
        self.bank.apply(settings.clone())?;
        Ok(settings)
    }

    /// Puts a fault in force, behind those of the same endpoint that are in force already.
    pub fn set_fault(&self, rule: FaultRule) -> Result<(), SandboxError> {
        rule.check().map_err(SandboxError::Configuration)?;
        self.bank.faults.add(rule);
        Ok(())
    }

    /// The faults still in force.
    pub fn faults(&self) -> Vec<FaultRule> {
        self.bank.faults.list()
    }

    /// How often each fault was met since the start, by endpoint and kind.
    pub fn faults_met(&self) -> BTreeMap<(Endpoint, String), u64> {
        self.bank.faults.met()
    }

    /// Ends every fault; held requests go on.
    pub fn clear_faults(&self) {
        self.bank.faults.clear();
    }

    /// The bank's time.
    pub fn now(&self) -> SystemTime {
        self.bank.now()
    }

    /// Moves the bank's clock forward.
    pub fn advance_clock(&self, by: Duration) {
        self.bank.clock.advance(by);
    }

    /// Sets the bank's clock, which goes on from there.
    pub fn set_clock(&self, to: SystemTime) {
        self.bank.clock.set(to);
    }

    /// Sets the bank's clock to real time.
    pub fn reset_clock(&self) {
        self.bank.clock.reset();
    }

    /// The requests seen, oldest first, the last 10,000 at most.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.bank.recorder.requests()
    }

    /// Gives the requests that have been dealt with, oldest first, and forgets them. Those that are pending stay: a test
    /// that makes more than are kept takes them in portions and misses none.
    pub fn take_requests(&self) -> Vec<RequestRecord> {
        self.bank.recorder.take()
    }

    /// Waits until `enough` says so about the requests seen; false when the time is up first.
    pub fn wait_until(&self, limit: Duration, enough: impl Fn(&[RequestRecord]) -> bool) -> bool {
        self.bank.recorder.wait(limit, enough)
    }

    /// Waits until `count` requests have been seen; false when the time is up first.
    pub fn wait_for_requests(&self, count: usize, limit: Duration) -> bool {
        self.wait_until(limit, |seen| seen.len() >= count)
    }

    /// The connections seen, in the order in which their handshakes ended.
    pub fn connections(&self) -> Vec<ConnectionRecord> {
        self.bank.recorder.connections()
    }

    /// How many connections were opened since the start.
    pub fn connections_opened(&self) -> u64 {
        self.bank.recorder.connections_opened()
    }

    /// Closes every open connection without a word, as a bank does with idle ones; what is under way is lost.
    pub fn close_connections(&self) {
        self.bank.hang_up();
    }

    /// Forgets the requests and connections seen so far.
    pub fn forget_requests(&self) {
        self.bank.recorder.forget();
    }

    /// The bank's customers.
    pub fn personas(&self) -> Vec<Persona> {
        self.bank.customers.locked().all().cloned().collect()
    }

    /// Adds a customer, or replaces the one with the same identifier.
    pub fn put_persona(&self, persona: Persona) -> Result<(), SandboxError> {
        if persona.id.is_empty() || !iban::is_valid(&persona.iban) {
            return Err(SandboxError::Configuration("a persona has an id and a valid IBAN".to_owned()));
        }
        self.bank.customers.locked().put(persona);
        Ok(())
    }

    /// Gives tokens as if the persona had just consented, in the form of a token answer. Another scope than the bank's
    /// makes a token of another role.
    pub fn issue_tokens(&self, persona: &str, scope: Option<&str>) -> Result<Value, SandboxError> {
        if self.bank.customers.locked().get(persona).is_none() {
            return Err(SandboxError::Configuration(format!("no persona {persona}")));
        }
        let settings = self.bank.settings();
        let now = self.bank.now();
        let scope = scope.unwrap_or(&settings.scope);
        let issued = self.bank.grants.locked().issue(persona, scope, now, &settings, now);
        let answer = Value::Object(token::body(&settings, &issued));
        self.bank.secrets.tell_tokens(&answer);
        Ok(answer)
    }

    /// Revokes the consents of one persona, or of all.
    pub fn revoke_consents(&self, persona: Option<&str>) {
        self.bank.grants.locked().revoke(persona);
    }

    /// How often the tokens of the persona's consent in force were refreshed; none when there is no such consent.
    pub fn refreshes(&self, persona: &str) -> Option<u64> {
        let scope = &self.bank.settings().scope;
        self.bank.grants.locked().refreshes(persona, scope)
    }

    /// Lets every access token expire now; refresh tokens stay valid.
    pub fn expire_access_tokens(&self) {
        let now = self.bank.now();
        self.bank.grants.locked().expire_access(now);
    }

    /// Everything as at the start: settings, clock, customers, consents, faults and records.
    pub fn reset(&self) -> Result<(), SandboxError> {
        self.bank.reset()
    }
}
