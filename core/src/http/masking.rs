//! What may be shown of a request: an allow list of headers, and masks for everything else.

/// The headers whose values may be shown in full. All others show as an ellipsis.
const SHOWN_HEADERS: &[&str] = &[
    "(request-target)",
    "accept",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "digest",
    "host",
    "retry-after",
    "signature",
    "user-agent",
    "warning",
    "x-correlationid",
    "x-request-id",
];

/// The value of a header as it may be shown.
pub(crate) fn mask_header(name: &str, value: &str) -> String {
    if SHOWN_HEADERS.iter().any(|shown| shown.eq_ignore_ascii_case(name)) {
        return value.to_owned();
    }
    if name.eq_ignore_ascii_case("authorization") {
        let (scheme, credentials) = value.split_once(' ').unwrap_or(("", value));
        return format!("{scheme} {}", mask_secret(credentials)).trim_start().to_owned();
    }
    "…".to_owned()
}

/// A secret as it may be shown: the first four characters when it is long enough to stay secret.
pub(crate) fn mask_secret(secret: &str) -> String {
    const SHOWN: usize = 4;
    const LONG_ENOUGH: usize = 16;
    if secret.chars().count() < LONG_ENOUGH {
        return "…".to_owned();
    }
    secret.chars().take(SHOWN).chain(['…']).collect()
}

/// An IBAN as it may be shown: `FR76…5158`.
pub(crate) fn mask_iban(iban: &str) -> String {
    const END: usize = 4;
    let characters: Vec<char> = iban.chars().filter(|c| !c.is_whitespace()).collect();
    if characters.len() < 12 {
        return "…".to_owned();
    }
    let (start, end) = (&characters[..END], &characters[characters.len() - END..]);
    start.iter().chain(['…'].iter()).chain(end).collect()
}

/// Free text from a bank as it may be shown: control characters become spaces, what looks like an IBAN, a
/// card number or a token is masked, and it is cut to `limit` characters.
pub(crate) fn mask_text(text: &str, limit: usize) -> String {
    let cut: String = text.chars().take(limit).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut shown = String::with_capacity(cut.len());
    for piece in cut.split_inclusive(|c: char| !is_word(c)) {
        let word = piece.trim_end_matches(|c: char| !is_word(c));
        shown.push_str(&mask_word(word));
        shown.push_str(&piece[word.len()..]);
    }
    if text.chars().nth(limit).is_some() {
        shown.push('…');
    }
    shown
}

/// Characters that tokens, IBANs and numbers are made of.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+')
}

fn mask_word(word: &str) -> String {
    let letters = word.as_bytes();
    let looks_like_iban = letters.len() >= 14
        && letters.iter().all(u8::is_ascii_alphanumeric)
        && letters[..2].iter().all(u8::is_ascii_alphabetic)
        && letters[2..4].iter().all(u8::is_ascii_digit);
    if looks_like_iban {
        return mask_iban(word);
    }
    let digits = letters.iter().filter(|c| c.is_ascii_digit()).count();
    let looks_like_number = digits >= 11 && digits == letters.len();
    let looks_like_token = letters.len() >= 20 && digits > 0 && !is_uuid(word);
    if looks_like_number || looks_like_token { mask_secret(word) } else { word.to_owned() }
}

fn is_uuid(word: &str) -> bool {
    uuid::Uuid::try_parse(word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_headers_show() {
        assert_eq!(mask_header("Content-Type", "application/json"), "application/json");
        assert_eq!(mask_header("Authorization", "Bearer 2YotnFZFEjr1zCsicMWpAA"), "Bearer 2Yot…");
        assert_eq!(mask_header("Authorization", "Bearer short"), "Bearer …");
        assert_eq!(mask_header("Set-Cookie", "session=1"), "…");
    }

    #[test]
    fn ibans_show_their_ends() {
        assert_eq!(mask_iban("FR76 1380 7008 0430 0196 5405 158"), "FR76…5158");
        assert_eq!(mask_iban("FR76"), "…");
    }

    #[test]
    fn bank_text_is_masked_and_bounded() {
        let text = "Compte FR7613807008043001965405158 inconnu,\nvoir 2YotnFZFEjr1zCsicMWpAAxyz (Erreur H6B-QA03AAH5)";
        assert_eq!(mask_text(text, 512), "Compte FR76…5158 inconnu, voir 2Yot… (Erreur H6B-QA03AAH5)");
        assert_eq!(mask_text("abcdef", 3), "abc…");
        assert_eq!(
            mask_text("request 9f1b8c1e-6f0f-4a44-9d52-0123456789ab", 512),
            "request 9f1b8c1e-6f0f-4a44-9d52-0123456789ab"
        );
    }
}
