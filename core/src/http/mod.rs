//! How bytes travel: the [`Transport`] seam, the built-in transport, message signatures and masking.

mod answer_body;
mod answer_head;
mod built_in;
mod connection;
mod dialer;
mod digest;
mod exchange;
mod incoming;
pub(crate) mod masking;
mod names;
#[cfg(any(test, fuzzing))]
mod pieces;
mod proxy;
mod scope;
mod signature;
mod tls;
mod transport;

pub(crate) use built_in::{BuiltInTransport, ConnectionOptions};
pub(crate) use digest::{check_digest, digest_header};
#[cfg(fuzzing)]
pub use exchange::read_answer;
pub(crate) use signature::{AnswerVerifier, MessageSigner};
pub use transport::{HttpRequest, HttpResponse, Transport, TransportContext, TransportStatistics};

/// The largest body of an answer, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// The error that an answer beyond every limit is.
fn too_large() -> crate::Error {
    crate::Error::new(
        crate::ErrorCode::AnswerTooLarge,
        "The bank's answer is larger than any valid one and was not read.",
    )
}

/// The error that something else than an answer is.
fn malformed() -> crate::Error {
    crate::Error::new(
        crate::ErrorCode::MalformedHttp,
        "What came from the bank's address is not a valid HTTP answer.",
    )
}
