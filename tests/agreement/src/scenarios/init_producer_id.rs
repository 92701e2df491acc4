//! InitProducerId: with and without a transactional id, and with what a producer claims to be.

use highwater_protocol::api::ApiKey;
use highwater_protocol::message::InitProducerIdRequest;

use super::Scenario;
use crate::side::Side;

pub(super) const SCENARIOS: [Scenario; 2] = [
    Scenario { key: ApiKey::InitProducerId, name: "idempotent", run: idempotent },
    Scenario { key: ApiKey::InitProducerId, name: "transactional", run: transactional },
];

fn request(id: Option<&str>, timeout: i32, producer_id: i64, producer_epoch: i16) -> InitProducerIdRequest {
    InitProducerIdRequest {
        transactional_id: id.map(str::to_owned),
        transaction_timeout_ms: timeout,
        producer_id,
        producer_epoch,
    }
}

fn idempotent(side: &mut Side) {
    for timeout in [60_000, 0, -1, i32::MAX, i32::MIN] {
        side.case(&format!("timeout-{timeout}"), &request(None, timeout, -1, -1));
    }
    for (case, id, epoch) in [
        ("with-an-id", 5, -1),
        ("with-an-epoch", -1, 3),
        ("with-both", 5, 3),
        ("with-the-last-epoch", 5, i16::MAX),
        ("with-id--2", -2, -1),
        ("with-epoch--2", -1, -2),
    ] {
        side.case(case, &request(None, 60_000, id, epoch));
    }
    side.case("empty-transactional-id", &request(Some(""), 60_000, -1, -1));
}

fn transactional(side: &mut Side) {
    side.case("bad-timeout", &request(Some("tx"), 0, -1, -1));
    side.case("long-timeout", &request(Some("tx"), i32::MAX, -1, -1));
    side.case("with-an-epoch-only", &request(Some("tx"), 60_000, -1, 3));
    side.case("with-an-id-only", &request(Some("tx"), 60_000, 5, -1));
}
