//! A cardholder's browser, as far as a machine needs one: opens the consent URL and stops at the redirect.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use url::Url;

use crate::bank::Bank;
use crate::error::SandboxError;
use crate::form::with_query;

const PATIENCE: Duration = Duration::from_secs(10);

/// What the bank answered the browser.
pub(crate) struct BrowserAnswer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

/// Opens the consent URL with the cardholder's decision.
pub(crate) fn decide(
    bank: &Bank,
    consent_url: &str,
    decision: &str,
    persona: &str,
) -> Result<BrowserAnswer, SandboxError> {
    let bad = |reason: String| SandboxError::Consent(format!("{consent_url}: {reason}"));
    let full = with_query(consent_url, &[("auto", decision), ("persona", persona)]);
    let url = Url::parse(&full).map_err(|error| bad(error.to_string()))?;
    let host = url.host_str().ok_or_else(|| bad("no host".to_owned()))?.to_owned();
    let port = url.port_or_known_default().ok_or_else(|| bad("no port".to_owned()))?;
    // The query goes out as it is: parsing must not rewrite it.
    let target = full.splitn(4, '/').nth(3).map(|rest| format!("/{rest}")).unwrap_or_default();
    let tcp = TcpStream::connect(("127.0.0.1", port))?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    let name = ServerName::try_from(host.clone()).map_err(|error| bad(error.to_string()))?;
    let mut stream = StreamOwned::new(ClientConnection::new(config(bank)?, name)?, tcp);
    write!(
        stream,
        "GET {target} HTTP/1.1\r\nhost: {host}:{port}\r\naccept: text/html\r\naccept-language: fr\r\nconnection: close\r\n\r\n"
    )?;
    let mut raw = Vec::new();
    // A bank that closes without a TLS farewell has answered all the same.
    let ended = stream.read_to_end(&mut raw);
    match ended {
        Err(error) if raw.is_empty() => Err(SandboxError::Io(error)),
        _ => read_answer(&String::from_utf8_lossy(&raw)).ok_or_else(|| bad("not an HTTP answer".to_owned())),
    }
}

/// Trusts the bank's root, and shows the QWAC so that the journey works where the handshake demands one.
fn config(bank: &Bank) -> Result<Arc<ClientConfig>, SandboxError> {
    let mut roots = RootCertStore::empty();
    roots.add(bank.pki.root.clone())?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(bank.pki.qwac.key.clone()));
    let config = ClientConfig::builder_with_provider(crate::tls::provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(bank.pki.qwac.chain.clone(), key)?;
    Ok(Arc::new(config))
}

fn read_answer(text: &str) -> Option<BrowserAnswer> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let location = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("location"))
        .map(|(_, value)| value.trim().to_owned());
    Some(BrowserAnswer { status, location, body: body.to_owned() })
}
