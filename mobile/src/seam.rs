//! What can be implemented in Kotlin and Swift: signer, clock, listener. (Transport and store have files of their own.)

use std::sync::Arc;

use cbpii::identity::Signer;
use cbpii::{Clock, ErrorCode, SystemClock};

use crate::error::SeamFailure;
use crate::mirror::mirror;
use crate::values::{TimeSpan, Timestamp};

mirror! {
    /// A way to sign: the kind of key, the padding and the hash.
    SignatureAlgorithm of cbpii::identity::SignatureAlgorithm {
        /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2): what banks mean by `rsa-sha256`.
        RsaPkcs1Sha256,
        /// RSASSA-PKCS1-v1_5 with SHA-384.
        RsaPkcs1Sha384,
        /// RSASSA-PKCS1-v1_5 with SHA-512.
        RsaPkcs1Sha512,
        /// RSASSA-PSS with SHA-256, MGF1 of the same hash and a salt as long as the hash (RFC 8017 §8.1): what TLS 1.3 uses
        /// with RSA keys.
        RsaPssSha256,
        /// RSASSA-PSS with SHA-384, likewise.
        RsaPssSha384,
        /// RSASSA-PSS with SHA-512, likewise.
        RsaPssSha512,
        /// ECDSA on P-256 with SHA-256; the signature is the ASN.1 form of RFC 3279 §2.2.3.
        EcdsaP256Sha256,
        /// ECDSA on P-384 with SHA-384; the signature is the ASN.1 form of RFC 3279 §2.2.3.
        EcdsaP384Sha384,
    }
}

/// Signs with a private key that this library need not see: in the Android Keystore, the Secure Enclave, an HSM. Called from
/// threads of this library, several at once.
#[uniffi::export(with_foreign)]
pub trait RawSigner: Send + Sync {
    /// Signs `message` (not its hash) with one of the algorithms and returns the bare signature.
    fn sign(&self, algorithm: SignatureAlgorithm, message: Vec<u8>) -> Result<Vec<u8>, SeamFailure>;

    /// The algorithms this signer offers, the preferred one first. Asked for once.
    fn algorithms(&self) -> Result<Vec<SignatureAlgorithm>, SeamFailure>;
}

/// A signer of the other side, as the core has it.
pub(crate) struct ForeignSigner {
    signer: Arc<dyn RawSigner>,
    algorithms: Vec<cbpii::identity::SignatureAlgorithm>,
}

impl ForeignSigner {
    pub(crate) fn of(signer: Arc<dyn RawSigner>) -> cbpii::Result<Arc<dyn Signer>> {
        let algorithms = signer.algorithms().map_err(failed)?.into_iter().map(Into::into).collect();
        Ok(Arc::new(Self { signer, algorithms }))
    }
}

fn failed(failure: SeamFailure) -> cbpii::Error {
    failure.into_error(ErrorCode::SignerFailed, "signer")
}

impl Signer for ForeignSigner {
    fn sign(&self, algorithm: cbpii::identity::SignatureAlgorithm, message: &[u8]) -> cbpii::Result<Vec<u8>> {
        // An algorithm the mirror does not know was not offered.
        self.signer.sign(algorithm.into(), message.to_vec()).map_err(failed)
    }

    fn algorithms(&self) -> Vec<cbpii::identity::SignatureAlgorithm> {
        self.algorithms.clone()
    }
}

/// Where the present comes from; tests bring their own. It is asked before every call, and when it throws then, the call fails.
#[uniffi::export(with_foreign)]
pub trait RawClock: Send + Sync {
    /// The present moment. When it throws in the middle of a call, the device's clock is taken: no answer of a bank is lost for
    /// it.
    fn now(&self) -> Result<Timestamp, SeamFailure>;
}

/// A clock of the other side, as the core has it.
#[derive(Clone)]
pub(crate) struct ForeignClock(pub(crate) Arc<dyn RawClock>);

impl ForeignClock {
    /// Whether the clock works at all.
    pub(crate) fn check(&self) -> cbpii::Result<()> {
        self.0.now().map(drop).map_err(|failure| failure.into_error(ErrorCode::OptionValue, "clock"))
    }
}

impl Clock for ForeignClock {
    fn now(&self) -> Timestamp {
        self.0.now().unwrap_or_else(|_| SystemClock.now())
    }
}

mirror! {
    /// What was being done.
    Operation of cbpii::Operation {
        /// An authorization code is exchanged for tokens.
        ExchangeCode,
        /// Tokens are refreshed.
        Refresh,
        /// Funds are checked.
        ConfirmFunds,
    }
}

/// One HTTP exchange that ended, well or not. A call that was retried tells more than one. Nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Event {
    /// What was being done.
    pub operation: Operation,
    /// The id of the bank.
    pub bank_id: String,
    /// The `X-Request-ID`, when the request had one.
    pub request_id: Option<String>,
    /// Counts the attempts of one call, from one.
    pub attempt: i32,
    /// How long this exchange took.
    pub duration: TimeSpan,
    /// The status, when an answer came.
    pub http_status: Option<i32>,
    /// The code of the error, when it failed.
    pub error: Option<String>,
}

impl From<&cbpii::Event<'_>> for Event {
    fn from(event: &cbpii::Event<'_>) -> Self {
        Self {
            operation: event.operation.into(),
            bank_id: event.bank_id.to_owned(),
            request_id: event.request_id.map(ToOwned::to_owned),
            attempt: i32::try_from(event.attempt).unwrap_or(i32::MAX),
            duration: event.duration.into(),
            http_status: event.http_status.map(i32::from),
            error: event.error.map(|code| code.as_str().to_owned()),
        }
    }
}

/// Told of every HTTP exchange, on the thread that made it. It must be quick.
///
/// It is told what has happened already, so what it throws changes nothing: an answer of a bank is not given up for its log.
#[uniffi::export(with_foreign)]
pub trait RawEventListener: Send + Sync {
    /// An exchange ended.
    fn on_event(&self, event: Event) -> Result<(), SeamFailure>;
}
