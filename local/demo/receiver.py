"""A customer's own system in the demo: it receives the hub's webhooks on this machine and verifies who signed them."""

import base64
import contextlib
import hmac
import json
import tempfile
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any, cast

from local.sqlserver.tunnel import certificate

_LONGEST = 1 << 20


@dataclass(frozen=True)
class Message:
    """One message as it came."""

    id: str
    timestamp: str
    signatures: tuple[str, ...]
    body: bytes

    @property
    def type(self) -> str:
        """What it tells of, for instance `import.failed`."""
        return str(self.content["type"])

    @property
    def content(self) -> dict[str, Any]:
        """The body's JSON."""
        return cast(dict[str, Any], json.loads(self.body))

    def signed_with(self, secret: str) -> bool:
        """Whether a signature is that of the webhook's `whsec_…` secret, as Standard Webhooks describes."""
        text = f"{self.id}.{self.timestamp}.".encode() + self.body
        mac = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), text, "sha256")
        return any(hmac.compare_digest(one, f"v1,{base64.b64encode(mac).decode()}") for one in self.signatures)


@dataclass
class Receiver:
    """Where it listens, who vouches for it, and what came."""

    url: str
    authority: str
    """PEM of the authority behind its certificate."""
    got: list[Message] = field(default_factory=list[Message])

    def types(self) -> set[str]:
        """The kinds of what came."""
        return {message.type for message in self.got}


@contextlib.contextmanager
def receiver() -> Generator[Receiver]:
    """A receiver on loopback, on a free port, until the block ends."""
    made = certificate(("localhost",), signed_by_authority=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    running = Receiver(f"https://localhost:{server.server_address[1]}/erp-hub", made.authority.decode())

    class Handler(BaseHTTPRequestHandler):
        """One message."""

        def do_POST(self) -> None:
            """Keep it, and say that it came."""
            body = self.rfile.read(min(int(self.headers["content-length"]), _LONGEST))
            name, sent = self.headers["webhook-id"], self.headers["webhook-timestamp"]
            running.got.append(Message(name, sent, tuple(self.headers["webhook-signature"].split()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the screen is the demo's."""

    server.RequestHandlerClass = Handler
    server.daemon_threads = True
    context = SSLContext(PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        Path(file.name).write_bytes(made.key + made.certificate)
        context.load_cert_chain(file.name)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="receiver", daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
