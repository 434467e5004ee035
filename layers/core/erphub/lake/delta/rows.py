"""Rows of the lake for readers: filtered, in a fixed order, page by page from one state of a table."""

from collections.abc import Mapping, Sequence
from typing import Any, override

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from erphub.erp.datasets import Dataset
from erphub.lake import problems
from erphub.lake.delta import sql
from erphub.lake.delta.storage import as_the_tenant
from erphub.lake.ports import LakeReader, RowPage, RowQuery
from erphub.platform.errors import Gone
from erphub.platform.problems import LAKE_UNAVAILABLE

MAX_PAGE_BYTES = 3 * 1024 * 1024
"""Bytes of text in a page: an answer through API Gateway may have 6 MB, and JSON within JSON grows."""


class LakeRows(LakeReader):
    """Reads the tables below `root`."""

    def __init__(self, root: str, options: Mapping[str, str]) -> None:
        self._root = root
        self._options = dict(options)

    @override
    def page(self, client_id: str, dataset: Dataset, query: RowQuery) -> RowPage:
        try:
            table = self._table(client_id, dataset)
            if table is None:
                return RowPage([], None)
            _load_version(table, query.version)
            return _page(table, dataset, query)
        except (DeltaError, OSError) as error:
            if query.version is not None:
                raise _expired() from error
            raise LAKE_UNAVAILABLE() from error

    def _table(self, client_id: str, dataset: Dataset) -> DeltaTable | None:
        try:
            where = f"{self._root}/lake/{client_id}/{dataset.id}"
            return DeltaTable(where, storage_options=as_the_tenant(self._options))
        except TableNotFoundError:
            return None


def _load_version(table: DeltaTable, version: int | None) -> None:
    """Show the table as it was then. Raises Gone for a version that is not there.

    The engine is not asked for one that is still to come: it looks for it version by version, for minutes.
    """
    if version is None or version == table.version():
        return
    if version > table.version():
        raise _expired()
    table.load_as_version(version)


def _expired() -> Gone:
    return problems.PAGE_EXPIRED()


def _page(table: DeltaTable, dataset: Dataset, query: RowQuery) -> RowPage:
    keys = dataset.order  # what rows may share, the rest decides
    there = {field.name for field in table.schema().fields}
    rest = [field.name for field in dataset.fields if field.name not in keys and field.name in there]
    found = sql.rows(sql.query({"t": table}, sql.page(dataset, query, keys, rest)))
    rows = found[: min(query.limit, _fitting(found, query.columns))]
    version = table.version()
    # A column the dataset got after the table was made is there from the next import on.
    shown = [{name: row.get(name) for name in query.columns} for row in rows]
    if len(found) == len(rows):
        return RowPage(shown, version)
    last_key = [rows[-1][name] for name in keys]
    with_last_key = sum([row[name] for name in keys] == last_key for row in rows)
    if query.after is not None and last_key == list(query.after):
        with_last_key += query.skip
    return RowPage(shown, version, last_key, with_last_key)


def _fitting(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> int:
    """How many of the rows fit into a page; one always does."""
    size_bytes = 0
    for number, row in enumerate(rows):
        size_bytes += sum(len(name) + len(str(row.get(name)).encode()) + 8 for name in columns)
        if size_bytes > MAX_PAGE_BYTES:
            return max(number, 1)
    return len(rows)
