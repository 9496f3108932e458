//! What can go wrong when the sandbox is started or driven.

use std::io;

/// Why the sandbox could not do what a test asked of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// Sockets, files and threads.
    #[error("sandbox: {0}")]
    Io(#[from] io::Error),
    /// Keys and certificates could not be made.
    #[error("sandbox certificates: {0}")]
    Pki(String),
    /// TLS could not be set up.
    #[error("sandbox TLS: {0}")]
    Tls(#[from] tokio_rustls::rustls::Error),
    /// An option, a settings patch or a fault that does not make sense.
    #[error("sandbox configuration: {0}")]
    Configuration(String),
    /// The consent journey did not end where it was meant to end.
    #[error("sandbox consent: {0}")]
    Consent(String),
}

impl From<rcgen::Error> for SandboxError {
    fn from(error: rcgen::Error) -> Self {
        SandboxError::Pki(error.to_string())
    }
}
