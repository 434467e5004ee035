"""Rows of JSON or XML into Arrow batches: exact decimals, dates without a zone, nothing lost without a word.

Such an ERP states no precision, so every decimal is held with ten decimals, which is more than any shows; one that has
more is rounded and counted as an anomaly.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING, Any

from erphub.erp import problems
from erphub.erp.datasets import Dataset, DatasetField, FieldType
from erphub.erp.reading import Anomaly

if TYPE_CHECKING:
    from arro3.core import Array, RecordBatch


SCALE = 10
_STEP = Decimal(1).scaleb(-SCALE)
_EXACT = Context(prec=76, rounding=ROUND_HALF_EVEN)
_LARGEST = Decimal(10) ** (38 - SCALE)
_EPOCH = date(1970, 1, 1).toordinal()
_TYPES = {
    FieldType.TEXT: "string",
    FieldType.INTEGER: "int64",
    FieldType.DECIMAL: f"decimal(38,{SCALE})",
    FieldType.DATE: "date32",
    FieldType.TIMESTAMP: "timestamp[us]",
    FieldType.BOOLEAN: "bool",
}
_EXAMPLES = 5

type Row = Mapping[str, Any]
"""A row by field: text, int, Decimal, date or None; a field that is not there is null."""


class Anomalies(dict[str, Anomaly]):
    """What was odd so far, by code."""

    def add(self, code: str, example: str) -> None:
        """Count one more, and keep a few to look at."""
        anomaly = self.setdefault(code, Anomaly(code, 0, []))
        anomaly.count += 1
        if len(anomaly.examples) < _EXAMPLES and example not in anomaly.examples:
            anomaly.examples.append(example)


def types_of(dataset: Dataset) -> dict[str, str]:
    """Every field's Arrow type."""
    return {field.name: _TYPES[field.type] for field in dataset.fields}


def batch(dataset: Dataset, rows: Sequence[Row], anomalies: Anomalies) -> "RecordBatch":
    """The rows as one Arrow batch with the dataset's fields in order. Raises ErpRefused (`decimal_too_wide`)."""
    from arro3.core import RecordBatch

    columns = [_column(field, [row.get(field.name) for row in rows], anomalies) for field in dataset.fields]
    return RecordBatch.from_arrays(columns, names=[field.name for field in dataset.fields])


def _column(field: DatasetField, values: list[Any], anomalies: Anomalies) -> "Array":
    from arro3.core import Array, DataType

    match field.type:
        case FieldType.TEXT:
            return Array([_text(value, field.name, anomalies) for value in values], DataType.string())
        case FieldType.INTEGER:
            return Array(values, DataType.int64())
        case FieldType.DATE:
            days = [None if value is None else value.toordinal() - _EPOCH for value in values]
            return Array(days, DataType.int32()).cast(DataType.date32())
        case FieldType.DECIMAL:
            held = [None if value is None else held_decimal(value, field.name, anomalies) for value in values]
            texts = [None if value is None else f"{value:f}" for value in held]
            return Array(texts, DataType.string()).cast(DataType.decimal128(38, SCALE))
        case FieldType.BOOLEAN:
            return Array(values, DataType.bool())
        case FieldType.TIMESTAMP:
            texts = [None if value is None else value.isoformat(sep=" ") for value in values]
            return Array(texts, DataType.string()).cast(DataType.timestamp("us"))


def _text(value: Any, name: str, anomalies: Anomalies) -> str | None:
    if value is None:
        return None
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        anomalies.add(problems.TEXT_NOT_UNICODE.code, f"{name}: {text[:40]!a}")
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def held_decimal(value: Decimal, name: str, anomalies: Anomalies) -> Decimal:
    """The decimal as the lake holds it. Raises ErpRefused (`decimal_too_wide`)."""
    if not value.is_finite() or abs(value) >= _LARGEST:
        raise problems.NUMBER_TOO_WIDE(name=name, value=value)
    held = value.quantize(_STEP, context=_EXACT)
    if held != value:
        anomalies.add(problems.DECIMALS_ROUNDED.code, f"{name}: {value}")
    return held
