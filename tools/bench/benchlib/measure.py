"""One sample: a fresh peer and a fresh load generator, one burst, everything read around it."""
import contextlib
import dataclasses
import mmap
import os
import pathlib
import shutil
import tempfile
import time

from . import cases, load, peers, procs

WARM_BYTES = 384 << 20
FOREIGN_MAX = 0.05  # of the proxy's core; above it a sample counts as disturbed


@dataclasses.dataclass
class Bench:
    """What holds for a whole run."""
    tools: pathlib.Path      # where the load generator is
    folder: pathlib.Path     # certificate, configurations, logs
    seconds: float = 1.5
    warmup: float = 0.3
    retries: int = 1         # of a disturbed sample
    nice: int = 0            # of peers and load
    connections_max: int = 19000
    keep: bool = False       # each sample's folder with configuration and logs

    def places(self, case):
        """(the proxy's, the load's): a CPU each, or shared when the case says so."""
        every = tuple(sorted(os.sched_getaffinity(0)))
        if case.spread:
            proxy, load_ = (every[:2], every[2:]) if len(every) >= 4 else (every, every)
        else:
            proxy, load_ = every[:1], every[1:2] or every
        return procs.Place(proxy, self.nice), procs.Place(load_, self.nice)


@contextlib.contextmanager
def running(bench, case, entrant):
    """A peer and its load generators: yields (process, port, loads), nothing opened yet."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=entrant.label.replace("/", "-") + "-",
                                           dir=bench.folder))
    folder.chmod(0o777)  # the peers' workers are not root
    proxy_place, load_place = bench.places(case)
    port = peers.free_port()
    with contextlib.ExitStack() as stack:
        if not bench.keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)  # logs grow by the second
        loads = []
        for i in range(case.loads):
            count = case.connections // case.loads
            loads.append(load.Load(bench.tools / "load", case, port, entrant.path, count,
                                   load_place, folder / ("load%d" % i)))
            stack.callback(loads[-1].stop)
        setting = peers.Setting(folder, port, [one.origin_port for one in loads], case.tls,
                                entrant.workers, entrant.routes)
        process = entrant.peer.start(setting, proxy_place)
        stack.callback(procs.stop, process)
        wait_ready(case, entrant, process, port, folder)
        yield process, port, loads


def wait_ready(case, entrant, process, port, folder):
    def ready():
        return process.poll() is not None or probe(case, entrant, port)

    came = procs.wait_for(ready, 15)
    if process.poll() is not None or not came:
        what = "ended with status %s" % process.poll() if came else "does not answer with 200"
        raise procs.Failed("%s %s: %s" % (entrant.label, what, procs.tail(folder / "output")))


def probe(case, entrant, port):
    return peers.answers(port, case.tls, entrant.path, case.upload_bytes)


def mark(loads):
    return load.merge([one.mark() for one in loads])


def warm_pages():
    """A virtual machine's free pages may not be backed by its host: the first use of each costs
    microseconds, which whoever writes a log would pay. Touched and freed, they are there."""
    pages = mmap.mmap(-1, WARM_BYTES)
    for at in range(0, WARM_BYTES, mmap.PAGESIZE):
        pages[at] = 1
    pages.close()


def sample_rate(bench, case, entrant):
    """CPU time per request, rate and latency of one burst."""
    cpus = bench.places(case)[0].cpus
    with running(bench, case, entrant) as (process, _port, loads):
        for one in loads:
            one.open()
        warm_pages()
        for one in loads:
            one.say("run")
        time.sleep(bench.warmup)
        pids = procs.tree(process.pid)
        mark(loads)
        cpu, busy = procs.Cpu(pids), procs.cores_busy_seconds(cpus)
        time.sleep(bench.seconds)
        window = mark(loads)
        used, user_share = procs.Cpu(pids).since(cpu)
        foreign = procs.cores_busy_seconds(cpus) - busy - used
        if procs.tree(process.pid) != pids:
            raise procs.Failed("%s: its processes changed during the burst" % entrant.label)
        return rate_figures(window, used, user_share, foreign, procs.pss_kib(pids))


def rate_figures(window, used, user_share, foreign, pss):
    requests = window["requests"]
    if not requests:
        raise procs.Failed("no request was answered: %s" % window["errors"])
    per_request = used / requests * 1e6
    return {
        "cpu_us": per_request, "user_us": per_request * user_share,
        "sys_us": per_request * (1 - user_share), "rps": requests / window["seconds"],
        "p50_us": window["p50_us"], "p99_us": window["p99_us"],
        "busy": used / window["seconds"], "load_busy": window["cpu_seconds"] / window["seconds"],
        "foreign": max(0.0, foreign / window["seconds"]), "pss_kib": pss,
        "upstream_connections": window["origin_connections"],
        "errors": sum(window["errors"].values()),
        "error_kinds": {kind: n for kind, n in window["errors"].items() if n},
    }


def sample_idle(bench, case, entrant):
    """Memory per connection that was answered once and waits."""
    count = min(case.connections, bench.connections_max)
    case = dataclasses.replace(case, connections=count)
    with running(bench, case, entrant) as (process, port, loads):
        for _ in range(50):
            probe(case, entrant, port)
        time.sleep(0.3)
        pids = procs.tree(process.pid)
        before = procs.pss_kib(pids)
        loads[0].open(120)
        time.sleep(1)
        after = procs.pss_kib(pids)
        window = mark(loads)
        return {"kib_per_connection": (after - before) / count, "connections": count,
                "pss_kib": after, "foreign": 0.0, "errors": sum(window["errors"].values()),
                "error_kinds": {kind: n for kind, n in window["errors"].items() if n}}


def sample(bench, case, entrant):
    """A sample; one that was disturbed is taken again while there are retries, the best is kept."""
    best = None
    for _ in range(1 + bench.retries):
        one = (sample_idle if case.idle else sample_rate)(bench, case, entrant)
        one["clean"] = case.spread or one["foreign"] <= FOREIGN_MAX
        if not best or one["errors"] or one["foreign"] < best["foreign"]:
            best = one
        if best["clean"] or one["errors"]:
            break
    return best


def run_case(bench, case, chosen, rounds, tell):
    """All rounds of a case: {label: [sample or None per round]}, and notes of what failed."""
    runners = cases.entrants(case, chosen)
    samples = {entrant.label: [] for entrant in runners}
    notes = []
    for turn in range(min(rounds, case.rounds_max)):
        shift = turn % max(1, len(runners))
        for entrant in runners[shift:] + runners[:shift]:
            if any(note.startswith(entrant.label + ":") for note in notes):
                samples[entrant.label].append(None)
                continue
            tell("%s  round %d of %d  %s" % (case.name, turn + 1, rounds, entrant.label))
            try:
                samples[entrant.label].append(sample(bench, case, entrant))
            except procs.Failed as failure:
                samples[entrant.label].append(None)
                notes.append("%s: %s" % (entrant.label, failure))
    return samples, notes
