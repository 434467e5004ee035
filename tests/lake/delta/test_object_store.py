"""What the lake asks of storage, the same from a folder and from S3; and the lake itself on S3."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from erphub.erp.datasets import BY_ID, complete
from erphub.erp.reading import DateRange
from erphub.lake.delta import publishing as lake_publishing
from erphub.lake.delta.delta_lake import DeltaLake
from erphub.lake.delta.rows import LakeRows
from erphub.lake.ports import PublishTarget, RowQuery, Staged
from erphub.platform.aws import clients
from erphub.platform.aws.objects import Bucket
from erphub.platform.errors import Unavailable
from erphub.platform.objects import ObjectStore
from tests.lake.conftest import BUCKET, options
from tests.support.erp import Row, batch_of
from tests.support.files import FolderFiles

LEDGER = BY_ID["gl_transactions"]
DAY = date(2026, 1, 1)


@pytest.fixture(params=["folder", "s3"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "s3":
        request.getfixturevalue("s3")
        client = clients.client("s3")
        for key in ("a/1", "a/2", "b/1"):
            client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        return Bucket(BUCKET)
    for key in ("a/1", "a/2", "b/1"):
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_bytes(key.encode())
    return FolderFiles(tmp_path)


def test_an_object_is_copied_over_another_and_stays_where_it_was(files: ObjectStore) -> None:
    files.copy("a/1", "b/1")
    assert (files.read("b/1"), files.read("a/1")) == (b"a/1", b"a/1")


def test_only_what_begins_with_the_prefix_is_removed(files: ObjectStore) -> None:
    files.delete_all("a/")
    files.delete_all("nothing/there")
    assert files.read("b/1") == b"b/1"
    with pytest.raises((Unavailable, OSError)):
        files.read("a/1")


def lines(count: int, factor: int = 1) -> list[Row]:
    return [
        {"journal_no": str(n), "entry_no": "1", "voucher_date": DAY + timedelta(days=n), "amount": Decimal(n * factor)}
        for n in range(count)
    ]


def put_aside(lake: DeltaLake, run: int, rows: list[Row]) -> Staged:
    types = complete(LEDGER, {})
    known = lake.prepare("client", LEDGER, types)
    path = f"staging/client/run{run}/u/p"
    return lake.stage(path, LEDGER, known, "C1", [batch_of(LEDGER, rows, types)])


def target(run: int, window: DateRange | None = None, company: str = "Å & 'B'") -> PublishTarget:
    return PublishTarget(
        "client", LEDGER, "C1", company, [window or DateRange()], run, f"run{run}", f"staging/client/run{run}/u"
    )


def test_a_window_is_published_to_s3_and_read_by_page(s3: str) -> None:
    lake = DeltaLake(f"s3://{BUCKET}", Bucket(BUCKET), options(s3))
    staged = put_aside(lake, 1, lines(10))
    assert sum(total.rows for total in lake.staged_totals(staged, LEDGER)) == 10
    lake.publish(target(1), [staged])
    window = DateRange(DAY + timedelta(days=5), None)
    lake.publish(target(2, window), [put_aside(lake, 2, lines(10, 100)[5:])])
    reader = LakeRows(f"s3://{BUCKET}", options(s3))
    found: list[Any] = []
    page = reader.page("client", LEDGER, RowQuery(columns=["amount", "company"], limit=4))
    while True:
        found += page.rows
        if page.last_key is None:
            break
        wanted = RowQuery(
            columns=["amount", "company"],
            limit=4,
            version=page.version,
            after=page.last_key,
            skip=page.rows_with_last_key,
        )
        page = reader.page("client", LEDGER, wanted)
    assert [int(row["amount"]) for row in found] == [0, 1, 2, 3, 4, 500, 600, 700, 800, 900]
    assert {row["company"] for row in found} == {"Å & 'B'"}


def test_two_at_once_on_s3_both_get_their_place(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = DeltaLake(f"s3://{BUCKET}", Bucket(BUCKET), options(s3))
    ours, theirs = put_aside(lake, 1, lines(3)), put_aside(lake, 2, lines(4))
    real, interrupted = lake_publishing.commit, []

    def commit(*arguments: Any) -> None:
        if not interrupted:
            interrupted.append("once")
            lake.publish(target(2, company="other"), [theirs])
        real(*arguments)

    monkeypatch.setattr(lake_publishing, "commit", commit)
    lake.publish(target(1), [ours])
    assert DeltaTable(f"s3://{BUCKET}/lake/client/gl_transactions", storage_options=options(s3)).count() == 7


def test_cleaning_leaves_the_table_alone(s3: str) -> None:
    lake = DeltaLake(f"s3://{BUCKET}", Bucket(BUCKET), options(s3))
    lake.publish(target(1), [put_aside(lake, 1, lines(3))])
    lake.clean("staging/client/run1/")
    keys = [found["Key"] for found in clients.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert keys
    assert all(key.startswith("lake/") for key in keys)
    assert len(LakeRows(f"s3://{BUCKET}", options(s3)).page("client", LEDGER, RowQuery(columns=["amount"])).rows) == 3


def test_a_bucket_that_is_gone_is_said_in_the_hubs_words(s3: str) -> None:
    lake = DeltaLake("s3://no-such-bucket", Bucket("no-such-bucket"), options(s3))
    with pytest.raises(Unavailable) as away:
        lake.prepare("client", LEDGER, complete(LEDGER, {}))
    assert away.value.code == "lake_unavailable"
    with pytest.raises(Unavailable):
        Bucket("no-such-bucket").read("a")
