"""The admin API and the probe address of a running gateway."""
import signal

from tgtest import Client, TestCase, response_bytes, wait_until
from tgtest.system import free_port

REQUESTS = ('tollgate_http_requests_total{listener="public",route="%s",service="%s",variant="%s",'
            'method="%s",code="%d"}')


class Admin(TestCase):
    def ask(self, gateway, target, port=None, **headers):
        """GET on the admin address (or another port), with these fields."""
        fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
        with Client(port or gateway.admin_port) as client:
            return client.request("GET", target, fields)

    def test_probes_status_and_metrics_answer_without_a_token(self):
        gateway = self.gateway_for(self.start_origin())
        for path in ("/health", "/health/live", "/ready", "/health/ready", "/startup"):
            self.assertEqual(self.ask(gateway, path).status, 200, path)
        self.assertEqual(self.ask(gateway, "/ready").json(), {"ready": True, "degraded": []})
        status = gateway.status()
        self.assertEqual((status["config_generation"], status["config"]["source"]), (1, "file"))
        self.assertEqual(status["live_requests"], 0)
        self.assertEqual(self.ask(gateway, "/nowhere").status, 404)

    def test_every_family_of_metrics_is_there_from_the_start(self):
        gateway = self.gateway_for(self.start_origin())
        text = gateway.admin("GET", "/metrics").body.decode()
        for name in ("http_requests_total", "http_request_duration_seconds", "store_up",
                     "upstream_duration_seconds", "http_requests_in_flight", "connections",
                     "tls_handshakes_total", "certificate_expiry_timestamp_seconds", "auth_total",
                     "ratelimit_decisions_total", "limit_saturation", "store_evicts",
                     "store_request_duration_seconds", "tenant_requests_total",
                     "tenant_usage_total", "upstream_endpoint_healthy", "circuit_state",
                     "circuit_opened_total", "upstream_retries_total", "queue_depth",
                     "queue_wait_seconds", "rollout_weight", "config_generation",
                     "config_last_reload_success", "config_last_reload_timestamp_seconds",
                     "worker_restarts_total", "build_info"):
            self.assertIn("\n# TYPE tollgate_%s " % name, "\n" + text)
        self.assertGreater(gateway.metrics()["process_resident_memory_bytes"], 1e6)

    def test_requests_are_counted_by_what_became_of_them(self):
        origin = self.start_origin([response_bytes(), response_bytes(503, reason="Oh")])
        gateway = self.gateway_for(origin, route_options={"match": {"path_prefix": "/v1"}})
        gateway.get("/v1/a")
        gateway.request("POST", "/v1/b", body=b"x")
        gateway.get("/elsewhere")
        wait_until(lambda: gateway.status()["live_requests"] == 0, 5, "the end of the requests")
        samples = gateway.metrics()
        self.assertEqual(samples[REQUESTS % ("all", "origin", "stable", "GET", 200)], 1)
        self.assertEqual(samples[REQUESTS % ("all", "origin", "stable", "POST", 503)], 1)
        self.assertEqual(samples[REQUESTS % ("", "", "", "GET", 404)], 1)
        labels = '{service="origin",variant="stable"}'
        self.assertEqual(samples["tollgate_http_request_duration_seconds_count" + labels], 2)
        self.assertEqual(samples["tollgate_upstream_duration_seconds_count" + labels], 2)

    def test_what_is_going_on_is_seen_while_it_goes_on(self):
        origin = self.start_origin(lambda request, connection: connection.hang())
        gateway = self.gateway_for(origin)
        with gateway.client() as client:
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_until(lambda: gateway.status()["live_requests"] == 1, 5, "the request")
            samples = gateway.metrics()
            self.assertEqual(samples["tollgate_http_requests_in_flight"], 1)
            self.assertEqual(
                samples['tollgate_connections{listener="public",state="active"}'], 1)
        gone = REQUESTS % ("all", "origin", "stable", "GET", 499)
        wait_until(lambda: gateway.metrics().get(gone) == 1, 5, "a request counted as 499")
        self.assertEqual(
            gateway.metrics()['tollgate_connections{listener="public",state="active"}'], 0)

    def test_handshakes_and_certificates_are_told(self):
        gateway = self.gateway_for(self.start_origin(), tls=True)
        gateway.get("/")
        samples = gateway.metrics()
        self.assertEqual(samples['tollgate_tls_handshakes_total{version="TLSv1.3",'
                                 'resumed="false",result="ok"}'], 1)
        expiry = [v for k, v in samples.items() if k.startswith("tollgate_certificate_expiry")]
        self.assertEqual([v > 1.7e9 for v in expiry], [True])

    def test_a_reload_is_told_good_or_bad(self):
        gateway = self.gateway_for(self.start_origin())
        gateway.reload(gateway.config)
        self.assertEqual(gateway.metrics()["tollgate_config_generation"], 2)
        gateway.write_config("nonsense: true\n")
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: gateway.metrics()["tollgate_config_last_reload_success"] == 0, 5,
                   "the failed reload")
        self.assertEqual(gateway.metrics()["tollgate_config_generation"], 2)

    def test_tokens_guard_the_api_but_not_the_probes(self):
        port = free_port()
        admin = {"address": "127.0.0.1:%d" % port, "token": "s3cret"}
        gateway = self.gateway_for(self.start_origin(), admin=admin)
        self.assertEqual(self.ask(gateway, "/ready").status, 200)
        self.assertEqual(self.ask(gateway, "/metrics").status, 200)
        refused = self.ask(gateway, "/v1/status")
        self.assert_problem(refused, 401, "unauthenticated")
        self.assertEqual(refused.header("WWW-Authenticate"), "Bearer")
        wrong = self.ask(gateway, "/v1/status", Authorization="Bearer s3cre")
        self.assertEqual(wrong.status, 401)
        right = self.ask(gateway, "/v1/status", Authorization="Bearer s3cret")
        self.assertEqual(right.status, 200)
        gateway.status = right.json  # the closing check has no token

    def test_tokens_change_with_a_reload(self):
        admin = {"address": "127.0.0.1:%d" % free_port()}
        gateway = self.gateway_for(self.start_origin(), admin=admin)
        self.assertEqual(self.ask(gateway, "/v1/status").status, 200)
        gateway.write_config(dict(gateway.config, admin=dict(admin, token="new")))
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.ask(gateway, "/v1/status").status == 401, 5, "the token's need")
        answer = self.ask(gateway, "/v1/status", Authorization="Bearer new")
        self.assertEqual(answer.json()["config_generation"], 2)
        gateway.status = answer.json  # the closing check has no token

    def test_features_that_are_asked_for_and_not_there_are_named(self):
        gateway = self.gateway_for(self.start_origin(), route_options={"compress": {}})
        self.assertIn("compress", gateway.status()["inactive"])
        self.assertEqual(gateway.get("/").status, 200)

    def test_an_attempt_on_a_connection_that_the_service_closed_counts_as_a_retry(self):
        def answer(request, connection):
            if connection.number == 0 and request.target == "/second":
                connection.close()
                return None
            return response_bytes()
        gateway = self.gateway_for(self.start_origin(answer), workers=1)
        with gateway.client() as client:
            self.assertEqual([client.get(t).status for t in ("/first", "/second")], [200, 200])
        self.assertEqual(gateway.metrics()['tollgate_upstream_retries_total{service="origin",'
                                           'variant="stable"}'], 1)

    def test_the_probe_address_shows_probes_only(self):
        probe = free_port()
        admin = {"address": "127.0.0.1:%d" % free_port(), "probe_address": "127.0.0.1:%d" % probe}
        gateway = self.gateway_for(self.start_origin(), admin=admin)
        for path, status in (("/health", 200), ("/ready", 200), ("/startup", 200),
                             ("/metrics", 200), ("/v1/status", 404)):
            self.assertEqual(self.ask(gateway, path, port=probe, Origin="http://x").status, status)

    def test_browsers_are_kept_out(self):
        gateway = self.gateway_for(self.start_origin())
        self.assertEqual(self.ask(gateway, "/v1/status", Origin="http://evil.example").status, 403)
        with Client(gateway.admin_port) as client:
            answer = client.request("GET", "/v1/status", host="evil.example")
        self.assertEqual(answer.status, 403)

    def test_what_is_not_built_in_yet_says_so(self):
        gateway = self.gateway_for(self.start_origin())
        self.assert_problem(self.ask(gateway, "/v1/services"), 501, "not_implemented")

    def test_a_standing_worker_makes_it_unhealthy(self):
        gateway = self.gateway_for(self.start_origin(), workers=1)
        before = gateway.status()["workers"][0]["turns"]
        wait_until(lambda: gateway.status()["workers"][0]["turns"] > before, 5,
                   "a turn of an idle worker")
        self.assertEqual(self.ask(gateway, "/health/live").status, 200)
