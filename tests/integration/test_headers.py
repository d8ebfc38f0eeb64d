"""Fields that routes change on the way to the service and to the client."""
from tgtest import TestCase, response_bytes
from tgtest.system import free_port


class Headers(TestCase):
    def test_fields_are_removed_set_and_added_both_ways(self):
        origin = self.start_origin(response_bytes(headers=[("Server", "secret/1.0"), ("X-A", "1")]))
        gateway = self.gateway_for(origin, route_options={
            "request_headers": {"remove": ["Cookie"], "set": {"X-Route": "${route}"},
                                "add": {"X-Color": "blue"}},
            "response_headers": {"remove": ["Server"], "set": {"X-Id": "<${request_id}>"},
                                 "add": {"X-A": "$${2}"}}})
        answer = gateway.get("/", [("Cookie", "a=b"), ("X-Route", "forged"), ("X-Color", "red")])
        [request] = origin.requests
        self.assertIsNone(request.header("Cookie"))
        self.assertEqual(request.all("X-Route"), ["all"])
        self.assertEqual(request.all("X-Color"), ["red", "blue"])
        self.assertIsNone(answer.header("Server"))
        self.assertEqual(answer.header("X-Id"), "<%s>" % answer.header("X-Request-Id"))
        self.assertEqual(answer.all("X-A"), ["1", "${2}"])

    def test_request_ids_are_the_gateways_own_and_the_same_on_both_sides(self):
        origin = self.start_origin()
        gateway = self.gateway_for(origin)
        answer = gateway.get("/", [("X-Request-Id", "forged")])
        self.assertRegex(answer.header("X-Request-Id"), "^[0-9a-f]{32}$")
        self.assertEqual(origin.requests[0].all("X-Request-Id"), [answer.header("X-Request-Id")])

    def test_errors_of_the_gateway_have_the_identifier_and_the_routes_fields(self):
        nobody = "127.0.0.1:%d" % free_port()
        gateway = self.gateway_for(nobody, route_options={
            "response_headers": {"set": {"X-Brand": "tollgate"}}})
        answer = gateway.get("/")
        self.assert_problem(answer, 502, "upstream_unreachable")
        self.assertEqual(answer.header("X-Brand"), "tollgate")
        self.assertEqual(answer.json()["request_id"], answer.header("X-Request-Id"))

    def test_named_groups_of_the_path_fill_values(self):
        origin = self.start_origin()
        gateway = self.gateway_for(origin, route_options={
            "match": {"path_regex": "/users/(?<user>[a-z]+)/"},
            "request_headers": {"set": {"X-User": "u:${path:user}"}}})
        gateway.get("/users/ada/mail")
        self.assertEqual(origin.requests[0].header("X-User"), "u:ada")

    def test_hsts_goes_over_tls_only(self):
        for tls in (True, False):
            gateway = self.gateway_for(self.start_origin(), route_options={"hsts": {}}, tls=tls)
            self.assertEqual(gateway.get("/").header("Strict-Transport-Security"),
                             "max-age=31536000; includeSubDomains" if tls else None)
