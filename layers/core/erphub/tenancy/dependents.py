"""Answers kept for repeated requests that name a connection."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import override

from erphub.platform.aws.items import Item
from erphub.platform.aws.removal import PassiveDependent, remove_items
from erphub.platform.aws.table import Table
from erphub.platform.removal import ConnectionRef, Dependent, Found, RemovalStage
from erphub.platform.tasks import TimeLeft
from erphub.tenancy.dynamodb import client_key


def tenancy_dependents(table: Table) -> list[Dependent]:
    """What members were answered."""
    title = "Answers kept for repeated requests"
    holds = ("tenants:IDEMPOTENCY",)
    return [IdempotencyRecords("idempotency_records", title, RemovalStage.RECORDS, holds, shown=False, table=table)]


@dataclass(frozen=True)
class IdempotencyRecords(PassiveDependent):
    """Answers that are kept for a day in case a request comes twice, of the client's members."""

    table: Table = field(kw_only=True)

    def _items(self, of: ConnectionRef) -> Iterator[Item]:
        for member in self.table.read_all(client_key(of.client_id)["pk"], "MEMBER#"):
            user = member["sk"].removeprefix("MEMBER#")
            for item in self.table.read_all(f"IDEMPOTENCY#{user}"):
                if of.id in str(item.get("data", "")):
                    yield item

    @override
    def find(self, of: ConnectionRef) -> Found:
        return Found(sum(1 for _ in self._items(of)))

    @override
    def remove(self, of: ConnectionRef, time_left: TimeLeft) -> bool:
        return remove_items(self.table, self._items(of), time_left)
