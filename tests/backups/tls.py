"""A database that answers over TLS alone, as those of cloud providers are: the embedded one was built without, so TLS ends before it."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy.engine import make_url

from tallymark.db.engine import plain_url

SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""What a client sends that wants TLS."""


@contextmanager
def tls_only(url: str, folder: Path) -> Iterator[str]:
    """The same database by a URL that asks for TLS and for a certificate that it knows."""
    certificate = make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    behind = f"{make_url(url).query['host']}/.s.PGSQL.5432"

    class Speaker(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(len(SSL_REQUEST), socket.MSG_WAITALL) != SSL_REQUEST:
                return
            self.request.sendall(b"S")
            with (
                suppress(OSError),
                context.wrap_socket(self.request, server_side=True) as outer,
                socket.socket(socket.AF_UNIX) as inner,
            ):
                inner.connect(behind)
                answers = threading.Thread(target=hand_on, args=(inner, outer), daemon=True)
                answers.start()
                hand_on(outer, inner)
                answers.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Speaker) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        reached = make_url(url).set(host="127.0.0.1", port=server.server_address[1])
        yield plain_url(reached.set(query={"sslmode": "verify-ca", "sslrootcert": str(certificate)}))
        server.shutdown()


def hand_on(source: socket.socket, target: socket.socket) -> None:
    """Whatever comes, until its end."""
    with suppress(OSError):
        while part := source.recv(65_536):
            target.sendall(part)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def make_certificate(folder: Path, host: str = "database.test", lasts: timedelta = timedelta(days=1)) -> Path:
    """A file with a key and a certificate that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / f"{host}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, kind, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
