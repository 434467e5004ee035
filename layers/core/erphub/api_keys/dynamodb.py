"""API keys in the tenant table: below their client what people see, apart from it what keys are recognised by."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, override

from erphub.api_keys.credentials.dynamodb import credential_item, credential_key
from erphub.api_keys.credentials.models import Credential, prefix_of
from erphub.api_keys.models import ApiKey, KeyUse
from erphub.api_keys.ports import ApiKeyStore, KeyUseStore
from erphub.events.dynamodb import event_write
from erphub.events.models import Event
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.pages import Page
from erphub.platform.problems import VERSION_CONFLICT
from erphub.platform.wire import instant
from erphub.platform.writes import Key, Write
from erphub.tenancy.dynamodb import ended_membership, member_key, new_membership
from erphub.tenancy.models import Membership, ProgramAccess


class ApiKeyTable(ApiKeyStore):
    """Keys in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(self, client_id: str, key_id: str) -> ApiKey | None:
        item = self._table.get(api_key_key(client_id, key_id))
        return _key(item) if item else None

    @override
    def get_page(self, client_id: str, limit: int, cursor: str | None) -> Page[ApiKey]:
        key = api_key_key(client_id, "")
        page = self._table.page(key["pk"], key["sk"], limit=limit, cursor=cursor)
        return Page([_key(item) for item in page.items], page.next)

    @override
    def add(self, key: ApiKey, credential: Credential, event: Event) -> None:
        new = "attribute_not_exists(pk)"
        writes = [
            Write(put=_item(key), condition=new),
            Write(put=credential_item(credential), condition=new),
            *new_membership(_membership(key)),
            event_write(event),
        ]
        self._change(writes)

    @override
    def rotate(self, key: ApiKey, credential: Credential, event: Event | None) -> ApiKey:
        place, body = api_key_key(key.client_id, key.id), _body(key)
        writes = [
            Write(
                update=place,
                expression="SET body = :body, version = :after",
                condition="version = :before",
                values={"body": body, "after": key.version + 1, "before": key.version},
            ),
            Write(
                put={**credential_item(credential), "version": credential.version + 1},
                condition="version = :before",
                values={"before": credential.version},
            ),
            Write(
                update=member_key(key.client_id, key.id),
                expression="SET key_expires_at = :ends" if key.expires_at else "REMOVE key_expires_at",
                condition="attribute_exists(pk)",
                values={"ends": instant(key.expires_at)} if key.expires_at else {},
            ),
        ]
        self._change([*writes, *([event_write(event)] if event else [])])
        return key.model_copy(update={"version": key.version + 1})

    @override
    def revoke(self, key: ApiKey, event: Event) -> None:
        there = Write(
            delete=api_key_key(key.client_id, key.id),
            condition="version = :before",
            values={"before": key.version},
        )
        credential = Write(delete=credential_key(key.id), condition="attribute_exists(pk)")
        use = Write(delete=key_use_key(key.id))
        self._change([there, credential, use, *ended_membership(_membership(key)), event_write(event)])

    def _change(self, writes: list[Write]) -> None:
        try:
            self._table.transact(writes)
        except VersionConflict as error:
            raise VERSION_CONFLICT() from error


class KeyUseTable(KeyUseStore):
    """What is written down while keys are used, in partitions of its own: functions that only read may write these."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def find(self, key_ids: Collection[str]) -> Mapping[str, KeyUse]:
        items = self._table.get_many([key_use_key(key_id) for key_id in key_ids])
        return {item["pk"].removeprefix("API-KEY-USE#"): _use(item) for item in items if "last_used_at" in item}

    @override
    def record_use(self, key_id: str, at: datetime, source: str | None, unless_since: datetime) -> None:
        change = "SET last_used_at = :now, last_used_from = :source"
        self._record(key_id, "last_used_at", change, unless_since, {"now": instant(at), "source": source or ""})

    @override
    def record_refusal(self, key_id: str, at: datetime, unless_since: datetime) -> bool:
        return self._record(key_id, "refused_at", "SET refused_at = :now", unless_since, {"now": instant(at)})

    def _record(self, key_id: str, name: str, change: str, unless_since: datetime, values: Mapping[str, str]) -> bool:
        unknown = f"attribute_not_exists({name}) OR {name} <= :since"
        given: dict[str, Any] = {"since": instant(unless_since), **values}
        try:
            self._table.update(key_use_key(key_id), change, condition=unknown, **given)
        except VersionConflict:  # somebody wrote it down just now
            return False
        return True


def _use(item: Item) -> KeyUse:
    return KeyUse(datetime.fromisoformat(item["last_used_at"]), item.get("last_used_from") or None)


def _membership(key: ApiKey) -> Membership:
    program = ProgramAccess(key.name, prefix_of(key.id), key.expires_at)
    return Membership(key.client_id, key.customer_id, key.id, key.role, program=program)


def _body(key: ApiKey) -> str:
    return key.model_dump_json(exclude={"version"})


def _item(key: ApiKey) -> Item:
    return {**api_key_key(key.client_id, key.id), "version": key.version, "body": _body(key)}


def _key(item: Item) -> ApiKey:
    return ApiKey.model_validate_json(item["body"]).model_copy(update={"version": int(item["version"])})


def api_key_key(client_id: str, key_id: str) -> Key:
    """The key of an API key, below its client."""
    return make_key(f"CLIENT#{client_id}", "API-KEY", key_id)


def key_use_key(key_id: str) -> Key:
    """The key of what is known of an API key's use."""
    return make_key(f"API-KEY-USE#{key_id}", "USE")
