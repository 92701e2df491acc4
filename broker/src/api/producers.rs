//! Idempotent producers: InitProducerId (key 22) gives out ids in blocks of the controller's, DescribeProducers (key 61) shows
//! what a partition remembers.

use highwater_core::controller::topics::check_legal;
use highwater_core::controller::{self, PRODUCER_ID_BLOCK};
use highwater_core::data;
use highwater_protocol::error_code::ErrorCode;
use highwater_protocol::message::describe_producers_response::{PartitionResponse, ProducerState, TopicResponse};
use highwater_protocol::message::{
    DescribeProducersRequest, DescribeProducersResponse, InitProducerIdRequest, InitProducerIdResponse,
};
use uuid::Uuid;

use super::{Answer, Asked, controller_refused, refused};
use crate::turn::Turn;

pub(crate) fn init(asked: &Asked, request: InitProducerIdRequest) -> Answer {
    if request.transactional_id.as_ref().is_some_and(String::is_empty) {
        return asked.now(&failed(ErrorCode::InvalidRequest));
    }
    // Whoever has an id has an epoch of it.
    if (request.producer_id == -1) != (request.producer_epoch == -1) {
        return asked.now(&failed(ErrorCode::InvalidRequest));
    }
    let longest = asked.shell.setting("transaction.max.timeout.ms").parse().unwrap_or(i32::MAX);
    if request.transactional_id.is_some() && !(1..=longest).contains(&request.transaction_timeout_ms) {
        return asked.now(&failed(ErrorCode::InvalidTransactionTimeout));
    }
    if request.transactional_id.is_some() {
        // Transactions are not served yet, and no key that they need is advertised.
        return asked.now(&failed(ErrorCode::TransactionalIdNotFound));
    }
    let asked_again = asked.clone();
    asked.later(async move {
        match next_id(&asked_again).await {
            Ok(producer_id) => InitProducerIdResponse { producer_id, producer_epoch: 0, ..Default::default() },
            Err(code) => failed(code),
        }
    })
}

async fn next_id(asked: &Asked) -> Result<i64, ErrorCode> {
    let shell = &asked.shell;
    loop {
        if let Some(id) = shell.node.producer_ids().take() {
            return Ok(id);
        }
        let mut turn = Turn::default();
        let request = controller::Request::AllocateProducerIds;
        let reply = shell.node.controller().submit(request, shell.clock(), &mut turn);
        turn.finish(&shell.nudges);
        match reply.await {
            Ok(controller::Reply::ProducerIds(first)) => shell.node.producer_ids().refill(first, PRODUCER_ID_BLOCK),
            Ok(other) => unreachable!("the controller answered {other:?} to another question"),
            Err(refusal) => {
                let code = controller_refused(&refusal);
                return Err(if code == ErrorCode::NotController { ErrorCode::CoordinatorNotAvailable } else { code });
            }
        }
    }
}

fn failed(code: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse { error_code: code.number(), producer_id: -1, producer_epoch: -1, ..Default::default() }
}

pub(crate) fn describe(asked: &Asked, request: DescribeProducersRequest, turn: &mut Turn) -> Answer {
    let shell = &asked.shell;
    let image = shell.image();
    let mut waiting = Vec::new();
    for topic in request.topics {
        let mut partitions = Vec::new();
        for index in topic.partition_indexes {
            let reply = check_legal(&topic.name)
                .map_err(|(code, _)| code)
                .and_then(|()| shell.replica(&image, &topic.name, Uuid::nil(), index))
                .map(|replica| replica.submit(data::Request::DescribeProducers, shell.clock(), turn));
            partitions.push((index, reply));
        }
        waiting.push((topic.name, partitions));
    }
    asked.later(async move {
        let mut topics = Vec::new();
        for (name, partitions) in waiting {
            let mut responses = Vec::new();
            for (partition_index, reply) in partitions {
                let producers = match reply {
                    Err(code) => Err(code),
                    Ok(reply) => match reply.await {
                        Ok(data::Reply::Producers(producers)) => Ok(producers),
                        Ok(_) => unreachable!("DescribeProducers is answered as such"),
                        Err(refusal) => Err(refused(&refusal)),
                    },
                };
                let error_code = producers.as_ref().err().map_or(0, |code| code.number());
                let active_producers = producers.unwrap_or_default().into_iter().map(state).collect();
                let error_message = (error_code != 0).then(|| format!("{name}-{partition_index} is not known here"));
                responses.push(PartitionResponse { partition_index, error_code, error_message, active_producers });
            }
            topics.push(TopicResponse { name, partitions: responses });
        }
        DescribeProducersResponse { topics, ..DescribeProducersResponse::default() }
    })
}

fn state(producer: data::Producer) -> ProducerState {
    ProducerState {
        producer_id: producer.id,
        producer_epoch: i32::from(producer.epoch),
        last_sequence: producer.last_sequence,
        last_timestamp: producer.last_timestamp.0,
        coordinator_epoch: -1,
        current_txn_start_offset: -1,
    }
}
