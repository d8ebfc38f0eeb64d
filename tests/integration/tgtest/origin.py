"""A scriptable HTTP service on a raw socket: records what it receives byte for byte, answers anything."""
import re
import socket
import ssl
import threading
import time

from .system import free_port, scaled, wait_until


def response_bytes(status=200, body=b"ok", headers=(), reason="OK"):
    """A well-formed answer with Content-Length."""
    body = body.encode() if isinstance(body, str) else body
    fields = "".join("%s: %s\r\n" % field for field in headers)
    head = "HTTP/1.1 %d %s\r\nContent-Length: %d\r\n%s\r\n" % (status, reason, len(body), fields)
    return head.encode("latin-1") + body


class Received:
    """A request as it arrived; `head` and `raw_body` are the very bytes."""

    def __init__(self, head, connection):
        lines = head.decode("latin-1").split("\r\n")
        self.head = head
        self.connection = connection
        self.method, self.target, self.version = lines[0].split(" ")
        self.headers = [tuple(line.split(": ", 1)) for line in lines[1:] if line]
        self.raw_body = b""
        self.body = b""
        self.trailers = []

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name, default=None):
        values = self.all(name)
        return ", ".join(values) if values else default


class OriginConnection:
    """The service's end of one connection, for a handler to play with."""

    def __init__(self, origin, sock, number):
        self.origin = origin
        self.socket = sock
        self.number = number
        self.raw = b""  # everything that was received
        self.parsed = 0
        self.closed_by_peer = threading.Event()

    def fill(self):
        """Receives more; False when the peer has closed or reset."""
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise
        except OSError:
            data = b""
        if not data:
            self.closed_by_peer.set()
        self.raw += data
        return bool(data)

    def take(self, length):
        while len(self.raw) - self.parsed < length:
            if not self.fill():
                raise EOFError
        self.parsed += length
        return self.raw[self.parsed - length:self.parsed]

    def take_until(self, mark):
        while True:
            at = self.raw.find(mark, self.parsed)
            if at >= 0:
                return self.take(at + len(mark) - self.parsed)
            if not self.fill():
                raise EOFError

    def read_request(self):
        """The next head, or None when the peer is gone."""
        try:
            return Received(self.take_until(b"\r\n\r\n"), self)
        except EOFError:
            return None

    def read_body(self, request):
        """Reads what the head announces into request.body (EOFError if the peer goes before)."""
        start = self.parsed
        if request.header("Transfer-Encoding") is not None:
            while True:
                size = int(self.take_until(b"\r\n").split(b";")[0], 16)
                if size == 0:
                    break
                request.body += self.take(size)
                self.take(2)
            line = self.take_until(b"\r\n")
            while line != b"\r\n":
                request.trailers.append(tuple(line[:-2].decode("latin-1").split(": ", 1)))
                line = self.take_until(b"\r\n")
        else:
            request.body = self.take(int(request.header("Content-Length", "0")))
        request.raw_body = self.raw[start:self.parsed]

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def send_slowly(self, data, piece=1, pause=0.001):
        """Sends `piece` bytes at a time."""
        for at in range(0, len(data), piece):
            self.send(data[at:at + piece])
            time.sleep(pause)

    def reset(self):
        """Ends with a TCP reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def close(self):
        self.socket.close()

    def hang(self, seconds=60):
        """Does nothing until the peer closes, the origin stops or (scaled) seconds are over."""
        self.socket.settimeout(0.1)
        deadline = time.monotonic() + scaled(seconds)
        while time.monotonic() < deadline and not self.origin.stopping.is_set():
            try:
                if not self.fill():
                    return
            except TimeoutError:
                continue


class Origin:
    """A service. `answer` is bytes, a list of answers used in turn (the last one again and again),
    or a function (request, connection) that returns bytes or sends for itself and returns None.
    With read_body=False the function reads the body itself by connection.read_body(request).
    """

    def __init__(self, answer=None, tls=None, read_body=True, port=None, backlog=128):
        self.answer = response_bytes() if answer is None else answer
        self.reads_body = read_body
        self.requests = []
        self.connections = []
        self.errors = []
        self.bytes_closed = 0  # received on connections that reset() has forgotten
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.threads = []
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls.certificate, tls.private_key)
        self.port = port or free_port()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(backlog)
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def _accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, sock):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
        except OSError as error:
            self.errors.append(error)
            sock.close()
            return
        with self.lock:
            connection = OriginConnection(self, sock, len(self.connections))
            self.connections.append(connection)
        try:
            while self._exchange(connection):
                pass
        except (EOFError, OSError):
            pass
        except Exception as error:  # a test's own mistake, shown at stop()
            self.errors.append(error)
        finally:
            connection.close()

    def _next_answer(self):
        if not isinstance(self.answer, list):
            return self.answer
        return self.answer.pop(0) if len(self.answer) > 1 else self.answer[0]

    def _exchange(self, connection):
        request = connection.read_request()
        if request is None:
            return False
        if self.reads_body:
            connection.read_body(request)
        with self.lock:
            self.requests.append(request)
            answer = self._next_answer()
        data = answer(request, connection) if callable(answer) else answer
        if data is not None:
            connection.send(data)
        closes = re.search(rb"\r\nconnection: *close\r\n", data or b"", re.IGNORECASE)
        return not closes and connection.socket.fileno() >= 0

    def wait_requests(self, count, seconds=5):
        """Waits until so many requests have arrived, and returns them."""
        wait_until(lambda: len(self.requests) >= count, seconds, "%d requests" % count)
        return self.requests

    def reset(self, answer=None, read_body=True):
        """As new for the next test: nothing received, this answer (200 ok); connections stay."""
        with self.lock:
            self.requests = []
            self._forget([c for c in self.connections if c.closed_by_peer.is_set()])
            self.answer = response_bytes() if answer is None else answer
            self.reads_body = read_body

    def _forget(self, gone):
        self.bytes_closed += sum(len(c.raw) for c in gone)
        self.connections = [c for c in self.connections if c not in gone]

    def forget_connections(self):
        """Those so far are neither listed nor closed at stop() any more."""
        with self.lock:
            self._forget(self.connections)

    def bytes_received(self):
        """Over all connections so far."""
        return self.bytes_closed + sum(len(c.raw) for c in self.connections)

    def stop(self):
        """Closes everything; raises what a handler raised."""
        self.stopping.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.acceptor.join(scaled(2))
        for connection in list(self.connections):
            try:
                connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(scaled(2))
        for error in self.errors:
            if not isinstance(error, OSError):
                raise error
