//! The body of an answer (RFC 9112 §6 and §7).

use httparse::{EMPTY_HEADER, Status};
use zeroize::Zeroizing;

use super::answer_head::BodyEnd;
use super::incoming::{Incoming, receive_more, receive_parsed};
use super::{BODY_LIMIT, malformed, too_large};
use crate::Result;

type Body = Zeroizing<Vec<u8>>;

pub(super) fn receive_body(incoming: &mut impl Incoming, end: BodyEnd) -> Result<Body> {
    let mut body = Body::default();
    match end {
        BodyEnd::Length(length) => receive_part(incoming, length, &mut body)?,
        BodyEnd::LastChunk => receive_chunks(incoming, &mut body)?,
        BodyEnd::Connection => loop {
            append(&mut body, incoming.received())?;
            incoming.take(incoming.received().len());
            if !incoming.receive()? {
                break;
            }
        },
    }
    Ok(body)
}

/// The next `length` bytes.
fn receive_part(incoming: &mut impl Incoming, length: usize, body: &mut Body) -> Result<()> {
    let mut missing = length;
    while missing > 0 {
        if incoming.received().is_empty() {
            receive_more(incoming)?;
        }
        let received = incoming.received();
        let part = &received[..received.len().min(missing)];
        append(body, part)?;
        let length = part.len();
        missing -= length;
        incoming.take(length);
    }
    Ok(())
}

/// A body in chunks (RFC 9112 §7.1); what follows the last one is not looked at.
fn receive_chunks(incoming: &mut impl Incoming, body: &mut Body) -> Result<()> {
    loop {
        match receive_parsed(incoming, chunk_size)? {
            0 => return receive_parsed(incoming, trailers),
            size if size > BODY_LIMIT => return Err(too_large()),
            size => receive_part(incoming, size, body)?,
        }
        receive_parsed(incoming, line_end)?;
    }
}

/// What a parser of `httparse` found, and its length; none while it is not complete.
fn found<T>(parsed: httparse::Result<(usize, T)>) -> Result<Option<(usize, T)>> {
    match parsed {
        Ok(Status::Complete(complete)) => Ok(Some(complete)),
        Ok(Status::Partial) => Ok(None),
        Err(_) => Err(malformed()),
    }
}

fn chunk_size(received: &[u8]) -> Result<Option<(usize, usize)>> {
    let parsed = httparse::parse_chunk_size(received).map_err(|_| httparse::Error::Token);
    let size = |(length, size)| Ok((length, usize::try_from(size).map_err(|_| too_large())?));
    found(parsed)?.map(size).transpose()
}

fn trailers(received: &[u8]) -> Result<Option<(usize, ())>> {
    const MOST: usize = 32;
    let mut room = [EMPTY_HEADER; MOST];
    let parsed = httparse::parse_headers(received, &mut room);
    Ok(found(parsed)?.map(|(length, _)| (length, ())))
}

fn line_end(received: &[u8]) -> Result<Option<(usize, ())>> {
    const LINE_END: &[u8] = b"\r\n";
    match received.get(..LINE_END.len()) {
        Some(LINE_END) => Ok(Some((LINE_END.len(), ()))),
        None if LINE_END.starts_with(received) => Ok(None),
        _ => Err(malformed()),
    }
}

/// Adds a part of a body. When what is there must move, nothing of it stays behind: it may hold tokens.
fn append(body: &mut Body, part: &[u8]) -> Result<()> {
    let length = body.len() + part.len();
    if length > BODY_LIMIT {
        return Err(too_large());
    }
    if length > body.capacity() {
        let mut larger = Zeroizing::new(Vec::with_capacity(length.next_power_of_two()));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(part);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::pieces::Pieces;
    use super::*;
    use crate::ErrorCode;

    fn code(bytes: &[u8], end: BodyEnd) -> Option<ErrorCode> {
        receive_body(&mut Pieces::new(bytes, &[usize::MAX]), end).err().map(|error| error.code())
    }

    #[test]
    fn chunks_that_are_not_written_as_http_wants_them_are_an_error() {
        for text in [
            "2\r\n{}0\r\n\r\n",
            "2\r\n{}\n0\r\n\r\n",
            "2\r\n{} \r\n0\r\n\r\n",
            "x\r\n{}\r\n0\r\n\r\n",
            "-2\r\n{}\r\n0\r\n\r\n",
            "\r\n{}\r\n0\r\n\r\n",
            "2\r\n{}\r\n0\r\nno trailer\r\n\r\n",
            "ffffffffffffffffff\r\n",
        ] {
            assert_eq!(code(text.as_bytes(), BodyEnd::LastChunk), Some(ErrorCode::MalformedHttp), "{text}");
        }
        for text in ["", "2\r\n{}", "2\r\n{}\r\n", "2\r\n{}\r\n0\r\n", "2\r\n{}\r\n0\r\na: b\r\n"] {
            assert_eq!(code(text.as_bytes(), BodyEnd::LastChunk), Some(ErrorCode::Disconnected), "{text}");
        }
    }

    #[test]
    fn a_body_beyond_the_limit_is_not_read() {
        let most = vec![b' '; BODY_LIMIT];
        let more = vec![b' '; BODY_LIMIT + 1];
        assert_eq!(code(&most, BodyEnd::Connection), None);
        assert_eq!(code(&more, BodyEnd::Connection), Some(ErrorCode::AnswerTooLarge));
        let chunk = [format!("{:x}\r\n", BODY_LIMIT).as_bytes(), &most, b"\r\n"].concat();
        assert_eq!(code(&[&chunk[..], b"0\r\n\r\n"].concat(), BodyEnd::LastChunk), None);
        let two = [&chunk[..], b"1\r\n \r\n0\r\n\r\n"].concat();
        assert_eq!(code(&two, BodyEnd::LastChunk), Some(ErrorCode::AnswerTooLarge));
        assert_eq!(code(b"100001\r\n", BodyEnd::LastChunk), Some(ErrorCode::AnswerTooLarge));
    }

    proptest! {
        #[test]
        fn a_body_is_the_same_however_it_is_cut(
            body in prop::collection::vec(any::<u8>(), 0..500),
            chunks in prop::collection::vec(1..100_usize, 1..5),
            pieces in prop::collection::vec(1..100_usize, 1..5),
            rest in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let mut chunked = Vec::new();
            for chunk in Pieces::new(&body, &chunks).coming {
                chunked.extend([format!("{:x};a=b\r\n", chunk.len()).as_bytes(), &chunk, b"\r\n"].concat());
            }
            chunked.extend(b"0\r\na: b\r\n\r\n");
            for (bytes, end) in [(&body, BodyEnd::Length(body.len())), (&chunked, BodyEnd::LastChunk)] {
                let mut incoming = Pieces::new(&[&bytes[..], &rest].concat(), &pieces);
                prop_assert_eq!(&*receive_body(&mut incoming, end)?, &body);
                while incoming.receive()? {}
                prop_assert_eq!(incoming.received(), &rest);
            }
            let whole = receive_body(&mut Pieces::new(&body, &pieces), BodyEnd::Connection)?;
            prop_assert_eq!(&*whole, &body);
        }

        #[test]
        fn arbitrary_bytes_never_panic(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"0123aF;\r\n: "[..])], 0..200),
            pieces in prop::collection::vec(1..50_usize, 1..5),
        ) {
            let _ = receive_body(&mut Pieces::new(&bytes, &pieces), BodyEnd::LastChunk);
        }
    }
}
