"""Files that callers put and fetch by a signed address, and the hub reads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Protocol


@dataclass(frozen=True)
class UploadSlot:
    """Where a file can be put, by anybody who has the address, until it expires."""

    url: str
    headers: Mapping[str, str]
    expires_at: datetime
    method: str = "PUT"


@dataclass(frozen=True)
class FileLink:
    """Where a file can be fetched, by anybody who has the address, until it expires."""

    url: str
    expires_at: datetime


class Files(Protocol):
    """Files by their names."""

    def slot(self, name: str, content_type: str, now: datetime) -> UploadSlot:
        """Where a file of this name can be put."""
        ...

    def link(self, name: str, content_type: str, file_name: str, now: datetime) -> FileLink:
        """Where the file can be fetched, to be saved under the file name; it need not be there."""
        ...

    def size(self, name: str) -> int | None:
        """How many bytes it has; None when nothing is there."""
        ...

    def read(self, name: str) -> bytes:
        """The whole file. Raises NotFound."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """The file, to be read from its beginning a part at a time, however long it is. Raises NotFound at the first
        part, and Conflict (`file_replaced`) at one that is of another file.
        """
        ...

    def start(self, name: str, size: int) -> bytes:
        """At most so many bytes from its beginning. Raises NotFound."""
        ...

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a text file, as they come. Raises NotFound."""
        ...
