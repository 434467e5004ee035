"""The front desk: finds who is calling, whether they may, what they ask, and words the answer.

A door declares its routes with everything that holds for them: a handler's parameters say what it wants (`caller`,
`member`, `body`, `query`, `received`, and the names in the path), its return type what it gives, its first line what it
does. From the same declarations come the checks of every request, the OpenAPI document and the tests of every route.
"""

import base64
import binascii
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from pydantic import ValidationError
from pydantic_core import from_json

from . import observe
from .access import Access
from .errors import (
    Conflict,
    ErpRefused,
    FieldError,
    Forbidden,
    Gone,
    HubError,
    Invalid,
    NotFound,
    Stopped,
    TooLarge,
    Unavailable,
    Uncertain,
)
from .models.identity import Caller, Permission, Standing
from .models.wire import ID, Model
from .ports.once import Once

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MAX_BODY = 256 * 1024
MAX_FILE = 4 * 1024 * 1024
"""The most that a body which is a file may have: what the gateway passes on, with room to spare."""
PROBLEM = "application/problem+json"
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_IDENTIFIERS = {
    *("customer", "client", "wizard", "connection", "job", "run", "transfer", "entry", "upload"),
    *("notification", "webhook", "delivery"),
}
"""Names in paths that hold identifiers the hub gave; anything of another form is not there."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_MISSING = "There is nothing at this address, or nothing you may see."

_STATUS: tuple[tuple[type[HubError], int, str], ...] = (
    (NotFound, 404, "Not found"),
    (Forbidden, 403, "Not allowed"),
    (TooLarge, 413, "Too large"),
    (Invalid, 422, "Not valid"),
    (Conflict, 409, "Conflict"),
    (Gone, 410, "Gone"),
    (ErpRefused, 502, "Refused by the ERP"),
    (Unavailable, 503, "Not available now"),
    (Uncertain, 502, "Outcome unknown"),
    (Stopped, 409, "Stopped"),
    (HubError, 500, "Internal error"),
)


class Malformed(Invalid):
    """The body is no JSON at all."""

    code = "malformed_json"


@dataclass(frozen=True)
class Hall:
    """What every door shares: who may do what, and requests that come twice. Made on first use."""

    access: Callable[[], Access]
    once: Callable[[], Once]


@dataclass(frozen=True)
class RawJson:
    """An answer that is JSON text already."""

    text: str


@dataclass(frozen=True)
class Text:
    """An answer that is no JSON."""

    text: str
    content_type: str


@dataclass(frozen=True)
class Route:
    """One route and all that is promised about it."""

    method: str
    path: str
    handler: Callable[..., Any]
    needs: Permission | Standing
    status: int
    takes: Any = None
    """The body: a Model, a plain mapping when its members are not known beforehand, or `bytes` when it is a file."""
    query: type[Model] | None = None
    gives: Any = None
    wants: tuple[str, ...] = field(default=())

    @property
    def operation(self) -> str:
        """Its name in the OpenAPI document."""
        return self.handler.__name__

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the path, in order."""
        return tuple(re.findall(r"{(\w+)}", self.path))


@dataclass(frozen=True)
class _Request:
    event: Mapping[str, Any]
    path: Mapping[str, str]
    headers: Mapping[str, str]


class Door:
    """One function's routes."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._resolver = APIGatewayRestResolver()
        self._resolver.exception_handler(NotFoundError)(_unknown)
        self.routes: list[Route] = []

    def get(self, path: str, needs: Permission | Standing) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a GET route."""
        return self._declare("GET", path, needs, 200)

    def post(
        self, path: str, needs: Permission | Standing, status: int = 201
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a POST route."""
        return self._declare("POST", path, needs, status)

    def put(
        self, path: str, needs: Permission | Standing, status: int = 200
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a PUT route."""
        return self._declare("PUT", path, needs, status)

    def patch(
        self, path: str, needs: Permission | Standing, status: int = 200
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a PATCH route."""
        return self._declare("PATCH", path, needs, status)

    def delete(
        self, path: str, needs: Permission | Standing, status: int = 204
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a DELETE route."""
        return self._declare("DELETE", path, needs, status)

    def __call__(self, event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
        """Answer one event of API Gateway (REST, proxy integration)."""
        observe.forget()
        return self._resolver.resolve(event, context)

    def _declare(
        self, method: str, path: str, needs: Permission | Standing, status: int
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        if isinstance(needs, Permission) != path.startswith("/clients/{client}"):
            raise TypeError(f"{method} {path}: a client's route needs a permission, any other a standing")

        def register(handler: Callable[..., Any]) -> Callable[..., Any]:
            hints = dict(handler.__annotations__)
            gives = hints.pop("return", None)
            route = Route(
                method, path, handler, needs, status, hints.get("body"), hints.get("query"), gives, tuple(hints)
            )
            self.routes.append(route)

            def run(**names: str) -> Response[str]:
                return self._answer(route, self._resolver.current_event.raw_event, names)

            self._resolver.route(re.sub(r"{(\w+)}", r"<\1>", path), method)(run)
            return handler

        return register

    def _answer(self, route: Route, event: Mapping[str, Any], names: Mapping[str, str]) -> Response[str]:
        headers = {name.lower(): str(value) for name, value in _member(event, "headers").items()}
        request = _Request(event, names, headers)
        started = time.perf_counter()
        about = {"route": f"{route.method} {route.path}", "client_id": names.get("client")}
        about["request_id"] = _request_id(event)
        observe.logger().debug("request begun", extra=about)
        try:
            status, text, content_type = self._work(route, request)
            response = _response(status, text, content_type)
        except HubError as error:
            response = problem(error)
            status = response.status_code
            _log_failure(error, status, about)
        except Exception as error:  # noqa: BLE001 — the one place where everything unforeseen ends
            response = _surprise(error, event)
            status = 500
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        observe.logger().info("request", extra=about | {"status": status, "milliseconds": milliseconds})
        return response

    def _work(self, route: Route, request: _Request) -> tuple[int, str, str]:
        for name in route.names:
            if name in _IDENTIFIERS and not ID.fullmatch(request.path[name]):
                raise NotFound(_MISSING)
        arguments = self._admit(route, request)
        if route.takes is not None:
            arguments["body"] = read_body(request.event, route.takes)
        if route.query is not None:
            arguments["query"] = read_query(request.event, route.query)
        arguments |= {name: request.path[name] for name in route.names}
        arguments["received"] = received(request.event)
        wanted = {name: arguments[name] for name in route.wants}

        given: list[Any] = []

        def work() -> dict[str, Any]:
            given.append(route.handler(**wanted))
            return _kept(route, given[0])

        key = request.headers.get("idempotency-key")
        if route.method == "POST" and key is not None:
            answer = self._hall.once()(*_once_key(route, request, arguments["caller"], key), work)
            # What is kept for a repetition lacks what is shown once: who asked first gets all of it.
            answer = _answer_of(route, given[0]) if given else answer
        else:
            answer = _answer_of(route, route.handler(**wanted))
        return int(answer["status"]), str(answer["text"]), str(answer.get("type", "application/json"))

    def _admit(self, route: Route, request: _Request) -> dict[str, Any]:
        """Who is calling, once they may."""
        if route.needs is Standing.PUBLIC:
            return {}
        who = caller(request.event)
        if isinstance(route.needs, Permission):
            member = self._hall.access().require(request.path["client"], who, route.needs)
            return {"caller": who, "member": member}
        self._hall.access().require_standing(route.needs, who, request.path.get("customer"))
        return {"caller": who}


def caller(event: Mapping[str, Any]) -> Caller:
    """Who the authorizer says is calling. Raises Forbidden when it said nothing: the route is not behind it."""
    context = _member(event, "requestContext")
    claims = _member(_member(context, "authorizer"), "claims")
    if not claims.get("sub"):
        raise Forbidden("Sign in first.", code="not_signed_in")
    confirmed = str(claims.get("email_verified")).lower() == "true"
    email = claims.get("email") if confirmed else None
    return Caller(str(claims["sub"]), email, _member(context, "identity").get("sourceIp"))


def received(event: Mapping[str, Any]) -> datetime:
    """When the gateway took the request: however long this function took to start, that was when it was sent."""
    milliseconds = _member(event, "requestContext").get("requestTimeEpoch")
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds else datetime.now(UTC)


def read_body(event: Mapping[str, Any], shape: Any) -> Any:
    """The body in the shape wanted. Raises Invalid with every wrong field, Malformed, TooLarge."""
    if shape is bytes:
        return _body_text(event, MAX_FILE)
    text = _body_text(event, MAX_BODY)
    if not (isinstance(shape, type) and issubclass(shape, Model)):
        return _json_object(text)
    try:
        return shape.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise _invalid(error) from error


def read_query(event: Mapping[str, Any], shape: type[Model]) -> Any:
    """The query parameters in the shape wanted; one given twice counts once. Raises Invalid."""
    try:
        return shape.model_validate(_member(event, "queryStringParameters"))
    except ValidationError as error:
        raise _invalid(error) from error


def _body_text(event: Mapping[str, Any], longest: int) -> bytes:
    body = event.get("body") or ""
    if len(body) > longest * 4 // 3 + 4:
        raise TooLarge(f"A request may have at most {longest // 1024} KB.")
    try:
        raw = base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else str(body).encode()
    except (binascii.Error, UnicodeEncodeError) as error:
        raise Malformed("The body is no text in UTF-8.") from error
    if len(raw) > longest:
        raise TooLarge(f"A request may have at most {longest // 1024} KB.")
    return raw


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise Malformed("The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise Invalid.field("", "object_required", "The body must be a JSON object.")
    return cast(dict[str, Any], value)


def _invalid(error: ValidationError) -> Invalid:
    wrongs = error.errors(include_input=False, include_context=False, include_url=False)
    if any(wrong["type"] == "json_invalid" for wrong in wrongs):
        return Malformed("The body is not valid JSON.")
    return Invalid(
        "Something in the request is not valid; `errors` says what.",
        errors=[FieldError(_pointer(wrong["loc"]), wrong["type"], wrong["msg"]) for wrong in wrongs],
    )


def _pointer(where: tuple[int | str, ...]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in where)


def _once_key(route: Route, request: _Request, who: Caller, key: str) -> tuple[str, str, Any]:
    if not _KEY.fullmatch(key):
        raise Invalid.field(
            "", "idempotency_key_invalid", "An Idempotency-Key has 1 to 255 visible ASCII characters and no spaces."
        )
    where = f"{route.method} {route.path} {json.dumps(dict(request.path), sort_keys=True)}"
    return who.user, f"{where} {key}", request.event.get("body") or ""


def _answer_of(route: Route, answer: Any) -> dict[str, Any]:
    kind = answer.content_type if isinstance(answer, Text) else "application/json"
    return {"status": route.status, "text": _text(answer), "type": kind}


def _kept(route: Route, answer: Any) -> dict[str, Any]:
    """The answer as it may be kept."""
    if isinstance(answer, Model) and answer.SHOWN_ONCE:
        answer = answer.model_copy(update=dict.fromkeys(answer.SHOWN_ONCE))
    return _answer_of(route, answer)


def _text(answer: Any) -> str:
    if isinstance(answer, (RawJson, Text)):
        return answer.text
    if isinstance(answer, Model):
        return answer.model_dump_json(by_alias=True)
    return "" if answer is None else json.dumps(answer, ensure_ascii=False)


def _response(status: int, text: str, content_type: str = "application/json", **headers: str) -> Response[str]:
    return Response(status, content_type, text, headers=_HEADERS | headers)


def as_problem(error: HubError) -> dict[str, Any]:
    """The error as the members of a problem document (RFC 9457), for answers and for what is kept with a run."""
    status, title = next((status, title) for kind, status, title in _STATUS if isinstance(error, kind))
    if isinstance(error, Malformed):
        status, title = 400, "Not JSON"
    document: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": title,
        "status": status,
        "detail": error.detail,
        "code": error.code,
    }
    document |= {name: value for name, value in error.facts.items() if name not in document}
    if isinstance(error, Invalid):
        document["errors"] = [vars(wrong) for wrong in error.errors]
    return document


def problem(error: HubError) -> Response[str]:
    """The error as an answer."""
    document = as_problem(error)
    later = {"Retry-After": str(error.facts.get("retry_after", 5))} if isinstance(error, Unavailable) else {}
    return _response(document["status"], json.dumps(document, ensure_ascii=False, default=str), PROBLEM, **later)


def _log_failure(error: HubError, status: int, about: Mapping[str, Any]) -> None:
    """Write down why a request was answered with a server error, in the words that metric filters look for.

    What an ERP or a busy service is the reason of is told apart from what is wrong here: only the latter rings.
    """
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        observe.logger().error("unexpected error", exc_info=error, extra=dict(about))
    elif status > HTTPStatus.INTERNAL_SERVER_ERROR:
        observe.logger().warning(
            "upstream failed", exc_info=error, extra={**about, "status": status, "code": error.code}
        )


def _surprise(error: Exception, event: Mapping[str, Any]) -> Response[str]:
    """Something nobody thought of: the caller gets a word to quote, the log gets the cause."""
    identifier = _request_id(event)
    observe.logger().exception("unexpected error", exc_info=error, extra={"request_id": identifier})
    return problem(HubError("Something went wrong here. Tell us the correlation id.", correlation_id=identifier))


def _unknown(_: Exception) -> Response[str]:
    return problem(NotFound("There is no such address.", code="route_not_found"))


def _request_id(event: Mapping[str, Any]) -> str:
    return str(_member(event, "requestContext").get("requestId") or "unknown")


def _member(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A member that is an object, or is left out or null."""
    return cast(Mapping[str, Any], document.get(name) or {})
