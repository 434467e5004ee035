"""A sync, its documents, transfers and log, as its users see them."""

import json
from datetime import date, datetime

from pydantic import Field

from .sync import Attempt, Counts, Entry, EntryState, Offer, Sync, SyncSettings, Transfer, Upload
from .wire import JsonObject, Model


class NextView(Model):
    """When the next transfer starts, and why then."""

    at: datetime | None
    why: str


class SyncView(Model):
    """The settings of a sync, and where it stands."""

    settings: SyncSettings
    version: int
    saved_at: datetime
    saved_by: str
    next: NextView
    running: str | None
    """The transfer that is under way."""
    last_transfer_at: datetime | None
    last_sent_at: datetime | None

    @classmethod
    def of(cls, sync: Sync, running: str | None) -> "SyncView":
        """The view of a sync."""
        return cls(
            settings=sync.settings,
            version=sync.version,
            saved_at=sync.saved_at,
            saved_by=sync.saved_by,
            next=NextView(at=sync.next_at, why=sync.next_why),
            running=running,
            last_transfer_at=sync.rhythm.last_at,
            last_sent_at=sync.rhythm.last_sent_at,
        )


class WrongSetting(Model):
    """What is wrong with one setting."""

    pointer: str
    code: str
    detail: str


class CheckView(Model):
    """What a test of settings found, and what the ERP offers to choose from."""

    passed: bool
    errors: list[WrongSetting]
    choices: JsonObject


class PdfSlot(Model):
    """Where the settlement's PDF is to be put, and until when."""

    method: str
    url: str
    headers: dict[str, str]
    expires_at: datetime


class EntryView(Model):
    """A document in the export log."""

    id: str
    kind: str
    external_id: str
    date: date
    title: str
    state: EntryState
    code: str
    detail: str
    erp_words: str
    reference: str
    awaiting_approval: bool
    attachment: str
    attempts: int
    revision: int
    created_at: datetime
    updated_at: datetime
    not_before: datetime | None
    lost: JsonObject = Field(default_factory=dict)
    settled_by_hand: str = ""

    @classmethod
    def of(cls, entry: Entry, lost: JsonObject) -> "EntryView":
        """The view of an entry; the document itself stays inside, and of what was lost only `lost` is shown."""
        return cls.model_validate({name: getattr(entry, name) for name in cls.model_fields} | {"lost": lost})


class HandedInView(EntryView):
    """A document that was handed in: `outcome` says what became of the body."""

    outcome: str = ""
    pdf_upload: PdfSlot | None = None


class EntryDetail(EntryView):
    """A document with all attempts to send it."""

    tries: list[Attempt] = Field(default_factory=list[Attempt])
    document: JsonObject = Field(default_factory=dict)
    """The document, personal data masked."""


class EntryPage(Model):
    """A page of the export log."""

    items: list[EntryView]
    next: str | None


class CodeGroup(Model):
    """Open entries that one reason stopped."""

    code: str
    state: EntryState
    kind: str
    count: int
    first: date
    last: date
    detail: str


class CodeGroups(Model):
    """What stands open, grouped."""

    items: list[CodeGroup]


class MissingDay(Model):
    """A day without a Z-report."""

    day: date
    usually_open: bool


class TillGaps(Model):
    """What is missing of a till's Z-reports; `first` and `last` are the days of the first and last one known."""

    department: str
    till: str
    first: date
    last: date
    missing_numbers: list[int]
    missing_days: list[MissingDay]


class GapsView(Model):
    """What is missing, by department and till."""

    items: list[TillGaps]


class RetriedView(Model):
    """How many documents go again, and which could not."""

    retried: int
    failed: list[JsonObject]


class TransferView(Model):
    """A transfer."""

    id: str
    by: str
    automatic: bool
    dry_run: bool
    kind: str | None
    state: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: Counts
    problem: JsonObject | None

    @classmethod
    def of(cls, transfer: Transfer) -> "TransferView":
        """The view of a transfer."""
        return cls.model_validate({name: getattr(transfer, name) for name in cls.model_fields})


class TransferDetail(TransferView):
    """A transfer; a dry run with what would be posted."""

    preview: list[JsonObject] = Field(default_factory=list)


class TransferPage(Model):
    """A page of transfers, the newest first."""

    items: list[TransferView]
    next: str | None


class UploadView(Model):
    """A batch and what was made of it; `upload` says where its file goes while it is open."""

    id: str
    format: str
    state: str
    created_at: datetime
    lines: int
    accepted: int
    unchanged: int
    refused: int
    errors: list[JsonObject]
    problem: JsonObject | None
    upload: PdfSlot | None = None

    @classmethod
    def of(cls, upload: Upload, slot: PdfSlot | None = None) -> "UploadView":
        """The view of a batch."""
        shown = {name: getattr(upload, name) for name in cls.model_fields if name != "upload"}
        return cls.model_validate(shown | {"upload": slot, "errors": list(upload.errors)})


class CashRegisterView(Model):
    """What a cash register file held."""

    settlements: list[HandedInView]
    refused: list[JsonObject]
    open_transactions: dict[str, int]
    """Transactions by register that no Z-report of the file closes."""


class ChangeView(Model):
    """A change in the ERP. `changed` names what is new to the till; `lost` is what it had where it gave way."""

    change: str
    kind: str
    reference: str
    external_id: str
    changed: list[str]
    document: JsonObject
    lost: JsonObject
    offered_at: datetime

    @classmethod
    def of(cls, offer: Offer) -> "ChangeView":
        """The view of an offered change."""
        return cls(
            change=str(offer.sequence),
            kind=offer.kind.value,
            reference=offer.reference,
            external_id=offer.external_id,
            changed=list(offer.changed),
            document=offer.document,
            lost=offer.lost,
            offered_at=offer.offered_at,
        )


class ChangesView(Model):
    """Changes in the ERP; ask again with `since` for those that follow."""

    items: list[ChangeView]
    since: str


class TakenOver(Model):
    """A record as the till has it from now on: the change, and what the till itself had changed meanwhile."""

    change: str
    kind: str
    external_id: str
    document: JsonObject

    @classmethod
    def of(cls, change: str, entry: Entry) -> "TakenOver":
        """The view of a change that was taken over."""
        return cls(change=change, kind=entry.kind.value, external_id=entry.external_id, document=json.loads(entry.body))


class AcknowledgedView(Model):
    """Which changes the till has now, and which a newer one has replaced."""

    acknowledged: list[str]
    superseded: list[str]
    records: list[TakenOver]
    """What was acknowledged, as the till is to keep it."""
