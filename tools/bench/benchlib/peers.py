"""The proxies: how each is configured for equal work and started."""
import os
import pathlib
import shutil
import socket
import ssl
import subprocess

from . import procs

IDLE_UPSTREAM = 4096


def free_port():
    """A port below the ephemeral range that nobody listens on."""
    for _ in range(1000):
        port = 10000 + int.from_bytes(os.urandom(2), "big") % 22000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise procs.Failed("no free port")


def make_certificate(folder):
    """A P-256 certificate that all peers use; returns the paths of certificate and key."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "30", "-subj", "/CN=api.example.com", "-addext",
                    "subjectAltName=DNS:api.example.com"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (folder / "both.pem").write_text(certificate.read_text() + key.read_text())
    for path in (certificate, key, folder / "both.pem"):
        path.chmod(0o644)  # the peers' workers are not root
    return certificate, key


class Setting:
    """What a peer is started for: folder, ports, TLS or not, and what a case varies."""

    def __init__(self, folder, port, origin_ports, tls, workers=1, routes=0):
        self.folder, self.port, self.origin_ports = pathlib.Path(folder), port, origin_ports
        self.tls, self.workers, self.routes = tls, workers, routes
        self.certificate = self.folder.parent / "cert.pem"
        self.key = self.folder.parent / "key.pem"

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path


class Peer:
    """A proxy: `name`, `binary`, and `command(setting)` that writes its configuration."""

    def __init__(self, name, binary):
        found = shutil.which(str(binary))
        self.name, self.binary = name, found and os.path.abspath(found)

    def command(self, setting):
        raise NotImplementedError

    def start(self, setting, place):
        return procs.start(self.command(setting), place, setting.folder / "output",
                           cwd=setting.folder)


class Relay(Peer):
    def command(self, setting):
        tls = [setting.certificate, setting.key] if setting.tls else []
        return [self.binary, setting.port, setting.origin_ports[0], *tls]


class Nginx(Peer):
    CONFIGURATION = """
worker_processes {workers};
worker_rlimit_nofile 20000;
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 19000; }}
http {{
    access_log {folder}/access.log combined buffer=64k flush=1s;
    keepalive_timeout 300s;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_body_buffer_size 128k;
    proxy_max_temp_file_size 0;
    upstream origin {{
        {servers}
        keepalive {idle};
        keepalive_requests 1000000000;
        keepalive_timeout 300s;
    }}
    server {{
        listen 127.0.0.1:{port} {tls_flag} backlog=4096;
        {tls}
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""
    TLS = """ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.3;"""

    def command(self, setting):
        servers = " ".join("server 127.0.0.1:%d;" % port for port in setting.origin_ports)
        tls = self.TLS.format(certificate=setting.certificate, key=setting.key)
        path = setting.write("nginx.conf", self.CONFIGURATION.format(
            workers=setting.workers, folder=setting.folder, port=setting.port, servers=servers,
            user="user nobody nogroup;" if os.geteuid() == 0 else "", idle=IDLE_UPSTREAM,
            tls_flag="ssl" if setting.tls else "", tls=tls if setting.tls else ""))
        return [self.binary, "-p", setting.folder, "-c", path, "-e", setting.folder / "error.log"]


class Haproxy(Peer):
    CONFIGURATION = """
global
    nbthread {workers}
    maxconn 19000
    no strict-limits
    ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
    mode http
    option forwardfor
    http-reuse always
    timeout connect 5s
    timeout client 300s
    timeout server 300s
    timeout http-keep-alive 300s
frontend front
    bind 127.0.0.1:{port} backlog 4096 maxconn 19000 {tls}
    default_backend origin
backend origin
    {servers}
"""

    def command(self, setting):
        servers = "\n    ".join("server origin%d 127.0.0.1:%d pool-max-conn -1" % (i, port)
                                for i, port in enumerate(setting.origin_ports))
        tls = "ssl crt %s" % (setting.folder.parent / "both.pem")
        path = setting.write("haproxy.cfg", self.CONFIGURATION.format(
            workers=setting.workers, port=setting.port, servers=servers,
            tls=tls if setting.tls else ""))
        return [self.binary, "-db", "-q", "-f", path]


class Tollgate(Peer):
    CONFIGURATION = """
workers: {workers}
user: nobody
drain_timeout: 1s
listeners:
  - name: bench
    address: 127.0.0.1:{port}
{tls}
client_limits: {{max_connections: 65536, max_connections_per_ip: 65536, idle_timeout: 5m}}
admin: {{address: "127.0.0.1:{admin_port}"}}
services:
  - name: origin
    variants:
      - {{name: stable, weight: 1, endpoints: [{endpoints}]}}
    connections: {{idle_per_worker: {idle}, idle_timeout: 1m}}
telemetry:
  access_log: {{path: {folder}/access.log}}
  error_log: {{path: {folder}/error.log, level: warn}}
routes:
{routes}
"""
    TLS = "    tls: {{certificates: [{{certificate: {certificate}, private_key: {key}}}]}}"
    ROUTE = ("  - {name: r%05d, match: {path_prefix: %s}, service: origin, auth: none, "
             "limits: none}")

    def command(self, setting):
        prefixes = [route_prefix(i) for i in range(setting.routes)] or ["/"]
        tls = self.TLS.format(certificate=setting.certificate, key=setting.key)
        path = setting.write("tollgate.yaml", self.CONFIGURATION.format(
            workers=setting.workers, port=setting.port, folder=setting.folder, idle=IDLE_UPSTREAM,
            tls=tls if setting.tls else "", admin_port=free_port(),
            endpoints=", ".join('"127.0.0.1:%d"' % port for port in setting.origin_ports),
            routes="\n".join(self.ROUTE % item for item in enumerate(prefixes))))
        return [self.binary, "-c", path]


def route_prefix(number):
    """The prefix of a route of the cases with many; all are equally long."""
    return "/api/v1/service-%05d" % number


def all_peers(gateway, tools):
    """Every peer by name, in the order of the report; `binary` is None where it is missing."""
    found = [Nginx("nginx", "nginx"), Haproxy("haproxy", "haproxy"),
             Relay("relay", tools / "relay"), Tollgate("tollgate", gateway)]
    for peer in found[:2]:
        peer.binary = peer.binary or shutil.which(peer.name, path="/usr/sbin:/usr/local/sbin")
    return {peer.name: peer for peer in found}


def answers(port, tls, path, upload_bytes):
    """Whether a request through the proxy is answered with 200."""
    body = b"u" * upload_bytes
    head = "%s %s HTTP/1.1\r\nHost: api.example.com\r\n%sConnection: close\r\n\r\n" % (
        "POST" if body else "GET", path, "Content-Length: %d\r\n" % len(body) if body else "")
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as plain:
            stream = plain
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                stream = context.wrap_socket(plain, server_hostname="api.example.com")
            stream.sendall(head.encode() + body)
            return stream.recv(64).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False
