//! One connection to the bank: TCP, or a tunnel through a proxy, with TLS on top.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConnection, ProtocolVersion};
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport as UreqTransport, TransportAdapter};
use zeroize::Zeroizing;

use super::{scope, tls};
use crate::RequestSent;

/// A TCP socket that keeps the deadline of the call on this thread.
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

    /// Whether there is nothing to read, not even the end of the connection.
    fn is_silent(&self) -> bool {
        matches!(self.without_waiting(|stream| stream.peek(&mut [0])), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Reads without waiting; `WouldBlock` when there is nothing to read.
    fn read_ready(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.without_waiting(|mut stream| stream.read(buffer))
    }

    fn without_waiting(&self, attempt: impl FnOnce(&TcpStream) -> io::Result<usize>) -> io::Result<usize> {
        self.stream.set_nonblocking(true)?;
        let outcome = attempt(&self.stream);
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

/// Reads or writes until something came of it or the time of the call is up.
fn patiently(
    stream: &Arc<TcpStream>,
    armed: &mut Option<Duration>,
    arm: impl Fn(&TcpStream, Option<Duration>) -> io::Result<()>,
    mut attempt: impl FnMut(&TcpStream) -> io::Result<usize>,
) -> io::Result<usize> {
    scope::interruptible(stream);
    loop {
        if let Some(timeout) = rearm(*armed, scope::remaining().map_err(scope::into_io)?) {
            arm(stream, Some(timeout))?;
            *armed = Some(timeout);
        }
        match attempt(stream) {
            Err(error) if wakes_early(&error) => {}
            outcome => {
                scope::check_cancelled()?;
                return outcome;
            }
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self { stream, read_armed, .. } = self;
        patiently(stream, read_armed, TcpStream::set_read_timeout, |mut stream| stream.read(buffer))
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Self { stream, write_armed, .. } = self;
        patiently(stream, write_armed, TcpStream::set_write_timeout, |mut stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What TLS runs on.
pub(super) enum Wire {
    Tcp(Socket),
    Tunnel(TransportAdapter<Box<dyn UreqTransport>>),
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(buffer),
            Self::Tunnel(tunnel) => tunnel.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write(bytes),
            Self::Tunnel(tunnel) => tunnel.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The bytes on their way in and out, 16 KiB each: enough for any message of this protocol, small enough for
/// hundreds of connections. They hold tokens, so they are overwritten when dropped.
pub(super) struct WireBuffers {
    input: Zeroizing<Vec<u8>>,
    consumed: usize,
    filled: usize,
    output: Zeroizing<Vec<u8>>,
    /// How much of `output` is written and waits for the rest of the request.
    unsent: usize,
    progress: bool,
}

const BUFFER: usize = 16 * 1024;
/// What may wait in `output`; behind it there is always room for a full buffer.
const UNSENT: usize = BUFFER / 2;

impl WireBuffers {
    fn new() -> Self {
        Self::of(BUFFER, UNSENT + BUFFER)
    }

    /// Room for nothing.
    pub(super) fn none() -> Self {
        Self::of(0, 0)
    }

    fn of(input: usize, output: usize) -> Self {
        let empty = |size| Zeroizing::new(vec![0; size]);
        Self {
            input: empty(input),
            consumed: 0,
            filled: 0,
            output: empty(output),
            unsent: 0,
            progress: false,
        }
    }

    /// Where to read to. Without room a read would give nothing, which looks as if the connection had ended.
    fn room(&mut self) -> io::Result<&mut [u8]> {
        if self.filled - self.consumed == self.input.len() {
            return Err(scope::into_io(super::too_large()));
        }
        Ok(self.input_append_buf())
    }

    fn compact(&mut self) {
        if self.consumed > 0 {
            self.input.copy_within(self.consumed..self.filled, 0);
            self.filled -= self.consumed;
            self.consumed = 0;
        }
    }
}

impl Buffers for WireBuffers {
    fn output(&mut self) -> &mut [u8] {
        &mut self.output[self.unsent..]
    }

    fn input(&self) -> &[u8] {
        &self.input[self.consumed..self.filled]
    }

    fn input_append_buf(&mut self) -> &mut [u8] {
        self.compact();
        &mut self.input[self.filled..]
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled += amount;
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.consumed += amount;
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.compact();
        (&mut self.input[self.filled..], &mut self.output[self.unsent..])
    }

    fn can_use_input(&self) -> bool {
        self.consumed < self.filled && self.progress
    }
}

/// The unencrypted connection to a proxy, over which it is asked for a tunnel.
pub(super) struct ProxyConnection {
    socket: Socket,
    buffers: WireBuffers,
}

impl ProxyConnection {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket, buffers: WireBuffers::new() }
    }
}

impl UreqTransport for ProxyConnection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        Ok(self.socket.write_all(&self.buffers.output[..amount])?)
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        let amount = self.socket.read(self.buffers.room()?)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.socket.is_silent()
    }
}

/// A TLS connection to the bank.
pub(super) struct TlsConnection {
    tls: ClientConnection,
    wire: Wire,
    buffers: WireBuffers,
    client_certificate: bool,
}

impl TlsConnection {
    /// Sends the first message of the handshake.
    pub(super) fn begin(tls: ClientConnection, wire: Wire, client_certificate: bool) -> io::Result<Self> {
        let mut this = Self { tls, wire, buffers: WireBuffers::new(), client_certificate };
        this.push()?;
        Ok(this)
    }

    /// Does the rest of the handshake.
    pub(super) fn complete(&mut self) -> io::Result<()> {
        while self.tls.is_handshaking() {
            self.push()?;
            if self.tls.is_handshaking() {
                self.pull()?;
            }
        }
        self.push()
    }

    pub(super) fn has_sent_everything(&self) -> bool {
        self.buffers.unsent == 0
    }

    pub(super) fn resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
    }

    /// Waits for what a TLS 1.3 bank sends after the handshake: session tickets, which the first call need not
    /// take in then, or the alert by which it refuses our certificate only now.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        let is_over = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let expects_tickets = self.tls.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        while expects_tickets && self.tls.tls13_tickets_received() == 0 {
            if self.pull()? == 0 {
                return Err(is_over());
            }
        }
        if self.drain_ready() { Ok(()) } else { Err(is_over()) }
    }

    /// Writes what TLS has to write. A bank that refuses our certificate may have closed its side with the
    /// alert still unread in our socket: then the alert is the error, not the broken pipe.
    fn push(&mut self) -> io::Result<()> {
        while self.tls.wants_write() {
            if let Err(broken) = self.tls.write_tls(&mut self.wire) {
                if carries_our_error(&broken) {
                    return Err(broken);
                }
                while self.pull().is_ok_and(|amount| amount > 0) {}
                return match self.tls.process_new_packets() {
                    Err(alert) => Err(self.classified(&alert)),
                    Ok(_) => Err(broken),
                };
            }
        }
        Ok(())
    }

    /// Waits for bytes from the bank and decrypts them; zero when the bank closed its side.
    fn pull(&mut self) -> io::Result<usize> {
        let amount = self.tls.read_tls(&mut self.wire)?;
        if let Err(error) = self.tls.process_new_packets() {
            let error = self.classified(&error);
            // Tells the bank why, as far as it still listens.
            let _ = self.tls.write_tls(&mut self.wire);
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

    /// Sends what was written of the request: head and body leave together, in one record and one packet.
    fn flush_request(&mut self) -> io::Result<()> {
        let unsent = std::mem::take(&mut self.buffers.unsent);
        if unsent == 0 {
            return Ok(());
        }
        self.tls.writer().write_all(&self.buffers.output[..unsent])?;
        scope::note(RequestSent::Unknown);
        self.push()
    }

    /// Takes in what the bank sent unasked, such as session tickets; false when the connection is over.
    fn drain_ready(&mut self) -> bool {
        let Wire::Tcp(socket) = &self.wire else { return true };
        if socket.is_silent() {
            // What came with the last answer may have been the bank's goodbye.
            return self.tls.process_new_packets().is_ok_and(|state| !state.peer_has_closed());
        }
        let mut records = [0; 4096];
        loop {
            match socket.read_ready(&mut records) {
                Ok(0) => return false,
                Ok(amount) => {
                    let mut unread = &records[..amount];
                    while !unread.is_empty() {
                        let taken = self.tls.read_tls(&mut unread).is_ok_and(|taken| taken > 0);
                        let Ok(state) = self.tls.process_new_packets() else { return false };
                        if !taken || state.plaintext_bytes_to_read() > 0 || state.peer_has_closed() {
                            return false;
                        }
                    }
                }
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }
}

fn carries_our_error(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<crate::Error>)
}

impl UreqTransport for TlsConnection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.buffers.unsent += amount;
        if self.buffers.unsent > UNSENT {
            self.flush_request()?;
        }
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        self.flush_request()?;
        loop {
            match self.tls.reader().read(self.buffers.room()?) {
                Ok(amount) => {
                    self.buffers.input_appended(amount);
                    if amount > 0 {
                        scope::note(RequestSent::Yes);
                    }
                    return Ok(amount > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.pull()?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.has_sent_everything()
            && match &mut self.wire {
                Wire::Tcp(_) => self.drain_ready(),
                Wire::Tunnel(tunnel) => tunnel.get_mut().is_open(),
            }
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConnection")
    }
}

impl fmt::Debug for ProxyConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyConnection")
    }
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
    fn buffers_keep_what_is_not_consumed() {
        let mut buffers = WireBuffers::new();
        buffers.input_append_buf()[..3].copy_from_slice(b"abc");
        buffers.input_appended(3);
        assert!(!buffers.can_use_input(), "nothing was consumed yet");
        buffers.input_consume(1);
        assert!(buffers.can_use_input());
        assert_eq!(buffers.input_append_buf().len(), BUFFER - 2);
        assert_eq!(buffers.input(), b"bc");
        buffers.input_consume(0);
        assert!(!buffers.can_use_input());
    }
}
