"""Groups of real clients on a broker that is killed in the middle: see docs/testing.md.

Each client, and each group of several, has a broker and a topic of its own, in which numbered records are written all the
while. In the end each record has been processed, and none twice but those that were read and not committed when their reader
was stopped or lost its partition.
"""

import argparse
import concurrent.futures
import sys
import tempfile
import time

sys.path.insert(0, __file__.rsplit("/", 2)[0])

from broker import Broker  # noqa: E402
from clients import CLIENTS, MIGRATIONS  # noqa: E402
from group import Failed, Group  # noqa: E402

PARTITIONS, GROWN = 6, 8
# They mostly wait, for a session to end or for each other.
AT_A_TIME = 5
# The members of the classic protocol say what the consumer protocol's are told: sessions of 6 s, heartbeats of 500 ms.
SETTINGS = [
    "group.initial.rebalance.delay.ms=200",
    "group.consumer.session.timeout.ms=6000", "group.consumer.min.session.timeout.ms=6000",
    "group.consumer.heartbeat.interval.ms=500", "group.consumer.min.heartbeat.interval.ms=500",
]  # fmt: skip


def lifecycle(group, client):
    """Members join, leave, are killed, are static, come back; the topic grows, the broker is killed, the offsets stay."""
    took = {}
    instance = "fixed" if client.static else None
    first, second, fixed = group.join(client), group.join(client), group.join(client, instance)
    took["join"] = group.divided("three members joined")
    group.leave(first)
    took["leave"] = group.divided("one has left")
    third = group.join(client)
    took["join again"] = group.divided("one has joined")
    group.kill(second)
    took["kill"] = group.divided("one was killed")
    # Before the growth: each member that sees it may ask for a rebalance of its own, also when all is divided.
    if client.static:
        before, had = third.assignments, third.partitions
        # The consumer protocol gives the place of a static member that was killed to nobody before its session ends.
        (group.leave if client.protocol == "consumer" else group.kill)(fixed)
        group.join(client, instance)
        took["static restart"] = group.divided("the static member was stopped and started again")
        if third.assignments != before:
            raise Failed(f"a static member that came back in time made the other rebalance: from {sorted(had)}, {third.assignments - before} "
                         f"assignments, to {sorted(third.partitions)}")  # fmt: skip
    if client.growth:
        group.grow(GROWN)
        if client.growth == "late":
            group.leave(third)
            third = group.join(client)
        took["growth"] = group.divided("the topic has grown")
    group.broker.kill()
    group.broker.start()
    took["broker killed"] = group.reads_on("the broker was killed and started again")
    for one in list(group.members):
        group.leave(one)
    group.join(client, instance)
    took["resume"] = group.reads_on("all have left and one has come")
    return took


def migration(group, old, new):
    """The members go one by one, and each new one comes before; then the same back, the broker killed on both ways."""
    took = {}
    for _ in range(3):
        group.join(old)
    took["join"] = group.divided("three members joined")
    for client, way in [(new, "to the consumer protocol"), (old, "back")]:
        begun = time.monotonic()
        for number, one in enumerate(list(group.members), 1):
            group.join(client)
            group.divided(f"{way}: member {number} has come")
            if number == 2:
                group.broker.kill()
                group.broker.start()
                group.reads_on(f"{way}: the broker was killed and started again")
            group.leave(one)
            group.divided(f"{way}: member {number} has gone")
        took[way] = time.monotonic() - begun
        group.reads_on(f"{way}: all have gone over")
    return took


def run(label, binary):
    with tempfile.TemporaryDirectory() as directory:
        broker = Broker(binary, directory, *SETTINGS)
        broker.start()
        group = Group(label.replace(" ", "-"), broker, PARTITIONS)
        try:
            took = migration(group, *MIGRATIONS[label]) if label in MIGRATIONS else lifecycle(group, CLIENTS[label])
            records, twice = group.judge()
            steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in took.items())
            print(f"{label}: {records} records, each processed, {twice} twice; {steps}", flush=True)
            return True
        except Failed as failed:
            print(f"{label}: FAILED: {failed}", flush=True)
            return False
        finally:
            group.end()
            broker.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--only", default="", help="those whose name contains this")
    given = parser.parse_args()
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        passed = list(pool.map(lambda label: run(label, given.binary), [one for one in [*MIGRATIONS, *CLIENTS] if given.only in one]))
    print(f"{passed.count(True)} passed, {passed.count(False)} failed")
    return 0 if passed and all(passed) else 1


sys.exit(main())
