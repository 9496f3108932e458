//! One issuer at one bank.

use std::sync::Arc;

use cbpii::{Bank, ClientBuilder, Clock, ConsentOptions, Error, ErrorCode, SystemClock};
use napi::bindgen_prelude::{ClassInstance, Function, Unknown};
use napi_derive::napi;

use crate::call::{CancelToken, Crew, Limits, Outcome, Settler, direct};
use crate::clock::SetClock;
use crate::consent::{AuthorizationCode, PendingConsent, Tokens};
use crate::convert::{Explanation, confirmation, duration};
use crate::funds::{Asked, FundsRequest, asked};
use crate::identity::Issuer;
use crate::question::Listener;
use crate::transport::{Event, JsTransport, TransportFunction};

/// The options of a client; the package has checked their types.
#[napi(object, object_to_js = false)]
pub struct ClientOptions {
    pub timeout_ms: Option<f64>,
    pub connect_timeout_ms: Option<f64>,
    pub max_idle_connections: Option<u32>,
    pub max_idle_age_ms: Option<f64>,
    pub retries: Option<u32>,
    pub proxy: Option<String>,
    pub check_eligibility: Option<bool>,
    pub max_in_flight: u32,
    /// The present by a clock of the caller's, when there is one.
    pub now: Option<f64>,
}

impl ClientOptions {
    fn apply(&self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some(millis) = self.timeout_ms {
            builder = builder.timeout(duration(millis));
        }
        if let Some(millis) = self.connect_timeout_ms {
            builder = builder.connect_timeout(duration(millis));
        }
        if let Some(count) = self.max_idle_connections {
            builder = builder.max_idle_connections(count as usize);
        }
        if let Some(millis) = self.max_idle_age_ms {
            builder = builder.max_idle_age(duration(millis));
        }
        if let Some(count) = self.retries {
            builder = builder.retries(count);
        }
        if let Some(url) = &self.proxy {
            builder = builder.proxy(url);
        }
        builder.check_eligibility(self.check_eligibility.unwrap_or(true))
    }
}

/// What a client's connections have done so far.
#[napi(object, object_from_js = false)]
pub struct TransportStatistics {
    pub connections: f64,
    pub resumed: f64,
    pub name_lookups: f64,
}

/// One issuer at one bank.
#[napi]
pub struct Client {
    pub(crate) core: cbpii::Client,
    pub(crate) crew: Arc<Crew>,
    clock: Option<SetClock>,
}

impl Client {
    fn now(&self) -> cbpii::Timestamp {
        self.clock.as_ref().map_or_else(|| SystemClock.now(), Clock::now)
    }
}

type EventFunction<'env> = Function<'env, Event, Unknown<'static>>;

fn unusable(what: &str, error: &napi::Error) -> Error {
    Error::new(ErrorCode::Internal, format!("The {what} cannot be called: {error}."))
}

#[napi(catch_unwind)]
pub fn client(
    settler: &Settler,
    bank: String,
    issuer: &Issuer,
    options: ClientOptions,
    transport: Option<TransportFunction<'_>>,
    on_event: Option<EventFunction<'_>>,
) -> Outcome<Client> {
    direct(|| {
        let mut builder = options.apply(cbpii::Client::builder(Bank::from_json(&bank)?, issuer.0.clone()));
        let clock = options.now.map(SetClock::at);
        if let Some(clock) = &clock {
            builder = builder.clock(clock.clone());
        }
        if let Some(function) = &transport {
            builder =
                builder.transport(JsTransport::new(function).map_err(|error| unusable("transport", &error))?);
        }
        if let Some(function) = &on_event {
            let listener = Listener::new(function).map_err(|error| unusable("listener", &error))?;
            builder = builder.on_event(move |event| {
                // Nobody listens any more when the environment has ended.
                listener.tell(Event::from(event));
            });
        }
        let crew = Crew::new(settler, options.max_in_flight as usize)?;
        Ok(Client { core: builder.build()?, crew, clock })
    })
}

#[napi]
impl Client {
    /// Sets the caller's clock, when there is one.
    #[napi(catch_unwind)]
    pub fn set_clock(&self, now: f64) {
        if let Some(clock) = &self.clock {
            clock.set(now);
        }
    }

    #[napi(catch_unwind)]
    pub fn statistics(&self) -> Outcome<TransportStatistics> {
        direct(|| {
            let statistics = self.core.statistics();
            Ok(TransportStatistics {
                connections: statistics.connections as f64,
                resumed: statistics.resumed as f64,
                name_lookups: statistics.name_lookups as f64,
            })
        })
    }

    #[napi(catch_unwind)]
    pub fn begin_consent(&self, valid_for_ms: Option<f64>) -> Outcome<PendingConsent> {
        direct(|| {
            let mut options = ConsentOptions::default();
            if let Some(millis) = valid_for_ms {
                options = options.valid_for(duration(millis));
            }
            self.core.begin_consent(&options).map(PendingConsent)
        })
    }

    #[napi(catch_unwind)]
    pub fn explain(&self, request: &FundsRequest) -> Outcome<Explanation> {
        direct(|| Ok(Explanation::from(&self.core.explain(&request.0)?)))
    }

    #[napi(catch_unwind, ts_return_type = "Soon<Tokens>")]
    pub fn complete_consent(
        &self,
        call: u32,
        pending: &PendingConsent,
        callback_url: String,
        timeout_ms: Option<f64>,
        cancel: Option<ClassInstance<'_, CancelToken>>,
    ) {
        let limits = Limits::new(timeout_ms, cancel);
        let (client, pending, options) = (self.core.clone(), pending.0.clone(), limits.options());
        let (callback_url, now) = (cbpii::Secret::new(callback_url), self.now());
        let job = move || {
            let code = pending.complete_at(callback_url.expose(), now)?;
            client.exchange_code_with(&pending, &code, &options)
        };
        self.crew.soon(call, &limits, job, Tokens::from);
    }

    #[napi(catch_unwind, ts_return_type = "Soon<Tokens>")]
    pub fn exchange_code(
        &self,
        call: u32,
        pending: &PendingConsent,
        code: &AuthorizationCode,
        timeout_ms: Option<f64>,
        cancel: Option<ClassInstance<'_, CancelToken>>,
    ) {
        let limits = Limits::new(timeout_ms, cancel);
        let (client, options) = (self.core.clone(), limits.options());
        let (pending, code) = (pending.0.clone(), code.0.clone());
        let job = move || client.exchange_code_with(&pending, &code, &options);
        self.crew.soon(call, &limits, job, Tokens::from);
    }

    #[napi(catch_unwind, ts_return_type = "Soon<Tokens>")]
    pub fn refresh(
        &self,
        call: u32,
        tokens: &Tokens,
        timeout_ms: Option<f64>,
        cancel: Option<ClassInstance<'_, CancelToken>>,
    ) {
        let limits = Limits::new(timeout_ms, cancel);
        let (client, tokens, options) = (self.core.clone(), tokens.0.clone(), limits.options());
        self.crew.soon(call, &limits, move || client.refresh_with(&tokens, &options), Tokens::from);
    }

    #[napi(catch_unwind, ts_return_type = "Soon<Confirmation>")]
    pub fn confirm_funds(
        &self,
        call: u32,
        tokens: &Tokens,
        question: Asked<'_>,
        timeout_ms: Option<f64>,
        cancel: Option<ClassInstance<'_, CancelToken>>,
    ) {
        let limits = Limits::new(timeout_ms, cancel);
        let (client, options) = (self.core.clone(), limits.options());
        let (tokens, request) = (tokens.0.clone(), asked(question));
        let job = move || client.confirm_funds_with(&tokens, &*request()?, &options);
        self.crew.soon(call, &limits, job, confirmation);
    }

    #[napi(catch_unwind, ts_return_type = "Soon<number>")]
    pub fn warm_up(&self, call: u32, connections: u32) {
        let client = self.core.clone();
        let job = move || client.warm_up(connections as usize);
        self.crew.soon(call, &Limits::default(), job, |ready| ready as u32);
    }

    /// Panics in a call, so that a test can show what becomes of it.
    #[napi(catch_unwind, ts_return_type = "Soon<boolean>")]
    pub fn panic_soon(&self, call: u32) {
        self.crew.soon(
            call,
            &Limits::default(),
            || std::panic::panic_any("a panic on purpose"),
            |(): ()| true,
        );
    }

    /// Panics where the promise is settled, on the thread of the event loop.
    #[napi(catch_unwind, ts_return_type = "Soon<boolean>")]
    pub fn panic_late(&self, call: u32) {
        self.crew.soon(
            call,
            &Limits::default(),
            || Ok(()),
            |()| -> bool { std::panic::panic_any("a panic on purpose") },
        );
    }
}

/// Panics at once, likewise.
#[napi(catch_unwind)]
pub fn panic_at_once() -> Outcome<bool> {
    direct(|| std::panic::panic_any("a panic on purpose"))
}

/// Panics outside the core, likewise.
#[napi(catch_unwind)]
pub fn panic_outside() -> bool {
    std::panic::panic_any("a panic on purpose")
}
