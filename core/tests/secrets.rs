//! Nothing that is made to be looked at shows a token, a code, a verifier, a secret, a key or a whole account number.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use cbpii::bank::ClientAuthentication;
use cbpii::http::{HttpRequest, HttpResponse, Transport, TransportContext};
use cbpii::identity::{CertificateChain, InspectOptions, KeySigner, KeyStore, PrivateKey};
use cbpii::{
    Account, AccountScheme, Amount, CallOptions, Client, ClientBuilder, ConsentOptions, Error, ErrorCode,
    FundsRequest, Iban, Result, Secret, SecretBytes, Timestamp, Tokens,
};
use cbpii_sandbox::{Endpoint, Fault, FaultRule, Identity, Sandbox};
use common::*;
use serde_json::json;

fn shown(value: &impl Debug) -> String {
    format!("{value:?} {value:#?}")
}

/// The private half of an RSA key as it would look in text or in a list of bytes.
fn looks_of_key(pem: &str) -> Vec<String> {
    let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = BASE64_STANDARD.decode(lines.concat()).unwrap();
    let bytes = |at: usize| format!("{:?}", &der[at..at + 12]).trim_matches(['[', ']']).replace(' ', "");
    let hex = |at: usize| der[at..at + 12].iter().map(|byte| format!("{byte:02x}")).collect();
    let text: Vec<String> = lines[10..13].iter().map(|line| (*line).to_owned()).collect();
    [text, vec![bytes(400), bytes(700), hex(400), hex(700)]].concat()
}

#[track_caller]
fn assert_hides(text: &str, secrets: &[String]) {
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    assert!(!text.is_empty());
    assert_without_secrets(text, &secrets);
}

#[test]
fn secrets_and_tokens_do_not_show() {
    let now = Timestamp::from_unix_seconds(0);
    let secrets = ["2YotnFZFEjr1zCsicMWpAA".to_owned(), "tGzv3JOkF0XG5Qx2TlKWIA".to_owned()];
    let tokens = Tokens::new(secrets[0].as_str(), Some(secrets[1].as_str().into()), now, None, now).unwrap();
    let code = cbpii::AuthorizationCode::new(secrets[0].as_str()).unwrap();
    let secret = Secret::from(secrets[0].as_str());
    let bytes = SecretBytes::new(secrets[0].as_bytes());
    let all = [
        shown(&tokens),
        tokens.to_string(),
        shown(&code),
        code.masked(),
        shown(&secret),
        secret.to_string(),
        secret.masked(),
        shown(&bytes),
        shown(&tokens.to_json()),
    ];
    assert_hides(&all.concat(), &secrets);
    assert!(!shown(&bytes).contains("50, 89"), "the bytes are not listed");
}

#[test]
fn keys_and_identities_do_not_show() {
    let sandbox = sandbox();
    let kit = sandbox.issuer();
    let secrets =
        [looks_of_key(&kit.qwac.key_pem), looks_of_key(&kit.qsealc.key_pem), vec!["hushhush".to_owned()]]
            .concat();
    let key = |identity: &Identity| PrivateKey::from_pem(identity.key_pem.as_bytes(), None).unwrap();
    let chain = CertificateChain::from_pem(kit.qwac.chain_pem.as_bytes()).unwrap();
    let store = std::fs::read(&kit.qwac_forms.pkcs12).unwrap();
    let options = InspectOptions::at(Timestamp::from_unix_seconds(0)).with_key(key(&kit.qwac));
    let issuer = issuer(&sandbox).with_client_secret("hushhush").unwrap();
    let builder = Client::builder(bank(&sandbox), issuer.clone()).proxy("http://user:hushhush@127.0.0.1:1");
    let all = [
        shown(&key(&kit.qwac)),
        shown(&KeySigner::new(&key(&kit.qsealc)).unwrap()),
        shown(&KeyStore::from_pkcs12(&store, &cbpii_sandbox::KEY_PASSWORD.into()).unwrap()),
        shown(&transport(&kit.qwac)),
        shown(&seal(&kit.qsealc)),
        shown(&options),
        shown(&chain.report(Timestamp::from_unix_seconds(0))),
        shown(&issuer),
        shown(&builder),
        shown(&builder.build().unwrap()),
    ];
    assert_hides(&all.concat(), &secrets);
}

#[test]
fn account_numbers_do_not_show() {
    let iban: Iban = CLAIRE.parse().unwrap();
    let card = Account::other("4970101234567890", AccountScheme::Cpan, None).unwrap();
    let token = Account::other("tGzv3JOkF0XG5Qx2TlKWIA", AccountScheme::Oaut, None).unwrap();
    let question =
        |account: Account| FundsRequest::new("A", account, Amount::new("1", "EUR").unwrap()).unwrap();
    let all = [
        shown(&iban),
        iban.to_string(),
        shown(&Account::iban(iban)),
        shown(&question(iban.into())),
        shown(&question(card)),
        shown(&question(token)),
    ];
    let secrets = [CLAIRE, "17515900000800358074", "4970101234567890", "tGzv3JOkF0XG5Qx2TlKWIA"];
    assert_without_secrets(&all.concat(), &secrets);
}

/// Keeps every request, and answers none.
#[derive(Clone, Default)]
struct Keeping(Arc<Mutex<Vec<HttpRequest>>>);

impl Transport for Keeping {
    fn exchange(&self, request: &HttpRequest, _: &TransportContext) -> Result<HttpResponse> {
        self.0.lock().unwrap().push(request.clone());
        Err(Error::new(ErrorCode::TransportFailed, "The gateway is away; try again."))
    }
}

#[test]
fn requests_and_answers_of_the_transport_seam_do_not_show() {
    let keeping = Keeping::default();
    let setting = Setting::with(|builder| builder.transport(keeping.clone()));
    error_of(setting.check());
    error_of(setting.client.refresh(&setting.tokens));
    let requests = keeping.0.lock().unwrap().clone();
    let access = setting.tokens.access_token().expose();
    let answer = HttpResponse::new(200, [("set-cookie", access)], access.as_bytes().to_vec()).unwrap();
    assert_eq!(requests.len(), 2);
    assert_without_secrets(&format!("{} {}", shown(&requests), shown(&answer)), &secrets_of(&setting.tokens));
}

#[test]
fn a_pending_consent_does_not_show() {
    let setting = Setting::with_bank(|_, bank| bank.pkce = true);
    let pending = setting.client.begin_consent(&ConsentOptions::default()).unwrap();
    let json: serde_json::Value = serde_json::from_str(pending.to_json().expose()).unwrap();
    let verifier = json["code_verifier"].as_str().unwrap();
    assert_without_secrets(
        &format!("{} {}", shown(&pending), shown(&pending.to_json())),
        &[verifier, pending.state()],
    );
    assert!(!pending.url().contains(verifier));
}

// Errors, events and explanations of a bank that repeats everything it was sent.

/// What the calls of a client told about themselves.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<String>>);

impl Told {
    fn by(&self, builder: ClientBuilder) -> ClientBuilder {
        let told = self.clone();
        builder.on_event(move |event| *told.0.lock().unwrap() += &format!("{event} {}", shown(event)))
    }

    fn error<T>(&self, outcome: Result<T>) {
        let error = error_of(outcome);
        let explanation = error.explanation().unwrap();
        *self.0.lock().unwrap() += &format!(
            "{error} {} {explanation} {} {:?}\n",
            shown(&error),
            shown(explanation),
            error.bank_message()
        );
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

/// The secrets of a journey at a bank that wants all there are.
struct Journey {
    sandbox: Sandbox,
    client: Client,
    told: Told,
    secrets: Vec<String>,
}

impl Journey {
    fn new(authentication: ClientAuthentication, setting: &str) -> Self {
        let sandbox = sandbox_with(json!({"pkce": true, "client_authentication": setting}));
        let mut bank = bank(&sandbox);
        bank.pkce = true;
        bank.client_authentication = authentication;
        let told = Told::default();
        let client = told.by(Client::builder(bank, issuer(&sandbox)).retries(0)).build().unwrap();
        let secret = sandbox.issuer().client_secret.clone().unwrap();
        let basic = BASE64_STANDARD.encode(format!("{}:{secret}", sandbox.issuer().client_id));
        let secrets = vec![secret, basic, CLAIRE.to_owned(), CLAIRE[4..].to_owned()];
        Self { sandbox, client, told, secrets }
    }

    /// An answer that refuses and repeats all secrets, in several ways of writing.
    fn gossip(&self, status: u16) -> Fault {
        let grouped: Vec<String> =
            CLAIRE.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into_owned()).collect();
        let message = format!(
            "AC99 about {} {} and {} (IBAN:{CLAIRE}) <{}>",
            self.secrets.join(" "),
            grouped.join(" "),
            CLAIRE.to_lowercase(),
            grouped.join("\u{a0}")
        );
        let body = json!({"message": message, "error": message, "error_description": message}).to_string();
        Fault::Answer { status, headers: Vec::new(), content_type: None, body }
    }

    fn fault(&self, endpoint: Endpoint, fault: Fault) {
        self.sandbox.control().set_fault(FaultRule::once(endpoint, fault)).unwrap();
    }

    /// Every call fails once with each fault, and then works.
    fn run(&mut self) {
        let pending = self.client.begin_consent(&ConsentOptions::default()).unwrap();
        let saved: serde_json::Value = serde_json::from_str(pending.to_json().expose()).unwrap();
        let code = pending.complete(&self.sandbox.approve(pending.url(), "CLAIRE").unwrap()).unwrap();
        self.secrets.extend([saved["code_verifier"].as_str().unwrap().to_owned(), code.expose().to_owned()]);
        for fault in [self.gossip(400), self.gossip(503), Fault::ResetBeforeReading] {
            self.fault(Endpoint::Token, fault);
            self.told.error(self.client.exchange_code(&pending, &code));
        }
        let tokens = self.client.exchange_code(&pending, &code).unwrap();
        self.secrets.extend(secrets_of(&tokens).into_iter().map(str::to_owned));
        for fault in [self.gossip(400), self.gossip(500), Fault::Garbage] {
            self.fault(Endpoint::Token, fault);
            self.told.error(self.client.refresh_with(&tokens, &CallOptions::default()));
        }
        for fault in [
            self.gossip(400),
            self.gossip(401),
            self.gossip(200),
            self.gossip(302),
            Fault::ResetMidAnswer,
            Fault::BadDigest,
        ] {
            self.fault(Endpoint::Funds, fault);
            self.told.error(self.client.confirm_funds(&tokens, &request(CLAIRE, "1")));
        }
        let answer = self.client.confirm_funds(&tokens, &request(CLAIRE, "1")).unwrap();
        *self.told.0.lock().unwrap() += &format!("{answer} {answer:?}");
    }
}

#[test]
fn errors_events_and_explanations_do_not_show_what_a_gossiping_bank_repeats() {
    for (authentication, setting) in [
        (ClientAuthentication::ClientSecretBasic, "client_secret_basic"),
        (ClientAuthentication::ClientSecretPost, "client_secret_post"),
    ] {
        let mut journey = Journey::new(authentication, setting);
        journey.run();
        assert_hides(&journey.told.text(), &journey.secrets);
        assert_hides(&journey.told.text().to_uppercase(), &[CLAIRE.to_owned()]);
    }
}

#[test]
fn a_signature_over_the_token_does_not_explain_it() {
    let setting = Setting::with_bank(|_, bank| {
        bank.signature.as_mut().unwrap().headers = vec!["authorization".into(), "x-request-id".into()];
    });
    let error = error_of(setting.check());
    let explanation = error.explanation().unwrap();
    assert!(explanation.signing_string.as_deref().unwrap().starts_with("authorization: Bearer "));
    assert_without_secrets(&format!("{explanation} {explanation:?}"), &secrets_of(&setting.tokens));
}

#[test]
fn an_explanation_masks_account_numbers_however_json_writes_them() {
    let setting = Setting::new();
    for number in
        ["4970101234567890", "a\"quoted\"number", "back\\slash-number", "short", "ü-number-é-number"]
    {
        let account = Account::other(number, AccountScheme::Cpan, None).unwrap();
        let question = FundsRequest::new("R-1", account, Amount::new("1.50", "EUR").unwrap()).unwrap();
        let explanation = setting.client.explain(&question).unwrap();
        let body: serde_json::Value = serde_json::from_str(&explanation.body).unwrap();
        let identification = body["accountId"]["other"]["identification"].as_str().unwrap();
        assert!(identification.contains('…') && identification != number, "{}", explanation.body);
        assert_eq!(body["paymentCoverageRequestId"], "R-1");
        assert_eq!(body["instructedAmount"]["amount"], "1.50");
    }
}

#[test]
fn an_explanation_does_not_show_the_cardholders_connection() {
    let setting = Setting::new();
    let psu = cbpii::PsuContext { ip_address: Some("192.0.2.7".into()), ..Default::default() };
    let explanation = setting.client.explain(&request(CLAIRE, "1").psu(psu).unwrap()).unwrap();
    assert!(explanation.headers.iter().any(|(name, value)| name == "psu-ip-address" && value == "…"));
}

/// Repeats in its refusal what it was told.
struct Gossip(String);

impl Transport for Gossip {
    fn exchange(&self, _: &HttpRequest, _: &TransportContext) -> Result<HttpResponse> {
        let body = serde_json::json!({"message": format!("about {}.", self.0), "error": self.0}).to_string();
        HttpResponse::new(500, [("Content-Type", "application/json")], body.into_bytes())
    }
}

#[test]
fn a_secret_of_any_form_does_not_show_when_the_bank_repeats_it() {
    let sandbox = sandbox();
    for secret in
        ["kP9aB3xQ7mN2vR5tY8", "onlylettersandnodigitsatallhere", "kP9aB3xQ7mN/2vR5tY8wE4uI6/oP1sD3fG=="]
    {
        for repeated in [secret.to_owned(), format!("x{CLAIRE}/{secret}")] {
            let client =
                Client::builder(bank(&sandbox), issuer(&sandbox)).transport(Gossip(repeated)).build();
            let (client, now) = (client.unwrap(), Timestamp::from_unix_seconds(0));
            let tokens = Tokens::new(secret, Some(secret.into()), now, None, now).unwrap();
            let errors = [
                client.confirm_funds(&tokens, &request(CLAIRE, "1")).unwrap_err(),
                client.refresh(&tokens).unwrap_err(),
            ];
            assert!(errors.iter().all(|error| error.bank_message().is_some_and(|text| text.contains('…'))));
            assert_hides(&format!("{errors:?}"), &[secret.to_owned()]);
        }
    }
}
