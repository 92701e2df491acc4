"""kcat: librdkafka 2.0.2 from the command line, one process per operation.

kcat takes headers, and whether an empty text means null, per process: each run of records alike in both is one
process, so the order of the records is kept.
"""

import itertools
import os
import re
import subprocess
import sys
import threading

from loop import DEADLINE_S, OVERSIZE_LIMIT, Failed, NotOffered, load, row, serve

BETWEEN_KEY_AND_VALUE = b"\x1f<key|value>\x1f"
BETWEEN_RECORDS = b"\x1e<next record>\x1e"
FORMAT = r"%p %o %T %K %S\n%k%s%h" + BETWEEN_RECORDS.decode()


class Client:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap

    def metadata(self, topic):
        import json

        seen = json.loads(self.run(["-L", "-J", "-t", topic]))
        return {"brokers": len(seen["brokers"]), "partitions": len(seen["topics"][0]["partitions"])}

    def create(self, topic, partitions):
        raise NotOffered("kcat has no create: the topic is auto-created by its first record")

    def produce(self, topic, partition, codec, acks, idempotent, file):
        settings = ["-X", f"acks={acks}", "-X", f"enable.idempotence={str(idempotent).lower()}"]
        if codec != "none":
            settings += ["-z", codec]
        for arguments, records in itertools.groupby(load(file), key=record_arguments):
            self.run(
                ["-P", "-t", topic, "-p", str(partition), *settings, *arguments],
                BETWEEN_RECORDS.join(map(as_input, records)),
            )

    def oversize(self, topic, size):
        try:
            # Only without -q does kcat say why a delivery failed.
            self.run(["-P", "-t", topic, "-p", "0", "-D", BETWEEN_RECORDS.decode()], b"x" * size, quiet=False)
        except Failed as refusal:
            found = re.search(r"Delivery failed for message: (.*)", str(refusal))
            if found is None:
                raise
            return {"refused": found[1].strip()}
        raise Failed("Accepted", f"{size} bytes were accepted")

    def consume(self, topic, partitions, start, count):
        output = self.run(self.reading(topic, partitions, position(start), count))
        return {"records": parse(output)}

    def latest(self, topic, file):
        records = load(file)
        command = self.command(self.reading(topic, [0], "end", len(records)), quiet=False)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as consumer:
            guard = threading.Timer(DEADLINE_S, consumer.kill)
            guard.start()
            try:
                seen = b""
                while (found := re.search(rb"Reached end of topic .* at offset (\d+)", seen)) is None:
                    line = consumer.stderr.readline()
                    if not line:
                        raise Failed("Deadline", f"kcat never reached the end: {seen!r}")
                    seen += line
                self.produce(topic, 0, "none", "all", False, file)
                output, _ = consumer.communicate()
            finally:
                guard.cancel()
        return {"end": int(found[1]), "records": parse(output)}

    def reading(self, topic, partitions, start, count):
        # Without -p kcat reads all partitions.
        where = ["-p", str(partitions[0])] if len(partitions) == 1 else []
        waiting = ["-X", "fetch.wait.max.ms=50"]
        return ["-C", "-u", "-t", topic, *where, *waiting, "-o", start, "-c", str(count), "-f", FORMAT]

    def command(self, arguments, quiet=True):
        return [
            os.fsencode(argument)
            for argument in [
                "kcat",
                *("-b", self.bootstrap),
                *("-X", f"message.max.bytes={OVERSIZE_LIMIT}"),
                *("-X", f"delivery.timeout.ms={DEADLINE_S * 1000}"),
                *(["-q"] if quiet else []),
                *arguments,
            ]
        ]

    def run(self, arguments, given=b"", quiet=True):
        command = self.command(arguments, quiet)
        try:
            done = subprocess.run(command, input=given, capture_output=True, timeout=DEADLINE_S)
        except subprocess.TimeoutExpired as late:
            raise Failed("Deadline", f"kcat did not end within {DEADLINE_S} s: {late.stderr!r}") from late
        if done.returncode != 0:
            raise Failed("kcat", done.stderr.decode(errors="replace"))
        return done.stdout


def record_arguments(record):
    arguments = ["-D", BETWEEN_RECORDS.decode()]
    if record["key"] is not None:
        arguments += ["-K", BETWEEN_KEY_AND_VALUE.decode()]
    if record["value"] is None:
        arguments += ["-Z"]
    for name, value in record["headers"]:
        arguments += ["-H", name if value is None else f"{name}={os.fsdecode(value)}"]
    return arguments


def as_input(record):
    key = b"" if record["key"] is None else record["key"] + BETWEEN_KEY_AND_VALUE
    return key + (record["value"] or b"")


def position(start):
    if start == "earliest":
        return "beginning"
    return str(start["offset"]) if "offset" in start else f"s@{start['timestamp']}"


def parse(output):
    rows = []
    at = 0
    while at < len(output):
        line = output.index(b"\n", at)
        partition, offset, timestamp, key_size, value_size = map(int, output[at:line].split())
        at = line + 1
        key, at = taken(output, at, key_size)
        value, at = taken(output, at, value_size)
        end = output.index(BETWEEN_RECORDS, at)
        rows.append(row(partition, offset, timestamp, key, value, headers(output[at:end])))
        at = end + len(BETWEEN_RECORDS)
    return rows


def taken(output, at, size):
    """kcat prints a size of -1 for null."""
    return (None, at) if size < 0 else (output[at : at + size], at + size)


def headers(text):
    """kcat prints name=value,name=NULL and escapes nothing: the record set has no comma and no NULL in values."""
    if not text:
        return []
    pairs = [item.split(b"=", 1) for item in text.split(b",")]
    return [(name.decode(), None if value == b"NULL" else value) for name, value in pairs]


if __name__ == "__main__":
    serve(Client(sys.argv[1]))
