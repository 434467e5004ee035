"""The hub's handlers behind a socket on loopback, for programs; every answer is held to the description."""

import http.server
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, override
from urllib.parse import parse_qsl, urlsplit

from tests.support.hub import Hub

HEADERS = ("content-type", "idempotency-key", "if-match", "prefer")
"""Those that the gateway hands on and the handlers read."""


@contextmanager
def served(hub: Hub, user: str = "administrator") -> Generator[str]:
    """Where the hub is served meanwhile. Whoever shows a token is this user; one who shows none is refused."""
    faults: list[BaseException] = []
    one_at_a_time = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"] or 0)).decode()
            sent = urlsplit(self.path)
            headers = {name: self.headers[name] for name in HEADERS if name in self.headers}
            query = dict(parse_qsl(sent.query, keep_blank_values=True)) or None
            signed_in = user if (self.headers["authorization"] or "").startswith("Bearer ") else None
            try:
                with one_at_a_time:
                    given = hub.call(
                        self.command, sent.path, body or None, user=signed_in, headers=headers, query=query
                    )
            except BaseException as fault:
                faults.append(fault)
                raise
            content = given.text.encode()
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            if given.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if given.status != 204:
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        @override
        def log_message(self, format: str, *args: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
    if faults:
        raise faults[0]
