//! Making connections to the bank: directly or through a proxy, ahead of time or when needed.

use std::fmt;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use ::http::Uri;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, Either, NextTimeout, Transport as UreqTransport,
    TransportAdapter,
};

use super::connection::{ProxyConnection, Socket, TlsConnection, Wire};
use super::transport::TransportStatistics;
use super::{scope, tls};
use crate::{Error, ErrorCode, Result};

/// Opens connections with one identity, and keeps those opened ahead of time.
pub(super) struct Dialer {
    tls: Arc<ClientConfig>,
    client_certificate: bool,
    connect_timeout: Duration,
    max_idle_age: Duration,
    ready: Mutex<Vec<Ready>>,
    connections: AtomicU64,
    resumed: AtomicU64,
    name_lookups: AtomicU64,
}

/// A connection whose handshake is done and that no request has used.
struct Ready {
    authority: String,
    since: Instant,
    connection: TlsConnection,
}

impl Dialer {
    pub(super) fn new(
        tls: Arc<ClientConfig>,
        client_certificate: bool,
        connect_timeout: Duration,
        max_idle_age: Duration,
    ) -> Self {
        Self {
            tls,
            client_certificate,
            connect_timeout,
            max_idle_age,
            ready: Mutex::default(),
            connections: AtomicU64::new(0),
            resumed: AtomicU64::new(0),
            name_lookups: AtomicU64::new(0),
        }
    }

    pub(super) fn statistics(&self) -> TransportStatistics {
        TransportStatistics {
            connections: self.connections.load(Ordering::Relaxed),
            resumed: self.resumed.load(Ordering::Relaxed),
            name_lookups: self.name_lookups.load(Ordering::Relaxed),
        }
    }

    /// Opens one connection to the bank and keeps it ready.
    pub(super) fn make_ready(&self, uri: &Uri) -> Result<()> {
        let connection = self.dial(uri).map_err(Error::from)?;
        let ready = Ready { authority: authority_of(uri), since: Instant::now(), connection };
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(ready);
        Ok(())
    }

    /// A connection that was made ready and is still good.
    fn take_ready(&self, uri: &Uri) -> Option<TlsConnection> {
        loop {
            let mut candidate = {
                let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
                ready.retain(|one| one.since.elapsed() < self.max_idle_age);
                let place = ready.iter().rposition(|one| one.authority == authority_of(uri))?;
                ready.swap_remove(place)
            };
            if candidate.connection.is_open() {
                return Some(candidate.connection);
            }
        }
    }

    fn dial(&self, uri: &Uri) -> std::result::Result<TlsConnection, ureq::Error> {
        let deadline = Instant::now() + self.connect_timeout;
        scope::connecting(deadline, || {
            let socket = self.connect_tcp(uri).map_err(scope::into_io)?;
            self.wrap(uri, Wire::Tcp(socket))
        })
    }

    fn wrap(&self, uri: &Uri, wire: Wire) -> std::result::Result<TlsConnection, ureq::Error> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| ureq::Error::HostNotFound)?;
        let classified =
            |error: rustls::Error| scope::into_io(tls::classify(&error, self.client_certificate));
        let session = ClientConnection::new(Arc::clone(&self.tls), name).map_err(classified)?;
        let connection = TlsConnection::handshake(session, wire, self.client_certificate)?;
        if connection.resumed() {
            self.resumed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(connection)
    }

    /// Tries the host's addresses one after the other within the connect timeout.
    fn connect_tcp(&self, uri: &Uri) -> Result<Socket> {
        let addresses = self.look_up(uri)?;
        let mut failure = None;
        for (place, address) in addresses.iter().enumerate() {
            let left = u32::try_from(addresses.len() - place).unwrap_or(u32::MAX);
            let share = scope::remaining()? / left;
            match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
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

    /// Looks the host up on a thread of its own: the system's resolver knows no deadline.
    fn look_up(&self, uri: &Uri) -> Result<Vec<SocketAddr>> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        if let Ok(address) = host.parse() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        self.name_lookups.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::sync_channel(1);
        std::thread::Builder::new()
            .name("cbpii-name-lookup".to_owned())
            .spawn(move || {
                // The receiver is gone when the deadline has passed: nobody wants the result then.
                let _ = sender.send((host.as_str(), port).to_socket_addrs().map(Vec::from_iter));
            })
            .map_err(|_| {
                Error::new(ErrorCode::Internal, "No thread could be started to look up the bank's host name.")
            })?;
        match receiver.recv_timeout(scope::remaining()?) {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(_) | Err(mpsc::RecvTimeoutError::Disconnected) => Err(unknown_host(uri)),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                scope::remaining()?;
                Err(unknown_host(uri))
            }
        }
    }
}

fn authority_of(uri: &Uri) -> String {
    uri.authority().map(ToString::to_string).unwrap_or_default()
}

fn unknown_host(uri: &Uri) -> Error {
    let host = uri.host().unwrap_or_default();
    let message = format!("The host name {host} could not be resolved; check the endpoint and the network.");
    Error::new(ErrorCode::NameLookup, message)
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
    /// Whether a connection made ready earlier will do: it has been idle, however short.
    use_ready: bool,
}

impl BankConnector {
    /// The whole chain.
    pub(super) fn chain(dialer: Arc<Dialer>, use_ready: bool) -> impl Connector {
        ConnectProxyConnector::default().chain(Self { dialer, use_ready })
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
            return Ok(Some(Box::new(dialer.wrap(details.uri, Wire::Tunnel(tunnel))?)));
        }
        if details.needs_tls() {
            let ready = if self.use_ready { dialer.take_ready(details.uri) } else { None };
            let connection = ready.map_or_else(|| dialer.dial(details.uri), Ok)?;
            return Ok(Some(Box::new(connection)));
        }
        // Only a proxy is spoken to without TLS: ureq refuses other http addresses.
        let deadline = Instant::now() + dialer.connect_timeout;
        let socket =
            scope::connecting(deadline, || dialer.connect_tcp(details.uri)).map_err(scope::into_io)?;
        Ok(Some(Box::new(ProxyConnection::new(socket))))
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
