"""Routes, declared once with everything that holds for them, and how a request is answered.

A handler's parameters say what it wants (`caller`, `member`, `body`, `query`, `received`, and the names in the path),
its return type what it gives, its first line what it does. From the same declarations come the checks of every request,
the OpenAPI document and the tests of every route."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from erphub.platform import logging, redaction
from erphub.platform.errors import HubError, Invalid, NotFound, NotSignedIn, Unavailable
from erphub.platform.http.authorization import Authorization
from erphub.platform.http.gateway import Answer, Request, cross_origin_headers, preflight
from erphub.platform.idempotency import IdempotencyStore
from erphub.platform.identity import AccessLevel, Caller, Permission
from erphub.platform.problems import PROBLEM, as_problem
from erphub.platform.wire import ID, Model

_IDENTIFIERS = {
    *("customer", "client", "wizard", "connection", "job", "run", "transfer", "entry", "upload"),
    *("notification", "webhook", "delivery"),
}
"""Names in paths that hold identifiers the hub gave; anything of another form is not there."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_MISSING = "There is nothing at this address, or nothing you may see."


@dataclass(frozen=True)
class Hall:
    """What every door shares: who may do what, requests that come twice, whose pages may call. Made on first use."""

    access: Callable[[], Authorization]
    once: Callable[[], IdempotencyStore]
    origins: Callable[[], frozenset[str]] = frozenset
    """Origins of web pages that may call (`https://app.example.com`)."""


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
    needs: Permission | AccessLevel
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


class Router:
    """One function's routes."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self.routes: list[Route] = []

    def get(self, path: str, needs: Permission | AccessLevel) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a GET route."""
        return self._declare("GET", path, needs, 200)

    def post(
        self, path: str, needs: Permission | AccessLevel, status: int = 201
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a POST route."""
        return self._declare("POST", path, needs, status)

    def put(
        self, path: str, needs: Permission | AccessLevel, status: int = 200
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a PUT route."""
        return self._declare("PUT", path, needs, status)

    def patch(
        self, path: str, needs: Permission | AccessLevel, status: int = 200
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a PATCH route."""
        return self._declare("PATCH", path, needs, status)

    def delete(
        self, path: str, needs: Permission | AccessLevel, status: int = 204
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a DELETE route."""
        return self._declare("DELETE", path, needs, status)

    def __call__(self, event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        """Answer one event of API Gateway (REST, proxy integration)."""
        redaction.forget()
        request = Request(event)
        cross_origin = cross_origin_headers(request, self._hall.origins())
        answer = self._preflight(request, cross_origin) if request.method == "OPTIONS" else self._answer(request)
        return replace(answer, headers={**answer.headers, **cross_origin}).as_event()

    def _declare(
        self, method: str, path: str, needs: Permission | AccessLevel, status: int
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
            return handler

        return register

    def _preflight(self, request: Request, cross_origin: Mapping[str, str]) -> Answer:
        methods = [route.method for route in self.routes if route.path == request.resource]
        return preflight(methods, cross_origin) if methods else _unknown()

    def _answer(self, request: Request) -> Answer:
        asked = request.method, request.resource
        route = next((route for route in self.routes if (route.method, route.path) == asked), None)
        if route is None:
            return _unknown()
        started = time.perf_counter()
        about = {"route": f"{route.method} {route.path}", "client_id": request.client, "request_id": request.id}
        logging.logger().debug("request begun", extra=about)
        answer = self._attempt(route, request, about)
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        logging.logger().info("request", extra=about | {"status": answer.status, "milliseconds": milliseconds})
        return answer

    def _attempt(self, route: Route, request: Request, about: Mapping[str, Any]) -> Answer:
        try:
            return self._work(route, request)
        except HubError as error:
            answer = problem(error)
            _log_failure(error, answer.status, about)
            return answer
        except Exception as error:  # noqa: BLE001 — the one place where everything unforeseen ends
            return _surprise(error, request)

    def _work(self, route: Route, request: Request) -> Answer:
        for name in route.names:
            if name in _IDENTIFIERS and not ID.fullmatch(request.names[name]):
                raise NotFound(_MISSING)
        arguments = self._admit(route, request)
        if route.takes is not None:
            arguments["body"] = request.body(route.takes)
        if route.query is not None:
            arguments["query"] = request.query(route.query)
        arguments |= {name: request.names[name] for name in route.names}
        arguments["received"] = request.received
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
        return Answer(int(answer["status"]), str(answer["text"]), str(answer.get("type", "application/json")))

    def _admit(self, route: Route, request: Request) -> dict[str, Any]:
        """Who is calling, once they may."""
        if route.needs is AccessLevel.PUBLIC:
            return {}
        who = request.caller
        if isinstance(route.needs, Permission):
            member = self._hall.access().require(request.names["client"], who, route.needs)
            return {"caller": who, "member": member}
        self._hall.access().require_standing(route.needs, who, request.names.get("customer"))
        return {"caller": who}


def _once_key(route: Route, request: Request, who: Caller, key: str) -> tuple[str, str, Any]:
    if not _KEY.fullmatch(key):
        raise Invalid.field(
            "", "idempotency_key_invalid", "An Idempotency-Key has 1 to 255 visible ASCII characters and no spaces."
        )
    where = f"{route.method} {route.path} {json.dumps(dict(request.names), sort_keys=True)}"
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


def problem(error: HubError) -> Answer:
    """The error as an answer."""
    document = as_problem(error)
    headers: dict[str, str] = {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.facts.get("retry_after", 5))
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    text = json.dumps(document, ensure_ascii=False, default=str)
    return Answer(int(document["status"]), text, PROBLEM, headers)


def _log_failure(error: HubError, status: int, about: Mapping[str, Any]) -> None:
    """Write down why a request was answered with a server error, in the words that metric filters look for.

    What an ERP or a busy service is the reason of is told apart from what is wrong here: only the latter rings.
    """
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        logging.logger().error("unexpected error", exc_info=error, extra=dict(about))
    elif status > HTTPStatus.INTERNAL_SERVER_ERROR:
        logging.logger().warning(
            "upstream failed", exc_info=error, extra={**about, "status": status, "code": error.code}
        )


def _surprise(error: Exception, request: Request) -> Answer:
    """Something nobody thought of: the caller gets a word to quote, the log gets the cause."""
    logging.logger().exception("unexpected error", exc_info=error, extra={"request_id": request.id})
    return problem(HubError("Something went wrong here. Tell us the correlation id.", correlation_id=request.id))


def _unknown() -> Answer:
    return problem(NotFound("There is no such address.", code="route_not_found"))
