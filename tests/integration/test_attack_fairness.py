"""One client or service that sends as fast as it is read does not keep a worker from the others."""
import socket
import threading
import time

from tgtest import TestCase, scaled

ENDLESS = 1 << 40
BLOCK = b"x" * (1 << 20)


def drain(sock):
    """Reads until the peer closes."""
    room = bytearray(1 << 20)
    try:
        while sock.recv_into(room):
            pass
    except OSError:
        pass


class Fairness(TestCase):
    tls = False

    def start(self, answer):
        self.stopping = threading.Event()
        self.addCleanup(self.stopping.set)
        self.origin = self.start_origin(answer, read_body=False)
        self.gateway = self.gateway_for(
            self.origin, workers=1, tls=self.tls, route_options={"match": {"hosts": ["busy"]}},
            client_limits={"body_bytes": ENDLESS})

    def attack(self, head, act):
        """A greedy client's connection, on which act(socket) runs beside the test."""
        client = self.gateway.client()
        self.addCleanup(client.close)
        client.send(head)

        def run():
            try:
                act(client.socket)
            except OSError:
                pass
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.addCleanup(thread.join, scaled(5))
        self.addCleanup(self.leave, client.socket)

    @staticmethod
    def leave(sock):
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def pour(self, sock):
        while not self.stopping.is_set():
            sock.sendall(BLOCK)

    def assert_others_are_served(self):
        with self.gateway.client() as client:
            end = time.monotonic() + 1.5
            slowest = 0
            while time.monotonic() < end:
                began = time.monotonic()
                client.get("/")
                slowest = max(slowest, time.monotonic() - began)
        self.stopping.set()
        self.assertLess(slowest, scaled(0.5))

    def test_an_endless_upload(self):
        self.start(lambda request, connection: drain(connection.socket))
        self.attack("POST / HTTP/1.1\r\nHost: busy\r\nContent-Length: %d\r\n\r\n" % ENDLESS, self.pour)
        self.assert_others_are_served()

    def test_an_endless_body_that_was_refused(self):
        self.start(None)
        self.attack("POST / HTTP/1.1\r\nHost: other\r\nContent-Length: %d\r\n\r\n" % ENDLESS, self.pour)
        self.assert_others_are_served()

    def test_an_endless_answer(self):
        def answer(request, connection):
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % ENDLESS)
            self.pour(connection.socket)
        self.start(answer)
        self.attack("GET / HTTP/1.1\r\nHost: busy\r\n\r\n", drain)
        self.assert_others_are_served()


class FairnessOverTls(Fairness):
    tls = True
