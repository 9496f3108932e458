//! The head of an answer (RFC 9112 §4 and §5), read by `httparse`.

use std::mem::MaybeUninit;

use ::http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use ::http::{HeaderMap, HeaderName, HeaderValue};
use httparse::{ParserConfig, Status};

use super::{BODY_LIMIT, malformed, too_large};
use crate::Result;

/// The most headers an answer may have.
const MOST_HEADERS: usize = 128;

/// Status and headers of an answer.
pub(super) struct AnswerHead {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    is_http_1_1: bool,
}

/// Where the body of an answer ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyEnd {
    /// After so many bytes.
    Length(usize),
    /// After the chunk of length zero.
    LastChunk,
    /// With the connection.
    Connection,
}

impl AnswerHead {
    /// Reads the head that `received` begins with, and tells its length; none while there is more of it to come.
    pub(super) fn read(received: &[u8]) -> Result<Option<(usize, Self)>> {
        let mut room = [const { MaybeUninit::uninit() }; MOST_HEADERS];
        let mut answer = httparse::Response::new(&mut []);
        let parsed =
            ParserConfig::default().parse_response_with_uninit_headers(&mut answer, received, &mut room);
        let Status::Complete(length) = parsed.map_err(|_| malformed())? else { return Ok(None) };
        let status = answer.code.filter(|status| (100..=999).contains(status)).ok_or_else(malformed)?;
        let mut headers = HeaderMap::with_capacity(answer.headers.len());
        for header in answer.headers {
            let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| malformed())?;
            let value = HeaderValue::from_bytes(header.value).map_err(|_| malformed())?;
            headers.append(name, value);
        }
        Ok(Some((length, Self { status, headers, is_http_1_1: answer.version == Some(1) })))
    }

    /// Whether it only says that the answer is on its way.
    pub(super) fn is_interim(&self) -> bool {
        const SWITCHING_PROTOCOLS: u16 = 101;
        self.status < 200 && self.status != SWITCHING_PROTOCOLS
    }

    /// Whether the bank agrees to another request on the same connection. Not when there are two opinions on where its
    /// body ends.
    pub(super) fn keeps_connection(&self) -> bool {
        let has = |name| self.headers.contains_key(name);
        let closes = self.list(&CONNECTION).any(|option| option.eq_ignore_ascii_case(b"close"));
        self.is_http_1_1 && !closes && !(has(TRANSFER_ENCODING) && has(CONTENT_LENGTH))
    }

    /// Where the body ends. What is written in another way than HTTP wants it is an error: a guess could take what is not the
    /// answer for the answer.
    pub(super) fn body_end(&self) -> Result<BodyEnd> {
        let mut codings = self.list(&TRANSFER_ENCODING);
        match (self.status, codings.next(), codings.next()) {
            (101, _, _) => Err(malformed()),
            (204 | 304, _, _) => Ok(BodyEnd::Length(0)),
            (_, None, _) => Ok(self.body_length()?.map_or(BodyEnd::Connection, BodyEnd::Length)),
            (_, Some(coding), None) if self.is_http_1_1 && coding.eq_ignore_ascii_case(b"chunked") => {
                Ok(BodyEnd::LastChunk)
            }
            _ => Err(malformed()),
        }
    }

    fn body_length(&self) -> Result<Option<usize>> {
        let mut lengths = self.list(&CONTENT_LENGTH);
        let Some(length) = lengths.next() else { return Ok(None) };
        if lengths.any(|other| other != length) || !length.iter().all(u8::is_ascii_digit) {
            return Err(malformed());
        }
        let number = str::from_utf8(length).ok().and_then(|digits| digits.parse().ok());
        match number.ok_or_else(malformed)? {
            length if length > BODY_LIMIT => Err(too_large()),
            length => Ok(Some(length)),
        }
    }

    /// The members of a header that is a list (RFC 9110 §5.6.1).
    fn list(&self, name: &HeaderName) -> impl Iterator<Item = &[u8]> {
        let lines = self.headers.get_all(name).into_iter();
        lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorCode;

    fn head(lines: &str) -> AnswerHead {
        let text = format!("HTTP/1.1 {lines}\r\n\r\n{{}}");
        let (length, head) = AnswerHead::read(text.as_bytes()).unwrap().unwrap();
        assert_eq!(&text[length..], "{}");
        head
    }

    #[test]
    fn a_head_is_complete_with_its_empty_line() {
        let text = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        for length in 0..text.len() {
            assert!(AnswerHead::read(&text[..length]).unwrap().is_none(), "{length}");
        }
        assert!(AnswerHead::read(text).unwrap().is_some());
    }

    #[test]
    fn what_is_no_head_is_an_error() {
        for text in ["HTTP/1.1 099 No\r\n\r\n", "HTTP/1.1 200 OK\r\na b: c\r\n\r\n", "<html>"] {
            let error = AnswerHead::read(text.as_bytes()).err().unwrap();
            assert_eq!(error.code(), ErrorCode::MalformedHttp, "{text}");
        }
        let most = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(MOST_HEADERS));
        assert!(AnswerHead::read(most.as_bytes()).is_ok());
        let more = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(MOST_HEADERS + 1));
        assert!(AnswerHead::read(more.as_bytes()).is_err());
    }

    #[test]
    fn the_end_of_a_body_is_known_or_an_error() {
        for (lines, end) in [
            ("200 OK", BodyEnd::Connection),
            ("200 OK\r\ncontent-length: 2", BodyEnd::Length(2)),
            ("200 OK\r\ncontent-length: 2\r\nContent-Length: 2, 2", BodyEnd::Length(2)),
            ("200 OK\r\ntransfer-encoding: Chunked", BodyEnd::LastChunk),
            ("200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2", BodyEnd::LastChunk),
            ("204 No Content\r\ncontent-length: 2", BodyEnd::Length(0)),
            ("304 Not Modified", BodyEnd::Length(0)),
        ] {
            assert_eq!(head(lines).body_end().unwrap(), end, "{lines}");
        }
        for lines in [
            "101 Switching Protocols",
            "200 OK\r\ncontent-length:",
            "200 OK\r\ncontent-length: +2",
            "200 OK\r\ncontent-length: -2",
            "200 OK\r\ncontent-length: 0x2",
            "200 OK\r\ncontent-length: 2\r\ncontent-length: 3",
            "200 OK\r\ncontent-length: 18446744073709551618",
            "200 OK\r\ntransfer-encoding: gzip, chunked",
            "200 OK\r\ntransfer-encoding: identity",
            "200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked",
        ] {
            assert_eq!(head(lines).body_end().unwrap_err().code(), ErrorCode::MalformedHttp, "{lines}");
        }
        let error = head("200 OK\r\ncontent-length: 1048577").body_end().unwrap_err();
        assert_eq!(error.code(), ErrorCode::AnswerTooLarge);
    }

    #[test]
    fn a_connection_is_kept_unless_the_bank_or_doubt_forbids_it() {
        assert!(head("200 OK\r\nconnection: keep-alive").keeps_connection());
        assert!(!head("200 OK\r\nconnection: foo, Close").keeps_connection());
        assert!(!head("200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 2").keeps_connection());
        let old = AnswerHead::read(b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n\r\n").unwrap().unwrap().1;
        assert!(!old.keeps_connection());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(
            start in "(HTTP/1[.][01] [0-9]{3}( OK)?\r\n)?",
            lines in prop::collection::vec("(content-length|transfer-encoding|connection|[a-z]{0,3}): ?[0-9a-z, ]{0,12}\r\n", 0..4),
            rest in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let bytes = [start.as_bytes(), lines.concat().as_bytes(), b"\r\n", &rest].concat();
            if let Ok(Some((length, head))) = AnswerHead::read(&bytes) {
                prop_assert!(length <= bytes.len());
                let _ = (head.body_end(), head.keeps_connection(), head.is_interim());
            }
        }
    }
}
