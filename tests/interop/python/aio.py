"""aiokafka: asyncio, with a record codec of its own in C."""

import asyncio
import contextlib
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from loop import DEADLINE_S, OVERSIZE_LIMIT, Deadline, Failed, load, row, serve


class Client:
    """Each operation runs to its end in an event loop of its own."""

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def __getattribute__(self, name):
        found = object.__getattribute__(self, name)
        if not asyncio.iscoroutinefunction(found):
            return found
        return lambda **request: asyncio.run(asyncio.wait_for(found(**request), DEADLINE_S))

    async def metadata(self, topic):
        async with self.admin() as admin:
            cluster = await admin.describe_cluster()
            topics = await admin.describe_topics([topic])
            return {"brokers": len(cluster["brokers"]), "partitions": len(topics[0]["partitions"])}

    async def create(self, topic, partitions):
        async with self.admin() as admin:
            answer = await admin.create_topics([NewTopic(topic, partitions, 1)])
            code = answer.topic_errors[0][1]
            if code != 0:
                raise Failed(str(code), str(answer))

    async def produce(self, topic, partition, codec, acks, idempotent, file):
        async with self.producer(codec, acks, idempotent) as producer:
            await send(producer, topic, partition, load(file))

    async def oversize(self, topic, size):
        async with self.producer("none", "all", False) as producer:
            try:
                await send(
                    producer, topic, 0, [{"key": None, "value": bytes(size), "headers": [], "timestamp": None}]
                )
            except KafkaError as refusal:
                return {"refused": type(refusal).__name__}
        raise Failed("Accepted", f"{size} bytes were accepted")

    async def consume(self, topic, partitions, start, count):
        async with self.consumer() as consumer:
            places = [TopicPartition(topic, partition) for partition in partitions]
            consumer.assign(places)
            await seek(consumer, places, start)
            return {"records": await read(consumer, count)}

    async def latest(self, topic, file):
        records = load(file)
        async with self.consumer() as consumer:
            place = TopicPartition(topic, 0)
            consumer.assign([place])
            await consumer.seek_to_end(place)
            end = await consumer.position(place)
            async with self.producer("none", "all", False) as producer:
                await send(producer, topic, 0, records)
            return {"end": end, "records": await read(consumer, len(records))}

    @contextlib.asynccontextmanager
    async def admin(self):
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    def producer(self, codec, acks, idempotent):
        return AIOKafkaProducer(
            bootstrap_servers=self.bootstrap,
            compression_type=None if codec == "none" else codec,
            acks="all" if acks == "all" else int(acks),
            enable_idempotence=idempotent,
            max_request_size=OVERSIZE_LIMIT,
            linger_ms=5,
        )

    def consumer(self):
        return AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=None, enable_auto_commit=False, fetch_max_wait_ms=50
        )


async def send(producer, topic, partition, records):
    sent = [
        await producer.send(
            topic,
            partition=partition,
            key=record["key"],
            value=record["value"],
            headers=record["headers"],
            timestamp_ms=record["timestamp"],
        )
        for record in records
    ]
    await asyncio.gather(*sent)


async def seek(consumer, places, start):
    if start == "earliest":
        await consumer.seek_to_beginning(*places)
        return
    for place in places:
        if "offset" in start:
            consumer.seek(place, start["offset"])
        else:
            found = await consumer.offsets_for_times({place: start["timestamp"]})
            consumer.seek(place, found[place].offset)


async def read(consumer, count):
    deadline = Deadline(f"reading {count} records")
    rows = []
    while len(rows) < count:
        for messages in (await consumer.getmany(timeout_ms=int(min(1, deadline.left()) * 1000))).values():
            rows += [row(m.partition, m.offset, m.timestamp, m.key, m.value, m.headers) for m in messages]
    return rows


if __name__ == "__main__":
    serve(Client(sys.argv[1]))
