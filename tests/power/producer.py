"""An idempotent producer of librdkafka that writes until its input ends: producer.py BROKER TOPIC PARTITIONS

Each partition gets its numbers in order, 0, 1, 2 and so on. Every acknowledgement is a line: partition, offset, number.
"""

import select
import sys

from confluent_kafka import Producer

broker, topic, partitions = sys.argv[1], sys.argv[2], int(sys.argv[3])
WAITING = 1500
PADDING = b"x" * 700

producer = Producer({
    "bootstrap.servers": broker,
    "enable.idempotence": True,
    "acks": "all",
    "linger.ms": 2,
    "batch.size": 1_000_000,
    "queue.buffering.max.messages": WAITING,
    "message.timeout.ms": 300_000,
    "reconnect.backoff.ms": 20,
    "reconnect.backoff.max.ms": 100,
    "retry.backoff.ms": 20,
    "retry.backoff.max.ms": 100,
    "log_level": 0,
})


def acknowledged(error, message):
    if error is not None:
        sys.exit(f"{topic}-{message.partition()}: {error}")
    number = int(message.value().split(b" ", 1)[0])
    print(message.partition(), message.offset(), number, flush=True)


numbers = [0] * partitions
turn = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    partition = turn % partitions
    try:
        producer.produce(topic, b"%d %s" % (numbers[partition], PADDING), partition=partition, on_delivery=acknowledged)
        numbers[partition] += 1
        turn += 1
    except BufferError:
        producer.poll(0.05)
    producer.poll(0)
left = producer.flush(60)
sys.exit(f"{left} records were not acknowledged" if left else 0)
