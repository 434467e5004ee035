"""Import jobs, their runs, and the lake; the heavy modules are loaded by the doors that use them."""

from functools import cache
from typing import TYPE_CHECKING

from erphub.platform import logging
from erphub.platform.errors import HubError
from erphub.wiring import connect, deletion, erps, house

if TYPE_CHECKING:
    from collections.abc import Callable

    from erphub.imports.jobs.models import Job
    from erphub.imports.jobs.ports import DueJob, JobStore
    from erphub.imports.jobs.service import ImportJobService
    from erphub.imports.runs.abandoned import AbandonedRuns
    from erphub.imports.runs.dynamodb import RunTable
    from erphub.imports.runs.execution import RunExecution
    from erphub.imports.runs.models import RunRef
    from erphub.imports.runs.service import ImportRunService
    from erphub.imports.scheduler import Scheduler
    from erphub.lake.datasets.service import Datasets
    from erphub.lake.rows.service import Rows


@cache
def job_table() -> "JobStore":
    """Import jobs, as they are kept."""
    from erphub.imports.jobs.dynamodb import JobTable

    return JobTable(house.table())


@cache
def run_table() -> "RunTable":
    """Runs of imports, as they are kept."""
    from erphub.imports.runs.dynamodb import RunTable

    return RunTable(house.table())


@cache
def jobs() -> "ImportJobService":
    """Import jobs, for the API and for new connections."""
    from erphub.connections.access import require_active
    from erphub.imports.jobs.service import ImportJobService

    found = house.connection_table()

    def has(client_id: str, connection_id: str) -> bool:
        connection = found.get(client_id, connection_id)
        require_active(connection)
        return connection is not None

    return ImportJobService(job_table(), runs(), has, house.clock, house.ids)


@cache
def runs() -> "ImportRunService":
    """Runs: started, watched, cancelled."""
    from erphub.imports.runs.service import ImportRunService
    from erphub.platform.aws.state_machines import StepFunctionsMachine

    return ImportRunService(
        job_table(),
        run_table(),
        StepFunctionsMachine(house.settings().import_machine),
        house.clock,
        house.ids,
        deletion.require_alive,
    )


@cache
def scheduler() -> "Scheduler":
    """What is due."""
    from erphub.imports.scheduler import Scheduler

    def report(due: "DueJob", error: Exception) -> None:
        about = {"client_id": due.client_id, "job_id": due.job_id}
        logging.logger().error("a due import could not be started", exc_info=error, extra=about)

    found = house.connection_table()

    def may_run(job: "Job") -> bool:
        connection = found.get(job.client_id, job.connection_id)
        return connection is None or connection.works

    return Scheduler(job_table(), runs(), house.clock, report, may_run)


@cache
def importing() -> "RunExecution":
    """The tasks of import.asl.json."""
    from erphub.erp import catalogue as erp
    from erphub.imports.runs.execution import RunExecution
    from erphub.imports.runs.sources import ConnectedSources
    from erphub.lake.delta.delta_lake import DeltaLake
    from erphub.platform.aws.files import S3Files

    bucket = house.settings().lake_bucket
    sources = ConnectedSources(house.connection_table(), house.secrets(), erps.open_system, erp.describe, connect.adopt)
    lake = DeltaLake(f"s3://{bucket}", S3Files(bucket), lake_options())
    return RunExecution(job_table(), run_table(), sources, lake, house.clock)


def abandoned_runs(finish: "Callable[[RunRef], object]") -> "AbandonedRuns":
    """Runs whose machine's end nobody heard of; `finish` ends one as broken off."""
    from erphub.imports.runs.abandoned import AbandonedRuns
    from erphub.imports.runs.open_runs import OpenRunTable
    from erphub.platform.aws.state_machines import StepFunctionsMachine

    def report(what: str, error: Exception) -> None:
        logging.logger().error("could not be swept", exc_info=error, extra={"what": what})

    machine = StepFunctionsMachine(house.settings().import_machine)
    return AbandonedRuns(OpenRunTable(house.table()), machine, finish, house.clock, report)


@cache
def datasets() -> "Datasets":
    """The list of datasets."""
    from erphub.lake.datasets.service import Datasets

    return Datasets(run_table().known_types)


@cache
def rows() -> "Rows":
    """Rows of the lake."""
    from erphub.deletions.dynamodb import DeletionTable
    from erphub.lake.delta.rows import LakeRows
    from erphub.lake.rows.service import Rows

    reader = LakeRows(f"s3://{house.settings().lake_bucket}", lake_options())
    return Rows(reader, DeletionTable(house.table()).condemned)


def calls_so_far() -> dict[str, int]:
    """The AWS calls of this process until now."""
    from erphub.platform.aws.clients import calls

    return dict(calls)


def spend(ref: "RunRef", before: dict[str, int], milliseconds: int) -> None:
    """Add a task's calls and time to its run; a run that is gone costs nobody anything."""
    from erphub.imports.runs.service import spent

    try:
        run_table().spend(ref, spent(before, calls_so_far()), milliseconds)
    except HubError as error:
        logging.logger().warning("the cost of a task was not noted", exc_info=error)


def lake_options() -> dict[str, str]:
    """What the table engine must be told about S3; credentials it finds in the environment by itself."""
    options = {"aws_region": house.settings().region, "aws_conditional_put": "etag"}
    endpoint = house.settings().aws_endpoint
    return options | ({"aws_endpoint": endpoint, "aws_allow_http": "true"} if endpoint else {})
