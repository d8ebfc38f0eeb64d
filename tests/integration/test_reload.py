"""SIGHUP in the running gateway: what changes, what stays, and what a reload may run into."""
import copy
import signal
import threading
import time

from tgtest import TestCase, response_bytes, scaled, self_signed, wait_until
from tgtest.gateway import ready_config


def many_routes(count):
    """A configuration that takes a while to load."""
    return ready_config({"routes": [
        {"name": "r%d" % i, "match": {"path_regex": "/r%d/[a-z]+" % i}, "auth": "none",
         "limits": "none", "respond": {"status": 204}} for i in range(count)]})


class Reload(TestCase):
    def test_a_stop_while_the_configuration_is_being_read_is_a_clean_end(self):
        for pause in (0, 0.02, 0.05):
            with self.subTest(pause=pause):
                gateway = self.start_gateway(many_routes(1500))
                gateway.process.send_signal(signal.SIGHUP)
                time.sleep(pause)
                gateway.process.send_signal(signal.SIGTERM)
                self.assertEqual(gateway.process.wait(scaled(10)), 0, gateway.stderr())
                gateway.check_sanitizers()

    def test_a_connection_whose_listener_became_another_gets_its_answer_and_ends(self):
        answered = threading.Event()
        self.addCleanup(answered.set)

        def answer(request, connection):
            answered.wait(scaled(10))
            return response_bytes(body="late")
        gateway = self.gateway_for(self.start_origin(answer))
        with gateway.client() as busy, gateway.client() as idle:
            busy.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_until(lambda: gateway.status()["live_requests"] == 1, 5, "the request")
            config = copy.deepcopy(gateway.config)
            config["listeners"][0].update(
                tls={"certificates": [self_signed()._asdict()]}, protocols=["http/1.1"])
            gateway.reload(config)
            self.assertTrue(idle.is_closed())
            answered.set()
            self.assertEqual(busy.response().body, b"late")
            self.assertEqual(busy.get("/").header("Connection"), "close")
            self.assertTrue(busy.is_closed())
        self.assertEqual(gateway.get("/", tls=True).status, 200)
