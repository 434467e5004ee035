"""From a request to its answer: finds the route, who is calling, whether they may, and what they ask."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Protocol

from erphub.platform import logging, problems, redaction, tenants
from erphub.platform.acts import ActAtHand, ActLog
from erphub.platform.capability import Act, OneOf, Permission
from erphub.platform.cursors import Cursors
from erphub.platform.errors import HubError, NotSignedIn, TooMany, Unavailable
from erphub.platform.http.authorization import Authorization, Programs
from erphub.platform.http.gateway import Answer, Request, cross_origin_headers, preflight
from erphub.platform.http.idempotency_key import idempotency_key, known_by
from erphub.platform.http.preconditions import is_known_already, precondition_of
from erphub.platform.http.rate_limit_fields import RateLimitField, as_headers, counted_field, refused_field
from erphub.platform.http.representations import answered, entity_tag, not_modified, represent, represent_kept
from erphub.platform.http.request_limits import RequestLimits
from erphub.platform.http.router import Route
from erphub.platform.http.waiting import APPLIED, PreferredWait
from erphub.platform.idempotency import IdempotencyStore
from erphub.platform.identity import AccessLevel, Caller
from erphub.platform.problem_documents import PROBLEM, as_problem
from erphub.platform.wire import ID, Model

_IDENTIFIERS = {
    *("customer", "client", "wizard", "connection", "job", "run", "transfer", "entry", "upload"),
    *("notification", "webhook", "delivery", "key", "invitation"),
}
"""Names in paths that hold identifiers the hub gave, with or without `_id`; anything of another form is not there."""


class Routes(Protocol):
    """The routes of a function, found by what the gateway says of a request."""

    def find(self, method: str, resource: str) -> Route | None:
        """The route of a method and a declared path."""
        ...

    def methods(self, resource: str) -> list[str]:
        """The methods of a declared path; none when nothing is served there."""
        ...


class ServedBy(Protocol):
    """What a function has for the requests it answers; each is asked for when a request first needs it."""

    def service[T](self, kind: type[T]) -> T:
        """The service of this class, made once."""
        ...

    def authorization(self) -> Authorization:
        """Who decides about callers."""
        ...

    def programs(self) -> Programs:
        """Who looks after programs that call with API keys."""
        ...

    def act_log(self) -> ActLog:
        """Where what people do is written down."""
        ...

    def idempotency(self) -> IdempotencyStore:
        """Requests that come twice."""
        ...

    def cursors(self) -> Cursors:
        """Where pages end."""
        ...

    def limits(self) -> RequestLimits:
        """How much there may be."""
        ...

    def allowed_origins(self) -> frozenset[str]:
        """Origins of web pages that may call (`https://app.example.com`)."""
        ...


@dataclass(frozen=True)
class Dispatcher[R: Routes]:
    """API Gateway's handler (REST, proxy integration) for a function's routes."""

    routes: R
    function: ServedBy
    preferred_wait: PreferredWait = field(default_factory=PreferredWait)

    def __call__(self, event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        """Answer one event."""
        redaction.reset()
        request = Request(event)
        cross_origin = cross_origin_headers(request, self.function.allowed_origins())
        answer = self._preflight(request, cross_origin) if request.method == "OPTIONS" else self._answer(request)
        headers = {**answer.headers, **cross_origin}
        if vary := ", ".join(one["Vary"] for one in (answer.headers, cross_origin) if "Vary" in one):
            headers["Vary"] = vary
        return replace(answer, headers=headers).as_event()

    def _preflight(self, request: Request, cross_origin: Mapping[str, str]) -> Answer:
        methods = self.routes.methods(request.resource)
        return preflight(methods, cross_origin) if methods else _unknown()

    def _answer(self, request: Request) -> Answer:
        route = self.routes.find(request.method, request.resource)
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
        counted: list[RateLimitField] = []
        try:
            answer = self._handle(route, request, counted)
        except HubError as error:
            answer = problem(error)
            _log_failure(error, answer.status, about)
            if isinstance(error, TooMany) and (refused := refused_field(error)) is not None:
                counted.append(refused)
        except Exception as error:  # noqa: BLE001 — the one place where everything unforeseen ends
            answer = _unexpected(error, request)
        return replace(answer, headers={**answer.headers, **as_headers(counted)})

    def _handle(self, route: Route, request: Request, counted: list[RateLimitField]) -> Answer:
        for name in route.names:
            if name.removesuffix("_id") in _IDENTIFIERS and not ID.fullmatch(request.names[name]):
                raise problems.ADDRESS_NOT_FOUND()
        arguments = self._admit(route, request, counted)
        with tenants.acting_for_named(request.names):
            return self._handle_admitted(route, request, arguments)

    def _handle_admitted(self, route: Route, request: Request, arguments: dict[str, Any]) -> Answer:
        key = idempotency_key(route, request)
        if route.takes is not None:
            arguments["body"] = request.body(route.takes)
        if route.query is not None:
            arguments["query"] = self._with_place(route, request, request.query(route.query))
        arguments |= {name: request.names[name] for name in route.names}
        arguments |= {"received": request.received, "version": None}

        work = self._work(route, request, arguments)
        if route.method == "GET":
            return self._shown(route, request, arguments, work())
        if key is None:
            begun = answered(route, represent(route, work()))
        else:
            begun = self._once(route, request, arguments["caller"], key, work)
        return self._waited_for(route, request, arguments, begun)

    def _waited_for(self, route: Route, request: Request, arguments: Mapping[str, Any], begun: Answer) -> Answer:
        """The end of the work that was begun, for whoever prefers to wait for it; else that it was begun."""
        awaited, member = route.awaited, arguments.get("member")
        seconds = self.preferred_wait.seconds_for(request) if awaited else 0
        if awaited is None or member is None or not seconds or not self.function.limits().admit_waiting(member):
            return begun
        shown = self.routes.find("GET", awaited.shown_at)
        if shown is None:
            raise LookupError(f"{awaited.shown_at}, where {route.operation} is shown, is no route of this function")
        names = dict(request.names)
        names |= {name: json.loads(begun.text)["id"] for name in shown.names if name not in names}
        known = {**arguments, **names, "query": shown.query() if shown.query else None}
        wanted = {name: known[name] for name in shown.wants}
        wanted |= {name: self.function.service(kind) for name, kind in shown.services.items()}
        end = self.preferred_wait.wait(awaited, lambda: shown.handler(**wanted), seconds)
        applied = {APPLIED: f"wait={seconds}"}
        if end is None:
            return replace(begun, headers={**begun.headers, **applied})
        answer = answered(route, represent(route, _only(route, end)))
        return replace(answer, status=200, headers={**answer.headers, **applied})

    def _work(self, route: Route, request: Request, arguments: Mapping[str, Any]) -> Callable[[], Any]:
        """What the route does, under the conditions that the request makes. Raises BadHeader, PreconditionFailed."""
        precondition = precondition_of(route, request)
        services = {name: self.function.service(kind) for name, kind in route.services.items()}
        client, customer = request.names.get("client_id"), request.names.get("customer_id")
        act = self._acting(route, request, arguments)

        def attempt(under: Mapping[str, Any]) -> Any:
            return act({name: under[name] for name in route.wants} | services)

        def work() -> Any:
            with self.function.limits().adding(route.limit, client, customer):
                return precondition.do(attempt, arguments) if precondition else attempt(arguments)

        return work

    def _shown(self, route: Route, request: Request, arguments: Mapping[str, Any], found: Any) -> Answer:
        """What a GET answers, unless whoever asks has it already."""
        tag = entity_tag(route, found)
        if tag is not None and is_known_already(request, tag):
            return not_modified(route, tag)
        return answered(route, represent(route, self._with_cursors(route, request, arguments, found), tag))

    def _once(self, route: Route, request: Request, caller: Caller, key: str, work: Callable[[], Any]) -> Answer:
        """What a request with an `Idempotency-Key` answers, whether it comes for the first time or again."""
        given: list[Any] = []

        def handle() -> dict[str, Any]:
            given.append(work())
            return represent_kept(route, given[0])

        kept = self.function.idempotency()(caller.user, *known_by(route, request, key), handle)
        # What is kept for a repetition lacks what is shown once: who asked first gets all of it.
        return answered(route, represent(route, given[0]) if given else kept)

    def _with_place(self, route: Route, request: Request, query: Model) -> Model:
        """The query with the place that its `next` stands for. Raises Invalid (`next_invalid`)."""
        cursor = getattr(query, "next", None)
        if not isinstance(cursor, str):
            return query
        return query.model_copy(update={"next": self.function.cursors().open(cursor, _list(route, request, query))})

    def _with_cursors(self, route: Route, request: Request, arguments: Mapping[str, Any], answer: Any) -> Any:
        """The answer with every place where a list goes on sealed: its own, and that of a list in it."""
        query = arguments.get("query")
        if not isinstance(answer, Model) or not isinstance(query, Model) or "next" not in type(query).model_fields:
            return answer
        sealed: dict[str, Any] = {}
        for name in type(answer).model_fields:
            value = getattr(answer, name)
            if name == "next" and isinstance(value, str):
                sealed[name] = self.function.cursors().seal(value, _list(route, request, query))
            elif isinstance(value, Model) and "next" in type(value).model_fields:
                sealed[name] = self._with_cursors(route, request, arguments, value)
        return answer.model_copy(update=sealed) if sealed else answer

    def _acting(
        self, route: Route, request: Request, arguments: Mapping[str, Any]
    ) -> Callable[[Mapping[str, Any]], Any]:
        """The handler, whose act is written down with what it changes."""
        act = route.audited.acts[0] if isinstance(route.audited, OneOf) else route.audited
        if not isinstance(act, Act):
            return lambda wanted: route.handler(**wanted)
        names, body = dict(request.names), arguments.get("body")
        client_id, customer_id = names.pop("client_id", None), names.pop("customer_id", None)
        connection_id = names.pop("connection_id", None)
        given = body.model_dump(mode="json", exclude_unset=True) if isinstance(body, Model) else {}

        def handle(wanted: Mapping[str, Any]) -> Any:
            new = names | given
            with self.function.act_log().acting(
                ActAtHand(act, arguments["caller"], client_id, customer_id, connection_id, new=new)
            ):
                return route.handler(**wanted)

        return handle

    def _admit(self, route: Route, request: Request, counted: list[RateLimitField]) -> dict[str, Any]:
        """Who is calling, once they may; `counted` gets the limits that the request counts towards."""
        if route.needs is AccessLevel.PUBLIC:
            return {}
        who, limits = request.caller, self.function.limits()
        if who.valid_until is not None and request.received >= who.valid_until:
            raise problems.SIGN_IN_EXPIRED()
        counted.append(counted_field(limits.admit_caller(who), request.received))
        if who.program is not None:
            redaction.redact([request.headers.get("authorization", "").removeprefix("Bearer ").strip()])
            self.function.programs().admit(who, who.program)
        if isinstance(route.needs, Permission):
            member = self.function.authorization().require(request.names["client_id"], who, route.needs)
            counted.append(counted_field(limits.admit_member(member), request.received))
            return {"caller": who, "member": member}
        self.function.authorization().require_level(route.needs, who, request.names.get("customer_id"))
        return {"caller": who}


def _only(route: Route, shown: Any) -> Any:
    """What a route gives of what is shown elsewhere with more."""
    if type(shown) is route.gives or not (isinstance(shown, Model) and issubclass(route.gives, Model)):
        return shown
    return route.gives.model_validate(shown.model_dump(include=set(route.gives.model_fields)))


def _list(route: Route, request: Request, query: Model) -> str:
    """Which list a request is about: the address and the filter. How many at a time may change from page to page."""
    chosen = query.model_dump(mode="json", exclude={"next", "limit"})
    return json.dumps([route.method, route.path, dict(request.names), chosen], sort_keys=True)


def problem(error: HubError) -> Answer:
    """The error as an answer."""
    document = as_problem(error)
    headers: dict[str, str] = {}
    if isinstance(error, (Unavailable, TooMany)):
        headers["Retry-After"] = str(error.members.get("retry_after", 5))
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


def _unexpected(error: Exception, request: Request) -> Answer:
    """Something nobody thought of: the caller gets a word to quote, the log gets the cause."""
    logging.logger().exception("unexpected error", exc_info=error, extra={"request_id": request.id})
    return problem(problems.INTERNAL_ERROR(correlation_id=request.id))


def _unknown() -> Answer:
    return problem(problems.ROUTE_NOT_FOUND())
