//! Requests laid open.

use std::ffi::c_char;
use std::ptr;

use cbpii_core::Explanation;

use crate::handle::{fact, free, handle};
use crate::text::{TextList, Texts};

/// A request laid open: header by header, with the exact signing string. Tokens and account numbers are masked, so it
/// can be pasted anywhere.
pub struct cbpii_explanation {
    _opaque: [u8; 0],
}

handle!(cbpii_explanation => ExplanationFacts);

/// An explanation as strings.
pub struct ExplanationFacts {
    texts: Texts<8>,
    names: TextList,
    values: TextList,
}

impl ExplanationFacts {
    pub(crate) fn new(explanation: Explanation) -> Self {
        let whole = explanation.to_string();
        let headers = &explanation.headers;
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let values: Vec<&str> = headers.iter().map(|(_, value)| value.as_str()).collect();
        Self {
            texts: Texts::of([
                Some(&whole),
                Some(&explanation.method),
                Some(&explanation.url),
                Some(&explanation.body),
                explanation.digest_input.as_deref(),
                explanation.signing_string.as_deref(),
                explanation.key_id.as_deref(),
                explanation.key_id_source.as_deref(),
            ]),
            names: TextList::of(&names),
            values: TextList::of(&values),
        }
    }
}

unsafe fn text_of(explanation: *const cbpii_explanation, place: usize) -> *const c_char {
    unsafe { fact(explanation, ptr::null(), |facts| facts.texts.get(place)) }
}

/// All of it as one text, for a person.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_explanation_text(explanation: *const cbpii_explanation) -> *const c_char {
    unsafe { text_of(explanation, 0) }
}

/// The method: "POST".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_explanation_method(explanation: *const cbpii_explanation) -> *const c_char {
    unsafe { text_of(explanation, 1) }
}

/// The whole URL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_explanation_url(explanation: *const cbpii_explanation) -> *const c_char {
    unsafe { text_of(explanation, 2) }
}

/// How many headers there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_explanation_header_count(explanation: *const cbpii_explanation) -> usize {
    unsafe { fact(explanation, 0, |facts| facts.names.len()) }
}

/// The name of a header, in the order of sending. NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_explanation_header_name(
    explanation: *const cbpii_explanation,
    place: usize,
) -> *const c_char {
    unsafe { fact(explanation, ptr::null(), |facts| facts.names.get(place)) }
}

/// The masked value of a header. NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_explanation_header_value(
    explanation: *const cbpii_explanation,
    place: usize,
) -> *const c_char {
    unsafe { fact(explanation, ptr::null(), |facts| facts.values.get(place)) }
}

/// The body, account numbers masked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_explanation_body(explanation: *const cbpii_explanation) -> *const c_char {
    unsafe { text_of(explanation, 3) }
}

/// The input of the digest in words. NULL when there is no digest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_explanation_digest_input(
    explanation: *const cbpii_explanation,
) -> *const c_char {
    unsafe { text_of(explanation, 4) }
}

/// The exact lines that are signed, secrets masked. NULL when nothing is signed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_explanation_signing_string(
    explanation: *const cbpii_explanation,
) -> *const c_char {
    unsafe { text_of(explanation, 5) }
}

/// The keyId as written. NULL when nothing is signed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_explanation_key_id(explanation: *const cbpii_explanation) -> *const c_char {
    unsafe { text_of(explanation, 6) }
}

/// Where the keyId comes from: "seal" when the issuer stated it, else the source the bank's record names. NULL when
/// nothing is signed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_explanation_key_id_source(
    explanation: *const cbpii_explanation,
) -> *const c_char {
    unsafe { text_of(explanation, 7) }
}

/// Frees an explanation that the caller owns, not one borrowed from an error. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_explanation_free(explanation: *mut cbpii_explanation) {
    unsafe { free(explanation) }
}
