//! One confirmation without the network: build, digest, sign, parse. Run it with `cargo bench -p cbpii-bench`.
//!
//! - `confirmation` is the whole call over a transport that answers from memory.
//! - `all_but_rsa` is the same with a seal that gives a ready-made signature, so that the RSA operation, which is
//!   fifty times all the rest, does not hide it.
//! - `answer_alone` is what making the answer in memory costs: it belongs to the bench, not to the library, and is
//!   to be subtracted from both.
//! - `rsa_alone` is the RSA operation on a message of the same size, by the same library.

#[path = "../src/in_memory.rs"]
mod in_memory;

use std::error::Error;
use std::sync::Arc;

use cbpii::funds::{Amount, Iban};
use cbpii::identity::{CertificateChain, SealIdentity};
use cbpii::{
    Bank, Client, Clock as _, Environment, FundsConfirmation, FundsRequest, Issuer, SystemClock, Tokens,
};
use divan::{AllocProfiler, Bencher, black_box};
use in_memory::{Memory, Ready, answer};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const REQUEST_ID: &str = "9f1b8c1e-6f0f-4a44-9d52-0123456789ab";

fn main() {
    divan::main();
}

struct Call {
    client: Client,
    tokens: Tokens,
    request: FundsRequest,
}

impl Call {
    fn new(seal: SealIdentity) -> Result<Self, Box<dyn Error>> {
        let bank = Bank::bpce("17515", Environment::Sandbox)?;
        let issuer = Issuer::new("PSDFR-ACPR-12345", "https://issuer.example/callback")?.with_seal(seal);
        let client = Client::builder(bank, issuer).check_eligibility(false).transport(Memory).build()?;
        let now = SystemClock.now();
        let tokens = Tokens::new("2YotnFZFEjr1zCsicMWpAA2YotnFZFEjr1zCsicMWpAA", None, now, None, now)?;
        let request = FundsRequest::new(
            "MyCoverage123456",
            Iban::parse(in_memory::IBAN)?,
            Amount::new("12.50", "EUR")?,
        )?;
        Ok(Self { client, tokens, request })
    }

    fn make(&self) -> cbpii::Result<FundsConfirmation> {
        self.client.confirm_funds(&self.tokens, &self.request)
    }
}

/// A seal of RSA 2048, made for this run: its certificate and key as PEM, and the key as DER.
fn seal() -> Result<(String, String, Vec<u8>), Box<dyn Error>> {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?;
    let certificate = rcgen::CertificateParams::new(Vec::new())?.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem(), key.serialize_der()))
}

fn measure(bencher: Bencher<'_, '_>, call: Result<Call, Box<dyn Error>>) {
    let call = must(call);
    must(call.make().map_err(Into::into));
    bencher.bench_local(|| black_box(call.make()));
}

/// A bench that cannot be set up ends the run.
fn must<T>(outcome: Result<T, Box<dyn Error>>) -> T {
    outcome.unwrap_or_else(|error| panic!("{error}"))
}

#[divan::bench(sample_count = 300)]
fn confirmation(bencher: Bencher<'_, '_>) {
    let call = seal().and_then(|(certificate, key, _)| {
        Call::new(SealIdentity::from_pem(certificate.as_bytes(), key.as_bytes(), None)?)
    });
    measure(bencher, call);
}

#[divan::bench(sample_count = 2000)]
fn all_but_rsa(bencher: Bencher<'_, '_>) {
    let call = seal().and_then(|(certificate, _, _)| {
        let chain = CertificateChain::from_pem(certificate.as_bytes())?;
        Call::new(SealIdentity::with_signer(chain, Arc::new(Ready)))
    });
    measure(bencher, call);
}

#[divan::bench(sample_count = 2000)]
fn answer_alone(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| black_box(answer(black_box(REQUEST_ID))));
}

#[divan::bench(sample_count = 300)]
fn rsa_alone(bencher: Bencher<'_, '_>) {
    let (_, _, der) = must(seal());
    let key = must(RsaKeyPair::from_pkcs8(&der).map_err(|error| error.to_string().into()));
    let (random, message) = (SystemRandom::new(), [b'x'; 230]);
    bencher.bench_local(|| {
        let mut signature = vec![0; key.public().modulus_len()];
        let signed = key.sign(&RSA_PKCS1_SHA256, &random, black_box(&message), &mut signature);
        (signed.is_ok(), black_box(signature))
    });
}
