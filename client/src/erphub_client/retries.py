"""When a request is sent again, and after how long: only where a second one does no harm."""

import random
from dataclasses import dataclass
from typing import Protocol

import httpx

from erphub_client.problems import Conflict, HubProblem, TooManyRequests, Unavailable

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
STILL_GOING_ON = "idempotency_key_in_use"
"""The code of a request whose earlier try, with the same key, is not done yet."""
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class Chance(Protocol):
    """What pauses are drawn with."""

    def __call__(self) -> float:
        """A number from 0 to 1, another each time."""
        ...


@dataclass(frozen=True)
class Retries:
    """How patient a client is: `tries` in all, pauses that double from `first` to `longest` seconds, with chance.

    A `Retry-After` is waited for up to `longest_asked` seconds; who asks for more is not asked again.
    """

    tries: int = 5
    first: float = 0.5
    longest: float = 20.0
    longest_asked: float = 120.0
    chance: Chance = random.random

    def pause(self, tried: int, problem: HubProblem) -> float | None:
        """Seconds until the next try, after `tried` of them; None when there is to be none."""
        asked = problem.retry_after
        if tried >= self.tries or (asked is not None and asked > self.longest_asked):
            return None
        ceiling = min(self.longest, self.first * 2 ** (tried - 1))
        return max(asked or 0.0, ceiling * (0.5 + self.chance() / 2))


def may_repeat(method: str, headers: httpx.Headers, problem: HubProblem, error: httpx.TransportError | None) -> bool:
    """Whether sending it again can do nothing twice, and may help.

    A request that never left is safe, as is one that was refused for being one too many. Others are when the method is
    idempotent or the hub knows the request again by its `Idempotency-Key`.
    """
    if isinstance(error, NEVER_SENT) or isinstance(problem, TooManyRequests):
        return not isinstance(error, httpx.UnsupportedProtocol)
    if isinstance(problem, Conflict):
        return problem.code == STILL_GOING_ON
    if not isinstance(problem, Unavailable):
        return False
    return method in IDEMPOTENT or "idempotency-key" in headers
