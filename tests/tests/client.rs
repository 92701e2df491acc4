//! The client against a real broker: what a producer promises of order, copies and memory, where a consumer begins, what an
//! admin changes, and what all of them make of a broker that is killed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use futures_util::StreamExt;
use highwater_client::admin::{ConfigChange, ConfigResource, NewTopic};
use highwater_client::{
    Acks, Client, Compression, Consumer, ConsumerRecord, Delivery, ErrorCode, Kind, Producer, Record, StartFrom,
    TryEnqueue,
};
use highwater_tests::process::{Process, Start, any_port};
use tokio::time::{Instant, timeout};

const DEADLINE: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(3600);
const NOVEMBER: i64 = 1_700_000_000_000;

/// A broker, and a client that is connected to it.
struct Stand {
    dir: tempfile::TempDir,
    process: Process,
    client: Client,
}

impl Stand {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let process = Process::start(&Start { dir: dir.path(), settings: &[], kafka: any_port() });
        let client = Client::builder(process.kafka().to_string()).connect().await.expect("connects");
        Self { dir, process, client }
    }

    async fn with_topic(name: &str, partitions: i32) -> Self {
        let stand = Self::new().await;
        stand.create(NewTopic::new(name).partitions(partitions)).await;
        stand
    }

    async fn create(&self, topic: NewTopic) {
        self.client.admin().create_topic(topic, false).await.expect("is created");
    }

    /// Kills the broker without warning and starts it again where it was.
    fn kill_and_restart(&mut self) {
        let kafka = self.process.kafka();
        self.process.kill();
        self.process = started(self.dir.path().to_owned(), kafka);
    }

    /// A broker that was treated well has nothing to complain of.
    fn assert_content(&self) {
        let log = self.process.log();
        let complaints: Vec<&String> =
            log.iter().filter(|line| line.contains(" WARN ") || line.contains("ERROR ")).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}

fn started(dir: PathBuf, kafka: SocketAddr) -> Process {
    Process::start(&Start { dir: &dir, settings: &[], kafka })
}

fn signal(process: &Process, name: &str) {
    let sent = Command::new("kill").args([name, &process.pid().to_string()]).status().expect("kill runs");
    assert!(sent.success(), "{name} is sent");
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}"))
}

/// The next records of a consumer, whatever errors come between them.
async fn take(consumer: &mut Consumer, count: usize) -> Vec<ConsumerRecord> {
    let mut records = Vec::new();
    while records.len() < count {
        let next = within("a record", consumer.next()).await.expect("a consumer does not end");
        records.push(next.expect("no error"));
    }
    records
}

async fn all(client: &Client, topic: &str, count: usize) -> Vec<ConsumerRecord> {
    let consumer = client.consumer().topic(topic).start_from(StartFrom::Earliest);
    take(&mut consumer.build().await.expect("builds"), count).await
}

/// Where each partition ends.
async fn ends(client: &Client, topic: &str, partitions: i32) -> Vec<i64> {
    let wanted: Vec<_> = (0..partitions).map(|partition| (topic.to_owned(), partition, StartFrom::Latest)).collect();
    let listed = client.admin().list_offsets(&wanted).await.expect("lists");
    listed.into_iter().map(|one| one.offset).collect()
}

fn texts(records: &[ConsumerRecord]) -> Vec<String> {
    records.iter().map(text).collect()
}

fn text(record: &ConsumerRecord) -> String {
    String::from_utf8(record.value.as_ref().expect("a value").to_vec()).expect("text")
}

async fn send_numbers(producer: &Producer, topic: &str, partition: i32, numbers: std::ops::Range<i64>) {
    let mut deliveries = Vec::new();
    for number in numbers {
        let record = Record::new(topic).partition(partition).key("number").value(number.to_string());
        let record = record.timestamp(NOVEMBER + number);
        deliveries.push(producer.enqueue(record).await.expect("there is room"));
    }
    for delivery in deliveries {
        within("a delivery", delivery).await.expect("is written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_codec_and_every_acks_bring_records_as_they_were() {
    let stand = Stand::new().await;
    let codecs = [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];
    for codec in codecs {
        for (acks, name) in [(Acks::All, "all"), (Acks::Leader, "leader"), (Acks::None, "none")] {
            let topic = format!("{}-{name}", codec.name());
            stand.create(NewTopic::new(&topic).partitions(1)).await;
            let producer = stand.client.producer().acks(acks).compression(codec).build();
            let record = |number: i64| {
                let record = Record::new(&topic).key(format!("k{number}")).timestamp(NOVEMBER + number);
                let record = record.header("h", "1").header("h", vec![0xff]).null_header("n");
                if number == 3 { record } else { record.value("v".repeat(200)) }
            };
            let mut deliveries = Vec::new();
            for number in 0..50 {
                deliveries.push(producer.enqueue(record(number)).await.expect("there is room"));
            }
            for (number, delivery) in (0..).zip(deliveries) {
                let meta = within("a delivery", delivery).await.expect("is written");
                let offset = if acks == Acks::None { -1 } else { number };
                assert_eq!((meta.topic.as_str(), meta.partition, meta.offset), (topic.as_str(), 0, offset));
                assert_eq!(meta.timestamp, NOVEMBER + number);
            }
            for (number, record) in (0..).zip(all(&stand.client, &topic, 50).await) {
                assert_eq!((record.offset, record.timestamp), (number, NOVEMBER + number), "{topic}");
                assert_eq!(record.key.as_deref(), Some(format!("k{number}").as_bytes()));
                assert_eq!(record.value.as_ref().map(|value| value.len()), (number != 3).then_some(200));
                let headers: Vec<_> =
                    record.headers.iter().map(|header| (&header.key[..], header.value.as_deref())).collect();
                assert_eq!(headers, [(&b"h"[..], Some(&b"1"[..])), (b"h", Some(b"\xff")), (b"n", None)]);
                assert_eq!(record.compression, codec);
            }
            producer.close().await;
        }
    }
    stand.assert_content();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_lingers_until_its_time_or_a_flush() {
    let stand = Stand::with_topic("t", 1).await;
    let linger = Duration::from_millis(300);
    let producer = stand.client.producer().linger(linger).build();
    let begun = Instant::now();
    within("a lingering record", producer.send(Record::new("t").value("a"))).await.expect("is written");
    assert!(begun.elapsed() >= linger, "it was sent after {:?}", begun.elapsed());
    let producer = stand.client.producer().linger(LONG).build();
    let deliveries = [
        producer.enqueue(Record::new("t").value("b")).await.expect("there is room"),
        producer.enqueue(Record::new("t").value("c")).await.expect("there is room"),
    ];
    assert_eq!(ends(&stand.client, "t", 1).await, [1], "they linger");
    within("a flush", producer.flush()).await;
    assert_eq!(ends(&stand.client, "t", 1).await, [3]);
    for (offset, delivery) in (1..).zip(deliveries) {
        assert_eq!(within("a delivery", delivery).await.expect("is written").offset, offset);
    }
    within("a flush of nothing", producer.flush()).await;
    stand.assert_content();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_bounded_and_makes_the_sender_wait() {
    let stand = Stand::with_topic("t", 1).await;
    let builder = stand.client.producer().linger(LONG).compression(Compression::None);
    let builder = builder.batch_bytes(16 << 10).max_buffered_bytes(64 << 10);
    let producer = builder.max_block(Duration::from_millis(300)).delivery_timeout(LONG).build();
    let record = || Record::new("t").value("v".repeat(1000));
    // Looks the topic up and gets the producer its identity, so that nothing but the broker's silence is met below.
    let first = producer.enqueue(record()).await.expect("there is room");
    producer.flush().await;
    within("the first", first).await.expect("is written");
    signal(&stand.process, "-STOP");
    let mut deliveries: Vec<Delivery> = Vec::new();
    let refused = loop {
        match producer.try_enqueue(record()) {
            Ok(delivery) => deliveries.push(delivery),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, TryEnqueue::Full(back) if *back == record()), "the record comes back");
    assert!((50..=65).contains(&deliveries.len()), "{} records of about 1000 bytes in 64 KiB", deliveries.len());
    let error = producer.enqueue(record()).await.expect_err("no room while the broker is silent");
    assert_eq!(error.kind(), Kind::TimedOut);
    assert!(error.to_string().contains("no room"), "{error}");
    signal(&stand.process, "-CONT");
    let count = deliveries.len() + 1;
    for delivery in deliveries {
        within("a delivery", delivery).await.expect("is written");
    }
    // Lingering is over where somebody waits for room.
    for _ in 0..200 {
        let delivery = within("room", producer.enqueue(record())).await.expect("room comes without a flush");
        drop(delivery);
    }
    within("the end", producer.close()).await;
    assert_eq!(ends(&stand.client, "t", 1).await, [i64::try_from(count + 200).expect("small")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_over_a_limit_fails_alone_and_says_why() {
    let stand = Stand::new().await;
    stand.create(NewTopic::new("t").partitions(2).config("max.message.bytes", "2000")).await;
    let producer = stand.client.producer().compression(Compression::None).max_request_bytes(100_000).build();
    let record = |partition, bytes| Record::new("t").partition(partition).value("v".repeat(bytes));
    let error = producer.send(record(0, 200_000)).await.expect_err("over max.request.size");
    assert_eq!((error.kind(), error.possibly_written()), (Kind::Config, false));
    assert!(error.to_string().contains("max.request.size allows 100000"), "{error}");
    let error = producer.send(record(0, 5000)).await.expect_err("over max.message.bytes");
    assert_eq!((error.code(), error.possibly_written()), (Some(ErrorCode::MessageTooLarge), false));
    assert!(error.to_string().contains("t-0"), "{error}");
    for partition in [0, 1, 0] {
        within("what comes after", producer.send(record(partition, 10))).await.expect("is written");
    }
    assert_eq!(ends(&stand.client, "t", 2).await, [2, 1]);
    let error = producer.send(record(2, 10)).await.expect_err("no such partition");
    assert!(error.to_string().contains("there is no partition 2"), "{error}");
    let error = producer.send(Record::new("")).await.expect_err("no topic");
    assert_eq!(error.kind(), Kind::Config);
    stand.assert_content();
}

/// A topic may allow less than a batch has: the batch is halved until it fits, and only what is too large alone fails.
#[tokio::test(flavor = "multi_thread")]
async fn batches_that_a_topic_does_not_allow_are_halved() {
    let stand = Stand::new().await;
    stand.create(NewTopic::new("t").partitions(1).config("max.message.bytes", "3000")).await;
    let builder = stand.client.producer().compression(Compression::None).linger(LONG).batch_bytes(60_000);
    let producer = builder.build();
    let mut deliveries = Vec::new();
    for number in 0..1000 {
        let size = if number == 500 { 5000 } else { 100 };
        let record = Record::new("t").value(format!("{number:03}{}", "v".repeat(size)));
        deliveries.push(producer.enqueue(record).await.expect("there is room"));
    }
    within("a flush", producer.flush()).await;
    for (number, delivery) in deliveries.into_iter().enumerate() {
        match within("a delivery", delivery).await {
            Ok(_) => assert_ne!(number, 500),
            Err(error) => assert_eq!((number, error.code()), (500, Some(ErrorCode::MessageTooLarge)), "{error}"),
        }
    }
    let found = texts(&all(&stand.client, "t", 999).await);
    let numbers: Vec<usize> = found.iter().map(|text| text[..3].parse().expect("a number")).collect();
    assert_eq!(numbers, (0..1000).filter(|number| *number != 500).collect::<Vec<_>>());
    assert_eq!(ends(&stand.client, "t", 1).await, [999]);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_sends_what_is_left_and_ends_the_clones() {
    let stand = Stand::with_topic("t", 1).await;
    for acks in [Acks::All, Acks::None] {
        let producer = stand.client.producer().acks(acks).linger(LONG).build();
        let clone = producer.clone();
        let mut deliveries = Vec::new();
        for _ in 0..100 {
            deliveries.push(producer.enqueue(Record::new("t").value("v")).await.expect("there is room"));
        }
        within("closing", producer.close()).await;
        for delivery in deliveries {
            delivery.await.expect("was written before close returned");
        }
        let error = clone.send(Record::new("t")).await.expect_err("closed");
        assert_eq!(error.kind(), Kind::Closed);
    }
    // A producer that is dropped sends what it has as well.
    let producer = stand.client.producer().linger(LONG).build();
    let delivery = producer.enqueue(Record::new("t").value("last")).await.expect("there is room");
    drop(producer);
    within("the delivery", delivery).await.expect("is written");
    assert_eq!(texts(&all(&stand.client, "t", 201).await)[200], "last");
    stand.assert_content();
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_decide_the_partition_as_in_java() {
    let stand = Stand::with_topic("t", 7).await;
    let producer = stand.client.producer().build();
    for key in ["foobar", "21", "abc", "a-little-bit-long-string"] {
        let expected = highwater_client::producer::partitioner::of_key(key.as_bytes(), 7);
        let first = producer.send(Record::new("t").key(key)).await.expect("is written");
        let second = producer.send(Record::new("t").key(key)).await.expect("is written");
        assert_eq!((first.partition, second.partition), (expected, expected), "{key}");
        assert!(first.offset < second.offset);
    }
}

/// Records without a key stayed on the first partition for ever, because lingering batches were sent before they were full.
#[tokio::test(flavor = "multi_thread")]
async fn records_without_a_key_go_to_all_partitions() {
    let stand = Stand::with_topic("t", 3).await;
    let producer = stand.client.producer().batch_bytes(1000).linger(Duration::ZERO).build();
    for _ in 0..30 {
        producer.send(Record::new("t").value("v".repeat(100))).await.expect("is written");
    }
    assert_eq!(ends(&stand.client, "t", 3).await, [10, 10, 10]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_finds_new_partitions_and_brings_no_deleted_topic_back() {
    let stand = Stand::with_topic("t", 1).await;
    let other = Client::builder(stand.process.kafka().to_string()).connect().await.expect("connects");
    let producer = stand.client.producer().set("metadata.max.age.ms", "50").expect("known").build();
    producer.send(Record::new("t").value("a")).await.expect("is written");
    other.admin().create_partitions("t", 2, false).await.expect("grows");
    within("a record to the new partition", async {
        while let Err(error) = producer.send(Record::new("t").partition(1).value("b")).await {
            assert_eq!(error.kind(), Kind::Config, "{error}");
            tokio::task::yield_now().await;
        }
    })
    .await;
    other.admin().delete_topic("t").await.expect("is deleted");
    // The producer is to notice, which it shows by looking the topic up anew, and so creating it, for the next record only.
    within("the producer to notice", async {
        while producer.try_enqueue(Record::new("t").partition(1)).is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(other.admin().list_topics().await.expect("lists"), []);
    let meta = producer.send(Record::new("t").value("c")).await.expect("the record creates the topic");
    assert_eq!((meta.partition, meta.offset), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_begins_where_it_is_told() {
    let stand = Stand::with_topic("t", 3).await;
    let producer = stand.client.producer().build();
    for partition in 0..3 {
        send_numbers(&producer, "t", partition, 0..10).await;
    }
    let build = async |start| stand.client.consumer().assign("t", [1]).start_from(start).build().await.expect("builds");
    let first = async |start| text(&take(&mut build(start).await, 1).await[0]);
    assert_eq!(first(StartFrom::Earliest).await, "0");
    assert_eq!(first(StartFrom::Offset(7)).await, "7");
    assert_eq!(first(StartFrom::Timestamp(NOVEMBER + 4)).await, "4");
    assert_eq!(first(StartFrom::Timestamp(0)).await, "0");
    // A time later than every record is the end.
    let mut at_the_end = [build(StartFrom::Latest).await, build(StartFrom::Timestamp(NOVEMBER + 100)).await];
    producer.send(Record::new("t").partition(1).value("new").timestamp(NOVEMBER + 50)).await.expect("is written");
    for consumer in &mut at_the_end {
        assert_eq!(consumer.positions(), [("t".to_owned(), 1, 10)]);
        assert_eq!(texts(&take(consumer, 1).await), ["new"]);
        assert_eq!(consumer.positions(), [("t".to_owned(), 1, 11)]);
    }
    let consumer = stand.client.consumer().topic("t").start_from(StartFrom::Latest);
    let consumer = consumer.start_partition_from("t", 2, StartFrom::Offset(8));
    let mut consumer = consumer.start_partition_from("t", 0, StartFrom::Earliest).build().await.expect("builds");
    let mut found: Vec<(i32, i64)> =
        take(&mut consumer, 12).await.iter().map(|record| (record.partition, record.offset)).collect();
    found.sort_unstable();
    let expected: Vec<(i32, i64)> = (0..10).map(|offset| (0, offset)).chain([(2, 8), (2, 9)]).collect();
    assert_eq!(found, expected);
    assert!(consumer.lag().iter().all(|(_, _, lag)| *lag == 0), "{:?}", consumer.lag());
    let missing = stand.client.consumer().topic("nope").build().await.expect_err("no such topic");
    assert_eq!(missing.code(), Some(ErrorCode::UnknownTopicOrPartition));
    let missing = stand.client.consumer().assign("t", [9]).build().await.expect_err("no such partition");
    assert!(missing.to_string().contains("there is no partition 9"), "{missing}");
    stand.assert_content();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_moves_pauses_and_resumes() {
    let stand = Stand::with_topic("t", 2).await;
    let producer = stand.client.producer().build();
    for partition in 0..2 {
        send_numbers(&producer, "t", partition, 0..100).await;
    }
    let consumer = stand.client.consumer().topic("t").start_from(StartFrom::Earliest);
    let mut consumer = consumer.build().await.expect("builds");
    take(&mut consumer, 150).await;
    consumer.pause("t", 1).expect("is assigned");
    consumer.seek("t", 0, 95).expect("is assigned");
    let found = take(&mut consumer, 5).await;
    assert_eq!(texts(&found), ["95", "96", "97", "98", "99"]);
    assert!(found.iter().all(|record| record.partition == 0), "the other one is paused");
    assert_eq!(consumer.poll(10, Duration::from_millis(200)).await.expect("no error"), [], "nothing is left to read");
    consumer.seek("t", 1, 98).expect("is assigned");
    consumer.resume("t", 1).expect("is assigned");
    assert_eq!(texts(&take(&mut consumer, 2).await), ["98", "99"]);
    assert!(consumer.seek("t", 7, 0).is_err() && consumer.pause("other", 0).is_err());
    stand.assert_content();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_that_is_gone_is_told_and_left_behind() {
    let stand = Stand::with_topic("t", 1).await;
    send_numbers(&stand.client.producer().build(), "t", 0, 0..10).await;
    let consumer = stand.client.consumer().topic("t").start_from(StartFrom::Offset(2));
    stand.client.admin().delete_records("t", &[(0, 6)]).await.expect("trims");
    let mut consumer = consumer.build().await.expect("builds");
    let error = within("an error", consumer.next()).await.expect("an item").expect_err("2 is gone");
    assert_eq!(error.code(), Some(ErrorCode::OffsetOutOfRange));
    assert!(error.to_string().contains("offset 2 is not there; going on at 6"), "{error}");
    assert_eq!(texts(&take(&mut consumer, 4).await), ["6", "7", "8", "9"]);
    stand.assert_content();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_slow_holds_no_more_than_it_may() {
    let stand = Stand::with_topic("t", 1).await;
    let producer = stand.client.producer().compression(Compression::None).build();
    let mut deliveries = Vec::new();
    for number in 0..2000 {
        let record = Record::new("t").value(format!("{number:05}{}", "v".repeat(5000)));
        deliveries.push(producer.enqueue(record).await.expect("there is room"));
    }
    for delivery in deliveries {
        within("a delivery", delivery).await.expect("is written");
    }
    let consumer = stand.client.consumer().topic("t").start_from(StartFrom::Earliest);
    let consumer = consumer.set("queued.max.bytes", "100000").expect("known");
    let mut consumer =
        consumer.set("max.partition.fetch.bytes", "50000").expect("known").build().await.expect("builds");
    let found = take(&mut consumer, 2000).await;
    for (number, record) in found.iter().enumerate() {
        assert_eq!(text(record)[..5], format!("{number:05}"));
    }
    stand.assert_content();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_changes_topics_and_tells_of_them() {
    let stand = Stand::new().await;
    let admin = stand.client.admin();
    let topic = || NewTopic::new("t").partitions(2).replication(1).config("retention.ms", "60000");
    admin.create_topic(topic(), true).await.expect("could be created");
    assert_eq!(admin.list_topics().await.expect("lists"), []);
    admin.create_topic(topic(), false).await.expect("is created");
    let again = admin.create_topic(topic(), false).await.expect_err("exists");
    assert_eq!(again.code(), Some(ErrorCode::TopicAlreadyExists));
    let replicas = admin.create_topic(NewTopic::new("r").replication(3), false).await.expect_err("one node");
    assert_eq!(replicas.code(), Some(ErrorCode::InvalidReplicationFactor));
    let described = admin.describe_topic("t").await.expect("describes");
    assert_eq!((described.partitions.len(), described.partitions[1].leader, described.is_internal), (2, 1, false));
    assert!(!described.id.is_nil());

    let resource = ConfigResource::Topic("t".to_owned());
    let value = async |name: &str| {
        let keys = [name.to_owned()];
        let mut entries = admin.describe_configs(&resource, Some(&keys), true).await.expect("describes");
        assert_eq!(entries.len(), 1);
        entries.remove(0)
    };
    let entry = value("retention.ms").await;
    assert_eq!((entry.value.as_deref(), entry.source, entry.is_default), (Some("60000"), "topic", false));
    assert!(entry.documentation.is_some_and(|text| !text.is_empty()));
    let changes = [
        ConfigChange::Unset("retention.ms".to_owned()),
        ConfigChange::Set("segment.bytes".to_owned(), "1048576".to_owned()),
        ConfigChange::Append("cleanup.policy".to_owned(), "compact".to_owned()),
    ];
    admin.alter_configs(&resource, &changes, true).await.expect("could be changed");
    assert_eq!(value("retention.ms").await.source, "topic");
    admin.alter_configs(&resource, &changes, false).await.expect("is changed");
    assert!(value("retention.ms").await.is_default);
    assert_eq!(value("segment.bytes").await.value.as_deref(), Some("1048576"));
    assert_eq!(value("cleanup.policy").await.value.as_deref(), Some("delete,compact"));
    let wrong = [ConfigChange::Set("retention.ms".to_owned(), "x".to_owned())];
    let error = admin.alter_configs(&resource, &wrong, false).await.expect_err("no number");
    assert_eq!(error.code(), Some(ErrorCode::InvalidConfig));

    admin.create_partitions("t", 4, false).await.expect("grows");
    assert_eq!(admin.describe_topic("t").await.expect("describes").partitions.len(), 4);
    let error = admin.create_partitions("t", 3, false).await.expect_err("it does not shrink");
    assert_eq!(error.code(), Some(ErrorCode::InvalidPartitions));

    let producer = stand.client.producer().build();
    send_numbers(&producer, "t", 3, 0..10).await;
    assert_eq!(admin.delete_records("t", &[(3, 4), (0, -1)]).await.expect("trims"), [(0, 0), (3, 4)]);
    let error = admin.delete_records("t", &[(3, 11)]).await.expect_err("beyond the end");
    assert_eq!(error.code(), Some(ErrorCode::OffsetOutOfRange));
    let place = |start| ("t".to_owned(), 3, start);
    let wanted = [
        place(StartFrom::Latest),
        place(StartFrom::Earliest),
        place(StartFrom::Timestamp(NOVEMBER + 6)),
        place(StartFrom::Timestamp(NOVEMBER + 60)),
        place(StartFrom::Offset(1)),
    ];
    let listed = admin.list_offsets(&wanted).await.expect("lists the same partition more than once");
    assert_eq!(listed.iter().map(|one| one.offset).collect::<Vec<_>>(), [10, 4, 6, -1, 1]);
    assert_eq!(listed[2].timestamp, NOVEMBER + 6);

    let cluster = admin.describe_cluster().await.expect("describes");
    assert_eq!((cluster.controller, cluster.brokers.len()), (1, 1));
    assert_eq!(cluster.brokers[0].address(), stand.process.kafka().to_string());
    admin.delete_topic("t").await.expect("is deleted");
    for error in [admin.describe_topic("t").await.err(), admin.delete_topic("t").await.err()] {
        assert_eq!(error.expect("it is gone").code(), Some(ErrorCode::UnknownTopicOrPartition));
    }
    stand.assert_content();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_diagnosed() {
    let stand = Stand::new().await;
    let reached = stand.client.diagnose().await;
    assert_eq!(reached.len(), 1);
    assert!(reached[0].error.is_none() && reached[0].broker.address() == stand.process.kafka().to_string());
    let closed = std::net::TcpListener::bind(any_port()).expect("a port").local_addr().expect("an address");
    // One address that answers is enough.
    let both = format!("{closed},{}", stand.process.kafka());
    Client::builder(both).connect().await.expect("the second one answers");
    let error = Client::builder(format!("{closed}")).connect().await.expect_err("nobody is there");
    assert_eq!((error.kind(), error.is_retriable()), (Kind::Connect, true));
    assert!(error.to_string().contains(&format!("cannot connect to {closed}")), "{error}");
    // Something that takes connections and says nothing.
    let silent = std::net::TcpListener::bind(any_port()).expect("a port");
    let address = silent.local_addr().expect("an address").to_string();
    let error = Client::builder(&address).request_timeout(Duration::from_millis(300)).connect().await;
    let error = error.expect_err("nobody speaks");
    assert!(error.to_string().contains(&address) && error.to_string().contains("in time"), "{error}");
    // Something that speaks another protocol.
    let other = stand.process.http().to_string();
    let error = Client::builder(&other).connect().await.expect_err("HTTP is not Kafka");
    assert!(error.to_string().contains(&other), "{error}");
    let error = Client::builder("x:1").set("reqest.timeout.ms", "5").expect_err("a typing error");
    assert!(error.to_string().contains("did you mean request.timeout.ms?"), "{error}");
}

/// A broker is killed without warning, again and again, while an idempotent producer has batches on their way. What was
/// acknowledged is there, at the offset that was told; everything is there once, and in the order of sending.
#[tokio::test(flavor = "multi_thread")]
async fn killing_the_broker_neither_loses_nor_doubles_nor_reorders() {
    const PARTITIONS: i32 = 3;
    const RECORDS: i64 = 30_000;
    const KILLS: i64 = 4;
    let mut stand = Stand::with_topic("t", PARTITIONS).await;
    let builder = stand.client.producer().linger(Duration::from_millis(1)).batch_bytes(4 << 10);
    let producer = builder.max_buffered_bytes(256 << 10).build();
    let sender = tokio::spawn({
        let producer = producer.clone();
        async move {
            let mut deliveries = Vec::new();
            for number in 0..RECORDS {
                let partition = i32::try_from(number % i64::from(PARTITIONS)).expect("small");
                let record = Record::new("t").partition(partition).value(number.to_string());
                deliveries.push(producer.enqueue(record).await.expect("room comes once the broker is back"));
            }
            deliveries
        }
    });
    let mut killed = 0;
    for kill in 1..=KILLS {
        // So that each kill meets a producer at work. The bound on bytes keeps it from having sent all by then.
        let until = RECORDS / (KILLS + 1) * kill / i64::from(PARTITIONS);
        within("progress", async {
            while ends(&stand.client, "t", PARTITIONS).await[0] < until {
                tokio::task::yield_now().await;
            }
        })
        .await;
        killed += i64::from(!sender.is_finished());
        stand.kill_and_restart();
    }
    assert!(killed >= 2, "the producer was at work at {killed} of {KILLS} kills");
    let deliveries = within("sending", sender).await.expect("does not panic");
    let mut told = vec![Vec::new(); 3];
    for (number, delivery) in (0..).zip(deliveries) {
        let meta = within("a delivery", delivery).await.expect("is written in the end");
        told[usize::try_from(meta.partition).expect("small")].push((meta.offset, number.to_string()));
    }
    within("closing", producer.close()).await;
    let expected = RECORDS / i64::from(PARTITIONS);
    assert_eq!(ends(&stand.client, "t", PARTITIONS).await, [expected; 3], "nothing is lost, nothing is there twice");
    let mut found = vec![Vec::new(); 3];
    for record in all(&stand.client, "t", 30_000).await {
        found[usize::try_from(record.partition).expect("small")].push((record.offset, text(&record)));
    }
    for (told, found) in told.into_iter().zip(found) {
        for (told, found) in told.iter().zip(&found) {
            // A batch whose first answer was lost may be known as a duplicate only, without its offset.
            assert!(told.1 == found.1 && (told.0 == found.0 || told.0 == -1), "told {told:?}, found {found:?}");
        }
        assert_eq!(told.len(), found.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_goes_on_after_the_broker_was_killed() {
    let mut stand = Stand::with_topic("t", 1).await;
    let producer = stand.client.producer().build();
    let consumer = stand.client.consumer().topic("t").start_from(StartFrom::Earliest);
    let mut consumer = consumer.build().await.expect("builds");
    for round in 0..3 {
        send_numbers(&producer, "t", 0, round * 100..(round + 1) * 100).await;
        let found = texts(&take(&mut consumer, 100).await);
        assert_eq!(found, (round * 100..(round + 1) * 100).map(|number| number.to_string()).collect::<Vec<_>>());
        stand.kill_and_restart();
    }
    assert_eq!(consumer.positions(), [("t".to_owned(), 0, 300)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_nobody_takes_fails_in_time() {
    let mut stand = Stand::with_topic("t", 1).await;
    let producer = stand.client.producer().delivery_timeout(Duration::from_millis(500)).build();
    producer.send(Record::new("t").value("a")).await.expect("is written");
    stand.process.kill();
    let error = within("an error", producer.send(Record::new("t").value("b"))).await.expect_err("nobody is there");
    assert_eq!(error.kind(), Kind::TimedOut);
    assert!(error.to_string().contains("t-0") && error.to_string().contains("500ms"), "{error}");
    within("closing", producer.close()).await;
}
