//! One connection to one broker, driven by one task: requests are pipelined, responses come back in their order.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use highwater_protocol::api::ApiKey;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::frame;
use highwater_protocol::message::{ApiVersionsRequest, ApiVersionsResponse, Message, Request};
use highwater_protocol::wire::{Chunk, Reader};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::error::{Error, Kind, Result};

/// The largest response that is believed.
const LARGEST_FRAME: usize = 512 << 20;
/// The version of ApiVersions that is tried first: the first one that tells the broker who asks.
const ASK_VERSION: i16 = 3;
const READ_BYTES: usize = 64 << 10;

/// How connections are made.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) client_id: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
}

/// A handle to a connection. The connection ends with its last handle.
#[derive(Debug)]
pub(crate) struct Connection {
    address: String,
    settings: Settings,
    versions: HashMap<i16, (i16, i16)>,
    next_correlation_id: AtomicI32,
    // Its callers bound it: a producer by its requests in flight, a consumer by one fetch for each broker, the rest by waiting.
    outgoing: mpsc::UnboundedSender<Outgoing>,
    close: watch::Sender<bool>,
}

#[derive(Debug)]
struct Outgoing {
    chunks: Vec<Chunk>,
    then: Then,
}

/// Who is told, and when.
#[derive(Debug)]
enum Then {
    Answered(Waiting),
    Written(oneshot::Sender<()>),
}

#[derive(Debug)]
struct Waiting {
    correlation_id: i32,
    reply: oneshot::Sender<Result<BytesMut>>,
}

type InFlight = Arc<Mutex<VecDeque<Waiting>>>;

impl Connection {
    /// Connects and asks what the broker speaks.
    pub(crate) async fn connect(address: &str, settings: &Settings) -> Result<Self> {
        let cannot = |why: String| Error::new(Kind::Connect, format!("cannot connect to {address}: {why}"));
        let stream = match timeout(settings.connect_timeout, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(cannot(error.to_string())),
            Err(_) => return Err(cannot(format!("no answer within {:?}", settings.connect_timeout))),
        };
        stream.set_nodelay(true).map_err(|error| cannot(error.to_string()))?;
        let (outgoing, requests) = mpsc::unbounded_channel();
        let (close, closed) = watch::channel(false);
        let (read, write) = stream.into_split();
        tokio::spawn(drive(read, write, requests, closed, address.to_owned()));
        let mut connection = Self {
            address: address.to_owned(),
            settings: settings.clone(),
            versions: HashMap::new(),
            next_correlation_id: AtomicI32::new(0),
            outgoing,
            close,
        };
        connection.versions = connection.ask_versions().await?;
        Ok(connection)
    }

    /// Whether nothing can be sent any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.outgoing.is_closed()
    }

    /// The highest version that both sides know.
    pub(crate) fn version(&self, key: ApiKey) -> Result<i16> {
        let (low, high) = key.versions();
        let wrong = |why: String| Error::new(Kind::Protocol, format!("{}: {}: {why}", self.address, key.name()));
        let Some((broker_low, broker_high)) = self.versions.get(&key.number()).copied() else {
            return Err(wrong("the broker does not offer it".to_owned()));
        };
        let version = high.min(broker_high);
        if version < low.max(broker_low) {
            return Err(wrong(format!("the broker speaks {broker_low} to {broker_high}, this client {low} to {high}")));
        }
        Ok(version)
    }

    /// Sends a request and waits for its response.
    pub(crate) async fn call<R: Request>(&self, request: &R) -> Result<R::Response> {
        let version = self.version(R::KEY)?;
        self.start(request, version)?.await
    }

    /// Sends a request, in the order of calls. What is returned waits for the response; time runs from now.
    pub(crate) fn start<R: Request>(
        &self,
        request: &R,
        version: i16,
    ) -> Result<impl Future<Output = Result<R::Response>> + Send + use<R>> {
        self.start_within(request, version, None)
    }

    /// As [`Connection::start`], where an answer may take longer than others.
    pub(crate) fn start_within<R: Request>(
        &self,
        request: &R,
        version: i16,
        within: Option<Duration>,
    ) -> Result<impl Future<Output = Result<R::Response>> + Send + use<R>> {
        let (reply, response) = oneshot::channel();
        self.queue(request, version, |correlation_id| Then::Answered(Waiting { correlation_id, reply }))?;
        let deadline = tokio::time::Instant::now() + within.unwrap_or(self.settings.request_timeout);
        let (address, close) = (self.address.clone(), self.close.clone());
        Ok(async move {
            match tokio::time::timeout_at(deadline, response).await {
                Ok(Ok(frame)) => decode::<R::Response>(frame?, version, &address),
                Ok(Err(_)) => Err(broken(&address, "closed")),
                Err(_) => {
                    // The responses behind it are late as well, and which of them would be whose is not certain any more.
                    close.send_replace(true);
                    Err(Error::new(Kind::TimedOut, format!("{address} did not answer {} in time", R::KEY.name())))
                }
            }
        })
    }

    /// Sends a request that nothing answers. What is returned waits until the kernel has it.
    pub(crate) fn start_unanswered<R: Request>(
        &self,
        request: &R,
        version: i16,
    ) -> Result<impl Future<Output = Result<()>> + Send + use<R>> {
        let (tell, written) = oneshot::channel();
        self.queue(request, version, |_| Then::Written(tell))?;
        let address = self.address.clone();
        Ok(async move { written.await.map_err(|_| broken(&address, "closed")) })
    }

    fn queue<R: Request>(&self, request: &R, version: i16, then: impl FnOnce(i32) -> Then) -> Result<()> {
        let correlation_id = self.next_correlation_id.fetch_add(1, Ordering::Relaxed) & i32::MAX;
        let chunks = frame::request(correlation_id, &self.settings.client_id, request, version)
            .map_err(|error| Error::new(Kind::Protocol, format!("{}: {error}", R::KEY.name())))?;
        self.outgoing.send(Outgoing { chunks, then: then(correlation_id) }).map_err(|_| broken(&self.address, "closed"))
    }

    /// A broker that does not know the version answers in version 0 and says so.
    async fn ask_versions(&self) -> Result<HashMap<i16, (i16, i16)>> {
        let request = ApiVersionsRequest {
            client_software_name: "highwater".to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..ApiVersionsRequest::default()
        };
        let (reply, response) = oneshot::channel();
        self.queue(&request, ASK_VERSION, |correlation_id| Then::Answered(Waiting { correlation_id, reply }))?;
        let silent = |_| Error::new(Kind::TimedOut, format!("{} did not answer ApiVersions in time", self.address));
        let frame = timeout(self.settings.request_timeout, response).await.map_err(silent)?;
        let frame = frame.map_err(|_| broken(&self.address, "closed while saying hello"))??;
        let code = frame.get(4..6).map(|code| i16::from_be_bytes([code[0], code[1]]));
        let answer = if code == Some(ErrorCode::UnsupportedVersion.number()) {
            self.start(&ApiVersionsRequest::default(), 0)?.await?
        } else {
            decode::<ApiVersionsResponse>(frame, ASK_VERSION, &self.address)?
        };
        crate::error::checked(answer.error_code, || format!("{}: ApiVersions", self.address), None)?;
        Ok(answer.api_keys.iter().map(|api| (api.api_key, (api.min_version, api.max_version))).collect())
    }
}

fn broken(address: &str, why: &str) -> Error {
    Error::new(Kind::Disconnected, format!("the connection to {address} broke: {why}"))
}

fn decode<M: Message>(frame: BytesMut, version: i16, address: &str) -> Result<M> {
    let wrong = |error| {
        Error::new(Kind::Protocol, format!("{address}: the {} response does not decode: {error}", M::KEY.name()))
    };
    let mut reader = Reader::new(frame);
    frame::response_header(&mut reader, M::KEY, version).map_err(wrong)?;
    let body = M::decode(&mut reader, version).map_err(wrong)?;
    reader.finish().map_err(wrong)?;
    Ok(body)
}

/// Writes and reads until either fails or nobody wants it any more.
async fn drive(
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    mut requests: mpsc::UnboundedReceiver<Outgoing>,
    mut closed: watch::Receiver<bool>,
    address: String,
) {
    let in_flight = InFlight::default();
    let error = tokio::select! {
        error = write_all(write, &mut requests, &in_flight) => error,
        error = read_all(read, &in_flight) => error,
        _ = closed.wait_for(|closed| *closed) => std::io::Error::other("given up"),
    };
    requests.close();
    let error = broken(&address, &error.to_string());
    tracing::debug!(%error, "connection ended");
    let waiting: Vec<Waiting> = in_flight.lock().drain(..).collect();
    for waiting in waiting {
        // Whoever asked may have gone.
        let _gone = waiting.reply.send(Err(error.clone()));
    }
    // What was never written tells its caller by the channel that closes.
}

async fn write_all(
    mut write: OwnedWriteHalf,
    requests: &mut mpsc::UnboundedReceiver<Outgoing>,
    in_flight: &InFlight,
) -> std::io::Error {
    while let Some(Outgoing { chunks, then }) = requests.recv().await {
        let written = match then {
            Then::Answered(waiting) => {
                in_flight.lock().push_back(waiting);
                None
            }
            Then::Written(written) => Some(written),
        };
        for chunk in chunks {
            let bytes = match chunk {
                Chunk::Bytes(bytes) => bytes,
                Chunk::Hole { length, .. } => Bytes::from(vec![0; length]),
            };
            if let Err(error) = write.write_all(&bytes).await {
                return error;
            }
        }
        if let Some(written) = written {
            // Whoever asked may have gone.
            let _gone = written.send(());
        }
    }
    std::io::Error::other("not needed any more")
}

async fn read_all(mut read: OwnedReadHalf, in_flight: &InFlight) -> std::io::Error {
    loop {
        match read_frame(&mut read).await {
            Err(error) => return error,
            Ok(frame) => {
                let number = frame.get(..4).map(|bytes| i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
                let waiting = in_flight.lock().pop_front();
                match waiting {
                    Some(waiting) if Some(waiting.correlation_id) == number => {
                        let _gone = waiting.reply.send(Ok(frame));
                    }
                    _ => return std::io::Error::other("a response that nobody asked for"),
                }
            }
        }
    }
}

async fn read_frame(read: &mut OwnedReadHalf) -> std::io::Result<BytesMut> {
    let mut prefix = [0u8; frame::LENGTH_BYTES];
    read.read_exact(&mut prefix).await?;
    let length = frame::checked_length(i32::from_be_bytes(prefix), LARGEST_FRAME).map_err(std::io::Error::other)?;
    // Memory is taken as bytes arrive, not as a length is announced.
    let mut frame = BytesMut::with_capacity(length.min(READ_BYTES));
    while frame.len() < length {
        let left = length.saturating_sub(frame.len());
        frame.reserve(left.min(frame.len().max(READ_BYTES)));
        if read.read_buf(&mut bytes::BufMut::limit(&mut frame, left)).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(frame)
}
