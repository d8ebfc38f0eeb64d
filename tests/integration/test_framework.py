"""The framework's own promises, checked without a gateway between client and origin."""
from tgtest import Client, ProtocolError, TestCase, response_bytes, self_signed, tls_context


class Framework(TestCase):
    def test_an_origin_records_what_it_receives_byte_for_byte(self):
        origin = self.start_origin()
        head = b"POST /a?b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        with Client(origin.port) as client:
            client.send(head + b"3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n")
            self.assertEqual(client.response().body, b"ok")
        [request] = origin.requests
        self.assertEqual((request.head, request.body), (head, b"abc"))
        self.assertEqual(request.trailers, [("A", "b")])

    def test_a_client_refuses_ambiguous_framing(self):
        bad = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        origin = self.start_origin(bad)
        with Client(origin.port) as client, self.assertRaises(ProtocolError):
            client.get("/")

    def test_a_client_notices_a_body_cut_short(self):
        origin = self.start_origin(
            lambda request, conn: conn.send(response_bytes(body="abc")[:-1]) or conn.close())
        with Client(origin.port) as client, self.assertRaises(ProtocolError):
            client.get("/")

    def test_origin_and_client_speak_tls(self):
        cert = self_signed()
        origin = self.start_origin([response_bytes(body="one"), response_bytes(body="two")], tls=cert)
        with Client(origin.port, tls=tls_context(ca=cert)) as client:
            self.assertEqual([client.get("/").body for _ in range(3)], [b"one", b"two", b"two"])
