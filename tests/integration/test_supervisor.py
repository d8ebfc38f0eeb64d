"""Two processes: what the supervisor does when it or the gateway process is signalled or dies."""
import os
import signal
import socket
import threading
import time

from tgtest import Client, TestCase, alone, response_bytes, scaled, wait_until

REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as listing:
        return [int(word) for word in listing.read().split()]


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class SupervisorCase(TestCase):
    def setUp(self):
        super().setUp()
        self.origin = self.start_origin()
        self.gateway = self.gateway_for(self.origin, drain_timeout="10s")

    def worker(self):
        """The gateway process's id."""
        [pid] = children(self.gateway.process.pid)
        return pid

    def killed(self, number=signal.SIGKILL):
        """Kills the gateway process and waits until it is gone; returns when it was killed."""
        pid = self.worker()
        began = time.monotonic()
        os.kill(pid, number)
        wait_until(lambda: not is_alive(pid), 5, "the death of the gateway process", 0.001)
        return began

    def start_slow_request(self):
        """A request whose answer waits for self.release; returns its client."""
        self.release = threading.Event()

        def answer(request, connection):
            self.release.wait(scaled(20))
            return response_bytes(body="late")
        self.origin.answer = answer
        self.addCleanup(self.release.set)
        client = self.gateway.client()
        self.addCleanup(client.close)
        before = len(self.origin.requests)
        client.send(REQUEST)
        self.origin.wait_requests(before + 1)
        return client

    def refuses_connections(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.gateway.port)) != 0


class Crash(SupervisorCase):
    @alone
    def test_it_serves_again_within_100_ms_of_kill_9(self):
        self.assertEqual(self.gateway.get("/").status, 200)
        times = []
        for _ in range(3):
            time.sleep(1.1)  # a process that was well for a second is started again at once
            began = self.killed()
            with self.gateway.client() as client:
                client.send(REQUEST)
                self.assertEqual(client.response().status, 200)
            times.append(time.monotonic() - began)
        self.assertLess(min(times), scaled(0.1))
        wait_until(self.gateway._is_ready, 5, "readiness")
        self.assertEqual(self.gateway.metrics()["tollgate_worker_restarts_total"], 3)

    def test_connections_made_while_nobody_accepts_are_served(self):
        supervisor = self.gateway.process
        supervisor.send_signal(signal.SIGSTOP)
        self.killed()
        clients = [Client(self.gateway.port) for _ in range(50)]
        for client in clients:
            client.send(REQUEST)
        supervisor.send_signal(signal.SIGCONT)
        for client in clients:
            self.assertEqual(client.response().status, 200)
            client.close()

    def test_the_last_words_of_the_gateway_process_are_logged(self):
        self.killed(signal.SIGABRT)
        self.gateway.wait_log("died of signal 6: SIGABRT")
        self.assertIn("error.stack_trace", self.gateway.stderr())
        wait_until(self.gateway._is_ready, 5, "readiness")

    def test_a_gateway_process_that_hangs_is_replaced(self):
        pid = self.worker()
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: not is_alive(pid), 30, "the end of a hanging process", 0.1)
        self.gateway.wait_log("gives no sign of life: SIGABRT")
        wait_until(self.gateway._is_ready, 5, "readiness")


class Stop(SupervisorCase):
    def test_sigterm_lets_requests_finish(self):
        client = self.start_slow_request()
        self.gateway.process.terminate()
        wait_until(self.refuses_connections, 5, "the end of listening")
        self.assertIsNone(self.gateway.process.poll())
        self.release.set()
        self.assertEqual(client.response().body, b"late")
        self.assertEqual(self.gateway.process.wait(scaled(5)), 0)

    def test_a_second_sigterm_ends_it_at_once(self):
        client = self.start_slow_request()
        self.gateway.process.terminate()
        wait_until(self.refuses_connections, 5, "the end of listening")
        self.gateway.process.terminate()
        self.assertEqual(self.gateway.process.wait(scaled(4)), 0)
        self.assertTrue(client.is_closed())

    def test_a_signal_to_the_gateway_process_alone_is_nothing(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(self.worker(), number)
        self.assertEqual(self.gateway.get("/").status, 200)

    def test_the_gateway_process_ends_with_its_supervisor_but_not_before_its_requests(self):
        client = self.start_slow_request()
        pid = self.worker()
        self.gateway.process.kill()
        self.gateway.process.wait()
        wait_until(self.refuses_connections, 5, "the end of listening")
        self.release.set()
        self.assertEqual(client.response().body, b"late")
        wait_until(lambda: not is_alive(pid), 5, "the end of the gateway process")
        self.gateway.process = None  # it did not end with status 0, as stop() would ask


class Signals(SupervisorCase):
    def test_sighup_is_passed_on(self):
        pid = self.worker()
        self.gateway.reload()
        self.assertEqual(self.worker(), pid)
        self.assertEqual(self.gateway.get("/").status, 200)

    def test_sighup_while_nobody_is_there_is_not_lost(self):
        self.gateway.process.send_signal(signal.SIGSTOP)
        self.killed()
        self.gateway.process.send_signal(signal.SIGHUP)
        self.gateway.process.send_signal(signal.SIGCONT)
        wait_until(self.gateway._is_ready, 5, "readiness")
        self.assertEqual(self.gateway.get("/").status, 200)
