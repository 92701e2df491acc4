"""Runs every client against one broker, compares what they read with what was written, and prints the tables.

Each client is one process that answers JSON lines. The operations:

  metadata  topic                                   {"brokers", "partitions"}
  create    topic, partitions
  produce   topic, partition, codec, acks, idempotent, file
  oversize  topic, size                             {"refused": the client's own name for the broker's refusal}
  consume   topic, partitions, start, count         {"records"}; start: "earliest", {"offset": n}, {"timestamp": ms}
  latest    topic, file                             {"end", "records"}: starts at the end, then produces the file
  ends      topic, partitions                       {"ends"}; only confluent-kafka, which helps the driver

Every answer may be {"error", "message"} or {"na": reason} instead.

The cross matrix: each producer has a topic with one partition per combination of codec, acks and idempotence, and
writes the same record set into each; every consumer reads every such topic and must find it equal byte for byte.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
INSTALLED = HERE.parent.parent / "target" / "interop"

SEED = 20
ANSWER_DEADLINE_S = 60
BIG_BYTES = 900_000
OVERSIZE_BYTES = 1_200_000
"""Above the default max.message.bytes of 1,048,588."""

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
ACKS = [("0", False), ("1", False), ("all", False), ("all", True)]
COMBINATIONS = [(codec, acks, idempotent) for codec in CODECS for acks, idempotent in ACKS]


def python(program):
    return lambda bootstrap: [sys.executable, "-B", str(HERE / "python" / program), bootstrap]


def java(version):
    # A short-lived client is quicker without the second compiler.
    libs = INSTALLED / f"java-{version}"
    flags = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"]
    return lambda bootstrap: ["java", *flags, "-cp", f"{libs}/*:{libs}", "Client", bootstrap]


def go(client):
    return lambda bootstrap: [str(INSTALLED / "go-clients"), client, bootstrap]


# Client: how it is started, and its own name for MESSAGE_TOO_LARGE from the broker.
CLIENTS = {
    "kcat": (python("kcat.py"), "Broker: Message size too large"),
    "confluent-kafka": (python("confluent.py"), "MSG_SIZE_TOO_LARGE"),
    "kafka-python": (python("kafkapython.py"), "MessageSizeTooLargeError"),
    "aiokafka": (python("aio.py"), "MessageSizeTooLargeError"),
    "java-4.4": (java("4.4"), "RecordTooLargeException"),
    "java-3.9": (java("3.9"), "RecordTooLargeException"),
    "franz-go": (go("franz-go"), "MESSAGE_TOO_LARGE"),
    "sarama": (go("sarama"), "ErrMessageSizeTooLarge"),
}
HELPER = "confluent-kafka"

# What a client's own interface does not let it write: the record is left out of its set, and the tables say so.
NOTHING_AT_ALL = ("a record with neither key nor value", lambda one: one["key"] is None and one["value"] is None)
NAMELESS_HEADER = ("a header without a name", lambda one: any(name == "" for name, _ in one["headers"]))
NULL_HEADER = ("a header whose value is null", lambda one: any(value is None for _, value in one["headers"]))
UNWRITABLE = {
    "kcat": [NOTHING_AT_ALL, NAMELESS_HEADER],
    "kafka-python": [NOTHING_AT_ALL, NULL_HEADER],
    "aiokafka": [NOTHING_AT_ALL],
}

FEATURES = [
    "metadata",
    "create",
    *(f"acks={acks}" + (" idem" if idempotent else "") for acks, idempotent in ACKS),
    "900 KB",
    "over limit",
    "earliest",
    "offset",
    "timestamp",
    "latest",
]


class Failure(Exception):
    """What is said in a failed cell."""


class NotOffered(Exception):
    """What is said in a cell that does not apply."""


class Client:
    """A client's process. What it prints to its standard error is shown only if it dies."""

    def __init__(self, name, bootstrap):
        self.name = name
        self.complaints = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            CLIENTS[name][0](bootstrap),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
            text=True,
        )

    def ask(self, op, **request):
        line = self.exchange(json.dumps({"op": op, **request}))
        if not line:
            raise Failure(f"{op}: the client died or did not answer within {ANSWER_DEADLINE_S} s: {self.last_words()}")
        answer = json.loads(line)
        if "na" in answer:
            raise NotOffered(answer["na"])
        if "error" in answer:
            raise Failure(f"{op}: {answer['error']}: {answer['message']}")
        return answer

    def exchange(self, line):
        guard = threading.Timer(ANSWER_DEADLINE_S, self.process.kill)
        guard.start()
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            return self.process.stdout.readline()
        except BrokenPipeError:
            return ""
        finally:
            guard.cancel()

    def last_words(self):
        self.complaints.seek(0)
        return self.complaints.read().decode(errors="replace")[-500:]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Cells:
    """The outcome per (row, column): "ok", or what is wrong, or why it does not apply."""

    def __init__(self):
        self.outcomes = {}

    def run(self, row, column, check):
        begun = time.monotonic()
        try:
            check()
            outcome = {"outcome": "ok"}
        except NotOffered as reason:
            outcome = {"outcome": "n.a.", "reason": str(reason)}
        except Exception as failure:
            # Also an answer without the expected field: that is a failure of this cell, not of the run.
            outcome = {"outcome": "fail", "reason": f"{type(failure).__name__}: {failure}"[:600]}
        outcome["seconds"] = round(time.monotonic() - begun, 2)
        self.outcomes[row, column] = outcome

    def text(self, row, column):
        return self.outcomes.get((row, column), {"outcome": "-"})["outcome"]

    def failures(self):
        return [(key, cell["reason"]) for key, cell in self.outcomes.items() if cell["outcome"] == "fail"]

    def remarks(self):
        return [(key, cell["reason"]) for key, cell in self.outcomes.items() if cell["outcome"] == "n.a."]

    def report(self):
        tree = {}
        for (row, column), cell in self.outcomes.items():
            tree.setdefault(row, {})[column] = cell
        return tree


class Run:
    def __init__(self, clients, helper, folder):
        self.clients = clients
        self.helper = helper
        self.prefix = f"interop-{uuid.uuid4().hex[:8]}"
        self.features = Cells()
        self.cross = Cells()
        self.records = {client.name: writable(client.name, record_set(random.Random(SEED))) for client in clients}
        self.record_files = {name: write(folder / f"{name}.json", records) for name, records in self.records.items()}
        self.big = [record(key=b"big", value=random.Random(SEED).randbytes(BIG_BYTES))]
        self.big_file = write(folder / "big.json", self.big)
        self.base = (int(time.time()) - 3600) * 1000
        self.dated = [record(value=b"%d" % i, timestamp=self.base + i * 1000) for i in range(10)]
        self.dated_file = write(folder / "dated.json", self.dated)

    def topic(self, name):
        return f"{self.prefix}-{name}"

    def all(self):
        self.helper.ask("create", topic=self.topic("dated"), partitions=1)
        self.helper.ask(
            "produce",
            topic=self.topic("dated"),
            partition=0,
            codec="none",
            acks="all",
            idempotent=False,
            file=self.dated_file,
        )
        for client in self.clients:
            self.write_all(client)
        for client in self.clients:
            self.read_all(client)

    def write_all(self, client):
        name = client.name
        self.features.run(name, "create", lambda: self.create(client))
        self.features.run(name, "metadata", lambda: self.metadata(client))
        for acks, idempotent in ACKS:
            column = f"acks={acks}" + (" idem" if idempotent else "")
            self.features.run(name, column, lambda: self.produce(client, acks, idempotent))
        self.features.run(name, "900 KB", lambda: self.produce_big(client))
        self.features.run(name, "over limit", lambda: self.oversize(client))

    def read_all(self, client):
        name = client.name
        dated = lambda start, first: lambda: self.read_dated(client, start, first)  # noqa: E731
        self.features.run(name, "earliest", dated("earliest", 0))
        self.features.run(name, "offset", dated({"offset": 4}, 4))
        # Between the sixth and the seventh: the first record at or after it is asked for.
        self.features.run(name, "timestamp", dated({"timestamp": self.base + 6500}, 7))
        self.features.run(name, "latest", lambda: self.latest(client))
        for producer in self.clients:
            self.cross.run(producer.name, name, lambda: self.read_cross(client, producer.name))

    def create(self, client):
        topic, records = self.topic(client.name), self.records[client.name]
        try:
            client.ask("create", topic=topic, partitions=len(COMBINATIONS))
        except NotOffered:
            self.helper.ask("create", topic=topic, partitions=len(COMBINATIONS))
            fresh = self.topic(f"{client.name}-auto")
            client.ask(
                "produce",
                topic=fresh,
                partition=0,
                codec="none",
                acks="all",
                idempotent=False,
                file=self.record_files[client.name],
            )
            found = client.ask("consume", topic=fresh, partitions=[0], start="earliest", count=len(records))
            same(found["records"], records, fresh)
            raise
        finally:
            self.wait_for_topic(topic)

    def wait_for_topic(self, topic):
        """A cluster may know a topic a moment after it was created."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                self.helper.ask("ends", topic=topic, partitions=list(range(len(COMBINATIONS))))
                return
            except Failure as failure:
                last = failure
        raise last

    def metadata(self, client):
        seen = client.ask("metadata", topic=self.topic(client.name))
        expect(seen["partitions"], len(COMBINATIONS), "partitions")
        if seen["brokers"] < 1:
            raise Failure("metadata names no broker")

    def produce(self, client, acks, idempotent):
        topic = self.topic(client.name)
        partitions = [
            partition
            for partition, combination in enumerate(COMBINATIONS)
            if combination[1:] == (acks, idempotent)
        ]
        for partition in partitions:
            client.ask(
                "produce",
                topic=topic,
                partition=partition,
                codec=COMBINATIONS[partition][0],
                acks=acks,
                idempotent=idempotent,
                file=self.record_files[client.name],
            )
        self.wait_for_ends(topic, partitions, len(self.records[client.name]))

    def wait_for_ends(self, topic, partitions, count):
        """With acks=0 the client is done before the broker is."""
        expected = [count] * len(partitions)
        end = time.monotonic() + 10
        while (ends := self.helper.ask("ends", topic=topic, partitions=partitions)["ends"]) != expected:
            if time.monotonic() > end:
                raise Failure(f"{topic} {partitions}: end offsets are {ends} instead of {expected}")

    def produce_big(self, client):
        topic = self.topic(f"{client.name}-big")
        self.helper.ask("create", topic=topic, partitions=1)
        client.ask(
            "produce", topic=topic, partition=0, codec="none", acks="all", idempotent=False, file=self.big_file
        )
        found = client.ask("consume", topic=topic, partitions=[0], start="earliest", count=1)
        same(found["records"], self.big, topic)

    def oversize(self, client):
        topic = self.topic(f"{client.name}-oversize")
        self.helper.ask("create", topic=topic, partitions=1)
        answer = client.ask("oversize", topic=topic, size=OVERSIZE_BYTES)
        expect(answer["refused"], CLIENTS[client.name][1], "refusal")
        expect(self.helper.ask("ends", topic=topic, partitions=[0])["ends"], [0], "end offset")

    def read_dated(self, client, start, first):
        expected = self.dated[first:]
        answer = client.ask(
            "consume", topic=self.topic("dated"), partitions=[0], start=start, count=len(expected)
        )
        same(answer["records"], expected, "records")
        expect([row["offset"] for row in answer["records"]], list(range(first, len(self.dated))), "offsets")
        stamps = [row["timestamp"] for row in answer["records"]]
        expect(stamps, [row["timestamp"] for row in expected], "timestamps")

    def latest(self, client):
        topic = self.topic(f"{client.name}-latest")
        self.helper.ask("create", topic=topic, partitions=1)
        self.helper.ask(
            "produce",
            topic=topic,
            partition=0,
            codec="none",
            acks="all",
            idempotent=False,
            file=self.dated_file,
        )
        answer = client.ask("latest", topic=topic, file=self.record_files[client.name])
        expect(answer["end"], len(self.dated), "end offset")
        same(answer["records"], self.records[client.name], "records")
        expect(answer["records"][0]["offset"], len(self.dated), "first offset")

    def read_cross(self, client, producer):
        partitions, records = list(range(len(COMBINATIONS))), self.records[producer]
        answer = client.ask(
            "consume",
            topic=self.topic(producer),
            partitions=partitions,
            start="earliest",
            count=len(partitions) * len(records),
        )
        for partition, combination in enumerate(COMBINATIONS):
            rows = [row for row in answer["records"] if row["partition"] == partition]
            same(rows, records, f"{combination}")
            expect([row["offset"] for row in rows], list(range(len(rows))), f"offsets of {combination}")


def record_set(chance):
    """Records with what has broken clients: nulls, empties, bytes that are no text, doubled and null headers.

    kcat's output sets limits: header values have no NUL, comma or equals sign, for it takes them as arguments and prints them
    unescaped; no empty key goes with a null value, for one flag makes both null.
    """
    headers = [("trace", b"\xfe\x01\x80"), ("trace", b"second"), ("trace", b"\xfe\x01\x80"), ("none", None)]
    return [
        record(key=b"key", value=b"value"),
        record(key=None, value=b"null key"),
        record(key=b"tombstone", value=None),
        record(key=None, value=None),
        record(key=b"empty value", value=b""),
        record(key=b"", value=b"empty key"),
        record(key=b"doubled and null headers", value=b"x", headers=headers),
        record(key=b"empty header", value=b"x", headers=[("", b"nameless"), ("empty", b"")]),
        record(key=b"headers in disorder", value=b"x", headers=[("z", b"1"), ("a", b"2"), ("z", b"3")]),
        record(key=bytes(range(256)), value=bytes(reversed(range(256)))),
        record(key="clé ключ 鍵 🔑".encode(), value="Wert значение 値".encode(), headers=[("naïve", b"utf-8")]),
        record(key=b"compresses", value=b"highwater " * 4000),
        record(key=b"does not compress", value=chance.randbytes(20_000)),
        *(record(key=chance.randbytes(8), value=chance.randbytes(chance.randrange(300))) for _ in range(12)),
    ]


def writable(client, records):
    return [one for one in records if not any(is_meant(one) for _, is_meant in UNWRITABLE.get(client, []))]


def record(key=None, value=None, headers=(), timestamp=None):
    return {
        "key": tohex(key),
        "value": tohex(value),
        "headers": [[name, tohex(data)] for name, data in headers],
        "timestamp": timestamp,
    }


def tohex(data):
    return None if data is None else data.hex()


def write(path, records):
    path.write_text(json.dumps(records))
    return str(path)


def same(found, expected, what):
    expect(len(found), len(expected), f"{what}: number of records")
    for i, (one, other) in enumerate(zip(found, expected)):
        for part in ("key", "value", "headers"):
            if one[part] != other[part]:
                raise Failure(f"{what}: {part} of record {i} is {one[part]!s:.80} instead of {other[part]!s:.80}")


def expect(found, expected, what):
    if found != expected:
        raise Failure(f"{what}: {found} instead of {expected}")


def table(title, rows, columns, cells):
    first = max(len(title), *map(len, rows))
    print(" | ".join([title.ljust(first), *columns]))
    print("-+-".join(["-" * first, *("-" * len(column) for column in columns)]))
    for row in rows:
        print(" | ".join([row.ljust(first), *(cells.text(row, column).ljust(len(column)) for column in columns)]))
    print()


def arguments():
    parser = argparse.ArgumentParser(description="Runs real Kafka clients against a running broker.")
    parser.add_argument("--bootstrap", default=os.environ.get("BROKER"), metavar="HOST:PORT", help="default: $BROKER")
    parser.add_argument("--only", metavar="CLIENT,...", help=f"of {', '.join(CLIENTS)}")
    parser.add_argument("--report", metavar="FILE", type=pathlib.Path, help="write the outcomes as JSON")
    given = parser.parse_args()
    if not given.bootstrap:
        parser.error("say where the broker is: --bootstrap HOST:PORT")
    given.names = given.only.split(",") if given.only else list(CLIENTS)
    for name in given.names:
        if name not in CLIENTS:
            parser.error(f"no client is called {name}: there are {', '.join(CLIENTS)}")
    return given


def main():
    given = arguments()
    begun = time.monotonic()
    helper = Client(HELPER, given.bootstrap)
    clients = [Client(name, given.bootstrap) for name in given.names]
    with tempfile.TemporaryDirectory() as folder:
        run = Run(clients, helper, pathlib.Path(folder))
        try:
            run.all()
        finally:
            for client in [helper, *clients]:
                client.close()
    seconds = round(time.monotonic() - begun, 1)

    table("client", given.names, FEATURES, run.features)
    table("written by \\ read by", given.names, given.names, run.cross)
    for name in given.names:
        for what, _ in UNWRITABLE.get(name, []):
            print(f"n.a. {name} cannot write {what}")
    for (row, column), reason in run.features.remarks():
        print(f"n.a. {row}, {column}: {reason}")
    failures = run.features.failures() + run.cross.failures()
    for (row, column), reason in failures:
        print(f"FAIL {row}, {column}: {reason}")
    print(f"{len(failures)} failures in {seconds} s")
    if given.report:
        outcome = {
            "seconds": seconds,
            "failures": len(failures),
            "features": run.features.report(),
            "cross": run.cross.report(),
        }
        given.report.write_text(json.dumps(outcome, indent=2) + "\n")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
