"""Ports, time and processes: what depends on the machine that the tests run on."""
import os
import random
import socket
import subprocess
import time

# How much slower than a release build on an idle machine things may be.
TIME_FACTOR = (float(os.environ.get("TG_TIME_FACTOR", "1"))
               * min(3.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))))

# A port is ours for the life of this process while we hold its name in the abstract namespace.
_reservations = []


def scaled(seconds):
    """A bound in seconds, stretched for slow builds (TG_TIME_FACTOR) and busy machines."""
    return seconds * TIME_FACTOR


def _reserve(port):
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind("\0tollgate-test-port-%d" % port)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        name.close()
        return False
    _reservations.append(name)
    return True


def free_port():
    """A port below the ephemeral range on which nothing listens, told to no other test."""
    while True:
        port = random.randrange(10000, 32768)
        if _reserve(port):
            return port


def wait_until(condition, seconds=5, what="condition", interval=0.01):
    """Returns the first true value of condition(); AssertionError after (scaled) seconds."""
    deadline = time.monotonic() + scaled(seconds)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("%s did not happen within %.1f s" % (what, scaled(seconds)))
        time.sleep(interval)


def stop_process(process, seconds=10):
    """SIGTERM, then SIGKILL after (scaled) seconds; returns the exit status."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(scaled(seconds))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError("%s did not stop within %.1f s" % (process.args[0], scaled(seconds)))
