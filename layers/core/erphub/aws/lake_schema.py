"""The shape of the lake's tables: a dataset's fields, the company, the connection; decimals as wide as seen so far."""

import re
from collections.abc import Mapping

import arro3.core as ac
from deltalake import DeltaTable

from ..errors import ErpRefused
from ..models.dataset import Dataset, Kind

_DECIMAL = re.compile(r"decimal(?:128)?\((\d+),\s*(\d+)\)")
_PLAIN = {
    "string": ac.DataType.utf8(),
    "int64": ac.DataType.int64(),
    "date32": ac.DataType.date32(),
    "bool": ac.DataType.bool(),
    "timestamp[us]": ac.DataType.timestamp("us"),
}
_DELTA = {"string": "string", "long": "int64", "date": "date32", "boolean": "bool", "timestamp_ntz": "timestamp[us]"}
BY_KIND = {
    Kind.TEXT: "string",
    Kind.INTEGER: "int64",
    Kind.DATE: "date32",
    Kind.TIMESTAMP: "timestamp[us]",
    Kind.BOOLEAN: "bool",
    Kind.DECIMAL: "decimal(18,2)",
}
"""Types where no source has said anything better."""


def arrow_type(text: str) -> ac.DataType:
    """`decimal(18,2)` and its like as Arrow types. Raises ValueError for a name nobody published."""
    if found := _DECIMAL.fullmatch(text):
        return ac.DataType.decimal128(int(found[1]), int(found[2]))
    if text not in _PLAIN:
        raise ValueError(f"no such type: {text}")
    return _PLAIN[text]


def scale_of(text: str) -> int:
    """Digits after the decimal point; 0 for what is no decimal."""
    found = _DECIMAL.fullmatch(text)
    return int(found[2]) if found else 0


def staged_schema(dataset: Dataset, types: Mapping[str, str]) -> ac.Schema:
    """The columns of a file: the dataset's and the connection; the company is in the table's log."""
    fields = [
        ac.Field(
            field.name, arrow_type(types[field.name]), nullable=True, metadata={"key": "true"} if field.key else None
        )
        for field in dataset.fields
    ]
    return ac.Schema([*fields, ac.Field("connection", ac.DataType.utf8(), nullable=True)])


def arrow_schema(dataset: Dataset, types: Mapping[str, str]) -> ac.Schema:
    """The columns of a table."""
    return ac.Schema([*staged_schema(dataset, types), ac.Field("company", ac.DataType.utf8(), nullable=True)])


def types_of(table: DeltaTable) -> dict[str, str]:
    """The types of a table's fields, in our words, without the company and the connection."""
    types: dict[str, str] = {}
    for field in table.schema().fields:
        if field.name in ("company", "connection"):
            continue
        name = str(getattr(field.type, "type", field.type))
        types[field.name] = f"decimal({d[1]},{d[2]})" if (d := _DECIMAL.fullmatch(name)) else _DELTA[name]
    return types


def widest(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """For each field the narrowest type that holds both. Raises ErpRefused (`decimal_too_wide`)."""
    return {
        name: _wider(name, one.get(name) or other[name], other.get(name) or one[name])
        for name in dict.fromkeys([*other, *one])
    }


def _wider(name: str, one: str, other: str) -> str:
    first, second = _DECIMAL.fullmatch(one), _DECIMAL.fullmatch(other)
    if not first or not second:
        return one
    scale = max(int(first[2]), int(second[2]))
    whole = max(int(first[1]) - int(first[2]), int(second[1]) - int(second[2]))
    if whole + scale > 38:
        raise ErpRefused(
            f"The column {name} needs {whole} digits before and {scale} after the decimal point in different companies, "
            "and no exact decimal holds more than 38 in all. Ask the ERP's administrator to narrow the column.",
            code="decimal_too_wide",
        )
    return f"decimal({whole + scale},{scale})"
