"""The stand-in on loopback: a small threaded HTTP server that keeps connections open and can break off an answer."""

import io
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

from .app import App
from .faults import Dropped


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if not self.parse_request():
            return
        if self.headers.get("Transfer-Encoding"):
            # Neither the vendor's uploads nor we take bodies of unknown length.
            self.close_connection = True
            self.send_error(411)
            return
        self._respond()

    def _served(self) -> "Server":
        assert isinstance(self.server, Server)  # nothing else makes this handler
        return self.server

    def _respond(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        status: list[Any] = []

        def start(line: str, headers: list[tuple[str, str]], _error: object = None) -> Any:
            status[:] = [line, headers]

        try:
            body = b"".join(self._served().wsgi(self._environ(length), start))
        except Dropped as dropped:
            if dropped.waits:
                self._served().app.stopping.wait(dropped.seconds)
            self.close_connection = True
            return
        line, headers = status
        declared_length = next((int(v) for k, v in headers if k == "Content-Length"), len(body))
        if declared_length != len(body):
            self.close_connection = True
        head = [f"HTTP/1.1 {line}", *(f"{k}: {v}" for k, v in headers)]
        # One write: headers and body in one segment.
        self.wfile.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)

    def _environ(self, length: int) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        host, port = self._served().address
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command, "PATH_INFO": unquote(path, "latin-1"), "QUERY_STRING": query,
            "SERVER_NAME": host, "SERVER_PORT": str(port), "REMOTE_ADDR": self.client_address[0], "SCRIPT_NAME": "",
            "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(self.rfile.read(length)), "SERVER_PROTOCOL": "HTTP/1.1",
        }  # fmt: skip
        if "Content-Type" in self.headers:
            environ["CONTENT_TYPE"] = self.headers["Content-Type"]
        if length:
            environ["CONTENT_LENGTH"] = str(length)
        for name, value in self.headers.items():
            key = "HTTP_" + name.upper().replace("-", "_")
            if key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
                environ[key] = value
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        """Calls are counted in the admin view, not written here."""


class Server(ThreadingHTTPServer):
    """An app (or a WSGI wrapper of it) on 127.0.0.1; in a `with` it serves in a thread of its own and ends with it."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, app: App, port: int = 0, wsgi: Any = None) -> None:
        self.app = app
        self.wsgi: Any = wsgi or app
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return "127.0.0.1", int(self.server_port)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is nobody's mistake; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def addresses(self) -> dict[str, str]:
        """Where everything is, as announced on standard output."""
        mounts = {
            "login": "/login",
            "rest": "/rest/v1",
            "api": "/api",
            "webservices": "/webservices",
            "admin": "/_admin",
        }
        return {"name": "twentyfourseven", "url": self.url} | {name: self.url + path for name, path in mounts.items()}

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.app.stopping.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
