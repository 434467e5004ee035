"""What is sent and shown of mappings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from erphub.erp.actors import ActorField, ActorFieldType, ActorType, FieldAccess
from erphub.links.mappings.models import CrmField, FieldPair, KeptMapping, MappingSettings
from erphub.links.records.models import CrmEntity
from erphub.platform.actors import ActorView
from erphub.platform.lexical import Whole
from erphub.platform.wire import Model


class ChangedMapping(MappingSettings):
    """A mapping to be saved in place of the one that was read."""

    version: Annotated[
        Whole | None,
        Field(ge=0, description="The version that was read; 0 when there was none. Needed unless `If-Match` is sent"),
    ] = None


class CrmFieldView(Model):
    """A field of the CRM's records that the hub knows; a CRM may hand in others."""

    key: str
    name: str
    type: ActorFieldType

    @classmethod
    def of(cls, field: CrmField) -> "CrmFieldView":
        """The field as it is shown."""
        return cls(key=field.key, name=field.name, type=field.type)


class ErpFieldView(Model):
    """A field of the ERP's actors."""

    key: str
    name: str
    type: ActorFieldType
    access: FieldAccess
    max_length: int | None
    list_name: str | None
    is_searchable: bool

    @classmethod
    def of(cls, field: ActorField) -> "ErpFieldView":
        """The field as it is shown."""
        return cls.model_validate(vars(field))


class MappingObstacle(Model):
    """Why a mapping cannot be active."""

    pointer: str
    code: str
    detail: str


class MappingView(MappingSettings):
    """A mapping with what it can choose from; `version` is 0 until it is saved."""

    actor_type: ActorType
    crm_entity: CrmEntity
    version: int
    updated_at: datetime | None
    updated_by: ActorView | None
    crm_fields: Sequence[CrmFieldView]
    erp_fields: Sequence[ErpFieldView]
    proposed_pairs: Annotated[Sequence[FieldPair], Field(description="Fields of the same name that are not mapped yet")]
    obstacles: Annotated[Sequence[MappingObstacle], Field(description="Why it cannot be active; empty: it can")]


def settings_of(mapping: KeptMapping) -> MappingSettings:
    """What is set of it."""
    return MappingSettings.model_validate(mapping.model_dump(include=set(MappingSettings.model_fields)))
