"""What is selected of a table, and what becomes of each selected column: alike for every reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from erphub.erp.datasets import Dataset, DatasetField
from erphub.erp.transports.sqlserver.arrow import constant, nulls
from erphub.erp.transports.sqlserver.source import Bound
from erphub.erp.transports.sqlserver.statements import Column, Sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from arro3.core import Array


class Road[Values](Protocol):
    """How a reader asks for a column, and how it makes a field of what comes."""

    def expression(self, wanted: DatasetField, column: Column) -> Sql:
        """What to select."""
        ...

    def converter(self, wanted: DatasetField, column: Column, text: str) -> "Callable[[Values], Array]":
        """Makes the field of the selected values; `text` is its Arrow type. Raises ErpRefused for what it cannot be."""
        ...


@dataclass(frozen=True)
class Selection[Values]:
    """The selected columns in their order, and for each field how it is made of one of them, or of none."""

    columns: Sequence[Column]
    select: Sequence[Sql]
    places: "Sequence[tuple[int | None, Callable[[Any], Array]]]"
    """For each field of the dataset its place among the selected columns and its converter; or None, and what makes a
    column of so many rows.
    """

    def arrays(self, values: Sequence[Values], count: int) -> "list[Array]":
        """The fields of so many rows."""
        return [make(count if place is None else values[place]) for place, make in self.places]

    def place_of(self, dataset: Dataset, name: str | None) -> int | None:
        """Where the column behind a field is among the selected ones."""
        return self.places[[field.name for field in dataset.fields].index(name or "")][0]


def selection[Values](
    road: Road[Values], dataset: Dataset, bound: Bound, types: Mapping[str, str]
) -> Selection[Values]:
    """What to select for a dataset, and what to make of it."""
    columns: list[Column] = []
    select: list[Sql] = []
    places: list[tuple[int | None, Any]] = []
    for wanted in dataset.fields:
        text = types[wanted.name]
        column = bound.columns.get(wanted.name)
        if column is not None:
            places.append((len(select), road.converter(wanted, column, text)))
            columns.append(column)
            select.append(road.expression(wanted, column))
        elif wanted.name in bound.source.constants:
            places.append((None, constant(bound.source.constants[wanted.name], text)))
        else:
            places.append((None, nulls(text)))
    return Selection(columns, select, places)
