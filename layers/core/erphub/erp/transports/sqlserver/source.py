"""Where a dataset's fields come from in a database: tables and columns, looked up rather than assumed.

No two installations are alike. A field names the columns it may come from; the first that exists is used, a field
without one is reported and null, and columns nobody asked for are ignored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from erphub.erp.datasets import Dataset, DatasetField, FieldType
from erphub.erp.transports.sqlserver import problems
from erphub.erp.transports.sqlserver.driver import Session
from erphub.erp.transports.sqlserver.statements import COLUMNS, MAY_READ, OBJECTS, Column, literal, qualified
from erphub.platform.errors import ErpRefused

INTEGERS: Mapping[str, int] = {"bit": 1, "tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
"""Whole-number types and the digits they need."""
DECIMALS = frozenset({"decimal", "numeric", "money", "smallmoney"})
FLOATS = frozenset({"float", "real"})
TEXTS = frozenset({"char", "varchar", "text", "nchar", "nvarchar", "ntext", "sysname"})
INSTANTS = frozenset({"datetime", "datetime2", "smalldatetime"})
MOST_DIGITS = 38

FLOAT_SCALE = 12
"""Decimals kept of a float. A float becomes the shortest decimal that reads back as the same float (0.1 is 0.1, as
people see it), rounded half to even to 12 decimals; one of more than 26 digits before the point is refused."""

_SUITABLE: Mapping[FieldType, frozenset[str]] = {
    FieldType.TEXT: frozenset({*INTEGERS, *DECIMALS, *FLOATS, *TEXTS, *INSTANTS, "date", "time", "datetimeoffset"})
    | {"uniqueidentifier"},
    FieldType.INTEGER: frozenset({*INTEGERS, "decimal", "numeric"}),
    FieldType.DECIMAL: frozenset({*INTEGERS, *DECIMALS, *FLOATS}),
    # A day of an instant with an offset would depend on whose day is meant.
    FieldType.DATE: frozenset({"int", "bigint", "date", *INSTANTS}),
    FieldType.TIMESTAMP: frozenset({*INSTANTS, "date"}),
    FieldType.BOOLEAN: frozenset(INTEGERS),
}
_WHEN_MISSING: Mapping[FieldType, str] = {
    FieldType.TEXT: "string",
    FieldType.INTEGER: "int64",
    FieldType.DECIMAL: "decimal(1,0)",
    FieldType.DATE: "date32",
    FieldType.TIMESTAMP: "timestamp[us]",
    FieldType.BOOLEAN: "bool",
}


@dataclass(frozen=True)
class Source:
    """A table or view, and for each field the columns it may come from, the preferred one first.

    `key` is the whole-number column by which it may be read in parts, and `lowest` the first of its values that
    belongs to the dataset. `constants` are fields that the table itself stands for. An `optional` table may be absent.
    """

    table: str
    columns: Mapping[str, Sequence[str]]
    schema: str = "dbo"
    key: str | None = None
    lowest: int | None = None
    constants: Mapping[str, int] = field(default_factory=dict[str, int])
    optional: bool = False

    @property
    def object(self) -> str:
        """`[schema].[table]`."""
        return qualified(self.schema, self.table)


@dataclass(frozen=True)
class Bound:
    """A source as this database has it: the column behind each field that has one."""

    source: Source
    columns: Mapping[str, Column]
    key: Column | None

    def arrow_type(self, wanted: DatasetField) -> str:
        """The field's Arrow type. Raises ErpRefused `decimal_too_wide`, `column_type_unsuitable`."""
        column = self.columns.get(wanted.name)
        if column is None or wanted.type is not FieldType.DECIMAL:
            return _WHEN_MISSING[wanted.type]
        precision, scale = _digits(column)
        if not 0 < precision <= MOST_DIGITS or not 0 <= scale <= precision:
            raise problems.DECIMAL_TOO_WIDE(
                table=self.source.object, name=column.name, precision=precision, maximum=MOST_DIGITS
            )
        return f"decimal({precision},{scale})"


def _digits(column: Column) -> tuple[int, int]:
    """Precision and scale that hold every value of the column exactly (a float by the rule of FLOAT_SCALE)."""
    if column.type in INTEGERS:
        return INTEGERS[column.type], 0
    match column.type:
        case "money":
            return 19, 4
        case "smallmoney":
            return 10, 4
        case "float" | "real":
            return MOST_DIGITS, FLOAT_SCALE
        case _:
            return column.precision, column.scale


def bind(session: Session, dataset: Dataset, sources: Sequence[Source]) -> list[Bound]:
    """The dataset's sources as the current database has them; absent optional ones are left out.

    Raises ErpRefused `table_missing`, `permission_denied`, `column_missing` (a key, or the date of the periods),
    `column_type_unsuitable`.
    """
    bound = [_bind(session, dataset, source) for source in sources]
    present = [one for one in bound if one is not None]
    if not present:
        raise _table_missing(session, sources[0])
    return present


def _bind(session: Session, dataset: Dataset, source: Source) -> Bound | None:
    columns = [
        Column(name, (kind or "unknown").lower(), length, precision, scale, bool(nullable))
        for name, kind, length, precision, scale, nullable in session.rows(COLUMNS(object=literal(source.object)))
    ]
    if not columns:
        if source.optional:
            return None
        raise _table_missing(session, source)
    if not session.rows(MAY_READ(object=literal(source.object)))[0][0]:
        raise problems.TABLE_NOT_READABLE(table=source.object)
    found: dict[str, Column] = {}
    for wanted in dataset.fields:
        column = _first(columns, source.columns.get(wanted.name, ()))
        if column is not None:
            _suits(source, wanted, column)
            found[wanted.name] = column
        elif (wanted.key or wanted.name == dataset.date) and wanted.name not in source.constants:
            tried = ", ".join(source.columns.get(wanted.name, ())) or "none is mapped"
            raise problems.NEEDED_COLUMN_MISSING(
                table=source.object, name=wanted.name, description=wanted.description.lower(), tried=tried
            )
    key = _first(columns, [source.key] if source.key else ())
    return Bound(source, found, key)


def _first(columns: Sequence[Column], names: Sequence[str]) -> Column | None:
    """The first column of one of the names: spelled exactly so, or else but for capitals."""
    exact = {column.name: column for column in columns}
    lower = {column.name.lower(): column for column in reversed(columns)}
    return next((found for name in names if (found := exact.get(name) or lower.get(name.lower()))), None)


def _suits(source: Source, wanted: DatasetField, column: Column) -> None:
    suits = column.type in _SUITABLE[wanted.type]
    if wanted.type is FieldType.INTEGER and column.type in DECIMALS:
        suits = column.scale == 0
    if not suits:
        raise problems.COLUMN_TYPE_UNSUITABLE(
            table=source.object, column=column.name, type=column.type, wanted=wanted.name, wanted_type=wanted.type.value
        )


def _table_missing(session: Session, source: Source) -> ErpRefused:
    """Says what is there instead, when something is called nearly so."""
    objects = [qualified(schema, name) for schema, name, _ in session.rows(OBJECTS())]
    near = get_close_matches(source.object, objects, n=1, cutoff=0.75)
    hint = f" Did you mean {near[0]}?" if near else ""
    return problems.TABLE_MISSING(table=source.object, hint=hint)
