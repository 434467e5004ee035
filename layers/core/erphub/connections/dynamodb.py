"""Connections and their companies in the tenant table.

What people change lies in `body` under `version`; `status` and `last_test` are attributes of their own, so that a test
that ends while somebody edits overwrites nothing.
"""

import json
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, override

from pydantic_core import from_json

from erphub.audit.dynamodb import audit_write
from erphub.audit.models import AuditEntry
from erphub.connections import problems
from erphub.connections.attempts import Refusals, RefusalStore
from erphub.connections.models import Company, Connection, ConnectionStatus, Health, LastTest
from erphub.connections.ports import ConnectionStore, ConnectionTests, UsedCompanies
from erphub.events.dynamodb import event_write
from erphub.events.models import Event
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, key_of, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.errors import Conflict
from erphub.platform.text import same_name, searchable
from erphub.platform.wire import instant
from erphub.platform.writes import Key, Write
from erphub.tenancy.dynamodb import client_key

_OWN_ATTRIBUTES = {"status", "last_test", "health", "version"}
_READING_SECONDS = 3600
"""Seconds for which companies that went out of use can still be read, by whoever was on the way to them."""


class ConnectionTable(ConnectionStore, UsedCompanies, ConnectionTests):
    """One item per connection with its newest test, one per name, one per company."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def create(
        self, connection: Connection, companies: Sequence[Company], entry: AuditEntry, also: Sequence[Write]
    ) -> None:
        # Companies go first, however many: without the connection they are nobody's.
        items = [_company_item(connection, company) for company in companies]
        self._table.put_many(items)
        new = "attribute_not_exists(pk)"
        try:
            self._table.transact(
                [
                    Write(put=_name_item(connection), condition=new),
                    Write(put=_item(connection), condition=new),
                    *also,
                    audit_write(self._table.name, connection.client_id, connection.id, entry),
                ]
            )
        except VersionConflict as error:
            if self.get(connection.client_id, connection.id) is None:
                self._table.delete_many([key_of(item) for item in items])
            if self.is_taken(connection.client_id, connection.name):
                raise _name_taken() from error
            raise

    @override
    def swap(
        self,
        connection: Connection,
        before: Connection,
        companies: Sequence[Company] | None,
        entry: AuditEntry,
        also: Sequence[Write],
    ) -> None:
        # New companies go first, in a generation that nobody reads until the connection names it.
        if companies is not None:
            self._table.put_many([_company_item(connection, company) for company in companies])
        # A test by hand may have ended since `before` was read: only the edit's own takes its place.
        new = connection.last_test if connection.last_test != before.last_test else None
        tested = {"test": new.model_dump_json()} if new else {}
        change = Write(
            update=connection_key(connection.client_id, connection.id),
            expression="SET body = :body, version = :version, #status = :status"
            + (", last_test = :test" if tested else ""),
            condition="version = :before AND #status = :status_before",
            names={"#status": "status"},
            values={
                "body": _body(connection),
                "version": before.version + 1,
                "before": before.version,
                "status": connection.status.value,
                "status_before": before.status.value,
            }
            | tested,
        )
        audit = audit_write(self._table.name, connection.client_id, connection.id, entry)
        self._transact_named([change, *also, audit], connection, before)

    @override
    def add_company(self, connection: Connection, company: Company) -> None:
        self._table.put(_company_item(connection, company))

    @override
    def remove_company(self, connection: Connection, key: str) -> None:
        self._table.delete(connection_company_key(connection.client_id, connection.id, connection.generation, key))

    @override
    def delete_companies(self, client_id: str, connection_id: str, generation: str, *, soon: bool) -> None:
        key = connection_company_key(client_id, connection_id, generation, "")
        items = list(self._table.read_all(key["pk"], key["sk"]))
        if soon:
            expires_at = int(time.time()) + _READING_SECONDS
            self._table.put_many([{**item, "expires_at": item.get("expires_at", expires_at)} for item in items])
        else:
            self._table.delete_many([key_of(item) for item in items])

    @override
    def get(self, client_id: str, connection_id: str) -> Connection | None:
        item = self._table.get(connection_key(client_id, connection_id))
        return _connection(item) if item else None

    @override
    def secrets_in_use(self, connections: Iterable[tuple[str, str]]) -> set[str]:
        wanted = [connection_key(*names) for names in dict.fromkeys(connections)]
        return {_connection(item).secret_name for item in self._table.get_many(wanted)}

    @override
    def page(self, client_id: str, limit: int, cursor: str | None) -> tuple[Sequence[Connection], str | None]:
        page = self._table.page(client_key(client_id)["pk"], "CONNECTION#", limit=limit, cursor=cursor)
        return [_connection(item) for item in page.items], page.next

    @override
    def is_taken(self, client_id: str, name: str, besides: str | None = None) -> bool:
        item = self._table.get(connection_name_key(client_id, same_name(name)))
        return item is not None and item["connection_id"] != besides

    @override
    def replace(self, connection: Connection, before: Connection, entries: Sequence[AuditEntry]) -> Connection:
        after = connection.model_copy(update={"version": before.version + 1})
        write = Write(
            update=connection_key(after.client_id, after.id),
            expression="SET body = :body, version = :version",
            condition="version = :before",
            values={"body": _body(after), "version": after.version, "before": before.version},
        )
        audit = [audit_write(self._table.name, after.client_id, after.id, entry) for entry in entries]
        self._transact_named([write, *audit], after, before)
        return after

    def _transact_named(self, writes: Sequence[Write], after: Connection, before: Connection) -> None:
        """The writes, and the names that they take and set free, at once. Raises Conflict (`name_taken`), Taken."""
        renamed = same_name(after.name) != same_name(before.name)
        names = [
            Write(put=_name_item(after), condition="attribute_not_exists(pk)"),
            Write(delete=connection_name_key(before.client_id, same_name(before.name))),
        ]
        try:
            self._table.transact([*writes, *(names if renamed else [])])
        except VersionConflict as error:
            if renamed and self.is_taken(after.client_id, after.name, after.id):
                raise _name_taken() from error
            raise

    @override
    def change_status(
        self, before: Connection, to: ConnectionStatus, health: Health, event: Event | None
    ) -> Connection | None:
        rev = before.health.rev if before.health else 0
        kept = health.model_copy(update={"of": to, "rev": rev + 1})
        unchanged = "health_rev = :known" if rev else "attribute_not_exists(health_rev)"
        change = Write(
            update=connection_key(before.client_id, before.id),
            expression="SET #status = :to, health = :health, health_rev = :rev",
            condition=f"#status = :before AND {unchanged}",
            names={"#status": "status"},
            values={"to": to.value, "before": before.status.value, "health": kept.model_dump_json(), "rev": rev + 1}
            | ({"known": rev} if rev else {}),
        )
        try:
            self._table.transact([change, *([event_write(event)] if event else [])])
        except VersionConflict:
            return None
        return before.model_copy(update={"status": to, "health": kept})

    @override
    def start_test(self, connection: Connection, test: LastTest) -> Connection:
        return self._keep_test(connection, test, "attribute_exists(pk)")

    @override
    def end_test(self, connection: Connection, result: LastTest) -> bool:
        if connection.last_test is None:
            return False
        try:
            self._keep_test(connection, result, "last_test = :was", was=connection.last_test.model_dump_json())
        except VersionConflict:
            return False
        return True

    def _keep_test(self, connection: Connection, test: LastTest, condition: str, **values: Any) -> Connection:
        item = self._table.update(
            connection_key(connection.client_id, connection.id),
            "SET last_test = :test",
            condition=condition,
            test=test.model_dump_json(),
            **values,
        )
        return _connection(item)

    @override
    def companies(self, client_id: str, connection_id: str) -> Sequence[Company]:
        key = self._companies_key(client_id, connection_id)
        return [_company(item) for item in self._table.read_all(key["pk"], key["sk"])]

    @override
    def search_companies(
        self, client_id: str, connection_id: str, search: str, limit: int, cursor: str | None
    ) -> tuple[Sequence[Company], str | None]:
        key = self._companies_key(client_id, connection_id)
        words = searchable(search)
        page = self._table.search(key["pk"], key["sk"], lambda item: words in item["words"], limit=limit, cursor=cursor)
        return [_company(item) for item in page.items], page.next

    def _companies_key(self, client_id: str, connection_id: str) -> Key:
        connection = self.get(client_id, connection_id)
        return connection_company_key(client_id, connection_id, connection.generation if connection else "none", "")


def _name_taken() -> Conflict:
    return problems.NAME_TAKEN()


def _body(connection: Connection) -> str:
    return connection.model_dump_json(exclude=_OWN_ATTRIBUTES)


def _item(connection: Connection) -> Item:
    return {
        **connection_key(connection.client_id, connection.id),
        "status": connection.status.value,
        "version": connection.version,
        "last_test": connection.last_test.model_dump_json() if connection.last_test else None,
        "body": _body(connection),
    }


def _connection(item: Item) -> Connection:
    own: dict[str, Any] = {"status": item["status"], "version": int(item["version"])}
    for name in ("last_test", "health"):
        own[name] = from_json(item[name]) if item.get(name) else None
    return Connection.model_validate(from_json(item["body"]) | own)


def _name_item(connection: Connection) -> Item:
    key = connection_name_key(connection.client_id, same_name(connection.name))
    return {**key, "connection_id": connection.id}


def _company_item(connection: Connection, company: Company) -> Item:
    return {
        **connection_company_key(connection.client_id, connection.id, connection.generation, company.key),
        "key": company.key,
        "name": company.name,
        "attributes": json.dumps(company.attributes),
        "words": searchable(f"{company.name}\n{company.key}"),
    }


def _company(item: Item) -> Company:
    return Company(key=item["key"], name=item["name"], attributes=from_json(item["attributes"]))


def connection_key(client_id: str, connection_id: str) -> Key:
    """The key of a connection."""
    return make_key(f"CLIENT#{client_id}", "CONNECTION", connection_id)


def connection_company_key(client_id: str, connection_id: str, generation: str, company: str) -> Key:
    """The key of a connection company."""
    # Not below the connection's own key: a list of connections must not wade through their companies.
    return make_key(f"CLIENT#{client_id}", "CONNECTION-COMPANY", connection_id, generation, company)


def connection_name_key(client_id: str, name: str) -> Key:
    """The key of a connection name."""
    return make_key(f"CLIENT#{client_id}", "CONNECTION-NAME", name)


class RefusalTable(RefusalStore):
    """One item per subject, in a partition of its own."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def get(self, subject: str) -> Refusals | None:
        item = self._table.get(refused_attempts_key(subject))
        return _refusals(item) if item else None

    @override
    def add(self, subject: str, answer: str, now: datetime, *, forgotten: Refusals | None) -> Refusals:
        key = refused_attempts_key(subject)
        values: dict[str, Any] = {
            "now": instant(now),
            "answer": answer,
            "gone": int((now + timedelta(days=1)).timestamp()),
            "one": 1,
        }
        rest, new = "last_at = :now, last_answer = :answer, expires_at = :gone", "last_answer <> :answer"
        if forgotten is not None:
            try:
                item = self._table.update(
                    key,
                    f"SET refused = :one, {rest}",
                    condition=f"last_at = :was AND {new}",
                    was=instant(forgotten.last_at),
                    **values,
                )
            except VersionConflict:  # another began anew, or this answer was counted before
                return self.add(subject, answer, now, forgotten=None)
            return _refusals(item)
        try:
            item = self._table.update(
                key,
                f"SET refused = if_not_exists(refused, :none) + :one, {rest}",
                condition=f"attribute_not_exists(last_answer) OR {new}",
                **values,
                none=0,
            )
        except VersionConflict:  # this answer was counted before
            item = self._table.get(key) or {"refused": 1, "last_at": instant(now)}
        return _refusals(item)


def _refusals(item: Item) -> Refusals:
    return Refusals(int(item["refused"]), datetime.fromisoformat(item["last_at"]))


def refused_attempts_key(subject: str) -> Key:
    """The key of the refused tries of a subject, whose own words are not in it."""
    return make_key(f"ATTEMPTS#{sha256(subject.encode()).hexdigest()}", "ATTEMPTS")
