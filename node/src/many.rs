//! The stream of many checks that the package's `confirmMany` is made of.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cbpii::FundsConfirmation;
use cbpii::many::{ConfirmMany, FundsCheck, ManyHandle, ManyOptions, confirm_many_with};
use napi_derive::napi;

use crate::call::{Crew, Limits, Outcome, Settler, direct};
use crate::convert::{Confirmation, confirmation, duration, millis};
use crate::error::ErrorFacts;
use crate::funds::FundsRequest;
use crate::session::Session;

/// A check goes by the number that the package gave it.
type Check = FundsCheck<u32>;

/// Many checks: they are sent one by one, and their outcomes come as they end.
#[napi]
pub struct Checks {
    /// None when no more checks come.
    feed: Mutex<Option<Sender<Check>>>,
    stream: Arc<Mutex<ConfirmMany<u32>>>,
    handle: ManyHandle,
    /// Waits for the next one that ends.
    crew: Arc<Crew>,
}

#[napi(catch_unwind)]
pub fn checks(
    settler: &Settler,
    max_in_flight: u32,
    timeout_ms: Option<f64>,
    max_pause_ms: f64,
) -> Outcome<Checks> {
    direct(|| {
        let mut options = ManyOptions::new(max_in_flight as usize).max_pause(duration(max_pause_ms));
        if let Some(millis) = timeout_ms {
            options = options.timeout(duration(millis));
        }
        let (feed, checks) = channel::<Check>();
        let stream = confirm_many_with(checks, &options)?;
        let handle = stream.handle();
        let (feed, stream) = (Mutex::new(Some(feed)), Arc::new(Mutex::new(stream)));
        Ok(Checks { feed, stream, handle, crew: Crew::new(settler, 1)? })
    })
}

/// A check that ended, with an answer or an error.
#[napi(object, object_from_js = false)]
pub struct Ended {
    pub number: u32,
    pub confirmation: Option<Confirmation>,
    pub error: Option<ErrorFacts>,
}

impl Ended {
    fn new(number: u32, outcome: cbpii::Result<FundsConfirmation>) -> Self {
        match outcome {
            Ok(answer) => Self { number, confirmation: Some(confirmation(answer)), error: None },
            Err(error) => Self { number, confirmation: None, error: Some(ErrorFacts::from(&error)) },
        }
    }
}

/// How far a stream has come.
#[napi(object, object_from_js = false)]
pub struct ProgressFacts {
    pub done: f64,
    pub yes: f64,
    pub no: f64,
    pub errors: f64,
    pub elapsed_ms: f64,
}

impl Checks {
    fn feed(&self) -> MutexGuard<'_, Option<Sender<Check>>> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[napi]
impl Checks {
    #[napi(catch_unwind)]
    pub fn send(&self, session: &Session, request: &FundsRequest, number: u32) {
        let check = Check { session: session.core.clone(), request: (*request.0).clone(), context: number };
        if let Some(feed) = &*self.feed() {
            // Nobody takes it when the stream was cancelled, and then nobody asks for it.
            let _ = feed.send(check);
        }
    }

    /// No more checks come.
    #[napi(catch_unwind)]
    pub fn finish(&self) {
        drop(self.feed().take());
    }

    /// Ends what is under way.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.handle.cancel();
        self.finish();
    }

    #[napi(catch_unwind, ts_return_type = "Soon<Ended | null>")]
    pub fn next(&self, call: u32) {
        let stream = Arc::clone(&self.stream);
        let job = move || Ok(stream.lock().unwrap_or_else(PoisonError::into_inner).next());
        self.crew.soon(call, &Limits::default(), job, |ended| {
            ended.map(|(check, outcome)| Ended::new(check.context, outcome))
        });
    }

    #[napi(catch_unwind)]
    pub fn progress(&self) -> ProgressFacts {
        let progress = self.handle.progress();
        ProgressFacts {
            done: progress.done as f64,
            yes: progress.yes as f64,
            no: progress.no as f64,
            errors: progress.errors as f64,
            elapsed_ms: millis(progress.elapsed),
        }
    }
}

impl Drop for Checks {
    fn drop(&mut self) {
        self.handle.cancel();
    }
}
