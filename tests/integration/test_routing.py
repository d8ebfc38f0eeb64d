"""Which route a request takes, what becomes of its path, and what routes that cannot work answer."""
import threading
import time

from tgtest import TestCase, free_port, response_bytes, scaled
from tgtest.case import service


def respond(name, priority=0, **match):
    """A route that answers with its name."""
    return {"name": name, "match": match, "priority": priority, "auth": "none", "limits": "none",
            "respond": {"status": 200, "body": name}}


def to_origin(name="r", match=None, **options):
    return dict({"name": name, "match": match or {"path_prefix": "/"}, "auth": "none",
                 "limits": "none", "service": "origin"}, **options)


class RoutingCase(TestCase):
    def serve(self, *routes, **config):
        return self.start_gateway(dict({"services": [], "routes": list(routes)}, **config))

    def took(self, client, target, host="localhost", method="GET", headers=()):
        """The name of the route that answered, or the code of the error."""
        answer = client.request(method, target, headers, host=host)
        return answer.body.decode() if answer.status == 200 else answer.json()["code"]

    def check(self, routes, *expected, **config):
        """`expected`: (target, name) or (target, name, options of took())."""
        with self.serve(*routes, **config).client() as client:
            for target, name, *options in expected:
                self.assertEqual(self.took(client, target, **(options[0] if options else {})),
                                 name, (target, options))


class Choice(RoutingCase):
    def test_priority_comes_first(self):
        self.check([respond("exact", path="/a", hosts=["x.test"]),
                    respond("first", priority=1, path_prefix="/")],
                   ("/a", "first", {"host": "x.test"}))

    def test_an_exact_host_before_a_wildcard_before_any(self):
        self.check([respond("any", path="/a"),
                    respond("wild", hosts=["*.x.test"], path_prefix="/"),
                    respond("longer", hosts=["*.b.x.test"], path_prefix="/"),
                    respond("exact", hosts=["a.x.test"], path_prefix="/")],
                   ("/a", "exact", {"host": "a.x.test"}), ("/a", "wild", {"host": "c.x.test"}),
                   ("/a", "longer", {"host": "a.b.x.test"}), ("/a", "any", {"host": "x.test"}),
                   ("/a", "any", {"host": "other.test"}), ("/b", "exact", {"host": "a.x.test"}))

    def test_hosts_are_compared_without_case_port_and_final_dot(self):
        self.check([respond("x", hosts=["Api.X.test"], path_prefix="/")],
                   *[("/", "x", {"host": host}) for host in (
                       "api.x.test", "API.x.TEST", "api.x.test:8443", "api.x.test.",
                       "api.x.test.:1")],
                   ("/", "no_route", {"host": "api.x.test.evil"}),
                   ("/", "no_route", {"host": "xapi.x.test"}))

    def test_an_exact_path_before_a_regex_before_the_longest_prefix(self):
        self.check([respond("prefix", path_prefix="/a"), respond("longer", path_prefix="/a/b"),
                    respond("regex", path_regex="/a/b/[0-9]+"),
                    respond("second", path_regex="/a/b/.*"), respond("exact", path="/a/b/1")],
                   ("/a/b/1", "exact"), ("/a/b/2", "regex"), ("/a/b/x", "second"),
                   ("/a/b", "longer"), ("/a/c", "prefix"), ("/a", "prefix"),
                   ("/ab", "no_route"))

    def test_more_matchers_before_fewer_before_the_order_of_the_file(self):
        self.check([respond("first", path_prefix="/a"), respond("twin", path_prefix="/a"),
                    respond("headers", path_prefix="/a", headers={"X-Env": "prod"}),
                    respond("both", path_prefix="/a", headers={"X-Env": "prod"},
                            query={"v": "2"})],
                   ("/a", "first"), ("/a", "headers", {"headers": [("X-Env", "prod")]}),
                   ("/a?v=2", "both", {"headers": [("X-Env", "prod")]}), ("/a?v=2", "first"))

    def test_fields_and_queries_match_exactly_by_regex_or_by_being_there(self):
        self.check([respond("exact", path="/h", headers={"X-A": "1"}),
                    respond("regex", path="/h", headers={"X-B": {"regex": "^v[0-9]+$"}}),
                    respond("there", path="/h", headers={"X-C": {"present": True}}),
                    respond("q-exact", path="/q", query={"a": "b c"}),
                    respond("q-regex", path="/q", query={"n": {"regex": "^[0-9]+$"}}),
                    respond("q-there", path="/q", query={"flag": {"present": True}})],
                   ("/h", "exact", {"headers": [("x-a", "1")]}),
                   ("/h", "no_route", {"headers": [("X-A", "11")]}),
                   ("/h", "regex", {"headers": [("X-B", "v12")]}),
                   ("/h", "no_route", {"headers": [("X-B", "xv12")]}),
                   ("/h", "there", {"headers": [("X-C", "")]}), ("/h", "no_route"),
                   ("/q?a=b%20c", "q-exact"), ("/q?a=b+c", "no_route"), ("/q?x=1&n=12", "q-regex"),
                   ("/q?flag", "q-there"), ("/q?flags=1", "no_route"))

    def test_paths_are_matched_in_normal_form(self):
        self.check([respond("x", path="/a/b")], ("/a/./b", "x"), ("/a/c/../b", "x"),
                   ("/%61/b", "x"), ("//a//b", "x"), ("/a/b/", "no_route"), ("/A/b", "no_route"))

    def test_a_route_may_belong_to_one_listener(self):
        inside = free_port()
        gateway = self.serve(
            respond("inside", listeners=["inside"], path_prefix="/"),
            respond("public", listeners=["public"], path_prefix="/"),
            listeners=[{"name": "public", "address": "127.0.0.1:%d" % free_port()},
                       {"name": "inside", "address": "127.0.0.1:%d" % inside}])
        self.assertEqual(gateway.get("/").body, b"public")
        self.assertEqual(gateway.get("/", port=inside).body, b"inside")

    def test_a_method_that_no_route_takes_is_405_with_those_that_are(self):
        gateway = self.serve(respond("read", path="/a", methods=["GET"]),
                             respond("write", path="/a", methods=["PUT", "PURGE"]),
                             respond("any", path="/b"))
        with gateway.client() as client:
            self.assertEqual(self.took(client, "/a"), "read")
            self.assertEqual(client.request("HEAD", "/a").status, 200)
            self.assertEqual(self.took(client, "/a", method="PURGE"), "write")
            answer = client.request("POST", "/a")
            self.assert_problem(answer, 405, "method_not_allowed")
            self.assertEqual(sorted(answer.header("Allow").split(", ")),
                             ["GET", "HEAD", "PUT", "PURGE"][:2] + ["PURGE", "PUT"])
            self.assertEqual(self.took(client, "/b", method="POST"), "any")
            self.assert_problem(client.get("/c"), 404, "no_route")


class Rewrite(RoutingCase):
    def seen(self, rewrite, *pairs, **config):
        """The targets that the service sees for the targets asked for; status for refused ones."""
        origin = self.start_origin()
        gateway = self.serve(to_origin(rewrite=rewrite),
                             services=[service("origin", origin)], **config)
        for asked, expected in pairs:
            answer = gateway.get(asked)
            if isinstance(expected, int):
                self.assertEqual(answer.status, expected, asked)
            else:
                self.assertEqual((answer.status, origin.requests[-1].target), (200, expected))
        return gateway, origin

    def test_prefixes_are_stripped_and_added_on_segments(self):
        self.seen({"strip_prefix": "/v1/email"}, ("/v1/email/send?x=%20&y", "/send?x=%20&y"),
                  ("/v1/email", "/"), ("/v1/emails", "/v1/emails"))
        self.seen({"strip_prefix": "/v1", "add_prefix": "/api/v2"}, ("/v1/a", "/api/v2/a"),
                  ("/x", "/api/v2/x"))

    def test_a_regex_replaces_with_groups_and_the_result_is_in_normal_form(self):
        gateway, origin = self.seen(
            {"regex": "^/u/([0-9]+)/([a-z./-]+)$", "replacement": "/users/$1/x-$2"},
            ("/u/7/photos?full", "/users/7/x-photos?full"), ("/other", "/other"))
        self.seen({"regex": "/x-", "replacement": "/"}, ("/x-../a", 400), ("/x-a", "/a"))

    def test_a_regex_that_gives_up_is_an_internal_error_and_costs_no_connection(self):
        gateway, origin = self.seen({"regex": "(a+)+$", "replacement": "b"},
                                    ("/c", "/c"), ("/" + "a" * 60 + "!", 500), ("/d", "/d"),
                                    workers=1)
        answer = gateway.get("/" + "a" * 60 + "!")
        self.assert_problem(answer, 500, "internal_error")
        self.assertEqual(len(origin.connections), 1)

    def test_host_goes_on_or_becomes_another_name_or_the_endpoints(self):
        origin = self.start_origin()
        gateway = self.serve(to_origin("as-is", {"path_prefix": "/a"}),
                             to_origin("name", {"path_prefix": "/b"}, rewrite={"host": "in.test"}),
                             to_origin("endpoint", {"path_prefix": "/c"},
                                       rewrite={"host": "endpoint"}),
                             services=[service("origin", origin)])
        with gateway.client() as client:
            for target in ("/a", "/b", "/c"):
                self.assertEqual(client.request("GET", target, host="x.test:1").status, 200)
        self.assertEqual([r.header("Host") for r in origin.requests],
                         ["x.test:1", "in.test", origin.address])
        self.assertEqual({r.header("X-Forwarded-Host") for r in origin.requests}, {"x.test:1"})

    def test_a_group_of_the_path_fills_a_field(self):
        origin = self.start_origin()
        gateway = self.serve(to_origin(
            match={"path_regex": "/users/(?<user>[a-z]+)/(?<what>[^/]+)"},
            request_headers={"set": {"X-User": "${path:user}", "X-What": "<${path:what}>"}}),
            services=[service("origin", origin)])
        self.assertEqual(gateway.get("/users/ann/a%20b").status, 200)
        self.assertEqual((origin.requests[0].header("X-User"), origin.requests[0].header("X-What")),
                         ("ann", "<a%20b>"))


class Respond(RoutingCase):
    def test_status_body_and_fields_are_filled_per_request(self):
        gateway = self.serve({
            "name": "there", "match": {"path_prefix": "/old"}, "auth": "none", "limits": "none",
            "respond": {"status": 308, "body": "${route} for ${client_ip}: ${header:X-A} $${x}",
                        "headers": {"Location": "https://new.test/${header:X-A}",
                                    "Retry-After": "600"}}})
        answer = gateway.get("/old/page", [("X-A", "now")])
        self.assertEqual((answer.status, answer.body), (308, b"there for 127.0.0.1: now ${x}"))
        self.assertEqual((answer.header("Location"), answer.header("Retry-After")),
                         ("https://new.test/now", "600"))
        self.assertEqual(answer.header("Content-Length"), str(len(answer.body)))

    def test_an_answer_without_a_body_has_none(self):
        gateway = self.serve({"name": "gone", "match": {"path_prefix": "/"}, "auth": "none",
                              "limits": "none", "respond": {"status": 503, "body": None}},)
        with gateway.client() as client:
            answer = client.request("POST", "/", body=b"x" * 100000)
            self.assertEqual((answer.status, answer.body), (503, b""))


class Limits(RoutingCase):
    def test_a_route_has_its_own_body_bytes(self):
        origin = self.start_origin()
        gateway = self.serve(to_origin("small", {"path": "/small"}, body_bytes=10),
                             to_origin("large", {"path": "/large"}, body_bytes="2MiB"),
                             to_origin("rest", {"path_prefix": "/"}),
                             services=[service("origin", origin)],
                             client_limits={"body_bytes": "1KiB"})
        for path, size, status in (("/small", 10, 200), ("/small", 11, 413), ("/x", 1024, 200),
                                   ("/x", 1025, 413), ("/large", 1 << 20, 200)):
            answer = gateway.request("POST", path, body=b"x" * size)
            self.assertEqual(answer.status, status, (path, size))
        self.assert_problem(gateway.request("POST", "/small", body=b"x" * 11), 413,
                            "body_too_large")

    def test_a_route_has_its_own_timeouts(self):
        late = threading.Event()
        self.addCleanup(late.set)

        def answer(request, connection):
            late.wait(scaled(20))
            return response_bytes()
        origin = self.start_origin(answer)
        gateway = self.serve(to_origin("impatient", {"path": "/fast"},
                                       timeouts={"response": "100ms"}),
                             to_origin("patient", {"path": "/slow"}),
                             services=[service("origin", origin, timeouts={"response": "60s"})])
        with gateway.client() as client:
            client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            began = time.monotonic()
            self.assert_problem(gateway.get("/fast"), 504, "upstream_timeout")
            self.assertGreater(time.monotonic() - began, 0.09)
            late.set()
            self.assertEqual(client.response().status, 200)


class Missing(RoutingCase):
    JWT = {"jwt": [{"name": "p", "issuer": "https://i.test/", "audiences": ["a"],
                    "algorithms": ["HS256"], "secret": "0123456789abcdef0123456789abcdef"}]}

    def test_a_route_that_needs_what_is_not_built_in_is_refused(self):
        origin = self.start_origin()
        needs = {"ip": {"deny": ["192.0.2.0/24"]}, "acl": {"tenants": ["acme"]},
                 "validate": {"json": True}, "waf": {"rules": ["sqli"]},
                 "idempotency": {"required": False},
                 "limits": [{"name": "l", "rate": "5/s", "per": "ip"}]}
        routes = [to_origin(name, {"path_prefix": "/" + name}, **{name: value})
                  for name, value in needs.items()]
        locked = to_origin("auth", {"path_prefix": "/auth"})
        del locked["auth"]
        gateway = self.serve(*routes, locked, to_origin("open", {"path_prefix": "/open"}),
                             services=[service("origin", origin)], auth=self.JWT)
        status, text = gateway.check()
        self.assertEqual(status, 0, text)
        with gateway.client() as client:
            for name in [*needs, "auth"]:
                answer = client.get("/%s/x" % name)
                self.assert_problem(answer, 501, "not_implemented")
                self.assertRegex(answer.json()["detail"], name)
            self.assertEqual(client.get("/open").status, 200)
        self.assertEqual(len(origin.requests), 1)
        for at, name in enumerate(needs):
            self.assertRegex(text, r"gateway\.yaml:\d+:\d+: routes\[%d\]\.%s\S*: warning: "
                             "not built in yet; what depends" % (at, name))
        self.assertTrue(text.endswith(": ok\n"), text)

    def test_what_only_improves_is_inactive_and_named(self):
        origin = self.start_origin()
        gateway = self.serve(
            to_origin(cache={"ttl": "1s"}, compress={}),
            services=[service("origin", origin, health_check={"type": "http"},
                              circuit_breaker={},
                              variants=[{"name": "a", "weight": 1, "endpoints": [origin.address]},
                                        {"name": "b", "weight": 0,
                                         "endpoints": [origin.address]}],
                              mirror={"variant": "b", "percent": "1%"})],
            telemetry={"tracing": {"otlp_http": "http://127.0.0.1:4318"}})
        self.assertEqual(gateway.get("/").status, 200)
        inactive = gateway.status()["inactive"]
        status, text = gateway.check()
        self.assertEqual(status, 0, text)
        for name in ("cache", "compress", "health_check", "circuit_breaker", "mirror", "tracing"):
            self.assertIn(name, inactive)
            self.assertRegex(text, r"%s: warning: not built in yet; the gateway goes on" % name)
        gateway.wait_log("is not built in: it has no effect")

    def test_a_listener_that_needs_what_is_not_built_in_refuses_its_requests(self):
        gateway = self.serve(respond("here"), listeners=[
            {"name": "public", "address": "127.0.0.1:%d" % free_port(),
             "redirect_to_https": True},
            {"name": "open", "address": "127.0.0.1:%d" % free_port()}])
        self.assert_problem(gateway.get("/"), 501, "not_implemented")
        self.assertEqual(gateway.get("/", port=gateway.ports["open"]).body, b"here")
