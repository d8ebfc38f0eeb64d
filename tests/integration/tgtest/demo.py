"""Starts one of the five demo services (tools/demo)."""
import subprocess

from .gateway import build_path
from .system import stop_process


class Demo:
    """A running demo service; options as on its command line, e.g. slow_ms=50."""

    def __init__(self, service, **options):
        command = [build_path("demo"), "--service", service, "--port", "0"]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("the demo service %s did not start" % service)
        self.port = int(line.rsplit(":", 1)[1])
        self.address = "127.0.0.1:%d" % self.port

    def stop(self):
        status = stop_process(self.process)
        self.process.stdout.close()
        if status != 0:
            raise AssertionError("demo ended with %d" % status)
