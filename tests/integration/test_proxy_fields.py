"""Fields that the gateway adds, changes and takes away on the way to the service and back; routing's answers."""
import re

from tgtest import SharedCase, response_bytes, wait_until

ID = re.compile("[0-9a-f]{32}")


class Forwarding(SharedCase):
    def received(self, headers=(), **options):
        self.origin.reset()
        response = self.gateway.get("/a?b=c", headers, **options)
        self.assertEqual(response.status, 200, response.body)
        return self.origin.requests[0], response

    def test_the_service_learns_who_asked_and_how(self):
        request, _ = self.received([("X-Forwarded-For", "1.2.3.4"), ("X-Forwarded-Proto", "https"),
                                    ("X-Forwarded-Host", "evil"), ("X-Forwarded-Port", "1")])
        self.assertEqual(request.all("X-Forwarded-For"), ["127.0.0.1"])
        self.assertEqual(request.all("X-Forwarded-Proto"), ["http"])
        self.assertEqual(request.all("X-Forwarded-Host"), ["localhost"])
        self.assertEqual(request.all("X-Forwarded-Port"), [str(self.gateway.port)])
        self.assertEqual(request.all("Host"), ["localhost"])
        self.assertEqual((request.method, request.target), ("GET", "/a?b=c"))

    def test_via_is_appended_to(self):
        self.assertEqual(self.received()[0].all("Via"), ["1.1 tollgate"])
        request, _ = self.received([("Via", "1.0 a, 1.1 b"), ("via", "2 c")])
        self.assertEqual(request.all("Via"), ["1.0 a, 1.1 b, 2 c, 1.1 tollgate"])

    def test_identity_fields_of_a_client_are_dropped(self):
        names = ("X-Tenant-Id", "x-auth-subject", "X-AUTH-SCOPES", "X-Auth-Method")
        request, _ = self.received([(name, "root") for name in names] + [("X-Auth-Other", "1")])
        for name in names:
            self.assertEqual(request.all(name), [])
        self.assertEqual(request.all("X-Auth-Other"), ["1"])

    def test_every_request_has_an_identifier_that_both_sides_see(self):
        request, response = self.received([("X-Request-Id", "mine")])
        [identifier] = request.all("X-Request-Id")
        self.assertRegex(identifier, ID)
        self.assertEqual(response.all("X-Request-Id"), [identifier])
        self.assertNotEqual(self.received()[1].header("X-Request-Id"), identifier)
        self.origin.answer = response_bytes(headers=[("X-Request-Id", "theirs")])
        self.assertRegex(self.gateway.get("/").header("X-Request-Id"), ID)

    def test_hop_by_hop_fields_do_not_pass_to_the_service(self):
        request, _ = self.received([
            ("Connection", "keep-alive, X-Mine"), ("Connection", "x-other"), ("X-Mine", "1"),
            ("X-Other", "2"), ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "keep-alive"),
            ("Proxy-Authorization", "Basic eDp5"), ("TE", "trailers, deflate"), ("Upgrade", "h2c"),
            ("HTTP2-Settings", "AAMAAABkAAQAAP__"), ("X-Stays", "3")])
        for name in ("X-Mine", "X-Other", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization",
                     "Upgrade", "HTTP2-Settings", "Connection"):
            self.assertEqual(request.all(name), [], name)
        self.assertEqual(request.all("TE"), ["trailers"])
        self.assertEqual(request.all("X-Stays"), ["3"])

    def test_hop_by_hop_fields_do_not_pass_to_the_client(self):
        self.origin.answer = response_bytes(headers=[
            ("Connection", "keep-alive, x-mine"), ("X-Mine", "1"), ("Keep-Alive", "timeout=5"),
            ("Proxy-Connection", "keep-alive"), ("Upgrade", "h2c"), ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"), ("Server", "origin"), ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")])
        response = self.gateway.get("/")
        for name in ("X-Mine", "Keep-Alive", "Proxy-Connection", "Upgrade", "Connection"):
            self.assertEqual(response.all(name), [], name)
        self.assertEqual(response.all("Set-Cookie"), ["a=1", "b=2"])
        self.assertEqual(response.all("Server"), ["origin"])
        self.assertEqual(response.all("Date"), ["Sun, 06 Nov 1994 08:49:37 GMT"])

    def test_an_answer_without_a_date_gets_one(self):
        self.assertRegex(self.gateway.get("/").header("Date"),
                         r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")

    def test_an_answer_whose_connection_names_its_framing_is_refused(self):
        self.origin.answer = response_bytes(headers=[("Connection", "content-length")])
        self.assert_problem(self.gateway.get("/"), 502, "upstream_invalid_response")

    def test_order_case_and_repetition_of_fields_stay(self):
        request, _ = self.received([("x-B", "2"), ("X-a", "1"), ("X-B", "3"), ("Cookie", "a=b; c=d")])
        self.assertEqual([f for f in request.headers if f[0].lower() in ("x-a", "x-b", "cookie")],
                         [("x-B", "2"), ("X-a", "1"), ("X-B", "3"), ("Cookie", "a=b; c=d")])

    def test_many_large_fields_pass_both_ways(self):
        fields = [("X-%d" % i, "v" * 250) for i in range(80)]
        request, _ = self.received(fields)
        self.assertEqual([f for f in request.headers if f in fields], fields)
        self.origin.answer = response_bytes(headers=fields)
        response = self.gateway.get("/")
        self.assertEqual([f for f in response.headers if f in fields], fields)


class Secure(SharedCase):
    tls = True

    def test_the_service_learns_of_https(self):
        self.gateway.get("/")
        [request] = self.origin.requests
        self.assertEqual(request.all("X-Forwarded-Proto"), ["https"])
        self.assertEqual(request.all("X-Forwarded-Port"), [str(self.gateway.port)])

    def test_a_body_of_unknown_length_for_1_0_ends_with_close_notify(self):
        self.origin.answer = b"HTTP/1.1 200 OK\r\n\r\nabc"

        def answer(request, connection):
            connection.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
            connection.close()
        self.origin.answer = answer
        client = self.connect()
        client.socket.suppress_ragged_eofs = False
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(client.response().body, b"abc")

    def test_a_refusal_is_read_while_the_client_still_sends(self):
        client = self.connect()
        client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n\r\n")
        for _ in range(12):
            client.send(b"x" * (1 << 20))
        self.assert_problem(client.response(), 413, "body_too_large")


class Routes(SharedCase):
    route_options = {"match": {"path_prefix": "/all"}}
    more_routes = [
        {"name": "get", "match": {"path": "/get", "methods": ["GET"]}, "service": "origin"},
        {"name": "put", "match": {"path": "/get", "methods": ["PUT", "PATCH"]}, "service": "origin"},
        {"name": "strip", "match": {"path_prefix": "/v1/email"}, "service": "origin",
         "rewrite": {"strip_prefix": "/v1/email", "add_prefix": "/api", "host": "mail.internal"}},
        {"name": "regex", "match": {"path_regex": "/users/(?<id>[0-9]+)"}, "service": "origin",
         "rewrite": {"regex": "/users/([0-9]+)", "replacement": "/u/$1", "host": "endpoint"}},
        {"name": "fields", "match": {"path": "/fields"}, "service": "origin",
         "request_headers": {"set": {"X-Set": "${client_ip}"},
                             "add": {"X-Add": "2"}, "remove": ["X-Gone"]},
         "response_headers": {"set": {"Server": "tollgate"}, "add": {"X-Id": "${request_id}"},
                              "remove": ["X-Secret"]}},
        {"name": "respond", "match": {"path": "/maintenance"},
         "respond": {"status": 503, "body": "back soon, ${client_ip}",
                     "headers": {"Retry-After": "600"}}},
        {"name": "redirect", "match": {"path": "/old"},
         "respond": {"status": 308, "headers": {"Location": "/new"}}},
        {"name": "empty", "match": {"path": "/empty"}, "respond": {"status": 204}},
    ]

    def test_no_route_is_404(self):
        self.assert_problem(self.gateway.get("/nothing"), 404, "no_route")
        self.assertEqual(self.origin.requests, [])

    def test_no_route_for_the_method_is_405_with_all_that_are_allowed(self):
        response = self.gateway.request("DELETE", "/get")
        self.assert_problem(response, 405, "method_not_allowed")
        self.assertEqual(sorted(response.header("Allow").split(", ")),
                         ["GET", "HEAD", "PATCH", "PUT"])
        client = self.connect()
        self.assertEqual(client.request("HEAD", "/get").status, 200)

    def test_paths_and_hosts_are_rewritten(self):
        for target, path, host in (("/v1/email/send?a=b", "/api/send?a=b", "mail.internal"),
                                   ("/v1/email", "/api/", "mail.internal"),
                                   ("/users/42?x", "/u/42?x", self.origin.address),
                                   ("/all/x", "/all/x", "localhost")):
            self.origin.reset()
            self.assertEqual(self.gateway.get(target).status, 200)
            request = self.origin.requests[0]
            self.assertEqual((request.target, request.all("Host")), (path, [host]))
            self.assertEqual(request.all("X-Forwarded-Host"), ["localhost"])

    def test_fields_are_set_added_and_removed_both_ways(self):
        self.origin.answer = response_bytes(headers=[("Server", "x"), ("X-Secret", "y")])
        response = self.gateway.get("/fields", [("X-Set", "old"), ("X-Add", "1"), ("X-Gone", "3")])
        [request] = self.origin.requests
        self.assertEqual([request.all(n) for n in ("X-Set", "X-Add", "X-Gone")],
                         [["127.0.0.1"], ["1", "2"], []])
        self.assertEqual(response.all("Server"), ["tollgate"])
        self.assertEqual(response.all("X-Secret"), [])
        self.assertRegex(response.header("X-Id"), ID)

    def test_respond_answers_here(self):
        client = self.connect()
        response = client.get("/maintenance")
        self.assertEqual((response.status, response.body), (503, b"back soon, 127.0.0.1"))
        self.assertEqual(response.header("Retry-After"), "600")
        response = client.request("POST", "/old", body="x" * 10000)
        self.assertEqual((response.status, response.header("Location")), (308, "/new"))
        self.assertEqual(client.get("/empty").status, 204)
        self.assertEqual(client.request("HEAD", "/maintenance").header("Content-Length"), "20")
        self.assertEqual(self.origin.requests, [])

    def test_pipelined_answers_made_here_come_in_order(self):
        client = self.connect()
        client.send(b"GET /empty HTTP/1.1\r\nHost: x\r\n\r\nGET /old HTTP/1.1\r\nHost: x\r\n\r\n" * 500)
        self.assertEqual([client.response().status for _ in range(1000)], [204, 308] * 500)


class Missing(SharedCase):
    more_routes = [{"name": "limited", "match": {"path": "/limited"}, "service": "origin",
                    "ip": {"deny": ["10.0.0.0/8"]}}]

    def test_a_feature_that_decides_and_is_not_built_in_is_501(self):
        client = self.connect()
        for body in (None, "x" * 1000):
            self.assert_problem(client.request("POST", "/limited", body=body), 501,
                                "not_implemented")
        self.assertEqual(self.origin.requests, [])


class AccessLog(SharedCase):
    def test_requests_that_are_none_are_logged_too(self):
        client = self.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n")
        client.response()
        wait_until(lambda: any(line.get("http.response.status_code") == 400 or
                               line.get("http", {}).get("response", {}).get("status_code") == 400
                               for line in self.gateway.access_log()), 5, "a line")
