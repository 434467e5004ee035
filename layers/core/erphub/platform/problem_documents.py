"""Errors as problem documents (RFC 9457)."""

from typing import Any

from erphub.platform.errors import (
    Conflict,
    ErpRefused,
    Forbidden,
    Gone,
    HubError,
    Invalid,
    Malformed,
    NotFound,
    NotSignedIn,
    Stopped,
    TooLarge,
    TooMany,
    Unavailable,
    Uncertain,
    UnsupportedMediaType,
)
from erphub.platform.problem_types import title_of
from erphub.platform.redaction import clean

PROBLEM = "application/problem+json"


_STATUS: tuple[tuple[type[HubError], int], ...] = (
    (NotFound, 404),
    (NotSignedIn, 401),
    (Forbidden, 403),
    (TooLarge, 413),
    (Malformed, 400),
    (UnsupportedMediaType, 415),
    (Invalid, 422),
    (TooMany, 429),
    (Conflict, 409),
    (Gone, 410),
    (ErpRefused, 502),
    (Unavailable, 503),
    (Uncertain, 502),
    (Stopped, 409),
    (HubError, 500),
)


def status_of(error: type[HubError]) -> int:
    """The HTTP status that errors of this kind are answered with."""
    return next(status for kind, status in _STATUS if issubclass(error, kind))


def as_problem(error: HubError) -> dict[str, Any]:
    """The error as the members of a problem document (RFC 9457), for answers and for what is kept with a run."""
    document: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": title_of(error.code),
        "status": status_of(type(error)),
        "detail": error.detail,
        "code": error.code,
    }
    document |= {name: value for name, value in error.facts.items() if name not in document}
    if isinstance(error, Invalid):
        document["errors"] = [clean(vars(wrong)) for wrong in error.errors]
    return document
