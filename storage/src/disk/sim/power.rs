//! What a power cut may leave: every change that is not durable is a question, and the answers do not depend on each other.
//!
//! A change of names, a changed length and the growth of a file by a write are kept or lost. Of the writes to one sector of 512
//! bytes the first few are kept: a sector that shows a later write shows the earlier ones too, whatever its neighbours show.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Content, Node, Pending, World, put};

const SECTOR: usize = 512;

/// One thing that is not durable.
enum Question {
    /// Is that change of names kept?
    Name(usize),
    /// Is that change of a file's length kept?
    Length { file: u64, change: usize },
    /// Has the file grown by that write, whatever came of its bytes?
    Growth { file: u64, change: usize },
    /// How many of these writes has that sector seen?
    Sector { file: u64, sector: usize, writes: Vec<usize> },
}

impl Question {
    /// It can be answered by 0 (all is lost) up to this.
    fn most(&self) -> usize {
        match self {
            Self::Sector { writes, .. } => writes.len(),
            _ => 1,
        }
    }

    /// Which file it is about, 0 for names, and the number of the change that the answer `1` lets through.
    fn place(&self) -> (u64, usize) {
        match self {
            Self::Name(change) => (0, *change),
            Self::Length { file, change } | Self::Growth { file, change } => (*file, *change),
            Self::Sector { file, writes, .. } => (*file, writes.first().copied().unwrap_or_default()),
        }
    }
}

/// All that is not durable in a world.
pub(super) struct Questions<'a> {
    world: &'a World,
    questions: Vec<Question>,
}

impl<'a> Questions<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        let mut questions: Vec<Question> = (0..world.name_changes.len()).map(Question::Name).collect();
        for (file, content) in world.files.iter().filter(|(file, _)| world.may_be_named(**file)) {
            content.ask(*file, &mut questions);
        }
        Self { world, questions }
    }

    /// In how many ways they can be answered.
    pub(super) fn ways(&self) -> u64 {
        self.questions.iter().fold(1, |ways, question| ways.saturating_mul(question.most() as u64 + 1))
    }

    /// One of all ways, by its number.
    pub(super) fn nth(&self, number: u64) -> World {
        let mut left = number;
        let answers = self.questions.iter().map(|question| {
            let ways = question.most() as u64 + 1;
            let answer = left % ways;
            left /= ways;
            usize::try_from(answer).unwrap_or_default()
        });
        self.world.answered(&self.questions, &answers.collect::<Vec<_>>())
    }

    pub(super) fn nothing(&self) -> World {
        self.world.answered(&self.questions, &vec![0; self.questions.len()])
    }

    pub(super) fn everything(&self) -> World {
        let answers: Vec<usize> = self.questions.iter().map(Question::most).collect();
        self.world.answered(&self.questions, &answers)
    }

    /// Answers by chance. Where each piece is drawn for itself hardly anything is ever whole, so other ways to draw come first:
    /// whole files, what was done up to a moment, all but one piece or nothing but one.
    pub(super) fn drawn(&self, seed: u64) -> World {
        let mut chance = Chance(seed);
        let style = chance.below(5);
        let mut of_file = BTreeMap::new();
        let chosen = usize::try_from(chance.below(self.questions.len().max(1) as u64)).unwrap_or_default();
        let answers = self.questions.iter().enumerate().map(|(number, question)| {
            let most = question.most();
            let (file, change) = question.place();
            let all_or_nothing = |is_kept: bool| if is_kept { most } else { 0 };
            match style {
                0 => all_or_nothing(*of_file.entry(file).or_insert_with(|| chance.below(2)) == 0),
                1 => {
                    let changes = self.world.changes_of(file);
                    let until = *of_file.entry(file).or_insert_with(|| chance.below(changes + 1));
                    all_or_nothing((change as u64) < until)
                }
                2 => all_or_nothing(number != chosen),
                3 => all_or_nothing(number == chosen),
                _ => usize::try_from(chance.below(most as u64 + 1)).unwrap_or_default(),
            }
        });
        self.world.answered(&self.questions, &answers.collect::<Vec<_>>())
    }
}

impl World {
    /// Whether a file can have a name after a power cut.
    fn may_be_named(&self, file: u64) -> bool {
        let is_it = |node: &Node| *node == Node::File(file);
        self.durable_names.values().any(is_it)
            || self.name_changes.iter().filter_map(|change| change.creates()).any(is_it)
    }

    /// How many changes of a file, or of names where it is 0, are not durable.
    fn changes_of(&self, file: u64) -> u64 {
        match file {
            0 => self.name_changes.len() as u64,
            _ => self.files.get(&file).map_or(0, |content| content.pending.len() as u64),
        }
    }

    /// The world after a power cut that lets through what the answers say.
    fn answered(&self, questions: &[Question], answers: &[usize]) -> Self {
        let mut names = self.durable_names.clone();
        let mut of_files: BTreeMap<u64, Vec<(&Question, usize)>> = BTreeMap::new();
        for (question, answer) in questions.iter().zip(answers).filter(|(_, answer)| **answer > 0) {
            match question {
                Question::Name(change) => {
                    if let Some(change) = self.name_changes.get(*change) {
                        change.apply(&mut names);
                    }
                }
                other => of_files.entry(other.place().0).or_default().push((question, *answer)),
            }
        }
        remove_orphans(&mut names);
        let named: BTreeSet<u64> = names.values().filter_map(Node::file).collect();
        let mut files = BTreeMap::new();
        for (file, content) in self.files.iter().filter(|(file, _)| named.contains(file)) {
            let bytes = content.answered(of_files.get(file).map_or(&[][..], |answers| answers));
            files.insert(*file, Content { seen: Arc::clone(&bytes), durable: bytes, ..Content::default() });
        }
        Self {
            files,
            names: names.clone(),
            durable_names: names,
            next: self.next,
            power_cuts: self.power_cuts + 1,
            ..Self::default()
        }
    }
}

/// A name counts only where its directory is there.
fn remove_orphans(names: &mut BTreeMap<PathBuf, Node>) {
    let known = names.clone();
    let is_there = |path: &Path| path == Path::new("/") || known.get(path) == Some(&Node::Directory);
    names.retain(|path, _| path.ancestors().skip(1).all(is_there));
}

impl Content {
    /// What is not durable of a file.
    fn ask(&self, file: u64, questions: &mut Vec<Question>) {
        let mut length = self.durable.len();
        let mut sectors: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (change, pending) in self.pending.iter().enumerate() {
            match pending {
                Pending::Length(to) => {
                    length = *to;
                    questions.push(Question::Length { file, change });
                }
                Pending::Write(position, written) => {
                    let end = position + written.len();
                    if end > length {
                        length = end;
                        questions.push(Question::Growth { file, change });
                    }
                    for sector in position / SECTOR..end.div_ceil(SECTOR) {
                        sectors.entry(sector).or_default().push(change);
                    }
                }
            }
        }
        questions.extend(sectors.into_iter().map(|(sector, writes)| Question::Sector { file, sector, writes }));
    }

    /// The file's bytes where these answers hold, and nothing else is kept.
    fn answered(&self, answers: &[(&Question, usize)]) -> Arc<Vec<u8>> {
        if answers.is_empty() {
            return Arc::clone(&self.durable);
        }
        let mut kept: BTreeMap<usize, Vec<Option<usize>>> = BTreeMap::new();
        for (question, answer) in answers {
            match question {
                Question::Length { change, .. } | Question::Growth { change, .. } => {
                    kept.entry(*change).or_default().push(None);
                }
                Question::Sector { sector, writes, .. } => {
                    for change in writes.iter().take(*answer) {
                        kept.entry(*change).or_default().push(Some(*sector));
                    }
                }
                Question::Name(_) => {}
            }
        }
        let mut bytes = Vec::clone(&self.durable);
        for (change, pieces) in kept {
            match self.pending.get(change) {
                Some(Pending::Length(length)) => bytes.resize(*length, 0),
                Some(Pending::Write(position, written)) => {
                    pieces.iter().for_each(|piece| put_piece(&mut bytes, *position, written, *piece));
                }
                None => {}
            }
        }
        Arc::new(bytes)
    }
}

/// Puts the part of a write that lies in a sector; without one, only the length that the write leaves.
fn put_piece(bytes: &mut Vec<u8>, position: usize, written: &[u8], sector: Option<usize>) {
    let end = position + written.len();
    let Some(sector) = sector else {
        bytes.resize(bytes.len().max(end), 0);
        return;
    };
    let start = position.max(sector * SECTOR);
    let stop = end.min((sector + 1) * SECTOR);
    put(bytes, start, written.get(start - position..stop - position).unwrap_or_default());
}

/// A splitmix64 generator.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
