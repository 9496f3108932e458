//! Host names and their addresses.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use ::http::Uri;

use super::scope::Scope;
use crate::{Error, ErrorCode, Result};

/// Long enough for connections made in a burst, short enough to follow a bank that moves. Whoever cannot connect
/// to a remembered address looks the name up anew at once.
const REMEMBERED: Duration = Duration::from_secs(30);

/// Looks host names up and remembers their addresses for a while.
#[derive(Default)]
pub(super) struct Names {
    known: Mutex<Vec<Known>>,
    lookups: AtomicU64,
}

struct Known {
    authority: (String, u16),
    since: Instant,
    addresses: Vec<SocketAddr>,
}

impl Names {
    /// How many names were looked up.
    pub(super) fn lookups(&self) -> u64 {
        self.lookups.load(Ordering::Relaxed)
    }

    /// The addresses of the host, if they were looked up lately.
    pub(super) fn remembered(&self, uri: &Uri) -> Option<Vec<SocketAddr>> {
        let (host, port) = authority(uri);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|one| one.since.elapsed() < REMEMBERED);
        let found = known.iter().find(|one| one.authority.0 == host && one.authority.1 == port)?;
        Some(found.addresses.clone())
    }

    pub(super) fn forget(&self, uri: &Uri) {
        let (host, port) = authority(uri);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|one| one.authority.0 != host || one.authority.1 != port);
    }

    /// Looks the host up on a thread of its own: the system's resolver knows no deadline.
    pub(super) fn look_up(&self, uri: &Uri, scope: &Scope<'_>) -> Result<Vec<SocketAddr>> {
        let (host, port) = authority(uri);
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        self.lookups.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::sync_channel(1);
        let asked = host.to_owned();
        std::thread::Builder::new()
            .name("cbpii-name-lookup".to_owned())
            .spawn(move || {
                // The receiver is gone when the deadline has passed: nobody wants the result then.
                let _ = sender.send((asked.as_str(), port).to_socket_addrs().map(Vec::from_iter));
            })
            .map_err(|_| {
                Error::new(ErrorCode::Internal, "No thread could be started to look up the bank's host name.")
            })?;
        match scope.receive(&receiver)? {
            Some(Ok(addresses)) if !addresses.is_empty() => {
                self.forget(uri);
                let known = Known {
                    authority: (host.to_owned(), port),
                    since: Instant::now(),
                    addresses: addresses.clone(),
                };
                self.known.lock().unwrap_or_else(PoisonError::into_inner).push(known);
                Ok(addresses)
            }
            _ => Err(unknown_host(uri)),
        }
    }
}

/// The host without the brackets of an IPv6 address, and the port.
fn authority(uri: &Uri) -> (&str, u16) {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    (host, uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 }))
}

pub(super) fn unknown_host(uri: &Uri) -> Error {
    let host = uri.host().unwrap_or_default();
    let message = format!("The host name {host} could not be resolved; check the endpoint and the network.");
    Error::new(ErrorCode::NameLookup, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::TransportContext;

    fn soon() -> TransportContext {
        TransportContext::new(Instant::now() + Duration::from_secs(10), None)
    }

    #[test]
    fn names_are_looked_up_once_until_forgotten() {
        let (names, uri) = (Names::default(), Uri::from_static("https://localhost:1/x"));
        assert_eq!(names.remembered(&uri), None);
        let addresses = names.look_up(&uri, &Scope::new(&soon())).unwrap();
        assert!(addresses.iter().all(|address| address.ip().is_loopback() && address.port() == 1));
        assert_eq!(names.remembered(&uri), Some(addresses));
        assert_eq!(
            names.remembered(&Uri::from_static("https://localhost:2/x")),
            None,
            "the port is part of it"
        );
        assert_eq!(names.lookups(), 1);
        names.forget(&uri);
        assert_eq!(names.remembered(&uri), None);
    }

    #[test]
    fn addresses_are_not_looked_up() {
        let names = Names::default();
        for (uri, address) in [
            (Uri::from_static("https://127.0.0.1/x"), "127.0.0.1:443"),
            (Uri::from_static("http://[::1]/x"), "[::1]:80"),
        ] {
            assert_eq!(names.look_up(&uri, &Scope::new(&soon())).unwrap(), [address.parse().unwrap()]);
        }
        assert_eq!(names.lookups(), 0);
    }

    #[test]
    fn an_unknown_host_is_named() {
        let uri = Uri::from_static("https://nowhere.invalid/x");
        let error = Names::default().look_up(&uri, &Scope::new(&soon())).unwrap_err();
        assert_eq!(error.code(), ErrorCode::NameLookup);
        assert!(error.message().contains("nowhere.invalid"));
    }
}
