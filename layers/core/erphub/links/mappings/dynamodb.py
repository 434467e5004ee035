"""Mappings in the tenant table."""

from collections.abc import Sequence
from typing import override

from erphub.erp.actors import ActorType
from erphub.links.mappings.models import KeptMapping
from erphub.links.mappings.ports import MappingStore
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, client_partition, make_key
from erphub.platform.writes import Key


class MappingTable(MappingStore):
    """Mappings in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(self, client_id: str, connection_id: str, actor_type: ActorType) -> KeptMapping | None:
        item = self._table.get(mapping_key(client_id, connection_id, actor_type))
        return _mapping(item) if item else None

    @override
    def get_all(self, client_id: str) -> Sequence[KeptMapping]:
        key = mapping_key(client_id, "", "")
        return [_mapping(item) for item in self._table.read_all(key["pk"], "LINK-MAPPING#")]

    @override
    def save(self, mapping: KeptMapping, before: int) -> KeptMapping:
        after = mapping.model_copy(update={"version": before + 1})
        key = mapping_key(after.client_id, after.connection_id, after.actor_type)
        item = key | {"version": after.version, "body": after.model_dump_json(exclude={"version"})}
        if before:
            self._table.put(item, condition="version = :before", before=before)
        else:
            self._table.put_new(item)
        return after


def _mapping(item: Item) -> KeptMapping:
    return KeptMapping.model_validate_json(item["body"]).model_copy(update={"version": int(item["version"])})


def mapping_key(client_id: str, connection_id: str, actor_type: str) -> Key:
    """The key of a mapping."""
    return make_key(client_partition(client_id), "LINK-MAPPING", connection_id, actor_type)
