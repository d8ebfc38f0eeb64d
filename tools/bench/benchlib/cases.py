"""The cases: what is sent through the peers, and who takes part."""
import dataclasses

from . import peers

PATH = "/api/v1/tenants/acme/items/12345?expand=owner&limit=20"


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    title: str
    tls: bool = True
    connections: int = 64
    answer_bytes: int = 1024
    upload_bytes: int = 0
    fresh: bool = False      # each request on a new connection
    idle: bool = False       # measures memory of connections that wait, not requests
    variants: tuple = ()     # gateway only, in these forms: (suffix, workers, routes)
    loads: int = 1           # load generators that share the connections
    spread: bool = False     # all take what CPUs they like
    rounds_max: int = 1000


@dataclasses.dataclass(frozen=True)
class Entrant:
    """A peer in one form; the label names it in the report."""
    label: str
    peer: peers.Peer
    workers: int = 1
    routes: int = 0

    @property
    def path(self):
        if not self.routes:
            return PATH
        return peers.route_prefix(self.routes - 1) + "/items/12345?expand=owner&limit=20"


CASES = [
    Case("h1-plain", "HTTP/1.1 plain, 64 keep-alive connections", tls=False),
    Case("h1-tls", "HTTP/1.1 over TLS 1.3, 64 keep-alive connections"),
    Case("tls-512", "TLS, 512 connections", connections=512),
    Case("tls-2000", "TLS, 2,000 connections", connections=2000),
    Case("tls-new", "a new TLS connection per request, full handshakes", fresh=True),
    Case("tls-1mib", "TLS, 1 MiB answers", connections=16, answer_bytes=1 << 20),
    Case("tls-upload-64k", "TLS, 64 KiB uploads", connections=32, upload_bytes=65536),
    Case("idle-10k", "memory of 10,000 idle TLS connections", connections=10000, idle=True,
         rounds_max=2),
    Case("routes", "10 and 10,000 prefix routes, the last one hit", tls=False,
         variants=(("10-routes", 1, 10), ("10000-routes", 1, 10000))),
    Case("workers-2", "1 and 2 workers, all on the same CPUs as the load", tls=False, loads=2,
         spread=True, variants=(("1-worker", 1, 0), ("2-workers", 2, 0))),
]


def entrants(case, chosen):
    """Who takes part in a case, of the chosen peers."""
    if not case.variants:
        return [Entrant(peer.name, peer) for peer in chosen]
    return [Entrant("%s/%s" % (peer.name, suffix), peer, workers, routes)
            for peer in chosen if peer.name == "tollgate"
            for suffix, workers, routes in case.variants]
