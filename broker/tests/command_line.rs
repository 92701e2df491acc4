//! The binary refuses what it cannot start with: each refusal names the thing, the value, and what to do.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn highwater(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_highwater"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

fn serve_in(dir: &Path, more: &[&str]) -> Command {
    let mut command = highwater(&["serve", "--json", "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0", "--dir"]);
    command.arg(dir).args(more);
    command
}

fn check_refused(mut command: Command, code: i32, words: &[&str]) {
    let Output { status, stdout, stderr } = command.output().expect("runs");
    let said = String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(code), "{said}");
    assert!(stdout.is_empty(), "standard output is for data");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in {said:?}");
    }
}

#[test]
fn an_unknown_setting_is_refused_with_the_one_meant() {
    let dir = tempfile::tempdir().expect("a directory");
    check_refused(
        serve_in(dir.path(), &["-D", "num.partition=3"]),
        1,
        &["num.partition", "did you mean num.partitions?"],
    );
    let mut by_environment = serve_in(dir.path(), &[]);
    by_environment.env("HIGHWATER_KAFKA__LOG_RETENTION_HOUR", "1");
    check_refused(by_environment, 1, &["log.retention.hour", "did you mean log.retention.hours?"]);
    let file = dir.path().join("highwater.toml");
    std::fs::write(&file, "[node]\ndri = \"/x\"\n").expect("writes");
    let file = file.to_str().expect("text");
    check_refused(serve_in(dir.path(), &["--config", file]), 1, &["node.dri", "did you mean node.dir?"]);
}

#[test]
fn a_bad_value_names_key_and_value() {
    let dir = tempfile::tempdir().expect("a directory");
    check_refused(serve_in(dir.path(), &["-D", "num.partitions=many"]), 1, &["num.partitions", "many"]);
    check_refused(serve_in(dir.path(), &["-D", "num.partitions"]), 1, &["num.partitions", "KEY=VALUE"]);
    check_refused(serve_in(dir.path(), &["--id", "x"]), 2, &["--id", "x"]);
    let mut elsewhere = highwater(&["serve", "--kafka", "nowhere", "--http", "127.0.0.1:0", "--dir"]);
    elsewhere.arg(dir.path());
    check_refused(elsewhere, 1, &["cannot listen on nowhere"]);
}

#[test]
fn a_directory_in_use_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut first = serve_in(dir.path(), &[]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
    let mut line = String::new();
    BufReader::new(first.stdout.take().expect("piped")).read_line(&mut line).expect("it becomes ready");
    assert!(line.contains("\"kafka\""), "{line}");
    check_refused(serve_in(dir.path(), &[]), 1, &[dir.path().to_str().expect("text"), "another process uses"]);
    first.kill().expect("kills");
    first.wait().expect("waits");
}
