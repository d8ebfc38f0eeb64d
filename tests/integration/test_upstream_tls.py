"""TLS to services: verified against the authority and the name that the configuration gives."""
import ssl
import time

from tgtest import Origin, ProtocolError, SharedCase, authority, issue, response_bytes, self_signed
from tgtest.case import service

CA = authority()
OTHER_CA = authority("Another authority")
OK = b"HTTP/1.1 200 OK\r\n"


class Verified(SharedCase):
    @classmethod
    def setUpClass(cls):
        cls.names = []
        cls.secure = Origin(tls=issue(CA, "mail.internal", ("DNS:mail.internal", "DNS:localhost")))
        cls.addClassCleanup(cls.secure.stop)
        cls.secure.context.sni_callback = lambda sock, name, context: cls.names.append(name)
        cls.by_address = Origin(tls=issue(CA, "address", ("IP:127.0.0.1",)))
        cls.addClassCleanup(cls.by_address.stop)
        cls.own = Origin(tls=self_signed())
        cls.addClassCleanup(cls.own.stop)
        cls.old = Origin(tls=issue(CA, "old", ("IP:127.0.0.1",)))
        cls.addClassCleanup(cls.old.stop)
        cls.old.context.maximum_version = ssl.TLSVersion.TLSv1_2
        cls.without = Origin()
        cls.addClassCleanup(cls.without.stop)
        ca = CA.certificate
        cls.more_services = [
            service("named", cls.secure, tls={"ca": ca, "server_name": "mail.internal"}),
            service("address", cls.by_address, tls={"ca": ca}),
            service("no-ip", cls.secure, tls={"ca": ca}),
            service("wrong-name", cls.secure, tls={"ca": ca, "server_name": "sms.internal"}),
            service("wrong-ca", cls.secure, tls={"ca": OTHER_CA.certificate,
                                                 "server_name": "mail.internal"}),
            service("system-ca", cls.secure, tls={"server_name": "mail.internal"}),
            service("unverified", cls.own, tls={"verify": False, "server_name": "any.internal"}),
            service("old", cls.old, tls={"ca": ca}),
            service("plain", cls.secure),
            service("no-tls", cls.without, tls={"ca": ca}, timeouts={"connect": "200ms"}),
        ]
        names = [s["name"] for s in cls.more_services]
        cls.more_routes = [{"name": n, "match": {"path_prefix": "/" + n}, "service": n} for n in names]
        cls.more_services.append(service("by-host", cls.secure, tls={"ca": ca}))
        cls.more_routes.append({"name": "by-host", "match": {"path_prefix": "/by-host"},
                                "service": "by-host", "rewrite": {"host": "mail.internal"}})
        super().setUpClass()

    def setUp(self):
        super().setUp()
        for origin in (self.secure, self.by_address, self.own, self.old):
            origin.reset()

    def test_a_verified_service_is_used_and_its_connection_kept(self):
        del self.names[:]
        for i in range(5):
            self.assertEqual(self.gateway.request("POST", "/named", body="x" * i * 20000).body, b"ok")
        self.assertEqual(self.names, ["mail.internal"])
        self.assertEqual([len(r.body) for r in self.secure.requests], [i * 20000 for i in range(5)])

    def test_an_address_is_verified_against_the_certificates_addresses(self):
        self.assertEqual(self.gateway.get("/address").status, 200)
        self.assertEqual(self.gateway.get("/old").status, 200)

    def test_the_name_may_come_from_the_rewritten_host(self):
        del self.names[:]
        self.assertEqual(self.gateway.get("/by-host").status, 200)
        self.assertEqual(self.names, ["mail.internal"])
        self.assertEqual(self.secure.requests[0].header("Host"), "mail.internal")

    def test_a_certificate_that_does_not_fit_is_502_and_gets_no_request(self):
        for name in ("wrong-name", "wrong-ca", "no-ip", "system-ca"):
            with self.subTest(name):
                response = self.gateway.get("/" + name)
                self.assert_problem(response, 502, "upstream_unreachable")
                self.assertIn("certificate", response.json()["detail"])
        self.assertEqual(self.secure.requests, [])

    def test_verification_may_be_switched_off(self):
        self.assertEqual(self.gateway.get("/unverified").status, 200)

    def test_plain_http_to_a_tls_service_is_502(self):
        self.assertEqual(self.gateway.get("/plain").status, 502)

    def test_an_answer_until_close_is_whole_only_with_close_notify(self):
        def answer(request, connection):
            connection.send(OK + b"\r\nabc")
            time.sleep(0.02)
            if request.target.endswith("whole"):
                connection.socket.unwrap().close()
            else:
                connection.close()
        self.secure.reset(answer)
        self.assertEqual(self.gateway.get("/named/whole").body, b"abc")
        with self.assertRaises((ProtocolError, ConnectionResetError)):
            self.gateway.get("/named/cut")

    def test_a_counted_answer_needs_no_close_notify(self):
        def answer(request, connection):
            connection.send(response_bytes(body="abc"))
            connection.close()
        self.secure.reset(answer)
        for i in range(30):
            self.assertEqual(self.gateway.get("/named").body, b"abc", i)

    def test_large_bodies_pass_both_ways(self):
        self.secure.reset(lambda request, connection: response_bytes(body=request.body))
        body = bytes(range(256)) * 8192
        client = self.connect()
        for _ in range(2):
            self.assertEqual(client.request("PUT", "/named", body=body).body, body)

    def test_a_handshake_that_does_not_end_is_504(self):
        self.assert_problem(self.gateway.get("/no-tls"), 504, "upstream_timeout")
