//! Message signatures after draft-cavage-http-signatures-12, in the dialect each bank speaks.

use std::borrow::Cow;
use std::fmt::Write as _;

use ::http::{HeaderMap, HeaderValue, Uri};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{HttpRequest, HttpResponse};
use crate::bank::{Bank, KeyIdSource, SealAlgorithm, SignatureDialect};
use crate::identity::{CertificateChain, Issuer, SealIdentity, SignatureAlgorithm};
use crate::{Error, ErrorCode, Result, crypto};

/// The entry of a dialect's header list that stands for every PSU header that is present.
const ALL_PSU_HEADERS: &str = "psu-*";

/// Signs the requests of one issuer to one bank.
pub(crate) struct MessageSigner {
    seal: SealIdentity,
    algorithm: SignatureAlgorithm,
    headers: Vec<String>,
    key_id: String,
    key_id_source: &'static str,
    algorithm_label: String,
    separator: String,
}

/// A signature and the exact text it is over.
pub(crate) struct MessageSignature {
    pub(crate) header: HeaderValue,
    pub(crate) signing_string: String,
}

impl MessageSigner {
    /// None when the bank wants no signature.
    ///
    /// # Errors
    /// `configuration.seal_missing` when the issuer has no seal, or one that cannot sign in this bank's way;
    /// `configuration.header` when the keyId cannot be written.
    pub(crate) fn new(bank: &Bank, issuer: &Issuer) -> Result<Option<Self>> {
        let Some(dialect) = &bank.signature else { return Ok(None) };
        let seal = issuer.seal().ok_or_else(|| {
            let message = format!(
                "{} wants signed requests; give the issuer its seal (QSealC and key, or a signer).",
                bank.name
            );
            Error::new(ErrorCode::SealMissing, message)
        })?;
        let (key_id, key_id_source) = key_id(dialect, issuer, seal)?;
        let algorithm = match dialect.algorithm {
            SealAlgorithm::RsaPkcs1Sha256 => SignatureAlgorithm::RsaPkcs1Sha256,
            SealAlgorithm::RsaPssSha256 => SignatureAlgorithm::RsaPssSha256,
        };
        if !seal.signer().algorithms().contains(&algorithm) {
            let message = format!(
                "{} wants {algorithm} signatures, which this seal cannot make; use an RSA seal.",
                bank.name
            );
            return Err(Error::new(ErrorCode::SealMissing, message));
        }
        if key_id.contains(['"', '\\']) || key_id.chars().any(|c| c.is_ascii_control()) || !key_id.is_ascii()
        {
            let message =
                "The keyId has quotes, control or non-ASCII characters that no Signature header can carry.";
            return Err(Error::new(ErrorCode::Header, message));
        }
        Ok(Some(Self {
            seal: seal.clone(),
            algorithm,
            headers: dialect.headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
            key_id,
            key_id_source,
            algorithm_label: dialect.algorithm_label.clone(),
            separator: dialect.separator.clone(),
        }))
    }

    pub(crate) fn key_id(&self) -> (&str, &'static str) {
        (&self.key_id, self.key_id_source)
    }

    /// Signs a request whose other headers are all there. `meanwhile` happens when all is well but the key has not been
    /// asked yet.
    pub(crate) fn sign(&self, request: &HttpRequest, meanwhile: impl FnOnce()) -> Result<MessageSignature> {
        let (signing_string, mut header) = self.prepare(request)?;
        meanwhile();
        let signature = self.seal.signer().sign(self.algorithm, signing_string.as_bytes())?;
        BASE64_STANDARD.encode_string(signature, &mut header);
        header.push('"');
        let header = HeaderValue::try_from(header).map_err(|_| {
            Error::new(ErrorCode::Header, "The Signature header would have characters that must not be sent.")
        })?;
        Ok(MessageSignature { header, signing_string })
    }

    /// The exact text to sign, and the header up to where the signature goes.
    pub(crate) fn prepare(&self, request: &HttpRequest) -> Result<(String, String)> {
        let names = self.signed_names(&request.headers);
        let signing_string = Self::signing_string(request, &names)?;
        let separator = &self.separator;
        let mut header = String::with_capacity(self.key_id.len() + 900);
        let _ = write!(
            header,
            "keyId=\"{}\"{separator}algorithm=\"{}\"{separator}headers=\"",
            self.key_id, self.algorithm_label
        );
        for (place, name) in names.iter().enumerate() {
            header.push_str(if place == 0 { "" } else { " " });
            header.push_str(name);
        }
        let _ = write!(header, "\"{separator}signature=\"");
        Ok((signing_string, header))
    }

    /// The dialect's list with the PSU marker replaced by what is present.
    fn signed_names<'a>(&'a self, present: &'a HeaderMap) -> Vec<&'a str> {
        let mut names = Vec::with_capacity(self.headers.len() + 4);
        for name in &self.headers {
            if name == ALL_PSU_HEADERS {
                names.extend(present.keys().map(|key| key.as_str()).filter(|key| key.starts_with("psu-")));
            } else {
                names.push(name.as_str());
            }
        }
        names
    }

    fn signing_string(request: &HttpRequest, names: &[&str]) -> Result<String> {
        let mut text = String::with_capacity(512);
        for (place, name) in names.iter().enumerate() {
            let value = signed_value(request, name).ok_or_else(|| {
                let message = format!("The bank's signature.headers name {name}, which no request carries; correct the bank record.");
                Error::new(ErrorCode::BankRecord, message)
            })?;
            push_line(&mut text, place, name, &value);
        }
        Ok(text)
    }
}

fn push_line(text: &mut String, place: usize, name: &str, value: &str) {
    if place > 0 {
        text.push('\n');
    }
    text.push_str(name);
    text.push_str(": ");
    text.push_str(value.trim());
}

fn signed_value<'a>(request: &'a HttpRequest, name: &str) -> Option<Cow<'a, str>> {
    match name {
        "(request-target)" => Some(Cow::Owned(request_target(&request.uri))),
        "host" => request.uri.authority().map(|authority| Cow::Borrowed(authority.as_str())),
        "content-length" => Some(Cow::Owned(request.body.len().to_string())),
        name => request.headers.get(name)?.to_str().ok().map(Cow::Borrowed),
    }
}

/// Method in lower case, then path and query exactly as sent (draft-cavage-12 §2.3).
fn request_target(uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    format!("post {path}")
}

fn key_id(
    dialect: &SignatureDialect,
    issuer: &Issuer,
    seal: &SealIdentity,
) -> Result<(String, &'static str)> {
    if let Some(stated) = seal.key_id() {
        return Ok((stated.to_owned(), "seal"));
    }
    let missing = |what: &str| {
        let message = format!("This bank's keyId is {what}; give it whole to the seal (with_key_id).");
        Err(Error::new(ErrorCode::SealMissing, message))
    };
    Ok(match &dialect.key_id {
        KeyIdSource::ClientId => (issuer.client_id().to_owned(), "client_id"),
        KeyIdSource::CertificateUrl => return missing("the URL of the QSealC"),
        KeyIdSource::Configured => return missing("agreed with the bank"),
        KeyIdSource::SerialHex => (seal.serial_hex().to_owned(), "serial_hex"),
        KeyIdSource::IssuerDn => (seal.issuer_dn().to_owned(), "issuer_dn"),
        KeyIdSource::SerialAndIssuer => {
            (format!("SN={},CA={}", seal.serial_hex(), seal.issuer_dn()), "serial_and_issuer")
        }
        KeyIdSource::Fixed(text) => (text.clone(), "fixed"),
    })
}

/// Verifies the answers of one bank whose signing certificates are known.
pub(crate) struct AnswerVerifier {
    public_keys: Vec<Vec<u8>>,
}

impl AnswerVerifier {
    /// None when no certificate of the bank is known.
    pub(crate) fn new(bank: &Bank) -> Result<Option<Self>> {
        let mut public_keys = Vec::new();
        for pem in &bank.response_signing_certificates {
            public_keys.push(CertificateChain::from_pem(pem.as_bytes())?.leaf_public_key().to_vec());
        }
        Ok((!public_keys.is_empty()).then_some(Self { public_keys }))
    }

    /// Checks that the answer, body included, is signed by the bank.
    pub(crate) fn verify(&self, request: &Uri, answer: &HttpResponse, digest_matches: bool) -> Result<()> {
        let signed = answer.header("signature").and_then(parse_signature).filter(|parameters| {
            let covers_body =
                parameters.headers.split_ascii_whitespace().any(|name| name.eq_ignore_ascii_case("digest"));
            digest_matches && covers_body && !parameters.algorithm.is_some_and(|label| label.contains("hmac"))
        });
        let text =
            signed.as_ref().and_then(|parameters| answer_signing_string(request, answer, parameters.headers));
        let valid = signed.zip(text).is_some_and(|(parameters, text)| {
            let verifies =
                |key: &Vec<u8>| crypto::verify_rsa_pkcs1_sha256(key, text.as_bytes(), &parameters.signature);
            self.public_keys.iter().any(verifies)
        });
        if valid {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::SignatureInvalid,
            "The bank's answer does not carry a valid signature of the bank over its body and was not used; if the bank changed its certificate, update response_signing_certificates.",
        ))
    }
}

fn answer_signing_string(request: &Uri, answer: &HttpResponse, names: &str) -> Option<String> {
    let mut text = String::with_capacity(256);
    for (place, name) in names.split_ascii_whitespace().enumerate() {
        let name = name.to_ascii_lowercase();
        if name == "(request-target)" {
            push_line(&mut text, place, &name, &request_target(request));
        } else {
            let values: Vec<_> = answer
                .headers
                .get_all(&name)
                .iter()
                .map(|value| value.to_str().ok())
                .collect::<Option<_>>()?;
            if values.is_empty() {
                return None;
            }
            push_line(&mut text, place, &name, &values.join(", "));
        }
    }
    Some(text)
}

/// The parameters of a received `Signature` header that matter here.
struct SignatureParameters<'a> {
    headers: &'a str,
    algorithm: Option<&'a str>,
    signature: Vec<u8>,
}

/// Reads `name="value"` pairs; a comma inside the quotes belongs to the value.
fn parse_signature(header: &str) -> Option<SignatureParameters<'_>> {
    let (mut headers, mut algorithm, mut signature) = (None, None, None);
    let mut rest = header.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        let slot = match name.trim() {
            "headers" => &mut headers,
            "algorithm" => &mut algorithm,
            "signature" => &mut signature,
            _ => &mut None,
        };
        if slot.replace(value).is_some() {
            return None;
        }
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if rest.is_empty() => rest,
            None => return None,
        };
    }
    // Without `headers` the draft signs the date alone, which vouches for nothing here.
    let signature = BASE64_STANDARD.decode(signature?).ok()?;
    Some(SignatureParameters { headers: headers?, algorithm, signature })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn signature_headers_are_read() {
        let header = r#"keyId="https://bank.example/certificate_ab,cd",algorithm="rsa-sha256", headers="digest date (request-target)" , signature="AQID""#;
        let parameters = parse_signature(header).unwrap();
        assert_eq!(parameters.headers, "digest date (request-target)");
        assert_eq!(parameters.algorithm, Some("rsa-sha256"));
        assert_eq!(parameters.signature, [1, 2, 3]);
    }

    #[test]
    fn broken_signature_headers_are_refused() {
        for header in [
            "",
            "keyId",
            r#"headers="digest""#,
            r#"signature="AQID""#,
            r#"headers="a",headers="b",signature="AQID""#,
            r#"headers="a"signature="AQID""#,
            r#"headers="a,signature="AQID"#,
            r#"headers="a",signature="not base64""#,
        ] {
            assert!(parse_signature(header).is_none(), "{header}");
        }
    }

    proptest! {
        #[test]
        fn no_signature_header_panics(header in ".*") {
            let _ = parse_signature(&header);
        }
    }
}
