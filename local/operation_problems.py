"""Which problems each operation of the API can be answered with: found in the source, beside what the gateway answers.

What a route declares says what happens before its handler (who is let in, what is read of the request, what is counted
and written down); the functions that do it are looked at as the handler is.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from types import FunctionType
from typing import Any, cast

from pydantic import BaseModel

from erphub import openapi
from erphub.erp.catalogue import catalogue
from erphub.erp.step_answers import answers_by_name
from erphub.openapi_responses import PossibleProblems
from erphub.platform import problems
from erphub.platform.capability import LimitKind, Permission
from erphub.platform.errors import FieldError, HubError, Invalid
from erphub.platform.field_errors import WORDS
from erphub.platform.http import problems as gateway
from erphub.platform.http.router import Route
from erphub.platform.identity import AccessLevel
from erphub.platform.problem_documents import as_problem, status_of
from erphub.platform.problem_types import FieldProblemType, ProblemType
from erphub.tenancy.problems import API_KEY_REVOKED
from local.emulator import ROOT
from local.problem_catalogue import declared, shown
from local.raised_problems import Raised, RaisedProblems
from local.source_modules import read
from local.source_types import Source

_REQUEST = "erphub.platform.http.gateway.Request"
_AUTHORIZER = "erphub.tenancy.access.Authorizer"
_PRECONDITIONS = "erphub.platform.http.preconditions"
_LIMITS = "erphub.platform.http.request_limits.RequestLimits"
_LEVELS: Mapping[AccessLevel, tuple[str, ...]] = {
    AccessLevel.PUBLIC: (),
    AccessLevel.SIGNED_IN: (),
    AccessLevel.CUSTOMER_ADMINISTRATOR: (f"{_AUTHORIZER}._require_customer_administrator",),
    AccessLevel.ANY_ADMINISTRATOR: (f"{_AUTHORIZER}._require_customer_administrator",),
    AccessLevel.PLATFORM_ADMINISTRATOR: (f"{_AUTHORIZER}._require_platform_administrator",),
}
"""What looks at a caller, by whom a route lets in."""
_ANYWHERE = (
    *(gateway.BAD_REQUEST, gateway.REQUEST_REFUSED, gateway.TOO_MANY_REQUESTS),
    *(gateway.NO_ANSWER, gateway.TIMEOUT),
)
"""What the gateway answers in place of any function."""
OF_ANY_FORM = frozenset(one.code for one in WORDS.values())
"""What is said of fields whose values have not the form that is wanted."""


@cache
def analysis() -> RaisedProblems:
    """The source, read once."""
    return RaisedProblems(Source(read(ROOT)), declared())


def problems_of(route: Route) -> PossibleProblems:
    """All that a route can go wrong with."""
    raised = analysis().of(*_functions(route)) | {Raised(one.code, one.kind) for one in _by_declaration(route)}
    ended = {(one.code, status_of(cast("type[HubError]", one.kind))) for one in raised if one.kind is not FieldError}
    fields = {one.code for one in raised if one.kind is FieldError} | set(_fields_of_steps(route))
    documents = [_document(code, status) for code, status in sorted(ended)]
    return PossibleProblems(documents, sorted(fields - OF_ANY_FORM - {Invalid.code}))


def _functions(route: Route) -> Iterator[str]:
    """The functions that work on a request, by full name."""
    yield f"{route.handler.__module__}.{route.handler.__name__}"
    several = openapi.any_of(route)
    for shape in (route.takes, route.query, *(several.shapes().values() if several else ())):
        yield from _checks_of(shape)
    if route.takes is not None:
        yield f"{_REQUEST}._bytes"
        yield f"{_REQUEST}._require_file_type" if route.takes is bytes else "erphub.platform.http.gateway._json_object"
    if route.audited is not None and route.acts:
        yield "erphub.audit.service.AuditLog.acting"
    if route.takes_version:
        yield f"{_PRECONDITIONS}._read"
    if "version" in getattr(route.takes, "model_fields", ()):
        yield f"{_PRECONDITIONS}.Precondition.do"
    if route.method == "POST":
        yield "erphub.platform.http.idempotency_key.idempotency_key"
        yield "erphub.platform.aws.idempotency.IdempotencyRecords.__call__"
    if "next" in getattr(route.query, "model_fields", ()):
        yield "erphub.platform.cursors.Cursors.open"
    yield from _admission(route)


def _admission(route: Route) -> Iterator[str]:
    if route.needs is AccessLevel.PUBLIC:
        return
    yield "erphub.platform.http.caller_context.from_context"
    yield "erphub.api_keys.usage.KeyUsage.admit"
    yield f"{_LIMITS}.admit_caller"
    if isinstance(route.needs, Permission):
        yield f"{_AUTHORIZER}.require"
        yield f"{_LIMITS}.admit_member"
    else:
        yield from _LEVELS[route.needs]


def _by_declaration(route: Route) -> Iterator[ProblemType[Any]]:
    """What follows from a declaration by itself."""
    yield from (problems.INTERNAL_ERROR, *_ANYWHERE)
    if route.needs is not AccessLevel.PUBLIC:
        yield from (problems.SIGN_IN_EXPIRED, problems.RATE_EXCEEDED, gateway.SIGN_IN_UNAVAILABLE, API_KEY_REVOKED)
    if route.method != "GET":
        yield problems.PRECONDITION_FAILED if route.takes_version else problems.NO_VERSION_HERE
    if route.names:
        yield from (problems.ROUTE_NOT_FOUND, problems.ADDRESS_NOT_FOUND)
    if route.takes is not None and route.takes is not bytes:
        yield problems.MALFORMED_JSON
    if route.takes not in (None, bytes) or route.query is not None or route.method == "POST":
        yield problems.INVALID_REQUEST
    if route.limit is not None:
        yield problems.RATE_EXCEEDED if route.limit.kind is LimitKind.RATE else problems.STOCK_EXHAUSTED


def _checks_of(shape: Any, seen: set[Any] | None = None) -> Iterator[str]:
    """The functions that look at a model's values, and at those of the models in it."""
    seen = set() if seen is None else seen
    if not (isinstance(shape, type) and issubclass(shape, BaseModel)) or shape in seen:
        return
    seen.add(shape)
    decorators = shape.__pydantic_decorators__
    for group in (decorators.field_validators, decorators.model_validators):
        for one in group.values():
            yield f"{shape.__module__}.{shape.__qualname__}.{one.cls_var_name}"
    for field in shape.model_fields.values():
        yield from _functions_in(field.metadata)
        yield from _in_annotation(field.annotation, seen)


def _in_annotation(annotation: Any, seen: set[Any]) -> Iterator[str]:
    yield from _functions_in(getattr(annotation, "__metadata__", ()))
    yield from _checks_of(annotation, seen)
    value = getattr(annotation, "__value__", None)
    for part in (*getattr(annotation, "__args__", ()), *((value,) if value is not None else ())):
        yield from _in_annotation(part, seen)


def _functions_in(metadata: Any) -> Iterator[str]:
    for one in metadata:
        yield from _named(getattr(one, "func", None))


def _named(function: Any) -> Iterator[str]:
    """The full name of a function, or of each of several; of one without a name of its own, those of what it calls."""
    if isinstance(function, tuple):
        for one in cast("tuple[Any, ...]", function):
            yield from _named(one)
    if not isinstance(function, FunctionType):
        return
    if "<" not in function.__qualname__:
        yield f"{function.__module__}.{function.__qualname__}"
        return
    for cell in function.__closure__ or ():
        yield from _named(cell.cell_contents)
    for name in function.__code__.co_names:
        yield from _named(function.__globals__.get(name))


def _fields_of_steps(route: Route) -> Iterator[str]:
    """What the checks of the wizard's steps say of fields, for a route that takes their answers."""
    several = openapi.any_of(route)
    if several is not None and several.shapes is answers_by_name:
        checks = {name for one in catalogue() for step in one.steps for check in step.checks for name in _named(check)}
        yield from (one.code for one in analysis().of(*checks) if issubclass(one.kind, (Invalid, FieldError)))


@cache
def _document(code: str, status: int) -> Mapping[str, Any]:
    """The problem as it is answered, with the names of its values where they stand."""
    for one in declared().values():
        if one.code != code:
            continue
        if isinstance(one, ProblemType) and status_of(one.kind) == status:
            wrong = [FieldError("/name", problems.REQUIRED.code, problems.REQUIRED.text)]
            invalid = {"errors": wrong} if one is problems.INVALID_REQUEST else {}
            return as_problem(one.kind(shown(one.text), code=code, **invalid))
        if isinstance(one, FieldProblemType) and status == status_of(Invalid):
            wrong = [FieldError(one.field, code, shown(one.text))]
            return as_problem(Invalid(shown(one.text), code=code, errors=wrong))
    raise LookupError(f"{code} is declared with no status {status}")
