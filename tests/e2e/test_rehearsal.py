"""A table and a lake that were broken are brought back to a point in time, and nothing is lost."""

from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from local import emulator, processes, template
from local.account import point_in_time
from local.account.point_in_time import bucket_back, items, table_back
from local.account.rehearse import CLOCK_RESOLUTION_SECONDS, objects, rehearse
from local.emulator import REGION, Aws

TABLE, LAKE = "tenants", "rehearsed-lake"
DRAWN = template.of_type(template.load(), "AWS::DynamoDB::Table")["Tenants"]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Generator[Aws]:
    """An AWS of its own with a table and a lake, and no functions."""
    directory: Path = tmp_path_factory.mktemp("aws")
    port, key = processes.free_port(), "AKIAROOTOFTHISTEST01"
    started = emulator.start(directory, port, key)
    try:
        emulator.wait_until_ready(directory, port, started)
        endpoint = f"http://127.0.0.1:{port}"
        made = Aws(endpoint, emulator.deployer(endpoint, key, None))
        keys: Any = {name: DRAWN[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")}
        made.client("dynamodb").create_table(TableName=TABLE, BillingMode="PAY_PER_REQUEST", **keys)
        s3 = made.client("s3")
        s3.create_bucket(Bucket=LAKE, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=LAKE, VersioningConfiguration={"Status": "Enabled"})
        for number in range(30):
            put(made, f"CLIENT#{number % 2}", str(number), f"data {number}")
            s3.put_object(Bucket=LAKE, Key=f"lake/t/part-{number}", Body=f"rows {number}".encode())
        yield made
    finally:
        processes.stop(started)


def put(aws: Aws, pk: str, sk: str, data: str) -> None:
    aws.client("dynamodb").put_item(TableName=TABLE, Item={"pk": {"S": pk}, "sk": {"S": sk}, "data": {"S": data}})


def test_what_was_broken_comes_back_and_the_stack_itself_is_only_read(aws: Aws):
    before, lake = items(aws.client, TABLE), objects(aws.client, LAKE)
    done = rehearse(aws.client, TABLE, LAKE)
    assert (done.items, done.objects) == (30, 30)
    assert (done.broken_items, done.broken_objects) == (21, 21)
    assert done.lost == ()
    assert items(aws.client, TABLE) == before
    assert objects(aws.client, LAKE) == lake
    assert aws.client("dynamodb").list_tables()["TableNames"] == [TABLE]
    assert LAKE in [one.get("Name") for one in aws.client("s3").list_buckets()["Buckets"]]
    assert not [one for one in aws.client("s3").list_buckets()["Buckets"] if "rehearsal" in str(one.get("Name"))]


def test_a_restore_that_brings_nothing_back_would_be_noticed(aws: Aws, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("local.account.rehearse.bucket_back", lambda *_: 0)
    assert len(rehearse(aws.client, TABLE, LAKE).lost) == 21


def test_one_client_comes_back_and_the_others_go_on(aws: Aws):
    dynamodb = aws.client("dynamodb")
    dynamodb.restore_table_to_point_in_time(SourceTableName=TABLE, TargetTableName="then", UseLatestRestorableTime=True)
    put(aws, "CLIENT#0", "0", "broken")
    put(aws, "CLIENT#1", "1", "written since")
    assert table_back(aws.client, TABLE, "then", "CLIENT#0") == 1
    held = items(aws.client, TABLE)
    assert held["CLIENT#0\x000"]["data"] == {"S": "data 0"}
    assert held["CLIENT#1\x001"]["data"] == {"S": "written since"}
    assert table_back(aws.client, TABLE, "then", "CLIENT#0") == 0, "a second time changes nothing"
    put(aws, "CLIENT#1", "1", "data 1")
    dynamodb.delete_table(TableName="then")


def test_the_command_says_what_it_brought_back_and_refuses_half_of_what_it_needs(
    aws: Aws, capsys: pytest.CaptureFixture[str]
):
    point_in_time.main(["--bucket", LAKE, "--at", datetime.now(UTC).isoformat()], aws.client)
    assert capsys.readouterr().out == f"{LAKE}: 0 objects brought back\n"
    for half in (["--table", TABLE], ["--bucket", LAKE], []):
        with pytest.raises(SystemExit):
            point_in_time.main(half, aws.client)


def test_an_object_that_was_deleted_at_that_moment_stays_deleted(aws: Aws):
    s3 = aws.client("s3")
    s3.put_object(Bucket=LAKE, Key="lake/gone", Body=b"once")
    sleep(CLOCK_RESOLUTION_SECONDS)
    s3.delete_object(Bucket=LAKE, Key="lake/gone")
    sleep(CLOCK_RESOLUTION_SECONDS)
    moment = datetime.now(UTC)
    sleep(CLOCK_RESOLUTION_SECONDS)
    s3.put_object(Bucket=LAKE, Key="lake/gone", Body=b"again")
    assert bucket_back(aws.client, LAKE, moment) == 1
    assert "lake/gone" not in objects(aws.client, LAKE)
    assert bucket_back(aws.client, LAKE, moment) == 0
