"""The names of the lake's column types, and the narrowest decimal that holds two others exactly."""

import re
from collections.abc import Mapping

from ..errors import ErpRefused
from .dataset import Dataset, Kind

DECIMAL = re.compile(r"decimal(?:128)?\((\d+),\s*(\d+)\)")
BY_KIND = {
    Kind.TEXT: "string",
    Kind.INTEGER: "int64",
    Kind.DATE: "date32",
    Kind.TIMESTAMP: "timestamp[us]",
    Kind.BOOLEAN: "bool",
    Kind.DECIMAL: "decimal(18,2)",
}
"""Types where no source has said anything better."""


def scale_of(text: str) -> int:
    """Digits after the decimal point; 0 for what is no decimal."""
    found = DECIMAL.fullmatch(text)
    return int(found[2]) if found else 0


def complete(dataset: Dataset, types: Mapping[str, str]) -> dict[str, str]:
    """A type for every field of the dataset, in the dataset's order."""
    return {field.name: types.get(field.name) or BY_KIND[field.kind] for field in dataset.fields}


def widest(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """For each field the narrowest type that holds both. Raises ErpRefused (`decimal_too_wide`)."""
    return {
        name: _wider(name, one.get(name) or other[name], other.get(name) or one[name])
        for name in dict.fromkeys([*other, *one])
    }


def _wider(name: str, one: str, other: str) -> str:
    first, second = DECIMAL.fullmatch(one), DECIMAL.fullmatch(other)
    if not first or not second:
        return one
    scale = max(int(first[2]), int(second[2]))
    whole = max(int(first[1]) - int(first[2]), int(second[1]) - int(second[2]))
    if whole + scale > 38:
        raise ErpRefused(
            f"The column {name} needs {whole} digits before and {scale} after the decimal point in different "
            "companies, and no exact decimal holds more than 38 in all. Ask the ERP's administrator to narrow it.",
            code="decimal_too_wide",
        )
    return f"decimal({whole + scale},{scale})"
