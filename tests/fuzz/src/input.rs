//! How an input is laid out: flags, lines, and the rest.

/// The first byte, and what follows. An empty input has the flags 0.
#[must_use]
pub fn flags(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(flags, rest)| (*flags, rest))
}

/// The first line without its end, and what follows.
#[must_use]
pub fn line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[]),
    }
}

/// A line as text, when it is text.
#[must_use]
pub fn text_line(data: &[u8]) -> (Option<&str>, &[u8]) {
    let (line, rest) = line(data);
    (std::str::from_utf8(line).ok(), rest)
}
