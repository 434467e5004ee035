"""A folder that stands in for the lake's bucket."""

import shutil
from pathlib import Path

from erphub.platform.objects import require_same_content


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
