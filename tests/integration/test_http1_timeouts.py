"""Clients that are slow, silent or gone, and how long the gateway has patience with them."""
import threading
import time

from tgtest import ProtocolError, SharedCase, scaled, wait_until

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


class Impatience(SharedCase):
    config = {"client_limits": {"header_timeout": "300ms", "body_timeout": "300ms",
                                "idle_timeout": "300ms", "body_bytes": "1GiB"}}

    def assert_408(self, client, began):
        response = client.response()
        self.assert_problem(response, 408, "request_timeout")
        self.assertEqual(response.header("Connection"), "close")
        self.assertTrue(client.is_closed())
        self.assertGreater(time.monotonic() - began, 0.28)

    def test_a_head_that_does_not_end_is_408_however_it_trickles(self):
        for trickle in (False, True):
            began = time.monotonic()
            client = self.connect()
            client.send(b"GET / HTTP/1.1\r\n")
            while trickle and time.monotonic() < began + 0.25:
                client.send(b"X-A: b\r\n")
                time.sleep(0.05)
            self.assert_408(client, began)
        self.assertEqual(self.origin.requests, [])

    def test_a_body_that_stops_is_408(self):
        for head, part in ((b"Content-Length: 10\r\n\r\n", b"abc"),
                           (b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n"),
                           (b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nab")):
            began = time.monotonic()
            client = self.connect()
            client.send(HEAD + head + part)
            self.assert_408(client, began)
        self.assertEqual(self.origin.requests, [])

    def test_a_body_that_never_begins_is_408(self):
        began = time.monotonic()
        client = self.connect()
        client.send(HEAD + b"Content-Length: 10\r\n\r\n")
        self.assert_408(client, began)

    def test_a_slow_body_with_progress_is_fine(self):
        client = self.connect()
        client.send(HEAD + b"Content-Length: 8\r\n\r\n")
        for _ in range(8):
            time.sleep(0.1)
            client.send(b"x")
        self.assertEqual(client.response().status, 200)

    def test_an_idle_connection_closes_without_a_word(self):
        client = self.connect()
        client.get("/")
        began = time.monotonic()
        self.assertTrue(client.is_closed())
        self.assertGreater(time.monotonic() - began, 0.28)

    def test_a_connection_without_a_request_closes_without_a_word(self):
        self.assertTrue(self.connect().is_closed())

    def test_the_idle_time_begins_with_each_answer(self):
        client = self.connect()
        for _ in range(4):
            client.get("/")
            time.sleep(0.15)
        self.assertEqual(client.get("/").status, 200)

    def test_a_service_may_take_longer_than_the_client_may(self):
        def slow(request, connection):
            time.sleep(0.7)
            return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.origin.answer = slow
        client = self.connect()
        self.assertEqual(client.get("/").body, b"ok")
        self.assertEqual(client.request("POST", "/", body="x").body, b"ok")

    def test_a_client_that_stops_reading_is_cut_off_and_the_service_too(self):
        size = 64 << 20

        def long(request, connection):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            try:
                for _ in range(size >> 20):
                    connection.send(b"x" * (1 << 20))
            except OSError:
                connection.closed_by_peer.set()
                raise
        self.origin.answer = long
        client = self.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.origin.wait_requests(1)
        wait_until(lambda: self.origin.connections[-1].closed_by_peer.is_set(), 5, "the cut")
        with self.assertRaises((ProtocolError, ConnectionResetError)):
            client.response()

    def test_a_slow_reader_with_progress_gets_everything(self):
        size = 24 << 20
        self.origin.answer = (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
        client = self.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        client.read_head()
        left = size - len(client.buffer)
        while left:
            left -= len(client.socket.recv(min(left, 2 << 20)))
            time.sleep(0.02)
        self.assertEqual(left, 0)


class Departures(SharedCase):
    """A client that leaves ends what was asked of the service for it."""

    config = {"client_limits": {"body_bytes": "1GiB"}}

    def leaves(self, how, message):
        began = []

        def hang(request, connection):
            began.append(connection)
            connection.hang(20)
        self.origin.reset(hang, read_body=False)
        client = self.connect()
        client.send(message)
        wait_until(lambda: began, 5, "the request at the service")
        how(client)
        at = time.monotonic()
        wait_until(began[0].closed_by_peer.is_set, 5, "the end at the service")
        self.assertLess(time.monotonic() - at, scaled(0.5))

    def test_closing_or_resetting_while_an_answer_is_awaited(self):
        for how in (lambda c: c.close(), lambda c: c.reset(), lambda c: c.shutdown_write()):
            self.leaves(how, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    def test_leaving_with_a_pipelined_request_behind(self):
        self.leaves(lambda c: c.close(), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2)

    def test_leaving_in_the_middle_of_the_body(self):
        for how in (lambda c: c.close(), lambda c: c.reset()):
            self.leaves(how, HEAD + b"Content-Length: 10\r\n\r\nabc")
            self.leaves(how, HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")

    def test_a_reset_while_the_service_does_not_take_the_body(self):
        release = threading.Event()
        self.addCleanup(release.set)
        self.origin.reset(lambda request, connection: release.wait(20) and connection.close(),
                          read_body=False)
        client = self.connect(timeout=0.3)
        with self.assertRaises(TimeoutError):
            client.send(HEAD + b"Content-Length: 64000000\r\n\r\n" + b"x" * 64000000)
        client.reset()
        wait_until(lambda: self.gateway.status()["live_requests"] == 0, 2, "the end")

    def test_leaving_in_the_middle_of_the_answer(self):
        for how in (lambda c: c.close(), lambda c: c.reset()):
            ended = []

            def endless(request, connection):
                connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
                try:
                    while not self.origin.stopping.is_set():
                        connection.send(b"x" * 1000)
                        time.sleep(0.005)
                except OSError:
                    ended.append(time.monotonic())
                    raise
            self.origin.reset(endless)
            client = self.connect()
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            client.read_head()
            at = time.monotonic()
            how(client)
            wait_until(lambda: ended, 5, "the end at the service")
            self.assertLess(ended[0] - at, scaled(0.5))

    def test_they_are_counted_and_logged_as_499(self):
        self.leaves(lambda c: c.close(), b"GET /gone HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: any('code="499"' in name for name in self.gateway.metrics()), 2, "499")
