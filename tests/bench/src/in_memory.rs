//! A bank in memory: it answers every check by yes, without a network.

use cbpii::http::{HttpRequest, HttpResponse, Transport, TransportContext};
use cbpii::identity::{SignatureAlgorithm, Signer};

/// The account its answer speaks of.
pub(crate) const IBAN: &str = "FR7617515900000800358074006";
const BODY: &str = r#"{"request":{"paymentCoverageRequestId":"MyCoverage123456","instructedAmount":{"currency":"EUR","amount":"12.50"},"accountId":{"iban":"FR7617515900000800358074006"}},"result":true,"_links":{"self":{"href":"v1/funds-confirmations"}}}"#;

/// What a bank answers, with the headers banks send.
pub(crate) fn answer(request_id: &str) -> cbpii::Result<HttpResponse> {
    let headers = [
        ("content-type", "application/hal+json; charset=utf-8"),
        ("x-request-id", request_id),
        ("x-correlationid", "5f0c7a52-3f5e-4d0f-8a53-0123456789ab"),
        ("date", "Mon, 23 Nov 2026 13:11:00 GMT"),
        ("content-length", "231"),
    ];
    HttpResponse::new(200, headers, BODY.as_bytes().to_vec())
}

/// The bank in memory.
pub(crate) struct Memory;

impl Transport for Memory {
    fn exchange(&self, request: &HttpRequest, _: &TransportContext) -> cbpii::Result<HttpResponse> {
        let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok());
        answer(id.unwrap_or_default())
    }
}

/// A seal that has signed already.
pub(crate) struct Ready;

impl Signer for Ready {
    fn sign(&self, _: SignatureAlgorithm, _: &[u8]) -> cbpii::Result<Vec<u8>> {
        Ok(vec![7; 256])
    }

    fn algorithms(&self) -> Vec<SignatureAlgorithm> {
        vec![SignatureAlgorithm::RsaPkcs1Sha256]
    }
}
