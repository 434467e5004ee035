"""What is sent and shown about import jobs."""

from typing import Annotated, Literal, Self

from pydantic import Field

from erphub.connections.models import Connection
from erphub.imports.jobs.models import Choice, Description, Job, NewSchedule, Period, Schedule
from erphub.platform.actors import ActorView
from erphub.platform.wire import Identifier, InstantText, Model, Name, instant


class NewJob(Model):
    """What a caller sends to make a job."""

    name: Name
    description: Description = ""
    connection_id: Identifier
    company_keys: Choice = "all"
    dataset_ids: Choice = "all"
    period: Period
    schedule: NewSchedule | None = None


class ChangedJob(Model):
    """What is to change; what is left out, or null, stays as it is."""

    name: Name | None = None
    description: Description | None = None
    company_keys: Choice | None = None
    dataset_ids: Choice | None = None
    period: Period | None = None
    schedule: Annotated[
        NewSchedule | Literal["by_hand"] | None, Field(description="`by_hand` takes the schedule away")
    ] = None
    version: Annotated[
        int | None, Field(ge=1, description="The version that was read; needed unless `If-Match` is sent")
    ] = None


class JobView(Model):
    """A job as its users see it. `next_run_at` is when it starts by itself; null while its connection does not work."""

    id: str
    name: str
    description: str
    connection_id: str
    company_keys: Choice
    dataset_ids: Choice
    period: Period
    schedule: Schedule | None
    next_run_at: InstantText | None
    created_by: ActorView
    created_at: InstantText
    updated_at: InstantText
    version: int

    @classmethod
    def of(cls, job: Job, created_by: ActorView, connection: Connection | None) -> Self:
        """The job for its users."""
        runs = job.due_at if connection is None or connection.is_operational else None
        values = job.model_dump(exclude={"client_id", "created_by", "created_at", "updated_at", "due_at"})
        return cls.model_validate(
            values
            | {
                "created_by": created_by,
                "next_run_at": instant(runs) if runs else None,
                "created_at": instant(job.created_at),
                "updated_at": instant(job.updated_at),
            }
        )


class JobPage(Model):
    """A page of jobs."""

    items: list[JobView]
    next: str | None
