//! Starts a broker: the directory's lock, recovery, threads, ports, in that order.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use highwater_core::controller::image::Listener;
use highwater_core::controller::registration::Registration;
use highwater_node::{Fatal, Node, NodeError, NodeOptions};
use highwater_storage::disk::os::{DirectoryLock, OsDisk};
use highwater_storage::journal::record::Boot;
use highwater_storage::store::Options;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::api::fetch::session::Sessions;
use crate::api::served;
use crate::banner::Banner;
use crate::config::Config;
use crate::drivers::{Clocks, Drivers, Nudges};
use crate::metrics::Metrics;
use crate::server::listener::accept;
use crate::server::memory::Memory;
use crate::shell::Shell;
use crate::turn::Turn;
use crate::{http, limits};

/// Why a broker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory is in use, or cannot be.
    #[error("{0}")]
    Directory(std::io::Error),
    /// A port cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The node does not open.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// An address to be told to clients that is none.
    #[error("node.advertise {0} is not HOST:PORT")]
    Advertise(String),
    /// A thread cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// A broker that runs.
pub struct Running {
    banner: Banner,
    drivers: Drivers,
    threads: Vec<std::thread::JoinHandle<()>>,
    stopping: watch::Sender<bool>,
    listeners: Vec<tokio::task::JoinHandle<()>>,
    metrics: Arc<Metrics>,
    _lock: DirectoryLock,
}

/// Starts a broker. On return it serves.
pub async fn start(config: Config) -> Result<Running, StartError> {
    let lock = DirectoryLock::take(&config.dir).map_err(StartError::Directory)?;
    let kafka = listen(&config.kafka).await?;
    let http_listener = listen(&config.http).await?;
    let (kafka_address, http_address) = (local(&kafka), local(&http_listener));
    let (host, port) = advertised(&config, kafka_address)?;
    let clocks = Clocks::new();
    let mut turn = Turn::default();
    let node = Node::open(Arc::new(OsDisk), options(&config, &host, port), clocks.read(), Box::new(random), &mut turn)?;
    let nudges = Arc::new(Nudges::default());
    turn.finish(&nudges);
    let metrics = Arc::new(Metrics::new(served()));
    let drivers = Drivers {
        node: Arc::clone(&node),
        nudges: Arc::clone(&nudges),
        clocks,
        metrics: Arc::clone(&metrics),
        stopping: Arc::new(AtomicBool::new(false)),
        retention_check: config.retention_check,
    };
    let threads = drivers.start().map_err(StartError::Thread)?;
    let banner = Banner {
        kafka: format!("{host}:{port}"),
        http: http_address.to_string(),
        node_id: config.node_id,
        cluster_id: node.image().cluster_id.to_string(),
        dir: config.dir.display().to_string(),
    };
    let first_session = i32::try_from(random() & 0x3fff_ffff).unwrap_or(1);
    let shell = Arc::new(Shell {
        node,
        nudges,
        clocks,
        metrics: Arc::clone(&metrics),
        memory: Memory::new(config.request_memory_bytes),
        sessions: Mutex::new(Sessions::new(config.fetch_sessions, first_session)),
        per_address: Mutex::new(BTreeMap::new()),
        config,
    });
    let (stopping, stopped) = watch::channel(false);
    let mut http_stopped = stopped.clone();
    let router = http::router(Arc::clone(&shell));
    let listeners = vec![
        tokio::spawn(accept(kafka, shell, stopped)),
        tokio::spawn(async move {
            let until = async move {
                // A sender that is gone means a stop as well.
                drop(http_stopped.changed().await);
            };
            if let Err(error) = axum::serve(http_listener, router).with_graceful_shutdown(until).await {
                tracing::error!(%error, "the HTTP port failed");
            }
        }),
    ];
    Ok(Running { banner, drivers, threads, stopping, listeners, metrics, _lock: lock })
}

impl Running {
    /// Where it is to be found.
    pub fn banner(&self) -> &Banner {
        &self.banner
    }

    /// Takes nothing more in, answers what is in work, makes all of it durable.
    pub async fn stop(self) -> Result<(), Fatal> {
        self.stopping.send_replace(true);
        let deadline = tokio::time::Instant::now() + limits::STOP_GRACE;
        while self.metrics.connections.load(std::sync::atomic::Ordering::Relaxed) > 0
            && tokio::time::Instant::now() < deadline
        {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        for listener in &self.listeners {
            listener.abort();
        }
        self.drivers.stop();
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the node failed while it stopped");
            }
        }
        let mut turn = Turn::default();
        self.drivers.node.stop(&mut turn)?;
        turn.finish(&self.drivers.nudges);
        Ok(())
    }
}

async fn listen(address: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address: address.to_owned(), source })
}

fn local(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("a listener that is bound has an address")
}

/// What clients are told: what the configuration says, or where we listen.
fn advertised(config: &Config, listening: SocketAddr) -> Result<(String, u16), StartError> {
    match &config.advertise {
        None if listening.ip().is_unspecified() => Ok(("localhost".to_owned(), listening.port())),
        None => Ok((listening.ip().to_string(), listening.port())),
        Some(text) => {
            let wrong = || StartError::Advertise(text.clone());
            let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
            Ok((host.to_owned(), port.parse().map_err(|_| wrong())?))
        }
    }
}

fn options(config: &Config, host: &str, port: u16) -> NodeOptions {
    let listener = Listener { name: "PLAINTEXT".to_owned(), host: host.to_owned(), port };
    NodeOptions {
        node_id: config.node_id,
        data_dir: config.dir.clone(),
        storage: Options {
            journal_file_bytes: config.journal_file_bytes,
            unsynced_limit_bytes: config.unsynced_max_bytes,
            free_space_floor_bytes: config.free_space_floor_bytes,
            open_files: open_segment_files(),
            index_maps: limits::INDEX_MAPS,
        },
        boot: boot(&config.dir),
        scrub_bytes_per_second: config.scrub_bytes_per_second,
        static_config: Arc::new(config.kafka_settings.clone()),
        registration: Registration { rack: config.rack.clone(), listeners: vec![listener], ..Registration::default() },
    }
}

/// Which boot of which device the process runs on.
fn boot(dir: &std::path::Path) -> Option<Boot> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = uuid::Uuid::parse_str(id.trim()).ok()?.into_bytes();
    let device = std::fs::metadata(dir).ok()?.dev();
    Some(Boot { id, device })
}

/// A quarter of what the process may open: connections take the rest.
fn open_segment_files() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let quarter = limit
        .map_or(limits::MOST_SEGMENT_FILES, |limit| usize::try_from(limit / 4).unwrap_or(limits::MOST_SEGMENT_FILES));
    quarter.clamp(limits::LEAST_SEGMENT_FILES, limits::MOST_SEGMENT_FILES)
}

fn random() -> u64 {
    getrandom::u64().expect("the operating system gives random numbers")
}
