//! What an input says: which call, and with which arguments.

use std::ffi::{CString, c_char};
use std::ptr;

use cbpii_fuzz::bank_in_memory::{CLIENT_ID, REDIRECT_URI};
use cbpii_fuzz::kit::{QSEALC, QWAC};
use cbpii_fuzz::secrets::{ACCESS_TOKEN, CODE, IBAN, PASSWORD, REFRESH_TOKEN, STATE};
use libfuzzer_sys::arbitrary::Unstructured;

/// Texts that mean something somewhere.
const TEXTS: &[&str] = &[
    "",
    "17515",
    "bpce-17515",
    "caisse epargne",
    CLIENT_ID,
    REDIRECT_URI,
    IBAN,
    "NO9386011117947",
    "EUR",
    "JPY",
    "12.50",
    "0",
    "ORDER-4711",
    "CPAN",
    "4970101234567890",
    ACCESS_TOKEN,
    REFRESH_TOKEN,
    CODE,
    STATE,
    PASSWORD,
    "memory",
    "https://bank.example",
    "http://bank.example",
    "psu-ip-address",
    "192.0.2.1",
    "consent-1",
    r#"{"base":"bpce-17515","environment":"sandbox"}"#,
    r#"{"base":"bpce-17515","environment":"sandbox","signature":null}"#,
    r#"{"base":"lydia","environment":"production","refresh_token_rotation":"rotated"}"#,
    r#"{"v":1,"access_token":"a","refresh_token":"b","obtained_at":"2026-11-23T13:05:00Z","consent_expires_at":"2027-05-22T13:05:00Z"}"#,
    "?code=SplxlOBeZQQYbYS6WxSbIA&state=Kx0yMmRrbGJfZ1hQbEtqd3ZtTnBRc1R1VnhZejAxMjM",
    "?error=access_denied&state=Kx0yMmRrbGJfZ1hQbEtqd3ZtTnBRc1R1VnhZejAxMjM",
];

/// The choices of an input, and the arguments that were made of them: they live as long as it does.
pub struct Choices<'a> {
    rest: Unstructured<'a>,
    texts: Vec<CString>,
    bytes: Vec<Vec<u8>>,
}

impl<'a> Choices<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { rest: Unstructured::new(data), texts: Vec::new(), bytes: Vec::new() }
    }

    /// None when the input is at its end.
    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        if self.rest.is_empty() { None } else { self.rest.choose(all).ok().copied() }
    }

    pub fn byte(&mut self) -> u8 {
        self.rest.arbitrary().unwrap_or_default()
    }

    pub fn yes(&mut self) -> bool {
        self.byte() & 1 != 0
    }

    /// Rather small, or anything.
    pub fn number(&mut self) -> i64 {
        match self.byte() {
            255 => self.rest.arbitrary().unwrap_or_default(),
            254 => i64::MIN,
            253 => i64::MAX,
            small => i64::from(small) - 2,
        }
    }

    /// As `number`, for enumerations.
    pub fn constant(&mut self) -> i32 {
        i32::try_from(self.number()).unwrap_or(i32::MAX)
    }

    /// A moment in this year, or anything.
    pub fn moment(&mut self) -> i64 {
        match self.byte() {
            255 => self.number(),
            days => 1_795_439_100_000 + i64::from(days) * 86_400_000,
        }
    }

    /// A duration that is as good as none, or milliseconds that nobody waits for, since the bank answers at once.
    pub fn duration(&mut self) -> i64 {
        match self.byte() {
            0 => 0,
            1 => -1,
            2 => i64::MAX,
            seconds => i64::from(seconds) * 1000,
        }
    }

    /// NULL, a text that means something, or what the input holds, which may be no UTF-8.
    pub fn text(&mut self) -> *const c_char {
        let text = match self.byte() {
            255 => return ptr::null(),
            254 => self.given(),
            place => TEXTS[usize::from(place) % TEXTS.len()].as_bytes().to_vec(),
        };
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        self.texts.push(CString::new(text).expect("no NUL in it"));
        self.texts.last().map_or(ptr::null(), |text| text.as_ptr())
    }

    /// Bytes and their length: none, a file of the kit, or what the input holds.
    pub fn file(&mut self) -> (*const u8, usize) {
        let bytes = match self.byte() % 8 {
            0 => return (ptr::null(), 0),
            1 => return (ptr::null(), usize::from(self.byte())),
            2 => self.given(),
            3 => QSEALC.key.clone(),
            4 => QWAC.key.clone(),
            5 => QSEALC.chain.clone(),
            _ => QWAC.chain.clone(),
        };
        self.keep(bytes)
    }

    /// As many bytes as a key has, or another number of them.
    pub fn key(&mut self) -> (*const u8, usize) {
        let length = if self.byte() == 0 { 5 } else { 32 };
        let byte = self.byte();
        self.keep(vec![byte; length])
    }

    /// Up to 64 bytes of the input.
    pub fn given(&mut self) -> Vec<u8> {
        let length = usize::from(self.byte()) % 65;
        let length = length.min(self.rest.len());
        self.rest.bytes(length).unwrap_or_default().to_vec()
    }

    fn keep(&mut self, bytes: Vec<u8>) -> (*const u8, usize) {
        self.bytes.push(bytes);
        self.bytes.last().map_or((ptr::null(), 0), |bytes| (bytes.as_ptr(), bytes.len()))
    }
}
