"""The files of a table of the lake: whose rows each holds, of which days, and what its statistics say."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from urllib.parse import unquote

import arro3.core as ac
from deltalake import DeltaTable

from erphub.erp.datasets import Dataset
from erphub.erp.reading import DateRange
from erphub.lake.locations import company_folder


@dataclass(frozen=True)
class Dates:
    """The first and the last date in a file, and how many of its rows have none, as its statistics say."""

    first: Any
    last: Any
    nulls: int

    def overlap(self, date_range: DateRange) -> bool:
        """Whether rows of the range may be among them."""
        if date_range.everything:
            return True
        if self.first is None or self.last is None:
            return False
        after = date_range.end is not None and self.first >= date_range.end
        before = date_range.first is not None and self.last < date_range.first
        return not (after or before)

    def within(self, date_range: DateRange) -> bool:
        """Whether all of them are of the range."""
        if date_range.everything:
            return True
        if self.first is None or self.last is None or self.nulls:
            return False
        return (date_range.first is None or self.first >= date_range.first) and (
            date_range.end is None or self.last < date_range.end
        )


@dataclass(frozen=True)
class File:
    """One file of a table: where it is below the table, and what its statistics say.

    `path` is the object's name; the table's log has it encoded as in an address, which the engine does by itself when
    it is told of a file, and does not undo when it lists them.
    """

    path: str
    company: str
    connection: str
    size: int
    rows: int
    dates: Dates
    stats: str
    modified: int

    @property
    def misplaced(self) -> bool:
        """Whether it lies where its company's files were in an earlier layout."""
        return not self.path.startswith(f"{company_folder(self.company)}/")

    def overlaps_any(self, date_ranges: Sequence[DateRange]) -> bool:
        """Whether rows of one of the ranges may be in it."""
        return any(self.dates.overlap(each) for each in date_ranges)

    def within_one(self, date_ranges: Sequence[DateRange]) -> bool:
        """Whether all its rows are of one and the same range."""
        return any(self.dates.within(each) for each in date_ranges)


def files_of(table: DeltaTable, dataset: Dataset) -> list[File]:
    """The files of a table."""
    listed = ac.RecordBatch.from_arrow(table.get_add_actions(flatten=False)).to_struct_array()
    return [_file(add, dataset.date) for add in cast(list[dict[str, Any]], cast(Any, listed).to_pylist())]


def _file(add: dict[str, Any], day: str | None) -> File:
    low, high, nulls = (cast(dict[str, Any], add.get(name) or {}) for name in ("min", "max", "null_count"))
    stats = {"numRecords": add["num_records"] or 0, "minValues": low, "maxValues": high, "nullCount": nulls}
    return File(
        path=unquote(add["path"]),
        company=add["partition"]["company"],
        connection=low["connection"],
        size=add["size_bytes"],
        rows=add["num_records"] or 0,
        dates=Dates(low.get(day), high.get(day), nulls.get(day) or 0) if day else Dates(None, None, 0),
        stats=json.dumps(stats, default=date.isoformat),
        modified=add["modification_time"],
    )


def statistics(text: str, dataset: Dataset) -> str:
    """A file's statistics for the columns that find rows: decimals are left out, JSON would round them."""
    stats = json.loads(text)
    shown = {"connection", dataset.date, *dataset.keys}
    for name in ("minValues", "maxValues", "nullCount"):
        stats[name] = {column: value for column, value in stats.get(name, {}).items() if column in shown}
    return json.dumps(stats)
