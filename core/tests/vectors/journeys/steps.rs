//! The steps of a journey, each with the facts it comes to.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cbpii::identity::{
    CertificateChain, CertificateReport, InspectOptions, PrivateKey, SealIdentity, TransportIdentity,
};
use cbpii::store::{RecordKey, RecordKeys, SealedStore, open_store};
use cbpii::{
    AuthorizationCode, CallOptions, Client, Clock as _, ConsentOptions, FundsRequest, Issuer, PendingConsent,
    Result, Secret, Session, SessionOptions, SessionPool, SystemClock, Timestamp, Tokens, renewals_due,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::input::{
    ClientInput, IdentityInput, InspectInput, IssuerInput, QuestionInput, Side, Step, TokensInput,
};
use super::scene::Scene;
use crate::certificates::findings;
use crate::facts::{facts_of_confirmation, facts_of_tokens};
use crate::requests::Input;
use crate::suite::{Facts, facts};
use crate::wire::bank;

impl Scene {
    pub(crate) fn run(&mut self, step: Step) -> Result<Facts> {
        match step {
            Step::Client { bank, issuer, client } => self.make_client(bank, issuer, client),
            Step::BeginConsent { valid_for_seconds } => self.begin_consent(valid_for_seconds),
            Step::Visit { decision, persona } => Ok(self.visit(&decision, &persona)),
            Step::Complete { callback } => self.complete(callback),
            Step::CompleteConsent { callback } => self.complete_consent(callback),
            Step::ExchangeCode { code } => self.exchange_code(code),
            Step::Consent { persona } => {
                self.begin_consent(None)?;
                self.visit("approve", &persona);
                self.complete_consent(None)
            }
            Step::Tokens(input) => self.take(tokens(input)?),
            Step::Refresh { timeout_ms } => {
                let options = call_options(timeout_ms.map(Duration::from_millis));
                let fresh = self.client().refresh_with(there(&self.tokens), &options)?;
                self.take(fresh)
            }
            Step::ConfirmFunds(asked) => self.confirm_funds(&asked),
            Step::Explain { request } => self.explain(request),
            Step::Store { url, key, old_keys } => self.open_store(&url, &key, &old_keys),
            Step::Keep { id } => {
                let session = self.pool()?.keep(&id, there(&self.tokens))?;
                Ok(self.hold(session))
            }
            Step::Open { id } => {
                let session = self.pool()?.open(&id)?;
                Ok(self.hold(session))
            }
            Step::Forget { id } => Ok(facts(json!({ "forgotten": self.pool()?.forget(&id)? }))),
            Step::Session {} => Ok(facts_of_session(there(&self.session))),
            Step::SessionConfirmFunds(asked) => self.session_confirm_funds(&asked),
            Step::RenewalsDue { before } => renewals(there(&self.store), before),
            Step::AdvanceClock { seconds, only } => Ok(self.advance_clock(seconds, only)),
            Step::Control { call, body } => {
                let (method, path) = call.split_once(' ').expect("a method and a path");
                self.control(method, path, &body.unwrap_or_default());
                Ok(Facts::new())
            }
            Step::RequestsSeen {} => Ok(self.requests_seen()),
            Step::Inspect(asked) => inspect(asked),
            Step::WriteFile { path, base64 } => {
                std::fs::write(path, BASE64_STANDARD.decode(base64).expect("base64")).expect("a file");
                Ok(Facts::new())
            }
        }
    }

    fn client(&self) -> &Client {
        there(&self.client)
    }

    /// The members of the journey, and those of the step over them.
    fn input<T: DeserializeOwned>(&self, journey: &Facts, step: Facts) -> T {
        let mut all = journey.clone();
        all.extend(step);
        serde_json::from_value(self.filled(all.into())).expect("an input of this kind")
    }

    fn make_client(&mut self, record: Facts, issuer_members: Facts, options: Facts) -> Result<Facts> {
        (self.client, self.pool, self.session) = (None, None, None);
        let record: Value = self.input(&self.journey.bank, record);
        let issuer = issuer(self.input(&self.journey.issuer, issuer_members))?;
        let options: ClientInput = self.input(&self.journey.client, options);
        let mut builder =
            Client::builder(bank(&record)?, issuer).clock(self.clock.clone()).check_eligibility(false);
        if let Some(milliseconds) = options.timeout_ms {
            builder = builder.timeout(Duration::from_millis(milliseconds));
        }
        if let Some(milliseconds) = options.connect_timeout_ms {
            builder = builder.connect_timeout(Duration::from_millis(milliseconds));
        }
        if let Some(count) = options.max_idle_connections {
            builder = builder.max_idle_connections(count);
        }
        if let Some(count) = options.retries {
            builder = builder.retries(count);
        }
        if let Some(url) = options.proxy {
            builder = builder.proxy(url);
        }
        let client = builder.build()?;
        let made = facts(json!({ "bank_id": client.bank().id }));
        self.client = Some(client);
        Ok(made)
    }

    fn begin_consent(&mut self, valid_for_seconds: Option<u64>) -> Result<Facts> {
        let mut options = ConsentOptions::default();
        if let Some(seconds) = valid_for_seconds {
            options = options.valid_for(Duration::from_secs(seconds));
        }
        let begun = self.client().begin_consent(&options)?;
        let pending = PendingConsent::from_json(begun.to_json().expose())?;
        let begun = facts(json!({
            "bank_id": pending.bank_id(),
            "redirect_uri": pending.redirect_uri(),
            "created_at": pending.created_at(),
            "expires_at": pending.expires_at(),
        }));
        self.pending = Some(pending);
        Ok(begun)
    }

    fn visit(&mut self, decision: &str, persona: &str) -> Facts {
        let url = there(&self.pending).url();
        let callback = match decision {
            "approve" => self.bank().approve(url, persona).expect("a bank that returns"),
            "refuse" => self.bank().refuse(url, persona).expect("an answer").expect("a bank that returns"),
            other => panic!("{other} is no decision"),
        };
        let (returned_to, query) = callback.split_once('?').expect("a query");
        let parameters: Vec<&str> =
            query.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).collect();
        let visited = facts(json!({ "returned_to": returned_to, "parameters": parameters }));
        self.callback = Some(callback);
        visited
    }

    /// The callback that a step states, or the one the bank gave.
    fn callback_or(&self, stated: Option<String>) -> String {
        stated.unwrap_or_else(|| there(&self.callback).clone())
    }

    fn complete(&mut self, callback: Option<String>) -> Result<Facts> {
        let code = there(&self.pending).complete_at(&self.callback_or(callback), self.clock.now())?;
        let read = facts(json!({ "code": code.expose() }));
        self.code = Some(code);
        Ok(read)
    }

    fn complete_consent(&mut self, callback: Option<String>) -> Result<Facts> {
        let callback = self.callback_or(callback);
        let tokens = self.client().complete_consent(there(&self.pending), &callback)?;
        self.take(tokens)
    }

    fn exchange_code(&mut self, code: Option<String>) -> Result<Facts> {
        if let Some(code) = code {
            self.code = Some(AuthorizationCode::new(code)?);
        }
        let tokens = self.client().exchange_code(there(&self.pending), there(&self.code))?;
        self.take(tokens)
    }

    /// Tokens go through their saved form, as in a program that keeps them.
    fn take(&mut self, tokens: Tokens) -> Result<Facts> {
        let tokens = Tokens::from_json(tokens.to_json().expose())?;
        let taken = facts_of_tokens(&tokens);
        self.tokens = Some(tokens);
        Ok(taken)
    }

    fn request(&self, members: &Facts) -> Result<FundsRequest> {
        self.input::<Input>(&self.journey.request, members.clone()).request()
    }

    fn confirm_funds(&self, asked: &QuestionInput) -> Result<Facts> {
        let (request, options) = (self.request(&asked.request)?, call_options(asked.timeout()));
        let answer = self.client().confirm_funds_with(there(&self.tokens), &request, &options)?;
        Ok(facts_of_confirmation(&answer))
    }

    fn session_confirm_funds(&self, asked: &QuestionInput) -> Result<Facts> {
        let (request, options) = (self.request(&asked.request)?, call_options(asked.timeout()));
        let answer = there(&self.session).confirm_funds_with(&request, &options)?;
        Ok(facts_of_confirmation(&answer))
    }

    fn explain(&self, request: Facts) -> Result<Facts> {
        let explained = self.client().explain(&self.request(&request)?)?;
        Ok(facts(json!({
            "method": explained.method,
            "url": explained.url,
            "headers": explained.headers,
            "body": explained.body,
            "digest_input": explained.digest_input,
            "signing_string": explained.signing_string,
            "key_id": explained.key_id,
            "key_id_source": explained.key_id_source,
        })))
    }

    fn open_store(&mut self, url: &str, key: &str, old_keys: &[String]) -> Result<Facts> {
        (self.store, self.pool, self.session) = (None, None, None);
        let mut keys = RecordKeys::new(record_key(key)?);
        for key in old_keys {
            keys = keys.with_old(record_key(key)?);
        }
        self.store = Some(SealedStore::new(open_store(url)?, keys));
        Ok(Facts::new())
    }

    /// The pool of the present client and store.
    fn pool(&mut self) -> Result<SessionPool> {
        if self.pool.is_none() {
            let mut options = SessionOptions::default();
            let input = &self.journey.session;
            if let Some(seconds) = input.refresh_margin_seconds {
                options = options.refresh_margin(Duration::from_secs(seconds));
            }
            if let Some(seconds) = input.renew_before_seconds {
                options = options.renew_before(Duration::from_secs(seconds));
            }
            if let Some(milliseconds) = input.refresh_timeout_ms {
                options = options.refresh_timeout(Duration::from_millis(milliseconds));
            }
            let store = there(&self.store).clone();
            self.pool = Some(SessionPool::with_options(self.client().clone(), store, options)?);
        }
        Ok(there(&self.pool).clone())
    }

    fn hold(&mut self, session: Session) -> Facts {
        let kept = facts_of_session(&session);
        self.session = Some(session);
        kept
    }

    fn advance_clock(&self, seconds: u64, only: Option<Side>) -> Facts {
        if only != Some(Side::Bank) {
            self.clock.advance(Duration::from_secs(seconds));
        }
        if only != Some(Side::Client) {
            self.control("POST", "/clock", &json!({ "advance_seconds": seconds }));
        }
        Facts::new()
    }

    /// The endpoints that were asked since the last time, in their order.
    fn requests_seen(&self) -> Facts {
        let seen = self.control("GET", "/requests", &Value::Null);
        self.control("DELETE", "/requests", &Value::Null);
        let endpoints: Vec<&Value> =
            seen.as_array().expect("a list").iter().map(|one| &one["endpoint"]).collect();
        facts(json!({ "requests": endpoints }))
    }
}

/// What an earlier step must have led to.
fn there<T>(thing: &Option<T>) -> &T {
    thing.as_ref().expect("what an earlier step leads to")
}

fn call_options(timeout: Option<Duration>) -> CallOptions {
    timeout.map_or_else(CallOptions::default, |timeout| CallOptions::default().timeout(timeout))
}

fn tokens(input: TokensInput) -> Result<Tokens> {
    let TokensInput { access_token, refresh_token, obtained_at, expires_at, consent_expires_at } = input;
    Tokens::new(access_token, refresh_token.map(Secret::from), obtained_at, expires_at, consent_expires_at)
}

fn issuer(input: IssuerInput) -> Result<Issuer> {
    let mut issuer = Issuer::new(&input.client_id, &input.redirect_uri)?;
    if let Some(secret) = input.client_secret {
        issuer = issuer.with_client_secret(secret)?;
    }
    if let Some(identity) = input.transport {
        let (chain, key) = pair(&identity)?;
        issuer = issuer.with_transport(TransportIdentity::new(chain, key)?);
    }
    if let Some(identity) = input.seal {
        let (chain, key) = pair(&identity)?;
        let mut seal = SealIdentity::new(chain, key)?;
        if let Some(key_id) = identity.key_id {
            seal = seal.with_key_id(key_id)?;
        }
        issuer = issuer.with_seal(seal);
    }
    Ok(issuer)
}

fn pair(identity: &IdentityInput) -> Result<(CertificateChain, PrivateKey)> {
    let password = identity.password.clone().map(Secret::from);
    let chain = CertificateChain::from_bytes(identity.chain.as_bytes())?;
    Ok((chain, PrivateKey::from_bytes(identity.key.as_bytes(), password.as_ref())?))
}

/// A report by the present time.
fn inspect(asked: InspectInput) -> Result<Facts> {
    let mut options = InspectOptions::at(SystemClock.now());
    if let Some(intended_use) = asked.intended_use {
        options = options.for_use(intended_use.into());
    }
    if let Some(key) = asked.key {
        let password = asked.password.map(Secret::from);
        options = options.with_key(PrivateKey::from_bytes(key.as_bytes(), password.as_ref())?);
    }
    if let Some(client_id) = asked.client_id {
        options = options.with_client_id(client_id);
    }
    let report = CertificateReport::inspect(asked.chain.as_bytes(), &options)?;
    Ok(facts(json!({
        "organisation_identifier": report.organisation_identifier,
        "chain_length": report.chain_length,
        "findings": findings(&report),
    })))
}

/// A key as hexadecimal digits.
fn record_key(digits: &str) -> Result<RecordKey> {
    let byte = |place: usize| u8::from_str_radix(&digits[place..place + 2], 16).expect("two digits");
    RecordKey::from_slice(&(0..digits.len()).step_by(2).map(byte).collect::<Vec<_>>())
}

fn facts_of_session(session: &Session) -> Facts {
    let status = session.status();
    let history: Vec<_> = session
        .history()
        .iter()
        .map(|moment| json!([moment.event.as_str(), moment.at, moment.cause.map(|cause| cause.as_str())]))
        .collect();
    facts(json!({
        "id": session.id(),
        "state": status.state.as_str(),
        "next_action": status.next_action.as_str(),
        "consent_expires_at": status.consent_expires_at,
        "renew_from": status.renew_from,
        "days_left": status.days_left,
        "has_unsaved_tokens": session.has_unsaved_tokens(),
        "history": history,
    }))
}

fn renewals(store: &SealedStore, before: Timestamp) -> Result<Facts> {
    let due: Vec<_> = renewals_due(store, before).collect::<Result<_>>()?;
    let due: Vec<_> = due
        .iter()
        .map(|one| json!([one.id, one.bank_id, one.consent_expires_at, one.reason.as_str()]))
        .collect();
    Ok(facts(json!({ "due": due })))
}
