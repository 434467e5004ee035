"""What is sent and shown about changes."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from erphub.erp.documents import DocumentKind
from erphub.platform.wire import JsonObject, Model, PageQuery
from erphub.sync.changes.models import OfferedChange, nested
from erphub.sync.export_log.models import Entry


class ChangesQuery(PageQuery):
    """Which changes of the ERP."""

    since: Annotated[str | None, Field(pattern=r"^[0-9]{1,15}$", description="The last change that was read")] = None


class AcknowledgedChange(Model):
    """That the till has taken a change over; `external_id` names a record it did not have before."""

    change_id: Annotated[str, Field(pattern=r"^[0-9]{1,15}$")]
    external_id: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9._:@~-]{1,100}$")] = None


class Acknowledgement(Model):
    """Changes that the till has taken over."""

    changes: Annotated[tuple[AcknowledgedChange, ...], Field(min_length=1, max_length=200)]


class ChangeView(Model):
    """A change in the ERP. `changed_fields` are new to the till; `overridden_values` what it had where it gave way."""

    change_id: str
    kind: DocumentKind
    company: Annotated[str, Field(description="The key of the ERP's company that the record is of")]
    reference: str
    external_id: str
    changed_fields: list[str]
    document: Annotated[JsonObject, Field(description="The record as `PUT …/documents/{kind}/{external_id}` takes it")]
    overridden_values: JsonObject
    offered_at: datetime

    @classmethod
    def of(cls, offer: OfferedChange) -> "ChangeView":
        """The view of an offered change."""
        return cls(
            change_id=str(offer.sequence),
            kind=offer.kind,
            company=offer.company,
            reference=offer.reference,
            external_id=offer.external_id,
            changed_fields=list(offer.changed),
            document=nested(offer.document),
            overridden_values=nested(offer.overridden_values),
            offered_at=offer.offered_at,
        )


class ChangesView(Model):
    """Changes in the ERP; ask again with `since` for those that follow."""

    items: list[ChangeView]
    since: str

    @classmethod
    def of(cls, changes: Sequence[OfferedChange], query: ChangesQuery) -> "ChangesView":
        """The view of the changes that a query found."""
        last = str(changes[-1].sequence) if changes else query.since or "0"
        return cls(items=[ChangeView.of(change) for change in changes], since=str(int(last)))


class AcknowledgedRecord(Model):
    """A record as the till has it from now on: the change, and what the till itself had changed meanwhile."""

    change_id: str
    kind: DocumentKind
    external_id: str
    document: JsonObject

    @classmethod
    def of(cls, change: str, entry: Entry) -> "AcknowledgedRecord":
        """The view of a change that was taken over."""
        return cls(change_id=change, kind=entry.kind, external_id=entry.external_id, document=json.loads(entry.body))


class AcknowledgedView(Model):
    """Which changes the till has now, and which a newer one has replaced."""

    acknowledged: list[str]
    superseded: list[str]
    records: list[AcknowledgedRecord]
    """What was acknowledged, as the till is to keep it."""

    @classmethod
    def of(cls, taken: Mapping[str, Entry | None]) -> "AcknowledgedView":
        """The view of what became of each change."""
        return cls(
            acknowledged=[change for change, entry in taken.items() if entry is not None],
            superseded=[change for change, entry in taken.items() if entry is None],
            records=[AcknowledgedRecord.of(change, entry) for change, entry in taken.items() if entry is not None],
        )
