//! Whether a process uses a data directory, without touching its lock: a lock taken only to look could refuse a node its start.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Who uses a data directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Usage {
    /// Nobody that this machine tells of.
    Free,
    /// A process of that id.
    By(u32),
    /// The kernel does not tell.
    Unknown,
}

/// Looks the directory's lock up in the kernel's list.
pub(super) fn usage(dir: &Path) -> Usage {
    let Ok(lock) = fs::metadata(dir.join("lock")) else { return Usage::Free };
    let Ok(locks) = fs::read_to_string("/proc/locks") else { return Usage::Unknown };
    let (major, minor) = (rustix::fs::major(lock.dev()), rustix::fs::minor(lock.dev()));
    let name = format!("{major:02x}:{minor:02x}:{}", lock.ino());
    match locks.lines().find_map(|line| holder(line, &name)) {
        Some(process) => Usage::By(process),
        None => Usage::Free,
    }
}

/// `1: FLOCK  ADVISORY  WRITE 4242 fe:00:131077 0 EOF`
fn holder(line: &str, name: &str) -> Option<u32> {
    let mut words = line.split_whitespace().skip(1);
    let (kind, process, file) = (words.next()?, words.nth(2)?, words.next()?);
    (kind == "FLOCK" && file == name).then(|| process.parse().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use highwater_storage::disk::os::DirectoryLock;

    use super::*;

    #[test]
    fn a_lock_that_is_held_is_seen_and_not_taken() {
        let dir = tempfile::tempdir().expect("a directory");
        assert_eq!(usage(dir.path()), Usage::Free);
        let lock = DirectoryLock::take(dir.path()).expect("takes");
        assert_eq!(usage(dir.path()), Usage::By(std::process::id()));
        drop(lock);
        assert_eq!(usage(dir.path()), Usage::Free);
    }

    #[test]
    fn a_line_of_another_file_or_kind_is_not_ours() {
        assert_eq!(holder("1: FLOCK  ADVISORY  WRITE 42 fe:00:7 0 EOF", "fe:00:7"), Some(42));
        assert_eq!(holder("1: POSIX  ADVISORY  WRITE 42 fe:00:7 0 EOF", "fe:00:7"), None);
        assert_eq!(holder("1: FLOCK  ADVISORY  WRITE 42 fe:00:8 0 EOF", "fe:00:7"), None);
        assert_eq!(holder("1: -> FLOCK", "fe:00:7"), None);
    }
}
