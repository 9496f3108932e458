//! A small HTTPS client of the tests' own: it sends exactly what it is told to, and shows exactly what comes back.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbpii_sandbox::{Identity, Sandbox};
use serde_json::Value;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{
    self, ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use url::Url;

/// Far longer than anything here takes: a test that needs it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const CLAIRE: &str = "FR7617515900000800358074006";
pub(crate) const LEA: &str = "FR7613807008043001965405158";

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

type Stream = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// One client identity: keeps a connection open, and resumes TLS sessions.
pub(crate) struct Client {
    config: Arc<ClientConfig>,
    open: Option<(u16, Stream)>,
}

pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

impl Client {
    pub(crate) fn new(bank: &Sandbox) -> Self {
        Self::with(bank, Some(&bank.issuer().qwac), rustls::ALL_VERSIONS)
    }

    pub(crate) fn with(
        bank: &Sandbox,
        identity: Option<&Identity>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(bank.issuer().ca_pem.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = CertificateDer::pem_slice_iter(identity.chain_pem.as_bytes())
                    .collect::<Result<Vec<_>, _>>()
                    .unwrap();
                let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        Self { config: Arc::new(config), open: None }
    }

    /// Connects anew even though a connection is open.
    pub(crate) fn hang_up(&mut self) {
        self.open = None;
    }

    fn connect(&self, port: u16) -> io::Result<Stream> {
        let tcp = TcpStream::connect(("127.0.0.1", port))?;
        tcp.set_read_timeout(Some(PATIENCE))?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::clone(&self.config), name).map_err(io::Error::other)?;
        Ok(BufReader::new(StreamOwned::new(session, tcp)))
    }

    pub(crate) fn send(
        &mut self,
        url: &str,
        method: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let url_parts = Url::parse(url).unwrap();
        let port = url_parts.port().unwrap();
        let target = url.splitn(4, '/').nth(3).map(|rest| format!("/{rest}")).unwrap();
        let mut stream = match self.open.take() {
            Some((open, stream)) if open == port => stream,
            _ => self.connect(port)?,
        };
        let mut message = format!("{method} {target} HTTP/1.1\r\nHost: localhost:{port}\r\n");
        for (name, value) in headers {
            message.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || method == "POST" {
            message.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        message.push_str("\r\n");
        let mut bytes = message.into_bytes();
        bytes.extend_from_slice(body);
        stream.get_mut().write_all(&bytes)?;
        stream.get_mut().flush()?;
        let reply = read_reply(&mut stream)?;
        if reply.header("connection") != Some("close") {
            self.open = Some((port, stream));
        }
        Ok(reply)
    }

    #[track_caller]
    pub(crate) fn get(&mut self, url: &str) -> Reply {
        self.send(url, "GET", &[], b"").unwrap()
    }

    pub(crate) fn form(&mut self, url: &str, fields: &[(&str, &str)]) -> io::Result<Reply> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(url, "POST", &[("Content-Type", "application/x-www-form-urlencoded")], body.as_bytes())
    }
}

fn read_reply(stream: &mut Stream) -> io::Result<Reply> {
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let status_line = read_line(stream)?;
    if !status_line.starts_with("HTTP/1.1 ") {
        return Err(bad(&format!("not HTTP: {status_line:?}")));
    }
    let status = status_line.get(9..12).and_then(|text| text.parse().ok()).ok_or_else(|| bad("no status"))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(stream)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad("no colon"))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut reply = Reply { status, headers, body: Vec::new() };
    if let Some(length) = reply.header("content-length") {
        let length: usize = length.parse().map_err(|_| bad("content-length"))?;
        reply.body = vec![0; length];
        stream.read_exact(&mut reply.body)?;
    } else if reply.header("transfer-encoding") == Some("chunked") {
        // Only the endless body comes in chunks: two megabytes of it are proof enough.
        stream.take(2 << 20).read_to_end(&mut reply.body)?;
    }
    Ok(reply)
}

fn read_line(stream: &mut Stream) -> io::Result<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\r\n") {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{:?}", String::from_utf8_lossy(&line)),
        ));
    }
    line.truncate(line.len() - 2);
    String::from_utf8(line).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The consent URL an issuer of this bank builds.
pub(crate) fn consent_url(bank: &Sandbox, state: &str) -> String {
    let lydia = bank.control().settings().bank_name == "Sumeria";
    let scope = bank.control().settings().scope;
    let issuer = bank.issuer();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if !lydia {
        query.append_pair("response_type", "code");
    }
    query
        .append_pair("client_id", &issuer.client_id)
        .append_pair("redirect_uri", &issuer.redirect_uri)
        .append_pair("scope", &scope)
        .append_pair("state", state);
    format!("{}?{}", bank.endpoints().authorize_url, query.finish())
}

/// A parameter of a callback URL.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    Url::parse(url).unwrap().query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
}

/// A code for `persona`.
pub(crate) fn code(bank: &Sandbox, persona: &str) -> String {
    parameter(&bank.approve(&consent_url(bank, "s"), persona).unwrap(), "code").unwrap()
}

pub(crate) fn exchange(bank: &Sandbox, client: &mut Client, code: &str) -> Reply {
    let issuer = bank.issuer();
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &issuer.redirect_uri),
        ("client_id", &issuer.client_id),
    ];
    if let Some(secret) = &issuer.client_secret {
        fields.push(("client_secret", secret));
    }
    client.form(&bank.endpoints().token_url, &fields).unwrap()
}

pub(crate) fn refresh(bank: &Sandbox, client: &mut Client, token: &str) -> Reply {
    let issuer = bank.issuer();
    let fields =
        [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", &issuer.client_id)];
    client.form(&bank.endpoints().token_url, &fields).unwrap()
}

/// An access token for `persona`, without the journey.
pub(crate) fn token(bank: &Sandbox, persona: &str) -> String {
    let tokens = bank.control().issue_tokens(persona, None).unwrap();
    tokens["access_token"].as_str().unwrap().to_owned()
}

pub(crate) fn coverage(amount: &str, iban: &str) -> String {
    format!(
        r#"{{"paymentCoverageRequestId":"MyCoverage123456","instructedAmount":{{"currency":"EUR","amount":"{amount}"}},"accountId":{{"iban":"{iban}"}}}}"#
    )
}

/// A funds request that can be spoiled header by header before it is signed and sent.
#[derive(Clone)]
pub(crate) struct Funds {
    pub(crate) url: String,
    pub(crate) method: String,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) signed: Vec<String>,
    pub(crate) key_id: String,
    pub(crate) key_pem: String,
    pub(crate) algorithm: String,
    pub(crate) signature: Option<String>,
}

pub(crate) fn digest_of(body: &[u8]) -> String {
    format!("SHA-256={}", STANDARD.encode(digest(&SHA256, body)))
}

impl Funds {
    pub(crate) fn new(bank: &Sandbox, token: &str, body: &str) -> Self {
        let headers = [
            ("Authorization", format!("Bearer {token}")),
            ("X-Request-ID", "7b54b1d1-6f2e-4a61-b4c2-4f7b3a6c9d10".to_owned()),
            ("Date", httpdate::fmt_http_date(SystemTime::now())),
            ("Digest", digest_of(body.as_bytes())),
            ("Content-Type", "application/json".to_owned()),
            ("Accept", "application/hal+json, application/json".to_owned()),
        ];
        Self {
            url: bank.endpoints().funds_url.clone(),
            method: "POST".to_owned(),
            body: body.as_bytes().to_vec(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            signed: ["(request-target)", "date", "digest", "x-request-id"].map(str::to_owned).to_vec(),
            key_id: bank.issuer().client_id.clone(),
            key_pem: bank.issuer().qsealc.key_pem.clone(),
            algorithm: "rsa-sha256".to_owned(),
            signature: None,
        }
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn signature_header(&self) -> String {
        let path = format!("/{}", self.url.splitn(4, '/').nth(3).unwrap());
        let lines: Vec<String> = self
            .signed
            .iter()
            .map(|name| match name.as_str() {
                "(request-target)" => format!("(request-target): {} {path}", self.method.to_lowercase()),
                name => {
                    let found = self.headers.iter().find(|(present, _)| present.eq_ignore_ascii_case(name));
                    format!("{name}: {}", found.map(|(_, value)| value.as_str()).unwrap_or_default())
                }
            })
            .collect();
        let der = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).unwrap();
        let key = RsaKeyPair::from_pkcs8(der.secret_der()).unwrap();
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), lines.join("\n").as_bytes(), &mut signature)
            .unwrap();
        format!(
            r#"keyId="{}",algorithm="{}",headers="{}",signature="{}""#,
            self.key_id,
            self.algorithm,
            self.signed.join(" "),
            STANDARD.encode(signature)
        )
    }

    pub(crate) fn send(&self, client: &mut Client) -> io::Result<Reply> {
        let signature = self.signature.clone().unwrap_or_else(|| self.signature_header());
        let mut headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if !signature.is_empty() {
            headers.push(("Signature", &signature));
        }
        client.send(&self.url, &self.method, &headers, &self.body)
    }
}

/// Posts a coverage request for `persona`'s token and gives the reply.
#[track_caller]
pub(crate) fn ask(bank: &Sandbox, client: &mut Client, persona: &str, amount: &str, iban: &str) -> Reply {
    Funds::new(bank, &token(bank, persona), &coverage(amount, iban)).send(client).unwrap()
}

/// Whether a base64 signature over `message` verifies with the key of a certificate.
pub(crate) fn verifies(certificate_pem: &str, message: &str, signature: &str) -> bool {
    let der = CertificateDer::from_pem_slice(certificate_pem.as_bytes()).unwrap();
    let (_, certificate) = x509_parser::parse_x509_certificate(&der).unwrap();
    let key = &certificate.public_key().subject_public_key.data;
    let signature = STANDARD.decode(signature).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(message.as_bytes(), &signature).is_ok()
}

/// One call to the control endpoint, as another language makes it.
#[track_caller]
pub(crate) fn control(base: &str, method: &str, route: &str, body: &str) -> (u16, Value) {
    let url = Url::parse(base).unwrap();
    let port = url.port().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "{method} /control{route} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// The value of an `Authorization` header for HTTP Basic.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
