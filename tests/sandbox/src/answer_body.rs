//! Bodies of answers: whole, never coming, or never ending.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, SizeHint};

/// The size of one piece of an endless body.
const PIECE: usize = 64 * 1024;

/// The body of an answer.
pub(crate) enum AnswerBody {
    /// All of it at once.
    Whole(Full<Bytes>),
    /// So many bytes are announced and none comes.
    Silent(u64),
    /// A JSON text that never ends.
    Endless { started: bool },
}

impl AnswerBody {
    pub(crate) fn whole(bytes: Vec<u8>) -> Self {
        Self::Whole(Full::new(Bytes::from(bytes)))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(full) => Pin::new(full).poll_frame(cx),
            Self::Silent(_) => Poll::Pending,
            Self::Endless { started } => {
                let piece = if *started {
                    Bytes::from(vec![b'a'; PIECE])
                } else {
                    Bytes::from_static(br#"{"result":true,"padding":""#)
                };
                *started = true;
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(full) => full.is_end_stream(),
            Self::Silent(_) | Self::Endless { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(full) => full.size_hint(),
            Self::Silent(announced) => SizeHint::with_exact(*announced),
            Self::Endless { .. } => SizeHint::default(),
        }
    }
}
