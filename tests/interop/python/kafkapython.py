"""kafka-python: the protocol in pure Python."""

import sys

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import KafkaError

from loop import DEADLINE_S, OVERSIZE_LIMIT, Deadline, Failed, load, row, serve


class Client:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def metadata(self, topic):
        admin = self.admin()
        try:
            brokers = len(admin.describe_cluster()["brokers"])
            return {"brokers": brokers, "partitions": len(admin.describe_topics([topic])[0]["partitions"])}
        finally:
            admin.close()

    def create(self, topic, partitions):
        admin = self.admin()
        try:
            admin.create_topics([NewTopic(topic, partitions, 1)])
        finally:
            admin.close()

    def produce(self, topic, partition, codec, acks, idempotent, file):
        producer = self.producer(codec, acks, idempotent)
        try:
            send(producer, topic, partition, load(file))
        finally:
            producer.close(timeout=DEADLINE_S)

    def oversize(self, topic, size):
        producer = self.producer("none", "all", False)
        try:
            send(producer, topic, 0, [{"key": None, "value": bytes(size), "headers": [], "timestamp": None}])
        except KafkaError as refusal:
            return {"refused": type(refusal).__name__}
        finally:
            producer.close(timeout=DEADLINE_S)
        raise Failed("Accepted", f"{size} bytes were accepted")

    def consume(self, topic, partitions, start, count):
        consumer = self.consumer()
        try:
            places = [TopicPartition(topic, partition) for partition in partitions]
            consumer.assign(places)
            seek(consumer, places, start)
            return {"records": read(consumer, count)}
        finally:
            consumer.close()

    def latest(self, topic, file):
        records = load(file)
        consumer = self.consumer()
        try:
            place = TopicPartition(topic, 0)
            consumer.assign([place])
            consumer.seek_to_end(place)
            end = consumer.position(place)
            producer = self.producer("none", "all", False)
            send(producer, topic, 0, records)
            producer.close(timeout=DEADLINE_S)
            return {"end": end, "records": read(consumer, len(records))}
        finally:
            consumer.close()

    def admin(self):
        return KafkaAdminClient(bootstrap_servers=self.bootstrap)

    def producer(self, codec, acks, idempotent):
        return KafkaProducer(
            bootstrap_servers=self.bootstrap,
            compression_type=None if codec == "none" else codec,
            acks="all" if acks == "all" else int(acks),
            enable_idempotence=idempotent,
            max_request_size=OVERSIZE_LIMIT,
            linger_ms=5,
        )

    def consumer(self):
        return KafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=None, enable_auto_commit=False, fetch_max_wait_ms=50
        )


def send(producer, topic, partition, records):
    sent = [
        producer.send(
            topic,
            partition=partition,
            key=record["key"],
            value=record["value"],
            headers=record["headers"],
            timestamp_ms=record["timestamp"],
        )
        for record in records
    ]
    producer.flush(timeout=DEADLINE_S)
    for future in sent:
        future.get(timeout=DEADLINE_S)


def seek(consumer, places, start):
    if start == "earliest":
        consumer.seek_to_beginning(*places)
        return
    for place in places:
        if "offset" in start:
            consumer.seek(place, start["offset"])
        else:
            found = consumer.offsets_for_times({place: start["timestamp"]})[place]
            consumer.seek(place, found.offset)


def read(consumer, count):
    deadline = Deadline(f"reading {count} records")
    rows = []
    while len(rows) < count:
        for messages in consumer.poll(timeout_ms=int(min(1, deadline.left()) * 1000)).values():
            rows += [
                row(m.partition, m.offset, m.timestamp, m.key, m.value, m.headers or []) for m in messages
            ]
    return rows


if __name__ == "__main__":
    serve(Client(sys.argv[1]))
