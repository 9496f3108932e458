//! Answers in memory, for tests and fuzzing.

use std::collections::VecDeque;

use super::incoming::Incoming;
use crate::Result;

/// Pieces that come one after the other.
pub(super) struct Pieces {
    pub(super) coming: VecDeque<Vec<u8>>,
    received: Vec<u8>,
}

impl Pieces {
    /// `bytes`, cut after each of these lengths in turn.
    pub(super) fn new(bytes: &[u8], lengths: &[usize]) -> Self {
        let (mut coming, mut rest) = (VecDeque::new(), bytes);
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, others) = rest.split_at((*length).clamp(1, rest.len()));
            coming.push_back(piece.to_vec());
            rest = others;
        }
        Self { coming, received: Vec::new() }
    }
}

impl Incoming for Pieces {
    fn received(&self) -> &[u8] {
        &self.received
    }

    fn take(&mut self, length: usize) {
        self.received.drain(..length);
    }

    fn receive(&mut self) -> Result<bool> {
        let piece = self.coming.pop_front();
        self.received.extend(piece.iter().flatten());
        Ok(piece.is_some())
    }
}
