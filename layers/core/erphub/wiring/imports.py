"""Import jobs, their runs, and the lake; the heavy modules are loaded by the doors that use them."""

from functools import cache
from typing import TYPE_CHECKING

from .. import observe
from ..errors import HubError
from . import connect, deletion, erps, house

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..aws.runs import RunTable
    from ..datasets import Datasets, Rows
    from ..importing import Importing
    from ..jobs import ImportJobs
    from ..models.job import Job
    from ..models.run import RunRef
    from ..ports.imports import DueJob, Jobs
    from ..runs import ImportRuns
    from ..schedule import Scheduler
    from ..sweeping import AbandonedRuns


@cache
def job_table() -> "Jobs":
    """Import jobs, as they are kept."""
    from ..aws.jobs import JobTable

    return JobTable(house.table())


@cache
def run_table() -> "RunTable":
    """Runs of imports, as they are kept."""
    from ..aws.runs import RunTable

    return RunTable(house.table())


@cache
def jobs() -> "ImportJobs":
    """Import jobs, for the API and for new connections."""
    from ..deletion import refuse_condemned
    from ..jobs import ImportJobs

    found = house.connection_table()

    def has(client_id: str, connection_id: str) -> bool:
        connection = found.get(client_id, connection_id)
        refuse_condemned(connection)
        return connection is not None

    return ImportJobs(job_table(), runs(), has, house.clock, house.ids)


@cache
def runs() -> "ImportRuns":
    """Runs: started, watched, cancelled."""
    from ..aws.machines import StateMachine
    from ..runs import ImportRuns

    return ImportRuns(
        job_table(),
        run_table(),
        StateMachine(house.settings().import_machine),
        house.clock,
        house.ids,
        deletion.require_alive,
    )


@cache
def scheduler() -> "Scheduler":
    """What is due."""
    from ..schedule import Scheduler

    def report(due: "DueJob", error: Exception) -> None:
        about = {"client_id": due.client_id, "job_id": due.job_id}
        observe.logger().error("a due import could not be started", exc_info=error, extra=about)

    found = house.connection_table()

    def may_run(job: "Job") -> bool:
        connection = found.get(job.client_id, job.connection_id)
        return connection is None or connection.works

    return Scheduler(job_table(), runs(), house.clock, report, may_run)


@cache
def importing() -> "Importing":
    """The tasks of import.asl.json."""
    from .. import erp
    from ..aws.files import S3Files
    from ..aws.lake import DeltaLake
    from ..importing import Importing
    from ..sources import ConnectedSources

    bucket = house.settings().lake_bucket
    sources = ConnectedSources(house.connection_table(), house.secrets(), erps.open_system, erp.describe, connect.adopt)
    lake = DeltaLake(f"s3://{bucket}", S3Files(bucket), lake_options())
    return Importing(job_table(), run_table(), sources, lake, house.clock)


def abandoned_runs(finish: "Callable[[RunRef], object]") -> "AbandonedRuns":
    """Runs whose machine's end nobody heard of; `finish` ends one as broken off."""
    from ..aws.machines import StateMachine
    from ..aws.open_runs import OpenRuns
    from ..sweeping import AbandonedRuns

    def report(what: str, error: Exception) -> None:
        observe.logger().error("could not be swept", exc_info=error, extra={"what": what})

    machine = StateMachine(house.settings().import_machine)
    return AbandonedRuns(OpenRuns(house.table()), machine, finish, house.clock, report)


@cache
def datasets() -> "Datasets":
    """The list of datasets."""
    from ..datasets import Datasets

    return Datasets(run_table().known_types)


@cache
def rows() -> "Rows":
    """Rows of the lake."""
    from ..aws.deletions import DeletionTable
    from ..aws.lake_rows import LakeRows
    from ..datasets import Rows

    reader = LakeRows(f"s3://{house.settings().lake_bucket}", lake_options())
    return Rows(reader, DeletionTable(house.table()).condemned)


def calls_so_far() -> dict[str, int]:
    """The AWS calls of this process until now."""
    from ..aws.clients import calls

    return dict(calls)


def spend(ref: "RunRef", before: dict[str, int], milliseconds: int) -> None:
    """Add a task's calls and time to its run; a run that is gone costs nobody anything."""
    from ..runs import spent

    try:
        run_table().spend(ref, spent(before, calls_so_far()), milliseconds)
    except HubError as error:
        observe.logger().warning("the cost of a task was not noted", exc_info=error)


def lake_options() -> dict[str, str]:
    """What the table engine must be told about S3; credentials it finds in the environment by itself."""
    options = {"aws_region": house.settings().region, "aws_conditional_put": "etag"}
    endpoint = house.settings().aws_endpoint
    return options | ({"aws_endpoint": endpoint, "aws_allow_http": "true"} if endpoint else {})
