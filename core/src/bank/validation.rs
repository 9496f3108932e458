//! What a record must satisfy before anything is built on it. Every refusal names the field's path.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{Bank, KeyIdSource, SignatureDialect, TrustMode, endpoints};
use crate::{Error, ErrorCode, Result};

/// Headers this crate or its transport writes itself; a record cannot set them.
const OWN_HEADERS: [&str; 12] = [
    "accept",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "digest",
    "host",
    "signature",
    "transfer-encoding",
    "upgrade",
];

/// The stand-ins an extra header's value may hold.
const PLACEHOLDERS: [&str; 2] = ["client_id", "request_id"];

impl Bank {
    /// Checks that the record can be used. Addresses may be missing: they are asked for by
    /// [`endpoints`](Self::endpoints), when they are needed.
    ///
    /// # Errors
    /// The message names the path of the field, such as `signature.headers[2]`.
    /// `configuration.bank_record` in general, `configuration.endpoint_invalid` for an address that is not an
    /// absolute https URL, `configuration.header` for what must not stand in a header,
    /// `configuration.trust_anchor` and `configuration.certificate_unreadable` for certificates.
    pub fn validate(&self) -> Result<()> {
        self.validate_names()?;
        self.validate_addresses()?;
        self.validate_headers()?;
        if let Some(signature) = &self.signature {
            validate_signature(signature)?;
        }
        self.validate_numbers()?;
        self.validate_certificates()
    }

    fn validate_names(&self) -> Result<()> {
        let id_character = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        if self.id.is_empty() || self.id.len() > 64 || !self.id.bytes().all(id_character) {
            return Err(record("id", "is not 1 to 64 of the characters a-z, 0-9, -, _ and ."));
        }
        text("name", &self.name)?;
        if let Some(brand) = &self.brand {
            text("brand", brand)?;
        }
        let five_digits = |code: &str| code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_digit());
        if !self.establishment_code.as_deref().is_none_or(five_digits) {
            return Err(record("establishment_code", "is not the five digits of a French bank code"));
        }
        // RFC 6749 §3.3.
        let scope_character = |byte: u8| matches!(byte, b'!' | b'#'..=b'[' | b']'..=b'~');
        if !self.scope.split(' ').all(|word| !word.is_empty() && word.bytes().all(scope_character)) {
            return Err(record("scope", "is not one or more OAuth 2 scope words separated by single blanks"));
        }
        Ok(())
    }

    fn validate_addresses(&self) -> Result<()> {
        let addresses = [
            ("authorize_url", &self.authorize_url),
            ("token_url", &self.token_url),
            ("funds_url", &self.funds_url),
        ];
        for (field, address) in addresses {
            if let Some(address) = address {
                endpoints::https_address(field, address)?;
            }
        }
        Ok(())
    }

    fn validate_headers(&self) -> Result<()> {
        if let Some(name) = &self.request_id_header {
            own_header_name("request_id_header", name)?;
        }
        for (name, value) in &self.extra_headers {
            let path = format!("extra_headers.{}", shown(name));
            own_header_name(&path, name)?;
            header_text(&path, value)?;
            placeholders(&path, value)?;
        }
        Ok(())
    }

    fn validate_numbers(&self) -> Result<()> {
        if !(1..=3650).contains(&self.consent_lifetime_days) {
            return Err(record("consent_lifetime_days", "is not between 1 and 3650"));
        }
        for (index, status) in self.refused_statuses.iter().enumerate() {
            if !(400..=599).contains(status) {
                return Err(record(
                    &format!("refused_statuses[{index}]"),
                    "is not an HTTP error status, 400 to 599",
                ));
            }
        }
        Ok(())
    }

    fn validate_certificates(&self) -> Result<()> {
        for (index, pem) in self.trust_anchors.pem.iter().enumerate() {
            trust_anchor(&format!("trust_anchors.pem[{index}]"), pem)?;
        }
        if self.trust_anchors.mode == TrustMode::Replace && self.trust_anchors.pem.is_empty() {
            return Err(record("trust_anchors.pem", "is empty although it replaces the public web's roots"));
        }
        for (index, pem) in self.response_signing_certificates.iter().enumerate() {
            signing_certificate(&format!("response_signing_certificates[{index}]"), pem)?;
        }
        Ok(())
    }
}

/// Checks that the text holds one or more certificates the TLS stack can use as roots.
pub(super) fn trust_anchor(path: &str, pem: &str) -> Result<()> {
    let refused = || {
        Error::new(
            ErrorCode::TrustAnchor,
            format!("{path} is not one or more root certificates in PEM form; copy them again, whole."),
        )
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.map_err(|_| refused())?).map_err(|_| refused())?;
    }
    if roots.is_empty() { Err(refused()) } else { Ok(()) }
}

/// Checks that the text holds exactly one certificate.
fn signing_certificate(path: &str, pem: &str) -> Result<()> {
    let mut certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    if let (Some(Ok(certificate)), None) = (certificates.next(), certificates.next())
        && x509_parser::parse_x509_certificate(&certificate).is_ok_and(|(rest, _)| rest.is_empty())
    {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::CertificateUnreadable,
        format!("{path} is not one certificate in PEM form; copy it again, whole."),
    ))
}

fn validate_signature(signature: &SignatureDialect) -> Result<()> {
    if signature.headers.is_empty() {
        return Err(record("signature.headers", "is empty; a signature covers something"));
    }
    for (index, name) in signature.headers.iter().enumerate() {
        let path = format!("signature.headers[{index}]");
        // draft-cavage-http-signatures-12 §2.3: (created) and (expires) are illegal with rsa-* labels.
        let known = name == "(request-target)" || name == "psu-*" || is_token(name);
        if !known || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(record(&path, "is neither a lower-case header name nor (request-target) nor psu-*"));
        }
        if signature.headers.iter().take(index).any(|earlier| earlier == name) {
            return Err(record(&path, "is there twice"));
        }
    }
    quoted("signature.algorithm_label", &signature.algorithm_label)?;
    if let KeyIdSource::Fixed(key_id) = &signature.key_id {
        quoted("signature.key_id.fixed", key_id)?;
    }
    header_text("signature.separator", &signature.separator)?;
    if !signature.separator.trim_start_matches(',').chars().all(|c| c == ' ')
        || !signature.separator.starts_with(',')
    {
        return Err(record("signature.separator", "is not a comma, with or without blanks after it"));
    }
    Ok(())
}

/// Text for people: not blank, no control characters.
fn text(path: &str, value: &str) -> Result<()> {
    if value.trim().is_empty() || value.chars().any(char::is_control) {
        return Err(record(path, "is blank or has control characters"));
    }
    Ok(())
}

/// A header's name that is not one of those this crate writes itself.
fn own_header_name(path: &str, name: &str) -> Result<()> {
    if !is_token(name) {
        return Err(header(path, "is not a header name"));
    }
    if OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name)) {
        return Err(record(path, "is a header this library writes itself"));
    }
    Ok(())
}

/// A value between quotation marks in the `Signature` header.
fn quoted(path: &str, value: &str) -> Result<()> {
    header_text(path, value)?;
    if value.is_empty() || value.contains(['"', '\\']) {
        return Err(header(path, "is empty or has a quotation mark or backslash"));
    }
    Ok(())
}

/// What may stand in a header's value: printable ASCII.
fn header_text(path: &str, value: &str) -> Result<()> {
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        Ok(())
    } else {
        Err(header(path, "has characters other than printable ASCII"))
    }
}

/// Every brace belongs to one of the known stand-ins.
fn placeholders(path: &str, value: &str) -> Result<()> {
    let mut rest =
        PLACEHOLDERS.iter().fold(value.to_owned(), |text, name| text.replace(&format!("{{{name}}}"), ""));
    rest.retain(|character| matches!(character, '{' | '}'));
    if rest.is_empty() {
        Ok(())
    } else {
        Err(record(path, "has a stand-in other than {client_id} and {request_id}"))
    }
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A name as it may stand in a message.
fn shown(name: &str) -> String {
    if name.is_empty() {
        return "\"\"".to_owned();
    }
    name.chars().take(64).map(|character| if character.is_control() { '?' } else { character }).collect()
}

fn record(path: &str, what: &str) -> Error {
    Error::new(ErrorCode::BankRecord, format!("The bank record's {path} {what}; correct it."))
}

fn header(path: &str, what: &str) -> Error {
    Error::new(ErrorCode::Header, format!("The bank record's {path} {what}; correct it."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bank::Environment;
    use std::sync::LazyLock;

    static ROOT: LazyLock<String> =
        LazyLock::new(|| rcgen::generate_simple_self_signed(["root.example".into()]).unwrap().cert.pem());

    fn refusal(change: impl FnOnce(&mut Bank)) -> (ErrorCode, String) {
        let mut bank = Bank::bpce("17515", Environment::Sandbox).unwrap();
        bank.validate().unwrap();
        change(&mut bank);
        let error = bank.validate().unwrap_err();
        (error.code(), error.message().to_owned())
    }

    fn signature(bank: &mut Bank) -> &mut SignatureDialect {
        bank.signature.as_mut().unwrap()
    }

    #[track_caller]
    fn names(refusal: (ErrorCode, String), code: ErrorCode, path: &str) {
        assert_eq!(refusal.0, code, "{}", refusal.1);
        assert!(refusal.1.contains(&format!("{path} ")), "{} does not name {path}", refusal.1);
    }

    #[test]
    fn names_and_numbers_are_bounded() {
        let code = ErrorCode::BankRecord;
        names(refusal(|bank| bank.id = "Bank!".into()), code, "id");
        names(refusal(|bank| bank.id = String::new()), code, "id");
        names(refusal(|bank| bank.name = " ".into()), code, "name");
        names(refusal(|bank| bank.brand = Some("a\nb".into())), code, "brand");
        names(refusal(|bank| bank.establishment_code = Some("1751".into())), code, "establishment_code");
        names(refusal(|bank| bank.scope = "a  b".into()), code, "scope");
        names(refusal(|bank| bank.scope = String::new()), code, "scope");
        names(refusal(|bank| bank.consent_lifetime_days = 0), code, "consent_lifetime_days");
        names(refusal(|bank| bank.consent_lifetime_days = 3651), code, "consent_lifetime_days");
        names(refusal(|bank| bank.refused_statuses = vec![409, 200]), code, "refused_statuses[1]");
    }

    #[test]
    fn addresses_are_https() {
        let code = ErrorCode::EndpointInvalid;
        names(refusal(|bank| bank.token_url = Some("http://h/".into())), code, "token_url");
        names(refusal(|bank| bank.funds_url = Some("/funds".into())), code, "funds_url");
        names(refusal(|bank| bank.authorize_url = Some(String::new())), code, "authorize_url");
    }

    #[test]
    fn headers_cannot_be_broken() {
        let code = ErrorCode::Header;
        let with = |name: &str, value: &str| {
            let (name, value) = (name.to_owned(), value.to_owned());
            refusal(|bank| {
                bank.extra_headers.insert(name, value);
            })
        };
        names(with("client-id", "a\r\nb"), code, "extra_headers.client-id");
        names(with("client-id", "a\0"), code, "extra_headers.client-id");
        names(with("client id", "a"), code, "extra_headers.client id");
        names(with("a\nb", "a"), code, "extra_headers.a?b");
        names(with("client-id", "{secret}"), ErrorCode::BankRecord, "extra_headers.client-id");
        names(with("Authorization", "a"), ErrorCode::BankRecord, "extra_headers.Authorization");
        names(refusal(|bank| bank.request_id_header = Some("a b".into())), code, "request_id_header");
        let record = ErrorCode::BankRecord;
        names(refusal(|bank| bank.request_id_header = Some("Digest".into())), record, "request_id_header");
    }

    #[test]
    fn a_signature_dialect_is_sound() {
        let (record, header) = (ErrorCode::BankRecord, ErrorCode::Header);
        let headers = |bank: &mut Bank, third: &str| signature(bank).headers[2] = third.into();
        names(refusal(|bank| headers(bank, "Digest")), record, "signature.headers[2]");
        names(refusal(|bank| headers(bank, "(created)")), record, "signature.headers[2]");
        names(refusal(|bank| headers(bank, "date")), record, "signature.headers[2]");
        names(refusal(|bank| signature(bank).headers.clear()), record, "signature.headers");
        names(
            refusal(|bank| signature(bank).algorithm_label = "a\"b".into()),
            header,
            "signature.algorithm_label",
        );
        names(
            refusal(|bank| signature(bank).key_id = KeyIdSource::Fixed("a\nb".into())),
            header,
            "signature.key_id.fixed",
        );
        names(refusal(|bank| signature(bank).separator = ";".into()), record, "signature.separator");
        names(refusal(|bank| signature(bank).separator = ",\r\n".into()), header, "signature.separator");
    }

    #[test]
    fn own_certificates_are_trusted() {
        let bank = Bank::bpce("17515", Environment::Sandbox).unwrap();
        let text = format!("Roots of the bank\n{0}{0}", *ROOT);
        let mut bank = bank.with_trust_anchor(&text, TrustMode::Replace).unwrap();
        assert_eq!((bank.trust_anchors.mode, bank.trust_anchors.pem.len()), (TrustMode::Replace, 1));
        bank.response_signing_certificates = vec![ROOT.clone()];
        bank.validate().unwrap();
        bank.response_signing_certificates = vec![text];
        assert_eq!(bank.validate().unwrap_err().code(), ErrorCode::CertificateUnreadable);
        let end = ROOT.find("\n-----END").unwrap();
        let cut = format!("{}{}", &ROOT[..end - 4], &ROOT[end..]);
        let error = bank.with_trust_anchor(&cut, TrustMode::Add).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TrustAnchor);
    }

    #[test]
    fn certificates_that_cannot_be_read_are_named() {
        let pem = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        names(
            refusal(|bank| bank.trust_anchors.pem = vec![pem.into()]),
            ErrorCode::TrustAnchor,
            "trust_anchors.pem[0]",
        );
        names(
            refusal(|bank| bank.trust_anchors.pem = vec!["no certificate".into()]),
            ErrorCode::TrustAnchor,
            "trust_anchors.pem[0]",
        );
        names(
            refusal(|bank| bank.trust_anchors.mode = TrustMode::Replace),
            ErrorCode::BankRecord,
            "trust_anchors.pem",
        );
        names(
            refusal(|bank| bank.response_signing_certificates = vec![pem.into()]),
            ErrorCode::CertificateUnreadable,
            "response_signing_certificates[0]",
        );
    }
}
