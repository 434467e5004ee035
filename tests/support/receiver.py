"""A receiver of webhooks on loopback, with a certificate of its own authority, that does what a test tells it to."""

import datetime
import http.server
import ipaddress
import ssl
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from erphub.platform.outbound import addresses
from tests.support.integration import integration

HOST = "hooks.example.test"
LOOPBACK = addresses.networks(["127.0.0.0/8"])


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificates(folder: Path, host: str = HOST) -> tuple[Path, str]:
    """A certificate with its key for the host (and localhost), and the PEM of the authority behind it."""
    now = datetime.datetime.now(datetime.UTC)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def signed(subject: str, public: Any, *, authority: bool) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name("Authority of this test"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
        )
        usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment"), False)
        usage |= dict.fromkeys(("key_agreement", "encipher_only", "decipher_only"), False)
        usage |= {"digital_signature": True, "key_cert_sign": authority, "crl_sign": authority}
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
        if not authority:
            own = [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ("127.0.0.1", "::ffff:127.0.0.1")]
            names = x509.SubjectAlternativeName([x509.DNSName(host), x509.DNSName("localhost"), *own])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(authority_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    root = signed("Authority of this test", authority_key.public_key(), authority=True).public_bytes(pem).decode()
    leaf = signed(host, key.public_key(), authority=False).public_bytes(pem)
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "receiver.pem"
    path.write_bytes(leaf + secret)
    return path, root


@dataclass
class Receiver:
    """Keeps what it is sent; `answers` are what it says, one after the other, and 204 when there is none left."""

    certificate: Path
    authority: str
    answers: list[Any] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    _end: Callable[[], None] = lambda: None

    def start(self) -> "Receiver":
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                answer = receiver.answers.pop(0) if receiver.answers else 204
                if callable(answer):
                    answer(self)
                    return
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                return  # a caller that does not trust us, or hangs up, is what some tests are about

        server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join(5)

        self._end = end
        return self

    def stop(self) -> None:
        self._end()

    def url(self, host: str = HOST, path: str = "/hook") -> str:
        return f"https://{host}:{self.port}{path}"


@pytest.fixture(scope="session")
def receiver_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return certificates(tmp_path_factory.mktemp("receiver"))


@pytest.fixture
@integration
def receiver(receiver_certificate: tuple[Path, str]) -> Generator[Receiver]:
    running = Receiver(*receiver_certificate).start()
    yield running
    running.stop()
