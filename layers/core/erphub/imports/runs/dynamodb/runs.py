"""Runs in the tenant table, with what they cost."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast, override

from erphub.imports import problems
from erphub.imports.runs.dynamodb.open_runs import OpenRunTable
from erphub.imports.runs.models import Run, RunRef, RunStatus, RunTrigger
from erphub.imports.runs.ports import RunCosts, RunStore
from erphub.platform.aws.items import Item, without_decimals
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.pages import Page
from erphub.platform.wire import instant
from erphub.platform.writes import Key

_CALLS = "calls:"
_KEPT = timedelta(days=400)
"""How long a run is kept."""


class RunTable(RunStore, RunCosts):
    """Runs: `RUN#<job>#<run>`. What is not known to have ended stands in `OpenRunTable` too."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._open = OpenRunTable(table)

    @override
    def add(self, run: Run) -> bool:
        # That it is open comes first: without the run it is dropped by whoever looks at it.
        self._open.add(run)
        try:
            self._table.put_new(_item(run))
        except VersionConflict:
            return False
        return True

    @override
    def get(self, ref: RunRef) -> Run:
        item = self._table.get(_key(ref))
        if item is None:
            raise problems.RUN_NOT_FOUND()
        return _run(item)

    @override
    def page(self, client_id: str, job_id: str, limit: int, cursor: str | None) -> Page[Run]:
        key = run_key(client_id, job_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, cursor=cursor, newest_first=True)
        return Page([_run(item) for item in page.items], page.next)

    @override
    def update(self, ref: RunRef, **values: Any) -> Run:
        return _run(self._set(ref, values, condition="attribute_exists(pk)"))

    @override
    def mark_running(self, ref: RunRef, now: datetime) -> Run:
        item = self._table.update(
            _key(ref),
            "SET #status = if_not_exists(ended, :running), started_at = if_not_exists(started_at, :now), "
            "active_at = :now",
            condition="attribute_exists(pk)",
            names={"#status": "status"},
            running=RunStatus.RUNNING.value,
            now=instant(now),
        )
        return _run(item)

    @override
    def assign_publication_token(self, ref: RunRef, now: datetime) -> Run:
        item = self._table.update(
            _key(ref),
            "SET publication_token = if_not_exists(publication_token, :token), active_at = :now",
            condition="attribute_exists(pk)",
            now=instant(now),
            token=int(now.timestamp() * 1_000_000),
        )
        return _run(item)

    @override
    def add_progress(self, ref: RunRef, now: datetime, *, rows: int = 0, size_bytes: int = 0, parts: int = 0) -> Run:
        item = self._table.update(
            _key(ref),
            "SET active_at = :now ADD rows_read :rows, bytes_read :bytes, parts_done :parts",
            condition="attribute_exists(pk)",
            now=instant(now),
            rows=rows,
            bytes=size_bytes,
            parts=parts,
        )
        return _run(item)

    @override
    def end(self, ref: RunRef, now: datetime, values: Mapping[str, Any]) -> bool:
        final = {**values, "finished_at": instant(now), "ended": values["status"]}
        try:
            self._set(ref, final, condition="attribute_exists(pk) AND attribute_not_exists(ended)")
            ended = True
        except VersionConflict:
            ended = False
        self._open.close(ref)
        return ended

    @override
    def add_cost(self, ref: RunRef, calls: Mapping[str, int], duration_ms: int) -> None:
        counted = [(f"#c{n}", f"c{n}", name, count) for n, (name, count) in enumerate(calls.items()) if count]
        adds = ", ".join(["lambda_ms :ms", "tasks :one", *(f"{name} :{value}" for name, value, _, _ in counted)])
        self._table.update(
            _key(ref),
            f"ADD {adds}",
            names={name: _CALLS + call for name, _, call, _ in counted},
            ms=duration_ms,
            one=1,
            **cast(dict[str, Any], {value: count for _, value, _, count in counted}),
        )

    def _set(self, ref: RunRef, values: Mapping[str, Any], condition: str) -> Item:
        """Set attributes, or remove those whose value is None."""
        names = {f"#{name}": name for name in values}
        sets = ", ".join(f"#{name} = :{name}" for name, value in values.items() if value is not None)
        removes = ", ".join(f"#{name}" for name, value in values.items() if value is None)
        text = " ".join([*([f"SET {sets}"] if sets else []), *([f"REMOVE {removes}"] if removes else [])])
        given = {name: value for name, value in values.items() if value is not None}
        return self._table.update(_key(ref), text, condition=condition, names=names, **given)


def run_key(client_id: str, job_id: str, run_id: str) -> Key:
    """The key of a run."""
    return make_key(f"CLIENT#{client_id}", "RUN", job_id, run_id)


def _key(ref: RunRef) -> Key:
    return run_key(ref.client_id, ref.job_id, ref.run_id)


def _item(run: Run) -> Item:
    ref = run.ref
    return {
        **_key(ref),
        "client_id": ref.client_id,
        "job_id": ref.job_id,
        "run_id": ref.run_id,
        "connection_id": run.connection_id,
        "trigger": run.trigger.value,
        "status": run.status.value,
        "started_by": run.started_by,
        "created_at": run.created_at,
        # Not `due_at`: index `due` would show the run among what is due.
        "run_due_at": run.due_at,
        "catch_up_since": run.catch_up_since,
        "expires_at": int((datetime.fromisoformat(run.created_at) + _KEPT).timestamp()),
    }


def _run(item: Item) -> Run:
    values: dict[str, Any] = without_decimals(item)
    return Run(
        ref=RunRef(values["client_id"], values["job_id"], values["run_id"]),
        connection_id=values["connection_id"],
        trigger=RunTrigger(values["trigger"]),
        status=RunStatus(values["status"]),
        started_by=values["started_by"],
        created_at=values["created_at"],
        due_at=values.get("run_due_at"),
        catch_up_since=values.get("catch_up_since"),
        started_at=values.get("started_at"),
        finished_at=values.get("finished_at"),
        active_at=values.get("active_at"),
        publication_token=values.get("publication_token", 0),
        cancel_requested=values.get("cancel_requested", False),
        blocked_by=values.get("blocked_by"),
        problem=values.get("problem"),
        last_problem=values.get("last_problem"),
        period=values.get("period"),
        from_date=values.get("from_date"),
        end_date=values.get("end_date"),
        units_planned=values.get("units_planned", False),
        parts=values.get("parts"),
        parts_done=values.get("parts_done", 0),
        rows_read=values.get("rows_read", 0),
        bytes_read=values.get("bytes_read", 0),
        totals=values.get("totals", {}),
        calls={name.removeprefix(_CALLS): count for name, count in values.items() if name.startswith(_CALLS)},
        lambda_ms=values.get("lambda_ms", 0),
        tasks=values.get("tasks", 0),
    )
