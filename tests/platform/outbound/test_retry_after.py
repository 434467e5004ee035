"""How long another server may ask the hub to wait: a day at most, whatever it says."""

from datetime import UTC, datetime, timedelta

import pytest

from erphub.platform.outbound.retry_after import MAX_RETRY_AFTER, wait_asked_for

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("0", timedelta(0)),
        (" 120 ", timedelta(seconds=120)),
        ("86400", timedelta(days=1)),
        ("99999999", MAX_RETRY_AFTER),
        ("9999999999", MAX_RETRY_AFTER),
        ("Thu, 05 Mar 2026 12:02:00 GMT", timedelta(seconds=120)),
        ("Thu, 05 Mar 2026 11:00:00 GMT", timedelta(0)),
        ("Wed, 01 Dec 2027 10:00:00 GMT", MAX_RETRY_AFTER),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER),
        ("Thu, 05 Mar 2026 14:02:00 +0200", timedelta(seconds=120)),
        ("Thursday, 05-Mar-26 12:02:00 GMT", timedelta(seconds=120)),
        ("Thu Mar  5 12:02:00 2026", timedelta(seconds=120)),
    ],
)
def test_a_number_of_seconds_or_a_date_is_waited_for_but_a_day_at_most(said: str, wait: timedelta):
    assert wait_asked_for(said, NOW) == wait


@pytest.mark.parametrize(
    "said",
    [
        "",
        "soon",
        "-5",
        "1.5",
        "1e3",
        "²",
        "１２",
        "१२",
        "99999999999",
        "0x10",
        "2026-03-05",
        "Thu, 99 Mar 2026 12:00:00 GMT",
    ],
)
def test_what_is_neither_asks_for_nothing(said: str):
    assert wait_asked_for(said, NOW) is None
