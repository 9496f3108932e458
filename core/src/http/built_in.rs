//! The built-in transport: HTTP/1.1 over mutual TLS.

use std::sync::PoisonError;
use std::time::Duration;

use ::http::Uri;

use super::dialer::Dialer;
use super::exchange::exchange;
use super::scope::Scope;
use super::tls;
use super::transport::{HttpRequest, HttpResponse, Transport, TransportContext, TransportStatistics};
use crate::bank::TrustAnchors;
use crate::identity::TransportIdentity;
use crate::{Error, ErrorCode, Result};

/// How the built-in transport connects.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionOptions {
    pub(crate) connect_timeout: Duration,
    pub(crate) max_idle_connections: usize,
    pub(crate) max_idle_age: Duration,
    pub(crate) proxy: Option<String>,
}

/// Mutual TLS 1.2/1.3 with session resumption and kept-alive connections. No redirect is followed, no
/// environment variable is read.
pub(crate) struct BuiltInTransport {
    dialer: Dialer,
    keeps_connections: bool,
}

impl BuiltInTransport {
    pub(crate) fn new(
        identity: Option<&TransportIdentity>,
        anchors: &TrustAnchors,
        options: &ConnectionOptions,
    ) -> Result<Self> {
        let config = tls::client_config(identity, anchors)?;
        let dialer = Dialer::new(config, identity.is_some(), options)?;
        Ok(Self { dialer, keeps_connections: options.max_idle_connections > 0 })
    }

    fn send(
        &self,
        request: &HttpRequest,
        context: &TransportContext,
        scope: &Scope<'_>,
    ) -> Result<HttpResponse> {
        scope.remaining()?;
        let begun = context.begun.lock().unwrap_or_else(PoisonError::into_inner).take();
        let keeps = self.keeps_connections && !request.fresh_connection;
        let mut connection = self.dialer.connection(&request.uri, begun, keeps, scope)?;
        let (answer, reusable) = exchange(&mut connection, request, scope)?;
        if keeps && reusable {
            self.dialer.keep(&request.uri, connection);
        }
        Ok(answer)
    }
}

impl Transport for BuiltInTransport {
    fn exchange(&self, request: &HttpRequest, context: &TransportContext) -> Result<HttpResponse> {
        let scope = Scope::new(context);
        self.send(request, context, &scope).map_err(|error| error.with_request_sent(scope.request_sent()))
    }

    fn prepare(&self, uri: &Uri, context: &TransportContext) {
        if self.keeps_connections && self.dialer.has_ready(uri) {
            return;
        }
        let begun = self.dialer.begin(uri, &Scope::new(context));
        *context.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(begun));
    }

    fn warm_up(&self, uri: &Uri, count: usize, context: &TransportContext) -> Result<usize> {
        let open = || self.dialer.make_ready(uri, &Scope::new(context));
        let outcomes: Vec<Result<()>> = std::thread::scope(|threads| {
            let handles: Vec<_> = (0..count).map(|_| threads.spawn(open)).collect();
            let panicked = |_| {
                Err(Error::new(ErrorCode::Internal, "Opening a connection ahead failed; please report it."))
            };
            handles.into_iter().map(|handle| handle.join().unwrap_or_else(panicked)).collect()
        });
        let ready = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        match outcomes.into_iter().find_map(Result::err) {
            Some(error) if ready == 0 => Err(error),
            _ => Ok(ready),
        }
    }

    fn statistics(&self) -> TransportStatistics {
        self.dialer.statistics()
    }
}
