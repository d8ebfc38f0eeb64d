"""What keeps the gateway from starting is one clear line and exit status 1."""
import os
import shutil
import socket
import subprocess
import unittest

from tgtest import Gateway, TestCase, certs, free_port, ready_config, scaled
from tgtest.gateway import gateway_path

ROUTE = {"name": "all", "match": {"path_prefix": "/"}, "auth": "none", "limits": "none",
         "respond": {"status": 200, "body": "here"}}
AS_ROOT = unittest.skipUnless(os.getuid() == 0, "only root can become another user")


class Start(TestCase):
    def refused(self, config, env=None):
        """Runs a gateway that must not start; returns its one line."""
        gateway = Gateway(dict({"routes": [ROUTE], "services": []}, **config), start=False, env=env)
        self.addCleanup(shutil.rmtree, gateway.folder, True)
        done = subprocess.run([gateway_path(), "-c", gateway.file], env=gateway.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=scaled(20))
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    def test_an_address_in_use_is_named_with_its_owner(self):
        with socket.socket() as foreign:
            foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            foreign.bind(("127.0.0.1", free_port()))
            foreign.listen()
            address = "127.0.0.1:%d" % foreign.getsockname()[1]
            line = self.refused({"listeners": [{"name": "public", "address": address}]})
        self.assertIn("cannot listen on %s: address in use by " % address, line)
        self.assertIn("(pid %d)" % os.getpid(), line)

    def test_an_address_that_becomes_free_within_a_second_is_waited_for(self):
        with socket.socket() as foreign:
            foreign.bind(("127.0.0.1", free_port()))
            foreign.listen()
            address = "127.0.0.1:%d" % foreign.getsockname()[1]
            gateway = Gateway({"routes": [ROUTE], "services": [],
                               "listeners": [{"name": "public", "address": address}]}, start=False)
            self.addCleanup(gateway.stop)
            gateway.start(wait=False)
            with self.assertRaises(subprocess.TimeoutExpired):
                gateway.process.wait(0.4)
        gateway.wait_ready()
        self.assertEqual(gateway.get("/").body, b"here")

    def test_an_address_of_another_machine_is_named(self):
        line = self.refused({"listeners": [{"name": "public", "address": "192.0.2.1:8443"}]})
        self.assertIn("cannot listen on 192.0.2.1:8443: ", line)

    @AS_ROOT
    def test_a_missing_user_is_named(self):
        line = self.refused({"user": "nobody-of-that-name"})
        self.assertIn('there is no user "nobody-of-that-name"', line)

    @AS_ROOT
    def test_a_file_that_the_user_cannot_read_is_named_with_the_user(self):
        folder = os.path.join("/tmp", "tollgate-test-start-%d" % os.getpid())
        os.makedirs(folder)
        self.addCleanup(shutil.rmtree, folder)
        pair = certs.self_signed()
        certificate = shutil.copy(pair.certificate, folder)
        key = shutil.copy(pair.private_key, folder)
        os.chmod(key, 0o600)
        tls = {"certificates": [{"certificate": certificate, "private_key": key}]}
        config = ready_config({})
        config["listeners"][0].update(tls=tls, protocols=["http/1.1"])
        line = self.refused(config)
        self.assertIn(key, line)
        self.assertIn('user "nobody" cannot read it', line)

    def test_a_missing_certificate_is_named(self):
        config = ready_config({})
        pair = certs.self_signed()
        config["listeners"][0]["tls"] = {"certificates": [
            {"certificate": "/nowhere/api.crt", "private_key": pair.private_key}]}
        config["listeners"][0]["protocols"] = ["http/1.1"]
        self.assertIn("/nowhere/api.crt", self.refused(config))

    def test_wrong_usage_is_status_2(self):
        for arguments in ([], ["-x"], ["-c"], ["-c", "a", "b"], ["--role=gateway", "-c", "a"]):
            with self.subTest(arguments=arguments):
                done = subprocess.run([gateway_path()] + arguments, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True, timeout=scaled(20))
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn("usage: tollgate", done.stderr)

    def test_the_version_names_the_libraries(self):
        done = subprocess.run([gateway_path(), "-V"], stdout=subprocess.PIPE, text=True,
                              timeout=scaled(20), check=True)
        for name in ("tollgate ", "built with: ", "libevent ", "OpenSSL ", "nghttp2 ", "jansson ",
                     "PCRE2 ", "libyaml ", "c-ares "):
            self.assertIn(name, done.stdout)
