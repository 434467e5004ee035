"""How the work of a run is cut into packages, one for each item of the import machine's maps.

The history of an execution holds 25,000 events (Step Functions quotas), and the maps' items share it. 40 packages in
each of two maps that use up every retry take about 13,000; the rest is for two days of waiting and of calling again.
"""

from collections.abc import Sequence
from itertools import groupby

from erphub.imports.runs.models import Unit

MAX_PACKAGES = 40
PARTS_PER_PACKAGE = 32
"""Parts that are read by one worker, unless there are too many for the map."""
UNITS_PER_PACKAGE = 25
"""Units of one dataset that are published by one worker, unless there are too many for the map."""

type Package = tuple[int, int]
"""From which number on, and up to which, that one not included."""


def of_parts(sizes: Sequence[int], part_rows: int) -> list[Package]:
    """Neighbouring parts (their rows) together until they are work enough for one worker; MAX_PACKAGES at most."""
    # A package is full by its rows or by its parts: neither happens more than `half` times, and one more is left over.
    half = (MAX_PACKAGES - 1) // 2
    most = max(PARTS_PER_PACKAGE, -(-len(sizes) // half))
    package_rows = max(part_rows // 5, -(-sum(sizes) // half))
    packages: list[Package] = []
    start, rows = 0, 0
    for at, size in enumerate(sizes):
        rows += size
        if rows >= package_rows or at + 1 - start >= most or at + 1 == len(sizes):
            packages.append((start, at + 1))
            start, rows = at + 1, 0
    return packages


def of_units(units: Sequence[Unit]) -> list[Package]:
    """Neighbouring units of one dataset together; MAX_PACKAGES at most, whose fullest are as even as can be."""
    datasets = [[unit.number for unit in several] for _, several in groupby(units, lambda unit: unit.dataset)]
    together = max(UNITS_PER_PACKAGE, -(-len(units) // max(1, MAX_PACKAGES - len(datasets))))
    return [
        (start, min(start + together, numbers[-1] + 1))
        for numbers in datasets
        for start in range(numbers[0], numbers[-1] + 1, together)
    ]
