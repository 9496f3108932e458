//! What the bank is told about the cardholder's presence.

use crate::http::masking::mask_text;
use crate::{Error, ErrorCode, Result};

/// The `PSU-*` headers of STET: what the issuer knows of the cardholder's own connection. Set them only when
/// the cardholder is really present at the other end; a check without them is one the issuer makes alone.
///
/// Every value is sent as it is: 1 or more printable ASCII characters, without blanks at its ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PsuContext {
    /// `PSU-IP-Address`: the address the cardholder connects from.
    pub ip_address: Option<String>,
    /// `PSU-IP-Port`: the port the cardholder connects from.
    pub ip_port: Option<String>,
    /// `PSU-HTTP-Method`: the method of the cardholder's request, e.g. `POST`.
    pub http_method: Option<String>,
    /// `PSU-Date`: the moment of the cardholder's request, as an HTTP date (RFC 9110 §5.6.7).
    pub date: Option<String>,
    /// `PSU-GEO-Location`: where the cardholder is, as `GEO:<latitude>;<longitude>` (RFC 5870).
    pub geo_location: Option<String>,
    /// `PSU-User-Agent`: the browser or app of the cardholder.
    pub user_agent: Option<String>,
    /// `PSU-Referer`: the `Referer` the cardholder's browser sent.
    pub referer: Option<String>,
    /// `PSU-Accept`: the `Accept` the cardholder's browser sent.
    pub accept: Option<String>,
    /// `PSU-Accept-Charset`: the `Accept-Charset` the cardholder's browser sent.
    pub accept_charset: Option<String>,
    /// `PSU-Accept-Encoding`: the `Accept-Encoding` the cardholder's browser sent.
    pub accept_encoding: Option<String>,
    /// `PSU-Accept-Language`: the `Accept-Language` the cardholder's browser sent.
    pub accept_language: Option<String>,
    /// `PSU-Device-ID`: a UUID of the cardholder's device or installation.
    pub device_id: Option<String>,
}

impl PsuContext {
    /// The headers that are set, by their exact names and in STET's order.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("PSU-IP-Address", &self.ip_address),
            ("PSU-IP-Port", &self.ip_port),
            ("PSU-HTTP-Method", &self.http_method),
            ("PSU-Date", &self.date),
            ("PSU-GEO-Location", &self.geo_location),
            ("PSU-User-Agent", &self.user_agent),
            ("PSU-Referer", &self.referer),
            ("PSU-Accept", &self.accept),
            ("PSU-Accept-Charset", &self.accept_charset),
            ("PSU-Accept-Encoding", &self.accept_encoding),
            ("PSU-Accept-Language", &self.accept_language),
            ("PSU-Device-ID", &self.device_id),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_deref().map(|value| (name, value)))
    }

    /// Sets one header by its name, whatever its case: `PSU-IP-Address`, ….
    ///
    /// # Errors
    /// `request.psu_header` when STET has no such header, or the value is not one that [`validate`](Self::validate)
    /// passes; nothing is changed then.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        check(name, value)?;
        let mut slots = [
            ("PSU-IP-Address", &mut self.ip_address),
            ("PSU-IP-Port", &mut self.ip_port),
            ("PSU-HTTP-Method", &mut self.http_method),
            ("PSU-Date", &mut self.date),
            ("PSU-GEO-Location", &mut self.geo_location),
            ("PSU-User-Agent", &mut self.user_agent),
            ("PSU-Referer", &mut self.referer),
            ("PSU-Accept", &mut self.accept),
            ("PSU-Accept-Charset", &mut self.accept_charset),
            ("PSU-Accept-Encoding", &mut self.accept_encoding),
            ("PSU-Accept-Language", &mut self.accept_language),
            ("PSU-Device-ID", &mut self.device_id),
        ];
        let slot = slots.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let Some((_, slot)) = slot else {
            let name = mask_text(name, 64);
            return Err(refused(format!("STET has no header {name}; take one of its PSU headers.")));
        };
        **slot = Some(value.to_owned());
        Ok(())
    }

    /// Checks that every value can be sent as a header.
    ///
    /// # Errors
    /// `request.psu_header`, naming the header, when a value is empty, has a control or non-ASCII character,
    /// or starts or ends with a blank.
    pub fn validate(&self) -> Result<()> {
        self.headers().try_for_each(|(name, value)| check(name, value))
    }
}

/// Whether a value can be sent under this name.
fn check(name: &str, value: &str) -> Result<()> {
    let printable = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if value.is_empty() || !printable || value.trim() != value {
        let name = mask_text(name, 64);
        return Err(refused(format!(
            "{name} is empty or has characters that must not be sent; give printable ASCII only."
        )));
    }
    Ok(())
}

fn refused(message: String) -> Error {
    Error::new(ErrorCode::PsuHeader, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_set_is_sent() {
        let psu = PsuContext {
            device_id: Some("d".into()),
            ip_address: Some("192.0.2.1".into()),
            ..PsuContext::default()
        };
        let headers: Vec<_> = psu.headers().collect();
        assert_eq!(headers, [("PSU-IP-Address", "192.0.2.1"), ("PSU-Device-ID", "d")]);
        assert!(psu.validate().is_ok());
        assert_eq!(PsuContext::default().headers().count(), 0);
    }

    #[test]
    fn values_that_could_break_a_header_are_refused() {
        for value in ["", " ", "a\r\nAuthorization: x", "a\0b", "a\tb", "é", " a", "a "] {
            let psu = PsuContext { user_agent: Some(value.into()), ..PsuContext::default() };
            let error = psu.validate().unwrap_err();
            assert_eq!(error.code(), ErrorCode::PsuHeader, "{value:?}");
            assert!(error.message().starts_with("PSU-User-Agent"));
        }
    }

    #[test]
    fn every_header_is_set_by_its_name() {
        const NAMES: &str = "psu-ip-address psu-ip-port psu-http-method psu-date psu-geo-location psu-user-agent \
            psu-referer psu-accept psu-accept-charset psu-accept-encoding psu-accept-language psu-device-id";
        let mut psu = PsuContext::default();
        let names: Vec<String> = NAMES.split_whitespace().map(str::to_owned).collect();
        for name in &names {
            psu.set(name, &format!("value of {name}")).unwrap();
        }
        let set: Vec<(String, String)> =
            psu.headers().map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        let expected: Vec<_> = names.iter().map(|name| (name.clone(), format!("value of {name}"))).collect();
        assert_eq!(set, expected);
        for (name, value) in [("PSU-Shoe-Size", "44"), ("PSU-Accept", ""), ("PSU-Accept", "a\nb")] {
            let before = psu.clone();
            assert_eq!(psu.set(name, value).unwrap_err().code(), ErrorCode::PsuHeader);
            assert_eq!(psu, before);
        }
    }
}
