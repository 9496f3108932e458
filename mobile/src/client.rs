//! One issuer at one bank.

use std::sync::Arc;

use cbpii::Client;

use crate::bank::RawBank;
use crate::call::{RawCancelToken, direct, limits, soon};
use crate::consent::{self, RawAuthorizationCode, RawPendingConsent};
use crate::error::{Explanation, RawFailure};
use crate::funds::{FundsConfirmation, RawFundsRequest};
use crate::identity::RawIssuer;
use crate::object::object;
use crate::seam::{ForeignClock, RawClock, RawEventListener};
use crate::tokens::RawTokens;
use crate::transport::{ForeignTransport, RawTransport};
use crate::values::TimeSpan;

/// The settings of a client; what is left out has its default.
#[derive(Clone, Debug, Default, uniffi::Record)]
pub struct RawClientSettings {
    /// The time a whole call may take, retries included. Default 10 s; from 1 ms to one hour.
    #[uniffi(default = None)]
    pub timeout: Option<TimeSpan>,
    /// The time one connection, TLS handshake included, may take. Default 5 s; from 1 ms to one hour.
    #[uniffi(default = None)]
    pub connect_timeout: Option<TimeSpan>,
    /// How many unused connections are kept open per host. Default 2.
    #[uniffi(default = None)]
    pub max_idle_connections: Option<i32>,
    /// How long an unused connection is kept open. Default 60 s.
    #[uniffi(default = None)]
    pub max_idle_age: Option<TimeSpan>,
    /// How often a funds check is sent again after a failure of the connection or a 502, 503 or 504. Default 1; at most 5.
    #[uniffi(default = None)]
    pub retries: Option<i32>,
    /// Whether certificates that make the issuer ineligible keep the client from being built. Default true.
    #[uniffi(default = None)]
    pub check_eligibility: Option<bool>,
}

/// A client, and its clock when that is one of the other side.
#[derive(Clone)]
pub(crate) struct ClockedClient {
    pub(crate) client: Client,
    clock: Option<ForeignClock>,
}

impl ClockedClient {
    /// The client, if its clock works.
    pub(crate) fn ready(&self) -> cbpii::Result<&Client> {
        self.clock.as_ref().map_or(Ok(()), ForeignClock::check)?;
        Ok(&self.client)
    }
}

object! {
    /// One issuer at one bank. Make one and keep it: it keeps connections open and resumes TLS sessions.
    RawClient(ClockedClient), |clocked| format!("{:?}", clocked.client)
}

/// A phone asks one thing at a time.
const IDLE_CONNECTIONS: i32 = 2;

/// A count that is not negative.
fn count(given: i32, name: &str) -> cbpii::Result<u32> {
    u32::try_from(given).map_err(|_| {
        let message = format!("The option {name} is negative; give zero or more.");
        cbpii::Error::new(cbpii::ErrorCode::OptionValue, message)
    })
}

fn builder(
    bank: &RawBank,
    issuer: &RawIssuer,
    settings: &RawClientSettings,
) -> cbpii::Result<cbpii::ClientBuilder> {
    let idle = settings.max_idle_connections.unwrap_or(IDLE_CONNECTIONS);
    let mut builder = Client::builder(bank.inner.clone(), issuer.inner.clone())
        .max_idle_connections(count(idle, "max_idle_connections")? as usize)
        .check_eligibility(settings.check_eligibility.unwrap_or(true));
    if let Some(timeout) = settings.timeout {
        builder = builder.timeout(timeout.duration("timeout")?);
    }
    if let Some(timeout) = settings.connect_timeout {
        builder = builder.connect_timeout(timeout.duration("connect_timeout")?);
    }
    if let Some(age) = settings.max_idle_age {
        builder = builder.max_idle_age(age.duration("max_idle_age")?);
    }
    if let Some(retries) = settings.retries {
        builder = builder.retries(count(retries, "retries")?);
    }
    Ok(builder)
}

#[uniffi::export]
impl RawClient {
    /// Checks everything and makes the client. No I/O. `proxy` is an http proxy that offers CONNECT, with its password if it
    /// has one; with a transport, TLS and connections are the transport's business.
    ///
    /// Throws of kind `configuration` and `eligibility`.
    #[uniffi::constructor]
    pub fn new(
        bank: Arc<RawBank>,
        issuer: Arc<RawIssuer>,
        settings: RawClientSettings,
        proxy: Option<String>,
        transport: Option<Arc<dyn RawTransport>>,
        clock: Option<Arc<dyn RawClock>>,
        listener: Option<Arc<dyn RawEventListener>>,
    ) -> Result<Arc<Self>, RawFailure> {
        direct(|| {
            let mut builder = builder(&bank, &issuer, &settings)?;
            if let Some(proxy) = proxy {
                builder = builder.proxy(proxy);
            }
            if let Some(transport) = transport {
                builder = builder.transport(ForeignTransport(transport));
            }
            let clock = clock.map(ForeignClock);
            if let Some(clock) = clock.clone() {
                builder = builder.clock(clock);
            }
            if let Some(listener) = listener {
                // What a listener throws changes nothing: the answer is more important than its log.
                builder = builder.on_event(move |event| drop(listener.on_event(event.into())));
            }
            Ok(Self::of(ClockedClient { client: builder.build()?, clock }))
        })
    }

    /// Begins a consent; `valid_for` is how long the cardholder may take at the bank, 15 minutes when none is given. No I/O.
    ///
    /// Throws `configuration.option`.
    pub fn begin_consent(&self, valid_for: Option<TimeSpan>) -> Result<Arc<RawPendingConsent>, RawFailure> {
        direct(|| self.inner.ready()?.begin_consent(&consent::options(valid_for)?).map(RawPendingConsent::of))
    }

    /// Reads the callback and exchanges its code for tokens, in one step.
    ///
    /// Throws as `RawPendingConsent.complete` and `exchange_code`.
    pub async fn complete_consent(
        &self,
        pending: Arc<RawPendingConsent>,
        callback_url: String,
        timeout: Option<TimeSpan>,
        cancel: Option<Arc<RawCancelToken>>,
    ) -> Result<Arc<RawTokens>, RawFailure> {
        let client = self.inner.clone();
        let (options, token) = limits(timeout, cancel.as_deref())?;
        soon(token, move || {
            client.ready()?.complete_consent_with(&pending.inner, &callback_url, &options).map(RawTokens::of)
        })
        .await
    }

    /// Exchanges the code for tokens. A code works once, so this is never re-sent: after a time-out or a broken connection ask
    /// the cardholder again.
    ///
    /// Throws `consent.code_refused`, `bank.client_refused`, and any error of network, TLS, time and protocol.
    pub async fn exchange_code(
        &self,
        pending: Arc<RawPendingConsent>,
        code: Arc<RawAuthorizationCode>,
        timeout: Option<TimeSpan>,
        cancel: Option<Arc<RawCancelToken>>,
    ) -> Result<Arc<RawTokens>, RawFailure> {
        let client = self.inner.clone();
        let (options, token) = limits(timeout, cancel.as_deref())?;
        soon(token, move || {
            client.ready()?.exchange_code_with(&pending.inner, &code.inner, &options).map(RawTokens::of)
        })
        .await
    }

    /// Refreshes the tokens. A session does this by itself.
    ///
    /// Throws `consent.lost`, `consent.no_refresh_token`, and any error of network, TLS, time and protocol.
    pub async fn refresh(
        &self,
        tokens: Arc<RawTokens>,
        timeout: Option<TimeSpan>,
        cancel: Option<Arc<RawCancelToken>>,
    ) -> Result<Arc<RawTokens>, RawFailure> {
        let client = self.inner.clone();
        let (options, token) = limits(timeout, cancel.as_deref())?;
        soon(token, move || client.ready()?.refresh_with(&tokens.inner, &options).map(RawTokens::of)).await
    }

    /// Asks the bank whether the account covers the amount. Nothing is reserved.
    ///
    /// No answer is not "no funds": anything but a well-formed yes or no to exactly this request is thrown.
    /// `consent.access_token_refused` when the access token is no longer good; `bank.…` when the bank refuses; and any error of
    /// network, TLS, time and protocol.
    pub async fn confirm_funds(
        &self,
        tokens: Arc<RawTokens>,
        request: Arc<RawFundsRequest>,
        timeout: Option<TimeSpan>,
        cancel: Option<Arc<RawCancelToken>>,
    ) -> Result<FundsConfirmation, RawFailure> {
        let client = self.inner.clone();
        let (options, token) = limits(timeout, cancel.as_deref())?;
        soon(token, move || {
            client
                .ready()?
                .confirm_funds_with(&tokens.inner, &request.inner, &options)
                .map(FundsConfirmation::from)
        })
        .await
    }

    /// What `confirm_funds` would send, header by header, with the exact signing string. Nothing is sent and no key is used.
    ///
    /// Throws as far as `confirm_funds` fails before it sends.
    pub fn explain(&self, request: Arc<RawFundsRequest>) -> Result<Explanation, RawFailure> {
        direct(|| {
            self.inner.ready()?.explain(&request.inner).map(|explanation| Explanation::from(&explanation))
        })
    }

    /// Opens connections (at most 256) to the bank ahead, so that the first calls cost what later ones do. Returns how many are
    /// ready.
    ///
    /// Throws when not one could be opened.
    pub async fn warm_up(&self, connections: i32) -> Result<i32, RawFailure> {
        let client = self.inner.clone();
        let count = count(connections, "connections")? as usize;
        soon(cbpii::CancelToken::new(), move || {
            client.ready()?.warm_up(count).map(|ready| i32::try_from(ready).unwrap_or(i32::MAX))
        })
        .await
    }
}
