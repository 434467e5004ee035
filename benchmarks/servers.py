"""What is measured against, in processes of its own: the stand-in SQL Server with big ledgers, and a local AWS."""

import contextlib
import secrets
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT
from local import emulator, processes
from local.emulator import REGION, Aws, clean_environment

LOGIN, PASSWORD = "reader", "Read-Only-1"
TABLE, BUCKET = "bench-tenants", "bench-lake"


@contextlib.contextmanager
def sql_server(
    folder: Path, ledgers: Sequence[str], *, state: Path | None = None, seconds: float = 300
) -> Generator[dict[str, Any]]:
    """The stand-in with `ledgers` (`F0900:1000000`) and what it kept in `state`, reachable as long as this lasts; gives
    its address and process.
    """
    environment = clean_environment() | {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core'}"}
    wanted = [word for one in ledgers for word in ("--ledger", one)]
    wanted += ["--state", str(state)] if state else []
    command = [sys.executable, "-m", "local.sqlserver", "--open", "--login", f"{LOGIN}:{PASSWORD}", *wanted]
    started, address = processes.start_listening(
        command, log=folder / "sqlserver.log", environment=environment, cwd=folder, seconds=seconds
    )
    try:
        yield {**address, "pid": started.pid}
    finally:
        processes.stop(started, 0)


@dataclass(frozen=True)
class Cloud:
    """A local AWS with an empty tenant table and an empty bucket."""

    aws: Aws

    def environment(self) -> dict[str, str]:
        """What a measured worker finds around it, as in Lambda."""
        return self.aws.environment() | {
            "TABLE_NAME": TABLE,
            "LAKE_BUCKET": BUCKET,
            "ALLOWED_ERP_NETWORKS": "127.0.0.0/8",
            "POWERTOOLS_SERVICE_NAME": "erphub",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core'}",
        }


@contextlib.contextmanager
def cloud(folder: Path) -> Generator[Cloud]:
    """A local AWS as long as this lasts."""
    port, key = processes.free_port(), f"AKIA{secrets.token_hex(8).upper()}"
    started = emulator.start(folder, port, key)
    try:
        emulator.wait_until_ready(folder, port, started)
        endpoint = f"http://127.0.0.1:{port}"
        aws = Aws(endpoint, emulator.deployer(endpoint, key, None))
        make_table(aws.client("dynamodb"), TABLE)
        aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield Cloud(aws)
    finally:
        processes.stop(started, 0)


def make_table(client: Any, name: str) -> None:
    """The tenant table with its indexes, as the template makes it."""
    attributes = ("pk", "sk", "due_shard", "due_at", "user_pk", "user_sk")
    indexes = (("due", "due_shard", "due_at"), ("user", "user_pk", "user_sk"))
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, key, sort in indexes
        ],
    )
