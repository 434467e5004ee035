"""What a transfer came to, for the connection's health and for people and programs."""

from typing import Any

from erphub.connections.health import Outcome
from erphub.events.models import Event
from erphub.events.publisher import make_event
from erphub.sync.capability import TRANSFER_FAILED, TRANSFER_FINISHED
from erphub.sync.transfers.models import Transfer, TransferStatus

_KNOWN_ALREADY = ("reauth_required", "connection_paused")
"""Ends that their connection's people were notified of already."""


def transfer_outcome(transfer: Transfer) -> Outcome | None:
    """What a transfer came to; nothing when it has not ended, or was a dry run."""
    if transfer.finished_at is None or transfer.dry_run:
        return None
    problem = transfer.problem or {}
    counts = transfer.counts
    is_success = not problem.get("code") and bool(counts.sent + counts.attached + counts.changes)
    began_at = transfer.started_at or transfer.created_at
    return Outcome(transfer.client_id, transfer.connection_id, began_at, problem, is_success, event=_event(transfer))


def _event(transfer: Transfer) -> Event | None:
    code = str((transfer.problem or {}).get("code", ""))
    if transfer.finished_at is None or code in _KNOWN_ALREADY:
        return None
    counts = {name: count for name, count in transfer.counts.model_dump().items() if count}
    if not code and not counts:
        return None
    failed = transfer.status is TransferStatus.FAILED or bool(code)
    kind = TRANSFER_FAILED if failed else TRANSFER_FINISHED
    summary = ", ".join(f"{count} {name}" for name, count in counts.items()) or "Nothing was sent."
    detail = str((transfer.problem or {}).get("detail") or summary)
    ids = transfer.client_id, transfer.connection_id
    about: dict[str, Any] = {"transfer_id": transfer.id, "status": transfer.status.value, "counts": counts}
    return make_event(kind, *ids, transfer.finished_at, transfer.id, detail, **about, problem=transfer.problem)
