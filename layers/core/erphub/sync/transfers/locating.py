"""Which settings a document is sent by: those of its own location, and none other's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from erphub.platform.errors import Conflict, Unavailable
from erphub.sync import problems
from erphub.sync.canonical import from_text
from erphub.sync.changes.record_merge import RecordMerge
from erphub.sync.documents.identity import gives_way, identities_of, may_be_same, require_same_content
from erphub.sync.export_log.models import Entry, EntryStatus
from erphub.sync.export_log.ports import IdentityStore
from erphub.sync.settings.located import RECORDS, settings_of
from erphub.sync.settings.models import Sync, SyncSettings
from erphub.sync.transfers.send_outcome import SendOutcome
from erphub.sync.transfers.sending import DocumentSender

_OPEN = (EntryStatus.PENDING, EntryStatus.REJECTED)
"""Of two that came in different spellings of one shop, and neither is in the ERP, whichever comes first goes."""


@dataclass(frozen=True)
class LocatedSender:
    """Sends documents of every location of a sync, each to its own books."""

    sender: DocumentSender
    """The sender by the settings of the sync."""
    sync: Sync
    identities: IdentityStore

    @property
    def records(self) -> RecordMerge | None:
        """What merges customers and products with the ERP's."""
        return self.sender.records

    def send(self, entry: Entry) -> SendOutcome:
        """Try one document. Raises TransferAborted when the ERP cannot be used at all.

        What is of no known location waits, with the reason; so does what may be in the ERP already, for where it is
        looked for the location says as well. Only a PDF goes to where its voucher went.
        """
        if entry.queue == "attach":
            return self.sender.send(entry)
        try:
            here = self._of(entry)
            known = self._identified(entry)
        except (Unavailable, Conflict) as error:
            if error.code == "version_conflict":
                raise
            maybe_there = entry.status in (EntryStatus.SENDING, EntryStatus.UNCERTAIN)
            return self.sender.refuse_unsent(entry, error, maybe_there)
        if _is_elsewhere(known, here.settings):
            known = self.sender.recorder.update(known, **_NOWHERE)
        return here.send(known)

    def preview(self, entry: Entry) -> dict[str, Any]:
        """What would be done with a document, and exactly what would be posted. Raises what posting would."""
        here = self._of(entry)
        return here.preview(entry.model_copy(update=_NOWHERE) if _is_elsewhere(entry, here.settings) else entry)

    def _of(self, entry: Entry) -> DocumentSender:
        """Raises Unavailable."""
        settings = settings_of(self.sync, entry.kind, entry.department, entry.till)
        if settings is self.sync.settings:
            return self.sender
        actions = replace(self.sender.actions, settings=settings)
        return replace(self.sender, settings=settings, actions=actions)

    def _identified(self, entry: Entry) -> Entry:
        """The entry with the identity that it has by now: two shops' names may have turned out to mean one.

        Raises Conflict when another entry is the same document, or has been kept in its place.
        """
        if entry.status is not EntryStatus.PENDING:
            return entry
        document = from_text(entry.body)
        identities = identities_of(document, self.sync)
        identity = next(iter(identities), "")
        if identity == entry.claimed_identity and len(identities) < 2:
            return entry
        for first in self._others(entry, identities):
            if not may_be_same(first, document, self.sync):
                continue
            if gives_way(first):
                self.sender.recorder.update(first, identity="")
            elif first.status not in _OPEN or first.claimed_identity == identity:
                require_same_content(first, document)
                raise problems.ALREADY_KEPT(external_id=first.external_id, entry_id=first.id)
        return entry if identity == entry.claimed_identity else self.sender.recorder.update(entry, identity=identity)

    def _others(self, entry: Entry, identities: Sequence[str]) -> list[Entry]:
        """Other entries that are the same document."""
        key = entry.client_id, entry.connection_id
        names = set(self.identities.holders(*key, identities).values()) - {entry.id}
        return self.sender.entries.get_many(*key, sorted(names)) if names else []


_NOWHERE: dict[str, Any] = {"reference": "", "destination": {}}
"""What is known of a record that is new in its company: the reference that it has in another is another's there."""


def _is_elsewhere(entry: Entry, here: SyncSettings) -> bool:
    """Whether a record is in another company than its shop belongs to by now."""
    company = entry.destination.get("company")
    return entry.kind in RECORDS and bool(entry.reference and company) and company != here.company
