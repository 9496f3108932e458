//! A whole journey in which everything is logged, and everything there is to look at is shown.

use std::fmt::Debug;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use cbpii::bank::{ClientAuthentication, TrustMode};
use cbpii::identity::{SealIdentity, TransportIdentity};
use cbpii::store::{RecordKey, RecordKeys, SealedStore, SqliteStore};
use cbpii::{
    Amount, Bank, Client, ConsentOptions, Environment, FundsRequest, Iban, Issuer, SessionPool, Tokens,
};
use cbpii_sandbox::{Endpoint, Fault, FaultRule, Sandbox, SandboxOptions};
use log::{LevelFilter, Log, Metadata, Record};
use serde_json::json;

use crate::Failure;

/// Writes to the standard output whatever is logged, at every level.
struct Everything;

impl Log for Everything {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let (level, target) = (record.level(), record.target());
        // A line that cannot be written cannot leak either.
        let _ = writeln!(io::stdout(), "{level} {target} {}", record.args());
    }

    fn flush(&self) {}
}

fn show(what: &(impl Debug + ?Sized)) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{what:?} {what:#?}")?)
}

/// From the consent to a refresh, with every fault in between; the store stays in `folder`.
pub(crate) fn run(folder: &Path) -> Result<(), Failure> {
    log::set_logger(&Everything).map_err(|error| error.to_string())?;
    log::set_max_level(LevelFilter::Trace);
    let settings = json!({"pkce": true, "client_authentication": "client_secret_basic"});
    let sandbox = Sandbox::start(SandboxOptions { settings: Some(settings), ..SandboxOptions::default() })?;
    let client = client(&sandbox)?;
    let pending = client.begin_consent(&ConsentOptions::default())?;
    let code = pending.complete(&sandbox.approve(pending.url(), "CLAIRE")?)?;
    show(&pending)?;
    show(&code)?;
    let tokens = client.exchange_code(&pending, &code)?;
    show(&client.exchange_code(&pending, &code))?;
    // The code was spent twice, so the bank took its tokens back; another consent is needed.
    let pending = client.begin_consent(&ConsentOptions::default())?;
    let kept = client.complete_consent(&pending, &sandbox.approve(pending.url(), "CLAIRE")?)?;
    show(&tokens)?;
    check(&sandbox, &client, &kept)?;
    let store = SealedStore::new(
        SqliteStore::open(folder.join("consents.db"))?,
        RecordKeys::new(RecordKey::new([7; 32])),
    );
    let pool = SessionPool::new(client, store);
    let session = pool.keep("claire", &kept)?;
    sandbox.control().expire_access_tokens();
    show(&session.confirm_funds(&question()?))?;
    show(&session)?;
    show(&session.history())?;
    panic_with(&session)
}

fn client(sandbox: &Sandbox) -> Result<Client, Failure> {
    let kit = sandbox.issuer();
    let mut bank = Bank::bpce("17515", Environment::Sandbox)?
        .with_origin(&sandbox.endpoints().origin)?
        .with_trust_anchor(&kit.ca_pem, TrustMode::Replace)?;
    bank.pkce = true;
    bank.client_authentication = ClientAuthentication::ClientSecretBasic;
    let pair = |identity: &cbpii_sandbox::Identity| (identity.chain_pem.clone(), identity.key_pem.clone());
    let ((qwac, qwac_key), (seal, seal_key)) = (pair(&kit.qwac), pair(&kit.qsealc));
    let secret = kit.client_secret.as_deref().ok_or("the bank gave no client secret")?;
    let issuer = Issuer::new(&kit.client_id, &kit.redirect_uri)?
        .with_client_secret(secret)?
        .with_transport(TransportIdentity::from_pem(qwac.as_bytes(), qwac_key.as_bytes(), None)?)
        .with_seal(SealIdentity::from_pem(seal.as_bytes(), seal_key.as_bytes(), None)?);
    show(&issuer)?;
    let builder = Client::builder(bank, issuer).retries(0).on_event(|event| {
        // As above.
        let _ = writeln!(io::stdout(), "{event} {event:?}");
    });
    show(&builder)?;
    let client = builder.build()?;
    show(&client)?;
    Ok(client)
}

fn question() -> Result<FundsRequest, Failure> {
    let account = Iban::parse("FR7617515900000800358074006")?;
    Ok(FundsRequest::new("ORDER-4711", account, Amount::new("12.50", "EUR")?)?)
}

/// Honest answers, and every kind of error, with its explanation.
fn check(sandbox: &Sandbox, client: &Client, tokens: &Tokens) -> Result<(), Failure> {
    let question = question()?;
    show(&question)?;
    let explanation = client.explain(&question)?;
    writeln!(io::stdout(), "{explanation}")?;
    show(&client.confirm_funds(tokens, &question)?)?;
    let gossip = format!("AC01 {} {}", tokens.access_token().expose(), "FR7617515900000800358074006");
    let answer = |status| Fault::Answer {
        status,
        headers: Vec::new(),
        content_type: Some("application/json".to_owned()),
        body: json!({"message": gossip, "error": gossip, "error_description": gossip}).to_string(),
    };
    for fault in [
        answer(400),
        answer(401),
        answer(403),
        answer(503),
        Fault::Garbage,
        Fault::ResetMidAnswer,
        Fault::BadDigest,
        Fault::DuplicateMembers,
        Fault::InvalidUtf8,
        Fault::HtmlPage { status: 200 },
    ] {
        sandbox.control().set_fault(FaultRule::once(Endpoint::Funds, fault.clone()))?;
        sandbox.control().set_fault(FaultRule::once(Endpoint::Token, fault))?;
        shown_error(client.confirm_funds(tokens, &question).map(drop))?;
        shown_error(client.refresh(tokens).map(drop))?;
        sandbox.control().clear_faults();
    }
    Ok(())
}

fn shown_error(outcome: cbpii::Result<()>) -> Result<(), Failure> {
    if let Err(error) = outcome {
        show(&error)?;
        writeln!(io::stdout(), "{error} {:?}", error.bank_message())?;
        error.explanation().map_or(Ok(()), |told| writeln!(io::stdout(), "{told} {told:?}"))?;
    }
    Ok(())
}

/// What a panic says of something that has secrets.
fn panic_with(session: &cbpii::Session) -> Result<(), Failure> {
    let session = Arc::new(session.clone());
    let ended =
        std::thread::spawn(move || std::panic::panic_any(format!("meant to happen: {session:?}"))).join();
    if ended.is_err() { Ok(()) } else { Err("a thread that panics has not panicked".into()) }
}
