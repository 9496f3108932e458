//! What the tests against the sandbox bank share.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(clippy::expect_used, reason = "these are tests")]

use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use cbpii::bank::TrustMode;
use cbpii::identity::{SealIdentity, TransportIdentity};
use cbpii::{
    Amount, Bank, Client, ClientBuilder, ConsentOptions, Environment, Error, ErrorCode, FundsConfirmation,
    FundsRequest, Iban, Issuer, RequestSent, Secret, Timestamp, Tokens,
};
use cbpii_sandbox::{
    Control, Dialect, Endpoint, Fault, FaultRule, Identity, RequestRecord, Sandbox, SandboxOptions,
};
use serde_json::Value;

pub(crate) const CLAIRE: &str = "FR7617515900000800358074006";

/// A sandbox of the 89C3 dialect.
pub(crate) fn sandbox() -> Sandbox {
    Sandbox::start(SandboxOptions::default()).expect("the sandbox starts")
}

/// A sandbox of Lydia's dialect.
pub(crate) fn lydia() -> Sandbox {
    Sandbox::start(SandboxOptions { dialect: Dialect::Lydia, ..SandboxOptions::default() })
        .expect("the sandbox starts")
}

/// The record of the sandbox bank, as an issuer would make it from the directory.
pub(crate) fn bank(sandbox: &Sandbox) -> Bank {
    let kit = sandbox.issuer();
    Bank::bpce("17515", Environment::Sandbox)
        .and_then(|bank| bank.with_origin(&sandbox.endpoints().origin))
        .and_then(|bank| bank.with_trust_anchor(&kit.ca_pem, TrustMode::Replace))
        .expect("the record is good")
}

pub(crate) fn lydia_bank(sandbox: &Sandbox) -> Bank {
    let (endpoints, kit) = (sandbox.endpoints(), sandbox.issuer());
    Bank::by_id("lydia", Environment::Production)
        .and_then(|bank| bank.with_authorize_url(&endpoints.authorize_url))
        .and_then(|bank| bank.with_token_url(&endpoints.token_url))
        .and_then(|bank| bank.with_funds_url(&endpoints.funds_url))
        .and_then(|bank| bank.with_trust_anchor(&kit.ca_pem, TrustMode::Replace))
        .expect("the record is good")
}

pub(crate) fn transport(identity: &Identity) -> TransportIdentity {
    TransportIdentity::from_pem(identity.chain_pem.as_bytes(), identity.key_pem.as_bytes(), None)
        .expect("a readable identity")
}

pub(crate) fn seal(identity: &Identity) -> SealIdentity {
    SealIdentity::from_pem(identity.chain_pem.as_bytes(), identity.key_pem.as_bytes(), None)
        .expect("a readable identity")
}

/// The registered issuer without certificates.
pub(crate) fn bare_issuer(sandbox: &Sandbox) -> Issuer {
    let kit = sandbox.issuer();
    let issuer = Issuer::new(&kit.client_id, &kit.redirect_uri).expect("registered values are good");
    match &kit.client_secret {
        Some(secret) => issuer.with_client_secret(secret.as_str()).expect("a good secret"),
        None => issuer,
    }
}

pub(crate) fn issuer(sandbox: &Sandbox) -> Issuer {
    let kit = sandbox.issuer();
    bare_issuer(sandbox).with_transport(transport(&kit.qwac)).with_seal(seal(&kit.qsealc))
}

pub(crate) fn builder(sandbox: &Sandbox) -> ClientBuilder {
    Client::builder(bank(sandbox), issuer(sandbox))
}

pub(crate) fn client(sandbox: &Sandbox) -> Client {
    builder(sandbox).build().expect("the set-up is good")
}

/// A consent given by `persona`, all the way to the tokens.
pub(crate) fn consent(sandbox: &Sandbox, client: &Client, persona: &str) -> Tokens {
    let pending = client.begin_consent(&ConsentOptions::default()).expect("a consent begins");
    let callback = sandbox.approve(pending.url(), persona).expect("the persona approves");
    client.complete_consent(&pending, &callback).expect("the code is exchanged")
}

pub(crate) fn request(iban: &str, amount: &str) -> FundsRequest {
    let account = Iban::parse(iban).expect("a good IBAN");
    FundsRequest::new("ORDER-4711", account, Amount::new(amount, "EUR").expect("a good amount"))
        .expect("a good request")
}

/// Far longer than anything here takes: what needs it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Short enough to wait for, long enough for an honest answer on a busy machine never to be needed within it.
pub(crate) const BRIEFLY: Duration = Duration::from_millis(150);

/// A sandbox with a JSON merge patch on its settings.
pub(crate) fn sandbox_with(settings: Value) -> Sandbox {
    Sandbox::start(SandboxOptions { settings: Some(settings), ..SandboxOptions::default() })
        .expect("the sandbox starts")
}

/// Tokens as if `persona` had just consented, without a request that the sandbox records.
pub(crate) fn tokens(sandbox: &Sandbox, persona: &str) -> Tokens {
    tokens_of_scope(sandbox, persona, None)
}

pub(crate) fn tokens_of_scope(sandbox: &Sandbox, persona: &str, scope: Option<&str>) -> Tokens {
    let answer = sandbox.control().issue_tokens(persona, scope).expect("a known persona");
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(Secret::from);
    let now = Timestamp::from(SystemTime::now());
    let access = text("access_token").expect("an access token");
    Tokens::new(access, text("refresh_token"), now, None, now.saturating_add(Duration::from_secs(3600)))
        .expect("tokens of the bank")
}

/// The persona whose account the bank refuses with this business code: identifier and IBAN.
pub(crate) fn refused_persona(sandbox: &Sandbox, code: &str) -> (String, String) {
    let personas = sandbox.control().personas();
    let found =
        personas.into_iter().find(|one| one.refusal.as_ref().is_some_and(|refusal| refusal.code == code));
    found.map(|persona| (persona.id, persona.iban)).expect("a persona of that code")
}

/// A bank, a client and CLAIRE's tokens.
pub(crate) struct Setting {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
    pub(crate) tokens: Tokens,
}

impl Setting {
    pub(crate) fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// With other options of the client.
    pub(crate) fn with(adjust: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let sandbox = sandbox();
        let client = adjust(builder(&sandbox)).build().expect("the set-up is good");
        Self { tokens: tokens(&sandbox, "CLAIRE"), sandbox, client }
    }

    /// With another bank record.
    pub(crate) fn with_bank(change: impl FnOnce(&Sandbox, &mut Bank)) -> Self {
        let sandbox = sandbox();
        let mut bank = bank(&sandbox);
        change(&sandbox, &mut bank);
        let client = Client::new(bank, issuer(&sandbox)).expect("the set-up is good");
        Self { tokens: tokens(&sandbox, "CLAIRE"), sandbox, client }
    }

    pub(crate) fn control(&self) -> Control {
        self.sandbox.control()
    }

    /// Asks for an amount that is there.
    pub(crate) fn check(&self) -> Result<FundsConfirmation, Error> {
        self.client.confirm_funds(&self.tokens, &request(CLAIRE, "458.99"))
    }

    /// As [`check`](Self::check), under a fault of the funds endpoint that lasts.
    pub(crate) fn check_under(&self, fault: Fault) -> Result<FundsConfirmation, Error> {
        self.fault(FaultRule::always(Endpoint::Funds, fault));
        let outcome = self.check();
        self.control().clear_faults();
        outcome
    }

    pub(crate) fn fault(&self, rule: FaultRule) {
        self.control().set_fault(rule).expect("a possible fault");
    }

    /// The requests an endpoint has seen.
    pub(crate) fn seen(&self, endpoint: Endpoint) -> Vec<RequestRecord> {
        self.control().requests().into_iter().filter(|request| request.endpoint == endpoint).collect()
    }
}

/// The error of an outcome that must be one; a yes or a no is a failure of the test.
#[track_caller]
pub(crate) fn error_of<T>(outcome: Result<T, Error>) -> Error {
    match outcome {
        Err(error) => error,
        Ok(_) => panic!("this should have failed"),
    }
}

#[track_caller]
pub(crate) fn assert_code<T>(outcome: Result<T, Error>, code: ErrorCode) -> Error {
    let error = error_of(outcome);
    assert_eq!(error.code(), code, "{error:?}");
    error
}

/// A refusal that cost the bank nothing: no request came, and the error says so.
#[track_caller]
pub(crate) fn assert_unsent<T>(sandbox: &Sandbox, outcome: Result<T, Error>, code: ErrorCode) {
    let error = assert_code(outcome, code);
    assert_eq!(error.request_sent(), RequestSent::No, "{error:?}");
    assert_eq!(sandbox.control().requests().len(), 0, "{error:?}");
}

/// What a text for people must never hold: these secrets, or more of an account number than its ends.
#[track_caller]
pub(crate) fn assert_without_secrets(text: &str, secrets: &[&str]) {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    for secret in secrets {
        let found = compact.find(secret).map(|at| compact[..at].chars().rev().take(80).collect::<Vec<_>>());
        let before = found.map(|found| found.into_iter().rev().collect::<String>());
        assert_eq!(before, None, "{secret} stands after this");
    }
}

/// The secrets of tokens and of CLAIRE's account.
pub(crate) fn secrets_of(tokens: &Tokens) -> Vec<&str> {
    let refresh = tokens.refresh_token().map(Secret::expose);
    [Some(tokens.access_token().expose()), refresh, Some(CLAIRE), Some(&CLAIRE[4..])]
        .into_iter()
        .flatten()
        .collect()
}

/// A listener that takes connections and never says anything.
pub(crate) fn silent_listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let origin = format!("https://localhost:{}", listener.local_addr().expect("an address").port());
    (listener, origin)
}

/// How a [`Proxy`] treats those who ask for a tunnel.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    Honest,
    /// Only with this `Proxy-Authorization`.
    Asking(&'static str),
    Refusing,
    Stalling,
}

/// A proxy that offers CONNECT, for as long as the process lives.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let seen = Arc::clone(&seen);
                // A client that leaves early ends its tunnel; that is its own affair.
                thread::spawn(move || serve_tunnel(stream, manner, &seen).ok());
            }
        });
        Self { address, heads }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests for tunnels so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic").clone()
    }
}

fn serve_tunnel(mut client: TcpStream, manner: Manner, seen: &Mutex<Vec<String>>) -> io::Result<()> {
    let head = read_head(&mut client)?;
    seen.lock().expect("no panic").push(head.clone());
    match manner {
        Manner::Refusing => client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"),
        Manner::Stalling => io::copy(&mut client, &mut io::sink()).map(drop),
        Manner::Asking(credentials) if !head.contains(credentials) => {
            client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        }
        Manner::Honest | Manner::Asking(_) => tunnel(client, &head),
    }
}

fn read_head(stream: &mut impl io::Read) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn tunnel(mut client: TcpStream, head: &str) -> io::Result<()> {
    let target = head.split(' ').nth(1).unwrap_or_default();
    let port = target.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).unwrap_or_default();
    let mut bank = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from_client, mut to_bank) = (client.try_clone()?, bank.try_clone()?);
    thread::spawn(move || {
        let copied = io::copy(&mut from_client, &mut to_bank);
        to_bank.shutdown(std::net::Shutdown::Write).and(copied)
    });
    let copied = io::copy(&mut bank, &mut client);
    client.shutdown(std::net::Shutdown::Both).and(copied.map(drop))
}

/// What a [`RawBank`] speaks on.
pub(crate) type TlsStream = rustls::StreamOwned<rustls::ServerConnection, TcpStream>;

/// A TLS server on loopback that sends whatever it is told to, HTTP or not, for as long as the process lives.
pub(crate) struct RawBank {
    pub(crate) origin: String,
    /// The root to trust it by.
    pub(crate) root_pem: String,
}

impl RawBank {
    /// With a certificate for localhost.
    pub(crate) fn start(serve: impl Fn(&mut TlsStream) + Send + Sync + 'static) -> Self {
        let leaf = rcgen::CertificateParams::new(["localhost".to_owned()]).expect("a host name");
        Self::with_certificate(leaf, serve)
    }

    pub(crate) fn with_certificate(
        leaf: rcgen::CertificateParams,
        serve: impl Fn(&mut TlsStream) + Send + Sync + 'static,
    ) -> Self {
        let (config, root_pem) = tls_of(leaf);
        let (listener, origin) = silent_listener();
        let serve = Arc::new(serve);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (config, serve) = (Arc::clone(&config), Arc::clone(&serve));
                let session = rustls::ServerConnection::new(config).expect("a good configuration");
                thread::spawn(move || serve(&mut rustls::StreamOwned::new(session, stream)));
            }
        });
        Self { origin, root_pem }
    }

    /// A client of this bank, with the sandbox's issuer, that repeats nothing.
    pub(crate) fn client(&self, sandbox: &Sandbox) -> Client {
        let bank = bank(sandbox)
            .with_origin(&self.origin)
            .and_then(|bank| bank.with_trust_anchor(&self.root_pem, TrustMode::Replace));
        let builder = Client::builder(bank.expect("the record is good"), issuer(sandbox));
        builder.retries(0).build().expect("the set-up is good")
    }
}

/// A TLS configuration with a fresh certificate, and the root that issued it.
fn tls_of(leaf: rcgen::CertificateParams) -> (Arc<rustls::ServerConfig>, String) {
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    let [root_key, key] = [(); 2].map(|()| rcgen::KeyPair::generate().expect("a key"));
    let mut root = rcgen::CertificateParams::default();
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_pem = root.self_signed(&root_key).expect("a root").pem();
    let leaf = leaf.signed_by(&key, &rcgen::Issuer::new(root, root_key)).expect("a leaf");
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key);
    (Arc::new(config.expect("a matching key")), root_pem)
}

/// Reads one request with its body; none when the client has left.
pub(crate) fn read_request(stream: &mut impl io::Read) -> Option<String> {
    let head = read_head(stream).ok()?;
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8_lossy(&body))
}

/// The body of the bank's answer to a check of [`request`] on CLAIRE's account.
pub(crate) fn answer_body(amount: &str, available: bool) -> serde_json::Value {
    serde_json::json!({
        "request": {
            "paymentCoverageRequestId": "ORDER-4711",
            "instructedAmount": {"currency": "EUR", "amount": amount},
            "accountId": {"iban": CLAIRE},
        },
        "result": available,
        "_links": {"self": {"href": "v1/funds-confirmations"}},
    })
}
