"""The shape of the lake's tables: a dataset's fields, the company, the connection; decimals as wide as seen so far."""

from collections.abc import Mapping

import arro3.core as ac
from deltalake import DeltaTable

from erphub.erp.datasets import DECIMAL, Dataset

_PLAIN = {
    "string": ac.DataType.utf8(),
    "int64": ac.DataType.int64(),
    "date32": ac.DataType.date32(),
    "bool": ac.DataType.bool(),
    "timestamp[us]": ac.DataType.timestamp("us"),
}
_DELTA = {"string": "string", "long": "int64", "date": "date32", "boolean": "bool", "timestamp_ntz": "timestamp[us]"}


def arrow_type(text: str) -> ac.DataType:
    """`decimal(18,2)` and its like as Arrow types. Raises ValueError for a name nobody published."""
    if found := DECIMAL.fullmatch(text):
        return ac.DataType.decimal128(int(found[1]), int(found[2]))
    if text not in _PLAIN:
        raise ValueError(f"no such type: {text}")
    return _PLAIN[text]


def staged_schema(dataset: Dataset, types: Mapping[str, str]) -> ac.Schema:
    """The columns of a file: the connection and the dataset's; the company is in the table's log.

    What finds a file again comes first: a table's log holds statistics of the first 32 columns only.
    """
    finders = [name for name in (dataset.date, *dataset.keys) if name]
    fields = sorted(dataset.fields, key=lambda field: field.name not in finders)
    columns = [
        ac.Field(
            field.name,
            arrow_type(types[field.name]),
            nullable=True,
            metadata={"key": "true"} if field.key else None,
        )
        for field in fields
    ]
    return ac.Schema([ac.Field("connection", ac.DataType.utf8(), nullable=True), *columns])


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
        types[field.name] = f"decimal({d[1]},{d[2]})" if (d := DECIMAL.fullmatch(name)) else _DELTA[name]
    return types
