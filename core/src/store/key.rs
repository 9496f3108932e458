//! The keys that seal records, and the sealed form.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) by the RustCrypto crate `chacha20poly1305`, which is maintained,
//! audited and shares its parts with crates that are here already. It is preferred to AES-256-GCM because its
//! 192-bit nonce may be drawn at random for any number of records: many processes share one key and cannot share
//! a counter, and 96 random bits would limit a key to some billions of writes.
//!
//! The sealed form: one byte of format (1), four bytes that tell which key, 24 bytes of nonce, ciphertext, 16
//! bytes of tag. Id and due moment are authenticated with it, so a record opens only in its own place.

use std::fmt;

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::clock::Entropy;
use crate::{Error, ErrorCode, Result, SystemEntropy, Timestamp};

const FORMAT: u8 = 1;
const NAME_LENGTH: usize = 4;
const NONCE_LENGTH: usize = 24;
const HEAD_LENGTH: usize = 1 + NAME_LENGTH + NONCE_LENGTH;
const TAG_LENGTH: usize = 16;

/// A 256-bit key that seals records: 32 random bytes from a key store, never a password. Overwritten when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RecordKey([u8; 32]);

impl RecordKey {
    /// Takes the key over.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key from a slice.
    ///
    /// # Errors
    /// `store.key` when it is not 32 bytes long.
    pub fn from_slice(bytes: &[u8]) -> Result<Self> {
        <[u8; 32]>::try_from(bytes).map(Self).map_err(|_| {
            Error::new(
                ErrorCode::StoreKey,
                "The key of the consent store is not 32 bytes long; give 32 random bytes.",
            )
        })
    }

    /// Tells keys apart without telling anything about them.
    fn name(&self) -> [u8; NAME_LENGTH] {
        let labelled = Zeroizing::new([b"cbpii record key\0".as_slice(), &self.0].concat());
        let hash = crate::crypto::sha256(&labelled);
        [hash[0], hash[1], hash[2], hash[3]]
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.0))
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordKey(…)")
    }
}

/// The key that seals, and those that only open what was sealed before it came.
#[derive(Clone, Debug)]
pub struct RecordKeys {
    current: RecordKey,
    old: Vec<RecordKey>,
}

impl RecordKeys {
    /// One key for everything.
    #[must_use]
    pub fn new(current: RecordKey) -> Self {
        Self { current, old: Vec::new() }
    }

    /// Adds a former key: records it sealed can be read, and are sealed with the current key when they are next
    /// written ([`SealedStore::reseal`](super::SealedStore::reseal) does so at once).
    #[must_use]
    pub fn with_old(mut self, key: RecordKey) -> Self {
        self.old.push(key);
        self
    }

    /// Seals `clear` for one place in a store.
    pub(super) fn seal(&self, id: &str, due_at: Timestamp, clear: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LENGTH];
        SystemEntropy.fill(&mut nonce)?;
        let mut sealed = Vec::with_capacity(HEAD_LENGTH + clear.len() + TAG_LENGTH);
        sealed.push(FORMAT);
        sealed.extend_from_slice(&self.current.name());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(clear);
        let tag = self
            .current
            .cipher()
            .encrypt_inout_detached(
                &XNonce::from(nonce),
                &place(id, due_at),
                (&mut sealed[HEAD_LENGTH..]).into(),
            )
            .map_err(|_| Error::new(ErrorCode::Internal, "A consent record is too large to be sealed."))?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens what [`seal`](Self::seal) made for the same place.
    pub(super) fn open(&self, id: &str, due_at: Timestamp, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let damaged = || {
            let message = format!(
                "The stored record of the consent {} is damaged, or belongs to another id; restore the store from a copy.",
                shown(id)
            );
            Error::new(ErrorCode::StoreCorrupt, message)
        };
        if sealed.len() < HEAD_LENGTH + TAG_LENGTH || sealed[0] != FORMAT {
            return Err(damaged());
        }
        let (head, body) = sealed.split_at(HEAD_LENGTH);
        let (text, tag) = body.split_at(body.len() - TAG_LENGTH);
        let key = self.named(&head[1..=NAME_LENGTH]).ok_or_else(|| {
            let message = format!("None of the keys given opens the stored record of the consent {}; add the key it was sealed with as an old one.", shown(id));
            Error::new(ErrorCode::StoreKey, message)
        })?;
        let nonce = XNonce::try_from(&head[1 + NAME_LENGTH..]).map_err(|_| damaged())?;
        let tag = chacha20poly1305::Tag::try_from(tag).map_err(|_| damaged())?;
        let mut clear = Zeroizing::new(text.to_vec());
        key.cipher()
            .decrypt_inout_detached(&nonce, &place(id, due_at), clear.as_mut_slice().into(), &tag)
            .map_err(|_| damaged())?;
        Ok(clear)
    }

    /// Whether a record is sealed with the current key.
    pub(super) fn is_current(&self, sealed: &[u8]) -> bool {
        sealed.get(1..=NAME_LENGTH) == Some(&self.current.name())
    }

    fn named(&self, name: &[u8]) -> Option<&RecordKey> {
        std::iter::once(&self.current).chain(&self.old).find(|key| key.name() == name)
    }
}

/// What a record is bound to.
fn place(id: &str, due_at: Timestamp) -> Vec<u8> {
    [b"cbpii consent record\0".as_slice(), &due_at.unix_millis().to_be_bytes(), id.as_bytes()].concat()
}

/// An id in a message: the caller's own text, bounded.
pub(super) fn shown(id: &str) -> String {
    crate::http::masking::mask_text(id, 64)
}
