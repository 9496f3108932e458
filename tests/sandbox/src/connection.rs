//! One connection below HTTP: what is known about it, the bytes as they came, and the ways to break it off.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::eligibility::Presented;
use crate::lock::Locked as _;

/// What a request's record says about its connection.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionFacts {
    pub(crate) number: u64,
    pub(crate) tls_version: &'static str,
    pub(crate) resumed: bool,
    pub(crate) client: Arc<Presented>,
}

/// How a connection ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// An orderly close.
    Close,
    /// A reset.
    Reset,
}

/// What happens to the bytes of the answer.
#[derive(Debug, Default)]
enum Plan {
    #[default]
    Honest,
    /// The head and so many bytes of the body pass, then the end.
    CutBody { body_bytes: usize, ending: Ending },
    /// So many bytes pass, then the end.
    Cut { left: usize, ending: Ending },
    /// These bytes take the place of the answer, then an orderly close.
    Replace { bytes: Vec<u8>, sent: usize },
    /// What was to pass has passed: flush, then end.
    Ending(Ending),
}

/// The handle by which a request's handler reaches its connection.
#[derive(Debug, Default)]
pub(crate) struct Line {
    plan: Mutex<Plan>,
    received: Mutex<Vec<u8>>,
    reset: AtomicBool,
    hung_up: Notify,
}

impl Line {
    /// Ends the connection now.
    pub(crate) fn hang_up(&self, ending: Ending) {
        if ending == Ending::Reset {
            self.reset.store(true, Ordering::SeqCst);
        }
        self.hung_up.notify_one();
    }

    /// Ends when the connection is to be dropped.
    pub(crate) async fn ended(&self) {
        self.hung_up.notified().await;
    }

    pub(crate) fn cut_body(&self, body_bytes: usize, ending: Ending) {
        *self.plan.locked() = Plan::CutBody { body_bytes, ending };
    }

    pub(crate) fn replace_answer(&self, bytes: Vec<u8>) {
        *self.plan.locked() = Plan::Replace { bytes, sent: 0 };
    }

    /// The bytes received since the last call: one request, from a client that does not pipeline.
    pub(crate) fn take_received(&self) -> Vec<u8> {
        std::mem::take(&mut *self.received.locked())
    }
}

/// A TCP stream that resets when its line says so.
pub(crate) struct Socket {
    stream: TcpStream,
    line: Arc<Line>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, line: Arc<Line>) -> Self {
        Self { stream, line }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.line.reset.load(Ordering::SeqCst) {
            // With a linger time of zero the kernel answers the close with an RST.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The clear text of a connection: keeps what was received and, when told to, spoils what is sent.
pub(crate) struct Wire<S> {
    inner: S,
    line: Arc<Line>,
}

impl<S> Wire<S> {
    pub(crate) fn new(inner: S, line: Arc<Line>) -> Self {
        Self { inner, line }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.line.received.locked().extend_from_slice(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Writes what the plan lets pass. When all of that is out, the connection is hung up and writing never ends.
    fn poll_plan(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut plan = self.line.plan.locked();
            match &mut *plan {
                Plan::Honest => {
                    drop(plan);
                    return Pin::new(&mut self.inner).poll_write(cx, buf);
                }
                Plan::CutBody { body_bytes, ending } => {
                    let head =
                        buf.windows(4).position(|four| four == b"\r\n\r\n").map_or(buf.len(), |at| at + 4);
                    *plan = Plan::Cut { left: head + *body_bytes, ending: *ending };
                }
                Plan::Cut { left: 0, ending } => *plan = Plan::Ending(*ending),
                Plan::Cut { left, .. } => {
                    let part = &buf[..buf.len().min(*left)];
                    let written = ready!(Pin::new(&mut self.inner).poll_write(cx, part))?;
                    *left -= written;
                    if *left > 0 {
                        return Poll::Ready(Ok(written));
                    }
                }
                Plan::Replace { bytes, sent } if *sent < bytes.len() => {
                    *sent += ready!(Pin::new(&mut self.inner).poll_write(cx, &bytes[*sent..]))?;
                }
                Plan::Replace { .. } => *plan = Plan::Ending(Ending::Close),
                Plan::Ending(ending) => {
                    let ending = *ending;
                    drop(plan);
                    ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
                    if ending == Ending::Close {
                        ready!(Pin::new(&mut self.inner).poll_shutdown(cx))?;
                    }
                    self.line.hang_up(ending);
                    return Poll::Pending;
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_plan(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
