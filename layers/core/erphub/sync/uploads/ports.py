"""Where uploads are kept."""

from typing import Protocol

from erphub.sync.uploads.models import Upload


class UploadStore(Protocol):
    """Uploads and what was made of them."""

    def get(self, client_id: str, connection_id: str, upload_id: str) -> Upload | None:
        """One upload."""
        ...

    def save(self, upload: Upload, keep_days: int) -> Upload:
        """Keep it, provided that nobody else did since it was read. Raises Conflict."""
        ...
