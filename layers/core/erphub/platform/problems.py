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
from erphub.platform.redaction import clean

PROBLEM = "application/problem+json"


_STATUS: tuple[tuple[type[HubError], int, str], ...] = (
    (NotFound, 404, "Not found"),
    (NotSignedIn, 401, "Unauthorized"),
    (Forbidden, 403, "Not allowed"),
    (TooLarge, 413, "Too large"),
    (Malformed, 400, "Not JSON"),
    (UnsupportedMediaType, 415, "Unsupported media type"),
    (Invalid, 422, "Not valid"),
    (TooMany, 429, "Too many"),
    (Conflict, 409, "Conflict"),
    (Gone, 410, "Gone"),
    (ErpRefused, 502, "Refused by the ERP"),
    (Unavailable, 503, "Not available now"),
    (Uncertain, 502, "Outcome unknown"),
    (Stopped, 409, "Stopped"),
    (HubError, 500, "Internal error"),
)


def status_of(error: type[HubError]) -> int:
    """The HTTP status that errors of this kind are answered with."""
    return next(status for kind, status, _ in _STATUS if issubclass(error, kind))


def as_problem(error: HubError) -> dict[str, Any]:
    """The error as the members of a problem document (RFC 9457), for answers and for what is kept with a run."""
    status, title = next((status, title) for kind, status, title in _STATUS if isinstance(error, kind))
    document: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": title,
        "status": status,
        "detail": error.detail,
        "code": error.code,
    }
    document |= {name: value for name, value in error.facts.items() if name not in document}
    if isinstance(error, Invalid):
        document["errors"] = [clean(vars(wrong)) for wrong in error.errors]
    return document
