"""Rows that are matched by key: which of them have no key of their own, and what differs from the rows that are there.

The engine is asked about one share of the keys after the other, so that its memory does not grow with the table: it
holds the keys of a share, and instead of a row's other values their digest.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from deltalake import DeltaTable

from erphub.erp.datasets import Dataset
from erphub.erp.reading import Anomaly
from erphub.lake import problems
from erphub.lake.delta import sql
from erphub.lake.ports import Published

ROWS_PER_SHARE = 500_000
"""In one share, of both sides together."""

type Tables = Mapping[str, DeltaTable]


def anomalies(dataset: Dataset, tables: Tables) -> list[Anomaly]:
    """How many staged rows have no key or share one, with some examples."""
    if not tables:
        return []
    shares = _shares(dataset, _rows(tables))
    found = [_missing(dataset, tables), *(_repeated(dataset, tables, share) for share in shares)]
    by_code: dict[str, Anomaly] = {}
    for code, count, examples in found:
        anomaly = by_code.setdefault(code, Anomaly(code, 0, []))
        anomaly.count += count
        anomaly.examples += examples[: sql.MAX_EXAMPLES - len(anomaly.examples)]
    return [anomaly for anomaly in by_code.values() if anomaly.count]


def _missing(dataset: Dataset, tables: Tables) -> tuple[str, int, list[str]]:
    return problems.KEY_MISSING.code, *_counted(tables, *sql.keyless(dataset, tables))


def _repeated(dataset: Dataset, tables: Tables, share: str) -> tuple[str, int, list[str]]:
    return problems.KEY_REPEATED.code, *_counted(tables, *sql.repeated(dataset, tables, share))


def _counted(tables: Tables, counting: str, showing: str) -> tuple[int, list[str]]:
    count = int(sql.rows(sql.query(tables, counting))[0]["count"] or 0)
    shown = sql.rows(sql.query(tables, showing)) if count else []
    return count, [json.dumps(row, default=str, ensure_ascii=False) for row in shown]


def sound(dataset: Dataset, tables: Tables) -> Iterator[Any]:
    """The staged rows that have a key of their own: a stream of batches for each share.

    A new stream must not be asked for while the engine is writing.
    """
    for share in _shares(dataset, _rows(tables)):
        yield sql.query(tables, sql.sound(dataset, tables, share))


def difference(
    dataset: Dataset, tables: Tables, table: DeltaTable, connection_id: str, company: str, rows_there: int
) -> Published:
    """How many staged rows are new, different or the same, and how many of the company's rows are gone."""
    counts = {"inserted": 0, "updated": 0, "unchanged": 0, "removed": 0}
    for share in _shares(dataset, _rows(tables) + rows_there):
        text = sql.difference(dataset, tables, connection_id, company, share)
        (found,) = sql.rows(sql.query({**tables, "t": table}, text))
        counts = {name: before + int(found[name] or 0) for name, before in counts.items()}
    return Published(counts["inserted"], counts["updated"], counts["unchanged"], counts["removed"])


def _rows(tables: Tables) -> int:
    return sum(table.count() for table in tables.values())


def _shares(dataset: Dataset, rows: int) -> list[str]:
    return sql.shares(dataset, -(-rows // ROWS_PER_SHARE))
