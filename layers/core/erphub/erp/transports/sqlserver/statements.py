"""Every sentence the hub ever says to a SQL Server, and how names and values get into it.

No other module holds T-SQL. A statement is a text with holes; a hole names what may stand in it, and only
`quote`, `literal`, `expression` and `condition` ever fill one. Values are rendered here, not by the driver:
pymssql substitutes `%` client-side and would stumble over a `%` in a table's name.

    {x:name}         an identifier, quoted with brackets
    {x:value}        a literal
    {x:columns}      a list of column expressions
    {x:condition}    nothing, or a WHERE clause

The short list `ALL` is what must be run once on a real server before a release, and all that the stand-in
server answers to.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NewType

Sql = NewType("Sql", str)

_HOLE = re.compile(r"\{(\w+):(name|value|columns|condition)\}")


@dataclass(frozen=True)
class Statement:
    """One sentence with holes; calling it with what fills them gives the text to send."""

    name: str
    text: str

    def __call__(self, **fillings: Sql) -> Sql:
        """The text with every hole filled. Raises KeyError for a hole that is not."""
        return Sql(_HOLE.sub(lambda hole: fillings[hole[1]], self.text))


@dataclass(frozen=True)
class Column:
    """A column as `sys.columns` describes it: `type` is the base type's name in lower case."""

    name: str
    type: str
    max_length: int
    precision: int
    scale: int
    nullable: bool


@dataclass(frozen=True)
class Span:
    """The rows a statement is about: `low <= column < high`, either end open, and whether NULLs belong to it."""

    column: str
    low: int | date | str | None = None
    high: int | date | str | None = None
    with_nulls: bool = False


def quote(identifier: str) -> Sql:
    """The identifier in brackets, as T-SQL wants it: `a]b` becomes `[a]]b]`."""
    if not identifier or "\0" in identifier or len(identifier) > 128:
        raise ValueError("a SQL Server identifier has 1 to 128 characters and no NUL")
    return Sql("[" + identifier.replace("]", "]]") + "]")


def qualified(schema: str, table: str) -> str:
    """`[schema].[table]`, as `OBJECT_ID` and `HAS_PERMS_BY_NAME` take it (as a value, not as an identifier)."""
    return f"{quote(schema)}.{quote(table)}"


def literal(value: int | date | str) -> Sql:
    """The value as T-SQL writes it; dates in the one form no language setting can misread."""
    match value:
        case bool():
            raise TypeError("SQL Server has no boolean literal")
        case int():
            return Sql(str(value))
        case date():
            return Sql(f"'{value.isoformat().replace('-', '')}'")  # strftime writes the year 999 with three digits
        case str():
            return Sql("N'" + value.replace("'", "''") + "'")


_AS_TEXT: Mapping[str, str] = {
    "decimal": "CONVERT(varchar(41), {})",
    "numeric": "CONVERT(varchar(41), {})",
    "money": "CONVERT(varchar(41), {}, 2)",
    "smallmoney": "CONVERT(varchar(41), {}, 2)",
    "uniqueidentifier": "CONVERT(varchar(36), {})",
    "date": "CONVERT(varchar(10), {}, 23)",
    "datetime": "CONVERT(varchar(27), {}, 126)",
    "datetime2": "CONVERT(varchar(27), {}, 126)",
    "smalldatetime": "CONVERT(varchar(27), {}, 126)",
    "datetimeoffset": "CONVERT(varchar(34), {}, 126)",
}

_CODE_PAGE_TEXTS = frozenset({"char", "varchar", "text"})
MAX_NVARCHAR = 4000
_INSTANTS = frozenset({"datetime", "datetime2", "smalldatetime"})


def expression(column: Column, *, total: bool = False) -> Sql:
    """How to select the column (or its SUM): exact types travel as text, which is exact and cheaper to receive.

    A decimal costs pymssql 4.7 µs as `Decimal` and 2.6 µs as text; Arrow parses the text in 0.2 µs. Text of a code page
    travels as Unicode: the server knows its own code pages whole, while FreeTDS makes a question mark of each byte that
    has no character in one (81, 8D, 8F, 90, 9D of windows-1252).
    """
    if column.type in _CODE_PAGE_TEXTS and not total:
        width = str(column.max_length) if 0 < column.max_length <= MAX_NVARCHAR else "max"
        return Sql(f"CONVERT(nvarchar({width if column.type != 'text' else 'max'}), {quote(column.name)})")
    inner = f"SUM({quote(column.name)})" if total else quote(column.name)
    return Sql(_AS_TEXT.get(column.type, "{}").format(inner))


def day(column: Column) -> Sql:
    """How to select the adapter's day: whole numbers as they are, dates and instants as `2026-01-31`."""
    if column.type in _INSTANTS:
        return Sql(_AS_TEXT["date"].format(quote(column.name)))
    return expression(column)


def listed(expressions: Sequence[Sql]) -> Sql:
    """A select list of the expressions, in their order."""
    return Sql(", ".join(expressions))


def condition(span: Span | None) -> Sql:
    """The WHERE clause of a span; the empty text when it holds every row."""
    if span is None or (span.low is None and span.high is None and span.with_nulls):
        return Sql("")
    column = quote(span.column)
    bounds: list[str] = []
    if span.low is not None:
        bounds.append(f"{column} >= {literal(span.low)}")
    if span.high is not None:
        bounds.append(f"{column} < {literal(span.high)}")
    inside = " AND ".join(bounds)
    if not span.with_nulls:
        return Sql(f" WHERE {inside}" if inside else f" WHERE {column} IS NOT NULL")
    return Sql(f" WHERE ({inside}) OR {column} IS NULL")


# Who the server is, by its own account: the name that was typed may be one of several for the same server.
IDENTITY = Statement(
    "identity",
    "SELECT CONVERT(nvarchar(128), SERVERPROPERTY('ServerName')), "
    "CONVERT(nvarchar(128), SERVERPROPERTY('ProductVersion')), "
    "CONVERT(nvarchar(128), SERVERPROPERTY('Edition')), SUSER_SNAME()",
)
# Every database the login may know of; access is 1, 0, or NULL for one that is offline or being restored.
DATABASES = Statement(
    "databases",
    "SELECT d.name, HAS_DBACCESS(d.name), d.state_desc, d.snapshot_isolation_state, "
    "CONVERT(varchar(36), d.service_broker_guid) FROM sys.databases AS d ORDER BY d.name",
)
# Tables and views of the current database, for a user who maps them by hand.
OBJECTS = Statement(
    "objects",
    "SELECT s.name, o.name, RTRIM(o.type) FROM sys.objects AS o JOIN sys.schemas AS s ON s.schema_id = o.schema_id "
    "WHERE o.type IN ('U', 'V') ORDER BY s.name, o.name",
)
# The columns of one table or view, with base types (an alias type shows as what it stands for).
COLUMNS = Statement(
    "columns",
    "SELECT c.name, t.name, c.max_length, c.[precision], c.scale, c.is_nullable FROM sys.columns AS c "
    "LEFT JOIN sys.types AS t ON t.user_type_id = c.system_type_id "
    "WHERE c.object_id = OBJECT_ID({object:value}) ORDER BY c.column_id",
)
# 1 may read, 0 may not, NULL when there is no such object.
MAY_READ = Statement("may_read", "SELECT HAS_PERMS_BY_NAME({object:value}, 'OBJECT', 'SELECT')")
ONE_ROW = Statement("one_row", "SELECT TOP (1) {columns:columns} FROM {schema:name}.{table:name}")
EXTENT = Statement(
    "extent", "SELECT COUNT_BIG(*), MIN({key:name}), MAX({key:name}) FROM {schema:name}.{table:name}{where:condition}"
)
# Rows, and the sum of one amount, per day: what a range holds, and what must have arrived. The period is the column
# itself when it holds days, and its day as text (style 23) when it holds instants.
COUNTS = Statement(
    "counts",
    "SELECT {period:columns}, COUNT_BIG(*) FROM {schema:name}.{table:name}{where:condition} "
    "GROUP BY {period:columns} ORDER BY {period:columns}",
)
TOTALS = Statement(
    "totals",
    "SELECT {period:columns}, COUNT_BIG(*), {total:columns} FROM {schema:name}.{table:name}{where:condition} "
    "GROUP BY {period:columns} ORDER BY {period:columns}",
)
ROWS = Statement("rows", "SELECT {columns:columns} FROM {schema:name}.{table:name}{where:condition}")
# How many rows the statement before it on this connection gave. Source: Microsoft, "ROWCOUNT_BIG (Transact-SQL)".
ROW_COUNT = Statement("row_count", "SELECT ROWCOUNT_BIG()")
LOCK_TIMEOUT = Statement("lock_timeout", "SET LOCK_TIMEOUT {milliseconds:value}")
SNAPSHOT = Statement("snapshot", "SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
READ_COMMITTED = Statement("read_committed", "SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
BEGIN = Statement("begin", "BEGIN TRANSACTION")
COMMIT = Statement("commit", "COMMIT TRANSACTION")

ALL: tuple[Statement, ...] = (
    IDENTITY,
    DATABASES,
    OBJECTS,
    COLUMNS,
    MAY_READ,
    ONE_ROW,
    EXTENT,
    COUNTS,
    TOTALS,
    ROWS,
    ROW_COUNT,
    LOCK_TIMEOUT,
    SNAPSHOT,
    READ_COMMITTED,
    BEGIN,
    COMMIT,
)
