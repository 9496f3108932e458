//! The limits of the call that runs on this thread: its deadline and its cancel token.
//!
//! ureq hands its transports no context of the call, and a per-call configuration would be rebuilt for every
//! request. Since a call runs on one thread from start to end, a thread-local carries it.

use std::cell::RefCell;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::TransportContext;
use super::connector::Begun;
use crate::cancel::Interrupt;
use crate::{CancelToken, Error, ErrorCode, RequestSent, Result};

struct Scope {
    deadline: Instant,
    connect_deadline: Option<Instant>,
    cancel: Option<CancelToken>,
    interruptible: Vec<Weak<dyn Interrupt>>,
    request_sent: RequestSent,
    begun: Option<Box<Begun>>,
}

thread_local! {
    static SCOPE: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// Ends the scope, also when a panic unwinds.
struct Leave(Option<Scope>);

impl Drop for Leave {
    fn drop(&mut self) {
        let ended = SCOPE.replace(self.0.take());
        if let Some(Scope { cancel: Some(cancel), interruptible, .. }) = ended {
            for socket in &interruptible {
                cancel.unregister(socket);
            }
        }
    }
}

/// Runs `work` under the limits of `context`, and tells how far the request got.
pub(super) fn run<T>(context: &TransportContext, work: impl FnOnce() -> T) -> (T, RequestSent) {
    let scope = Scope {
        deadline: context.deadline,
        connect_deadline: None,
        cancel: context.cancel.clone(),
        interruptible: Vec::new(),
        request_sent: RequestSent::No,
        begun: context.begun.lock().unwrap_or_else(PoisonError::into_inner).take(),
    };
    let _leave = Leave(SCOPE.replace(Some(scope)));
    let outcome = work();
    let sent =
        SCOPE.with_borrow(|scope| scope.as_ref().map_or(RequestSent::Unknown, |scope| scope.request_sent));
    (outcome, sent)
}

/// The connection that was begun for this call; it is given once.
pub(super) fn take_begun() -> Option<Box<Begun>> {
    SCOPE.with_borrow_mut(|scope| scope.as_mut()?.begun.take())
}

/// Narrows the limit to `deadline` while a connection is made.
pub(super) fn connecting<T>(deadline: Instant, work: impl FnOnce() -> T) -> T {
    limit_connecting(Some(deadline));
    let outcome = work();
    limit_connecting(None);
    outcome
}

/// Narrows the limit until it is lifted with none; it ends with the call at the latest.
pub(super) fn limit_connecting(deadline: Option<Instant>) {
    SCOPE.with_borrow_mut(|scope| {
        if let Some(scope) = scope {
            scope.connect_deadline = deadline;
        }
    });
}

/// How much time is left for the next blocking step.
pub(super) fn remaining() -> Result<Duration> {
    SCOPE.with_borrow(|scope| {
        let Some(scope) = scope else { return Ok(Duration::MAX) };
        if scope.cancel.as_ref().is_some_and(CancelToken::is_cancelled) {
            return Err(Error::new(ErrorCode::Cancelled, "The call was cancelled before its answer came."));
        }
        let now = Instant::now();
        let total = scope.deadline.saturating_duration_since(now);
        let connect = scope.connect_deadline.map(|deadline| deadline.saturating_duration_since(now));
        match connect {
            _ if total.is_zero() => Err(Error::new(
                ErrorCode::TotalTimeout,
                "The bank did not answer within the time allowed for the call; this is not a \"no\": try again or decide without the bank.",
            )),
            Some(left) if left.is_zero() => Err(Error::new(
                ErrorCode::ConnectTimeout,
                "The connection to the bank was not made within the connect timeout; try again.",
            )),
            Some(left) => Ok(left.min(total)),
            None => Ok(total),
        }
    })
}

/// Whether the call was cancelled: asked after a read or write ended, since cancelling ends it.
pub(super) fn check_cancelled() -> io::Result<()> {
    let cancelled = SCOPE.with_borrow(|scope| {
        scope.as_ref().and_then(|scope| scope.cancel.as_ref()).is_some_and(CancelToken::is_cancelled)
    });
    if cancelled { remaining().map(drop).map_err(into_io) } else { Ok(()) }
}

/// Lets the call's cancel token interrupt this socket, until the call ends.
pub(super) fn interruptible(stream: &Arc<TcpStream>) {
    SCOPE.with_borrow_mut(|scope| {
        let Some(Scope { cancel: Some(cancel), interruptible, .. }) = scope else { return };
        let socket: Weak<dyn Interrupt> = Arc::<TcpStream>::downgrade(stream);
        if !interruptible.iter().any(|known| known.ptr_eq(&socket)) {
            cancel.register(socket.clone());
            interruptible.push(socket);
        }
    });
}

impl Interrupt for TcpStream {
    fn interrupt(&self) {
        // An error means that the socket is closed already.
        let _ = self.shutdown(Shutdown::Both);
    }
}

/// Notes that bytes of the request left, or that its answer began.
pub(super) fn note(sent: RequestSent) {
    SCOPE.with_borrow_mut(|scope| {
        if let Some(scope) = scope {
            scope.request_sent = sent;
        }
    });
}

/// Carries our error through an API that knows `io::Error` only.
pub(super) fn into_io(error: Error) -> io::Error {
    io::Error::other(error)
}
