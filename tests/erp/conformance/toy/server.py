"""Toy Ledger: a small ERP that exists for a test. JSON over HTTP on loopback, sessions, companies, vouchers."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 40
LOGIN, PASSWORD = "reader", "t0y-s3cret"

type Row = dict[str, Any]


@dataclass
class World:
    """What the ERP holds; amounts are texts, so that no float comes between."""

    companies: dict[str, str] = field(default_factory=lambda: {"N1": "Nordlys AS", "N2": "Ære & Sønner"})
    closed: frozenset[str] = frozenset({"N2"})
    tables: dict[tuple[str, str], list[Row]] = field(default_factory=dict[tuple[str, str], list[Row]])
    vouchers: dict[str, Row] = field(default_factory=dict[str, Row])
    sessions: set[str] = field(default_factory=set[str])
    password: str = PASSWORD
    silent: bool = False
    """Whether requests for data are taken and not answered."""
    over: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        status, answer = self._work(body)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _work(self, body: Any) -> tuple[int, Any]:
        world, url = self.server.world, urlsplit(self.path)
        if url.path == "/session":
            if (body["login"], body["password"]) != (LOGIN, world.password):
                return 401, {"error": f"Wrong password {body['password']!r}"}  # an ERP that talks too much
            session = token_hex(8)
            world.sessions.add(session)
            return 200, {"session": session}
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in world.sessions:
            return 401, {"error": "Sign in first"}
        if url.path == "/companies":
            return 200, [
                {"key": key, "name": name, "closed": key in world.closed} for key, name in world.companies.items()
            ]
        _, _, company, what = url.path.split("/")
        if company not in world.companies or company in world.closed:
            return 403, {"error": "Not open to you"}
        if world.silent:
            world.over.wait(30)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if what == "vouchers":
            return self._voucher(world, query, body)
        return 200, page_of(world.tables.get((company, what), []), query)

    def _voucher(self, world: World, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        if self.command == "GET":
            found = world.vouchers.get(query["key"])
            return (200, found) if found else (404, {"error": "No such voucher"})
        if sum(round(float(line["amount"]) * 100) for line in body["lines"]):
            return 422, {"error": "Debit and credit differ"}
        world.vouchers[body["key"]] = voucher = {**body, "number": str(len(world.vouchers) + 1)}
        return 200, voucher


def page_of(rows: list[Row], query: Mapping[str, str]) -> Row:
    """A page of the rows of some days, and where the next one begins."""
    low, high, at = query.get("from", ""), query.get("before", "9999"), int(query.get("at", "0"))
    wanted = [row for row in rows if "day" not in row or low <= row["day"] < high]
    following = at + PAGE if at + PAGE < len(wanted) else None
    return {"rows": wanted[at : at + PAGE], "next": following}


class Server(ThreadingHTTPServer):
    """The ERP, on a free port of loopback."""

    daemon_threads = True

    def __init__(self, world: World) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.world = world

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is no news."""


@contextmanager
def running(world: World) -> Iterator[Server]:
    """The ERP, until the end of the block."""
    server = Server(world)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        world.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
