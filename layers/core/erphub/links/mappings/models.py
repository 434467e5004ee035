"""Mappings as they are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from erphub.erp.actors import ActorField, ActorFieldType, ActorType, ListItem
from erphub.links.models import Direction, FieldName, Side
from erphub.links.records.models import CrmEntity
from erphub.platform.lexical import Flag
from erphub.platform.wire import LINE, Model

MAX_PAIRS = 200
MAX_ITEMS = 1000
_Default = Annotated[str, Field(max_length=4000), LINE]
ItemKey = Annotated[str, Field(min_length=1, max_length=200), LINE]

ENTITIES: Mapping[ActorType, CrmEntity] = {
    ActorType.CUSTOMER: CrmEntity.COMPANY,
    ActorType.SUPPLIER: CrmEntity.COMPANY,
    ActorType.PARTNER: CrmEntity.COMPANY,
    ActorType.PERSON: CrmEntity.CONTACT,
    ActorType.PROJECT: CrmEntity.PROJECT,
}
"""Which records of a CRM each type of actors is linked to."""


class ItemPair(Model):
    """An item of a list of the CRM's, and the one of the ERP's that means the same."""

    crm_item: ItemKey
    erp_item: ItemKey


class FieldPair(Model):
    """A field of the CRM's records and one of the ERP's actors that hold the same."""

    crm_field: FieldName
    erp_field: FieldName
    direction: Direction = Direction.NONE
    show_in_tab: Flag = True
    show_in_search: Flag = False
    default: Annotated[
        _Default | None,
        Field(description="Written in place of an empty value where the ERP takes none; never written back"),
    ] = None
    first_sync_default: Annotated[
        _Default | None, Field(description="Written to the ERP at the first sync, where both are empty")
    ] = None
    ask: Annotated[Flag, Field(description="Whoever links or creates is asked for the value")] = False
    mandatory: Annotated[Flag, Field(description="Nothing is created in the ERP without a value")] = False
    items: Annotated[tuple[ItemPair, ...], Field(max_length=MAX_ITEMS, description="Of a list, item by item")] = ()


class MappingSettings(Model):
    """What is set of a mapping."""

    is_active: Flag = False
    create_allowed: Annotated[Flag, Field(description="Whether actors may be created in the ERP from CRM records")] = (
        False
    )
    master: Annotated[
        Side | None, Field(description="Whose value counts when both sides have changed; null: a person decides")
    ] = None
    pairs: Annotated[tuple[FieldPair, ...], Field(max_length=MAX_PAIRS)] = ()


class KeptMapping(MappingSettings):
    """A mapping of a connection's type of actors."""

    client_id: str
    connection_id: str
    actor_type: ActorType
    version: int = 0
    """0 until it is saved for the first time."""
    updated_at: datetime | None = None
    updated_by: str | None = None

    @property
    def entity(self) -> CrmEntity:
        """The CRM's records that it is about."""
        return ENTITIES[self.actor_type]


@dataclass(frozen=True)
class ActiveMappings:
    """The mappings of a client that are active for one kind of records, as they stood at a version of them together."""

    version: int
    mappings: Sequence[KeptMapping]


@dataclass(frozen=True)
class CrmField:
    """A field of CRM records that the hub knows by its name."""

    key: str
    name: str
    type: ActorFieldType = ActorFieldType.TEXT


@dataclass(frozen=True)
class FieldsOfBothSides:
    """What a mapping chooses from."""

    crm: Sequence[CrmField]
    erp: Sequence[ActorField]
    lists: Mapping[str, Sequence[ListItem]]
    """Items of the ERP's lists, by the list's name."""
