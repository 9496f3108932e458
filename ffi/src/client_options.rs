//! The settings of a client.

use std::ffi::{c_char, c_void};
use std::sync::Arc;
use std::time::Duration;

use cbpii_core::{ClientBuilder, Clock, Error, ErrorCode, Result, Timestamp};

use crate::callback::{UserData, cbpii_destroy};
use crate::error::cbpii_error;
use crate::event::{EventFacts, cbpii_event_listener};
use crate::guard;
use crate::handle::{free, given_mut, handle, missing, out};
use crate::text::text;
use crate::transport::{self, cbpii_transport};

type Setting = Arc<dyn Fn(ClientBuilder) -> ClientBuilder + Send + Sync>;

/// The settings of a client. Each has a default that suits a checkout server.
pub struct cbpii_client_options {
    _opaque: [u8; 0],
}

handle!(cbpii_client_options => SettingFacts);

/// The settings that were made, in their order.
#[derive(Default)]
pub struct SettingFacts(Vec<Setting>);

impl SettingFacts {
    pub(crate) fn apply(&self, builder: ClientBuilder) -> ClientBuilder {
        self.0.iter().fold(builder, |builder, setting| setting(builder))
    }
}

/// A time in milliseconds, not negative.
pub(crate) fn duration(milliseconds: i64, argument: &str) -> Result<Duration> {
    u64::try_from(milliseconds).map(Duration::from_millis).map_err(|_| {
        Error::new(ErrorCode::Argument, format!("The argument {argument} is negative; pass milliseconds."))
    })
}

pub(crate) unsafe fn add(
    options: *mut cbpii_client_options,
    setting: impl Fn(ClientBuilder) -> ClientBuilder + Send + Sync + 'static,
) -> Result<()> {
    unsafe { given_mut(options, "options") }?.0.push(Arc::new(setting));
    Ok(())
}

/// The defaults.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_options_new(
    options: *mut *mut cbpii_client_options,
) -> *mut cbpii_error {
    guard::call(|| {
        out(options, "options")?.put_new(SettingFacts::default());
        Ok(())
    })
}

/// Sets the time a whole call may take, retries included, in milliseconds: 1 to 3 600 000, default 10 000.
///
/// Fails with request.argument; the range is checked when the client is made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_options_set_timeout(
    options: *mut cbpii_client_options,
    milliseconds: i64,
) -> *mut cbpii_error {
    guard::call(|| {
        let timeout = duration(milliseconds, "milliseconds")?;
        unsafe { add(options, move |builder| builder.timeout(timeout)) }
    })
}

/// Sets the time one connection, TLS handshake included, may take, in milliseconds: 1 to 3 600 000, default 5 000.
///
/// Fails with request.argument; the range is checked when the client is made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_options_set_connect_timeout(
    options: *mut cbpii_client_options,
    milliseconds: i64,
) -> *mut cbpii_error {
    guard::call(|| {
        let timeout = duration(milliseconds, "milliseconds")?;
        unsafe { add(options, move |builder| builder.connect_timeout(timeout)) }
    })
}

/// Sets how many unused connections are kept open per host. Default 32; 0 keeps none.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_options_set_max_idle_connections(
    options: *mut cbpii_client_options,
    count: usize,
) -> *mut cbpii_error {
    guard::call(|| unsafe { add(options, move |builder| builder.max_idle_connections(count)) })
}

/// Sets how long an unused connection is kept open, in milliseconds. Default 60 000.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_options_set_max_idle_age(
    options: *mut cbpii_client_options,
    milliseconds: i64,
) -> *mut cbpii_error {
    guard::call(|| {
        let age = duration(milliseconds, "milliseconds")?;
        unsafe { add(options, move |builder| builder.max_idle_age(age)) }
    })
}

/// Sets how often a funds check is sent again after a failure of the connection or a 502, 503 or 504: 0 to 5, default 1. It
/// never applies to a code exchange.
///
/// Fails with request.argument; the range is checked when the client is made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_options_set_retries(
    options: *mut cbpii_client_options,
    count: u32,
) -> *mut cbpii_error {
    guard::call(|| unsafe { add(options, move |builder| builder.retries(count)) })
}

/// Sets an http proxy that offers CONNECT, e.g. "http://user:password@proxy:3128". The environment's proxy is never used.
///
/// Fails with request.argument; the address is checked when the client is made.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_options_set_proxy(
    options: *mut cbpii_client_options,
    url: *const c_char,
) -> *mut cbpii_error {
    guard::call(|| {
        let url = unsafe { text(url, "url") }?.to_owned();
        unsafe { add(options, move |builder| builder.proxy(url.as_str())) }
    })
}

/// Sets whether certificates that make the issuer ineligible (no PSP_IC, expired, …) keep the client from being made.
/// Default true. Banks refuse such certificates anyway.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_options_set_check_eligibility(
    options: *mut cbpii_client_options,
    check: bool,
) -> *mut cbpii_error {
    guard::call(|| unsafe { add(options, move |builder| builder.check_eligibility(check)) })
}

/// Sets the caller's own HTTP stack. The transport is copied and taken over, also when this fails.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_options_set_transport(
    options: *mut cbpii_client_options,
    transport: *const cbpii_transport,
) -> *mut cbpii_error {
    guard::call(|| unsafe {
        let transport = Arc::new(transport::taken(transport)?);
        add(options, move |builder| builder.transport(Arc::clone(&transport)))
    })
}

/// Sets who is told about every HTTP exchange. `destroy` (may be NULL) is called once when `user_data` is needed no more,
/// also when this fails.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_options_set_event_listener(
    options: *mut cbpii_client_options,
    listener: cbpii_event_listener,
    user_data: *mut c_void,
    destroy: cbpii_destroy,
) -> *mut cbpii_error {
    guard::call(|| {
        let user_data = Arc::new(UserData::new(user_data, destroy));
        let listener = listener.ok_or_else(|| missing("listener"))?;
        let setting = move |builder: ClientBuilder| {
            let user_data = Arc::clone(&user_data);
            builder.on_event(move |event| {
                let event = EventFacts::tagged(event);
                // SAFETY: the event outlives the call, and the header says what the function may do with it.
                unsafe { listener(user_data.get(), event.as_ptr()) }
            })
        };
        unsafe { add(options, setting) }
    })
}

/// Gives the present time in milliseconds since 1970 (UTC). Called from any thread, several at once.
pub type cbpii_now = Option<unsafe extern "C" fn(user_data: *mut c_void) -> i64>;

struct ForeignClock {
    now: unsafe extern "C" fn(*mut c_void) -> i64,
    user_data: UserData,
}

impl Clock for ForeignClock {
    fn now(&self) -> Timestamp {
        // SAFETY: the header asks for a function that takes this pointer.
        Timestamp::from_unix_millis(unsafe { (self.now)(self.user_data.get()) })
    }
}

/// Sets another source of the present, for tests. `destroy` (may be NULL) is called once when `user_data` is needed no
/// more, also when this fails.
///
/// Fails with request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_options_set_clock(
    options: *mut cbpii_client_options,
    now: cbpii_now,
    user_data: *mut c_void,
    destroy: cbpii_destroy,
) -> *mut cbpii_error {
    guard::call(|| {
        let user_data = UserData::new(user_data, destroy);
        let clock = Arc::new(ForeignClock { now: now.ok_or_else(|| missing("now"))?, user_data });
        unsafe { add(options, move |builder| builder.clock(Arc::clone(&clock))) }
    })
}

/// Frees the options; clients that were made with them go on. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_client_options_free(options: *mut cbpii_client_options) {
    unsafe { free(options) }
}
