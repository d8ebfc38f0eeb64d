"""The benchmark's own programs: a load generator that overlooks errors would prove nothing."""
import socket
import subprocess

from tgtest import TestCase, free_port, response_bytes, scaled, self_signed, wait_until
from tgtest.gateway import build_path
from tgtest.system import stop_process

GOOD = response_bytes(body="x" * 1024)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Bench(TestCase):
    def counted(self, answer, kind):
        """Expects that an answer is counted as an error of this kind, and only as that."""
        def handler(request, connection):
            connection.send(GOOD if len(proxy.requests) <= 4 else answer)
            if answer == b"" or answer == GOOD[:-1]:
                connection.close()

        proxy = self.start_origin(handler)
        load = self.start_load(proxy.port)
        load.say("open")
        load.event("up")
        load.mark()
        load.say("run")
        seen = {}

        def happened():
            window = load.mark()
            for name, count in window["errors"].items():
                seen[name] = seen.get(name, 0) + count
            self.assertEqual(window["requests"], 0)
            return seen[kind]

        wait_until(happened, what="an error of kind " + kind)
        self.assertEqual({name for name, count in seen.items() if count}, {kind})

    def test_an_answer_that_is_not_200_is_an_error(self):
        self.counted(GOOD.replace(b"200", b"500", 1), "status")

    def test_an_answer_of_another_length_is_an_error(self):
        self.counted(response_bytes(body="x" * 1023), "length")

    def test_a_byte_too_much_is_an_error(self):
        self.counted(GOOD + b"y", "length")

    def test_an_answer_cut_short_is_an_error(self):
        self.counted(GOOD[:-1], "closed")

    def test_a_connection_closed_without_an_answer_is_an_error(self):
        self.counted(b"", "closed")

    def through_relay(self, *options, tls=True, answers=300):
        """Expects that so many requests pass the relay without any error."""
        port = free_port()
        load = self.start_load(port, *options)
        cert = self_signed()
        relay = subprocess.Popen([build_path("tools/bench/relay"), str(port), str(load.origin_port),
                                  *([cert.certificate, cert.private_key] if tls else [])])
        self.addCleanup(stop_process, relay)
        wait_until(lambda: listens(port), what="the relay listening")
        load.say("open")
        load.event("up")
        load.say("run")
        answered = []

        def enough():
            window = load.mark()
            self.assertFalse(any(window["errors"].values()), window["errors"])
            answered.append(window["requests"])
            return sum(answered) >= answers

        wait_until(enough, 30, what="%d answers" % answers)
        load.say("hold")
        load.event("held")
        self.assertFalse(any(load.mark()["errors"].values()))

    def test_the_relay_carries_plain_requests(self):
        self.through_relay(tls=False)

    def test_the_relay_carries_requests_over_tls(self):
        self.through_relay("--tls")

    def test_the_relay_serves_a_new_connection_per_request(self):
        self.through_relay("--tls", "--fresh")

    def test_the_relay_holds_back_what_the_client_does_not_take(self):
        self.through_relay("--tls", "--answer-bytes", str(4 << 20), answers=40)

    def test_the_relay_carries_uploads(self):
        self.through_relay("--tls", "--upload-bytes", str(1 << 20), answers=100)
