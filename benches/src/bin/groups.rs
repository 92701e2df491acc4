//! Many groups at their daily work: `groups HOST:PORT --groups N --members N --commits N --seconds N --pid N`.
//!
//! Each member has a connection of its own, as a consumer has. All join; once every group is stable they heartbeat every three
//! seconds and commit offsets, all together so many a second. A commit's latency counts from the moment it was due, so that a
//! broker that stalls hides nothing. Prints one JSON line, with the processor time that the process `--pid` used meanwhile.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hdrhistogram::Histogram;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::frame::{self, concatenated};
use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
use highwater_protocol::message::offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use highwater_protocol::message::sync_group_request::SyncGroupRequestAssignment;
use highwater_protocol::message::{
    FindCoordinatorRequest, HeartbeatRequest, JoinGroupRequest, Message, OffsetCommitRequest, Request, SyncGroupRequest,
};
use highwater_protocol::wire::Reader;
use highwater_tests::calls;
use highwater_tests::wire::Wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;

const TOPIC: &str = "grouped";
const SESSION_MS: i32 = 45_000;
const REBALANCE_MS: i32 = 60_000;
const STABLE_WITHIN: Duration = Duration::from_secs(180);
const HEARTBEAT: Duration = Duration::from_secs(3);
const REBALANCE_IN_PROGRESS: i16 = 27;
/// The coordinator loads, is not known yet, is not here yet, or rebalances.
const NOT_YET: &[i16] = &[14, 15, 16, REBALANCE_IN_PROGRESS];
const RETRY: Duration = Duration::from_millis(200);
/// What a subscription of one topic and an assignment of one partition come to.
const METADATA: &[u8] = b"\0\x03\0\0\0\x01\0\x07grouped\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff";

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match Load::from_arguments().and_then(run) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("groups: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Clone, Copy)]
struct Load {
    address: SocketAddr,
    groups: usize,
    members: usize,
    commits: u64,
    seconds: u64,
    pid: Option<u32>,
}

impl Load {
    fn from_arguments() -> Result<Self, Failure> {
        let mut arguments = std::env::args().skip(1);
        let usage = "usage: groups HOST:PORT [--groups N] [--members N] [--commits N] [--seconds N] [--pid N]";
        let address = arguments.next().ok_or(usage)?.parse()?;
        let mut load = Self { address, groups: 1000, members: 10, commits: 10_000, seconds: 30, pid: None };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(usage)?;
            match name.as_str() {
                "--groups" => load.groups = value.parse()?,
                "--members" => load.members = value.parse()?,
                "--commits" => load.commits = value.parse()?,
                "--seconds" => load.seconds = value.parse()?,
                "--pid" => load.pid = Some(value.parse()?),
                _ => return Err(format!("{name} is not known; {usage}").into()),
            }
        }
        Ok(load)
    }

    fn all_members(&self) -> usize {
        self.groups * self.members
    }
}

/// What all members count together.
struct Tally {
    commits: Mutex<Histogram<u64>>,
    heartbeats: AtomicU64,
    rejoined: AtomicU64,
    failures: Mutex<BTreeMap<i16, u64>>,
}

fn run(load: Load) -> Result<String, Failure> {
    raise_open_files()?;
    let mut wire = Wire::connect(load.address)?;
    let partitions = i32::try_from(load.members)?;
    match calls::create_topic(&mut wire, TOPIC, partitions, &[])? {
        Ok(()) | Err(ErrorCode::TopicAlreadyExists) => {}
        Err(code) => return Err(format!("the topic {TOPIC} cannot be made: {code}").into()),
    }
    let coordinator = FindCoordinatorRequest { key: "bench-0".to_owned(), ..FindCoordinatorRequest::default() };
    while wire.call(&coordinator, 3)?.error_code != 0 {
        std::thread::sleep(Duration::from_millis(50));
    }
    let tally = Arc::new(Tally {
        commits: Mutex::new(Histogram::new(3)?),
        heartbeats: AtomicU64::new(0),
        rejoined: AtomicU64::new(0),
        failures: Mutex::default(),
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let Worked { stable_after, processor } = runtime.block_on(all(load, &tally))?;
    let commits = tally.commits.lock().map_err(|_| "a member panicked")?;
    let ms = |quantile| commits.value_at_quantile(quantile) as f64 / 1000.0;
    let failures = tally.failures.lock().map_err(|_| "a member panicked")?;
    let failures: Vec<String> = failures.iter().map(|(code, times)| format!("\"{code}\":{times}")).collect();
    Ok(format!(
        "{{\"groups\":{},\"members\":{},\"stable_after_s\":{:.1},\"cpu_percent\":{:.1},\"commits_per_second\":{:.0},\
         \"heartbeats_per_second\":{:.0},\"commit_ms_p50\":{:.3},\"commit_ms_p99\":{:.3},\"commit_ms_max\":{:.3},\
         \"rejoined\":{},\"failures\":{{{}}}}}",
        load.groups,
        load.all_members(),
        stable_after.as_secs_f64(),
        processor.as_secs_f64() / load.seconds as f64 * 100.0,
        commits.len() as f64 / load.seconds as f64,
        tally.heartbeats.load(Ordering::Relaxed) as f64 / load.seconds as f64,
        ms(0.5),
        ms(0.99),
        ms(1.0),
        tally.rejoined.load(Ordering::Relaxed),
        failures.join(","),
    ))
}

/// A connection is a file.
fn raise_open_files() -> Result<(), Failure> {
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    Ok(rustix::process::setrlimit(rustix::process::Resource::Nofile, limit)?)
}

/// Runs all members to the end.
async fn all(load: Load, tally: &Arc<Tally>) -> Result<Worked, Failure> {
    let begun = Instant::now();
    let (stable, mut all_stable) = watch::channel(0_usize);
    let stable = Arc::new(stable);
    let mut running = tokio::task::JoinSet::new();
    for number in 0..load.all_members() {
        let (tally, stable) = (Arc::clone(tally), Arc::clone(&stable));
        // One after the other: a broker's queue of connections to accept is short.
        let mut member = Member::connect(load, number).await?;
        running.spawn(async move {
            member.settle(load, &stable).await?;
            member.work(load, number, &tally).await
        });
    }
    let stable_after = tokio::select! {
        _ = all_stable.wait_for(|count| *count == load.all_members()) => begun.elapsed(),
        () = tokio::time::sleep(STABLE_WITHIN) => return Err("the groups do not become stable".into()),
        Some(ended) = running.join_next() => return ended?.and(Err("a member ended before all were stable".into())),
    };
    let before = processor_time(load.pid)?;
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(Worked { stable_after, processor: processor_time(load.pid)?.saturating_sub(before) })
}

struct Worked {
    stable_after: Duration,
    /// What the broker used of the processors from then on.
    processor: Duration,
}

/// User and system time of a process; nothing where none is named.
fn processor_time(pid: Option<u32>) -> Result<Duration, Failure> {
    let Some(pid) = pid else { return Ok(Duration::ZERO) };
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no process status")?;
    let ticks: Vec<u64> = fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(Duration::from_secs_f64(ticks.iter().sum::<u64>() as f64 / rustix::param::clock_ticks_per_second() as f64))
}

struct Member {
    stream: TcpStream,
    correlation_id: i32,
    group: String,
    id: String,
    generation: i32,
}

impl Member {
    async fn connect(load: Load, number: usize) -> Result<Self, Failure> {
        let stream = TcpStream::connect(load.address).await?;
        stream.set_nodelay(true)?;
        let group = format!("bench-{}", number / load.members);
        Ok(Self { stream, correlation_id: 0, group, id: String::new(), generation: -1 })
    }

    async fn call<R: Request>(&mut self, body: &R, version: i16) -> Result<R::Response, Failure> {
        self.correlation_id += 1;
        let chunks = frame::request(self.correlation_id, "bench", body, version)?;
        self.stream.write_all(&concatenated(&chunks)).await?;
        let length = frame::checked_length(self.stream.read_i32().await?, i32::MAX as usize)?;
        let mut bytes = BytesMut::zeroed(length);
        self.stream.read_exact(&mut bytes).await?;
        let mut reader = Reader::new(bytes);
        frame::response_header(&mut reader, R::KEY, version)?;
        Ok(R::Response::decode(&mut reader, version)?)
    }

    /// Joins, and takes or gives out assignments, until the group is stable.
    async fn join(&mut self) -> Result<(), Failure> {
        loop {
            let request = JoinGroupRequest {
                group_id: self.group.clone(),
                session_timeout_ms: SESSION_MS,
                rebalance_timeout_ms: REBALANCE_MS,
                member_id: self.id.clone(),
                protocol_type: "consumer".to_owned(),
                protocols: vec![JoinGroupRequestProtocol {
                    name: "range".to_owned(),
                    metadata: Bytes::from_static(METADATA),
                }],
                ..JoinGroupRequest::default()
            };
            let joined = self.call(&request, 3).await?;
            match joined.error_code {
                0 => {}
                code if NOT_YET.contains(&code) => {
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
                code => return Err(format!("{} cannot be joined: error {code}", self.group).into()),
            }
            (self.id, self.generation) = (joined.member_id, joined.generation_id);
            let assignment =
                |member_id| SyncGroupRequestAssignment { member_id, assignment: Bytes::from_static(METADATA) };
            let request = SyncGroupRequest {
                group_id: self.group.clone(),
                generation_id: self.generation,
                member_id: self.id.clone(),
                assignments: joined.members.into_iter().map(|member| assignment(member.member_id)).collect(),
                ..SyncGroupRequest::default()
            };
            match self.call(&request, 1).await?.error_code {
                0 => return Ok(()),
                REBALANCE_IN_PROGRESS => {}
                code => return Err(format!("{} cannot be synced: error {code}", self.group).into()),
            }
        }
    }

    /// Joins, and heartbeats until all members of all groups are in.
    async fn settle(&mut self, load: Load, stable: &watch::Sender<usize>) -> Result<(), Failure> {
        let mut all_stable = stable.subscribe();
        self.join().await?;
        stable.send_modify(|count| *count += 1);
        loop {
            let all = all_stable.wait_for(|count| *count == load.all_members());
            if tokio::time::timeout(HEARTBEAT, all).await.is_ok() {
                return Ok(());
            }
            if self.heartbeat().await? == REBALANCE_IN_PROGRESS {
                stable.send_modify(|count| *count -= 1);
                self.join().await?;
                stable.send_modify(|count| *count += 1);
            }
        }
    }

    /// Heartbeats and commits until the time is over.
    async fn work(&mut self, load: Load, number: usize, tally: &Tally) -> Result<(), Failure> {
        let begun = Instant::now();
        let end = begun + Duration::from_secs(load.seconds);
        // Members take turns, so that the load is even.
        let share = |pause: Duration| pause.mul_f64(number as f64 / load.all_members() as f64);
        let pause = Duration::from_secs(1).mul_f64(load.all_members() as f64 / load.commits as f64);
        let (mut commit_at, mut heartbeat_at) = (begun + share(pause), begun + share(HEARTBEAT));
        let mut offset = 0;
        while commit_at.min(heartbeat_at) < end {
            tokio::time::sleep_until(commit_at.min(heartbeat_at)).await;
            let code = if commit_at <= heartbeat_at {
                offset += 1;
                let code = self.commit(number % load.members, offset).await?;
                let took = u64::try_from(commit_at.elapsed().as_micros())?;
                tally.commits.lock().map_err(|_| "a member panicked")?.record(took)?;
                commit_at += pause;
                code
            } else {
                heartbeat_at += HEARTBEAT;
                tally.heartbeats.fetch_add(1, Ordering::Relaxed);
                self.heartbeat().await?
            };
            if code == REBALANCE_IN_PROGRESS {
                tally.rejoined.fetch_add(1, Ordering::Relaxed);
                self.join().await?;
            } else if code != 0 {
                *tally.failures.lock().map_err(|_| "a member panicked")?.entry(code).or_default() += 1;
            }
        }
        Ok(())
    }

    async fn heartbeat(&mut self) -> Result<i16, Failure> {
        let request = HeartbeatRequest {
            group_id: self.group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            ..HeartbeatRequest::default()
        };
        Ok(self.call(&request, 3).await?.error_code)
    }

    async fn commit(&mut self, partition: usize, offset: i64) -> Result<i16, Failure> {
        let partition = OffsetCommitRequestPartition {
            partition_index: i32::try_from(partition)?,
            committed_offset: offset,
            committed_metadata: Some(String::new()),
            ..OffsetCommitRequestPartition::default()
        };
        let request = OffsetCommitRequest {
            group_id: self.group.clone(),
            generation_id_or_member_epoch: self.generation,
            member_id: self.id.clone(),
            topics: vec![OffsetCommitRequestTopic {
                name: TOPIC.to_owned(),
                partitions: vec![partition],
                ..OffsetCommitRequestTopic::default()
            }],
            ..OffsetCommitRequest::default()
        };
        let answer = self.call(&request, 7).await?;
        Ok(answer
            .topics
            .first()
            .and_then(|topic| topic.partitions.first())
            .map_or(-1, |partition| partition.error_code))
    }
}
