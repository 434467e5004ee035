"""Events as API Gateway writes them: which route an address is, and what stands in its places."""

import functools
import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override
from urllib.parse import quote

from erphub.platform.acts import ActAtHand, ActLog
from erphub.platform.capability import Limit, LimitKind
from erphub.platform.http.caller_context import to_context
from erphub.platform.http.router import Route
from erphub.platform.identity import Caller
from erphub.platform.limits import LimitUse


def addressed(event: Mapping[str, Any], routes: Iterable[Route], method: str, path: str) -> dict[str, Any]:
    """The event, sent to another address: `path` as it stands on the wire, percent-encoded.

    As on AWS a literal step is preferred to a named one, and an address that has no route is caught by `/{proxy+}`.
    """
    fitting = [(route.path, names) for route in routes if (names := matched(route.path, path)) is not None]
    best = min(fitting, key=lambda one: (one[0].count("{"), one[0]), default=("/{proxy+}", {"proxy": path[1:]}))
    resource, names = best
    context = {"resourcePath": resource, "httpMethod": method, "path": f"/dev{path}"}
    return {
        **event,
        **{"resource": resource, "path": path, "httpMethod": method, "pathParameters": names or None},
        "requestContext": event["requestContext"] | context,
    }


def said_of(user: str, valid_until: datetime | None = None) -> dict[str, Any]:
    """What the authorizer says of a person, as the gateway hands it on."""
    person = Caller(user, f"{user}@example.test", valid_until=valid_until)
    return {"principalId": user, "integrationLatency": 12, **to_context(person)}


def matched(declared: str, path: str) -> dict[str, str] | None:
    """What stands in the places of a declared path, as it was sent; None when the path is another one."""
    if declared.count("/") != path.count("/"):
        return None
    found = _pattern(declared).fullmatch(path)
    return found.groupdict() if found else None


@functools.cache
def _pattern(declared: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(declared)))


def encoded(text: str) -> str:
    """A text as a client writes it into one step of a path."""
    return quote(text, safe="")


class NoLog(ActLog):
    """Where nothing is changed, no act is written down."""

    @override
    def acting(self, act: ActAtHand) -> AbstractContextManager[None]:
        return nullcontext()


_UNLIMITED = LimitUse(Limit("requests", 1_000_000, "Requests", LimitKind.RATE, seconds=60), 1_000_000, 0, None)


class NoLimits:
    """Whoever may call may do so as often as they like. Satisfies `platform.http.request_limits.RequestLimits`."""

    def admit_caller(self, caller: Any) -> LimitUse:
        """Nothing is counted."""
        return _UNLIMITED

    def admit_member(self, member: Any) -> LimitUse:
        """Nothing is counted."""
        return _UNLIMITED

    def admit_waiting(self, member: Any) -> bool:
        """Nothing is counted."""
        return True

    def adding(self, limit: Any, client_id: str | None, customer_id: str | None) -> Any:
        return nullcontext()


@dataclass(frozen=True)
class NoServices:
    """A function whose routes need no service. Satisfies `platform.http.dispatch.ServedBy`."""

    decides: Any = None
    origins: frozenset[str] = frozenset()

    def service(self, kind: type[Any]) -> Any:
        raise LookupError(kind)

    def authorization(self) -> Any:
        return self.decides

    def programs(self) -> Any:
        raise LookupError("no program calls")

    def act_log(self) -> ActLog:
        return NoLog()

    def idempotency(self) -> Any:
        raise LookupError("nobody sends a key")

    def cursors(self) -> Any:
        raise LookupError("nobody asked for a next page")

    def limits(self) -> Any:
        return NoLimits()

    def allowed_origins(self) -> frozenset[str]:
        return self.origins
