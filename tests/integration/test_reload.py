"""SIGHUP: what changes with the next request, what stays, and what a bad file does (nothing)."""
import copy
import os
import signal
import threading
import time

from tgtest import TestCase, free_port, response_bytes, scaled, self_signed, wait_until
from tgtest.case import service
from tgtest.gateway import is_sanitized, ready_config


def route(name, path="/", **options):
    return dict({"name": name, "match": {"path_prefix": path}, "auth": "none", "limits": "none"},
                **options)


def respond(name, path="/"):
    return route(name, path, respond={"status": 200, "body": name})


def many_routes(count):
    """A configuration that takes a while to load."""
    return ready_config({"routes": [
        {"name": "r%d" % i, "match": {"path_regex": "/r%d/[a-z]+" % i}, "auth": "none",
         "limits": "none", "respond": {"status": 204}} for i in range(count)]})


class ReloadCase(TestCase):
    def serve(self, routes, services=(), **config):
        return self.start_gateway(dict({"routes": routes, "services": list(services)}, **config))

    def changed(self, gateway, **config):
        """The gateway's configuration with these keys changed, and loaded."""
        gateway.config = dict(copy.deepcopy(gateway.config), **config)
        gateway.reload(gateway.config)


class Change(ReloadCase):
    def test_routes_services_and_fields_change_for_the_next_request_of_a_connection(self):
        old, new = self.start_origin(response_bytes(body="old")), self.start_origin(
            response_bytes(body="new"))
        gateway = self.serve([route("r", service="s")], [service("s", old)])
        with gateway.client() as client:
            self.assertEqual(client.get("/a").body, b"old")
            self.changed(gateway, services=[service("s", new)])
            self.assertEqual(client.get("/a").body, b"new")
            self.changed(gateway, routes=[route("r", service="s", response_headers={
                "set": {"X-Generation": "${route}"}}), respond("more", "/more")])
            self.assertEqual(client.get("/a").header("X-Generation"), "r")
            self.assertEqual(client.get("/more").body, b"more")
            self.changed(gateway, routes=[respond("more", "/more")])
            self.assert_problem(client.get("/a"), 404, "no_route")
            self.assertEqual(client.get("/more").body, b"more")
        self.assertEqual((len(old.requests), len(new.requests)), (1, 2))

    def test_limits_of_clients_change_for_the_next_request_of_a_connection(self):
        gateway = self.serve([respond("here")])
        fields = [("X-%d" % i, "x") for i in range(40)]
        with gateway.client() as client:
            self.assertEqual(client.get("/", fields).status, 200)
            self.changed(gateway, client_limits={"header_count": 20})
            self.assertEqual(client.get("/").status, 200)
            self.assert_problem(client.get("/", fields), 431, "headers_too_large")

    def test_a_running_request_ends_by_the_route_that_it_began_with(self):
        release = threading.Event()
        self.addCleanup(release.set)

        def late(request, connection):
            release.wait(scaled(20))
            return response_bytes(body="late")
        slow, other = self.start_origin(late), self.start_origin(response_bytes(body="other"))
        gateway = self.serve([route("old", service="s", response_headers={
            "set": {"X-Route": "${route}"}})], [service("s", slow)])
        with gateway.client() as client:
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            slow.wait_requests(1)
            self.changed(gateway, routes=[route("new", service="t")],
                         services=[service("t", other)])
            self.changed(gateway)  # two generations later
            self.assertEqual(gateway.get("/").body, b"other")
            release.set()
            answer = client.response()
            self.assertEqual((answer.body, answer.header("X-Route")), (b"late", "old"))
            answer = client.get("/")
            self.assertEqual((answer.body, answer.header("X-Route")), (b"other", None))
        # The service that nothing names any more has lost its connection.
        wait_until(lambda: slow.connections[0].closed_by_peer.is_set(), 5, "the connection's end")

    def test_an_endpoint_that_stays_keeps_its_connections(self):
        origin, more = self.start_origin(), self.start_origin()
        options = {"connections": {"idle_timeout": "60s"}}
        gateway = self.serve([route("r", service="s")], [service("s", origin, **options)],
                             workers=1)
        with gateway.client() as client:
            for number in range(5):
                self.assertEqual(client.get("/").status, 200)
                self.changed(gateway, services=[service("s", origin, **options),
                                                service("t%d" % number, more)])
            self.assertEqual(client.get("/").status, 200)
        self.assertEqual((len(origin.requests), len(origin.connections)), (6, 1))

    def test_equal_content_is_a_new_generation_and_it_is_told_everywhere(self):
        gateway = self.serve([respond("here")])
        before = gateway.status()
        self.assertEqual((before["config_generation"], before["config"]["last_reload_ok"]),
                         (1, True))
        gateway.reload()
        after = gateway.status()
        self.assertEqual((after["config_generation"], after["config"]["last_reload_ok"]),
                         (2, True))
        self.assertGreater(after["config"]["last_reload"], before["config"]["last_reload"])
        samples = gateway.metrics()
        self.assertEqual(samples["tollgate_config_generation"], 2)
        self.assertEqual(samples["tollgate_config_last_reload_success"], 1)
        self.assertAlmostEqual(samples["tollgate_config_last_reload_timestamp_seconds"],
                               after["config"]["last_reload"], delta=0.01)
        gateway.wait_log("configuration reloaded: generation 2")

    def test_signals_in_a_row_end_with_the_last_file(self):
        gateway = self.serve([respond("first")])
        for number in range(20):
            gateway.write_config(dict(gateway.config, routes=[respond("r%d" % number)]))
            gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: gateway.get("/").body == b"r19", 5, "the last file's route")

    def test_a_listener_may_change_its_name_and_keep_its_connections(self):
        gateway = self.serve([respond("here")])
        [listener] = gateway.config["listeners"]
        with gateway.client() as client:
            client.get("/")
            self.changed(gateway, listeners=[dict(listener, name="renamed")])
            self.assertEqual(client.get("/").status, 200)
            idle = 'tollgate_connections{listener="%s",state="idle"}'
            wait_until(lambda: gateway.metrics().get(idle % "renamed") == 1, 5, "the new name")
            self.assertEqual(gateway.metrics()[idle % "public"], 0)


class Refusal(ReloadCase):
    def refused(self, gateway, *texts, **config):
        """The change is refused with each of the texts in the log, and nothing changes."""
        generation = gateway.status()["config_generation"]
        logged = len(gateway.stderr())
        with gateway.client() as client:
            self.assertEqual(client.get("/").body, b"here")
            gateway.reload_refused(dict(gateway.config, **config))
            self.assertEqual(client.get("/").body, b"here")
        wait_until(lambda: all(t in gateway.stderr()[logged:] for t in texts), 5,
                   "%s in %s" % (texts, gateway.stderr()[logged:]))
        self.assertEqual(gateway.status()["config_generation"], generation)
        samples = gateway.metrics()
        self.assertEqual(samples["tollgate_config_last_reload_success"], 0)
        self.assertEqual(samples["tollgate_config_generation"], generation)

    def test_every_mistake_of_a_bad_file_is_logged_and_nothing_changes(self):
        gateway = self.serve([respond("here")])
        self.refused(gateway, "routes[0].service: ", "routes[1].match.pat: ",
                     "listeners[0].tls.certificates[0].certificate: ", "drain_timeout: ",
                     drain_timeout="soon",
                     listeners=[dict(gateway.config["listeners"][0], protocols=["http/1.1"],
                                     tls={"certificates": [{"certificate": "/nowhere/a.crt",
                                                            "private_key": "/nowhere/a.key"}]})],
                     routes=[route("a", service="nobody"), route("b", service="nobody",
                                                                 match={"pat": "/"})])
        self.changed(gateway, routes=[respond("mended")])
        self.assertEqual(gateway.get("/").body, b"mended")
        self.assertEqual(gateway.metrics()["tollgate_config_last_reload_success"], 1)

    def test_a_file_that_is_gone_or_no_yaml_is_refused(self):
        gateway = self.serve([respond("here")])
        gateway.write_config("routes: [\n")
        gateway.reload_refused()
        os.remove(gateway.file)
        gateway.reload_refused()
        self.assertIn("No such file", gateway.stderr())
        self.assertEqual(gateway.get("/").body, b"here")

    def test_what_needs_a_restart_says_so(self):
        gateway = self.serve([respond("here")], workers=1)
        [listener] = gateway.config["listeners"]
        other = "127.0.0.1:%d" % free_port()
        needs = "needs restart"
        self.refused(gateway, "workers", needs, workers=2)
        self.refused(gateway, "user", needs, user="daemon")
        self.refused(gateway, "store", needs, store={"redis": {"url": "redis://127.0.0.1:1/0"}})
        self.refused(gateway, "addresses", needs, listeners=[dict(listener, address=other)])
        self.refused(gateway, "addresses", needs,
                     listeners=[listener, {"name": "more", "address": other}])
        self.refused(gateway, "addresses", needs, admin={"address": other})


class Memory(ReloadCase):
    def test_200_reloads_do_not_grow_the_process(self):
        origin = self.start_origin()
        routes = [route("r%d" % i, "/%d" % i, service="s", request_headers={
            "set": {"X-R": "${route}"}}) for i in range(200)]
        gateway = self.serve(routes, [service("s", origin)])
        count = 30 if is_sanitized() else 200
        resident = []
        with gateway.client() as client:
            for number in range(count):
                gateway.reload()
                self.assertEqual(client.get("/7").status, 200)
                resident.append(gateway.metrics()["process_resident_memory_bytes"])
        if not is_sanitized():
            self.assertLess(max(resident[-20:]) - max(resident[20:40]), 2 << 20)


class Race(TestCase):
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
