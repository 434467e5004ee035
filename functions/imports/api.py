"""The door for people and programs: import jobs, their runs, and the list of datasets."""

from erphub import wiring
from erphub.imports.jobs.schemas import ChangedJob, JobPage, JobView, NewJob
from erphub.imports.runs.models import RunRef
from erphub.imports.runs.schemas import LogPage, RunPage, RunQuery, RunView
from erphub.lake.datasets.schemas import DatasetPage
from erphub.platform.http.router import Router
from erphub.platform.identity import Caller, Permission
from erphub.platform.wire import PageQuery

door = Router(wiring.house.hall)
handler = door

JOBS = "/clients/{client}/import-jobs"
RUNS = JOBS + "/{job}/runs"


@door.get(JOBS, needs=Permission.IMPORTS_RUN)
def list_import_jobs(client: str, query: PageQuery) -> JobPage:
    """List the client's import jobs."""
    return wiring.imports.jobs().list(client, query)


@door.post(JOBS, needs=Permission.IMPORTS_MANAGE)
def create_import_job(client: str, caller: Caller, body: NewJob) -> JobView:
    """Make an import job."""
    return wiring.imports.jobs().create(client, body, caller.user)


@door.get(JOBS + "/{job}", needs=Permission.IMPORTS_RUN)
def show_import_job(client: str, job: str) -> JobView:
    """Show an import job."""
    return wiring.imports.jobs().get(client, job)


@door.patch(JOBS + "/{job}", needs=Permission.IMPORTS_MANAGE)
def change_import_job(client: str, job: str, body: ChangedJob) -> JobView:
    """Change an import job."""
    return wiring.imports.jobs().change(client, job, body)


@door.delete(JOBS + "/{job}", needs=Permission.IMPORTS_MANAGE)
def delete_import_job(client: str, job: str) -> None:
    """Delete an import job; what it imported stays."""
    wiring.imports.jobs().delete(client, job)


@door.get(RUNS, needs=Permission.IMPORTS_RUN)
def list_runs(client: str, job: str, query: PageQuery) -> RunPage:
    """List a job's runs, newest first."""
    return wiring.imports.runs().list(client, job, query)


@door.post(RUNS, needs=Permission.IMPORTS_RUN, status=202)
def start_run(client: str, job: str, caller: Caller) -> RunView:
    """Start a run now."""
    return wiring.imports.runs().start(client, job, caller.user)


@door.get(RUNS + "/{run}", needs=Permission.IMPORTS_RUN)
def show_run(client: str, job: str, run: str, query: RunQuery) -> RunView:
    """Show a run: progress per company and dataset, what came of it, what it cost."""
    return wiring.imports.runs().get(RunRef(client, job, run), query.next)


@door.post(RUNS + "/{run}/cancel", needs=Permission.IMPORTS_RUN, status=202)
def cancel_run(client: str, job: str, run: str) -> RunView:
    """Stop a run within one batch; what is not published stays as it was."""
    return wiring.imports.runs().cancel(RunRef(client, job, run))


@door.get(RUNS + "/{run}/log", needs=Permission.IMPORTS_RUN)
def show_run_log(client: str, job: str, run: str, query: PageQuery) -> LogPage:
    """Read a run's log, oldest line first."""
    return wiring.imports.runs().log(RunRef(client, job, run), query)


@door.get("/clients/{client}/datasets", needs=Permission.DATA_VIEW)
def list_datasets(client: str) -> DatasetPage:
    """List the datasets with their Arrow schemas."""
    return wiring.imports.datasets().list(client)
