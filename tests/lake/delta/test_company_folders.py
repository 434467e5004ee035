"""Whatever a company is called at its source, each reader of the lake finds it under that name; older tables too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch
from urllib.parse import unquote

import duckdb
import pytest
from deltalake import DeltaTable

from erphub.erp.datasets import BY_ID, Dataset, complete
from erphub.erp.reading import DateRange
from erphub.lake.delta import commits
from erphub.lake.delta import sql as lake_sql
from erphub.lake.delta.delta_lake import DeltaLake
from erphub.lake.delta.removal import LakeRemoval
from erphub.lake.delta.rows import LakeRows
from erphub.lake.dependents import lake_dependents
from erphub.lake.locations import company_folder, company_folders, connection_folder, older_company_folder, table_key
from erphub.lake.ports import Published, PublishTarget, RowQuery
from erphub.platform.aws import clients
from erphub.platform.aws.objects import Bucket
from erphub.platform.errors import Conflict
from erphub.platform.removal import ConnectionRef
from erphub.platform.tasks import Checkpoint, no_checkpoint
from tests.lake.conftest import BUCKET, options
from tests.support.erp import Row, batch_of
from tests.support.files import FolderFiles
from tests.support.objects import FolderObjects

LEDGER, ACCOUNTS = BY_ID["gl_transactions"], BY_ID["accounts"]
KEY = table_key("client", LEDGER.id)
DAY = date(2026, 1, 1)
LATER = DateRange(DAY + timedelta(days=5))
KEYS = [
    *("F0001", "Oslo Nord", "Nord/1", "a.b", "50%", "50%25", "%20", "Åse Ærø", "e\u0301", "\u00e9", "東京", "😀 AS"),
    *("Firma (gammel)", "k=v", "company=x", "#1", "q?x", "a&b", "a+b", "a:b", "a*b", "a;b,c", "back\\slash", 'd"q'),
    *("s'q", "end.", "end ", " start", " ", "\u00a0", "\u200b", ".", "..", "~", "`^|<>", "[x]{y}", "$HOME", "-", "_"),
    *("a\tb", "a\nb", "\x7f", "\x85", "\u2028", "\uffff", "null", "NULL", "__HIVE_DEFAULT_PARTITION__", "æ" * 30),
    *(".646c65be8a7c87d76bafcc91", "x" * 128, "0001", "1", "1.0", "2026-01-01", "true", "NaN"),
]
"""What databases and clients of ERPs are called, and what means something else in a path, an address or a shell."""
LONG = ["æ" * 128, "/" * 128, "東" * 128, "😀" * 128]
"""Longer than a folder on a disk may be called when it is escaped; the last two even too long for S3."""


class Killed(BaseException):
    """The worker's end."""


def lines(count: int, factor: int = 1) -> list[Row]:
    return [
        {"journal_no": f"{n}", "entry_no": "1", "voucher_date": DAY + timedelta(days=n), "amount": Decimal(n * factor)}
        for n in range(count)
    ]


def chart(count: int) -> list[Row]:
    return [{"account_no": f"{3000 + n}", "name": f"Sales {n}"} for n in range(count)]


@dataclass
class Shore:
    """A lake in a folder or in S3, and short ways to write into it."""

    root: str
    files: Any
    options: dict[str, str]
    runs: int = 0
    tries: int = 0
    checkpoint: Checkpoint = no_checkpoint

    def lake(self) -> DeltaLake:
        return DeltaLake(self.root, self.files, self.options, checkpoint=self.checkpoint, piece_bytes=1)

    def publish(
        self,
        company: str,
        rows: Sequence[Row],
        dataset: Dataset = LEDGER,
        window: DateRange | None = None,
        connection: str = "C1",
    ) -> Published:
        self.runs += 1
        return self.repeat(company, rows, dataset, window, connection)

    def repeat(
        self,
        company: str,
        rows: Sequence[Row],
        dataset: Dataset = LEDGER,
        window: DateRange | None = None,
        connection: str = "C1",
    ) -> Published:
        lake, types, path = self.lake(), complete(dataset, {}), f"staging/client/run{self.runs}/u"
        self.tries += 1
        known = lake.prepare("client", dataset, types)
        staged = lake.stage(f"{path}/p-{self.tries}", dataset, known, connection, [batch_of(dataset, rows, types)])
        window = window or DateRange()
        target = PublishTarget("client", dataset, connection, company, [window], self.runs, f"run{self.runs}", path)
        return lake.publish(target, [staged])

    def publish_as_before(self, *arguments: Any, **more: Any) -> None:
        """As it was done when only plain keys could be read from the folders."""
        with patch.object(commits, "company_folder", older_company_folder):
            self.publish(*arguments, **more)

    def table(self, dataset: Dataset = LEDGER) -> DeltaTable:
        return DeltaTable(f"{self.root}/{table_key('client', dataset.id)}", storage_options=self.options)

    def folders(self, dataset: Dataset = LEDGER) -> set[str]:
        return {part for uri in self.table(dataset).file_uris() for part in uri.split("/") if part[:8] == "company="}

    def by_log(self) -> list[tuple[str, str]]:
        """(company, a row's own word for it), for a reader that goes by the table's log."""
        return _pairs(lake_sql.rows(lake_sql.query({"t": self.table()}, "SELECT company, description FROM t")))

    def by_page(self) -> list[tuple[str, str]]:
        """The same by the hub's own pages."""
        reader = LakeRows(self.root, self.options)
        return _pairs(reader.page("client", LEDGER, RowQuery(columns=["company", "description"], limit=200)).rows)

    def by_folder(self) -> list[tuple[str, str]]:
        """The same for a reader of the table's files that takes the company from the folders' names, as Hive does."""
        files = [uri.replace("'", "''") for uri in self.table().file_uris()]
        listed = ", ".join(f"'{file}'" for file in files)
        found = duckdb.sql(
            f"SELECT company, description FROM read_parquet([{listed}], hive_partitioning=true, "
            "hive_types_autocast=false)"
        )
        return sorted(found.fetchall())


def _pairs(rows: Sequence[Any]) -> list[tuple[str, str]]:
    return sorted((row["company"], row["description"]) for row in rows)


@pytest.fixture
def shore(tmp_path: Path) -> Shore:
    return Shore(str(tmp_path), FolderFiles(tmp_path), {})


@pytest.fixture
def at_s3(s3: str) -> Shore:
    return Shore(f"s3://{BUCKET}", Bucket(BUCKET), options(s3))


def named(company: str) -> list[Row]:
    return [lines(1)[0] | {"description": company}]


# --- what readers see ------------------------------------------------------------------------------------------------


def test_every_reader_sees_every_key_by_the_log_and_by_the_folders(shore: Shore) -> None:
    for company in KEYS:
        shore.publish(company, named(company))
    own = sorted((company, company) for company in KEYS)
    assert shore.by_log() == own
    assert shore.by_page() == own
    assert shore.by_folder() == own


def test_every_key_is_published_again_and_upkeep_keeps_what_counts(at_s3: Shore) -> None:
    keys = [*KEYS[::3], *LONG]
    for company in [*keys, *keys[:3], *LONG]:
        at_s3.publish(company, named(company))
    assert at_s3.by_log() == sorted((company, company) for company in keys)
    table = at_s3.table()
    living = {f"{KEY}/{uri.split(f'/{KEY}/')[1]}" for uri in table.file_uris()}
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)
    left = {key for key, _ in Bucket(BUCKET).sizes(f"{KEY}/company=")}
    assert left == living
    assert len(left) == len(keys)
    assert at_s3.by_log() == sorted((company, company) for company in keys)


@pytest.mark.parametrize("company", KEYS, ids=ascii)
def test_a_folder_is_the_key_as_hive_escapes_it_and_holds_nothing_that_means_something_else(company: str) -> None:
    name = company_folder(company).removeprefix("company=")
    assert unquote(name, errors="strict") == company
    assert name.replace("%", "a").replace("_", "a").replace("-", "a").isalnum()
    assert name.isascii()


def test_no_two_keys_have_the_same_folder() -> None:
    keys = [*KEYS, *LONG]
    assert len({company_folder(company) for company in keys}) == len(keys)


def test_plain_keys_are_where_they_always_were() -> None:
    assert company_folders("F0001") == ("company=F0001",)
    assert company_folders("Oslo Nord") == ("company=Oslo%20Nord", older_company_folder("Oslo Nord"))


# --- tables from before ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deleted:
    """The connection that goes."""

    client_id: str = "client"
    id: str = "C1"
    secret_name: str = ""
    generation: str = ""


def older_table(shore: Shore) -> None:
    """Two companies of two connections, each in several files, as they were before."""
    for connection in ("C1", "C2"):
        for company in ("Oslo Nord", "Nord/1", "F0001"):
            shore.publish_as_before(company, lines(5), connection=connection)
            shore.publish_as_before(company, lines(10)[5:], window=LATER, connection=connection)
    assert shore.folders() == {
        "company=F0001",
        older_company_folder("Oslo Nord"),
        older_company_folder("Nord/1"),
    }


def content(shore: Shore, connection: str | None = None) -> list[tuple[str, str, str, Decimal]]:
    found = lake_sql.rows(lake_sql.query({"t": shore.table()}, "SELECT company, connection, journal_no, amount FROM t"))
    rows = [(row["company"], row["connection"], row["journal_no"], row["amount"]) for row in found]
    return sorted(row for row in rows if connection in (None, row[1]))


def after(before: Sequence[tuple[str, str, str, Decimal]], company: str) -> list[tuple[str, str, str, Decimal]]:
    """With twice the amounts from the sixth day on in a company of C1."""
    return sorted((*row[:3], row[3] * 2) if row[:2] == (company, "C1") and int(row[2]) >= 5 else row for row in before)


def misplaced(shore: Shore) -> set[tuple[str, str]]:
    """(company, folder of the connection) of files that lie where they were before."""
    found = shore.table().get_add_actions(flatten=True)
    listed = zip(found.column("partition.company").to_pylist(), found.column("path").to_pylist(), strict=True)
    parts = ((company, unquote(path).split("/")) for company, path in listed)
    return {(company, path[1]) for company, path in parts if path[0] != company_folder(company)}


def test_a_publication_moves_what_its_unit_has_in_the_same_commit_and_touches_nobody_else(shore: Shore) -> None:
    older_table(shore)
    before, version, elsewhere = content(shore), shore.table().version(), misplaced(shore)
    assert len(elsewhere) == 4
    done = shore.publish("Oslo Nord", lines(10, 2)[5:], window=LATER)
    assert (done.inserted, done.removed) == (5, 5), "what only moved is not counted"
    assert content(shore) == after(before, "Oslo Nord")
    assert shore.table().version() == version + 1
    assert len(elsewhere - misplaced(shore)) == 1
    assert "company=Oslo%20Nord" in shore.folders()
    for company in ("Oslo Nord", "Nord/1"):
        for connection in ("C1", "C2"):
            shore.publish(company, lines(10)[5:], window=LATER, connection=connection)
    assert content(shore) == before
    assert misplaced(shore) == set()
    assert shore.folders() == {"company=F0001", "company=Oslo%20Nord", "company=Nord%2F1"}


def test_moved_files_are_found_by_what_is_known_of_them_as_before(shore: Shore) -> None:
    older_table(shore)
    columns = ["partition.company", "num_records", "min.voucher_date", "max.voucher_date", "min.connection"]

    def known() -> list[tuple[Any, ...]]:
        found = shore.table().get_add_actions(flatten=True)
        return sorted(zip(*(found.column(name).to_pylist() for name in columns), strict=True))

    before = known()
    shore.publish("Oslo Nord", lines(10)[5:], window=LATER)
    assert known() == before
    shore.publish("Oslo Nord", [], window=DateRange())
    assert [row for row in content(shore, "C1") if row[0] == "Oslo Nord"] == []


def test_rows_with_keys_move_too_when_nothing_in_them_has_changed(shore: Shore) -> None:
    shore.publish_as_before("Oslo Nord", chart(5), ACCOUNTS)
    done = shore.publish("Oslo Nord", chart(5), ACCOUNTS)
    assert (done.inserted, done.updated, done.unchanged, done.removed) == (0, 0, 5, 0)
    assert shore.folders(ACCOUNTS) == {"company=Oslo%20Nord"}
    version = shore.table(ACCOUNTS).version()
    shore.publish("Oslo Nord", chart(5), ACCOUNTS)
    assert shore.table(ACCOUNTS).version() == version, "then there is nothing more to do"


@pytest.mark.parametrize(
    ("step", "rows"),
    [
        ("stage.piece", 5),
        ("stage.manifest", 5),
        ("publish.copied", 5),
        ("publish.committed", 5),
        ("publish.copied", 0),
        ("publish.committed", 0),
    ],
)
def test_a_worker_that_dies_anywhere_is_followed_by_one_that_ends_as_if_nothing_had_been(
    shore: Shore, step: str, rows: int
) -> None:
    older_table(shore)
    before = content(shore)

    def checkpoint(name: str) -> None:
        if name == step:
            raise Killed(name)

    shore.checkpoint = checkpoint
    new = lines(10, 2)[5:][:rows]
    with pytest.raises(Killed):
        shore.publish("Oslo Nord", new, window=LATER)
    assert content(shore) in (before, expected(before, rows))
    shore.checkpoint = no_checkpoint
    shore.repeat("Oslo Nord", new, window=LATER)
    assert content(shore) == expected(before, rows)
    assert ("Oslo Nord", "C1") not in {(company, whose) for company, whose in misplaced(shore)}
    assert len(misplaced(shore)) == 3


def expected(before: Sequence[tuple[str, str, str, Decimal]], rows: int) -> list[tuple[str, str, str, Decimal]]:
    if rows:
        return after(before, "Oslo Nord")
    return [row for row in before if not (row[:2] == ("Oslo Nord", "C1") and int(row[2]) >= 5)]


def test_two_that_move_the_same_files_at_once_move_them_once(shore: Shore, monkeypatch: pytest.MonkeyPatch) -> None:
    older_table(shore)
    before = content(shore)
    real, meanwhile = commits.commit, []

    def commit(*arguments: Any) -> None:
        if not meanwhile:
            meanwhile.append("once")
            shore.publish("Oslo Nord", lines(10, 2)[5:], window=LATER)
        real(*arguments)

    monkeypatch.setattr("erphub.lake.delta.publishing.commit", commit)
    with pytest.raises(Conflict) as late:
        shore.publish("Oslo Nord", lines(10, 3)[5:], window=LATER)
    assert late.value.code == "newer_run_published"
    assert content(shore) == after(before, "Oslo Nord")


def test_upkeep_removes_what_was_moved_and_nothing_else(at_s3: Shore) -> None:
    older_table(at_s3)
    before = content(at_s3)
    at_s3.publish("Oslo Nord", lines(10)[5:], window=LATER)
    table = at_s3.table()
    gone = table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False, full=True)
    assert any(older_company_folder("Oslo Nord") in path for path in gone)
    assert content(at_s3) == before


# --- deletion --------------------------------------------------------------------------------------------------------


class Companies:
    def company_keys(self, of: ConnectionRef) -> Sequence[str]:
        return ["Oslo Nord", "Nord/1", "F0001"] if of.id == "C1" else []


def test_a_deletion_shows_and_removes_both_layouts(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    shore = Shore(str(tmp_path), objects, {})
    older_table(shore)
    shore.publish("Oslo Nord", lines(10)[5:], window=LATER)
    others = content(shore, "C2")
    removal = LakeRemoval(str(tmp_path), objects, {})
    [tables] = lake_dependents(objects, removal, Companies())
    of = cast(ConnectionRef, Deleted())
    shown = tables.find(of).details["tables"][LEDGER.id]["size_bytes"]
    mine = [size for key, size in objects.sizes(KEY) if f"/{connection_folder('C1')}/" in key]
    assert shown == sum(mine) > 0
    assert tables.remove(of, lambda: 900.0)
    assert content(shore) == others
    assert not [key for key, _ in objects.sizes(KEY) if connection_folder("C1") in key]
    assert tables.find(of).count == 0


def test_a_deletion_of_a_connection_with_every_key_leaves_no_file(at_s3: Shore) -> None:
    for company in [*KEYS[:14], *LONG]:
        at_s3.publish(company, named(company))
    at_s3.publish("Oslo Nord", named("Oslo Nord"), connection="C2")
    assert LakeRemoval(at_s3.root, Bucket(BUCKET), at_s3.options).remove("client", "C1", lambda: 900.0)
    assert content(at_s3) == [("Oslo Nord", "C2", "0", Decimal(0))]
    listed = clients.client("s3").list_object_versions(Bucket=BUCKET, Prefix=f"{KEY}/company=").get("Versions", [])
    assert len([version for version in listed if "Key" in version]) == 1
