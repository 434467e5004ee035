"""Runs in the tenant table: the run, its units and parts, its log, and the leases on what it writes."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, cast

from erphub.imports.runs.models import LogLine, Part, Run, RunRef, Status, Trigger, Unit, UnitStatus
from erphub.imports.runs.open_runs import OpenRunTable
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.errors import NotFound
from erphub.platform.ids import new_id
from erphub.platform.pages import Page
from erphub.platform.wire import instant
from erphub.platform.writes import Key

_CALLS = "calls:"
KEPT_DAYS = 400
"""How long a run, its units and its log are kept."""
PARTS_KEPT_DAYS = 30
"""How long its parts are: they matter while it works, and for a while to whoever looks why it failed."""
_KEYS = ("pk", "sk", "ended", "expires_at", "commits")
"""Not of the records themselves; `commits` stands in parts that an earlier version read, which are read anew."""

TURN = timedelta(minutes=2)
"""How long a run may take to sign in before the next one tries."""


class RunTable:
    """Satisfies `imports.runs.ports.RunStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._open = OpenRunTable(table)

    # --- the run -----------------------------------------------------------------------------------------------------

    def add(self, run: Run) -> bool:
        """See the port."""
        ref = run.ref
        expires = int(datetime.fromisoformat(run.created_at).timestamp()) + KEPT_DAYS * 86_400
        item = {
            **_key(ref),
            "client_id": ref.client_id,
            "job_id": ref.job_id,
            "run_id": ref.run_id,
            "connection_id": run.connection_id,
            "trigger": run.trigger.value,
            "status": run.status.value,
            "by": run.by,
            "created_at": run.created_at,
            "due_at_was": run.due_at,
            "since": run.since,
            "expires_at": expires,
        }
        # That it is open comes first: without the run it is dropped by whoever looks at it.
        self._open.add(run)
        try:
            self._table.put_new(item)
        except VersionConflict:
            return False
        return True

    def get(self, ref: RunRef) -> Run:
        """See the port."""
        item = self._table.get(_key(ref))
        if item is None:
            raise NotFound("There is no such run.", code="run_not_found")
        return _run(item)

    def list(self, client_id: str, job_id: str, limit: int, next: str | None) -> Page[Run]:
        """See the port."""
        key = run_key(client_id, job_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, next=next, newest_first=True)
        return Page([_run(item) for item in page.items], page.next)

    def change(self, ref: RunRef, **values: Any) -> Run:
        """See the port."""
        return _run(self._update(_key(ref), values, condition="attribute_exists(pk)"))

    def start_work(self, ref: RunRef, now: datetime) -> Run:
        """See the port."""
        item = self._table.update(
            _key(ref),
            "SET #status = if_not_exists(ended, :running), started_at = if_not_exists(started_at, :now), "
            "active_at = :now",
            condition="attribute_exists(pk)",
            names={"#status": "status"},
            running=Status.RUNNING.value,
            now=instant(now),
        )
        return _run(item)

    def take_token(self, ref: RunRef, now: datetime) -> Run:
        """See the port."""
        item = self._table.update(
            _key(ref),
            "SET #token = if_not_exists(#token, :token), active_at = :now",
            condition="attribute_exists(pk)",
            names={"#token": "token"},
            now=instant(now),
            token=int(now.timestamp() * 1_000_000),
        )
        return _run(item)

    def end(self, ref: RunRef, now: datetime, values: Mapping[str, Any]) -> bool:
        """See the port."""
        try:
            final = {**values, "finished_at": instant(now), "ended": values["status"]}
            self._update(_key(ref), final, condition="attribute_exists(pk) AND attribute_not_exists(ended)")
            ended = True
        except VersionConflict:
            ended = False
        self._open.close(ref)
        return ended

    def progress(self, ref: RunRef, now: datetime, rows: int, bytes: int, parts: int = 0) -> Run:
        """See the port."""
        item = self._table.update(
            _key(ref),
            "SET active_at = :now ADD rows_read :rows, bytes_read :bytes, parts_done :parts",
            condition="attribute_exists(pk)",
            now=instant(now),
            rows=rows,
            bytes=bytes,
            parts=parts,
        )
        return _run(item)

    def spend(self, ref: RunRef, calls: Mapping[str, int], milliseconds: int) -> None:
        """See the port."""
        counted = [(f"#c{n}", f"c{n}", name, count) for n, (name, count) in enumerate(calls.items()) if count]
        adds = ", ".join(["lambda_ms :ms", "tasks :one", *(f"{name} :{value}" for name, value, _, _ in counted)])
        self._table.update(
            _key(ref),
            f"ADD {adds}",
            names={name: _CALLS + call for name, _, call, _ in counted},
            ms=milliseconds,
            one=1,
            **cast(dict[str, Any], {value: count for _, value, _, count in counted}),
        )

    # --- units and parts ---------------------------------------------------------------------------------------------

    def add_units(self, ref: RunRef, units: Sequence[Unit]) -> None:
        """See the port."""
        self._table.put_many([_unit_item(ref, unit) for unit in units])

    def save_unit(self, ref: RunRef, unit: Unit) -> None:
        """See the port."""
        self._table.put(_unit_item(ref, unit))

    def add_to_unit(self, ref: RunRef, number: int, **amounts: int) -> None:
        """See the port."""
        changes = ", ".join(f"#{name} :{name}" for name in amounts)
        self._table.update(
            run_unit_key(ref.client_id, ref.run_id, number),
            f"ADD {changes} SET #status = if_not_exists(ended, :reading)",
            names={"#status": "status"} | {f"#{name}": name for name in amounts},
            reading=UnitStatus.READING.value,
            **cast(dict[str, Any], amounts),
        )

    def fail_unit(self, ref: RunRef, number: int, status: str, problem: Mapping[str, Any]) -> None:
        """See the port."""
        key = run_unit_key(ref.client_id, ref.run_id, number)
        try:
            values = {"status": status, "problem": problem, "ended": status}
            self._update(key, values, condition="attribute_exists(pk) AND attribute_not_exists(ended)")
        except VersionConflict:  # it has ended before, perhaps well: that stands
            return

    def note_trouble(self, ref: RunRef, number: int, problem: Mapping[str, Any]) -> None:
        """See the port."""
        key = run_unit_key(ref.client_id, ref.run_id, number)
        self._update(key, {"trouble": problem}, condition="attribute_exists(pk)")

    def remember_types(self, client_id: str, dataset: str, types: Mapping[str, str]) -> None:
        """See the port."""
        self._table.put({**dataset_key(client_id, dataset), "dataset": dataset, "types": dict(types)})

    def known_types(self, client_id: str) -> Mapping[str, Mapping[str, str]]:
        """See the port."""
        key = dataset_key(client_id, "")
        return {item["dataset"]: item["types"] for item in self._table.all(key["pk"], key["sk"])}

    def units(self, ref: RunRef) -> Iterator[Unit]:
        """See the port."""
        key = run_unit_key(ref.client_id, ref.run_id, 0)
        return (_unit(item) for item in self._table.all(key["pk"], _prefix(key)))

    def unit(self, ref: RunRef, number: int) -> Unit:
        """See the port."""
        item = self._table.get(run_unit_key(ref.client_id, ref.run_id, number))
        if item is None:
            raise NotFound("The run has no such part.", code="unit_not_found")
        return _unit(item)

    def unit_page(self, ref: RunRef, limit: int, next: str | None) -> Page[Unit]:
        """See the port."""
        key = run_unit_key(ref.client_id, ref.run_id, 0)
        page = self._table.page(key["pk"], _prefix(key), limit=limit, next=next)
        return Page([_unit(item) for item in page.items], page.next)

    def add_parts(self, ref: RunRef, parts: Sequence[Part]) -> None:
        """See the port."""
        self._table.put_many([_part_item(ref, part) for part in parts])

    def part(self, ref: RunRef, number: int) -> Part:
        """See the port."""
        item = self._table.get(run_part_key(ref.client_id, ref.run_id, number))
        if item is None:
            raise NotFound("The run has no such part.", code="part_not_found")
        return _part(item)

    def save_part(self, ref: RunRef, part: Part) -> None:
        """See the port."""
        self._table.put(_part_item(ref, part))

    # --- the log -----------------------------------------------------------------------------------------------------

    def log(self, ref: RunRef, line: LogLine) -> None:
        """See the port. Lines of one moment stay in order: the key counts nanoseconds, and chance parts two workers."""
        key = run_log_key(ref.client_id, ref.run_id, f"{time.time_ns():020}-{new_id()[-8:]}")
        self._table.put({**key, **asdict(line), "expires_at": _until(line.at)})

    def log_page(self, ref: RunRef, limit: int, next: str | None) -> Page[LogLine]:
        """See the port."""
        key = run_log_key(ref.client_id, ref.run_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, next=next)
        lines = [LogLine(i["at"], i["level"], i["code"], i["text"], i.get("unit")) for i in page.items]
        return Page(lines, page.next)

    # --- leases ------------------------------------------------------------------------------------------------------

    def take_lease(self, ref: RunRef, unit: Unit) -> RunRef | None:
        """See the port."""
        item = {**_lease(ref, unit), "holder_job": ref.job_id, "holder_run": ref.run_id}
        try:
            self._table.put(item, condition="attribute_not_exists(pk) OR holder_run = :me", me=ref.run_id)
        except VersionConflict:
            held = self._table.get(_lease(ref, unit))
            return RunRef(ref.client_id, held["holder_job"], held["holder_run"]) if held else self.take_lease(ref, unit)
        return None

    def take_over_lease(self, ref: RunRef, unit: Unit, dead: RunRef) -> bool:
        """See the port."""
        item = {**_lease(ref, unit), "holder_job": ref.job_id, "holder_run": ref.run_id}
        try:
            self._table.put(item, condition="attribute_not_exists(pk) OR holder_run = :dead", dead=dead.run_id)
        except VersionConflict:
            return False
        return True

    def free_lease(self, ref: RunRef, unit: Unit) -> None:
        """See the port."""
        try:
            self._table.delete(_lease(ref, unit), condition="holder_run = :me", me=ref.run_id)
        except VersionConflict:  # another run has it, or nobody
            return

    def take_turn(self, ref: RunRef, connection_id: str, now: datetime) -> bool:
        """See the port."""
        ends = now + TURN
        item = {**_turn(ref, connection_id), "holder_run": ref.run_id, "free_at": instant(ends)}
        try:
            self._table.put(
                item | {"expires_at": int(ends.timestamp()) + 3600},
                condition="attribute_not_exists(pk) OR holder_run = :me OR free_at <= :now",
                me=ref.run_id,
                now=instant(now),
            )
        except VersionConflict:
            return False
        return True

    def free_turn(self, ref: RunRef, connection_id: str) -> None:
        """See the port."""
        try:
            self._table.delete(_turn(ref, connection_id), condition="holder_run = :me", me=ref.run_id)
        except VersionConflict:  # another run has it, or nobody
            return

    def _update(self, key: Key, values: Mapping[str, Any], condition: str) -> Item:
        """Set attributes, or remove those whose value is None."""
        names = {f"#{name}": name for name in values}
        sets = ", ".join(f"#{name} = :{name}" for name, value in values.items() if value is not None)
        removes = ", ".join(f"#{name}" for name, value in values.items() if value is None)
        text = " ".join([*([f"SET {sets}"] if sets else []), *([f"REMOVE {removes}"] if removes else [])])
        given = {name: value for name, value in values.items() if value is not None}
        return self._table.update(key, text, condition=condition, names=names, **given)


def _expiring(days: int) -> Item:
    return {"expires_at": int(time.time()) + days * 86_400}


def _until(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp()) + KEPT_DAYS * 86_400


def _prefix(key: Key) -> str:
    return key["sk"].rpartition("#")[0] + "#"


def _key(ref: RunRef) -> Key:
    return run_key(ref.client_id, ref.job_id, ref.run_id)


def _lease(ref: RunRef, unit: Unit) -> Key:
    return lease_key(ref.client_id, unit.dataset, unit.connection_id, unit.company)


def _turn(ref: RunRef, connection_id: str) -> Key:
    return lease_key(ref.client_id, "SIGN-IN", connection_id, "")


def _run(item: Item) -> Run:
    return Run(
        ref=RunRef(item["client_id"], item["job_id"], item["run_id"]),
        connection_id=item["connection_id"],
        trigger=Trigger(item["trigger"]),
        status=Status(item["status"]),
        by=item["by"],
        created_at=item["created_at"],
        due_at=item.get("due_at_was"),
        since=item.get("since"),
        started_at=item.get("started_at"),
        finished_at=item.get("finished_at"),
        active_at=item.get("active_at"),
        token=int(item.get("token", 0)),
        cancel_requested=bool(item.get("cancel_requested")),
        blocked_by=item.get("blocked_by"),
        problem=cast(dict[str, Any] | None, _plain(item.get("problem"))),
        trouble=cast(dict[str, Any] | None, _plain(item.get("trouble"))),
        period=item.get("period"),
        first_day=item.get("first_day"),
        end_day=item.get("end_day"),
        units_planned=bool(item.get("units_planned")),
        parts=int(item["parts"]) if "parts" in item else None,
        parts_done=int(item.get("parts_done", 0)),
        rows_read=int(item.get("rows_read", 0)),
        bytes_read=int(item.get("bytes_read", 0)),
        totals={name: int(value) for name, value in item.get("totals", {}).items()},
        calls={name.removeprefix(_CALLS): int(value) for name, value in item.items() if name.startswith(_CALLS)},
        lambda_ms=int(item.get("lambda_ms", 0)),
        tasks=int(item.get("tasks", 0)),
    )


def _unit_item(ref: RunRef, unit: Unit) -> Item:
    item = asdict(unit) | run_unit_key(ref.client_id, ref.run_id, unit.number) | _expiring(KEPT_DAYS)
    item |= {"status": unit.status.value, "facts": json.dumps(unit.facts)}
    if unit.ended:
        item["ended"] = unit.status.value
    return item


def _unit(item: Item) -> Unit:
    values: dict[str, Any] = {name: _plain(value) for name, value in item.items() if name not in _KEYS}
    values["status"] = UnitStatus(values["status"])
    values["facts"] = json.loads(values["facts"])
    return Unit(**values)


def _part_item(ref: RunRef, part: Part) -> Item:
    item = asdict(part) | run_part_key(ref.client_id, ref.run_id, part.number) | _expiring(PARTS_KEPT_DAYS)
    return item | {"totals": [list(total) for total in part.totals], "where": json.dumps(part.where)}


def _part(item: Item) -> Part:
    values: dict[str, Any] = {name: _plain(value) for name, value in item.items() if name not in _KEYS}
    values["totals"] = [(period, rows, amount) for period, rows, amount in values["totals"]]
    values["where"] = json.loads(values["where"])
    return Part(**values)


def _plain(value: Any) -> Any:
    """DynamoDB's numbers as whole ones: nothing here is kept as a fraction."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list):
        return [_plain(item) for item in cast(list[Any], value)]
    return int(value) if hasattr(value, "as_tuple") else value


def run_key(client_id: str, job_id: str, run_id: str) -> Key:
    """The key of a run."""
    return make_key(f"CLIENT#{client_id}", "RUN", job_id, run_id)


def run_unit_key(client_id: str, run_id: str, number: int) -> Key:
    """The key of a run unit."""
    return make_key(f"CLIENT#{client_id}", "RUN-UNIT", run_id, f"{number:06}")


def run_part_key(client_id: str, run_id: str, number: int) -> Key:
    """The key of a run part."""
    return make_key(f"CLIENT#{client_id}", "RUN-PART", run_id, f"{number:06}")


def run_log_key(client_id: str, run_id: str, line: str) -> Key:
    """The key of a run log."""
    return make_key(f"CLIENT#{client_id}", "RUN-LOG", run_id, line)


def lease_key(client_id: str, dataset: str, connection_id: str, company: str) -> Key:
    """The key of a lease."""
    return make_key(f"CLIENT#{client_id}", "LEASE", dataset, connection_id, company)


def dataset_key(client_id: str, dataset_id: str) -> Key:
    """The key of a dataset."""
    return make_key(f"CLIENT#{client_id}", "DATASET", dataset_id)
