"""The clients of the groups, and how one of their members is started."""

import itertools
import os
import pathlib
import sys

INTEROP = pathlib.Path(__file__).resolve().parent.parent
ROOT = INTEROP.parent.parent
INSTALLED = ROOT / "target" / "interop"


class Client:
    def __init__(self, *program, protocol="classic", static=True, growth="seen"):
        self.program, self.protocol, self.static, self.growth = program, protocol, static, growth

    def command(self, bootstrap, group, topic, name, instance):
        return [*self.program, bootstrap, group, topic, name, *([instance] if instance else [])]


class Mixed(Client):
    """One group of several clients, which take turns: the members number 1, 3, 5 are of one, 2, 4, 6 of the other."""

    def __init__(self, *clients):
        super().__init__()
        self.turns = itertools.cycle(clients)

    def command(self, *arguments):
        return next(self.turns).command(*arguments)


def protocol(variant):
    return "consumer" if variant == "consumer" else "classic"


def python(client, variant="classic", **lacks):
    return Client(sys.executable, "-B", INTEROP / "python" / "member.py", client, variant, protocol=protocol(variant), **lacks)


def java(version, variant="classic"):
    # A short-lived client is quicker without the second compiler.
    libs = INSTALLED / f"java-{version}"
    flags = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m"]
    return Client("java", *flags, "-cp", f"{libs}/*:{libs}", "Member", variant, protocol=protocol(variant))


def go(client, variant="classic", **lacks):
    return Client(INSTALLED / "go-clients", "member", client, variant, protocol=protocol(variant), **lacks)


def node(client, variant="classic", **lacks):
    home = INSTALLED / "node"
    return Client(home / "node_modules" / ".bin" / "node", home / "member.js", client, variant, protocol=protocol(variant), **lacks)


def ours(variant="classic"):
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return Client(target / "debug" / "group_member", variant, protocol=protocol(variant))


# The members of a client are started by a line here: another program that says what python/member.py does, and its arguments.
# "consumer" is the protocol of KIP-848. "classic" is the client's own choice of assignors: range for ours, librdkafka, Java,
# sarama and the clients in Python, cooperative-sticky for franz-go, round-robin for those in JavaScript.
CLIENTS = {
    "highwater": ours(),
    "highwater cooperative": ours("cooperative"),
    "highwater consumer": ours("consumer"),
    "java-4.4 consumer": java("4.4", "consumer"),
    "java-4.4": java("4.4"),
    "java-4.4 cooperative": java("4.4", "cooperative"),
    "java-3.9": java("3.9"),
    "confluent-kafka": python("confluent-kafka"),
    "confluent-kafka cooperative": python("confluent-kafka", "cooperative"),
    "confluent-kafka consumer": python("confluent-kafka", "consumer"),
    # A static leader that came back is not told that it leads (before JoinGroup 9, KIP-814), so that nobody looks for growth
    # before the next rebalance.
    "kafka-python": python("kafka-python", growth="late"),
    "aiokafka": python("aiokafka", growth="late"),
    "franz-go": go("franz-go"),
    # Its static member leaves without its instance id, which brokers refuse (InstanceId can't be null), Apache's as well.
    "franz-go consumer": go("franz-go", "consumer", static=False),
    "sarama": go("sarama", growth="late"),
    "sarama cooperative": go("sarama", "cooperative", growth="late"),
    # KafkaJS has no static members.
    "kafkajs": node("kafkajs", static=False),
    # The leader of a classic group assigns by metadata that it looks at when it likes, also in a rebalance after the growth. Of the
    # consumer protocol it takes partitions of a topic that has grown before its metadata has them, and ends with a TypeError, and
    # its static member leaves for good (epoch -1).
    "platformatic": node("platformatic", growth=None),
    "platformatic consumer": node("platformatic", "consumer", growth=None, static=False),
}

CLIENTS["java-4.4 and confluent-kafka"] = Mixed(CLIENTS["java-4.4"], CLIENTS["confluent-kafka"])

# Groups that go from the classic protocol to the consumer protocol and back, member by member.
MIGRATIONS = {
    f"{client} migration": (CLIENTS[client], CLIENTS[f"{client} consumer"]) for client in ("java-4.4", "confluent-kafka")
}
