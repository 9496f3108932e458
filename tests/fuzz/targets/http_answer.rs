//! What comes on a connection to the bank: the same answer however it is cut, the one that a strict reader finds, within the
//! limits, and no other request on a connection where it is not clear that the answer has ended.
//!
//! Input: two bytes for the lengths of the pieces it comes in, then the bytes.
#![no_main]

use cbpii::ErrorCode;
use cbpii::http::read_answer;
use cbpii_fuzz::secrets::assert_said;
use cbpii_fuzz::{http, memory};
use libfuzzer_sys::fuzz_target;

const GOOD: &[u8] = b"\x01\x07HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";

fuzz_target!(init: assert_eq!(run(GOOD), Some(b"{}".to_vec())), |data: &[u8]| memory::limited(|| run(data)));

/// The body, if there is an answer.
fn run(data: &[u8]) -> Option<Vec<u8>> {
    let [one, other, bytes @ ..] = data else { return None };
    let whole = read_answer(bytes, &[usize::MAX]);
    let pieces = read_answer(bytes, &[usize::from(*one), usize::from(*other)]);
    let expected = http::read(bytes);
    match (&whole, &pieces) {
        (Ok((whole, reusable)), Ok((pieces, reusable_in_pieces))) => {
            assert_eq!((whole.status(), whole.body()), (pieces.status(), pieces.body()));
            assert_eq!(whole.header("content-type"), pieces.header("content-type"));
            // Of what follows the answer, pieces that have not come yet say nothing.
            assert!(*reusable_in_pieces || !*reusable);
            assert!((200..=999).contains(&whole.status()) && whole.body().len() <= bytes.len());
        }
        (Err(whole), Err(pieces)) => {
            assert_eq!(whole.code(), pieces.code());
            assert_said(whole);
            let codes = [ErrorCode::MalformedHttp, ErrorCode::Disconnected, ErrorCode::AnswerTooLarge];
            assert!(codes.contains(&whole.code()), "{whole:?}");
        }
        _ => panic!("{whole:?} in one piece, {pieces:?} in several"),
    }
    if let Some(expected) = expected {
        let (answer, reusable) = whole.as_ref().expect("what is well written is read");
        assert_eq!((answer.status(), answer.body()), (expected.status, &expected.body[..]));
        assert!(expected.rest.is_empty() || !reusable, "something follows the answer");
    }
    whole.ok().map(|(answer, _)| answer.body().to_vec())
}
