//! Consents kept alive.

use std::sync::Arc;

use cbpii::{CancelToken, Session, SessionOptions, SessionPool};

use crate::call::{RawCancelToken, direct, limits, soon};
use crate::client::{ClockedClient, RawClient};
use crate::error::RawFailure;
use crate::funds::{FundsConfirmation, RawFundsRequest};
use crate::mirror::mirror;
use crate::object::object;
use crate::store::RawSealedStore;
use crate::tokens::RawTokens;
use crate::values::{TimeSpan, Timestamp};

mirror! {
    /// How a consent stands.
    ConsentState of cbpii::ConsentState {
        /// Good, and its end is not near.
        Active,
        /// Good, and `renew_from` has passed.
        RenewSoon,
        /// Its days are over, or its access token has ended and the bank gave no refresh token.
        Expired,
        /// The bank still accepts the tokens, and its last word on a check was that this consent does not allow it.
        Refused,
        /// The bank does not accept the refresh token any more.
        Lost,
    }
}

mirror! {
    /// What is to be done next about a consent.
    NextAction of cbpii::NextAction {
        /// Nothing.
        None,
        /// The access token is at its end, or the outcome of a refresh is unknown. The next check sees to it.
        Refresh,
        /// Send the cardholder to the bank.
        RenewConsent,
    }
}

/// How a consent stands at one moment.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ConsentStatus {
    /// In one word.
    pub state: ConsentState,
    /// When the consent ends. Refreshing does not move it.
    pub consent_expires_at: Timestamp,
    /// From when on it should be renewed.
    pub renew_from: Timestamp,
    /// The whole days (24 hours) that are left, rounded down.
    pub days_left: i32,
    /// What is to be done.
    pub next_action: NextAction,
}

impl From<cbpii::ConsentStatus> for ConsentStatus {
    fn from(status: cbpii::ConsentStatus) -> Self {
        Self {
            state: status.state.into(),
            consent_expires_at: status.consent_expires_at,
            renew_from: status.renew_from,
            days_left: i32::try_from(status.days_left).unwrap_or(i32::MAX),
            next_action: status.next_action.into(),
        }
    }
}

mirror! {
    /// What happened to a consent.
    ConsentEvent of cbpii::session::ConsentEvent {
        /// Its tokens were handed over to be kept.
        Kept,
        /// A refresh was recorded as started, before the bank was asked.
        RefreshStarted,
        /// The bank gave new tokens.
        Refreshed,
        /// The bank was not reached, or refused without touching the consent: nothing has changed.
        RefreshFailed,
        /// No readable answer to a refresh came: it may have been done or not.
        OutcomeUnknown,
        /// The bank says that the consent does not allow the check.
        Refused,
        /// The bank answered a check again.
        Answered,
        /// The bank does not accept the refresh token any more.
        Lost,
    }
}

/// One moment of a consent's history.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ConsentMoment {
    /// When, by the clock of who recorded it.
    pub at: Timestamp,
    /// What happened.
    pub event: ConsentEvent,
    /// The code of the error that goes with it, if there is one.
    pub cause: Option<String>,
}

impl From<cbpii::session::ConsentMoment> for ConsentMoment {
    fn from(moment: cbpii::session::ConsentMoment) -> Self {
        Self {
            at: moment.at,
            event: moment.event.into(),
            cause: moment.cause.map(|code| code.as_str().to_owned()),
        }
    }
}

/// When a consent is refreshed and when it should be renewed; what is left out has its default.
#[derive(Clone, Debug, Default, uniffi::Record)]
pub struct RawSessionSettings {
    /// How long before its end an access token is refreshed. Default 60 s; at most one hour.
    #[uniffi(default = None)]
    pub refresh_margin: Option<TimeSpan>,
    /// How long before its end a consent should be renewed. Default 14 days; at most 3650.
    #[uniffi(default = None)]
    pub renew_before: Option<TimeSpan>,
    /// The time a refresh may take, whatever time the check that caused it has. Default 10 s; 1 s to 5 minutes.
    #[uniffi(default = None)]
    pub refresh_timeout: Option<TimeSpan>,
}

fn session_options(settings: &RawSessionSettings) -> cbpii::Result<SessionOptions> {
    let mut options = SessionOptions::default();
    if let Some(margin) = settings.refresh_margin {
        options = options.refresh_margin(margin.duration("refresh_margin")?);
    }
    if let Some(before) = settings.renew_before {
        options = options.renew_before(before.duration("renew_before")?);
    }
    if let Some(timeout) = settings.refresh_timeout {
        options = options.refresh_timeout(timeout.duration("refresh_timeout")?);
    }
    Ok(options)
}

/// A pool and its client.
#[derive(Clone)]
pub(crate) struct ClockedPool {
    pool: SessionPool,
    client: ClockedClient,
}

object! {
    /// The consents of one issuer at one bank.
    RawSessionPool(ClockedPool), |clocked| format!("SessionPool({})", clocked.pool.client().bank().id)
}

#[uniffi::export]
impl RawSessionPool {
    /// A client and a store.
    ///
    /// Throws `configuration.option`.
    #[uniffi::constructor]
    pub fn new(
        client: Arc<RawClient>,
        store: Arc<RawSealedStore>,
        settings: RawSessionSettings,
    ) -> Result<Arc<Self>, RawFailure> {
        direct(|| {
            let options = session_options(&settings)?;
            let client = client.inner.clone();
            let pool = SessionPool::with_options(client.client.clone(), store.inner.clone(), options)?;
            Ok(Self::of(ClockedPool { pool, client }))
        })
    }

    /// Keeps the tokens of a consent that was just given under `id` (1 to 255 bytes; it is stored in clear). A consent that was
    /// there is replaced: this is also how one is renewed.
    ///
    /// Throws `request.consent_id`; of kind `store`, and then nothing was kept.
    pub async fn keep(&self, id: String, tokens: Arc<RawTokens>) -> Result<Arc<RawSession>, RawFailure> {
        let ClockedPool { pool, client } = self.inner.clone();
        soon(CancelToken::new(), move || {
            client.ready()?;
            pool.keep(&id, &tokens.inner).map(|session| RawSession::of(ClockedSession { session, client }))
        })
        .await
    }

    /// The consent that is kept under `id`.
    ///
    /// Throws `consent.unknown`, `store.bank`, `request.consent_id`; of kind `store`.
    pub async fn open(&self, id: String) -> Result<Arc<RawSession>, RawFailure> {
        let ClockedPool { pool, client } = self.inner.clone();
        soon(CancelToken::new(), move || {
            pool.open(&id).map(|session| RawSession::of(ClockedSession { session, client }))
        })
        .await
    }

    /// Forgets a consent; false when there was none.
    ///
    /// Throws `request.consent_id`; of kind `store`.
    pub async fn forget(&self, id: String) -> Result<bool, RawFailure> {
        let pool = self.inner.pool.clone();
        soon(CancelToken::new(), move || pool.forget(&id)).await
    }
}

/// A session and its client.
#[derive(Clone)]
pub(crate) struct ClockedSession {
    session: Session,
    client: ClockedClient,
}

impl ClockedSession {
    /// The session, if its clock works.
    fn ready(&self) -> cbpii::Result<&Session> {
        self.client.ready()?;
        Ok(&self.session)
    }
}

object! {
    /// One cardholder's consent at one bank, kept alive.
    RawSession(ClockedSession), |clocked| format!("Session({})", clocked.session.id())
}

#[uniffi::export]
impl RawSession {
    /// The id the consent is kept under.
    pub fn id(&self) -> String {
        self.inner.session.id().to_owned()
    }

    /// Asks the bank whether the account covers the amount, with an access token that is refreshed before its end, or once
    /// after the bank refuses it. A refresh that takes longer than the time-out, or is cancelled, goes on without this call.
    ///
    /// Throws as `RawClient.confirm_funds` and `RawClient.refresh`; of kind `consent_required` when the cardholder has to go to
    /// the bank again; of kind `store` when a refresh is due and the store fails before the bank is asked.
    pub async fn confirm_funds(
        &self,
        request: Arc<RawFundsRequest>,
        timeout: Option<TimeSpan>,
        cancel: Option<Arc<RawCancelToken>>,
    ) -> Result<FundsConfirmation, RawFailure> {
        let session = self.inner.clone();
        let (options, token) = limits(timeout, cancel.as_deref())?;
        soon(token, move || {
            session.ready()?.confirm_funds_with(&request.inner, &options).map(FundsConfirmation::from)
        })
        .await
    }

    /// How the consent stands now, as far as this process knows. No I/O.
    ///
    /// Throws `internal`.
    pub fn status(&self) -> Result<ConsentStatus, RawFailure> {
        direct(|| Ok(self.inner.ready()?.status().into()))
    }

    /// What happened to the consent, oldest first: its last 16 moments.
    ///
    /// Throws `internal`.
    pub fn history(&self) -> Result<Vec<ConsentMoment>, RawFailure> {
        direct(|| Ok(self.inner.session.history().into_iter().map(ConsentMoment::from).collect()))
    }

    /// Reads the consent from the store again.
    ///
    /// Throws `consent.unknown`; of kind `store`.
    pub async fn reload(&self) -> Result<ConsentStatus, RawFailure> {
        let session = self.inner.clone();
        soon(CancelToken::new(), move || session.ready()?.reload().map(ConsentStatus::from)).await
    }

    /// Whether fresh tokens wait in memory because the store could not take them: the process should not end before the store
    /// works again.
    pub fn has_unsaved_tokens(&self) -> bool {
        self.inner.session.has_unsaved_tokens()
    }
}
