"""How a transfer ends: how it went, when the next one is best, and what there is to tell."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from erphub.platform.errors import refuses_credentials
from erphub.sync.documents.service import planned
from erphub.sync.export_log.models import Entry
from erphub.sync.settings.models import Sync, TransferHistory
from erphub.sync.settings.pacing import remember, usual_silence
from erphub.sync.transfers.models import Transfer, TransferState

REJECTED, NOTHING_SENT = "document_rejected", "nothing_sent"
"""Notices that stand until their cause has gone, and are given once while they do."""
MISSING = "reports_missing"
_TILLS_NAMED = 20
_WAITS_FOR_THE_CONNECTION = ("connection_paused", "connection_not_found")


def ended(transfer: Transfer, now: datetime) -> Transfer:
    """The transfer with its end. What could not be read is its problem, when nothing worse is."""
    counts, problem = transfer.counts, transfer.problem or next(iter(transfer.not_read.values()), None)
    state = TransferState.SUCCEEDED
    if problem and not counts.sent + counts.attached + counts.changes:
        state = TransferState.FAILED
    elif problem or counts.rejected + counts.uncertain + counts.pending:
        state = TransferState.PARTIALLY_SUCCEEDED
    return transfer.model_copy(update={"state": state, "problem": problem, "finished_at": now})


def broken_off(transfer: Transfer, now: datetime | None) -> Transfer:
    """A transfer whose worker died: nobody is on it any more, and whatever it did stands in the export log."""
    problem = {
        "code": "worker_lost",
        "detail": "The transfer broke off. What it had not finished goes with the next one.",
        "status": 500,
    }
    done = transfer.counts.sent + transfer.counts.attached + transfer.counts.changes
    state = TransferState.PARTIALLY_SUCCEEDED if done else TransferState.FAILED
    return transfer.model_copy(update={"state": state, "problem": problem, "finished_at": now})


def after(sync: Sync, transfer: Transfer, waiting: Sequence[Entry], now: datetime) -> dict[str, Any]:
    """What changes of the sync with the end of a transfer, while these documents wait for the next."""
    sent, problem = bool(transfer.counts.sent), transfer.problem or {}
    found = bool(transfer.arrivals) or bool(transfer.counts.changes)
    unanswered = problem.get("status") == 503 and not sent
    rhythm = remember(sync.rhythm, list(transfer.arrivals), now).model_copy(
        update={
            "quiet": 0 if found or problem else sync.rhythm.quiet + 1,
            "failures": sync.rhythm.failures + 1 if unanswered else 0,
            "restored": False,
            "last_at": now,
            "last_sent_at": now if sent else sync.rhythm.last_sent_at,
        }
    )
    told = tuple(code for code in sync.told if code != NOTHING_SENT or not sent)
    next_at, why = _next(sync.model_copy(update={"rhythm": rhythm}), problem, waiting, now)
    silent_at = None if NOTHING_SENT in told else _odd_from(rhythm)
    return {"rhythm": rhythm, "told": told, "next_at": next_at, "next_why": why, "silent_at": silent_at}


def _next(sync: Sync, problem: dict[str, Any], waiting: Sequence[Entry], now: datetime) -> tuple[datetime | None, str]:
    if refuses_credentials(problem) or problem.get("code") in _WAITS_FOR_THE_CONNECTION:
        return None, "It waits until the connection works again."
    if not sync.settings.automatic:
        return None, "Automatic transfer is switched off."
    oldest = min((entry.arrived_at for entry in waiting), default=None)
    best = planned(sync, now, waiting=len(waiting), oldest=oldest)
    return _not_too_soon(best.at, now, waiting), best.why


def _not_too_soon(at: datetime, now: datetime, waiting: Sequence[Entry]) -> datetime:
    """What waits for its settle time is not asked for before it has passed."""
    ready = [entry.not_before for entry in waiting if entry.not_before is not None]
    if waiting and len(ready) == len(waiting):
        return max(at, min(ready))
    return max(at, now + timedelta(minutes=1))


def _odd_from(rhythm: TransferHistory) -> datetime | None:
    """From when on it is odd that nothing was sent; None while there is no habit to go by."""
    silence = usual_silence(rhythm)
    return rhythm.last_sent_at + silence if silence and rhythm.last_sent_at else None


def absence(gaps: Sequence[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """What is told of Z-reports that did not come: a sentence, and which they are."""
    days = sorted({day for gap in gaps for day in gap["missing_days"]})
    numbers = [number for gap in gaps for number in gap["missing_numbers"]]
    missing = [f"of {_first_of(days)}"] if days else []
    missing += [f"with number {_first_of(numbers)}"] if numbers else []
    detail = f"No Z-report came {', nor '.join(missing)}. Have the till send it; the list of gaps says which till."
    return detail, {"tills": list(gaps[:_TILLS_NAMED])}


def _first_of(missing: Sequence[object]) -> str:
    return f"{missing[0]} (and {len(missing) - 1} more)" if len(missing) > 1 else str(missing[0])


def refusal(transfer: Transfer, rejected: Sequence[Entry]) -> tuple[str, dict[str, Any]]:
    """What is told of documents that the ERP refused: a sentence, and which one, if possible one of this transfer.

    A list may be a moment behind; then the refusal alone is told.
    """
    count = max(len(rejected), transfer.counts.rejected)
    facts: dict[str, Any] = {"transfer": transfer.id, "rejected": count}
    what = "a document"
    if rejected:
        one = next((entry for entry in rejected if entry.handled_by == transfer.id), rejected[0])
        what = one.title or one.external_id
        named = {"document": one.id, "kind": one.kind.value, "external_id": one.external_id, "reason": one.code}
        facts |= named
    others = f" and {count - 1} more" if count > 1 else ""
    return f"The ERP refused {what}{others}. The export log says why, and what to do.", facts
