//! The limits of one call: its deadline and its cancel token; and how far its request got.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::TransportContext;
use crate::cancel::Interrupt;
use crate::{CancelToken, Error, ErrorCode, RequestSent, Result, lookout};

/// What a call may do, on the one thread that it runs on.
pub(super) struct Scope<'a> {
    deadline: Instant,
    connect_deadline: Cell<Option<Instant>>,
    cancel: Option<&'a CancelToken>,
    interruptible: RefCell<Vec<Weak<dyn Interrupt>>>,
    request_sent: Cell<RequestSent>,
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        if let Some(cancel) = self.cancel {
            for socket in self.interruptible.get_mut() {
                cancel.unregister(socket);
            }
        }
    }
}

impl<'a> Scope<'a> {
    pub(super) fn new(context: &'a TransportContext) -> Self {
        Self {
            deadline: context.deadline,
            connect_deadline: Cell::default(),
            cancel: context.cancel.as_ref(),
            interruptible: RefCell::default(),
            request_sent: Cell::new(RequestSent::No),
        }
    }

    /// Narrows the limit to `deadline` while a connection is made.
    pub(super) fn connecting<T>(&self, deadline: Instant, work: impl FnOnce() -> T) -> T {
        self.connect_deadline.set(Some(deadline));
        let outcome = work();
        self.connect_deadline.set(None);
        outcome
    }

    /// How much time is left for the next blocking step.
    pub(super) fn remaining(&self) -> Result<Duration> {
        self.check_cancelled()?;
        let now = Instant::now();
        let total = self.deadline.saturating_duration_since(now);
        let connect = self.connect_deadline.get().map(|deadline| deadline.saturating_duration_since(now));
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
    }

    /// Waits for what another thread sends; none when it ended without.
    pub(super) fn receive<T>(&self, receiver: &Receiver<T>) -> Result<Option<T>> {
        loop {
            match receiver.recv_timeout(lookout::share(self.remaining()?)) {
                Ok(value) => return Ok(Some(value)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => lookout::look(),
            }
        }
    }

    /// An error when the call was cancelled: asked also after a read or write ended, since cancelling ends it.
    pub(super) fn check_cancelled(&self) -> Result<()> {
        if self.cancel.is_some_and(CancelToken::is_cancelled) {
            return Err(Error::new(ErrorCode::Cancelled, "The call was cancelled before its answer came."));
        }
        Ok(())
    }

    /// Lets the call's cancel token interrupt this socket, until the call ends.
    pub(super) fn interruptible(&self, stream: &Arc<TcpStream>) {
        let Some(cancel) = self.cancel else { return };
        let socket: Weak<dyn Interrupt> = Arc::<TcpStream>::downgrade(stream);
        let mut interruptible = self.interruptible.borrow_mut();
        if !interruptible.iter().any(|known| known.ptr_eq(&socket)) {
            cancel.register(socket.clone());
            interruptible.push(socket);
        }
    }

    /// Notes that bytes of the request left, or that its answer began.
    pub(super) fn note(&self, sent: RequestSent) {
        self.request_sent.set(sent);
    }

    /// How far the request got.
    pub(super) fn request_sent(&self) -> RequestSent {
        self.request_sent.get()
    }
}

impl Interrupt for TcpStream {
    fn interrupt(&self) {
        // An error means that the socket is closed already.
        let _ = self.shutdown(Shutdown::Both);
    }
}

/// Carries our error through an API that knows `io::Error` only.
pub(super) fn into_io(error: Error) -> io::Error {
    io::Error::other(error)
}

/// What a failed read or write is: an error of ours that travelled in it, or the end of the connection.
pub(super) fn out_of_io(error: io::Error) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(ours) => return ours,
        Err(error) => error,
    };
    let message =
        format!("The connection to the bank broke before the whole answer had come ({}).", error.kind());
    Error::new(ErrorCode::Disconnected, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_travel_as_io_errors_stay_what_they_are() {
        let ours = Error::new(ErrorCode::TlsHostName, "x").with_request_sent(RequestSent::No);
        assert_eq!(out_of_io(into_io(ours)).code(), ErrorCode::TlsHostName);
        assert_eq!(out_of_io(io::ErrorKind::UnexpectedEof.into()).code(), ErrorCode::Disconnected);
    }
}
