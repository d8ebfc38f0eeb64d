"""SIGHUP in the running gateway: what changes, what stays, and what a reload may run into."""
import signal
import time

from tgtest import TestCase, scaled
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
