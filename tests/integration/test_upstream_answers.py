"""Services that are down, slow, broken or malicious: what the client gets (the contract's table of errors)."""
import socket
import time

from tgtest import ProtocolError, SharedCase, free_port, response_bytes, scaled, wait_until
from tgtest.case import service

OK = b"HTTP/1.1 200 OK\r\n"

INVALID = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "no version": b"200 OK\r\n\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "status 099": b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
    "a control character in the reason": b"HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "bare LF after a field": OK + b"Content-Length: 0\nX-A: b\r\n\r\n",
    "bare CR in a value": OK + b"X-A: b\rc\r\nContent-Length: 0\r\n\r\n",
    "a folded field": OK + b"X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": OK + b"Content-Length : 0\r\n\r\n",
    "a NUL in a value": OK + b"X-A: \0\r\nContent-Length: 0\r\n\r\n",
    "both framings": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "a malformed length": OK + b"Content-Length: 3x\r\n\r\nabc",
    "gzip as Transfer-Encoding": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "identity": OK + b"Transfer-Encoding: identity\r\n\r\nabc",
    "Transfer-Encoding in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "204 with a length": b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc",
    "204 with Transfer-Encoding": b"HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a huge field": OK + b"X-A: " + b"b" * 70000 + b"\r\n\r\n",
    "an endless head": OK + b"X-A: b\r\n" * 20000,
    "an endless reason": b"HTTP/1.1 200 " + b"x" * 100000,
    "101 that nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "endless interim answers": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000,
    "a bad first chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
}

CHUNKS = {
    "a bad size": b"xyz\r\n",
    "no line end behind data": b"3\r\nabcd\r\n",
    "a bare LF": b"3\nabc\r\n",
    "a size too large": b"ffffffffffffffff\r\nabc",
    "a framing field as trailer": b"0\r\nContent-Length: 3\r\n\r\n",
    "a malformed trailer": b"0\r\nX A: 3\r\n\r\n",
}


class Answers(SharedCase):
    service_options = {"timeouts": {"connect": "500ms", "response": "2s", "idle": "2s"}}

    def test_malformed_answers_are_502(self):
        client = self.connect()
        for name, data in INVALID.items():
            for pieces in (1, 2):
                with self.subTest(name, pieces=pieces):
                    def answer(request, connection, data=data, pieces=pieces):
                        half = len(data) // pieces
                        connection.send(data[:half])
                        if pieces > 1:
                            time.sleep(0.01)
                            connection.send(data[half:])
                        connection.hang(5)
                    self.origin.reset(answer)
                    if name == "a bad first chunk" and pieces > 1:
                        continue
                    self.assert_problem(client.get("/"), 502, "upstream_invalid_response")
                    self.assertEqual(len(self.origin.requests), 1)

    def test_the_connection_of_a_malformed_answer_is_not_used_again(self):
        def twice(request, connection):
            if request.target == "/bad":
                connection.send(INVALID["both framings"])
                connection.hang(5)
            return response_bytes(body="good")
        self.origin.answer = twice
        client = self.connect()
        for _ in range(3):
            self.assertEqual(client.get("/bad").status, 502)
            self.assertEqual(client.get("/").body, b"good")

    def test_a_fault_in_the_middle_of_a_body_is_noticed_by_the_client(self):
        for name, data in CHUNKS.items():
            with self.subTest(name):
                def answer(request, connection, data=data):
                    connection.send(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
                    time.sleep(0.02)
                    connection.send(data)
                    connection.hang(5)
                self.origin.reset(answer)
                client = self.connect()
                client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                with self.assertRaises((ProtocolError, ConnectionResetError)):
                    client.response()

    def cut(self, data, reset=False, **options):
        def answer(request, connection):
            connection.send(data)
            time.sleep(0.02)
            connection.reset() if reset else connection.close()
        self.origin.reset(answer)
        return self.gateway.get("/", **options)

    def test_an_answer_cut_in_its_head_is_502(self):
        for reset in (False, True):
            for data in (b"H", b"HTTP/1.1 200 OK\r\n", OK + b"Content-Length: 3\r\n"):
                self.assert_problem(self.cut(data, reset), 502, "upstream_reset")

    def test_no_answer_at_all_is_502(self):
        def nothing(request, connection):
            connection.close()
        for method in ("GET", "POST"):
            self.origin.reset(nothing)
            self.assert_problem(self.gateway.request(method, "/", body="x"), 502, "upstream_reset")

    def test_an_answer_cut_in_its_body_is_noticed_by_the_client(self):
        for reset in (False, True):
            for data in (OK + b"Content-Length: 10\r\n\r\nabc",
                         OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                         OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nab",
                         OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"):
                with self.assertRaises((ProtocolError, ConnectionResetError)):
                    self.cut(data, reset)

    def test_a_1_0_client_notices_a_cut_too(self):
        def answer(request, connection):
            connection.send(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            time.sleep(0.02)
            connection.close()
        self.origin.reset(answer)
        client = self.connect()
        client.send("GET / HTTP/1.0\r\n\r\n")
        client.read_head()
        with self.assertRaises(ConnectionResetError):
            while client._fill():
                pass

    def test_bytes_behind_an_answer_reach_nobody(self):
        self.origin.answer = response_bytes(body="one") + response_bytes(body="two")
        client = self.connect()
        for _ in range(5):
            self.assertEqual(client.get("/").body, b"one")

    def test_a_head_of_50_kib_passes(self):
        self.origin.answer = response_bytes(headers=[("X-%d" % i, "v" * 1000) for i in range(50)])
        self.assertEqual(len(self.gateway.get("/").headers), 53)

    def test_interim_answers_then_nothing_is_a_timeout_or_a_reset(self):
        self.assert_problem(self.cut(b"HTTP/1.1 100 Continue\r\n\r\n"), 502, "upstream_reset")


class Unreachable(SharedCase):
    more_services = [service("nobody", "127.0.0.1:%d" % free_port())]
    more_routes = [{"name": "nobody", "match": {"path_prefix": "/nobody"}, "service": "nobody"}]

    def test_a_refused_connection_is_502(self):
        client = self.connect()
        for body in (None, b"x" * 100, b"x" * 200000):
            self.assert_problem(client.request("POST", "/nobody", body=body), 502,
                                "upstream_unreachable")
            if body and len(body) > 1000:
                break
        self.assertEqual(self.gateway.get("/").status, 200)


class Slow(SharedCase):
    """A service that hangs, at each point of an exchange."""

    service_options = {"timeouts": {"connect": "200ms", "response": "300ms", "idle": "300ms"}}
    more_routes = [{"name": "total", "match": {"path_prefix": "/total"}, "service": "origin",
                    "timeouts": {"total": "400ms", "response": "10s"}},
                   {"name": "patient", "match": {"path_prefix": "/patient"}, "service": "origin",
                    "timeouts": {"response": "5s"}},
                   {"name": "full", "match": {"path_prefix": "/full"}, "service": "full"}]

    @classmethod
    def setUpClass(cls):
        # a listener whose queue is full: further connections are not answered
        cls.full = socket.socket()
        cls.full.bind(("127.0.0.1", 0))
        cls.full.listen(0)
        cls.addClassCleanup(cls.full.close)
        address = cls.full.getsockname()
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(address)
            cls.addClassCleanup(filler.close)
        cls.more_services = [service("full", "127.0.0.1:%d" % address[1], **cls.service_options)]
        super().setUpClass()

    def timed(self, target="/", **options):
        began = time.monotonic()
        response = self.gateway.get(target, **options)
        self.assert_problem(response, 504, "upstream_timeout")
        return time.monotonic() - began

    def test_no_connection_in_time_is_504(self):
        seconds = self.timed("/full")
        self.assertTrue(0.19 < seconds < scaled(1), seconds)

    def test_no_answer_in_time_is_504_and_the_service_is_let_go(self):
        self.origin.answer = lambda request, connection: connection.hang(10)
        seconds = self.timed()
        self.assertTrue(0.29 < seconds < scaled(1), seconds)
        wait_until(lambda: not self.origin.connections or
                   self.origin.connections[-1].closed_by_peer.is_set(), 2, "the end at the service")

    def test_half_a_head_in_time_is_504(self):
        def half(request, connection):
            connection.send(OK + b"Content-")
            connection.hang(10)
        self.origin.answer = half
        self.timed()

    def test_a_route_may_be_more_patient(self):
        def late(request, connection):
            time.sleep(0.6)
            return response_bytes()
        self.origin.answer = late
        self.assertEqual(self.gateway.get("/patient").status, 200)

    def test_the_total_time_counts_from_the_beginning(self):
        def drip(request, connection):
            connection.send(OK + b"Content-Length: 100\r\n\r\n")
            for _ in range(20):
                connection.send(b"x")
                time.sleep(0.1)
        self.origin.answer = drip
        began = time.monotonic()
        with self.assertRaises((ProtocolError, ConnectionResetError)):
            self.gateway.get("/total")
        self.assertTrue(0.39 < time.monotonic() - began < scaled(1))
        self.origin.answer = lambda request, connection: connection.hang(10)
        seconds = self.timed("/total")
        self.assertTrue(0.39 < seconds < scaled(1), seconds)

    def test_a_body_that_stops_is_cut_off(self):
        def stop(request, connection):
            connection.send(OK + b"Content-Length: 100\r\n\r\nabc")
            connection.hang(10)
        self.origin.answer = stop
        began = time.monotonic()
        with self.assertRaises((ProtocolError, ConnectionResetError)):
            self.gateway.get("/")
        self.assertTrue(0.29 < time.monotonic() - began < scaled(1.5))

    def test_a_body_with_progress_may_take_long(self):
        def drip(request, connection):
            connection.send(OK + b"Content-Length: 8\r\n\r\n")
            for _ in range(8):
                time.sleep(0.1)
                connection.send(b"x")
        self.origin.answer = drip
        self.assertEqual(self.gateway.get("/").body, b"x" * 8)

    def test_a_service_that_does_not_take_the_body_is_504(self):
        self.origin.reset(lambda request, connection: time.sleep(2), read_body=False)
        client = self.connect()
        client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n")
        try:
            client.send(b"x" * 10000000)
        except OSError:
            pass
        self.assert_problem(client.response(), 504, "upstream_timeout")
