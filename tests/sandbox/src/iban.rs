//! IBAN rules of the protocol: the pattern and modulus 97, and how one is shown in a log.

/// `^[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}$` and ISO 7064 mod 97-10.
pub(crate) fn is_valid(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = (5..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes[4..].iter().all(u8::is_ascii_alphanumeric);
    shape && remainder(bytes) == 1
}

fn remainder(bytes: &[u8]) -> u32 {
    bytes[4..].iter().chain(&bytes[..4]).fold(0, |rest, byte| {
        let value = char::from(*byte).to_digit(36).unwrap_or(0);
        let width = if value < 10 { 10 } else { 100 };
        (rest * width + value) % 97
    })
}

/// `FR76…5158`, as logs and pages show it.
pub(crate) fn masked(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() < 12 {
        return "…".to_owned();
    }
    let head: String = characters[..4].iter().collect();
    let tail: String = characters[characters.len() - 4..].iter().collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_ibans_hold_and_a_changed_digit_does_not() {
        assert!(is_valid("FR7613807008043001965405158"));
        assert!(is_valid("GB82WEST12345698765432"));
        for wrong in ["FR7613807008043001965405159", "fr7613807008043001965405158", "FR76", "", "FR76 1380"] {
            assert!(!is_valid(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_masked_iban_shows_eight_characters_at_most() {
        assert_eq!(masked("FR7613807008043001965405158"), "FR76…5158");
        assert_eq!(masked("FR76138"), "…");
    }
}
