"""Uploads of many documents."""

from erphub.platform.http.router import Awaited, Router
from erphub.platform.identity import Member
from erphub.sync.capability import SYNC_RUN, UPLOAD_CREATED, UPLOAD_TAKEN
from erphub.sync.capability import UPLOADS as UPLOAD_LIMIT
from erphub.sync.uploads.schemas import NewUpload, UploadView
from erphub.sync.uploads.service import UploadService
from erphub.tenancy.capability import CONNECTIONS_VIEW

router = Router("Sync")
UPLOADS = "/clients/{client_id}/connections/{connection_id}/document-uploads"
_READ = Awaited(UPLOADS + "/{upload_id}", lambda shown: shown.status.has_ended)


@router.post(UPLOADS, needs=SYNC_RUN, audit=UPLOAD_CREATED, limit=UPLOAD_LIMIT)
def create_upload(service: UploadService, member: Member, connection_id: str, body: NewUpload) -> UploadView:
    """Open a batch: thousands of documents in one file, put to the address in the answer."""
    return UploadView.of(*service.create(member.client_id, connection_id, member.user, body))


@router.get(UPLOADS + "/{upload_id}", needs=CONNECTIONS_VIEW)
def get_upload(service: UploadService, member: Member, connection_id: str, upload_id: str) -> UploadView:
    """Show what was made of a batch, line by line where a line was refused."""
    return UploadView.of(service.get(member.client_id, connection_id, upload_id))


@router.post(UPLOADS + "/{upload_id}/take", needs=SYNC_RUN, audit=UPLOAD_TAKEN, status=202, awaited=_READ)
def process_upload(service: UploadService, member: Member, connection_id: str, upload_id: str) -> UploadView:
    """Have a batch read whose file has been put in its place."""
    return UploadView.of(service.start(member.client_id, connection_id, upload_id))
