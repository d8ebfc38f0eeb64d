"""Whoever can reach an admin address cannot keep probes and operators from it."""
from tgtest import Client, TestCase, free_port


class Hoarder(TestCase):
    def test_held_connections_keep_nobody_out(self):
        probe = free_port()
        gateway = self.gateway_for(self.start_origin(), admin={
            "address": "127.0.0.1:%d" % free_port(), "probe_address": "127.0.0.1:%d" % probe})
        with Client(gateway.admin_port) as operator:
            held = [Client(probe) for _ in range(100)]
            for client in held[::2]:
                client.send("GET /hea")
            with Client(probe) as prober:
                self.assertEqual(prober.get("/health").status, 200)
            self.assertEqual(operator.get("/v1/status").status, 200, "the other address is its own")
            for client in held:
                client.close()
