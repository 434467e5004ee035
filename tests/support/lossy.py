"""A proxy before an object store that has chosen writes go wrong, once each: not stored, or stored and not answered.

A process of its own: the table engine holds Python's lock while it waits for storage, so a thread would never answer.
"""

import contextlib
import http.client
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WRITES = ("PUT", "POST", "DELETE")
ABOUT_THE_PLAN = "/-/plan"
ROOT = Path(__file__).resolve().parents[2]


class Fault(StrEnum):
    """What becomes of a request."""

    CUT_OFF = "stored, and the connection ends without an answer"
    FAILED = "stored, and answered 500"
    BUSY = "stored, and answered 503"
    NOT_STORED = "not stored, and answered 503"


@dataclass
class Plan:
    """Which writes go wrong: those that match, all of them or the one with this number (from 0)."""

    pattern: str
    fault: Fault
    number: int | None = None
    lasting: bool = False
    """Whether a request that is repeated goes wrong again."""
    met: list[str] = field(default_factory=list[str])
    """The writes that match, each once, in their order."""
    requests: int = 0
    """All requests, reading ones too."""
    struck: int = 0

    def strikes(self, request: str) -> bool:
        """Whether this write goes wrong."""
        if not re.search(self.pattern, request) or (request in self.met and not self.lasting):
            return False
        self.met.append(request)
        hit = self.number in (None, len(self.met) - 1)
        self.struck += hit
        return hit


class LossyStore:
    """The proxy, seen from a test."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, "-m", "tests.support.lossy", str(port)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    @property
    def address(self) -> str:
        """Where to send requests."""
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def going_wrong(self, plan: Plan) -> Iterator[None]:
        """Have the plan's writes go wrong meanwhile; it then knows what came."""
        self._replace_plan(asdict(plan))
        try:
            yield
        finally:
            plan_before = self._replace_plan(asdict(Plan("^$", plan.fault)))
            plan.met, plan.requests, plan.struck = plan_before["met"], plan_before["requests"], plan_before["struck"]

    def _replace_plan(self, plan: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("POST", ABOUT_THE_PLAN, json.dumps(plan))
            return json.loads(connection.getresponse().read())

    def close(self) -> None:
        """Stop."""
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    upstream: int
    plan = Plan("^$", Fault.FAILED)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are nothing to write about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def handle_expect_100(self) -> bool:
        """Ask for the body at once: a client waits a second for this."""
        carries_on = super().handle_expect_100()
        self.wfile.flush()
        return carries_on

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.path == ABOUT_THE_PLAN:
            plan_before, self.server.plan = self.server.plan, Plan(**json.loads(body))
            self._answer(200, [], json.dumps(asdict(plan_before)).encode())
            return
        plan = self.server.plan
        plan.requests += 1
        if self.command not in WRITES or not plan.strikes(f"{self.command} {self.path}"):
            self._answer(*self._handed_on(body))
            return
        if plan.fault != Fault.NOT_STORED:
            self._handed_on(body)
        if plan.fault == Fault.CUT_OFF:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._answer(500 if plan.fault == Fault.FAILED else 503, [], b"")

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

    def _handed_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=30)
        left_out = ("connection", "expect", "content-length")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in left_out}
        with contextlib.closing(upstream):
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            return answer.status, answer.getheaders(), answer.read()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        size = str(len(body))
        for name, value in headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                size = value
            elif name.lower() not in ("connection", "transfer-encoding", "content-length", "keep-alive"):
                self.send_header(name, value)
        self.send_header("content-length", size)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


if __name__ == "__main__":
    server = _Server(("127.0.0.1", 0), _Handler)
    server.upstream = int(sys.argv[1])
    print(server.server_port, flush=True)
    server.serve_forever()
