"""Processes: starting and stopping them, and reading what they used from /proc."""
import contextlib
import ctypes
import dataclasses
import os
import pathlib
import resource
import signal
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1


class Failed(Exception):
    """A peer or the load generator did not do its part; the text says which and why."""


def raise_descriptor_limit():
    """Lets this process and its children open as many files as the machine allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (65536, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            return limit
        except (ValueError, OSError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@dataclasses.dataclass(frozen=True)
class Place:
    """Where and with which priority a process and its children run."""
    cpus: tuple
    nice: int = 0

    def take(self):
        """Puts the calling process there; a negative `nice` needs root."""
        os.sched_setaffinity(0, self.cpus)
        if self.nice:
            os.setsid()  # its own group for the scheduler, which shares CPUs between groups first
            os.setpriority(os.PRIO_PROCESS, 0, self.nice)
            with contextlib.suppress(OSError):
                pathlib.Path("/proc/self/autogroup").write_text(str(self.nice))


def start(command, place, log, **options):
    """Starts a command with its output in the file `log`; it dies with us."""
    libc = ctypes.CDLL(None)

    def prepare():
        place.take()
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    with open(log, "ab") as out:
        options.setdefault("stdout", out)
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([str(word) for word in command], stderr=out, preexec_fn=prepare,
                                **options)


def stop(process, seconds=5):
    """Ends a process that `start` began: politely, then not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            for pid in reversed(tree(process.pid)):
                kill(pid)
    process.wait()


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def tree(pid):
    """A process and all its descendants, parents first."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for parent in found:
        found += parents.get(parent, [])
    return found


class Cpu:
    """CPU time of some processes: nanoseconds in all, and ticks of user and system time."""

    def __init__(self, pids):
        self.ns = self.user = self.system = 0
        for pid in pids:
            for task in pathlib.Path("/proc/%d/task" % pid).iterdir():
                try:
                    self.ns += int((task / "schedstat").read_text().split()[0])
                    fields = (task / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                self.user += int(fields[11])
                self.system += int(fields[12])

    def since(self, before):
        """(seconds in all, share of it in user space) since an earlier reading."""
        user, system = self.user - before.user, self.system - before.system
        return (self.ns - before.ns) / 1e9, user / max(1, user + system)


def cores_busy_seconds(cpus):
    """Time that these CPUs were not idle, or that the hypervisor kept from us, since the boot."""
    names = {"cpu%d" % cpu for cpu in cpus}
    busy = 0
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        name, _, rest = line.partition(" ")
        if name in names:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, rest.split()[:8])
            busy += user + nice + system + irq + softirq + steal
    return busy / TICK


def pss_kib(pids):
    """Proportional set size of some processes."""
    total = 0
    for pid in pids:
        for line in pathlib.Path("/proc/%d/smaps_rollup" % pid).read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


def tail(log, lines=5):
    try:
        return " | ".join(pathlib.Path(log).read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def wait_for(condition, seconds, step=0.02):
    """Whether `condition` came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(step)
    return False
