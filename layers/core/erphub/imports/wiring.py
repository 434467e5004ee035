"""How the services of import jobs and runs are made; the heavy modules are loaded by the functions that use them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.connections.models import Connection
    from erphub.connections.ports import ConnectionHooks
    from erphub.erp.system import FoundCompany
    from erphub.imports.jobs.dynamodb import JobTable
    from erphub.imports.jobs.models import Job
    from erphub.imports.jobs.ports import DueJob
    from erphub.imports.jobs.service import ImportJobService
    from erphub.imports.runs.abandoned import AbandonedRuns
    from erphub.imports.runs.dynamodb import RunTable
    from erphub.imports.runs.execution import RunExecution
    from erphub.imports.runs.service import ImportRunService
    from erphub.imports.scheduler import Scheduler
    from erphub.imports.tasks import ImportTasks
    from erphub.lake.ports import TableTypes
    from erphub.platform.errors import HubError
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services


def job_table(services: "Services") -> "JobTable":
    """Import jobs, as they are kept."""
    from erphub.imports.jobs.dynamodb import JobTable

    return JobTable(services.platform.table)


def run_table(services: "Services") -> "RunTable":
    """Runs of imports, as they are kept."""
    from erphub.imports.runs.dynamodb import RunTable

    return RunTable(services.platform.table)


def import_job_service(services: "Services") -> "ImportJobService":
    """Import jobs, for the API and for new connections."""
    from erphub.connections.access import require_active
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.imports.jobs.dynamodb import JobTable
    from erphub.imports.jobs.service import ImportJobService
    from erphub.imports.runs.service import ImportRunService

    platform = services.platform
    connections = services.get(ConnectionTable)

    def has(client_id: str, connection_id: str) -> bool:
        connection = connections.get(client_id, connection_id)
        require_active(connection)
        return connection is not None

    runs = services.get(ImportRunService)
    return ImportJobService(services.get(JobTable), runs, has, platform.clock, platform.new_id)


def import_run_service(services: "Services") -> "ImportRunService":
    """Runs: started, watched, cancelled."""
    from erphub.connections.access import require_active
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.imports.jobs.dynamodb import JobTable
    from erphub.imports.runs.dynamodb import RunTable
    from erphub.imports.runs.service import ImportRunService

    platform = services.platform
    connections = services.get(ConnectionTable)
    return ImportRunService(
        services.get(JobTable),
        services.get(RunTable),
        platform.machine(platform.settings.import_machine),
        platform.clock,
        platform.new_id,
        lambda client_id, connection_id: require_active(connections.get(client_id, connection_id)),
    )


def scheduler(services: "Services") -> "Scheduler":
    """Starts the imports that are due."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.imports.jobs.dynamodb import JobTable
    from erphub.imports.runs.service import ImportRunService
    from erphub.imports.scheduler import Scheduler
    from erphub.platform import logging

    def report(due: "DueJob", error: Exception) -> None:
        about = {"client_id": due.client_id, "job_id": due.job_id}
        logging.logger().error("a due import could not be started", exc_info=error, extra=about)

    connections = services.get(ConnectionTable)

    def may_run(job: "Job") -> bool:
        connection = connections.get(job.client_id, job.connection_id)
        return connection is None or connection.works

    platform = services.platform
    return Scheduler(services.get(JobTable), services.get(ImportRunService), platform.clock, report, may_run)


def run_execution(services: "Services") -> "RunExecution":
    """The tasks of import.asl.json."""
    from erphub.companies.service import CompanyRegistry
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.connections.erp_access import ErpAccess
    from erphub.erp import catalogue
    from erphub.imports.jobs.dynamodb import JobTable
    from erphub.imports.runs.dynamodb import RunTable
    from erphub.imports.runs.execution import RunExecution
    from erphub.imports.runs.sources import ConnectedSources
    from erphub.lake.delta.delta_lake import DeltaLake

    def adopt(connection: "Connection", found: "Sequence[FoundCompany]") -> "Sequence[FoundCompany]":
        return services.get(CompanyRegistry).adopt(
            connection, found, lambda company, why: _record_skipped(services, connection, company, why)
        )

    platform = services.platform
    sources = ConnectedSources(
        services.get(ConnectionTable), platform.secrets, services.get(ErpAccess).open, catalogue.describe, adopt
    )
    lake = services.get(DeltaLake)
    return RunExecution(services.get(JobTable), services.get(RunTable), sources, lake, platform.clock)


def _record_skipped(services: "Services", connection: "Connection", company: "FoundCompany", why: "HubError") -> None:
    """A company that is not the connection's to take is written down, once."""
    from erphub.audit.service import AuditTrail
    from erphub.platform.actors import HUB

    new = {"company": company.key, "name": company.name, "code": why.code, "detail": why.detail}
    services.get(AuditTrail).record(
        connection.client_id, connection.id, HUB, "company.skipped", new=new, once=f"skipped {company.key} {why.code}"
    )


def import_tasks(services: "Services") -> "ImportTasks":
    """What the state machine asks."""
    from erphub.connections.health import HealthService
    from erphub.imports.runs.dynamodb import RunTable
    from erphub.imports.runs.execution import RunExecution
    from erphub.imports.tasks import ImportTasks

    return ImportTasks(
        services.get(RunExecution),
        services.get(RunTable),
        lambda outcome: services.get(HealthService).report(outcome),
        services.platform.calls_so_far,
    )


def abandoned_runs(services: "Services") -> "AbandonedRuns":
    """Runs whose machine's end nobody heard of."""
    from erphub.imports.runs.abandoned import AbandonedRuns
    from erphub.imports.runs.open_runs import OpenRunTable
    from erphub.imports.tasks import ImportTasks
    from erphub.platform import logging

    def report(what: str, error: Exception) -> None:
        logging.logger().error("could not be swept", exc_info=error, extra={"what": what})

    platform = services.platform
    machine = platform.machine(platform.settings.import_machine)
    finish = services.get(ImportTasks).break_off
    return AbandonedRuns(OpenRunTable(platform.table), machine, finish, platform.clock, report)


def import_hooks(services: "Services") -> "ConnectionHooks":
    """First jobs of a new connection; what was missed while one did not work."""
    from erphub.imports.hooks import ImportHooks
    from erphub.imports.jobs.dynamodb import JobTable
    from erphub.imports.jobs.service import ImportJobService
    from erphub.imports.runs.dynamodb import RunTable
    from erphub.imports.runs.service import ImportRunService

    platform = services.platform
    return ImportHooks(
        services.get(JobTable),
        services.get(RunTable),
        services.get(ImportJobService),
        services.get(ImportRunService),
        platform.clock,
    )


def table_types(services: "Services") -> "TableTypes":
    """Imports write down which types the tables have."""
    from erphub.imports.runs.dynamodb import RunTable

    return services.get(RunTable)


def dependents(services: "Services") -> "Sequence[Dependent]":
    """What of imports hangs on a connection."""
    from erphub.imports.dependents import import_dependents

    platform = services.platform
    return import_dependents(
        platform.table, platform.bucket, platform.machine(platform.settings.import_machine), platform.clock
    )


PROVIDES = (
    job_table,
    run_table,
    import_job_service,
    import_run_service,
    scheduler,
    run_execution,
    import_tasks,
    abandoned_runs,
)
TAKES_PART = (import_hooks, table_types, dependents)
