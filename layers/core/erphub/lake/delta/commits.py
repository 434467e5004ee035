"""Commits to a table of the lake: files take their place, others leave, and the log says who did it.

S3 may store a commit and lose the answer. Each commit therefore carries application transactions of its unit (`txn`
in Delta's protocol): the engine, met by its own commit when it repeats one, finds these changed and gives up with a
conflict instead of committing again, and whoever made it reads in the log that it is there.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.transaction import AddAction, RemoveAction

from erphub.lake import problems
from erphub.lake.delta.files import File
from erphub.lake.delta.staging import StagedFile
from erphub.lake.delta.storage import NO_HOOK, Storage
from erphub.lake.locations import changes_id, company_folder, connection_folder, table_key, unit_id
from erphub.lake.ports import Published, PublishTarget

RECENT_COMMITS = 50
"""Commits among which a publication that is repeated is looked for first."""

type Actions = list[AddAction | RemoveAction]


@dataclass(frozen=True)
class Place:
    """Where a company's files of one connection are, below a table."""

    table: str
    company: str
    connection_id: str

    def key_of(self, file: StagedFile, run_id: str) -> str:
        """The key of a staged file when it has taken its place: always the same."""
        name = hashlib.sha256(file.key.encode()).hexdigest()[:20]
        folder = f"{company_folder(self.company)}/{connection_folder(self.connection_id)}"
        return f"{self.table}/{folder}/{run_id}-{name}.parquet"

    def added(self, file: StagedFile, run_id: str) -> AddAction:
        """What the log says of it."""
        path = self.key_of(file, run_id).removeprefix(f"{self.table}/")
        return AddAction(path, file.size, {"company": self.company}, file.modified, True, file.stats)

    def removed(self, file: File) -> RemoveAction:
        """What the log says of a file that leaves."""
        partition: dict[str, str | None] = {"company": self.company}
        return RemoveAction(file.path, True, int(time.time() * 1000), size=file.size, partition_values=partition)


def place_of(target: PublishTarget) -> Place:
    """Where a publication's files go."""
    return Place(table_key(target.client_id, target.dataset.id), target.company, target.connection_id)


def copy_into_place(storage: Storage, place: Place, files: Sequence[StagedFile], run_id: str) -> None:
    """Copy staged files below the table, where nobody sees them yet; again copies the same to the same names.

    Raises StagedDataChanged when a file is listed twice.
    """
    if len({file.key for file in files}) < len(files):
        raise problems.STAGED_DATA_CHANGED(difference="A file is listed twice")
    for file in files:
        storage.files.copy(file.key, place.key_of(file, run_id))


def commit(table: DeltaTable, target: PublishTarget, actions: Actions, counts: Published) -> None:
    """One commit. Raises the engine's CommitFailedError on a conflict, also with this very commit made before."""
    unit = unit_id(target.connection_id, target.company)
    note = {"run": target.run_id, "unit": unit, "token": target.token, "counts": _as_numbers(counts)}
    names = [unit, *([changes_id(target.connection_id, target.company)] if target.up_to_date else [])]
    properties = CommitProperties(
        custom_metadata={"erphub": json.dumps(note)},
        app_transactions=[Transaction(name, target.token) for name in names],
    )
    table.create_write_transaction(
        actions,
        "append",
        table.schema(),
        partition_by=["company"],
        commit_properties=properties,
        post_commithook_properties=NO_HOOK,
    )


def published_before(table: DeltaTable, target: PublishTarget) -> Published | None:
    """What this publication did when it was made before. Raises Conflict when a later one was."""
    latest = table.transaction_version(unit_id(target.connection_id, target.company))
    if latest is None or latest < target.token:
        return None
    if latest > target.token:
        raise problems.NEWER_RUN_PUBLISHED()
    return (
        _counted_in(table, target, RECENT_COMMITS)
        or _counted_in(table, target, None)
        or Published(0, 0, 0, 0, was_repeated=True)
    )


def _counted_in(table: DeltaTable, target: PublishTarget, limit: int | None) -> Published | None:
    unit = unit_id(target.connection_id, target.company)
    for entry in table.history(limit):
        note = json.loads(entry.get("erphub") or "{}")
        if note.get("unit") == unit and note.get("token") == target.token:
            return Published(*note["counts"], was_repeated=True)
    return None


def _as_numbers(counts: Published) -> list[int]:
    return [counts.inserted, counts.updated, counts.unchanged, counts.removed, counts.rejected]
