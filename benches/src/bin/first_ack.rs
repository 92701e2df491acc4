//! From exec to the first acknowledged message: `first_ack HOST:PORT COMMAND...` starts the command, connects as soon as the
//! port listens, creates a topic, produces one record with `acks=all`, prints the milliseconds, and kills the command.

use std::net::SocketAddr;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::calls;
use highwater_tests::wire::Wire;

const DEADLINE: Duration = Duration::from_secs(60);
/// Between two attempts: fine enough for milliseconds, and cheap enough to leave the processor to the start.
const RETRY: Duration = Duration::from_micros(500);
const TOPIC: &str = "first";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(Ok(address)), Some(program)) = (arguments.first().map(|text| text.parse()), arguments.get(1)) else {
        eprintln!("usage: first_ack HOST:PORT COMMAND...");
        return ExitCode::from(2);
    };
    let begun = Instant::now();
    let started = Command::new(program)
        .args(&arguments[2..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut broker = match started {
        Ok(child) => Broker(child),
        Err(error) => {
            eprintln!("first_ack: cannot start {program}: {error}");
            return ExitCode::FAILURE;
        }
    };
    while begun.elapsed() < DEADLINE {
        if is_acknowledged(address) {
            println!("{:.1}", begun.elapsed().as_secs_f64() * 1000.0);
            return ExitCode::SUCCESS;
        }
        if let Ok(Some(status)) = broker.0.try_wait() {
            eprintln!("first_ack: {program} ended with {status}");
            return ExitCode::FAILURE;
        }
        std::thread::sleep(RETRY);
    }
    eprintln!("first_ack: no acknowledgement within {DEADLINE:?}");
    ExitCode::FAILURE
}

struct Broker(Child);

impl Drop for Broker {
    fn drop(&mut self) {
        // It may be gone already, which is what a drop wants.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// One attempt. Whatever stands in its way is what a start has not done yet.
fn is_acknowledged(address: SocketAddr) -> bool {
    let Ok(mut wire) = Wire::connect(address) else { return false };
    if calls::create_topic(&mut wire, TOPIC, 1, &[]).is_err() {
        return false;
    }
    let mut builder = BatchBuilder::new(Compression::None);
    builder.push(&Record::new(None, Some("first"), 1));
    let Ok(batch) = builder.build() else { return false };
    calls::produce(&mut wire, TOPIC, 0, -1, batch).is_ok_and(|answer| answer.error_code == 0)
}
