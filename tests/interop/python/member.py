"""One member of a group: member.py CLIENT VARIANT BOOTSTRAP GROUP TOPIC NAME [INSTANCE]

VARIANT is classic (with the client's own choice of assignors), cooperative, or consumer (KIP-848).

Says on stdout what happens to it, a line each:
    assigned 0,1,2              its partitions, as they are from now on
    got PARTITION OFFSET VALUE
    committed                   all that it got so far
    committed PARTITION OFFSET  what it got of this partition before this offset
    commit-failed WHY
It leaves when its stdin ends. The members in other languages do the same.
"""

import sys
import threading

SESSION_MS, HEARTBEAT_MS = 6000, 500
leaving = threading.Event()


def say(*words):
    print(*words, flush=True)


def assigned(partitions):
    say("assigned", ",".join(str(number) for number in sorted(partitions)))


def confluent(variant, bootstrap, group, topic, name, instance):
    from confluent_kafka import Consumer

    config = {
        "bootstrap.servers": bootstrap, "group.id": group, "client.id": name, "auto.offset.reset": "earliest",
        "enable.auto.commit": False, "topic.metadata.refresh.interval.ms": 1000, "log_level": 0,
        # Of the consumer protocol's sessions the broker says how long they are.
        **({"group.protocol": "consumer"} if variant == "consumer"
           else {"session.timeout.ms": SESSION_MS, "heartbeat.interval.ms": HEARTBEAT_MS}),
        **({"partition.assignment.strategy": "cooperative-sticky"} if variant == "cooperative" else {}),
        **({"group.instance.id": instance} if instance else {}),
    }  # fmt: skip
    consumer = Consumer(config)
    owned = set()

    def taken(_, partitions):
        owned.update(one.partition for one in partitions)
        assigned(owned)

    def given(_, partitions):
        owned.difference_update(one.partition for one in partitions)
        assigned(owned)

    consumer.subscribe([topic], on_assign=taken, on_revoke=given, on_lost=given)
    while not leaving.is_set():
        records = [one for one in consumer.consume(100, 0.2) if not one.error()]
        for record in records:
            say("got", record.partition(), record.offset(), record.value().decode())
        if records:
            try:
                consumer.commit(asynchronous=False)
                say("committed")
            except Exception as error:
                say("commit-failed", error)
    consumer.close()


def kafkapython(_, bootstrap, group, topic, name, instance):
    from kafka import ConsumerRebalanceListener, KafkaConsumer

    class Listener(ConsumerRebalanceListener):
        def on_partitions_revoked(self, _):
            assigned([])

        def on_partitions_assigned(self, partitions):
            assigned(one.partition for one in partitions)

    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, client_id=name, auto_offset_reset="earliest",
        enable_auto_commit=False, session_timeout_ms=SESSION_MS, heartbeat_interval_ms=HEARTBEAT_MS,
        reconnect_backoff_max_ms=500, metadata_max_age_ms=2000, group_instance_id=instance,
    )  # fmt: skip
    consumer.subscribe([topic], listener=Listener())
    while not leaving.is_set():
        records = [one for some in consumer.poll(200).values() for one in some]
        for record in records:
            say("got", record.partition, record.offset, record.value.decode())
        if records:
            try:
                consumer.commit()
                say("committed")
            except Exception as error:
                say("commit-failed", error)
    consumer.close()


def aio(_, bootstrap, group, topic, name, instance):
    import asyncio

    from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener

    class Listener(ConsumerRebalanceListener):
        async def on_partitions_revoked(self, _):
            assigned([])

        async def on_partitions_assigned(self, partitions):
            assigned(one.partition for one in partitions)

    async def run():
        consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, group_id=group, client_id=name, auto_offset_reset="earliest",
            enable_auto_commit=False, session_timeout_ms=SESSION_MS, heartbeat_interval_ms=HEARTBEAT_MS,
            metadata_max_age_ms=2000, group_instance_id=instance,
        )  # fmt: skip
        consumer.subscribe([topic], listener=Listener())
        await consumer.start()
        while not leaving.is_set():
            found = await consumer.getmany(timeout_ms=200)
            records = [one for some in found.values() for one in some]
            for record in records:
                say("got", record.partition, record.offset, record.value.decode())
            if records:
                try:
                    await consumer.commit()
                    say("committed")
                except Exception as error:
                    say("commit-failed", error)
        await consumer.stop()

    asyncio.run(run())


def main():
    client, variant, bootstrap, group, topic, name, *instance = sys.argv[1:]
    threading.Thread(target=lambda: (sys.stdin.read(), leaving.set()), daemon=True).start()
    {"confluent-kafka": confluent, "kafka-python": kafkapython, "aiokafka": aio}[client](
        variant, bootstrap, group, topic, name, instance[0] if instance else None
    )
    say("left")


main()
