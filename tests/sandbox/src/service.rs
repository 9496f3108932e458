//! From a request on the wire to the answer on the wire, through the fault in force, if any.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde_json::Value;

use crate::answer_body::AnswerBody;
use crate::bank::Bank;
use crate::connection::{ConnectionFacts, Ending, Line};
use crate::exchange::{Answer, Endpoint, Exchange, Refused};
use crate::faults::Fault;
use crate::funds;
use crate::merge;
use crate::record::{PENDING, RequestRecord};
use crate::settings::Settings;

/// No request of this protocol comes near this size.
const BODY_LIMIT: usize = 256 * 1024;

/// The bytes a garbage fault sends.
pub(crate) const GARBAGE: &[u8] = b"\x16\x03\x00\xff\xfe\x00no protocol speaks like this\x00\x01\x02\r\n\r\n";

/// One connection's way into the bank.
pub(crate) struct Service {
    pub(crate) bank: Arc<Bank>,
    /// The endpoints of this listener; empty for all.
    pub(crate) serves: &'static [Endpoint],
    pub(crate) line: Arc<Line>,
    pub(crate) facts: ConnectionFacts,
}

/// A request that is being answered, and its record.
struct Case<'a> {
    service: &'a Service,
    settings: Arc<Settings>,
    exchange: Exchange,
    record: Option<u64>,
}

impl Service {
    /// Answers a request, or spoils it as a fault says.
    pub(crate) async fn handle(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<AnswerBody>, Infallible> {
        let mut endpoint = self.bank.paths.endpoint(request.uri().path());
        if !self.serves.is_empty() && !self.serves.contains(&endpoint) {
            endpoint = Endpoint::Other;
        }
        let taken = self.bank.faults.take(endpoint);
        let (parts, body) = request.into_parts();
        let unread = taken.as_ref().is_some_and(|taken| taken.fault == Fault::ResetBeforeReading);
        let read = if unread { Ok(Bytes::new()) } else { read(body).await };
        let exchange = Exchange {
            endpoint,
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers,
            body: read.clone().unwrap_or_default(),
            connection: self.facts.clone(),
        };
        self.bank.secrets.tell_request(&exchange);
        let settings = self.bank.settings();
        let received = self.line.take_received();
        let record = settings.recording.then(|| self.bank.recorder.begin(self.record(&exchange, &received)));
        let case = Case { service: self, settings, exchange, record };
        if read.is_err() {
            let refused = Refused::new(413, "the body is too large, or did not arrive");
            return Ok(case.send(refused.answer(&case.settings, &case.exchange.path, self.bank.now())));
        }
        match taken {
            None => Ok(case.send(case.honest(true))),
            Some(taken) => match taken.fault {
                Fault::Hold => {
                    taken.released().await;
                    Ok(case.send(case.honest(true)))
                }
                Fault::Delay { milliseconds } => {
                    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                    Ok(case.send(case.honest(true)))
                }
                fault => case.spoil(fault).await,
            },
        }
    }

    fn record(&self, exchange: &Exchange, received: &[u8]) -> RequestRecord {
        RequestRecord {
            sequence: 0,
            time: SystemTime::now(),
            endpoint: exchange.endpoint,
            method: exchange.method.to_string(),
            target: exchange.target(),
            headers: raw_headers(received),
            body: exchange.body.to_vec(),
            organisation: exchange.connection.client.organisation().map(str::to_owned),
            verdict: PENDING.to_owned(),
            status: None,
            connection: exchange.connection.number,
            tls_version: exchange.connection.tls_version.to_owned(),
            resumed: exchange.connection.resumed,
        }
    }
}

async fn read(body: Incoming) -> Result<Bytes, ()> {
    Limited::new(body, BODY_LIMIT).collect().await.map(|collected| collected.to_bytes()).map_err(|_| ())
}

/// The header lines of a request as they came: names in their case, values without the blanks around them.
fn raw_headers(received: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let end = received.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(received.len());
    received[..end]
        .split(|byte| *byte == b'\n')
        .skip(1)
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((line[..colon].to_vec(), line[colon + 1..].trim_ascii().to_vec()))
        })
        .collect()
}

impl Case<'_> {
    /// What the bank says; `complete` adds the headers of a funds answer.
    fn honest(&self, complete: bool) -> Answer {
        let mut answer = self.service.bank.answer(&self.exchange);
        self.service.bank.secrets.tell_answer(&answer);
        if complete {
            self.complete(&mut answer);
        }
        answer
    }

    fn complete(&self, answer: &mut Answer) {
        if self.exchange.endpoint == Endpoint::Funds {
            funds::complete(&self.service.bank, &self.settings, &self.exchange, answer);
        }
    }

    fn conclude(&self, status: Option<u16>, verdict: &str) {
        if let Some(record) = self.record {
            self.service.bank.recorder.conclude(record, status, verdict);
        }
    }

    fn send(&self, answer: Answer) -> Response<AnswerBody> {
        self.conclude(Some(answer.status), &answer.verdict);
        let body = AnswerBody::whole(answer.body);
        respond(answer.status, &answer.headers, body)
    }

    async fn spoil(&self, fault: Fault) -> Result<Response<AnswerBody>, Infallible> {
        let verdict = format!("fault: {}", fault.kind());
        let line = &self.service.line;
        match fault {
            Fault::ResetBeforeReading => {
                self.conclude(None, &verdict);
                line.hang_up(Ending::Reset);
                pending().await
            }
            Fault::Stall => {
                self.conclude(None, &verdict);
                pending().await
            }
            Fault::AnswerLost => {
                self.honest(false);
                self.conclude(None, &verdict);
                line.hang_up(Ending::Close);
                pending().await
            }
            Fault::Garbage => {
                self.conclude(None, &verdict);
                line.replace_answer(GARBAGE.to_vec());
                Ok(respond(200, &[], AnswerBody::whole(Vec::new())))
            }
            Fault::OversizedBody => {
                self.conclude(Some(200), &verdict);
                let json = [("content-type".to_owned(), "application/json".to_owned())];
                Ok(respond(200, &json, AnswerBody::Endless { started: false }))
            }
            Fault::StallAfterHeaders => {
                let answer = self.honest(true);
                self.conclude(Some(answer.status), &verdict);
                Ok(respond(answer.status, &answer.headers, AnswerBody::Silent(answer.body.len() as u64)))
            }
            Fault::ResetMidAnswer | Fault::TruncatedBody => {
                let ending = if fault == Fault::TruncatedBody { Ending::Close } else { Ending::Reset };
                let answer = self.honest(true).because(verdict);
                line.cut_body(answer.body.len() / 2, ending);
                Ok(self.send(answer))
            }
            other => Ok(self.send(self.falsify(&other).because(verdict))),
        }
    }

    /// A whole answer, but a wrong one.
    fn falsify(&self, fault: &Fault) -> Answer {
        match fault {
            Fault::Answer { status, headers, content_type, body } => {
                let mut headers = headers.clone();
                headers.extend(content_type.iter().map(|kind| ("content-type".to_owned(), kind.clone())));
                Answer { status: *status, headers, body: body.clone().into_bytes(), verdict: String::new() }
            }
            Fault::Redirect { status, location } => Answer::html(*status, "").header("location", location),
            Fault::HtmlPage { status } => Answer::html(
                *status,
                "<!doctype html><html><body><h1>Service indisponible</h1></body></html>",
            ),
            Fault::AnswerHeaders { headers } => {
                let mut answer = self.honest(true);
                for (name, value) in headers {
                    answer.headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
                    answer.headers.extend(value.iter().map(|value| (name.clone(), value.clone())));
                }
                answer
            }
            Fault::BadDigest | Fault::BadSignature => self.falsify_seal(fault),
            _ => {
                let mut answer = self.honest(false);
                match fault {
                    Fault::OtherRequestId => {
                        answer.set_header("x-request-id", uuid::Uuid::new_v4().to_string())
                    }
                    Fault::AnswerPatch { patch, set } => {
                        answer.body = patched(&answer.body, patch.as_ref(), set);
                    }
                    Fault::DuplicateMembers => answer.body = doubled(&answer.body),
                    Fault::InvalidUtf8 => answer.body = not_utf8(&answer.body),
                    _ => {}
                }
                self.complete(&mut answer);
                answer
            }
        }
    }

    fn falsify_seal(&self, fault: &Fault) -> Answer {
        let mut answer = self.honest(true);
        if *fault == Fault::BadDigest {
            answer.set_header("digest", crate::signature::digest_header(&answer.body));
            // A blank more: the same JSON, another hash.
            answer.body.push(b' ');
        } else {
            let signature = answer.headers.iter().find(|(name, _)| name == "signature");
            let value = signature.map(|(_, value)| value.clone()).unwrap_or_default();
            answer.set_header("signature", spoiled_signature(&value));
        }
        answer
    }
}

/// The same header with the first character of the signature itself changed.
fn spoiled_signature(header: &str) -> String {
    match header.split_once("signature=\"") {
        Some((before, value)) => {
            let first = if value.starts_with('A') { 'B' } else { 'A' };
            format!("{before}signature=\"{first}{}", value.get(1..).unwrap_or_default())
        }
        None => "keyId=\"https://localhost/none\",signature=\"AAAA\"".to_owned(),
    }
}

fn patched(body: &[u8], patch: Option<&Value>, set: &std::collections::BTreeMap<String, Value>) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    if let Some(patch) = patch {
        merge::merge(&mut value, patch);
    }
    for (pointer, replacement) in set {
        merge::set(&mut value, pointer, replacement);
    }
    value.to_string().into_bytes()
}

/// An object whose members come twice, first with other values.
fn doubled(body: &[u8]) -> Vec<u8> {
    let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    let mut out = b"{".to_vec();
    for (name, value) in members {
        let other = match value {
            Value::Bool(yes) => Value::Bool(!yes),
            Value::String(_) => Value::from("another"),
            Value::Number(_) => Value::from(1),
            _ => Value::Object(serde_json::Map::new()),
        };
        out.extend_from_slice(format!("{}:{other},", Value::String(name)).as_bytes());
    }
    let start = body.iter().position(|byte| *byte == b'{').map_or(0, |at| at + 1);
    out.extend_from_slice(&body[start..]);
    out
}

/// A lone continuation byte inside the first text.
fn not_utf8(body: &[u8]) -> Vec<u8> {
    let mut out = body.to_vec();
    let at = body.windows(2).position(|two| two == b":\"").map_or(out.len(), |at| at + 2);
    out.insert(at, 0xff);
    out
}

fn respond(status: u16, headers: &[(String, String)], body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_keep_case_and_order() {
        let raw =
            b"POST /x HTTP/1.1\r\nHost: a\r\nX-Request-ID:  1 \r\nsignature: k=\"a: b\"\r\n\r\n{\"a\":1}";
        let headers = raw_headers(raw);
        assert_eq!(headers[1], (b"X-Request-ID".to_vec(), b"1".to_vec()));
        assert_eq!(headers[2], (b"signature".to_vec(), b"k=\"a: b\"".to_vec()));
        assert_eq!(headers.len(), 3);
    }

    #[test]
    fn doubled_members_differ() {
        let text = String::from_utf8(doubled(br#"{"result":true,"id":"x"}"#)).unwrap();
        assert_eq!(text, r#"{"id":"another","result":false,"result":true,"id":"x"}"#);
    }
}
