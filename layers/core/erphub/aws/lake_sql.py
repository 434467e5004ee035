"""Every question put to the table engine, in its SQL. Names are quoted, values are literals; nothing else gets in."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, cast

import arro3.core as ac
from deltalake import DeltaTable, QueryBuilder

from ..models.dataset import Dataset
from ..ports.erp import Window
from ..ports.imports import RowsWanted

EXAMPLES = 20


def query(tables: Mapping[str, DeltaTable], text: str) -> Any:
    """The answer as a stream of batches."""
    builder = QueryBuilder()
    for name, table in tables.items():
        builder = builder.register(name, table)
    return builder.execute(text)


def rows(answer: Iterable[Any]) -> list[dict[str, Any]]:
    """An answer that is known to be small, as dicts."""
    found: list[dict[str, Any]] = []
    for batch in answer:
        structs: Any = ac.RecordBatch.from_arrow(batch).to_struct_array()
        found += cast(list[dict[str, Any]], structs.to_pylist())
    return found


def name(identifier: str) -> str:
    """A column's name in double quotes."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A value as the engine reads it back unchanged."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | Decimal():
            return str(value)
        case date():
            return f"DATE '{value.isoformat()[:10]}'"
        case _:
            return "'" + str(value).replace("'", "''") + "'"


def _names(identifiers: Iterable[str]) -> str:
    return ", ".join(name(identifier) for identifier in identifiers)


def _union(tables: Iterable[str], columns: str) -> str:
    return " UNION ALL ".join(f"SELECT {columns} FROM {table}" for table in tables)  # noqa: S608  names are quoted


def inside(column: str, window: Window) -> str:
    """The condition that a row is of the window."""
    bounds = [f"{name(column)} >= {literal(window.first)}"] if window.first else []
    bounds += [f"{name(column)} < {literal(window.end)}"] if window.end else []
    return " AND ".join(bounds) or "TRUE"


def totals(dataset: Dataset, tables: Iterable[str], scale: int) -> str:
    """Rows and the sum of the amount per day. The sum is taken in 76 digits: 38 could overflow."""
    period = name(dataset.date) if dataset.date else "CAST(NULL AS DATE)"
    amount = f"arrow_cast({name(dataset.amount)}, 'Decimal256(76, {scale})')" if dataset.amount else "0"
    columns = f"{period} AS period, {amount} AS amount"
    return f'SELECT period, count(*) AS "rows", sum(amount) AS amount FROM ({_union(tables, columns)}) GROUP BY period'  # noqa: S608


def key_problems(dataset: Dataset, tables: Sequence[str] | Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """For rows without a key and rows that share one: a code, how to count them, how to show some."""
    keys = _names(dataset.keys)
    union = _union(tables, keys)
    missing = " OR ".join(f"{name(key)} IS NULL" for key in dataset.keys)
    complete = " AND ".join(f"{name(key)} IS NOT NULL" for key in dataset.keys)
    shared = f"SELECT {keys}, count(*) AS times FROM ({union}) WHERE {complete} GROUP BY {keys} HAVING count(*) > 1"  # noqa: S608
    return [
        (
            "key_missing",
            f"SELECT count(*) AS count FROM ({union}) WHERE {missing}",  # noqa: S608
            f"SELECT {keys} FROM ({union}) WHERE {missing} LIMIT {EXAMPLES}",  # noqa: S608
        ),
        (
            "key_repeated",
            f"SELECT sum(times) AS count FROM ({shared})",  # noqa: S608
            f"{shared} ORDER BY {keys} LIMIT {EXAMPLES}",
        ),
    ]


def sound(dataset: Dataset, tables: Iterable[str]) -> str:
    """The staged rows that have a key of their own."""
    columns = _names([*(field.name for field in dataset.fields), "connection"])
    complete = " AND ".join(f"{name(key)} IS NOT NULL" for key in dataset.keys)
    sharing = f"count(*) OVER (PARTITION BY {_names(dataset.keys)})"
    counted = f"SELECT {columns}, {sharing} AS times FROM ({_union(tables, columns)})"  # noqa: S608
    return f"SELECT {columns} FROM ({counted}) WHERE times = 1 AND {complete}"  # noqa: S608


def difference(dataset: Dataset, tables: Sequence[str] | Mapping[str, Any], connection_id: str, company: str) -> str:
    """How many staged rows are new, different or the same, and how many of the company's rows are gone."""
    fields = [field.name for field in dataset.fields]
    columns = _names(fields)
    shown = f"{columns}, TRUE AS here"
    old = f"SELECT {shown} FROM t WHERE {part(company, connection_id)}"  # noqa: S608
    new = _union(tables, shown) if tables else f"SELECT {shown} FROM t WHERE FALSE"  # noqa: S608
    same_key = " AND ".join(f"n.{name(key)} = o.{name(key)}" for key in dataset.keys)
    others = [field for field in fields if field not in dataset.keys]
    changed = " OR ".join(f"(n.{name(field)} IS DISTINCT FROM o.{name(field)})" for field in others) or "FALSE"
    both = "n.here IS NOT NULL AND o.here IS NOT NULL"
    return (
        "SELECT "  # noqa: S608
        "sum(CASE WHEN o.here IS NULL THEN 1 ELSE 0 END) AS inserted, "
        f"sum(CASE WHEN {both} AND ({changed}) THEN 1 ELSE 0 END) AS updated, "
        f"sum(CASE WHEN {both} AND NOT ({changed}) THEN 1 ELSE 0 END) AS unchanged, "
        "sum(CASE WHEN n.here IS NULL THEN 1 ELSE 0 END) AS removed "
        f"FROM ({new}) AS n FULL OUTER JOIN ({old}) AS o ON {same_key}"
    )


def outside(dataset: Dataset, windows: Sequence[Window]) -> str:
    """The rows of a table that none of the windows holds, those without a date among them."""
    columns = _names([*(field.name for field in dataset.fields), "connection"])
    assert dataset.date is not None  # noqa: S101  a dataset without a date has no windows
    held = " OR ".join(f"({inside(dataset.date, window)})" for window in windows)
    return f"SELECT {columns} FROM t WHERE NOT ({held}) OR {name(dataset.date)} IS NULL"  # noqa: S608


def days_with(dataset: Dataset, column: str, values: Iterable[str], whose: tuple[str, str], before: date) -> str:
    """On which days before one a company has rows with one of the values in a column."""
    assert dataset.date is not None  # noqa: S101  a dataset without a date has no days
    day, listed = name(dataset.date), ", ".join(literal(value) for value in values)
    return (
        f"SELECT DISTINCT {day} AS day FROM t WHERE {part(*whose)} AND {day} < {literal(before)} "  # noqa: S608
        f"AND {name(column)} IN ({listed})"
    )


def _cast_list(dataset: Dataset, types: Mapping[str, str]) -> str:
    return ", ".join(
        f"CAST({name(field.name)} AS {types[field.name].upper()}) AS {name(field.name)}"
        if types[field.name].startswith("decimal")
        else name(field.name)
        for field in dataset.fields
    )


def part_as(dataset: Dataset, types: Mapping[str, str], company: str, connection_id: str) -> str:
    """One company's rows of a table, with other decimals."""
    return f"SELECT {_cast_list(dataset, types)}, connection FROM t WHERE {part(company, connection_id)}"  # noqa: S608


def part(company: str, connection_id: str) -> str:
    """The condition that a row is of this company and came through this connection."""
    return f"company = {literal(company)} AND connection = {literal(connection_id)}"


def staged_as(dataset: Dataset, tables: Iterable[str], types: Mapping[str, str]) -> str:
    """What was staged, with other decimals."""
    return _union(tables, f"{_cast_list(dataset, types)}, connection")


def page(dataset: Dataset, wanted: RowsWanted, keys: Sequence[str], rest: Sequence[str]) -> str:
    """One page of rows and one row more, sorted by `keys`, then by all the rest: the order is always the same."""
    conditions = ["TRUE"]
    if wanted.companies:
        conditions.append(f"company IN ({', '.join(literal(company) for company in wanted.companies)})")
    if wanted.connections:
        conditions.append(f"connection IN ({', '.join(literal(one) for one in wanted.connections)})")
    if wanted.hidden:
        conditions.append(f"connection NOT IN ({', '.join(literal(one) for one in wanted.hidden)})")
    if dataset.date and not wanted.window.everything:
        conditions.append(inside(dataset.date, wanted.window))
    if wanted.after is not None:
        conditions.append(_not_before(keys, wanted.after))
    columns = _names(dict.fromkeys([*(column for column in wanted.columns if column in rest), *keys]))
    ordered = ", ".join(f"{name(column)} ASC NULLS FIRST" for column in [*keys, *rest])
    return (
        f"SELECT {columns} FROM t WHERE {' AND '.join(f'({condition})' for condition in conditions)} "  # noqa: S608
        f"ORDER BY {ordered} LIMIT {wanted.limit + 1} OFFSET {wanted.skip}"
    )


def _not_before(keys: Sequence[str], after: Sequence[Any]) -> str:
    """The condition that a row's sort key is this one or a later one; NULL comes first."""
    same: list[str] = []
    later: list[str] = []
    for key, value in zip(keys, after, strict=True):
        column = name(key)
        greater = f"{column} IS NOT NULL" if value is None else f"{column} > {literal(value)}"
        later.append(" AND ".join([*same, greater]))
        same.append(f"{column} IS NULL" if value is None else f"{column} = {literal(value)}")
    condition = " OR ".join(f"({case})" for case in [*later, " AND ".join(same)])
    if after[0] is None:
        return condition
    # Said once more on its own, the first column finds the files that cannot hold such rows.
    return f"{name(keys[0])} >= {literal(after[0])} AND ({condition})"
