//! Transports, clocks and listeners written in Python.

use std::time::Instant;

use cbpii::http::{HttpRequest, HttpResponse, Transport, TransportContext};
use cbpii::{Clock, ErrorCode, Event, RequestSent, SystemClock, Timestamp};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMapping, PyTuple};

use crate::client::CancelToken;
use crate::convert::{enum_member, imported, timestamp};
use crate::error::{callback_failed, ending};
use crate::gate;

/// A transport that is a callable.
pub(crate) struct PyTransport(pub(crate) Py<PyAny>);

impl Transport for PyTransport {
    fn exchange(&self, request: &HttpRequest, context: &TransportContext) -> cbpii::Result<HttpResponse> {
        let answer = gate::attach(|py| {
            let answer = http_request(py, request, context)
                .and_then(|request| self.0.bind(py).call1((request,)))
                .and_then(|answer| parts(&answer));
            answer.map_err(|raised| {
                callback_failed(py, raised, ErrorCode::TransportFailed, RequestSent::Unknown, "transport")
            })
        });
        let answer = answer.unwrap_or_else(|| Err(ending()))?;
        let Answer { status, headers, body } = answer;
        HttpResponse::new(status, headers, body).map_err(|error| error.with_request_sent(RequestSent::Yes))
    }
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn http_request<'py>(
    py: Python<'py>,
    request: &HttpRequest,
    context: &TransportContext,
) -> PyResult<Bound<'py, PyAny>> {
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let headers: Vec<_> = headers.collect();
    imported!(py, "cbpii._results", "HttpRequest")?.call1((
        request.method(),
        request.uri().to_string(),
        PyTuple::new(py, headers)?,
        PyBytes::new(py, request.body()),
        context.deadline.saturating_duration_since(Instant::now()).as_secs_f64(),
        request.wants_fresh_connection(),
        context.cancel.clone().map(|token| Bound::new(py, CancelToken(token))).transpose()?,
    ))
}

fn parts(answer: &Bound<'_, PyAny>) -> PyResult<Answer> {
    let headers = answer.getattr("headers")?;
    let pairs = match headers.cast::<PyMapping>() {
        Ok(mapping) => mapping.items()?.into_any(),
        Err(_) => headers,
    };
    Ok(Answer {
        status: answer.getattr("status")?.extract()?,
        headers: pairs.try_iter()?.map(|pair| pair?.extract()).collect::<PyResult<_>>()?,
        body: answer.getattr("body")?.cast::<PyBytes>()?.as_bytes().to_vec(),
    })
}

/// A clock that is a callable. One that fails is reported to `sys.unraisablehook`, and the machine's is taken.
pub(crate) struct PyClock(pub(crate) Py<PyAny>);

impl Clock for PyClock {
    fn now(&self) -> Timestamp {
        let now = gate::attach(|py| {
            let clock = self.0.bind(py);
            match clock.call0().and_then(|moment| timestamp(&moment, "of the clock")) {
                Ok(now) => Some(now),
                Err(raised) => {
                    raised.write_unraisable(py, Some(clock));
                    None
                }
            }
        });
        now.flatten().unwrap_or_else(|| SystemClock.now())
    }
}

/// Tells a callable of an event. What it raises is reported to `sys.unraisablehook`: the call goes on.
pub(crate) fn tell(listener: &Py<PyAny>, event: &Event<'_>) {
    gate::attach(|py| {
        let listener = listener.bind(py);
        if let Err(raised) = event_of(py, event).and_then(|event| listener.call1((event,))) {
            raised.write_unraisable(py, Some(listener));
        }
    });
}

fn event_of<'py>(py: Python<'py>, event: &Event<'_>) -> PyResult<Bound<'py, PyAny>> {
    imported!(py, "cbpii._results", "Event")?.call1((
        enum_member(py, "Operation", event.operation.as_str())?,
        event.bank_id,
        event.request_id,
        event.attempt,
        event.duration,
        event.http_status,
        event.error.map(ErrorCode::as_str),
    ))
}
