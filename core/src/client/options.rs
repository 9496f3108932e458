//! The settings of a client, and of a single call.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::Uri;

use super::Client;
use crate::bank::{Bank, TrustAnchors};
use crate::clock::{Entropy, SystemEntropy};
use crate::event::Event;
use crate::http::{
    BuiltInTransport, ConnectionOptions, HttpRequest, HttpResponse, Transport, TransportContext,
    TransportStatistics,
};
use crate::identity::{Issuer, TransportIdentity};
use crate::{CancelToken, Clock, Error, ErrorCode, RequestSent, Result, SystemClock};

pub(super) type EventListener = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// Sets up a [`Client`]. Every setting has a default that suits a checkout server.
#[derive(Clone)]
pub struct ClientBuilder {
    pub(super) bank: Bank,
    pub(super) issuer: Issuer,
    pub(super) settings: Settings,
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) timeout: Duration,
    pub(super) retries: u32,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) on_event: Option<EventListener>,
    pub(super) check_eligibility: bool,
    connection: ConnectionOptions,
    transport: Option<Arc<dyn Transport>>,
}

impl ClientBuilder {
    pub(super) fn new(bank: Bank, issuer: Issuer) -> Self {
        let connection = ConnectionOptions {
            connect_timeout: Duration::from_secs(5),
            max_idle_connections: 32,
            max_idle_age: Duration::from_secs(60),
            proxy: None,
        };
        let settings = Settings {
            timeout: Duration::from_secs(10),
            retries: 1,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            on_event: None,
            check_eligibility: true,
            connection,
            transport: None,
        };
        Self { bank, issuer, settings }
    }

    /// The time a whole call may take, retries included. Default 10 s; from 1 ms to one hour.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// The time one connection, TLS handshake included, may take. Default 5 s; from 1 ms to one hour.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connection.connect_timeout = timeout;
        self
    }

    /// How many unused connections are kept open per host. Default 32; zero keeps none.
    #[must_use]
    pub fn max_idle_connections(mut self, count: usize) -> Self {
        self.settings.connection.max_idle_connections = count;
        self
    }

    /// How long an unused connection is kept open. Default 60 s.
    #[must_use]
    pub fn max_idle_age(mut self, age: Duration) -> Self {
        self.settings.connection.max_idle_age = age;
        self
    }

    /// How often a funds check is sent again after a failure of the connection or a 502, 503 or 504. Default 1;
    /// at most 5. It never applies to a code exchange.
    #[must_use]
    pub fn retries(mut self, count: u32) -> Self {
        self.settings.retries = count;
        self
    }

    /// An http proxy that offers CONNECT, e.g. `http://user:password@proxy:3128`. TLS runs through it to the bank.
    /// The environment's proxy is never used.
    #[must_use]
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.settings.connection.proxy = Some(url.into());
        self
    }

    /// Another source of the present.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.settings.clock = Arc::new(clock);
        self
    }

    /// Another source of randomness.
    #[must_use]
    pub fn entropy(mut self, entropy: impl Entropy + 'static) -> Self {
        self.settings.entropy = Arc::new(entropy);
        self
    }

    /// Another transport: TLS and the client certificate are then its business, and the options on connections
    /// and proxy do not apply.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.settings.transport = Some(Arc::new(Supplied(transport)));
        self
    }

    /// Called after every HTTP exchange, on the thread that made it. It must be quick and must not panic.
    #[must_use]
    pub fn on_event(mut self, listener: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.settings.on_event = Some(Arc::new(listener));
        self
    }

    /// Whether certificates that make the issuer ineligible (no PSP_IC, expired, …) keep the client from being
    /// built. Default true. Banks refuse such certificates anyway.
    #[must_use]
    pub fn check_eligibility(mut self, check: bool) -> Self {
        self.settings.check_eligibility = check;
        self
    }

    /// Checks everything and makes the client. No I/O.
    ///
    /// # Errors
    /// Of kind `configuration`: the bank record, its endpoints, the keys, certificates, trust anchors, options or
    /// the proxy cannot be used. Of kind `eligibility`: the certificates do not entitle the issuer.
    pub fn build(self) -> Result<Client> {
        super::assemble(self)
    }
}

impl Settings {
    pub(super) fn validate(&self) -> Result<()> {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        let reasonable = Duration::from_millis(1)..=HOUR;
        let refused = |what: &str| Err(Error::new(ErrorCode::OptionValue, format!("The option {what}.")));
        if !reasonable.contains(&self.timeout) {
            return refused("timeout is not between 1 ms and one hour");
        }
        if !reasonable.contains(&self.connection.connect_timeout) {
            return refused("connect_timeout is not between 1 ms and one hour");
        }
        if self.retries > 5 {
            return refused("retries is more than 5");
        }
        Ok(())
    }

    pub(super) fn transport(
        &self,
        identity: Option<&TransportIdentity>,
        anchors: &TrustAnchors,
    ) -> Result<Arc<dyn Transport>> {
        match &self.transport {
            Some(transport) => Ok(Arc::clone(transport)),
            None => Ok(Arc::new(BuiltInTransport::new(identity, anchors, &self.connection)?)),
        }
    }
}

/// A transport of the caller. What its errors leave open is taken for the worse: a request whose fate is unknown is not
/// repeated where that could lose a consent.
struct Supplied<T>(T);

impl<T: Transport> Transport for Supplied<T> {
    fn exchange(&self, request: &HttpRequest, context: &TransportContext) -> Result<HttpResponse> {
        self.0.exchange(request, context).map_err(|error| error.or_request_sent(RequestSent::Unknown))
    }

    fn prepare(&self, uri: &Uri, context: &TransportContext) {
        self.0.prepare(uri, context);
    }

    fn warm_up(&self, uri: &Uri, count: usize, context: &TransportContext) -> Result<usize> {
        self.0.warm_up(uri, count, context)
    }

    fn statistics(&self) -> TransportStatistics {
        self.0.statistics()
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("bank", &self.bank.id)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// Limits of a single call.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CallOptions {
    /// The time the whole call may take; the client's own when none is given.
    pub timeout: Option<Duration>,
    /// Ends the call when it is cancelled.
    pub cancel: Option<CancelToken>,
}

impl CallOptions {
    /// The limits of a call that starts now, `default` being the time it may take when none is given here. Building
    /// and signing the request count too: ask for this first.
    pub(crate) fn starting_now(&self, default: Duration) -> TransportContext {
        const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
        let now = Instant::now();
        // A time-out beyond what the clock can express is one of a day.
        let deadline = now.checked_add(self.timeout.unwrap_or(default)).unwrap_or(now + LONGEST);
        TransportContext::new(deadline, self.cancel.clone())
    }

    /// Sets [`timeout`](Self::timeout).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets [`cancel`](Self::cancel).
    #[must_use]
    pub fn cancel(mut self, token: CancelToken) -> Self {
        self.cancel = Some(token);
        self
    }
}
