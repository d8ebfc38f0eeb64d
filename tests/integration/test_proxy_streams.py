"""Bodies stream: memory does not grow with their size, events pass as they come."""
import os
import threading
import time

from tgtest import SharedCase, scaled, wait_until
from tgtest.gateway import gateway_path

MIB = 1 << 20


def is_sanitized():
    with open(gateway_path(), "rb") as program:
        code = program.read()
    return b"__asan_init" in code or b"__tsan_init" in code


# A sanitizer's memory is not the gateway's: there only the flow is tested.
SANITIZED = is_sanitized()
SIZE = (32 if SANITIZED else 1024 if os.environ.get("TG_LONG") else 256) * MIB
GROWTH_KIB = 1 << 20 if SANITIZED else 4096


class Source:
    """An answer of SIZE bytes; `sent` says how many the kernel took."""

    def __init__(self, size, chunked):
        self.size, self.chunked, self.sent = size, chunked, 0

    def __call__(self, request, connection):
        block = b"x" * MIB
        if self.chunked:
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            block = b"%x\r\n%s\r\n" % (MIB, block)
        else:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % self.size)
        for _ in range(self.size // MIB):
            connection.send(block)
            self.sent += MIB
        if self.chunked:
            connection.send(b"0\r\n\r\n")


def settled(value, seconds=0.3):
    """Waits until value() has not changed for so long; it may be large already."""
    last, since = value(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.02)
        if value() != last:
            last, since = value(), time.monotonic()
    return last


class BackPressure(SharedCase):
    config = {"client_limits": {"body_bytes": "2GiB"}}
    timeout_s = 120

    def rss_kib(self, field="VmRSS"):
        """Of the gateway process."""
        parent = self.gateway.process.pid
        with open("/proc/%d/task/%d/children" % (parent, parent)) as children:
            [child] = children.read().split()
        with open("/proc/%s/status" % child) as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field + ":"))

    def stalled_download(self, size, chunked, tls=None):
        """What the gateway holds while the client does not read; then reads all of it."""
        source = Source(size, chunked)
        self.origin.reset(source)
        client = self.connect(timeout=60)
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.origin.wait_requests(1)
        settled(lambda: source.sent)
        self.assertTrue(size <= 16 * MIB or source.sent < size, "nobody stopped the service")
        held = self.rss_kib()
        head = client.read_head()
        self.assertEqual(head.header("Transfer-Encoding"), "chunked" if chunked else None)
        self.drain(client, size)
        client.close()
        return held

    def drain(self, client, size):
        """At least `size` bytes, whatever their framing."""
        space, left = bytearray(MIB), size - len(client.buffer)
        while left > 0:
            got = client.socket.recv_into(space)
            self.assertGreater(got, 0, "cut off")
            left -= got

    def test_a_stalled_download_costs_no_more_than_a_small_one(self):
        for chunked in (False, True):
            small = self.stalled_download(MIB, chunked)
            held = self.stalled_download(SIZE, chunked)
            self.assertLess(held - small, GROWTH_KIB, "KiB more; chunked: %s" % chunked)

    def test_many_stalled_downloads_cost_a_fixed_window_each(self):
        before = self.rss_kib()
        self.origin.reset(Source(64 * MIB, False))
        clients = [self.connect() for _ in range(10)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.origin.wait_requests(10)
        settled(lambda: self.origin.answer.sent)
        self.assertLess(self.rss_kib() - before, 10 * 256 + GROWTH_KIB)

    def stalled_upload(self, size, chunked):
        """What the gateway holds while the service does not read; then the service reads on."""
        go, taken = threading.Event(), []
        self.addCleanup(go.set)

        def stall(request, connection):
            go.wait(30)
            space, left = bytearray(MIB), size - (len(connection.raw) - connection.parsed)
            while left > 0:
                got = connection.socket.recv_into(space)
                if not got:
                    return
                left -= got
            taken.append(size)
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connection.close()
        self.origin.reset(stall, read_body=False)
        client = self.connect(timeout=60)
        sent = [0]

        def upload():
            head = b"PUT / HTTP/1.1\r\nHost: x\r\n"
            block = b"x" * MIB
            try:
                if chunked:
                    client.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
                    block = b"%x\r\n%s\r\n" % (MIB, block)
                else:
                    client.send(head + b"Content-Length: %d\r\n\r\n" % size)
                for _ in range(size // MIB):
                    client.send(block)
                    sent[0] += MIB
                if chunked:
                    client.send(b"0\r\n\r\n")
            except OSError:
                pass  # the service answered a chunked body before its last bytes
        thread = threading.Thread(target=upload, daemon=True)
        thread.start()
        self.origin.wait_requests(1)
        settled(lambda: sent[0])
        self.assertTrue(size <= 16 * MIB or sent[0] < size, "nobody stopped the client")
        held = self.rss_kib()
        go.set()
        self.assertEqual(client.response("PUT").status, 200)
        self.assertEqual(taken, [size])
        thread.join(scaled(10))
        client.close()
        return held

    def test_a_stalled_upload_costs_no_more_than_a_small_one(self):
        for chunked in (False, True):
            small = self.stalled_upload(MIB, chunked)
            held = self.stalled_upload(SIZE, chunked)
            self.assertLess(held - small, GROWTH_KIB, "KiB more; chunked: %s" % chunked)


class SecureBackPressure(BackPressure):
    tls = True

    test_many_stalled_downloads_cost_a_fixed_window_each = None
    test_a_stalled_upload_costs_no_more_than_a_small_one = None


class Events(SharedCase):
    """Server-sent events and other answers that come bit by bit."""

    service_options = {"timeouts": {"response": "300ms", "idle": "1s"}}
    config = {"client_limits": {"header_timeout": "300ms", "body_timeout": "300ms",
                                "idle_timeout": "300ms"}}

    def events(self, client, head, wrap):
        sent = []

        def stream(request, connection):
            connection.send(head)
            for i in range(15):
                time.sleep(0.06)
                sent.append(time.monotonic())
                connection.send(wrap(b"data: %d\n\n" % i))
            connection.send(wrap(b""))
            if b"chunked" not in head:
                connection.close()
        self.origin.reset(stream)
        client.send(b"GET /events HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
        response = client.read_head()
        self.assertEqual(response.header("Content-Type"), "text/event-stream")
        for i in range(15):
            self.assertEqual(client.read_chunk(), b"data: %d\n\n" % i)
            self.assertLess(time.monotonic() - sent[i], scaled(0.1))
        self.assertEqual(client.read_chunk(), b"")
        self.assertEqual(client._line(), b"")

    def test_each_event_reaches_the_client_at_once_and_longer_than_all_timeouts(self):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        client = self.connect()
        self.events(client, head + b"Transfer-Encoding: chunked\r\n\r\n",
                    lambda data: b"%x\r\n%s\r\n" % (len(data), data))
        self.events(client, head + b"\r\n", lambda data: data)

    def test_the_head_reaches_the_client_before_any_body(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def late(request, connection):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
            release.wait(scaled(0.8))
            connection.send(b"ok")
        self.origin.answer = late
        client = self.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        response = client.read_head()
        release.set()
        self.assertEqual(client.read_body(response).body, b"ok")

    def test_bits_of_a_request_reach_the_service_at_once(self):
        got = []

        def listen(request, connection):
            for _ in range(5):
                got.append(connection.take_until(b"\r\n") + connection.take_until(b"\r\n"))
            connection.take_until(b"\r\n\r\n")
            return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        self.origin.reset(listen, read_body=False)
        client = self.connect()
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(5):
            client.send(b"1\r\n%d\r\n" % i)
            wait_until(lambda i=i: len(got) > i, 1, "chunk %d at the service" % i)
        client.send(b"0\r\n\r\n")
        self.assertEqual(client.response().status, 200)
        self.assertEqual(got, [b"1\r\n%d\r\n" % i for i in range(5)])
