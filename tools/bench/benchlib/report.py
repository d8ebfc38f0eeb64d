"""From samples to figures, tables and the verdict on the gates."""
import dataclasses
import statistics

RATE_COLUMNS = (
    ("peer", "%-22s"), ("us/req", "%8s"), ("user", "%7s"), ("sys", "%7s"), ("x nginx", "%8s"),
    ("x relay", "%8s"), ("req/s", "%8s"), ("p50 ms", "%8s"), ("p99 ms", "%8s"), ("busy", "%6s"),
    ("load", "%6s"), ("PSS MiB", "%8s"), ("errors", "%7s"), ("clean", "%7s"))
IDLE_COLUMNS = (("peer", "%-22s"), ("KiB/conn", "%9s"), ("x nginx", "%8s"), ("x relay", "%8s"),
                ("PSS MiB", "%8s"), ("conns", "%7s"), ("errors", "%7s"))


def preferred(samples):
    """The clean samples if there are two at least (or no others), else all that were taken."""
    taken = [one for one in samples if one]
    clean = [one for one in taken if one["clean"]]
    return clean if len(clean) >= min(2, len(taken)) else taken


def median(samples, key):
    values = [one[key] for one in samples if key in one]
    return statistics.median(values) if values else None


def paired_ratio(samples, others, key):
    """Median over the rounds of a figure divided by the other peer's in the same round."""
    pairs = [(a, b) for a, b in zip(samples, others) if a and b and b[key] > 0]
    clean = [(a, b) for a, b in pairs if a["clean"] and b["clean"]]
    pairs = clean if len(clean) >= 2 else pairs
    return statistics.median(a[key] / b[key] for a, b in pairs) if pairs else None


def summarise(case, samples):
    """{label: figures} of a case; ratios to the first entrant where nginx takes no part."""
    key = "kib_per_connection" if case.idle else "cpu_us"
    figures = {}
    for label, own in samples.items():
        used = preferred(own)
        if not used:
            continue
        figures[label] = {name: median(used, name) for name in used[0]
                          if isinstance(used[0][name], (int, float)) and name != "clean"}
        figures[label]["errors"] = sum(one["errors"] for one in own if one)
        figures[label]["clean"] = sum(one["clean"] for one in own if one)
        figures[label]["taken"] = sum(1 for one in own if one)
        for other in samples:
            ratio = paired_ratio(own, samples[other], key)
            if ratio is not None:
                figures[label]["x_" + other] = ratio
            rate = not case.idle and paired_ratio(own, samples[other], "rps")
            if rate:
                figures[label]["rate_x_" + other] = rate
    return figures


def number(value, form="%.2f"):
    return "-" if value is None else form % value


def rate_row(label, f):
    return (label, number(f["cpu_us"]), number(f["user_us"]), number(f["sys_us"]),
            number(f.get("x_nginx")), number(f.get("x_relay")), number(f["rps"], "%.0f"),
            number(f["p50_us"] / 1e3), number(f["p99_us"] / 1e3), "%.0f%%" % (f["busy"] * 100),
            "%.0f%%" % (f["load_busy"] * 100), number(f["pss_kib"] / 1024, "%.1f"),
            "%d" % f["errors"], "%d/%d" % (f["clean"], f["taken"]))


def idle_row(label, f):
    return (label, number(f["kib_per_connection"]), number(f.get("x_nginx")),
            number(f.get("x_relay")), number(f["pss_kib"] / 1024, "%.1f"),
            "%d" % f["connections"], "%d" % f["errors"])


def table(case, figures, notes):
    """The case as text."""
    if not figures:
        notes = notes or ["none of the chosen peers takes part"]
        return "\n".join(["", "%s: %s" % (case.name, case.title)] + skipped(notes))
    columns, row = (IDLE_COLUMNS, idle_row) if case.idle else (RATE_COLUMNS, rate_row)
    form = " ".join(width for _, width in columns)
    lines = ["", "%s: %s" % (case.name, case.title), form % tuple(name for name, _ in columns)]
    lines += [form % row(label, f) for label, f in figures.items()]
    return "\n".join(lines + skipped(notes))


def skipped(notes):
    return ["skipped  %s" % note for note in notes]


@dataclasses.dataclass(frozen=True)
class Gate:
    """What must hold of the gateway: a figure of an entrant of a case, at most (or least) so much."""
    case: str
    entrant: str
    figure: str
    gate: float
    goal: float
    least: bool = False
    cpus: int = 1            # on fewer the figure says nothing

    def judge(self, value):
        return value >= self.gate if self.least else value <= self.gate


GATES = [
    Gate("h1-plain", "tollgate", "x_nginx", 0.90, 0.78),
    Gate("h1-tls", "tollgate", "x_nginx", 0.85, 0.70),
    Gate("tls-512", "tollgate", "x_nginx", 0.75, 0.60),
    Gate("tls-2000", "tollgate", "x_nginx", 0.75, 0.60),
    Gate("tls-new", "tollgate", "x_nginx", 1.00, 0.90),
    Gate("tls-1mib", "tollgate", "x_nginx", 1.00, 0.85),
    Gate("tls-upload-64k", "tollgate", "x_nginx", 1.00, 0.85),
    Gate("idle-10k", "tollgate", "kib_per_connection", 14.0, 12.0),
    Gate("routes", "tollgate/10000-routes", "x_tollgate/10-routes", 1.05, 1.00),
    Gate("workers-2", "tollgate/2-workers", "rate_x_tollgate/1-worker", 1.9, 1.95, True, 4),
]


def verdicts(results, cpus):
    """[(gate, value, verdict)] for the gates of the cases that ran; verdict: ok | MISSED | indicative."""
    found = []
    for gate in GATES:
        if gate.case not in results:
            continue
        figures = results[gate.case]["figures"].get(gate.entrant, {})
        value = figures.get(gate.figure)
        good = value is not None and gate.judge(value) and figures["errors"] == 0
        indicative = value is not None and cpus < gate.cpus
        found.append((gate, value, "indicative" if indicative else "ok" if good else "MISSED"))
    return found


def gates_table(found):
    form = "%-16s %-45s %9s %9s %9s  %s"
    lines = ["", form % ("gate", "figure", "value", "gate", "goal", "")]
    for gate, value, verdict in found:
        sign = ">=" if gate.least else "<="
        lines.append(form % (gate.case, gate.entrant + " " + gate.figure.replace("_", " "),
                             number(value), sign + " %.2f" % gate.gate, sign + " %.2f" % gate.goal,
                             verdict))
    return "\n".join(lines)
