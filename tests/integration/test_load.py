"""Reloads, many of them and large ones, while requests run: nobody notices.

TG_LONG=1 runs the load for a minute with 256 connections.
"""
import os
import time

from tgtest import TestCase, free_port, scaled, self_signed, wait_until
from tgtest.case import service

LONG = bool(os.environ.get("TG_LONG"))
CONNECTIONS = 256 if LONG else 64


def route(name, path="/", **options):
    return dict({"name": name, "match": {"path_prefix": path}, "service": "origin", "auth": "none",
                 "limits": "none"}, **options)


class UnderLoad(TestCase):
    timeout_s = 180 if LONG else 60

    def start_loaded(self, routes, *options):
        """A gateway with the load generator's requests running through it."""
        port = free_port()
        self.load = self.start_load(port, "--tls", *options, connections=CONNECTIONS)
        self.origin = service("origin", "127.0.0.1:%d" % self.load.origin_port,
                              connections={"idle_timeout": "300s", "idle_per_worker": 256})
        self.gateway = self.start_gateway({
            "listeners": [{"name": "public", "address": "127.0.0.1:%d" % port,
                           "protocols": ["http/1.1"],
                           "tls": {"certificates": [self_signed()._asdict()]}}],
            "services": [self.origin], "routes": routes}, tls=True)
        self.load.say("open")
        self.load.event("up")
        self.load.say("run")
        self.windows = [self.load.mark()]

    def wait_answers(self, count):
        """Waits until so many more answers came."""
        seen = []

        def enough():
            self.windows.append(self.load.mark())
            seen.append(self.windows[-1]["requests"])
            return sum(seen) >= count
        wait_until(enough, 30, "%d answers" % count, 0.02)

    def check_undisturbed(self):
        """No request failed, no connection was closed, none to the service made twice."""
        self.load.say("hold")
        self.load.event("held")
        self.windows.append(self.load.mark())
        for window in self.windows:
            self.assertFalse(any(window["errors"].values()), window)
        handshakes = sum(v for k, v in self.gateway.metrics().items()
                         if k.startswith("tollgate_tls_handshakes_total"))
        self.assertEqual(handshakes, CONNECTIONS)
        self.assertLessEqual(sum(w["origin_connections"] for w in self.windows), CONNECTIONS)

    def test_20_reloads_disturb_no_request_and_no_connection(self):
        self.start_loaded([route("all")])
        began = time.monotonic()
        for number in range(20):
            self.wait_answers(200)
            self.gateway.reload(dict(self.gateway.config, routes=[
                route("r%d" % number, response_headers={"set": {"X-Number": str(number)}})]))
            while LONG and time.monotonic() - began < 3 * number:
                self.wait_answers(1000)
        self.wait_answers(200)
        self.check_undisturbed()
        self.assertEqual(self.gateway.get("/").header("X-Number"), "19")

    def test_10000_routes_are_loaded_while_requests_run(self):
        self.start_loaded([route("all")])
        many = [route("all")] + [route("r%d" % i, "/r/%d" % i) for i in range(10000)]
        for routes in (many, many[::-1], [route("all")]):
            self.gateway.write_config(dict(self.gateway.config, routes=routes))
            generation = self.gateway.status()["config_generation"]
            self.gateway.process.send_signal(1)
            wait_until(lambda: self.gateway.status()["config_generation"] > generation, 20,
                       "the reload")
            self.wait_answers(200)
        self.check_undisturbed()
        slowest = max(w["max_us"] for w in self.windows)
        self.assertLess(slowest, scaled(1e6))
