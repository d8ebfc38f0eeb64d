"""P-256 certificates made by the openssl command, kept for the next run of the tests."""
import collections
import hashlib
import os
import subprocess
import tempfile

Certificate = collections.namedtuple("Certificate", "certificate private_key")

DEFAULT_NAMES = ("DNS:localhost", "DNS:api.example.com", "IP:127.0.0.1")


def _folder():
    path = os.path.join(tempfile.gettempdir(), "tollgate-test-certs-%d" % os.getuid())
    os.makedirs(path, mode=0o755, exist_ok=True)
    return path


def _openssl(*arguments):
    subprocess.run(("openssl",) + arguments, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def _cached(recipe, make):
    """The certificate of this recipe; make(certificate path, key path) writes one that is missing."""
    digest = hashlib.sha256(repr(recipe).encode()).hexdigest()[:16]
    final = os.path.join(_folder(), digest)
    if not os.path.exists(os.path.join(final, "key.pem")):
        fresh = tempfile.mkdtemp(dir=_folder())
        make(os.path.join(fresh, "cert.pem"), os.path.join(fresh, "key.pem"))
        os.chmod(fresh, 0o755)
        os.chmod(os.path.join(fresh, "key.pem"), 0o644)
        try:
            os.rename(fresh, final)
        except OSError:
            pass  # another process was first
    return Certificate(os.path.join(final, "cert.pem"), os.path.join(final, "key.pem"))


def _request(name, names, key, out, *more):
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
             "-out", out, "-subj", "/CN=" + name, "-addext", "subjectAltName=" + ",".join(names),
             *more)


def self_signed(name="localhost", names=DEFAULT_NAMES, days=30):
    """A server certificate that is its own authority."""
    return _cached(("self", name, names, days), lambda cert, key: _request(
        name, names, key, cert, "-x509", "-days", str(days)))


def authority(name="Tollgate test authority"):
    """A certificate authority, to sign with issue()."""
    def make(cert, key):
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-keyout", key, "-out", cert, "-subj", "/CN=" + name, "-days", "30",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    return _cached(("authority", name), make)


def issue(ca, name="localhost", names=DEFAULT_NAMES, days=30):
    """A certificate for servers and clients, signed by an authority()."""
    def make(cert, key):
        request = cert + ".csr"
        _request(name, names, key, request)
        _openssl("x509", "-req", "-in", request, "-out", cert, "-days", str(days), "-CA",
                 ca.certificate, "-CAkey", ca.private_key, "-copy_extensions", "copyall")
    return _cached(("issued", ca.certificate, name, names, days), make)
