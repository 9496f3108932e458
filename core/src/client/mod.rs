//! One issuer at one bank: consent, tokens, funds checks.

mod exchange;
mod options;
mod requests;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::Uri;

pub use options::{CallOptions, ClientBuilder};

use crate::bank::{Bank, ClientAuthentication, RefreshTokenRotation};
use crate::clock::Entropy;
use crate::consent::{AuthorizationCode, ConsentOptions, PendingConsent};
use crate::event::{Event, Operation};
use crate::funds::{FundsConfirmation, FundsRequest, ResponseSignature, read_result};
use crate::http::masking::Sent;
use crate::http::{
    AnswerVerifier, HttpResponse, MessageSigner, Transport, TransportContext, TransportStatistics,
    check_digest,
};
use crate::identity::Issuer;
use crate::refusal::{Endpoint, refusal};
use crate::token::{TokenAnswer, Tokens};
use crate::{Clock, Error, ErrorCode, Explanation, RequestSent, Result, Timestamp};
use exchange::{Attempts, Prepared};
use requests::Requests;

/// One issuer at one bank. Cheap to clone, shared freely between threads, does no I/O until it is asked to.
///
/// It keeps connections open and resumes TLS sessions, so make one and keep it: the first call of a new client
/// pays a full handshake, the others do not.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    bank: Bank,
    issuer: Issuer,
    authorize: String,
    token: Uri,
    requests: Requests,
    verifier: Option<AnswerVerifier>,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    on_event: Option<options::EventListener>,
    timeout: Duration,
    retries: u32,
}

impl Client {
    /// Starts the set-up of a client.
    #[must_use]
    pub fn builder(bank: Bank, issuer: Issuer) -> ClientBuilder {
        ClientBuilder::new(bank, issuer)
    }

    /// A client with the defaults.
    ///
    /// # Errors
    /// As [`ClientBuilder::build`].
    pub fn new(bank: Bank, issuer: Issuer) -> Result<Self> {
        Self::builder(bank, issuer).build()
    }

    /// The bank.
    #[must_use]
    pub fn bank(&self) -> &Bank {
        &self.0.bank
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.0.issuer
    }

    /// The present, by this client's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The time a call has that states none.
    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// What the transport has done so far.
    #[must_use]
    pub fn statistics(&self) -> TransportStatistics {
        self.0.transport.statistics()
    }

    /// Begins a consent: builds the URL to send the cardholder to. No I/O.
    ///
    /// # Errors
    /// `configuration.option` when `valid_for` is zero; `internal` when there is no randomness.
    pub fn begin_consent(&self, options: &ConsentOptions) -> Result<PendingConsent> {
        let this = &*self.0;
        let (client_id, redirect_uri) = (this.issuer.client_id(), this.issuer.redirect_uri());
        PendingConsent::begin(
            &this.bank,
            &this.authorize,
            client_id,
            redirect_uri,
            options,
            this.clock.now(),
            &*this.entropy,
        )
    }

    /// Reads the callback and exchanges its code for tokens, in one step.
    ///
    /// # Errors
    /// As [`PendingConsent::complete`] and [`exchange_code`](Self::exchange_code).
    pub fn complete_consent(&self, pending: &PendingConsent, callback_url: &str) -> Result<Tokens> {
        self.complete_consent_with(pending, callback_url, &CallOptions::default())
    }

    /// As [`complete_consent`](Self::complete_consent), with limits of its own.
    ///
    /// # Errors
    /// As [`complete_consent`](Self::complete_consent).
    pub fn complete_consent_with(
        &self,
        pending: &PendingConsent,
        callback_url: &str,
        options: &CallOptions,
    ) -> Result<Tokens> {
        let code = pending.complete_at(callback_url, self.0.clock.now())?;
        self.exchange_code_with(pending, &code, options)
    }

    /// Exchanges the code for tokens (RFC 6749 §4.1.3). A code works once, so this is **never re-sent**: after a
    /// time-out or a broken connection ask the cardholder again.
    ///
    /// # Errors
    /// `consent.code_refused` when the bank does not accept the code, `bank.client_refused` when it does not
    /// accept the issuer, and any error of network, TLS, time and protocol.
    pub fn exchange_code(&self, pending: &PendingConsent, code: &AuthorizationCode) -> Result<Tokens> {
        self.exchange_code_with(pending, code, &CallOptions::default())
    }

    /// As [`exchange_code`](Self::exchange_code), with limits of its own.
    ///
    /// # Errors
    /// As [`exchange_code`](Self::exchange_code).
    pub fn exchange_code_with(
        &self,
        pending: &PendingConsent,
        code: &AuthorizationCode,
        options: &CallOptions,
    ) -> Result<Tokens> {
        let this = &*self.0;
        let context = options.starting_now(this.timeout);
        this.check_pending(pending)?;
        let prepared = this.requests.exchange_code(&this.bank, &this.issuer, &this.token, pending, code)?;
        let days = u64::from(this.bank.consent_lifetime_days);
        let consent_expires_at =
            pending.created_at().saturating_add(Duration::from_secs(days * 24 * 60 * 60));
        let endpoint = Endpoint::Token { refresh: false };
        self.run(
            Operation::ExchangeCode,
            &prepared,
            endpoint,
            &context,
            |_, _| false,
            |answer, requested_at| {
                TokenAnswer::parse(answer.body())?.into_tokens(requested_at, consent_expires_at)
            },
        )
    }

    /// Refreshes the tokens (RFC 6749 §6). What the bank leaves out of its answer, such as the refresh token,
    /// stays as it was. It is re-sent once, and only when it certainly did not reach the bank, or the bank keeps
    /// the refresh token so that repeating does no harm.
    ///
    /// # Errors
    /// `consent.lost` when the bank no longer accepts the refresh token, `consent.no_refresh_token` when there
    /// is none, and any error of network, TLS, time and protocol.
    pub fn refresh(&self, tokens: &Tokens) -> Result<Tokens> {
        self.refresh_with(tokens, &CallOptions::default())
    }

    /// As [`refresh`](Self::refresh), with limits of its own.
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh).
    pub fn refresh_with(&self, tokens: &Tokens, options: &CallOptions) -> Result<Tokens> {
        let this = &*self.0;
        let Some(refresh_token) = tokens.refresh_token() else {
            return Err(Error::new(
                ErrorCode::NoRefreshToken,
                "The bank gave no refresh token; send the cardholder to the bank for a new consent.",
            ));
        };
        let context = options.starting_now(this.timeout);
        let prepared = this.requests.refresh(&this.bank, &this.issuer, &this.token, refresh_token)?;
        let keeps = this.bank.refresh_token_rotation == RefreshTokenRotation::Same;
        let again = |error: &Error, attempt: u32| {
            attempt == 1 && is_passing(error) && (keeps || error.request_sent() == RequestSent::No)
        };
        let endpoint = Endpoint::Token { refresh: true };
        self.run(Operation::Refresh, &prepared, endpoint, &context, again, |answer, requested_at| {
            TokenAnswer::parse(answer.body())?.into_refreshed(tokens, requested_at)
        })
    }

    /// Asks the bank whether the account covers the amount. Nothing is reserved.
    ///
    /// **No answer is not "no funds"**: anything but a well-formed yes or no to exactly this request is an error.
    ///
    /// # Errors
    /// `consent.access_token_refused` when the access token is no longer good; `bank.*` when the bank refuses
    /// (account blocked, access not granted, …); and any error of network, TLS, time and protocol.
    pub fn confirm_funds(&self, tokens: &Tokens, request: &FundsRequest) -> Result<FundsConfirmation> {
        self.confirm_funds_with(tokens, request, &CallOptions::default())
    }

    /// As [`confirm_funds`](Self::confirm_funds), with limits of its own.
    ///
    /// # Errors
    /// As [`confirm_funds`](Self::confirm_funds).
    pub fn confirm_funds_with(
        &self,
        tokens: &Tokens,
        request: &FundsRequest,
        options: &CallOptions,
    ) -> Result<FundsConfirmation> {
        let this = &*self.0;
        let started = Instant::now();
        let context = options.starting_now(this.timeout);
        let prepared = this.requests.confirm_funds(
            &this.bank,
            tokens.access_token(),
            request,
            this.clock.now(),
            &*this.entropy,
            || this.transport.prepare(this.requests.funds_uri(), &context),
        )?;
        let again = |error: &Error, attempt: u32| attempt <= this.retries && is_passing(error);
        self.run(Operation::ConfirmFunds, &prepared, Endpoint::Funds, &context, again, |answer, _| {
            let response_signature = this.check_integrity(&prepared, answer)?;
            let available = read_result(&this.bank, request, answer.body())?;
            Ok(FundsConfirmation {
                available,
                reference: request.reference().to_owned(),
                request_id: prepared.request_id.clone(),
                correlation_id: shown_header(answer, "x-correlationid"),
                bank_id: this.bank.id.clone(),
                checked_at: this.clock.now(),
                duration: started.elapsed(),
                response_signature,
                deprecation_warning: shown_header(answer, "warning").filter(|text| text.starts_with("299")),
            })
        })
    }

    /// What [`confirm_funds`](Self::confirm_funds) would send, header by header, with the exact signing string.
    /// Nothing is sent and no key is used.
    ///
    /// # Errors
    /// As far as [`confirm_funds`](Self::confirm_funds) fails before it sends.
    pub fn explain(&self, request: &FundsRequest) -> Result<Explanation> {
        let this = &*self.0;
        this.requests.explain(&this.bank, request, this.clock.now(), &*this.entropy)
    }

    /// Opens `connections` connections to the bank and finishes their handshakes ahead, so that the first real
    /// calls cost what later ones do. Returns how many are ready.
    ///
    /// # Errors
    /// When not one could be opened: any error of network, TLS and time; `configuration.option` for more than 256.
    pub fn warm_up(&self, connections: usize) -> Result<usize> {
        if connections > 256 {
            return Err(Error::new(ErrorCode::OptionValue, "warm_up opens at most 256 connections at once."));
        }
        let context = CallOptions::default().starting_now(self.0.timeout);
        self.0.transport.warm_up(self.0.requests.funds_uri(), connections, &context)
    }

    /// Sends a request, again as far as `again` allows, and reads its answer with `read`.
    fn run<T>(
        &self,
        operation: Operation,
        prepared: &Prepared<'_>,
        endpoint: Endpoint,
        context: &TransportContext,
        again: impl Fn(&Error, u32) -> bool,
        read: impl Fn(&HttpResponse, Timestamp) -> Result<T>,
    ) -> Result<T> {
        let this = &*self.0;
        let attempts = Attempts { operation, prepared, context };
        let mut attempt = 0;
        loop {
            attempt += 1;
            let requested_at = this.clock.now();
            let outcome = this.attempt(&attempts, attempt, endpoint, |answer| read(answer, requested_at));
            match outcome {
                Err(error) if again(&error, attempt) && Instant::now() < context.deadline => {}
                Err(error) => return Err(error.with_explanation(prepared.explanation())),
                Ok(value) => return Ok(value),
            }
        }
    }
}

/// Whether a failure may be gone at the next attempt. A bank that asks for a pause is given it.
fn is_passing(error: &Error) -> bool {
    match error.code() {
        ErrorCode::NameLookup | ErrorCode::Connect | ErrorCode::ConnectTimeout | ErrorCode::Disconnected => {
            true
        }
        ErrorCode::BankUnavailable => {
            matches!(error.http_status(), Some(502..=504)) && error.retry_after().is_none()
        }
        _ => false,
    }
}

/// A header of the answer as it may be kept: what a bank writes is bounded.
fn shown_header(answer: &HttpResponse, name: &str) -> Option<String> {
    // A header that is text is ASCII.
    answer.header(name).map(|value| value.get(..256).unwrap_or(value).to_owned())
}

impl Inner {
    /// One exchange, told as an event.
    fn attempt<T>(
        &self,
        attempts: &Attempts<'_>,
        attempt: u32,
        endpoint: Endpoint,
        read: impl Fn(&HttpResponse) -> Result<T>,
    ) -> Result<T> {
        let started = Instant::now();
        let prepared = attempts.prepared;
        let mut http_status = None;
        let outcome = self.transport.exchange(&prepared.request, attempts.context).and_then(|answer| {
            http_status = Some(answer.status());
            let correlation_id = || shown_header(&answer, "x-correlationid");
            let outcome = match answer.status() {
                200 => read(&answer),
                _ => Err(refusal(&self.bank, endpoint, &answer, self.clock.now(), &self.sent(prepared))),
            };
            outcome.map_err(|error| {
                error
                    .with_http_status(answer.status())
                    .with_request_sent(RequestSent::Yes)
                    .with_correlation_id(correlation_id())
            })
        });
        let request_id = prepared.request_id.as_deref();
        let event = Event {
            operation: attempts.operation,
            bank_id: &self.bank.id,
            request_id,
            attempt,
            duration: started.elapsed(),
            http_status,
            error: outcome.as_ref().err().map(Error::code),
        };
        log::debug!(target: "cbpii", "{event}");
        if let Some(listener) = &self.on_event {
            listener(&event);
        }
        outcome.map_err(|error| error.with_request_id(request_id.map(ToOwned::to_owned)))
    }

    /// The secrets that the bank was sent with a request.
    fn sent(&self, prepared: &Prepared<'_>) -> Vec<Sent> {
        let mut sent = prepared.sent();
        sent.extend(self.issuer.client_secret().map(|secret| Sent::new(secret.expose())));
        sent
    }

    /// Digest, signature and request id of an answer.
    fn check_integrity(&self, prepared: &Prepared<'_>, answer: &HttpResponse) -> Result<ResponseSignature> {
        let digest_matches = match answer.header("digest") {
            Some(digest) => check_digest(digest, answer.body())?,
            None => false,
        };
        if self.bank.echo == crate::bank::EchoRule::Strict {
            let echoed = self.bank.request_id_header.as_deref().and_then(|name| answer.header(name));
            let sent = prepared.request_id.as_deref().unwrap_or_default();
            if echoed.is_some_and(|echoed| !echoed.trim().eq_ignore_ascii_case(sent)) {
                return Err(Error::new(
                    ErrorCode::EchoMismatch,
                    "The bank's answer carries the request id of another request; it is not a yes: ask the bank.",
                ));
            }
        }
        match (&self.verifier, answer.header("signature")) {
            (Some(verifier), _) => {
                verifier.verify(&prepared.request.uri, answer, digest_matches)?;
                Ok(ResponseSignature::Verified)
            }
            (None, Some(_)) => Ok(ResponseSignature::Unverified),
            (None, None) => Ok(ResponseSignature::Absent),
        }
    }

    /// A code works only at the bank and for the redirect URI it was asked with.
    fn check_pending(&self, pending: &PendingConsent) -> Result<()> {
        if pending.bank_id() == self.bank.id && pending.redirect_uri() == self.issuer.redirect_uri() {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::SavedState,
            "This pending consent was begun at another bank or with another redirect URI; complete it with the client that began it.",
        ))
    }
}

/// What a client needs from its parts before it can exist.
fn assemble(builder: ClientBuilder) -> Result<Client> {
    let ClientBuilder { bank, issuer, settings } = builder;
    bank.validate()?;
    settings.validate()?;
    let endpoints = bank.endpoints()?;
    if bank.client_authentication != ClientAuthentication::TlsClientAuth && issuer.client_secret().is_none() {
        let message = format!(
            "{} authenticates clients by a secret too; give the issuer its client secret.",
            bank.name
        );
        return Err(Error::new(ErrorCode::ClientSecret, message));
    }
    if settings.check_eligibility {
        let findings = issuer.check(&bank, settings.clock.now());
        if let Some((code, finding)) =
            findings.iter().find_map(|finding| Some((finding.error_code()?, finding)))
        {
            return Err(Error::new(code, finding.sentence.clone()));
        }
    }
    let signer = MessageSigner::new(&bank, &issuer)?;
    let transport = settings.transport(issuer.transport(), &bank.trust_anchors)?;
    let inner = Inner {
        authorize: endpoints.authorize,
        token: requests::uri(&endpoints.token)?,
        requests: Requests::new(&bank, &issuer, requests::uri(&endpoints.funds)?, signer)?,
        verifier: AnswerVerifier::new(&bank)?,
        transport,
        clock: settings.clock,
        entropy: settings.entropy,
        on_event: settings.on_event,
        timeout: settings.timeout,
        retries: settings.retries,
        bank,
        issuer,
    };
    Ok(Client(Arc::new(inner)))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("bank", &self.0.bank.id)
            .field("issuer", &self.0.issuer)
            .finish_non_exhaustive()
    }
}
