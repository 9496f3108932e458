//! One distinguished name in the spellings that banks, registers and servers ask for.

use serde::Serialize;
use x509_parser::asn1_rs::{Any, Tag, ToDer};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

use crate::crypto::hex;

/// `organizationIdentifier` (X.520), where ETSI TS 119 495 puts the authorisation number.
pub(super) const ORGANIZATION_IDENTIFIER: &str = "2.5.4.97";
const COMMON_NAME: &str = "2.5.4.3";

/// The attributes that RFC 2253 §2.3 has a keyword for.
const RFC_2253_KEYWORDS: &[(&str, &str)] = &[
    (COMMON_NAME, "CN"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// The short names OpenSSL writes.
const OPENSSL_SHORT_NAMES: &[(&str, &str)] = &[
    (COMMON_NAME, "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.16", "postalAddress"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.20", "telephoneNumber"),
    ("2.5.4.41", "name"),
    ("2.5.4.42", "GN"),
    ("2.5.4.43", "initials"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.65", "pseudonym"),
    (ORGANIZATION_IDENTIFIER, "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"),
    ("1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"),
    ("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"),
];

/// A distinguished name in every spelling a bank may ask for. The first three list the most specific
/// attribute first, as RFC 2253 and RFC 4514 want; the last one lists them as the certificate does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DistinguishedName {
    /// RFC 2253 with attributes that have no keyword as a number and text:
    /// `2.5.4.97=PSDFR-ACPR-12345,CN=…,O=…,C=FR`.
    pub rfc2253: String,
    /// RFC 2253 to the letter (Java's `X500Principal` writes it): attributes that have no keyword as a
    /// number and their DER in hexadecimal: `2.5.4.97=#0c105053444652…,CN=…`.
    pub rfc2253_hex: String,
    /// RFC 4514 with OpenSSL's short names: `organizationIdentifier=PSDFR-ACPR-12345,CN=…`.
    pub rfc4514: String,
    /// OpenSSL's one line: `/C=FR/O=…/organizationIdentifier=PSDFR-ACPR-12345/CN=…`; what is not ASCII shows
    /// as `\xC3\xA9`.
    pub openssl: String,
}

impl DistinguishedName {
    pub(super) fn of(name: &X509Name<'_>) -> Self {
        Self {
            rfc2253: most_specific_first(name, |attribute| {
                let oid = attribute.attr_type().to_id_string();
                let keyword = short_name(RFC_2253_KEYWORDS, &oid).map_or(oid, str::to_owned);
                format!("{keyword}={}", escaped_or_hex(attribute.attr_value()))
            }),
            rfc2253_hex: most_specific_first(name, |attribute| {
                let oid = attribute.attr_type().to_id_string();
                match short_name(RFC_2253_KEYWORDS, &oid) {
                    Some(keyword) => format!("{keyword}={}", escaped_or_hex(attribute.attr_value())),
                    None => format!("{oid}={}", hex_of(attribute.attr_value())),
                }
            }),
            rfc4514: most_specific_first(name, |attribute| {
                let oid = attribute.attr_type().to_id_string();
                let keyword = short_name(OPENSSL_SHORT_NAMES, &oid).map_or(oid, str::to_owned);
                format!("{keyword}={}", escaped_or_hex(attribute.attr_value()))
            }),
            openssl: name.iter_attributes().map(one_line).collect(),
        }
    }
}

/// The text of the first attribute of this type.
pub(super) fn attribute(name: &X509Name<'_>, oid: &str) -> Option<String> {
    let found = name.iter_attributes().find(|attribute| attribute.attr_type().to_id_string() == oid)?;
    text(found.attr_value())
}

/// How to call the owner of this name in a sentence.
pub(super) fn display_name(name: &X509Name<'_>) -> String {
    attribute(name, COMMON_NAME)
        .map(|name| escape(&name))
        .unwrap_or_else(|| DistinguishedName::of(name).rfc4514)
}

fn short_name(table: &[(&str, &'static str)], oid: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == oid).map(|(_, name)| *name)
}

fn most_specific_first(name: &X509Name<'_>, spell: impl Fn(&AttributeTypeAndValue<'_>) -> String) -> String {
    let mut parts: Vec<String> =
        name.iter_rdn().map(|rdn| rdn.iter().map(&spell).collect::<Vec<_>>().join("+")).collect();
    parts.reverse();
    parts.join(",")
}

fn one_line(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let mut line = format!("/{}=", short_name(OPENSSL_SHORT_NAMES, &oid).unwrap_or(&oid));
    for byte in attribute.attr_value().data {
        match byte {
            b' '..=b'~' => line.push(char::from(*byte)),
            other => line.push_str(&format!("\\x{other:02X}")),
        }
    }
    line
}

fn escaped_or_hex(value: &Any<'_>) -> String {
    text(value).map_or_else(|| hex_of(value), |text| escape(&text))
}

/// RFC 2253 §2.4: what has no text is `#` and the hexadecimal of its DER.
fn hex_of(value: &Any<'_>) -> String {
    value.to_der_vec().map_or_else(|_| "#".to_owned(), |der| format!("#{}", hex(&der)))
}

/// RFC 2253 §2.4, RFC 4514 §2.4; control characters as the latter's hexadecimal pairs.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (place, character) in text.chars().enumerate() {
        let at_the_edge =
            (place == 0 && matches!(character, ' ' | '#')) || (place == last && character == ' ');
        match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => escaped.extend(['\\', character]),
            _ if at_the_edge => escaped.extend(['\\', character]),
            '\0'..='\x1f' | '\x7f' => escaped.push_str(&format!("\\{:02X}", u32::from(character))),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The text of a string type of ASN.1; none for other types and for malformed ones.
pub(super) fn text(value: &Any<'_>) -> Option<String> {
    let bytes = value.data;
    match value.header.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        }
        // In practice T.61 means ISO 8859-1, as OpenSSL takes it.
        Tag::TeletexString => Some(bytes.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let (units, rest) = bytes.as_chunks::<2>();
            let units: Vec<u16> = units.iter().copied().map(u16::from_be_bytes).collect();
            rest.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
        }
        Tag::UniversalString => {
            let (units, rest) = bytes.as_chunks::<4>();
            let characters = units.iter().map(|unit| char::from_u32(u32::from_be_bytes(*unit)));
            if rest.is_empty() { characters.collect() } else { None }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_the_syntax_is_escaped() {
        assert_eq!(
            escape("Dupont, Martin + \"Fils\" <a;b\\c>"),
            r#"Dupont\, Martin \+ \"Fils\" \<a\;b\\c\>"#
        );
        assert_eq!(escape("# one "), r"\# one\ ");
        assert_eq!(escape(" "), r"\ ");
        assert_eq!(escape("a\nb=é"), r"a\0Ab=é");
        assert_eq!(escape(""), "");
    }
}
