"""Import jobs, their periods and schedules."""

from datetime import datetime
from functools import cache
from importlib import resources
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from erphub.imports import problems
from erphub.platform.lexical import Day
from erphub.platform.wire import LINES, Model

type Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Everything(Model):
    """All there is, whatever its date."""

    kind: Literal["everything"]


class Range(Model):
    """A fixed period, first and last day included."""

    kind: Literal["range"]
    from_date: Day
    to_date: Day

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to_date < self.from_date:
            raise problems.PERIOD_BACKWARDS.in_model()
        return self


class Days(Model):
    """A rolling window: so many days back from today, and whatever is dated later."""

    kind: Literal["days"]
    days: Annotated[int, Field(ge=0, le=100)]


class ThisYear(Model):
    """The calendar year in which the run starts."""

    kind: Literal["this_year"]


Period = Annotated[Everything | Range | Days | ThisYear, Field(discriminator="kind")]


@cache
def _zones() -> frozenset[str]:
    """The zones of the tz database that is shipped, whatever the machine has; `Factory` is a clock nobody has set."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split()) - {"Factory"}


HOME_ZONE = "Europe/Oslo"
"""Whose clock counts where a job names none: that of the businesses this hub was made for."""


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise problems.TIME_ZONE_UNKNOWN.in_model()
    return name


class Schedule(Model):
    """A time of day on some days of the week, by the clock on the wall of a time zone."""

    run_time: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    weekdays: Literal["daily"] | Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = "daily"
    time_zone: str
    """Not checked here: a zone that a later tz database no longer has must not make its job unreadable."""

    @property
    def zone(self) -> ZoneInfo:
        """The zone whose clock is meant. Raises ZoneInfoNotFoundError."""
        return ZoneInfo(self.time_zone)


class NewSchedule(Schedule):
    """A schedule as a caller sends it."""

    time_zone: Annotated[str, AfterValidator(_known_zone)]


_Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Choice = Literal["all"] | Annotated[tuple[_Word, ...], Field(min_length=1, max_length=2000)]
"""All of them, also those that come later, or these."""
Description = Annotated[str, StringConstraints(max_length=1000), LINES]


class Job(Model):
    """A job as it is kept. `due_at` is the next instant it starts by itself."""

    id: str
    client_id: str
    name: str
    description: str = ""
    connection_id: str
    company_keys: Choice = "all"
    dataset_ids: Choice = "all"
    period: Period
    schedule: Schedule | None = None
    created_by: str
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None = None
    version: int = 1
