"""confluent-kafka: librdkafka under Python."""

import sys

from confluent_kafka import Consumer, KafkaException, OFFSET_BEGINNING, OFFSET_END, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from loop import DEADLINE_S, OVERSIZE_LIMIT, Deadline, Failed, load, row, serve


class Client:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def metadata(self, topic):
        seen = self.admin().list_topics(topic, timeout=DEADLINE_S)
        return {"brokers": len(seen.brokers), "partitions": len(seen.topics[topic].partitions)}

    def create(self, topic, partitions):
        admin = self.admin()
        made = admin.create_topics([NewTopic(topic, partitions, 1)], operation_timeout=DEADLINE_S)
        made[topic].result()

    def produce(self, topic, partition, codec, acks, idempotent, file):
        producer = self.producer(codec, acks, idempotent)
        send(producer, topic, partition, load(file))

    def oversize(self, topic, size):
        producer = self.producer("none", "all", False)
        try:
            send(producer, topic, 0, [{"key": None, "value": bytes(size), "headers": [], "timestamp": None}])
        except KafkaException as refusal:
            return {"refused": refusal.args[0].name()}
        raise Failed("Accepted", f"{size} bytes were accepted")

    def consume(self, topic, partitions, start, count):
        consumer = self.consumer()
        consumer.assign([self.place(consumer, topic, partition, start) for partition in partitions])
        try:
            return {"records": read(consumer, count)}
        finally:
            consumer.close()

    def latest(self, topic, file):
        records = load(file)
        consumer = self.consumer()
        end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=DEADLINE_S)[1]
        consumer.assign([TopicPartition(topic, 0, OFFSET_END)])
        # OFFSET_END is looked up in the background; the end of the partition is announced once it is known.
        deadline = Deadline("end of partition")
        while True:
            event = consumer.poll(min(1, deadline.left()))
            if event is not None:
                break
        send(self.producer("none", "all", False), topic, 0, records)
        try:
            return {"end": end, "records": read(consumer, len(records))}
        finally:
            consumer.close()

    def ends(self, topic, partitions):
        consumer = self.consumer()
        try:
            marks = [
                consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=DEADLINE_S)
                for partition in partitions
            ]
            return {"ends": [high for _, high in marks]}
        finally:
            consumer.close()

    def place(self, consumer, topic, partition, start):
        if start == "earliest":
            return TopicPartition(topic, partition, OFFSET_BEGINNING)
        if "offset" in start:
            return TopicPartition(topic, partition, start["offset"])
        asked = TopicPartition(topic, partition, start["timestamp"])
        return consumer.offsets_for_times([asked], timeout=DEADLINE_S)[0]

    def admin(self):
        return AdminClient({"bootstrap.servers": self.bootstrap})

    def producer(self, codec, acks, idempotent):
        return Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "compression.type": codec,
                "acks": acks,
                "enable.idempotence": idempotent,
                "message.max.bytes": OVERSIZE_LIMIT,
                "linger.ms": 5,
                "delivery.timeout.ms": DEADLINE_S * 1000,
            }
        )

    def consumer(self):
        return Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "unused",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 50,
            }
        )


def send(producer, topic, partition, records):
    errors = []

    def delivered(error, _message):
        if error is not None:
            errors.append(error)

    for record in records:
        stamp = {"timestamp": record["timestamp"]} if record["timestamp"] is not None else {}
        producer.produce(
            topic,
            partition=partition,
            key=record["key"],
            value=record["value"],
            headers=record["headers"],
            on_delivery=delivered,
            **stamp,
        )
    left = producer.flush(DEADLINE_S)
    if errors:
        raise KafkaException(errors[0])
    if left:
        raise Failed("Deadline", f"{left} records were not delivered within {DEADLINE_S} s")


def read(consumer, count):
    deadline = Deadline(f"reading {count} records")
    rows = []
    while len(rows) < count:
        message = consumer.poll(min(1, deadline.left()))
        if message is None:
            continue
        if message.error() is not None:
            if message.error().name() == "_PARTITION_EOF":
                continue
            raise KafkaException(message.error())
        rows.append(
            row(
                message.partition(),
                message.offset(),
                message.timestamp()[1],
                message.key(),
                message.value(),
                message.headers() or [],
            )
        )
    return rows


if __name__ == "__main__":
    serve(Client(sys.argv[1]))
