//! What the tests against the sandbox bank share.
#![allow(dead_code, reason = "each test file uses what it needs")]

use cbpii::bank::TrustMode;
use cbpii::identity::{SealIdentity, TransportIdentity};
use cbpii::{
    Amount, Bank, Client, ClientBuilder, ConsentOptions, Environment, FundsRequest, Iban, Issuer, Tokens,
};
use cbpii_sandbox::{Dialect, Identity, Sandbox, SandboxOptions};

pub const CLAIRE: &str = "FR7617515900000800358074006";

/// A sandbox of the 89C3 dialect.
pub fn sandbox() -> Sandbox {
    Sandbox::start(SandboxOptions::default()).expect("the sandbox starts")
}

/// A sandbox of Lydia's dialect.
pub fn lydia() -> Sandbox {
    Sandbox::start(SandboxOptions { dialect: Dialect::Lydia, ..SandboxOptions::default() }).expect("the sandbox starts")
}

/// The record of the sandbox bank, as an issuer would make it from the directory.
pub fn bank(sandbox: &Sandbox) -> Bank {
    let kit = sandbox.issuer();
    Bank::bpce("17515", Environment::Sandbox)
        .and_then(|bank| bank.with_origin(&sandbox.endpoints().origin))
        .and_then(|bank| bank.with_trust_anchor(&kit.ca_pem, TrustMode::Replace))
        .expect("the record is good")
}

pub fn lydia_bank(sandbox: &Sandbox) -> Bank {
    let (endpoints, kit) = (sandbox.endpoints(), sandbox.issuer());
    Bank::by_id("lydia", Environment::Production)
        .and_then(|bank| bank.with_authorize_url(&endpoints.authorize_url))
        .and_then(|bank| bank.with_token_url(&endpoints.token_url))
        .and_then(|bank| bank.with_funds_url(&endpoints.funds_url))
        .and_then(|bank| bank.with_trust_anchor(&kit.ca_pem, TrustMode::Replace))
        .expect("the record is good")
}

pub fn transport(identity: &Identity) -> TransportIdentity {
    TransportIdentity::from_pem(identity.chain_pem.as_bytes(), identity.key_pem.as_bytes(), None).expect("a readable identity")
}

pub fn seal(identity: &Identity) -> SealIdentity {
    SealIdentity::from_pem(identity.chain_pem.as_bytes(), identity.key_pem.as_bytes(), None).expect("a readable identity")
}

/// The registered issuer without certificates.
pub fn bare_issuer(sandbox: &Sandbox) -> Issuer {
    let kit = sandbox.issuer();
    let issuer = Issuer::new(&kit.client_id, &kit.redirect_uri).expect("registered values are good");
    match &kit.client_secret {
        Some(secret) => issuer.with_client_secret(secret.as_str()).expect("a good secret"),
        None => issuer,
    }
}

pub fn issuer(sandbox: &Sandbox) -> Issuer {
    let kit = sandbox.issuer();
    bare_issuer(sandbox).with_transport(transport(&kit.qwac)).with_seal(seal(&kit.qsealc))
}

pub fn builder(sandbox: &Sandbox) -> ClientBuilder {
    Client::builder(bank(sandbox), issuer(sandbox))
}

pub fn client(sandbox: &Sandbox) -> Client {
    builder(sandbox).build().expect("the set-up is good")
}

/// A consent given by `persona`, all the way to the tokens.
pub fn consent(sandbox: &Sandbox, client: &Client, persona: &str) -> Tokens {
    let pending = client.begin_consent(&ConsentOptions::default()).expect("a consent begins");
    let callback = sandbox.approve(pending.url(), persona).expect("the persona approves");
    client.complete_consent(&pending, &callback).expect("the code is exchanged")
}

pub fn request(iban: &str, amount: &str) -> FundsRequest {
    let account = Iban::parse(iban).expect("a good IBAN");
    FundsRequest::new("ORDER-4711", account, Amount::new(amount, "EUR").expect("a good amount")).expect("a good request")
}
