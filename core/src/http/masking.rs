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
/// card number or a token is masked, printed in groups or not, and it is cut to `limit` characters.
pub(crate) fn mask_text(text: &str, limit: usize) -> String {
    /// Enough to see that what the cut would leave of a number is one.
    const AHEAD: usize = 64;
    let cleaned: String =
        text.chars().take(limit + AHEAD).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut shown = String::with_capacity(cleaned.len());
    let mut rest = cleaned.as_str();
    while !rest.is_empty() {
        let word = leading_word(rest);
        let masked = match leading_groups(rest) {
            Some((length, masked)) => (length, masked),
            None => (word.len(), mask_word(word)),
        };
        shown.push_str(&masked.1);
        rest = &rest[masked.0..];
        let separator = rest.len() - rest.trim_start_matches(|c: char| !is_word(c)).len();
        shown.push_str(&rest[..separator]);
        rest = &rest[separator..];
    }
    match shown.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None if text.chars().nth(limit + AHEAD).is_some() => shown + "…",
        None => shown,
    }
}

fn leading_word(text: &str) -> &str {
    &text[..text.find(|c: char| !is_word(c)).unwrap_or(text.len())]
}

/// An account or card number in printed form, that is in groups of four with a blank between them: how many
/// bytes of the text it takes, and its mask.
fn leading_groups(text: &str) -> Option<(usize, String)> {
    const GROUP: usize = 4;
    let (mut joined, mut end, mut next) = (String::new(), 0, text);
    loop {
        let group = leading_word(next);
        let (plain, has_digit) =
            (group.bytes().all(|c| c.is_ascii_alphanumeric()), group.bytes().any(|c| c.is_ascii_digit()));
        // Letters alone are a group only where an IBAN has its bank: in the second place.
        if group.is_empty() || group.len() > GROUP || !plain || !(has_digit || joined.len() == GROUP) {
            break;
        }
        joined.push_str(group);
        end = text.len() - next.len() + group.len();
        let after = &next[group.len()..];
        match after.strip_prefix([' ', '\u{a0}', '\u{202f}']) {
            Some(following) if group.len() == GROUP => next = following,
            _ => break,
        }
    }
    let digits = joined.bytes().filter(u8::is_ascii_digit).count();
    if joined.len() == digits && digits >= 12 {
        Some((end, mask_secret(&joined)))
    } else if looks_like_iban(&joined) && digits >= 10 {
        Some((end, mask_iban(&joined)))
    } else {
        None
    }
}

/// Characters that tokens, IBANs and numbers are made of.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+')
}

fn mask_word(word: &str) -> String {
    if looks_like_iban(word) {
        return mask_iban(word);
    }
    let letters = word.as_bytes();
    let digits = letters.iter().filter(|c| c.is_ascii_digit()).count();
    let separators = letters.iter().filter(|c| c.is_ascii_punctuation()).count();
    let looks_like_number = digits >= 11 && digits + separators == letters.len();
    let looks_like_token = letters.len() >= 20 && digits > 0;
    if (looks_like_number || looks_like_token) && !is_uuid(word) {
        mask_secret(word)
    } else {
        word.to_owned()
    }
}

fn looks_like_iban(word: &str) -> bool {
    let letters = word.as_bytes();
    letters.len() >= 14
        && letters.iter().all(u8::is_ascii_alphanumeric)
        && letters[..2].iter().all(u8::is_ascii_alphabetic)
        && letters[2..4].iter().all(u8::is_ascii_digit)
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

    #[test]
    fn numbers_in_printed_form_are_masked() {
        for (text, shown) in [
            ("sur FR76 1380 7008 0430 0196 5405 158 refusé", "sur FR76…5158 refusé"),
            ("GB29 NWBK 6016 1331 9268 19, unknown", "GB29…6819, unknown"),
            ("card 4970 1012 3456 7890 or 4970-1012-3456-7890", "card 4970… or 4970…"),
            ("AC04 this code text says 2026 only 12 50", "AC04 this code text says 2026 only 12 50"),
            ("FR76", "FR76"),
        ] {
            assert_eq!(mask_text(text, 512), shown);
        }
    }

    #[test]
    fn the_cut_leaves_no_part_of_a_number() {
        for limit in 0..40 {
            let shown = mask_text("Compte FR7613807008043001965405158 inconnu", limit);
            assert!(!shown.contains("FR761") && shown.chars().count() <= limit + 1, "{shown}");
        }
    }
}
