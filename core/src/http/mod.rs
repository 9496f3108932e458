//! How bytes travel: the [`Transport`] seam, the built-in transport, message signatures and masking.

pub(crate) mod masking;
mod transport;

pub use transport::{HttpRequest, HttpResponse, Transport, TransportContext};
