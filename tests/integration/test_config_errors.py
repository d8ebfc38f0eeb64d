"""What is wrong with a configuration, told by -t and by the start: all of it, each with its place."""
import os
import subprocess

from tgtest import Gateway, TestCase, scaled, self_signed
from tgtest.gateway import gateway_path

MISTAKES = """\
user: nobody
worker: 2
drain_timeout: soon
listeners:
  - name: public
    address: 127.0.0.1:70000
    protocols: [http/1.1, http/3]
    tls:
      certificates:
        - {certificate: /nowhere/api.crt, private_key: /nowhere/api.key}
  - {name: public, address: "127.0.0.1:18080"}
admin: {address: "127.0.0.1:18081"}
client_limits: {header_count: -1, body_bytes: 10MB}
services:
  - name: email
    variants:
      - {name: stable, weight: 1, endpoints: ["127.0.0.1:18082"]}
routes:
  - name: a
    match: {path_prefix: /a, path: /b}
    service: emial
    auth: none
  - name: b
    match: {path_regex: "/b/([0-9]+"}
    service: email
    auth: none
    respond: {status: 99}
  - name: c
    match: {path_prefix: /c}
    service: email
"""

EXPECTED = [  # line, path and a part of the text
    (2, "worker", "`workers`"),
    (3, "drain_timeout", "duration"),
    (6, "listeners[0].address", ""),
    (7, "listeners[0].protocols[1]", "http/3"),
    (10, "listeners[0].tls.certificates[0].certificate", "No such file"),
    (10, "listeners[0].tls.certificates[0].private_key", "No such file"),
    (11, "listeners[1].name", "public"),
    (13, "client_limits.header_count", ""),
    (13, "client_limits.body_bytes", "10MB"),
    (20, "routes[0].match", "path"),
    (21, "routes[0].service", "`email`"),
    (24, "routes[1].match.path_regex", ""),
    (27, "routes[1].respond.status", "99"),
    (28, "routes[2]", "auth"),
]


class ConfigErrors(TestCase):
    def run_with(self, text, *options):
        """(exit status, stdout, stderr) of tollgate with this file, whose path is self.file."""
        gateway = Gateway(text, start=False)
        self.addCleanup(gateway.stop)
        self.file = gateway.file
        done = subprocess.run([gateway_path(), *options, "-c", gateway.file], env=gateway.env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=scaled(20))
        return done.returncode, done.stdout, done.stderr

    def places(self, text):
        """(line, path, message) of every line; all of them have to have that form."""
        found = []
        for line in text.splitlines():
            self.assertTrue(line.startswith(self.file + ":"), line)
            place, path, message = line[len(self.file) + 1:].split(": ", 2)
            row, column = place.split(":")
            self.assertGreater(int(column), 0)
            found.append((int(row), path, message))
        return found

    def check_mistakes(self, *options):
        status, out, err = self.run_with(MISTAKES, *options)
        self.assertEqual((status, out), (1, ""))
        found = self.places(err)
        for line, path, part in EXPECTED:
            self.assertTrue([f for f in found if f[0] == line and f[1].startswith(path)
                             and part in f[2]], "%s is not told in\n%s" % ((line, path, part), err))
        self.assertEqual(found, sorted(found, key=lambda f: f[0]))

    def test_the_check_tells_every_mistake_with_its_place(self):
        self.check_mistakes("-t")

    def test_the_start_tells_them_too(self):
        self.check_mistakes()

    def test_what_only_compiling_finds_is_told_all_at_once(self):
        pair, other = self_signed(), self_signed("other.test", ("DNS:other.test",))
        wrong = "{certificate: %s, private_key: %s}" % (pair.certificate, other.private_key)
        text = """
user: "${env:TG_USER}"
listeners:
  - {name: a, address: "127.0.0.1:${env:TG_PORT}", protocols: [http/1.1],
     tls: {certificates: [%s]}}
  - {name: b, address: "127.0.0.1:${env:TG_ADMIN_PORT}", protocols: [http/1.1],
     tls: {certificates: [%s]}}
admin: {address: "unix:/tmp/tollgate-test-admin-%d"}
routes:
  - {name: r, match: {path_prefix: /}, auth: none, respond: {status: 200}}
""" % (wrong, wrong, os.getpid())
        for options in (["-t"], []):
            status, out, err = self.run_with(text, *options)
            self.assertEqual((status, out), (1, ""))
            self.assertEqual([(f[0], f[1]) for f in self.places(err)],
                             [(5, "listeners[0].tls.certificates"),
                              (7, "listeners[1].tls.certificates")])
            self.assertEqual(err.count("private key does not belong to the certificate"), 2, err)

    def test_a_file_that_is_not_there_or_no_yaml_is_one_line(self):
        for options in (["-t"], []):
            done = subprocess.run([gateway_path(), *options, "-c", "/nowhere/tollgate.yaml"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=scaled(20))
            self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1))
            self.assertIn("/nowhere/tollgate.yaml", done.stderr)
            self.assertIn("No such file or directory", done.stderr)
            status, out, err = self.run_with("routes: [\n- {", *options)
            self.assertEqual((status, out, err.count("\n")), (1, "", 1))
            self.assertTrue(err.startswith(self.file + ":"), err)

    def test_secrets_stay_out_of_errors(self):
        status, out, err = self.run_with('admin: {token: "s3cr3t-value", tokn: "s3cr3t-value"}\n'
                                         'auth: {jwt: [{secret: "s3cr3t-value", name: 3.5e}]}\n',
                                         "-t")
        self.assertEqual(status, 1)
        self.assertNotIn("s3cr3t", out + err)

    def test_a_good_file_is_ok(self):
        text = ('admin: {address: "127.0.0.1:1"}\nroutes:\n  - {name: r, auth: none, '
                'match: {path: /}, respond: {status: 200}}\n'
                'listeners: [{name: a, address: "127.0.0.1:2"}]\n')
        status, out, err = self.run_with(text, "-t")
        self.assertEqual((status, out, err), (0, self.file + ": ok\n", ""))
