//! Signers written in JavaScript.

use cbpii::identity::{SignatureAlgorithm, Signer};
use cbpii::{ErrorCode, RequestSent};
use napi::bindgen_prelude::{Buffer, Function, Unknown};
use napi_derive::napi;

use crate::error::Thrown;
use crate::question::{Listener, Reply};

/// What a signer is asked to sign.
#[napi]
pub struct Signing {
    algorithm: SignatureAlgorithm,
    message: Vec<u8>,
    reply: Reply<Vec<u8>>,
}

#[napi]
impl Signing {
    #[napi(catch_unwind)]
    pub fn algorithm(&self) -> String {
        self.algorithm.as_str().to_owned()
    }

    #[napi(catch_unwind)]
    pub fn message(&self) -> Buffer {
        self.message.clone().into()
    }

    #[napi(catch_unwind)]
    pub fn signed(&self, signature: &[u8]) {
        self.reply.give(Ok(signature.to_vec()));
    }

    #[napi(catch_unwind)]
    pub fn failed(&self, thrown: Thrown<'_>) {
        let error = thrown.into_error(ErrorCode::SignerFailed).with_request_sent(RequestSent::No);
        self.reply.give(Err(error));
    }
}

/// A signer whose signatures are made by a function of JavaScript.
pub(crate) struct JsSigner {
    sign: Listener<Signing>,
    algorithms: Vec<SignatureAlgorithm>,
}

impl JsSigner {
    pub(crate) fn new(
        sign: &Function<'_, Signing, Unknown<'static>>,
        algorithms: Vec<SignatureAlgorithm>,
    ) -> napi::Result<Self> {
        Ok(Self { sign: Listener::new(sign)?, algorithms })
    }
}

impl Signer for JsSigner {
    fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> cbpii::Result<Vec<u8>> {
        self.sign.ask(|reply| Signing { algorithm, message: message.to_vec(), reply })
    }

    fn algorithms(&self) -> Vec<SignatureAlgorithm> {
        self.algorithms.clone()
    }
}
