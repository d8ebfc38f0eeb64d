"""The project's load generator (tools/bench/load), for tests that need many requests at a time."""
import json
import subprocess

from .gateway import build_path
from .system import scaled


class Load:
    """The load generator against a port: each connection sends its next request when the last one is
    answered. It is its own origin, on origin_port."""

    def __init__(self, port, *options, connections=4):
        command = [build_path("tools/bench/load"), "--port", str(port), "--connections",
                   str(connections), *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        self.origin_port = self.event("origin")["port"]

    def say(self, command):
        self.process.stdin.write(command + "\n")

    def event(self, name):
        for line in self.process.stdout:
            message = json.loads(line)
            if message["event"] == name:
                return message
        raise AssertionError("the load generator ended before '%s'" % name)

    def mark(self):
        self.say("mark")
        return self.event("window")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(scaled(10))
        self.process.stdout.close()
