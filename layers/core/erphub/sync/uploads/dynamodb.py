"""Uploads in the export log's table."""

from typing import override

from erphub.platform.aws.table import Table
from erphub.sync.export_log.dynamodb import expiry, export_log_key, read_model
from erphub.sync.settings.dynamodb import put_rev
from erphub.sync.uploads.models import Upload
from erphub.sync.uploads.ports import UploadStore


class UploadTable(UploadStore):
    """Uploads beside the documents of their connection."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(self, client_id: str, connection_id: str, upload_id: str) -> Upload | None:
        item = self._table.get(export_log_key(client_id, connection_id, "UPLOAD", upload_id))
        return read_model(Upload, item) if item else None

    @override
    def save(self, upload: Upload, keep_days: int) -> Upload:
        key = export_log_key(upload.client_id, upload.connection_id, "UPLOAD", upload.id)
        item = key | {"data": upload.model_dump_json(), "expires_at": expiry(upload.created_at, keep_days)}
        put_rev(self._table, item, upload.rev)
        return upload.model_copy(update={"rev": upload.rev + 1})
