//! One request and its answer on a connection, in the words of HTTP/1.1 (RFC 9112).

use ::http::Uri;
use zeroize::Zeroizing;

use super::answer_body::receive_body;
use super::answer_head::{AnswerHead, BodyEnd};
use super::connection::TlsConnection;
use super::incoming::{Incoming, receive_parsed};
use super::scope::{Scope, out_of_io};
use super::transport::{HttpRequest, HttpResponse};
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
    receive_answer(&mut Answering { connection, scope })
}

fn receive_answer(incoming: &mut impl Incoming) -> Result<(HttpResponse, bool)> {
    let head = loop {
        let head = receive_parsed(incoming, AnswerHead::read)?;
        if !head.is_interim() {
            break head;
        }
    };
    let end = head.body_end()?;
    let body = receive_body(incoming, end)?;
    let reusable = end != BodyEnd::Connection && head.keeps_connection() && incoming.received().is_empty();
    Ok((HttpResponse { status: head.status, headers: head.headers, body }, reusable))
}

/// What the built-in transport makes of an answer that comes in pieces of these lengths, and whether it would send another
/// request on its connection.
///
/// # Errors
/// As [`Transport::exchange`](super::Transport::exchange).
#[cfg(fuzzing)]
#[doc(hidden)]
pub fn read_answer(answer: &[u8], lengths: &[usize]) -> Result<(HttpResponse, bool)> {
    receive_answer(&mut super::pieces::Pieces::new(answer, lengths))
}

/// A connection that an answer comes from, within the limits of its call.
struct Answering<'a> {
    connection: &'a mut TlsConnection,
    scope: &'a Scope<'a>,
}

impl Incoming for Answering<'_> {
    fn received(&self) -> &[u8] {
        self.connection.received()
    }

    fn take(&mut self, length: usize) {
        self.connection.take(length);
    }

    fn receive(&mut self) -> Result<bool> {
        self.connection.receive(self.scope).map_err(out_of_io)
    }
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
