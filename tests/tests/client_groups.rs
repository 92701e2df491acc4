//! The client's consumers in groups, on a real broker: members come, go and die, in both protocols, and no record is skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use highwater_client::admin::{GroupDescription, NewTopic};
use highwater_client::group::{Heard, Rebalance, RebalanceListener};
use highwater_client::{
    Assignor, Client, Commit, Consumer, ConsumerBuilder, GroupProtocol, Kind, OffsetAndMetadata, Record, StartFrom,
    TopicPartition,
};
use highwater_tests::process::{Process, Start, any_port, binary};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

const DEADLINE: Duration = Duration::from_secs(60);
/// How long a reader waits for records before it looks whether it has to stop.
const LOOK: Duration = Duration::from_millis(20);
const TOPIC: &str = "t";
const GROUP: &str = "readers";
const PARTITIONS: i32 = 4;
const SESSION: Duration = Duration::from_secs(2);
const BOTH: [GroupProtocol; 2] = [GroupProtocol::Classic, GroupProtocol::Consumer];
/// Nobody is waited for, and who is silent is missed soon.
const SETTINGS: &[(&str, &str)] = &[
    ("group.initial.rebalance.delay.ms", "0"),
    ("group.min.session.timeout.ms", "1000"),
    ("group.consumer.assignment.interval.ms", "0"),
    ("group.consumer.min.session.timeout.ms", "1000"),
    ("group.consumer.session.timeout.ms", "2000"),
    ("group.consumer.min.heartbeat.interval.ms", "100"),
    ("group.consumer.heartbeat.interval.ms", "200"),
];

/// A broker with a topic, and a client.
struct Stand {
    dir: tempfile::TempDir,
    process: Process,
    client: Client,
}

impl Stand {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let process = started(&dir, any_port());
        let client = connected(process.kafka()).await;
        client.admin().create_topic(NewTopic::new(TOPIC).partitions(PARTITIONS), false).await.expect("is created");
        Self { dir, process, client }
    }

    fn kill_and_restart(&mut self) {
        let kafka = self.process.kafka();
        self.process.kill();
        self.process = started(&self.dir, kafka);
    }

    /// Sends so many records to each partition.
    async fn send(&self, each: i64) {
        let producer = self.client.producer().build();
        for number in 0..each {
            for partition in 0..PARTITIONS {
                let record = Record::new(TOPIC).partition(partition).value(number.to_string());
                drop(producer.enqueue(record).await.expect("there is room"));
            }
        }
        producer.flush().await;
    }

    fn consumer(&self, protocol: GroupProtocol) -> ConsumerBuilder {
        let builder = self.client.consumer().group(GROUP).protocol(protocol).topic(TOPIC);
        let builder = builder.start_from(StartFrom::Earliest).session_timeout(SESSION);
        builder.heartbeat_interval(Duration::from_millis(200)).commit(Commit::Auto(Duration::from_millis(200)))
    }

    async fn described(&self) -> GroupDescription {
        self.client.admin().describe_group(GROUP).await.expect("describes")
    }

    async fn committed(&self) -> BTreeMap<i32, i64> {
        let offsets = self.client.admin().group_offsets(GROUP).await.expect("offsets");
        offsets.into_iter().map(|one| (one.partition, one.offset)).collect()
    }
}

fn started(dir: &tempfile::TempDir, kafka: SocketAddr) -> Process {
    Process::start(&Start { dir: dir.path(), settings: SETTINGS, kafka })
}

async fn connected(kafka: SocketAddr) -> Client {
    Client::builder(kafka.to_string()).connect().await.expect("connects")
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}"))
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}: not within {DEADLINE:?}");
        tokio::task::yield_now().await;
    }
}

type Seen = BTreeSet<(i32, i64)>;

#[derive(Default)]
struct Read {
    seen: Seen,
    count: usize,
    has: BTreeSet<i32>,
    errors: Vec<String>,
}

/// A consumer that reads on a task of its own.
struct Reader {
    read: Arc<Mutex<Read>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Consumer>,
}

impl Reader {
    async fn start(builder: ConsumerBuilder) -> Self {
        let mut consumer = builder.build().await.expect("builds");
        let read = Arc::new(Mutex::new(Read::default()));
        let (stop, mut stopped) = oneshot::channel();
        let shared = Arc::clone(&read);
        let task = tokio::spawn(async move {
            while stopped.try_recv().is_err() {
                let polled = consumer.poll(100, LOOK).await;
                let mut read = shared.lock().expect("sound");
                match polled {
                    Ok(records) => {
                        read.count += records.len();
                        read.seen.extend(records.iter().map(|record| (record.partition, record.offset)));
                    }
                    Err(error) => read.errors.push(error.to_string()),
                }
                read.has = consumer.assignment().into_iter().map(|one| one.partition).collect();
            }
            consumer
        });
        Self { read, stop, task }
    }

    fn has(&self) -> BTreeSet<i32> {
        self.read.lock().expect("sound").has.clone()
    }

    fn seen(&self) -> Seen {
        self.read.lock().expect("sound").seen.clone()
    }

    fn count(&self) -> usize {
        self.read.lock().expect("sound").count
    }

    /// Stops to read, and hands back the consumer.
    async fn stopped(self) -> Consumer {
        self.stop.send(()).expect("it reads");
        within("the reader's end", self.task).await.expect("it did not panic")
    }

    async fn close(self) {
        within("a close", self.stopped().await.close()).await.expect("closes");
    }
}

/// Waits until the readers share all partitions evenly.
async fn shared(readers: &[&Reader]) {
    let share = usize::try_from(PARTITIONS).expect("small") / readers.len();
    until("an even share", async || {
        let all: Vec<i32> = readers.iter().flat_map(|reader| reader.has()).collect();
        let once: BTreeSet<i32> = all.iter().copied().collect();
        all.len() == once.len()
            && i32::try_from(all.len()) == Ok(PARTITIONS)
            && readers.iter().all(|reader| reader.has().len() == share)
    })
    .await;
}

fn expected(each: i64) -> Seen {
    (0..PARTITIONS).flat_map(|partition| (0..each).map(move |offset| (partition, offset))).collect()
}

/// Waits until the readers have seen so many records of each partition.
async fn seen(readers: &[&Reader], each: i64) {
    until("every record", async || {
        let all: Seen = readers.iter().flat_map(|reader| reader.seen()).collect();
        all == expected(each)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_come_and_go_and_go_on_where_the_group_is() {
    for protocol in BOTH {
        let stand = Stand::new().await;
        stand.send(10).await;
        let one = Reader::start(stand.consumer(protocol)).await;
        seen(&[&one], 10).await;
        let two = Reader::start(stand.consumer(protocol)).await;
        shared(&[&one, &two]).await;
        stand.send(10).await;
        seen(&[&one, &two], 20).await;
        let group = stand.described().await;
        assert_eq!((group.state.as_str(), group.members.len()), ("Stable", 2));
        assert_eq!(group.kind, if protocol == GroupProtocol::Classic { "classic" } else { "consumer" });
        two.close().await;
        shared(&[&one]).await;
        one.close().await;
        assert_eq!(stand.described().await.state, "Empty");
        assert_eq!(stand.committed().await, (0..PARTITIONS).map(|partition| (partition, 20)).collect());
        stand.send(1).await;
        let next = Reader::start(stand.consumer(protocol)).await;
        until("the new records", async || next.count() >= 4).await;
        assert_eq!(next.seen(), (0..PARTITIONS).map(|partition| (partition, 20)).collect(), "only what is new");
        next.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_member_had_goes_to_the_others() {
    for protocol in BOTH {
        let stand = Stand::new().await;
        let one = Reader::start(stand.consumer(protocol)).await;
        let two = Reader::start(stand.consumer(protocol)).await;
        shared(&[&one, &two]).await;
        stand.send(10).await;
        seen(&[&one, &two], 10).await;
        let before = two.seen();
        drop(two.stopped().await);
        stand.send(10).await;
        let of_both = async || &one.seen() | &before;
        until("every record", async || of_both().await == expected(20)).await;
        shared(&[&one]).await;
        one.close().await;
    }
}

type Entry = (&'static str, Vec<i32>);

/// Writes down what it hears.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<Entry>>>);

impl Diary {
    fn write<'a>(&'a self, what: &'static str, partitions: &'a [TopicPartition]) -> Heard<'a> {
        let numbers = partitions.iter().map(|one| one.partition).collect();
        self.0.lock().expect("sound").push((what, numbers));
        Box::pin(std::future::ready(()))
    }

    fn read(&self) -> Vec<Entry> {
        self.0.lock().expect("sound").clone()
    }
}

impl RebalanceListener for Diary {
    fn assigned<'a>(&'a self, _: &'a Rebalance, partitions: &'a [TopicPartition]) -> Heard<'a> {
        self.write("assigned", partitions)
    }

    fn revoked<'a>(&'a self, _: &'a Rebalance, partitions: &'a [TopicPartition]) -> Heard<'a> {
        self.write("revoked", partitions)
    }

    fn lost<'a>(&'a self, partitions: &'a [TopicPartition]) -> Heard<'a> {
        self.write("lost", partitions)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_need_not_move_stands_still() {
    let cooperative = |builder: ConsumerBuilder| builder.assignors([Assignor::CooperativeSticky]);
    for protocol in BOTH {
        let (stand, diary) = (Stand::new().await, Diary::default());
        let one = Reader::start(cooperative(stand.consumer(protocol)).listener(diary.clone())).await;
        shared(&[&one]).await;
        let two = Reader::start(cooperative(stand.consumer(protocol))).await;
        shared(&[&one, &two]).await;
        let heard = diary.read();
        let given: Vec<i32> = two.has().into_iter().collect();
        assert_eq!(heard, [("assigned", vec![0, 1, 2, 3]), ("revoked", given)], "{protocol:?}");
        one.close().await;
        two.close().await;
        assert_eq!(diary.read().last().map(|(what, _)| *what), Some("revoked"), "closing gives up what is left");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_eager_group_gives_up_all_and_is_given_its_share() {
    for assignor in [Assignor::Range, Assignor::RoundRobin] {
        let (stand, diary) = (Stand::new().await, Diary::default());
        let builder = || stand.consumer(GroupProtocol::Classic).assignors([assignor]);
        let one = Reader::start(builder().listener(diary.clone())).await;
        shared(&[&one]).await;
        let two = Reader::start(builder()).await;
        shared(&[&one, &two]).await;
        assert_eq!(stand.described().await.protocol, assignor.name());
        let heard = diary.read();
        assert_eq!(heard[..2], [("assigned", vec![0, 1, 2, 3]), ("revoked", vec![0, 1, 2, 3])]);
        assert_eq!(heard.last(), Some(&("assigned", one.has().into_iter().collect())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_member_is_restarted_and_nobody_else_moves() {
    for protocol in BOTH {
        let (stand, diary) = (Stand::new().await, Diary::default());
        let one = Reader::start(stand.consumer(protocol).instance_id("one").listener(diary.clone())).await;
        let builder = || stand.consumer(protocol).instance_id("two");
        let two = Reader::start(builder()).await;
        shared(&[&one, &two]).await;
        let (heard, had) = (diary.read(), two.has());
        two.close().await;
        let two = Reader::start(builder()).await;
        until("what it had", async || two.has() == had).await;
        stand.send(5).await;
        seen(&[&one, &two], 5).await;
        assert_eq!(diary.read(), heard, "{protocol:?}: the other one heard of nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_costs_no_record() {
    for protocol in BOTH {
        let mut stand = Stand::new().await;
        let one = Reader::start(stand.consumer(protocol)).await;
        let two = Reader::start(stand.consumer(protocol)).await;
        shared(&[&one, &two]).await;
        for round in 1..=3 {
            stand.send(50).await;
            stand.kill_and_restart();
            stand.send(50).await;
            seen(&[&one, &two], round * 100).await;
        }
        shared(&[&one, &two]).await;
        one.close().await;
        two.close().await;
        assert_eq!(stand.committed().await, (0..PARTITIONS).map(|partition| (partition, 300)).collect());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_commits_are_where_the_next_one_begins() {
    for protocol in BOTH {
        let stand = Stand::new().await;
        stand.send(10).await;
        let mut consumer = stand.consumer(protocol).commit(Commit::Manual).build().await.expect("builds");
        let mut taken = BTreeMap::new();
        while taken.len() < 4 || taken.values().any(|offset| *offset < 5) {
            let record = within("a record", consumer.next()).await.expect("goes on").expect("no error");
            if record.offset == 5 {
                consumer.commit_record(&record).await.expect("commits");
            }
            taken.insert(record.partition, record.offset);
        }
        let zero = TopicPartition::new(TOPIC, 0);
        let noted = OffsetAndMetadata { offset: 3, leader_epoch: Some(0), metadata: "noted".to_owned() };
        let committing = consumer.commit_async(BTreeMap::from([(zero.clone(), noted.clone())])).expect("a group");
        within("a commit", committing).await.expect("commits");
        let found = consumer.committed(&[zero.clone(), TopicPartition::new(TOPIC, 1)]).await.expect("looks up");
        assert_eq!(found[&zero], noted);
        assert_eq!(found[&TopicPartition::new(TOPIC, 1)].offset, 6);
        assert!(found[&TopicPartition::new(TOPIC, 1)].leader_epoch.is_some(), "of the record before it");
        let foreign = BTreeMap::from([(TopicPartition::new("other", 0), OffsetAndMetadata::new(1))]);
        assert_eq!(consumer.commit_offsets(foreign).await.expect_err("not assigned").kind(), Kind::Lost);
        within("a close", consumer.close()).await.expect("closes");
        assert_eq!(
            stand.committed().await,
            BTreeMap::from([(0, 3), (1, 6), (2, 6), (3, 6)]),
            "a close commits nothing"
        );
        let next = Reader::start(stand.consumer(protocol)).await;
        until("the rest", async || next.count() == 7 + 4 * 3).await;
        assert_eq!(next.seen().first(), Some(&(0, 3)));
        next.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_commit_the_reset_decides() {
    for protocol in BOTH {
        let stand = Stand::new().await;
        stand.send(3).await;
        let mut none = stand.consumer(protocol).require_committed().build().await.expect("builds");
        let error = within("an error", none.next()).await.expect("goes on").expect_err("nothing is committed");
        assert_eq!(error.kind(), Kind::NoOffset);
        assert!(error.to_string().contains("auto.offset.reset is none"), "{error}");
        none.seek(TOPIC, 2, 1).expect("is assigned");
        let record = loop {
            match within("a record", none.next()).await.expect("goes on") {
                Ok(record) => break record,
                Err(error) => assert_eq!(error.kind(), Kind::NoOffset),
            }
        };
        assert_eq!((record.partition, record.offset), (2, 1), "a seek says where");
        within("a close", none.leave()).await.expect("leaves");
        let latest = Reader::start(stand.consumer(protocol).start_from(StartFrom::Latest)).await;
        shared(&[&latest]).await;
        until("ends", async || {
            stand.send(1).await;
            latest.seen().iter().any(|(partition, _)| *partition != 2)
        })
        .await;
        assert!(latest.seen().iter().all(|(partition, offset)| *partition == 2 || *offset >= 3), "{:?}", latest.seen());
        latest.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_was_looked_up_is_where_the_next_one_begins() {
    for protocol in BOTH {
        let stand = Stand::new().await;
        stand.send(3).await;
        let latest = || stand.consumer(protocol).start_from(StartFrom::Latest).commit(Commit::Auto(DEADLINE));
        let mut first = latest().build().await.expect("builds");
        until("the ends", async || {
            assert!(first.poll(1, LOOK).await.expect("polls").is_empty(), "it begins at the ends");
            first.positions().len() == 4
        })
        .await;
        within("a close", first.close()).await.expect("closes");
        assert_eq!(stand.committed().await, (0..PARTITIONS).map(|partition| (partition, 3)).collect());
        stand.send(2).await;
        let next = Reader::start(latest()).await;
        until("what came in between", async || next.count() == 8).await;
        assert_eq!(next.seen(), &expected(5) - &expected(3));
        next.close().await;
    }
}

/// Breaks with the first partitions that come.
struct Clumsy;

impl RebalanceListener for Clumsy {
    fn assigned<'a>(&'a self, _: &'a Rebalance, _: &'a [TopicPartition]) -> Heard<'a> {
        panic!("a listener that breaks");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_breaks_ends_its_consumer() {
    for protocol in BOTH {
        let stand = Stand::new().await;
        stand.send(1).await;
        let mut consumer = stand.consumer(protocol).listener(Clumsy).build().await.expect("builds");
        let error = within("an error", consumer.next()).await.expect("an error first").expect_err("it broke");
        assert_eq!(error.kind(), Kind::Closed);
        assert!(error.to_string().contains(GROUP), "{error}");
        assert!(consumer.is_ended() && consumer.assignment().is_empty());
        assert!(within("the end", consumer.next()).await.is_none());
        let again = within("a poll", consumer.poll(1, DEADLINE * 2)).await.expect_err("nothing comes any more");
        assert_eq!(again.kind(), Kind::Closed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn durations_that_make_no_sense_are_refused_or_cut() {
    let stand = Stand::new().await;
    let classic = || stand.consumer(GroupProtocol::Classic);
    for wrong in [classic().heartbeat_interval(Duration::ZERO), classic().commit(Commit::Auto(Duration::ZERO))] {
        assert_eq!(wrong.build().await.expect_err("it is refused").kind(), Kind::Config);
    }
    stand.send(1).await;
    let mut endless = classic().max_poll_interval(Duration::MAX).commit(Commit::Auto(Duration::MAX));
    endless = endless.set("metadata.max.age.ms", &i64::MAX.to_string()).expect("is known");
    let mut consumer = endless.build().await.expect("builds");
    within("a record", consumer.next()).await.expect("goes on").expect("no error");
    within("a close", consumer.close()).await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_pauses_seeks_and_knows_its_lag() {
    let stand = Stand::new().await;
    stand.send(10).await;
    for protocol in BOTH {
        let group = format!("{protocol:?}");
        let mut consumer = stand.consumer(protocol).group(group).build().await.expect("builds");
        let mut count = 0;
        while count < 40 {
            count += within("records", consumer.poll(100, LOOK)).await.expect("polls").len();
        }
        assert_eq!(consumer.assignment().len(), 4);
        assert_eq!(consumer.position(TOPIC, 1), Some(10));
        consumer.pause(TOPIC, 0).expect("is assigned");
        for partition in [0, 1] {
            consumer.seek(TOPIC, partition, 4).expect("is assigned");
        }
        let mut offsets = Vec::new();
        while offsets.len() < 6 {
            let records = within("records", consumer.poll(100, LOOK)).await.expect("polls");
            offsets.extend(records.iter().map(|record| (record.partition, record.offset)));
        }
        assert_eq!(offsets, (4..10).map(|offset| (1, offset)).collect::<Vec<_>>(), "only what is not paused");
        let lag: BTreeMap<i32, i64> = consumer.lag().into_iter().map(|(_, partition, lag)| (partition, lag)).collect();
        assert_eq!(lag, BTreeMap::from([(0, 6), (1, 0), (2, 0), (3, 0)]));
        consumer.resume(TOPIC, 0).expect("is assigned");
        let record = within("a record", consumer.next()).await.expect("goes on").expect("no error");
        assert_eq!((record.partition, record.offset), (0, 4));
        within("a close", consumer.close()).await.expect("closes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_stays_away_is_told_and_comes_back() {
    for protocol in BOTH {
        let (stand, diary) = (Stand::new().await, Diary::default());
        stand.send(2).await;
        let builder = stand.consumer(protocol).max_poll_interval(Duration::from_secs(1)).listener(diary.clone());
        let mut consumer = builder.build().await.expect("builds");
        let first = within("a record", consumer.next()).await.expect("goes on").expect("no error");
        until("the loss", async || diary.read().last().map(|(what, _)| *what) == Some("lost")).await;
        assert!(consumer.assignment().is_empty(), "it has nothing");
        let error = within("an error", consumer.next()).await.expect("goes on").expect_err("it was away");
        assert_eq!(error.kind(), Kind::Lost);
        assert!(error.to_string().contains("max.poll.interval.ms"), "{error}");
        let mut seen = Seen::new();
        while seen.len() < 8 {
            let record = within("a record", consumer.next()).await.expect("goes on").expect("no error");
            seen.insert((record.partition, record.offset));
        }
        assert!(seen.contains(&(first.partition, first.offset)), "what was in hand comes again");
        within("a close", consumer.close()).await.expect("closes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pattern_finds_topics_that_come_later() {
    for protocol in BOTH {
        let stand = Stand::new().await;
        let builder = stand.client.consumer().group(GROUP).protocol(protocol).pattern("orders-.*");
        let builder = builder.start_from(StartFrom::Earliest).set("metadata.max.age.ms", "100").expect("is known");
        let mut consumer = builder
            .heartbeat_interval(Duration::from_millis(200))
            .session_timeout(SESSION)
            .build()
            .await
            .expect("builds");
        for name in ["orders-a", "orders-b", "xorders-a"] {
            stand.client.admin().create_topic(NewTopic::new(name).partitions(1), false).await.expect("is created");
            stand.client.producer().build().send(Record::new(name).value("v")).await.expect("is written");
        }
        let mut topics = BTreeSet::new();
        while topics.len() < 2 {
            let record = within("a record", consumer.next()).await.expect("goes on").expect("no error");
            topics.insert(record.topic.to_string());
        }
        assert_eq!(topics, ["orders-a", "orders-b"].map(str::to_owned).into());
        assert_eq!(consumer.assignment().len(), 2);
        within("a close", consumer.close()).await.expect("closes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_is_a_member_and_leaves_at_a_signal() {
    for protocol in ["classic", "consumer"] {
        let stand = Stand::new().await;
        stand.send(3).await;
        let run = |arguments: &[&str]| {
            let mut command = Command::new(binary());
            command.args(arguments).env("HIGHWATER_BOOTSTRAP", stand.process.kafka().to_string());
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
        };
        let consume = ["consume", TOPIC, "--group", GROUP, "--protocol", protocol];
        let first = run(&[&consume[..], &["-n", "12"]].concat()).wait_with_output().expect("ends");
        assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
        let lines = String::from_utf8(first.stdout).expect("text");
        let objects: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
        assert_eq!(objects.len(), 12);
        assert_eq!(stand.committed().await, (0..PARTITIONS).map(|partition| (partition, 3)).collect());
        let mut second = run(&consume);
        until("a member", async || stand.described().await.members.iter().any(|one| !one.partitions.is_empty())).await;
        let shown = run(&["group", "describe", GROUP, "--json"]).wait_with_output().expect("ends");
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("an object");
        assert_eq!((&shown["type"], &shown["state"]), (&protocol.into(), &"Stable".into()), "{shown}");
        assert_eq!(shown["members"][0]["partitions"][TOPIC].as_array().map(Vec::len), Some(4), "{shown}");
        assert_eq!(shown["epoch"].is_null(), protocol == "classic", "{shown}");
        let listed = run(&["group", "list", "--json", "--type", protocol]).wait_with_output().expect("ends");
        assert!(String::from_utf8_lossy(&listed.stdout).contains(GROUP), "{listed:?}");
        let sent = Command::new("kill").args(["-TERM", &second.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        assert!(second.wait().expect("ends").success(), "a signal is no failure");
        assert_eq!(stand.described().await.members.len(), 0, "it left");
        for verb in [
            &["group", "reset", GROUP, "-t", TOPIC, "--to", "start", "--yes"][..],
            &["group", "delete", GROUP, "--yes"],
        ] {
            let done = run(verb).wait_with_output().expect("ends");
            assert!(done.status.success(), "{verb:?}: {}", String::from_utf8_lossy(&done.stderr));
        }
    }
}
