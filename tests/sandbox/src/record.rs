//! What the bank saw: every request and every connection, for tests to look at and for the log.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::iso;
use crate::error::SandboxError;
use crate::exchange::Endpoint;
use crate::iban;
use crate::lock::Locked as _;

/// How many requests and connections are kept; the oldest go first.
pub const KEPT: usize = 10_000;

/// The verdict of a request that is still being dealt with.
pub const PENDING: &str = "pending";

/// One request as it came over the wire. It holds secrets in the clear: it is made for assertions, not for logs.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RequestRecord {
    /// Counts from 1 since the start, also across a reset.
    pub sequence: u64,
    /// When its body had been read, by real time.
    #[serde(serialize_with = "write_time")]
    pub time: SystemTime,
    /// The part of the bank it was for.
    pub endpoint: Endpoint,
    /// The method as sent.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Header names and values exactly as sent, in their order.
    #[serde(serialize_with = "write_headers")]
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body as sent.
    #[serde(serialize_with = "write_text")]
    pub body: Vec<u8>,
    /// The `organizationIdentifier` of a client certificate the bank trusts.
    pub organisation: Option<String>,
    /// `accepted`, the reason of the refusal, `fault: …`, or `pending`.
    pub verdict: String,
    /// The status of the answer, when one was given.
    pub status: Option<u16>,
    /// Which connection it came over.
    pub connection: u64,
    /// `1.2` or `1.3`.
    pub tls_version: String,
    /// Whether that connection resumed an earlier TLS session.
    pub resumed: bool,
}

impl RequestRecord {
    /// The value of a header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The body as text, with replacement characters where it is not UTF-8.
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One connection to the bank.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ConnectionRecord {
    /// Counts from 1 since the start.
    pub number: u64,
    /// `1.2` or `1.3`; none when the handshake failed.
    pub tls_version: Option<String>,
    /// Whether it resumed an earlier TLS session.
    pub resumed: bool,
    /// The `organizationIdentifier` of the client certificate, when the bank trusts it.
    pub organisation: Option<String>,
    /// Why the handshake failed, or what the bank did to the connection.
    pub failure: Option<String>,
}

/// Where the log lines go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Log {
    /// Nowhere.
    #[default]
    Off,
    /// To the standard error, one JSON object a line.
    Stderr,
    /// Appended to a file, one JSON object a line.
    File(PathBuf),
}

enum Sink {
    Off,
    Stderr,
    File(Mutex<File>),
}

#[derive(Default)]
struct Seen {
    requests: VecDeque<RequestRecord>,
    connections: VecDeque<ConnectionRecord>,
    last_request: u64,
    last_connection: u64,
}

/// The bank's memory of what it saw.
pub(crate) struct Recorder {
    seen: Mutex<Seen>,
    arrived: Condvar,
    sink: Sink,
}

impl Recorder {
    pub(crate) fn new(log: &Log) -> Result<Self, SandboxError> {
        let sink = match log {
            Log::Off => Sink::Off,
            Log::Stderr => Sink::Stderr,
            Log::File(path) => Sink::File(Mutex::new(File::options().create(true).append(true).open(path)?)),
        };
        Ok(Self { seen: Mutex::default(), arrived: Condvar::new(), sink })
    }

    /// Keeps a request whose verdict is still open; gives its number.
    pub(crate) fn begin(&self, mut record: RequestRecord) -> u64 {
        let mut seen = self.seen.locked();
        seen.last_request += 1;
        record.sequence = seen.last_request;
        push(&mut seen.requests, record);
        self.arrived.notify_all();
        seen.last_request
    }

    /// Completes a request's record and writes its log line.
    pub(crate) fn conclude(&self, sequence: u64, status: Option<u16>, verdict: &str) {
        let mut seen = self.seen.locked();
        // A record that was forgotten meanwhile is not there to complete.
        let Ok(position) = seen.requests.binary_search_by_key(&sequence, |record| record.sequence) else {
            return;
        };
        let Some(record) = seen.requests.get_mut(position) else { return };
        record.status = status;
        verdict.clone_into(&mut record.verdict);
        let line = (!matches!(self.sink, Sink::Off)).then(|| log_line(record));
        self.arrived.notify_all();
        drop(seen);
        if let Some(line) = line {
            self.write(&line);
        }
    }

    pub(crate) fn requests(&self) -> Vec<RequestRecord> {
        self.seen.locked().requests.iter().cloned().collect()
    }

    /// Gives away the requests that have been dealt with; those that are pending stay.
    pub(crate) fn take(&self) -> Vec<RequestRecord> {
        let mut seen = self.seen.locked();
        let (pending, done) = seen.requests.drain(..).partition(|record| record.verdict == PENDING);
        seen.requests = pending;
        Vec::from(done)
    }

    pub(crate) fn connections(&self) -> Vec<ConnectionRecord> {
        self.seen.locked().connections.iter().cloned().collect()
    }

    pub(crate) fn connections_opened(&self) -> u64 {
        self.seen.locked().last_connection
    }

    pub(crate) fn next_connection(&self) -> u64 {
        let mut seen = self.seen.locked();
        seen.last_connection += 1;
        seen.last_connection
    }

    pub(crate) fn connected(&self, record: ConnectionRecord) {
        push(&mut self.seen.locked().connections, record);
        self.arrived.notify_all();
    }

    /// Waits until `enough` says so about the requests; false when the time is up.
    pub(crate) fn wait(&self, limit: Duration, enough: impl Fn(&[RequestRecord]) -> bool) -> bool {
        let end = Instant::now() + limit;
        let mut seen = self.seen.locked();
        loop {
            if enough(seen.requests.make_contiguous()) {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            seen = self.arrived.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Forgets the requests and connections; numbers go on.
    pub(crate) fn forget(&self) {
        let mut seen = self.seen.locked();
        seen.requests.clear();
        seen.connections.clear();
    }

    fn write(&self, line: &Value) {
        let text = format!("{line}\n");
        // A log that cannot be written is no reason to refuse a request.
        let _ = match &self.sink {
            Sink::Off => Ok(()),
            Sink::Stderr => std::io::stderr().lock().write_all(text.as_bytes()),
            Sink::File(file) => file.locked().write_all(text.as_bytes()),
        };
    }
}

fn push<T>(kept: &mut VecDeque<T>, item: T) {
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back(item);
}

/// What may be told about a request: no token, no code, no query, and the IBAN masked.
fn log_line(record: &RequestRecord) -> Value {
    let path = record.target.split('?').next().unwrap_or_default();
    let account = serde_json::from_slice::<Value>(&record.body).ok().and_then(|body| {
        let account = body.get("accountId")?.as_object()?.values().next()?.as_str()?.to_owned();
        Some(iban::masked(&account))
    });
    json!({
        "time": iso(record.time, "Z"),
        "sequence": record.sequence,
        "endpoint": record.endpoint,
        "method": record.method,
        "path": path,
        "request_id": record.header("x-request-id"),
        "account": account,
        "organisation": record.organisation,
        "status": record.status,
        "verdict": record.verdict,
        "connection": record.connection,
        "tls": record.tls_version,
        "resumed": record.resumed,
    })
}

fn write_time<S: serde::Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&iso(*time, "Z"))
}

fn write_text<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}

fn write_headers<S: serde::Serializer>(
    headers: &[(Vec<u8>, Vec<u8>)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(
        headers.iter().map(|(name, value)| [String::from_utf8_lossy(name), String::from_utf8_lossy(value)]),
    )
}
