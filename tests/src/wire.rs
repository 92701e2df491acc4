//! A blocking connection that speaks the protocol and nothing else: no retries, no metadata, no batching.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use highwater_protocol::frame::{self, concatenated};
use highwater_protocol::message::{Message, Request};
use highwater_protocol::wire::Reader;

/// No answer of a test takes longer.
const DEADLINE: Duration = Duration::from_secs(30);

/// One connection.
pub struct Wire {
    stream: TcpStream,
    correlation_id: i32,
}

impl Wire {
    /// Connects.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        Ok(Self { stream, correlation_id: 0 })
    }

    /// The socket.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Sends a request and does not wait for its answer.
    pub fn send<R: Request>(&mut self, body: &R, version: i16) -> io::Result<i32> {
        self.correlation_id += 1;
        let chunks = frame::request(self.correlation_id, "test", body, version).map_err(io::Error::other)?;
        self.stream.write_all(&concatenated(&chunks))?;
        Ok(self.correlation_id)
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next answer on the connection, which has to be of that kind.
    pub fn receive<R: Request>(&mut self, version: i16) -> io::Result<(i32, R::Response)> {
        let mut reader = Reader::new(self.receive_frame()?);
        let correlation_id = frame::response_header(&mut reader, R::KEY, version).map_err(io::Error::other)?;
        let body = R::Response::decode(&mut reader, version).map_err(io::Error::other)?;
        reader.finish().map_err(io::Error::other)?;
        Ok((correlation_id, body))
    }

    /// The next answer on the connection, without its length.
    pub fn receive_frame(&mut self) -> io::Result<BytesMut> {
        let mut length = [0; frame::LENGTH_BYTES];
        self.stream.read_exact(&mut length)?;
        let length = frame::checked_length(i32::from_be_bytes(length), i32::MAX as usize).map_err(io::Error::other)?;
        let mut bytes = BytesMut::zeroed(length);
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Sends a request and waits for its answer.
    pub fn call<R: Request>(&mut self, body: &R, version: i16) -> io::Result<R::Response> {
        let sent = self.send(body, version)?;
        let (answered, response) = self.receive::<R>(version)?;
        assert_eq!(answered, sent, "answers come in the order of their requests");
        Ok(response)
    }
}
