"""A connection's rows leave the lake, with every trace in the tables' logs; another connection's stay as they are."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from deltalake import DeltaTable

from erphub.erp.datasets import BY_ID, complete
from erphub.erp.reading import DateRange
from erphub.lake.delta import removal as lake_removal
from erphub.lake.delta import sql as lake_sql
from erphub.lake.delta.delta_lake import DeltaLake
from erphub.lake.delta.removal import LakeRemoval, redacted
from erphub.lake.locations import connection_folder, table_key
from erphub.lake.ports import PublishTarget
from erphub.platform.errors import Unavailable
from tests.support.erp import batch_of
from tests.support.objects import FolderObjects

LEDGER = BY_ID["gl_transactions"]
MINE, OTHER, CLIENT = "01MINE", "01OTHER", "client"
KEY = table_key(CLIENT, LEDGER.id)
DAY = date(2026, 1, 1)


class Killed(BaseException):
    """The worker's end."""


class Lake:
    """A table that two connections write to, the same company among others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.objects = FolderObjects(folder)
        self.lake = DeltaLake(str(folder), self.objects, {})
        self.runs = 0

    def publish(self, connection: str, company: str, count: int, mark: str) -> None:
        self.runs += 1
        types = dict(self.lake.prepare(CLIENT, LEDGER, complete(LEDGER, {})))
        rows = [
            {
                "journal_no": f"{mark}{n}",
                "entry_no": "1",
                "voucher_date": DAY + timedelta(days=n),
                "amount": Decimal(n),
                "text": f"{mark} text",
            }
            for n in range(count)
        ]
        path = f"staging/{CLIENT}/run{self.runs}/0/p"
        staged = self.lake.stage(path, LEDGER, types, connection, [batch_of(LEDGER, rows, types)])
        staging = f"staging/{CLIENT}/run{self.runs}/0"
        target = PublishTarget(
            CLIENT, LEDGER, connection, company, [DateRange()], self.runs, f"run{self.runs}", staging
        )
        self.lake.publish(target, [staged])
        self.lake.clean(staging)

    def fill(self) -> None:
        self.publish(MINE, "F0001", 4, "SECRETONE")
        self.publish(OTHER, "F0001", 3, "KEPT")
        self.publish(MINE, "F0001", 5, "SECRETTWO")
        self.publish(MINE, "F0002", 2, "SECRETTHREE")
        self.publish(OTHER, "F0003", 3, "KEPTTOO")

    def table(self) -> DeltaTable:
        return DeltaTable(str(self.folder / KEY))

    def rows(self) -> list[tuple[str, str, str]]:
        found = lake_sql.rows(lake_sql.query({"t": self.table()}, 'SELECT connection, company, "journal_no" FROM t'))
        return sorted((row["connection"], row["company"], row["journal_no"]) for row in found)

    def traces(self, *words: str) -> list[str]:
        """Objects, as they are and as they were, that have one of the words in them or in their names."""
        now = [(key, (self.folder / key).read_bytes()) for key, _ in self.objects.sizes("")]
        return sorted(
            key
            for key, data in [*now, *self.objects.old]
            if any(word in key or word.encode() in data for word in words)
        )

    def removal(self, dies_at: int | None = None) -> tuple[LakeRemoval, list[str]]:
        seen: list[str] = []

        def checkpoint(name: str) -> None:
            seen.append(name)
            if len(seen) == dies_at:
                raise Killed(name)

        return LakeRemoval(str(self.folder), self.objects, {}, checkpoint), seen


SECRETS = (MINE, "SECRETONE", "SECRETTWO", "SECRETTHREE")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path)
    made.fill()
    return made


def left(lake: Lake) -> list[tuple[str, str, str]]:
    return [row for row in lake.rows() if row[0] != MINE]


def test_the_others_rows_stay_and_of_the_connections_no_trace_does(lake: Lake):
    others = left(lake)
    assert len(others) == 6
    assert len(lake.traces(*SECRETS)) > 5
    assert lake.removal()[0].remove(CLIENT, MINE, lambda: 900.0)
    assert lake.rows() == others
    assert lake.traces(*SECRETS) == []
    assert [key for key, _ in lake.objects.sizes(KEY) if connection_folder(MINE) in key] == []


def test_files_that_no_table_knows_any_more_go_too(lake: Lake):
    stray = lake.folder / KEY / "company=F0009" / connection_folder(MINE) / "left-by-somebody-who-died.parquet"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"SECRETONE")
    lake.removal()[0].remove(CLIENT, MINE, lambda: 900.0)
    assert not stray.exists()


def test_what_a_checkpoint_told_is_forgotten_too(lake: Lake):
    lake.table().create_checkpoint()
    others = left(lake)
    lake.removal()[0].remove(CLIENT, MINE, lambda: 900.0)
    assert lake.rows() == others
    kept = [key for key, _ in lake.objects.sizes(KEY) if ".checkpoint." in key]
    assert kept == [f"{KEY}/_delta_log/{lake.table().version():020}.checkpoint.parquet"]
    assert not any(word in str(DeltaTable(str(lake.folder / KEY)).get_add_actions(flatten=True)) for word in SECRETS)
    assert lake.traces(*SECRETS) == []


def test_the_table_is_written_to_and_read_as_before(lake: Lake):
    lake.removal()[0].remove(CLIENT, MINE, lambda: 900.0)
    lake.publish(OTHER, "F0001", 2, "NEW")
    assert {row for row in lake.rows() if row[1] == "F0001"} == {(OTHER, "F0001", "NEW0"), (OTHER, "F0001", "NEW1")}
    lake.publish(MINE, "F0001", 1, "AGAIN")
    assert (MINE, "F0001", "AGAIN0") in lake.rows()


def test_dying_at_any_place_and_beginning_again_ends_the_same(tmp_path: Path):
    n, died = 0, True
    while died:
        n += 1
        lake = Lake(tmp_path / str(n))
        lake.fill()
        lake.table().create_checkpoint()
        others, died = left(lake), False
        removal, _ = lake.removal(dies_at=n)
        try:
            removal.remove(CLIENT, MINE, lambda: 900.0)
        except Killed:
            died = True
            assert left(lake) == others, "whoever reads meanwhile sees the others' rows, and no error"
            lake.removal()[0].remove(CLIENT, MINE, lambda: 900.0)
        assert lake.rows() == others
        assert lake.traces(*SECRETS) == []
    assert n > 6


def test_again_changes_nothing(lake: Lake):
    lake.removal()[0].remove(CLIENT, MINE, lambda: 900.0)
    before = {key: (lake.folder / key).read_bytes() for key, _ in lake.objects.sizes("")}
    lake.removal()[0].remove(CLIENT, MINE, lambda: 900.0)
    assert {key: (lake.folder / key).read_bytes() for key, _ in lake.objects.sizes("")} == before


def test_a_client_without_tables_has_nothing_to_remove(tmp_path: Path):
    assert Lake(tmp_path).removal()[0].remove(CLIENT, MINE, lambda: 900.0)


def test_an_import_of_another_connection_at_the_same_moment_loses_nothing(lake: Lake, monkeypatch):
    files = lake_removal._files
    met: list[bool] = []

    def meanwhile(table):
        found = files(table)
        if not met:
            met.append(True)
            lake.publish(OTHER, "F0001", 2, "MEANWHILE")
        return found

    monkeypatch.setattr(lake_removal, "_files", meanwhile)
    lake.removal()[0].remove(CLIENT, MINE, lambda: 900.0)
    assert [row for row in lake.rows() if row[1] == "F0001"] == [
        (OTHER, "F0001", "MEANWHILE0"),
        (OTHER, "F0001", "MEANWHILE1"),
    ]
    assert lake.traces(*SECRETS) == []


def test_a_storage_that_does_not_answer_is_tried_again_later(lake: Lake, monkeypatch):
    def away(prefix: str, wanted: object = None, **_: object) -> int:
        raise OSError("away")

    monkeypatch.setattr(lake.objects, "purge", away)
    with pytest.raises(Unavailable):
        lake.removal()[0].remove(CLIENT, MINE, lambda: 900.0)


def test_out_of_time_is_said(lake: Lake):
    assert not lake.removal()[0].remove(CLIENT, MINE, lambda: 10.0)
    assert len(lake.rows()) == 13


def test_a_log_that_tells_nothing_of_the_connection_is_left_as_it_is():
    text = '{"commitInfo": {"timestamp": 1}}\n{"add": {"path": "company=F0001/of-x/a.parquet", "size": 1}}\n'
    assert redacted(text, connection_folder(MINE), MINE) is text
