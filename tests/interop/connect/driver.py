"""A distributed worker of Kafka Connect between two files, with this broker in the middle: see docs/testing.md.

Lines are appended to the one file all the while. In the end the other has each of them, in their order. Lines come again after
a kill, but none that both connectors had committed.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, __file__.rsplit("/", 2)[0])

from broker import Broker, free_port  # noqa: E402
from confluent_kafka import TopicPartition  # noqa: E402
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec, ResourceType  # noqa: E402

JARS = pathlib.Path(__file__).resolve().parents[3] / "target" / "interop" / "connect"
DEADLINE = 60
INTERNAL = {"config": "connect-configs", "offset": "connect-offsets", "status": "connect-status"}
CONNECTORS = {
    "source": {"connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "topic": "lines"},
    "sink": {"connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "topics": "lines",
             "consumer.override.session.timeout.ms": "6000", "consumer.override.heartbeat.interval.ms": "500"},
}  # fmt: skip


class Failed(Exception):
    pass


class Worker:
    def __init__(self, bootstrap, directory):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = directory / "worker.log"
        self.refusal = None
        self.properties = directory / "worker.properties"
        settings = {
            "bootstrap.servers": bootstrap, "group.id": "connect", "listeners": self.url, "plugin.discovery": "service_load",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            "offset.storage.partitions": 5, "status.storage.partitions": 2, "offset.flush.interval.ms": 1000,
            "session.timeout.ms": 6000, "heartbeat.interval.ms": 500, "scheduled.rebalance.max.delay.ms": 0,
            "connector.client.config.override.policy": "All",
        }  # fmt: skip
        for kind, topic in INTERNAL.items():
            settings |= {f"{kind}.storage.topic": topic, f"{kind}.storage.replication.factor": 1}
        self.properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def start(self):
        flags = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["java", *flags, "-cp", f"{JARS}/*", "org.apache.kafka.connect.cli.ConnectDistributed", self.properties],
                stdout=log, stderr=log,
            )  # fmt: skip

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, path, body=None):
        """The worker's answer; None while it does not answer, or not yet."""
        request = urllib.request.Request(self.url + path, method="PUT" if body else "GET",
                                         data=json.dumps(body).encode() if body else None,
                                         headers={"Content-Type": "application/json"})  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            self.refusal = f"{refusal.code} {refusal.read().decode()}"
        except OSError as failure:
            self.refusal = repr(failure)
        return None

    def is_running(self, connector):
        status = self.ask(f"/connectors/{connector}/status")
        states = [status["connector"], *status["tasks"]] if status else []
        failed = [one for one in states if one["state"] == "FAILED"]
        if failed:
            raise Failed(f"{connector} failed: {failed}")
        return len(states) > 1 and all(one["state"] == "RUNNING" for one in states)


class Lines:
    """Appends numbered lines to a file until it is told to stop."""

    def __init__(self, path):
        self.path, self.count, self.stopping = path, 0, threading.Event()
        self.running = threading.Thread(target=self.run, daemon=True)
        self.running.start()

    def run(self):
        with open(self.path, "w", buffering=1) as file:
            while not self.stopping.wait(0.005):
                file.write(f"line {self.count}\n")
                self.count += 1

    def stop(self):
        self.stopping.set()
        self.running.join()


class Test:
    def __init__(self, broker, directory):
        self.broker, self.worker = broker, Worker(broker.address, directory)
        self.source, self.sink = directory / "source.txt", directory / "sink.txt"
        self.sink.touch()
        self.lines = Lines(self.source)
        self.took, self.kept = {}, []

    def run(self):
        self.worker.start()
        self.until("start", lambda: self.worker.ask("/connectors") is not None)
        for name, config in CONNECTORS.items():
            config = config | {"name": name, "tasks.max": "1", "file": str(getattr(self, name))}
            self.until(f"create the {name}", lambda: self.worker.ask(f"/connectors/{name}/config", config))
        self.passes_on("first lines")
        self.internal_topics_are_compacted()
        self.keep("first commit")
        self.worker.kill()
        self.worker.start()
        self.passes_on("worker killed")
        self.broker.kill()
        self.broker.start()
        self.passes_on("broker killed")
        self.keep("next commit")
        self.worker.kill()
        self.broker.kill()
        self.broker.start()
        self.worker.start()
        self.passes_on("both killed")
        self.lines.stop()
        self.until("the rest", lambda: f"line {self.lines.count - 1}\n" in self.sink.read_text())
        return self.judge()

    def until(self, what, is_so):
        begun = time.monotonic()
        while not is_so():
            if self.worker.process.poll() is not None:
                raise Failed(f"{what}: the worker ended with {self.worker.process.returncode}")
            if time.monotonic() - begun > DEADLINE:
                raise Failed(f"{what}: not within {DEADLINE} s; {self.lines.count} lines written, "
                             f"the sink has {self.sink_lines()[-1:]}; the worker last refused with {self.worker.refusal}")  # fmt: skip
            time.sleep(0.05)
        self.took[what] = time.monotonic() - begun

    def passes_on(self, what):
        """Waits until both connectors run and the sink has a line that was written from now on."""
        first = self.lines.count
        self.until(what, lambda: any(int(line.split()[1]) >= first for line in self.sink_lines()[-1:])
                   and all(self.worker.is_running(one) for one in CONNECTORS))  # fmt: skip

    def admin(self):
        # A new one each time: librdkafka's would ask with the leader epoch from before a restart, and be fenced.
        return AdminClient({"bootstrap.servers": self.broker.address, "log_level": 0})

    def keep(self, what):
        """Waits until both connectors have committed the lines there are: none of them may come again from now on."""
        lines = self.source.read_text().rpartition("\n")[0].count("\n") + 1
        size = len("".join(f"line {number}\n" for number in range(lines)))
        self.until(f"{what} of the source", lambda: self.committed("source", "position") >= size)
        admin = self.admin()
        latest = admin.list_offsets({TopicPartition("lines", 0): OffsetSpec.latest()})
        end = next(iter(latest.values())).result().offset
        self.until(f"{what} of the sink", lambda: self.committed("sink", "kafka_offset") >= end)
        self.kept.append((len(self.sink_lines()), lines))

    def committed(self, connector, kind):
        answer = self.worker.ask(f"/connectors/{connector}/offsets")
        return max((one["offset"][kind] for one in answer["offsets"]), default=0) if answer else 0

    def sink_lines(self):
        return [line for line in self.sink.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def internal_topics_are_compacted(self):
        admin = self.admin()
        for topic, answer in admin.describe_configs([ConfigResource(ResourceType.TOPIC, one) for one in INTERNAL.values()]).items():
            policy = answer.result()["cleanup.policy"].value
            if policy != "compact":
                raise Failed(f"{topic.name} has cleanup.policy {policy}, expected compact")

    def judge(self):
        """Each line is in the sink, first in its place; what was committed before a kill is not there again after it."""
        self.worker.kill()
        first, twice = [], 0
        seen, sink = set(), self.sink_lines()
        for at, lines in self.kept:
            again = [line for line in sink[at:] if int(line.split()[1]) < lines]
            if again:
                raise Failed(f"{len(again)} lines were committed and came again, of them {again[:3]}")
        for line in sink:
            if line in seen:
                twice += 1
            else:
                seen.add(line)
                first.append(line)
        expected = self.source.read_text().splitlines(keepends=True)
        if first != expected:
            at = next((i for i, pair in enumerate(zip(first, expected)) if pair[0] != pair[1]), min(len(first), len(expected)))
            raise Failed(f"the sink's line {at} is {first[at:at + 1]}, expected {expected[at:at + 1]}; "
                         f"{len(expected)} lines, of them {len(set(expected) - seen)} not in the sink")  # fmt: skip
        return len(expected), twice

    def end(self):
        self.lines.stopping.set()
        self.worker.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        broker = Broker(given.binary, directory, "group.initial.rebalance.delay.ms=200")
        broker.start()
        test = Test(broker, pathlib.Path(directory))
        try:
            lines, twice = test.run()
            steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in test.took.items())
            print(f"connect: {lines} lines, each in its place, {twice} twice; {steps}")
            return 0
        except Failed as failed:
            said = [line for line in test.worker.log.read_text().splitlines() if line[:1].strip()]
            print("\n  ".join([f"connect: FAILED: {failed}", *said[-30:]]))
            return 1
        finally:
            test.end()
            broker.kill()


sys.exit(main())
