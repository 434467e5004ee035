"""Files that callers put and fetch by a signed address, and the hub reads."""

from collections.abc import Iterator, Mapping, Sequence
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


@dataclass(frozen=True)
class FileVersion:
    """What was put under a name once; `tag` is the same for the same content, unless the store cannot tell."""

    id: str
    size: int
    tag: str
    written_at: datetime


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


class VersionedFiles(Protocol):
    """Files of which every version stays; without a version, the newest is meant."""

    def link(self, name: str, content_type: str, file_name: str, now: datetime, version: str = "") -> FileLink:
        """Where a version of the file can be fetched, to be saved under the file name; it need not be there."""
        ...

    def read(self, name: str, version: str = "") -> bytes:
        """The whole of a version of the file. Raises NotFound."""
        ...

    def versions(self, name: str, most: int) -> Sequence[FileVersion]:
        """What was put under the name, oldest first; of more than so many the newest."""
        ...

    def keep(self, name: str, content: bytes, content_type: str) -> None:
        """Put a file under a name that no other content ever has; again is fine."""
        ...
