"""What is due is found when its time has come, moved on once, and one that cannot be read stops nobody."""

from datetime import UTC, datetime, timedelta

import pytest

from erphub.platform.aws.due import DueIndex, KeptItem, due_at
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.due import Worked, work_through
from tests.support.aws import TENANTS, make_table, on_both

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)


def title(item: Item) -> str:
    return str(item["title"])


@pytest.fixture
def table(aws: None) -> Table:
    return make_table(TENANTS)


@pytest.fixture
def index(table: Table) -> DueIndex[str]:
    return DueIndex(table, "reminders", title, shards=4)


def keep(index: DueIndex[str], name: str, at: datetime | None, **more: str) -> None:
    key = make_key("CLIENT#c", "REMINDER", name)
    index.table.put({**key, "title": name, **more, **index.attributes(key, at)})


@on_both
def test_only_what_is_due_is_found_whatever_shard_it_is_in(index: DueIndex[str]):
    for number in range(12):
        keep(index, f"r{number}", NOW + timedelta(milliseconds=number - 5))
    keep(index, "never", None)
    found = list(index.due(NOW))
    assert sorted(one.read() for one in found) == sorted(f"r{number}" for number in range(6))
    assert len({one.item["due_shard"] for one in found}) > 1


@on_both
def test_another_kind_has_an_order_of_its_own(table: Table, index: DueIndex[str]):
    keep(index, "mine", NOW)
    assert list(DueIndex(table, "letters", title, shards=4).due(NOW)) == []


@on_both
def test_whoever_moves_it_first_moves_it(index: DueIndex[str]):
    keep(index, "one", NOW)
    (found,) = index.due(NOW)
    later = NOW + timedelta(hours=1)
    assert index.move(found.key, NOW, later)
    assert not index.move(found.key, NOW, later + timedelta(hours=1)), "it was moved meanwhile"
    assert list(index.due(NOW)) == []
    (moved,) = index.due(later)
    assert due_at(moved.item) == later
    assert index.move(found.key, later, None)
    assert list(index.due(later)) == []
    assert due_at(index.table.get(found.key) or {}) is None


@on_both
def test_what_is_gone_is_not_moved_back(index: DueIndex[str]):
    keep(index, "one", NOW)
    (found,) = index.due(NOW)
    index.table.delete(found.key)
    assert not index.move(found.key, NOW, NOW)
    assert index.table.get(found.key) is None


@on_both
def test_one_that_cannot_be_read_keeps_no_other_waiting(index: DueIndex[str]):
    for name in ("a", "b", "c"):
        keep(index, name, NOW)
    broken = make_key("CLIENT#c", "REMINDER", "broken")
    index.table.put({**broken, **index.attributes(broken, NOW)})
    troubles: list[tuple[str, Exception]] = []
    done: list[str] = []

    def do(one: KeptItem[str]) -> bool:
        done.append(one.read())
        return done[-1] != "b"

    def report(failed: KeptItem[str], error: Exception) -> None:
        troubles.append((failed.key["sk"], error))

    assert work_through(index.due(NOW), do, report) == Worked(done=2, failed=1)
    assert sorted(done) == ["a", "b", "c"]
    ((key, error),) = troubles
    assert key == "REMINDER#broken"
    assert isinstance(error, KeyError)


def test_nothing_due_is_nothing_done():
    assert work_through(iter(()), bool, lambda failed, error: None) == Worked(0, 0)
