//! Message signatures after draft-cavage-http-signatures, as the bank checks and makes them.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::SandboxError;
use crate::exchange::{Exchange, Refused};

const REQUEST_TARGET: &str = "(request-target)";
const ALGORITHM: &str = "rsa-sha256";

/// The parameters of a `Signature` header.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    pub(crate) key_id: String,
    pub(crate) algorithm: Option<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) signature: Vec<u8>,
}

/// `SHA-256=` and the body's hash in base64.
pub(crate) fn digest_header(body: &[u8]) -> String {
    format!("SHA-256={}", STANDARD.encode(digest(&SHA256, body)))
}

/// SHA-256 as 64 lower-case hexadecimal digits.
pub(crate) fn fingerprint(der: &[u8]) -> String {
    digest(&SHA256, der).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Parameters {
    /// Reads a `Signature` header as the draft has it: no unknown, repeated or unquoted parameter.
    pub(crate) fn parse(header: &str) -> Result<Self, String> {
        let mut parameters = Self::default();
        let mut seen = Vec::new();
        let mut rest = header.trim();
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=').ok_or("a parameter of Signature has no value")?;
            let name = name.trim();
            if seen.contains(&name) {
                return Err(format!("parameter {name} of Signature appears twice"));
            }
            seen.push(name);
            let quoted = after.strip_prefix('"').ok_or_else(|| match name {
                "created" | "expires" => format!("{name} must not go with an rsa algorithm"),
                _ => format!("parameter {name} of Signature is not quoted"),
            })?;
            let (value, after) = quoted
                .split_once('"')
                .ok_or_else(|| format!("parameter {name} of Signature does not end"))?;
            parameters.set(name, value)?;
            rest = match after.trim_start() {
                "" => "",
                more => more
                    .strip_prefix(',')
                    .ok_or("parameters of Signature need commas between them")?
                    .trim_start(),
            };
        }
        for name in ["keyId", "headers", "signature"] {
            if !seen.contains(&name) {
                return Err(format!("parameter {name} of Signature is missing"));
            }
        }
        Ok(parameters)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "keyId" => value.clone_into(&mut self.key_id),
            "algorithm" => self.algorithm = Some(value.to_owned()),
            "headers" => self.headers = value.split(' ').map(str::to_owned).collect(),
            "signature" => {
                self.signature = STANDARD.decode(value).map_err(|_| "signature is not base64".to_owned())?;
            }
            other => return Err(format!("parameter {other} of Signature is not known")),
        }
        Ok(())
    }
}

/// The registered seal of an issuer.
pub(crate) struct RegisteredSeal {
    /// `client_id`, or what a certificate URL ends in.
    pub(crate) client_id: String,
    pub(crate) fingerprint: String,
    /// PKCS#1 `RSAPublicKey`.
    pub(crate) public_key: Vec<u8>,
}

impl RegisteredSeal {
    /// Takes the key out of the registered certificate.
    pub(crate) fn new(client_id: &str, certificate: &[u8]) -> Result<Self, SandboxError> {
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate)
            .map_err(|error| SandboxError::Pki(format!("QSealC: {error}")))?;
        Ok(Self {
            client_id: client_id.to_owned(),
            fingerprint: fingerprint(certificate),
            public_key: parsed.public_key().subject_public_key.data.to_vec(),
        })
    }

    fn is_named(&self, key_id: &str) -> bool {
        let by_url = key_id.starts_with("https://") && key_id.ends_with(&format!("_{}", self.fingerprint));
        key_id == self.client_id || by_url
    }

    /// Checks digest and signature of a request against what the profile demands.
    pub(crate) fn verify(&self, exchange: &Exchange, required: &[String]) -> Result<(), Refused> {
        let bad = |reason: String| Refused::new(400, reason);
        let sent = exchange.single("digest").map_err(bad)?;
        let sent = sent.ok_or_else(|| bad("header Digest is missing".to_owned()))?;
        if sent != digest_header(&exchange.body) {
            return Err(bad("Digest does not match the body".to_owned()));
        }
        let header = exchange.single("signature").map_err(bad)?;
        let header = header.ok_or_else(|| bad("header Signature is missing".to_owned()))?;
        let parameters = Parameters::parse(header).map_err(bad)?;
        if let Some(missing) = required.iter().find(|name| !parameters.headers.contains(name)) {
            return Err(bad(format!("the signature does not cover {missing}")));
        }
        if parameters.algorithm.as_deref() != Some(ALGORITHM) {
            return Err(bad(format!("the algorithm of the signature is not {ALGORITHM}")));
        }
        if !self.is_named(&parameters.key_id) {
            return Err(Refused::coded(403, "BE05", "keyId is not known"));
        }
        let signed = signing_string(exchange, &parameters.headers).map_err(bad)?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_key)
            .verify(signed.as_bytes(), &parameters.signature)
            .map_err(|_| Refused::new(403, "the signature does not verify"))
    }
}

/// The lines a request's signature covers.
fn signing_string(exchange: &Exchange, names: &[String]) -> Result<String, String> {
    let mut lines = Vec::with_capacity(names.len());
    for (position, name) in names.iter().enumerate() {
        if names[..position].contains(name) {
            return Err(format!("the signature covers {name} twice"));
        }
        if name == REQUEST_TARGET {
            let method = exchange.method.as_str().to_ascii_lowercase();
            lines.push(format!("{REQUEST_TARGET}: {method} {}", exchange.target()));
            continue;
        }
        if name.is_empty() || name.starts_with('(') || name.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(format!("the signature covers {name:?}, which is not a header in lower case"));
        }
        let values: Result<Vec<&str>, _> =
            exchange.headers.get_all(name).iter().map(|value| value.to_str().map(str::trim)).collect();
        let values = values.map_err(|_| format!("header {name} is not visible ASCII"))?;
        if values.is_empty() {
            return Err(format!("the signature covers {name}, which was not sent"));
        }
        lines.push(format!("{name}: {}", values.join(", ")));
    }
    Ok(lines.join("\n"))
}

/// The bank's own seal.
pub(crate) struct BankSeal {
    key: RsaKeyPair,
    key_id: String,
}

impl BankSeal {
    pub(crate) fn new(pkcs8: &[u8], certificate: &[u8], origin: &str) -> Result<Self, SandboxError> {
        let key = RsaKeyPair::from_pkcs8(pkcs8).map_err(|error| SandboxError::Pki(error.to_string()))?;
        let key_id = format!("{origin}/api/keyid/certificate_{}", fingerprint(certificate));
        Ok(Self { key, key_id })
    }

    /// The `Signature` header over those of `digest date content-type x-request-id (request-target)` the answer has.
    pub(crate) fn sign(&self, headers: &[(String, String)], request_line: &str) -> String {
        let mut names = Vec::new();
        let mut lines = Vec::new();
        for name in ["digest", "date", "content-type", "x-request-id"] {
            let found = headers.iter().find(|(present, _)| present.eq_ignore_ascii_case(name));
            if let Some((_, value)) = found {
                names.push(name);
                lines.push(format!("{name}: {value}"));
            }
        }
        names.push(REQUEST_TARGET);
        lines.push(format!("{REQUEST_TARGET}: {request_line}"));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let message = lines.join("\n");
        let signed =
            self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature);
        debug_assert!(signed.is_ok(), "an RSA key of its own size signs");
        format!(
            "keyId=\"{}\",algorithm=\"{ALGORITHM}\",headers=\"{}\",signature=\"{}\"",
            self.key_id,
            names.join(" "),
            STANDARD.encode(&signature)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_as_production_clients_write_it_is_read() {
        let header = r#"keyId="PSDFR-ACPR-12345",algorithm="rsa-sha256",headers="(request-target) date",signature="AQID""#;
        let parameters = Parameters::parse(header).unwrap();
        assert_eq!(parameters.key_id, "PSDFR-ACPR-12345");
        assert_eq!(parameters.headers, ["(request-target)", "date"]);
        assert_eq!(parameters.signature, [1, 2, 3]);
    }

    #[test]
    fn what_the_draft_forbids_is_refused_by_name() {
        for (header, word) in [
            (r#"keyId="a",keyId="b",headers="date",signature="AQID""#, "twice"),
            (r#"keyId="a",headers="date""#, "signature"),
            (r#"keyId="a",signature="AQID""#, "headers"),
            (r#"keyId="a",headers="date",signature="AQID",created=1402170695"#, "created"),
            (r#"keyId="a",headers="date",signature="AQID",created="1402170695""#, "created"),
            (r#"keyId=a,headers="date",signature="AQID""#, "not quoted"),
            (r#"keyId="a" headers="date",signature="AQID""#, "commas"),
            (r#"keyId="a",headers="date",signature="#, "not quoted"),
            (r#"keyId="a",headers="date",signature="*""#, "base64"),
        ] {
            let reason = Parameters::parse(header).unwrap_err();
            assert!(reason.contains(word), "{header}: {reason}");
        }
    }
}
