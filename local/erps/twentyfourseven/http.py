"""Requests and answers, as little of them as a WSGI app needs."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

STATUS = {
    200: "OK", 201: "Created", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 411: "Length Required", 413: "Content Too Large",
    415: "Unsupported Media Type", 422: "Unprocessable Content", 429: "Too Many Requests", 500: "Internal Server Error",
}  # fmt: skip

HOSTS = {
    "login.24sevenoffice.com": "/login",
    "rest.api.24sevenoffice.com": "/rest",
    "api.24sevenoffice.com": "/api",
    "webservices.24sevenoffice.com": "/webservices",
}
"""The vendor's hosts, and where each is mounted here."""


class MalformedError(ValueError):
    """The body is not what its type says."""


@dataclass(frozen=True)
class Request:
    """A call. `path` begins with the mount (`/rest`, `/login`, `/api`, `/webservices`, `/_admin`), by any host."""

    method: str
    path: str
    mount_url: str
    """The address of the mount as the caller sees it, for links and pre-signed addresses."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    address: str
    raw_query: str = ""

    def json(self) -> Any:
        """The body; numbers with a fraction are decimals. Raises MalformedError."""
        try:
            return json.loads(self.body, parse_float=Decimal)
        except ValueError as error:
            raise MalformedError(f"the body is not JSON: {error}") from error

    def form(self) -> dict[str, str]:
        """The body as form fields, empty ones too."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass
class Response:
    """An answer."""

    status: int = 200
    body: bytes = b""
    type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    half: bool = False
    """Only half of the body arrives, though its whole length was announced."""


def read(environ: WSGIEnvironment) -> Request:
    """The call in a WSGI environment."""
    headers = {k[5:].replace("_", "-").lower(): str(v) for k, v in environ.items() if k.startswith("HTTP_")}
    headers["content-type"] = str(environ.get("CONTENT_TYPE") or "")
    host = headers.get("host") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    origin = f"{environ['wsgi.url_scheme']}://{host}"
    path = _path(cast(str, environ.get("PATH_INFO") or "/"))
    mount = HOSTS.get(host.split(":")[0], "")
    if not mount:
        origin += "/" + path.strip("/").split("/")[0]
    raw = str(environ.get("QUERY_STRING") or "")
    length = str(environ.get("CONTENT_LENGTH") or "")
    stream = environ["wsgi.input"]
    body = stream.read(int(length)) if length else b""
    return Request(
        method=str(environ["REQUEST_METHOD"]),
        path=mount + path,
        mount_url=origin,
        query=dict(parse_qsl(raw, keep_blank_values=True)),
        headers=headers,
        body=body,
        address=str(environ.get("REMOTE_ADDR") or "127.0.0.1"),
        raw_query=raw,
    )


def _path(info: str) -> str:
    try:
        return info.encode("latin-1").decode()
    except UnicodeError:  # not bytes in disguise, as WSGI has it, but the text itself, as in-process callers give it
        return info


def write(response: Response, start: StartResponse) -> Iterable[bytes]:
    """Give an answer."""
    headers = [("Content-Type", response.type)] if response.status != 204 else []
    headers += [*response.headers.items(), ("Content-Length", str(len(response.body)))]
    start(f"{response.status} {STATUS.get(response.status, 'Unknown')}", headers)
    return [response.body[: len(response.body) // 2] if response.half else response.body]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        # Up to 15 digits the shortest text of a float is the decimal itself.
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of JSON; decimals become numbers."""
    body = json.dumps(value, default=_plain, ensure_ascii=False).encode()
    return Response(status, body, headers=dict(headers or {}))


def text(body: str, status: int = 200, type: str = "text/plain") -> Response:
    """An answer of text."""
    return Response(status, body.encode(), f"{type}; charset=utf-8")


def inner(value: Any) -> dict[str, Any]:
    """The object that may be there, or an empty one."""
    return value or {}


def listed(value: Any) -> list[Any]:
    """The list that may be there, or an empty one."""
    return value or []
