//! The yardstick: the same call by hand on rustls and ring (or AWS-LC, by the feature), without any of the library.
//!
//! It sends the same bytes (`cbpii-bench measure` compares them), makes a fresh request id, date, digest and
//! signature for every call, and looks for `"result":true` in the answer. It has no deadline, no retry, no
//! pool, no check of the answer's shape and no error model: what those cost is what is measured.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::SystemTime;

#[cfg(feature = "aws-lc-rs")]
use aws_lc_rs as backend;
#[cfg(feature = "aws-lc-rs")]
use rustls::crypto::aws_lc_rs::default_provider;
#[cfg(not(feature = "aws-lc-rs"))]
use {ring as backend, rustls::crypto::ring::default_provider};

use backend::digest::{SHA256, digest};
use backend::rand::SystemRandom;
use backend::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, Stream};

use crate::Failure;
use crate::bank::{AMOUNT, IBAN, REFERENCE, Setup};

const USER_AGENT: &str = "cbpii/0.1.0";

/// What all loops of a process share: identity, trust and the seal's key.
pub(crate) struct Shared {
    tls: Arc<ClientConfig>,
    seal: RsaKeyPair,
    random: SystemRandom,
    host: String,
    port: u16,
    path: String,
    client_id: String,
    access_token: String,
}

impl Shared {
    pub(crate) fn new(setup: &Setup) -> Result<Arc<Self>, Failure> {
        let provider = Arc::new(default_provider());
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&fs::read(&setup.ca)?) {
            roots.add(certificate?)?;
        }
        let chain = fs::read(&setup.qwac_chain)?;
        let chain = CertificateDer::pem_slice_iter(&chain).collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(&fs::read(&setup.qwac_key)?)?;
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let seal = PrivateKeyDer::from_pem_slice(&fs::read(&setup.seal_key)?)?;
        let seal = RsaKeyPair::from_pkcs8(seal.secret_der()).map_err(|error| error.to_string())?;
        let rest = setup.funds_url.strip_prefix("https://").ok_or("the bank's URL is not https")?;
        let (authority, path) = rest.split_once('/').ok_or("the bank's URL has no path")?;
        let (host, port) = authority.split_once(':').ok_or("the bank's URL has no port")?;
        Ok(Arc::new(Self {
            tls: Arc::new(tls),
            seal,
            random: SystemRandom::new(),
            host: host.to_owned(),
            port: port.parse()?,
            path: format!("/{path}"),
            client_id: setup.client_id.clone(),
            access_token: setup.access_token.clone(),
        }))
    }
}

/// One loop: one kept-alive connection, or a new one per call.
pub(crate) struct Loop {
    shared: Arc<Shared>,
    connection: Option<Connection>,
    keeps: bool,
    head: String,
    signed: String,
    body: String,
    signature: Vec<u8>,
    answer: Vec<u8>,
    pub(crate) connections: u64,
    pub(crate) resumed: u64,
}

struct Connection {
    tls: ClientConnection,
    socket: TcpStream,
}

impl Loop {
    pub(crate) fn new(shared: &Arc<Shared>, keeps: bool) -> Self {
        Self {
            shared: Arc::clone(shared),
            connection: None,
            keeps,
            head: String::with_capacity(2048),
            signed: String::with_capacity(512),
            body: String::with_capacity(512),
            signature: vec![0; modulus_len(&shared.seal)],
            answer: vec![0; 16 * 1024],
            connections: 0,
            resumed: 0,
        }
    }

    /// Connects and finishes the handshake.
    pub(crate) fn connect(&mut self) -> Result<(), Failure> {
        let shared = &*self.shared;
        let mut addresses = (shared.host.as_str(), shared.port).to_socket_addrs()?;
        let mut socket =
            addresses.find_map(|address| TcpStream::connect(address).ok()).ok_or("no connection")?;
        socket.set_nodelay(true)?;
        let name = ServerName::try_from(shared.host.clone())?;
        let mut tls = ClientConnection::new(Arc::clone(&shared.tls), name)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)?;
        }
        self.connections += 1;
        self.resumed += u64::from(tls.handshake_kind() == Some(HandshakeKind::Resumed));
        self.connection = Some(Connection { tls, socket });
        Ok(())
    }

    /// One funds check that must be answered by yes.
    pub(crate) fn call(&mut self) -> Result<(), Failure> {
        self.write_request()?;
        if self.connection.is_none() {
            self.connect()?;
        }
        let connection = self.connection.as_mut().ok_or("no connection")?;
        let mut stream = Stream::new(&mut connection.tls, &mut connection.socket);
        stream.write_all(self.head.as_bytes())?;
        stream.flush()?;
        let body = read_answer(&mut stream, &mut self.answer)?;
        if !contains(body, b"\"result\":true") {
            return Err(format!("not a yes: {}", String::from_utf8_lossy(body)).into());
        }
        if !self.keeps {
            self.connection = None;
        }
        Ok(())
    }

    /// Head and body of a new request, in `head`.
    fn write_request(&mut self) -> Result<(), Failure> {
        let Self { shared, head, signed, body, signature, .. } = self;
        body.clear();
        write!(
            body,
            r#"{{"paymentCoverageRequestId":"{REFERENCE}","instructedAmount":{{"currency":"EUR","amount":"{AMOUNT}"}},"accountId":{{"iban":"{IBAN}"}}}}"#
        )?;
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let date = httpdate::HttpDate::from(SystemTime::now());
        let digest = BASE64_STANDARD.encode(digest(&SHA256, body.as_bytes()));
        let Shared { path, host, port, client_id, access_token, .. } = &**shared;
        signed.clear();
        write!(
            signed,
            "(request-target): post {path}\ndate: {date}\ndigest: SHA-256={digest}\nx-request-id: {id}"
        )?;
        let signing = shared.seal.sign(&RSA_PKCS1_SHA256, &shared.random, signed.as_bytes(), signature);
        signing.map_err(|_| "the seal's key did not sign")?;
        head.clear();
        write!(
            head,
            "POST {path} HTTP/1.1\r\naccept-encoding: identity\r\ncontent-length: {}\r\nuser-agent: {USER_AGENT}\r\nhost: {host}:{port}\r\nauthorization: Bearer {access_token}\r\nx-request-id: {id}\r\ndate: {date}\r\ndigest: SHA-256={digest}\r\ncontent-type: application/json\r\naccept: application/hal+json, application/json\r\nsignature: keyId=\"{client_id}\",algorithm=\"rsa-sha256\",headers=\"(request-target) date digest x-request-id\",signature=\"",
            body.len()
        )?;
        BASE64_STANDARD.encode_string(signature, head);
        head.push_str("\"\r\n\r\n");
        head.push_str(body);
        Ok(())
    }
}

fn modulus_len(key: &RsaKeyPair) -> usize {
    #[cfg(feature = "aws-lc-rs")]
    let length = key.public_modulus_len();
    #[cfg(not(feature = "aws-lc-rs"))]
    let length = key.public().modulus_len();
    length
}

/// Reads one answer with a `Content-Length`; gives its body.
fn read_answer<'a>(
    stream: &mut Stream<'_, ClientConnection, TcpStream>,
    buffer: &'a mut [u8],
) -> Result<&'a [u8], Failure> {
    let mut filled = 0;
    loop {
        let amount = stream.read(&mut buffer[filled..])?;
        if amount == 0 {
            return Err("the bank closed the connection".into());
        }
        filled += amount;
        let Some(end) = find(&buffer[..filled], b"\r\n\r\n").map(|at| at + 4) else { continue };
        if !buffer.starts_with(b"HTTP/1.1 200") {
            return Err(String::from_utf8_lossy(&buffer[..filled]).into());
        }
        let head = std::str::from_utf8(&buffer[..end])?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let whole = end + length.ok_or("the answer has no content-length")?;
        if filled >= whole {
            return Ok(&buffer[end..whole]);
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    find(text, wanted).is_some()
}
