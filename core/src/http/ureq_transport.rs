//! The built-in transport: ureq over our own connector.

use std::io::{self, Read as _};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ::http::{Request, Response, Uri};
use ureq::{Agent, Body, Proxy};
use zeroize::Zeroizing;

use super::connector::{BankConnector, Dialer, ResolvedByDialer};
use super::transport::{HttpRequest, HttpResponse, Transport, TransportContext, TransportStatistics};
use super::{scope, tls};
use crate::bank::TrustAnchors;
use crate::identity::TransportIdentity;
use crate::{Error, ErrorCode, Result};

/// No answer of this protocol comes near it.
const USER_AGENT: &str = concat!("cbpii/", env!("CARGO_PKG_VERSION"));

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
pub(crate) struct UreqTransport {
    pooled: Agent,
    fresh: Agent,
    dialer: Arc<Dialer>,
    keeps_connections: bool,
}

impl UreqTransport {
    pub(crate) fn new(
        identity: Option<&TransportIdentity>,
        anchors: &TrustAnchors,
        options: &ConnectionOptions,
    ) -> Result<Self> {
        let config = tls::client_config(identity, anchors)?;
        let dialer = Arc::new(Dialer::new(config, identity.is_some(), options));
        let proxy = options.proxy.as_deref().map(read_proxy).transpose()?;
        let agent = |idle: usize| {
            // Without a proxy the dialer keeps the connections.
            let pooled = if proxy.is_some() { idle } else { 0 };
            let config = Agent::config_builder()
                .https_only(true)
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .proxy(proxy.clone())
                .user_agent(USER_AGENT)
                .accept_encoding("identity")
                .max_idle_connections(pooled)
                .max_idle_connections_per_host(pooled)
                .max_idle_age(options.max_idle_age)
                .build();
            Agent::with_parts(config, BankConnector::chain(Arc::clone(&dialer), idle > 0), ResolvedByDialer)
        };
        let keeps_connections = options.max_idle_connections > 0;
        Ok(Self { pooled: agent(options.max_idle_connections), fresh: agent(0), dialer, keeps_connections })
    }

    fn send(&self, request: &HttpRequest) -> std::result::Result<HttpResponse, ureq::Error> {
        let agent = if request.fresh_connection { &self.fresh } else { &self.pooled };
        let mut outgoing = Request::new(request.body.as_slice());
        *outgoing.method_mut() = ::http::Method::POST;
        *outgoing.uri_mut() = request.uri.clone();
        *outgoing.headers_mut() = request.headers.clone();
        read_whole(agent.run(outgoing)?)
    }
}

fn read_whole(response: Response<Body>) -> std::result::Result<HttpResponse, ureq::Error> {
    let (head, mut body) = response.into_parts();
    // As large as announced, within reason: a buffer that grows leaves copies of the answer behind.
    let announced = body.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut whole = Zeroizing::new(Vec::with_capacity(announced.min(16 * 1024)));
    body.with_config().limit(super::BODY_LIMIT as u64).reader().read_to_end(&mut whole)?;
    Ok(HttpResponse { status: head.status.as_u16(), headers: head.headers, body: whole })
}

impl Transport for UreqTransport {
    fn exchange(&self, request: &HttpRequest, context: &TransportContext) -> Result<HttpResponse> {
        refuse_wire_logging()?;
        let (outcome, sent) = scope::run(context, || {
            scope::remaining()?;
            self.send(request).map_err(failure)
        });
        outcome.map_err(|error| error.with_request_sent(sent))
    }

    fn prepare(&self, uri: &Uri, context: &TransportContext) {
        let has_proxy = self.pooled.config().proxy().is_some();
        let has_ready = || self.keeps_connections && self.dialer.has_ready(uri);
        if has_proxy || refuse_wire_logging().is_err() || has_ready() {
            return;
        }
        let (begun, _) = scope::run(context, || self.dialer.begin(uri));
        *context.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(begun));
    }

    fn warm_up(&self, uri: &Uri, count: usize, context: &TransportContext) -> Result<usize> {
        if self.pooled.config().proxy().is_some() {
            // The dialer would go past the proxy.
            return Ok(0);
        }
        let open = || scope::run(context, || self.dialer.make_ready(uri)).0;
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

/// ureq's parser logs every byte on the wire at TRACE, tokens included. Rather than leak one, no request is
/// made while a logger listens to that.
fn refuse_wire_logging() -> Result<()> {
    if log::log_enabled!(target: "ureq_proto::util", log::Level::Trace) {
        let message = "The log level TRACE of ureq_proto would write tokens to the log; set ureq_proto to DEBUG or less.";
        return Err(Error::new(ErrorCode::OptionValue, message));
    }
    Ok(())
}

fn read_proxy(text: &str) -> Result<Proxy> {
    let unusable = || {
        Error::new(
            ErrorCode::Proxy,
            "The proxy is not an address like http://user:password@host:3128; only http proxies that offer CONNECT can be used.",
        )
    };
    let uri: Uri = text.parse().map_err(|_| unusable())?;
    if uri.scheme_str() != Some("http") || uri.host().unwrap_or_default().is_empty() {
        return Err(unusable());
    }
    Proxy::new(text).map_err(|_| unusable())
}

/// What a failure of ureq is. How far the request got is stated by the scope it ran in.
pub(super) fn failure(error: ureq::Error) -> Error {
    use ureq::Error as U;
    match error {
        U::Io(error) => broken(error),
        U::HostNotFound | U::BadUri(_) | U::RequireHttpsOnly(_) => Error::new(
            ErrorCode::EndpointInvalid,
            "The bank's endpoint is not an absolute https URL with a host.",
        ),
        U::BodyExceedsLimit(_) | U::LargeResponseHeader(..) => super::too_large(),
        U::Protocol(_) | U::BodyStalled => Error::new(
            ErrorCode::MalformedHttp,
            "What came from the bank's address is not a valid HTTP answer.",
        ),
        U::ConnectProxyFailed(_) | U::InvalidProxyUrl => Error::new(
            ErrorCode::ProxyFailed,
            "The proxy did not make the connection to the bank; check its address, credentials and rules.",
        ),
        U::Timeout(_) => Error::new(ErrorCode::TotalTimeout, "The bank did not answer in time."),
        other => Error::new(
            ErrorCode::Internal,
            format!("The HTTP library failed in an unexpected way ({other}); please report it."),
        ),
    }
}

/// What a failed read or write is: an error of ours that travelled in it, or the end of the connection.
pub(super) fn broken(error: io::Error) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(ours) => return ours,
        Err(error) => error,
    };
    let error = match error.downcast::<ureq::Error>() {
        Ok(wrapped) => return failure(wrapped),
        Err(error) => error,
    };
    let message =
        format!("The connection to the bank broke before the whole answer had come ({}).", error.kind());
    Error::new(ErrorCode::Disconnected, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RequestSent;

    #[test]
    fn only_http_proxies_are_taken() {
        assert!(read_proxy("http://user:secret@proxy.example:3128").is_ok());
        for text in ["", "proxy", "https://proxy.example", "socks5://proxy.example", "http://", "http://a b"]
        {
            let error = read_proxy(text).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Proxy, "{text}");
        }
    }

    #[test]
    fn errors_of_the_library_keep_ours() {
        let ours = Error::new(ErrorCode::TlsHostName, "x").with_request_sent(RequestSent::No);
        let through = failure(ureq::Error::Io(io::Error::other(ureq::Error::Io(scope::into_io(ours)))));
        assert_eq!(through.code(), ErrorCode::TlsHostName);
    }
}
