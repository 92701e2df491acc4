//! The verbs of the command line, as processes against a broker: what they print, what they change, and how they exit.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use highwater_tests::process::{Process, Start, any_port, binary};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(60);
const OK: i32 = 0;
const ERROR: i32 = 1;
const USAGE: i32 = 2;
const NOT_FOUND: i32 = 3;
const TIMED_OUT: i32 = 124;
/// 2023-11-14, in milliseconds.
const NOVEMBER: i64 = 1_700_000_000_000;

/// How a verb ended.
struct Done {
    code: i32,
    out: Vec<u8>,
    said: String,
}

impl Done {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.out).expect("the output is text")
    }

    fn objects(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
    }
}

/// A broker, and the command line beside it.
struct Stand {
    _dir: tempfile::TempDir,
    process: Process,
}

impl Stand {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let process = Process::start(&Start { dir: dir.path(), settings: &[], kafka: any_port() });
        Self { _dir: dir, process }
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        spawn(arguments, &self.process.kafka().to_string())
    }

    fn run(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Done {
        finish(self.spawn(arguments), input.as_ref())
    }

    /// What a verb prints that must work.
    fn ok(&self, arguments: &[&str], input: impl AsRef<[u8]>) -> Done {
        let done = self.run(arguments, input);
        assert_eq!(done.code, OK, "{arguments:?} says {}", done.said);
        done
    }

    /// What a verb says that must fail.
    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let done = self.run(arguments, "");
        assert_eq!(done.code, code, "{arguments:?} says {}", done.said);
        assert_eq!(done.text(), "", "{arguments:?} keeps errors off the standard output");
        done.said
    }

    fn consumed(&self, arguments: &[&str]) -> String {
        let arguments = [&["consume", "-e"], arguments].concat();
        self.ok(&arguments, "").text().to_owned()
    }
}

fn spawn(arguments: &[&str], bootstrap: &str) -> Child {
    let mut command = Command::new(binary());
    command.args(arguments).env("HIGHWATER_BOOTSTRAP", bootstrap);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

/// Feeds a process and waits for its end.
fn finish(mut child: Child, input: &[u8]) -> Done {
    let (mut stdin, input) = (child.stdin.take().expect("piped"), input.to_vec());
    let writer = std::thread::spawn(move || {
        // A verb that reads nothing closes it early.
        let _closed = stdin.write_all(&input);
    });
    let (out, said) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let code = exit_code(&mut child);
    writer.join().expect("writes");
    let bytes = |pipe: mpsc::Receiver<Vec<u8>>| pipe.recv().expect("collected");
    Done { code, out: bytes(out), said: String::from_utf8(bytes(said)).expect("text") }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.expect("piped").read_to_end(&mut bytes).expect("reads");
        sender.send(bytes).expect("somebody waits");
    });
    receiver
}

fn exit_code(child: &mut Child) -> i32 {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(status) = child.try_wait().expect("waits") {
            return status.code().expect("it exits by itself");
        }
        if Instant::now() > deadline {
            child.kill().expect("kills");
            panic!("a verb did not end within {DEADLINE:?}");
        }
        std::thread::yield_now();
    }
}

/// The object without what differs between two topics.
fn bare(mut object: Value) -> Value {
    let map = object.as_object_mut().expect("an object");
    map.retain(|name, _| !matches!(name.as_str(), "topic" | "partition" | "offset"));
    object
}

fn config(object: &Value, name: &str) -> Option<Value> {
    let configs = object["configs"].as_array().expect("configs");
    configs.iter().find(|config| config["name"] == name).cloned()
}

#[test]
fn a_topic_is_created_listed_described_and_deleted() {
    let stand = Stand::new();
    let create = ["topic", "create", "orders", "other", "-p", "3", "-r", "1", "-c", "retention.ms=60000"];
    stand.ok(&[&create[..], &["--dry-run"]].concat(), "");
    assert_eq!(stand.ok(&["topics", "--json"], "").objects(), Vec::<Value>::new());
    stand.ok(&create, "");
    let said = stand.fails(ERROR, &create);
    assert!(said.contains("TOPIC_ALREADY_EXISTS") && said.contains("orders"), "{said}");
    stand.ok(&[&create[..], &["--if-not-exists"]].concat(), "");

    let listed = stand.ok(&["topic", "ls", "^ord", "--json"], "").objects();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(
        (&listed[0]["topic"], &listed[0]["partitions"], &listed[0]["replication_factor"]),
        (&json!("orders"), &json!(3), &json!(1))
    );
    assert_eq!(stand.ok(&["topics"], "").text().lines().count(), 3, "a head and two topics");

    stand.ok(&["produce", "orders", "-p", "1"], "a\nb\n");
    let described = stand.ok(&["topic", "get", "orders", "--json"], "").objects().remove(0);
    let partition = &described["partitions"][1];
    assert_eq!(
        (&partition["leader"], &partition["replicas"], &partition["isr"]),
        (&json!(1), &json!([1]), &json!([1]))
    );
    assert_eq!((&partition["log_start_offset"], &partition["end_offset"]), (&json!(0), &json!(2)));
    assert!(partition["leader_epoch"].as_i64().is_some_and(|epoch| epoch >= 0), "{partition}");
    let retention = config(&described, "retention.ms").expect("it was set");
    assert_eq!((&retention["value"], &retention["source"]), (&json!("60000"), &json!("topic")));
    assert_eq!(config(&described, "segment.bytes"), None, "nobody set it");
    let configs = stand.ok(&["topic", "describe", "orders", "-c", "--json"], "").objects().remove(0);
    assert_eq!(config(&configs, "segment.bytes").expect("asked for all")["source"], json!("default"));
    assert!(
        configs.get("partitions").is_none()
            && stand.ok(&["topic", "describe", "orders", "-p"], "").text().contains("LOG-START")
    );

    let said = stand.fails(USAGE, &["topic", "delete", "orders"]);
    assert!(said.contains("--yes"), "{said}");
    stand.ok(&["topic", "rm", "orders", "--yes"], "");
    let said = stand.fails(NOT_FOUND, &["topic", "describe", "orders"]);
    assert!(said.contains("orders"), "{said}");
    stand.fails(NOT_FOUND, &["topic", "delete", "orders", "--yes"]);
}

#[test]
fn a_topic_is_altered_and_grows() {
    let stand = Stand::new();
    stand.ok(&["topic", "create", "t", "-c", "retention.ms=60000", "-c", "cleanup.policy=delete"], "");
    let value = |name: &str| {
        let described = stand.ok(&["topic", "describe", "t", "-c", "--json"], "").objects().remove(0);
        let config = config(&described, name).expect("it is known");
        (config["value"].as_str().expect("text").to_owned(), config["source"].as_str().expect("text").to_owned())
    };
    let alter = |arguments: &[&str]| stand.ok(&[&["topic", "alter", "t"], arguments].concat(), "");
    let was = |value: &str, source: &str| (value.to_owned(), source.to_owned());
    alter(&["--dry-run", "--set", "retention.ms=5"]);
    assert_eq!(value("retention.ms"), was("60000", "topic"), "a dry run changes nothing");
    alter(&["--set", "segment.bytes=1048576", "--unset", "retention.ms", "--append", "cleanup.policy=compact"]);
    assert_eq!(value("segment.bytes"), was("1048576", "topic"));
    assert_eq!(value("retention.ms").1, "default");
    assert_eq!(value("cleanup.policy"), was("delete,compact", "topic"));
    alter(&["--subtract", "cleanup.policy=delete"]);
    assert_eq!(value("cleanup.policy"), was("compact", "topic"));
    let said = stand.fails(ERROR, &["topic", "alter", "t", "--set", "retention.ms=x"]);
    assert!(said.contains("INVALID_CONFIG") && said.contains("topic t"), "{said}");
    stand.fails(USAGE, &["topic", "alter", "t"]);
    stand.fails(USAGE, &["topic", "alter", "t", "--set", "retention.ms"]);

    stand.ok(&["topic", "add-partitions", "t", "-n", "2"], "");
    stand.ok(&["topic", "add-partitions", "t", "--to", "5"], "");
    assert_eq!(stand.ok(&["topics", "--json"], "").objects()[0]["partitions"], json!(5));
    stand.fails(ERROR, &["topic", "add-partitions", "t", "--to", "2"]);
    stand.fails(NOT_FOUND, &["topic", "add-partitions", "nope", "-n", "1"]);
}

#[test]
fn lines_with_a_key_and_headers_come_back_by_format_and_as_json() {
    let stand = Stand::new();
    stand.ok(&["topic", "create", "t", "-p", "2"], "");
    let produce = ["produce", "t", "-k", "k", "-H", "a:1", "-H", "b=", "-p", "1", "-z", "zstd"];
    let done = stand.ok(&produce, "one\n\nthree");
    assert_eq!((done.text(), done.said.as_str()), ("", "produced 3 records to t\n"));
    let objects = stand.ok(&["consume", "t", "-e"], "").objects();
    assert_eq!(objects.len(), 3);
    assert!(objects[0]["timestamp"].as_i64().is_some_and(|time| time > NOVEMBER), "{}", objects[0]);
    let headers = json!([{ "key": "a", "value": "1" }, { "key": "b", "value": "" }]);
    let expected = json!({ "topic": "t", "partition": 1, "offset": 2, "timestamp": objects[2]["timestamp"], "key": "k", "value": "three", "headers": headers });
    assert_eq!(objects[2], expected);
    assert_eq!(
        stand.consumed(&["t", "-f", "%t/%p/%o %k=%s %h{%k:%v,}%a{compression}\\n", "-n", "1"]),
        "t/1/0 k=one a:1,b:,zstd\n"
    );
    assert_eq!(stand.consumed(&["t", "--output", "lines"]), "one\n\nthree\n");
    assert_eq!(stand.consumed(&["t", "--output", "raw"]), "onethree");
    assert_eq!(stand.consumed(&["t", "-p", "0"]), "");
    assert_eq!(stand.ok(&["produce", "t", "--quiet", "--acks", "1"], "x\n").said, "");
}

#[test]
fn ranges_begin_and_end_where_they_say() {
    let stand = Stand::new();
    stand.ok(&["topic", "create", "t"], "");
    let mut input = String::new();
    for number in 0..10i64 {
        input += &format!("{}\n", json!({ "value": number.to_string(), "timestamp": NOVEMBER + number * 1000 }));
    }
    stand.ok(&["produce", "t", "--input", "json"], &input);
    let check = |arguments: &[&str], expected: &str| {
        let arguments = [&["t", "-f", "%v"], arguments].concat();
        assert_eq!(stand.consumed(&arguments), expected, "{arguments:?}");
    };
    check(&[], "0123456789");
    check(&["-o", "beginning"], "0123456789");
    check(&["-o", "end"], "");
    check(&["-o", "7"], "789");
    check(&["-o", "+8"], "89");
    check(&["-o", "-3"], "789");
    check(&["-o", "2:5"], "234");
    check(&["-o", ":2"], "01");
    check(&["-o", "-3:end"], "789");
    check(&["-o", "-3", "-n", "2"], "78");
    check(&["-o", &format!("@{}", NOVEMBER + 7500)], "89");
    check(&["-o", &format!("@{NOVEMBER}:3s")], "012");
    check(&["-o", &format!("s@{}", NOVEMBER + 9000)], "9");
    check(&["-o", "@-1h"], "");
    let end = ["consume", "t", "-o", "8:10", "-f", "%v"];
    assert_eq!(stand.ok(&end, "").text(), "89", "a range with an end needs no -e");
    let said = stand.fails(USAGE, &["consume", "t", "-o", "soon"]);
    assert!(said.contains("soon") && said.contains("write"), "{said}");
    let placed = stand.ok(&["topic", "offsets", "t", "--at", &format!("@{}", NOVEMBER + 3500), "--json"], "").objects();
    assert_eq!(placed, [json!({ "topic": "t", "partition": 0, "log_start_offset": 0, "end_offset": 10, "offset": 4 })]);
}

#[test]
fn what_is_consumed_as_json_is_produced_again_without_loss() {
    let stand = Stand::new();
    stand.ok(&["topic", "create", "a", "b", "c", "-p", "2"], "");
    let records = [
        json!({ "timestamp": NOVEMBER, "key": "k", "value": "ü\n", "headers": [{ "key": "h", "value": "1" }, { "key": "h", "value": null }] }),
        json!({ "timestamp": NOVEMBER + 1, "key": null, "value": null, "headers": [] }),
        json!({ "timestamp": NOVEMBER + 2, "key_base64": "/w==", "value_base64": "AP8=", "headers": [{ "key_base64": "/w==", "value_base64": "/w==" }] }),
        json!({ "timestamp": NOVEMBER + 3, "key": "", "value": "", "headers": [] }),
    ];
    let input: String = records.iter().map(|record| format!("{record}\n")).collect();
    stand.ok(&["produce", "a", "--input", "json", "-p", "1"], &input);
    let first = stand.consumed(&["a"]);
    let objects: Vec<Value> = first.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
    assert!(objects.iter().all(|object| object["partition"] == 1), "{first}");
    assert_eq!(objects.into_iter().map(bare).collect::<Vec<_>>(), records);
    stand.ok(&["produce", "b", "--input", "json"], &first);
    assert_eq!(stand.consumed(&["b"]), first.replace("\"topic\":\"a\"", "\"topic\":\"b\""), "partitions are kept too");

    let format = "%p %d %K %V %H %k%v%h{%K %V %k%v}\\n";
    let third = stand.ok(&["consume", "b", "-e", "-f", format], "");
    stand.ok(&["produce", "c", "-f", format], &third.out);
    assert_eq!(stand.consumed(&["c"]), first.replace("\"topic\":\"a\"", "\"topic\":\"c\""), "by format as well");
    stand.ok(&["produce", "-", "--input", "json", "-p", "-1"], stand.consumed(&["a", "-n", "1"]));
    assert_eq!(stand.consumed(&["a"]).lines().count(), 5, "- is the topic that a record names");
}

#[test]
fn files_are_read_by_format_and_as_they_are() {
    let stand = Stand::new();
    stand.ok(&["topic", "create", "t"], "");
    let dir = tempfile::tempdir().expect("a directory");
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    std::fs::write(&one, "k1:v1\nk2:v:2\n").expect("writes");
    std::fs::write(&two, ":v3\n").expect("writes");
    let (one, two) = (one.to_str().expect("text"), two.to_str().expect("text"));
    stand.ok(&["produce", "t", "-f", "%k:%v\\n", one, two], "not this");
    stand.ok(&["produce", "t", "--input", "raw", one], "");
    stand.ok(&["produce", "t", "-Z", "-k", "gone"], "\n");
    let json = stand.consumed(&["t", "-f", "%k{json}%v{json}\\n"]);
    assert_eq!(json, "\"k1\"\"v1\"\n\"k2\"\"v:2\"\nnull\"v3\"\nnull\"k1:v1\\nk2:v:2\\n\"\n\"gone\"null\n");
    let said = stand.fails(NOT_FOUND, &["produce", "t", "no-such-file"]);
    assert!(said.contains("no-such-file"), "{said}");
    let done = stand.run(&["produce", "t", "--input", "json"], "{\"value\":\"good\"}\n{\"vlaue\":\"bad\"}\n");
    assert_eq!(done.code, ERROR);
    assert!(done.said.contains("record 2 of stdin") && done.said.contains("vlaue"), "{}", done.said);
    assert_eq!(stand.consumed(&["t", "-o", "-1", "-f", "%v"]), "good", "what came before is sent");
}

#[test]
fn a_record_that_fails_is_named() {
    let stand = Stand::new();
    stand.ok(&["topic", "create", "t", "-p", "2", "-c", "max.message.bytes=1000"], "");
    let large = "x".repeat(5000);
    let input = [(0, "a"), (1, large.as_str()), (0, "b")]
        .map(|(partition, value)| format!("{}\n", json!({ "partition": partition, "value": value })))
        .concat();
    let done = stand.run(&["produce", "t", "--input", "json", "-z", "none"], &input);
    assert_eq!(done.code, ERROR, "{}", done.said);
    assert!(done.said.contains("record 2 of stdin") && done.said.contains("MESSAGE_TOO_LARGE"), "{}", done.said);
    assert!(done.said.contains("produced 2 records") && done.said.contains("1 records failed"), "{}", done.said);
    let done = stand.run(&["produce", "t", "-p", "7"], "a\n");
    assert_eq!(done.code, ERROR);
    assert!(done.said.contains("record 1 of stdin") && done.said.contains("there is no partition 7"), "{}", done.said);
}

#[test]
fn trimming_moves_the_start_and_asks_first() {
    let stand = Stand::new();
    stand.ok(&["topic", "create", "t", "-p", "2"], "");
    for partition in ["0", "1"] {
        stand.ok(&["produce", "t", "-p", partition], "0\n1\n2\n3\n4\n");
    }
    let starts = || -> Vec<(i64, i64)> {
        let listed = stand.ok(&["topic", "offsets", "t", "--json"], "").objects();
        let number = |one: &Value, name: &str| one[name].as_i64().expect("a number");
        listed.iter().map(|one| (number(one, "log_start_offset"), number(one, "end_offset"))).collect()
    };
    let said = stand.fails(USAGE, &["topic", "trim", "t", "--offset", "3"]);
    assert!(said.contains("--yes"), "{said}");
    assert_eq!(starts(), [(0, 5), (0, 5)]);
    let done = stand.ok(&["topic", "trim", "t", "-p", "1", "--offset", "3", "--yes", "--json"], "");
    assert_eq!(done.objects(), [json!({ "topic": "t", "partition": 1, "log_start_offset": 3 })]);
    assert_eq!(starts(), [(0, 5), (3, 5)]);
    assert_eq!(stand.consumed(&["t", "-p", "1", "-f", "%v", "-o", "0"]), "34");
    stand.ok(&["topic", "trim", "t", "--offset", "-1", "--yes"], "");
    assert_eq!(starts(), [(4, 5), (4, 5)]);
    stand.ok(&["topic", "trim", "t", "--offset", "@-1h", "-p", "0", "--yes"], "");
    assert_eq!(starts(), [(4, 5), (4, 5)], "all is younger than an hour");
    stand.ok(&["topic", "trim", "t", "--offset", "end", "--yes"], "");
    assert_eq!(starts(), [(5, 5), (5, 5)]);
    stand.fails(USAGE, &["topic", "trim", "t", "--offset", "1:2", "--yes"]);
    stand.fails(NOT_FOUND, &["topic", "trim", "nope", "--offset", "1", "--yes"]);
}

#[test]
fn exit_codes_and_messages_tell_what_is_wrong() {
    let stand = Stand::new();
    stand.ok(&["topic", "create", "t"], "");
    for verb in [
        &["consume", "nope"][..],
        &["produce", "nope"],
        &["topic", "offsets", "nope"],
        &["topic", "alter", "nope", "--set", "retention.ms=1"],
    ] {
        let said = stand.fails(NOT_FOUND, verb);
        assert!(said.contains("nope"), "{verb:?}: {said}");
    }
    for (verb, why) in [
        (&["consume", "t", "--bad"][..], "--bad"),
        (&["consume", "t", "-f", "%z"], "%z"),
        (&["produce", "t", "-f", "%k%v"], "no end"),
        (&["produce", "t", "-z", "rar"], "rar"),
        (&["consume", "t", "-X", "fetch.min.byte=1"], "did you mean fetch.min.bytes?"),
        (&["consume", "t", "-X", "fetch.min.bytes=x"], "fetch.min.bytes"),
        (&["consume", "t", "-p", "9", "-e"], "there is no partition 9"),
        (&["topic", "frobnicate"], "frobnicate"),
    ] {
        let said = stand.fails(USAGE, verb);
        assert!(said.contains(why), "{verb:?}: {said}");
    }
    let said = stand.fails(TIMED_OUT, &["consume", "t", "-n", "1", "--for", "200ms"]);
    assert!(said.contains("1 did not"), "{said}");
    assert_eq!(stand.ok(&["consume", "t", "--for", "200ms"], "").text(), "");
    stand.ok(&["cluster", "health"], "");
    let info = stand.ok(&["cluster", "info", "--json"], "").objects().remove(0);
    assert_eq!(info["brokers"][0]["port"], json!(stand.process.kafka().port()));
}

#[test]
fn a_bootstrap_that_cannot_be_reached_is_named() {
    let listener = std::net::TcpListener::bind(any_port()).expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    for verb in [&["topics"][..], &["consume", "t"], &["produce", "t"], &["cluster", "health"]] {
        let done = finish(spawn(verb, &address), b"");
        assert_eq!(done.code, ERROR, "{verb:?}");
        assert!(done.said.contains(&address) && done.said.contains("refused"), "{verb:?}: {}", done.said);
    }
    let done = finish(spawn(&["topics", "-b", " , "], &address), b"");
    assert_eq!(done.code, USAGE, "{}", done.said);
}

/// Kills what it holds, also where a test fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn an_advertised_address_that_cannot_be_reached_is_named() {
    let unused = || {
        let listener = std::net::TcpListener::bind(any_port()).expect("a port");
        listener.local_addr().expect("an address").to_string()
    };
    let (kafka, wrong) = (unused(), unused());
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path().to_str().expect("text");
    let serve = ["serve", "--json", "--dir", dir, "--kafka", &kafka, "--http", "127.0.0.1:0", "--advertise", &wrong];
    let mut broker = Killed(spawn(&serve, &kafka));
    let mut lines = BufReader::new(broker.0.stdout.take().expect("piped")).lines();
    lines.next().expect("it says that it is ready").expect("text");
    let done = finish(spawn(&["topics"], &kafka), b"");
    assert_eq!(done.code, ERROR, "{}", done.said);
    for part in [wrong.as_str(), "broker 1", "advertise"] {
        assert!(done.said.contains(part), "{part} is not in {}", done.said);
    }
}

#[test]
fn a_closed_pipe_ends_consume_quietly() {
    let stand = Stand::new();
    stand.ok(&["topic", "create", "t"], "");
    stand.ok(&["produce", "t"], "0123456789\n".repeat(50_000));
    let mut child = stand.spawn(&["consume", "t"]);
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    assert!(lines.next().expect("a line").expect("text").contains("0123456789"));
    drop(lines);
    assert_eq!(exit_code(&mut child), OK);
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    assert_eq!(said, "");
}

#[test]
fn consume_follows_what_is_produced_after_it_began() {
    let stand = Stand::new();
    stand.ok(&["topic", "create", "t"], "");
    stand.ok(&["produce", "t"], "old\n");
    let mut child = stand.spawn(&["consume", "t", "-o", "end", "-n", "1", "-f", "%v\\n"]);
    let deadline = Instant::now() + DEADLINE;
    // It says nothing when it has found the end, so there is something new for it again and again.
    while child.try_wait().expect("waits").is_none() {
        stand.ok(&["produce", "t"], "new\n");
        assert!(Instant::now() < deadline, "it ends with one record");
    }
    let done = finish(child, b"");
    assert_eq!((done.code, done.text()), (OK, "new\n"), "{}", done.said);
}

#[test]
fn records_that_nobody_acknowledges_arrive_all_the_same() {
    let stand = Stand::new();
    stand.ok(&["topic", "create", "t"], "");
    let done = stand.ok(&["produce", "t", "--acks", "0"], "x\n".repeat(20_000));
    assert!(done.said.contains("produced 20000 records"), "{}", done.said);
    // The broker may still be reading what it has in its socket.
    let count = ["consume", "t", "-n", "20000", "--for", "30s", "-f", "%v"];
    assert_eq!(stand.ok(&count, "").text().len(), 20_000);
    assert_eq!(stand.consumed(&["t", "-o", "20000"]), "", "none of them twice");
}

#[test]
fn the_benches_tell_what_they_measured() {
    let stand = Stand::new();
    let e2e = ["bench", "e2e", "--rate", "200/s", "--for", "1s", "--warmup", "500ms", "--json"];
    let report = stand.ok(&e2e, "").objects().remove(0);
    assert_eq!((&report["bench"], &report["records"]), (&json!("e2e"), &json!(200)), "{report}");
    let latency = |name: &str| report[name].as_f64().expect("a number");
    assert!(latency("latency_ms_p50") > 0.0 && latency("latency_ms_p99") <= latency("latency_ms_max"), "{report}");
    let produce = ["bench", "produce", "--for", "500ms", "--json"];
    assert!(stand.ok(&produce, "").objects()[0]["records"].as_u64().is_some_and(|count| count > 0));
    assert!(stand.ok(&["bench", "consume", "--once", "--json"], "").objects()[0]["bytes"].as_u64() > Some(0));
}

#[test]
fn completion_and_version_need_no_broker() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let done = finish(spawn(&["completion", shell], "127.0.0.1:1"), b"");
        assert_eq!(done.code, OK, "{}", done.said);
        for part in ["highwater", "add-partitions", "consume", "bootstrap"] {
            assert!(done.text().contains(part), "the script for {shell} has no {part}");
        }
    }
    let done = finish(spawn(&["version", "--json"], "127.0.0.1:1"), b"");
    assert_eq!(done.objects()[0]["version"], json!(env!("CARGO_PKG_VERSION")));
}

/// A group whose offsets are set before anybody was in it; then somebody joins, and neither reset nor deletion is let through.
#[test]
fn groups_are_listed_shown_reset_and_deleted() {
    use highwater_protocol::message::JoinGroupRequest;
    use highwater_protocol::message::join_group_request::JoinGroupRequestProtocol;
    let stand = Stand::new();
    stand.ok(&["topic", "create", "orders", "-p", "2"], "");
    stand.ok(&["produce", "orders", "-p", "0"], "a\nb\nc\n");
    stand.ok(&["produce", "orders", "-p", "1"], "d\n");
    assert_eq!(stand.ok(&["group", "list", "--json"], "").text(), "");

    let dry = stand.ok(&["group", "reset", "readers", "-t", "orders", "--to", "end", "--dry-run", "--json"], "");
    let planned: Vec<Value> = dry.objects().iter().map(|one| one["new_offset"].clone()).collect();
    assert_eq!(planned, [json!(3), json!(1)]);
    assert_eq!(stand.ok(&["group", "list", "--json"], "").text(), "", "a dry run sets nothing");
    stand.ok(&["group", "reset", "readers", "-t", "orders", "--to", "+1", "--yes"], "");
    let listed = stand.ok(&["group", "list", "--json", "--state", "empty"], "").objects();
    assert_eq!((&listed[0]["group"], &listed[0]["type"]), (&json!("readers"), &json!("classic")));
    let lag = |stand: &Stand| -> Vec<(i64, i64)> {
        let lines = stand.ok(&["group", "lag", "readers", "--json"], "").objects();
        lines.iter().map(|one| (one["offset"].as_i64().expect("a number"), one["lag"].as_i64().expect("one"))).collect()
    };
    assert_eq!(lag(&stand), [(1, 2), (1, 0)]);
    assert!(stand.ok(&["group", "lag", "readers"], "").text().ends_with("2 records behind\n"));

    let (_, page) = highwater_tests::http::get(stand.process.http(), "/metrics").expect("answers");
    let labels = "{consumergroup=\"readers\",topic=\"orders\",partition=\"0\"}";
    for (name, value) in [("kafka_consumergroup_current_offset", "1"), ("kafka_consumergroup_lag", "2")] {
        assert!(page.contains(&format!("{name}{labels} {value}\n")), "{name} in\n{page}");
    }
    let seconds = page.lines().find(|line| line.starts_with(&format!("highwater_consumergroup_lag_seconds{labels}")));
    let seconds: f64 = seconds.and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect("seconds");
    assert!(seconds > 0.0 && seconds < DEADLINE.as_secs_f64(), "{seconds} s");
    assert!(page.contains("kafka_consumergroup_lag_sum{consumergroup=\"readers\",topic=\"orders\"} 2\n"), "{page}");

    let mut member = highwater_tests::wire::Wire::connect(stand.process.kafka()).expect("connects");
    let protocol = JoinGroupRequestProtocol { name: "range".to_owned(), metadata: bytes::Bytes::from_static(b"m") };
    let join = JoinGroupRequest {
        group_id: "readers".to_owned(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 30_000,
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol],
        ..JoinGroupRequest::default()
    };
    member.call(&join, 3).expect("joins");
    let described = stand.ok(&["group", "describe", "readers", "--json"], "").objects().remove(0);
    assert_eq!(
        (&described["state"], &described["members"][0]["client"]),
        (&json!("CompletingRebalance"), &json!("test"))
    );
    let said = stand.fails(ERROR, &["group", "reset", "readers", "-t", "orders", "--to", "start", "--yes"]);
    assert!(said.contains("stop them first"), "{said}");
    let said = stand.fails(ERROR, &["group", "delete", "readers", "--yes"]);
    assert!(said.contains("stop them first"), "{said}");

    stand.fails(NOT_FOUND, &["group", "lag", "nobody"]);
    let said = stand.fails(NOT_FOUND, &["group", "describe", "nobody"]);
    assert!(said.contains("nobody"), "{said}");
    stand.ok(&["group", "reset", "others", "-t", "orders", "--to", "start", "--yes"], "");
    stand.ok(&["group", "delete", "others", "--yes"], "");
    assert_eq!(stand.ok(&["group", "list", "--json", "--state", "empty"], "").text(), "");
}
