//! The bank that is called: what a measurement must know of it, and its control endpoint.

use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Failure;

/// The account everyone asks about, and the amount: a documented case that is answered by yes.
pub(crate) const IBAN: &str = "FR7617515900000800358074006";
pub(crate) const AMOUNT: &str = "12.50";
pub(crate) const REFERENCE: &str = "MyCoverage123456";

/// Everything a process needs for its calls, so that it asks nobody before the first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) origin: String,
    pub(crate) funds_url: String,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) access_token: String,
    pub(crate) ca: PathBuf,
    pub(crate) qwac_chain: PathBuf,
    pub(crate) qwac_key: PathBuf,
    pub(crate) seal_chain: PathBuf,
    pub(crate) seal_key: PathBuf,
}

impl Setup {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        Ok(fs::write(path, serde_json::to_vec_pretty(self)?)?)
    }

    /// The same as environment variables, for the programs in C (`c/works.c`).
    pub(crate) fn variables(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("BENCH_ORIGIN", self.origin.clone().into()),
            ("BENCH_FUNDS_URL", self.funds_url.clone().into()),
            ("BENCH_CLIENT_ID", self.client_id.clone().into()),
            ("BENCH_REDIRECT_URI", self.redirect_uri.clone().into()),
            ("BENCH_ACCESS_TOKEN", self.access_token.clone().into()),
            ("BENCH_IBAN", IBAN.into()),
            ("BENCH_AMOUNT", AMOUNT.into()),
            ("BENCH_REFERENCE", REFERENCE.into()),
            ("BENCH_CA", self.ca.clone().into()),
            ("BENCH_QWAC_CHAIN", self.qwac_chain.clone().into()),
            ("BENCH_QWAC_KEY", self.qwac_key.clone().into()),
            ("BENCH_SEAL_CHAIN", self.seal_chain.clone().into()),
            ("BENCH_SEAL_KEY", self.seal_key.clone().into()),
        ]
    }
}

/// The bank's control endpoint, plain HTTP on loopback.
pub(crate) struct Control {
    authority: String,
    path: String,
}

/// One request as the bank saw it: its headers in order, and its body.
#[derive(Debug, Deserialize)]
pub(crate) struct Seen {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Control {
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        let rest = url.strip_prefix("http://").ok_or("the control URL is not an http URL")?;
        let (authority, path) = rest.split_once('/').ok_or("the control URL has no path")?;
        Ok(Self { authority: authority.to_owned(), path: format!("/{}", path.trim_end_matches('/')) })
    }

    /// What the bank tells of itself, and fresh tokens.
    pub(crate) fn setup(&self) -> Result<Setup, Failure> {
        let about = self.ask("GET", "", None)?;
        let tokens = self.ask("POST", "/tokens", Some(&json!({"persona": "CLAIRE"})))?;
        let text = |value: &Value, pointer: &str| {
            let found = value.pointer(pointer).and_then(Value::as_str).map(ToOwned::to_owned);
            found.ok_or_else(|| Failure::from(format!("the bank's control endpoint tells no {pointer}")))
        };
        let file = |pointer: &str| text(&about, pointer).map(PathBuf::from);
        Ok(Setup {
            origin: text(&about, "/endpoints/origin")?,
            funds_url: text(&about, "/endpoints/funds_url")?,
            client_id: text(&about, "/issuer/client_id")?,
            redirect_uri: text(&about, "/issuer/redirect_uri")?,
            access_token: text(&tokens, "/access_token")?,
            ca: file("/issuer/ca")?,
            qwac_chain: file("/issuer/qwac/chain")?,
            qwac_key: file("/issuer/qwac/key")?,
            seal_chain: file("/issuer/qsealc/chain")?,
            seal_key: file("/issuer/qsealc/key")?,
        })
    }

    pub(crate) fn configure(&self, settings: &Value) -> Result<(), Failure> {
        self.ask("PATCH", "/settings", Some(settings)).map(drop)
    }

    /// Lets every answer come so much later, or at once again.
    pub(crate) fn delay(&self, milliseconds: Option<u64>) -> Result<(), Failure> {
        self.ask("DELETE", "/faults", None)?;
        if let Some(milliseconds) = milliseconds {
            let rule = json!({"endpoint": "funds", "fault": {"kind": "delay", "milliseconds": milliseconds}});
            self.ask("POST", "/faults", Some(&rule))?;
        }
        Ok(())
    }

    /// The requests since the last time they were forgotten, while the bank was recording.
    pub(crate) fn requests(&self) -> Result<Vec<Seen>, Failure> {
        Ok(serde_json::from_value(self.ask("GET", "/requests", None)?)?)
    }

    pub(crate) fn forget_requests(&self) -> Result<(), Failure> {
        self.ask("DELETE", "/requests", None).map(drop)
    }

    fn ask(&self, method: &str, route: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(&self.authority)?;
        write!(
            stream,
            "{method} {}{route} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            self.path,
            self.authority,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("the control endpoint gave no answer")?;
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("{method} {route} at the control endpoint: {answer}").into());
        }
        Ok(serde_json::from_str(body)?)
    }
}

/// A request without what is new in every call: the names, values and body that both sides must send alike.
pub(crate) fn constant_part(seen: &Seen) -> (Vec<(String, String)>, &str) {
    let headers = seen.headers.iter().map(|(name, value)| {
        let is_fresh = matches!(name.as_str(), "x-request-id" | "date" | "digest" | "signature");
        (name.clone(), if is_fresh { format!("{} characters", value.len()) } else { value.clone() })
    });
    (headers.collect(), &seen.body)
}
