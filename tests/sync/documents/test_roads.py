"""By whichever road a day comes, and comes again, it is one: with the same content, or refused with each difference."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from erphub.erp.documents import DocumentKind
from erphub.platform.errors import HubError
from erphub.sync.export_log.dynamodb import IdentityTable
from erphub.sync.export_log.models import EntryStatus
from erphub.sync.uploads.schemas import NewUpload
from erphub.sync.uploads.service import upload_file_name
from tests.support.saft import file, report
from tests.support.sync import CLIENT, CONNECTION, SyncHub, z_report

type Road = Callable[[SyncHub, str], str]
"""Hands in the day with an amount; what became of it: `created`, `unchanged`, or the code of the refusal."""
SHOP = {"department": "Butikk", "till": "R 1"}


@pytest.fixture(autouse=True)
def shop(hub: SyncHub) -> None:
    hub.save(locations=[{"departments": ["Butikk"], "department": "10"}])


def z_file(amount: str) -> bytes:
    net = f"{float(amount) / 1.25:.2f}"
    return file(report("1", net=net, vat=f"{float(amount) - float(net):.2f}", paid=amount))


def fields(amount: str) -> dict[str, Any]:
    return z_report(1, amount=amount) | SHOP


def by_json(hub: SyncHub, amount: str, name: str = "by-json") -> str:
    try:
        return hub.submit("settlement", name, **fields(amount)).outcome.value
    except HubError as error:
        return error.code


def by_json_under_another_id(hub: SyncHub, amount: str) -> str:
    return by_json(hub, amount, "once-more")


def by_json_otherwise_written(hub: SyncHub, amount: str) -> str:
    """Other spellings of the shop, the numbers, the order of fields."""
    there = fields(amount)
    spelled = dict(reversed(there.items())) | {"department": " BUTIKK", "till": "r  1", "comment": "again"}
    spelled["payments"] = [{"amount": f"{amount}0"[:-1], "means": "cash"}]
    try:
        return hub.submit("settlement", "otherwise", **spelled).outcome.value
    except HubError as error:
        return error.code


def _saft(hub: SyncHub, xml: bytes) -> str:
    result = hub.documents.submit_cash_register(CLIENT, CONNECTION, "till", xml)
    [outcome] = [*(one.outcome.value for one in result.settlements), *(error.code for _, error in result.refused)]
    return outcome


def by_file(hub: SyncHub, amount: str) -> str:
    return _saft(hub, z_file(amount))


def by_file_in_another_encoding(hub: SyncHub, amount: str) -> str:
    return _saft(hub, z_file(amount).decode().encode("utf-16"))


def by_file_with_other_bytes(hub: SyncHub, amount: str) -> str:
    return _saft(hub, z_file(amount).replace(b"<eventReport>", b"<!-- exported again -->\n\n<eventReport>"))


def _upload(hub: SyncHub, format: str, content: bytes) -> str:
    made, _ = hub.uploads.create(CLIENT, CONNECTION, "till", NewUpload.model_validate({"format": format}))
    hub.files.files[upload_file_name(made)] = content
    hub.uploads.start(CLIENT, CONNECTION, made.id)
    hub.work()
    done = hub.uploads.get(CLIENT, CONNECTION, made.id)
    if done.refused_count:
        return done.errors[0].code
    return "created" if done.accepted_count else "unchanged"


def by_uploaded_lines(hub: SyncHub, amount: str) -> str:
    line = {"kind": "settlement", "external_id": "line-1"} | fields(amount)
    return _upload(hub, "json_lines", json.dumps(line).encode())


def by_uploaded_file(hub: SyncHub, amount: str) -> str:
    return _upload(hub, "saft_cash_register", z_file(amount))


ROADS: list[Road] = [
    by_json,
    by_json_under_another_id,
    by_json_otherwise_written,
    by_file,
    by_file_in_another_encoding,
    by_file_with_other_bytes,
    by_uploaded_lines,
    by_uploaded_file,
]
PAIRS = [pair for pair in itertools.product(ROADS, repeat=2) if pair[0] is not pair[1]]


def _named(road: Road) -> str:
    return road.__name__.removeprefix("by_")


@pytest.mark.parametrize("is_sent", [False, True], ids=["waiting", "sent"])
@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda road: _named(road))
def test_the_same_day_by_two_roads_is_one_voucher(hub: SyncHub, first: Road, second: Road, is_sent: bool) -> None:
    assert first(hub, "125.00") == "created"
    if is_sent:
        hub.transfer()
    assert second(hub, "125.00") == "unchanged"
    hub.transfer()
    assert len(hub.erp.records) == 1


FILES = {by_file, by_file_in_another_encoding, by_file_with_other_bytes, by_uploaded_file}


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda road: _named(road))
def test_another_content_of_a_day_is_refused_by_every_road_once_it_was_sent(
    hub: SyncHub, first: Road, second: Road
) -> None:
    assert first(hub, "125.00") == "created"
    hub.transfer()
    same_id = {first, second} <= FILES
    assert second(hub, "250.00") == ("already_sent" if same_id else "another_content")
    hub.transfer()
    [entry] = hub.entries.queue(CLIENT, CONNECTION, "sent", DocumentKind.SETTLEMENT)
    assert entry.status is EntryStatus.SENT
    assert len(hub.erp.records) == 1


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda road: _named(road))
def test_two_roads_at_the_same_moment_give_one_voucher(hub: SyncHub, first: Road, second: Road) -> None:
    """The second looks before the first is kept, and is kept after it."""
    outcomes: list[str] = []
    holders = IdentityTable.holders

    def late(store: Any, *asked: Any) -> dict[str, str]:
        found = holders(store, *asked)
        if not outcomes:
            outcomes.append("")
            outcomes[0] = first(hub, "125.00")
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IdentityTable, "holders", late)
        outcomes.append(second(hub, "125.00"))
    assert sorted(outcomes) == ["created", "unchanged"]
    hub.transfer()
    assert len(hub.erp.records) == 1
