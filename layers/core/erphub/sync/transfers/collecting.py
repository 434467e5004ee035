"""The first step of a transfer: what changed in the ERP is fetched for the till."""

from dataclasses import dataclass

from erphub.erp.approvals import ReadsApprovals
from erphub.erp.documents import DocumentKind
from erphub.erp.posting import ReadsChanges
from erphub.platform.errors import Conflict, CredentialsRefused, HubError
from erphub.platform.outbound import deadlines
from erphub.platform.tasks import TimeLeft
from erphub.sync import problems
from erphub.sync.changes.fetching import KINDS, ChangeFetcher, cursor_name
from erphub.sync.transfers.approvals import ApprovalCheck, next_check
from erphub.sync.transfers.attempts import report_unexpected
from erphub.sync.transfers.context import TransferContext
from erphub.sync.transfers.models import Counts

RESERVED_SECONDS = 45.0
"""Seconds of the function's time that are kept to finish properly."""
FETCH_SECONDS = 240.0
"""The longest that fetching the changes of one kind may take."""


@dataclass(frozen=True)
class ChangeCollection:
    """Fetches changes of one transfer's kinds. A kind that cannot be read keeps back neither the others nor the till's
    documents: it is named in the transfer."""

    context: TransferContext
    time_left: TimeLeft

    def collect(self) -> bool:
        """Fetch what changed in the ERP; whether there is more of it."""
        context, transfer = self.context, self.context.transfer
        if transfer.problem or transfer.document_ids:
            return False
        try:
            adapter = context.adapter()
        except HubError as error:
            context.abort(error)
            return False
        if not isinstance(adapter, ReadsChanges):
            return False
        settings = context.sync.settings
        kinds = [kind for kind in KINDS if settings.sends(kind) and transfer.kind in (None, kind)]
        more = False
        for kind in kinds:
            for company in settings.companies():
                more = self._collect_kind(adapter, kind, company) or more
        return more

    def _collect_kind(self, adapter: ReadsChanges, kind: DocumentKind, company: str) -> bool:
        name = cursor_name(self.context.sync, kind, company)
        if self.context.transfer.problem or name in self.context.transfer.not_read:
            return False
        try:
            return self._fetch(adapter, kind, company)
        except Conflict as error:
            # Somebody handed the same record in at this moment: the change is met again with the next transfer.
            report_unexpected(name, error)
        except Exception as error:  # noqa: BLE001 — what the till handed over has nothing to do with it
            of = f" of company {company}" if name != kind.value else ""
            _note_unread(self.context, name, f"Changes of {kind.value}s{of}", error)
        return False

    def _fetch(self, adapter: ReadsChanges, kind: DocumentKind, company: str) -> bool:
        context, name = self.context, cursor_name(self.context.sync, kind, company)
        fetcher = ChangeFetcher(context.offers)
        with deadlines.at_most(min(FETCH_SECONDS, self.time_left() - RESERVED_SECONDS)):
            fetched = fetcher.fetch(context.sync, adapter, kind, company, lambda: self.time_left() <= RESERVED_SECONDS)
        if (until := fetched.until) is not None and until != context.sync.cursors.get(name):
            context.update_sync(lambda sync: {"cursors": {**sync.cursors, name: until}})
        if fetched.offered or fetched.conflicts:
            counts = Counts(changes=fetched.offered, conflicts=fetched.conflicts)
            context.change(counts=context.transfer.counts + counts)
        return not fetched.is_complete


@dataclass(frozen=True)
class ApprovalCollection:
    """Looks in one transfer what became of vouchers in the ERP's inbox; what cannot be read keeps no document back."""

    context: TransferContext
    check: ApprovalCheck
    time_left: TimeLeft

    def collect(self) -> None:
        """Look, keep what became of what, and put the next look by the clock off."""
        context, transfer = self.context, self.context.transfer
        seconds = min(FETCH_SECONDS, self.time_left() - RESERVED_SECONDS)
        wanted = not transfer.document_ids and transfer.kind in (None, DocumentKind.SETTLEMENT)
        if transfer.problem or not wanted or seconds <= 0:
            return
        try:
            adapter = context.adapter()
            if isinstance(adapter, ReadsApprovals):
                with deadlines.at_most(seconds):
                    self._look(adapter)
        except Exception as error:  # noqa: BLE001 — what the till handed over has nothing to do with it
            _note_unread(context, _APPROVALS, "What became of vouchers in the inbox", error)

    def _look(self, adapter: ReadsApprovals) -> None:
        context, began = self.context, self.context.clock()
        checked = self.check.check(context.sync, adapter)
        if not checked.asked:
            return
        due = next_check(checked.newest, began)
        planned = {"approvals_read_until": began} | ({"approvals_due_at": due} if due else {})
        context.update_sync(lambda _: planned)
        if checked.approved or checked.discarded:
            counts = Counts(approved=checked.approved, discarded=checked.discarded)
            context.change(counts=context.transfer.counts + counts)


_APPROVALS = "approvals"
"""What `not_read` calls it."""


def _note_unread(context: TransferContext, name: str, what: str, error: Exception) -> None:
    """What could not be read is named in the transfer; where the ERP cannot be used for now, the transfer ends."""
    if not isinstance(error, HubError):
        report_unexpected(name, error)
        error = problems.COLLECTING_FAILED()
    if isinstance(error, CredentialsRefused) or "retry_after" in error.members:
        context.abort(error)
    else:
        context.mark_unread(name, what, error)
