"""What a transfer asks of AWS: calls and estimated cost for 1,000 documents of each kind, and of a tick of the clock.

The hub's own code over DynamoDB and S3 in memory, with an ERP that answers at once: what is counted is the hub's share.
"""

import contextlib
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from erphub.aws import clients
from erphub.aws.papers import PaperBucket
from erphub.aws.syncs import SyncTable
from erphub.aws.table import Table
from erphub.models.sync import Sync, SyncSettings
from tests.unit.sync import conftest as house

PRICES = {
    # Dollars per call in eu-north-1, on demand: a write of up to 1 KB also writes two indexes when their keys change.
    "dynamodb.PutItem": 3 * 0.63e-6,
    "dynamodb.GetItem": 0.13e-6,
    "dynamodb.BatchGetItem": 25 * 0.13e-6,
    "dynamodb.TransactWriteItems": 50 * 6 * 0.63e-6,
    "dynamodb.Query": 4 * 0.13e-6,
    "s3.HeadObject": 0.4e-6,
    "s3.GetObject": 0.4e-6,
}


@dataclass(frozen=True)
class Cost:
    """Calls by operation, and dollars."""

    calls: Counter[str]
    dollars: float

    @classmethod
    def since(cls, before: Counter[str]) -> "Cost":
        """What was called since the copy was taken."""
        calls = clients.calls - before
        return cls(calls, sum(PRICES.get(name, 0.0) * count for name, count in calls.items()))


@contextlib.contextmanager
def aws() -> Iterator[Table]:
    """One table for both uses, and a bucket."""
    from moto import mock_aws

    with mock_aws():
        names = ["pk", "sk", "state_pk", "state_sk", "day_pk", "day_sk", "due_shard", "due_at"]
        pairs = {"state": ("state_pk", "state_sk"), "day": ("day_pk", "day_sk"), "due": ("due_shard", "due_at")}
        clients.client("dynamodb").create_table(
            TableName="t",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": index,
                    "KeySchema": [
                        {"AttributeName": key, "KeyType": "HASH"},
                        {"AttributeName": sort, "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
                for index, (key, sort) in pairs.items()
            ],
        )
        clients.client("s3").create_bucket(
            Bucket="papers", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
        )
        yield Table("t")


def thousand(kind: str, table: Table, count: int = 1000) -> Cost:
    """Hand in documents one by one and transfer them all."""
    world = _world(table)
    before = Counter(clients.calls)
    for number in range(1, count + 1):
        if kind == "settlement":
            world.settlement(number)
        else:
            world.hand_in("product", f"P{number}", number=f"P{number}", name="Vare", price="1")
    with contextlib.redirect_stdout(io.StringIO()):
        transfer = world.transfer(seconds=10_000)
    assert transfer.counts.sent == count, transfer.counts
    return Cost.since(before)


def _world(table: Any) -> house.World:
    return house.World(table=table, papers=PaperBucket("papers"))  # pyright: ignore[reportArgumentType]


def tick(table: Table, connections: int, due: int) -> Cost:
    """One tick of the clock with so many syncs, so many of them due; only what finding them costs."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    settings = SyncSettings.model_validate({"from_date": "2026-01-01", "automatic": True})
    store, items = SyncTable(table), list[Any]()
    for number in range(connections):
        name = house.derived_id("bench", str(number))
        at = now if number < due else now + timedelta(hours=5)
        items.append(
            Sync(client_id=name, connection_id=name, settings=settings, saved_at=now, saved_by="b", next_at=at)
        )
    for one in items:
        store.put(one)
    before = Counter(clients.calls)
    found = list(store.due(now))
    assert len(found) == due
    return Cost.since(before)


def main() -> None:
    """Print the figures."""
    import os

    os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-north-1"}
    print("| what | AWS calls | estimated $ |\n|---|---:|---:|")
    for kind in ("settlement", "product"):
        with aws() as table:
            cost = thousand(kind, table)
        print(f"| 1,000 {kind}s, handed in one by one and transferred | {cost.calls.total():,} | {cost.dollars:.4f} |")
    for due in (0, 10, 1000):
        with aws() as table:
            cost = tick(table, 2_000, due)
        print(f"| a tick with {due} due among 2,000 | {cost.calls.total():,} | {cost.dollars:.7f} |")


if __name__ == "__main__":
    main()
