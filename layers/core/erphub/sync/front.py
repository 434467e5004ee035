"""What the sync's door says: answers of the desks in the words of the API."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from erphub.erp.posting import Setup
from erphub.platform.errors import HubError
from erphub.platform.identity import Member
from erphub.platform.wire import PageQuery
from erphub.sync.capability import SYNC_RUN
from erphub.sync.changes.schemas import (
    AcknowledgedView,
    Acknowledgement,
    ChangesQuery,
    ChangesView,
    ChangeView,
    TakenOver,
)
from erphub.sync.changes.service import ChangeService
from erphub.sync.documents.schemas import CashRegisterView
from erphub.sync.documents.service import DocumentService, HandedIn, read_incoming
from erphub.sync.export_log.canonical import from_text, masked, masked_lost
from erphub.sync.export_log.models import Entry
from erphub.sync.export_log.ports import UploadSlot
from erphub.sync.export_log.schemas import (
    ByHand,
    CodeGroups,
    EntryDetail,
    EntryPage,
    EntryView,
    GapQuery,
    GapsView,
    HandedInView,
    LogQuery,
    PdfSlot,
    RetriedView,
    RetryMany,
    Skip,
)
from erphub.sync.export_log.service import ExportLogService
from erphub.sync.settings.models import Sync, SyncInput
from erphub.sync.settings.schemas import CheckView, SyncView, WrongSetting
from erphub.sync.settings.service import SyncService
from erphub.sync.transfers.schemas import NewTransfer, TransferDetail, TransferPage, TransferView
from erphub.sync.uploads.schemas import NewUpload, UploadView
from erphub.sync.uploads.service import UploadService


class SyncFront:
    """Answers for one deployment's syncs; `connection` is the connection's id throughout."""

    def __init__(
        self,
        desk: SyncService,
        intake: DocumentService,
        exports: ExportLogService,
        uploads: UploadService,
        changes: ChangeService,
    ) -> None:
        self._desk = desk
        self._intake = intake
        self._exports = exports
        self._uploads = uploads
        self._changes = changes

    # --- settings

    def show(self, member: Member, connection: str) -> SyncView:
        """The settings, and when it transfers next."""
        return self._view(self._desk.get(member.client_id, connection))

    def save(self, member: Member, connection: str, wanted: SyncInput) -> SyncView:
        """Settings that were checked and kept."""
        return self._view(self._desk.save(member.client_id, connection, member.user, wanted))

    def test(self, member: Member, connection: str, wanted: SyncInput) -> CheckView:
        """What is wrong with the settings; nothing is kept."""
        errors, setup = self._desk.check(member.client_id, connection, wanted)
        shown = [WrongSetting(pointer=one.pointer, code=one.code, detail=one.detail) for one in errors]
        return CheckView(passed=not errors, errors=shown, choices=_choices(setup))

    def _view(self, sync: Sync) -> SyncView:
        return SyncView.of(sync, self._desk.running(sync))

    # --- documents

    def hand_in(
        self, member: Member, connection: str, kind: str, external_id: str, fields: Mapping[str, Any], pdf: bool
    ) -> HandedInView:
        """A document from the till."""
        coming = read_incoming(kind, external_id, fields)
        return _handed_in(self._intake.hand_in(member.client_id, connection, member.user, coming, pdf_follows=pdf))

    def cash_register(self, member: Member, connection: str, xml: bytes) -> CashRegisterView:
        """The Z-reports of a cash register file; what cannot be taken says why, and stops none of the others."""
        from erphub.sync.documents.saft_cash_register import read_cash_register

        self._intake.sync(member.client_id, connection)
        reading = read_cash_register(xml)
        taken: list[HandedInView] = []
        refused = [_refused(f"{one.register}:{one.number}", one.error) for one in reading.refused]
        for coming in reading.settlements:
            try:
                taken.append(_handed_in(self._intake.hand_in(member.client_id, connection, member.user, coming)))
            except HubError as error:
                refused.append(_refused(coming.external_id, error))
        return CashRegisterView(settlements=taken, refused=refused, open_transactions=reading.open_transactions)

    def open_upload(self, member: Member, connection: str, wanted: NewUpload) -> UploadView:
        """A batch to come, and where its file goes."""
        upload, slot = self._uploads.open(member.client_id, connection, member.user, wanted)
        return UploadView.of(upload, _slot(slot))

    def show_upload(self, member: Member, connection: str, upload: str) -> UploadView:
        """How far a batch has come."""
        return UploadView.of(self._uploads.get(member.client_id, connection, upload))

    def take_upload(self, member: Member, connection: str, upload: str) -> UploadView:
        """Read a batch whose file is there."""
        return UploadView.of(self._uploads.start(member.client_id, connection, upload))

    # --- changes in the ERP

    def changes(self, member: Member, connection: str, query: ChangesQuery) -> ChangesView:
        """What changed in the ERP since."""
        self._desk.get(member.client_id, connection)
        since = int(query.since or 0)
        offers = self._exports.log.offers(member.client_id, connection, since, query.limit)
        last = offers[-1].sequence if offers else since
        return ChangesView(items=[ChangeView.of(offer) for offer in offers], since=str(last))

    def acknowledge(self, member: Member, connection: str, what: Acknowledgement) -> AcknowledgedView:
        """Changes that the till has taken over."""
        sync = self._desk.get(member.client_id, connection)
        taken = {one.change: self._changes.acknowledge(sync, member.user, one) for one in what.changes}
        return AcknowledgedView(
            acknowledged=[change for change, entry in taken.items() if entry is not None],
            superseded=[change for change, entry in taken.items() if entry is None],
            records=[TakenOver.of(change, entry) for change, entry in taken.items() if entry is not None],
        )

    # --- transfers

    def start_transfer(self, member: Member, connection: str, wanted: NewTransfer) -> TransferView:
        """A transfer by hand, or a dry run."""
        return TransferView.of(self._desk.transfer(member.client_id, connection, member.user, wanted))

    def transfers(self, member: Member, connection: str, query: PageQuery) -> TransferPage:
        """Transfers, the newest first."""
        page = self._desk.transfers(member.client_id, connection, query.limit, query.next)
        return TransferPage(items=[TransferView.of(one) for one in page.items], next=page.next)

    def show_transfer(self, member: Member, connection: str, transfer: str) -> TransferDetail:
        """One transfer. What a dry run would post names customers in full: for those who may send it."""
        found, preview = self._desk.one_transfer(member.client_id, connection, transfer)
        if SYNC_RUN not in member.permissions:
            preview = [{name: value for name, value in one.items() if name != "postings"} for one in preview]
        return TransferDetail(**TransferView.of(found).model_dump(), preview=preview)

    # --- the export log

    def log(self, member: Member, connection: str, query: LogQuery) -> EntryPage:
        """A page of the log."""
        page = self._exports.page(member.client_id, connection, query)
        return EntryPage(items=[_shown(entry) for entry in page.items], next=page.next)

    def log_csv(self, member: Member, connection: str, query: LogQuery) -> str:
        """The log as CSV."""
        return self._exports.as_csv(member.client_id, connection, query)

    def codes(self, member: Member, connection: str) -> CodeGroups:
        """What stands open, by code."""
        return CodeGroups.model_validate({"items": self._exports.by_code(member.client_id, connection)})

    def gaps(self, member: Member, connection: str, query: GapQuery) -> GapsView:
        """Missing Z-reports."""
        return GapsView.model_validate({"items": self._exports.gaps(member.client_id, connection, query)})

    def entry(self, member: Member, connection: str, entry: str) -> EntryDetail:
        """One document with its attempts."""
        found, tries = self._exports.entry(member.client_id, connection, entry)
        document = masked(from_text(found.body)) if found.body else {}
        return EntryDetail(**_shown(found).model_dump(), tries=tries, document=document)

    def retry(self, member: Member, connection: str, entry: str) -> EntryView:
        """Send one document again."""
        return _shown(self._exports.retry(member.client_id, connection, entry))

    def retry_many(self, member: Member, connection: str, wanted: RetryMany) -> RetriedView:
        """Send many documents again."""
        return RetriedView.model_validate(self._exports.retry_many(member.client_id, connection, wanted))

    def skip(self, member: Member, connection: str, entry: str, skip: Skip) -> EntryView:
        """Leave a document out for good."""
        return _shown(self._exports.skip(member.client_id, connection, entry, member.user, skip))

    def posted_by_hand(self, member: Member, connection: str, entry: str, hand: ByHand) -> EntryView:
        """Count a document as sent: somebody posted it."""
        return _shown(self._exports.posted_by_hand(member.client_id, connection, entry, member.user, hand))


def _shown(entry: Entry) -> EntryView:
    return EntryView.of(entry, masked_lost(entry))


def _handed_in(handed: HandedIn) -> HandedInView:
    slot = _slot(handed.pdf) if handed.pdf else None
    shown = _shown(handed.entry).model_dump()
    return HandedInView(**shown, outcome=handed.outcome.value, pdf_upload=slot)


def _slot(slot: UploadSlot) -> PdfSlot:
    return PdfSlot(method=slot.method, url=slot.url, headers=dict(slot.headers), expires_at=slot.expires_at)


def _refused(what: str, error: HubError) -> dict[str, Any]:
    wrongs = [asdict(wrong) for wrong in getattr(error, "errors", ())]
    return {"z_report": what, "code": error.code, "detail": error.detail, "errors": wrongs} | error.facts


def _choices(setup: Setup) -> dict[str, Any]:
    return {
        "companies": [asdict(one) for one in setup.companies],
        "departments": [asdict(one) for one in setup.departments],
        "voucher_types": [asdict(one) for one in setup.voucher_types],
        "accounts": [asdict(one) for one in setup.accounts],
        "tax_codes": [asdict(one) | {"rate": f"{one.rate:f}"} for one in setup.tax_codes],
        "currency": setup.currency,
        "import_types": list(setup.targets),
    }
