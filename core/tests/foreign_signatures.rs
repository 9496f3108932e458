//! Signatures as they come over the wire are read by two foreign implementations (`tests/verifiers`): genuine ones are
//! accepted, and nothing that was tampered with is.

mod common;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cbpii::bank::SignatureDialect;
use cbpii::identity::CertificateReport;
use cbpii::{Bank, Client, Environment, PsuContext};
use cbpii_sandbox::{Endpoint, Identity, RequestRecord, Sandbox};
use serde::{Deserialize, Serialize};
use serde_json::json;

use common::CLAIRE;

/// A request as the verifiers read it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Signed {
    name: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
    public_key: String,
    required: Vec<String>,
}

static VERIFIERS: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("verifiers");
    let setup = Command::new(script("setup")).arg(&folder).output().expect("setup runs");
    assert!(setup.status.success(), "setup: {}", String::from_utf8_lossy(&setup.stderr));
    folder
});

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/verifiers").join(name)
}

/// What PyPI's httpsig says.
fn httpsig(requests: &[Signed]) -> BTreeMap<String, String> {
    ask(Command::new(VERIFIERS.join("venv/bin/python")).arg(script("verify.py")), requests)
}

/// What npm's http-signature says.
fn http_signature(requests: &[Signed]) -> BTreeMap<String, String> {
    let modules = VERIFIERS.join("node/node_modules");
    ask(Command::new("node").arg(script("verify.js")).env("NODE_PATH", modules), requests)
}

fn ask(command: &mut Command, requests: &[Signed]) -> BTreeMap<String, String> {
    let question = serde_json::to_vec(requests).unwrap();
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the verifier starts");
    child.stdin.take().unwrap().write_all(&question).unwrap();
    let answer = child.wait_with_output().unwrap();
    assert!(answer.status.success(), "{command:?} failed");
    let verdicts: BTreeMap<String, String> = serde_json::from_slice(&answer.stdout).expect("verdicts");
    assert_eq!(verdicts.len(), requests.len(), "one verdict for each request");
    verdicts
}

fn public_key(identity: &Identity) -> String {
    let output = Command::new("openssl")
        .args(["x509", "-pubkey", "-noout", "-in"])
        .arg(&identity.certificate)
        .output()
        .expect("openssl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The signature dialect of a bank of the directory.
fn dialect(bank: &str) -> SignatureDialect {
    Bank::by_id(bank, Environment::Production).unwrap().signature.unwrap()
}

/// A request that was really sent in this dialect, and that the sandbox bank accepted.
fn captured(name: &str, dialect: SignatureDialect) -> Signed {
    let (sandbox, required) = (common::sandbox(), names(&dialect));
    let fingerprint = {
        let certificate = sandbox.issuer().qsealc.certificate_pem.as_bytes();
        let now = cbpii::Clock::now(&cbpii::SystemClock);
        CertificateReport::inspect(certificate, &cbpii::identity::InspectOptions::at(now))
            .unwrap()
            .sha256_fingerprint
    };
    let mut bank = common::bank(&sandbox);
    bank.signature = Some(dialect);
    let seal = common::seal(&sandbox.issuer().qsealc)
        .with_key_id(format!("https://issuer.example/api/keyid/certificate_{fingerprint}"))
        .unwrap();
    sandbox.control().configure(&json!({ "signed_headers": required })).unwrap();
    let client = Client::new(bank, common::issuer(&sandbox).with_seal(seal)).unwrap();
    let tokens = common::tokens(&sandbox, "CLAIRE");
    let psu = PsuContext {
        ip_address: Some("192.0.2.7".into()),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64), \"x\"".into()),
        ..PsuContext::default()
    };
    let request = common::request(CLAIRE, "12.50").payee("Crêperie Ô Vélo").unwrap().psu(psu).unwrap();
    assert!(client.confirm_funds(&tokens, &request).unwrap().available);
    signed(name, &sandbox, required)
}

/// The names a signature of this dialect covers; the marker stands for the two headers sent here.
fn names(dialect: &SignatureDialect) -> Vec<String> {
    let mut names = dialect.headers.clone();
    if let Some(place) = names.iter().position(|name| name == "psu-*") {
        names.splice(place..=place, ["psu-ip-address".to_owned(), "psu-user-agent".to_owned()]);
    }
    names
}

fn signed(name: &str, sandbox: &Sandbox, required: Vec<String>) -> Signed {
    let seen: Vec<RequestRecord> =
        sandbox.control().requests().into_iter().filter(|seen| seen.endpoint == Endpoint::Funds).collect();
    let [request] = &seen[..] else { panic!("one funds request, not {}", seen.len()) };
    assert_eq!((request.status, request.verdict.as_str()), (Some(200), "accepted"));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Signed {
        name: name.to_owned(),
        method: request.method.clone(),
        target: request.target.clone(),
        headers: request.headers.iter().map(|(name, value)| (text(name), text(value))).collect(),
        body: BASE64_STANDARD.encode(&request.body),
        public_key: public_key(&sandbox.issuer().qsealc),
        required,
    }
}

impl Signed {
    fn header(&mut self, name: &str) -> &mut String {
        let found = self.headers.iter_mut().find(|(header, _)| header.eq_ignore_ascii_case(name));
        &mut found.unwrap_or_else(|| panic!("a header {name}")).1
    }

    /// The same request with one thing changed.
    fn changed(&self, what: &str, change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = self.clone();
        changed.name = format!("{}: {what}", self.name);
        change(&mut changed);
        changed
    }

    /// This request in every way it could be tampered with.
    fn tampered(&self, other_key: &str) -> Vec<Self> {
        let other_body = |request: &mut Self| {
            let body = BASE64_STANDARD.decode(&request.body).unwrap();
            let body = String::from_utf8(body).unwrap().replace("12.50", "12.51");
            request.body = BASE64_STANDARD.encode(body);
        };
        let flip = |text: &mut String| {
            let first = if text.starts_with('9') { "8" } else { "9" };
            text.replace_range(..1, first);
        };
        let mut all = vec![
            self.changed("another body", other_body),
            self.changed("another key", |request| request.public_key = other_key.to_owned()),
            self.changed("another header is demanded", |request| request.required.push("x-other".to_owned())),
            self.changed("a changed signature", |request| {
                let header = request.header("signature");
                let place = header.find("signature=\"").unwrap() + 20;
                let other = if header[place..].starts_with('A') { "B" } else { "A" };
                header.replace_range(place..=place, other);
            }),
            self.changed("headers in another order", |request| {
                let list = self.required.join(" ");
                let other: Vec<_> = self.required.iter().rev().map(String::as_str).collect();
                let header = request.header("signature");
                assert!(header.contains(&list));
                *header = header.replace(&list, &other.join(" "));
            }),
        ];
        for name in &self.required {
            all.push(self.changed(&format!("another {name}"), |request| match name.as_str() {
                "(request-target)" => request.target.push('x'),
                "digest" => {
                    other_body(request);
                    let other = BASE64_STANDARD.decode(&request.body).unwrap();
                    *request.header("digest") = format!("SHA-256={}", sha256(&other));
                }
                name => flip(request.header(name)),
            }));
        }
        if self.required.iter().any(|name| name == "(request-target)") {
            all.push(self.changed("another method", |request| request.method = "PUT".to_owned()));
        }
        all
    }
}

/// In base64, by OpenSSL: this library's own is what is tested.
fn sha256(bytes: &[u8]) -> String {
    let mut child = Command::new("openssl")
        .args(["dgst", "-sha256", "-binary"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl runs");
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    BASE64_STANDARD.encode(child.wait_with_output().unwrap().stdout)
}

/// What both verifiers can read. The dialects of the directory are in its order of headers.
fn dialects() -> Vec<(&'static str, SignatureDialect)> {
    let bpce = dialect("bpce-17515");
    let by_url = SignatureDialect { key_id: cbpii::bank::KeyIdSource::CertificateUrl, ..bpce.clone() };
    let everything = SignatureDialect {
        headers: [
            "(request-target)",
            "digest",
            "date",
            "content-type",
            "content-length",
            "x-request-id",
            "psu-*",
        ]
        .map(str::to_owned)
        .to_vec(),
        ..bpce.clone()
    };
    vec![
        ("89C3", bpce),
        ("89C3, by certificate URL", by_url),
        ("STET's whole set", everything),
        ("LCL", dialect("lcl")),
        ("Crédit Mutuel", dialect("credit-mutuel-cic")),
        ("Boursorama", dialect("boursorama")),
        ("BRED", dialect("bred")),
        ("Arkéa", dialect("arkea")),
    ]
}

#[test]
fn genuine_signatures_are_accepted_and_tampered_ones_are_not() {
    let stranger = public_key(&common::sandbox().issuer().qwac);
    let genuine: Vec<Signed> =
        dialects().into_iter().map(|(name, dialect)| captured(name, dialect)).collect();
    let tampered: Vec<Signed> = genuine.iter().flat_map(|request| request.tampered(&stranger)).collect();
    assert!(tampered.len() >= 8 * genuine.len(), "{}", tampered.len());
    let readers: [(&str, fn(&[Signed]) -> BTreeMap<String, String>); 2] =
        [("httpsig", httpsig), ("http-signature", http_signature)];
    for (reader, ask) in readers {
        for (name, verdict) in ask(&genuine) {
            assert_eq!(verdict, "valid", "{reader} on {name}");
        }
        for (name, verdict) in ask(&tampered) {
            assert_ne!(verdict, "valid", "{reader} on {name}");
            if ["another key", "a changed signature", "another digest"]
                .iter()
                .any(|what| name.ends_with(what))
            {
                assert_eq!(verdict, "signature", "{reader} on {name}");
            }
            if name.ends_with("another body") {
                assert_eq!(verdict, "digest", "{reader} on {name}");
            }
        }
    }
}

/// A comma and a blank between the parameters, which only httpsig reads.
#[test]
fn a_blank_after_the_comma_is_read_too() {
    let genuine = captured("Société Générale", dialect("societe-generale"));
    let stranger = public_key(&common::sandbox().issuer().qwac);
    assert_eq!(httpsig(&[genuine.clone()])[&genuine.name], "valid");
    for (name, verdict) in httpsig(&genuine.tampered(&stranger)) {
        assert_ne!(verdict, "valid", "{name}");
    }
}
