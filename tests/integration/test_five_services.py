"""conf/tollgate.yaml as it is, in front of the five demo services."""
import json
import os
import shutil
import time

from tgtest import Gateway, TestCase, self_signed, tls_context
from tgtest.gateway import ROOT, unprivileged_user

SERVICES = ("email", "context-engine", "sms", "marketing", "mail-score")
CALLS = (
    ("email-send", "email", "POST", "/v1/email/send", {"to": "ada@example.com", "subject": "Hi"}),
    ("email", "email", "GET", "/v1/email/email_000001", None),
    ("sms", "sms", "POST", "/v1/sms/send", {"to": "+15550100", "text": "Hello"}),
    ("marketing", "marketing", "GET", "/v1/marketing/campaigns", None),
    ("mail-score", "mail-score", "POST", "/v1/mail-score/score", {"body": "A quiet letter."}),
)


class FiveServices(TestCase):
    def setUp(self):
        super().setUp()
        demos = {name: self.start_demo(name, **({"token_ms": 40} if "engine" in name else {}))
                 for name in SERVICES}
        with open(os.path.join(ROOT, "conf", "tollgate.yaml")) as text:
            self.gateway = Gateway(text.read(), tls=True, start=False)
        self.addCleanup(self.gateway.stop)
        self.gateway.env.update(
            {name.upper().replace("-", "_") + "_ADDRESS": demo.address
             for name, demo in demos.items()},
            TOLLGATE_USER=unprivileged_user(),
            TOLLGATE_ADDRESS="127.0.0.1:%d" % self.gateway.port,
            TOLLGATE_ADMIN="127.0.0.1:%d" % self.gateway.admin_port)
        os.mkdir(self.gateway.path("tls"))
        for source, name in zip(self_signed(), ("dev.crt", "dev.key")):
            shutil.copy(source, self.gateway.path("tls/" + name))
        self.gateway.start()

    def test_the_file_is_right_and_asks_for_nothing_that_is_not_built_in(self):
        self.assertEqual(self.gateway.check(), (0, self.gateway.file + ": ok\n"))
        self.assertEqual(self.gateway.status()["inactive"], [])

    def test_every_service_is_reached_by_its_route_over_one_connection(self):
        context = tls_context(ca=self_signed())
        with self.gateway.client(tls=context) as client:
            self.assertEqual(client.socket.version(), "TLSv1.3")
            for _, _, method, target, body in CALLS:
                answer = client.request(method, target, [("Content-Type", "application/json")],
                                        None if body is None else json.dumps(body))
                self.assertLess(answer.status, 300, (target, answer.body))
                self.assertIn("json", answer.header("Content-Type"))
                self.assertTrue(answer.header("X-Request-Id"))
            self.assert_problem(client.request("DELETE", "/v1/email/send"), 405,
                                "method_not_allowed")
            self.assert_problem(client.get("/v2/sms"), 404, "no_route")
        counted = {key for key in self.gateway.metrics() if "http_requests_total{" in key}
        for name, service, *_ in CALLS:
            self.assertTrue([key for key in counted if 'route="%s",service="%s"' % (name, service)
                             in key], (name, counted))

    def test_tokens_arrive_one_by_one(self):
        body = json.dumps({"prompt": "one two", "max_tokens": 6})
        with self.gateway.client() as client:
            client.send("POST /v1/context/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                        "application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            head = client.read_head()
            self.assertEqual((head.status, head.header("Content-Type")),
                             (200, "text/event-stream"))
            arrived, events = [], b""
            while True:
                data = client.read_chunk()
                if not data:
                    break
                arrived.append(time.monotonic())
                events += data
        self.assertGreaterEqual(len(arrived), 6)
        self.assertGreater(arrived[-1] - arrived[0], 5 * 0.04 * 0.8)
        self.assertEqual(events.decode().rstrip().split("\n\n")[-1], "data: [DONE]")
