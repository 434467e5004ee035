"""CRM records as they are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from erphub.platform.wire import Model

MAX_RECORD_BYTES = 100 << 10
"""Of names and values of its fields, UTF-8: with all around it a record fits well into an item of 400 KB."""


class CrmEntity(StrEnum):
    """The kinds of records that a CRM has for the hub."""

    COMPANY = "company"
    CONTACT = "contact"
    PROJECT = "project"


class RecordOutcome(StrEnum):
    """What handing a record in has changed."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class RecordKey:
    """What makes two records of a client the same one: the CRM's own identifier, within its kind."""

    entity: CrmEntity
    record_id: str


class CrmRecord(Model):
    """A record as the CRM has last told of it. A field that is not there was never told of; None is an empty one."""

    client_id: str
    crm: str
    entity: CrmEntity
    record_id: str
    parent_id: str | None = None
    """The company of a contact or a project, by its record's identifier."""
    fields: Mapping[str, str | None]
    revision: int | None = None
    """The CRM's own number of this state; it grows with each change there."""
    version: int = 1
    created_at: datetime
    updated_at: datetime
    updated_by: str

    @property
    def key(self) -> RecordKey:
        """Which record it is."""
        return RecordKey(self.entity, self.record_id)


@dataclass(frozen=True)
class RecordChange:
    """A record as it is to be kept, in place of the one that was read (None: there was none)."""

    before: CrmRecord | None
    after: CrmRecord

    @property
    def outcome(self) -> RecordOutcome:
        """What it changes."""
        if self.before is None:
            return RecordOutcome.CREATED
        return RecordOutcome.UNCHANGED if self.after == self.before else RecordOutcome.UPDATED


@dataclass(frozen=True)
class Crm:
    """The CRM that a client's records come from, and how many of them the hub has."""

    name: str
    record_count: int


type Changes = Sequence[RecordChange]
