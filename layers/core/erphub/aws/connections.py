"""Connections and their companies in the tenant table.

What people change lies in `body` under `version`; `status` and `last_test` are attributes of their own, so that a test
that ends while somebody edits overwrites nothing.
"""

import json
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json

from ..errors import Conflict
from ..models.connection import Company, Connection, ConnectionStatus, LastTest
from ..models.text import same_name, searchable
from ..models.wizard import Wizard
from . import keys
from .table import Item, Table, Taken, Write, key_of
from .wizards import replacing

_OUTSIDE = {"status", "last_test", "version"}


class ConnectionTable:
    """Satisfies `ports.connections.Connections`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, connection: Connection, companies: Sequence[Company], wizard: Wizard) -> Wizard:
        """See the port. Companies go first, however many: without the connection they are nobody's."""
        items = [_company_item(connection, company) for company in companies]
        self._table.put_many(items)
        after, write = replacing(wizard)
        new = "attribute_not_exists(pk)"
        try:
            self._table.transact(
                [Write(put=_name_item(connection), condition=new), Write(put=_item(connection), condition=new), write]
            )
        except Taken as error:
            if self.get(connection.client_id, connection.id) is None:
                self._table.delete_many([key_of(item) for item in items])
            if self.is_taken(connection.client_id, connection.name):
                raise _name_taken() from error
            raise
        return after

    def get(self, client_id: str, connection_id: str) -> Connection | None:
        """See the port."""
        item = self._table.get(keys.connection(client_id, connection_id))
        return _connection(item) if item else None

    def page(self, client_id: str, limit: int, next: str | None) -> tuple[Sequence[Connection], str | None]:
        """See the port."""
        page = self._table.page(keys.client(client_id)["pk"], "CONNECTION#", limit=limit, next=next)
        return [_connection(item) for item in page.items], page.next

    def is_taken(self, client_id: str, name: str) -> bool:
        """See the port."""
        return self._table.get(keys.connection_name(client_id, same_name(name))) is not None

    def replace(self, connection: Connection, before: Connection) -> Connection:
        """See the port."""
        after = connection.model_copy(update={"version": before.version + 1})
        write = Write(
            update=keys.connection(after.client_id, after.id),
            expression="SET body = :body, version = :version",
            condition="version = :before",
            values={"body": _body(after), "version": after.version, "before": before.version},
        )
        writes = [write]
        renamed = same_name(after.name) != same_name(before.name)
        if renamed:
            writes += [
                Write(put=_name_item(after), condition="attribute_not_exists(pk)"),
                Write(delete=keys.connection_name(before.client_id, same_name(before.name))),
            ]
        try:
            self._table.transact(writes)
        except Taken as error:
            if renamed and self.is_taken(after.client_id, after.name):
                raise _name_taken() from error
            raise
        return after

    def record_test(self, connection: Connection, test: LastTest, status: ConnectionStatus | None) -> Connection:
        """See the port."""
        item = self._table.update(
            keys.connection(connection.client_id, connection.id),
            "SET last_test = :test, #status = :status",
            condition="attribute_exists(pk)",
            names={"#status": "status"},
            test=test.model_dump_json(),
            status=(status or connection.status).value,
        )
        return _connection(item)

    def set_status(self, client_id: str, connection_id: str, status: ConnectionStatus) -> None:
        """Say how the connection stands now; the version stays, since nobody's change is overwritten by it."""
        self._table.update(
            keys.connection(client_id, connection_id),
            "SET #status = :status",
            condition="attribute_exists(pk)",
            names={"#status": "status"},
            status=status.value,
        )

    def companies(self, client_id: str, connection_id: str) -> Sequence[Company]:
        """See the port."""
        key = keys.connection_company(client_id, connection_id, "")
        return [_company(item) for item in self._table.all(key["pk"], key["sk"])]

    def search_companies(
        self, client_id: str, connection_id: str, search: str, limit: int, next: str | None
    ) -> tuple[Sequence[Company], str | None]:
        """See the port."""
        key = keys.connection_company(client_id, connection_id, "")
        words = searchable(search)
        page = self._table.search(key["pk"], key["sk"], lambda item: words in item["words"], limit=limit, next=next)
        return [_company(item) for item in page.items], page.next


def _name_taken() -> Conflict:
    return Conflict("Another connection of this client has that name. Choose a different one.", code="name_taken")


def _body(connection: Connection) -> str:
    return connection.model_dump_json(exclude=_OUTSIDE)


def _item(connection: Connection) -> Item:
    return {
        **keys.connection(connection.client_id, connection.id),
        "status": connection.status.value,
        "version": connection.version,
        "last_test": connection.last_test.model_dump_json() if connection.last_test else None,
        "body": _body(connection),
    }


def _connection(item: Item) -> Connection:
    facts: dict[str, Any] = {"status": item["status"], "version": int(item["version"])}
    facts["last_test"] = from_json(item["last_test"]) if item.get("last_test") else None
    return Connection.model_validate(from_json(item["body"]) | facts)


def _name_item(connection: Connection) -> Item:
    key = keys.connection_name(connection.client_id, same_name(connection.name))
    return {**key, "connection_id": connection.id}


def _company_item(connection: Connection, company: Company) -> Item:
    return {
        **keys.connection_company(connection.client_id, connection.id, company.key),
        "key": company.key,
        "name": company.name,
        "facts": json.dumps(company.facts),
        "words": searchable(f"{company.name}\n{company.key}"),
    }


def _company(item: Item) -> Company:
    return Company(key=item["key"], name=item["name"], facts=from_json(item["facts"]))
