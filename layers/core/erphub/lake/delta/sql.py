"""Every question put to the table engine, in its SQL. Names are quoted, values are literals; nothing else gets in."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, cast

import arro3.core as ac
from deltalake import DeltaTable, QueryBuilder

from erphub.erp.datasets import Dataset, DatasetField, FieldType
from erphub.erp.reading import DateRange
from erphub.lake.ports import RowQuery

MAX_EXAMPLES = 20


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


def inside(column: str, date_range: DateRange) -> str:
    """The condition that a row is dated in the range."""
    bounds = [f"{name(column)} >= {literal(date_range.first)}"] if date_range.first else []
    bounds += [f"{name(column)} < {literal(date_range.end)}"] if date_range.end else []
    return " AND ".join(bounds) or "TRUE"


def totals(dataset: Dataset, tables: Iterable[str], scale: int, where: str = "TRUE") -> str:
    """Rows and the sum of the amount per day. The sum is taken in 76 digits: 38 could overflow."""
    period = name(dataset.date) if dataset.date else "CAST(NULL AS DATE)"
    amount = _summable(dataset.amount, scale) if dataset.amount else "0"
    rows = " UNION ALL ".join(
        f"SELECT {period} AS period, {amount} AS amount FROM {table} WHERE {where}"  # noqa: S608
        for table in tables
    )
    return f'SELECT period, count(*) AS "rows", sum(amount) AS amount FROM ({rows}) GROUP BY period'  # noqa: S608


def _summable(column: str, scale: int) -> str:
    return f"arrow_cast({name(column)}, 'Decimal256(76, {scale})')"


def control_totals(table: str, column: str | None, scale: int) -> str:
    """Rows, and the sum of a column when one is given."""
    amount = f"sum({_summable(column, scale)})" if column else "NULL"
    return f'SELECT count(*) AS "rows", {amount} AS amount FROM {table}'  # noqa: S608


def shares(dataset: Dataset, count: int) -> list[str]:
    """Conditions that divide rows into about so many equal shares: the same key always falls into the same one."""
    edges = [min(65536 * n // count, 65535) for n in range(1, count)]
    lower = [f"{_hash(dataset.keys)} >= X'{edge:04x}'" for edge in edges]
    upper = [f"{_hash(dataset.keys)} < X'{edge:04x}'" for edge in edges]
    return [" AND ".join(bounds) for bounds in zip(["TRUE", *lower], [*upper, "TRUE"], strict=True)]


def _hash(columns: Iterable[str]) -> str:
    """32 bytes that are the same for rows with the same values in these columns (which may not be NULL at once)."""
    return f"digest(concat_ws(' ', {_names(columns)}), 'blake3')"


def _digest(fields: Iterable[DatasetField]) -> str:
    """32 bytes that differ when a value does."""
    return f"digest(concat_ws(' ', {', '.join(map(_as_text, fields))}), 'blake3')"


def _as_text(field: DatasetField) -> str:
    """A value as text that no other value looks like, nor two of them: text comes with its length; NULL is nothing."""
    column = name(field.name)
    plain = (
        f"concat(octet_length({column}), ':', {column})"
        if field.type is FieldType.TEXT
        else f"CAST({column} AS VARCHAR)"
    )
    return f"CASE WHEN {column} IS NULL THEN '' ELSE {plain} END"


def before(dataset: Dataset, day: date, whose: tuple[str, str]) -> str:
    """The condition that a row is one company's and dated before a day."""
    return f"{part(*whose)} AND {inside(dataset.date or '', DateRange(None, day))}"


def keyless(dataset: Dataset, tables: Iterable[str]) -> tuple[str, str]:
    """Rows without a key: how to count them, how to show some."""
    keys = _names(dataset.keys)
    missing = " OR ".join(f"{name(key)} IS NULL" for key in dataset.keys)
    found = f"FROM ({_union(tables, keys)}) WHERE {missing}"
    return f"SELECT count(*) AS count {found}", f"SELECT {keys} {found} LIMIT {MAX_EXAMPLES}"


def repeated(dataset: Dataset, tables: Iterable[str], share: str) -> tuple[str, str]:
    """Rows of a share that have their key in common: how to count them, how to show some."""
    found = _repeated(dataset, tables, share)
    keys = _names(dataset.keys)
    return f"SELECT sum(times) AS count FROM ({found})", f"{found} ORDER BY {keys} LIMIT {MAX_EXAMPLES}"  # noqa: S608


def _repeated(dataset: Dataset, tables: Iterable[str], share: str) -> str:
    keys = _names(dataset.keys)
    rows = f"SELECT {keys} FROM ({_union(tables, keys)}) WHERE {_with_key(dataset)} AND {share}"  # noqa: S608
    return f"SELECT {keys}, count(*) AS times FROM ({rows}) GROUP BY {keys} HAVING count(*) > 1"  # noqa: S608


def _with_key(dataset: Dataset) -> str:
    return " AND ".join(f"{name(key)} IS NOT NULL" for key in dataset.keys)


def sound(dataset: Dataset, tables: Sequence[str] | Mapping[str, Any], share: str) -> str:
    """The staged rows of a share that have a key of their own. Only the few keys that are shared are held."""
    columns = [*(field.name for field in dataset.fields), "connection"]
    shown = ", ".join(f"s.{name(column)}" for column in columns)
    same_key = " AND ".join(f"r.{name(key)} = s.{name(key)}" for key in dataset.keys)
    staged = f"SELECT * FROM ({_union(tables, _names(columns))}) WHERE {_with_key(dataset)} AND {share}"  # noqa: S608
    return (
        f"SELECT {shown} FROM ({_repeated(dataset, tables, share)}) AS r RIGHT ANTI JOIN ({staged}) AS s ON {same_key}"  # noqa: S608
    )


def difference(
    dataset: Dataset, tables: Sequence[str] | Mapping[str, Any], connection_id: str, company: str, share: str
) -> str:
    """How many staged rows of a share are new, different or the same, and how many of the company's rows are gone."""
    others = [field for field in dataset.fields if not field.key]
    shown = f"{_names(dataset.keys)}, {_digest(others)} AS digest, TRUE AS here"
    columns = _names(field.name for field in dataset.fields)
    staged = _union(tables, columns) if tables else f"SELECT {columns} FROM t WHERE FALSE"  # noqa: S608
    new = f"SELECT {shown} FROM ({staged}) WHERE {share}"  # noqa: S608
    old = f"SELECT {shown} FROM t WHERE {part(company, connection_id)} AND {share}"  # noqa: S608
    same_key = " AND ".join(f"n.{name(key)} = o.{name(key)}" for key in dataset.keys)
    return (
        "SELECT "  # noqa: S608
        "sum(CASE WHEN o.here IS NULL THEN 1 ELSE 0 END) AS inserted, "
        "sum(CASE WHEN n.digest <> o.digest THEN 1 ELSE 0 END) AS updated, "
        "sum(CASE WHEN n.digest = o.digest THEN 1 ELSE 0 END) AS unchanged, "
        "sum(CASE WHEN n.here IS NULL THEN 1 ELSE 0 END) AS removed "
        f"FROM ({new}) AS n FULL OUTER JOIN ({old}) AS o ON {same_key}"
    )


def outside(dataset: Dataset, date_ranges: Sequence[DateRange]) -> str:
    """The rows of a table that none of the ranges holds, those without a date among them."""
    columns = _names([*(field.name for field in dataset.fields), "connection"])
    assert dataset.date is not None  # noqa: S101  a dataset without a date has no ranges
    replaced = " OR ".join(f"({inside(dataset.date, each)})" for each in date_ranges)
    return f"SELECT {columns} FROM t WHERE NOT ({replaced}) OR {name(dataset.date)} IS NULL"  # noqa: S608


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


def page(dataset: Dataset, wanted: RowQuery, keys: Sequence[str], rest: Sequence[str]) -> str:
    """One page of rows and one row more, sorted by `keys`, then by all the rest: the order is always the same."""
    conditions = ["TRUE"]
    if wanted.companies:
        conditions.append(f"company IN ({', '.join(literal(company) for company in wanted.companies)})")
    if wanted.connections:
        conditions.append(f"connection IN ({', '.join(literal(one) for one in wanted.connections)})")
    if wanted.hidden:
        conditions.append(f"connection NOT IN ({', '.join(literal(one) for one in wanted.hidden)})")
    if dataset.date and not wanted.date_range.everything:
        conditions.append(inside(dataset.date, wanted.date_range))
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
