"""The tenant table: pages, conditions, large batches, and what it says when AWS is busy."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from erphub.platform.aws import clients, items
from erphub.platform.aws.table import Table
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.errors import Invalid, Unavailable
from erphub.platform.writes import Write
from tests.support.aws import AWS, make_table


@pytest.fixture(params=AWS)
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    with AWS[request.param]():
        yield make_table({})


def numbered(count: int) -> list[items.Item]:
    return [{"pk": "P", "sk": f"N#{number:04}", "number": number} for number in range(count)]


def test_hundreds_of_items_go_in_and_come_out(table: Table):
    table.put_many(numbered(230))
    assert len(list(table.read_all("P", "N#"))) == 230
    table.delete_many([{"pk": "P", "sk": f"N#{number:04}"} for number in range(0, 230, 2)])
    assert len(table.get_many([{"pk": "P", "sk": f"N#{number:04}"} for number in range(230)])) == 115


def test_a_search_fills_its_pages_and_finds_each_item_once(table: Table):
    table.put_many(numbered(230))
    found: list[int] = []
    following: str | None = None
    sizes: list[int] = []
    while True:
        page = table.search("P", "N#", lambda item: int(item["number"]) % 10 == 0, limit=7, cursor=following)
        found += [int(item["number"]) for item in page.items]
        sizes.append(len(page.items))
        if (following := page.next) is None:
            break
    assert found == list(range(0, 230, 10))
    assert sizes == [7, 7, 7, 2]


def test_a_search_that_fits_exactly_ends_there(table: Table):
    table.put_many(numbered(5))
    assert table.search("P", "N#", lambda _: True, limit=5, cursor=None).next is None


def test_a_cursor_opens_its_own_partition_alone(table: Table):
    table.put_many(numbered(5))
    word = table.page("P", "N#", limit=2).next
    assert [item["sk"] for item in table.page("P", "N#", limit=2, cursor=word).items] == ["N#0002", "N#0003"]
    for other in (word or "", "AAAA", "e30", "\ud7ff", "9" * 400):
        with pytest.raises(Invalid):
            table.page("Q", "N#", cursor=other)


def test_what_is_there_is_not_written_over(table: Table):
    table.put_new({"pk": "P", "sk": "A"})
    with pytest.raises(VersionConflict):
        table.put_new({"pk": "P", "sk": "A"})
    with pytest.raises(VersionConflict):
        table.transact(
            [
                Write(put={"pk": "P", "sk": "B"}),
                Write(check={"pk": "P", "sk": "C"}, condition="attribute_exists(pk)"),
            ]
        )
    assert table.get({"pk": "P", "sk": "B"}) is None


def busy(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "slow down"}}, "Operation")


@pytest.mark.parametrize(
    "error",
    [
        busy("ProvisionedThroughputExceededException"),
        busy("ThrottlingException"),
        busy("InternalServerError"),
        ReadTimeoutError(endpoint_url="x"),
    ],
    ids=str,
)
def test_a_throttled_table_is_worth_another_try(table: Table, error: Exception):
    client = clients.client("dynamodb")
    calls = {
        "get_item": lambda: table.get({"pk": "P", "sk": "A"}),
        "put_item": lambda: table.put({"pk": "P", "sk": "A"}),
        "update_item": lambda: table.update({"pk": "P", "sk": "A"}, "SET a = :a", a=1),
        "query": lambda: table.page("P"),
        "transact_write_items": lambda: table.transact([Write(put={"pk": "P", "sk": "A"})]),
        "batch_write_item": lambda: table.put_many([{"pk": "P", "sk": "A"}]),
    }
    for operation, call in calls.items():
        with mock.patch.object(client, operation, side_effect=error), pytest.raises(Unavailable) as raised:
            call()
        assert raised.value.code == "table_busy"


def test_what_a_busy_table_left_over_is_sent_again(table: Table):
    client = clients.client("dynamodb")
    write, left = client.batch_write_item, [2]

    def takes_half(**request):
        if left[0] > 0:
            left[0] -= 1
            wanted = request["RequestItems"][table.name]
            write(RequestItems={table.name: wanted[:1]})
            return {"UnprocessedItems": {table.name: wanted[1:]}}
        return write(**request)

    with mock.patch.object(client, "batch_write_item", side_effect=takes_half):
        table.put_many(numbered(20))
    assert len(list(table.read_all("P"))) == 20


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text() | st.decimals("-1e20", "1e20", places=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(_values)
def test_every_value_comes_back_as_it_went_in(value):
    back = items.decode_value(items.encode_value(value))
    assert back == value
    assert isinstance(back, bool) == isinstance(value, bool)


def test_a_number_that_is_not_exact_is_refused():
    with pytest.raises(TypeError, match="float"):
        items.encode({"amount": 0.1})
    assert items.decode(items.encode({"amount": Decimal("0.10"), "nothing": None})) == {"amount": Decimal("0.10")}


class Lossy:
    """A client of DynamoDB whose next answer is lost after the request was carried out: it sends the request again."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.losses = 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._real, name)

        def sent(**request: Any) -> Any:
            if self.losses and not name.startswith(("get_", "query")):
                self.losses -= 1
                call(**request)
                try:
                    return call(**request)
                except ClientError as error:
                    error.response.setdefault("ResponseMetadata", {})["RetryAttempts"] = 1
                    raise
            return call(**request)

        return sent


@pytest.fixture
def lossy(table: Table, monkeypatch: pytest.MonkeyPatch) -> Lossy:
    client = Lossy(clients.client("dynamodb"))
    monkeypatch.setattr("erphub.platform.aws.table.client", lambda _: client)
    return client


ONE = {"pk": "P", "sk": "ONE"}


@pytest.mark.parametrize(
    ("write", "there"),
    [
        (lambda table: table.put_new({**ONE, "n": 5}), {"n": 5}),
        (lambda table: table.put({**ONE, "n": 5}, condition="n = :n", n=1), {"n": 5}),
        (lambda table: table.update(ONE, "SET n = :new", condition="n = :n", n=1, new=5), {"n": 5}),
        (lambda table: table.update(ONE, "ADD n :by", by=4), {"n": 5}),
        (lambda table: table.update(ONE, "ADD n :by SET m = :m REMOVE o", by=4, m="x"), {"n": 5, "m": "x"}),
        (lambda table: table.update(ONE, "REMOVE n", condition="n = :n", n=1), {}),
        (lambda table: table.delete(ONE, condition="n = :n", n=1), None),
    ],
)
def test_a_write_whose_answer_was_lost_has_been_made_once(table: Table, lossy: Lossy, write: Any, there: Any):
    if "put_new" not in write.__code__.co_names:
        table.put({**ONE, "n": 1})
    lossy.losses = 1
    answer = write(table)
    assert lossy.losses == 0
    assert table.get(ONE) == (None if there is None else {**ONE, **there})
    assert answer in (None, {**ONE, **(there or {})}), "whoever asked sees the item, and no mark"


def test_what_somebody_else_wrote_meanwhile_is_still_a_conflict(table: Table, lossy: Lossy):
    table.put({**ONE, "n": 1})
    table.update(ONE, "SET n = :n", n=2)
    lossy.losses = 1
    with pytest.raises(VersionConflict):
        table.put({**ONE, "n": 3}, condition="n = :n", n=1)
    with pytest.raises(VersionConflict):
        table.delete(ONE, condition="n = :n", n=1)
    assert table.get(ONE) == {**ONE, "n": 2}


def test_a_transaction_that_dynamodb_would_refuse_is_refused_before_it_is_sent(table: Table):
    with pytest.raises(ValueError, match="101 writes"):
        table.transact([Write(put=item) for item in numbered(101)])
    with pytest.raises(ValueError, match="ONE twice"):
        table.transact([Write(put={**ONE, "n": 1}), Write(check=ONE, condition="attribute_exists(pk)")])
    table.transact([Write(put=item) for item in numbered(100)])
    assert len(list(table.read_all("P"))) == 100


def test_a_transaction_that_meets_another_is_tried_again(table: Table, monkeypatch: pytest.MonkeyPatch):
    real, met = clients.client("dynamodb"), []

    def meets_another_once(**request: Any) -> Any:
        if not met:
            met.append(1)
            reasons = [{"Code": "TransactionConflict"}]
            refused = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(refused, "TransactWriteItems")
        return real.transact_write_items(**request)

    monkeypatch.setattr(
        "erphub.platform.aws.table.client", lambda _: mock.Mock(transact_write_items=meets_another_once)
    )
    table.transact([Write(put={**ONE, "n": 1})])
    monkeypatch.undo()
    assert table.get(ONE) == {**ONE, "n": 1}
