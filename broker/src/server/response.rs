//! A response as pieces: bytes, and ranges of files that are sent without being read.

use std::io;
use std::os::fd::AsFd;

use bytes::Bytes;
use highwater_protocol::wire::Chunk;
use highwater_storage::reader::Slice;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::limits::WRITE_STALL;

/// Slices written at once.
const SLICES: usize = 64;

/// What goes out for one request.
#[derive(Default)]
pub(crate) struct Response {
    pub(crate) chunks: Vec<Chunk>,
    /// What the holes among the chunks are, by their id.
    pub(crate) slices: Vec<Slice>,
}

impl Response {
    pub(crate) fn len(&self) -> usize {
        self.chunks.iter().map(Chunk::len).sum()
    }
}

/// Writes responses, as few calls as they allow. A peer that takes nothing for too long is an error.
pub(crate) async fn write_all(stream: &TcpStream, responses: Vec<Response>) -> io::Result<usize> {
    let mut written = 0;
    let mut run: Vec<Bytes> = Vec::new();
    for response in responses {
        let Response { chunks, slices } = response;
        for chunk in chunks {
            written += chunk.len();
            match chunk {
                Chunk::Bytes(bytes) => run.push(bytes),
                Chunk::Hole { id, .. } => {
                    write_bytes(stream, std::mem::take(&mut run)).await?;
                    let slice = usize::try_from(id).ok().and_then(|id| slices.get(id));
                    let slice = slice.ok_or_else(|| io::Error::other("a hole in a response that nothing fills"))?;
                    send_slice(stream, slice).await?;
                }
            }
        }
    }
    write_bytes(stream, run).await?;
    Ok(written)
}

async fn write_bytes(stream: &TcpStream, run: Vec<Bytes>) -> io::Result<()> {
    let mut slices: Vec<io::IoSlice<'_>> = run.iter().map(|bytes| io::IoSlice::new(bytes)).collect();
    let mut left = &mut slices[..];
    io::IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        let some = left.get(..left.len().min(SLICES)).unwrap_or_default();
        match stream.try_write_vectored(some) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => io::IoSlice::advance_slices(&mut left, count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => writable(stream).await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn send_slice(stream: &TcpStream, slice: &Slice) -> io::Result<()> {
    let file = slice.file().descriptor().ok_or_else(|| io::Error::other("a segment without a descriptor"))?;
    let mut at = slice.position;
    let end = slice.position + slice.length as u64;
    while at < end {
        let left = usize::try_from(end - at).unwrap_or(usize::MAX);
        let sent =
            stream.try_io(Interest::WRITABLE, || Ok(rustix::fs::sendfile(stream.as_fd(), file, Some(&mut at), left)?));
        match sent {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => writable(stream).await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn writable(stream: &TcpStream) -> io::Result<()> {
    match tokio::time::timeout(WRITE_STALL, stream.writable()).await {
        Ok(ready) => ready,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("the client took none of its response for {} s", WRITE_STALL.as_secs()),
        )),
    }
}
