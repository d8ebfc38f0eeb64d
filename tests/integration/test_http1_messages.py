"""HTTP/1.1 between client, gateway and service: what well-formed messages come to (RFC 9112)."""
import time

from tgtest import ProtocolError, SharedCase, response_bytes

ONE = (b"POST /echo?q=1 HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"v" * 40 +
       b"\r\nContent-Length: 11\r\n\r\nhello world")
CHUNKED = (b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
           b"5\r\nhello\r\n6;a=b;c=\"d;e\"\r\n world\r\n0\r\nX-After: yes\r\n\r\n")


def echo(request, connection):
    return response_bytes(body=request.body)


def chunks(*parts, trailers=b""):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n" + trailers + b"\r\n"


CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Connections(SharedCase):
    def test_many_requests_use_one_connection(self):
        client = self.connect()
        for i in range(20):
            response = client.get("/%d" % i)
            self.assertEqual((response.status, response.body), (200, b"ok"))
            self.assertIsNone(response.header("Connection"))
        self.assertEqual([r.target for r in self.origin.requests], ["/%d" % i for i in range(20)])

    def test_pipelined_requests_are_answered_in_order_bodies_between_them(self):
        self.origin.answer = lambda request, connection: response_bytes(
            body=request.target.encode() + b"=" + request.body)
        client = self.connect()
        message = b""
        for i in range(100):
            if i % 3 == 0:
                message += b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % i
            elif i % 3 == 1:
                body = b"b%d" % i
                message += b"PUT /%d HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
                    i, len(body), body)
            else:
                message += (b"POST /%d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" % i
                            + chunks(b"b", b"%d" % i))
        client.send(message)
        for i in range(100):
            body = b"" if i % 3 == 0 else b"b%d" % i
            self.assertEqual(client.response().body, b"/%d=%s" % (i, body))

    def test_requests_pipelined_while_an_answer_is_awaited_are_answered_too(self):
        def slow(request, connection):
            if request.target == "/0":
                time.sleep(0.1)
            return response_bytes(body=request.target)
        self.origin.answer = slow
        client = self.connect()
        for i in range(5):
            client.send(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % i)
            time.sleep(0.005)
        self.assertEqual([client.response().body for _ in range(5)],
                         [b"/%d" % i for i in range(5)])

    def test_what_follows_connection_close_is_not_served(self):
        client = self.connect()
        client.send(b"GET /1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                    b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        self.assertEqual(client.response().header("Connection"), "close")
        self.assertTrue(client.is_closed())
        self.assertEqual([r.target for r in self.origin.requests], ["/1"])

    def test_a_request_may_arrive_in_any_two_pieces(self):
        self.origin.answer = echo
        client = self.connect()
        for whole in (ONE, CHUNKED):
            for cut in range(1, len(whole)):
                client.send(whole[:cut])
                time.sleep(0.0005)
                client.send(whole[cut:])
                self.assertEqual(client.response().body, b"hello world", cut)

    def test_a_request_may_arrive_byte_by_byte(self):
        self.origin.answer = echo
        client = self.connect()
        for whole in (ONE, CHUNKED):
            for at in range(len(whole)):
                client.send(whole[at:at + 1])
                time.sleep(0.0003)
            self.assertEqual(client.response().body, b"hello world")

    def test_an_answer_may_arrive_in_any_two_pieces(self):
        counted = response_bytes(body="hello world", headers=[("X-A", "b")])
        chunked = CHUNKED_HEAD + chunks(b"hello", b" world", trailers=b"X-T: u\r\n")
        client = self.connect()
        for whole in (counted, chunked):
            for cut in range(1, len(whole)):
                def answer(request, connection, cut=cut, whole=whole):
                    connection.send(whole[:cut])
                    time.sleep(0.0005)
                    connection.send(whole[cut:])
                self.origin.answer = answer
                response = client.get("/")
                self.assertEqual(response.body, b"hello world", cut)
                if whole is chunked:
                    self.assertEqual(response.trailers, [("X-T", "u")], cut)

    def test_empty_lines_before_a_request_are_skipped(self):
        client = self.connect()
        client.send(b"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual([client.response().status for _ in range(2)], [200, 200])


class Http10(SharedCase):
    def send(self, client, head):
        client.send(head + b"\r\n\r\n")
        return client.response()

    def test_a_1_0_connection_closes_after_the_answer(self):
        client = self.connect()
        response = self.send(client, b"GET / HTTP/1.0")
        self.assertEqual((response.status, response.header("Connection")), (200, "close"))
        self.assertTrue(client.is_closed())

    def test_a_1_0_client_may_ask_to_keep_the_connection(self):
        client = self.connect()
        for _ in range(3):
            response = self.send(client, b"GET / HTTP/1.0\r\nConnection: Keep-Alive")
            self.assertEqual((response.status, response.header("Connection")), (200, "keep-alive"))

    def test_an_answer_of_unknown_length_ends_with_a_1_0_connection(self):
        def answer(request, connection):
            connection.send(CHUNKED_HEAD)
            time.sleep(0.02)
            connection.send(chunks(b"abc", b"def", trailers=b"X-T: u\r\n"))
        self.origin.answer = answer
        client = self.connect()
        response = self.send(client, b"GET / HTTP/1.0\r\nConnection: keep-alive")
        self.assertEqual(response.header("Connection"), "close")
        self.assertIsNone(response.header("Transfer-Encoding"))
        self.assertEqual(response.body, b"abcdef")

    def test_a_1_0_client_gets_no_interim_answer(self):
        self.origin.answer = (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
                              response_bytes(body="x"))
        client = self.connect()
        client.send(b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n1")
        response = client.response()
        self.assertEqual((response.interim, response.body), ([], b"x"))

    def test_without_a_host_the_service_gets_one(self):
        self.assertEqual(self.send(self.connect(), b"GET / HTTP/1.0").status, 200)
        self.send(self.connect(), b"GET http://Api.Example/a HTTP/1.0")
        [plain, absolute] = self.origin.requests
        self.assertEqual(plain.header("Host"), self.origin.address)
        self.assertEqual(absolute.header("Host"), "Api.Example")
        self.assertEqual(absolute.target, "/a")
        self.assertEqual(plain.version, "HTTP/1.1")


class Bodies(SharedCase):
    def test_a_chunked_request_is_framed_anew_without_extensions(self):
        client = self.connect()
        client.send(CHUNKED)
        self.assertEqual(client.response().status, 200)
        [request] = self.origin.requests
        self.assertEqual(request.all("Transfer-Encoding"), ["chunked"])
        self.assertIsNone(request.header("Content-Length"))
        self.assertEqual((request.body, request.trailers), (b"hello world", [("X-After", "yes")]))
        self.assertNotIn(b";", request.raw_body)

    def test_trailers_of_a_request_pass_however_they_arrive(self):
        for pooled in (False, True, True):
            for pause in (False, True):
                with self.subTest(pooled=pooled, pause=pause):
                    self.origin.reset()
                    if not pooled:
                        self.origin.answer = [response_bytes(headers=[("Connection", "close")])]
                        self.gateway.get("/")
                        self.origin.reset()
                    client = self.connect()
                    client.send(CHUNKED[:-14 if pause else None])
                    if pause:
                        time.sleep(0.02)
                        client.send(CHUNKED[-14:])
                    client.response()
                    self.assertEqual(self.origin.requests[-1].trailers, [("X-After", "yes")])

    def test_hop_by_hop_and_identity_fields_do_not_pass_as_trailers(self):
        client = self.connect()
        names = (b"Connection: x", b"Keep-Alive: 1", b"X-Tenant-Id: acme", b"x-auth-subject: root",
                 b"X-Auth-Scopes: all", b"X-Auth-Method: jwt", b"Upgrade: h2c", b"X-Good: 1")
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    chunks(b"a", trailers=b"\r\n".join(names) + b"\r\n"))
        self.assertEqual(client.response().status, 200)
        self.assertEqual(self.origin.requests[0].trailers, [("X-Good", "1")])

    def test_a_counted_request_stays_counted(self):
        client = self.connect()
        for body in (b"", b"x", b"y" * 70000):
            client.request("POST", "/", body=body)
            request = self.origin.requests[-1]
            self.assertEqual(request.all("Content-Length"), [str(len(body))])
            self.assertEqual((request.body, request.header("Transfer-Encoding")), (body, None))

    def test_a_request_without_a_body_gets_no_framing(self):
        self.gateway.get("/")
        self.assertIsNone(self.origin.requests[0].header("Content-Length"))
        self.assertIsNone(self.origin.requests[0].header("Transfer-Encoding"))

    def test_a_chunked_answer_is_framed_anew_with_its_trailers(self):
        self.origin.answer = (CHUNKED_HEAD + b"3;ext=1\r\nabc\r\n0000003\r\ndef\r\n"
                              b"0;last\r\nX-Sum: 6\r\nConnection: x\r\n\r\n")
        client = self.connect()
        for _ in range(3):
            response = client.get("/")
            self.assertEqual((response.body, response.trailers), (b"abcdef", [("X-Sum", "6")]))

    def test_an_answer_until_close_is_whole_and_the_client_stays_connected(self):
        def answer(request, connection):
            connection.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
            time.sleep(0.02)
            connection.send(b"def")
            connection.close()
        self.origin.answer = answer
        client = self.connect()
        for _ in range(3):
            self.assertEqual(client.get("/").body, b"abcdef")

    def test_an_empty_answer_until_close_is_whole(self):
        def answer(request, connection):
            connection.send(b"HTTP/1.0 200 OK\r\n\r\n")
            connection.close()
        self.origin.answer = answer
        self.assertEqual(self.gateway.get("/").body, b"")

    def test_an_answer_until_close_that_is_reset_is_not_whole(self):
        def answer(request, connection):
            connection.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
            time.sleep(0.05)
            connection.reset()
        self.origin.answer = answer
        with self.assertRaises((ProtocolError, ConnectionResetError)):
            self.gateway.get("/")

    def test_large_bodies_pass_both_ways_at_once(self):
        self.origin.answer = echo
        body = bytes(range(256)) * 4096
        client = self.connect()
        for _ in range(3):
            self.assertEqual(client.request("POST", "/", body=body).body, body)


class BodilessAnswers(SharedCase):
    def head(self, client, target="/"):
        return client.request("HEAD", target)

    def test_head_has_the_length_of_get_and_no_body(self):
        self.origin.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX-A: b\r\n\r\n"
        client = self.connect()
        for _ in range(3):
            response = self.head(client)
            self.assertEqual((response.header("Content-Length"), response.header("X-A")),
                             ("12345", "b"))
        self.assertEqual(len(self.origin.connections), 1)

    def test_head_of_a_chunked_resource_has_no_body(self):
        self.origin.answer = CHUNKED_HEAD
        client = self.connect()
        for _ in range(2):
            self.assertEqual(self.head(client).status, 200)

    def test_a_body_after_head_does_not_reach_anybody(self):
        self.origin.answer = response_bytes(body="smuggled")
        client = self.connect()
        for _ in range(5):
            self.assertEqual(self.head(client).status, 200)
            time.sleep(0.005)
            self.origin.answer = response_bytes(body="next")
            self.assertEqual(client.get("/").body, b"next")
            self.origin.answer = response_bytes(body="smuggled")

    def test_204_and_304_have_no_body(self):
        client = self.connect()
        for status in (204, 304):
            self.origin.answer = b"HTTP/1.1 %d Fine\r\nETag: \"a\"\r\n\r\n" % status
            for _ in range(2):
                response = client.get("/")
                self.assertEqual((response.status, response.reason, response.header("ETag")),
                                 (status, "Fine", '"a"'))
        self.origin.answer = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"
        self.assertEqual(client.get("/").status, 304)
        self.origin.answer = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
        self.assertIsNone(client.get("/").header("Content-Length"))

    def test_the_gateways_own_answers_to_head_have_no_body(self):
        client = self.connect()
        client.send(b"HEAD /%2F HTTP/1.1\r\nHost: x\r\n\r\n")
        response = client.response("HEAD")
        self.assertEqual(response.status, 400)
        self.assertTrue(client.is_closed())

    def test_103_passes_and_100_is_swallowed(self):
        self.origin.answer = (
            b"HTTP/1.1 100 Continue\r\n\r\n"
            b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n"
            b"HTTP/1.1 100 Continue\r\n\r\n" + response_bytes(body="final"))
        client = self.connect()
        for _ in range(2):
            response = client.get("/")
            self.assertEqual(response.body, b"final")
            self.assertEqual([(i.status, i.headers) for i in response.interim],
                             [(103, [("Link", "</a.css>")])])

    def test_a_status_text_of_the_service_passes(self):
        self.origin.answer = response_bytes(299, reason="Quite \xe4 Fine")
        response = self.gateway.get("/")
        self.assertEqual((response.status, response.reason), (299, "Quite \xe4 Fine"))


class Expectations(SharedCase):
    def expect(self, client, target="/", length=5):
        client.send("PUT %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
                    % (target, length))

    def test_100_is_sent_before_the_body_is_there(self):
        client = self.connect()
        for _ in range(3):
            self.expect(client)
            self.assertEqual(client.read_head().status, 100)
            client.send(b"abcde")
            self.assertEqual(client.response().status, 200)
        self.assertEqual([r.body for r in self.origin.requests], [b"abcde"] * 3)
        self.assertEqual([r.header("Expect") for r in self.origin.requests], [None] * 3)

    def test_no_100_if_the_body_comes_with_the_head(self):
        client = self.connect()
        client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi")
        response = client.response()
        self.assertEqual((response.interim, response.status), ([], 200))

    def test_a_refused_expectation_gets_the_final_status_at_once(self):
        client = self.connect()
        self.expect(client, length=1 << 40)
        self.assert_problem(client.response(), 413, "body_too_large")
        self.assertTrue(client.is_closed())
        self.assertEqual(self.origin.requests, [])

    def test_a_chunked_expectation_works_too(self):
        client = self.connect()
        client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n")
        self.assertEqual(client.read_head().status, 100)
        client.send(chunks(b"a"))
        self.assertEqual(client.response().status, 200)


class EarlyAnswers(SharedCase):
    def test_an_answer_before_the_body_is_whole_reaches_a_client_that_still_sends(self):
        def early(request, connection):
            connection.send(response_bytes(409, body="no"))
            connection.hang(5)
        self.origin.reset(early, read_body=False)
        client = self.connect()
        client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n")
        client.send(b"x" * 1000000)
        response = client.response()
        self.assertEqual((response.status, response.body), (409, b"no"))

    def test_an_early_answer_of_a_service_that_then_resets_still_arrives(self):
        def early(request, connection):
            connection.fill()
            connection.send(response_bytes(413, body="too much"))
            connection.close()  # with bytes unread: a reset
        client_body = b"x" * 1000000
        for _ in range(10):
            self.origin.reset(early, read_body=False)
            client = self.connect()
            client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n" + client_body)
            response = client.response()
            self.assertEqual((response.status, response.body), (413, b"too much"))

    def test_a_streamed_answer_while_the_body_is_still_sent(self):
        def answer(request, connection):
            connection.send(CHUNKED_HEAD + b"5\r\nbegin\r\n")
            connection.read_body(request)
            connection.send(b"3\r\nend\r\n0\r\n\r\n")
        self.origin.reset(answer, read_body=False)
        client = self.connect()
        for _ in range(2):
            client.send(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc")
            self.assertEqual(client.read_head().status, 200)
            self.assertEqual(client.read_chunk(), b"begin")
            client.send(b"def")
            self.assertEqual([client.read_chunk(), client.read_chunk()], [b"end", b""])
            self.assertEqual(client._line(), b"")
        self.assertEqual([r.body for r in self.origin.requests], [b"abcdef"] * 2)
