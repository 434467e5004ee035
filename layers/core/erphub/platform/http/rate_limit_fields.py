"""How many requests are left, told with every answer: the fields `RateLimit-Policy` and `RateLimit` of the IETF's draft
"RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers).

    RateLimit-Policy: "caller_requests_per_minute";q=6000;w=60, "requests_per_minute";q=3000;w=60
    RateLimit: "caller_requests_per_minute";r=5990;t=21, "requests_per_minute";r=2990;t=21

`q` requests may be made in `w` seconds; `r` are left for the `t` seconds until they are counted anew. Functions count
in batches, so fewer may be left than told; never more are answered than `q`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from erphub.platform.errors import TooMany
from erphub.platform.limits import LimitUse

POLICY, LEFT = "RateLimit-Policy", "RateLimit"


@dataclass(frozen=True)
class RateLimitField:
    """What is told of one limit."""

    name: str
    maximum: int
    window_seconds: int
    left: int
    seconds_until_reset: int


def counted_field(use: LimitUse, now: datetime) -> RateLimitField:
    """Of a limit that the request was counted towards."""
    seconds = 0 if use.resets_at is None else max(0, math.ceil((use.resets_at - now).total_seconds()))
    left = max(0, use.maximum - (use.used or 0))
    return RateLimitField(use.limit.name, use.maximum, use.limit.seconds, left, seconds)


def refused_field(error: TooMany) -> RateLimitField | None:
    """Of the rate that a request was refused for; None when it was refused for something else."""
    members = error.members
    if "window_seconds" not in members:
        return None
    numbers = (int(str(members[name])) for name in ("maximum", "window_seconds", "retry_after"))
    maximum, window_seconds, seconds = numbers
    return RateLimitField(str(members["limit"]), maximum, window_seconds, 0, seconds)


def as_headers(fields: Sequence[RateLimitField]) -> dict[str, str]:
    """The header fields of an answer; none when nothing was counted."""
    if not fields:
        return {}
    return {
        POLICY: ", ".join(f'"{one.name}";q={one.maximum};w={one.window_seconds}' for one in fields),
        LEFT: ", ".join(f'"{one.name}";r={one.left};t={one.seconds_until_reset}' for one in fields),
    }
