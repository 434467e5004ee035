"""Errors as problem documents (RFC 9457)."""

from typing import Any

from erphub.platform.errors import (
    AnswerLate,
    BadHeader,
    Conflict,
    CredentialsRefused,
    ErpRefused,
    Forbidden,
    Gone,
    HubError,
    Invalid,
    Malformed,
    NotFound,
    NotSignedIn,
    PreconditionFailed,
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


_STATUS: tuple[tuple[type[HubError], int, str], ...] = (
    (NotFound, 404, "Look for it in the list where it should be: it may have been removed, or be another client's."),
    (NotSignedIn, 401, "Sign in again, then send the same."),
    (Forbidden, 403, "Ask somebody who may."),
    (TooLarge, 413, "Send less at once."),
    (Malformed, 400, "Send JSON."),
    (BadHeader, 400, "Send the header in its form, or leave it out."),
    (UnsupportedMediaType, 415, "Send it as another kind of file."),
    (Invalid, 422, "Mend the request, then send it again."),
    (TooMany, 429, "Send the same again later; `Retry-After` says when."),
    (PreconditionFailed, 412, "Read what is there now, then decide."),
    (Conflict, 409, "Read what is there now, then decide."),
    (Gone, 410, "Begin anew."),
    (CredentialsRefused, 502, "Enter the credentials again in the connection."),
    (ErpRefused, 502, "Have it changed in the ERP or in the connection, then try again."),
    (Unavailable, 503, "Try again later; nothing was done."),
    (AnswerLate, 504, "Look whether it was done before you send it again."),
    (Uncertain, 502, "Look in the ERP before you send it again; the hub looks by itself."),
    (Stopped, 409, "Start it again when it is wanted."),
    (HubError, 500, "Tell us the correlation id."),
)
"""The status of each kind of error, and what its reader does next."""


def status_of(error: type[HubError]) -> int:
    """The HTTP status that errors of this kind are answered with."""
    return next(status for kind, status, _ in _STATUS if issubclass(error, kind))


def advice_of(error: type[HubError]) -> str:
    """What the reader of an error of this kind does next, where the error itself says nothing more."""
    return next(advice for kind, _, advice in _STATUS if issubclass(error, kind))


def as_problem(error: HubError) -> dict[str, Any]:
    """The error as the members of a problem document (RFC 9457), for answers and for what is kept with a run."""
    document: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": title_of(error.code),
        "status": status_of(type(error)),
        "detail": error.detail,
        "code": error.code,
    }
    document |= {name: value for name, value in error.members.items() if name not in document}
    if isinstance(error, Invalid):
        document["errors"] = [clean(vars(wrong)) for wrong in error.errors]
    return document
