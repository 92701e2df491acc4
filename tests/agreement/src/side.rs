//! One of the two brokers, as a scenario sees it: requests that count, and requests that only prepare them.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::{BufMut, BytesMut};
use highwater_protocol::api::ApiKey;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::frame::{self, concatenated};
use highwater_protocol::message::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use highwater_protocol::message::{ApiVersionsRequest, CreateTopicsRequest, InitProducerIdRequest, Message, Request};
use highwater_protocol::wire::Reader;
use highwater_tests::calls;
use highwater_tests::wire::Wire;
use uuid::Uuid;

use crate::normal::{Normal, OWN};
use crate::value::Value;

/// A broker that says nothing for so long says nothing at all.
const SILENCE: Duration = Duration::from_secs(5);
/// How long what was asked for may take until it is seen everywhere.
const SETTLED: Duration = Duration::from_secs(20);

/// Between two looks whether it is.
const POLL: Duration = Duration::from_millis(20);

/// What a request comes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A response.
    Body(Value),
    /// The connection ended.
    Closed,
    /// No response, and the connection goes on.
    Nothing,
    /// No response in time.
    Silent,
    /// A response that does not decode.
    Garbled(String),
}

/// One request at one version.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CaseName {
    /// The key's number.
    pub key: i16,
    /// Scenario and case.
    pub name: String,
    /// The version.
    pub version: i16,
}

/// A topic that a scenario made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: Uuid,
    /// The leader epoch of its partitions.
    pub epoch: i32,
}

/// One broker.
pub struct Side {
    address: SocketAddr,
    wire: Option<Wire>,
    /// The version that the scenario is about.
    pub version: i16,
    key: ApiKey,
    scenario: &'static str,
    prefix: String,
    normal: Normal,
    made: Vec<String>,
    /// What was asked and answered.
    pub answers: Vec<(CaseName, Answer)>,
}

impl Side {
    /// A broker at an address.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            wire: None,
            version: 0,
            key: ApiKey::ApiVersions,
            scenario: "",
            prefix: String::new(),
            normal: Normal::new(OWN),
            made: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Begins a scenario in one version.
    pub fn begin(&mut self, key: ApiKey, scenario: &'static str, version: i16) {
        self.clean_up();
        (self.key, self.scenario, self.version) = (key, scenario, version);
        self.prefix = format!("{OWN}{}-{scenario}-v{version}-", key.number());
        self.normal = Normal::new(&self.prefix);
        self.wire = None;
    }

    /// Deletes what the scenario made.
    pub fn clean_up(&mut self) {
        let address = self.address;
        for name in std::mem::take(&mut self.made) {
            let mut wire = Wire::connect(address).expect("connects");
            // It may be gone: then that was the scenario.
            let _outcome = calls::delete_topic(&mut wire, &name).expect("answers");
        }
    }

    /// A name of this scenario's own.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A connection beside the scenario's own, for a second member.
    pub fn beside(&self) -> Wire {
        Wire::connect(self.address).expect("connects")
    }

    /// Notes a topic that a case makes, to be deleted at the end.
    pub fn will_make(&mut self, name: &str) -> String {
        let name = self.name(name);
        self.made.push(name.clone());
        name
    }

    /// A request that counts. One that the version cannot carry is no case.
    pub fn case<R: Request>(&mut self, name: &str, request: &R) -> Option<R::Response> {
        let Ok(chunks) = frame::request(7, "agreement", request, self.version) else { return None };
        let frame = concatenated(&chunks);
        let (answer, response) = self.exchange::<R>(&frame);
        self.note(name, answer);
        response
    }

    /// A request of which the broker says nothing: a second one tells whether the connection goes on.
    pub fn unanswered<R: Request>(&mut self, name: &str, request: &R) {
        let Ok(chunks) = frame::request(7, "agreement", request, self.version) else { return };
        let probe = frame::request(8, "agreement", &ApiVersionsRequest::default(), 0).expect("encodes");
        let bytes = [concatenated(&chunks), concatenated(&probe)].concat();
        let answer = match self.received(&bytes) {
            Ok(frame) if frame.starts_with(&8i32.to_be_bytes()) => Answer::Nothing,
            Ok(_) => Answer::Garbled("answered".to_owned()),
            Err(answer) => answer,
        };
        self.note(name, answer);
    }

    /// A request whose body is not one, or whose version nobody knows.
    pub fn raw<R: Request>(&mut self, name: &str, body: &[u8]) {
        let frame = raw_frame(R::KEY.number(), self.version, R::KEY.is_flexible(self.version), body);
        let (answer, _) = self.exchange::<R>(&frame);
        self.note(name, answer);
    }

    /// Bytes as they are, answered in a version that the caller knows.
    pub fn bytes<R: Request>(&mut self, name: &str, frame: &[u8], answer_version: i16) {
        let version = std::mem::replace(&mut self.version, answer_version);
        let (answer, _) = self.exchange::<R>(frame);
        self.version = version;
        self.note(name, answer);
    }

    /// A request that prepares others.
    pub fn setup<R: Request>(&mut self, request: &R, version: i16) -> R::Response {
        self.wire().call(request, version).unwrap_or_else(|error| panic!("{} to prepare: {error}", R::KEY.name()))
    }

    /// The connection of preparations and cases alike.
    pub fn wire(&mut self) -> &mut Wire {
        let address = self.address;
        self.wire.get_or_insert_with(|| {
            let mut wire = Wire::connect(address).expect("connects");
            wire.stream().set_read_timeout(Some(SILENCE)).expect("a timeout");
            wire
        })
    }

    /// A connection of its own for what comes.
    pub fn reconnect(&mut self) {
        self.wire = None;
    }

    /// Makes a topic and waits until it serves.
    pub fn make(&mut self, name: &str, partitions: i32, configs: &[(&str, &str)]) -> Made {
        let name = self.will_make(name);
        let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
            name: (*name).to_owned(),
            value: Some((*value).to_owned()),
        };
        let topic = CreatableTopic {
            name: name.clone(),
            num_partitions: partitions,
            replication_factor: 1,
            configs: configs.iter().map(config).collect(),
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 10_000, validate_only: false };
        let made = self.setup(&request, 7).topics.remove(0);
        assert_eq!(made.error_code, 0, "{name} is made: {:?}", made.error_message);
        self.normal.know_topic(made.topic_id, &name);
        let epoch = self.serving(&name, partitions);
        Made { name, id: made.topic_id, epoch }
    }

    /// Waits until all partitions serve that the last case asked for, if it was answered at all.
    pub fn served(&mut self, name: &str, partitions: i32) {
        if self.was_answered() {
            self.serving(name, partitions);
        }
    }

    /// Waits until all partitions of a topic serve. Returns their epoch.
    fn serving(&mut self, name: &str, partitions: i32) -> i32 {
        for partition in 0..partitions {
            self.until(&format!("{name}-{partition} serves"), |wire| {
                let end = calls::list_offset(wire, name, partition, -1).expect("answers");
                end.error_code == 0
            });
        }
        self.until(&format!("{name} is in Metadata"), |wire| {
            let topic = calls::metadata(wire, Some(&[name])).expect("answers").remove(0);
            topic.error_code == 0 && topic.partitions.iter().all(|partition| partition.leader_id == 1)
        });
        let epoch = calls::list_offset(self.wire(), name, 0, -1).expect("answers").leader_epoch;
        self.normal.know_epoch(epoch);
        epoch
    }

    /// Waits until a topic is unknown everywhere that the last case, or its preparation, deleted.
    pub fn gone(&mut self, name: &str) {
        if !self.was_answered() {
            return;
        }
        self.until(&format!("{name} is gone"), |wire| {
            let topic = calls::metadata(wire, Some(&[name])).expect("answers").remove(0);
            ErrorCode::from_number(topic.error_code) == ErrorCode::UnknownTopicOrPartition
        });
    }

    /// Whether the last case got a response: a broker that closes the connection instead did nothing.
    pub fn was_answered(&self) -> bool {
        self.answers.last().is_none_or(|(_, answer)| matches!(answer, Answer::Body(_)))
    }

    /// Waits for a condition.
    pub fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Wire) -> bool) {
        let deadline = Instant::now() + SETTLED;
        while !is_so(self.wire()) {
            assert!(Instant::now() < deadline, "{what} within {SETTLED:?}");
            // Asked without a pause, Kafka comes to little else.
            std::thread::park_timeout(POLL);
        }
    }

    /// Notes an id that the broker gave to a member.
    pub fn know_member(&mut self, id: &str) {
        self.normal.know_member(id);
    }

    /// A new producer id. Kafka has none yet while it fetches a block of them.
    pub fn producer(&mut self) -> i64 {
        let mut id = -1;
        self.until("a producer id", |wire| {
            let answer = wire.call(&InitProducerIdRequest { transactional_id: None, ..Default::default() }, 1);
            id = answer.expect("answers").producer_id;
            id >= 0
        });
        self.normal.know_producer(id);
        id
    }

    /// Whether an answer came, and in a shape that the version has.
    fn exchange<R: Request>(&mut self, frame: &[u8]) -> (Answer, Option<R::Response>) {
        self.normal.asks(frame);
        let answered = match self.received(frame) {
            Ok(answered) => answered,
            Err(answer) => return (answer, None),
        };
        let version = self.version;
        let mut reader = Reader::new(answered);
        let decoded = frame::response_header(&mut reader, R::KEY, version).and_then(|_| {
            let body = R::Response::decode(&mut reader, version)?;
            reader.finish()?;
            Ok(body)
        });
        match decoded {
            Ok(body) => (Answer::Body(self.normal.normal(Value::of(&body))), Some(body)),
            Err(error) => (Answer::Garbled(error.to_string()), None),
        }
    }

    fn received(&mut self, bytes: &[u8]) -> Result<BytesMut, Answer> {
        let wire = self.wire();
        let received = wire.send_bytes(bytes).and_then(|()| wire.receive_frame());
        received.map_err(|error| {
            self.wire = None;
            if is_silence(&error) { Answer::Silent } else { Answer::Closed }
        })
    }

    fn note(&mut self, case: &str, answer: Answer) {
        let name = format!("{}/{case}", self.scenario);
        let name = CaseName { key: self.key.number(), name, version: self.version };
        assert!(self.answers.iter().all(|(other, _)| *other != name), "two cases are called {name:?}");
        self.answers.push((name, answer));
    }
}

impl Answer {
    /// As the transcript has it.
    pub fn text(&self) -> String {
        match self {
            Self::Body(value) => value.text(2),
            Self::Closed => "closed".to_owned(),
            Self::Nothing => "nothing".to_owned(),
            Self::Silent => "silent".to_owned(),
            Self::Garbled(why) => format!("garbled {why}"),
        }
    }

    /// The inverse.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "closed" => Self::Closed,
            "nothing" => Self::Nothing,
            "silent" => Self::Silent,
            text => match text.strip_prefix("garbled ") {
                Some(why) => Self::Garbled(why.to_owned()),
                None => Self::Body(Value::parse(text)?),
            },
        })
    }
}

/// A request's frame around any body.
pub fn raw_frame(key: i16, version: i16, flexible: bool, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; frame::LENGTH_BYTES];
    frame.put_i16(key);
    frame.put_i16(version);
    frame.put_i32(7);
    frame.put_i16(1);
    frame.put_u8(b'a');
    if flexible {
        frame.put_u8(0);
    }
    frame.extend(body);
    let length = i32::try_from(frame.len() - frame::LENGTH_BYTES).expect("small").to_be_bytes();
    frame[..frame::LENGTH_BYTES].copy_from_slice(&length);
    frame
}

fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
