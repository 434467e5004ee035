"""Lists that change while they are read by pages: no living record is missing, none is given twice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.erp.systems.twentyfourseven.passes import PASSES, RepeatedReading
from erphub.erp.systems.twentyfourseven.rest import Answer, Rest
from local.erps.twentyfourseven import App, rest_orders, rest_trade, seed, soap_trade
from local.erps.twentyfourseven.app import operation_of
from local.erps.twentyfourseven.state import Record
from tests.erp.systems.twentyfourseven.conftest import Connect
from tests.erp.systems.twentyfourseven.test_imports import rows
from tests.erp.systems.twentyfourseven.test_orders import invoice, to_customer

SIZE = 3


class AList(Rest):
    """A list by pages of three that something happens to before each page is given."""

    def __init__(self, records: list[dict[str, Any]], happenings: Iterator[Callable[[list[dict[str, Any]]], None]]):
        self.records = records
        self.happenings = happenings
        self.asked = 0
        self.lists = RepeatedReading()

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
    assert a_list.lists.restless == 1, "the run says so"


def test_one_page_is_asked_for_once() -> None:
    a_list = AList(listed(SIZE), iter(()))
    assert len(read(a_list)) == SIZE
    assert a_list.asked == 1
    assert a_list.lists.restless == 0


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


# --- every list of the system, over both ways of signing in --------------------------------------------------------

LISTS = {
    ("by_organisation", "customers"): "rest:GET /customers",
    ("by_organisation", "suppliers"): "rest:GET /customers",
    ("by_organisation", "products"): "rest:GET /products",
    ("by_organisation", "orders"): "rest:GET /salesorders",
    ("by_user", "customers"): "soap:GetCompanySyncList",
    ("by_user", "suppliers"): "soap:GetCompanySyncList",
    ("by_user", "products"): "soap:GetProducts",
    ("by_user", "orders"): "soap:GetInvoices",
    ("by_user", "order_lines"): "soap:GetInvoices",
}
KEYS = {"customers": "customer_no", "suppliers": "supplier_no", "products": "product_no"}
MORE = range(5001, 5013)


def key_of(dataset: str, number: int, record: Any) -> str:
    return str(record.fields["number"]) if dataset == "products" else str(number)


class Busy:
    """The stand-in, where somebody works on a list while it is read by pages of five."""

    def __init__(self, app: App, patch: pytest.MonkeyPatch, dataset: str, operation: str) -> None:
        shop = app.world.organisations[seed.SHOP]
        self.dataset, self.operation, self.asked = dataset, operation, 0
        kept: Any = {"products": shop.products, "orders": shop.orders, "order_lines": shop.orders}.get(dataset)
        self.kept: dict[int, Any] = shop.customers if kept is None else kept
        self.like = next(one for one in self.kept.values() if dataset != "suppliers" or one.fields.get("isSupplier"))
        for number in MORE:
            self.add(number)
        self.happening: Callable[[Busy], None] = lambda _: None
        self.when = 2
        work = app._work

        def after_a_page(request: Any) -> Any:
            if operation_of(request) == operation:
                self.asked += 1
                if self.asked == self.when:
                    self.happening(self)
            return work(request)

        patch.setattr(app, "_work", after_a_page)
        patch.setattr(soap_trade, "SYNC_PAGE", 5)
        for module, name in ((rest_trade, "page"), (rest_orders, "onward")):
            patch.setattr(module, name, by_fives(getattr(module, name)))

    def add(self, number: int, *, first: bool = False) -> None:
        own = {"customers": {"name": f"N{number}"}, "products": {"name": f"N{number}", "number": f"P{number}"}}
        fields = self.like.fields | own.get("customers" if self.dataset == "suppliers" else self.dataset, {})
        made = replace(self.like, id=number, fields=fields)
        others = dict(self.kept) if first else {}
        if first:
            self.kept.clear()
        self.kept[number] = made
        self.kept.update(others)

    def living(self) -> set[str]:
        return {key_of(self.dataset, number, one) for number, one in self.kept.items() if number in MORE}


def by_fives(given: Any) -> Any:
    return lambda call, path, items, default, most, *more: given(call, path, items, default, min(most, 5), *more)


def one_is_deleted(busy: Busy) -> None:
    del busy.kept[MORE[0]]


def one_is_inserted(busy: Busy) -> None:
    busy.add(4999, first=True)


def one_is_changed(busy: Busy) -> None:
    one = busy.kept.pop(MORE[0])
    now = {"yourReference": {"name": "Changed"}} if "order" in busy.dataset else {"name": "Changed"}
    busy.kept[MORE[0]] = replace(one, fields=one.fields | now)


@pytest.mark.parametrize("happening", [one_is_deleted, one_is_inserted, one_is_changed])
@pytest.mark.parametrize("when", [1, 2, 3, 4])
@pytest.mark.parametrize(("who", "dataset"), LISTS)
def test_in_every_list_all_that_live_are_there_and_none_twice(
    request: pytest.FixtureRequest, app: App, monkeypatch: pytest.MonkeyPatch, who: str, dataset: str, when: int,
    happening: Callable[[Busy], None],
) -> None:  # fmt: skip
    connect: Connect = request.getfixturevalue(who)
    if "order" in dataset:
        connect().push(invoice(app), to_customer())
    busy = Busy(app, monkeypatch, dataset, LISTS[who, dataset])
    busy.happening, busy.when = happening, when
    found, _, anomalies = rows(connect(), dataset)
    assert busy.asked, "the list is read by this call"
    key = KEYS.get(dataset, "order_no")
    given = [str(row[key]) for row in found]
    assert busy.living() - set(given) == set()
    lines = [(row.get(key), row.get("line_no")) for row in found]
    assert len(lines) == len(set(lines))
    assert [one.code for one in anomalies] == []


@pytest.mark.parametrize("who", ["by_organisation", "by_user"])
def test_a_list_that_never_rests_is_told_by_the_run(
    request: pytest.FixtureRequest, app: App, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    busy = Busy(app, monkeypatch, "customers", LISTS[who, "customers"])

    def another(now: Busy) -> None:
        now.when += 1
        now.add(6000 + now.when, first=True)

    busy.happening, busy.when = another, 1
    connect: Connect = request.getfixturevalue(who)
    found, _, anomalies = rows(connect(), "customers")
    assert busy.living() <= {str(row["customer_no"]) for row in found}
    assert [one.code for one in anomalies] == ["list_kept_changing"]
