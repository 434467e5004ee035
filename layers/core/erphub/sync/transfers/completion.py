"""How a transfer ends: how it went, when the next one is best, and what there is to tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from erphub.platform.errors import refuses_for_good
from erphub.sync import problems
from erphub.sync.export_log.gaps import days_to_check, gaps_to_report, list_settlements
from erphub.sync.export_log.models import Entry
from erphub.sync.settings.models import AUTOMATIC_IS_OFF, WAITS_FOR_CONNECTION, Sync, TransferHistory
from erphub.sync.settings.pacing import plan_next, usual_pause, with_arrivals
from erphub.sync.transfers.context import TransferContext
from erphub.sync.transfers.models import Transfer, TransferStatus
from erphub.sync.transfers.ports import Notices

REJECTED, NOTHING_SENT = problems.DOCUMENT_REJECTED.code, problems.NOTHING_SENT.code
"""Codes of notices that stand until their cause has gone, and are given once while they do."""
MISSING = problems.REPORTS_MISSING.code
_MAX_TILLS_NAMED = 20
_CONNECTION_PROBLEMS = ("connection_paused", "connection_not_found")


@dataclass
class TransferCompletion:
    """Ends one transfer under its lease."""

    context: TransferContext
    notices: Notices
    _codes: set[str] = field(default_factory=set[str])
    """Of what people were notified by this transfer."""

    def complete(self) -> dict[str, Any]:
        """Count, plan the next transfer, notify people, and let others on."""
        context, now = self.context, self.context.clock()
        end = finished(context.transfer, now)
        waiting = [entry for queue in ("pending", "uncertain", "attach") for entry in context.queued(queue)]
        rejected = context.queued("rejected")
        checked_until = self._notify_gaps(now)

        def changes(sync: Sync) -> dict[str, Any]:
            planned = changes_after(sync, end, waiting, now)
            notified = self._notify_rejected(planned["notified_codes"], end, rejected)
            return planned | {"notified_codes": notified, "gaps_checked_until": checked_until}

        context.update_sync(changes)
        context.transfer = context.stores.transfers.save(end, context.keep_days)
        context.stores.leases.release(*context.key, end.id, context.clock())
        codes = sorted(self._codes)
        return {"outcome": "finished", "counts": end.counts.model_dump(), "status": end.status.value, "notices": codes}

    def _notify_rejected(self, notified: tuple[str, ...], end: Transfer, rejected: list[Entry]) -> tuple[str, ...]:
        """Notify of rejected documents, once until none is left; the answer is which codes stand from now on."""
        if not rejected and not end.counts.rejected:
            return tuple(code for code in notified if code != REJECTED)
        if REJECTED not in notified and REJECTED not in self._codes:
            self._notify(REJECTED, *rejection_notice(end, rejected))
        return (*(code for code in notified if code != REJECTED), REJECTED)

    def _notify_gaps(self, now: datetime) -> date | None:
        """Notify of Z-reports that should have come by now; the answer is up to which day people have been notified.

        Up to the newest that came: what has come of no till yet is a silence, and reported as that.
        """
        sync, today = self.context.sync, now.astimezone(ZoneInfo(self.context.sync.settings.time_zone)).date()
        first, last = days_to_check(today, sync.gaps_checked_until, sync.settings.from_date)
        if not sync.settings.z_report or first > last:
            return sync.gaps_checked_until
        known = list(list_settlements(self.context.stores.entries, *self.context.key, first, last))
        last = max((entry.date for entry in known), default=date.min)
        if first > last:
            return sync.gaps_checked_until
        if gaps := gaps_to_report(known, sync, first, last):
            self._notify(MISSING, *gaps_notice(gaps))
        return last

    def _notify(self, code: str, detail: str, attributes: Mapping[str, Any]) -> None:
        self._codes.add(code)
        self.notices.notify(*self.context.key, code, detail, **attributes)


def finished(transfer: Transfer, now: datetime) -> Transfer:
    """The transfer with its end. What could not be read is its problem, when nothing worse is."""
    counts, problem = transfer.counts, transfer.problem or next(iter(transfer.not_read.values()), None)
    status = TransferStatus.SUCCEEDED
    if problem and not counts.sent + counts.attached + counts.changes:
        status = TransferStatus.FAILED
    elif problem or counts.rejected + counts.uncertain + counts.pending:
        status = TransferStatus.PARTIALLY_SUCCEEDED
    return transfer.model_copy(update={"status": status, "problem": problem, "finished_at": now})


def broken_off(transfer: Transfer, now: datetime | None) -> Transfer:
    """A transfer whose worker died: nobody is on it any more, and whatever it did stands in the export log."""
    problem = {
        "code": "worker_lost",
        "detail": "The transfer broke off. What it had not finished goes with the next one.",
        "status": 500,
    }
    done = transfer.counts.sent + transfer.counts.attached + transfer.counts.changes
    status = TransferStatus.PARTIALLY_SUCCEEDED if done else TransferStatus.FAILED
    return transfer.model_copy(update={"status": status, "problem": problem, "finished_at": now})


def changes_after(sync: Sync, transfer: Transfer, waiting: Sequence[Entry], now: datetime) -> dict[str, Any]:
    """What changes of the sync with the end of a transfer, while these documents wait for the next."""
    sent, problem = bool(transfer.counts.sent), transfer.problem or {}
    found = bool(transfer.arrivals) or bool(transfer.counts.changes)
    unanswered = problem.get("status") == 503 and not sent
    history = with_arrivals(sync.history, list(transfer.arrivals), now).model_copy(
        update={
            "empty_transfers": 0 if found or problem else sync.history.empty_transfers + 1,
            "failures": sync.history.failures + 1 if unanswered else 0,
            "restored": False,
            "last_at": now,
            "last_sent_at": now if sent else sync.history.last_sent_at,
        }
    )
    notified = tuple(code for code in sync.notified_codes if code != NOTHING_SENT or not sent)
    next_at, reason = _next(sync.model_copy(update={"history": history}), problem, waiting, now)
    silence_alert_at = None if NOTHING_SENT in notified else _alert_at(history)
    return {
        "history": history,
        "notified_codes": notified,
        "next_at": next_at,
        "next_reason": reason,
        "silence_alert_at": silence_alert_at,
    }


def _next(sync: Sync, problem: dict[str, Any], waiting: Sequence[Entry], now: datetime) -> tuple[datetime | None, str]:
    if refuses_for_good(problem) or problem.get("code") in _CONNECTION_PROBLEMS:
        return None, WAITS_FOR_CONNECTION
    if not sync.settings.is_automatic:
        return None, AUTOMATIC_IS_OFF
    oldest = min((entry.arrived_at for entry in waiting), default=None)
    best = plan_next(sync, now, waiting=len(waiting), oldest=oldest)
    return _not_too_soon(best.at, now, waiting), best.reason


def _not_too_soon(at: datetime, now: datetime, waiting: Sequence[Entry]) -> datetime:
    """What waits for its resend delay is not asked for before it has passed."""
    ready = [entry.retry_at for entry in waiting if entry.retry_at is not None]
    if waiting and len(ready) == len(waiting):
        return max(at, min(ready))
    return max(at, now + timedelta(minutes=1))


def _alert_at(history: TransferHistory) -> datetime | None:
    """From when on it is unexpected that nothing was sent; None while there is no habit to go by."""
    pause = usual_pause(history)
    return history.last_sent_at + pause if pause and history.last_sent_at else None


def gaps_notice(gaps: Sequence[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """What people are notified of Z-reports that did not come: a sentence, and which they are."""
    days = sorted({day for gap in gaps for day in gap["missing_days"]})
    numbers = [number for gap in gaps for number in gap["missing_numbers"]]
    missing = [f"of {_first_of(days)}"] if days else []
    missing += [f"with number {_first_of(numbers)}"] if numbers else []
    detail = f"No Z-report came {', nor '.join(missing)}. Have the till send it; the list of gaps says which till."
    return detail, {"tills": list(gaps[:_MAX_TILLS_NAMED])}


def _first_of(missing: Sequence[object]) -> str:
    return f"{missing[0]} (and {len(missing) - 1} more)" if len(missing) > 1 else str(missing[0])


def rejection_notice(transfer: Transfer, rejected: Sequence[Entry]) -> tuple[str, dict[str, Any]]:
    """What people are notified of documents that the ERP refused: a sentence, and which, if possible of this transfer.

    A list may be a moment behind; then only that there was a refusal.
    """
    count = max(len(rejected), transfer.counts.rejected)
    attributes: dict[str, Any] = {"transfer_id": transfer.id, "rejected_count": count}
    what = "a document"
    if rejected:
        one = next((entry for entry in rejected if entry.handled_by == transfer.id), rejected[0])
        what = one.title or one.external_id
        named = {"entry_id": one.id, "kind": one.kind.value, "external_id": one.external_id, "reason": one.code}
        attributes |= named
    others = f" and {count - 1} more" if count > 1 else ""
    return f"The ERP refused {what}{others}. The export log says why, and what to do.", attributes
