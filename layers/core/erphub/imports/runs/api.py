"""Runs of import jobs."""

from erphub.imports.capability import IMPORTS_RUN
from erphub.imports.runs.models import RunRef
from erphub.imports.runs.schemas import LogPage, RunPage, RunQuery, RunView
from erphub.imports.runs.service import ImportRunService
from erphub.platform.http.router import Router
from erphub.platform.identity import Caller
from erphub.platform.wire import PageQuery

router = Router("Imports")
JOBS = "/clients/{client_id}/import-jobs"
RUNS = JOBS + "/{job}/runs"


@router.get(RUNS, needs=IMPORTS_RUN)
def list_runs(service: ImportRunService, client_id: str, job: str, query: PageQuery) -> RunPage:
    """List a job's runs, newest first."""
    return service.list_runs(client_id, job, query)


@router.post(RUNS, needs=IMPORTS_RUN, status=202)
def start_run(service: ImportRunService, client_id: str, job: str, caller: Caller) -> RunView:
    """Start a run now."""
    return service.start(client_id, job, caller.user)


@router.get(RUNS + "/{run}", needs=IMPORTS_RUN)
def show_run(service: ImportRunService, client_id: str, job: str, run: str, query: RunQuery) -> RunView:
    """Show a run: progress per company and dataset, what came of it, what it cost."""
    return service.get(RunRef(client_id, job, run), query.next)


@router.post(RUNS + "/{run}/cancel", needs=IMPORTS_RUN, status=202)
def cancel_run(service: ImportRunService, client_id: str, job: str, run: str) -> RunView:
    """Stop a run within one batch; what is not published stays as it was."""
    return service.cancel(RunRef(client_id, job, run))


@router.get(RUNS + "/{run}/log", needs=IMPORTS_RUN)
def show_run_log(service: ImportRunService, client_id: str, job: str, run: str, query: PageQuery) -> LogPage:
    """Read a run's log, oldest line first."""
    return service.list_log_lines(RunRef(client_id, job, run), query)
