"""How the services of import jobs and runs are made; the heavy modules are loaded by the functions that use them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erphub.connections.ports import ConnectionHooks
    from erphub.imports.jobs.dynamodb import JobTable
    from erphub.imports.jobs.service import ImportJobService
    from erphub.imports.runs.abandoned import AbandonedRuns
    from erphub.imports.runs.dynamodb.runs import RunTable
    from erphub.imports.runs.execution import RunExecution
    from erphub.imports.runs.planning import RunPlanner
    from erphub.imports.runs.ports import RunStores
    from erphub.imports.runs.service import ImportRunService
    from erphub.imports.runs.sources import ConnectedSources
    from erphub.imports.scheduler import Scheduler
    from erphub.imports.tasks import ImportTasks
    from erphub.platform.limits import StockCount
    from erphub.platform.removal import Dependent
    from erphub.platform.services import Services


def job_table(services: "Services") -> "JobTable":
    """Import jobs, as they are kept."""
    from erphub.imports.jobs.dynamodb import JobTable

    return JobTable(services.platform.table)


def run_table(services: "Services") -> "RunTable":
    """Runs of imports, as they are kept."""
    from erphub.imports.runs.dynamodb.runs import RunTable

    return RunTable(services.platform.table)


def run_stores(services: "Services") -> "RunStores":
    """All that is kept of runs."""
    from erphub.imports.runs.dynamodb.leases import RunLeaseTable
    from erphub.imports.runs.dynamodb.log import RunLogTable
    from erphub.imports.runs.dynamodb.runs import RunTable
    from erphub.imports.runs.dynamodb.units import PartTable, UnitTable
    from erphub.imports.runs.ports import RunStores

    table = services.platform.table
    return RunStores(
        services.get(RunTable), UnitTable(table), PartTable(table), RunLogTable(table), RunLeaseTable(table)
    )


def import_job_service(services: "Services") -> "ImportJobService":
    """Import jobs, for the API."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.imports.jobs.dynamodb import JobTable
    from erphub.imports.jobs.service import ImportJobService
    from erphub.tenancy.actors import MemberDirectory

    platform = services.platform
    connections, actors = services.get(ConnectionTable), services.get(MemberDirectory)
    return ImportJobService(services.get(JobTable), connections, connections, actors, platform.clock, platform.new_id)


def import_run_service(services: "Services") -> "ImportRunService":
    """Runs: started, watched, cancelled."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.imports.jobs.dynamodb import JobTable
    from erphub.imports.runs.ports import RunStores
    from erphub.imports.runs.service import ImportRunService
    from erphub.tenancy.actors import MemberDirectory

    platform = services.platform
    return ImportRunService(
        services.get(JobTable),
        services.get(RunStores),
        services.get(ConnectionTable),
        services.get(MemberDirectory),
        platform.machine(platform.settings.import_machine),
        platform.clock,
        platform.new_id,
    )


def scheduler(services: "Services") -> "Scheduler":
    """Starts the imports that are due."""
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.imports.jobs.dynamodb import JobTable
    from erphub.imports.runs.service import ImportRunService
    from erphub.imports.scheduler import Scheduler

    connections = services.get(ConnectionTable)
    from erphub.tenancy.limits import TenantLimits

    runs, limits = services.get(ImportRunService), services.get(TenantLimits)
    return Scheduler(services.get(JobTable), runs, connections, limits, services.platform.clock)


def connected_sources(services: "Services") -> "ConnectedSources":
    """Connections, as runs read through them."""
    from erphub.audit.service import AuditLog
    from erphub.companies.service import CompanyRegistry
    from erphub.connections.background import BackgroundErpAccess
    from erphub.connections.dynamodb import ConnectionTable
    from erphub.imports.runs.sources import ConnectedSources, NewCompanies

    companies = NewCompanies(services.get(CompanyRegistry), services.get(AuditLog))
    connections = services.get(ConnectionTable)
    return ConnectedSources(connections, connections, services.get(BackgroundErpAccess), companies)


def run_planner(services: "Services") -> "RunPlanner":
    """Plans runs."""
    from erphub.imports.jobs.dynamodb import JobTable
    from erphub.imports.runs.planning import RunPlanner
    from erphub.imports.runs.ports import RunStores
    from erphub.imports.runs.sources import ConnectedSources
    from erphub.lake.datasets.dynamodb import TableTypesTable
    from erphub.lake.delta.delta_lake import DeltaLake
    from erphub.lake.ports import Lake

    tables = services.get(DeltaLake)
    lake = Lake(tables, tables, services.get(TableTypesTable))
    sources = services.get(ConnectedSources)
    return RunPlanner(services.get(JobTable), services.get(RunStores), sources, lake, services.platform.clock)


def run_execution(services: "Services") -> "RunExecution":
    """Carries out planned runs."""
    from erphub.imports.runs.execution import RunExecution
    from erphub.imports.runs.ports import RunStores
    from erphub.imports.runs.sources import ConnectedSources
    from erphub.lake.delta.delta_lake import DeltaLake

    sources = services.get(ConnectedSources)
    return RunExecution(services.get(RunStores), sources, services.get(DeltaLake), services.platform.clock)


def import_tasks(services: "Services") -> "ImportTasks":
    """What the state machine asks."""
    from erphub.connections.health import HealthService
    from erphub.imports.runs.dynamodb.runs import RunTable
    from erphub.imports.runs.execution import RunExecution
    from erphub.imports.runs.planning import RunPlanner
    from erphub.imports.tasks import ImportTasks

    runs = services.get(RunTable)
    return ImportTasks(
        services.get(RunPlanner),
        services.get(RunExecution),
        runs,
        runs,
        services.get(HealthService),
        services.platform,
    )


def abandoned_runs(services: "Services") -> "AbandonedRuns":
    """Runs whose machine's end nobody heard of."""
    from erphub.imports.runs.abandoned import AbandonedRuns
    from erphub.imports.runs.dynamodb.open_runs import OpenRunTable
    from erphub.imports.tasks import ImportTasks

    platform = services.platform
    machine = platform.machine(platform.settings.import_machine)
    return AbandonedRuns(OpenRunTable(platform.table), machine, services.get(ImportTasks), platform.clock)


def import_hooks(services: "Services") -> "ConnectionHooks":
    """First jobs of a new connection; what was missed while one did not work."""
    from erphub.imports.hooks import ImportHooks
    from erphub.imports.jobs.dynamodb import JobTable
    from erphub.imports.runs.dynamodb.runs import RunTable
    from erphub.imports.runs.service import ImportRunService

    runs = services.get(RunTable)
    return ImportHooks(services.get(JobTable), runs, services.get(ImportRunService), services.platform.clock)


def stock_counts(services: "Services") -> "Sequence[StockCount]":
    """Counts the jobs of a client, and the runs that are going on."""
    from erphub.imports.capability import JOBS, RUNS
    from erphub.imports.jobs.dynamodb import job_key
    from erphub.platform.aws.limits import StoredCount
    from erphub.platform.aws.table import client_partition, make_key

    table = services.platform.table
    return (
        StoredCount(JOBS, table, lambda client: job_key(client, "")),
        StoredCount(RUNS, table, lambda client: make_key(client_partition(client), "RUN-OPEN", "")),
    )


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
    run_stores,
    import_job_service,
    import_run_service,
    scheduler,
    connected_sources,
    run_planner,
    run_execution,
    import_tasks,
    abandoned_runs,
)
TAKES_PART = (import_hooks, dependents, stock_counts)
