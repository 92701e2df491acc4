//! What a disk is asked to do that a crash can interrupt.

use std::path::PathBuf;

/// The kinds of operations: writes, syncs, and changes of names and lengths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OperationKind {
    /// A file is created.
    Create,
    /// Bytes are written.
    Write,
    /// A file is cut or extended.
    SetLength,
    /// A file is made durable.
    Sync,
    /// A file or directory gets another name.
    Rename,
    /// A file is removed.
    Remove,
    /// A directory is created.
    CreateDir,
    /// A directory is removed.
    RemoveDir,
    /// The names of a directory are made durable.
    SyncDir,
}

/// One operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// What is done.
    pub kind: OperationKind,
    /// To what; of a rename the new name.
    pub path: PathBuf,
}
