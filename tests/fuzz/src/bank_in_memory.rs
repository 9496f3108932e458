//! A client whose bank answers from memory at a moment that stands still, and the question it is asked.

use std::sync::LazyLock;

use cbpii::http::{HttpRequest, HttpResponse, Transport, TransportContext};
use cbpii::{
    Account, AccountScheme, Amount, Bank, Client, Clock, FundsRequest, Iban, Issuer, PendingConsent, Result,
    Secret, Timestamp, Tokens,
};

use crate::secrets::{ACCESS_TOKEN, IBAN, REFRESH_TOKEN, STATE, VERIFIER};

pub const CLIENT_ID: &str = "PSDFR-ACPR-12345";
pub const REDIRECT_URI: &str = "https://issuer.example/psd2/callback";
/// Where the bank's authorization server is.
pub const ORIGIN: &str = "https://www.17515.sandbox.api.89c3.com";
pub const REFERENCE: &str = "MyCoverage123456";
pub const CURRENCY: &str = "EUR";
/// 12.50: digits, and what the last one is worth.
pub const AMOUNT: (&str, i64) = ("125", -1);
/// A yes to the question about the IBAN.
pub const YES: &[u8] = br#"{"request":{"paymentCoverageRequestId":"MyCoverage123456","instructedAmount":{"currency":"EUR","amount":"12.50"},"accountId":{"iban":"FR7617515900000800358074006"}},"result":true,"_links":{}}"#;
/// The account when it is no IBAN: the number of a card.
pub const CARD: &str = "4970101234567890";

/// How the account that is asked about is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Iban,
    Card,
}

/// Answers every request alike.
pub struct Canned(pub HttpResponse);

impl Transport for Canned {
    fn exchange(&self, _: &HttpRequest, _: &TransportContext) -> Result<HttpResponse> {
        Ok(self.0.clone())
    }
}

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// The present.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_795_439_100)
}

/// The record of 89C3 without a signature, changed by the members that `patch` holds.
///
/// # Panics
/// When the patch is none.
#[must_use]
pub fn bank(patch: &str) -> Bank {
    let record = format!(r#"{{"base":"bpce-17515","environment":"sandbox","signature":null{patch}}}"#);
    Bank::from_json(&record).expect("a bank record")
}

/// A client of this bank, which answers thus.
///
/// # Panics
/// When the bank wants more than an identifier.
#[must_use]
pub fn client(bank: &Bank, answer: HttpResponse) -> Client {
    let issuer = Issuer::new(CLIENT_ID, REDIRECT_URI).expect("an issuer");
    let builder = Client::builder(bank.clone(), issuer).clock(At(now())).check_eligibility(false);
    builder.transport(Canned(answer)).build().expect("a client")
}

/// An answer, unless HTTP does not allow it.
#[must_use]
pub fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Option<HttpResponse> {
    HttpResponse::new(status, headers.iter().copied(), body.to_vec()).ok()
}

/// Tokens that last.
///
/// # Panics
/// Never.
#[must_use]
pub fn tokens() -> Tokens {
    tokens_of(ACCESS_TOKEN)
}

/// Tokens that last, with this access token.
///
/// # Panics
/// When it can be none.
#[must_use]
pub fn tokens_of(access_token: &str) -> Tokens {
    let refresh = Some(Secret::new(REFRESH_TOKEN));
    Tokens::new(access_token, refresh, now(), None, now()).expect("tokens")
}

/// A consent that is being asked for, with PKCE; it ends ten minutes from now.
///
/// # Panics
/// Never.
#[must_use]
pub fn pending() -> PendingConsent {
    static SAVED: LazyLock<String> = LazyLock::new(|| {
        format!(
            r#"{{"v":1,"bank_id":"bpce-17515","url":"{ORIGIN}/stet/psd2/oauth/authorize","state":"{STATE}",
                "code_verifier":"{VERIFIER}","redirect_uri":"{REDIRECT_URI}","issuer":"{ORIGIN}",
                "created_at":"{}","expires_at":"{}"}}"#,
            now(),
            ends_at()
        )
    });
    PendingConsent::from_json(&SAVED).expect("a pending consent")
}

/// When the pending consent ends.
#[must_use]
pub fn ends_at() -> Timestamp {
    Timestamp::from_unix_seconds(1_795_439_100 + 600)
}

/// The question: does the account cover 12.50 EUR?
///
/// # Panics
/// Never.
#[must_use]
pub fn question(asked: Asked) -> FundsRequest {
    let account = match asked {
        Asked::Iban => Account::iban(Iban::parse(IBAN).expect("an IBAN")),
        Asked::Card => Account::other(CARD, AccountScheme::Cpan, None).expect("an account"),
    };
    let amount = Amount::new("12.50", CURRENCY).expect("an amount");
    FundsRequest::new(REFERENCE, account, amount).expect("a request")
}
