"""What API Gateway hands a function and takes from it (REST API, Lambda proxy integration).

The gateway has matched the address already: `resource` is the path as it was declared, `pathParameters` what stood in
its places. A REST API leaves these as they were sent, percent-encoded; an HTTP API (events with a `version`) and the
local AWS, which writes events of that form, decode them. Sources: "Set up Lambda proxy integrations in API Gateway",
"Working with AWS Lambda proxy integrations for HTTP APIs" (payload format 1.0).
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, cast
from urllib.parse import unquote

from pydantic import ValidationError

from erphub.platform import problems
from erphub.platform.errors import Invalid
from erphub.platform.field_errors import field_errors
from erphub.platform.http.caller_context import from_context
from erphub.platform.identity import Caller
from erphub.platform.lexical import loads
from erphub.platform.wire import Model

MAX_FILE = 4 * 1024 * 1024
"""Bytes that a body which is a file may have: what the gateway passes on, with some to spare."""
FILE_TYPES = ("application/xml", "text/xml", "application/pdf", "application/octet-stream")
"""Media types that reach a function byte for byte. Of any other, bytes that are no UTF-8 were replaced on the way."""
_SECURITY_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_ALLOWED = "authorization, content-type, idempotency-key, if-match, if-none-match, prefer"
_EXPOSED = "ETag, Preference-Applied, Retry-After, WWW-Authenticate, RateLimit, RateLimit-Policy"
_PREFLIGHT_SECONDS = 7200


@dataclass(frozen=True)
class Request:
    """One event of the gateway."""

    event: Mapping[str, Any]

    @property
    def method(self) -> str:
        """The HTTP method, in capitals."""
        return str(self.event.get("httpMethod") or "").upper()

    @property
    def resource(self) -> str:
        """The path as it was declared: `/clients/{client_id}`."""
        return str(self.event.get("resource") or "")

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What stands in the places of the path, decoded once. Raises NotFound when it is no text in UTF-8."""
        sent = _member(self.event, "pathParameters")
        if "version" in self.event:
            return {name: str(value) for name, value in sent.items()}
        try:
            return {name: unquote(str(value), errors="strict") for name, value in sent.items()}
        except UnicodeDecodeError as error:
            raise problems.ROUTE_NOT_FOUND() from error

    @property
    def client(self) -> str | None:
        """The client in the path as it was sent, for the log."""
        return _member(self.event, "pathParameters").get("client_id")

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """The headers, by lower-case name."""
        return {name.lower(): str(value) for name, value in _member(self.event, "headers").items()}

    def field(self, name: str) -> str | None:
        """A header that is sent once, or as a list that may be spread over several lines (RFC 9110, 5.3)."""
        lines = next(
            (lines for sent, lines in _member(self.event, "multiValueHeaders").items() if sent.lower() == name.lower()),
            None,
        )
        return ", ".join(map(str, lines)) if lines else self.headers.get(name.lower())

    @property
    def asked(self) -> Mapping[str, Any]:
        """The query parameters as they were sent."""
        return _member(self.event, "queryStringParameters")

    @property
    def id(self) -> str:
        """What the gateway calls this request."""
        return str(self._context.get("requestId") or "unknown")

    @property
    def received(self) -> datetime:
        """When the gateway took it: however long the function took to start, that was when it was sent."""
        milliseconds = self._context.get("requestTimeEpoch")
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds else datetime.now(UTC)

    @property
    def caller(self) -> Caller:
        """Who the authorizer says is calling. Raises NotSignedIn when it said nothing."""
        source = _member(self._context, "identity").get("sourceIp")
        return from_context(_member(self._context, "authorizer"), source)

    def body(self, shape: Any) -> Any:
        """The body in the shape wanted: a Model, a mapping of anything, or `bytes` for a file.

        Raises Invalid with every wrong field, Malformed, TooLarge, UnsupportedMediaType.
        """
        if shape is bytes:
            self._require_file_type()
            return self._bytes(MAX_FILE)
        if not (isinstance(shape, type) and issubclass(shape, Model)):
            return _json_object(self._bytes(Model.MAX_BYTES))
        text = self._bytes(shape.MAX_BYTES)
        given = loads(text)  # one grammar for all bodies: the model's own reader takes a member that is there twice
        try:
            return shape.model_validate_json(text, strict=True)
        except ValidationError as error:
            raise _invalid(error, given) from error

    def query(self, shape: type[Model]) -> Model:
        """The query parameters in the shape wanted; one given twice counts once. Raises Invalid."""
        given = self.asked
        try:
            return shape.model_validate(given)
        except ValidationError as error:
            raise _invalid(error, given) from error

    @property
    def _context(self) -> Mapping[str, Any]:
        return _member(self.event, "requestContext")

    def _require_file_type(self) -> None:
        given = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if given not in FILE_TYPES:
            raise problems.UNSUPPORTED_MEDIA_TYPE(file_types=", ".join(FILE_TYPES))

    def _bytes(self, longest: int) -> bytes:
        body = self.event.get("body") or ""
        if len(body) > longest * 4 // 3 + 4:
            raise problems.BODY_TOO_LARGE(maximum=longest // 1024)
        try:
            encoded = self.event.get("isBase64Encoded")
            raw = base64.b64decode(body, validate=True) if encoded else str(body).encode()
        except (binascii.Error, UnicodeEncodeError) as error:
            raise problems.BODY_NOT_UTF8() from error
        if len(raw) > longest:
            raise problems.BODY_TOO_LARGE(maximum=longest // 1024)
        return raw


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    text: str = ""
    content_type: str | None = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def as_event(self) -> dict[str, Any]:
        """The answer as the gateway takes it."""
        kind = {"Content-Type": self.content_type} if self.content_type else {}
        headers = {name: [value] for name, value in (kind | _SECURITY_HEADERS | dict(self.headers)).items()}
        return {"statusCode": self.status, "multiValueHeaders": headers, "body": self.text, "isBase64Encoded": False}


def preflight(methods: Iterable[str], cross_origin: Mapping[str, str]) -> Answer:
    """What a path answers to OPTIONS; to pages of allowed origins also what they may send."""
    allowed = ", ".join(sorted(methods))
    headers = {"Allow": f"{allowed}, OPTIONS"}
    if "Access-Control-Allow-Origin" in cross_origin:
        headers |= {
            "Access-Control-Allow-Methods": allowed,
            "Access-Control-Allow-Headers": _ALLOWED,
            "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
        }
    return Answer(204, content_type=None, headers=headers)


def cross_origin_headers(request: Request, origins: frozenset[str]) -> dict[str, str]:
    """The headers that let pages of these origins read an answer; none when no origin is allowed."""
    if not origins:
        return {}
    origin = request.headers.get("origin", "")
    if origin not in origins:
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": _EXPOSED,
    }


def _json_object(text: bytes) -> dict[str, Any]:
    value = loads(text)
    if not isinstance(value, dict):
        raise Invalid.of(problems.OBJECT_REQUIRED(""))
    return cast(dict[str, Any], value)


def _invalid(error: ValidationError, given: Any) -> Invalid:
    if any(wrong["type"] == "json_invalid" for wrong in error.errors(include_input=False, include_context=False)):
        return problems.MALFORMED_JSON()
    return problems.INVALID_REQUEST(errors=field_errors(error, given))


def _member(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A member that is an object, or is left out or null."""
    return cast(Mapping[str, Any], document.get(name) or {})
