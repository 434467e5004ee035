"""An answer of the object store is lost, wherever that may be: the lake holds what the source has, and that is said."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from deltalake import DeltaTable

from erphub.erp.datasets import BY_ID, Dataset, complete
from erphub.erp.reading import DateRange
from erphub.lake.delta import commits
from erphub.lake.delta import keys as lake_keys
from erphub.lake.delta import sql as lake_sql
from erphub.lake.delta.delta_lake import DeltaLake
from erphub.lake.locations import older_company_folder, table_key
from erphub.lake.ports import Published, PublishTarget, Staged
from erphub.platform.aws.objects import Bucket
from tests.lake.conftest import BUCKET, options
from tests.support.erp import Row, batch_of
from tests.support.lossy import Fault, LossyStore, Plan

LEDGER, ACCOUNTS = BY_ID["gl_transactions"], BY_ID["accounts"]
DAY = date(2026, 1, 1)
WIDER = {"amount": "decimal(38,10)"}
WINDOWS = [
    DateRange(DAY + timedelta(days=5), DAY + timedelta(days=6)),
    DateRange(DAY + timedelta(days=15), DAY + timedelta(days=16)),
    DateRange(DAY + timedelta(days=25)),
]
"""A rolling window, and two older days in which something changed."""

type Windows = Sequence[DateRange]
ALL = [DateRange()]


def lines(count: int, factor: int = 1) -> list[Row]:
    return [
        {
            "journal_no": f"{n:03}",
            "entry_no": "1",
            "voucher_date": DAY + timedelta(days=n),
            "amount": Decimal(n * factor),
        }
        for n in range(count)
    ]


def chart(count: int, name: str = "Sales") -> list[Row]:
    return [{"account_no": f"{3000 + n}", "name": f"{name} {n}"} for n in range(count)]


class Shore:
    """One client's lake behind a proxy; every batch of ten rows is a piece."""

    def __init__(self, store: LossyStore, client: str) -> None:
        self.root, self.options, self.client = f"s3://{BUCKET}", options(store.address), client
        self.lake = DeltaLake(self.root, Bucket(BUCKET), self.options, piece_bytes=1)
        self.runs = 0

    def stage(self, dataset: Dataset, rows: Sequence[Row], types: dict[str, str] | None = None) -> Staged:
        self.runs += 1
        known = dict(self.lake.prepare(self.client, dataset, complete(dataset, types or {})))
        batches = [batch_of(dataset, rows[at : at + 10], complete(dataset, {})) for at in range(0, len(rows), 10)]
        staged = self.lake.stage(f"staging/{self.client}/run{self.runs}/u/p", dataset, known, "C1", batches)
        assert sum(total.rows for total in self.lake.staged_totals(staged, dataset)) == len(rows)
        return staged

    def publish(self, dataset: Dataset, staged: Staged, company: str = "A", windows: Windows = ALL) -> Published:
        staging = staged.path.removesuffix("/p")
        target = PublishTarget(self.client, dataset, "C1", company, windows, self.runs, f"run{self.runs}", staging)
        return self.lake.publish(target, [staged])

    def put(self, dataset: Dataset, rows: Sequence[Row], company: str = "A", windows: Windows = ALL) -> Published:
        return self.publish(dataset, self.stage(dataset, rows), company, windows)

    def rows(self, dataset: Dataset) -> list[tuple[Any, ...]]:
        column = dataset.amount or "name"
        table = DeltaTable(f"{self.root}/{table_key(self.client, dataset.id)}", storage_options=self.options)
        text = f'SELECT company, "{dataset.keys[0]}" AS key, "{column}" AS value FROM t'
        found = lake_sql.rows(lake_sql.query({"t": table}, text))
        return sorted((row["company"], row["key"], row["value"]) for row in found)


def of(company: str, dataset: Dataset, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    column = dataset.amount or "name"
    return sorted((company, row[dataset.keys[0]], row[column]) for row in rows)


@dataclass(frozen=True)
class Story:
    """What happens: what is there before, what then goes wrong, and which of its pieces are meant."""

    before: Callable[[Shore], Any]
    then: Callable[[Shore, Any], Published | None]
    pieces: str
    dataset: Dataset
    leaves: list[tuple[Any, ...]]
    says: tuple[int, int, int, int, int]
    """Rows inserted, updated, unchanged, removed, rejected."""


def publish_days(shore: Shore, _: Any) -> Published:
    return shore.put(LEDGER, lines(50, 2))


def publish_chart(shore: Shore, _: Any) -> Published:
    return shore.put(ACCOUNTS, [*chart(30)[10:], *chart(50, "Other")[30:]])


def within(rows: Sequence[Row], *, yes: bool) -> list[Row]:
    return [row for row in rows if (int(row["journal_no"]) in (5, 15) or int(row["journal_no"]) >= 25) is yes]


def publish_windows(shore: Shore, _: Any) -> Published:
    """Their edges go through files: the other rows of those are written again."""
    return shore.put(LEDGER, within(lines(45, 3), yes=True), windows=WINDOWS)


def publish_with_rejects(shore: Shore, _: Any) -> Published:
    return shore.put(ACCOUNTS, [*chart(30), *chart(5), {"account_no": None, "name": "nobody's"}])


def widen(shore: Shore, _: Any) -> None:
    shore.lake.prepare(shore.client, LEDGER, complete(LEDGER, WIDER))


def wait_and_be_widened(shore: Shore) -> Staged:
    waiting = shore.stage(LEDGER, lines(40))
    widen(shore, None)
    return waiting


def three_companies(shore: Shore) -> None:
    for company in "ABC":
        shore.put(LEDGER, lines(20), company)


def in_the_earlier_layout(shore: Shore) -> None:
    with patch.object(commits, "company_folder", older_company_folder):
        shore.put(LEDGER, lines(40), "Oslo Nord")


def publish_a_window_beside(shore: Shore, _: Any) -> Published:
    """What is there stays, and comes out of the earlier layout."""
    window = [DateRange(DAY + timedelta(days=20))]
    done = shore.put(LEDGER, lines(50, 3)[20:], "Oslo Nord", windows=window)
    table = DeltaTable(f"{shore.root}/{table_key(shore.client, LEDGER.id)}", storage_options=shore.options)
    assert all("/company=Oslo%20Nord/" in uri for uri in table.file_uris())
    return done


EVERYBODY = sorted(row for company in "ABC" for row in of(company, LEDGER, lines(20)))
STORIES = {
    "days": Story(
        lambda shore: shore.put(LEDGER, lines(40)),
        publish_days,
        r"/u/p/piece-",
        LEDGER,
        of("A", LEDGER, lines(50, 2)),
        (50, 0, 0, 40, 0),
    ),
    "keys": Story(
        lambda shore: shore.put(ACCOUNTS, chart(40)),
        publish_chart,
        r"/u/p/piece-",
        ACCOUNTS,
        of("A", ACCOUNTS, [*chart(30)[10:], *chart(50, "Other")[30:]]),
        (10, 10, 20, 10, 0),
    ),
    "kept": Story(
        lambda shore: [shore.put(LEDGER, lines(40)), shore.put(LEDGER, lines(20)[5:10], "B")],
        publish_windows,
        r"/kept-[^/]*/rows/piece-",
        LEDGER,
        sorted(
            of("A", LEDGER, [*within(lines(40), yes=False), *within(lines(45, 3), yes=True)])
            + of("B", LEDGER, lines(20)[5:10])
        ),
        (22, 0, 0, 17, 0),
    ),
    "rejects": Story(
        lambda shore: shore.put(ACCOUNTS, []),
        publish_with_rejects,
        r"/sound-[^/]*/piece-",
        ACCOUNTS,
        of("A", ACCOUNTS, chart(30)[5:]),
        (25, 0, 0, 0, 11),
    ),
    "table's types": Story(
        wait_and_be_widened,
        lambda shore, waiting: shore.publish(LEDGER, waiting),
        r"/wider-[^/]*/piece-",
        LEDGER,
        of("A", LEDGER, lines(40)),
        (40, 0, 0, 0, 0),
    ),
    "moving": Story(
        in_the_earlier_layout,
        publish_a_window_beside,
        r"/u/p/piece-",
        LEDGER,
        of("Oslo Nord", LEDGER, [*lines(20), *lines(50, 3)[20:]]),
        (30, 0, 0, 20, 0),
    ),
    "widening": Story(three_companies, widen, r"/widened-[^/]*/\d+/piece-", LEDGER, EVERYBODY, (0, 0, 0, 0, 0)),
}
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def many_small_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows with a key are written again share by share, as those of millions are."""
    monkeypatch.setattr(lake_keys, "ROWS_PER_SHARE", 20)


def play(store: LossyStore, story: Story, plan: Plan) -> None:
    """The story, with a plan; whatever goes wrong, it ends as if nothing had."""
    shore = Shore(store, f"client{next(_numbers)}")
    staged = story.before(shore)
    with store.going_wrong(plan):
        done = story.then(shore, staged) or Published(0, 0, 0, 0)
    assert shore.rows(story.dataset) == story.leaves
    assert (done.inserted, done.updated, done.unchanged, done.removed, done.rejected) == story.says


def table_commit() -> Plan:
    return Plan(r"/lake/client\d+/[^/]+/_delta_log/\d+\.json", Fault.CUT_OFF, number=0)


@pytest.mark.parametrize("name", STORIES)
def test_the_answer_to_any_piece_or_to_the_tables_commit_may_be_lost(lossy: LossyStore, name: str) -> None:
    story = STORIES[name]
    undisturbed = Plan(story.pieces, Fault.CUT_OFF, number=-1)
    play(lossy, story, undisturbed)
    pieces = len(undisturbed.met)
    assert pieces > 2, "there is no middle"
    for plan in [*(Plan(story.pieces, Fault.CUT_OFF, n) for n in (0, pieces // 2, pieces - 1)), table_commit()]:
        play(lossy, story, plan)
        assert plan.struck == 1


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name)
@pytest.mark.parametrize("name", STORIES)
def test_every_single_write_may_go_wrong_once(lossy: LossyStore, name: str, fault: Fault) -> None:
    plan = Plan("", fault)
    play(lossy, STORIES[name], plan)
    assert plan.struck >= 8
    assert plan.struck == len(plan.met)


def test_a_table_with_many_commits_is_opened_with_few_requests(lossy: LossyStore) -> None:
    shore = Shore(lossy, "many")
    for number in range(25):
        shore.put(LEDGER, lines(3), f"company {number}")
    asked = Plan("^$", Fault.FAILED)
    with lossy.going_wrong(asked):
        assert shore.lake.types(shore.client, LEDGER)
    assert asked.requests <= 25, "without a checkpoint it takes more than fifty"
    assert len(shore.rows(LEDGER)) == 75


@pytest.mark.parametrize("fault", [Fault.CUT_OFF, Fault.NOT_STORED], ids=lambda fault: fault.name)
def test_a_checkpoint_that_fails_or_is_not_answered_fails_no_publication(lossy: LossyStore, fault: Fault) -> None:
    shore = Shore(lossy, f"client{next(_numbers)}")
    plan = Plan(r"\.checkpoint\.|_last_checkpoint", fault, lasting=True)
    with lossy.going_wrong(plan):
        for number in range(12):
            assert shore.put(LEDGER, lines(3), f"company {number}").inserted == 3
    assert plan.struck
    assert len(shore.rows(LEDGER)) == 36
