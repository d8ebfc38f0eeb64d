"""The demo services keep the habits that tests of the gateway rely on; no gateway in between."""
import json
import threading
import time

from tgtest import Client, TestCase


def generate(port, tokens, **more):
    with Client(port) as client:
        return client.request("POST", "/v1/context/generate",
                              body=json.dumps(dict(prompt="a b", max_tokens=tokens, **more)))


class DemoServices(TestCase):
    def test_the_context_engine_works_on_one_request_at_a_time(self):
        demo = self.start_demo("context-engine", token_ms=20)
        began = time.monotonic()
        threads = [threading.Thread(target=generate, args=(demo.port, 5)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertGreater(time.monotonic() - began, 3 * 5 * 0.02)

    def test_the_usage_stands_in_the_event_before_the_last(self):
        demo = self.start_demo("context-engine", token_ms=1)
        response = generate(demo.port, 3)
        self.assertEqual(response.header("Content-Type"), "text/event-stream")
        events = [e[6:] for e in response.body.decode().split("\n\n") if e]
        self.assertEqual(events[-1], "[DONE]")
        self.assertEqual(json.loads(events[-2])["usage"]["total_tokens"], 5)

    def test_an_answer_that_is_not_streamed_has_its_usage_too(self):
        demo = self.start_demo("context-engine", token_ms=1)
        self.assertEqual(generate(demo.port, 3, stream=False).json()["usage"]["total_tokens"], 5)

    def test_a_service_can_be_told_to_fail_and_to_recover(self):
        demo = self.start_demo("marketing")
        with Client(demo.port) as client:
            client.request("POST", "/demo/fail?rate=100&status=502", body="")
            self.assertEqual(client.get("/v1/marketing/campaigns").status, 502)
            client.request("POST", "/demo/fail?rate=0", body="")
            self.assertEqual(client.get("/v1/marketing/campaigns").status, 200)
            client.request("POST", "/demo/health?status=503", body="")
            self.assertEqual(client.get("/health").status, 503)

    def test_a_service_can_be_told_to_be_slow(self):
        demo = self.start_demo("sms")
        with Client(demo.port) as client:
            client.request("POST", "/demo/slow?ms=150", body="")
            began = time.monotonic()
            client.get("/v1/sms/sms_000001")
            self.assertGreaterEqual(time.monotonic() - began, 0.15)

    def test_the_echo_shows_the_head_that_arrived(self):
        demo = self.start_demo("email")
        with Client(demo.port) as client:
            echo = client.get("/demo/echo?q", [("X-A", "1"), ("X-A", "2")]).json()
        self.assertEqual(echo["target"], "/demo/echo?q")
        self.assertEqual(echo["headers"], [["Host", "localhost"], ["X-A", "1"], ["X-A", "2"]])
