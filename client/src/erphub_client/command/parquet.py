"""Rows as a Parquet file, with the types that the dataset's columns have in the lake."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any, BinaryIO

from erphub_client.generated import models as m

# It describes no types of its own.
pa: Any = import_module("pyarrow")
pq: Any = import_module("pyarrow.parquet")
_DECIMAL = re.compile(r"decimal(?:128)?\((\d+), ?(\d+)\)")


def write(file: BinaryIO, columns: Sequence[m.Column], groups: Iterable[Sequence[Mapping[str, Any]]]) -> None:
    """Write each group of rows as one of the file's."""
    readers = {one.name: _type(one.type) for one in columns}
    schema = pa.schema([(name, kind) for name, (kind, _) in readers.items()])
    with pq.ParquetWriter(file, schema) as writer:
        for rows in groups:
            made = {
                name: pa.array([None if (value := row.get(name)) is None else read(value) for row in rows], kind)
                for name, (kind, read) in readers.items()
            }
            writer.write_table(pa.table(made, schema=schema))


def _type(name: str) -> tuple[Any, Callable[[Any], Any]]:
    """The Arrow type of this name, and what reads a value of JSON as it; text for a type that is not known here."""
    if found := _DECIMAL.fullmatch(name):
        return pa.decimal128(int(found[1]), int(found[2])), lambda value: Decimal(str(value))
    if name.startswith("date"):
        return pa.date32(), date.fromisoformat
    if name.startswith("timestamp"):
        zone = "UTC" if "utc" in name.lower() or "tz" in name else None
        return pa.timestamp("us", zone), datetime.fromisoformat
    plain: dict[str, tuple[Any, Callable[[Any], Any]]] = {
        "bool": (pa.bool_(), bool),
        "boolean": (pa.bool_(), bool),
        "int32": (pa.int32(), int),
        "int64": (pa.int64(), int),
        "integer": (pa.int64(), int),
    }
    return plain.get(name, (pa.string(), str))
