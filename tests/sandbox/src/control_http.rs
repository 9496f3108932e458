//! The control endpoint: the same handle over plain HTTP, for tests in any language.

use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::control::Control;
use crate::error::SandboxError;
use crate::form::Parameters;

/// How long a request may wait for others to arrive, unless it says so.
const DEFAULT_WAIT: u64 = 5_000;

/// Serves the control endpoint for as long as the bank is open.
pub(crate) async fn listen(control: Control, listener: TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let control = control.clone();
        let service = service_fn(move |request| handle(control.clone(), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn handle(control: Control, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|collected| collected.to_bytes()).unwrap_or_default();
    let route = parts.uri.path().trim_start_matches("/control").trim_matches('/').to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    // Waiting for requests blocks, which is not for the threads that serve them.
    let done = tokio::task::spawn_blocking(move || act(&control, &parts.method, &route, &query, &body)).await;
    let (status, value) = match done {
        Ok(Ok(value)) => (StatusCode::OK, value),
        Ok(Err(Problem::NotFound)) => (StatusCode::NOT_FOUND, json!({"error": "no such route"})),
        Ok(Err(Problem::Refused(reason))) => (StatusCode::BAD_REQUEST, json!({"error": reason})),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, json!({"error": error.to_string()})),
    };
    let mut response = Response::new(Full::new(Bytes::from(format!("{value}\n"))));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

enum Problem {
    NotFound,
    Refused(String),
}

impl From<SandboxError> for Problem {
    fn from(error: SandboxError) -> Self {
        Self::Refused(error.to_string())
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

fn act(control: &Control, method: &Method, route: &str, query: &str, body: &[u8]) -> Result<Value, Problem> {
    let done = Ok(json!({"done": true}));
    match (method.as_str(), route) {
        ("GET", "") => Ok(json!({"endpoints": control.bank.endpoints, "issuer": control.bank.kit})),
        ("GET", "settings") => Ok(serde_json::to_value(control.settings())?),
        ("PATCH", "settings") => Ok(serde_json::to_value(control.configure(&read::<Value>(body)?)?)?),
        ("GET", "faults") => Ok(serde_json::to_value(control.faults())?),
        ("POST", "faults") => {
            control.set_fault(read(body)?)?;
            done
        }
        ("DELETE", "faults") => {
            control.clear_faults();
            done
        }
        ("GET", "requests") => requests(control, query),
        ("DELETE", "requests") => {
            control.forget_requests();
            done
        }
        ("GET", "connections") => {
            Ok(json!({"opened": control.connections_opened(), "connections": control.connections()}))
        }
        ("DELETE", "connections") => {
            control.close_connections();
            done
        }
        ("GET", "personas") => Ok(serde_json::to_value(control.personas())?),
        ("POST", "personas") => {
            control.put_persona(read(body)?)?;
            done
        }
        ("POST", "reset") => {
            control.reset()?;
            done
        }
        (_, "clock") => clock(control, method, body),
        (_, "tokens" | "tokens/expire" | "consents/revoke") => grants(control, method, route, body),
        _ => Err(Problem::NotFound),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    Ok(serde_json::from_slice(body)?)
}

/// `{"advance_seconds": n}` or `{"set": seconds since 1970}`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ClockChange {
    AdvanceSeconds(u64),
    Set(u64),
}

fn clock(control: &Control, method: &Method, body: &[u8]) -> Result<Value, Problem> {
    match *method {
        Method::GET => {}
        Method::DELETE => control.reset_clock(),
        Method::POST => match read(body)? {
            ClockChange::AdvanceSeconds(seconds) => control.advance_clock(Duration::from_secs(seconds)),
            ClockChange::Set(seconds) => control.set_clock(UNIX_EPOCH + Duration::from_secs(seconds)),
        },
        _ => return Err(Problem::NotFound),
    }
    Ok(json!({"now": seconds(control.now()), "date": httpdate::fmt_http_date(control.now())}))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    persona: Option<String>,
    scope: Option<String>,
}

fn grants(control: &Control, method: &Method, route: &str, body: &[u8]) -> Result<Value, Problem> {
    if *method != Method::POST {
        return Err(Problem::NotFound);
    }
    let who: Who = if body.is_empty() { Who::default() } else { read(body)? };
    match route {
        "tokens" => {
            let persona = who.persona.as_deref().unwrap_or("CLAIRE");
            return Ok(control.issue_tokens(persona, who.scope.as_deref())?);
        }
        "tokens/expire" => control.expire_access_tokens(),
        _ => control.revoke_consents(who.persona.as_deref()),
    }
    Ok(json!({"done": true}))
}

/// `wait_for=n` waits until n requests have been seen, `timeout_ms` at most; `after=n` leaves out the first n.
fn requests(control: &Control, query: &str) -> Result<Value, Problem> {
    let (parameters, _) = Parameters::parse(query.as_bytes());
    let number = |name: &str| match parameters.get(name) {
        None => Ok(None),
        Some(text) => {
            text.parse::<u64>().map(Some).map_err(|error| Problem::Refused(format!("{name}: {error}")))
        }
    };
    let after = number("after")?.unwrap_or(0);
    let limit = Duration::from_millis(number("timeout_ms")?.unwrap_or(DEFAULT_WAIT));
    if let Some(count) = number("wait_for")? {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        control.wait_for_requests(count, limit);
    }
    let kept: Vec<_> = control.requests().into_iter().filter(|record| record.sequence > after).collect();
    Ok(serde_json::to_value(kept)?)
}
