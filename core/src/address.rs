//! Absolute addresses (RFC 3986): where banks are, and where cardholders come back to.
//!
//! Read strictly: an address that a browser would have to repair first is refused. Only queries may hold any visible
//! ASCII character, such as the brackets that RFC 3986 wants escaped and many write as they are. Hosts with letters beyond
//! ASCII are written in their ASCII form (RFC 5891), as certificates have them.

use fluent_uri::Uri;
use fluent_uri::component::Host;

/// Default ports, which an origin leaves out (RFC 6454 §6.2).
const DEFAULT_PORTS: [(&str, u16); 2] = [("https", 443), ("http", 80)];

/// An absolute address.
pub(crate) struct Address<'a> {
    /// Up to the query.
    uri: Uri<&'a str>,
    query: Option<&'a str>,
    has_fragment: bool,
}

impl<'a> Address<'a> {
    /// Nothing when the text is not absolute, or not an address at all.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (text, has_fragment) = text.split_once('#').map_or((text, false), |(text, _)| (text, true));
        let (text, query) = text.split_once('?').map_or((text, None), |(text, query)| (text, Some(query)));
        let uri = Uri::parse(text).ok()?;
        let port_is_one = uri.authority().is_none_or(|authority| authority.port_to_u16().is_ok());
        port_is_one.then_some(Self { uri, query, has_fragment })
    }

    /// In lower case, without the colon.
    pub(crate) fn scheme(&self) -> String {
        self.uri.scheme().as_str().to_ascii_lowercase()
    }

    /// In lower case; of an IPv6 address with its brackets. Nothing when there is none.
    pub(crate) fn host(&self) -> Option<String> {
        let host = self.uri.authority()?.host();
        (!host.is_empty()).then(|| host.to_ascii_lowercase())
    }

    /// Whether the host is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.uri.authority().is_some_and(|authority| match authority.host_parsed() {
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.is_loopback(),
            Host::RegName(name) => name.as_str().eq_ignore_ascii_case("localhost"),
            _ => false,
        })
    }

    pub(crate) fn has_user_information(&self) -> bool {
        self.uri.authority().is_some_and(|authority| authority.has_userinfo())
    }

    pub(crate) fn has_fragment(&self) -> bool {
        self.has_fragment
    }

    pub(crate) fn path(&self) -> &'a str {
        self.uri.path().as_str()
    }

    /// Scheme, host and port, as RFC 6454 §6.2 writes them.
    pub(crate) fn origin(&self) -> Option<String> {
        let (scheme, host) = (self.scheme(), self.host()?);
        let port = self.uri.authority().and_then(|authority| authority.port_to_u16().ok().flatten());
        Some(match port {
            Some(port) if !DEFAULT_PORTS.contains(&(&*scheme, port)) => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        })
    }

    /// Origin, path and query; of an empty path the root.
    pub(crate) fn normalized(&self) -> Option<String> {
        self.origin().map(|origin| self.moved_to(&origin))
    }

    /// Path and query of this address at another origin.
    pub(crate) fn moved_to(&self, origin: &str) -> String {
        let path = if self.path().is_empty() { "/" } else { self.path() };
        match self.query {
            Some(query) => format!("{origin}{path}?{query}"),
            None => format!("{origin}{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normalized(text: &str) -> Option<String> {
        Address::parse(text)?.normalized()
    }

    #[test]
    fn addresses_are_written_in_one_way() {
        assert_eq!(normalized("HTTPS://Bank.Example:443"), Some("https://bank.example/".to_owned()));
        assert_eq!(
            normalized("https://bank.example:8443/A?b=C"),
            Some("https://bank.example:8443/A?b=C".to_owned())
        );
        assert_eq!(normalized("http://[::1]:80/a"), Some("http://[::1]/a".to_owned()));
        assert_eq!(normalized("https://h:/a"), Some("https://h/a".to_owned()));
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for text in [
            "",
            "a",
            "/a",
            "//h/a",
            "https://h:99999",
            "https://h:a",
            "https://é.example",
            "https://h/a b",
            "https://h\\a",
            "https://[::1",
        ] {
            assert!(Address::parse(text).is_none(), "{text}");
        }
        for text in ["https://", "https:a", "mailto:a@b"] {
            assert_eq!(normalized(text), None, "{text}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for text in ["http://127.0.0.1:8080/cb", "http://[::1]/", "http://LocalHost"] {
            assert!(Address::parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in ["http://127.1/", "http://localhost.example", "http://10.0.0.1", "app:/127.0.0.1"] {
            assert!(!Address::parse(text).unwrap().is_loopback(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            for text in [text.clone(), format!("https://{text}"), format!("https://h/{text}")] {
                if let Some(once) = normalized(&text) {
                    prop_assert_eq!(normalized(&once), Some(once));
                }
            }
        }
    }
}
