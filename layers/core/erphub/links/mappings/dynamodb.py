"""Mappings in the tenant table.

LINK-MAPPING#<connection>#<actor type>  a mapping
LINK-MAPPINGS#<entity>                  the version of a client's active mappings together, which two that become active
                                        at once cannot both have read last
"""

from typing import override

from erphub.erp.actors import ActorType
from erphub.links.mappings.models import ActiveMappings, KeptMapping
from erphub.links.mappings.ports import MappingStore
from erphub.links.records.models import CrmEntity
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, client_partition, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.writes import Key, Write


class MappingTable(MappingStore):
    """Mappings in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(self, client_id: str, connection_id: str, actor_type: ActorType) -> KeptMapping | None:
        item = self._table.get(mapping_key(client_id, connection_id, actor_type))
        return _mapping(item) if item else None

    @override
    def get_active(self, client_id: str, entity: CrmEntity) -> ActiveMappings:
        # The version first: a mapping that becomes active in between is read as well, or makes the version old.
        together = self._table.get(mappings_key(client_id, entity)) or {}
        key = mapping_key(client_id, "", "")
        kept = [_mapping(item) for item in self._table.read_all(key["pk"], "LINK-MAPPING#")]
        active = [one for one in kept if one.is_active and one.entity is entity]
        return ActiveMappings(int(together.get("version", 0)), active)

    @override
    def save(self, mapping: KeptMapping, before: int, among: ActiveMappings) -> KeptMapping | None:
        after = mapping.model_copy(update={"version": before + 1})
        key = mapping_key(after.client_id, after.connection_id, after.actor_type)
        item = key | {"version": after.version, "body": after.model_dump_json(exclude={"version"})}
        writes = [_in_place_of(item, before)]
        if after.is_active:
            together = mappings_key(after.client_id, after.entity) | {"version": among.version + 1}
            writes.append(_in_place_of(together, among.version))
        try:
            self._table.transact(writes)
        except VersionConflict:
            return None
        return after


def _in_place_of(item: Item, version: int) -> Write:
    """The item in place of its version before; 0: there was none."""
    if version:
        return Write(put=item, condition="version = :before", values={"before": version})
    return Write(put=item, condition="attribute_not_exists(pk)")


def _mapping(item: Item) -> KeptMapping:
    return KeptMapping.model_validate_json(item["body"]).model_copy(update={"version": int(item["version"])})


def mapping_key(client_id: str, connection_id: str, actor_type: str) -> Key:
    """The key of a mapping."""
    return make_key(client_partition(client_id), "LINK-MAPPING", connection_id, actor_type)


def mappings_key(client_id: str, entity: str) -> Key:
    """The key of what a client's active mappings for records of a kind have in common."""
    return make_key(client_partition(client_id), "LINK-MAPPINGS", entity)
