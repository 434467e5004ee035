"""Where documents' files are kept."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from erphub.sync.documents.models import FileLink, UploadSlot


class DocumentFiles(Protocol):
    """Files: PDFs of settlements, and uploads of many documents."""

    def slot(self, name: str, content_type: str, now: datetime) -> UploadSlot:
        """Where a file of this name can be put."""
        ...

    def link(self, name: str, file_name: str, now: datetime) -> FileLink:
        """Where the file can be fetched, to be saved under the file name; it need not be there."""
        ...

    def size(self, name: str) -> int | None:
        """How many bytes it has; None when nothing is there."""
        ...

    def read(self, name: str) -> bytes:
        """The whole file. Raises NotFound."""
        ...

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a text file, as they come. Raises NotFound."""
        ...
