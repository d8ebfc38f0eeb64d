"""The load generator as an object: tools/bench/load.c and its commands."""
import json
import os
import select
import subprocess
import time

from . import procs


class Load:
    """One load process: its client sends to `port`, its origin listens on `self.origin_port`."""

    def __init__(self, binary, case, port, path, connections, place, log):
        self.log = log
        self.pending = b""
        self.origin_port = None
        command = [binary, "--port", port, "--connections", connections, "--path", path,
                   "--answer-bytes", case.answer_bytes, "--upload-bytes", case.upload_bytes]
        command += ["--tls"] * case.tls + ["--fresh"] * case.fresh
        self.process = procs.start(command, place, log, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, bufsize=0)
        try:
            self.origin_port = self.expect("origin", 5)["port"]
        except procs.Failed:
            self.stop()
            raise

    def say(self, command):
        self.process.stdin.write(command.encode() + b"\n")

    def expect(self, event, seconds):
        """Reads until the event comes and returns it."""
        deadline = time.monotonic() + seconds
        while True:
            line, newline, rest = self.pending.partition(b"\n")
            if newline:
                self.pending = rest
                message = json.loads(line)
                if message["event"] == event:
                    return message
                continue
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self.process.stdout], [], [], left)[0]
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                raise procs.Failed("the load generator did not reach '%s' in %g s%s" % (
                    event, seconds, ": " + procs.tail(self.log) if procs.tail(self.log) else ""))
            self.pending += data

    def open(self, seconds=60):
        """Makes the connections and proves each with one request."""
        self.say("open")
        try:
            self.expect("up", seconds)
        except procs.Failed as failure:
            raise procs.Failed("%s; errors: %s" % (failure, self.mark()["errors"])) from None

    def hold(self):
        self.say("hold")
        self.expect("held", 30)

    def mark(self):
        """What happened since the last mark."""
        self.say("mark")
        return self.expect("window", 10)

    def stop(self):
        self.process.stdin.close()
        procs.stop(self.process)
        self.process.stdout.close()


def merge(windows):
    """The windows of several generators as one: counts added, the worst time of each quantile."""
    if len(windows) == 1:
        return windows[0]
    merged = {"seconds": max(w["seconds"] for w in windows)}
    for key in ("cpu_seconds", "requests", "origin_requests", "origin_connections"):
        merged[key] = sum(w[key] for w in windows)
    for key in ("p50_us", "p99_us", "p999_us", "max_us"):
        merged[key] = max(w[key] for w in windows)
    merged["errors"] = {kind: sum(w["errors"][kind] for w in windows)
                        for kind in windows[0]["errors"]}
    return merged
