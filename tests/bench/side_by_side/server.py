"""nginx as the bank's server: mutual TLS, and the same yes to every request."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

# TLS 1.2 and 1.3 with tickets, connections kept for as long as a measurement lasts, and a line of log per connection. The
# worker is one, as one answers more than every program asks.
CONFIGURATION = """
worker_processes 1;
pid nginx.pid;
error_log error.log warn;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server_tokens off;
    keepalive_timeout 120;
    keepalive_requests 100000000;
    map $connection_requests $begins {{ 1 1; default 0; }}
    log_format connection '$ssl_protocol $ssl_session_reused $ssl_client_verify';
    access_log connections.log connection if=$begins;
    server {{
        {listens}
        server_name localhost;
        ssl_certificate server.pem;
        ssl_certificate_key server.key;
        ssl_client_certificate {client_ca};
        ssl_verify_client on;
        ssl_verify_depth 3;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_tickets on;
        ssl_session_cache shared:sessions:1m;
        location / {{
            default_type application/hal+json;
            add_header X-Request-ID $http_x_request_id;
            return 200 '{answer}';
        }}
    }}
    server {{
        listen 127.0.0.1:{control};
        access_log off;
        return 204;
    }}
}}
"""


@dataclass(frozen=True)
class Connection:
    """One that was opened, as nginx saw it."""

    protocol: str
    resumed: bool


class Nginx:
    """Runs until the end of the block. ``setup`` is what the sandbox bank told, ``question`` what the answer speaks of."""

    def __init__(self, folder: Path, setup: dict[str, str], question: dict[str, Any]) -> None:
        program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        if program is None:
            sys.exit("nginx is needed; on Debian install nginx-light")
        self.folder = folder
        self.log = folder / "connections.log"
        self.read_so_far = 0
        port, self.control = free_ports(2)
        self.origin = f"https://localhost:{port}"
        self.funds_url = self.origin + urlsplit(setup["funds_url"]).path
        self.ca = folder / "ca.pem"
        write_certificates(folder)
        hosts = ["127.0.0.1", "[::1]"] if has_ipv6() else ["127.0.0.1"]
        answer = {"request": question, "result": True, "_links": {"self": {"href": "v1/funds-confirmations"}}}
        text = CONFIGURATION.format(
            listens=" ".join(f"listen {host}:{port} ssl;" for host in hosts),
            client_ca=setup["ca"],
            answer=json.dumps(answer, separators=(",", ":")),
            control=self.control,
        )
        (folder / "nginx.conf").write_text(text)
        self.command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]

    def __enter__(self) -> "Nginx":
        self.process = subprocess.Popen(self.command)
        for _ in range(100):
            if self.answers():
                return self
            if self.process.poll() is not None:
                sys.exit("nginx did not start")
            time.sleep(0.05)
        sys.exit("nginx does not answer")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def answers(self) -> bool:
        try:
            self.settle()
        except OSError:
            return False
        return True

    def settle(self) -> None:
        """The only worker has done whatever came before, once it has answered this."""
        urllib.request.urlopen(f"http://127.0.0.1:{self.control}/", timeout=5).close()

    def connections(self) -> list[Connection]:
        """Those that brought a request since this was asked last."""
        self.settle()
        with self.log.open() as log:
            log.seek(self.read_so_far)
            lines = log.read().splitlines()
            self.read_so_far = log.tell()
        if any(not line.endswith(" SUCCESS") for line in lines):
            sys.exit(f"nginx did not accept a client certificate: {lines}")
        return [Connection(line.split()[0], line.split()[1] == "r") for line in lines]


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def has_ipv6() -> bool:
    """Whether localhost may be ::1 here; then nobody is to try that in vain."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def write_certificates(folder: Path) -> None:
    """A root, ``ca.pem``, and the server's certificate and key for localhost."""
    root_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench root")])
    now = datetime.now(timezone.utc)
    root, server = (
        x509.CertificateBuilder(root_name, name, public_key, x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        for name, public_key in [
            (root_name, root_key.public_key()),
            (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), key.public_key()),
        ]
    )
    root = root.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    root = root.add_extension(usage(certificates=True), critical=True)
    root = root.add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
    server = server.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    server = server.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    server = server.add_extension(usage(certificates=False), critical=True)
    server = server.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    server = server.add_extension(issuer, critical=False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(root.sign(root_key, hashes.SHA256()).public_bytes(pem))
    (folder / "server.pem").write_bytes(server.sign(root_key, hashes.SHA256()).public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").write_bytes(private)


def usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=not certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )
