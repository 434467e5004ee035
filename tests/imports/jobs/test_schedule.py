"""When a job is due, and which days a run of it is about."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erphub.erp.reading import DateRange
from erphub.imports.jobs.models import Days, Everything, Job, Range, Schedule, ThisYear
from erphub.imports.jobs.schedule import date_range, next_due
from erphub.platform.ids import new_id
from tests.support.imports import CLIENT, CONNECTION

NIGHT = Schedule(run_time="02:30", time_zone="Europe/Oslo")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_nightly_job_starts_by_the_clock_on_the_wall() -> None:
    assert next_due(NIGHT, at("2026-01-10T12:00")) == at("2026-01-11T01:30")
    assert next_due(NIGHT, at("2026-07-10T12:00")) == at("2026-07-11T00:30")


def test_the_hour_that_does_not_exist_starts_the_job_once_an_hour_later_on_the_clock() -> None:
    assert next_due(NIGHT, at("2026-03-28T12:00")) == at("2026-03-29T01:30")
    assert next_due(NIGHT, at("2026-03-29T01:30")) == at("2026-03-30T00:30")


def test_the_hour_that_comes_twice_starts_the_job_the_first_time_only() -> None:
    assert next_due(NIGHT, at("2026-10-24T12:00")) == at("2026-10-25T00:30")
    assert next_due(NIGHT, at("2026-10-25T00:30")) == at("2026-10-26T01:30")


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(
        ["Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "UTC"]
    ),
    clock=st.times(),
    start=st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: at("2024-01-01T00:00") + timedelta(minutes=minutes)),
)
def test_every_day_has_exactly_one_start_in_every_zone(zone: str, clock: Any, start: datetime) -> None:
    schedule = Schedule(run_time=f"{clock:%H:%M}", time_zone=zone)
    instant, days = start, []
    for _ in range(400):
        instant = next_due(schedule, instant)
        shift = (
            datetime.combine(instant.astimezone(schedule.zone).date(), clock, schedule.zone).astimezone(UTC) - instant
        )
        days.append(instant.astimezone(schedule.zone).date())
        assert abs(shift) <= timedelta(hours=2)
    assert [later - earlier for earlier, later in pairwise(days)] == [timedelta(days=1)] * 399


def test_only_the_chosen_weekdays_count() -> None:
    mondays = Schedule(run_time="06:00", weekdays=("mon",), time_zone="UTC")
    assert next_due(mondays, at("2026-01-05T06:00")) == at("2026-01-12T06:00")


def job(**values: Any) -> Job:
    known = {"period": Days(kind="days", days=40), "schedule": NIGHT, "due_at": at("2026-01-11T01:30")}
    now = at("2026-01-10T12:00")
    base = {"client_id": CLIENT, "name": "Nightly", "connection_id": CONNECTION, "created_by": "u"}
    return Job(id=new_id(), created_at=now, updated_at=now, **base | known | values)


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (Everything(kind="everything"), DateRange()),
        (Days(kind="days", days=0), DateRange(date(2026, 3, 1), None)),
        (Days(kind="days", days=100), DateRange(date(2025, 11, 21), None)),
        (ThisYear(kind="this_year"), DateRange(date(2026, 1, 1), date(2027, 1, 1))),
        (
            Range(kind="range", from_date=date(2025, 1, 1), to_date=date(2025, 1, 31)),
            DateRange(date(2025, 1, 1), date(2025, 2, 1)),
        ),
        (Range(kind="range", from_date=date(2025, 1, 1), to_date=date.max), DateRange(date(2025, 1, 1), None)),
        (Range(kind="range", from_date=date.min, to_date=date.max), DateRange(date.min, None)),
    ],
)
def test_a_period_becomes_the_days_it_means(period: Any, expected: DateRange) -> None:
    assert date_range(job(period=period, schedule=None), at("2026-03-01T00:30")) == expected


def test_today_is_the_day_in_the_jobs_own_zone() -> None:
    late = at("2026-02-28T23:30")
    assert date_range(job(period=Days(kind="days", days=0)), late).first == date(2026, 3, 1)
