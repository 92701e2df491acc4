//! Reads a log below a bound, without its owner.

use std::sync::Arc;

use bytes::Bytes;
use highwater_protocol::ids::{LeaderEpoch, Offset, Timestamp};
use highwater_protocol::records::batch::{Batch, BatchHeader, verify_crc};
use highwater_protocol::records::outline::outlines;

use crate::disk::DiskFile;
use crate::entry::Frame;
use crate::error::StorageError;
use crate::log::Shared;
use crate::segment::{Cursor, Segment};

/// What a batch may inflate to when a timestamp is looked for inside it: as much as max.decompressed.message.bytes lets in. No
/// more than a block of it is held.
const INFLATED: usize = 2 << 30;

/// Reads one log.
#[derive(Clone)]
pub struct LogReader(Arc<Shared>);

/// Whole batches that lie behind each other in one segment.
pub struct Slice {
    segment: Arc<Segment>,
    file: Arc<dyn DiskFile>,
    /// The offset that the first of them begins at.
    first: Offset,
    /// Where they begin.
    pub position: u64,
    /// How many bytes.
    pub length: usize,
}

/// A record by its timestamp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timed {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp.
    pub timestamp: Timestamp,
    /// The term it was written in.
    pub epoch: LeaderEpoch,
}

impl LogReader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// The offset of the oldest record that is on disk, or of the next one where there is none.
    pub fn first_offset(&self) -> Offset {
        let state = self.0.state.read();
        state.segments.first().map_or(state.next_offset, |segment| segment.base_offset)
    }

    /// Whole batches from the one that holds `from` on, all of them below `below`, of one segment, and no more than
    /// `max_bytes`; but the first one whole if `at_least_one`. `None`: nothing there.
    pub fn read(
        &self,
        from: Offset,
        below: Offset,
        max_bytes: usize,
        at_least_one: bool,
    ) -> Result<Option<Slice>, StorageError> {
        if from >= below {
            return Ok(None);
        }
        let Some((segment, start, first_end)) = self.batch_at(from, below)? else { return Ok(None) };
        let limit = start.position.saturating_add(max_bytes as u64);
        if first_end > limit && !at_least_one {
            return Ok(None);
        }
        let end = last_end(&segment, start, first_end, limit, below)?;
        let length = usize::try_from(end - start.position).unwrap_or(usize::MAX);
        Ok(Some(Slice { file: segment.file()?, segment, first: start.offset, position: start.position, length }))
    }

    /// The first record at or behind a timestamp.
    pub fn find_timestamp(
        &self,
        at_or_after: Timestamp,
        from: Offset,
        below: Offset,
    ) -> Result<Option<Timed>, StorageError> {
        for segment in self.segments_from(from) {
            let (start, end) = {
                let known = segment.known.read();
                if known.newest_timestamp().is_none_or(|newest| newest < at_or_after) {
                    continue;
                }
                let row = segment.row_before(&known, |row| row.newest_before < at_or_after.0);
                (row.map_or(segment.start(), |row| row.cursor()), known.end)
            };
            let mut found = None;
            segment.walk(start, end, u64::MAX, &mut |at, _| {
                let Frame::Batch(batch, _) = at.frame else {
                    return Ok(true);
                };
                if batch.base_offset >= below.0 {
                    return Ok(false);
                }
                if batch.max_timestamp >= at_or_after.0 && batch.next_offset() > from {
                    found = first_in(&segment, at.position, &batch, at_or_after, from)?;
                }
                Ok(found.is_none())
            })?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The record with the highest timestamp, the first of them.
    pub fn max_timestamp(&self, from: Offset, below: Offset) -> Result<Option<Timed>, StorageError> {
        let mut newest = None;
        for segment in self.segments_from(from) {
            newest = newest.max(newest_in(&segment, from, below)?);
        }
        match newest {
            Some(newest) => self.find_timestamp(Timestamp(newest), from, below),
            None => Ok(None),
        }
    }

    /// The highest timestamp of the first batch from an offset on, if there is one.
    pub fn time_at(&self, from: Offset, below: Offset) -> Result<Option<Timestamp>, StorageError> {
        let Some((segment, start, end)) = self.batch_at(from, below)? else { return Ok(None) };
        let mut time = None;
        segment.walk(start, end, u64::MAX, &mut |found, _| {
            if let Frame::Batch(batch, _) = found.frame {
                time = Some(Timestamp(batch.max_timestamp));
            }
            Ok(false)
        })?;
        Ok(time)
    }

    /// The newest term up to `epoch`, and the offset at which the one behind it begins.
    pub fn epoch_end(&self, epoch: LeaderEpoch, end: Offset) -> Option<(LeaderEpoch, Offset)> {
        self.0.state.read().epochs.end_of(epoch, end)
    }

    /// The term of the record at an offset.
    pub fn epoch_of(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.0.state.read().epochs.at_offset(offset)
    }

    /// The bytes of its segments.
    pub fn bytes(&self) -> u64 {
        self.0.segments().iter().map(|segment| segment.bytes).sum()
    }

    /// The batch that holds `from`, or the first one behind it, if it begins below a bound: its segment, where it begins, and
    /// where it ends.
    fn batch_at(&self, from: Offset, below: Offset) -> Result<Option<(Arc<Segment>, Cursor, u64)>, StorageError> {
        let mut at = from;
        while at < below {
            let Some(segment) = self.segment_of(at) else { return Ok(None) };
            if let Some((start, end)) = first_batch(&segment, from)? {
                return Ok((start.offset < below).then_some((segment, start, end)));
            }
            // What is left of a segment may end in front of the offset: then the next one goes on.
            let behind = segment.known.read().next_offset;
            if behind <= at {
                return Ok(None);
            }
            at = behind;
        }
        Ok(None)
    }

    fn segment_of(&self, offset: Offset) -> Option<Arc<Segment>> {
        let state = self.0.state.read();
        let place = state.segments.partition_point(|segment| segment.base_offset <= offset).max(1) - 1;
        state.segments.get(place).cloned()
    }

    fn segments_from(&self, offset: Offset) -> Vec<Arc<Segment>> {
        let state = self.0.state.read();
        let place = state.segments.partition_point(|segment| segment.base_offset <= offset).max(1) - 1;
        state.segments.get(place..).unwrap_or_default().to_vec()
    }
}

impl Slice {
    /// The file that holds it.
    pub fn file(&self) -> &Arc<dyn DiskFile> {
        &self.file
    }

    /// Whether it can be sent as it is: this process wrote or checked it, and reading it waits for no device.
    pub fn is_trusted_and_resident(&self) -> bool {
        let end = self.position + self.length as u64;
        self.segment.known.read().is_trusted(self.position, end)
            && self.file.is_resident(self.position, self.length as u64)
    }

    /// Reads it; bytes that this process did not write are checked first. May wait for the device.
    pub fn read_verified(&self) -> Result<Bytes, StorageError> {
        let bytes = self.segment.read(self.position, self.length)?;
        let end = self.position + self.length as u64;
        if bytes.len() < self.length {
            return Err(StorageError::corrupt(&self.segment.path, self.position, "the segment ends inside a batch"));
        }
        if !self.segment.known.read().is_trusted(self.position, end) {
            self.verify(&bytes)?;
            self.segment.known.write().trust(self.position, end);
        }
        Ok(bytes)
    }

    /// Each batch by its CRC; what lies outside it by the batch in front, and by the terms of the segment.
    fn verify(&self, bytes: &Bytes) -> Result<(), StorageError> {
        let corrupt = |position, reason| StorageError::corrupt(&self.segment.path, position, reason);
        let mut left = bytes.clone();
        let mut expected = self.first;
        while !left.is_empty() {
            let position = self.position + (bytes.len() - left.len()) as u64;
            let checked = Batch::split_off(&mut left).and_then(|batch| verify_crc(&batch.bytes).map(|()| batch.header));
            let header = checked.map_err(|error| corrupt(position, error.to_string()))?;
            if Offset(header.base_offset) != expected {
                return Err(corrupt(position, format!("offset {} where {} follows", header.base_offset, expected.0)));
            }
            let epoch = self.segment.known.read().epochs.at_offset(expected);
            if epoch != Some(LeaderEpoch(header.leader_epoch)) {
                return Err(corrupt(position, format!("term {} where {epoch:?} was written", header.leader_epoch)));
            }
            expected = header.next_offset();
        }
        Ok(())
    }
}

/// The highest timestamp between two offsets.
fn newest_in(segment: &Segment, from: Offset, below: Offset) -> Result<Option<i64>, StorageError> {
    let (start, end, mut newest) = {
        let known = segment.known.read();
        let is_whole = segment.base_offset >= from;
        if is_whole && known.next_offset <= below {
            return Ok(known.newest);
        }
        let row = segment.row_before(&known, |row| row.offset <= if is_whole { below } else { from });
        let before = row.filter(|row| is_whole && row.newest_before != i64::MIN).map(|row| row.newest_before);
        (row.map_or(segment.start(), |row| row.cursor()), known.end, before)
    };
    segment.walk(start, end, u64::MAX, &mut |found, _| {
        if let Frame::Batch(batch, _) = found.frame {
            if batch.next_offset() > below {
                return Ok(false);
            }
            if batch.next_offset() > from {
                let is_whole = batch.base_offset >= from.0;
                let of_batch = if is_whole {
                    Some(batch.max_timestamp)
                } else {
                    newest_record(segment, found.position, &batch, from)?
                };
                newest = newest.max(of_batch);
            }
        }
        Ok(true)
    })?;
    Ok(newest)
}

/// The highest timestamp of the records of a batch at or behind an offset.
fn newest_record(
    segment: &Segment,
    position: u64,
    batch: &BatchHeader,
    from: Offset,
) -> Result<Option<i64>, StorageError> {
    if batch.is_log_append_time() {
        return Ok(Some(batch.max_timestamp));
    }
    let corrupt = |reason: String| StorageError::corrupt(&segment.path, position, reason);
    let mut bytes = segment.read(position, batch.total_bytes())?;
    let whole = Batch::split_off(&mut bytes).map_err(|error| corrupt(error.to_string()))?;
    verify_crc(&whole.bytes).map_err(|error| corrupt(error.to_string()))?;
    let mut newest = None;
    let read = outlines(&whole, INFLATED, |record| {
        if record.offset >= from.0 {
            newest = newest.max(Some(record.timestamp));
        }
        true
    });
    // The producer's bytes are not ours to judge: records that cannot be read count as the batch does.
    Ok(if read.is_ok() { newest } else { Some(batch.max_timestamp) })
}

/// Where the batch that holds `from` (or the first one behind it) begins, and where it ends.
fn first_batch(segment: &Segment, from: Offset) -> Result<Option<(Cursor, u64)>, StorageError> {
    let (start, end) = {
        let known = segment.known.read();
        let row = segment.row_before(&known, |row| row.offset <= from);
        (row.map_or(segment.start(), |row| row.cursor()), known.end)
    };
    let mut found = None;
    segment.walk(start, end, u64::MAX, &mut |at, _| {
        if let Frame::Batch(batch, _) = at.frame
            && batch.next_offset() > from
        {
            let offset = Offset(batch.base_offset);
            found = Some((Cursor { position: at.position, index: at.id.index, offset, term: at.id.term }, at.end()));
        }
        Ok(found.is_none())
    })?;
    Ok(found)
}

/// Where the last batch ends that still fits; the first one always does.
fn last_end(segment: &Segment, start: Cursor, first_end: u64, limit: u64, below: Offset) -> Result<u64, StorageError> {
    let (near, bound, segment_end) = {
        let known = segment.known.read();
        let own = known.own_from(start.position).map_or(known.end, |own| own.position);
        let bound = own.min(limit.max(first_end));
        // Frames in front of a row end at it: the last row inside the bounds is near the end that is looked for.
        let row = segment.row_before(&known, |row| row.position <= bound && row.offset <= below);
        (row.filter(|row| row.position >= first_end).map_or(start, |row| row.cursor()), bound, known.end)
    };
    let mut end = near.position.max(first_end);
    if near.position >= bound {
        return Ok(end);
    }
    segment.walk(near, segment_end, u64::MAX, &mut |at, _| {
        let fits = at.end() <= bound && matches!(at.frame, Frame::Batch(batch, _) if batch.next_offset() <= below);
        if fits {
            end = end.max(at.end());
        }
        Ok(fits)
    })?;
    Ok(end)
}

/// The first record of a batch at or behind a timestamp and an offset.
fn first_in(
    segment: &Segment,
    position: u64,
    batch: &BatchHeader,
    at_or_after: Timestamp,
    from: Offset,
) -> Result<Option<Timed>, StorageError> {
    let epoch = LeaderEpoch(batch.leader_epoch);
    if batch.is_log_append_time() {
        let offset = Offset(batch.base_offset.max(from.0));
        return Ok(Some(Timed { offset, timestamp: Timestamp(batch.max_timestamp), epoch }));
    }
    let corrupt = |reason: String| StorageError::corrupt(&segment.path, position, reason);
    let mut bytes = segment.read(position, batch.total_bytes())?;
    let whole = Batch::split_off(&mut bytes).map_err(|error| corrupt(error.to_string()))?;
    verify_crc(&whole.bytes).map_err(|error| corrupt(error.to_string()))?;
    let mut found = None;
    let read = outlines(&whole, INFLATED, |record| {
        if record.timestamp >= at_or_after.0 && record.offset >= from.0 {
            found = Some(Timed { offset: Offset(record.offset), timestamp: Timestamp(record.timestamp), epoch });
        }
        found.is_none()
    });
    // The producer's bytes are not ours to judge: records that cannot be read count as one.
    let offset = Offset(batch.base_offset.max(from.0));
    let unread = Timed { offset, timestamp: Timestamp(batch.max_timestamp), epoch };
    Ok(found.or_else(|| read.is_err().then_some(unread)))
}
