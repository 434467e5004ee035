"""Runs that are not known to have ended, one short item each, due when they are to be looked at."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import override

from erphub.imports.runs.models import Run, RunRef
from erphub.imports.runs.ports import OpenRuns
from erphub.platform.aws.due import DueIndex, due_at
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.writes import Key
from erphub.tenancy.dynamodb import client_key

_FIRST_LOOK_AFTER = timedelta(hours=1)
"""How long after it was made a run is first looked at."""
_KEPT = timedelta(days=400)
"""As long as the run itself is kept."""


class OpenRunTable(OpenRuns):
    """Open runs: `RUN-OPEN#<job>#<run>`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._due = DueIndex(table, "runs", _ref)

    def add(self, run: Run) -> None:
        """A run is about to be made; again is fine."""
        made = datetime.fromisoformat(run.created_at)
        item = {
            **_key(run.ref),
            "connection_id": run.connection_id,
            "expires_at": int((made + _KEPT).timestamp()),
        }
        self._table.put(item | self._due.attributes(_key(run.ref), made + _FIRST_LOOK_AFTER))

    @override
    def overdue(self, now: datetime) -> Iterator[RunRef]:
        return (one.read() for one in self._due.due(now))

    def of_connection(self, client_id: str, connection_id: str) -> Iterator[RunRef]:
        """The open runs of a connection."""
        for item in self._table.read_all(client_key(client_id)["pk"], "RUN-OPEN#"):
            if item["connection_id"] == connection_id:
                yield _ref(item)

    @override
    def postpone(self, ref: RunRef, until: datetime) -> None:
        item = self._table.get(_key(ref))
        if item is not None and (was := due_at(item)) is not None:  # otherwise it has ended meanwhile
            self._due.move(_key(ref), was, until)

    @override
    def close(self, ref: RunRef) -> None:
        self._table.delete(_key(ref))


def run_open_key(client_id: str, job_id: str, run_id: str) -> Key:
    """The key that says a run has not ended."""
    return make_key(f"CLIENT#{client_id}", "RUN-OPEN", job_id, run_id)


def _key(ref: RunRef) -> Key:
    return run_open_key(ref.client_id, ref.job_id, ref.run_id)


def _ref(item: Item) -> RunRef:
    return RunRef(item["pk"].removeprefix("CLIENT#"), *item["sk"].split("#")[1:])
