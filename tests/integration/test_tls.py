"""TLS at the door: versions, names, resumption, certificates that change, and peers that misbehave."""
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import unittest
import warnings

from tgtest import Client, TestCase, issue, self_signed, authority, tls_context, wait_until
from tgtest.system import TIME_FACTOR, free_port

HANDSHAKES = 'tollgate_tls_handshakes_total{version="%s",resumed="%s",result="%s"}'
API = ("DNS:api.test", "DNS:*.wild.test")
SHOP = ("DNS:shop.test",)


def respond(name="all", **match):
    """A route that answers with its own name."""
    return {"name": name, "match": match or {"path_prefix": "/"}, "auth": "none", "limits": "none",
            "respond": {"status": 200, "body": name}}


def tls_listener(*certificates, name="public", **options):
    tls = dict({"certificates": [c._asdict() for c in certificates]}, **options)
    return {"name": name, "address": "127.0.0.1:%d" % free_port(), "protocols": ["http/1.1"],
            "tls": tls}


def der(certificate):
    with open(certificate.certificate) as text:
        return ssl.PEM_cert_to_DER_cert(text.read())


class TlsCase(TestCase):
    def serve(self, *listeners, routes=None, **config):
        return self.start_gateway(dict({"listeners": list(listeners), "services": [],
                                        "routes": routes or [respond()]}, **config), tls=True)

    def seen(self, gateway, server_name=None, port=None):
        """The certificate that a new connection is shown, as DER."""
        with gateway.client(port=port, server_name=server_name) as client:
            self.assertEqual(client.get("/").status, 200)
            return client.socket.getpeercert(binary_form=True)

    def wait_handshakes(self, gateway, count, *labels):
        wait_until(lambda: gateway.metrics().get(HANDSHAKES % labels) == count, 5,
                   "%d handshakes %s" % (count, labels))


class Handshake(TlsCase):
    def test_only_tls_1_3_is_spoken_unless_1_2_is_asked_for(self):
        strict, wide = tls_listener(self_signed()), tls_listener(self_signed(), name="wide",
                                                                 min_version="1.2")
        gateway = self.serve(strict, wide)
        with self.assertRaises(ssl.SSLError):
            gateway.client(tls=tls_context(version=ssl.TLSVersion.TLSv1_2))
        self.wait_handshakes(gateway, 1, "", "false", "failed")
        with gateway.client(tls=tls_context(version=ssl.TLSVersion.TLSv1_2),
                            port=gateway.ports["wide"]) as client:
            self.assertEqual(client.get("/").status, 200)
            self.assertEqual(client.socket.version(), "TLSv1.2")
            self.assertIn("GCM", client.socket.cipher()[0])
        for port in gateway.ports.values():
            with gateway.client(port=port) as client:
                self.assertEqual(client.socket.version(), "TLSv1.3")
        self.assertTrue(gateway.metrics()[HANDSHAKES % ("TLSv1.2", "false", "ok")], 1)

    def test_older_versions_are_refused_even_where_1_2_is_allowed(self):
        gateway = self.serve(tls_listener(self_signed(), min_version="1.2"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context = tls_context(version=ssl.TLSVersion.TLSv1_1)
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with self.assertRaises(ssl.SSLError):
            gateway.client(tls=context)
        self.assertEqual(gateway.get("/").status, 200)

    def test_the_name_asked_for_picks_the_certificate(self):
        api, shop = self_signed("api.test", API), self_signed("shop.test", SHOP)
        gateway = self.serve(tls_listener(api, shop))
        for name, expected in (("api.test", api), ("shop.test", shop), ("SHOP.test", shop),
                               ("a.wild.test", api), ("a.b.wild.test", api), ("other.test", api),
                               (None, api)):
            self.assertEqual(self.seen(gateway, name), der(expected), name)

    def test_an_ecdsa_and_an_rsa_certificate_stand_side_by_side(self):
        folder = self.make_folder()
        rsa = self_signed("api.test", API)._replace(
            certificate=os.path.join(folder, "rsa.pem"),
            private_key=os.path.join(folder, "rsa.key"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                        rsa.private_key, "-out", rsa.certificate, "-subj", "/CN=api.test",
                        "-addext", "subjectAltName=" + ",".join(API)], check=True,
                       stderr=subprocess.DEVNULL)
        os.chmod(rsa.private_key, 0o644)
        ecdsa = self_signed("api.test", API)
        gateway = self.serve(tls_listener(ecdsa, rsa, min_version="1.2"))
        for ciphers, expected in (("ECDHE+aECDSA", ecdsa), ("ECDHE+aRSA", rsa)):
            context = tls_context(version=ssl.TLSVersion.TLSv1_2)
            context.set_ciphers(ciphers)
            with gateway.client(tls=context, server_name="api.test") as client:
                self.assertEqual(client.socket.getpeercert(binary_form=True), der(expected))

    def test_a_chain_is_sent_so_that_clients_can_verify_it(self):
        ca = authority()
        gateway = self.serve(tls_listener(issue(ca)))
        with gateway.client(tls=tls_context(ca=ca)) as client:
            self.assertEqual(client.get("/").status, 200)

    def test_alpn_agrees_on_http_1_1_or_ends_the_handshake(self):
        gateway = self.serve(tls_listener(self_signed()))
        for offered, chosen in ((("h2", "http/1.1"), "http/1.1"), (("http/1.1",), "http/1.1"),
                                ((), None)):
            with gateway.client(tls=tls_context(alpn=offered)) as client:
                self.assertEqual(client.socket.selected_alpn_protocol(), chosen)
                self.assertEqual(client.get("/").status, 200)
        with self.assertRaises(ssl.SSLError):
            gateway.client(tls=tls_context(alpn=("h3",)))

    def test_a_host_of_another_listeners_certificate_is_misdirected(self):
        api, shop = self_signed("api.test", API), self_signed("shop.test", SHOP)
        gateway = self.serve(tls_listener(api), tls_listener(shop, name="shop"))
        with gateway.client(server_name="api.test") as client:
            self.assert_problem(client.request("GET", "/", host="shop.test"), 421,
                                "misdirected_request")
            for host in ("api.test", "API.test.:8443", "a.wild.test", "unknown.test"):
                self.assertEqual(client.request("GET", "/", host=host).status, 200, host)
        with gateway.client(server_name="shop.test", port=gateway.ports["shop"]) as client:
            self.assertEqual(client.request("GET", "/", host="shop.test").status, 200)

    def make_folder(self):
        folder = os.path.join("/tmp", "tollgate-test-tls-%d" % os.getpid())
        os.makedirs(folder, exist_ok=True)
        self.addCleanup(shutil.rmtree, folder, True)
        return folder


class Resumption(TlsCase):
    def resumed(self, gateway, context, session):
        """Clients that resume until both workers have one; a new ticket of the last."""
        shares = []
        with contextlib.ExitStack() as open_clients:
            for _ in range(40):
                client = gateway.client(tls=context, session=session)
                open_clients.enter_context(client)
                self.assertEqual(client.get("/").status, 200)
                self.assertTrue(client.socket.session_reused)
                ticket = client.socket.session
                shares = [w["connections"] for w in gateway.status()["workers"]]
                if all(shares):
                    break
        self.assertTrue(all(shares), "the kernel gave all connections to one worker: %s" % shares)
        wait_until(lambda: gateway.status()["connections"] == 0, 5, "the connections' end")
        return ticket

    def test_a_session_resumes_at_every_worker_and_after_a_reload(self):
        gateway = self.serve(tls_listener(self_signed()), workers=2)
        context = tls_context()
        with gateway.client(tls=context) as client:
            client.get("/")
            self.assertFalse(client.socket.session_reused)
            session = client.socket.session
        session = self.resumed(gateway, context, session)
        gateway.reload()
        self.resumed(gateway, context, session)
        samples = gateway.metrics()
        self.assertEqual(samples[HANDSHAKES % ("TLSv1.3", "false", "ok")], 1)
        self.assertGreaterEqual(samples[HANDSHAKES % ("TLSv1.3", "true", "ok")], 4)

    def test_openssls_client_resumes_too(self):
        gateway = self.serve(tls_listener(self_signed()))
        ticket = gateway.path("ticket")
        first = self.s_client(gateway, "-sess_out", ticket)
        self.assertIn("New, TLSv1.3", first)
        self.assertIn("HTTP/1.1 200 OK", first)
        again = self.s_client(gateway, "-sess_in", ticket)
        self.assertIn("Reused, TLSv1.3", again)
        self.assertIn("HTTP/1.1 200 OK", again)

    def s_client(self, gateway, *options):
        return subprocess.run(
            ["openssl", "s_client", "-connect", "127.0.0.1:%d" % gateway.port, "-servername",
             "localhost", "-ign_eof", *options], text=True, stdout=subprocess.PIPE,
            input="GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            stderr=subprocess.DEVNULL, timeout=30 * TIME_FACTOR, check=True).stdout

    def test_a_ticket_of_another_gateway_means_a_full_handshake(self):
        context = tls_context()
        sessions = []
        for _ in range(2):
            gateway = self.serve(tls_listener(self_signed()))
            with gateway.client(tls=context, session=sessions[0] if sessions else None) as client:
                client.get("/")
                self.assertFalse(client.socket.session_reused)
                sessions.append(client.socket.session)


class Certificates(TlsCase):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join("/tmp", "tollgate-test-tls-%d-%s" % (os.getpid(), self.id()))
        os.makedirs(self.folder, exist_ok=True)
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.old, self.new = self_signed("old", SHOP), self_signed("new", SHOP)
        self.files = self.old._replace(certificate=os.path.join(self.folder, "cert.pem"),
                                       private_key=os.path.join(self.folder, "key.pem"))
        self.install(self.old)

    def install(self, pair):
        for source, target in zip(pair, self.files):
            shutil.copy(source, target + ".new")
            os.chmod(target + ".new", 0o644)
            os.rename(target + ".new", target)

    def test_a_renewed_one_is_shown_to_new_connections_and_old_ones_live_on(self):
        gateway = self.serve(tls_listener(self.files))
        with gateway.client() as old, gateway.client() as unused:
            self.assertEqual(old.get("/").status, 200)
            self.install(self.new)
            self.assertEqual(self.seen(gateway), der(self.old))  # not before the reload
            gateway.reload()
            self.assertEqual(self.seen(gateway), der(self.new))
            for client in (old, unused):
                self.assertEqual(client.get("/").status, 200)
                self.assertEqual(client.socket.getpeercert(binary_form=True), der(self.old))

    def test_a_handshake_that_a_reload_overtakes_goes_on(self):
        gateway = self.serve(tls_listener(self.files))
        with Client(gateway.port) as client:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = tls_context().wrap_bio(incoming, outgoing, server_hostname="shop.test")
            with self.assertRaises(ssl.SSLWantReadError):
                tls.do_handshake()
            hello = outgoing.read()
            client.send(hello[:100])
            self.install(self.new)
            gateway.reload()
            gateway.reload()
            client.send(hello[100:])
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    incoming.write(client.socket.recv(65536))
            self.assertEqual(tls.getpeercert(binary_form=True), der(self.old))
            tls.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            client.send(outgoing.read())
            answer = b""
            while b"\r\n\r\nall" not in answer:
                try:
                    answer += tls.read()
                except ssl.SSLWantReadError:
                    incoming.write(client.socket.recv(65536))

    def refused(self, what, pair):
        """Neither -t nor a reload takes the pair; both say so in one line that holds `what`."""
        gateway = self.serve(tls_listener(self.files))
        for source, target in zip(pair, self.files):
            os.remove(target)
            if source:
                shutil.copy(source, target)
                os.chmod(target, 0o644)
        status, text = gateway.check()
        self.assertEqual((status, text.count("\n")), (1, 1), text)
        self.assertIn(what, text)
        self.assertIn(": listeners[0].tls.certificates", text)
        with gateway.client() as client:
            client.get("/")
            gateway.reload_refused()
            self.assertEqual(client.get("/").status, 200)
        self.assertIn(what, gateway.stderr())
        self.assertEqual(self.seen(gateway), der(self.old))

    def test_a_key_of_another_certificate_is_refused(self):
        self.refused("private key does not belong to the certificate",
                     (self.old.certificate, self.new.private_key))

    def test_a_missing_certificate_is_refused(self):
        self.refused(self.files.certificate, (None, self.old.private_key))

    def test_a_missing_key_is_refused(self):
        self.refused(self.files.private_key, (self.old.certificate, None))

    def test_a_file_that_is_no_certificate_is_refused(self):
        self.refused("holds no PEM certificate", (__file__, self.old.private_key))

    @unittest.skipUnless(os.getuid() == 0, "only root can become another user")
    def test_a_reload_is_refused_if_the_user_cannot_read_the_new_key(self):
        gateway = self.serve(tls_listener(self.files))
        self.install(self.new)
        os.chmod(self.files.private_key, 0o600)
        gateway.reload_refused()
        self.assertIn(self.files.private_key, gateway.stderr())
        self.assertIn("Permission denied", gateway.stderr())
        self.assertEqual(self.seen(gateway), der(self.old))

    def test_the_metric_tells_when_each_certificate_ends(self):
        gateway = self.serve(tls_listener(self_signed("api.test", API, days=40),
                                          self_signed("shop.test", SHOP, days=20)))
        samples = gateway.metrics()
        for name, pair in (("api.test", self_signed("api.test", API, days=40)),
                           ("shop.test", self_signed("shop.test", SHOP, days=20))):
            line = subprocess.run(["openssl", "x509", "-in", pair.certificate, "-noout",
                                   "-enddate"], stdout=subprocess.PIPE, text=True, check=True)
            ends = ssl.cert_time_to_seconds(line.stdout.strip().split("=")[1])
            self.assertEqual(samples['tollgate_certificate_expiry_timestamp_seconds{'
                                     'listener="public",subject="CN=%s"}' % name], ends)


class Misbehaviour(TlsCase):
    def test_what_is_no_tls_ends_the_connection_and_nothing_else(self):
        gateway = self.serve(tls_listener(self_signed()))
        garbage = (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(range(256)) * 8, b"\0" * 64,
                   b"\x16\x03\x01\xff\xff" + b"\1" * 70000, b"\x15\x03\x03\0\2\2\x28")
        for data in garbage:
            with Client(gateway.port) as client:
                try:
                    client.send(data)
                except OSError:
                    pass
                client.read_until_close()
        self.wait_handshakes(gateway, len(garbage), "", "false", "failed")
        self.assertEqual(gateway.get("/").status, 200)

    def test_garbage_after_the_handshake_ends_the_connection(self):
        gateway = self.serve(tls_listener(self_signed()))
        with gateway.client() as client:
            client.get("/")
            raw = socket.socket(fileno=client.socket.detach())
            raw.settimeout(5 * TIME_FACTOR)
            raw.sendall(b"\x17\x03\x03\0\x20" + b"x" * 32)
            while raw.recv(65536):
                pass
            raw.close()
        wait_until(lambda: gateway.status()["connections"] == 0, 5, "the connection's end")

    def test_a_slow_handshake_is_ended_by_header_timeout(self):
        gateway = self.serve(tls_listener(self_signed()),
                             client_limits={"header_timeout": "300ms"})
        hello = b"\x16\x03\x01\x02\0\x01"
        for data in (b"", hello, hello + b"\0" * 100):
            with Client(gateway.port) as client:
                client.send(data)
                client.read_until_close()  # within the client's own 10 s
        self.wait_handshakes(gateway, 3, "", "false", "failed")
        self.assertEqual(gateway.status()["connections"], 0)

    def test_a_client_that_leaves_within_the_handshake_leaves_nothing(self):
        gateway = self.serve(tls_listener(self_signed()))
        for end in (Client.close, Client.reset):
            client = Client(gateway.port)
            client.send(b"\x16\x03\x01\x02\0\x01")
            end(client)
        self.wait_handshakes(gateway, 2, "", "false", "failed")
        wait_until(lambda: gateway.status()["connections"] == 0, 5, "the connections' end")
