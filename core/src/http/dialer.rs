//! Making connections to the bank, directly or through a proxy, ahead of time or when needed; and keeping them.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use ::http::Uri;
use ::http::uri::Authority;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use super::built_in::ConnectionOptions;
use super::connection::{Socket, TlsConnection};
use super::names::{Names, unknown_host};
use super::proxy::Proxy;
use super::scope::{Scope, out_of_io};
use super::tls;
use super::transport::TransportStatistics;
use crate::{Error, ErrorCode, Result, lookout};

/// Opens connections with one identity, and keeps those no call uses: opened ahead of time, or used before.
pub(super) struct Dialer {
    tls: Arc<ClientConfig>,
    client_certificate: bool,
    connect_timeout: Duration,
    max_idle_connections: usize,
    max_idle_age: Duration,
    proxy: Option<Proxy>,
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
    outcome: Result<TlsConnection>,
}

impl Dialer {
    pub(super) fn new(
        tls: Arc<ClientConfig>,
        client_certificate: bool,
        options: &ConnectionOptions,
    ) -> Result<Self> {
        Ok(Self {
            tls,
            client_certificate,
            connect_timeout: options.connect_timeout,
            max_idle_connections: options.max_idle_connections,
            max_idle_age: options.max_idle_age,
            proxy: options.proxy.as_deref().map(Proxy::read).transpose()?,
            ready: Mutex::default(),
            connections: AtomicU64::new(0),
            resumed: AtomicU64::new(0),
            names: Names::default(),
        })
    }

    pub(super) fn statistics(&self) -> TransportStatistics {
        TransportStatistics {
            connections: self.connections.load(Ordering::Relaxed),
            resumed: self.resumed.load(Ordering::Relaxed),
            name_lookups: self.names.lookups(),
        }
    }

    /// Opens one connection to the bank and keeps it ready.
    pub(super) fn make_ready(&self, uri: &Uri, scope: &Scope<'_>) -> Result<()> {
        let started = Instant::now();
        let mut connection = self.dial(uri, scope)?;
        // What the bank sends next is one round trip away; the connection just made took more than that.
        let settled = scope.connecting(Instant::now() + started.elapsed(), || connection.settle(scope));
        match settled.map_err(out_of_io) {
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
    pub(super) fn keep(&self, uri: &Uri, connection: Box<TlsConnection>) {
        let Some(authority) = uri.authority().cloned() else { return };
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
    pub(super) fn begin(&self, uri: &Uri, scope: &Scope<'_>) -> Begun {
        let deadline = Instant::now() + self.connect_timeout;
        let outcome = scope.connecting(deadline, || {
            let mut socket = self.connect_tcp(self.proxy.as_ref().map_or(uri, Proxy::uri), scope)?;
            if let Some(proxy) = &self.proxy {
                proxy.open_tunnel(&mut socket, uri, scope)?;
            }
            self.wrap(uri, socket, scope)
        });
        let left = deadline.saturating_duration_since(Instant::now());
        Begun { authority: uri.authority().cloned(), left, outcome }
    }

    fn dial(&self, uri: &Uri, scope: &Scope<'_>) -> Result<TlsConnection> {
        self.finish(self.begin(uri, scope), scope)
    }

    fn finish(&self, begun: Begun, scope: &Scope<'_>) -> Result<TlsConnection> {
        let mut connection = begun.outcome?;
        scope.connecting(Instant::now() + begun.left, || connection.complete(scope)).map_err(out_of_io)?;
        if connection.resumed() {
            self.resumed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(connection)
    }

    /// The connection begun for this call, or else one that was kept, or else a new one. In that order: what is begun and
    /// then not used was for nothing.
    pub(super) fn connection(
        &self,
        uri: &Uri,
        begun: Option<Box<Begun>>,
        may_be_kept: bool,
        scope: &Scope<'_>,
    ) -> Result<Box<TlsConnection>> {
        if let Some(begun) = begun.filter(|begun| begun.authority.as_ref() == uri.authority()) {
            return self.finish(*begun, scope).map(Box::new);
        }
        match may_be_kept.then(|| self.take_ready(uri)).flatten() {
            Some(ready) => Ok(ready),
            None => self.dial(uri, scope).map(Box::new),
        }
    }

    fn wrap(&self, uri: &Uri, socket: Socket, scope: &Scope<'_>) -> Result<TlsConnection> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| {
            Error::new(
                ErrorCode::EndpointInvalid,
                "The bank's endpoint is not an absolute https URL with a host.",
            )
        })?;
        let session = ClientConnection::new(Arc::clone(&self.tls), name)
            .map_err(|error| tls::classify(&error, self.client_certificate))?;
        TlsConnection::begin(session, socket, self.client_certificate, scope).map_err(out_of_io)
    }

    fn connect_tcp(&self, uri: &Uri, scope: &Scope<'_>) -> Result<Socket> {
        if let Some(addresses) = self.names.remembered(uri) {
            match self.connect_any(uri, &addresses, scope) {
                // The host may have moved.
                Err(error) if error.code() == ErrorCode::Connect => self.names.forget(uri),
                Err(error) => {
                    self.names.forget(uri);
                    return Err(error);
                }
                connected => return connected,
            }
        }
        self.connect_any(uri, &self.names.look_up(uri, scope)?, scope)
    }

    /// Tries the addresses one after the other within the connect timeout.
    fn connect_any(&self, uri: &Uri, addresses: &[SocketAddr], scope: &Scope<'_>) -> Result<Socket> {
        let mut failure = None;
        for (place, address) in addresses.iter().enumerate() {
            let left = u32::try_from(addresses.len() - place).unwrap_or(u32::MAX);
            let share = scope.remaining()? / left;
            match connect(*address, share.max(Duration::from_millis(1)), scope)? {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(|error| no_connection(uri, &error))?;
                    self.connections.fetch_add(1, Ordering::Relaxed);
                    return Ok(Socket::new(stream));
                }
                Err(error) => failure = Some(error),
            }
        }
        scope.remaining()?;
        Err(match failure {
            Some(error) => no_connection(uri, &error),
            None => unknown_host(uri),
        })
    }
}

/// Connects, on a thread of its own when something else is looked after meanwhile: this wait cannot be cut into pieces.
fn connect(address: SocketAddr, limit: Duration, scope: &Scope<'_>) -> Result<io::Result<TcpStream>> {
    if !lookout::is_posted() {
        return Ok(TcpStream::connect_timeout(&address, limit));
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let attempt = move || {
        // The receiver is gone when the call was given up.
        let _ = sender.send(TcpStream::connect_timeout(&address, limit));
    };
    match std::thread::Builder::new().name("cbpii-connect".to_owned()).spawn(attempt) {
        Ok(_) => Ok(scope.receive(&receiver)?.unwrap_or_else(|| Err(io::ErrorKind::Other.into()))),
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
