"""The lake: one Delta table per client and dataset. Rows are staged first, then take their place in one commit.

    lake/<client>/<dataset>/                    the table, partitioned by `company`
    …/company=<c>/of-<…>/<run>-….parquet        its files; each holds rows of one connection only, and its folder says
                                                whose (`connection_folder`), in the log or not
    staging/<client>/<run>/<unit>/<part>-<try>/ what was staged: see staging

Every write is idempotent by construction: staged objects and copies have names that follow from whose they are and
only one content each, and a commit is recognised in the table's log (see commits) or by what it leaves (a table that
is there, a column, a wider type).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import localcontext
from itertools import batched
from typing import Any, override

import arro3.core as ac
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from erphub.erp.datasets import Dataset, complete, scale_of, widest
from erphub.erp.reading import Anomaly, ControlTotal
from erphub.lake.delta import keys as lake_keys
from erphub.lake.delta import sql
from erphub.lake.delta.batches import shaped
from erphub.lake.delta.publishing import SUM_DIGITS, Publisher
from erphub.lake.delta.schema import staged_schema, types_of
from erphub.lake.delta.shape import add_columns, create, widen
from erphub.lake.delta.staging import PIECE_BYTES, Staging
from erphub.lake.delta.storage import MAX_ATTEMPTS, busy, pause, storage, translated
from erphub.lake.locations import changes_id, table_key
from erphub.lake.ports import LakeWriter, Published, PublishedDays, PublishTarget, Staged
from erphub.platform.objects import ObjectStore
from erphub.platform.tasks import Checkpoint, no_checkpoint

VALUES_PER_QUERY = 2000
"""In one question; a longer one the engine takes long to read."""


class DeltaLake(LakeWriter, PublishedDays):
    """Tables below `root` (`s3://bucket` or a folder); `files` reaches the same place."""

    def __init__(
        self,
        root: str,
        files: ObjectStore,
        options: Mapping[str, str],
        *,
        checkpoint: Checkpoint = no_checkpoint,
        piece_bytes: int = PIECE_BYTES,
    ) -> None:
        self._storage = storage(root, files, options)
        self._staging = Staging(self._storage, piece_bytes, checkpoint)
        self._publisher = Publisher(self._storage, self._staging, checkpoint)

    # --- the table ---------------------------------------------------------------------------------------------------

    @override
    def types(self, client_id: str, dataset: Dataset) -> Mapping[str, str]:
        with translated():
            table = self._storage.table_if_any(table_key(client_id, dataset.id))
            return types_of(table) if table else {}

    @override
    def prepare(self, client_id: str, dataset: Dataset, types: Mapping[str, str]) -> Mapping[str, str]:
        # Whatever a lost answer leaves open, the table's own types say at the next attempt.
        key = table_key(client_id, dataset.id)
        for attempt in range(MAX_ATTEMPTS):
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

    @override
    def up_to_date_until(self, client_id: str, dataset: Dataset, connection_id: str, company: str) -> datetime | None:
        with translated():
            table = self._storage.table_if_any(table_key(client_id, dataset.id))
            token = table.transaction_version(changes_id(connection_id, company)) if table else None
        return None if token is None else datetime.fromtimestamp(token / 1_000_000, UTC)

    @override
    def days_with(
        self,
        client_id: str,
        dataset: Dataset,
        connection_id: str,
        company: str,
        known_by: Mapping[str, Collection[str]],
        before: date,
    ) -> Collection[date]:
        found: set[date] = set()
        with translated():
            table = self._storage.table_if_any(table_key(client_id, dataset.id))
            if table is None:
                return found
            for column, values in known_by.items():
                for some in batched(sorted(values), VALUES_PER_QUERY, strict=False):
                    text = sql.days_with(dataset, column, some, (company, connection_id), before)
                    found |= {row["day"] for row in sql.rows(sql.query({"t": table}, text))}
        return found

    # --- staging -----------------------------------------------------------------------------------------------------

    @override
    def stage(
        self, path: str, dataset: Dataset, types: Mapping[str, str], connection_id: str, batches: Iterable[Any]
    ) -> Staged:
        schema = staged_schema(dataset, types)
        fitting = (shaped(ac.RecordBatch.from_arrow(batch), schema, connection_id) for batch in batches)
        with translated():
            return self._staging.write(path, dataset, schema, [fitting])

    @override
    def staged_totals(self, staged: Staged, dataset: Dataset) -> Sequence[ControlTotal]:
        with translated():
            table = self._staging.table(staged)
            return _totals(table, dataset) if table else []

    @override
    def daily_totals_before(
        self, client_id: str, dataset: Dataset, connection_id: str, company: str, before: date
    ) -> Sequence[ControlTotal]:
        with translated():
            table = self._storage.table_if_any(table_key(client_id, dataset.id))
            whose = (company, connection_id)
            return _totals(table, dataset, sql.before(dataset, before, whose)) if table else []

    @override
    def staged_anomalies(self, staged: Staged, dataset: Dataset) -> Sequence[Anomaly]:
        with translated():
            table = self._staging.table(staged)
            return lake_keys.anomalies(dataset, {"s": table}) if table else []

    @override
    def clean(self, prefix: str) -> None:
        self._staging.clean(prefix)

    # --- publishing --------------------------------------------------------------------------------------------------

    @override
    def publish(self, target: PublishTarget, staged: Sequence[Staged]) -> Published:
        return self._publisher.publish(target, staged)


def _totals(table: DeltaTable, dataset: Dataset, where: str = "TRUE") -> list[ControlTotal]:
    scale = scale_of(types_of(table)[dataset.amount]) if dataset.amount else 0
    with localcontext(prec=SUM_DIGITS):
        rows = sql.rows(sql.query({"t": table}, sql.totals(dataset, ["t"], scale, where)))
    return [ControlTotal(row["period"], row["rows"], row["amount"] if dataset.amount else None) for row in rows]
