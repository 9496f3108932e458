//! A second reading of callback URLs.

use percent_encoding::percent_decode_str;

/// The values of a parameter in the query of a URL, decoded as forms are (WHATWG URL, 5.1).
#[must_use]
pub fn values(url: &str, name: &str) -> Vec<String> {
    let before_fragment = url.split('#').next().unwrap_or_default();
    let query = before_fragment.split_once('?').map_or("", |(_, query)| query);
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value)).collect()
}
