//! Questions to JavaScript: a thread of ours asks, waits, and is answered.
//!
//! A question is an object with a way to answer it. When its environment ends, when it is collected without an answer,
//! or when it never gets there, it is dropped, and whoever waits is told at once: nobody waits for ever.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use cbpii::{Error, ErrorCode};
use napi::Status;
use napi::bindgen_prelude::{Function, ToNapiValue, Unknown};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};

use crate::call::{End, end_of_call};

/// What a callback threw: a reference that any thread may hold and drop.
pub(crate) type Cause = napi::Error;

/// How often one who waits looks whether the call was cancelled.
const GLANCE: Duration = Duration::from_millis(10);
/// How long one waits when the call itself has no end: a refresh, which nobody cancels.
const LONGEST: Duration = Duration::from_secs(60);

/// A function of JavaScript that is told things, from any thread. It does not keep the process alive.
pub(crate) struct Listener<Q: ToNapiValue + 'static> {
    function: ThreadsafeFunction<Q, Unknown<'static>, Q, Status, false, true>,
    home: ThreadId,
}

impl<Q: ToNapiValue + 'static> Listener<Q> {
    /// To be made on the thread of the event loop.
    pub(crate) fn new(function: &Function<'_, Q, Unknown<'static>>) -> napi::Result<Self> {
        let function =
            function.build_threadsafe_function::<Q>().weak::<true>().build_callback(|told| Ok(told.value))?;
        Ok(Self { function, home: std::thread::current().id() })
    }

    /// Tells it something, without waiting. False when its environment has ended.
    pub(crate) fn tell(&self, what: Q) -> bool {
        self.function.call(what, ThreadsafeFunctionCallMode::NonBlocking) == Status::Ok
    }

    /// Asks it something and waits for the answer, as long as the call may last.
    pub(crate) fn ask<A>(&self, question: impl FnOnce(Reply<A>) -> Q) -> cbpii::Result<A> {
        self.ask_until(question, &end_of_call(), || {})
    }

    /// The same, with an end of its own; `withdraw` is called when the answer is not wanted any more.
    pub(crate) fn ask_until<A>(
        &self,
        question: impl FnOnce(Reply<A>) -> Q,
        end: &End,
        withdraw: impl FnOnce(),
    ) -> cbpii::Result<A> {
        if std::thread::current().id() == self.home {
            let message =
                "A callback in JavaScript is needed by the thread that would run it; please report it.";
            return Err(Error::new(ErrorCode::Internal, message));
        }
        let (sender, receiver) = sync_channel(1);
        if !self.tell(question(Reply(Mutex::new(Some(sender))))) {
            return Err(ending());
        }
        wait(&receiver, end).inspect_err(|error| {
            if matches!(error.code(), ErrorCode::Cancelled | ErrorCode::TotalTimeout) {
                withdraw();
            }
        })
    }
}

fn wait<A>(receiver: &Receiver<cbpii::Result<A>>, end: &End) -> cbpii::Result<A> {
    let deadline = end.deadline.unwrap_or_else(|| Instant::now() + LONGEST);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(left.min(GLANCE)) {
            Ok(answer) => return answer,
            Err(RecvTimeoutError::Disconnected) => return Err(ending()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if end.cancel.as_ref().is_some_and(cbpii::CancelToken::is_cancelled) {
            let message = "The call was cancelled while it waited for a callback.";
            return Err(Error::new(ErrorCode::Cancelled, message));
        }
        if left.is_zero() {
            let message = "The time ran out while the call waited for a callback (signer, transport or store); this is not a \"no\": make the callback faster, or give the call more time.";
            return Err(Error::new(ErrorCode::TotalTimeout, message));
        }
    }
}

/// What a callback would be needed for while its environment ends.
fn ending() -> Error {
    let message =
        "The JavaScript environment is ending, so that no callback answers any more; the call was given up.";
    Error::new(ErrorCode::Cancelled, message)
}

/// The way to answer a question, once.
pub(crate) struct Reply<A>(Mutex<Option<SyncSender<cbpii::Result<A>>>>);

impl<A> Reply<A> {
    /// Answers. Whoever does not wait any more does not hear it.
    pub(crate) fn give(&self, answer: cbpii::Result<A>) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            let _ = sender.send(answer);
        }
    }
}
