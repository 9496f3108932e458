//! Parameters of a query or a form, read strictly.

use url::form_urlencoded;

/// Parameters in their order, each name once.
#[derive(Debug, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Decodes `application/x-www-form-urlencoded`. Gives the name of a repeated parameter with what was read.
    pub(crate) fn parse(text: &[u8]) -> (Self, Option<String>) {
        let mut kept: Vec<(String, String)> = Vec::new();
        let mut repeated = None;
        for (name, value) in form_urlencoded::parse(text) {
            if kept.iter().any(|(present, _)| *present == name) {
                repeated.get_or_insert(name.into_owned());
            } else {
                kept.push((name.into_owned(), value.into_owned()));
            }
        }
        (Self(kept), repeated)
    }

    /// A value; one that is empty counts as not sent (RFC 6749, 3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(present, _)| present == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The first name that is not one of `known`.
    pub(crate) fn unknown(&self, known: &[&str]) -> Option<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).find(|name| !known.contains(name))
    }
}

/// Adds parameters to an address that may have a query already; the address itself stays byte for byte.
pub(crate) fn with_query(address: &str, parameters: &[(&str, &str)]) -> String {
    let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let separator = if address.contains('?') { '&' } else { '?' };
    format!("{address}{separator}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_unknown_and_empty_parameters_are_told_apart() {
        let (parameters, repeated) = Parameters::parse(b"a=1&b=&a=2&c=%26");
        assert_eq!(repeated.as_deref(), Some("a"));
        assert_eq!(
            (parameters.get("a"), parameters.get("b"), parameters.get("c")),
            (Some("1"), None, Some("&"))
        );
        assert_eq!(parameters.unknown(&["a", "b"]), Some("c"));
    }

    #[test]
    fn a_redirect_uri_with_a_query_keeps_it() {
        assert_eq!(
            with_query("https://a.example/cb?x=1", &[("code", "a b")]),
            "https://a.example/cb?x=1&code=a+b"
        );
    }
}
