"""Runs of import jobs."""

from erphub.imports.capability import IMPORTS_RUN, RUN_CANCELLED, RUN_STARTED
from erphub.imports.capability import RUNS as RUN_LIMIT
from erphub.imports.runs.models import RunRef
from erphub.imports.runs.schemas import LogPage, RunPage, RunQuery, RunView
from erphub.imports.runs.service import ImportRunService
from erphub.platform.http.router import Awaited, Router
from erphub.platform.identity import Caller
from erphub.platform.wire import PageQuery

router = Router("Imports")
JOBS = "/clients/{client_id}/import-jobs"
RUNS = JOBS + "/{job_id}/runs"
ENDED = Awaited(RUNS + "/{run_id}", lambda shown: shown.status.has_ended)


@router.get(RUNS, needs=IMPORTS_RUN)
def list_runs(service: ImportRunService, client_id: str, job_id: str, query: PageQuery) -> RunPage:
    """List a job's runs, newest first."""
    return service.list_runs(client_id, job_id, query)


@router.post(RUNS, needs=IMPORTS_RUN, audit=RUN_STARTED, status=202, limit=RUN_LIMIT, awaited=ENDED)
def start_run(service: ImportRunService, client_id: str, job_id: str, caller: Caller) -> RunView:
    """Start a run now."""
    return service.start(client_id, job_id, caller.user)


@router.get(RUNS + "/{run_id}", needs=IMPORTS_RUN)
def get_run(service: ImportRunService, client_id: str, job_id: str, run_id: str, query: RunQuery) -> RunView:
    """Show a run: progress per company and dataset, what came of it, what it cost."""
    return service.get(RunRef(client_id, job_id, run_id), query.next)


@router.post(RUNS + "/{run_id}/cancel", needs=IMPORTS_RUN, audit=RUN_CANCELLED, status=202, awaited=ENDED)
def cancel_run(service: ImportRunService, client_id: str, job_id: str, run_id: str) -> RunView:
    """Stop a run within one batch; what is not published stays as it was."""
    return service.cancel(RunRef(client_id, job_id, run_id))


@router.get(RUNS + "/{run_id}/log", needs=IMPORTS_RUN)
def list_run_log_lines(
    service: ImportRunService, client_id: str, job_id: str, run_id: str, query: PageQuery
) -> LogPage:
    """Read a run's log, oldest line first."""
    return service.list_log_lines(RunRef(client_id, job_id, run_id), query)
