"""What stands in for a bucket: a folder for the lake's, memory for the files of people and programs."""

import shutil
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from erphub.platform.errors import NotFound
from erphub.platform.files import FileLink, FileVersion, UploadSlot
from erphub.platform.objects import require_same_content

WRITTEN = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)


class FolderFiles:
    """Keys are paths below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, key: str) -> bytes:
        return (self.root / key).read_bytes()

    def put_once(self, key: str, data: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            require_same_content(key, path.read_bytes(), data)

    def copy(self, source: str, target: str) -> None:
        (self.root / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.root / source, self.root / target)

    def delete_all(self, prefix: str) -> None:
        for path in sorted(self.root.rglob("*"), reverse=True):
            if path.is_file() and path.relative_to(self.root).as_posix().startswith(prefix):
                path.unlink()


class _Put(dict[str, bytes]):
    """Files by name, and beside them all that was ever put there."""

    def __init__(self) -> None:
        super().__init__()
        self.versions: dict[str, list[bytes]] = {}

    def __setitem__(self, name: str, content: bytes) -> None:
        self.versions.setdefault(name, []).append(content)
        super().__setitem__(name, content)


class MemoryFiles:
    """Addresses are names in this process. Satisfies `platform.files.Files`."""

    def __init__(self) -> None:
        self.files = _Put()

    def slot(self, name: str, content_type: str, now: datetime) -> UploadSlot:
        return UploadSlot(f"memory:{name}", {"Content-Type": content_type}, now + timedelta(minutes=15))

    def link(self, name: str, content_type: str, file_name: str, now: datetime, version: str = "") -> FileLink:
        return FileLink(f"memory:{name}?version={version}&as={file_name}", now + timedelta(minutes=5))

    def versions(self, name: str, most: int) -> list[FileVersion]:
        put = self.files.versions.get(name, [])
        made = [FileVersion(str(n), len(data), f"{hash(data)}", WRITTEN) for n, data in enumerate(put, start=1)]
        return made[-most:]

    def keep(self, name: str, content: bytes, content_type: str) -> None:
        self.files[name] = content

    def size(self, name: str) -> int | None:
        return len(self.files[name]) if name in self.files else None

    def read(self, name: str, version: str = "") -> bytes:
        if name not in self.files:
            raise NotFound("not there", code="file_missing")
        return self.files.versions[name][int(version) - 1] if version else self.files[name]

    def open(self, name: str) -> IO[bytes]:
        return BytesIO(self.read(name))

    def start(self, name: str, size: int) -> bytes:
        return self.read(name)[:size]

    def lines(self, name: str) -> Any:
        yield from self.read(name).splitlines()
