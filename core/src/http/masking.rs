//! What may be shown of a request: an allow list of headers, and masks for everything else.

use zeroize::Zeroizing;

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
/// card number or a token is masked, also when it is written in groups, and it is cut to `limit` characters.
pub(crate) fn mask_text(text: &str, limit: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let pieces: Vec<&str> = text.split_inclusive(|c: char| !is_word(c)).collect();
    let mut shown = String::with_capacity(text.len());
    let mut rest = &pieces[..];
    while let Some(first) = rest.first() {
        let whole = || Masked { text: mask_word(word(first)), pieces: 1, end: word(first).len() };
        let masked = grouped_number(rest).unwrap_or_else(whole);
        shown.push_str(&masked.text);
        shown.push_str(&rest[masked.pieces - 1][masked.end..]);
        rest = &rest[masked.pieces..];
    }
    // Cut only now: half of a number would no longer look like one.
    match shown.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown,
    }
}

/// A piece without what separates it from the next.
fn word(piece: &str) -> &str {
    piece.trim_end_matches(|c: char| !is_word(c))
}

/// The beginning of a list of pieces, masked: how many of them, and where in the last one it ends.
struct Masked {
    text: String,
    pieces: usize,
    end: usize,
}

/// An IBAN or card number in groups of up to four characters with single blanks between them.
fn grouped_number(pieces: &[&str]) -> Option<Masked> {
    const MOST_GROUPS: usize = 9;
    let mut joined = String::new();
    let mut found = None;
    for (place, piece) in pieces.iter().take(MOST_GROUPS).enumerate() {
        let end = piece.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(piece.len());
        let group = &piece[..end];
        if !(1..=4).contains(&end) {
            break;
        }
        joined.push_str(group);
        let digits = joined.bytes().filter(u8::is_ascii_digit).count();
        if place > 0 && digits * 2 >= joined.len() && (looks_like_iban(&joined) || looks_like_number(&joined))
        {
            found = Some(Masked { text: mask_word(&joined), pieces: place + 1, end });
        }
        let separator = &piece[end..];
        if separator.chars().count() != 1 || !separator.chars().all(char::is_whitespace) {
            break;
        }
    }
    found
}

/// A secret that was sent, and how it may be shown.
pub(crate) struct Sent {
    pub(crate) secret: Zeroizing<String>,
    pub(crate) shown: String,
}

impl Sent {
    pub(crate) fn new(secret: &str) -> Self {
        Self { secret: Zeroizing::new(secret.to_owned()), shown: mask_secret(secret) }
    }
}

/// A text that the bank may have put secrets of ours in: those are masked whatever they look like, unless they are so short
/// that they are words too.
pub(crate) fn hide(text: &str, sent: &[Sent]) -> String {
    const UNMISTAKABLE: usize = 12;
    let secrets = sent.iter().filter(|sent| sent.secret.len() >= UNMISTAKABLE);
    secrets.fold(text.to_owned(), |text, sent| text.replace(sent.secret.as_str(), &sent.shown))
}

/// Characters that tokens, IBANs and numbers are made of.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~' | '+')
}

fn mask_word(word: &str) -> String {
    // A full stop at the end of a sentence is a token's character too.
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if let Some(masked) = mask_number(bare) {
        return word.replacen(bare, &masked, 1);
    }
    if is_uuid(bare) {
        return word.to_owned();
    }
    if word.len() >= 20 && word.bytes().any(|byte| byte.is_ascii_digit()) {
        return mask_secret(word);
    }
    let parts = word.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let masked = parts.map(|part| {
        let bare = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        mask_number(bare).map_or_else(|| part.to_owned(), |masked| masked + &part[bare.len()..])
    });
    masked.collect()
}

fn mask_number(word: &str) -> Option<String> {
    if looks_like_iban(word) {
        Some(mask_iban(word))
    } else {
        looks_like_number(word).then(|| mask_secret(word))
    }
}

fn looks_like_iban(word: &str) -> bool {
    let letters = word.as_bytes();
    letters.len() >= 14
        && letters.iter().all(u8::is_ascii_alphanumeric)
        && letters[..2].iter().all(u8::is_ascii_alphabetic)
        && letters[2..4].iter().all(u8::is_ascii_digit)
}

/// Many digits, also with hyphens between groups of them.
fn looks_like_number(word: &str) -> bool {
    word.bytes().filter(u8::is_ascii_digit).count() >= 11
        && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
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
        assert_eq!(mask_text("été", 3), "été");
        assert_eq!(
            mask_text("request 9f1b8c1e-6f0f-4a44-9d52-0123456789ab", 512),
            "request 9f1b8c1e-6f0f-4a44-9d52-0123456789ab"
        );
    }

    #[test]
    fn numbers_in_groups_are_masked() {
        for (text, shown) in [
            ("Compte FR76 1380 7008 0430 0196 5405 158 inconnu", "Compte FR76…5158 inconnu"),
            ("(FR76 1380 7008 0430 0196 5405 158)", "(FR76…5158)"),
            ("fr76\u{a0}1380\u{a0}7008\u{a0}0430\u{a0}0196\u{a0}5405\u{a0}158", "fr76…5158"),
            ("4970 1012 3456 7890 est KO", "4970… est KO"),
            ("carte 4970-1012-3456-7890, code 1", "carte 4970…, code 1"),
            ("FR76 1380 7008 0430 0196 5405 158.", "FR76…5158."),
            ("tel 01 23 45 67 89", "tel 01 23 45 67 89"),
            ("erreur 12 le 23 11 2026", "erreur 12 le 23 11 2026"),
        ] {
            assert_eq!(mask_text(text, 512), shown);
        }
    }

    #[test]
    fn numbers_with_punctuation_are_masked() {
        for (text, shown) in [
            ("Carte 4970101234567890.", "Carte 4970…."),
            ("Compte NO9386011117947.", "Compte NO93…7947."),
            ("FR7613807008043001965405158.", "FR76…5158."),
            ("to_NO9386011117947", "to_NO93…7947"),
            ("le 23.11.2026 à 13.05", "le 23.11.2026 à 13.05"),
        ] {
            assert_eq!(mask_text(text, 512), shown);
        }
    }

    #[test]
    fn a_number_at_the_cut_is_masked() {
        assert_eq!(mask_text("Compte FR7613807008043001965405158", 20), "Compte FR76…5158");
        assert_eq!(mask_text("Compte FR7613807008043001965405158", 11), "Compte FR76…");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_masked(text in ".*", limit in 0_usize..600) {
            let shown = mask_text(&text, limit);
            proptest::prop_assert!(shown.chars().count() <= limit + 1);
        }
    }
}
