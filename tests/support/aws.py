"""AWS for tests: in memory, which is fast, or moto, which knows nothing of this project.

Tests of packages that only use the stores run in memory, a journey through each of them on both; `--aws moto` runs all
of them on moto. Tests of the stores themselves (test_dynamodb.py) are on both.
"""

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from moto import mock_aws

from erphub.platform.aws import clients
from erphub.platform.aws.table import Table
from erphub.platform.ids import new_id
from tests.support.dynamo import MemoryDynamo
from tests.support.keeping import MemoryS3, MemorySecrets
from tests.support.service import Hook, Service

_SERVICES: tuple[type[Service], ...] = (MemoryDynamo, MemoryS3, MemorySecrets)


class Order(NamedTuple):
    """An index: by which attributes, and which ones it carries beside the keys (none named: all of them)."""

    key: str
    sort: str
    carries: tuple[str, ...] = ()
    keys_only: bool = False


TENANTS = {
    "due": Order("due_shard", "due_at"),
    "user": Order("user_pk", "user_sk"),
    "connection": Order("connection_id", "sk", keys_only=True),
}
EXPORTS = {"state": Order("state_pk", "state_sk", ("data",)), "day": Order("day_pk", "day_sk", ("data",))}
CREDENTIALS = {"kind": Order("listed_as", "written_at", keys_only=True)}
"""The indexes of the tables, as in the template."""


class MemorySession:
    """An AWS of its own; its clients have it in common."""

    def __init__(self) -> None:
        self._hooks: list[Hook] = []
        self.clients = {service.name: service(self._hooks) for service in _SERVICES}

    def create_client(self, service: str, **_: Any) -> Service:
        return self.clients[service]

    def register(self, event: str, hook: Hook) -> None:
        """As botocore's: call the hook with every answer."""
        if event != "after-call":
            raise NotImplementedError(event)
        self._hooks.append(hook)


@contextmanager
def in_memory() -> Iterator[None]:
    """A new AWS in memory behind every client the hub makes."""
    session = MemorySession()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "_session", functools.cache(lambda: session))
        clients.client.cache_clear()
        try:
            yield
        finally:
            clients.client.cache_clear()


@contextmanager
def on_moto() -> Iterator[None]:
    """A new AWS of moto's behind every client the hub makes."""
    with mock_aws():
        _forget()
        try:
            yield
        finally:
            _forget()


AWS = {"memory": in_memory, "moto": on_moto}

on_both = pytest.mark.parametrize("where", AWS)
"""For the journeys that touch most of a package: they show on moto too that AWS would take its requests."""


def _forget() -> None:
    clients.client.cache_clear()
    clients._session.cache_clear()


def make_table(indexes: Mapping[str, Order], name: str | None = None) -> Table:
    """A new table with the hub's kind of key."""
    request = table_request(indexes, name or f"table-{new_id()}")
    clients.client("dynamodb").create_table(**request)
    return Table(request["TableName"])


def table_request(indexes: Mapping[str, Order], name: str) -> dict[str, Any]:
    """What `create_table` is asked for a table with the hub's kind of key."""
    attributes = dict.fromkeys(["pk", "sk", *(attribute for order in indexes.values() for attribute in order[:2])])
    request: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": one, "AttributeType": "S"} for one in attributes],
        "KeySchema": _schema("pk", "sk"),
    }
    if indexes:
        request["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index,
                "KeySchema": _schema(order.key, order.sort),
                "Projection": _projection(order),
            }
            for index, order in indexes.items()
        ]
    return request


def _projection(order: Order) -> dict[str, Any]:
    if order.carries:
        return {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(order.carries)}
    return {"ProjectionType": "KEYS_ONLY" if order.keys_only else "ALL"}


def everything_in(table: Table) -> list[dict[str, Any]]:
    """Every item of a table, as it is kept."""
    pages = clients.client("dynamodb").get_paginator("scan").paginate(TableName=table.name)
    return [dict(item) for page in pages for item in page["Items"]]


def _schema(key: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": key, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
