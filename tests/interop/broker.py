"""A broker of a test's own, which can be killed and started again at the same address."""

import itertools
import json
import pathlib
import random
import socket
import subprocess
import threading

# Below what Linux gives to outgoing connections: one of these would take the port of a broker that is away.
PORTS = itertools.count(random.randrange(20000, 30000))
lock = threading.Lock()


def free_port():
    with lock:
        for port in PORTS:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) != 0:
                    return port


class Broker:
    def __init__(self, binary, directory, *settings):
        self.log = pathlib.Path(directory) / "log"
        self.address = f"127.0.0.1:{free_port()}"
        self.command = [
            binary, "serve", "--json", "--dir", pathlib.Path(directory) / "data", "--kafka", self.address,
            "--http", "127.0.0.1:0", *(word for setting in settings for word in ("-D", setting)),
        ]  # fmt: skip

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the broker does not start: {self.log.read_text()[-1000:]}")
        self.address = json.loads(line)["kafka"]

    def kill(self):
        self.process.kill()
        self.process.wait()
