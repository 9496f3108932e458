//! One request and its answer on a connection, in the words of HTTP/1.1.

use ::http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, USER_AGENT};
use ::http::{HeaderMap, HeaderValue, Method, Request, Response};
use ureq_proto::client::state::{Cleanup, RecvBody, RecvResponse};
use ureq_proto::client::{Call, RecvBodyResult, RecvResponseResult, SendRequestResult};
use ureq_proto::{BodyMode, Error as ProtocolError};
use zeroize::Zeroizing;

use super::connection::TlsConnection;
use super::scope::{Scope, out_of_io};
use super::transport::{HttpRequest, HttpResponse};
use super::{BODY_LIMIT, too_large};
use crate::{Error, ErrorCode, Result};

/// How the library names itself to banks and proxies.
pub(super) const NAME: &str = concat!("cbpii/", env!("CARGO_PKG_VERSION"));

/// Sends the request and reads the whole answer. Tells whether the connection can serve another call.
pub(super) fn exchange(
    connection: &mut TlsConnection,
    request: &HttpRequest,
    scope: &Scope<'_>,
) -> Result<(HttpResponse, bool)> {
    let call = send(connection, request, scope)?;
    let (head, next) = receive_head(connection, call, scope)?;
    let (head, ()) = head.into_parts();
    let (body, ended) = match next {
        RecvResponseResult::RecvBody(call) => receive_body(connection, call, &head.headers, scope)?,
        RecvResponseResult::Redirect(call) => (Zeroizing::default(), Some(call.proceed())),
        RecvResponseResult::Cleanup(call) => (Zeroizing::default(), Some(call)),
    };
    let reusable =
        ended.is_some_and(|call| !call.must_close_connection()) && connection.received().is_empty();
    Ok((HttpResponse { status: head.status.as_u16(), headers: head.headers, body }, reusable))
}

/// What the protocol engine says of an answer that is none.
fn malformed(_: ProtocolError) -> Error {
    Error::new(ErrorCode::MalformedHttp, "What came from the bank's address is not a valid HTTP answer.")
}

/// What it says of a request is our mistake: requests are checked when they are made.
fn unexpected(error: impl std::fmt::Display) -> Error {
    let message = format!("The HTTP library failed in an unexpected way ({error}); please report it.");
    Error::new(ErrorCode::Internal, message)
}

fn send(
    connection: &mut TlsConnection,
    request: &HttpRequest,
    scope: &Scope<'_>,
) -> Result<Call<RecvResponse>> {
    let (bytes, call) = write(request).map_err(unexpected)?;
    let call = call.ok_or_else(|| unexpected("the request is not complete"))?;
    connection.send(&bytes, scope).map_err(out_of_io)?;
    Ok(call)
}

type Written = (Zeroizing<Vec<u8>>, Option<Call<RecvResponse>>);

/// The request as it travels, and the call that waits for its answer once everything is written.
fn write(request: &HttpRequest) -> std::result::Result<Written, ProtocolError> {
    let mut outgoing = Request::new(());
    *outgoing.method_mut() = Method::POST;
    *outgoing.uri_mut() = request.uri.clone();
    *outgoing.headers_mut() = request.headers.clone();
    let mut call = Call::new(outgoing)?;
    call.header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))?;
    call.header(CONTENT_LENGTH, request.body.len())?;
    call.header(USER_AGENT, HeaderValue::from_static(NAME))?;
    let mut call = call.proceed();
    let mut bytes = Zeroizing::new(vec![0; length(request)]);
    let head = call.write(&mut bytes)?;
    let (call, body) = match call.proceed()? {
        Some(SendRequestResult::SendBody(mut call)) => {
            let (_, body) = call.write(&request.body, &mut bytes[head..])?;
            (call.proceed(), body)
        }
        Some(SendRequestResult::RecvResponse(call)) => (Some(call), 0),
        Some(SendRequestResult::Await100(_)) | None => (None, 0),
    };
    bytes.truncate(head + body);
    Ok((bytes, call))
}

/// At least the length of the request as it travels.
fn length(request: &HttpRequest) -> usize {
    /// The first line and the headers that are added, without address and host.
    const ADDED: usize = 256;
    let address = request.uri.path().len()
        + request.uri.query().map_or(0, str::len)
        + request.uri.authority().map_or(0, |authority| authority.as_str().len());
    let line = |(name, value): (&::http::HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    ADDED + address + request.headers.iter().map(line).sum::<usize>() + request.body.len()
}

fn receive_head(
    connection: &mut TlsConnection,
    mut call: Call<RecvResponse>,
    scope: &Scope<'_>,
) -> Result<(Response<()>, RecvResponseResult)> {
    loop {
        let (taken, head) = call.try_response(connection.received(), false).map_err(malformed)?;
        connection.take(taken);
        if let Some(head) = head {
            let next = call.proceed().ok_or_else(|| unexpected("the answer has no end"))?;
            return Ok((head, next));
        }
        // Something is taken without an answer when the bank says that one will come.
        if taken == 0 {
            more(connection, scope)?;
        }
    }
}

/// Waits for more of an answer that is not complete.
fn more(connection: &mut TlsConnection, scope: &Scope<'_>) -> Result<()> {
    if connection.receive(scope).map_err(out_of_io)? {
        return Ok(());
    }
    Err(out_of_io(std::io::ErrorKind::UnexpectedEof.into()))
}

type Body = Zeroizing<Vec<u8>>;

/// The body; and the call, unless the connection ended with it.
fn receive_body(
    connection: &mut TlsConnection,
    mut call: Call<RecvBody>,
    headers: &HeaderMap,
    scope: &Scope<'_>,
) -> Result<(Body, Option<Call<Cleanup>>)> {
    let until_the_end = matches!(call.body_mode(), BodyMode::CloseDelimited);
    let mut body = Zeroizing::new(Vec::with_capacity(announced(headers)));
    loop {
        let begin = body.len();
        make_room(&mut body, connection.received().len());
        let (taken, read) = call.read(connection.received(), &mut body[begin..]).map_err(malformed)?;
        connection.take(taken);
        body.truncate(begin + read);
        if body.len() > BODY_LIMIT {
            return Err(too_large());
        }
        if call.can_proceed() && !until_the_end {
            return Ok((body, cleanup(call)));
        }
        let is_waiting = taken == 0 || connection.received().is_empty();
        if is_waiting && !connection.receive(scope).map_err(out_of_io)? {
            break;
        }
    }
    if until_the_end || call.is_ended_chunked() {
        return Ok((body, None));
    }
    Err(out_of_io(std::io::ErrorKind::UnexpectedEof.into()))
}

fn cleanup(call: Call<RecvBody>) -> Option<Call<Cleanup>> {
    Some(match call.proceed()? {
        RecvBodyResult::Cleanup(call) => call,
        RecvBodyResult::Redirect(call) => call.proceed(),
    })
}

/// As many bytes as are announced, within reason.
fn announced(headers: &HeaderMap) -> usize {
    const REASONABLE: usize = 16 * 1024;
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    length.unwrap_or(0).min(REASONABLE)
}

/// Room for more at the end of `body`. When it must move, nothing of it stays behind: it may hold tokens.
fn make_room(body: &mut Body, more: usize) {
    let length = body.len() + more;
    if length > body.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.resize(length, 0);
}
