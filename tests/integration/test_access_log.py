"""The access log of a running gateway: a line for each request, whatever becomes of it."""
import json
import os
import signal

from tgtest import TestCase, response_bytes, wait_until

LOST = 'tollgate_log_lines_dropped_total{log="access",reason="unwritable"}'


class AccessLog(TestCase):
    def logged_to_file(self, origin, **options):
        """A gateway whose access log is the file gateway.log."""
        folder = self.enter_folder()
        path = os.path.join(folder, "access.log")
        telemetry = {"access_log": dict({"path": path}, **options.pop("access_log", {}))}
        gateway = self.gateway_for(origin, telemetry=telemetry, **options)
        gateway.log = path
        return gateway

    def enter_folder(self):
        """A folder that the gateway's user may write to."""
        import shutil
        import tempfile
        folder = tempfile.mkdtemp(prefix="tollgate-log-")
        os.chmod(folder, 0o777)
        self.addCleanup(shutil.rmtree, folder)
        return folder

    def lines(self, path, count):
        """The parsed lines of the file once there are so many."""
        def read():
            try:
                with open(path) as log:
                    return [json.loads(line) for line in log]
            except FileNotFoundError:
                return []
        wait_until(lambda: len(read()) >= count, 5, "%d lines" % count)
        found = read()
        self.assertEqual(len(found), count, found)
        return found

    def test_a_request_is_a_line_with_what_took_part(self):
        origin = self.start_origin(response_bytes(201, "created", reason="Created"))
        gateway = self.logged_to_file(origin, tls=True)
        answer = gateway.request("POST", "/v1/./a?q=%22", [("User-Agent", 'say "hi"')], b"12345")
        [line] = self.lines(gateway.log, 1)
        expected = {
            "http.request.method": "POST", "url.path": "/v1/a", "url.query": "q=%22",
            "url.domain": "localhost", "http.version": "1.1", "http.response.status_code": 201,
            "http.request.body.bytes": 5, "http.response.body.bytes": 7,
            "user_agent.original": 'say "hi"', "source.ip": "127.0.0.1", "tls.version": "1.3",
            "http.request.id": answer.header("X-Request-Id"),
            "tollgate.listener": "public", "tollgate.route": "all", "tollgate.service": "origin",
            "tollgate.variant": "stable", "tollgate.endpoint": origin.address,
            "tollgate.attempts": 1,
        }
        self.assertEqual({key: line.get(key) for key in expected}, expected)
        self.assertRegex(line["@timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertGreater(line["event.duration"], 0)
        self.assertLess(line["tollgate.upstream_ms"] * 1e6, line["event.duration"] + 1e8)

    def test_refused_and_unreadable_requests_have_lines_too(self):
        gateway = self.logged_to_file(self.start_origin(),
                                      route_options={"match": {"path_prefix": "/v1"}})
        self.assertEqual(gateway.get("/nowhere").status, 404)
        with gateway.client() as client:
            client.send("GET /v1? HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            refused = client.response()
        found = sorted(self.lines(gateway.log, 2), key=lambda l: l["tollgate.error_code"],
                       reverse=True)  # two workers may have written them
        self.assertEqual([(l["http.response.status_code"], l["tollgate.error_code"])
                          for l in found], [(404, "no_route"), (400, "bad_request")])
        self.assertEqual([found[0]["url.path"], found[1]["url.original"]], ["/nowhere", "/v1?"])
        self.assertEqual(found[1]["http.request.id"], refused.header("X-Request-Id"))

    def test_a_client_that_leaves_first_is_a_499(self):
        origin = self.start_origin(lambda request, connection: connection.hang())
        gateway = self.logged_to_file(origin)
        with gateway.client() as client:
            client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            origin.wait_requests(1)
        [line] = self.lines(gateway.log, 1)
        self.assertEqual(line["http.response.status_code"], 499)

    def test_hostile_bytes_stay_inside_their_strings(self):
        gateway = self.logged_to_file(self.start_origin())
        agents = ['"}', "\\", "\x80\xff\xc3", "{\"admin\":true}", "\\u0000\\n", "\t"]
        for agent in agents:
            gateway.get("/%22%0A%5c?%0a\"", [("User-Agent", "x" + agent + "x")])
            gateway.get("/?\"{\\", [("User-Agent", "x" + agent + "x")])
        for line in self.lines(gateway.log, 2 * len(agents)):
            self.assertNotIn("admin", line)

    def test_sampling_keeps_errors(self):
        origin = self.start_origin()
        gateway = self.logged_to_file(origin, access_log={"sample": "0%"},
                                      route_options={"match": {"path_prefix": "/v1"}})
        for _ in range(5):
            self.assertEqual(gateway.get("/v1").status, 200)
        gateway.get("/nowhere")
        [line] = self.lines(gateway.log, 1)
        self.assertEqual(line["http.response.status_code"], 404)

    def test_constant_fields_stand_in_every_line(self):
        gateway = self.logged_to_file(self.start_origin(),
                                      access_log={"fields": {"deployment": 'blue "1"'}})
        gateway.get("/")
        self.assertEqual(self.lines(gateway.log, 1)[0]["deployment"], 'blue "1"')

    def test_a_rotated_file_is_opened_again(self):
        gateway = self.logged_to_file(self.start_origin())
        gateway.get("/one")
        self.lines(gateway.log, 1)
        os.rename(gateway.log, gateway.log + ".1")
        gateway.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(gateway.log), 5, "the new file")
        gateway.get("/two")
        self.assertEqual(self.lines(gateway.log, 1)[0]["url.path"], "/two")
        self.assertEqual(self.lines(gateway.log + ".1", 1)[0]["url.path"], "/one")

    def test_a_reload_may_change_the_file(self):
        gateway = self.logged_to_file(self.start_origin())
        gateway.get("/one")
        self.lines(gateway.log, 1)
        other = gateway.log + ".other"
        gateway.reload(dict(gateway.config, telemetry={"access_log": {"path": other}}))
        wait_until(lambda: os.path.exists(other), 5, "the other file")
        gateway.get("/two")
        self.assertEqual(self.lines(other, 1)[0]["url.path"], "/two")
        self.assertEqual(self.lines(gateway.log, 1)[0]["url.path"], "/one")

    def test_a_full_disk_loses_and_counts_lines_and_traffic_goes_on(self):
        gateway = self.gateway_for(self.start_origin(),
                                   telemetry={"access_log": {"path": "/dev/full"}})
        for _ in range(20):
            self.assertEqual(gateway.get("/").status, 200)
        wait_until(lambda: gateway.metrics()[LOST] == 20, 5, "20 lost lines")
        gateway.wait_log("cannot write the access log")

    def test_lines_that_were_not_written_yet_are_written_at_the_end(self):
        gateway = self.logged_to_file(self.start_origin())
        with gateway.client() as client:
            for number in range(100):
                client.get("/%d" % number)
        gateway.stop()
        self.assertEqual([l["url.path"] for l in self.lines(gateway.log, 100)],
                         ["/%d" % number for number in range(100)])
        gateway.process = None
