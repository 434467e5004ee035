"""What is in staging is published as it was counted, or not at all."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pyarrow import parquet

from erphub.erp.datasets import BY_ID, complete
from erphub.erp.reading import DateRange
from erphub.lake.delta import upkeep as lake_upkeep
from erphub.lake.delta.delta_lake import DeltaLake
from erphub.lake.ports import PublishTarget, Staged
from erphub.platform.errors import Conflict, Unavailable
from tests.lake.delta.test_delta_lake import DAY, LEDGER, Shore, lines
from tests.support.erp import batch_of
from tests.support.files import FolderFiles

MANIFEST = "_delta_log/00000000000000000000.json"
ROWS = 1500


@pytest.fixture
def shore(tmp_path: Path) -> Shore:
    made = Shore(tmp_path)
    made.publish(LEDGER, lines(7))
    return made


def listed(folder: Path, change: Callable[[list[str]], list[str]]) -> None:
    """Write another manifest."""
    path = folder / MANIFEST
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")


def refused(shore: Shore, staged: Staged) -> str:
    target = shore.target(LEDGER, "F0001", DateRange(), 100)
    before, version = shore.rows(LEDGER), shore.table(LEDGER).version()
    with pytest.raises(Conflict) as conflict:
        shore.lake.publish(target, [staged])
    assert (shore.rows(LEDGER), shore.table(LEDGER).version()) == (before, version)
    return conflict.value.code


def without_one(lines: list[str]) -> list[str]:
    return lines[:-1]


def with_one_twice(lines: list[str]) -> list[str]:
    return [*lines, lines[-1]]


def with_one_instead_of_another(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-2]]


def with_other_rows(lines: list[str]) -> list[str]:
    add = json.loads(lines[-1])
    add["add"]["stats"] = add["add"]["stats"].replace('"numRecords":500', '"numRecords":499')
    return [*lines[:-1], json.dumps(add)]


@pytest.mark.parametrize("change", [without_one, with_one_twice, with_one_instead_of_another, with_other_rows])
def test_another_manifest_than_the_one_that_was_counted_is_refused(
    shore: Shore, change: Callable[[list[str]], list[str]]
) -> None:
    staged = shore.stage(LEDGER, lines(ROWS))
    listed(shore.folder / staged.path, change)
    assert refused(shore, staged) == "staged_data_changed"


def test_a_part_handed_over_twice_is_refused(shore: Shore) -> None:
    staged = shore.stage(LEDGER, lines(ROWS))
    version = shore.table(LEDGER).version()
    with pytest.raises(Conflict, match="listed twice"):
        shore.lake.publish(shore.target(LEDGER, "F0001", DateRange(), 100), [staged, staged])
    assert shore.table(LEDGER).version() == version


def test_a_part_without_its_manifest_is_refused(shore: Shore) -> None:
    staged = shore.stage(LEDGER, lines(ROWS))
    assert refused(shore, replace(staged, manifest="")) == "staged_data_changed"


def test_files_that_no_longer_hold_the_control_total_are_not_published(shore: Shore) -> None:
    staged = replace(shore.stage(LEDGER, lines(ROWS)), amount=Decimal(sum(range(ROWS))))
    others = shore.stage(LEDGER, [line | {"amount": line["amount"] + 1} for line in lines(ROWS)])
    name = "piece-00001.parquet"
    sizes = [(shore.folder / each.path / name).stat().st_size for each in (staged, others)]
    shutil.copy(shore.folder / others.path / name, shore.folder / staged.path / name)
    listed(shore.folder / staged.path, lambda lines: [line.replace(str(sizes[0]), str(sizes[1])) for line in lines])
    found = (shore.folder / staged.path / MANIFEST).read_bytes()  # the manifest agrees; the rows do not
    assert refused(shore, replace(staged, manifest=sha256(found).hexdigest())) == "staged_data_changed"


def test_files_that_hold_the_control_total_are_published(shore: Shore) -> None:
    staged = replace(shore.stage(LEDGER, lines(ROWS)), amount=Decimal(sum(range(ROWS))))
    assert shore.lake.publish(shore.target(LEDGER, "F0001", DateRange(), 100), [staged]).inserted == ROWS


def test_a_name_holds_one_content_for_ever(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path)
    files.put_once("staging/a", b"one")
    files.put_once("staging/a", b"one")
    with pytest.raises(Conflict) as other:
        files.put_once("staging/a", b"two")
    assert other.value.code == "object_differs"
    assert files.read("staging/a") == b"one"


class LosingFiles(FolderFiles):
    """A folder whose writes fail when told to, before or after they have taken effect."""

    def __init__(self, root: Path, faults: list[str]) -> None:
        super().__init__(root)
        self.faults = faults

    def put_once(self, key: str, data: bytes) -> None:
        self._faulty(lambda: FolderFiles.put_once(self, key, data))

    def copy(self, source: str, target: str) -> None:
        self._faulty(lambda: FolderFiles.copy(self, source, target))

    def _faulty(self, work: Callable[[], None]) -> None:
        fault = self.faults.pop() if self.faults else "none"
        if fault != "before":
            work()
        if fault != "none":
            raise Unavailable("The lake's storage did not answer as it should.", code="lake_unavailable")


def until_it_works(work: Callable[[], Any]) -> Any:
    while True:
        try:
            return work()
        except Unavailable:
            continue


@given(
    parts=st.lists(st.integers(0, 40), min_size=1, max_size=3),
    batch=st.integers(1, 15),
    faults=st.lists(st.sampled_from(["none", "none", "before", "after"]), max_size=12),
)
@examples(max_examples=10, deadline=None)
def test_whatever_is_lost_the_lake_holds_the_source_and_the_counts_say_so(
    tmp_path_factory: pytest.TempPathFactory, parts: list[int], batch: int, faults: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("lake")
    lake = DeltaLake(str(folder), LosingFiles(folder, faults), {}, piece_bytes=1)
    types = lake.prepare("client", LEDGER, complete(LEDGER, {}))
    source = [lines(count, first=100 * number) for number, count in enumerate(parts)]
    attempts = iter(range(1000))

    def stage(rows: list[Any]) -> Staged:
        batches = [batch_of(LEDGER, rows[at : at + batch], types) for at in range(0, len(rows), batch)]
        return lake.stage(f"staging/client/run1/u/{next(attempts)}", LEDGER, types, "C1", batches)

    staged = [until_it_works(lambda rows=rows: stage(rows)) for rows in source]
    target = PublishTarget("client", LEDGER, "C1", "F0001", [DateRange()], 1, "run1", "staging/client/run1/u")
    done = until_it_works(lambda: lake.publish(target, staged))
    expected = sorted(row["amount"] for rows in source for row in rows)
    reader = Shore(folder)
    assert sorted(row["amount"] for row in reader.rows(LEDGER)) == expected
    assert (done.inserted, done.updated, done.removed) == (len(expected), 0, 0)


def test_a_checkpoint_is_written_at_its_interval(shore: Shore) -> None:
    for number in range(2 * lake_upkeep.COMMITS_PER_CHECKPOINT):
        shore.publish(LEDGER, lines(1), f"company {number}")
    log = shore.folder / "lake/client/gl_transactions/_delta_log"
    versions = sorted(int(path.name.partition(".")[0]) for path in log.glob("*.checkpoint.parquet"))
    assert versions == [10, 20]
    assert DeltaTable(str(log.parent)).metadata().configuration["delta.checkpointInterval"] == "10"
    for path in log.glob("*.json"):
        if int(path.name.partition(".")[0]) < 20:
            path.unlink()
    assert len(shore.rows(LEDGER)) == 7 + 20, "the checkpoint alone tells what was before it"
    assert shore.publish(LEDGER, lines(2), "company 3").removed == 1


def test_upkeep_that_fails_fails_no_publication(shore: Shore, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def fails(*_: Any, **__: Any) -> None:
        tried.append("once")
        raise OSError("No space left on device")

    monkeypatch.setattr(lake_upkeep, "COMMITS_PER_VACUUM", 1)
    monkeypatch.setattr(lake_upkeep, "COMMITS_PER_CHECKPOINT", 1)
    for step in ("create_checkpoint", "vacuum", "cleanup_metadata"):
        monkeypatch.setattr(DeltaTable, step, fails)
    assert shore.publish(LEDGER, lines(3)).inserted == 3
    assert len(tried) == 2


def test_a_repeated_publication_says_again_what_was_rejected(shore: Shore) -> None:
    accounts = BY_ID["accounts"]
    staged = shore.stage(accounts, [{"account_no": "1", "name": "a"}, {"account_no": None, "name": "b"}])
    target = shore.target(accounts, "F0001", DateRange(), 100)
    first, again = shore.lake.publish(target, [staged]), shore.lake.publish(target, [staged])
    assert (
        (again.was_repeated, again.inserted, again.rejected) == (True, first.inserted, first.rejected) == (True, 1, 1)
    )


def test_a_column_has_a_dictionary_only_where_its_values_repeat(shore: Shore) -> None:
    repeating = [{**line, "description": "Lønn", "voucher_date": DAY} for line in lines(500)]
    staged = shore.stage(LEDGER, repeating)
    (file,) = (shore.folder / staged.path).glob("*.parquet")
    group = parquet.ParquetFile(file).metadata.row_group(0)
    columns = {(column := group.column(at)).path_in_schema: column for at in range(group.num_columns)}
    having = {name for name, column in columns.items() if column.has_dictionary_page}
    assert {"description", "voucher_date", "entry_no", "connection"} <= having
    assert not having & {"journal_no", "amount"}
    assert {column.compression for column in columns.values()} == {"ZSTD"}
