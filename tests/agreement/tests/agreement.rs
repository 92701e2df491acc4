//! Highwater answers as Apache Kafka 4.4 did when the transcript was taken.
//!
//! `AGREEMENT_KAFKA=host:port` takes a new transcript from that broker first, `REWRITE=1` writes docs/compatibility.md anew.

use std::net::SocketAddr;

use highwater_agreement::report::{Report, page_path};
use highwater_agreement::side::{Answer, CaseName, Side};
use highwater_agreement::{scenarios, transcript};
use highwater_tests::process::{Process, Start, any_port};

/// Fewer would mean that some were lost on the way.
const CASES: usize = 1_500;

#[test]
fn highwater_answers_as_kafka_does() {
    if let Ok(kafka) = std::env::var("AGREEMENT_KAFKA") {
        transcript::write(&asked(kafka.parse().expect("host:port")));
    }
    let dir = tempfile::tempdir().expect("a directory");
    // As the script starts Kafka: nobody waits for more members.
    let settings = &[("group.initial.rebalance.delay.ms", "0"), ("group.consumer.assignment.interval.ms", "0")];
    let process = Process::start(&Start { dir: dir.path(), settings, kafka: any_port() });
    let report = Report::new(&transcript::read(), &asked(process.kafka()));
    let page = report.page();
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(page_path(), &page).expect("writes");
    }
    assert!(report.open.is_empty(), "{} open differences:\n{}", report.open.len(), report.open.join("\n"));
    assert!(report.cases() >= CASES, "only {} cases", report.cases());
    let committed = std::fs::read_to_string(page_path()).unwrap_or_default();
    assert!(committed == page, "docs/compatibility.md is out of date: run with REWRITE=1");
}

fn asked(address: SocketAddr) -> Vec<(CaseName, Answer)> {
    let mut side = Side::new(address);
    scenarios::run(&mut side);
    side.answers
}
