"""Runs that are not known to have ended, one short item each; index `due` has when to look at them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from erphub.imports.runs.models import Run, RunRef
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.wire import instant
from erphub.platform.writes import Key
from erphub.tenancy.dynamodb import client_key


def run_open_key(client_id: str, job_id: str, run_id: str) -> Key:
    """The key that says a run has not ended."""
    return make_key(f"CLIENT#{client_id}", "RUN-OPEN", job_id, run_id)


_SHARD = "runs"
"""The partition of index `due`."""
_LOOKED_AT = timedelta(hours=1)
"""How long after it was made a run is first looked at."""
_KEPT = timedelta(days=400)
"""As long as the run itself is kept."""


class OpenRunTable:
    """Satisfies `imports.runs.ports.OpenRuns`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, run: Run) -> None:
        """A run is about to be made; again is fine."""
        made = datetime.fromisoformat(run.created_at)
        item = {
            **_key(run.ref),
            "connection_id": run.connection_id,
            "due_shard": _SHARD,
            "due_at": instant(made + _LOOKED_AT),
            "expires_at": int((made + _KEPT).timestamp()),
        }
        self._table.put(item)

    def overdue(self, now: datetime) -> Iterator[RunRef]:
        """See the port."""
        for item in self._table.by_index("due", "due_shard", _SHARD, upto=("due_at", instant(now))):
            yield RunRef(item["pk"].removeprefix("CLIENT#"), *item["sk"].split("#")[1:])

    def of_connection(self, client_id: str, connection_id: str) -> Iterator[RunRef]:
        """The open runs of a connection."""
        for item in self._table.all(client_key(client_id)["pk"], "RUN-OPEN#"):
            if item["connection_id"] == connection_id:
                yield RunRef(client_id, *item["sk"].split("#")[1:])

    def look_again(self, ref: RunRef, at: datetime) -> None:
        """See the port."""
        try:
            self._table.update(_key(ref), "SET due_at = :at", condition="attribute_exists(pk)", at=instant(at))
        except VersionConflict:  # it has ended meanwhile
            return

    def close(self, ref: RunRef) -> None:
        """See the port."""
        self._table.delete(_key(ref))


def _key(ref: RunRef) -> Key:
    return run_open_key(ref.client_id, ref.job_id, ref.run_id)
