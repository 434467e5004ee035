"""Records that till and ERP have in common, and changes offered to the till."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from erphub.erp.documents import DocumentKind
from erphub.platform.wire import Model


class SyncedRecord(Model):
    """That a customer or product of the till and one of the ERP are the same, and what both last agreed on."""

    kind: DocumentKind
    company: str = ""
    """Which company's, where it is not the settings' own: the same reference is another record there."""
    reference: str
    external_id: str = ""
    common_state: dict[str, Any] = Field(default_factory=dict)
    """The fields as both sides last had them."""
    erp_state: dict[str, Any] = Field(default_factory=dict)
    """The fields as the ERP was last seen to have them."""
    offered: dict[str, Any] | None = None
    """The fields as they are offered to the till, until it acknowledges them."""
    sequence: int | None = None
    """Where in the feed the offer stands."""
    rev: int = 0


class OfferedChange(Model):
    """A change in the ERP, offered to the till."""

    sequence: int
    kind: DocumentKind
    company: str = ""
    """The ERP's company that the record is of."""
    reference: str
    external_id: str = ""
    changed: tuple[str, ...]
    """Fields that are new to the till; all of them for a record that it does not know."""
    document: dict[str, Any]
    overridden_values: dict[str, Any] = Field(default_factory=dict)
    """What the till had in fields where the ERP's word counted."""
    offered_at: datetime


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by dotted names as a document has them."""
    fields: dict[str, Any] = {}
    for name, value in flat.items():
        first, _, rest = name.partition(".")
        if rest:
            fields.setdefault(first, {})[rest] = value
        else:
            fields[first] = value
    return fields
