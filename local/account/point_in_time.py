"""Brings a table and a bucket back to what they held at a moment; what docs/operations.md describes under *Restoring*.

The table from a copy that DynamoDB restored as of that moment (`restore-table-to-point-in-time`), item by item and in
place, so that the deployment keeps its table. The bucket from its own versions, which it keeps for LakeHistoryDays.
Both say how many they changed and may be run again: what is right already is left alone.
"""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from . import Clients

type Item = dict[str, Any]


def items(client: Clients, table: str) -> dict[str, Item]:
    """Every item of a table by its key."""
    pages = client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return {_key(item): item for page in pages for item in page["Items"]}


def _key(item: Item) -> str:
    return f"{item['pk']['S']}\x00{item['sk']['S']}"


def table_back(client: Clients, table: str, copy: str, partition: str = "") -> int:
    """Make a table hold what its copy holds; of one partition (`CLIENT#…`) alone when one is named."""
    wanted, held = items(client, copy), items(client, table)
    dynamodb, changed = client("dynamodb"), 0
    for key in sorted({*wanted, *held}):
        if (partition and key.split("\x00")[0] != partition) or wanted.get(key) == held.get(key):
            continue
        if key in wanted:
            dynamodb.put_item(TableName=table, Item=wanted[key])
        else:
            dynamodb.delete_item(TableName=table, Key={name: held[key][name] for name in ("pk", "sk")})
        changed += 1
    return changed


def _versions(client: Clients, bucket: str, prefix: str) -> Iterator[tuple[str, datetime, str | None, bool]]:
    """Key, time, version (None for a mark that it was deleted), and whether it is the newest; newest first by key."""
    pages = client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for one in page.get("Versions", []):
            yield one["Key"], one["LastModified"], one["VersionId"], one["IsLatest"]
        for one in page.get("DeleteMarkers", []):
            yield one["Key"], one["LastModified"], None, one["IsLatest"]


def bucket_back(client: Clients, bucket: str, moment: datetime, prefix: str = "lake/") -> int:
    """Make a versioned bucket's objects below a prefix those of a moment; S3 tells time by the second."""
    then: dict[str, tuple[datetime, str | None]] = {}
    now: dict[str, str | None] = {}
    for key, written, version, is_latest in _versions(client, bucket, prefix):
        if is_latest:
            now[key] = version
        if written <= moment and (key not in then or written > then[key][0]):
            then[key] = (written, version)
    s3, changed = client("s3"), 0
    for key, is_now in sorted(now.items()):
        _, was = then.get(key, (moment, None))
        if was == is_now:
            continue
        if was is None:
            s3.delete_object(Bucket=bucket, Key=key)
        else:
            s3.copy_object(Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": key, "VersionId": was})
        changed += 1
    return changed


def main(arguments: Sequence[str] | None = None, client: Clients | None = None) -> None:
    """Bring back the table, the bucket, or both, as the arguments say; with the deployer's credentials."""
    from .__main__ import clients

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", help="the table in use; needs --copy")
    parser.add_argument("--copy", help="the table that was restored as of the moment")
    parser.add_argument("--partition", default="", help="CLIENT#<id>, to bring back one client alone")
    parser.add_argument("--bucket", help="the lake; needs --at")
    parser.add_argument("--at", type=datetime.fromisoformat, help="the moment, 2026-11-28T07:00:00+00:00")
    parser.add_argument("--prefix", default="lake/", help="lake/<client>/, to bring back one client alone")
    given = parser.parse_args(arguments)
    if (
        bool(given.table) != bool(given.copy)
        or bool(given.bucket) != bool(given.at)
        or not (given.table or given.bucket)
    ):
        parser.error("say TABLE and COPY, or BUCKET and AT, or all four")
    made = client or clients()
    if given.table:
        print(f"{given.table}: {table_back(made, given.table, given.copy, given.partition)} items brought back")
    if given.bucket:
        # Without a zone it is the clock's here.
        moment = given.at.astimezone(UTC)
        print(f"{given.bucket}: {bucket_back(made, given.bucket, moment, given.prefix)} objects brought back")


if __name__ == "__main__":
    main()
