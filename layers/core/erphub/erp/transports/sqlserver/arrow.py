"""Rows of a driver into Arrow columns: exactly, quickly, and saying what was odd.

Decimals and instants arrive as text (statements.py says why) and are parsed by Arrow. Arrow turns what it cannot parse
into null without a word; here nulls are counted before and after, so that a value is never lost that way.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from erphub.erp.datasets import DatasetField, FieldType
from erphub.erp.problems import TEXT_NOT_UNICODE
from erphub.erp.reading import Anomaly
from erphub.erp.transports.sqlserver import problems
from erphub.erp.transports.sqlserver.source import FLOAT_SCALE, FLOATS, INTEGERS, TEXTS
from erphub.erp.transports.sqlserver.statements import Column

if TYPE_CHECKING:
    from arro3.core import Array, DataType, Schema


_EPOCH = date(1970, 1, 1).toordinal()
_EXAMPLES = 5
_EXACT = Context(prec=76, rounding=ROUND_HALF_EVEN)
_FLOAT_STEP = Decimal(1).scaleb(-FLOAT_SCALE)

type Values = Sequence[Any]
type Convert = Callable[[Values], "Array"]


@dataclass
class Anomalies:
    """What was odd so far, by code, with a few examples each."""

    found: dict[str, Anomaly] = field(default_factory=dict[str, Anomaly])

    def add(self, code: str, example: str, count: int = 1) -> None:
        """Count one more, and keep the example if it is a new one of the first few."""
        anomaly = self.found.setdefault(code, Anomaly(code, 0, []))
        anomaly.count += count
        if len(anomaly.examples) < _EXAMPLES and example not in anomaly.examples:
            anomaly.examples.append(example)


class Days(dict[Any, int | None]):
    """Days since 1970 for each spelling of a date: the whole number 20260131, or text that begins 2026-01-31.

    0 is how an ERP writes "no date" and becomes null quietly; what is no day at all becomes null and is in `bad`.
    """

    def __init__(self) -> None:
        super().__init__({None: None, 0: None})
        self.bad: set[Any] = set()

    def __missing__(self, spelled: Any) -> int | None:
        if len(self) > 100_000:  # instants have no end of spellings
            self.clear()
            self.update({None: None, 0: None, **dict.fromkeys(self.bad)})
        day = self.day(spelled)
        if day is None:
            self.bad.add(spelled)
        self[spelled] = days = None if day is None else day.toordinal() - _EPOCH
        return days

    @staticmethod
    def day(spelled: Any) -> date | None:
        """The day, or None for what is none (also for 0 and None)."""
        try:
            match spelled:
                case int():
                    return date(spelled // 10000, spelled // 100 % 100, spelled % 100)
                case str():
                    return date.fromisoformat(spelled[:10])
                case date():
                    return date(spelled.year, spelled.month, spelled.day)
                case _:
                    return None
        except (ValueError, OverflowError):
            return None


def data_type(text: str) -> "DataType":
    """The Arrow type that a plan's `types` names."""
    from arro3.core import DataType

    if text.startswith("decimal("):
        precision, scale = map(int, text[len("decimal(") : -1].split(","))
        return DataType.decimal128(precision, scale)
    simple: Mapping[str, Callable[[], DataType]] = {
        "string": DataType.string,
        "int64": DataType.int64,
        "date32": DataType.date32,
        "bool": DataType.bool,
        "timestamp[us]": lambda: DataType.timestamp("us"),
    }
    return simple[text]()


def schema_of(types: Mapping[str, str]) -> "Schema":
    """The Arrow schema of a plan's `types`."""
    from arro3.core import Field, Schema

    return Schema([Field(name, data_type(text)) for name, text in types.items()])


def nulls(text: str) -> Callable[[int], "Array"]:
    """Makes a column of nothing but nulls."""
    from arro3.core import Array, DataType

    wanted = data_type(text)

    @lru_cache(maxsize=2)
    def make(count: int) -> Array:
        return Array([None] * count, DataType.string()).cast(wanted)

    return make


def constant(value: int, text: str) -> Callable[[int], "Array"]:
    """Makes a column of one value."""
    from arro3.core import Array, DataType

    wanted = data_type(text)

    @lru_cache(maxsize=2)
    def make(count: int) -> Array:
        return Array([value] * count, DataType.int64()).cast(wanted)

    return make


def converter(wanted: DatasetField, column: Column, text: str, days: Days, anomalies: Anomalies) -> Convert:
    """How values of the column become the field. The function raises ErpRefused for what cannot be held exactly."""
    from arro3.core import Array, DataType

    final, int64, string = data_type(text), DataType.int64(), DataType.string()
    name = wanted.name

    def texts(values: Values) -> Array:
        try:
            return Array(values, string)
        except UnicodeEncodeError:
            return Array([_mended(value, name, anomalies) for value in values], string)

    def cast_texts(values: Values) -> Array:
        plain = Array(values, string)
        return same_nulls(plain, plain.cast(final), values, wanted)

    def dates(values: Values) -> Array:
        numbers = [days[value] for value in values]
        if days.bad:
            _note_bad_days(values, days, name, anomalies)
        return Array(numbers, DataType.int32()).cast(final)

    match wanted.type:
        case FieldType.DATE:
            return dates
        case FieldType.TEXT if column.type == "bit":
            return lambda values: Array(_each(values, lambda value: "1" if value else "0"), string)
        case FieldType.TEXT if column.type in INTEGERS:
            return lambda values: Array(values, int64).cast(string)
        case FieldType.TEXT if column.type in FLOATS:
            return lambda values: Array(_each(values, _float_text(column)), string)
        case FieldType.TEXT if column.type == "time":
            return lambda values: Array(_each(values, str), string)
        case FieldType.TEXT:
            return texts if column.type in TEXTS else lambda values: Array(values, string)
        case FieldType.BOOLEAN:
            return lambda values: Array(_each(values, bool), final)
        case FieldType.INTEGER if column.type in INTEGERS:
            return lambda values: Array(values if column.type != "bit" else _each(values, int), int64)
        case FieldType.DECIMAL if column.type in INTEGERS:
            return lambda values: Array(values if column.type != "bit" else _each(values, int), int64).cast(final)
        case FieldType.DECIMAL if column.type in FLOATS:
            shortest = _float_text(column)
            return lambda values: cast_texts(
                _each(values, lambda value: _float_decimal(shortest(value), name, anomalies))
            )
        case (
            FieldType.DECIMAL | FieldType.INTEGER | FieldType.TIMESTAMP
        ):  # numbers with decimals, and instants: both arrive as text
            return cast_texts


def _each(values: Values, turn: Callable[[Any], Any]) -> list[Any]:
    return [None if value is None else turn(value) for value in values]


def same_nulls(before: "Array", after: "Array", values: Values, wanted: DatasetField) -> "Array":
    """The column after a cast, when it has no more nulls than before. Raises ErpRefused `decimal_too_wide`,
    `value_unreadable`.
    """
    if after.null_count == before.null_count:
        return after
    held = cast(Sequence[Any], after.to_pylist())  # pyright: ignore[reportUnknownMemberType]
    lost = next(value for value, kept in zip(values, held, strict=True) if value is not None and kept is None)
    if wanted.type is FieldType.TIMESTAMP:
        raise problems.VALUE_NO_INSTANT(name=wanted.name, lost=str(lost)[:60])
    raise problems.NUMBER_TOO_WIDE(name=wanted.name, lost=str(lost)[:60])


def _mended(value: str | None, name: str, anomalies: Anomalies) -> str | None:
    """Text with halves of characters, which no exchange format knows, replaced by the mark for such."""
    if value is None:
        return None
    mended = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if mended != value:
        anomalies.add(TEXT_NOT_UNICODE.code, f"{name}: {mended[:60]}")
    return mended


def _note_bad_days(values: Values, days: Days, name: str, anomalies: Anomalies) -> None:
    for value in values:
        if value in days.bad:
            anomalies.add(problems.BAD_DATE.code, f"{name}: {str(value)[:30]}")


def _float_text(column: Column) -> Callable[[float], str]:
    return _real_text if column.type == "real" else repr


def _real_text(value: float) -> str:
    """The shortest decimal that reads back as the same 4-byte float (0.1, where repr says 0.10000000149011612)."""
    for digits in range(1, 9):
        shorter = f"{value:.{digits}g}"
        if struct.pack("f", float(shorter)) == struct.pack("f", value):
            return shorter
    return f"{value:.9g}"


def _float_decimal(shortest: str, name: str, anomalies: Anomalies) -> str:
    """The text of the decimal a float becomes, by the rule of FLOAT_SCALE."""
    exact = Decimal(shortest)
    held = exact.quantize(_FLOAT_STEP, context=_EXACT) if exact.adjusted() < 60 else exact
    if held != exact:
        anomalies.add(problems.FLOAT_ROUNDED.code, f"{name}: {shortest}")
    return f"{held:f}"
