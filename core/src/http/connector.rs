//! Making connections to the bank: directly or through a proxy, ahead of time or when needed.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use ::http::Uri;
use ::http::uri::Authority;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout,
    Transport as UreqTransport, TransportAdapter,
};

use super::connection::{ProxyConnection, Socket, TlsConnection, Wire, WireBuffers};
use super::names::{Names, unknown_host};
use super::transport::TransportStatistics;
use super::ureq_transport::{ConnectionOptions, broken, failure};
use super::{scope, tls};
use crate::{Error, ErrorCode, Result, lookout};

/// Opens connections with one identity, and keeps those no call uses: opened ahead of time, or used before.
pub(super) struct Dialer {
    tls: Arc<ClientConfig>,
    client_certificate: bool,
    connect_timeout: Duration,
    max_idle_connections: usize,
    max_idle_age: Duration,
    ready: Mutex<Vec<Ready>>,
    connections: AtomicU64,
    resumed: AtomicU64,
    names: Names,
}

/// A connection whose handshake is done and that no call uses.
struct Ready {
    authority: Authority,
    since: Instant,
    connection: Box<TlsConnection>,
}

/// A connection whose handshake has begun, or why it has not. It is finished by the call it was begun for.
pub(super) struct Begun {
    authority: Option<Authority>,
    /// Of the connect timeout.
    left: Duration,
    outcome: std::result::Result<TlsConnection, ureq::Error>,
}

impl Dialer {
    pub(super) fn new(tls: Arc<ClientConfig>, client_certificate: bool, options: &ConnectionOptions) -> Self {
        Self {
            tls,
            client_certificate,
            connect_timeout: options.connect_timeout,
            max_idle_connections: options.max_idle_connections,
            max_idle_age: options.max_idle_age,
            ready: Mutex::default(),
            connections: AtomicU64::new(0),
            resumed: AtomicU64::new(0),
            names: Names::default(),
        }
    }

    pub(super) fn statistics(&self) -> TransportStatistics {
        TransportStatistics {
            connections: self.connections.load(Ordering::Relaxed),
            resumed: self.resumed.load(Ordering::Relaxed),
            name_lookups: self.names.lookups(),
        }
    }

    /// Opens one connection to the bank and keeps it ready.
    pub(super) fn make_ready(&self, uri: &Uri) -> Result<()> {
        let started = Instant::now();
        let mut connection = self.dial(uri).map_err(failure)?;
        // What the bank sends next is one round trip away; the connection just made took more than that.
        let settled = scope::connecting(Instant::now() + started.elapsed(), || connection.settle());
        match settled.map_err(broken) {
            Err(error) if error.code() == ErrorCode::ConnectTimeout => {}
            outcome => outcome?,
        }
        if let Some(authority) = uri.authority().cloned() {
            let ready = Ready { authority, since: Instant::now(), connection: Box::new(connection) };
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(ready);
        }
        Ok(())
    }

    /// Takes back a connection whose call ended well; of too many the one that was unused longest goes.
    fn keep(&self, authority: Authority, connection: Box<TlsConnection>) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.push(Ready { authority, since: Instant::now(), connection });
        let surplus = (ready.len() > self.max_idle_connections).then(|| ready.remove(0));
        drop(ready);
        drop(surplus);
    }

    /// A connection that was kept and is still good: the one used last, so that surplus ones grow old.
    fn take_ready(&self, uri: &Uri) -> Option<Box<TlsConnection>> {
        loop {
            let now = Instant::now();
            let mut candidate = {
                let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
                ready.retain(|one| now.saturating_duration_since(one.since) < self.max_idle_age);
                let place = ready.iter().rposition(|one| Some(&one.authority) == uri.authority())?;
                ready.remove(place)
            };
            if candidate.connection.is_open() {
                return Some(candidate.connection);
            }
        }
    }

    pub(super) fn has_ready(&self, uri: &Uri) -> bool {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.iter().any(|one| Some(&one.authority) == uri.authority())
    }

    /// Connects and sends the first message of TLS.
    pub(super) fn begin(&self, uri: &Uri) -> Begun {
        let deadline = Instant::now() + self.connect_timeout;
        let outcome = scope::connecting(deadline, || {
            let socket = self.connect_tcp(uri).map_err(scope::into_io)?;
            self.wrap(uri, Wire::Tcp(socket))
        });
        let left = deadline.saturating_duration_since(Instant::now());
        Begun { authority: uri.authority().cloned(), left, outcome }
    }

    fn dial(&self, uri: &Uri) -> std::result::Result<TlsConnection, ureq::Error> {
        self.finish(self.begin(uri))
    }

    fn finish(&self, begun: Begun) -> std::result::Result<TlsConnection, ureq::Error> {
        scope::connecting(Instant::now() + begun.left, || self.complete(begun.outcome?))
    }

    /// The connection begun for this call, or else one that was kept, or else a new one. In that order: what is begun and
    /// then not used was for nothing.
    fn connection(
        &self,
        uri: &Uri,
        may_be_kept: bool,
    ) -> std::result::Result<Box<TlsConnection>, ureq::Error> {
        if let Some(begun) = scope::take_begun().filter(|begun| begun.authority.as_ref() == uri.authority()) {
            return self.finish(*begun).map(Box::new);
        }
        match may_be_kept.then(|| self.take_ready(uri)).flatten() {
            Some(ready) => Ok(ready),
            None => self.dial(uri).map(Box::new),
        }
    }

    fn complete(&self, mut connection: TlsConnection) -> std::result::Result<TlsConnection, ureq::Error> {
        connection.complete()?;
        if connection.resumed() {
            self.resumed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(connection)
    }

    fn wrap(&self, uri: &Uri, wire: Wire) -> std::result::Result<TlsConnection, ureq::Error> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| ureq::Error::HostNotFound)?;
        let classified =
            |error: rustls::Error| scope::into_io(tls::classify(&error, self.client_certificate));
        let session = ClientConnection::new(Arc::clone(&self.tls), name).map_err(classified)?;
        Ok(TlsConnection::begin(session, wire, self.client_certificate)?)
    }

    fn connect_tcp(&self, uri: &Uri) -> Result<Socket> {
        if let Some(addresses) = self.names.remembered(uri) {
            match self.connect_any(uri, &addresses) {
                // The host may have moved.
                Err(error) if error.code() == ErrorCode::Connect => self.names.forget(uri),
                Err(error) => {
                    self.names.forget(uri);
                    return Err(error);
                }
                connected => return connected,
            }
        }
        self.connect_any(uri, &self.names.look_up(uri)?)
    }

    /// Tries the addresses one after the other within the connect timeout.
    fn connect_any(&self, uri: &Uri, addresses: &[SocketAddr]) -> Result<Socket> {
        let mut failure = None;
        for (place, address) in addresses.iter().enumerate() {
            let left = u32::try_from(addresses.len() - place).unwrap_or(u32::MAX);
            let share = scope::remaining()? / left;
            match connect(*address, share.max(Duration::from_millis(1)))? {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(|error| no_connection(uri, &error))?;
                    self.connections.fetch_add(1, Ordering::Relaxed);
                    return Ok(Socket::new(stream));
                }
                Err(error) => failure = Some(error),
            }
        }
        scope::remaining()?;
        Err(match failure {
            Some(error) => no_connection(uri, &error),
            None => unknown_host(uri),
        })
    }
}

/// Connects, on a thread of its own when something else is looked after meanwhile: this wait cannot be cut into pieces.
fn connect(address: SocketAddr, limit: Duration) -> Result<io::Result<TcpStream>> {
    if !lookout::is_posted() {
        return Ok(TcpStream::connect_timeout(&address, limit));
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let attempt = move || {
        // The receiver is gone when the call was given up.
        let _ = sender.send(TcpStream::connect_timeout(&address, limit));
    };
    match std::thread::Builder::new().name("cbpii-connect".to_owned()).spawn(attempt) {
        Ok(_) => Ok(scope::receive(&receiver)?.unwrap_or_else(|| Err(io::ErrorKind::Other.into()))),
        Err(error) => Ok(Err(error)),
    }
}

fn authority_of(uri: &Uri) -> String {
    uri.authority().map(ToString::to_string).unwrap_or_default()
}

fn no_connection(uri: &Uri, error: &std::io::Error) -> Error {
    let host = authority_of(uri);
    if error.kind() == std::io::ErrorKind::TimedOut {
        let message = format!("{host} did not take the connection within the connect timeout; try again.");
        return Error::new(ErrorCode::ConnectTimeout, message);
    }
    let message = format!(
        "No connection to {host} could be made ({}); check the endpoint and the network.",
        error.kind()
    );
    Error::new(ErrorCode::Connect, message)
}

/// The end of ureq's connector chain: what the proxy connector made, or a connection of our own.
pub(super) struct BankConnector {
    dialer: Arc<Dialer>,
    /// Whether a connection may have been idle, however short, and is kept afterwards.
    keeps: bool,
}

impl BankConnector {
    /// The whole chain.
    pub(super) fn chain(dialer: Arc<Dialer>, keeps: bool) -> impl Connector {
        ConnectProxyConnector::default().chain(Self { dialer, keeps })
    }
}

type Tunnel = Either<(), Box<dyn UreqTransport>>;

impl Connector<Tunnel> for BankConnector {
    type Out = Box<dyn UreqTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<Tunnel>,
    ) -> std::result::Result<Option<Self::Out>, ureq::Error> {
        let dialer = &self.dialer;
        if let Some(tunnel) = chained {
            let tunnel = TransportAdapter::new(
                Box::new(tunnel) as Box<dyn UreqTransport>,
                Arc::clone(&details.current_time),
            );
            let connection =
                dialer.wrap(details.uri, Wire::Tunnel(tunnel)).and_then(|begun| dialer.complete(begun));
            scope::limit_connecting(None);
            return Ok(Some(Box::new(connection?)));
        }
        if details.needs_tls() {
            let connection = dialer.connection(details.uri, self.keeps)?;
            let Some(authority) = details.uri.authority().filter(|_| self.keeps) else {
                return Ok(Some(connection));
            };
            return Ok(Some(Box::new(Lent {
                connection: Some(connection),
                authority: authority.clone(),
                dialer: Arc::clone(dialer),
                reusable: false,
                nothing: WireBuffers::none(),
            })));
        }
        // Only a proxy is spoken to without TLS: ureq refuses other http addresses. The limit stays until the
        // tunnel and TLS through it are made.
        scope::limit_connecting(Some(Instant::now() + dialer.connect_timeout));
        let socket = dialer.connect_tcp(details.uri).map_err(scope::into_io)?;
        Ok(Some(Box::new(ProxyConnection::new(socket))))
    }
}

/// A connection while a call uses it. ureq's own pool is not used: it probes connections, which is I/O, while all
/// other calls wait for its lock. Instead the connection goes back to the [`Dialer`] when ureq lets go of it.
struct Lent {
    /// There until it is dropped.
    connection: Option<Box<TlsConnection>>,
    authority: Authority,
    dialer: Arc<Dialer>,
    /// Whether ureq, done with the answer, found that the connection could serve another call.
    reusable: bool,
    nothing: WireBuffers,
}

impl UreqTransport for Lent {
    fn buffers(&mut self) -> &mut dyn Buffers {
        match &mut self.connection {
            Some(connection) => connection.buffers(),
            None => &mut self.nothing,
        }
    }

    fn transmit_output(
        &mut self,
        amount: usize,
        timeout: NextTimeout,
    ) -> std::result::Result<(), ureq::Error> {
        self.reusable = false;
        self.connection.as_mut().ok_or(ureq::Error::ConnectionFailed)?.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> std::result::Result<bool, ureq::Error> {
        self.reusable = false;
        self.connection.as_mut().ok_or(ureq::Error::ConnectionFailed)?.await_input(timeout)
    }

    /// ureq asks when it is done with the answer. Whether the bank has closed its side is looked at when the next call
    /// takes the connection.
    fn is_open(&mut self) -> bool {
        self.reusable = self.connection.as_ref().is_some_and(|connection| connection.has_sent_everything());
        self.reusable
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take().filter(|_| self.reusable) {
            self.dialer.keep(self.authority.clone(), connection);
        }
    }
}

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lent")
    }
}

/// ureq asks its resolver on every call, also when a pooled connection serves it; the names are looked up by
/// the [`Dialer`], when it dials.
#[derive(Debug)]
pub(super) struct ResolvedByDialer;

impl Resolver for ResolvedByDialer {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

impl fmt::Debug for BankConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BankConnector")
    }
}
