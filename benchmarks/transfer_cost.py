"""What a transfer asks of AWS: calls and estimated cost for 1,000 documents of each kind, and of a tick of the clock.

The hub's own code over DynamoDB and S3 in memory, with an ERP that answers at once: what is counted is the hub's share.
"""

import contextlib
import io
import os
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from erphub.platform.aws import clients
from erphub.platform.aws.files import S3Files
from erphub.platform.aws.table import Table
from erphub.sync.settings.models import Sync, SyncSettings
from tests.support import sync as support
from tests.support.aws import EXPORTS, TENANTS, make_table, on_moto

PRICES = {
    # Dollars per call in eu-north-1, on demand: a write of up to 1 KB also writes two indexes when their keys change.
    "dynamodb.PutItem": 3 * 0.63e-6,
    "dynamodb.GetItem": 0.13e-6,
    "dynamodb.BatchGetItem": 25 * 0.13e-6,
    "dynamodb.TransactWriteItems": 50 * 6 * 0.63e-6,
    "dynamodb.Query": 4 * 0.13e-6,
    "lambda.Invoke": 0.2e-6,
    "s3.HeadObject": 0.4e-6,
    "s3.GetObject": 0.4e-6,
}


@dataclass(frozen=True)
class Cost:
    """Calls by operation, and dollars."""

    calls: Counter[str]
    dollars: float

    @classmethod
    def since(cls, before: Counter[str], pretended: Counter[str] | None = None) -> "Cost":
        """What was called since the copy was taken, and what a fake took instead of AWS."""
        calls = clients.calls - before + (pretended or Counter())
        return cls(calls, sum(PRICES.get(name, 0.0) * count for name, count in calls.items()))


@contextlib.contextmanager
def aws() -> Generator[Table]:
    """One table for both uses, and a bucket."""
    with on_moto():
        clients.client("s3").create_bucket(
            Bucket="papers", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
        )
        yield make_table(TENANTS | EXPORTS)


def thousand(kind: str, table: Table, count: int = 1000) -> Cost:
    """Hand in documents one by one and transfer them all."""
    hub = _hub(table)
    before = Counter(clients.calls)
    for number in range(1, count + 1):
        if kind == "settlement":
            hub.settlement(number)
        else:
            hub.submit("product", f"P{number}", number=f"P{number}", name="Vare", price="1")
    with contextlib.redirect_stdout(io.StringIO()):
        transfer = hub.transfer(seconds=10_000)
    if transfer.counts.sent != count:
        raise RuntimeError(f"{transfer.counts} of {count} documents")
    return Cost.since(before)


def _hub(table: Any) -> support.SyncHub:
    return support.SyncHub(table=table, files=S3Files("papers"))  # pyright: ignore[reportArgumentType]


def ticks(table: Table, connections: int, due: Sequence[int]) -> dict[int, Cost]:
    """A tick of the clock with so many syncs, by how many of them are due: found, and their transfers started."""
    hub = _hub(table)
    settings = SyncSettings.model_validate({"from_date": "2026-01-01", "is_automatic": True})
    later, items = hub.clock() + timedelta(days=30), list[Sync]()
    for number in range(connections):
        name = support.derived_id("bench", str(number))
        saved = {"client_id": name, "connection_id": name, "settings": settings, "saved_by": "b"}
        items.append(Sync.model_validate(saved | {"saved_at": hub.clock(), "next_at": later}))
    for one in items:
        hub.syncs.save(one)
    costs: dict[int, Cost] = {}
    for count in due:
        for one in items[:count]:
            kept = hub.syncs.get(one.client_id, one.connection_id)
            assert kept is not None
            hub.syncs.save(kept.model_copy(update={"next_at": hub.clock()}))
        items = items[count:]
        before, asked = Counter(clients.calls), len(hub.queue.tasks)
        done = hub.scheduler.tick()
        if done != {"due": count, "started": count, "failed": 0, "silent": 0}:
            raise RuntimeError(f"{count} were due: {done}")
        costs[count] = Cost.since(before, Counter({"lambda.Invoke": len(hub.queue.tasks) - asked}))
    return costs


def report(connections: int = 10_000) -> str:
    """The figures as tables."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-north-1"}
    lines = [
        "The hub's own code over DynamoDB and S3 in memory, with an ERP that answers at once. Estimated at list prices;"
        " the functions' own time is not in it.",
        "",
        "| what | AWS calls | of which | estimated $ |",
        "|---|---:|---|---:|",
    ]
    for kind in ("settlement", "product"):
        with aws() as table:
            cost = thousand(kind, table)
        lines.append(_row(f"1,000 {kind}s, handed in one by one and transferred", cost))
    with aws() as table:
        for due, cost in ticks(table, connections, (0, 10, 1000)).items():
            lines.append(_row(f"a tick at {connections:,} connections, {due} of them due and started", cost))
    return "\n".join(lines)


def _row(what: str, cost: Cost) -> str:
    calls = ", ".join(f"{name} {count}" for name, count in sorted(cost.calls.items()))
    return f"| {what} | {cost.calls.total():,} | {calls} | {cost.dollars:.6f} |"


if __name__ == "__main__":
    print(report())
