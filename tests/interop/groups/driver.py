"""Groups of real clients on a broker that is killed in the middle.

For each client: three members join, one of them static; one leaves, one is killed, the topic grows, the static one is restarted,
the broker is killed and started again. All the while numbered records are written. In the end each record has been
processed, and none twice but those that were read and not committed when their reader was stopped or lost its partition.
"""

import argparse
import json
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import time

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

HERE = pathlib.Path(__file__).resolve().parent
CLIENTS = ["confluent-kafka", "confluent-kafka cooperative", "kafka-python", "aiokafka"]
PARTITIONS, GROWN = 6, 8
DEADLINE = 60


class Failed(Exception):
    pass


class Broker:
    def __init__(self, binary, directory):
        self.binary, self.directory, self.address = binary, directory, "127.0.0.1:0"

    def start(self):
        command = [
            self.binary, "serve", "--json", "--dir", self.directory, "--kafka", self.address, "--http", "127.0.0.1:0",
            "-D", "group.initial.rebalance.delay.ms=200",
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = json.loads(self.process.stdout.readline())["kafka"]

    def kill(self):
        self.process.kill()
        self.process.wait()


class Member:
    """A process, and what it said."""

    def __init__(self, client, bootstrap, group, topic, name, instance=None):
        self.name, self.partitions, self.got, self.uncommitted, self.assignments = name, set(), [], set(), 0
        # Records that were processed and not committed when partitions went or the process ended: these may come twice.
        self.at_risk = 0
        command = [sys.executable, "-B", HERE / "member.py", client, bootstrap, group, topic, name]
        self.process = subprocess.Popen([*command, *([instance] if instance else [])], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.reading = threading.Thread(target=self.read, daemon=True)
        self.reading.start()
        self.errors = queue.Queue()
        threading.Thread(target=lambda: self.errors.put(self.process.stderr.read()), daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            word, *rest = line.split()
            if word == "assigned":
                self.partitions = {int(one) for one in rest[0].split(",")} if rest else set()
                self.assignments += 1
                self.at_risk += len(self.uncommitted)
            elif word == "got":
                record = (int(rest[0]), int(rest[1]), rest[2])
                self.got.append(record)
                self.uncommitted.add(record)
            elif word == "committed":
                self.uncommitted = set()
        self.at_risk += len(self.uncommitted)

    def leave(self):
        self.process.stdin.close()
        self.process.wait(DEADLINE)
        self.reading.join()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reading.join()


class Writer:
    """Writes numbered records until it is told to stop."""

    def __init__(self, bootstrap, topic):
        self.topic, self.count, self.stopping = topic, 0, threading.Event()
        self.producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5,
                                  "topic.metadata.refresh.interval.ms": 1000, "log_level": 0})  # fmt: skip
        self.failed = []
        self.running = threading.Thread(target=self.run, daemon=True)
        self.running.start()

    def run(self):
        while not self.stopping.wait(0.01):
            self.producer.produce(self.topic, value=str(self.count).encode(), key=str(self.count).encode(),
                                  on_delivery=lambda error, _: error and self.failed.append(error))  # fmt: skip
            self.producer.poll(0)
            self.count += 1

    def stop(self):
        self.stopping.set()
        self.running.join()
        if self.producer.flush(DEADLINE) or self.failed:
            raise Failed(f"records could not be written: {self.failed[:3]}")


def until(what, is_so):
    begun = time.monotonic()
    while not is_so():
        if time.monotonic() - begun > DEADLINE:
            raise Failed(f"not within {DEADLINE} s: {what}")
        time.sleep(0.02)
    return time.monotonic() - begun


def are_divided(members, count):
    owned = [number for member in members for number in member.partitions]
    return sorted(owned) == list(range(count)) and all(member.partitions for member in members)


def play(label, broker):
    client = label.split()[0]
    name = label.replace(" ", "-")
    group, topic = f"group-{name}", f"topic-{name}"
    admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result()
    writer = Writer(broker.address, topic)
    took = {}

    def member(number, instance=None):
        return Member(client, broker.address, group, topic, f"{name}-{number}", instance)

    members = [member(1), member(2), member(3, "fixed")]
    every = list(members)
    took["join"] = until("three members share the partitions", lambda: are_divided(members, PARTITIONS))
    members.pop(0).leave()
    took["leave"] = until("two do when one has left", lambda: are_divided(members, PARTITIONS))
    members.append(member(4))
    every.append(members[-1])
    took["join again"] = until("three do", lambda: are_divided(members, PARTITIONS))
    members.pop(0).kill()
    took["kill"] = until("two do when one was killed", lambda: are_divided(members, PARTITIONS))

    admin.create_partitions([NewPartitions(topic, GROWN)])[topic].result()
    took["growth"] = until("the new partitions are taken", lambda: are_divided(members, GROWN))

    other = members[1]
    before = other.assignments
    members[0].kill()
    members[0] = member(3, "fixed")
    every.append(members[0])
    took["static restart"] = until("the static member is back", lambda: are_divided(members, GROWN))
    if other.assignments != before:
        raise Failed("a static member that came back in time made the other rebalance")

    seen = sum(len(one.got) for one in members)
    broker.kill()
    broker.start()
    took["broker killed"] = until("records come again", lambda: sum(len(one.got) for one in members) > seen + 20)
    writer.stop()
    wanted = {str(number) for number in range(writer.count)}
    until("all is processed", lambda: wanted <= {value for one in every for _, _, value in one.got})
    for one in members:
        one.leave()
    return took, *judged(every, wanted)


def judged(every, wanted):
    """How many records, and how many came twice: more than were uncommitted when somebody stopped is a failure."""
    times = {}
    for one in every:
        for record in one.got:
            times[record] = times.get(record, 0) + 1
    if {value for _, _, value in times} != wanted:
        raise Failed("records appear that nobody wrote")
    twice = sum(count - 1 for count in times.values())
    at_risk = sum(one.at_risk for one in every)
    if twice > at_risk:
        raise Failed(f"{twice} records came twice, and only {at_risk} were not committed when their reader lost them")
    return len(times), twice


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    failures = 0
    for label in [one for one in CLIENTS if given.only in one]:
        with tempfile.TemporaryDirectory() as directory:
            broker = Broker(given.binary, directory)
            broker.start()
            try:
                took, records, twice = play(label, broker)
                steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in took.items())
                print(f"{label}: {records} records, each processed, {twice} twice; {steps}", flush=True)
            except Failed as failed:
                failures += 1
                print(f"{label}: FAILED: {failed}", flush=True)
            finally:
                broker.kill()
    print(f"{failures} failures")
    return 1 if failures else 0


sys.exit(main())
