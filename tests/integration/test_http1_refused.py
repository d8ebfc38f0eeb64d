"""What the gateway refuses: each with its status, a closed connection, and not a byte to a service."""
import time

from tgtest import SharedCase, free_port, scaled, wait_until

H = "Host: localhost\r\n"
OK_BODY = "Content-Length: 3\r\n\r\nabc"
CHUNKED = "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked\r\n\r\n"

FRAMING = {
    "Content-Length, then Transfer-Encoding":
        "POST / HTTP/1.1\r\n" + H + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding, then Content-Length":
        "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": "POST / HTTP/1.1\r\n" + H + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "the same length twice": "POST / HTTP/1.1\r\n" + H + "Content-Length: 3\r\n" + OK_BODY,
    "a list of lengths": "POST / HTTP/1.1\r\n" + H + "Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": "POST / HTTP/1.1\r\n" + H + "Content-Length: +3\r\n\r\nabc",
    "a negative length": "POST / HTTP/1.1\r\n" + H + "Content-Length: -3\r\n\r\nabc",
    "a hexadecimal length": "POST / HTTP/1.1\r\n" + H + "Content-Length: 0x3\r\n\r\nabc",
    "a length with a space": "POST / HTTP/1.1\r\n" + H + "Content-Length: 1 3\r\n\r\nabc",
    "an empty length": "POST / HTTP/1.1\r\n" + H + "Content-Length: \r\n\r\nabc",
    "a length beyond 64 bits":
        "POST / HTTP/1.1\r\n" + H + "Content-Length: 18446744073709551619\r\n\r\nabc",
    "identity": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: identity\r\n\r\nabc",
    "gzip, chunked": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked, identity":
        "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": "POST / HTTP/1.1\r\n" + H +
                     "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "xchunked": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a quoted chunked": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    "an empty Transfer-Encoding": "POST / HTTP/1.1\r\n" + H + "Transfer-Encoding:\r\n\r\n0\r\n\r\n",
    "Transfer-Encoding in HTTP/1.0":
        "POST / HTTP/1.0\r\n" + H + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}

SYNTAX = {
    "bare LF after the request line": "GET / HTTP/1.1\n" + H + "\r\n",
    "bare LF after a field": "GET / HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n",
    "bare LF at the end": "GET / HTTP/1.1\r\n" + H + "\n",
    "bare CR in a value": "GET / HTTP/1.1\r\n" + H + "X-A: b\rX-C: d\r\n\r\n",
    "bare CR in the request line": "GET /\r HTTP/1.1\r\n" + H + "\r\n",
    "a folded field": "GET / HTTP/1.1\r\n" + H + "X-A: b\r\n c\r\n\r\n",
    "a folded field with a tab": "GET / HTTP/1.1\r\n" + H + "X-A: b\r\n\tc\r\n\r\n",
    "white space before the first field": "GET / HTTP/1.1\r\n " + H + "\r\n",
    "a space before the colon": "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "a tab before the colon": "GET / HTTP/1.1\r\n" + H + "X-A\t: x\r\n\r\n",
    "a field without a colon": "GET / HTTP/1.1\r\n" + H + "X-A\r\n\r\n",
    "an empty field name": "GET / HTTP/1.1\r\n" + H + ": x\r\n\r\n",
    "a NUL in a value": "GET / HTTP/1.1\r\n" + H + "X-A: b\0c\r\n\r\n",
    "a control character in a value": "GET / HTTP/1.1\r\n" + H + "X-A: b\x01c\r\n\r\n",
    "a DEL in a value": "GET / HTTP/1.1\r\n" + H + "X-A: b\x7fc\r\n\r\n",
    "a control character in a name": "GET / HTTP/1.1\r\n" + H + "X\x02A: b\r\n\r\n",
    "a bracket in a name": "GET / HTTP/1.1\r\n" + H + "X(A): b\r\n\r\n",
    "an 8-bit character in a name": "GET / HTTP/1.1\r\n" + H + "X\xe4: b\r\n\r\n",
    "a method with a bad character": "G@T / HTTP/1.1\r\n" + H + "\r\n",
    "no method": " / HTTP/1.1\r\n" + H + "\r\n",
    "two spaces after the method": "GET  / HTTP/1.1\r\n" + H + "\r\n",
    "two spaces before the version": "GET /  HTTP/1.1\r\n" + H + "\r\n",
    "a space after the version": "GET / HTTP/1.1 \r\n" + H + "\r\n",
    "a tab as separator": "GET\t/ HTTP/1.1\r\n" + H + "\r\n",
    "no version": "GET /\r\n" + H + "\r\n",
    "a version in lower case": "GET / http/1.1\r\n" + H + "\r\n",
    "a version of two digits": "GET / HTTP/1.10\r\n" + H + "\r\n",
    "a version without a dot": "GET / HTTP/11\r\n" + H + "\r\n",
    "another protocol": "GET / ICY/1.1\r\n" + H + "\r\n",
    "TLS on a plain port": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}

TARGETS = {
    "an empty target": "GET  HTTP/1.1\r\n" + H + "\r\n",
    "no leading slash": "GET a/b HTTP/1.1\r\n" + H + "\r\n",
    "a star for GET": "GET * HTTP/1.1\r\n" + H + "\r\n",
    "a fragment": "GET /a#b HTTP/1.1\r\n" + H + "\r\n",
    "an 8-bit character": "GET /\xe4 HTTP/1.1\r\n" + H + "\r\n",
    "a control character": "GET /a\x01b HTTP/1.1\r\n" + H + "\r\n",
    "another scheme": "GET ftp://localhost/ HTTP/1.1\r\n" + H + "\r\n",
    "user information": "GET http://me@localhost/ HTTP/1.1\r\n" + H + "\r\n",
    "an authority without host": "GET http:///a HTTP/1.1\r\n" + H + "\r\n",
    "an absolute form that differs from Host": "GET http://other/ HTTP/1.1\r\n" + H + "\r\n",
    "an absolute form with another port": "GET http://localhost:81/ HTTP/1.1\r\n" + H + "\r\n",
    "an escaped slash": "GET /a%2Fb HTTP/1.1\r\n" + H + "\r\n",
    "an escaped slash in lower case": "GET /a%2fb HTTP/1.1\r\n" + H + "\r\n",
    "an escaped backslash": "GET /a%5Cb HTTP/1.1\r\n" + H + "\r\n",
    "a backslash": "GET /a\\b HTTP/1.1\r\n" + H + "\r\n",
    "an escaped NUL": "GET /a%00b HTTP/1.1\r\n" + H + "\r\n",
    "a bad escape": "GET /a%zz HTTP/1.1\r\n" + H + "\r\n",
    "a cut escape": "GET /a%4 HTTP/1.1\r\n" + H + "\r\n",
    "a climb above the root": "GET /.. HTTP/1.1\r\n" + H + "\r\n",
    "a later climb above the root": "GET /a/../../b HTTP/1.1\r\n" + H + "\r\n",
    "an escaped climb above the root": "GET /%2e%2E/b HTTP/1.1\r\n" + H + "\r\n",
}

HOSTS = {
    "an empty Host": "GET / HTTP/1.1\r\nHost:\r\n\r\n",
    "no Host": "GET / HTTP/1.1\r\nX-A: b\r\n\r\n",
    "two Hosts": "GET / HTTP/1.1\r\n" + H + "Host: other\r\n\r\n",
    "the same Host twice": "GET / HTTP/1.1\r\n" + H + H + "\r\n",
    "a list of hosts": "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "a path in Host": "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "user information in Host": "GET / HTTP/1.1\r\nHost: me@a\r\n\r\n",
    "a port that is none": "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n",
    "a space in Host": "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "two Hosts in HTTP/1.0": "GET / HTTP/1.0\r\n" + H + H + "\r\n",
}

CONNECTION = {
    "Host": "GET / HTTP/1.1\r\n" + H + "Connection: Host\r\n\r\n",
    "Content-Length": "POST / HTTP/1.1\r\n" + H + "Connection: close, content-length\r\n" + OK_BODY,
    "Transfer-Encoding": CHUNKED.replace("\r\n\r\n", "\r\nConnection: transfer-encoding\r\n\r\n") +
                         "0\r\n\r\n",
    "Host in a second field":
        "GET / HTTP/1.1\r\n" + H + "Connection: keep-alive\r\nConnection: x,host\r\n\r\n",
}

CHUNKS = {
    "a size that is none": "x\r\nabc\r\n0\r\n\r\n",
    "an empty size": "\r\nabc\r\n0\r\n\r\n",
    "a signed size": "+3\r\nabc\r\n0\r\n\r\n",
    "a size with 0x": "0x3\r\nabc\r\n0\r\n\r\n",
    "a space before the size": " 3\r\nabc\r\n0\r\n\r\n",
    "a space behind the size": "3 \r\nabc\r\n0\r\n\r\n",
    "a bare LF behind the size": "3\nabc\r\n0\r\n\r\n",
    "a bare LF behind the data": "3\r\nabc\n0\r\n\r\n",
    "data longer than the size": "3\r\nabcd\r\n0\r\n\r\n",
    "data shorter than the size": "3\r\nab\r\n0\r\n\r\n",
    "a size beyond 62 bits": "4000000000000000\r\nabc\r\n0\r\n\r\n",
    "a size of many digits": "00000000000000003\r\nabc\r\n0\r\n\r\n",
    "a bare LF in an extension": "3;a\nabc\r\n0\r\n\r\n",
    "a control character in an extension": "3;a=\x01\r\nabc\r\n0\r\n\r\n",
    "a long extension": "3;a=" + "b" * 2000 + "\r\nabc\r\n0\r\n\r\n",
    "a bare LF at the end": "3\r\nabc\r\n0\r\n\n",
    "a folded trailer": "0\r\nX-A: b\r\n c\r\n\r\n",
    "Content-Length as a trailer": "0\r\nContent-Length: 3\r\n\r\n",
    "Transfer-Encoding as a trailer": "0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "Host as a trailer": "0\r\nHost: x\r\n\r\n",
    "too long a trailer section": "0\r\nX-A: " + "b" * 40000 + "\r\n\r\n",
}


class Refused(SharedCase):
    def refuse(self, message, status=400, code="bad_request"):
        client = self.connect()
        client.send(message)
        response = client.response()
        self.assert_problem(response, status, code)
        self.assertEqual(response.header("Connection"), "close")
        self.assertTrue(client.is_closed(), "the connection stays open")
        client.close()
        return response

    def setUp(self):
        super().setUp()
        self.before = self.origin.bytes_received()

    def assert_untouched(self):
        self.assertEqual(self.origin.requests, [])
        self.assertEqual(self.origin.bytes_received(), self.before, "the service got bytes")

    def all_refused(self, cases):
        for name, message in cases.items():
            with self.subTest(name):
                self.refuse(message)
        self.assert_untouched()

    def test_ambiguous_framing(self):
        self.all_refused(FRAMING)

    def test_syntax(self):
        self.all_refused(SYNTAX)

    def test_targets(self):
        self.all_refused(TARGETS)

    def test_hosts(self):
        self.all_refused(HOSTS)

    def test_what_connection_may_not_name(self):
        self.all_refused(CONNECTION)

    def test_chunk_faults_that_come_with_the_head(self):
        for name, body in CHUNKS.items():
            if len(body) < 8192:  # a longer one arrives in pieces
                with self.subTest(name):
                    self.refuse(CHUNKED + body)
        self.assert_untouched()

    def test_chunk_faults_never_look_like_a_whole_request_to_the_service(self):
        for name, body in CHUNKS.items():
            with self.subTest(name):
                client = self.connect()
                client.send(CHUNKED)
                client.send("1\r\na\r\n")
                client.send(body)
                self.assert_problem(client.response(), 400, "bad_request")
                self.assertTrue(client.is_closed())
        self.assertEqual(self.origin.requests, [])
        # What the service still gets of these must not be counted by the next test.
        wait_until(self.service_is_quiet, 5, "silence at the service")

    def service_is_quiet(self):
        before = self.origin.bytes_received()
        time.sleep(scaled(0.05))
        return self.origin.bytes_received() == before

    def test_what_follows_a_refused_request_is_not_served(self):
        for name in ("Content-Length, then Transfer-Encoding", "two lengths", "chunked twice"):
            self.refuse(FRAMING[name] + "GET /smuggled HTTP/1.1\r\n" + H + "\r\n")
        self.assert_untouched()

    def test_requests_before_a_refused_one_are_answered(self):
        client = self.connect()
        client.send(("GET /%d HTTP/1.1\r\n" + H + "\r\n") % 1 + ("GET /%d HTTP/1.1\r\n" + H + "\r\n") % 2 +
                    SYNTAX["a space before the colon"])
        self.assertEqual([client.response().status for _ in range(3)], [200, 200, 400])
        self.assertTrue(client.is_closed())

    def test_versions(self):
        for version in ("HTTP/2.0", "HTTP/0.9", "HTTP/3.0"):
            self.refuse("GET / %s\r\n%s\r\n" % (version, H), 505, "http_version_not_supported")
        self.refuse("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http_version_not_supported")
        client = self.connect()
        client.send("GET / HTTP/1.2\r\n" + H + "\r\n")
        self.assertEqual(client.response().status, 200)

    def test_trace_and_connect(self):
        client = self.connect()
        for line in ("TRACE / HTTP/1.1", "CONNECT localhost:443 HTTP/1.1"):
            client.send(line + "\r\n" + H + "\r\n")
            self.assert_problem(client.response(), 501, "not_implemented")
        self.assertEqual(self.origin.requests, [])

    def test_what_is_valid_though_unusual(self):
        valid = ("GET / HTTP/1.1\r\nHost:localhost\r\nX-A:\r\nX-B: \t b \t\r\n\r\n",
                 "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
                 "GET http://LOCALHOST:80/ HTTP/1.1\r\n" + H + "\r\n",
                 "PROPFIND / HTTP/1.1\r\n" + H + "\r\n",
                 "GET /?a=/../%2F HTTP/1.1\r\n" + H + "\r\n",
                 "GET / HTTP/1.1\r\n" + H + "X-A: \xe4\r\n\r\n",
                 "POST / HTTP/1.1\r\n" + H + "Content-Length: 000\r\n\r\n",
                 "POST / HTTP/1.1\r\n" + H + "transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n")
        client = self.connect()
        for message in valid:
            client.send(message)
            self.assertEqual(client.response().status, 200, message)

    def test_a_problem_has_the_shape_of_rfc_9457(self):
        response = self.refuse("GET / HTTP/1.1\r\n\r\n")
        problem = response.json()
        self.assertEqual(list(problem), ["type", "title", "status", "detail", "code", "request_id"])
        self.assertEqual((problem["type"], problem["title"]), ("about:blank", "Bad Request"))
        self.assertEqual(problem["request_id"], response.header("X-Request-Id"))
        self.assertTrue(problem["request_id"] and problem["detail"])


class Normalised(SharedCase):
    @classmethod
    def setUpClass(cls):
        cls.config = {"listeners": [
            {"name": "public", "address": "127.0.0.1:%d" % free_port()},
            {"name": "keeping", "address": "127.0.0.1:%d" % free_port(),
             "paths": {"escaped_slash": "keep", "merge_slashes": False}}]}
        super().setUpClass()

    def forwarded(self, target, port=None):
        self.origin.reset()
        response = self.gateway.get(target, port=port)
        self.assertEqual(response.status, 200, (target, response.body))
        return self.origin.requests[0].target

    def test_targets_are_forwarded_in_their_normal_form(self):
        for target, expected in {
                "/a/./b": "/a/b", "/a/../b": "/b", "/a//b///c": "/a/b/c", "/%61%2D%7e": "/a-~",
                "/%3a%c3%a4": "/%3A%C3%A4", "/a/b/..": "/a/", "/a/.": "/a/", "/%2e/x": "/x",
                "/a/%2E%2e/b": "/b", "/a?b=%2f/../c": "/a?b=%2f/../c", "/a?": "/a?", "/": "/",
                "/a;b=c@d:e": "/a;b=c@d:e", "/a%20b": "/a%20b",
                "http://localhost/x//y": "/x/y", "http://localhost": "/",
                "http://localhost?q": "/?q"}.items():
            with self.subTest(target):
                self.assertEqual(self.forwarded(target), expected)

    def test_escaped_slashes_may_be_kept(self):
        port = self.gateway.ports["keeping"]
        self.assertEqual(self.forwarded("/a%2Fb", port), "/a%2Fb")
        self.assertEqual(self.forwarded("/a//b", port), "/a//b")
        for target in ("/a%2F..%2Fb", "/..%2Fa", "/a%5Cb", "/%2e%2e/"):
            with self.subTest(target):
                self.assert_problem(self.gateway.get(target, port=port), 400, "bad_request")

    def test_options_star_is_answered(self):
        self.assertIn(self.gateway.request("OPTIONS", "*").status, (200, 404))


class Limits(SharedCase):
    config = {"client_limits": {"header_bytes": "2KiB", "header_count": 10, "body_bytes": 1000}}
    more_routes = [{"name": "small", "match": {"path": "/small"}, "service": "origin", "body_bytes": 10},
                   {"name": "large", "match": {"path": "/large"}, "service": "origin",
                    "body_bytes": "10MiB"}]

    refuse = Refused.refuse

    def test_a_long_target_is_414(self):
        self.refuse("GET /%s HTTP/1.1\r\n%s\r\n" % ("a" * 1500, H), 414, "target_too_long")
        self.refuse("GET /%s" % ("a" * 5000), 414, "target_too_long")
        self.assertEqual(self.gateway.get("/" + "a" * 900).status, 200)

    def test_too_many_header_bytes_are_431(self):
        self.refuse("GET / HTTP/1.1\r\n%sX-A: %s\r\n\r\n" % (H, "b" * 3000), 431, "headers_too_large")
        self.refuse("GET / HTTP/1.1\r\n%sX-A: %s" % (H, "b" * 200000), 431, "headers_too_large")
        self.refuse("GET / HTTP/1.1\r\n%s%s: b\r\n\r\n" % (H, "x" * 3000), 431, "headers_too_large")

    def test_too_many_fields_are_431(self):
        fields = "".join("X-%d: 1\r\n" % i for i in range(10))
        self.refuse("GET / HTTP/1.1\r\n" + H + fields + "\r\n", 431, "headers_too_large")
        self.assertEqual(self.gateway.get("/", [("X-%d" % i, "1") for i in range(9)]).status, 200)

    def post(self, target, body, chunked, pause=False):
        client = self.connect()
        head = "POST %s HTTP/1.1\r\n%s" % (target, H)
        if chunked:
            head += "Transfer-Encoding: chunked\r\n\r\n"
            data = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in
                            (body[i:i + 100] for i in range(0, len(body), 100))) + b"0\r\n\r\n"
        else:
            head, data = head + "Content-Length: %d\r\n\r\n" % len(body), body
        if pause:
            client.send(head)
            time.sleep(0.02)
            client.send(data)
        else:
            client.send(head.encode() + data)
        return client.response(), client

    def test_bodies_beyond_their_limit_are_413_however_they_come(self):
        for target, limit in (("/", 1000), ("/small", 10)):
            for chunked in (False, True):
                for pause in (False, True):
                    with self.subTest(target, chunked=chunked, pause=pause):
                        response, client = self.post(target, b"x" * (limit + 1), chunked, pause)
                        self.assert_problem(response, 413, "body_too_large")
                        self.assertTrue(client.is_closed())
                        response, _ = self.post(target, b"x" * limit, chunked, pause)
                        self.assertEqual(response.status, 200)
        self.assertEqual(self.post("/large", b"x" * 100000, True)[0].status, 200)

    def test_a_client_that_sends_on_reads_the_refusal(self):
        for body in (20 << 20, 3 << 20):
            client = self.connect()
            client.send("POST / HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (H, body))
            for _ in range(body >> 20):
                client.send(b"x" * (1 << 20))
            self.assert_problem(client.response(), 413, "body_too_large")
            self.assertTrue(client.is_closed())


class Refusals(SharedCase):
    """Answers made here that are nobody's fault leave the connection usable."""

    route_options = {"match": {"path_prefix": "/only", "methods": ["GET"]}}

    def test_the_rest_of_a_small_body_is_skipped(self):
        client = self.connect()
        for code, target in ((404, "/"), (405, "/only"), (404, "/else")):
            for size in (3, 60000):
                client.send("POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (target, H, size))
                response = client.response()
                self.assertEqual((response.status, response.header("Connection")), (code, None))
                client.send(b"x" * (size // 2))
                time.sleep(0.005)
                client.send(b"x" * (size - size // 2))
                self.assertEqual(client.get("/only").status, 200)

    def test_the_rest_of_a_long_body_closes_the_connection(self):
        client = self.connect()
        client.send("POST / HTTP/1.1\r\n%sContent-Length: 1000000\r\n\r\n" % H)
        response = client.response()
        self.assertEqual((response.status, response.header("Connection")), (404, "close"))

    def test_pipelined_refusals_are_all_answered(self):
        client = self.connect()
        client.send(("POST /x HTTP/1.1\r\n%sContent-Length: 2\r\n\r\nhi" % H) * 2000)
        for _ in range(2000):
            self.assertEqual(client.response().status, 404)
        self.assertEqual(client.get("/only").status, 200)

    def test_allow_lists_the_methods_of_the_path(self):
        response = self.gateway.request("DELETE", "/only")
        self.assert_problem(response, 405, "method_not_allowed")
        self.assertEqual(response.header("Allow"), "GET, HEAD")
