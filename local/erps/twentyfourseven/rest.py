"""The stand-in's REST v1: tokens, who may call, routes, paging by link header, and the vendor's error shapes."""

import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast
from urllib.parse import urlencode

from .areas import CLOSED, area_of
from .http import Request, Response, json_response
from .state import Organisation, Token, World

AUDIENCE = "https://api.24sevenoffice.com"
PREFIX = "/rest/v1"


class RestError(Exception):
    """An answer that is not a success. `name` and `message` go out as the vendor's error object."""

    def __init__(self, status: int, name: str, message: str, payload: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.payload = payload


def invalid(*problems: tuple[str, str], message: str = "The request is not valid.") -> RestError:
    """What is wrong with a request, as path and keyword each."""
    errors = [{"path": path, "keyword": keyword} for path, keyword in problems]
    return RestError(400, "ValidationError", message, {"validationErrors": errors})


def not_found(what: str) -> RestError:
    """There is no such thing."""
    return RestError(404, "NotFoundError", f"{what} was not found.")


@dataclass(frozen=True)
class Call:
    """A request that was let in."""

    world: World
    org: Organisation
    request: Request
    now: datetime

    def body(self) -> dict[str, Any]:
        """The JSON object of the body. Raises RestError, MalformedError."""
        value = self.request.json()
        if not isinstance(value, dict):
            raise invalid(("", "type"))
        return cast(dict[str, Any], value)

    def asked(self, name: str) -> str | None:
        """A parameter of the query."""
        return self.request.query.get(name)

    def day(self, name: str) -> date | None:
        """A date of the query. Raises RestError."""
        text = self.asked(name)
        return None if text is None else parse_day(text, name)

    def needed_day(self, name: str) -> date:
        """A date that the query must have. Raises RestError."""
        found = self.day(name)
        if found is None:
            raise invalid((name, "required"))
        return found

    def instant(self, name: str) -> datetime | None:
        """An instant of the query; one without a zone is UTC. Raises RestError."""
        text = self.asked(name)
        if text is None:
            return None
        try:
            value = datetime.fromisoformat(text)
        except ValueError as error:
            raise invalid((name, "format")) from error
        return value if value.tzinfo else value.replace(tzinfo=UTC)

    def number(self, name: str, default: int | None = None) -> int | None:
        """A whole number of the query. Raises RestError."""
        text = self.asked(name)
        if text is None:
            return default
        try:
            return int(text)
        except ValueError as error:
            raise invalid((name, "type")) from error

    def flag(self, name: str) -> bool | None:
        """`true` or `false` of the query. Raises RestError."""
        text = self.asked(name)
        if text not in (None, "true", "false"):
            raise invalid((name, "type"))
        return None if text is None else text == "true"


def parse_day(text: Any, where: str) -> date:
    """A date as the API writes it. Raises RestError."""
    try:
        if len(text) != 10:
            raise ValueError(text)
        return date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise invalid((where, "format"), message=f"{where} is not a date.") from error


type RestHandler = Callable[..., Response]


@dataclass(frozen=True)
class Route:
    """A call that the API knows, the scope it needs and what answers it."""

    method: str
    template: str
    scope: str
    handler: RestHandler
    pattern: re.Pattern[str]


ROUTES: list[Route] = []


def route(method: str, template: str, scope: str) -> Callable[[RestHandler], RestHandler]:
    """Declare a route; its parameters are what the handler says they are, numbers or texts."""

    def declare(handler: RestHandler) -> RestHandler:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
        ROUTES.append(Route(method, template, scope, handler, re.compile(f"^{pattern}$")))
        return handler

    return declare


def find(method: str, path: str) -> tuple[Route | None, dict[str, str]]:
    """The route of a call, with the parameters of its path."""
    for candidate in ROUTES:
        found = candidate.pattern.match(path) if candidate.method == method else None
        if found:
            return candidate, found.groupdict()
    return None, {}


def operation(request: Request) -> str:
    """What the call is, in the words of the published description."""
    found, _ = find(request.method, request.path.removeprefix(PREFIX))
    return f"rest:{request.method} {found.template if found else request.path.removeprefix(PREFIX)}"


def handle(world: World, request: Request) -> Response:
    """Answer a call of the API."""
    trace = secrets.token_hex(12)
    try:
        response = _answer(world, request)
    except RestError as error:
        content: dict[str, Any] = {"name": error.name, "message": str(error)}
        if error.payload is not None:
            content["payload"] = error.payload
        response = json_response({"error": content, "trackingId": trace}, error.status)
    response.headers["X-Trace-Id"] = trace
    return response


def _answer(world: World, request: Request) -> Response:
    token = _token(world, request)
    found, parameters = find(request.method, request.path.removeprefix(PREFIX))
    if found is None:
        raise not_found(f"{request.method} {request.path}")
    if token.scopes is not None and found.scope and found.scope not in token.scopes:
        raise RestError(403, "ForbiddenError", f"The token lacks the scope {found.scope}.")
    call = Call(world, world.organisation(token.organisation), request, world.now())
    if closed := call.org.closed.get(area_of(found.scope)):
        raise RestError(403, "ForbiddenError", CLOSED[closed])
    typed = {name: _typed(found.handler, name, text) for name, text in parameters.items()}
    return found.handler(call, **typed)


def _typed(handler: RestHandler, name: str, text: str) -> int | str:
    if handler.__annotations__[name] is not int:
        return text
    if not text.isdecimal():
        raise invalid((name, "type"))
    return int(text)


def _token(world: World, request: Request) -> Token:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    token = world.tokens.get(value)
    if scheme.lower() != "bearer" or token is None or token.until <= world.now():
        raise RestError(401, "UnauthorizedError", "The access token is missing, invalid or has expired.")
    return token


def give_token(world: World, request: Request) -> Response:
    """OAuth 2 client credentials with an organisation."""
    asked = request.form()

    def refuse(status: int, error: str, words: str) -> Response:
        return json_response({"error": error, "error_description": words}, status)

    if not request.headers["content-type"].startswith("application/x-www-form-urlencoded"):
        return refuse(400, "invalid_request", "The body must be form fields.")
    if asked.get("grant_type") != "client_credentials":
        return refuse(400, "unsupported_grant_type", "Only client_credentials is supported.")
    application = world.applications.get(asked.get("client_id", ""))
    secret = asked.get("client_secret", "")
    if application is None or not hmac.compare_digest(application.secret.encode(), secret.encode()):
        return refuse(401, "access_denied", "Unauthorized")
    if asked.get("audience") != AUDIENCE:
        return refuse(403, "access_denied", f"Service not found: {asked.get('audience', '')}")
    organisation = asked.get("login_organization", "")
    if not organisation.isdecimal() or int(organisation) not in application.connected:
        return refuse(403, "access_denied", "The application is not connected to the organization.")
    value = secrets.token_urlsafe(48)
    world.tokens_given += 1
    world.tokens[value] = Token(
        application.client_id, int(organisation), application.scopes, world.now() + world.token_for
    )
    seconds = int(world.token_for.total_seconds())
    return json_response({"access_token": value, "token_type": "Bearer", "expires_in": seconds})


type Show = Callable[[Any], Any]


def page(call: Call, path: str, items: Sequence[Any], default: int, most: int, show: Show) -> Response:
    """One page of a list, with the link header to its neighbours."""
    parameter = "page"
    size = call.number("limit", default) or default
    number = call.number(parameter, 1) or 1
    if size < 1:
        raise invalid(("limit", "minimum"))
    if number < 1:
        raise invalid((parameter, "minimum"))
    size = min(size, most)
    links = {"first": 1}
    if number > 1:
        links["previous"] = number - 1
    if number * size < len(items):
        links["next"] = number + 1
    header = ", ".join(f'<{_link(call, path, parameter, n)}>; rel="{rel}"' for rel, n in links.items())
    return json_response([show(i) for i in items[(number - 1) * size : number * size]], headers={"link": header})


def onward(call: Call, path: str, items: Sequence[Any], default: int, most: int, show: Show = lambda i: i) -> Response:
    """One page of a list that goes on by token: only the next page is named."""
    size = min(call.number("limit", default) or default, most)
    if size < 1:
        raise invalid(("limit", "minimum"))
    start = call.number("continuationToken", 0) or 0
    headers: dict[str, str] = {}
    if start + size < len(items):
        headers["Link"] = f'<{_link(call, path, "continuationToken", start + size)}>; rel="next"'
    return json_response([show(i) for i in items[start : start + size]], headers=headers)


def _link(call: Call, path: str, parameter: str, value: int) -> str:
    query = {k: v for k, v in call.request.query.items() if k != parameter} | {parameter: str(value)}
    return f"{call.request.mount_url}/v1{path}?{urlencode(query)}"


def zulu(instant: datetime) -> str:
    """An instant as the ledger and orders write it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def spaced(instant: datetime) -> str:
    """An instant as customers and products write it: with a space and milliseconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"
