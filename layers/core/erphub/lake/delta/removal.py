"""A connection's rows leave the lake: from the tables, from the storage with all versions, and from the tables' logs.

A table is shared by a client's connections; a file of it is not. So the rows go in one commit that takes away the
connection's files, and the others' are not touched. The log of a table says of each file what its smallest and largest
keys are: what it says of the connection's files is taken out too. Nobody's commit is undone by that, since a line that
adds a file and the one that removes it go together, and a log's file stays in its place, so that no writer who is late
can take its number.

    rows      one commit removes the connection's files from the table
    files     all versions of everything in the connection's folders, whether the table still knew it or not
    log       lines about them are written anew; checkpoints from before make room for one from now
    versions  what the rewritten files of the log were before
"""

import json
import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import unquote

import arro3.core as ac
from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from erphub.erp.datasets import DATASETS, Dataset
from erphub.lake import problems
from erphub.lake.delta.storage import as_the_tenant
from erphub.lake.locations import connection_folder, tables_prefix
from erphub.platform.objects import ObjectStore
from erphub.platform.problems import LAKE_UNAVAILABLE
from erphub.platform.tasks import Checkpoint, TimeLeft, no_checkpoint

MAX_ATTEMPTS = 12
MIN_SECONDS_FOR_DATASET = 45.0
_ABANDONED_AFTER = timedelta(minutes=20)
"""What a worker has staged and not touched for so long is nobody's: no worker lives longer than 15 minutes."""


class LakeRemoval:
    """Removes connections from the tables below `root`; `objects` reaches the same place."""

    def __init__(
        self, root: str, objects: ObjectStore, options: Mapping[str, str], checkpoint: Checkpoint = no_checkpoint
    ) -> None:
        self._root = root
        self._objects = objects
        self._options = dict(options)
        self._checkpoint = checkpoint

    def remove(self, client_id: str, connection_id: str, time_left: TimeLeft) -> bool:
        """Remove all there is of a connection; False when time ran out. Raises Unavailable."""
        for dataset in DATASETS:
            if time_left() < MIN_SECONDS_FOR_DATASET:
                return False
            try:
                self._remove_from(client_id, dataset, connection_id)
            except (DeltaError, OSError) as error:
                raise LAKE_UNAVAILABLE() from error
        return True

    def _remove_from(self, client_id: str, dataset: Dataset, connection_id: str) -> None:
        key = f"{tables_prefix(client_id)}{dataset.id}"
        folder = connection_folder(connection_id)
        known = self._commit_removal(key, folder)
        self._checkpoint("lake.committed")
        self._objects.purge(f"{key}/", lambda name: f"/{folder}/" in name)
        self._objects.purge(f"staging/{client_id}/{dataset.id}/widened-", older=datetime.now(UTC) - _ABANDONED_AFTER)
        self._checkpoint("lake.purged")
        if known:
            self._rewrite_log(key, folder, connection_id)

    def _commit_removal(self, key: str, folder: str) -> bool:
        """The commit that removes the connection's files; whether there is a table at all."""
        for attempt in range(MAX_ATTEMPTS):
            table = self._existing(key)
            if table is None:
                return False
            removed: list[AddAction | RemoveAction] = [
                _removal(file) for file in _files(table) if f"/{folder}/" in file["path"]
            ]
            if not removed:
                return True
            try:
                table.create_write_transaction(
                    removed,
                    "append",
                    table.schema(),
                    partition_by=["company"],
                    commit_properties=CommitProperties(max_commit_retries=0),
                )
            except CommitFailedError:
                time.sleep(random.uniform(0.02, 0.1) * (attempt + 1))  # noqa: S311  nobody guards anything with it
                continue
            return True
        raise problems.LAKE_BUSY()

    def _existing(self, key: str) -> DeltaTable | None:
        try:
            return DeltaTable(f"{self._root}/{key}", storage_options=as_the_tenant(self._options))
        except TableNotFoundError:
            return None

    def _rewrite_log(self, key: str, folder: str, connection_id: str) -> None:
        log = f"{key}/_delta_log/"
        names = sorted(name for name, _ in self._objects.sizes(log))
        for name in (name for name in names if name.endswith(".json")):
            text = self._objects.read(name).decode()
            fresh = redacted(text, folder, connection_id)
            if fresh != text:
                self._objects.write(name, fresh.encode())
                self._checkpoint("lake.rewritten")
        self._renew_checkpoints(key, [name for name in names if ".checkpoint." in name])
        self._objects.purge(log, older=datetime.min.replace(tzinfo=UTC))
        self._checkpoint("lake.log")

    def _renew_checkpoints(self, key: str, old: Sequence[str]) -> None:
        """A checkpoint repeats what the log said until then: one from now takes the place of those from before."""
        if not old:
            return
        table = self._existing(key)
        if table is None:
            return
        newest = f"{key}/_delta_log/{table.version():020}.checkpoint."
        if all(name.startswith(newest) for name in old):
            return
        table.create_checkpoint()
        self._checkpoint("lake.checkpoint")
        self._objects.purge(f"{key}/_delta_log/", lambda name: ".checkpoint." in name and not name.startswith(newest))


def _files(table: DeltaTable) -> list[dict[str, Any]]:
    listed: Any = ac.RecordBatch.from_arrow(table.get_add_actions(flatten=False)).to_struct_array()
    return cast(list[dict[str, Any]], listed.to_pylist())


def _removal(file: Mapping[str, Any]) -> RemoveAction:
    """Not even with the company: the path is enough. The engine lists paths encoded and encodes what it is told."""
    return RemoveAction(unquote(file["path"]), True, int(time.time() * 1000))


def redacted(text: str, folder: str, connection_id: str) -> str:
    """A commit of a table's log without what it says of a connection's files.

    Lines that add them go. Lines that remove them stay, with nothing but the path: a reader who has just read the line
    that adds one must still learn that it is gone.
    """
    if folder not in text and connection_id not in text:
        return text
    kept: list[str] = []
    for line in text.splitlines():
        action: dict[str, Any] = json.loads(line) if line else {}
        fresh = _without(action, folder)
        if fresh is not None:
            kept.append(json.dumps(fresh, separators=(",", ":"), ensure_ascii=False) if fresh != action else line)
    return "\n".join(kept) + ("\n" if text.endswith("\n") else "")


def _without(action: Mapping[str, Any], folder: str) -> Mapping[str, Any] | None:
    match action:
        case {"add": {"path": str(path)}} if f"/{folder}/" in path:
            return None
        case {"remove": {"path": str(path)} as remove} if f"/{folder}/" in path:
            shown = ("path", "deletionTimestamp", "dataChange")
            return {"remove": {name: remove[name] for name in shown if name in remove}}
        case {"txn": {"appId": str(unit)}} if unit.startswith(folder):
            return None
        case {"commitInfo": {"erphub": str(note)} as info} if folder in note:
            return {"commitInfo": {name: value for name, value in info.items() if name != "erphub"}}
        case _:
            return action
