//! A second opinion on answers of HTTP/1.1 (RFC 9112): only of those that are written without any liberty.

/// An answer as it was written.
#[derive(Debug, PartialEq, Eq)]
pub struct Written<'a> {
    pub status: u16,
    pub body: Vec<u8>,
    /// What follows the answer.
    pub rest: &'a [u8],
}

/// The first final answer, if it and those before it are complete and strictly written.
#[must_use]
pub fn read(mut bytes: &[u8]) -> Option<Written<'_>> {
    loop {
        let (status, headers, rest) = head(bytes)?;
        bytes = rest;
        match status {
            102..=199 | 100 => {}
            101 => return None,
            204 | 304 => return Some(Written { status, body: Vec::new(), rest }),
            _ => {
                let (body, rest) = body(&headers, rest)?;
                return Some(Written { status, body, rest });
            }
        }
    }
}

type Headers = Vec<(String, String)>;

fn head(mut bytes: &[u8]) -> Option<(u16, Headers, &[u8])> {
    let status = match line(&mut bytes)?.strip_prefix("HTTP/1.1 ")?.split_once(' ')? {
        (status, reason) if status.len() == 3 && is_plain(reason) => status.parse().ok()?,
        _ => return None,
    };
    let headers = headers(&mut bytes)?;
    (status >= 100).then_some((status, headers, bytes))
}

/// Headers and the empty line after them.
fn headers(bytes: &mut &[u8]) -> Option<Headers> {
    let mut headers = Vec::new();
    loop {
        match line(bytes)? {
            "" => return (headers.len() <= 32).then_some(headers),
            line => {
                let (name, value) = line.split_once(": ")?;
                let is_name =
                    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
                if !is_name || !is_plain(value) {
                    return None;
                }
                headers.push((name.to_ascii_lowercase(), value.to_owned()));
            }
        }
    }
}

/// One body, of a length that is told once; everything else is no answer without liberties.
fn body<'a>(headers: &Headers, mut bytes: &'a [u8]) -> Option<(Vec<u8>, &'a [u8])> {
    let of = |wanted: &str| {
        headers.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str()).collect()
    };
    let (lengths, codings): (Vec<_>, Vec<_>) = (of("content-length"), of("transfer-encoding"));
    match (&lengths[..], &codings[..]) {
        ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
            let (body, rest) = bytes.split_at_checked(length.parse().ok()?)?;
            Some((body.to_vec(), rest))
        }
        ([], ["chunked"]) => {
            let mut body = Vec::new();
            loop {
                let digits = line(&mut bytes)?;
                if digits.is_empty()
                    || digits.len() > 8
                    || !digits.bytes().all(|byte| byte.is_ascii_hexdigit())
                {
                    return None;
                }
                let (chunk, rest) = bytes.split_at_checked(usize::from_str_radix(digits, 16).ok()?)?;
                if chunk.is_empty() {
                    return self::headers(&mut bytes).map(|_| (body, bytes));
                }
                body.extend(chunk);
                bytes = rest.strip_prefix(b"\r\n")?;
            }
        }
        ([], []) => Some((bytes.to_vec(), &[])),
        _ => None,
    }
}

/// The next line, without its end.
fn line<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(&bytes[..end]).ok()?;
    *bytes = &bytes[end + 2..];
    Some(line)
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}
