"""SIGTERM: what runs may end, what is on its way is answered, and nothing takes for ever."""
import threading
import time

from tgtest import Client, ProtocolError, TestCase, response_bytes, scaled, wait_until

REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Drain(TestCase):
    def serve(self, answer=None, **config):
        self.origin = self.start_origin(answer)
        return self.gateway_for(self.origin, tls=True, **dict({"drain_timeout": "20s"}, **config))

    def slow_answer(self):
        self.release = threading.Event()
        self.addCleanup(self.release.set)

        def answer(request, connection):
            self.release.wait(scaled(20))
            return response_bytes(body="late")
        return answer

    def ended(self, gateway, within=10):
        self.assertEqual(gateway.process.wait(scaled(within)), 0)
        gateway.check_sanitizers()

    def test_a_running_request_is_answered_and_its_connection_closed(self):
        gateway = self.serve(self.slow_answer())
        with gateway.client() as client:
            client.send(REQUEST)
            self.origin.wait_requests(1)
            gateway.process.terminate()
            gateway.wait_log("draining")
            self.release.set()
            answer = client.response()
            self.assertEqual((answer.body, answer.header("Connection")), (b"late", "close"))
            self.assertTrue(client.is_closed())
            self.ended(gateway)

    def test_a_request_on_a_connection_that_was_idle_is_answered_with_close(self):
        gateway = self.serve()
        with gateway.client() as used, gateway.client() as unused, \
                Client(gateway.port) as bare:
            self.assertIsNone(used.get("/").header("Connection"))
            gateway.process.terminate()
            gateway.wait_log("draining")
            for client in (used, unused):
                self.assertEqual(client.get("/").header("Connection"), "close")
                self.assertTrue(client.is_closed())
            self.assertTrue(bare.is_closed())  # it never said a word
            self.ended(gateway)

    def test_idle_connections_do_not_hold_it_up(self):
        gateway = self.serve()
        with gateway.client() as client:
            client.get("/")
            began = time.monotonic()
            gateway.process.terminate()
            self.ended(gateway)
            self.assertLess(time.monotonic() - began, scaled(5))
            self.assertTrue(client.is_closed())

    def test_clients_that_obey_see_no_failure(self):
        gateway = self.serve()
        answered, failures = [0] * 8, []

        def ask(number):
            try:
                with gateway.client() as client:
                    while client.get("/").header("Connection") != "close":
                        answered[number] += 1
            except Exception as error:  # shown by the test
                failures.append(repr(error))
        threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        wait_until(lambda: min(answered) > 5, 10, "requests of everybody")
        gateway.process.terminate()
        for thread in threads:
            thread.join(scaled(10))
        self.assertEqual(failures, [])
        self.ended(gateway)

    def test_a_stream_without_end_is_cut_at_drain_timeout(self):
        def answer(request, connection):
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not connection.closed_by_peer.is_set() and not self.origin.stopping.is_set():
                connection.send("1\r\nx\r\n")
                time.sleep(0.02)
        gateway = self.serve(answer, drain_timeout="600ms")
        with gateway.client() as client:
            client.send(REQUEST)
            client.read_head()
            client.read_chunk()
            began = time.monotonic()
            gateway.process.terminate()
            with self.assertRaises((ProtocolError, OSError)):
                while True:
                    self.assertEqual(set(client.read_chunk()), set(b"x"))  # never the end of the body
            self.ended(gateway)
            self.assertGreater(time.monotonic() - began, 0.5)
            self.assertLess(time.monotonic() - began, 0.6 + scaled(2))

    def test_drain_delay_says_no_to_ready_while_listeners_still_accept(self):
        gateway = self.serve(drain_delay="600s")
        gateway.process.terminate()
        wait_until(lambda: gateway.admin("GET", "/ready").status == 503, 5, "unreadiness")
        self.assertEqual(gateway.get("/").status, 200)
        self.assertEqual(gateway.admin("GET", "/health").status, 200)
        self.assertTrue(gateway.status()["draining"])
        gateway.process.terminate()  # a second one: at once
        self.ended(gateway)

    def test_drain_delay_ends_by_itself(self):
        gateway = self.serve(drain_delay="200ms")
        began = time.monotonic()
        gateway.process.terminate()
        self.ended(gateway)
        self.assertGreaterEqual(time.monotonic() - began, 0.19)

    def test_a_reload_while_it_drains_is_nothing(self):
        gateway = self.serve(self.slow_answer())
        with gateway.client() as client:
            client.send(REQUEST)
            self.origin.wait_requests(1)
            gateway.process.terminate()
            gateway.wait_log("draining")
            gateway.process.send_signal(1)
            gateway.process.send_signal(1)
            self.release.set()
            self.assertEqual(client.response().body, b"late")
            self.ended(gateway)
