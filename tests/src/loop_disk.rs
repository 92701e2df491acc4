//! A disk that can lose power or fill up: ext4 on a file, mounted through a loop device.
//!
//! A cut is ext4's own shutdown without a flush of its log: from then on every call on the disk fails with EIO, and what was not
//! synced is gone with the next mount. Mounting needs root, or sudo that asks for no password.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Disks of all runs lie in folders of this name, with the process id that made them and a number.
const PREFIX: &str = "highwater-disk-";

/// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`, once a line comes in. Python, for no safe call of Rust's makes it.
const CUT: &str = "
import fcntl, os, struct, sys
disk = os.open(sys.argv[1], os.O_RDONLY)
print('ready', flush=True)
if sys.stdin.readline():
    fcntl.ioctl(disk, 0x8004587D, struct.pack('I', 2))
";

/// In front of a broker on such a disk: it ends when the test is killed, and lets go of the disk.
pub const ENDS_WITH_THE_TEST: &[&str] = &["setpriv", "--pdeathsig", "KILL"];

/// A disk of its own. Unmounted and removed when dropped.
pub struct LoopDisk {
    dir: PathBuf,
}

/// A cut that waits for its moment.
pub struct Cutter {
    waiting: Child,
}

impl LoopDisk {
    /// Makes and mounts a disk of so many bytes. Removes what killed runs have left.
    pub fn new(name: &str, bytes: u64) -> Self {
        remove_stale();
        let dir = std::env::temp_dir().join(format!("{PREFIX}{}-{name}", std::process::id()));
        fs::create_dir(&dir).unwrap_or_else(|error| panic!("cannot make {}: {error}", dir.display()));
        let disk = Self { dir };
        File::create(disk.image()).and_then(|image| image.set_len(bytes)).expect("an image of zeros");
        fs::create_dir(disk.path()).expect("a mount point");
        let owner = format!("root_owner={}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
        // Nothing is kept back for root: a full disk is full for everyone.
        run(Command::new("mkfs.ext4").args(["-q", "-m", "0", "-E", &owner]).arg(disk.image()));
        disk.mount();
        disk
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.dir.join("mounted")
    }

    /// A cut that happens at once when it is told to.
    pub fn cutter(&self) -> Cutter {
        let mut command = as_root("python3");
        command.args(["-c", CUT]).arg(self.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut waiting = command.spawn().unwrap_or_else(|error| panic!("python3 does not run: {error}"));
        let mut line = String::new();
        BufReader::new(waiting.stdout.as_mut().expect("piped")).read_line(&mut line).expect("reads");
        assert_eq!(line, "ready\n", "the cut is prepared");
        Cutter { waiting }
    }

    /// The power is back. Nothing may have a file of the disk open.
    pub fn mount_again(&self) {
        run(as_root("umount").arg(self.path()));
        self.mount();
    }

    /// Writes a file that leaves so many bytes free.
    pub fn fill(&self, name: &str, leaving: u64) {
        let free = rustix::fs::statvfs(self.path()).map(|found| found.f_bavail * found.f_frsize).expect("its space");
        let file = File::create(self.path().join(name)).expect("creates");
        let length = free.saturating_sub(leaving);
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, length).expect("allocates");
    }

    fn image(&self) -> PathBuf {
        self.dir.join("image")
    }

    fn mount(&self) {
        run(as_root("mount").args(["-t", "ext4", "-o", "loop"]).arg(self.image()).arg(self.path()));
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        remove(&self.dir);
    }
}

impl Cutter {
    /// Cuts the power.
    pub fn cut(mut self) {
        self.waiting.stdin.take().expect("piped").write_all(b"now\n").expect("it waits");
        let status = self.waiting.wait().expect("waits");
        assert!(status.success(), "the disk is shut down: {status}");
    }
}

/// What a run that was killed has left behind.
fn remove_stale() {
    for entry in fs::read_dir(std::env::temp_dir()).expect("lists").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            remove(&entry.path());
        }
    }
}

fn remove(dir: &Path) {
    let mounted = dir.join("mounted");
    let is_mounted =
        || fs::read_to_string("/proc/mounts").is_ok_and(|mounts| mounts.contains(&*mounted.to_string_lossy()));
    if is_mounted() {
        // Lazily: a failed test may still have a file open. The loop device goes with the last of them.
        drop(as_root("umount").arg("-l").arg(&mounted).status());
    }
    if !is_mounted() {
        drop(fs::remove_dir_all(dir));
    }
}

fn as_root(program: &str) -> Command {
    if rustix::process::getuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg("-n").arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not run: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed: {}; these tests need loop devices and root, or sudo without a password: run them as root",
        String::from_utf8_lossy(&output.stderr).trim()
    );
}
