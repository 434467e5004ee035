"""Why a mapping cannot be active: every reason at once, each with the place that it is about."""

from collections import Counter
from collections.abc import Iterator, Sequence

from erphub.erp.actors import ActorField, ActorFieldType, FieldAccess
from erphub.links import problems
from erphub.links.mappings.models import FieldPair, FieldsOfBothSides, KeptMapping, MappingSettings
from erphub.links.models import Direction, Side
from erphub.platform.errors import FieldError

_TEXTS = frozenset({ActorFieldType.TEXT, ActorFieldType.EMAIL, ActorFieldType.PHONE})
_NUMBERS = frozenset({ActorFieldType.INTEGER, ActorFieldType.DECIMAL})


def obstacles(
    settings: MappingSettings, sides: FieldsOfBothSides, others: Sequence[KeptMapping]
) -> Iterator[FieldError]:
    """What stands against its being active; `others` are the active mappings of other connections for the same records
    of the CRM."""
    erp = {field.key: field for field in sides.erp}
    crm_types = {field.key: field.type for field in sides.crm}
    fed = {pair.crm_field for other in others for pair in other.pairs if pair.direction.allows(Side.CRM)}
    counted = Counter(pair.crm_field for pair in settings.pairs), Counter(pair.erp_field for pair in settings.pairs)
    for at, pair in enumerate(settings.pairs):
        pointer, field = f"/pairs/{at}", erp.get(pair.erp_field)
        if counted[0][pair.crm_field] > 1:
            yield problems.FIELD_MAPPED_TWICE(f"{pointer}/crm_field", field=pair.crm_field)
        if counted[1][pair.erp_field] > 1:
            yield problems.FIELD_MAPPED_TWICE(f"{pointer}/erp_field", field=pair.erp_field)
        if pair.direction.allows(Side.CRM) and pair.crm_field in fed:
            yield problems.FED_BY_ANOTHER_CONNECTION(f"{pointer}/direction", field=pair.crm_field)
        if field is None:
            yield problems.ERP_FIELD_UNKNOWN(f"{pointer}/erp_field", field=pair.erp_field)
        else:
            yield from _of_pair(pair, field, crm_types.get(pair.crm_field), sides, pointer)
    if any(pair.direction is not Direction.NONE for pair in settings.pairs):
        yield from _mandatory(settings, sides.erp)
    else:
        yield problems.NOTHING_IS_KEPT_IN_STEP("/pairs")


def _of_pair(
    pair: FieldPair, field: ActorField, crm_type: ActorFieldType | None, sides: FieldsOfBothSides, pointer: str
) -> Iterator[FieldError]:
    if field.access is FieldAccess.READ_ONLY and pair.direction.allows(Side.ERP):
        yield problems.ERP_FIELD_READ_ONLY(f"{pointer}/direction", field=field.name)
    if crm_type is not None and not _fit(crm_type, field.type, pair.direction):
        yield problems.TYPES_DO_NOT_FIT(f"{pointer}/erp_field", crm_type=crm_type, erp_type=field.type)
    for name, value in (("default", pair.default), ("first_sync_default", pair.first_sync_default)):
        if value is not None and field.max_length is not None and len(value) > field.max_length:
            yield problems.DEFAULT_TOO_LONG(f"{pointer}/{name}", maximum=field.max_length, field=field.name)
    if field.list_name is not None:
        yield from _of_list(pair, {item.key for item in sides.lists.get(field.list_name, ())}, pointer)
    elif pair.items:
        yield problems.NOT_A_LIST(f"{pointer}/items", field=field.name)


def _of_list(pair: FieldPair, known: set[str], pointer: str) -> Iterator[FieldError]:
    given_items = {
        "crm_item": [one.crm_item for one in pair.items],
        "erp_item": [one.erp_item for one in pair.items],
    }
    for name, given in given_items.items():
        for item, count in Counter(given).items():
            if count > 1:
                yield problems.ITEM_MAPPED_TWICE(f"{pointer}/items/{given.index(item)}/{name}", item=item)
    for at, one in enumerate(pair.items):
        if one.erp_item not in known:
            yield problems.ITEM_UNKNOWN(f"{pointer}/items/{at}/erp_item", item=one.erp_item)
    if pair.direction is not Direction.NONE and not pair.items:
        yield problems.ITEMS_NOT_MAPPED(f"{pointer}/items")


def _mandatory(settings: MappingSettings, fields: Sequence[ActorField]) -> Iterator[FieldError]:
    """What the ERP wants of every actor must come from somewhere when the hub may create one."""
    if not settings.create_allowed:
        return
    written = {pair.erp_field for pair in settings.pairs if pair.direction.allows(Side.ERP)}
    for field in fields:
        if field.access is FieldAccess.MANDATORY and field.key not in written:
            yield problems.MANDATORY_NOT_MAPPED("/pairs", field=field.name)


def _fit(crm: ActorFieldType, erp: ActorFieldType, direction: Direction) -> bool:
    """Whether values may go the way they are to go: a number fits into text, and not the other way round."""
    if crm is erp or {crm, erp} <= _TEXTS or direction is Direction.NONE:
        return True
    if {crm, erp} <= _NUMBERS:
        return not direction.allows(Side.ERP if erp is ActorFieldType.INTEGER else Side.CRM)
    if erp in _TEXTS:
        return not direction.allows(Side.CRM) or crm is ActorFieldType.LIST
    return crm in _TEXTS and (erp is ActorFieldType.LIST or not direction.allows(Side.ERP))
