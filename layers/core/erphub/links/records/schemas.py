"""What is sent and shown of CRM records."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from erphub.links import problems
from erphub.links.models import FieldName, FieldValue
from erphub.links.records.models import CrmEntity, CrmRecord, RecordChange, RecordOutcome
from erphub.platform.actors import ActorView
from erphub.platform.lexical import Whole, is_external_id
from erphub.platform.wire import LINE, Model

MAX_FIELDS = 200
MAX_BATCH = 1000


def _record_id(text: str) -> str:
    if not is_external_id(text):
        raise problems.RECORD_ID_INVALID.in_model()
    return text


RecordId = Annotated[str, AfterValidator(_record_id), Field(description="The record's identifier in the CRM")]
CrmName = Annotated[
    str,
    Field(min_length=1, max_length=50, description="The CRM that the record is in, by its name, as `superoffice`"),
    LINE,
]
_FIELDS = (
    "Values by field. A field that is left out says nothing and stays as it is; null is an empty one. Numbers are text"
    " with a point, truth values `true` and `false`, days ISO days."
)


class NewCrmRecord(Model):
    """A CRM record as it is handed in."""

    crm: CrmName
    parent_id: Annotated[
        RecordId | None, Field(description="The company of a contact or project; left out, it stays as it is")
    ] = None
    fields: Annotated[dict[FieldName, FieldValue | None], Field(max_length=MAX_FIELDS, description=_FIELDS)]
    revision: Annotated[
        Whole | None,
        Field(
            ge=0,
            le=2**63 - 1,
            description="The CRM's own number of this state, growing with each change: an older one is refused",
        ),
    ] = None


class NewCrmRecordOfBatch(NewCrmRecord):
    """A CRM record of several."""

    entity: CrmEntity
    record_id: RecordId


class NewCrmRecords(Model):
    """CRM records, handed in together: up to 2 MB of them."""

    MAX_BYTES = 2 << 20
    records: Annotated[list[NewCrmRecordOfBatch], Field(min_length=1, max_length=MAX_BATCH)]


class CrmRecordView(Model):
    """A CRM record as the hub has it."""

    crm: str
    entity: CrmEntity
    record_id: str
    parent_id: str | None
    fields: dict[str, str | None]
    revision: int | None
    version: int
    created_at: datetime
    updated_at: datetime
    updated_by: ActorView

    @classmethod
    def of(cls, record: CrmRecord, actors: Mapping[str, ActorView]) -> "CrmRecordView":
        """The record as it is shown."""
        shown = record.model_dump(exclude={"client_id", "updated_by", "fields"})
        return cls(**shown, fields=dict(record.fields), updated_by=actors[record.updated_by])


class SubmittedCrmRecordView(CrmRecordView):
    """A CRM record that was handed in, and what that has changed."""

    outcome: RecordOutcome

    @classmethod
    def of_change(cls, change: RecordChange, actors: Mapping[str, ActorView]) -> "SubmittedCrmRecordView":
        """The view of a record that was handed in."""
        return cls.model_validate(dict(CrmRecordView.of(change.after, actors)) | {"outcome": change.outcome})


class CrmRecordResult(Model):
    """What became of one record of several: kept, or why it was not."""

    entity: CrmEntity
    record_id: str
    outcome: RecordOutcome | None
    """Null when it was refused."""
    version: int | None
    code: Annotated[str | None, Field(description="Why it was refused; null when it was not")] = None
    detail: str | None = None


class CrmRecordResults(Model):
    """What became of records that were handed in together, in their order."""

    results: Sequence[CrmRecordResult]
