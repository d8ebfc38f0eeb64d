"""The program under test: configured in a temporary folder, started, watched and stopped."""
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile

from . import certs
from .client import Client
from .system import TIME_FACTOR, free_port, scaled, stop_process, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SANITIZER_REPORT = re.compile(
    r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|ThreadSanitizer:|runtime error:")

RELOAD_REFUSED = "the configuration was not reloaded"


def gateway_path():
    return os.environ.get("TG_GATEWAY", os.path.join(ROOT, "build", "release", "tollgate"))


def build_path(program):
    """A program of the same build as the gateway."""
    return os.path.join(os.path.dirname(gateway_path()), program)


def is_sanitized():
    """Whether the gateway is a sanitizer's build, whose memory tells nothing."""
    version = subprocess.run([gateway_path(), "-V"], stdout=subprocess.PIPE, check=True).stdout
    return b"asan=yes" in version or b"tsan=yes" in version


def unprivileged_user():
    """Whom the gateway process should run as: it may not stay root."""
    return "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name


def ready_config(config, tls=False):
    """A dict with what every test needs filled in: user, listener `public`, admin, short drain."""
    config = dict(config)
    config.setdefault("user", unprivileged_user())
    config.setdefault("drain_timeout", "%dms" % (2000 * TIME_FACTOR))
    config.setdefault("admin", {"address": "127.0.0.1:%d" % free_port()})
    if "listeners" not in config:
        listener = {"name": "public", "address": "127.0.0.1:%d" % free_port()}
        if tls:
            listener["tls"] = {"certificates": [certs.self_signed()._asdict()]}
            listener["protocols"] = ["http/1.1"]
        config["listeners"] = [listener]
    return config


class Gateway:
    """A running gateway.

    `config` is a dict (completed by ready_config) or text, YAML or JSON, which may use
    ${env:TG_PORT}, ${env:TG_ADMIN_PORT} and ${env:TG_USER}. With start=False nothing runs yet.
    """

    def __init__(self, config, tls=False, env=None, start=True):
        self.folder = tempfile.mkdtemp(prefix="tollgate-test-")
        os.chmod(self.folder, 0o755)
        self.process = None
        self.tls = tls
        self.env = dict(os.environ, **(env or {}))
        if isinstance(config, dict):
            config = ready_config(config, tls)
            self.ports = {l["name"]: _port_of(l["address"]) for l in config["listeners"]}
            self.port = next(iter(self.ports.values()))
            self.admin_port = _port_of(config["admin"]["address"])
        else:
            self.port, self.admin_port = free_port(), free_port()
            self.ports = {"public": self.port}
            self.env.update(TG_PORT=str(self.port), TG_ADMIN_PORT=str(self.admin_port),
                            TG_USER=unprivileged_user())
        self.config = config
        self.file = os.path.join(self.folder, "gateway.yaml")
        self.write_config(config)
        if start:
            self.start()

    def path(self, name):
        """A path in the gateway's own folder."""
        return os.path.join(self.folder, name)

    def write_config(self, config):
        """Replaces the configuration file, atomically as an operator would."""
        text = json.dumps(config, indent=2) if isinstance(config, dict) else config
        with open(self.file + ".new", "w") as out:
            out.write(text)
        os.chmod(self.file + ".new", 0o644)
        os.rename(self.file + ".new", self.file)

    def check(self):
        """Runs `tollgate -t`; returns (exit status, everything printed)."""
        done = subprocess.run([gateway_path(), "-t", "-c", self.file], env=self.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=scaled(20))
        return done.returncode, done.stdout

    def start(self, wait=True):
        """Starts the master process and waits until /ready says yes."""
        with open(self.path("stdout"), "ab") as out, open(self.path("stderr"), "ab") as err:
            self.process = subprocess.Popen([gateway_path(), "-c", self.file], stdout=out,
                                            stderr=err, stdin=subprocess.DEVNULL, env=self.env)
        if wait:
            self.wait_ready()

    def wait_ready(self, seconds=10):
        try:
            wait_until(self._is_ready, seconds, "the gateway's readiness")
        except AssertionError as error:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            raise AssertionError("%s\n%s" % (error, self.stderr()[-4000:])) from None

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError("tollgate ended with %d" % self.process.returncode)
        try:
            return self.admin("GET", "/ready").status == 200
        except OSError:
            return False

    def worker_pid(self):
        """The process id of the gateway process."""
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as listing:
            [pid] = listing.read().split()
        return int(pid)

    def client(self, tls=None, port=None, **options):
        """A new connection to the (first) listener."""
        return Client(port or self.port, tls=self.tls if tls is None else tls, **options)

    def get(self, target, headers=(), **options):
        """GET on a connection of its own."""
        return self.request("GET", target, headers, **options)

    def request(self, method, target, headers=(), body=None, **options):
        """One request on a connection of its own."""
        with self.client(**options) as client:
            return client.request(method, target, headers, body)

    def admin(self, method, target, headers=(), body=None):
        """One request to the admin API."""
        with Client(self.admin_port, timeout=5) as client:
            return client.request(method, target, headers, body)

    def status(self):
        return self.admin("GET", "/v1/status").json()

    def metrics(self):
        """Samples as {'name{label="x"}': value}."""
        samples = {}
        for line in self.admin("GET", "/metrics").body.decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples

    def reload(self, config=None):
        """SIGHUP, with a new configuration if given; waits for config_generation to rise."""
        before = self.status()["config_generation"]
        if config is not None:
            self.write_config(config)
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.status()["config_generation"] > before, 5, "the reload")

    def reload_refused(self, config=None):
        """SIGHUP, with a new configuration if given; waits until it is refused."""
        refusals = self.stderr().count(RELOAD_REFUSED)
        if config is not None:
            self.write_config(config)
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.stderr().count(RELOAD_REFUSED) > refusals, 5, "the refusal")
        wait_until(lambda: not self.status()["config"]["last_reload_ok"], 5, "the refusal's end")

    def stderr(self):
        with open(self.path("stderr"), errors="replace") as log:
            return log.read()

    def access_log(self):
        """The lines of the access log on stdout, parsed."""
        with open(self.path("stdout")) as log:
            return [json.loads(line) for line in log if line.startswith("{")]

    def wait_log(self, text, seconds=5):
        """Waits until `text` stands in the error log."""
        wait_until(lambda: text in self.stderr(), seconds, "%r in the log" % text)

    def check_idle(self):
        """Nothing may be left of the requests once their clients are gone."""
        wait_until(lambda: self.status()["live_requests"] == 0, 5, "live_requests = 0")

    def check_sanitizers(self):
        text = self.stderr()
        if SANITIZER_REPORT.search(text):
            raise AssertionError("a sanitizer reported:\n" + text[-8000:])

    def stop(self, expect_status=0):
        """Ends the gateway with the checks of every test: idle, exit status, sanitizers silent."""
        try:
            if self.process is None:
                return
            if self.process.poll() is None:
                self.check_idle()
            status = stop_process(self.process, 15)
            self.check_sanitizers()
            if status != expect_status:
                raise AssertionError("tollgate ended with %d\n%s" % (status, self.stderr()[-4000:]))
        finally:
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            shutil.rmtree(self.folder, ignore_errors=True)


def _port_of(address):
    text = address.rsplit(":", 1)[-1]
    return int(text) if text.isdigit() else None
