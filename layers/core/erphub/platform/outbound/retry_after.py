"""How long another server asks to be left alone, never longer than is sensible."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER = timedelta(days=1)
"""The longest that anybody is waited for at his word: a server's clock or a slip must stop nothing for a year."""
_SECONDS = re.compile(r"[0-9]{1,10}")


def wait_asked_for(retry_after: str, now: datetime) -> timedelta | None:
    """How long a Retry-After asks to wait, in seconds or until a date, bounded by `MAX_RETRY_AFTER`; a date that is
    past is no wait. None for what is neither. Source: RFC 9110, 10.2.3 and 5.6.7.
    """
    asked = retry_after.strip()
    if _SECONDS.fullmatch(asked):
        return min(timedelta(seconds=int(asked)), MAX_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(asked)
    except (ValueError, TypeError, OverflowError):
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(timedelta(0), min(until - now, MAX_RETRY_AFTER))
