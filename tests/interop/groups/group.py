"""A group under test: its members, which are processes that say what they get, and the writer of its topic."""

import collections
import queue
import subprocess
import threading
import time

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

DEADLINE = 60


class Failed(Exception):
    pass


class Member:
    """A process, and what it said; python/member.py has the words."""

    def __init__(self, command, number):
        self.number, self.partitions, self.got, self.assignments = number, set(), [], 0
        # What was processed and not committed; it may come again once partitions went or the process ended.
        self.uncommitted, self.at_risk = [], collections.Counter()
        self.failures, self.expected_to_run = [], True
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, errors="replace")  # fmt: skip
        self.reading = threading.Thread(target=self.read, daemon=True)
        self.reading.start()
        self.errors = queue.Queue()
        threading.Thread(target=lambda: self.errors.put(self.process.stderr.read()), daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            if not line.endswith("\n"):
                break  # It was killed in the middle of the line.
            word, *rest = line.split()
            if word == "assigned":
                partitions = {int(one) for one in rest[0].split(",")} if rest else set()
                self.assignments += partitions != self.partitions
                self.partitions = partitions
                self.risk()
            elif word == "got":
                record = (int(rest[0]), int(rest[1]), rest[2])
                self.got.append(record)
                self.uncommitted.append(record)
            elif word == "committed":
                ends = {int(partition): int(end) for partition, end in zip(rest[::2], rest[1::2])}
                self.uncommitted = [one for one in self.uncommitted if rest and one[1] >= ends.get(one[0], 0)]
            elif word == "commit-failed":
                self.failures.append(" ".join(rest))
        self.risk()

    def risk(self):
        self.at_risk.update(self.uncommitted)
        self.uncommitted = []

    def leave(self):
        self.expected_to_run = False
        self.process.stdin.close()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise Failed(f"member {self.number} did not leave within {DEADLINE} s") from None
        self.reading.join()

    def kill(self):
        self.expected_to_run = False
        self.process.kill()
        self.process.wait()
        self.reading.join()

    def story(self):
        told = f"member {self.number}: {len(self.got)} records, partitions {sorted(self.partitions)}"
        if self.failures:
            told += f", {len(self.failures)} failed commits, the last: {self.failures[-1][:200]}"
        if self.expected_to_run and self.process.poll() is not None:
            told += f", ended by itself with {self.process.returncode}: {self.errors.get(timeout=5)[-1500:]}"
        return told


class Writer:
    """Writes numbered records until it is told to stop."""

    def __init__(self, bootstrap, topic):
        self.topic, self.count, self.stopping = topic, 0, threading.Event()
        self.producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5,
                                  "topic.metadata.refresh.interval.ms": 1000, "log_level": 0})  # fmt: skip
        self.written, self.failed = {}, []
        self.running = threading.Thread(target=self.run, daemon=True)
        self.running.start()

    def run(self):
        while not self.stopping.wait(0.01):
            self.producer.produce(self.topic, value=str(self.count).encode(), key=str(self.count).encode(),
                                  on_delivery=self.delivered)  # fmt: skip
            self.producer.poll(0)
            self.count += 1

    def delivered(self, error, message):
        if error:
            self.failed.append(error)
        else:
            self.written[message.value().decode()] = (message.partition(), message.offset())

    def stop(self):
        self.stopping.set()
        self.running.join()
        if self.producer.flush(DEADLINE) or self.failed:
            raise Failed(f"records could not be written: {self.failed[:3]}")


class Group:
    def __init__(self, name, broker, partitions):
        self.name, self.broker, self.count = f"group-{name}", broker, partitions
        self.topic = f"topic-{name}"
        self.admin = AdminClient({"bootstrap.servers": broker.address, "log_level": 0})
        self.admin.create_topics([NewTopic(self.topic, partitions, 1)])[self.topic].result()
        self.writer = Writer(broker.address, self.topic)
        self.members, self.every = [], []

    def join(self, client, instance=None):
        """Starts a member; it takes the first place that has none."""
        number = len(self.every) + 1
        member = Member(client.command(self.broker.address, self.name, self.topic, f"member-{number}", instance), number)
        self.members.append(member)
        self.every.append(member)
        return member

    def leave(self, member):
        self.members.remove(member)
        member.leave()

    def kill(self, member):
        self.members.remove(member)
        member.kill()

    def grow(self, partitions):
        self.admin.create_partitions([NewPartitions(self.topic, partitions)])[self.topic].result()
        self.count = partitions

    def is_divided(self):
        owned = [number for member in self.members for number in member.partitions]
        return sorted(owned) == list(range(self.count)) and all(member.partitions for member in self.members)

    def divided(self, what):
        """Waits until the members share all partitions, each with some and none with two, and says how long that took."""
        return self.until(f"{what}: partitions 0 to {self.count - 1}, each with one member, each member with one", self.is_divided)

    def reads_on(self, what):
        """Waits until the members have records that were written from now on."""
        first, members = self.writer.count, list(self.members)
        return self.until(f"{what}: records from {first} on", lambda: any(int(value) >= first for one in members for _, _, value in one.got[-50:]))

    def until(self, what, is_so):
        begun = time.monotonic()
        while not is_so():
            ended = [one for one in self.members if one.process.poll() is not None]
            if ended or time.monotonic() - begun > DEADLINE:
                why = "a member ended" if ended else f"not within {DEADLINE} s"
                raise Failed(f"{why}: {what if isinstance(what, str) else what()}\n  " + "\n  ".join(one.story() for one in self.every))
            time.sleep(0.02)
        return time.monotonic() - begun

    def judge(self):
        """Ends the group. Says how many records there were and how many came twice: each processed, none twice without cause."""
        self.writer.stop()
        written = self.writer.written

        def missing():
            got = {value for one in self.every for _, _, value in one.got}
            return [f"{value} (partition {at[0]}, offset {at[1]})" for value, at in written.items() if value not in got]

        self.until(lambda: f"{len(missing())} records were not processed, of them {', '.join(missing()[:5])}", lambda: not missing())
        for one in list(self.members):
            self.leave(one)
        times, at_risk = collections.Counter(), collections.Counter()
        for one in self.every:
            times.update(one.got)
            at_risk.update(one.at_risk)
        for (partition, offset, value), count in times.items():
            record = f"record {value} at offset {offset} of partition {partition}"
            if written.get(value) != (partition, offset):
                raise Failed(f"{record} was processed, expected {written.get(value, 'no such record')}")
            allowed = 1 + at_risk[partition, offset, value]
            if count > allowed:
                readers = [one.number for one in self.every if (partition, offset, value) in one.got]
                raise Failed(f"{record} was processed {count} times, by members {readers}: expected at most {allowed}, since it was committed\n  "
                             + "\n  ".join(one.story() for one in self.every))  # fmt: skip
        return len(times), times.total() - len(times)

    def end(self):
        """Leaves nothing running, whatever happened."""
        self.writer.stopping.set()
        for one in self.every:
            if one.process.poll() is None:
                one.kill()
