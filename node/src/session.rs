//! Consents kept alive.

use std::sync::Arc;

use cbpii::SessionPool;
use cbpii::session::{ConsentStatus, SessionOptions};
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;

use crate::call::{CancelToken, Crew, Limits, Outcome, direct};
use crate::client::Client;
use crate::consent::Tokens;
use crate::convert::{confirmation, duration, moment};
use crate::funds::{Asked, asked};
use crate::store::SealedStore;

/// How a consent stands at one moment.
#[napi(object, object_from_js = false)]
pub struct Status {
    pub state: String,
    pub consent_expires_at: f64,
    pub renew_from: f64,
    pub days_left: u32,
    pub next_action: String,
}

impl From<ConsentStatus> for Status {
    fn from(status: ConsentStatus) -> Self {
        Self {
            state: status.state.as_str().to_owned(),
            consent_expires_at: moment(status.consent_expires_at),
            renew_from: moment(status.renew_from),
            days_left: status.days_left,
            next_action: status.next_action.as_str().to_owned(),
        }
    }
}

/// One moment of a consent's history.
#[napi(object, object_from_js = false)]
pub struct Moment {
    pub at: f64,
    pub event: String,
    pub cause: Option<String>,
}

/// One cardholder's consent at one bank.
#[napi]
pub struct Session {
    pub(crate) core: cbpii::Session,
    crew: Arc<Crew>,
}

#[napi]
impl Session {
    #[napi(catch_unwind)]
    pub fn id(&self) -> String {
        self.core.id().to_owned()
    }

    #[napi(catch_unwind, ts_return_type = "Soon<Confirmation>")]
    pub fn confirm_funds(
        &self,
        call: u32,
        question: Asked<'_>,
        timeout_ms: Option<f64>,
        cancel: Option<ClassInstance<'_, CancelToken>>,
    ) {
        let limits = Limits::new(timeout_ms, cancel);
        let (session, request, options) = (self.core.clone(), asked(question), limits.options());
        let job = move || session.confirm_funds_with(&*request()?, &options);
        self.crew.soon(call, &limits, job, confirmation);
    }

    #[napi(catch_unwind)]
    pub fn status(&self) -> Outcome<Status> {
        direct(|| Ok(self.core.status().into()))
    }

    #[napi(catch_unwind)]
    pub fn history(&self) -> Outcome<Vec<Moment>> {
        direct(|| {
            let history = self.core.history();
            let facts = |one: &cbpii::session::ConsentMoment| Moment {
                at: moment(one.at),
                event: one.event.as_str().to_owned(),
                cause: one.cause.map(|code| code.as_str().to_owned()),
            };
            Ok(history.iter().map(facts).collect())
        })
    }

    #[napi(catch_unwind)]
    pub fn has_unsaved_tokens(&self) -> Outcome<bool> {
        direct(|| Ok(self.core.has_unsaved_tokens()))
    }

    #[napi(catch_unwind, ts_return_type = "Soon<Status>")]
    pub fn reload(&self, call: u32) {
        let session = self.core.clone();
        self.crew.soon(call, &Limits::default(), move || session.reload(), Status::from);
    }
}

/// The sessions of one client.
#[napi]
pub struct Pool {
    core: SessionPool,
    crew: Arc<Crew>,
}

#[napi(catch_unwind)]
pub fn pool(
    client: &Client,
    store: &SealedStore,
    refresh_margin_ms: f64,
    renew_before_ms: f64,
    refresh_timeout_ms: f64,
) -> Outcome<Pool> {
    direct(|| {
        let options = SessionOptions::default()
            .refresh_margin(duration(refresh_margin_ms))
            .renew_before(duration(renew_before_ms))
            .refresh_timeout(duration(refresh_timeout_ms));
        let core = SessionPool::with_options(client.core.clone(), store.core.clone(), options)?;
        Ok(Pool { core, crew: Arc::clone(&client.crew) })
    })
}

impl Pool {
    fn sessions(&self) -> impl FnOnce(cbpii::Session) -> Session + Send + use<> {
        let crew = Arc::clone(&self.crew);
        move |core| Session { core, crew }
    }
}

#[napi]
impl Pool {
    #[napi(catch_unwind, ts_return_type = "Soon<Session>")]
    pub fn keep(&self, call: u32, id: String, tokens: &Tokens) {
        let (pool, tokens) = (self.core.clone(), tokens.0.clone());
        self.crew.soon(call, &Limits::default(), move || pool.keep(&id, &tokens), self.sessions());
    }

    #[napi(catch_unwind, ts_return_type = "Soon<Session>")]
    pub fn open(&self, call: u32, id: String) {
        let pool = self.core.clone();
        self.crew.soon(call, &Limits::default(), move || pool.open(&id), self.sessions());
    }

    #[napi(catch_unwind, ts_return_type = "Soon<boolean>")]
    pub fn forget(&self, call: u32, id: String) {
        let pool = self.core.clone();
        self.crew.soon(call, &Limits::default(), move || pool.forget(&id), |was_there| was_there);
    }
}
