"""What an answer, or its absence, means: refused, try again later, or no telling. One page for both transports."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from erphub.erp.systems.twentyfourseven import problems
from erphub.erp.systems.twentyfourseven.numbers import part, records
from erphub.platform.errors import CredentialsRefused, ErpRefused, HubError, Unavailable
from erphub.platform.outbound.retry_after import MAX_RETRY_AFTER, wait_asked_for
from erphub.platform.redaction import clean_text

QUARANTINE = re.compile(r"Quarantine ends at\s*(?P<until>[^<\r\n]+)", re.IGNORECASE)
_DATES = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p")

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""Failures that come before a request has left."""


def lost(error: httpx.HTTPError, *, writes: bool) -> HubError:
    """No answer came. A write that had left may have been done."""
    if isinstance(error, NOT_SENT):
        return problems.ERP_UNREACHABLE()
    if writes:
        return problems.ANSWER_LOST()
    return problems.ERP_TIMEOUT()


def unreadable(*, writes: bool, trace_id: str | None = None) -> HubError:
    """An answer came, and it was cut off or nonsense."""
    if writes:
        return problems.ANSWER_BROKE_OFF(erp_trace_id=trace_id)
    return problems.ERP_ANSWER_BROKEN(erp_trace_id=trace_id)


def server_error(status: int, message: str, *, writes: bool, trace_id: str | None = None) -> HubError:
    """The ERP itself stumbled (5xx)."""
    if writes:
        return problems.OUTCOME_UNKNOWN(erp_message=message, erp_trace_id=trace_id)
    return problems.ERP_ERROR(status=status, erp_message=message, erp_trace_id=trace_id)


def credentials_refused(message: str = "") -> CredentialsRefused:
    """Neither the credentials nor anything automatic will help."""
    return problems.CREDENTIALS_REFUSED(erp_message=message)


def signed_out_again(message: str = "") -> Unavailable:
    """The ERP has just let us in and says again that we are not: that is not about the credentials."""
    return problems.SESSION_NOT_HELD(erp_message=message)


_NO_MODULE = re.compile(
    r"\b(module?|licen[cs]e|lisens)\w*\b.*\b(not|no|missing|inactive|disabled|ikke|mangler)\b"
    r"|\b(not|no|missing|ikke|mangler)\b.*\b(module?|licen[cs]e|lisens)\w*\b",
    re.IGNORECASE | re.DOTALL,
)
"""Neither contract has a code for it, so it is known by its words, in the languages the ERP speaks."""


def module_missing(message: str, trace_id: str | None = None) -> ErpRefused | None:
    """What is said when the company lacks a module of the ERP; None when the words are of other things."""
    if not _NO_MODULE.search(message):
        return None
    return problems.MODULE_MISSING(erp_message=message, erp_trace_id=trace_id)


def permission_denied(message: str, trace_id: str | None = None, scope: str = "") -> ErpRefused:
    """Signed in, and not allowed to do this."""
    in_scope = f" (scope {scope})" if scope else ""
    return problems.PERMISSION_DENIED(scope=in_scope, erp_message=message, erp_trace_id=trace_id)


def retry_after(headers: Mapping[str, str], now: datetime, otherwise: timedelta = timedelta(seconds=60)) -> datetime:
    """Until when to wait, from Retry-After in seconds or as a date, a day at most; a minute when it says neither."""
    asked = wait_asked_for(headers.get("retry-after", ""), now)
    return now + (otherwise if asked is None else asked)


def quarantine(text: str, now: datetime) -> datetime | None:
    """When the quarantine that the text speaks of ends (the full hour when that is illegible); None without one."""
    found = QUARANTINE.search(text)
    if found is None:
        return None
    spelled = found["until"].strip().rstrip(".")
    for form in (None, *_DATES):
        try:
            until = datetime.fromisoformat(spelled) if form is None else datetime.strptime(spelled, form)  # noqa: DTZ007
        except ValueError:
            continue
        return min(until if until.tzinfo else until.replace(tzinfo=UTC), now + MAX_RETRY_AFTER)
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def error_message(body: Any) -> str:
    """What an error body of REST says, in one line."""
    error, payload = part(body, "error"), part(body, "error", "payload")
    said = [str(error.get("message") or error.get("name") or "")]
    said += [f"{item.get('path', '')} {item.get('keyword', '')}" for item in records(payload.get("validationErrors"))]
    said += [str(item.get("message") or item.get("type") or "") for item in records(payload.get("errors"))]
    parts = dict.fromkeys(part.strip() for text in said for part in text.split(";") if part.strip())
    return clean_text("; ".join(parts))[:500]


_BY_TYPE = {
    "DepartmentMissing": problems.REFUSED_FOR_DEPARTMENT,
    "ProjectMissing": problems.REFUSED_FOR_PROJECT,
    "NoLines": problems.REFUSED_WITHOUT_LINES,
}
_PERIOD = re.compile(r"\b(period\w*|accounting year|regnskaps(år|periode)\w*)\b", re.IGNORECASE)
_NOT_OPEN = re.compile(
    r"\b(closed|locked|not set up|not in the|lukket|låst|stengt|avsluttet|ikke åp\w*)\b", re.IGNORECASE
)
"""The contract has no code for it, so it is known by its words, in the languages the ERP speaks."""


def refused_for_its_period(message: str, trace_id: str | None = None) -> ErpRefused | None:
    """What is said of a day of which the ERP takes nothing (any more); None when the words are of other things."""
    if not (_PERIOD.search(message) and _NOT_OPEN.search(message)):
        return None
    return problems.PERIOD_CLOSED(erp_message=message, erp_trace_id=trace_id)


def refused(status: int, body: Any, trace_id: str | None = None) -> ErpRefused:
    """The ERP says no to what was sent (4xx), with its words."""
    message = error_message(body)
    if (period := refused_for_its_period(message, trace_id)) is not None:
        return period
    problem = problems.ERP_REFUSED
    for item in records(part(body, "error", "payload").get("errors")):
        problem = _BY_TYPE.get(str(item.get("type")), problem)
    if status == 404:
        problem = problems.NOT_IN_ERP
    if not message:
        problem = problem.saying(problems.REFUSED_WITHOUT_WORDS.sentence)
    return problem(erp_message=message, erp_trace_id=trace_id, status_there=status)
