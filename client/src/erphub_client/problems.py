"""What the hub says went wrong, as exceptions by what the caller does next."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpx


@dataclass(frozen=True)
class FieldProblem:
    """One wrong part of a request: where (a JSON pointer into the body), a code, and a sentence."""

    pointer: str
    code: str
    detail: str


class HubProblem(Exception):
    """What the hub refused or could not do.

    `code` is stable and for programs, `detail` says what happened and what to do, `errors` name each wrong field,
    `retry_after` is how many seconds the hub asks to wait, `members` are all members of the answer (RFC 9457).
    `status` is the answer's status, 0 when there was no answer.
    """

    def __init__(self, status: int, members: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.members = dict(members)
        self.code = str(members.get("code", "unknown"))
        self.title = str(members.get("title", ""))
        self.detail = str(members.get("detail") or self.title or f"The answer was {status}.")
        self.retry_after = retry_after
        self.errors = tuple(_field_problems(members.get("errors")))
        super().__init__(f"{self.detail} ({self.code})")


class NotSignedIn(HubProblem):
    """Nobody is signed in, or no longer (401): sign in again."""


class NotAllowed(HubProblem):
    """The role does not allow it (403)."""


class NotFound(HubProblem):
    """There is no such thing, or none that the caller may know of (404)."""


class Conflict(HubProblem):
    """Somebody or something was first (409, 412): look at it again."""


class Ended(HubProblem):
    """It was there and is over (410)."""


class Invalid(HubProblem):
    """The request is wrong (400, 413, 415, 422); `errors` says where."""


class TooManyRequests(HubProblem):
    """Too many in a time, also after the client had waited (429)."""


class ErpRefused(HubProblem):
    """The ERP refused what was asked (502)."""


class Unavailable(HubProblem):
    """The hub, the network or the ERP does not answer now, also after several tries (500, 502, 503, 504)."""


class NotUnderstood(HubProblem):
    """The answer is none that this client knows: it is of another version than the hub."""


class NotReached(Unavailable):
    """There was no answer; whether the request arrived is not known."""


_BY_STATUS: Mapping[int, type[HubProblem]] = {
    400: Invalid,
    401: NotSignedIn,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    410: Ended,
    412: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: TooManyRequests,
    502: ErpRefused,
}
OF_THE_GATEWAY = frozenset({"no_answer", "unknown"})
"""Codes of a 502 that the ERP had no part in."""


def problem_of(response: httpx.Response) -> HubProblem:
    """The exception for an answer that is not a success; its body must have been read."""
    members: Mapping[str, Any] = {}
    try:
        read = json.loads(response.text or "null")
    except ValueError:
        read = None
    if isinstance(read, dict):
        members = cast(dict[str, Any], read)
    kind = _BY_STATUS.get(response.status_code, Unavailable if response.status_code >= 500 else HubProblem)
    problem = kind(response.status_code, members, retry_after_of(response))
    if kind is ErpRefused and problem.code in OF_THE_GATEWAY:
        return Unavailable(response.status_code, members, problem.retry_after)
    return problem


def not_reached(error: httpx.TransportError) -> NotReached:
    """The exception for no answer at all."""
    detail = f"There was no answer of {error.request.url.host}: {str(error) or type(error).__name__}."
    return NotReached(0, {"code": "not_reached", "detail": detail})


def retry_after_of(response: httpx.Response) -> float | None:
    """How many seconds the answer asks to wait, given as a number or as a date; None when it does not ask."""
    given = response.headers.get("retry-after", "").strip()
    if given.isdigit():
        return float(given)
    try:
        moment = parsedate_to_datetime(given)
    except (ValueError, TypeError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _field_problems(errors: object) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    for one in cast(list[object], errors) if isinstance(errors, list) else []:
        if isinstance(one, dict):
            said = cast(dict[str, object], one)
            found.append(FieldProblem(*(str(said.get(name, "")) for name in ("pointer", "code", "detail"))))
    return found
