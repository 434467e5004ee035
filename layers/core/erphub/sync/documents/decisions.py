"""What becomes of a document that is handed in, given what is kept under its id."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from erphub.erp.documents import Document, DocumentKind, Settlement
from erphub.platform.errors import Unavailable
from erphub.sync import problems
from erphub.sync.canonical import digest, entry_id, shop_words, title, to_text
from erphub.sync.documents.identity import identities_of, is_same_report
from erphub.sync.documents.models import IncomingDocument, SubmitOutcome
from erphub.sync.export_log.models import (
    BEFORE_FROM_DATE,
    SETTLEMENT_EMPTY,
    SKIPPED_UNCERTAIN,
    Entry,
    EntryStatus,
)
from erphub.sync.settings.located import settings_of
from erphub.sync.settings.models import Sync


def decide(
    sync: Sync, existing: Entry | None, coming: IncomingDocument, by: str, now: datetime
) -> tuple[Entry, SubmitOutcome]:
    """What is to be kept, given what is there. Raises Conflict."""
    text = to_text(coming.document)
    fingerprint = digest(text)
    if existing is None:
        return _new(sync, coming, text, fingerprint, by, now), SubmitOutcome.CREATED
    if existing.code == SETTLEMENT_EMPTY and existing.body_hash != fingerprint:
        fresh = _new(sync, coming, text, fingerprint, by, now)
        return _replaced(existing, fresh, _BODY_FIELDS + _STATUS_FIELDS), SubmitOutcome.REPLACED
    restored = existing.forgotten and existing.status is EntryStatus.SKIPPED
    if existing.body_hash == fingerprint and not restored:
        return existing, SubmitOutcome.UNCHANGED
    if coming.arrived_at is not None and existing.arrived_at > coming.arrived_at:
        raise problems.SUPERSEDED(document=existing.title or existing.external_id, entry_id=existing.id)
    if existing.status is not EntryStatus.SENT:
        _require_same_report(existing, coming.document, sync)
    match existing.status:
        case status if status in (EntryStatus.SENDING, EntryStatus.UNCERTAIN) or existing.code == SKIPPED_UNCERTAIN:
            raise problems.OUTCOME_OPEN(entry_id=existing.id)
        case EntryStatus.SENT if coming.kind in (DocumentKind.SETTLEMENT, DocumentKind.INVOICE):
            raise problems.ALREADY_SENT(reference=existing.reference, entry_id=existing.id)
        case EntryStatus.SKIPPED if existing.code != BEFORE_FROM_DATE:
            status, outcome = EntryStatus.SKIPPED, SubmitOutcome.REPLACED
        case EntryStatus.DISCARDED:
            status, outcome = EntryStatus.DISCARDED, SubmitOutcome.REPLACED
        case EntryStatus.SENT:
            status, outcome = EntryStatus.PENDING, SubmitOutcome.CORRECTION
        case _:
            status, outcome = EntryStatus.PENDING, SubmitOutcome.REPLACED
    fresh = _new(sync, coming, text, fingerprint, by, now)
    fields = _BODY_FIELDS + _STATUS_FIELDS if status is EntryStatus.PENDING else _BODY_FIELDS
    return _replaced(existing, fresh, fields), outcome


def _replaced(existing: Entry, fresh: Entry, fields: Sequence[str]) -> Entry:
    """The entry with these fields of a new one."""
    changes: dict[str, Any] = {name: getattr(fresh, name) for name in fields}
    changes |= {"revision": existing.revision + 1, "arrived_at": fresh.arrived_at, "forgotten": False}
    changes |= {"pdf_digest": "", "pdf_code": ""}  # a PDF is of the body that it came with
    return existing.model_copy(update=changes | {"updated_at": fresh.updated_at})


def _require_same_report(existing: Entry, coming: Document, sync: Sync) -> None:
    """A body replaces one of the same Z-report; that of another shop under the same id would make the first disappear.

    Raises Conflict (`another_settlement`).
    """
    if isinstance(coming, Settlement) and not is_same_report(existing, coming, sync):
        raise problems.ANOTHER_SETTLEMENT(title=existing.title, entry_id=existing.id)


_BODY_FIELDS = ("body", "body_hash", "identity", "date", "title", "number", "department", "till")
_STATUS_FIELDS = ("status", "code", "detail", "erp_message", "retry_at", "claimed_at")


def _new(sync: Sync, coming: IncomingDocument, text: str, fingerprint: str, by: str, now: datetime) -> Entry:
    document = coming.document
    day = getattr(document, "date", None) or now.date()
    status, code, detail = _first_status(sync, document, day)
    department, till = shop_words(document)
    return Entry(
        id=entry_id(sync.connection_id, coming.kind, coming.external_id),
        client_id=sync.client_id,
        connection_id=sync.connection_id,
        kind=coming.kind,
        external_id=coming.external_id,
        date=day,
        status=status,
        code=code,
        detail=detail,
        body=text,
        body_hash=fingerprint,
        title=title(document),
        created_at=now,
        created_by=by,
        updated_at=now,
        arrived_at=coming.arrived_at or now,
        identity="" if code == SETTLEMENT_EMPTY else next(iter(identities_of(document, sync)), ""),
        number=document.number if isinstance(document, Settlement) else 0,
        department=department,
        till=till,
    )


def _first_status(sync: Sync, document: Document, day: date) -> tuple[EntryStatus, str, str]:
    """Where a document stands when it comes, with the code and the reason."""
    if isinstance(document, Settlement) and document.is_empty:
        detail = problems.SETTLEMENT_EMPTY.render()
        return EntryStatus.SKIPPED, SETTLEMENT_EMPTY, detail
    first, code, detail = sync.settings.first_date, "", ""
    try:
        first = settings_of(sync, document.kind, *shop_words(document)).from_date
    except Unavailable as error:
        code, detail = error.code, error.detail
    if document.kind in (DocumentKind.SETTLEMENT, DocumentKind.INVOICE) and day < first:
        return EntryStatus.SKIPPED, BEFORE_FROM_DATE, problems.BEFORE_FROM_DATE.render(from_date=first)
    return EntryStatus.PENDING, code, detail
