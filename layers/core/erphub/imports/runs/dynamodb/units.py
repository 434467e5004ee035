"""Units of runs and their parts in the tenant table."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast, override

from erphub.imports import problems
from erphub.imports.runs.models import Part, RunRef, Unit, UnitStatus
from erphub.imports.runs.ports import PartStore, UnitStore
from erphub.platform.aws.items import Item, without_decimals
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.pages import Page
from erphub.platform.writes import Key

UNITS_KEPT_DAYS = 400
"""As long as their run."""
PARTS_KEPT_DAYS = 30
"""They matter while the run works, and for a while to whoever looks why it failed."""
_ROWS_BY = "rows_by_"
"""An attribute of a unit for each reader: no nested value can be added to before it is there."""
_NOT_OF_THE_RECORD = ("pk", "sk", "ended", "expires_at")


class UnitTable(UnitStore):
    """Units: `RUN-UNIT#<run>#<number>`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def add(self, ref: RunRef, units: Sequence[Unit]) -> None:
        self._table.put_many([_unit_item(ref, unit) for unit in units])

    @override
    def get(self, ref: RunRef, number: int) -> Unit:
        item = self._table.get(run_unit_key(ref.client_id, ref.run_id, number))
        if item is None:
            raise problems.UNIT_NOT_FOUND()
        return _unit(item)

    @override
    def of_run(self, ref: RunRef) -> Iterator[Unit]:
        pk, prefix = _units_of(ref)
        return (_unit(item) for item in self._table.read_all(pk, prefix))

    @override
    def page(self, ref: RunRef, limit: int, cursor: str | None) -> Page[Unit]:
        page = self._table.page(*_units_of(ref), limit=limit, cursor=cursor)
        return Page([_unit(item) for item in page.items], page.next)

    @override
    def save(self, ref: RunRef, unit: Unit) -> None:
        self._table.put(_unit_item(ref, unit))

    @override
    def add_counts(self, ref: RunRef, number: int, read_by: str | None = None, **amounts: int) -> None:
        added = amounts | ({_ROWS_BY + read_by: amounts["rows_written"]} if read_by else {})
        changes = ", ".join(f"#a{place} :a{place}" for place in range(len(added)))
        self._table.update(
            run_unit_key(ref.client_id, ref.run_id, number),
            f"ADD {changes} SET #status = if_not_exists(ended, :reading)",
            names={"#status": "status"} | {f"#a{place}": name for place, name in enumerate(added)},
            reading=UnitStatus.READING.value,
            **cast(dict[str, Any], {f"a{place}": amount for place, amount in enumerate(added.values())}),
        )

    @override
    def fail(self, ref: RunRef, number: int, status: str, problem: Mapping[str, Any]) -> None:
        try:
            self._table.update(
                run_unit_key(ref.client_id, ref.run_id, number),
                "SET #status = :status, ended = :status, problem = :problem",
                condition="attribute_exists(pk) AND attribute_not_exists(ended)",
                names={"#status": "status"},
                status=status,
                problem=problem,
            )
        except VersionConflict:  # it has ended before, perhaps well: that stands
            return

    @override
    def record_problem(self, ref: RunRef, number: int, problem: Mapping[str, Any]) -> None:
        key = run_unit_key(ref.client_id, ref.run_id, number)
        self._table.update(key, "SET last_problem = :problem", condition="attribute_exists(pk)", problem=problem)


class PartTable(PartStore):
    """Parts: `RUN-PART#<run>#<number>`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def add(self, ref: RunRef, parts: Sequence[Part]) -> None:
        self._table.put_many([_part_item(ref, part) for part in parts])

    @override
    def get(self, ref: RunRef, number: int) -> Part:
        item = self._table.get(run_part_key(ref.client_id, ref.run_id, number))
        if item is None:
            raise problems.PART_NOT_FOUND()
        return _part(item)

    @override
    def save(self, ref: RunRef, part: Part) -> None:
        self._table.put(_part_item(ref, part))

    @override
    def begin(self, ref: RunRef, number: int) -> None:
        key = run_part_key(ref.client_id, ref.run_id, number)
        self._table.update(key, "SET is_in_work = :yes", condition="attribute_exists(pk)", yes=True)

    @override
    def add_held(self, ref: RunRef, number: int, milliseconds: int) -> None:
        key = run_part_key(ref.client_id, ref.run_id, number)
        change = "ADD held_ms :held REMOVE is_in_work"
        self._table.update(key, change, condition="attribute_exists(pk)", held=milliseconds)


def run_unit_key(client_id: str, run_id: str, number: int) -> Key:
    """The key of a run's unit."""
    return make_key(f"CLIENT#{client_id}", "RUN-UNIT", run_id, f"{number:06}")


def run_part_key(client_id: str, run_id: str, number: int) -> Key:
    """The key of a run's part."""
    return make_key(f"CLIENT#{client_id}", "RUN-PART", run_id, f"{number:06}")


def _units_of(ref: RunRef) -> tuple[str, str]:
    """The partition of a run's units, and how their sort keys begin."""
    key = run_unit_key(ref.client_id, ref.run_id, 0)
    return key["pk"], key["sk"].rpartition("#")[0] + "#"


def _expiring(days: int) -> Item:
    return {"expires_at": int(time.time()) + days * 86_400}


def _unit_item(ref: RunRef, unit: Unit) -> Item:
    item = asdict(unit) | run_unit_key(ref.client_id, ref.run_id, unit.number) | _expiring(UNITS_KEPT_DAYS)
    item |= {"status": unit.status.value, "attributes": json.dumps(unit.attributes)}
    del item["rows_by_reader"]
    item |= {_ROWS_BY + reader: rows for reader, rows in unit.rows_by_reader.items()}
    if unit.has_ended:
        item["ended"] = unit.status.value
    return item


def _unit(item: Item) -> Unit:
    values = _record(item)
    values["status"] = UnitStatus(values["status"])
    values["attributes"] = json.loads(values["attributes"])
    by_reader = {name: values.pop(name) for name in list(values) if name.startswith(_ROWS_BY)}
    values["rows_by_reader"] = {name.removeprefix(_ROWS_BY): rows for name, rows in by_reader.items()}
    return Unit(**values)


def _part_item(ref: RunRef, part: Part) -> Item:
    item = asdict(part) | run_part_key(ref.client_id, ref.run_id, part.number) | _expiring(PARTS_KEPT_DAYS)
    return item | {"totals": [list(total) for total in part.totals], "where": json.dumps(part.where)}


def _part(item: Item) -> Part:
    values = _record(item)
    values["totals"] = [(period, rows, amount) for period, rows, amount in values["totals"]]
    values["where"] = json.loads(values["where"])
    return Part(**values)


def _record(item: Item) -> dict[str, Any]:
    return {name: without_decimals(value) for name, value in item.items() if name not in _NOT_OF_THE_RECORD}
