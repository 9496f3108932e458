//! Faults at random: every kind that the sandbox bank knows, about as often as the next.

use std::collections::BTreeMap;

use cbpii_sandbox::{Control, Endpoint, Fault, FaultRule, ServerCertificate, TlsVersions};
use serde_json::{Value, json};

use crate::Failure;

/// How many faults wait at an endpoint at most.
const AHEAD: usize = 40;
/// The longest a delayed answer takes, in milliseconds.
const LONGEST_DELAY: u64 = 2_000;

/// A supply of faults.
pub(crate) struct Faults {
    control: Control,
    random: fastrand::Rng,
    /// How probable a fault is at each request.
    share: f64,
}

impl Faults {
    /// `percent` of all requests, and of all connections, meet a fault.
    pub(crate) fn new(control: Control, seed: u64, percent: u64) -> Self {
        Self { control, random: fastrand::Rng::with_seed(seed), share: percent as f64 / 100.0 }
    }

    /// Sees to it that there are faults ahead at every endpoint that the library calls.
    pub(crate) fn top_up(&mut self) -> Result<(), Failure> {
        let waiting = self.control.faults();
        for endpoint in [Endpoint::Funds, Endpoint::Token, Endpoint::Connection] {
            for _ in waiting.iter().filter(|rule| rule.endpoint == endpoint).count()..AHEAD {
                let fault = match endpoint {
                    Endpoint::Connection => self.of_connection(),
                    _ => self.of_request(),
                };
                let after = self.gap();
                self.control.set_fault(FaultRule { after, ..FaultRule::once(endpoint, fault) })?;
            }
        }
        Ok(())
    }

    /// No more faults, and held requests go on.
    pub(crate) fn clear(&self) {
        self.control.clear_faults();
    }

    /// How many requests pass before the next fault: as many as if a die were cast at each, so that it does not matter
    /// when the faults that are ahead are cleared.
    fn gap(&mut self) -> u64 {
        // A number of requests, not negative and far below 2^52.
        (self.random.f64().ln() / (1.0 - self.share).ln()).floor().min(1e6) as u64
    }

    fn of_connection(&mut self) -> Fault {
        let certificates =
            [ServerCertificate::Expired, ServerCertificate::OtherHost, ServerCertificate::UnknownIssuer];
        match self.random.u8(0..5) {
            0 => Fault::ResetBeforeReading,
            1 => Fault::Stall,
            2 => Fault::Garbage,
            3 => Fault::ServerCertificate { certificate: self.one_of(&certificates) },
            _ => Fault::TlsVersions { versions: self.one_of(&[TlsVersions::Only12, TlsVersions::Only13]) },
        }
    }

    fn of_request(&mut self) -> Fault {
        let status = self.one_of(&[200, 400, 403, 404, 500, 502, 503, 504]);
        match self.random.u8(0..20) {
            0 => self.answer(),
            1 => {
                let location = "https://localhost:9/elsewhere".to_owned();
                Fault::Redirect { status: self.one_of(&[301, 302, 307, 308]), location }
            }
            2 => Fault::HtmlPage { status },
            3 => Fault::AnswerPatch { patch: Some(self.patch()), set: BTreeMap::new() },
            4 => self.headers(),
            5 => Fault::BadDigest,
            6 => Fault::BadSignature,
            7 => Fault::OtherRequestId,
            8 => Fault::DuplicateMembers,
            9 => Fault::InvalidUtf8,
            10 => Fault::TruncatedBody,
            11 => Fault::ResetMidAnswer,
            12 => Fault::StallAfterHeaders,
            13 => Fault::AnswerLost,
            14 => Fault::ResetBeforeReading,
            15 => Fault::Stall,
            16 => Fault::Garbage,
            17 => Fault::OversizedBody,
            18 => Fault::Hold,
            _ => Fault::Delay { milliseconds: self.random.u64(1..=LONGEST_DELAY) },
        }
    }

    /// Whole answers that are none: refusals, and a yes to a question that nobody asked.
    fn answer(&mut self) -> Fault {
        let yes = json!({
            "request": {
                "paymentCoverageRequestId": "C-another",
                "instructedAmount": {"currency": "EUR", "amount": "1.00"},
                "accountId": {"iban": crate::questions::iban(1)},
            },
            "result": true,
            "access_token": "", "token_type": "mac",
            "_links": {"self": {"href": "v1/funds-confirmations"}},
        });
        let status = self.one_of(&[200, 201, 204, 400, 401, 403, 408, 409, 429, 500, 503]);
        let body = if self.random.bool() { yes.to_string() } else { String::new() };
        let headers = match status {
            429 => vec![("retry-after".to_owned(), "0".to_owned())],
            _ => Vec::new(),
        };
        Fault::Answer { status, headers, content_type: Some("application/json".to_owned()), body }
    }

    /// Whatever makes an answer one to another question, or none. A token answer has no such members, and stays good.
    fn patch(&mut self) -> Value {
        self.one_of(&[
            json!({"result": null}),
            json!({"result": "true"}),
            json!({"result": 1}),
            json!({"_links": null}),
            json!({"request": {"paymentCoverageRequestId": "C-another"}}),
            json!({"request": {"instructedAmount": {"amount": "0.01"}}}),
            json!({"request": {"instructedAmount": {"currency": "USD"}}}),
            json!({"request": {"accountId": {"iban": "FR7613807008043001965405158"}}}),
        ])
    }

    /// Headers that leave an answer what it is.
    fn headers(&mut self) -> Fault {
        let headers = [("warning", "299 - \"this version ends\"".to_owned()), ("x-more", "y".repeat(2_000))];
        let (name, value) = self.one_of(&headers);
        Fault::AnswerHeaders { headers: BTreeMap::from([(name.to_owned(), Some(value))]) }
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.random.usize(0..choices.len())].clone()
    }
}
