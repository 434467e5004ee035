"""The lake: one Delta table per client and dataset. Rows are staged first, then take their place in one commit.

    lake/<client>/<dataset>/                    the table, partitioned by `company`
    …/company=<c>/of-<…>/<run>-….parquet        its files; each holds rows of one connection only, and its folder says
                                                whose (`owner_folder`), in the log or not
    staging/<client>/<run>/<unit>/<part>-<try>/ what was staged: see lake_staging

Every write is idempotent by construction: staged objects and copies have names that follow from whose they are and
only one content each, and a commit is recognised in the table's log (lake_commits) or by what it leaves (a table that
is there, a column, a wider type).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import localcontext
from itertools import batched
from typing import Any

import arro3.core as ac
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from erphub.erp.datasets import Dataset, complete, scale_of, widest
from erphub.erp.reading import Anomaly, ControlTotal
from erphub.lake.delta import keys as lake_keys
from erphub.lake.delta import sql
from erphub.lake.delta.batches import shape
from erphub.lake.delta.publishing import DIGITS, Publisher
from erphub.lake.delta.schema import staged_schema, types_of
from erphub.lake.delta.shape import add_columns, create, widen
from erphub.lake.delta.staging import PIECE, Staging
from erphub.lake.delta.storage import TRIES, busy, pause, storage, translated
from erphub.lake.locations import changes_of, table_key
from erphub.lake.ports import Checkpoint, Published, PublishTarget, Staged, no_checkpoint
from erphub.platform.aws.files import Files

VALUES_AT_ONCE = 2000
"""In one question; a longer one the engine takes long to read."""


class DeltaLake:
    """Tables below `root` (`s3://bucket` or a folder); `files` reaches the same place."""

    def __init__(
        self,
        root: str,
        files: Files,
        options: Mapping[str, str],
        *,
        checkpoint: Checkpoint = no_checkpoint,
        piece: int = PIECE,
    ) -> None:
        self._storage = storage(root, files, options)
        self._staging = Staging(self._storage, piece, checkpoint)
        self._publisher = Publisher(self._storage, self._staging, checkpoint)

    # --- the table ---------------------------------------------------------------------------------------------------

    def types(self, client_id: str, dataset: Dataset) -> Mapping[str, str]:
        """The types of the table's fields; empty when there is no table."""
        with translated():
            table = self._storage.table_if_any(table_key(client_id, dataset.id))
            return types_of(table) if table else {}

    def prepare(self, client_id: str, dataset: Dataset, types: Mapping[str, str]) -> Mapping[str, str]:
        """See ports.imports.Lake. Whatever a lost answer leaves open, the table's own types say at the next attempt."""
        key = table_key(client_id, dataset.id)
        for attempt in range(TRIES):
            with translated(), suppress(CommitFailedError):
                table = self._storage.table_if_any(key)
                if table is None:
                    create(self._storage, key, dataset, complete(dataset, widest({}, types)))
                    continue
                wanted = complete(dataset, widest(types_of(table), types))
                add_columns(table, dataset, wanted)
                if wanted != complete(dataset, types_of(table)):
                    widen(self._storage, self._staging, key, table, dataset, wanted)
                return wanted
            pause(attempt)
        raise busy()

    def up_to_date_until(self, client_id: str, dataset: Dataset, connection_id: str, company: str) -> datetime | None:
        """See ports.imports.Lake."""
        with translated():
            table = self._storage.table_if_any(table_key(client_id, dataset.id))
            token = table.transaction_version(changes_of(connection_id, company)) if table else None
        return None if token is None else datetime.fromtimestamp(token / 1_000_000, UTC)

    def days_of(
        self,
        client_id: str,
        dataset: Dataset,
        connection_id: str,
        company: str,
        known_by: Mapping[str, Collection[str]],
        before: date,
    ) -> Collection[date]:
        """See ports.imports.Lake."""
        found: set[date] = set()
        with translated():
            table = self._storage.table_if_any(table_key(client_id, dataset.id))
            if table is None:
                return found
            for column, values in known_by.items():
                for some in batched(sorted(values), VALUES_AT_ONCE, strict=False):
                    asked = sql.days_with(dataset, column, some, (company, connection_id), before)
                    found |= {row["day"] for row in sql.rows(sql.query({"t": table}, asked))}
        return found

    # --- staging -----------------------------------------------------------------------------------------------------

    def stage(
        self, path: str, dataset: Dataset, types: Mapping[str, str], connection_id: str, batches: Iterable[Any]
    ) -> Staged:
        """See ports.imports.Lake."""
        schema = staged_schema(dataset, types)
        shaped = (shape(ac.RecordBatch.from_arrow(batch), schema, connection_id) for batch in batches)
        with translated():
            return self._staging.write(path, dataset, schema, [shaped])

    def staged_totals(self, staged: Staged, dataset: Dataset) -> Sequence[ControlTotal]:
        """See ports.imports.Lake."""
        with translated():
            table = self._staging.table(staged)
            return _totals(table, dataset) if table else []

    def days_before(
        self, client_id: str, dataset: Dataset, connection_id: str, company: str, before: date
    ) -> Sequence[ControlTotal]:
        """See ports.imports.Lake."""
        with translated():
            table = self._storage.table_if_any(table_key(client_id, dataset.id))
            whose = (company, connection_id)
            return _totals(table, dataset, sql.before(dataset, before, whose)) if table else []

    def staged_oddities(self, staged: Staged, dataset: Dataset) -> Sequence[Anomaly]:
        """See ports.imports.Lake."""
        with translated():
            table = self._staging.table(staged)
            return lake_keys.oddities(dataset, {"s": table}) if table else []

    def clean(self, prefix: str) -> None:
        """See ports.imports.Lake."""
        self._staging.clean(prefix)

    # --- publishing --------------------------------------------------------------------------------------------------

    def publish(self, target: PublishTarget, staged: Sequence[Staged]) -> Published:
        """See ports.imports.Lake."""
        return self._publisher.publish(target, staged)


def _totals(table: DeltaTable, dataset: Dataset, where: str = "TRUE") -> list[ControlTotal]:
    scale = scale_of(types_of(table)[dataset.amount]) if dataset.amount else 0
    with localcontext(prec=DIGITS):
        rows = sql.rows(sql.query({"t": table}, sql.totals(dataset, ["t"], scale, where)))
    return [ControlTotal(row["period"], row["rows"], row["amount"] if dataset.amount else None) for row in rows]
