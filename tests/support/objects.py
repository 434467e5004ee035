"""A folder that stands in for a bucket that keeps versions."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.support.files import FolderFiles


class FolderObjects(FolderFiles):
    """Objects are files below a folder; what they were before is kept beside it, until it is purged."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.old: list[tuple[str, bytes]] = []

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        for path in sorted(self.root.rglob("*")):
            key = path.relative_to(self.root).as_posix()
            if path.is_file() and key.startswith(prefix):
                yield key, path.stat().st_size

    def folders(self, prefix: str) -> Iterator[str]:
        yield from sorted({key.removeprefix(prefix).split("/")[0] for key, _ in self.sizes(prefix)})

    def write(self, key: str, data: bytes) -> None:
        path = self.root / key
        if path.exists():
            self.old.append((key, path.read_bytes()))
        path.write_bytes(data)

    def purge(self, prefix: str, wanted: Callable[[str], bool] | None = None, *, older: datetime | None = None) -> int:
        def goes(key: str) -> bool:
            return key.startswith(prefix) and (wanted is None or wanted(key))

        before = len(self.old)
        self.old = [(key, data) for key, data in self.old if not goes(key)]
        removed = before - len(self.old)
        for key, _ in list(self.sizes(prefix)):
            path = self.root / key
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            if goes(key) and (older is None or written < older):
                path.unlink()
                removed += 1
        return removed
