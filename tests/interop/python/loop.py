"""The command loop every client program runs: one JSON request per line in, one JSON answer per line out.

A client is an object with a method per operation; driver.py documents the operations. What goes wrong inside
one answers {"error": name, "message": text} and the loop goes on.
"""

import json
import os
import sys
import time

DEADLINE_S = 20
OVERSIZE_LIMIT = 8 << 20
"""What a client's own limits are raised to, so that it is the broker that refuses."""


class NotOffered(Exception):
    """The client has no such feature; the text says why, for the table."""


class Failed(Exception):
    """An operation failed with the client's own error name."""

    def __init__(self, name, message):
        super().__init__(message)
        self.name = name


def serve(client):
    # A library that prints must not end up between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(answer(client, json.loads(line))) + "\n")
        answers.flush()


def answer(client, request):
    operation = request.pop("op")
    try:
        return getattr(client, operation)(**request) or {}
    except NotOffered as reason:
        return {"na": str(reason)}
    except Failed as failure:
        return {"error": failure.name, "message": str(failure)}
    except Exception as failure:
        return {"error": type(failure).__name__, "message": str(failure)}


class Deadline:
    def __init__(self, what):
        self.what = what
        self.end = time.monotonic() + DEADLINE_S

    def left(self):
        left = self.end - time.monotonic()
        if left <= 0:
            raise Failed("Deadline", f"{self.what}: not within {DEADLINE_S} s")
        return left


def load(file):
    """The records of a file, as dicts of bytes."""
    with open(file) as source:
        records = json.load(source)
    return [
        {
            "key": unhex(record["key"]),
            "value": unhex(record["value"]),
            "headers": [(name, unhex(value)) for name, value in record["headers"]],
            "timestamp": record.get("timestamp"),
        }
        for record in records
    ]


def row(partition, offset, timestamp, key, value, headers):
    """A consumed record as it is answered."""
    return {
        "partition": partition,
        "offset": offset,
        "timestamp": timestamp,
        "key": tohex(key),
        "value": tohex(value),
        "headers": [[name, tohex(item)] for name, item in headers],
    }


def unhex(text):
    return None if text is None else bytes.fromhex(text)


def tohex(data):
    return None if data is None else bytes(data).hex()
