//! One request and its answer on a connection, in the words of HTTP/1.1 (RFC 9112).

use ::http::Uri;
use httparse::{EMPTY_HEADER, Status};
use zeroize::Zeroizing;

use super::answer_head::{AnswerHead, BodyEnd};
use super::connection::TlsConnection;
use super::scope::{Scope, out_of_io};
use super::transport::{HttpRequest, HttpResponse};
use super::{BODY_LIMIT, malformed, too_large};
use crate::Result;

/// How the library names itself to banks and proxies.
pub(super) const NAME: &str = concat!("cbpii/", env!("CARGO_PKG_VERSION"));

/// Sends the request and reads the whole answer. Tells whether the connection can serve another call.
pub(super) fn exchange(
    connection: &mut TlsConnection,
    request: &HttpRequest,
    scope: &Scope<'_>,
) -> Result<(HttpResponse, bool)> {
    connection.send(&written(request), scope).map_err(out_of_io)?;
    let head = loop {
        let head = receive_parsed(connection, scope, AnswerHead::read)?;
        if !head.is_interim() {
            break head;
        }
    };
    let end = head.body_end()?;
    let body = receive_body(connection, end, scope)?;
    let reusable = end != BodyEnd::Connection && head.keeps_connection() && connection.received().is_empty();
    Ok((HttpResponse { status: head.status, headers: head.headers, body }, reusable))
}

/// The request as it travels.
fn written(request: &HttpRequest) -> Zeroizing<Vec<u8>> {
    /// The first line and the headers that are added, without address and host.
    const ADDED: usize = 256;
    let target = request.uri.path_and_query().map_or("/", |target| target.as_str());
    let host = host(&request.uri);
    let lines = request.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    let length = ADDED + target.len() + host.len() + lines.sum::<usize>() + request.body.len();
    // What it holds is cleared when it is dropped, so it must not move while it grows.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    for part in ["POST ", target, " HTTP/1.1\r\naccept-encoding: identity\r\ncontent-length: "] {
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes.extend_from_slice(request.body.len().to_string().as_bytes());
    for part in ["\r\nuser-agent: ", NAME, "\r\nhost: ", host, "\r\n"] {
        bytes.extend_from_slice(part.as_bytes());
    }
    for (name, value) in &request.headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    debug_assert!(bytes.len() <= length);
    bytes
}

/// Host and port, as the header `Host` has them.
fn host(uri: &Uri) -> &str {
    uri.authority().map_or("", |authority| authority.as_str())
}

/// What `parse` finds at the beginning of what is received, waiting for more while that is not complete.
fn receive_parsed<T>(
    connection: &mut TlsConnection,
    scope: &Scope<'_>,
    parse: impl Fn(&[u8]) -> Result<Option<(usize, T)>>,
) -> Result<T> {
    loop {
        if let Some((length, parsed)) = parse(connection.received())? {
            connection.take(length);
            return Ok(parsed);
        }
        receive_more(connection, scope)?;
    }
}

/// Waits for more of an answer that is not complete.
fn receive_more(connection: &mut TlsConnection, scope: &Scope<'_>) -> Result<()> {
    if connection.receive(scope).map_err(out_of_io)? {
        return Ok(());
    }
    Err(out_of_io(std::io::ErrorKind::UnexpectedEof.into()))
}

type Body = Zeroizing<Vec<u8>>;

fn receive_body(connection: &mut TlsConnection, end: BodyEnd, scope: &Scope<'_>) -> Result<Body> {
    let mut body = Body::default();
    match end {
        BodyEnd::Length(length) => receive_part(connection, length, &mut body, scope)?,
        BodyEnd::LastChunk => receive_chunks(connection, &mut body, scope)?,
        BodyEnd::Connection => loop {
            append(&mut body, connection.received())?;
            connection.take(connection.received().len());
            if !connection.receive(scope).map_err(out_of_io)? {
                break;
            }
        },
    }
    Ok(body)
}

/// The next `length` bytes.
fn receive_part(
    connection: &mut TlsConnection,
    length: usize,
    body: &mut Body,
    scope: &Scope<'_>,
) -> Result<()> {
    let mut missing = length;
    while missing > 0 {
        if connection.received().is_empty() {
            receive_more(connection, scope)?;
        }
        let received = connection.received();
        let part = &received[..received.len().min(missing)];
        append(body, part)?;
        missing -= part.len();
        connection.take(part.len());
    }
    Ok(())
}

/// A body in chunks (RFC 9112 §7.1); what follows the last one is not looked at.
fn receive_chunks(connection: &mut TlsConnection, body: &mut Body, scope: &Scope<'_>) -> Result<()> {
    loop {
        match receive_parsed(connection, scope, chunk_size)? {
            0 => return receive_parsed(connection, scope, trailers),
            size if size > BODY_LIMIT => return Err(too_large()),
            size => receive_part(connection, size, body, scope)?,
        }
        receive_parsed(connection, scope, line_end)?;
    }
}

/// How much of what was received belongs to what a parser of `httparse` found, and what that is.
fn found<T>(parsed: httparse::Result<(usize, T)>) -> Result<Option<(usize, T)>> {
    match parsed {
        Ok(Status::Complete(complete)) => Ok(Some(complete)),
        Ok(Status::Partial) => Ok(None),
        Err(_) => Err(malformed()),
    }
}

fn chunk_size(received: &[u8]) -> Result<Option<(usize, usize)>> {
    let parsed = httparse::parse_chunk_size(received).map_err(|_| httparse::Error::Token);
    let size = |(length, size)| Ok((length, usize::try_from(size).map_err(|_| too_large())?));
    found(parsed)?.map(size).transpose()
}

fn trailers(received: &[u8]) -> Result<Option<(usize, ())>> {
    const MOST: usize = 32;
    let mut room = [EMPTY_HEADER; MOST];
    let parsed = httparse::parse_headers(received, &mut room);
    Ok(found(parsed)?.map(|(length, _)| (length, ())))
}

fn line_end(received: &[u8]) -> Result<Option<(usize, ())>> {
    const LINE_END: &[u8] = b"\r\n";
    match received.get(..LINE_END.len()) {
        Some(LINE_END) => Ok(Some((LINE_END.len(), ()))),
        None if LINE_END.starts_with(received) => Ok(None),
        _ => Err(malformed()),
    }
}

/// Adds a part of a body. When what is there must move, nothing of it stays behind: it may hold tokens.
fn append(body: &mut Body, part: &[u8]) -> Result<()> {
    let length = body.len() + part.len();
    if length > BODY_LIMIT {
        return Err(too_large());
    }
    if length > body.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(part);
    Ok(())
}
