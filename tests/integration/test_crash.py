"""The gateway process dies under load: what clients see of it, and what is said about it."""
import os
import signal
import statistics
import time
import unittest

from tgtest import Client, TestCase, alone, free_port, scaled, self_signed, wait_until
from tgtest.case import service
from tgtest.gateway import is_sanitized

RESTARTS = "tollgate_worker_restarts_total"


def route(name, **options):
    return dict({"name": name, "match": {"path_prefix": "/"}, "auth": "none", "limits": "none"},
                **options)


HERE = route("all", respond={"status": 200, "body": "here"})


class Crash(TestCase):
    def killed(self, gateway, number=signal.SIGKILL):
        """Kills the gateway process; returns its id."""
        pid = gateway.worker_pid()
        os.kill(pid, number)
        return pid

    def wait_back(self, gateway, pid):
        """Waits until another process than `pid` is ready."""
        def is_back():
            try:
                return gateway.worker_pid() != pid and gateway._is_ready()
            except ValueError:  # no child at the moment
                return False
        wait_until(is_back, 10, "the next gateway process")

    @alone
    def test_kill_9_under_load_is_over_within_100_ms_and_refuses_nobody(self):
        port = free_port()
        load = self.start_load(port, "--tls", connections=64)
        gateway = self.start_gateway({
            "listeners": [{"name": "public", "address": "127.0.0.1:%d" % port,
                           "protocols": ["http/1.1"],
                           "tls": {"certificates": [self_signed()._asdict()]}}],
            "services": [service("origin", "127.0.0.1:%d" % load.origin_port)],
            "routes": [route("all", service="origin")]}, tls=True)
        load.say("open")
        load.event("up")
        load.say("run")
        load.mark()
        times, kills = [], 5
        for _ in range(kills):
            time.sleep(1.1)  # a process that was well for a second is started again at once
            pid = self.killed(gateway)
            began = time.monotonic()
            while True:
                try:
                    with gateway.client() as client:
                        client.get("/")
                        break
                except (OSError, AssertionError):  # accepted by the process that died
                    pass
            times.append(time.monotonic() - began)
            self.wait_back(gateway, pid)
        self.assertLess(min(times), scaled(0.1), times)
        self.assertLess(statistics.median(times), scaled(0.5), times)
        disturbed = load.mark()["errors"]
        self.assertEqual((disturbed["connect"], disturbed["status"], disturbed["length"]),
                         (0, 0, 0), disturbed)
        self.assertLessEqual(disturbed["closed"], 64 * kills)

        def goes_on():
            window = load.mark()
            return window["requests"] > 200 and not any(window["errors"].values())
        wait_until(goes_on, 10, "undisturbed load", 0.2)
        load.say("hold")
        load.event("held")
        self.assertEqual(gateway.metrics()[RESTARTS], kills)
        self.assertEqual(gateway.status()["restarts"], kills)

    @unittest.skipIf(is_sanitized(), "a sanitizer has its own words for faults")
    def test_a_fault_leaves_its_words_in_the_log(self):
        gateway = self.start_gateway({"services": [], "routes": [HERE]})
        for number, name in ((signal.SIGSEGV, "SIGSEGV"), (signal.SIGBUS, "SIGBUS")):
            pid = self.killed(gateway, number)
            self.wait_back(gateway, pid)
            gateway.wait_log("gateway process %d died of signal %d: %s" % (pid, number, name))
        self.assertEqual(gateway.get("/").body, b"here")

    def test_a_broken_file_does_not_keep_a_mended_one_from_starting(self):
        gateway = self.start_gateway({"services": [], "routes": [HERE]})
        gateway.write_config("nonsense: true\n")
        self.killed(gateway)
        wait_until(lambda: 'nonsense' in gateway.stderr(), 5, "the complaint about the file")
        with Client(gateway.port) as client:  # in the backlog of the supervisor's socket
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            gateway.write_config(gateway.config)
            self.assertEqual(client.response().body, b"here")
        wait_until(gateway._is_ready, 10, "readiness")
