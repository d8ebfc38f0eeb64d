"""A raw HTTP/1.1 client: sends exactly the bytes it is told to, reads answers strictly."""
import re
import socket
import ssl

from .system import scaled

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\t -~\x80-\xff]*)\Z")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*\Z")


class ProtocolError(AssertionError):
    """The peer sent something that RFC 9112 does not allow, or stopped in the middle."""


class Response:
    """One answer: status, headers as a list of (name, value), body and trailers as received."""

    def __init__(self, status, reason, headers):
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = b""
        self.trailers = []
        self.interim = []

    def all(self, name):
        """The values of every field of this name, in order."""
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name, default=None):
        """The value of a field that may be there once."""
        values = self.all(name)
        if len(values) > 1:
            raise ProtocolError("%s is there %d times" % (name, len(values)))
        return values[0] if values else default

    def json(self):
        import json
        return json.loads(self.body)


def tls_context(ca=None, certificate=None, alpn=("http/1.1",), version=ssl.TLSVersion.TLSv1_3):
    """A client's TLS settings; without `ca` the server's certificate is not verified."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = version
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if certificate:
        context.load_cert_chain(certificate.certificate, certificate.private_key)
    if ca:
        context.load_verify_locations(ca.certificate)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Client:
    """One connection. Every read is bounded by `timeout` seconds (scaled).

    `tls` is True or an SSLContext; `session` one of an earlier connection with that context.
    """

    def __init__(self, port, tls=None, host="127.0.0.1", server_name="localhost", timeout=10,
                 family=socket.AF_INET, session=None):
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(scaled(timeout))
        self.socket.connect((host, port) if family == socket.AF_INET else host)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = tls if isinstance(tls, ssl.SSLContext) else tls_context()
            self.socket = context.wrap_socket(self.socket, server_hostname=server_name,
                                              session=session)
        self.buffer = b""
        self.chunked = False

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with a TCP reset instead of a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def shutdown_write(self):
        """Half-closes a plain connection."""
        self.socket.shutdown(socket.SHUT_WR)

    def _fill(self):
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def _take(self, length):
        while len(self.buffer) < length:
            if not self._fill():
                raise ProtocolError("closed %d bytes early, after %r"
                                    % (length - len(self.buffer), self.buffer[-80:]))
        data, self.buffer = self.buffer[:length], self.buffer[length:]
        return data

    def _line(self):
        while b"\r\n" not in self.buffer:
            if not self._fill():
                raise ProtocolError("closed within a line: %r" % self.buffer[-80:])
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def _fields(self):
        fields = []
        while True:
            line = self._line()
            if not line:
                return fields
            match = FIELD.match(line)
            if not match:
                raise ProtocolError("malformed field line %r" % line)
            fields.append((match[1].decode(), match[2].decode("latin-1")))

    def is_closed(self, timeout=5):
        """Whether the peer closes within (scaled) seconds without sending anything more."""
        self.socket.settimeout(scaled(timeout))
        try:
            return not self.buffer and not self._fill()
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def read_until_close(self):
        """Every byte until the peer closes."""
        try:
            while self._fill():
                pass
        except ConnectionResetError:
            pass
        data, self.buffer = self.buffer, b""
        return data

    def _read_to_the_end(self):
        """Every byte until the peer closes in order: no reset, and with TLS a close_notify."""
        if isinstance(self.socket, ssl.SSLSocket):
            self.socket.suppress_ragged_eofs = False
        try:
            while self._fill():
                pass
        except OSError as error:
            raise ProtocolError("cut off: %s" % error) from None
        data, self.buffer = self.buffer, b""
        return data

    def read_head(self):
        """The next answer's head, interim or final, without its body."""
        line = self._line()
        match = STATUS_LINE.match(line)
        if not match:
            raise ProtocolError("malformed status line %r" % line)
        response = Response(int(match[1]), match[2].decode("latin-1"), self._fields())
        self.chunked = response.header("Transfer-Encoding") is not None
        if self.chunked and response.header("Transfer-Encoding").lower() != "chunked":
            raise ProtocolError("Transfer-Encoding is not one `chunked`")
        if self.chunked and response.header("Content-Length") is not None:
            raise ProtocolError("both Content-Length and Transfer-Encoding")
        return response

    def read_chunk(self):
        """The next chunk's data of a chunked body, b"" for the last one."""
        line = self._line()
        if not re.fullmatch(rb"[0-9A-Fa-f]+(;[\t -~]*)?", line):
            raise ProtocolError("malformed chunk size %r" % line)
        length = int(line.split(b";")[0], 16)
        if length == 0:
            return b""
        data = self._take(length)
        if self._take(2) != b"\r\n":
            raise ProtocolError("no CRLF after a chunk")
        return data

    def read_body(self, response, method="GET"):
        """Reads the body that belongs to a final head (RFC 9112, section 6.3)."""
        length = response.header("Content-Length")
        if method == "HEAD" or response.status in (204, 304):
            if response.status == 204 and (length is not None or self.chunked):
                raise ProtocolError("204 with a body's framing")
        elif self.chunked:
            chunks = []
            while not chunks or chunks[-1]:
                chunks.append(self.read_chunk())
            response.body = b"".join(chunks)
            response.trailers = self._fields()
        elif length is not None:
            if not re.fullmatch("[0-9]+", length):
                raise ProtocolError("malformed Content-Length %r" % length)
            response.body = self._take(int(length))
        elif (response.header("Connection") or "").lower() == "close":
            response.body = self._read_to_the_end()
        else:
            raise ProtocolError("nothing says where the body ends")
        return response

    def response(self, method="GET"):
        """The next final answer, whole; `method` is that of the request it answers."""
        interim = []
        while True:
            response = self.read_head()
            if response.status >= 200 or response.status == 101:
                break
            interim.append(response)
        response.interim = interim
        return response if response.status == 101 else self.read_body(response, method)

    def request(self, method, target, headers=(), body=None, host="localhost"):
        """Sends one well-formed request and returns its answer."""
        lines = ["%s %s HTTP/1.1" % (method, target)]
        if host is not None:
            lines.append("Host: " + host)
        if body is not None:
            body = body.encode() if isinstance(body, str) else body
            lines.append("Content-Length: %d" % len(body))
        lines += ["%s: %s" % field for field in headers]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""))
        return self.response(method)

    def get(self, target, headers=()):
        return self.request("GET", target, headers)
