"""What a client says must not pass for what the gateway says: other spellings, trailers, Forwarded."""
from tgtest import SharedCase

ALIASES = ("X_Tenant_Id", "X-Tenant_Id", "x_auth-subject", "X_AUTH_SCOPES", "X_Auth_Method",
           "X_Forwarded_For", "X-Forwarded_Proto", "X_Request_Id", "Content_Length",
           "Transfer_Encoding")
TRAILERS = ALIASES + ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Request-Id",
                      "Authorization", "X-API-Key", "Cookie", "Expect", "TE", "Via")


class Identity(SharedCase):
    def received(self, headers):
        self.gateway.get("/", headers)
        return self.origin.requests[-1]

    def test_underscores_are_no_way_around(self):
        request = self.received([(name, "8") for name in ALIASES] + [("X_Other", "1")])
        for name in ALIASES:
            self.assertEqual(request.all(name), [], name)
        self.assertEqual(request.all("X_Other"), ["1"])
        self.assertEqual(request.all("X-Forwarded-For"), ["127.0.0.1"])

    def test_forwarded_of_an_untrusted_client_is_dropped(self):
        self.assertEqual(self.received([("Forwarded", "for=10.0.0.1")]).all("Forwarded"), [])

    def test_connection_cannot_remove_what_the_gateway_says(self):
        request = self.received([("Connection", "X-Forwarded-For, X-Request-Id, Via, X-Forwarded-Host")])
        for name in ("X-Forwarded-For", "X-Request-Id", "Via", "X-Forwarded-Host"):
            self.assertEqual(len(request.all(name)), 1, name)

    def test_nothing_of_the_head_comes_again_as_a_trailer(self):
        trailers = "".join("%s: 8\r\n" % name for name in TRAILERS)
        with self.gateway.client() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "1\r\nx\r\n0\r\n" + trailers + "X-Sum: 1\r\n\r\n")
            self.assertEqual(client.response().status, 200)
        self.assertEqual(self.origin.requests[-1].trailers, [("X-Sum", "1")])
