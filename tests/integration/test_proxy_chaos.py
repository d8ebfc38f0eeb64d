"""Everything at once: clients and services that do anything at any time, and reloads under it. What must
hold: nothing crashes, whole answers are right, and nothing is left at the end (checked by every test)."""
import os
import random
import threading
import time

from tgtest import Client, ProtocolError, TestCase, response_bytes, scaled, self_signed
from tgtest.case import service

SEED = int(os.environ.get("TG_SEED", "1"))
SECONDS = float(os.environ.get("TG_CHAOS", "4"))


class Rude:
    """A service; its handlers run in threads, each with its own dice."""

    def __init__(self, seed):
        self.seed = seed

    def __call__(self, request, connection):
        dice = random.Random("%s %s %d" % (self.seed, request.target, len(connection.raw)))
        what = dice.randrange(14)
        body = b"<%s>" % request.target.encode() * dice.choice((1, 50, 20000))
        counted = response_bytes(body=body)
        if what == 0:
            return connection.reset()
        if what == 1:
            return connection.close()
        if what == 2:
            connection.send(counted[:dice.randrange(len(counted))])
            return connection.reset() if dice.random() < .5 else connection.close()
        if what == 3:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
            return connection.close()
        if what == 4:
            time.sleep(dice.random() * 0.05)
        if what == 5:
            connection.send(counted)
            return connection.close()
        connection.read_body(request)
        if what == 6:
            connection.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        if what == 7:
            connection.send(b"HTTP/1.1 200 OK\r\n\r\n" + body)
            return connection.close()
        if what >= 11:
            half = len(body) // 2
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n"
                            % (half, body[:half]))
            time.sleep(dice.random() * 0.01)
            if what == 11:
                return connection.close()
            connection.send(b"%x\r\n%s\r\n0\r\nX-T: 1\r\n\r\n" % (len(body) - half, body[half:]))
            return None
        return counted


class Chaos(TestCase):
    def setUp(self):
        super().setUp()
        origin = self.start_origin(Rude(SEED), read_body=False)
        secure = self.start_origin(Rude(SEED), read_body=False, tls=self_signed())
        timeouts = {"connect": "500ms", "response": "500ms", "idle": "500ms"}
        self.config = {
            "workers": 2, "drain_timeout": "2s",
            "client_limits": {"header_timeout": "300ms", "body_timeout": "300ms",
                              "idle_timeout": "300ms", "body_bytes": "200KiB"},
            "telemetry": {"access_log": {"path": "access.log"}},
            "services": [service("plain", origin, timeouts=timeouts),
                         service("secure", secure, timeouts=timeouts, tls={"verify": False})],
            "routes": [dict({"auth": "none", "limits": "none"}, **r) for r in (
                {"name": "plain", "match": {"path_prefix": "/p"}, "service": "plain"},
                {"name": "secure", "match": {"path_prefix": "/s"}, "service": "secure"},
                {"name": "here", "match": {"path_prefix": "/h"}, "respond": {"status": 204}})],
        }
        self.failures = []
        self.answers = 0

    def message(self, dice, target):
        """A request's bytes; good, or broken in some way."""
        what = dice.randrange(10)
        body = b"b" * dice.choice((0, 1, 1000, 70000, 300000))
        if what < 5:
            return b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % target
        if what < 7:
            return b"PUT %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
                target, len(body), body)
        if what < 9:
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in
                              (body[i:i + 999] for i in range(0, len(body), 999)))
            return (b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%s0\r\n"
                    b"X-T: 1\r\n\r\n" % (target, chunks))
        return dice.choice((b"GET %s HTTP/1.1\r\n\r\n", b"GET %s HTTP/1.1\r\nHost : x\r\n\r\n",
                            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx",
                            b"GET %s HTTP/1.0\r\n\r\n")) % target

    def connection(self, dice, number):
        with Client(self.gateway.port, tls=self.gateway.tls, timeout=5) as client:
            for i in range(dice.randrange(1, 6)):
                targets = [b"/%s/%d/%d/%d" % (dice.choice((b"p", b"p", b"s", b"h")), number, i, k)
                           for k in range(dice.choice((1, 1, 1, 3)))]
                data = b"".join(self.message(dice, t) for t in targets)
                how = dice.randrange(8)
                if how == 0:
                    data = data[:dice.randrange(len(data))]
                if how == 1 and len(data) < 3000:
                    for at in range(0, len(data), 100):
                        client.send(data[at:at + 100])
                        time.sleep(0.0005)
                else:
                    client.send(data)
                if how == 2:
                    return client.reset()
                if how <= 3:
                    return None
                for target in targets:
                    response = client.response()
                    self.answers += 1
                    if response.status == 200 and set(response.body.split(b"<")[1:]) != {target + b">"}:
                        self.failures.append((target, response.body[:100]))
        return None

    def client(self, number, end):
        dice = random.Random("%d client %d" % (SEED, number))
        while time.monotonic() < end:
            number += 1000
            try:
                self.connection(dice, number)
            except (ProtocolError, OSError):
                pass  # cut off, as it may be

    def run_chaos(self, tls):
        self.gateway = self.start_gateway(self.config, tls=tls)
        end = time.monotonic() + SECONDS
        threads = [threading.Thread(target=self.client, args=(n, end)) for n in range(16)]
        for thread in threads:
            thread.start()
        generation = self.gateway.status()["config_generation"]
        while time.monotonic() < end - 1:
            time.sleep(0.3)
            self.gateway.reload()
        for thread in threads:
            thread.join(scaled(30))
        self.assertEqual(self.failures, [])
        self.assertGreater(self.answers, 50)
        self.gateway.check_idle()
        self.assertNotIn("ended", self.gateway.stderr())
        self.assertGreater(self.gateway.status()["config_generation"], generation)

    def test_plain(self):
        self.run_chaos(tls=False)

    def test_tls(self):
        self.run_chaos(tls=True)
