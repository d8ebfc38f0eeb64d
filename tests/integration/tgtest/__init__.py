"""What the integration tests are made of: the real gateway, scriptable services, strict clients.

A test file is tests/integration/test_<subject>.py; a test case derives from TestCase, whose helpers
start things and stop them again with the checks that every test ends with.
"""
from .case import SharedCase, TestCase, alone
from .certs import authority, issue, self_signed
from .client import Client, ProtocolError, Response, tls_context
from .demo import Demo
from .gateway import Gateway, ready_config
from .origin import Origin, response_bytes
from .system import free_port, scaled, wait_until

__all__ = [
    "Client", "Demo", "Gateway", "Origin", "ProtocolError", "Response", "SharedCase", "TestCase",
    "alone", "authority", "free_port", "issue", "ready_config", "response_bytes", "scaled", "self_signed",
    "tls_context", "wait_until",
]
