//! Names of topics: what the controller's log says of the folders that are named by topic id.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use highwater_core::controller::ControllerMachine;
use highwater_core::machine::{Entry, Machine};
use highwater_node::CONTROLLER;
use highwater_protocol::ids::Index;
use highwater_storage::disk::Disk;
use highwater_storage::entry::{Frame, FrameKind};
use highwater_storage::inspect::{self, Recovered, Replay};
use highwater_storage::log::Batches;
use uuid::Uuid;

/// Topics by their ids.
#[derive(Default)]
pub(super) struct Topics(BTreeMap<Uuid, String>);

impl Topics {
    /// Folds the controller's log of a data directory, as a start would. Where that cannot be done no name is known.
    pub(super) fn read(disk: &Arc<dyn Disk>, logs: &Path, replay: &Replay) -> Self {
        Self::folded(disk, logs, replay).unwrap_or_default()
    }

    fn folded(disk: &Arc<dyn Disk>, logs: &Path, replay: &Replay) -> Option<Self> {
        let dir = logs.join(format!("{CONTROLLER}-0"));
        let id = inspect::log_id(disk.as_ref(), &dir).ok()?;
        let replayed = replay.logs.get(&id)?;
        let Recovered { log, .. } = inspect::recovered(disk, &dir, id, replayed, replay.all_damaged).ok()?;
        let snapshot = log.load_snapshot(log.last().index).ok().flatten();
        let mut machine = match snapshot.as_ref().filter(|snapshot| !snapshot.machine.is_empty()) {
            Some(snapshot) => ControllerMachine::load(&snapshot.machine).ok()?,
            None => ControllerMachine::default(),
        };
        let from = snapshot.map_or(Index(0), |snapshot| snapshot.id.index).next();
        if from <= log.last().index {
            let scanned = log.scan(from, log.last().index, Batches::Headers, &mut |id, frame| {
                // A fold takes for granted that a command decodes.
                if let Frame::Own { kind: FrameKind::Command, payload, .. } = frame
                    && ControllerMachine::load(payload).is_ok()
                {
                    machine.fold(id, Entry::Command(payload));
                }
            });
            scanned.ok()?;
        }
        Some(Self(machine.view().topics().map(|topic| (topic.id, topic.name.clone())).collect()))
    }

    /// The topic and partition of a log's folder.
    pub(super) fn name(&self, folder: &str) -> Option<String> {
        let (id, partition) = folder.rsplit_once('-')?;
        let topic = self.0.get(&id.parse().ok()?)?;
        Some(format!("{topic}-{partition}"))
    }
}
