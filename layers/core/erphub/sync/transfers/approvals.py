"""What became of vouchers in the ERP's inbox: approved (as they were, or edited first), discarded, or waiting long.

    sent, awaiting approval ─┬─ in the ledger ───────────▶ sent, with its number there and what was edited
              ▲              ├─ thrown away ─────────────▶ discarded ── somebody sends it again ──▶ pending
              └──────────────┴─ neither, for many days ──▶ as it is; people are told, once

The ERP is asked by its own cursor of changes: from where the last look began, and an hour before, so that what it shows
late and what differs between two clocks is not passed over. People are told before an entry is kept, each fact under a
key of its own: whoever dies in between tells nothing twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import batched
from typing import Any

from erphub.erp.approvals import Approval, AwaitedVoucher, ReadsApprovals, Verdict
from erphub.erp.documents import DocumentKind, Settlement
from erphub.erp.posting import Posted, Posting
from erphub.platform.clock import Clock
from erphub.sync import problems
from erphub.sync.canonical import from_text, posting_key
from erphub.sync.export_log.models import DISCARDED_IN_ERP, Entry, EntryStatus, VoucherEdit
from erphub.sync.export_log.ports import EntryStore
from erphub.sync.settings.models import Sync
from erphub.sync.transfers.ports import Notices

OVERLAP = timedelta(hours=1)
"""How long before the last look the changes are read again."""
APPROVED, DISCARDED, OVERDUE = (
    one.code for one in (problems.VOUCHER_APPROVED, problems.VOUCHER_DISCARDED, problems.APPROVAL_OVERDUE)
)
_BATCH = 25
_MAX_NAMED = 20
"""How many vouchers one notice names."""
_HOURLY, _FOUR_A_DAY = timedelta(days=2), timedelta(days=14)
"""Up to which age of the newest voucher that waits the ERP is asked so often; later once a day."""


@dataclass(frozen=True)
class Checked:
    """What a look at the inbox came to."""

    asked: bool = False
    """Whether the ERP was asked at all: nothing that waits, nothing to ask."""
    approved: int = 0
    discarded: int = 0
    newest: datetime | None = None
    """Since when the newest of those that still wait has been there."""


@dataclass(frozen=True)
class ApprovalCheck:
    """Looks what became of a sync's vouchers in the ERP's inbox, and keeps it."""

    entries: EntryStore
    notices: Notices
    clock: Clock

    def check(self, sync: Sync, adapter: ReadsApprovals) -> Checked:
        """Ask the ERP, company by company, when any voucher waits. Raises what the ERP raises.

        One company that cannot be asked keeps back no other; the first such error is raised at the end.
        """
        waiting = self._whole(sync, awaiting_approval(self.entries, sync))
        if not waiting:
            return Checked()
        since = self._since(sync, waiting)
        # A voucher that seemed discarded and is in the ledger after all is known there by its key.
        given_up = self._whole(
            sync, self.entries.queue(sync.client_id, sync.connection_id, EntryStatus.DISCARDED.value)
        )
        seen = dict[str, Approval]()
        problem: Exception | None = None
        for company, some in _by_company([*waiting, *given_up]).items():
            try:
                seen |= adapter.approvals([_awaited(entry) for entry in some], since, company)
            except Exception as error:  # noqa: BLE001 — raised again below, when the other companies were asked
                problem = problem or error
        changed = [fresh for entry in [*waiting, *given_up] if (fresh := self._judged(sync, entry, seen)) is not None]
        self._keep(sync, changed)
        gone = {entry.id for entry in changed}
        left = [entry for entry in waiting if entry.id not in gone]
        self._remind(sync, left)
        if problem is not None:
            raise problem
        return Checked(
            True,
            sum(entry.status is EntryStatus.SENT for entry in changed),
            sum(entry.status is EntryStatus.DISCARDED for entry in changed),
            max((_handed_over(entry) for entry in left), default=None),
        )

    def _whole(self, sync: Sync, listed: Iterable[Entry]) -> list[Entry]:
        names = [entry.id for entry in listed if entry.kind is DocumentKind.SETTLEMENT]
        found: list[Entry] = []
        for some in batched(names, _BATCH, strict=False):
            found += self.entries.get_many(sync.client_id, sync.connection_id, some)
        # A list may be a moment behind: what was settled since is left alone.
        return [entry for entry in found if entry.body and (entry.awaiting_approval or _is_discarded(entry))]

    @staticmethod
    def _since(sync: Sync, waiting: Sequence[Entry]) -> datetime:
        first = min(entry.arrived_at for entry in waiting)
        return max(first, sync.approvals_read_until or first) - OVERLAP

    def _judged(self, sync: Sync, entry: Entry, seen: Mapping[str, Approval]) -> Entry | None:
        """The entry with what became of it, and people told; None when nothing new did."""
        found = seen.get(posting_key(entry.id))
        if found is None or (found.verdict is Verdict.DISCARDED and _is_discarded(entry)):
            return None
        fresh = (
            _approved(entry, found, self.clock())
            if found.verdict is Verdict.APPROVED
            else _discarded(entry, self.clock())
        )
        self._notify(sync, fresh)
        return fresh

    def _notify(self, sync: Sync, entry: Entry) -> None:
        about: dict[str, Any] = _named(entry) | {"reference": entry.reference}
        what = entry.title or entry.external_id
        code, detail = DISCARDED, f"{what} was discarded in the ERP's inbox. The export log says what can be done."
        if entry.status is EntryStatus.SENT:
            edited = ", edited before" if entry.edits else ""
            code, detail = APPROVED, f"{what} was approved in the ERP{edited}: it is {entry.reference} there."
            about["edits"] = [edit.model_dump() for edit in entry.edits[:_MAX_NAMED]]
        fact = f"{entry.id} {entry.attempt_count}"
        self.notices.notify_of(sync.client_id, sync.connection_id, fact, code, detail, **about)

    def _remind(self, sync: Sync, waiting: Sequence[Entry]) -> None:
        """Tell people, once, of those that have waited for as many days as the settings say."""
        now, patience = self.clock(), timedelta(days=sync.settings.approval_reminder_days)
        late = [one for one in waiting if not one.approval_reminded_at and _handed_over(one) + patience <= now]
        if not late:
            return
        late.sort(key=lambda entry: (entry.date, entry.id))
        others = f" and {len(late) - 1} more" if len(late) > 1 else ""
        detail = (
            f"{late[0].title or late[0].external_id}{others} waited for approval in the ERP's inbox for"
            f" {patience.days} days. Approve or discard what is there."
        )
        fact = sha256(" ".join(f"{entry.id} {entry.attempt_count}" for entry in late).encode()).hexdigest()
        named = {"waiting_count": len(late), "documents": [_named(entry) for entry in late[:_MAX_NAMED]]}
        self.notices.notify_of(sync.client_id, sync.connection_id, fact, OVERDUE, detail, **named)
        self._keep(sync, [entry.model_copy(update={"approval_reminded_at": now}) for entry in late])

    def _keep(self, sync: Sync, changed: Sequence[Entry]) -> None:
        # Those that somebody else was first with are met again by the next look, if there is anything left to see.
        self.entries.save_many(changed, sync.settings.retention_days)


def awaiting_approval(entries: EntryStore, sync: Sync) -> list[Entry]:
    """What waits in the ERP's inbox, without bodies; also what lacks its PDF there."""
    key, kind = (sync.client_id, sync.connection_id), DocumentKind.SETTLEMENT
    queues = ("approval", "attach", "unattached")
    return [entry for queue in queues for entry in entries.queue(*key, queue, kind) if entry.awaiting_approval]


def next_check(newest: datetime | None, now: datetime) -> datetime | None:
    """When the ERP is best asked again, the newest voucher that waits having been there since; None when none does."""
    if newest is None:
        return None
    age = now - newest
    wait = timedelta(hours=1 if age < _HOURLY else 6 if age < _FOUR_A_DAY else 24)
    return now + wait


def with_first_check(sync: Sync, now: datetime) -> dict[str, Any]:
    """What changes of a sync that is about to hand a voucher to the inbox: the ERP will be asked what became of it."""
    first = now + timedelta(hours=1)
    return {"approvals_due_at": min(sync.approvals_due_at or first, first)}


def edits_of(
    adapter: object, entry: Entry, settlement: Settlement, posting: Posting, found: Posted
) -> tuple[VoucherEdit, ...]:
    """What was edited of a voucher that went to the inbox, whose answer was lost, and that is in the ledger by now.

    Raises what the ERP raises."""
    if found.awaiting_approval or not isinstance(adapter, ReadsApprovals):
        return ()
    one = AwaitedVoucher(settlement, posting, found.reference, entry.arrived_at)
    company = str(posting.routing.get("company") or "")
    approval = adapter.approvals([one], entry.arrived_at - OVERLAP, company).get(posting.key)
    return _kept_edits(approval) if approval is not None else ()


def _kept_edits(approval: Approval) -> tuple[VoucherEdit, ...]:
    return tuple(
        VoucherEdit(field=edit.field, account=edit.account, handed_over=edit.handed_over, in_erp=edit.in_erp)
        for edit in approval.edits
    )


def edited_words(edits: Sequence[VoucherEdit]) -> str:
    """What is said of an approval: nothing when it was approved as it was."""
    if not edits:
        return ""
    fields = ", ".join(dict.fromkeys(edit.field.replace("_", " ") for edit in edits))
    return f"Edited in the ERP before it was approved: {fields}."


def _approved(entry: Entry, found: Approval, now: datetime) -> Entry:
    kept = _kept_edits(found)
    changes: dict[str, Any] = {
        "status": EntryStatus.SENT,
        "awaiting_approval": False,
        "approved_at": now,
        "reference": found.reference,
        "edits": kept,
        "updated_at": now,
    }
    if not entry.lacks_pdf:
        changes |= {"code": "", "detail": edited_words(kept)}
    return entry.model_copy(update=changes)


def _discarded(entry: Entry, now: datetime) -> Entry:
    changes: dict[str, Any] = {
        "status": EntryStatus.DISCARDED,
        "awaiting_approval": False,
        "code": DISCARDED_IN_ERP,
        "detail": "Somebody discarded it in the ERP's inbox. It is not sent again by itself: say so (retry with"
        " `resend_discarded`), skip it, or say as what it was posted by hand.",
        "updated_at": now,
        "retry_at": None,
    }
    return entry.model_copy(update=changes)


def _is_discarded(entry: Entry) -> bool:
    return entry.status is EntryStatus.DISCARDED


def _handed_over(entry: Entry) -> datetime:
    return entry.claimed_at or entry.arrived_at


def _awaited(entry: Entry) -> AwaitedVoucher:
    document = from_text(entry.body)
    if not isinstance(document, Settlement):
        raise TypeError(f"a {entry.kind.value} waits for approval")
    routing = entry.sent_routing or entry.destination
    return AwaitedVoucher(document, Posting(posting_key(entry.id), routing), entry.reference, entry.arrived_at)


def _by_company(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.destination.get("company", ""), []).append(entry)
    return found


def _named(entry: Entry) -> dict[str, Any]:
    return {"entry_id": entry.id, "kind": entry.kind.value, "external_id": entry.external_id, "title": entry.title}
