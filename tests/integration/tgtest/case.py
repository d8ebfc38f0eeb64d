"""The base of every integration test: starts what a test needs, stops it with the closing checks."""
import signal
import unittest

from .demo import Demo
from .gateway import Gateway
from .load import Load
from .origin import Origin
from .system import scaled


def service(name, *addresses, **options):
    """A service with one variant; addresses of Origin or Demo, or strings."""
    endpoints = [getattr(a, "address", a) for a in addresses]
    return dict({"name": name, "variants": [
        {"name": "stable", "weight": 1, "endpoints": endpoints}]}, **options)


def alone(test):
    """Marks a test that measures time: it runs when no other test does."""
    test.alone = True
    return test


class TestCase(unittest.TestCase):
    """Gateways, origins and demos made by these helpers are stopped, last made first, at the end."""

    timeout_s = 60

    def setUp(self):
        signal.signal(signal.SIGALRM, self._on_alarm)
        signal.alarm(int(scaled(self.timeout_s)))
        self.addCleanup(signal.alarm, 0)

    def _on_alarm(self, number, frame):
        raise TimeoutError("the test took longer than %d s" % scaled(self.timeout_s))

    def start_gateway(self, config, **options):
        gateway = Gateway(config, start=False, **options)
        self.addCleanup(gateway.stop)
        gateway.start()
        return gateway

    def start_origin(self, *arguments, **options):
        origin = Origin(*arguments, **options)
        self.addCleanup(origin.stop)
        return origin

    def start_demo(self, name, **options):
        demo = Demo(name, **options)
        self.addCleanup(demo.stop)
        return demo

    def start_load(self, port, *options, **more):
        load = Load(port, *options, **more)
        self.addCleanup(load.stop)
        return load

    def gateway_for(self, origin, service_options=None, route_options=None, tls=False, **config):
        """A gateway with one service `origin` and one public route to it for every path."""
        route = {"name": "all", "match": {"path_prefix": "/"}, "service": "origin", "auth": "none",
                 "limits": "none"}
        return self.start_gateway(dict(
            {"services": [service("origin", origin, **(service_options or {}))],
             "routes": [dict(route, **(route_options or {}))]}, **config), tls=tls)

    def assert_problem(self, response, status, code):
        """The answer is the gateway's own, as the contract's table of errors says."""
        self.assertEqual((response.status, response.header("Content-Type")),
                         (status, "application/problem+json"), response.body)
        self.assertEqual(response.json()["code"], code)
        self.assertEqual(response.json()["status"], status)


class SharedCase(TestCase):
    """One gateway in front of one origin for all tests of a class, which sets `config` and the
    options of the service and the route `all`; each test begins with an origin that says 200 ok."""

    config = {}
    service_options = {}
    route_options = {}
    more_routes = []
    more_services = []
    tls = False

    @classmethod
    def setUpClass(cls):
        cls.origin = Origin()
        cls.addClassCleanup(cls.origin.stop)
        route = dict({"name": "all", "match": {"path_prefix": "/"}, "service": "origin",
                      "auth": "none", "limits": "none"}, **cls.route_options)
        cls.gateway = Gateway(dict(
            {"workers": 1,
             "services": [service("origin", cls.origin, **cls.service_options)] + cls.more_services,
             "routes": [route] + [dict({"auth": "none", "limits": "none"}, **r)
                                  for r in cls.more_routes]}, **cls.config),
            tls=cls.tls, start=False)
        cls.addClassCleanup(cls.gateway.stop)
        cls.gateway.start()

    def setUp(self):
        super().setUp()
        self.origin.reset()
        self.addCleanup(self.gateway.check_idle)

    def connect(self, **options):
        """A connection to the gateway, closed at the test's end."""
        client = self.gateway.client(**options)
        self.addCleanup(client.close)
        return client
