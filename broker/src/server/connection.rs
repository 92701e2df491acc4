//! One connection: reads what the socket has, runs each request to completion in order, parks only the waits, and answers in
//! order.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use futures_util::FutureExt;
use highwater_protocol::error::DecodeError;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::frame::{LENGTH_BYTES, checked_length};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::memory::Permit;
use super::response::{Response, write_all};
use crate::api::{self, Answer};
use crate::limits::{
    BUFFER_KEPT, FRAME_BYTES_A_SECOND, FRAME_GRACE, MEMORY_WAIT, READ_BYTES, REQUESTS_IN_WORK, RESPONSE_BYTES_WAITING,
    STOP_GRACE,
};
use crate::shell::{Peer, Shell};
use crate::turn::Turn;

/// Why a connection ends, where it is worth a line in the log.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the client closed it")]
    ByClient,
    #[error("the node stops")]
    Stopping,
    #[error("it was idle for {0} s")]
    Idle(u64),
    #[error("a frame came slower than {FRAME_BYTES_A_SECOND} bytes a second")]
    Slow,
    #[error("no memory for its request within {} s: queued.max.request.bytes is used up", MEMORY_WAIT.as_secs())]
    NoMemory,
    #[error("{0}")]
    Malformed(#[from] DecodeError),
    #[error("a TLS handshake on a port without TLS")]
    Tls,
    #[error("a produce with acks=0 is refused, which only the end of the connection can tell: {0}")]
    Refused(ErrorCode),
    #[error("a request handler failed")]
    Handler,
    #[error("{0}")]
    Io(#[from] io::Error),
}

struct InWork {
    answer: Answer,
    _memory: Option<Permit>,
}

struct Connection {
    stream: TcpStream,
    peer: Peer,
    shell: Arc<Shell>,
    read: BytesMut,
    /// What the buffer takes of the memory for requests, once it is large.
    held: Option<Permit>,
    in_work: VecDeque<InWork>,
    turn: Turn,
    /// When the frame that is coming in began.
    frame_since: Option<Instant>,
    last_input: Instant,
}

/// Serves a connection to its end.
pub(crate) async fn serve(stream: TcpStream, shell: Arc<Shell>, peer: Peer, stopping: watch::Receiver<bool>) {
    let mut connection = Connection {
        stream,
        peer,
        shell,
        read: BytesMut::new(),
        held: None,
        in_work: VecDeque::new(),
        turn: Turn::default(),
        frame_since: None,
        last_input: Instant::now(),
    };
    let guarded = std::panic::AssertUnwindSafe(connection.run(stopping)).catch_unwind();
    let ended = guarded.await.unwrap_or(Ended::Handler);
    connection.turn.finish(&connection.shell.nudges);
    let client = peer.0;
    match ended {
        Ended::ByClient | Ended::Stopping => tracing::debug!(%client, reason = %ended, "connection closed"),
        Ended::Io(error) if error.kind() == io::ErrorKind::ConnectionReset => {
            tracing::debug!(%client, %error, "connection closed");
        }
        ended => {
            connection.shell.metrics.connections_closed.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%client, reason = %ended, "connection closed");
        }
    }
}

impl Connection {
    async fn run(&mut self, mut stopping: watch::Receiver<bool>) -> Ended {
        loop {
            if let Err(ended) = self.take_frames().await {
                return ended;
            }
            let ready = match self.ready() {
                Ok(ready) => ready,
                Err(ended) => return ended,
            };
            if !ready.is_empty() {
                match write_all(&self.stream, ready).await {
                    Ok(bytes) => self.shell.metrics.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed),
                    Err(error) => return error.into(),
                };
                continue;
            }
            if let Err(ended) = self.wait(&mut stopping).await {
                return ended;
            }
        }
    }

    /// Runs the requests that are in the buffer.
    async fn take_frames(&mut self) -> Result<(), Ended> {
        let mut taken = Ok(());
        while self.in_work.len() < REQUESTS_IN_WORK && !self.shell.node.is_congested() {
            let length = match self.frame_length() {
                Ok(Some(length)) => length,
                Ok(None) => break,
                Err(ended) => {
                    taken = Err(ended);
                    break;
                }
            };
            let memory = match self.held.take().filter(|held| held.covers(length)) {
                Some(held) => Some(held),
                None => self.memory_for(length).await?,
            };
            self.read.advance(LENGTH_BYTES);
            let frame = self.read.split_to(length);
            self.frame_since = None;
            self.shell.metrics.bytes_in.fetch_add(length as u64, Ordering::Relaxed);
            match api::handle(&self.shell, self.peer, frame, &mut self.turn) {
                Ok(answer) => self.in_work.push_back(InWork { answer, _memory: memory }),
                Err(error) => {
                    taken = Err(error.into());
                    break;
                }
            }
        }
        self.turn.finish(&self.shell.nudges);
        taken
    }

    /// Memory for a request; nothing that is in work waits with it. A small request that is a connection's only one lies in
    /// its buffer anyway, so it goes without: those who fill the memory with large ones starve nobody.
    async fn memory_for(&mut self, bytes: usize) -> Result<Option<Permit>, Ended> {
        if let Some(memory) = self.shell.memory.try_take(bytes) {
            return Ok(Some(memory));
        }
        if bytes <= READ_BYTES && self.in_work.is_empty() {
            return Ok(None);
        }
        self.turn.finish(&self.shell.nudges);
        let taken = tokio::time::timeout(MEMORY_WAIT, self.shell.memory.take(bytes)).await;
        taken.map_err(|_| Ended::NoMemory)
    }

    /// Takes memory for what is about to be read, where the buffer is large already.
    async fn make_room(&mut self) -> Result<(), Ended> {
        if self.read.len() < READ_BYTES {
            self.held = None;
            return Ok(());
        }
        let wanted = self.read.len().saturating_mul(2);
        let held = self.held.as_ref().map_or(0, Permit::bytes);
        if held < wanted && held < self.shell.memory.all_bytes() {
            let more = wanted.min(self.shell.memory.all_bytes()) - held;
            if let Some(more) = self.memory_for(more).await? {
                self.held = Some(match self.held.take() {
                    Some(held) => held.and(more),
                    None => more,
                });
            }
        }
        Ok(())
    }

    /// The length of the frame at the front, if all of it is here.
    fn frame_length(&self) -> Result<Option<usize>, Ended> {
        let Some(prefix) = self.read.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        if prefix.starts_with(&[0x16, 0x03]) {
            return Err(Ended::Tls);
        }
        let length = checked_length(i32::from_be_bytes(*prefix), self.shell.config.max_request_bytes)?;
        Ok((self.read.len() >= LENGTH_BYTES + length).then_some(length))
    }

    /// The answers at the front that are there; what is in front of a refusal that has no answer goes out before it counts.
    fn ready(&mut self) -> Result<Vec<Response>, Ended> {
        let mut ready = Vec::new();
        let mut bytes = 0;
        while bytes < RESPONSE_BYTES_WAITING
            && let Some(first) = self.in_work.front_mut()
        {
            let answered = match &mut first.answer {
                Answer::Now(response) => Some(Some(std::mem::take(response))),
                Answer::Later(future) => future.as_mut().now_or_never().map(Some),
                Answer::Unless(refusal) => match refusal.as_mut().now_or_never() {
                    Some(Some(code)) if ready.is_empty() => return Err(Ended::Refused(code)),
                    Some(None) => Some(None),
                    // What is ready goes out first.
                    Some(Some(code)) => {
                        first.answer = Answer::Unless(Box::pin(std::future::ready(Some(code))));
                        None
                    }
                    None => None,
                },
            };
            let Some(response) = answered else { break };
            self.in_work.pop_front();
            if let Some(response) = response {
                bytes += response.len();
                ready.push(response);
            }
        }
        Ok(ready)
    }

    /// Waits for bytes, for the answer at the front, or for the end.
    async fn wait(&mut self, stopping: &mut watch::Receiver<bool>) -> Result<(), Ended> {
        let is_stopping = *stopping.borrow();
        if is_stopping && self.in_work.is_empty() {
            return Err(Ended::Stopping);
        }
        let is_congested = self.shell.node.is_congested();
        let may_read = self.in_work.len() < REQUESTS_IN_WORK && !is_congested && !is_stopping;
        let deadline = self.deadline(is_congested, is_stopping);
        let has_front = !self.in_work.is_empty();
        let front = Front(self.in_work.front_mut());
        tokio::select! {
            biased;
            response = front, if has_front => {
                if let (Some(answer), Some(first)) = (response, self.in_work.front_mut()) {
                    first.answer = answer;
                }
                Ok(())
            }
            readable = self.stream.readable(), if may_read => {
                readable?;
                self.make_room().await?;
                self.fill()
            }
            _ = stopping.changed(), if !is_stopping => Ok(()),
            () = tokio::time::sleep_until(deadline) => self.time_is_up(is_congested, is_stopping),
        }
    }

    fn fill(&mut self) -> Result<(), Ended> {
        // As much again as is here, so that a large frame is copied a few times at the most, and never by what it announces.
        self.read.reserve(READ_BYTES.max(self.read.len()));
        match self.stream.try_read_buf(&mut self.read) {
            Ok(0) => Err(Ended::ByClient),
            Ok(_) => {
                self.last_input = Instant::now();
                self.frame_since.get_or_insert(self.last_input);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn deadline(&self, is_congested: bool, is_stopping: bool) -> Instant {
        if is_congested {
            return Instant::now() + std::time::Duration::from_millis(1);
        }
        if is_stopping {
            return Instant::now() + STOP_GRACE;
        }
        if self.holds_empty_buffer() {
            return self.last_input + BUFFER_KEPT;
        }
        if !self.in_work.is_empty() {
            return Instant::now() + self.shell.config.max_idle;
        }
        let idle = self.last_input + self.shell.config.max_idle;
        match self.frame_since {
            Some(since) if !self.read.is_empty() => idle.min(since + FRAME_GRACE + self.allowed_for_read()),
            _ => idle,
        }
    }

    /// The time that the bytes read so far bought.
    fn allowed_for_read(&self) -> std::time::Duration {
        std::time::Duration::from_secs(self.read.len() as u64 / FRAME_BYTES_A_SECOND)
    }

    fn holds_empty_buffer(&self) -> bool {
        self.read.is_empty() && self.read.capacity() > 0
    }

    fn time_is_up(&mut self, is_congested: bool, is_stopping: bool) -> Result<(), Ended> {
        if self.holds_empty_buffer() && !is_stopping && self.last_input.elapsed() >= BUFFER_KEPT {
            self.read = BytesMut::new();
            return Ok(());
        }
        if is_congested || !self.in_work.is_empty() && !is_stopping {
            return Ok(());
        }
        if is_stopping {
            return Err(Ended::Stopping);
        }
        if self.read.is_empty() { Err(Ended::Idle(self.shell.config.max_idle.as_secs())) } else { Err(Ended::Slow) }
    }
}

/// The answer at the front, once it is there. Dropped without harm: the future stays where it is.
struct Front<'a>(Option<&'a mut InWork>);

impl Future for Front<'_> {
    type Output = Option<Answer>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.0.as_mut().map(|first| &mut first.answer) {
            Some(Answer::Later(future)) => future.as_mut().poll(context).map(|response| Some(Answer::Now(response))),
            Some(Answer::Unless(refusal)) => {
                refusal.as_mut().poll(context).map(|code| Some(Answer::Unless(Box::pin(std::future::ready(code)))))
            }
            _ => Poll::Ready(None),
        }
    }
}
