"""`make rehearse-restore`: breaks a copy of the local stack's table and lake, and brings both back to a point in time.

The stack itself is only read. The local AWS restores a table as it is and not as it was, so its copy is restored at the
moment that the rehearsal goes back to; on AWS the same call is made afterwards, with `--restore-date-time`.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from local.processes import StartupError
from local.stack import DEFAULT_DIRECTORY, Stack

from . import Clients
from .point_in_time import bucket_back, items, table_back

CLOCK_RESOLUTION_SECONDS = 1.1
"""Seconds after which S3, which tells time by the second, tells what came before from what came after."""


@dataclass(frozen=True)
class Rehearsed:
    """What a rehearsal did and found."""

    items: int
    objects: int
    broken_items: int
    broken_objects: int
    seconds: float
    lost: tuple[str, ...]
    """Items and objects that differ from what was there; none when all came back."""


def objects(client: Clients, bucket: str, prefix: str = "lake/") -> dict[str, str]:
    """The digest of every object below a prefix."""
    s3 = client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    return {key: hashlib.sha256(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).hexdigest() for key in keys}


def rehearse(client: Clients, table: str, bucket: str) -> Rehearsed:
    """Copy, break the copies, bring them back, compare. The copies are removed again, whatever comes of it."""
    name = f"rehearsal-{uuid4().hex[:12]}"
    dynamodb, s3 = client("dynamodb"), client("s3")
    try:
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=table, TargetTableName=name, UseLatestRestorableTime=True
        )
        _copy_bucket(client, bucket, name)
        before, lake = items(client, name), objects(client, name)
        time.sleep(CLOCK_RESOLUTION_SECONDS)
        moment = datetime.now(UTC)
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=name, TargetTableName=f"{name}-then", UseLatestRestorableTime=True
        )
        time.sleep(CLOCK_RESOLUTION_SECONDS)
        broken = _break_table(client, name, before)
        broken_objects = _break_bucket(client, name, lake)
        started = time.monotonic()
        table_back(client, name, f"{name}-then")
        bucket_back(client, name, moment)
        seconds = time.monotonic() - started
        lost = (*_differences(before, items(client, name)), *_differences(lake, objects(client, name)))
        return Rehearsed(len(before), len(lake), broken, broken_objects, seconds, lost)
    finally:
        for made in (name, f"{name}-then"):
            if made in dynamodb.list_tables()["TableNames"]:
                dynamodb.delete_table(TableName=made)
        if name in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
            _remove_bucket(client, name)


def _copy_bucket(client: Clients, source: str, target: str) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket=target, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    s3.put_bucket_versioning(Bucket=target, VersioningConfiguration={"Status": "Enabled"})
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=source, Prefix="lake/"):
        for one in page.get("Contents", []):
            s3.copy_object(Bucket=target, Key=one["Key"], CopySource={"Bucket": source, "Key": one["Key"]})


def _break_table(client: Clients, table: str, held: Mapping[str, Any]) -> int:
    """What a bad deployment or a slip of a hand does: a third deleted, a third altered, something made up."""
    dynamodb = client("dynamodb")
    hurt = 0
    for number, item in enumerate(held.values()):
        if number % 3 == 0:
            dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})
        elif number % 3 == 1:
            dynamodb.put_item(TableName=table, Item=item | {"data": {"S": "{}"}, "broken": {"BOOL": True}})
        hurt += number % 3 != 2
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "CLIENT#made-up"}, "sk": {"S": "X"}})
    return hurt + 1


def _break_bucket(client: Clients, bucket: str, held: Mapping[str, str]) -> int:
    s3 = client("s3")
    hurt = 0
    for number, key in enumerate(held):
        if number % 3 == 0:
            s3.delete_object(Bucket=bucket, Key=key)
        elif number % 3 == 1:
            s3.put_object(Bucket=bucket, Key=key, Body=b"overwritten")
            s3.put_object(Bucket=bucket, Key=key, Body=b"and once more")
        hurt += number % 3 != 2
    s3.put_object(Bucket=bucket, Key="lake/made-up", Body=b"never there")
    return hurt + 1


def _differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    return [json.dumps(key) for key in sorted({*wanted, *found}) if wanted.get(key) != found.get(key)]


def _remove_bucket(client: Clients, bucket: str) -> None:
    s3 = client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
    s3.delete_bucket(Bucket=bucket)


def main() -> None:
    """Rehearse with the table and the lake of the running local stack; ends with status 1 when anything was lost."""
    stack = Stack(Path(os.environ.get("STACK_DIR") or DEFAULT_DIRECTORY))
    try:
        outputs = stack.require_up()["outputs"]
    except StartupError as error:
        sys.exit(str(error))
    client: Any = stack.aws().client
    done = rehearse(client, outputs["TableName"], outputs["LakeBucket"])
    print(f"{done.broken_items} of {done.items} items and {done.broken_objects} of {done.objects} objects were broken.")
    print(f"Brought back in {done.seconds:.1f} s. Lost: {', '.join(done.lost) or 'nothing'}.")
    sys.exit(1 if done.lost else 0)


if __name__ == "__main__":
    main()
