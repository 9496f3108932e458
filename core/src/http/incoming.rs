//! Bytes that come in, and the waiting for more of them.

use super::scope::out_of_io;
use crate::Result;

/// Where the bytes of an answer come from.
pub(super) trait Incoming {
    /// What was received and not taken yet.
    fn received(&self) -> &[u8];

    /// Takes so much of what was received.
    fn take(&mut self, length: usize);

    /// Waits for more; false at the end.
    fn receive(&mut self) -> Result<bool>;
}

/// Waits for more of an answer that is not complete.
pub(super) fn receive_more(incoming: &mut impl Incoming) -> Result<()> {
    if incoming.receive()? {
        return Ok(());
    }
    Err(out_of_io(std::io::ErrorKind::UnexpectedEof.into()))
}

/// What `parse` finds at the beginning of what is received, waiting for more while that is not complete. It also tells how
/// much belongs to what it found.
pub(super) fn receive_parsed<T>(
    incoming: &mut impl Incoming,
    parse: impl Fn(&[u8]) -> Result<Option<(usize, T)>>,
) -> Result<T> {
    loop {
        if let Some((length, parsed)) = parse(incoming.received())? {
            incoming.take(length);
            return Ok(parsed);
        }
        receive_more(incoming)?;
    }
}
