//! A second reading of decimals, by their digits alone.

/// Whether a text writes this number: `digits` without zeros at their ends, the last of them worth `10^exponent`.
#[must_use]
pub fn is_number(text: &str, digits: &str, exponent: i64) -> bool {
    read(text).is_some_and(|read| read == (digits.to_owned(), exponent))
}

/// The digits of a positive decimal without zeros at their ends, and what the last one is worth.
fn read(text: &str) -> Option<(String, i64)> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{integer}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let power: i64 = power.parse().ok()?;
    let short = digits.trim_end_matches('0');
    let dropped = i64::try_from(digits.len() - short.len()).ok()?;
    let exponent = power.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(dropped)?;
    Some((short.trim_start_matches('0').to_owned(), exponent))
}
