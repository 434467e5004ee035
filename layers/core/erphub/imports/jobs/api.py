"""Import jobs."""

from erphub.imports.capability import IMPORTS_MANAGE, IMPORTS_RUN, JOB_CHANGED, JOB_CREATED, JOB_DELETED
from erphub.imports.capability import JOBS as JOB_LIMIT
from erphub.imports.jobs.schemas import ChangedJob, JobPage, JobView, NewJob
from erphub.imports.jobs.service import ImportJobService
from erphub.platform.http.router import Router
from erphub.platform.identity import Caller
from erphub.platform.wire import PageQuery

router = Router("Imports")
JOBS = "/clients/{client_id}/import-jobs"


@router.get(JOBS, needs=IMPORTS_RUN)
def list_import_jobs(service: ImportJobService, client_id: str, query: PageQuery) -> JobPage:
    """List the client's import jobs."""
    return service.list_jobs(client_id, query)


@router.post(JOBS, needs=IMPORTS_MANAGE, audit=JOB_CREATED, limit=JOB_LIMIT)
def create_import_job(service: ImportJobService, client_id: str, caller: Caller, body: NewJob) -> JobView:
    """Make an import job."""
    return service.create(client_id, body, caller.user)


@router.get(JOBS + "/{job_id}", needs=IMPORTS_RUN)
def get_import_job(service: ImportJobService, client_id: str, job_id: str) -> JobView:
    """Show an import job."""
    return service.get(client_id, job_id)


@router.patch(JOBS + "/{job_id}", needs=IMPORTS_MANAGE, audit=JOB_CHANGED)
def update_import_job(service: ImportJobService, client_id: str, job_id: str, body: ChangedJob) -> JobView:
    """Change an import job."""
    return service.update(client_id, job_id, body)


@router.delete(JOBS + "/{job_id}", needs=IMPORTS_MANAGE, audit=JOB_DELETED)
def delete_import_job(service: ImportJobService, client_id: str, job_id: str, version: int | None) -> None:
    """Delete an import job; what it imported stays."""
    service.delete(client_id, job_id, version)
