"""Objects of the bucket: the lake's, and documents' files. Keys are paths with slashes."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol

from erphub.platform import problems

type Wanted = Callable[[str], bool]


class ObjectStore(Protocol):
    """A bucket that keeps versions, or for tests a folder. All of it raises Unavailable."""

    def read(self, key: str) -> bytes:
        """The bytes of one object."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Put an object in the place of whatever is there."""
        ...

    def put_once(self, key: str, data: bytes) -> None:
        """Store an object under a name that no other content is ever stored under; again is fine.

        Raises Conflict (`object_differs`) when there is another content, and leaves it.
        """
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy within the bucket, without the bytes coming by here."""
        ...

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Every object whose key begins with the prefix, and its size in bytes, as it is now."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """The names that stand between the prefix and the next slash."""
        ...

    def delete_all(self, prefix: str) -> None:
        """Remove everything whose key begins with the prefix; versions stay."""
        ...

    def purge(self, prefix: str, wanted: Wanted | None = None, *, older: datetime | None = None) -> int:
        """Remove every version of the objects below the prefix that are wanted; returns how many versions.

        With `older`, versions that count today are left alone unless they were written before that.
        """
        ...


def require_same_content(key: str, stored: bytes, data: bytes) -> None:
    """Raises Conflict (`object_differs`) when what is stored under a name is not what was to be stored there."""
    if stored != data:
        name = key.rpartition("/")[2]
        raise problems.OBJECT_DIFFERS(name=name)
