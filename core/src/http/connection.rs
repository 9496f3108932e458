//! One connection to the bank: TLS over TCP, or through the tunnel of a proxy.

use std::io::{self, IoSlice, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConnection, ProtocolVersion};
use zeroize::Zeroizing;

use super::scope::{self, Scope};
use super::tls;
use crate::{RequestSent, lookout};

/// A TCP socket.
pub(super) struct Socket {
    stream: Arc<TcpStream>,
    read_armed: Option<Duration>,
    write_armed: Option<Duration>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        let stream = Arc::new(stream);
        Self { stream, read_armed: None, write_armed: None }
    }

    /// The socket under the limits of a call.
    pub(super) fn during<'a>(&'a mut self, scope: &'a Scope<'a>) -> Wire<'a> {
        Wire { socket: self, scope }
    }

    /// Reads without waiting; `WouldBlock` when there is nothing to read, not even the end of the connection.
    fn read_ready(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_nonblocking(true)?;
        let outcome = (&*self.stream).read(buffer);
        self.stream.set_nonblocking(false)?;
        outcome
    }
}

/// The socket timeout to set, if any: three quarters of what is left, so that the calls that follow on the
/// same connection find it still fitting. Waking early costs one more turn of the loop.
fn rearm(armed: Option<Duration>, remaining: Duration) -> Option<Duration> {
    const SHORTEST: Duration = Duration::from_millis(1);
    match armed {
        Some(armed) if armed <= remaining && armed >= remaining / 4 => None,
        _ => Some((remaining / 4 * 3).max(SHORTEST)),
    }
}

fn wakes_early(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// A socket that keeps the deadline of a call.
pub(super) struct Wire<'a> {
    socket: &'a mut Socket,
    scope: &'a Scope<'a>,
}

/// Reads or writes until something came of it or the time of the call is up.
fn patiently(
    stream: &Arc<TcpStream>,
    scope: &Scope<'_>,
    armed: &mut Option<Duration>,
    arm: impl Fn(&TcpStream, Option<Duration>) -> io::Result<()>,
    mut attempt: impl FnMut(&TcpStream) -> io::Result<usize>,
) -> io::Result<usize> {
    scope.interruptible(stream);
    loop {
        let remaining = scope.remaining().map_err(scope::into_io)?;
        if let Some(timeout) = rearm(*armed, lookout::share(remaining)) {
            arm(stream, Some(timeout))?;
            *armed = Some(timeout);
        }
        match attempt(stream) {
            Err(error) if wakes_early(&error) => lookout::look(),
            outcome => {
                scope.check_cancelled().map_err(scope::into_io)?;
                return outcome;
            }
        }
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Socket { stream, read_armed, .. } = &mut *self.socket;
        patiently(stream, self.scope, read_armed, TcpStream::set_read_timeout, |mut stream| {
            stream.read(buffer)
        })
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let Socket { stream, write_armed, .. } = &mut *self.socket;
        patiently(stream, self.scope, write_armed, TcpStream::set_write_timeout, |mut stream| {
            stream.write_vectored(parts)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What was received and not taken yet, 16 KiB at most: enough for the head of any answer of this protocol, small enough
/// for hundreds of connections. It may hold tokens, so it is overwritten when dropped.
struct Received {
    bytes: Zeroizing<Vec<u8>>,
    taken: usize,
    filled: usize,
}

impl Received {
    const ROOM: usize = 16 * 1024;

    fn new() -> Self {
        Self { bytes: Zeroizing::new(vec![0; Self::ROOM]), taken: 0, filled: 0 }
    }

    /// Where to read to. Without room a read would give nothing, which looks as if the connection had ended.
    fn room(&mut self) -> io::Result<&mut [u8]> {
        self.bytes.copy_within(self.taken..self.filled, 0);
        self.filled -= self.taken;
        self.taken = 0;
        if self.filled == self.bytes.len() {
            return Err(scope::into_io(super::too_large()));
        }
        Ok(&mut self.bytes[self.filled..])
    }
}

/// A TLS connection to the bank.
pub(super) struct TlsConnection {
    tls: ClientConnection,
    socket: Socket,
    received: Received,
    client_certificate: bool,
}

impl TlsConnection {
    /// Sends the first message of the handshake.
    pub(super) fn begin(
        tls: ClientConnection,
        socket: Socket,
        client_certificate: bool,
        scope: &Scope<'_>,
    ) -> io::Result<Self> {
        let mut this = Self { tls, socket, received: Received::new(), client_certificate };
        this.push(scope)?;
        Ok(this)
    }

    /// Does the rest of the handshake. Its last message leaves with the request, in one packet.
    pub(super) fn complete(&mut self, scope: &Scope<'_>) -> io::Result<()> {
        while self.tls.is_handshaking() {
            self.push(scope)?;
            self.pull(scope)?;
        }
        Ok(())
    }

    pub(super) fn resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
    }

    /// Waits for what a TLS 1.3 bank sends after the handshake: session tickets, which the first call need not
    /// take in then, or the alert by which it refuses our certificate only now.
    pub(super) fn settle(&mut self, scope: &Scope<'_>) -> io::Result<()> {
        self.push(scope)?;
        let is_over = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let expects_tickets = self.tls.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        while expects_tickets && self.tls.tls13_tickets_received() == 0 {
            if self.pull(scope)? == 0 {
                return Err(is_over());
            }
        }
        if self.is_open() { Ok(()) } else { Err(is_over()) }
    }

    /// Sends a whole request: as far as it fits in one record, head and body leave together, in one packet.
    pub(super) fn send(&mut self, request: &[u8], scope: &Scope<'_>) -> io::Result<()> {
        const RECORD: usize = 16 * 1024;
        for part in request.chunks(RECORD) {
            self.tls.writer().write_all(part)?;
            scope.note(RequestSent::Unknown);
            self.push(scope)?;
        }
        Ok(())
    }

    /// What was received and not taken yet.
    pub(super) fn received(&self) -> &[u8] {
        &self.received.bytes[self.received.taken..self.received.filled]
    }

    /// Takes so much of what was received.
    pub(super) fn take(&mut self, amount: usize) {
        self.received.taken += amount;
    }

    /// Waits for more of the answer; false when the bank ended the connection.
    pub(super) fn receive(&mut self, scope: &Scope<'_>) -> io::Result<bool> {
        loop {
            match self.tls.reader().read(self.received.room()?) {
                Ok(amount) => {
                    self.received.filled += amount;
                    if amount > 0 {
                        scope.note(RequestSent::Yes);
                    }
                    return Ok(amount > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.pull(scope)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes what TLS has to write. A bank that refuses our certificate may have closed its side with the
    /// alert still unread in our socket: then the alert is the error, not the broken pipe.
    fn push(&mut self, scope: &Scope<'_>) -> io::Result<()> {
        while self.tls.wants_write() {
            if let Err(broken) = self.tls.write_tls(&mut self.socket.during(scope)) {
                if carries_our_error(&broken) {
                    return Err(broken);
                }
                while self.pull(scope).is_ok_and(|amount| amount > 0) {}
                return match self.tls.process_new_packets() {
                    Err(alert) => Err(self.classified(&alert)),
                    Ok(_) => Err(broken),
                };
            }
        }
        Ok(())
    }

    /// Waits for bytes from the bank and decrypts them; zero when the bank closed its side.
    fn pull(&mut self, scope: &Scope<'_>) -> io::Result<usize> {
        let amount = self.tls.read_tls(&mut self.socket.during(scope))?;
        if let Err(error) = self.tls.process_new_packets() {
            let error = self.classified(&error);
            // Tells the bank why, as far as it still listens.
            let _ = self.tls.write_tls(&mut self.socket.during(scope));
            return Err(error);
        }
        if amount == 0 && self.tls.is_handshaking() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(amount)
    }

    fn classified(&self, error: &rustls::Error) -> io::Error {
        scope::into_io(tls::classify(error, self.client_certificate))
    }

    /// Whether a connection that no call uses could serve one. Takes in what the bank sent unasked, such as session
    /// tickets; anything of an answer means that the connection is out of step.
    pub(super) fn is_open(&mut self) -> bool {
        let mut records = [0; 4096];
        loop {
            // What came with the last answer may have been more than that, or the bank's goodbye.
            if !self.tls.process_new_packets().is_ok_and(|state| is_at_rest(&state)) {
                return false;
            }
            match self.socket.read_ready(&mut records) {
                Ok(0) => return false,
                Ok(amount) => {
                    let mut unread = &records[..amount];
                    while !unread.is_empty() {
                        if !self.tls.read_tls(&mut unread).is_ok_and(|taken| taken > 0) {
                            return false;
                        }
                    }
                }
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }
}

fn is_at_rest(state: &rustls::IoState) -> bool {
    state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed()
}

fn carries_our_error(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<crate::Error>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_timeout_is_set_again_only_when_it_no_longer_fits() {
        let ten = Duration::from_secs(10);
        let armed = rearm(None, ten).unwrap();
        assert!(armed < ten);
        assert_eq!(rearm(Some(armed), ten), None, "the next call with the same budget");
        assert_eq!(rearm(Some(armed), Duration::from_millis(9_990)), None, "later in the call");
        assert!(rearm(Some(armed), Duration::from_millis(300)).unwrap() < Duration::from_millis(300));
        assert!(
            rearm(Some(Duration::from_millis(200)), ten).is_some(),
            "a short one is not kept for a long call"
        );
        assert_eq!(rearm(None, Duration::from_nanos(1)), Some(Duration::from_millis(1)));
    }

    #[test]
    fn what_was_received_is_kept_until_it_is_taken() {
        let mut received = Received::new();
        received.room().unwrap()[..3].copy_from_slice(b"abc");
        received.filled += 3;
        received.taken += 1;
        assert_eq!(received.room().unwrap().len(), Received::ROOM - 2);
        assert_eq!(&received.bytes[received.taken..received.filled], b"bc");
        received.filled = Received::ROOM;
        assert!(received.room().is_err());
    }
}
