"""The switchboard of the stand-in server: a small loopback HTTP port where the demo and tests break things on cue."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import duckdb

from local.sqlserver.server import StandIn

_LONGEST = 1 << 20
type Json = dict[str, Any]


class Admin:
    """Serves one stand-in. `after_change` is told when logins or databases changed.

    POST /faults {kind, …}            as in `faults.Fault`; DELETE /faults: nothing goes wrong any more
    POST /faults/release              what a delay holds back goes on
    POST /logins {name, password, …}  create or replace; `databases` lists where it may enter
    POST /databases/drop {name} · /databases/state {name, state} · /databases/snapshot {name, allowed}
    POST /grant · /revoke {login, database} · /deny · /allow {login, database, table}
    POST /sql {database, text}        DuckDB SQL with {Table} for a table; answers its rows as texts
    GET /stats · GET /
    """

    def __init__(self, server: StandIn, port: int = 0, after_change: Callable[[], None] | None = None) -> None:
        self._standin = server
        self._after_change = after_change
        admin = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            def do_GET(self) -> None:
                """Look."""
                admin.handle(self, "GET")

            def do_POST(self) -> None:
                """Change something."""
                admin.handle(self, "POST")

            def do_DELETE(self) -> None:
                """Mend."""
                admin.handle(self, "DELETE")

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: standard output is the ready line's."""

        self._http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._http.daemon_threads = True
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.1,), name="standin-admin", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop serving."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    def handle(self, request: BaseHTTPRequestHandler, method: str) -> None:
        """One request, one JSON answer; what is wrong with a request is said in it (400, 404)."""
        try:
            length = min(int(request.headers.get("Content-Length") or 0), _LONGEST)  # a longer body is no JSON then
            body: Json = json.loads(request.rfile.read(length) or b"{}")
            status, answer = 200, self._act(method, request.path.rstrip("/") or "/", body)
        except LookupError as error:
            status, answer = 404, {"error": f"not found: {error}"}
        except (ValueError, TypeError, duckdb.Error) as error:
            status, answer = 400, {"error": str(error)}
        data = json.dumps(answer, ensure_ascii=False, default=str).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _act(self, method: str, path: str, body: Json) -> Json:
        catalogue = self._standin.catalogue
        match method, path:
            case "GET", "/stats":
                return {**self._standin.stats.shown(), "faults_happened": dict(self._standin.faults.happened)}
            case "GET", "/":
                return {
                    "port": self._standin.port,
                    "databases": [each.name for each in catalogue.sorted_databases()],
                    "logins": [login.name for login in catalogue.logins.values()],
                    "faults": [vars(fault) for fault in self._standin.faults.waiting],
                }
            case "POST", "/faults":
                return vars(self._standin.inject(body.pop("kind"), **body))
            case "POST", "/faults/release":
                self._standin.faults.release()
                return {}
            case "DELETE", "/faults":
                self._standin.mend()
                return {}
            case "POST", "/sql":
                return {
                    "rows": [[_text(value) for value in row] for row in catalogue[body["database"]].sql(body["text"])]
                }
            case "POST", _:
                self._change(path, body)
                if self._after_change is not None:
                    self._after_change()
                return {}
            case _:
                raise LookupError(path)

    def _change(self, path: str, body: Json) -> None:
        catalogue = self._standin.catalogue
        match path:
            case "/logins":
                catalogue.login(body.pop("name"), body.pop("password"), **body)
            case "/databases/drop":
                catalogue.drop(body["name"])
            case "/databases/state":
                if body["state"] not in ("ONLINE", "OFFLINE", "RESTORING"):
                    raise ValueError("state is ONLINE, OFFLINE or RESTORING")
                catalogue[body["name"]].state = body["state"]
            case "/databases/snapshot":
                catalogue[body["name"]].snapshot = bool(body["allowed"])
            case "/grant":
                catalogue[body["database"]].grant(body["login"])
            case "/revoke":
                catalogue[body["database"]].revoke(body["login"])
            case "/deny":
                catalogue[body["database"]].deny(body["login"], body["table"])
            case "/allow":
                catalogue[body["database"]].allow(body["login"], body["table"])
            case _:
                raise LookupError(path)


def _text(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float | str) else str(cast("Any", value))
