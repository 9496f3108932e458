//! Every code of the error catalogue is provoked here, and what an error says about itself is checked.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "common/session.rs"]
mod support;

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use cbpii::SessionPool;
use cbpii::bank::{ClientAuthentication, TrustMode};
use cbpii::http::{HttpRequest, HttpResponse, Transport, TransportContext};
use cbpii::identity::{
    CertificateChain, PrivateKey, SealIdentity, SignatureAlgorithm, TransportIdentity, signer_from_fn,
};
use cbpii::store::{
    ConsentStore, DueRecord, MemoryStore, RecordKey, SaveOutcome, SqliteOptions, SqliteStore, StoredRecord,
    open_store,
};
use cbpii::{
    Account, AccountScheme, Advice, Amount, AuthorizationCode, Bank, CallOptions, CancelToken, Client,
    ClientBuilder, Clock, ConsentOptions, Entropy, Environment, Error, ErrorCode, ErrorKind,
    FundsConfirmation, FundsRequest, Iban, Issuer, PendingConsent, PsuContext, RequestSent, Result, Secret,
    Timestamp, Tokens,
};
use cbpii_sandbox::{Endpoint, Fault, FaultRule, Identity, RefreshTokenRotation, Sandbox, ServerCertificate};
use common::*;
use serde_json::json;

/// Where a failed call was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Nothing had been built that could be sent.
    Nowhere,
    /// A funds check.
    Funds,
    /// A request to the token endpoint.
    Token,
}

/// An error and what it must say.
struct Provoked {
    error: Error,
    at: At,
    status: Option<u16>,
    bank_code: Option<&'static str>,
    sent: RequestSent,
    correlated: bool,
    secrets: Vec<String>,
}

impl Provoked {
    #[track_caller]
    fn new<T>(outcome: Result<T>, at: At, sent: RequestSent) -> Self {
        let error = error_of(outcome);
        Self {
            error,
            at,
            sent,
            status: None,
            bank_code: None,
            correlated: false,
            secrets: vec![CLAIRE.to_owned()],
        }
    }

    fn status(self, status: u16) -> Self {
        Self { status: Some(status), sent: RequestSent::Yes, ..self }
    }

    fn bank_code(self, code: &'static str) -> Self {
        Self { bank_code: Some(code), ..self }
    }

    /// The bank itself answered, and named its own reference.
    fn correlated(self) -> Self {
        Self { correlated: true, ..self }
    }

    fn hiding(mut self, tokens: &Tokens) -> Self {
        self.secrets.extend(secrets_of(tokens).into_iter().map(str::to_owned));
        self
    }

    #[track_caller]
    fn check(&self, code: ErrorCode, kind: ErrorKind, advice: Advice) {
        let error = &self.error;
        assert_eq!((error.code(), error.kind(), error.advice()), (code, kind, advice), "{error:?}");
        assert_one_sentence(error.message());
        assert_eq!(error.to_string(), error.message());
        assert_eq!((error.http_status(), error.bank_code()), (self.status, self.bank_code), "{error:?}");
        assert_eq!(error.request_sent(), self.sent, "{error:?}");
        assert_eq!(error.explanation().is_some(), self.at != At::Nowhere, "{error:?}");
        assert_eq!(error.request_id().is_some(), self.at == At::Funds, "{error:?}");
        assert_eq!(error.correlation_id().is_some(), self.correlated, "{error:?}");
        self.check_explanation();
        self.check_secrets();
    }

    /// The request id an error names is the one that was sent.
    fn check_explanation(&self) {
        let (Some(id), Some(explanation)) = (self.error.request_id(), self.error.explanation()) else {
            return;
        };
        assert!(
            explanation.headers.iter().any(|(name, value)| name == "x-request-id" && value == id),
            "{explanation}"
        );
    }

    fn check_secrets(&self) {
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        assert_without_secrets(&format!("{0} {0:?} {0:#?}", self.error), &secrets);
        if let Some(explanation) = self.error.explanation() {
            assert_without_secrets(&format!("{explanation} {explanation:?}"), &secrets);
        }
    }
}

#[track_caller]
fn assert_one_sentence(message: &str) {
    let ends: Vec<_> = message.match_indices(". ").collect();
    let starts = message.chars().next().is_some_and(|first| !first.is_whitespace());
    assert!(starts && message.ends_with('.') && ends.is_empty() && !message.contains('\n'), "{message:?}");
}

/// One test for each line. The codes are the register that [`every_code_is_provoked`] compares with the catalogue.
macro_rules! provoked {
    ($( $code:ident ($kind:ident, $advice:ident) $how:ident => $provoked:expr; )*) => {
        const PROVOKED: &[ErrorCode] = &[ $( ErrorCode::$code, )* ];

        $(
            #[test]
            fn $how() {
                let provoked: Provoked = $provoked;
                provoked.check(ErrorCode::$code, ErrorKind::$kind, Advice::$advice);
            }
        )*
    };
}

/// Codes that no call from Rust can come to: the tests of the doors to other languages provoke them.
const OF_OTHER_LANGUAGES: &[ErrorCode] = &[ErrorCode::Argument];

#[test]
fn every_code_is_provoked() {
    let known = |code: &&ErrorCode| PROVOKED.contains(code) || OF_OTHER_LANGUAGES.contains(code);
    let missing: Vec<_> = ErrorCode::ALL.iter().filter(|code| !known(code)).collect();
    assert!(missing.is_empty(), "codes of the catalogue that no test provokes: {missing:?}");
}

/// A bank that nobody may speak to: what fails here fails before anything is sent.
static QUIET: LazyLock<Sandbox> = LazyLock::new(sandbox);

/// An error from before there was anything to send; the quiet bank heard nothing.
#[track_caller]
fn before<T>(outcome: Result<T>) -> Provoked {
    let control = QUIET.control();
    assert_eq!((control.requests().len(), control.connections_opened()), (0, 0));
    Provoked::new(outcome, At::Nowhere, RequestSent::No)
}

/// A client of the quiet bank with another bank record.
fn quiet_bank(change: impl FnOnce(&mut Bank)) -> Result<Client> {
    let mut bank = bank(&QUIET);
    change(&mut bank);
    Client::new(bank, issuer(&QUIET))
}

/// A client of the quiet bank with other options.
fn quiet(adjust: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Client> {
    adjust(builder(&QUIET)).build()
}

/// A client of the quiet bank with one of the variants as its QWAC.
fn quiet_qwac(variant: &str) -> Result<Client> {
    let qwac = transport(QUIET.issuer().variant(variant).unwrap());
    Client::new(bank(&QUIET), issuer(&QUIET).with_transport(qwac))
}

fn pem_of(identity: &Identity, key: &[u8], password: Option<&str>) -> Result<TransportIdentity> {
    TransportIdentity::from_pem(identity.chain_pem.as_bytes(), key, password.map(Secret::from).as_ref())
}

fn encrypted_key() -> Vec<u8> {
    std::fs::read(&QUIET.issuer().qwac_forms.encrypted_pkcs8_pem).unwrap()
}

const OLD_ENCRYPTION: &[u8] = b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
    DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";

/// A moment for everybody.
struct At1970;

impl Clock for At1970 {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(0)
    }
}

struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _: &mut [u8]) -> Result<()> {
        Err(Error::new(ErrorCode::Internal, "This source of randomness has run dry; refill it."))
    }
}

struct Broken;

impl Transport for Broken {
    fn exchange(&self, _: &HttpRequest, _: &TransportContext) -> Result<HttpResponse> {
        Err(Error::new(ErrorCode::TransportFailed, "The gateway is away; try again.")
            .with_request_sent(RequestSent::Unknown))
    }
}

fn amount(text: &str) -> Amount {
    Amount::new(text, "EUR").unwrap()
}

fn claire() -> Iban {
    CLAIRE.parse().unwrap()
}

/// A pending consent at the quiet bank.
fn pending() -> PendingConsent {
    client(&QUIET).begin_consent(&ConsentOptions::default()).unwrap()
}

/// The outcome of a callback with these parameters besides the right state; `STATE` stands for it.
fn called_back(parameters: &str) -> Result<AuthorizationCode> {
    let pending = pending();
    pending.complete(&format!("{}?{}", pending.redirect_uri(), parameters.replace("STATE", pending.state())))
}

/// A check by a persona whose account the bank refuses with this code.
#[track_caller]
fn refused(code: &'static str, status: u16) -> Provoked {
    let setting = Setting::new();
    let (persona, iban) = refused_persona(&setting.sandbox, code);
    let tokens = tokens(&setting.sandbox, &persona);
    let outcome = setting.client.confirm_funds(&tokens, &request(&iban, "10.00"));
    let mut provoked = Provoked::new(outcome, At::Funds, RequestSent::Yes).status(status).bank_code(code);
    provoked.secrets.push(iban);
    provoked.correlated().hiding(&tokens)
}

/// A check under a fault of the funds endpoint, with nothing repeated.
#[track_caller]
fn spoiled(fault: Fault, sent: RequestSent) -> Provoked {
    let setting = Setting::with(|builder| builder.retries(0));
    Provoked::new(setting.check_under(fault), At::Funds, sent).hiding(&setting.tokens)
}

/// A check whose answer, a 200, cannot be used.
#[track_caller]
fn misread(fault: Fault) -> Provoked {
    spoiled(fault, RequestSent::Yes).status(200)
}

fn answer(status: u16, body: &str) -> Fault {
    let content_type = Some("application/json".to_owned());
    Fault::Answer { status, headers: Vec::new(), content_type, body: body.to_owned() }
}

fn patch(patch: serde_json::Value) -> Fault {
    Fault::AnswerPatch { patch: Some(patch), set: Default::default() }
}

/// A check on a new connection that goes wrong, with nothing repeated.
#[track_caller]
fn connection_fault(fault: Fault) -> Provoked {
    let setting = Setting::with(|builder| builder.retries(0));
    setting.fault(FaultRule::always(Endpoint::Connection, fault));
    Provoked::new(setting.check(), At::Funds, RequestSent::No).hiding(&setting.tokens)
}

#[track_caller]
fn server_certificate(certificate: ServerCertificate) -> Provoked {
    connection_fault(Fault::ServerCertificate { certificate })
}

/// A check at an address where no bank is.
#[track_caller]
fn elsewhere(origin: &str, adjust: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Provoked {
    let bank = bank(&QUIET).with_origin(origin).unwrap();
    let client = adjust(Client::builder(bank, issuer(&QUIET)).retries(0)).build().unwrap();
    let tokens = tokens(&QUIET, "CLAIRE");
    Provoked::new(client.confirm_funds(&tokens, &request(CLAIRE, "1")), At::Funds, RequestSent::No)
        .hiding(&tokens)
}

/// A check with another QWAC, that of a variant or none, eligible or not.
#[track_caller]
fn with_qwac(variant: Option<&str>) -> Provoked {
    let sandbox = sandbox();
    let mut issuer = bare_issuer(&sandbox).with_seal(seal(&sandbox.issuer().qsealc));
    if let Some(variant) = variant {
        issuer = issuer.with_transport(transport(sandbox.issuer().variant(variant).unwrap()));
    }
    let client = Client::builder(bank(&sandbox), issuer).check_eligibility(false).build().unwrap();
    let tokens = tokens(&sandbox, "CLAIRE");
    let outcome = client.confirm_funds(&tokens, &request(CLAIRE, "1"));
    Provoked::new(outcome, At::Funds, RequestSent::Yes).status(400).hiding(&tokens)
}

/// The second exchange of a code that has been used.
#[track_caller]
fn used_code() -> Provoked {
    let setting = Setting::new();
    let pending = setting.client.begin_consent(&ConsentOptions::default()).unwrap();
    let code = pending.complete(&setting.sandbox.approve(pending.url(), "CLAIRE").unwrap()).unwrap();
    setting.client.exchange_code(&pending, &code).unwrap();
    let mut provoked =
        Provoked::new(setting.client.exchange_code(&pending, &code), At::Token, RequestSent::Yes);
    provoked.secrets.push(code.expose().to_owned());
    provoked.status(400).bank_code("invalid_grant")
}

/// A refresh that fails.
#[track_caller]
fn refresh(setting: &Setting, status: u16, bank_code: &'static str) -> Provoked {
    let outcome = setting.client.refresh(&setting.tokens);
    Provoked::new(outcome, At::Token, RequestSent::Yes)
        .status(status)
        .bank_code(bank_code)
        .hiding(&setting.tokens)
}

#[track_caller]
fn lost_consent() -> Provoked {
    let setting = Setting::new();
    setting.control().revoke_consents(Some("CLAIRE"));
    refresh(&setting, 400, "invalid_grant")
}

#[track_caller]
fn refresh_at(change: impl FnOnce(&mut Bank), status: u16, bank_code: &'static str) -> Provoked {
    refresh(&Setting::with_bank(|_, bank| change(bank)), status, bank_code)
}

#[track_caller]
fn unknown_client() -> Provoked {
    let setting = Setting::new();
    let kit = setting.sandbox.issuer();
    let issuer = Issuer::new("PSDFR-ACPR-99999", &kit.redirect_uri).unwrap();
    let issuer = issuer.with_transport(transport(&kit.qwac)).with_seal(seal(&kit.qsealc));
    let client = Client::new(bank(&setting.sandbox), issuer).unwrap();
    refresh(&Setting { client, ..setting }, 401, "invalid_client")
}

#[track_caller]
fn unusable_token_answer() -> Provoked {
    let setting = Setting::new();
    setting.fault(FaultRule::once(Endpoint::Token, patch(json!({"access_token": null}))));
    Provoked::new(setting.client.refresh(&setting.tokens), At::Token, RequestSent::Yes)
        .status(200)
        .hiding(&setting.tokens)
}

#[track_caller]
fn expired_access_token() -> Provoked {
    let setting = Setting::new();
    setting.control().expire_access_tokens();
    Provoked::new(setting.check(), At::Funds, RequestSent::Yes)
        .status(401)
        .correlated()
        .hiding(&setting.tokens)
}

#[track_caller]
fn token_of_another_role() -> Provoked {
    let setting = Setting::new();
    let tokens = tokens_of_scope(&setting.sandbox, "CLAIRE", Some("aisp"));
    let outcome = setting.client.confirm_funds(&tokens, &request(CLAIRE, "1"));
    Provoked::new(outcome, At::Funds, RequestSent::Yes)
        .status(403)
        .bank_code("BADS")
        .correlated()
        .hiding(&tokens)
}

#[track_caller]
fn wrong_address() -> Provoked {
    let setting = Setting::with_bank(|sandbox, bank| {
        bank.funds_url = Some(format!("{}/stet/psd2/v9/funds-confirmations", sandbox.endpoints().origin));
    });
    Provoked::new(setting.check(), At::Funds, RequestSent::Yes).status(404).hiding(&setting.tokens)
}

#[track_caller]
fn stalled() -> Provoked {
    let setting = Setting::with(|builder| builder.retries(0));
    setting.check().unwrap();
    setting.fault(FaultRule::always(Endpoint::Funds, Fault::Stall));
    let options = CallOptions::default().timeout(BRIEFLY);
    let outcome = setting.client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "1"), &options);
    Provoked::new(outcome, At::Funds, RequestSent::Unknown).hiding(&setting.tokens)
}

#[track_caller]
fn cancelled() -> Provoked {
    let setting = Setting::new();
    let token = CancelToken::new();
    token.cancel();
    let options = CallOptions::default().cancel(token);
    let outcome = setting.client.confirm_funds_with(&setting.tokens, &request(CLAIRE, "1"), &options);
    assert_eq!(setting.control().connections_opened(), 0);
    Provoked::new(outcome, At::Funds, RequestSent::No).hiding(&setting.tokens)
}

#[track_caller]
fn wrongly_signed() -> Provoked {
    let setting = Setting::with_bank(|sandbox, bank| {
        bank.response_signing_certificates.push(sandbox.issuer().bank_seal_pem.clone());
    });
    setting.check().unwrap();
    Provoked::new(setting.check_under(Fault::BadSignature), At::Funds, RequestSent::Yes)
        .status(200)
        .correlated()
}

#[track_caller]
fn failing_signer() -> Provoked {
    let signer = signer_from_fn([SignatureAlgorithm::RsaPkcs1Sha256], |_, _| {
        Err(Error::new(ErrorCode::SignerFailed, "The HSM is locked; unlock it."))
    });
    let chain = CertificateChain::from_pem(QUIET.issuer().qsealc.chain_pem.as_bytes()).unwrap();
    let issuer = issuer(&QUIET).with_seal(SealIdentity::with_signer(chain, Arc::new(signer)));
    // A connection is begun while a key is asked.
    let client = Client::new(bank(&QUIET).with_origin(&closed_origin()).unwrap(), issuer).unwrap();
    before(client.confirm_funds(&tokens(&QUIET, "CLAIRE"), &request(CLAIRE, "1")))
}

/// A bank whose certificate is right but for its beginning, far in the future.
#[track_caller]
fn not_yet_valid_server() -> Provoked {
    let mut certificate = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    certificate.not_before = rcgen::date_time_ymd(2100, 1, 1);
    certificate.not_after = rcgen::date_time_ymd(2101, 1, 1);
    // Flushing does the handshake, which is all there is to do.
    let bank = RawBank::with_certificate(certificate, |stream| stream.flush().unwrap_or_default());
    let outcome = bank.client(&QUIET).confirm_funds(&tokens(&QUIET, "CLAIRE"), &request(CLAIRE, "1"));
    Provoked::new(outcome, At::Funds, RequestSent::No)
}

// Consents that are kept.

/// A pool of the quiet bank with this store behind it.
fn quiet_pool(store: impl ConsentStore + 'static) -> SessionPool {
    SessionPool::new(client(&QUIET), support::sealed(store))
}

/// Tokens whose access token has ended, of a consent that ends then.
fn ended(tokens: &Tokens, consent_expires_at: Timestamp) -> Tokens {
    let start = At1970.now();
    Tokens::new(
        tokens.access_token().expose(),
        tokens.refresh_token().cloned(),
        start,
        Some(start),
        consent_expires_at,
    )
    .unwrap()
}

#[track_caller]
fn expired_consent() -> Provoked {
    let tokens = ended(&tokens(&QUIET, "CLAIRE"), At1970.now());
    let session = quiet_pool(MemoryStore::new()).keep("claire", &tokens).unwrap();
    before(session.confirm_funds(&request(CLAIRE, "1"))).hiding(&tokens)
}

/// The second refresh at a bank that rotated, and whose first answer was lost.
#[track_caller]
fn lost_refresh_answer() -> Provoked {
    let sandbox = support::rotating(RefreshTokenRotation::Rotated);
    let clock = support::TestClock::now_real();
    let client = support::careful_builder(&sandbox).clock(clock.clone()).build().unwrap();
    let own = tokens(&sandbox, "CLAIRE");
    let tokens = ended(&own, own.consent_expires_at());
    let pool = SessionPool::new(client, support::sealed(MemoryStore::new()));
    let session = pool.keep("claire", &tokens).unwrap();
    sandbox.control().set_fault(FaultRule::once(Endpoint::Token, Fault::AnswerLost)).unwrap();
    error_of(session.confirm_funds(&request(CLAIRE, "1")));
    clock.advance(Duration::from_secs(10));
    let outcome = session.confirm_funds(&request(CLAIRE, "1"));
    // The session tells from what it keeps, as it does at every later call, which sends nothing.
    Provoked::new(outcome, At::Nowhere, RequestSent::No).bank_code("invalid_grant").hiding(&tokens)
}

/// What a database in a folder of its own fails with, after it was made and then treated so.
#[track_caller]
fn database(treat: impl FnOnce(&Path), then: impl FnOnce(&Path) -> Result<()>) -> Provoked {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consents.db");
    let store = SqliteStore::open(&path).unwrap();
    assert!(matches!(store.save("claire", b"sealed", At1970.now(), None).unwrap(), SaveOutcome::Saved(_)));
    drop(store);
    treat(&path);
    before(then(&path))
}

fn open_database(path: &Path) -> Result<()> {
    SqliteStore::open(path).map(drop)
}

fn write_to(path: &Path, options: &SqliteOptions) -> Result<()> {
    SqliteStore::open_with(path, options)?.save("lea", b"sealed", At1970.now(), None).map(drop)
}

/// A write while another connection holds the lock.
fn write_while_locked(path: &Path) -> Result<()> {
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    write_to(path, &SqliteOptions::default().busy_timeout(Duration::from_millis(20)))
}

/// A store of the caller's own that fails. (That SQLite's full disk is `store.full` takes its own connection to
/// show, and is shown where that is.)
struct Failing(ErrorCode);

impl ConsentStore for Failing {
    fn load(&self, _: &str) -> Result<Option<StoredRecord>> {
        Err(Error::new(self.0, "The store of the caller's own failed; look there."))
    }

    fn save(&self, id: &str, _: &[u8], _: Timestamp, _: Option<u64>) -> Result<SaveOutcome> {
        self.load(id).map(|_| SaveOutcome::Conflict)
    }

    fn delete(&self, id: &str) -> Result<bool> {
        self.load(id).map(|_| false)
    }

    fn list(&self, _: Timestamp, _: Option<&DueRecord>, _: usize) -> Result<Vec<DueRecord>> {
        self.load("").map(|_| Vec::new())
    }
}

#[track_caller]
fn failing_store(code: ErrorCode) -> Provoked {
    let tokens = tokens(&QUIET, "CLAIRE");
    let pool = quiet_pool(Failing(code));
    error_of(pool.open("claire"));
    before(pool.keep("claire", &tokens)).hiding(&tokens)
}

/// A consent of one bank, opened with the client of another.
#[track_caller]
fn consent_of_another_bank() -> Provoked {
    let store = support::sealed(MemoryStore::new());
    SessionPool::new(client(&QUIET), store.clone()).keep("claire", &tokens(&QUIET, "CLAIRE")).unwrap();
    let other = quiet_bank(|bank| bank.id = "another".into()).unwrap();
    before(SessionPool::new(other, store).open("claire"))
}

/// The origin of a port where nobody listens any more.
fn closed_origin() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port())
}

/// A host name that no resolver needs to be asked about: its label is too long for DNS.
fn impossible_host() -> String {
    format!("https://{}.invalid", "a".repeat(70))
}

provoked! {
    BankRecord (Configuration, FixConfiguration) a_record_with_an_unknown_field =>
        before(Bank::from_json(r#"{"base": "bpce-17515", "environment": "sandbox", "colour": "red"}"#));
    BankUnknown (Configuration, FixConfiguration) a_code_no_bank_has =>
        before(Bank::bpce("99999", Environment::Sandbox));
    EndpointMissing (Configuration, FixConfiguration) a_bank_without_addresses =>
        before(quiet_bank(|bank| bank.funds_url = None));
    EndpointInvalid (Configuration, FixConfiguration) an_address_without_tls =>
        before(quiet_bank(|bank| bank.funds_url = Some("http://localhost/funds".into())));
    RedirectUri (Configuration, FixConfiguration) a_relative_redirect_uri =>
        before(Issuer::new("PSDFR-ACPR-12345", "/callback"));
    ClientId (Configuration, FixConfiguration) an_empty_client_id =>
        before(Issuer::new("", "https://issuer.example/callback"));
    ClientSecret (Configuration, FixConfiguration) a_missing_client_secret =>
        before(quiet_bank(|bank| bank.client_authentication = ClientAuthentication::ClientSecretPost));
    CertificateUnreadable (Configuration, FixConfiguration) a_damaged_certificate =>
        before(CertificateChain::from_pem(b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"));
    KeyUnreadable (Configuration, FixConfiguration) a_file_without_a_key =>
        before(PrivateKey::from_bytes(b"hello", None));
    KeyPassword (Configuration, FixConfiguration) an_encrypted_key_without_its_password =>
        before(pem_of(&QUIET.issuer().qwac, &encrypted_key(), None));
    KeyUnsupported (Configuration, FixConfiguration) a_key_encrypted_in_the_old_way =>
        before(PrivateKey::from_pem(OLD_ENCRYPTION, Some(&Secret::from("sandbox"))));
    KeyMismatch (Configuration, FixConfiguration) a_key_of_another_certificate =>
        before(pem_of(&QUIET.issuer().qwac, QUIET.issuer().qsealc.key_pem.as_bytes(), None));
    SealMissing (Configuration, FixConfiguration) no_seal_where_requests_are_signed =>
        before(Client::new(bank(&QUIET), bare_issuer(&QUIET).with_transport(transport(&QUIET.issuer().qwac))));
    TrustAnchor (Configuration, FixConfiguration) a_root_that_cannot_be_read =>
        before(bank(&QUIET).with_trust_anchor("no certificate", TrustMode::Add));
    Header (Configuration, FixConfiguration) an_extra_header_with_a_line_break =>
        before(quiet_bank(|bank| { bank.extra_headers.insert("client-id".into(), "a\r\nb".into()); }));
    Proxy (Configuration, FixConfiguration) a_proxy_behind_tls =>
        before(quiet(|builder| builder.proxy("https://user:secret@proxy.example:3128")));
    OptionValue (Configuration, FixConfiguration) no_time_at_all =>
        before(quiet(|builder| builder.timeout(Duration::ZERO)));
    SignerFailed (Configuration, FixConfiguration) a_locked_hsm => failing_signer();

    NotACbpii (Eligibility, FixConfiguration) a_certificate_without_the_role => before(quiet_qwac("no-role"));
    CertificateExpired (Eligibility, FixConfiguration) a_certificate_that_expired => before(quiet_qwac("expired"));
    CertificateNotYetValid (Eligibility, FixConfiguration) a_clock_before_the_certificates_start =>
        before(quiet(|builder| builder.clock(At1970)));
    CertificateWrongUse (Eligibility, FixConfiguration) an_eseal_as_qwac => before(quiet_qwac("eseal-as-qwac"));
    CertificatePss (Eligibility, FixConfiguration) a_certificate_signed_with_pss => before(quiet_qwac("rsassa-pss"));

    Reference (InvalidRequest, FixRequest) an_empty_reference => before(FundsRequest::new("", claire(), amount("1")));
    Iban (InvalidRequest, FixRequest) a_mistyped_iban => before(Iban::parse("FR7717515900000800358074006"));
    Account (InvalidRequest, FixRequest) an_empty_identification =>
        before(Account::other("", AccountScheme::Cpan, None));
    Amount (InvalidRequest, FixRequest) a_negative_amount => before(Amount::new("-1", "EUR"));
    Currency (InvalidRequest, FixRequest) an_unknown_currency => before(Amount::new("1", "ABC"));
    Payee (InvalidRequest, FixRequest) an_overlong_payee =>
        before(request(CLAIRE, "1").payee(&"x".repeat(71)));
    PsuHeader (InvalidRequest, FixRequest) a_psu_header_with_a_line_break =>
        before(request(CLAIRE, "1").psu(PsuContext { referer: Some("a\nb".into()), ..PsuContext::default() }));
    RequestId (InvalidRequest, FixRequest) a_request_id_with_a_blank => before(request(CLAIRE, "1").request_id("a b"));
    Token (InvalidRequest, FixRequest) a_token_with_a_blank => before(
        Tokens::new("access token", None, At1970.now(), None, At1970.now()));
    SavedState (InvalidRequest, FixRequest) a_saved_consent_of_another_version =>
        before(PendingConsent::from_json(&pending().to_json().expose().replace("\"v\":1", "\"v\":2")));
    Callback (InvalidRequest, FixRequest) a_callback_that_is_no_url => before(pending().complete("hello"));
    ConsentId (InvalidRequest, FixRequest) an_empty_consent_id => before(quiet_pool(MemoryStore::new()).open(""));

    AccessDenied (ConsentRefused, RenewConsent) a_cardholder_who_refuses =>
        before(called_back("error=access_denied&state=STATE")).bank_code("access_denied");
    ConsentRefusedByBank (ConsentRefused, FixConfiguration) a_scope_the_bank_does_not_know =>
        before(called_back("error=invalid_scope&error_description=no&state=STATE")).bank_code("invalid_scope");

    PendingConsentExpired (ConsentRequired, RenewConsent) a_cardholder_who_took_too_long => {
        let pending = pending();
        let callback = format!("?code=abc&state={}", pending.state());
        before(pending.complete_at(&callback, pending.expires_at()))
    };
    CodeRefused (ConsentRequired, RenewConsent) a_code_used_twice => used_code();
    ConsentLost (ConsentRequired, RenewConsent) a_consent_withdrawn_at_the_bank => lost_consent();
    NoRefreshToken (ConsentRequired, RenewConsent) tokens_without_a_refresh_token => before(
        client(&QUIET).refresh(&Tokens::new("access", None, At1970.now(), None, At1970.now()).unwrap()));
    AccessTokenRefused (ConsentRequired, RenewConsent) an_access_token_that_expired => expired_access_token();
    RefreshAnswerLost (ConsentRequired, RenewConsent) a_refresh_whose_answer_was_lost => lost_refresh_answer();
    ConsentExpired (ConsentRequired, RenewConsent) a_consent_that_lasted_its_days => expired_consent();
    ConsentUnknown (ConsentRequired, RenewConsent) a_consent_nobody_kept =>
        before(quiet_pool(MemoryStore::new()).open("nobody"));

    AccountUnknown (BankRefused, FixRequest) an_account_the_bank_does_not_know => refused("AC01", 404);
    AccountClosed (BankRefused, RenewConsent) an_account_that_was_closed => refused("AC04", 403);
    AccountBlocked (BankRefused, ContactBank) an_account_that_is_blocked => refused("AC06", 403);
    TppUnknown (BankRefused, FixConfiguration) an_issuer_the_bank_does_not_know => refused("BE05", 403);
    WrongRole (BankRefused, RenewConsent) a_token_of_another_role => token_of_another_role();
    AccessNotGranted (BankRefused, RenewConsent) an_account_outside_the_consent => refused("NGAC", 403);
    NoEligibleAccount (BankRefused, ContactBank) a_cardholder_without_an_account => refused("NAAC", 403);
    PsuUnknown (BankRefused, ContactBank) a_cardholder_without_online_access => refused("IPSU", 403);
    NotImplemented (BankRefused, FixConfiguration) a_bank_without_the_service =>
        spoiled(answer(501, r#"{"message": "NIMP: not implemented"}"#), RequestSent::Yes).status(501).bank_code("NIMP");
    RequestRefused (BankRefused, FixRequest) a_request_the_bank_finds_malformed =>
        spoiled(answer(400, r#"{"message": "malformed"}"#), RequestSent::Yes).status(400);
    Forbidden (BankRefused, ContactBank) a_request_the_bank_forbids =>
        spoiled(answer(403, r#"{"message": "forbidden"}"#), RequestSent::Yes).status(403);
    NotFound (BankRefused, FixConfiguration) an_address_the_bank_does_not_serve => wrong_address();
    FormRefused (BankRefused, FixConfiguration) a_media_type_the_bank_refuses =>
        spoiled(answer(415, "{}"), RequestSent::Yes).status(415);
    ClientRefused (BankRefused, FixConfiguration) a_client_the_bank_never_registered => unknown_client();
    TokenRequestRefused (BankRefused, FixConfiguration) a_scope_where_none_is_wanted =>
        refresh_at(|bank| bank.scope_in_token_request = true, 400, "invalid_request");

    RateLimited (RateLimited, RetryAfter) too_many_requests => {
        let provoked = refused("TMRQ", 429);
        assert_eq!(provoked.error.retry_after(), Some(Duration::from_secs(30)));
        provoked
    };

    BankInternalError (BankUnavailable, Retry) an_internal_error_of_the_bank => refused("INTE", 500);
    BankUnavailable (BankUnavailable, Retry) a_bank_in_maintenance =>
        spoiled(Fault::HtmlPage { status: 503 }, RequestSent::Yes).status(503);
    ConsentServiceUnavailable (BankUnavailable, Retry) a_consent_service_in_maintenance =>
        before(called_back("error=temporarily_unavailable&state=STATE")).bank_code("temporarily_unavailable");

    ConnectTimeout (Timeout, Retry) a_handshake_that_never_ends => {
        let (_listener, origin) = silent_listener();
        elsewhere(&origin, |builder| builder.connect_timeout(BRIEFLY))
    };
    TotalTimeout (Timeout, Retry) an_answer_that_never_comes => stalled();

    NameLookup (Network, Retry) a_host_that_cannot_be => elsewhere(&impossible_host(), |builder| builder);
    Connect (Network, Retry) a_port_where_nobody_listens => elsewhere(&closed_origin(), |builder| builder);
    Disconnected (Network, Retry) a_connection_that_is_reset => spoiled(Fault::ResetBeforeReading, RequestSent::Unknown);
    ProxyFailed (Network, FixConfiguration) a_proxy_that_refuses => {
        let proxy = Proxy::start(Manner::Refusing);
        elsewhere("https://localhost:1", |builder| builder.proxy(proxy.url()))
    };
    TransportFailed (Network, Retry) a_transport_of_the_callers_that_fails => {
        let setting = Setting::with(|builder| builder.transport(Broken));
        Provoked::new(setting.check(), At::Funds, RequestSent::Unknown).hiding(&setting.tokens)
    };

    TlsUnknownIssuer (Tls, FixConfiguration) a_server_certificate_of_an_unknown_issuer =>
        server_certificate(ServerCertificate::UnknownIssuer);
    TlsHostName (Tls, FixConfiguration) a_server_certificate_for_another_host =>
        server_certificate(ServerCertificate::OtherHost);
    TlsServerCertificateExpired (Tls, ContactBank) a_server_certificate_that_expired =>
        server_certificate(ServerCertificate::Expired);
    TlsServerCertificateInvalid (Tls, ContactBank) a_server_certificate_of_the_future => not_yet_valid_server();
    TlsClientCertificateMissing (Tls, FixConfiguration) no_client_certificate => with_qwac(None);
    TlsClientCertificateRefused (Tls, FixConfiguration) a_client_certificate_of_an_unknown_issuer =>
        with_qwac(Some("unknown-ca"));
    TlsProtocol (Tls, ContactBank) a_server_that_does_not_speak_tls => connection_fault(Fault::Garbage);

    StateMismatch (Protocol, RenewConsent) a_callback_of_another_consent => before(called_back("code=abc&state=other"));
    IssuerMismatch (Protocol, RenewConsent) a_callback_of_another_bank =>
        before(called_back("code=abc&state=STATE&iss=https://evil.example"));
    DuplicatedParameter (Protocol, RenewConsent) a_callback_with_two_codes =>
        before(called_back("code=abc&code=def&state=STATE"));
    CallbackWithoutAnswer (Protocol, RenewConsent) a_callback_that_says_nothing => before(called_back("state=STATE"));
    NotJson (Protocol, ContactBank) a_page_instead_of_an_answer => misread(Fault::HtmlPage { status: 200 });
    AnswerShape (Protocol, ContactBank) an_answer_without_a_result =>
        misread(patch(json!({"result": null}))).correlated();
    ResultNotBoolean (Protocol, ContactBank) a_yes_in_quotes => misread(patch(json!({"result": "true"}))).correlated();
    EchoMismatch (Protocol, ContactBank) an_answer_to_another_question =>
        misread(patch(json!({"request": {"instructedAmount": {"amount": "1.00"}}}))).correlated();
    Redirected (Protocol, ContactBank) a_redirect =>
        spoiled(Fault::Redirect { status: 307, location: "https://localhost:1/".into() }, RequestSent::Yes).status(307);
    UnexpectedStatus (Protocol, ContactBank) a_success_that_is_none => spoiled(answer(202, "{}"), RequestSent::Yes).status(202);
    DigestMismatch (Protocol, ContactBank) an_answer_changed_on_its_way => misread(Fault::BadDigest).correlated();
    SignatureInvalid (Protocol, ContactBank) an_answer_of_somebody_else => wrongly_signed();
    AnswerTooLarge (Protocol, ContactBank) an_answer_without_end => spoiled(Fault::OversizedBody, RequestSent::Yes);
    MalformedHttp (Protocol, ContactBank) an_answer_that_is_not_http => spoiled(Fault::Garbage, RequestSent::Yes);
    TokenAnswer (Protocol, ContactBank) a_token_answer_without_a_token => unusable_token_answer();

    StoreFailed (Store, Retry) a_store_of_the_callers_own_that_fails => failing_store(ErrorCode::StoreFailed);
    StoreLocked (Store, Retry) a_store_that_another_process_locked => database(|_| (), write_while_locked);
    StoreReadOnly (Store, FixConfiguration) a_store_opened_to_read_only =>
        database(|_| (), |path| write_to(path, &SqliteOptions::default().read_only(true)));
    StoreFull (Store, FixConfiguration) a_store_without_room => failing_store(ErrorCode::StoreFull);
    StoreCorrupt (Store, FixConfiguration) a_store_that_was_overwritten =>
        database(|path| std::fs::write(path, [0x5a; 8192]).unwrap(), open_database);
    StoreUnreachable (Store, FixConfiguration) a_store_in_a_folder_that_is_not_there =>
        database(|_| (), |path| open_database(&path.join("further/consents.db")));
    StoreSchema (Store, FixConfiguration) a_store_of_a_newer_release => database(
        |path| rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", 9_999).unwrap(),
        open_database);
    StoreKey (Store, FixConfiguration) a_key_of_31_bytes => before(RecordKey::from_slice(&[7; 31]));
    StoreUrl (Store, FixConfiguration) a_kind_of_store_nobody_knows => before(open_store("redis://localhost"));
    StoreBank (Store, FixRequest) a_consent_of_another_bank => consent_of_another_bank();

    Cancelled (Cancelled, Retry) a_call_cancelled_before_it_began => cancelled();
    Internal (Internal, ContactBank) a_source_of_randomness_run_dry =>
        before(quiet(|builder| builder.entropy(NoEntropy)).and_then(|client| client.begin_consent(&ConsentOptions::default())));
}

// Bad input of every kind is refused before anything is sent.

/// The codes of outcomes that must all be errors from before there was anything to send.
#[track_caller]
fn all_before<T>(code: ErrorCode, outcomes: impl IntoIterator<Item = Result<T>>) {
    for outcome in outcomes {
        before(outcome).check(code, code.kind(), code.advice());
    }
}

#[test]
fn addresses_must_be_absolute_https() {
    for text in [
        "http://localhost/x",
        "localhost/x",
        "/x",
        "",
        "https://",
        "https://user@localhost/x",
        "https://h/#f",
        "https://a b/",
    ] {
        let bank = |change: fn(&mut Bank) -> &mut Option<String>| {
            quiet_bank(|bank| *change(bank) = Some(text.into()))
        };
        all_before(
            ErrorCode::EndpointInvalid,
            [
                bank(|bank| &mut bank.funds_url),
                bank(|bank| &mut bank.token_url),
                bank(|bank| &mut bank.authorize_url),
            ],
        );
        all_before(ErrorCode::EndpointInvalid, [bank_with_origin(text)]);
    }
}

fn bank_with_origin(origin: &str) -> Result<Bank> {
    bank(&QUIET).with_origin(origin)
}

#[test]
fn redirect_uris_must_be_absolute() {
    let issuers = [
        "",
        "/callback",
        "callback",
        "issuer.example/callback",
        "http://issuer.example/cb",
        "https://a/b#c",
        "https://a/b c",
        "https://a/\n",
        "javascript:alert(1)",
    ];
    all_before(ErrorCode::RedirectUri, issuers.map(|uri| Issuer::new("PSDFR-ACPR-12345", uri)));
}

#[test]
fn client_ids_and_secrets_must_be_sendable() {
    let issuer = |id: &str| Issuer::new(id, "https://issuer.example/callback");
    all_before(ErrorCode::ClientId, ["", "a b", "a\n", "a\0", "é"].map(issuer));
    let with_secret = |secret: &str| issuer("id").and_then(|issuer| issuer.with_client_secret(secret));
    all_before(ErrorCode::ClientSecret, ["", "a\n", "a\0", "é"].map(with_secret));
}

#[test]
fn references_and_payees_must_fit() {
    let overlong = "x".repeat(36);
    let references = ["", " ", "a\nb", "a\0", "a\u{7f}", &overlong];
    all_before(ErrorCode::Reference, references.map(|text| FundsRequest::new(text, claire(), amount("1"))));
    let overlong = "x".repeat(71);
    all_before(
        ErrorCode::Payee,
        ["", "\t", "a\rb", "a\0", &overlong].map(|text| request(CLAIRE, "1").payee(text)),
    );
}

#[test]
fn ibans_must_be_right() {
    let ibans = [
        "",
        "FR",
        "FR7617515900000800358074007",
        "FR76 1751 5900",
        "XX7617515900000800358074006",
        "FR76-17515900000800358074006",
        "FR7617515900000800358074006\0",
    ];
    all_before(ErrorCode::Iban, ibans.map(Iban::parse));
}

#[test]
fn amounts_must_be_positive_and_exact() {
    let amounts = [
        "",
        "0",
        "0.00",
        "-1",
        "-0.01",
        "1.001",
        "12345678901234",
        "1e3",
        "1.",
        ".5",
        "1,5",
        "1 ",
        "NaN",
        "1\0",
    ];
    all_before(ErrorCode::Amount, amounts.map(|text| Amount::new(text, "EUR")));
    all_before(
        ErrorCode::Currency,
        ["", "eur", "ABC", "EURO", "E R", "€"].map(|code| Amount::new("1", code)),
    );
}

#[test]
fn the_amounts_currency_must_be_the_accounts() {
    let account = Account::iban(claire()).with_currency("USD".parse().unwrap());
    all_before(ErrorCode::Currency, [FundsRequest::new("A", account, amount("1"))]);
}

#[test]
fn other_accounts_must_fit() {
    let overlong = "x".repeat(71);
    let accounts = ["", " ", "a\nb", "a\0", &overlong];
    all_before(ErrorCode::Account, accounts.map(|text| Account::other(text, AccountScheme::Bank, None)));
    all_before(
        ErrorCode::Account,
        ["", "a\n"].map(|issuer| Account::other("1", AccountScheme::Bank, Some(issuer))),
    );
    all_before(ErrorCode::Account, ["IBAN".parse::<AccountScheme>()]);
}

#[test]
fn no_header_value_takes_a_line_break_or_nul() {
    for value in ["a\nb", "a\r\nx-evil: 1", "a\0", "\u{7f}", "é"] {
        let psu = PsuContext { user_agent: Some(value.into()), ..PsuContext::default() };
        all_before(ErrorCode::PsuHeader, [request(CLAIRE, "1").psu(psu)]);
        all_before(ErrorCode::RequestId, [request(CLAIRE, "1").request_id(value)]);
        all_before(ErrorCode::Header, [seal(&QUIET.issuer().qsealc).with_key_id(value)]);
        let extra =
            |bank: &mut Bank| bank.extra_headers.insert("client-id".into(), value.into()).map_or((), drop);
        let label = |bank: &mut Bank| bank.signature.as_mut().unwrap().algorithm_label = value.into();
        all_before(ErrorCode::Header, [quiet_bank(extra), quiet_bank(label)]);
    }
    let overlong = "x".repeat(71);
    all_before(ErrorCode::RequestId, ["", &overlong].map(|id| request(CLAIRE, "1").request_id(id)));
}

#[test]
fn no_header_name_takes_what_a_name_has_not() {
    let named =
        |name: &str| quiet_bank(|bank| bank.extra_headers.insert(name.into(), "a".into()).map_or((), drop));
    all_before(ErrorCode::Header, ["", "a b", "a\n", "a:", "é"].map(named));
    all_before(ErrorCode::BankRecord, ["Authorization", "host", "Signature", "content-length"].map(named));
}

#[test]
fn tokens_and_codes_must_be_visible_ascii() {
    for text in ["", "a b", " a", "a\n", "a\0", "é"] {
        let now = At1970.now();
        all_before(
            ErrorCode::Token,
            [Tokens::new(text, None, now, None, now), Tokens::new("good", Some(text.into()), now, None, now)],
        );
        all_before(ErrorCode::Token, [AuthorizationCode::new(text)]);
    }
}

#[test]
fn keys_must_open_and_belong_to_their_certificates() {
    let kit = QUIET.issuer();
    all_before(
        ErrorCode::KeyPassword,
        [pem_of(&kit.qwac, &encrypted_key(), None), pem_of(&kit.qwac, &encrypted_key(), Some("wrong"))],
    );
    let keystore = std::fs::read(&kit.qwac_forms.pkcs12).unwrap();
    all_before(ErrorCode::KeyPassword, [TransportIdentity::from_pkcs12(&keystore, &"wrong".into())]);
    let foreign = kit.variant("key-mismatch").unwrap();
    all_before(ErrorCode::KeyMismatch, [pem_of(foreign, foreign.key_pem.as_bytes(), None)]);
    all_before(
        ErrorCode::KeyMismatch,
        [SealIdentity::from_pem(kit.qsealc.chain_pem.as_bytes(), kit.qwac.key_pem.as_bytes(), None)],
    );
    all_before(
        ErrorCode::KeyUnreadable,
        [pem_of(&kit.qwac, b"", None), pem_of(&kit.qwac, kit.qwac.chain_pem.as_bytes(), None)],
    );
}

#[test]
fn roots_must_be_readable() {
    let damaged = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    for pem in ["", "hello", damaged, &format!("{}{damaged}", QUIET.issuer().ca_pem)] {
        all_before(ErrorCode::TrustAnchor, [bank(&QUIET).with_trust_anchor(pem, TrustMode::Add)]);
        all_before(ErrorCode::TrustAnchor, [quiet_bank(|bank| bank.trust_anchors.pem.push(pem.into()))]);
    }
    all_before(ErrorCode::BankRecord, [quiet_bank(|bank| bank.trust_anchors.pem.clear())]);
}

/// A check by an issuer whose QWAC's key is behind a signer.
fn with_tls_signer(sign: fn() -> Result<Vec<u8>>) -> (Sandbox, Result<FundsConfirmation>) {
    let sandbox = sandbox();
    let signer = signer_from_fn([SignatureAlgorithm::RsaPssSha256], move |_, _| sign());
    let chain = CertificateChain::from_pem(sandbox.issuer().qwac.chain_pem.as_bytes()).unwrap();
    let qwac = TransportIdentity::with_signer(chain, Arc::new(signer)).unwrap();
    let client = Client::new(bank(&sandbox), issuer(&sandbox).with_transport(qwac)).unwrap();
    let outcome = client.confirm_funds(&tokens(&sandbox, "CLAIRE"), &request(CLAIRE, "1"));
    (sandbox, outcome)
}

#[test]
fn a_signer_that_fails_in_the_handshake_is_named() {
    let (sandbox, outcome) =
        with_tls_signer(|| Err(Error::new(ErrorCode::SignerFailed, "The HSM is locked; unlock it.")));
    let error = assert_code(outcome, ErrorCode::SignerFailed);
    assert_eq!((error.request_sent(), sandbox.control().requests().len()), (RequestSent::No, 0));
}

#[test]
fn a_signer_of_another_key_is_refused_by_the_bank() {
    let (sandbox, outcome) = with_tls_signer(|| Ok(vec![7; 256]));
    let error = assert_code(outcome, ErrorCode::TlsClientCertificateRefused);
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert!(sandbox.control().requests().is_empty());
}

#[test]
fn ineligible_certificates_stop_a_client() {
    for (variant, code) in [
        ("other-role", ErrorCode::NotACbpii),
        ("no-role", ErrorCode::NotACbpii),
        ("not-yet-valid", ErrorCode::CertificateNotYetValid),
        ("expired", ErrorCode::CertificateExpired),
        ("eseal-as-qwac", ErrorCode::CertificateWrongUse),
        ("rsassa-pss", ErrorCode::CertificatePss),
    ] {
        all_before(code, [quiet_qwac(variant)]);
    }
    let qwac = seal(&QUIET.issuer().qwac);
    all_before(ErrorCode::CertificateWrongUse, [Client::new(bank(&QUIET), issuer(&QUIET).with_seal(qwac))]);
}

#[test]
fn options_must_be_reasonable() {
    let hours = Duration::from_secs(3601);
    all_before(
        ErrorCode::OptionValue,
        [
            quiet(|builder| builder.timeout(hours)),
            quiet(|builder| builder.connect_timeout(Duration::ZERO)),
            quiet(|builder| builder.connect_timeout(hours)),
            quiet(|builder| builder.retries(6)),
        ],
    );
    all_before(ErrorCode::OptionValue, [client(&QUIET).warm_up(257)]);
    let never = ConsentOptions::default().valid_for(Duration::ZERO);
    all_before(ErrorCode::OptionValue, [client(&QUIET).begin_consent(&never)]);
    let proxies = ["", "proxy", "socks5://proxy", "https://proxy", "http://"];
    all_before(ErrorCode::Proxy, proxies.map(|proxy| quiet(|builder| builder.proxy(proxy))));
}

#[test]
fn a_record_may_not_sign_what_no_request_carries() {
    let client =
        quiet_bank(|bank| bank.signature.as_mut().unwrap().headers.push("x-nothing".into())).unwrap();
    let tokens = tokens(&QUIET, "CLAIRE");
    all_before(ErrorCode::BankRecord, [client.confirm_funds(&tokens, &request(CLAIRE, "1"))]);
    all_before(ErrorCode::BankRecord, [client.explain(&request(CLAIRE, "1"))]);
}

#[test]
fn saved_state_must_be_whole_and_of_this_bank() {
    let kept = pending().to_json();
    let cut = &kept.expose()[..kept.expose().len() - 1];
    all_before(ErrorCode::SavedState, ["", "{}", "null", "[]", cut].map(PendingConsent::from_json));
    all_before(ErrorCode::SavedState, ["", "{}", "null", "[]", r#"{"v":1}"#].map(Tokens::from_json));
    let other = quiet_bank(|bank| bank.id = "another".into()).unwrap();
    all_before(
        ErrorCode::SavedState,
        [other.exchange_code(&pending(), &AuthorizationCode::new("abc").unwrap())],
    );
}

#[test]
fn callbacks_are_read_with_suspicion() {
    all_before(
        ErrorCode::StateMismatch,
        ["code=abc", "code=abc&state=", "state=x&error=access_denied"].map(called_back),
    );
    all_before(
        ErrorCode::DuplicatedParameter,
        ["code=a&state=STATE&state=STATE", "error=a&error=b&state=STATE"].map(called_back),
    );
    all_before(
        ErrorCode::CallbackWithoutAnswer,
        ["state=STATE&code=", "state=STATE&other=1"].map(called_back),
    );
    all_before(ErrorCode::Token, ["state=STATE&code=a%20b", "state=STATE&code=a%0Ab"].map(called_back));
}

#[test]
fn without_randomness_nothing_begins() {
    let client = quiet(|builder| builder.entropy(NoEntropy)).unwrap();
    let tokens = tokens(&QUIET, "CLAIRE");
    all_before(ErrorCode::Internal, [client.confirm_funds(&tokens, &request(CLAIRE, "1"))]);
}

// What the bank says travels with the error, masked.

fn said(body: &str) -> Error {
    let setting = Setting::new();
    error_of(setting.check_under(answer(403, body)))
}

#[test]
fn the_banks_words_are_kept_masked_and_bounded() {
    let error = said(&json!({"message": format!("NGAC: compte {CLAIRE} refusé")}).to_string());
    assert_eq!(error.bank_message(), Some("NGAC: compte FR76…4006 refusé"));
    let error = said(&json!({"message": "x ".repeat(5000)}).to_string());
    assert!(error.bank_message().unwrap().chars().count() <= 513);
    assert_eq!(said("").bank_message(), None);
}

#[test]
fn a_bank_that_asks_for_a_pause_turns_retry_into_retry_after() {
    let setting = Setting::new();
    for (header, pause) in
        [("7", Some(7)), ("Wed, 21 Oct 2015 07:28:00 GMT", Some(0)), ("soon", None), ("-1", None)]
    {
        let headers = vec![("retry-after".to_owned(), header.to_owned())];
        let fault = Fault::Answer { status: 503, headers, content_type: None, body: String::new() };
        let error = assert_code(setting.check_under(fault), ErrorCode::BankUnavailable);
        assert_eq!(error.retry_after(), pause.map(Duration::from_secs), "{header}");
        assert_eq!(error.advice() == Advice::RetryAfter, pause.is_some(), "{header}");
    }
}
