"""The main job: clients reach the five services through the gateway over TLS 1.3."""
import json
import subprocess

from tgtest import TestCase, scaled
from tgtest.case import service

SERVICES = {
    "email": ("POST", "/v1/email/send", {"to": "ada@example.com", "subject": "Hello"}, 202),
    "context-engine": ("POST", "/v1/context/generate", {"prompt": "one two", "max_tokens": 3}, 200),
    "sms": ("POST", "/v1/sms/send", {"to": "+15550100", "text": "Hello"}, 202),
    "marketing": ("GET", "/v1/marketing/campaigns", None, 200),
    "mail-score": ("POST", "/v1/mail-score/score", {"body": "A quiet letter."}, 200),
}


class Smoke(TestCase):
    def setUp(self):
        super().setUp()
        demos = {name: self.start_demo(name) for name in SERVICES}
        self.gateway = self.start_gateway({
            "services": [service(name, demo) for name, demo in demos.items()],
            "routes": [{"name": name, "match": {"path_prefix": target.rsplit("/", 1)[0]},
                        "service": name, "auth": "none", "limits": "none"}
                       for name, (_, target, _, _) in SERVICES.items()],
        }, tls=True)

    def curl(self, method, target, body):
        command = ["curl", "-sSk", "--tlsv1.3", "--http1.1", "-X", method, "-o", "-", "-w",
                   "\n%{http_code}", "https://127.0.0.1:%d%s" % (self.gateway.port, target)]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=scaled(20))
        self.assertEqual(done.returncode, 0, done.stderr)
        text, status = done.stdout.rsplit("\n", 1)
        return int(status), text

    def test_curl_over_tls_1_3_reaches_the_five_services(self):
        for name, (method, target, body, expected) in SERVICES.items():
            with self.subTest(service=name):
                status, text = self.curl(method, target, body)
                self.assertEqual(status, expected, text)

    def test_a_stream_of_tokens_arrives_whole(self):
        _, text = self.curl(*SERVICES["context-engine"][:3])
        events = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
        self.assertEqual(events[-1], "[DONE]")
        self.assertEqual(json.loads(events[-2])["usage"]["total_tokens"], 5)
        self.assertEqual(len(events), 5)

    def test_an_unknown_path_is_a_404_of_the_gateway(self):
        self.assert_problem(self.gateway.get("/nowhere"), 404, "no_route")
