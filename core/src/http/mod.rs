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
