//! A broker as a process of its own: started on a directory, killed without warning, stopped with a signal.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a start may take before a test gives up on it.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// A running broker. Killed when dropped.
pub struct Process {
    child: Child,
    log: mpsc::Receiver<String>,
    kafka: SocketAddr,
    http: SocketAddr,
    ready_after: Duration,
}

/// How to start one.
pub struct Start<'a> {
    /// The data directory.
    pub dir: &'a Path,
    /// `-D` settings.
    pub settings: &'a [(&'a str, &'a str)],
    /// Where to listen; port 0 picks one.
    pub kafka: SocketAddr,
}

impl Process {
    /// Starts a broker and waits until it says that it is ready.
    pub fn start(start: &Start<'_>) -> Self {
        Self::start_under(&[], start)
    }

    /// Starts a broker by a command in front of it, and waits until it says that it is ready.
    pub fn start_under(wrapper: &[&str], start: &Start<'_>) -> Self {
        let begun = Instant::now();
        let mut child = spawn(wrapper, start);
        let stderr = child.stderr.take().expect("stderr is piped");
        let log = lines(stderr);
        let stdout = lines(child.stdout.take().expect("stdout is piped"));
        let Ok(line) = stdout.recv_timeout(START_DEADLINE) else {
            let said: Vec<String> = log.try_iter().collect();
            drop(child.kill());
            panic!("the broker did not become ready within {START_DEADLINE:?}; it said: {said:#?}");
        };
        let ready_after = begun.elapsed();
        let banner: serde_json::Value = serde_json::from_str(&line).expect("the ready line is JSON");
        let address = |key: &str| banner[key].as_str().and_then(|text| text.parse().ok()).expect("an address");
        Self { child, log, kafka: address("kafka"), http: address("http"), ready_after }
    }

    /// Starts a broker without waiting for it: to be killed while it recovers.
    pub fn start_to_be_killed(start: &Start<'_>, after: Duration) {
        Self::start_to_be_stopped(start, after, || {});
    }

    /// As [`Process::start_to_be_killed`], with something else that happens in front of the kill.
    pub fn start_to_be_stopped(start: &Start<'_>, after: Duration, stop: impl FnOnce()) {
        let mut child = spawn(&[], start);
        let deadline = Instant::now() + after;
        while Instant::now() < deadline && child.try_wait().expect("waits").is_none() {
            std::thread::yield_now();
        }
        stop();
        child.kill().expect("kills");
        child.wait().expect("waits");
    }

    /// Where it serves Kafka.
    pub fn kafka(&self) -> SocketAddr {
        self.kafka
    }

    /// Where it serves HTTP.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// From exec to ready.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory, in bytes.
    pub fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// How much more memory was resident at a time while something was done than before it, in bytes.
    pub fn growth_while(&self, act: impl FnOnce()) -> u64 {
        // Linux forgets the peak so far.
        std::fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").expect("it runs, and is ours");
        let before = self.resident();
        act();
        self.memory("VmHWM:").saturating_sub(before)
    }

    fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line of that name");
        let kib: u64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number");
        kib * 1024
    }

    /// What it logged so far and nobody read yet.
    pub fn log(&self) -> Vec<String> {
        self.log.try_iter().collect()
    }

    /// Waits until it logs a line that holds `text`.
    pub fn wait_for_log(&self, text: &str, within: Duration) -> Option<String> {
        let deadline = Instant::now() + within;
        while let Ok(line) = self.log.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            if line.contains(text) {
                return Some(line);
            }
        }
        None
    }

    /// SIGKILL: nothing is flushed, nothing is said.
    pub fn kill(&mut self) {
        self.child.kill().expect("kills");
        self.child.wait().expect("waits");
    }

    /// SIGTERM, and its exit status.
    pub fn stop(mut self) -> ExitStatus {
        let sent = Command::new("kill").arg(self.pid().to_string()).status().expect("kill runs");
        assert!(sent.success(), "the broker is there to be stopped");
        self.wait(START_DEADLINE).unwrap_or_else(|| panic!("the broker stops within {START_DEADLINE:?}"))
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self, within: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("waits") {
                return Some(status);
            }
            std::thread::yield_now();
        }
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, which is what a drop wants.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Port 0 of the loopback: the kernel picks one.
pub fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// The broker's binary, beside the test's own.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a path of this test");
    let target = test.ancestors().nth(2).expect("target/<profile>/deps/<test>");
    let binary = target.join("highwater");
    assert!(binary.exists(), "{} is not built: run `cargo build -p highwater` first", binary.display());
    binary
}

fn spawn(wrapper: &[&str], start: &Start<'_>) -> Child {
    let mut command = match wrapper {
        [] => Command::new(binary()),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(binary());
            command
        }
    };
    command.args(["serve", "--json", "--http", "127.0.0.1:0", "--kafka"]).arg(start.kafka.to_string());
    command.arg("--dir").arg(start.dir);
    for (key, value) in start.settings {
        command.arg("-D").arg(format!("{key}={value}"));
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
}

/// The lines of a pipe, read on a thread so that the process never blocks on it.
pub(crate) fn lines(pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let Ok(line) = line else { break };
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
