"""How many calls reach the ERP in an hour, by the ERP's own count."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from erphub.erp.systems.twentyfourseven.rate_limits import SOAP_ALLOWED, SOAP_HOURLY, InProcessRateLimiter, next_hour
from erphub.platform.errors import Unavailable

START = datetime(2026, 2, 1, 7, 59, 58, tzinfo=UTC)


@pytest.mark.parametrize("way", [0.1, 0.3, 2.0, 10.0])
def test_calls_on_their_way_as_an_hour_ends_are_not_too_many_for_the_next(way: float) -> None:
    now = [START]
    limiter, arrived = InProcessRateLimiter(lambda: now[0]), Counter[datetime]()
    while now[0] < START + timedelta(hours=2):
        try:
            limiter.acquire("soap", SOAP_HOURLY)
        except Unavailable:
            now[0] = next_hour(now[0])
            continue
        arrived[next_hour(now[0] + timedelta(seconds=way))] += 1
        now[0] += timedelta(seconds=0.3)
    assert SOAP_HOURLY <= max(arrived.values()) <= SOAP_ALLOWED
