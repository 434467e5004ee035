"""What an import met or came to, for the connection's health and for people and programs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from erphub.connections.health import Outcome
from erphub.events.models import Event
from erphub.events.publisher import make_event
from erphub.imports.capability import IMPORT_FAILED, IMPORT_FINISHED
from erphub.imports.runs.models import Run, RunStatus

_UNREMARKABLE = ("reauth_required", "connection_paused")
"""Ends that their connection's people were notified of already."""


def met_so_far(run: Run) -> Outcome:
    """An import goes on and has met something: refused credentials concern all who use the connection, at once."""
    return Outcome(run.ref.client_id, run.connection_id, _began_at(run), run.problem or {}, conclusive=False)


def refused_once(run: Run, problem: Mapping[str, Any]) -> Outcome:
    """An import waits for the second try of a login that was refused."""
    return Outcome(run.ref.client_id, run.connection_id, _began_at(run), problem, conclusive=False)


def ended(run: Run) -> Outcome:
    """An import has ended."""
    problem = run.problem or {}
    worked = run.status is RunStatus.SUCCEEDED or (run.status is RunStatus.PARTIALLY_SUCCEEDED and not problem)
    conclusive = run.status is not RunStatus.CANCELLED
    return Outcome(run.ref.client_id, run.connection_id, _began_at(run), problem, worked, conclusive, _event(run))


def _event(run: Run) -> Event | None:
    if run.status is RunStatus.CANCELLED or str((run.problem or {}).get("code", "")) in _UNREMARKABLE:
        return None
    kind = IMPORT_FAILED if run.status is RunStatus.FAILED else IMPORT_FINISHED
    detail = str((run.problem or {}).get("detail") or f"{run.totals.get('rows_written', 0)} rows were imported.")
    return make_event(
        kind,
        run.ref.client_id,
        run.connection_id,
        datetime.fromisoformat(run.finished_at or run.created_at),
        run.ref.run_id,
        detail,
        job_id=run.ref.job_id,
        run_id=run.ref.run_id,
        status=run.status.value,
        trigger=run.trigger.value,
        totals=run.totals,
        problem=run.problem,
    )


def _began_at(run: Run) -> datetime:
    return datetime.fromisoformat(run.started_at or run.created_at)
