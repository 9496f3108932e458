//! The signed request, and the look at its answer: the same for both clients.

use std::env;
use std::fs;
use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, USER_AGENT,
};
use reqwest::tls::{Certificate, Identity};
use reqwest::{StatusCode, Url};
use serde::{Deserialize, Serialize};

use crate::Failure;

pub const CONNECT: Duration = Duration::from_secs(5);
pub const CALL: Duration = Duration::from_secs(10);

/// From the environment, as all programs of the bench have it.
fn variable(name: &str) -> Result<String, Failure> {
    env::var(format!("BENCH_{name}")).map_err(|_| format!("the variable BENCH_{name} is not set").into())
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    payment_coverage_request_id: String,
    instructed_amount: Amount,
    account_id: Account,
}

#[derive(Deserialize, Serialize)]
struct Amount {
    currency: String,
    amount: String,
}

#[derive(Deserialize, Serialize)]
struct Account {
    iban: String,
}

#[derive(Deserialize)]
pub struct Answer {
    request: Question,
    result: bool,
}

/// Makes the requests of one issuer; shared by all.
pub struct Funds {
    pub url: Url,
    key: RsaKeyPair,
    random: SystemRandom,
    client_id: String,
    authorization: HeaderValue,
    question: Question,
}

impl Funds {
    pub fn from_environment() -> Result<Self, Failure> {
        let pem = fs::read_to_string(variable("SEAL_KEY")?)?;
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        Ok(Self {
            url: variable("FUNDS_URL")?.parse()?,
            key: RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(base64)?)?,
            random: SystemRandom::new(),
            client_id: variable("CLIENT_ID")?,
            authorization: format!("Bearer {}", variable("ACCESS_TOKEN")?).parse()?,
            question: Question {
                payment_coverage_request_id: variable("REFERENCE")?,
                instructed_amount: Amount { currency: "EUR".to_owned(), amount: variable("AMOUNT")? },
                account_id: Account { iban: variable("IBAN")? },
            },
        })
    }

    /// Body and headers of a new request.
    pub fn request(&self) -> Result<(Vec<u8>, HeaderMap), Failure> {
        let body = serde_json::to_vec(&self.question)?;
        let id = uuid::Uuid::new_v4();
        let date = httpdate::fmt_http_date(SystemTime::now());
        let digest = format!("SHA-256={}", BASE64_STANDARD.encode(digest(&SHA256, &body)));
        let path = self.url.path();
        let signed =
            format!("(request-target): post {path}\ndate: {date}\ndigest: {digest}\nx-request-id: {id}");
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &self.random, signed.as_bytes(), &mut signature)?;
        let signature = format!(
            r#"keyId="{}",algorithm="rsa-sha256",headers="(request-target) date digest x-request-id",signature="{}""#,
            self.client_id,
            BASE64_STANDARD.encode(signature)
        );
        let mut headers = HeaderMap::with_capacity(9);
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert("x-request-id", id.to_string().parse()?);
        headers.insert(DATE, date.parse()?);
        headers.insert("digest", digest.parse()?);
        headers.insert("signature", signature.parse()?);
        Ok((body, headers))
    }

    /// Fails unless this is a yes to our request.
    pub fn check(&self, status: StatusCode, answer: &Answer) -> Result<(), Failure> {
        let question = &self.question.payment_coverage_request_id;
        if status != StatusCode::OK || answer.request.payment_coverage_request_id != *question {
            return Err(format!("no answer, but {status}").into());
        }
        if answer.result { Ok(()) } else { Err("not a yes".into()) }
    }
}

/// The headers of every request.
pub fn constant_headers() -> HeaderMap {
    [
        (USER_AGENT, "cbpii/0.1.0"),
        (ACCEPT, "application/hal+json, application/json"),
        (ACCEPT_ENCODING, "identity"),
        (CONTENT_TYPE, "application/json"),
    ]
    .into_iter()
    .map(|(name, value)| (name, HeaderValue::from_static(value)))
    .collect()
}

/// The bank's CA and the client certificate, read once.
pub fn identity() -> Result<(Vec<Certificate>, Identity), Failure> {
    let roots = Certificate::from_pem_bundle(&fs::read(variable("CA")?)?)?;
    let mut pem = fs::read(variable("QWAC_KEY")?)?;
    pem.extend(fs::read(variable("QWAC_CHAIN")?)?);
    Ok((roots, Identity::from_pem(&pem)?))
}
