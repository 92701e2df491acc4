//! The controller machine: topics, configurations, brokers, producer ids, feature levels.
//!
//! Its state is the [`Image`], which every broker reads. A request becomes at most one command that carries all its changes, so
//! it happens as a whole.

mod change;
mod configs;
pub mod image;
mod placement;
pub mod registration;
pub mod topics;

use std::sync::Arc;

use highwater_protocol::ids::{EntryId, Monotonic};
use highwater_protocol::message::{
    AlterConfigsRequest, AlterConfigsResponse, CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest,
    CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use prost::Message;
use uuid::Uuid;

use self::change::{Change, Command};
use self::image::Image;
use self::registration::Registration;
use crate::config::Settings;
use crate::machine::{Append, Corrupt, Entry, Leading, Machine, Outcome, Token, Until, Wait};

/// Producer ids that a broker gets at a time, as in Kafka.
pub const PRODUCER_ID_BLOCK: i64 = 1000;

/// What the controller is asked for.
pub enum Request {
    /// A broker is here.
    RegisterBroker(Registration),
    /// New topics. One new id for each comes along.
    CreateTopics {
        /// What is wanted.
        request: CreateTopicsRequest,
        /// Ids that were never used.
        ids: Vec<Uuid>,
        /// The settings that the process was started with.
        fixed: Arc<Settings>,
    },
    /// The topic of consumer groups, unless it is there.
    CreateOffsetsTopic {
        /// An id that was never used.
        id: Uuid,
        /// The settings that the process was started with.
        fixed: Arc<Settings>,
    },
    /// Topics go.
    DeleteTopics(DeleteTopicsRequest),
    /// Topics grow.
    CreatePartitions(CreatePartitionsRequest),
    /// Settings are replaced as a whole.
    AlterConfigs(AlterConfigsRequest),
    /// Settings are changed one by one.
    IncrementalAlterConfigs(IncrementalAlterConfigsRequest),
    /// A block of producer ids.
    AllocateProducerIds,
}

/// What it answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The broker is known.
    Registered,
    /// Topic by topic.
    CreateTopics(CreateTopicsResponse),
    /// Topic by topic.
    DeleteTopics(DeleteTopicsResponse),
    /// Topic by topic.
    CreatePartitions(CreatePartitionsResponse),
    /// Resource by resource.
    AlterConfigs(AlterConfigsResponse),
    /// Resource by resource.
    IncrementalAlterConfigs(IncrementalAlterConfigsResponse),
    /// The first of [`PRODUCER_ID_BLOCK`] ids.
    ProducerIds(i64),
}

/// The machine.
#[derive(Default)]
pub struct ControllerMachine {
    image: Arc<Image>,
}

impl Machine for ControllerMachine {
    type Request = Request;
    type Reply = Reply;
    type View = Arc<Image>;

    fn decide(&mut self, _: &Leading<'_>, request: Request, token: Token, out: &mut Outcome<Reply>) {
        let image = &self.image;
        let (changes, reply) = match request {
            Request::RegisterBroker(registration) => (registration::changes(image, &registration), Reply::Registered),
            Request::CreateTopics { request, ids, fixed } => topics::create(image, &request, &ids, &fixed),
            Request::CreateOffsetsTopic { id, fixed } => topics::create_offsets_topic(image, id, &fixed),
            Request::DeleteTopics(request) => topics::delete(image, &request),
            Request::CreatePartitions(request) => topics::grow(image, &request),
            Request::AlterConfigs(request) => configs::replace(image, &request),
            Request::IncrementalAlterConfigs(request) => configs::change(image, &request),
            Request::AllocateProducerIds => {
                let first = image.next_producer_id;
                (vec![Change::next_producer_id(first + PRODUCER_ID_BLOCK)], Reply::ProducerIds(first))
            }
        };
        if changes.is_empty() {
            out.replies.push((token, Until::Committed(Wait::Folded), reply));
        } else {
            out.append = Some(Append::Command(Command { changes }.encode_to_vec().into()));
            out.replies.push((token, Until::Committed(Wait::Own), reply));
        }
    }

    fn expire(&mut self, _: &Leading<'_>, _: &mut Outcome<Reply>) {}

    fn elected(&mut self, _: &Leading<'_>, _: &mut Outcome<Reply>) {}

    fn deposed(&mut self) {}

    fn deadline(&self) -> Option<Monotonic> {
        None
    }

    fn fold(&mut self, _: EntryId, entry: Entry<'_>) -> Option<Arc<Image>> {
        let Entry::Command(bytes) = entry else { return None };
        let command = Command::decode(bytes).expect("a command of ours, whose CRC was checked, decodes");
        let image = Arc::make_mut(&mut self.image);
        for change in command.changes {
            image.fold(change);
        }
        Some(self.view())
    }

    fn view(&self) -> Arc<Image> {
        Arc::clone(&self.image)
    }

    fn save(&self, out: &mut Vec<u8>) {
        Command { changes: self.image.as_changes() }.encode(out).expect("a vector takes any number of bytes");
    }

    fn load(bytes: &[u8]) -> Result<Self, Corrupt> {
        let command =
            Command::decode(bytes).map_err(|error| Corrupt { machine: "controller", reason: error.to_string() })?;
        let mut image = Image::default();
        for change in command.changes {
            image.fold(change);
        }
        Ok(Self { image: Arc::new(image) })
    }
}
