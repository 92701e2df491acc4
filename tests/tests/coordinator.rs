//! FindCoordinator, and the topic behind it as clients see it.

use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::FindCoordinatorRequest;
use highwater_protocol::records::builder::BatchBuilder;
use highwater_protocol::records::compression::Compression;
use highwater_protocol::records::record::Record;
use highwater_tests::calls;
use highwater_tests::process::{Process, Start, any_port};
use highwater_tests::wire::Wire;

const OFFSETS: &str = "__consumer_offsets";

#[test]
fn whoever_asks_first_has_the_topic_made_and_it_stays() {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = &[("offsets.topic.num.partitions", "7")];
    let process = Process::start(&Start { dir: dir.path(), settings, kafka: any_port() });
    let mut wire = Wire::connect(process.kafka()).expect("connects");
    assert!(calls::metadata(&mut wire, None).expect("answers").is_empty());
    let one = FindCoordinatorRequest { key: "orders".to_owned(), ..Default::default() };
    let found = wire.call(&one, 3).expect("answers");
    assert_eq!((found.error_code, found.node_id, found.port), (0, 1, i32::from(process.kafka().port())));
    let many = FindCoordinatorRequest { coordinator_keys: vec!["a".into(), "b".into()], ..Default::default() };
    let found = wire.call(&many, 6).expect("answers").coordinators;
    assert_eq!(found.iter().map(|one| (one.key.as_str(), one.node_id)).collect::<Vec<_>>(), [("a", 1), ("b", 1)]);
    let transaction = FindCoordinatorRequest { key_type: 1, ..many };
    let refused = wire.call(&transaction, 6).expect("answers").coordinators;
    assert!(refused.iter().all(|one| one.error_code == ErrorCode::InvalidRequest.number()), "{refused:?}");

    let made = calls::metadata(&mut wire, Some(&[OFFSETS])).expect("answers").remove(0);
    assert_eq!((made.partitions.len(), made.is_internal), (7, true));
    assert_eq!(calls::list_offset(&mut wire, OFFSETS, 6, -1).expect("answers").offset, 0);
    assert_eq!(calls::fetch(&mut wire, OFFSETS, 6, 0).expect("answers").error_code, 0);
    let mut batch = BatchBuilder::new(Compression::None);
    batch.push(&Record::new(Some("k"), Some("v"), 0));
    let refused = calls::produce(&mut wire, OFFSETS, 6, -1, batch.build().expect("a batch")).expect("answers");
    assert_eq!(ErrorCode::from_number(refused.error_code), ErrorCode::InvalidTopicException);

    drop(process);
    let again = Process::start(&Start { dir: dir.path(), settings, kafka: any_port() });
    let mut wire = Wire::connect(again.kafka()).expect("connects");
    assert_eq!(wire.call(&one, 0).expect("answers").node_id, 1);
    let kept = calls::metadata(&mut wire, Some(&[OFFSETS])).expect("answers").remove(0);
    assert_eq!(kept.topic_id, made.topic_id);
}
