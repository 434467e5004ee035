"""The lake by itself: what is published, what is kept, what two at once do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import time_machine
from deltalake import DeltaTable

from erphub.erp.datasets import BY_ID, Dataset, complete
from erphub.erp.reading import DateRange
from erphub.lake.delta import keys as lake_keys
from erphub.lake.delta import publishing as lake_publishing
from erphub.lake.delta import shape as lake_shape
from erphub.lake.delta import sql as lake_sql
from erphub.lake.delta import upkeep as lake_upkeep
from erphub.lake.delta.delta_lake import DeltaLake
from erphub.lake.delta.rows import LakeRows
from erphub.lake.locations import table_key
from erphub.lake.ports import Published, PublishTarget, RowQuery, Staged
from erphub.platform.errors import Conflict, ErpRefused
from tests.support.erp import Row, batch_of
from tests.support.files import FolderFiles

LEDGER, ACCOUNTS = BY_ID["gl_transactions"], BY_ID["accounts"]
DAY = date(2026, 1, 1)


def lines(count: int, first: int = 0) -> list[Row]:
    return [
        {"journal_no": str(n), "entry_no": "1", "voucher_date": DAY + timedelta(days=n), "amount": Decimal(n)}
        for n in range(first, first + count)
    ]


@dataclass
class Shore:
    """A lake in a folder, and short ways to write into it."""

    folder: Path
    token: int = 0

    def __post_init__(self) -> None:
        self.lake = DeltaLake(str(self.folder), FolderFiles(self.folder), {}, piece_bytes=64 * 1024)

    def target(
        self, dataset: Dataset, company: str, window: DateRange, token: int, connection: str = "C1"
    ) -> PublishTarget:
        return PublishTarget(
            "client", dataset, connection, company, [window], token, f"run{token}", f"staging/client/run{token}/u"
        )

    def stage(
        self, dataset: Dataset, rows: Sequence[Row], types: dict[str, str] | None = None, connection: str = "C1"
    ) -> Staged:
        self.token += 1
        known = dict(self.lake.prepare("client", dataset, complete(dataset, types or {})))
        source = complete(dataset, types or {})
        path = f"staging/client/run{self.token}/u/p"
        batches = [batch_of(dataset, rows[at : at + 500], source) for at in range(0, len(rows), 500)]
        return self.lake.stage(path, dataset, known, connection, batches)

    def publish(
        self,
        dataset: Dataset,
        rows: Sequence[Row],
        company: str = "F0001",
        window: DateRange | None = None,
        **more: Any,
    ) -> Published:
        staged = self.stage(dataset, rows, more.get("types"), more.get("connection", "C1"))
        window = window or DateRange()
        return self.lake.publish(
            self.target(dataset, company, window, self.token, more.get("connection", "C1")), [staged]
        )

    def table(self, dataset: Dataset) -> DeltaTable:
        return DeltaTable(str(self.folder / table_key("client", dataset.id)))

    def rows(self, dataset: Dataset, where: str = "TRUE") -> list[dict[str, Any]]:
        keys = ", ".join(f'"{key}"' for key in dataset.keys)
        text = f"SELECT * FROM t WHERE {where} ORDER BY company, connection, {keys}"
        return lake_sql.rows(lake_sql.query({"t": self.table(dataset)}, text))


@pytest.fixture
def shore(tmp_path: Path) -> Shore:
    return Shore(tmp_path)


@pytest.mark.parametrize("company", ["F0001", "Å, øl & 'sitat' ]", 'a"b/../c', "100% #?=", "emoji 🐟", " "])
def test_a_company_may_be_called_anything(shore: Shore, company: str) -> None:
    shore.publish(LEDGER, lines(3), company)
    shore.publish(LEDGER, lines(2), "other")
    shore.publish(LEDGER, lines(5), company)
    assert [row["company"] for row in shore.rows(LEDGER)].count(company) == 5
    inside = [Path(path).resolve() for path in shore.table(LEDGER).file_uris()]
    assert all(path.is_relative_to(shore.folder / "lake/client") for path in inside)
    reader = LakeRows(str(shore.folder), {})
    assert len(reader.page("client", LEDGER, RowQuery(companies=[company], columns=["amount"])).rows) == 5


def test_two_connections_with_the_same_company_do_not_touch_each_other(shore: Shore) -> None:
    shore.publish(LEDGER, lines(3), connection="C1")
    shore.publish(LEDGER, lines(4), connection="C2")
    shore.publish(LEDGER, [], connection="C1")
    assert [row["connection"] for row in shore.rows(LEDGER)] == ["C2"] * 4


@pytest.mark.parametrize(
    "window",
    [
        DateRange(DAY + timedelta(days=5), DAY + timedelta(days=9)),
        DateRange(DAY + timedelta(days=5)),
        DateRange(None, DAY + timedelta(days=9)),
    ],
)
def test_a_window_replaces_exactly_its_days(shore: Shore, window: DateRange) -> None:
    undated = {"journal_no": "x", "entry_no": "1", "amount": Decimal(1)}
    shore.publish(LEDGER, [*lines(10), undated])
    fresh = [line | {"amount": Decimal(1000)} for line in lines(10) if _in(line["voucher_date"], window)]
    done = shore.publish(LEDGER, fresh, window=window)
    rows = shore.rows(LEDGER)
    assert len(rows) == 11
    for row in rows:
        changed = row["voucher_date"] is not None and _in(row["voucher_date"], window)
        assert (row["amount"] == 1000) == changed
    assert done.removed == done.inserted == len(fresh)


def _in(day: date, window: DateRange) -> bool:
    return (window.first is None or day >= window.first) and (window.end is None or day < window.end)


def test_a_window_leaves_files_alone_that_it_does_not_touch(shore: Shore) -> None:
    window = DateRange(DAY, DAY + timedelta(days=5))
    shore.publish(LEDGER, lines(5), window=window)
    before = set(shore.table(LEDGER).file_uris())
    shore.publish(LEDGER, lines(5, first=20), window=DateRange(DAY + timedelta(days=20), DAY + timedelta(days=30)))
    assert before < set(shore.table(LEDGER).file_uris())


def test_many_nights_do_not_leave_many_files(shore: Shore) -> None:
    for night in range(lake_publishing.MAX_SMALL_FILES + 6):
        day = DAY + timedelta(days=night)
        shore.publish(LEDGER, lines(1, first=night), window=DateRange(day, day + timedelta(days=1)))
    assert len(shore.rows(LEDGER)) == lake_publishing.MAX_SMALL_FILES + 6
    assert len(shore.table(LEDGER).file_uris()) <= lake_publishing.MAX_SMALL_FILES + 1


def test_a_large_part_is_written_in_pieces(shore: Shore) -> None:
    staged = shore.stage(LEDGER, lines(3000))
    assert len(list((shore.folder / staged.path).glob("piece-*.parquet"))) > 2


def test_the_same_publication_twice_is_one(shore: Shore) -> None:
    staged = shore.stage(LEDGER, lines(4))
    target = shore.target(LEDGER, "F0001", DateRange(), 7)
    first = shore.lake.publish(target, [staged])
    again = shore.lake.publish(target, [staged])
    assert again == replace(first, was_repeated=True, anomalies=())
    assert len(shore.rows(LEDGER)) == 4
    assert shore.table(LEDGER).version() == 1


def test_a_publication_that_comes_too_late_is_refused(shore: Shore) -> None:
    old, new = shore.stage(LEDGER, lines(4)), shore.stage(LEDGER, lines(6))
    shore.lake.publish(shore.target(LEDGER, "F0001", DateRange(), 9), [new])
    with pytest.raises(Conflict) as refused:
        shore.lake.publish(shore.target(LEDGER, "F0001", DateRange(), 8), [old])
    assert refused.value.code == "newer_run_published"


def before_the_next_commit(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Something else comes between what a publication has read and its commit."""
    real, interrupted = lake_publishing.commit, []

    def commit(*arguments: Any) -> None:
        if not interrupted:
            interrupted.append("once")
            happens()
        real(*arguments)

    monkeypatch.setattr(lake_publishing, "commit", commit)


def test_two_companies_published_at_the_same_moment_are_both_there(
    shore: Shore, monkeypatch: pytest.MonkeyPatch
) -> None:
    shore.publish(LEDGER, lines(2), "A")
    shore.publish(LEDGER, lines(2), "B")
    ours = shore.stage(LEDGER, lines(3))
    before_the_next_commit(monkeypatch, lambda: shore.publish(LEDGER, lines(5), "B"))
    shore.lake.publish(shore.target(LEDGER, "A", DateRange(), 100), [ours])
    assert [row["company"] for row in shore.rows(LEDGER)] == ["A"] * 3 + ["B"] * 5


def test_two_publications_of_one_company_at_the_same_moment_leave_one_of_them_whole(
    shore: Shore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = shore.stage(LEDGER, lines(3)), shore.stage(LEDGER, lines(5))
    later = shore.target(LEDGER, "A", DateRange(), 200)
    before_the_next_commit(monkeypatch, lambda: shore.lake.publish(later, [theirs]))
    with pytest.raises(Conflict):
        shore.lake.publish(shore.target(LEDGER, "A", DateRange(), 100), [ours])
    assert len(shore.rows(LEDGER)) == 5


def test_a_table_widened_while_narrow_rows_wait_takes_them(shore: Shore) -> None:
    waiting = shore.stage(LEDGER, lines(3))
    shore.publish(LEDGER, lines(2), "B", types={"amount": "decimal(30,8)"})
    shore.lake.publish(shore.target(LEDGER, "A", DateRange(), 100), [waiting])
    assert [row["amount"] for row in shore.rows(LEDGER, "company = 'A'")] == [0, 1, 2]


def test_a_table_published_to_while_it_is_widened_loses_nothing(shore: Shore, monkeypatch: pytest.MonkeyPatch) -> None:
    shore.publish(LEDGER, lines(2), "A")
    waiting = shore.stage(LEDGER, lines(3))
    real, interrupted = lake_shape._rewrite, []

    def written_anew(*arguments: Any) -> Any:
        if not interrupted:
            interrupted.append("once")
            shore.lake.publish(shore.target(LEDGER, "B", DateRange(), 100), [waiting])
        return real(*arguments)

    monkeypatch.setattr(lake_shape, "_rewrite", written_anew)
    shore.publish(LEDGER, lines(1), "C", types={"amount": "decimal(38,10)"})
    assert [row["company"] for row in shore.rows(LEDGER)] == ["A"] * 2 + ["B"] * 3 + ["C"]


def test_amounts_of_38_digits_arrive_and_are_summed_exactly(shore: Shore) -> None:
    largest = Decimal("9" * 36 + ".99")
    rows = [line | {"amount": largest} for line in lines(3)]
    staged = shore.stage(LEDGER, [row | {"voucher_date": DAY} for row in rows], {"amount": "decimal(38,2)"})
    (total,) = shore.lake.staged_totals(staged, LEDGER)
    assert total.amount == Decimal("2999999999999999999999999999999999999.97")
    shore.lake.publish(shore.target(LEDGER, "A", DateRange(), 100), [staged])
    assert {row["amount"] for row in shore.rows(LEDGER)} == {largest}


def test_a_decimal_that_fits_nowhere_is_refused(shore: Shore) -> None:
    shore.publish(LEDGER, lines(1), types={"amount": "decimal(38,20)"})
    with pytest.raises(ErpRefused) as refused:
        shore.lake.prepare("client", LEDGER, complete(LEDGER, {"amount": "decimal(38,2)"}))
    assert refused.value.code == "decimal_too_wide"


def test_a_column_a_dataset_gets_later_is_empty_in_what_was_there(shore: Shore) -> None:
    older = replace(ACCOUNTS, fields=[field for field in ACCOUNTS.fields if field.name != "tax_code"])
    shore.publish(older, [{"account_no": "1", "name": "a"}])
    reader = LakeRows(str(shore.folder), {})
    wanted = RowQuery(columns=["account_no", "tax_code"])
    assert reader.page("client", ACCOUNTS, wanted).rows == [{"account_no": "1", "tax_code": None}]
    shore.publish(ACCOUNTS, [{"account_no": "2", "tax_code": "9"}], "Z")
    assert [row["tax_code"] for row in shore.rows(ACCOUNTS)] == [None, "9"]


def test_unchanged_master_data_is_not_written_again(shore: Shore) -> None:
    shore.publish(ACCOUNTS, [{"account_no": "1", "name": "a"}])
    version = shore.table(ACCOUNTS).version()
    done = shore.publish(ACCOUNTS, [{"account_no": "1", "name": "a"}])
    assert (done.unchanged, shore.table(ACCOUNTS).version()) == (1, version)


@pytest.fixture
def small_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are compared a few at a time, as those of millions of rows are."""
    monkeypatch.setattr(lake_keys, "ROWS_PER_SHARE", 7)


@pytest.mark.usefixtures("small_shares")
def test_master_data_compared_share_by_share_is_counted_once(shore: Shore) -> None:
    chart = [{"account_no": str(n), "name": f"Account {n}"} for n in range(100)]
    assert shore.publish(ACCOUNTS, chart).inserted == 100
    changed = [row | ({"name": "Other"} if row["account_no"] < "3" else {}) for row in chart[10:]]
    more = [{"account_no": f"x{n}", "name": "New"} for n in range(25)]
    done = shore.publish(ACCOUNTS, [*changed, *more])
    assert (done.inserted, done.updated, done.unchanged, done.removed) == (25, 20, 70, 10)
    assert len(shore.rows(ACCOUNTS)) == 115
    assert shore.publish(ACCOUNTS, []).removed == 115


@pytest.mark.usefixtures("small_shares")
def test_rows_that_share_a_key_are_found_in_whatever_share_they_lie(shore: Shore) -> None:
    chart = [{"account_no": str(n), "name": "a"} for n in range(60)]
    odd = [{"account_no": str(n), "name": "b"} for n in range(0, 60, 2)] + [{"account_no": None, "name": "c"}] * 3
    done = shore.publish(ACCOUNTS, [*chart, *odd])
    assert {anomaly.code: anomaly.count for anomaly in done.anomalies} == {"key_missing": 3, "key_repeated": 60}
    assert [len(anomaly.examples) for anomaly in done.anomalies] == [3, lake_sql.MAX_EXAMPLES]
    assert (done.inserted, done.rejected) == (30, 63)
    assert [int(row["account_no"]) % 2 for row in shore.rows(ACCOUNTS)] == [1] * 30


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"name": "ab", "group": "c"}, {"name": "a", "group": "bc"}),
        ({"name": "a 1:b", "group": "c"}, {"name": "a", "group": "b 1:c"}),
        ({"name": "", "group": None}, {"name": None, "group": ""}),
        ({"name": None, "group": "x"}, {"name": "x", "group": None}),
        ({"name": "0:"}, {"name": ""}),
        ({"created_on": DAY}, {"changed_on": DAY}),
    ],
)
def test_a_value_that_moved_to_another_column_is_a_change(shore: Shore, before: Row, after: Row) -> None:
    shore.publish(ACCOUNTS, [{"account_no": "1"} | before])
    assert shore.publish(ACCOUNTS, [{"account_no": "1"} | before]).unchanged == 1
    assert shore.publish(ACCOUNTS, [{"account_no": "1"} | after]).updated == 1
    (row,) = shore.rows(ACCOUNTS)
    assert {name: row[name] for name in after} == after


def test_only_what_was_staged_can_be_removed(shore: Shore) -> None:
    with pytest.raises(ValueError, match="staged"):
        shore.lake.clean("lake/")


def test_what_the_source_raises_comes_out_as_it_is(shore: Shore) -> None:
    def broken() -> Any:
        yield batch_of(LEDGER, lines(2), complete(LEDGER, {}))
        raise Conflict("the source's own")

    types = shore.lake.prepare("client", LEDGER, complete(LEDGER, {}))
    with pytest.raises(Conflict, match="the source's own"):
        shore.lake.stage("staging/client/x/y/z", LEDGER, types, "C1", broken())


def test_files_replaced_long_ago_are_removed_and_younger_ones_kept(
    shore: Shore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake_upkeep, "COMMITS_PER_VACUUM", 1)
    shore.publish(LEDGER, lines(3))
    (first,) = shore.table(LEDGER).file_uris()
    with time_machine.travel(datetime.now(UTC) - timedelta(days=8), tick=True):
        shore.publish(LEDGER, lines(4))
    (second,) = shore.table(LEDGER).file_uris()
    shore.publish(LEDGER, lines(5))
    assert not Path(first).exists(), "it was replaced eight days ago"
    assert Path(second).exists(), "somebody may still page through it"
    assert len(shore.rows(LEDGER)) == 5
