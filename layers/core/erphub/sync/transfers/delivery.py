"""The second step of a transfer: what is due is sent, document by document, in order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from erphub.erp.documents import DocumentKind
from erphub.platform.errors import Conflict, HubError, Unavailable
from erphub.platform.tasks import TimeLeft
from erphub.sync.export_log.models import BEFORE_FROM_DATE, Entry
from erphub.sync.export_log.releasing import release_entry
from erphub.sync.settings.located import settings_of
from erphub.sync.settings.models import SettlementTarget, Sync
from erphub.sync.transfers.approvals import with_first_check
from erphub.sync.transfers.attempts import report_unexpected
from erphub.sync.transfers.collecting import RESERVED_SECONDS
from erphub.sync.transfers.context import BATCH_ENTRIES, TransferContext
from erphub.sync.transfers.locating import LocatedSender
from erphub.sync.transfers.send_outcome import SendOutcome, TransferAborted

_MAX_UNANSWERED = 50
"""After so many documents in a row of a kind that the ERP did not take, the others of the kind wait for the next time;
those that were tried wait longer, so that every document is reached."""
_MAX_ARRIVALS = 60


@dataclass(frozen=True)
class Delivery:
    """Sends what is due in one transfer."""

    context: TransferContext
    _unanswered: Counter[DocumentKind] = field(default_factory=Counter[DocumentKind])
    """By kind, how many documents in a row the ERP did not take though it answers."""
    _expecting: list[bool] = field(default_factory=list[bool])

    def send(self, sender: LocatedSender, time_left: TimeLeft) -> bool:
        """Send what is due, in order; whether time ran out before all of it was tried."""
        transfer = self.context.transfer
        counts, arrivals = transfer.counts, list(transfer.arrivals)
        more = False
        try:
            for entry in self.context.due_entries():
                if time_left() < RESERVED_SECONDS:
                    more = True
                    break
                if self._unanswered[entry.kind] >= _MAX_UNANSWERED:
                    continue
                self._expect_approvals(entry)
                outcome = self._send_one(sender, entry)
                if outcome is not SendOutcome.LEFT:
                    counts = counts.plus(**{outcome.counted: 1})
                    arrivals.append(entry.arrived_at)
        except TransferAborted as aborted:
            self.context.abort(aborted.error)
        except HubError as error:
            self.context.abort(error)
        counts = counts.plus(conflicts=sender.records.conflicts if sender.records else 0)
        self.context.change(counts=counts, arrivals=tuple(_thinned(arrivals)))
        return more

    def _expect_approvals(self, entry: Entry) -> None:
        """Before a voucher goes to the inbox it is settled that the ERP will be asked what became of it.

        Whoever dies in between leaves nothing that nobody looks after.
        """
        goes_there = entry.kind is DocumentKind.SETTLEMENT and self._sends_to_inbox
        if goes_there and entry.queue != "attach" and not self._expecting:
            self.context.update_sync(lambda sync: with_first_check(sync, self.context.clock()))
            self._expecting.append(True)

    @property
    def _sends_to_inbox(self) -> bool:
        return self.context.sync.settings.settlement_target is SettlementTarget.INBOX

    def include_days(self) -> None:
        """The from date was moved back: what was left out for its day and is no longer before it goes after all."""
        context, entries = self.context, self.context.stores.entries
        settings, applied = context.sync.settings, context.sync.applied_from_date
        if applied is not None and settings.first_date >= applied:
            return
        left_out = entries.queue(*context.key, "skipped")
        names = [
            entry.id for entry in left_out if entry.code == BEFORE_FROM_DATE and _is_of_its_days(context.sync, entry)
        ]
        for start in range(0, len(names), BATCH_ENTRIES):
            found = entries.get_many(*context.key, names[start : start + BATCH_ENTRIES])
            freed = [release_entry(entry, context.clock()) for entry in found if entry.code == BEFORE_FROM_DATE]
            entries.save_many(freed, context.keep_days)
        context.update_sync(
            lambda current: {"applied_from_date": max(settings.first_date, current.settings.first_date)}
        )

    def _send_one(self, sender: LocatedSender, entry: Entry) -> SendOutcome:
        """One document; what goes wrong with it stops no other, unless the ERP cannot be used at all."""
        try:
            outcome = sender.send(entry)
        except Conflict as error:
            # Somebody else changed it at this moment; if it went out, it is looked for before it goes again.
            report_unexpected(entry.id, error)
            return SendOutcome.LEFT
        except (TransferAborted, HubError):
            raise
        except Exception as error:  # noqa: BLE001 — the document stays as it is and shows in the log; the others go on
            report_unexpected(entry.id, error)
            return SendOutcome.LEFT
        if outcome is SendOutcome.UNANSWERED:
            self._unanswered[entry.kind] += 1
        elif outcome not in (SendOutcome.LEFT, SendOutcome.PENDING):
            self._unanswered[entry.kind] = 0
        return outcome


def _is_of_its_days(sync: Sync, entry: Entry) -> bool:
    """Whether it is of a day of which its location sends; one of no location waits, and shows."""
    try:
        return entry.date >= settings_of(sync, entry.kind, entry.department, entry.till).from_date
    except Unavailable:
        return True


def _thinned(arrivals: Sequence[datetime]) -> list[datetime]:
    """A few dozen of the arrivals are as good as all of ten thousand: they are grouped anyway."""
    return sorted(arrivals)[:: max(1, len(arrivals) // _MAX_ARRIVALS)]
