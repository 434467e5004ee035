"""Lists that change while they are read by pages: no living record is missing, none is given twice."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.erp.systems.twentyfourseven.rest import PASSES, Answer, Rest
from local.erps.twentyfourseven import App, rest_trade, seed
from local.erps.twentyfourseven.state import Record
from tests.erp.systems.twentyfourseven.conftest import Connect
from tests.erp.systems.twentyfourseven.test_imports import rows

SIZE = 3


class AList(Rest):
    """A list by pages of three that something happens to before each page is given."""

    def __init__(self, records: list[dict[str, Any]], happenings: Iterator[Callable[[list[dict[str, Any]]], None]]):
        self.records = records
        self.happenings = happenings
        self.asked = 0

    def get(self, path: str, query: Any = None) -> Answer:
        self.asked += 1
        next(self.happenings, lambda _: None)(self.records)
        start = int((query or {}).get("at", 0))
        more = {"at": str(start + SIZE)} if start + SIZE < len(self.records) else None
        return Answer([dict(one) for one in self.records[start : start + SIZE]], None, more)


def listed(count: int) -> list[dict[str, Any]]:
    return [{"id": number, "name": f"n{number}"} for number in range(count)]


def nothing(_: list[dict[str, Any]]) -> None:
    return None


def deleted(at: int) -> Callable[[list[dict[str, Any]]], None]:
    return lambda records: records.pop(at % len(records)) and None if records else None


def inserted(at: int) -> Callable[[list[dict[str, Any]]], None]:
    return lambda records: records.insert(at % (len(records) + 1), {"id": f"new{at}-{len(records)}", "name": "new"})


def edited(at: int) -> Callable[[list[dict[str, Any]]], None]:
    """Changed, and moved to the end, as where a list is in order of change."""

    def edit(records: list[dict[str, Any]]) -> None:
        if records:
            records.append(records.pop(at % len(records)) | {"name": "changed"})

    return edit


def read(a_list: AList) -> list[str]:
    return [str(record["id"]) for page in a_list.pages("/list") for record in page]


@pytest.mark.parametrize("happening", [deleted, inserted, edited])
@pytest.mark.parametrize("where", [0, 1, 2, 3, 5, 8])
@pytest.mark.parametrize("when", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 3, 4, 6, 7, 10])
def test_whatever_happens_to_one_record_all_that_live_are_there(
    happening: Any, where: int, when: int, count: int
) -> None:
    a_list = AList(listed(count), iter([*[nothing] * when, happening(where)]))
    found = read(a_list)
    if a_list.asked > when + 1 or count > SIZE:
        before = {str(number) for number in range(count)}
        assert {str(record["id"]) for record in a_list.records} & before <= set(found)
    assert len(found) == len(set(found))


happenings = st.lists(
    st.one_of(st.just(nothing), st.builds(deleted, st.integers(0, 20)), st.builds(edited, st.integers(0, 20))),
    max_size=8,
)


@given(st.integers(SIZE + 1, 15), happenings)
def test_a_list_that_comes_to_rest_is_complete(count: int, what: list[Any]) -> None:
    a_list = AList(listed(count), iter(what))
    found = read(a_list)
    pages = -(-count // SIZE)
    if len(what) <= pages:  # over before the second reading
        assert {str(record["id"]) for record in a_list.records} <= set(found)
    assert len(found) == len(set(found))


def test_a_list_that_never_rests_ends() -> None:
    a_list = AList(listed(10), (inserted(number) for number in range(10_000)))
    assert len(read(a_list)) >= 10
    assert a_list.asked < PASSES * 100


def test_one_page_is_asked_for_once() -> None:
    a_list = AList(listed(SIZE), iter(()))
    assert len(read(a_list)) == SIZE
    assert a_list.asked == 1


@pytest.mark.parametrize("dataset", ["customers", "suppliers", "products"])
def test_a_record_deleted_between_two_pages_hides_no_other(
    by_organisation: Connect, app: App, monkeypatch: pytest.MonkeyPatch, dataset: str
) -> None:
    shop = app.world.organisations[seed.SHOP]
    kept = shop.products if dataset == "products" else shop.customers
    like = next(one for one in kept.values() if dataset != "suppliers" or one.fields.get("isSupplier"))
    for number in range(5000, 7100 if dataset == "products" else 5250):
        own = {"name": f"N{number}"} | ({"number": str(number)} if dataset == "products" else {})
        kept[number] = Record(number, like.fields | own, like.created, like.modified)
    given_page, gone = rest_trade.page, list[int]()

    def page(call: Any, *more: Any) -> Any:
        if (call.number("page", 1) or 1) == 2 and not gone:
            gone.append(5000)
            kept[5000].active = False
            more = (more[0], [one for one in more[1] if one.id != 5000], *more[2:])
        return given_page(call, *more)

    monkeypatch.setattr(rest_trade, "page", page)
    found, _, _ = rows(by_organisation(), dataset)
    assert gone
    living = {f"N{number}" for number in kept if number > 5000 and kept[number].fields["name"] == f"N{number}"}
    assert living - {str(value) for row in found for value in row.values()} == set()
