//! How bytes travel: the [`Transport`] seam, the built-in transport, message signatures and masking.

mod connection;
mod connector;
mod digest;
pub(crate) mod masking;
mod names;
mod scope;
mod signature;
mod tls;
mod transport;
mod ureq_transport;

pub(crate) use digest::{check_digest, digest_header};
pub(crate) use signature::{AnswerVerifier, MessageSigner};
pub use transport::{HttpRequest, HttpResponse, Transport, TransportContext, TransportStatistics};
pub(crate) use ureq_transport::{ConnectionOptions, UreqTransport};

/// The largest body of an answer, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// The error that an answer beyond every limit is.
fn too_large() -> crate::Error {
    crate::Error::new(
        crate::ErrorCode::AnswerTooLarge,
        "The bank's answer is larger than any valid one and was not read.",
    )
}
