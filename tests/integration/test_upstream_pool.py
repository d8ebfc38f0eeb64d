"""Connections to services are kept and used again, and never the reason for a 502."""
import threading
import time

from tgtest import SharedCase, response_bytes, wait_until


def closing(request, connection):
    """Answers as if the connection would stay, and closes it."""
    connection.send(response_bytes())
    connection.close()


class Counting(SharedCase):
    def setUp(self):
        super().setUp()
        self.fresh()

    def alive(self):
        return [c for c in self.origin.connections
                if not c.closed_by_peer.is_set() and c.socket.fileno() >= 0]

    def fresh(self, answer=None, **options):
        """Has every pooled connection closed, so that what is counted begins at 0."""
        self.origin.reset(response_bytes(headers=[("Connection", "close")]))

        def none_left():
            if self.alive():
                self.gateway.get("/")
            return not self.alive()
        wait_until(none_left, 5, "the end of the pooled connections")
        self.origin.forget_connections()
        self.origin.reset(answer, **options)


class Reuse(Counting):
    def test_requests_share_one_connection(self):
        for i in range(10):
            body = None if i % 2 else "x" * i
            self.gateway.request("POST" if body else "GET", "/", body=body)
        self.assertEqual(len(self.origin.connections), 1)

    def test_answers_of_every_framing_keep_the_connection(self):
        client = self.connect()
        for answer in (response_bytes(), response_bytes(body="x" * 300000),
                       b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                       b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n\r\n",
                       b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx"):
            self.origin.answer = answer
            client.get("/")
        client.request("HEAD", "/")
        self.assertEqual(len(self.origin.connections), 1)

    def test_parallel_requests_have_connections_of_their_own(self):
        barrier = threading.Barrier(5, timeout=10)

        def together(request, connection):
            barrier.wait()
            return response_bytes()
        self.origin.answer = together
        clients = [self.connect() for _ in range(5)]
        for _ in range(3):
            for client in clients:
                client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual([c.response().status for c in clients], [200] * 5)
        self.assertEqual(len(self.origin.connections), 5)

    def test_a_connection_that_the_service_will_close_is_not_kept(self):
        for answer in (response_bytes(headers=[("Connection", "close")]),
                       b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"):
            self.fresh(answer)
            for i in range(3):
                self.gateway.get("/")
                self.assertEqual(len(self.origin.connections), i + 1)

    def test_the_connection_of_a_client_that_left_is_not_used_again(self):
        self.fresh(lambda request, connection: connection.hang(5))
        client = self.connect()
        client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.origin.wait_requests(1)
        client.close()
        wait_until(lambda: self.origin.connections[0].closed_by_peer.is_set(), 5, "the end")
        self.origin.answer = response_bytes()
        self.assertEqual(self.gateway.get("/").status, 200)
        self.assertEqual(len(self.origin.connections), 2)

    def test_an_answer_before_the_body_was_sent_ends_the_connection(self):
        self.fresh(lambda request, connection: response_bytes(403), read_body=False)
        client = self.connect()
        client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nabc")
        self.assertEqual(client.response().status, 403)
        self.fresh()
        self.assertEqual(self.gateway.get("/").status, 200)


class Stale(Counting):
    """The service closed a connection that the gateway kept."""

    def repeatable(self, client, i):
        method = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")[i % 5]
        if method != "PUT":
            return client.request(method, "/")
        client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n" + "abcde"[:i % 3])
        if i % 2:
            time.sleep(0.001)
        client.send("abcde"[i % 3:])
        return client.response()

    def test_closed_right_after_each_answer(self):
        self.origin.answer = lambda request, connection: closing(request, connection)
        client = self.connect()
        for i in range(200):
            self.assertEqual(self.repeatable(client, i).status, 200, i)

    def test_closed_after_a_moment(self):
        def later(request, connection):
            connection.send(response_bytes())
            time.sleep(0.0003 * (request.connection.number % 7))
            connection.close()
        self.origin.answer = later
        client = self.connect()
        for i in range(200):
            self.assertEqual(self.repeatable(client, i).status, 200, i)

    def test_closed_or_reset_when_the_next_request_arrives(self):
        def once(request, connection):
            if getattr(connection, "used", False):
                return connection.reset() if connection.number % 2 else connection.close()
            connection.used = True
            return response_bytes(body=request.body)
        self.origin.answer = once
        client = self.connect()
        for i in range(100):
            response = self.repeatable(client, i)
            self.assertEqual(response.status, 200, i)
            if i % 5 == 3:
                self.assertEqual(response.body, b"abcde")

    def test_a_body_that_was_sent_in_part_is_sent_again_whole(self):
        def second(request, connection):
            if not getattr(connection, "used", False):
                connection.used = True
                connection.read_body(request)
                return response_bytes(body=request.body)
            connection.take(3)
            return connection.reset()
        self.fresh(second, read_body=False)
        client = self.connect()
        for body in ("first", "x" * 1000, "y" * 60000):
            client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body))
            client.send(body[:3])
            time.sleep(0.02)
            client.send(body[3:])
            self.assertEqual(client.response().body, body.encode())

    def test_the_once_more_happens_only_once(self):
        self.gateway.get("/")
        self.origin.answer = lambda request, connection: connection.close()
        self.assert_problem(self.gateway.get("/"), 502, "upstream_reset")
        self.assertEqual(len(self.origin.requests), 3)

    def test_half_an_answer_is_not_asked_for_again(self):
        self.gateway.get("/")

        def half(request, connection):
            connection.send(b"HTTP/1.1 2")
            connection.close()
        self.origin.answer = half
        self.assert_problem(self.gateway.get("/"), 502, "upstream_reset")
        self.assertEqual(len(self.origin.requests), 2)

    def test_what_may_not_be_repeated_is_not(self):
        self.gateway.get("/")
        self.origin.answer = lambda request, connection: connection.close()
        self.assert_problem(self.gateway.request("POST", "/", body="x"), 502, "upstream_reset")
        self.assertEqual(len(self.origin.requests), 2)

    def test_what_may_not_be_repeated_goes_only_on_young_connections(self):
        self.gateway.get("/")
        self.gateway.request("POST", "/", body="x")
        self.gateway.request("PATCH", "/", body="x")
        self.assertEqual(len(self.origin.connections), 1)
        time.sleep(1.1)
        self.gateway.request("POST", "/", body="x")
        self.assertEqual(len(self.origin.connections), 2)
        time.sleep(1.1)
        self.gateway.get("/")
        self.assertEqual(len(self.origin.connections), 2)

    def test_a_body_too_long_to_be_kept_goes_only_on_young_connections(self):
        self.gateway.get("/")
        time.sleep(1.1)
        self.assertEqual(self.gateway.request("PUT", "/", body="x" * 100000).status, 200)
        self.assertEqual(len(self.origin.connections), 2)

    def test_unasked_bytes_end_an_idle_connection(self):
        def chatty(request, connection):
            connection.send(response_bytes(body="one"))
            time.sleep(0.02)
            connection.send(response_bytes(408, body="idle too long"))
        self.fresh(chatty)
        client = self.connect()
        for _ in range(3):
            self.assertEqual(client.get("/").body, b"one")
            wait_until(lambda: not self.alive(), 5, "the end of the connection")
        self.assertEqual(len(self.origin.connections), 3)


class Bounds(Counting):
    service_options = {"connections": {"idle_per_worker": 2, "idle_timeout": "400ms"}}

    def test_idle_ones_close_after_their_time(self):
        self.gateway.get("/")
        self.assertEqual(len(self.alive()), 1)
        wait_until(lambda: not self.alive(), 2, "the end of the idle connection")

    def test_no_more_idle_ones_than_allowed(self):
        barrier = threading.Barrier(6, timeout=10)

        def together(request, connection):
            barrier.wait()
            return response_bytes()
        self.origin.answer = together
        clients = [self.connect() for _ in range(6)]
        for client in clients:
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        for client in clients:
            client.response()
        wait_until(lambda: len(self.alive()) <= 2, 1, "only two idle connections")

    def test_the_services_own_timeout_less_a_second_counts_if_shorter(self):
        for seconds, kept in ((1, False), (0, False), (2, True), (100, True)):
            self.fresh(response_bytes(headers=[("Keep-Alive", "max=5, timeout=%d" % seconds)]))
            self.gateway.get("/")
            self.gateway.get("/")
            self.assertEqual(len(self.origin.connections), 1 if kept else 2, seconds)


class MaxRequests(Counting):
    service_options = {"connections": {"max_requests": 3, "idle_timeout": "10s"}}

    def test_a_connection_serves_no_more_requests_than_allowed(self):
        for _ in range(9):
            self.gateway.get("/")
        self.assertEqual(len(self.origin.connections), 3)

    def test_the_services_own_timeout_is_obeyed(self):
        self.fresh(response_bytes(headers=[("Keep-Alive", "timeout=2")]))
        self.gateway.get("/")
        began = time.monotonic()
        wait_until(lambda: self.origin.connections[0].closed_by_peer.is_set(), 4, "the end")
        self.assertLess(time.monotonic() - began, 1.8)
