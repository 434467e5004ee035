"""An import job: what to import from a connection, over which period, and when by itself."""

from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

type Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Everything(_Part):
    """All there is, whatever its date."""

    kind: Literal["everything"]


class Range(_Part):
    """A fixed period, first and last day included."""

    kind: Literal["range"]
    first: date = Field(alias="from")
    last: date = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> "Range":
        if self.last < self.first:
            raise ValueError("the period ends before it begins")
        return self


class Days(_Part):
    """A rolling window: the last so many days, today, and whatever is dated later."""

    kind: Literal["days"]
    days: int = Field(ge=0, le=100)


class ThisYear(_Part):
    """The calendar year in which the run starts."""

    kind: Literal["this_year"]


type Period = Annotated[Everything | Range | Days | ThisYear, Field(discriminator="kind")]


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("not an IANA time zone; an example is Europe/Oslo")
    return name


class Schedule(_Part):
    """A time of day on some days of the week, by the clock on the wall of a time zone."""

    time: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    days: Literal["daily"] | Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)] = "daily"
    time_zone: Annotated[str, AfterValidator(_known_zone)]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


type Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
type Names = Annotated[tuple[Name, ...], Field(min_length=1, max_length=2000)]


class JobDraft(_Part):
    """What a caller sends to make a job."""

    name: str
    description: Annotated[str, StringConstraints(max_length=1000)] = ""
    connection_id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    companies: Literal["all"] | Names = "all"
    datasets: Literal["all"] | Names = "all"
    period: Period
    schedule: Schedule | None = None


class JobChange(_Part):
    """What a caller sends to change a job: the version that was read, and what is to be different."""

    version: int
    name: str | None = None
    description: Annotated[str, StringConstraints(max_length=1000)] | None = None
    companies: Literal["all"] | Names | None = None
    datasets: Literal["all"] | Names | None = None
    period: Period | None = None
    schedule: Schedule | None = None


class Job(BaseModel):
    """A job as it is kept. `due_at` is the next instant it starts by itself."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    id: str
    client_id: str
    name: str
    description: str = ""
    connection_id: str
    companies: Literal["all"] | tuple[str, ...] = "all"
    datasets: Literal["all"] | tuple[str, ...] = "all"
    period: Period
    schedule: Schedule | None = None
    version: int = 1
    created_by: str
    created_at: str
    updated_at: str
    due_at: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The job as the API shows it."""
        return self.model_dump(mode="json", exclude={"client_id"})
