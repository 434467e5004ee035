"""What is selected of a table, and what becomes of each selected column: alike for every reader."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from erphub.erp.datasets import Dataset, DatasetField
from erphub.erp.transports.sqlserver.arrow import Anomalies, Days, constant, nulls, schema_of
from erphub.erp.transports.sqlserver.driver import Stream
from erphub.erp.transports.sqlserver.source import Bound
from erphub.erp.transports.sqlserver.statements import Column, Sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from arro3.core import Array, RecordBatch


class Conversion[Values](ABC):
    """How a kind of reader asks for a table's columns, and makes a dataset's fields of what comes.

    `types` are the Arrow types of the dataset's fields; what is odd about values is added to `anomalies`.
    """

    def __init__(
        self, dataset: Dataset, bound: Bound, types: Mapping[str, str], days: Days, anomalies: Anomalies
    ) -> None:
        self._dataset, self._days, self._anomalies = dataset, days, anomalies
        self._schema = schema_of(types)
        self._selection = _selection(self, dataset, bound, types)

    @property
    def select(self) -> Sequence[Sql]:
        """What to ask for."""
        return self._selection.select

    @abstractmethod
    def expression(self, wanted: DatasetField, column: Column) -> Sql:
        """What to select for a field of a column."""

    @abstractmethod
    def converter(self, wanted: DatasetField, column: Column, text: str) -> "Callable[[Values], Array]":
        """Makes the field of the selected values; `text` is its Arrow type. Raises ErpRefused for what it cannot be."""

    @abstractmethod
    def batches(self, stream: Stream, *, drops_dayless: bool) -> "Iterator[RecordBatch]":
        """What the stream brings, in batches of bounded size; without rows whose date is no day if these are dropped.

        Raises HubError.
        """


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


def _selection[Values](
    conversion: Conversion[Values], dataset: Dataset, bound: Bound, types: Mapping[str, str]
) -> Selection[Values]:
    """What to select for a dataset, and what to make of it."""
    columns: list[Column] = []
    select: list[Sql] = []
    places: list[tuple[int | None, Any]] = []
    for wanted in dataset.fields:
        text = types[wanted.name]
        column = bound.columns.get(wanted.name)
        if column is not None:
            places.append((len(select), conversion.converter(wanted, column, text)))
            columns.append(column)
            select.append(conversion.expression(wanted, column))
        elif wanted.name in bound.source.constants:
            places.append((None, constant(bound.source.constants[wanted.name], text)))
        else:
            places.append((None, nulls(text)))
    return Selection(columns, select, places)
