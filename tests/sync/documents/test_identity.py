"""What a document is, it is by itself: the same Z-report or invoice is kept once, under whatever id it comes."""

import itertools
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from erphub.erp.documents import DocumentKind
from erphub.platform.errors import Conflict, TooMany
from erphub.sync.documents.service import read_incoming
from erphub.sync.export_log.models import EntryStatus
from erphub.sync.export_log.schemas import SkipRequest
from erphub.sync.uploads.schemas import NewUpload
from erphub.sync.uploads.service import upload_file_name
from tests.support.aws import on_both
from tests.support.saft import two_shops
from tests.support.sync import CLIENT, CONNECTION, SyncHub, z_report

Z, B = DocumentKind.SETTLEMENT, DocumentKind.INVOICE
SHOPS = [{"departments": ["Oslo", "1", "Avdeling 1"], "department": "10"}]
LINE = {"description": "Kaffe", "quantity": "1", "unit_price": "10", "vat_rate": "25"}
INVOICE = {"date": "2026-01-31", "customer_id": "K1", "lines": [LINE]}


def report(number: int = 1, **more: Any) -> dict[str, Any]:
    return z_report(number) | more


@on_both
def test_the_same_z_report_under_another_id_is_the_first(hub: SyncHub) -> None:
    hub.submit("settlement", "morning", **report())
    again = hub.submit("settlement", "resent", **report())
    assert (again.outcome, again.entry.external_id) == ("unchanged", "morning")
    hub.transfer()
    assert len(hub.erp.records) == 1
    after = hub.submit("settlement", "once-more", **report())
    assert (after.outcome, after.entry.external_id, after.entry.status) == ("unchanged", "morning", EntryStatus.SENT)


def test_another_content_of_the_same_z_report_is_refused_with_each_difference(hub: SyncHub) -> None:
    hub.submit("settlement", "morning", **report())
    with pytest.raises(Conflict) as caught:
        hub.submit("settlement", "resent", **z_report(1, amount="250.00", means="card"))
    assert caught.value.code == "another_content"
    assert caught.value.members["external_id"] == "morning"
    assert caught.value.members["differences"] == [
        {"field": "sales at 25 %", "kept": "125.00", "given": "250.00"},
        {"field": "VAT at 25 %", "kept": "25.00", "given": "50.00"},
        {"field": "cash", "kept": "125.00", "given": "none"},
        {"field": "card", "kept": "none", "given": "250.00"},
    ]


def test_lines_in_another_order_and_another_comment_are_no_other_content(hub: SyncHub) -> None:
    sales = [
        {"vat_rate": "25", "amount": "125.00", "vat": "25.00"},
        {"vat_rate": "15", "amount": "115.00", "vat": "15.00"},
    ]
    payments = [{"means": "cash", "amount": "240.00"}]
    hub.submit("settlement", "a", **report(sales=sales, payments=payments))
    again = hub.submit("settlement", "b", **report(sales=sales[::-1], payments=payments, comment="counted again"))
    assert (again.outcome, again.entry.external_id) == ("unchanged", "a")


@pytest.mark.parametrize(
    "other",
    [{"department": "Oslo"}, {"till": "2"}, {"number": 2}, {"date": "2026-01-30"}],
    ids=lambda one: next(iter(one)),
)
def test_another_shop_register_number_or_day_is_another_z_report(hub: SyncHub, other: dict[str, Any]) -> None:
    hub.save(locations=SHOPS)
    hub.submit("settlement", "a", **report(till="1"))
    assert hub.submit("settlement", "b", **report(till="1") | other).outcome == "created"


@pytest.mark.parametrize(
    ("first", "second"), list(itertools.combinations([" oslo", "OSLO", "1", "Avdeling  1", "\uff2fslo"], 2))
)
def test_a_shop_is_the_same_however_it_is_spelled(hub: SyncHub, first: str, second: str) -> None:
    hub.save(locations=SHOPS)
    hub.submit("settlement", "a", **report(department=first))
    again = hub.submit("settlement", "b", **report(department=second))
    assert (again.outcome, again.entry.external_id) == ("unchanged", "a")


def test_two_names_that_turn_out_to_mean_one_shop_give_one_voucher(hub: SyncHub) -> None:
    hub.submit("settlement", "a", **report(department="Nord"))
    hub.submit("settlement", "b", **report(department="Avdeling 1"))
    hub.transfer()
    assert [hub.entry(Z, name).code for name in "ab"] == ["location_unknown", "location_unknown"]
    hub.save(locations=[{"departments": ["Nord", "Avdeling 1"], "department": "10"}])
    hub.transfer()
    assert [(hub.entry(Z, name).status, hub.entry(Z, name).code) for name in "ab"] == [
        (EntryStatus.SENT, ""),
        (EntryStatus.REJECTED, "already_kept"),
    ]
    assert len(hub.erp.records) == 1


@pytest.mark.parametrize("after", [["Oslo S", "Oslo", "1"], ["1", "Oslo"], ["Oslo"]])
def test_a_shop_whose_words_change_is_still_the_same_shop(hub: SyncHub, after: list[str]) -> None:
    hub.save(locations=[{"departments": ["Oslo", "1"], "department": "10"}])
    hub.submit("settlement", "a", **report(department="Oslo"))
    hub.transfer()
    hub.save(locations=[{"departments": after, "department": "10"}])
    for number, word in enumerate(after):
        again = hub.submit("settlement", f"again{number}", **report(department=word))
        assert (again.outcome, again.entry.external_id) == ("unchanged", "a"), word


@pytest.mark.parametrize(("before", "now"), [("", "1"), ("", "10"), ("oslo", "1"), ("10", "Oslo"), ("", "Oslo")])
def test_a_till_that_named_no_shop_is_known_by_the_location_that_got_its_books(
    hub: SyncHub, before: str, now: str
) -> None:
    hub.submit("settlement", "a", **report(department=before))
    hub.transfer()
    assert hub.entry(Z, "a").status is EntryStatus.SENT
    hub.save(locations=[{"departments": ["Oslo", "1", "10"], "department": "10"}])
    again = hub.submit("settlement", "b", **report(department=now))
    assert (again.outcome, again.entry.external_id) == ("unchanged", "a")


@pytest.mark.parametrize("words", list(itertools.permutations(["", "10", "OSLO ", "１０"], 2)))
def test_spellings_of_the_settings_own_department_are_one_shop(hub: SyncHub, words: tuple[str, str]) -> None:
    hub.submit("settlement", "a", **report(department=words[0]))
    again = hub.submit("settlement", "b", **report(department=words[1]))
    assert (again.outcome, again.entry.external_id) == ("unchanged", "a")


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_two_spellings_at_the_same_moment_give_one_voucher(hub: SyncHub, order: str) -> None:
    """Neither saw the other when it came: one goes, and the other is told."""
    words = {"a": "", "b": "10"}
    for name in order:
        with hub.blind_to_others():
            hub.submit("settlement", name, **report(department=words[name]))
        hub.clock.pass_(minutes=1)
    hub.transfer()
    ends = {(hub.entry(Z, name).status, hub.entry(Z, name).code) for name in order}
    assert ends == {(EntryStatus.SENT, ""), (EntryStatus.REJECTED, "already_kept")}
    assert len(hub.erp.records) == 1


def test_what_was_left_out_by_hand_leaves_its_place_to_the_right_one(hub: SyncHub) -> None:
    wrong = hub.submit("settlement", "wrong", **report()).entry
    hub.exports.skip(CLIENT, CONNECTION, wrong.id, "ada", SkipRequest(reason="Counted wrongly"))
    assert hub.submit("settlement", "right", **z_report(1, amount="250.00")).outcome == "created"
    hub.exports.retry(CLIENT, CONNECTION, wrong.id)
    hub.transfer()
    assert hub.entry(Z, "right").status is EntryStatus.SENT
    assert (hub.entry(Z, "wrong").status, hub.entry(Z, "wrong").code) == (EntryStatus.REJECTED, "another_content")
    assert len(hub.erp.records) == 1


def test_what_has_expired_in_the_log_is_known_again_under_another_id(hub: SyncHub) -> None:
    hub.save(retention_days=30)
    hub.submit("settlement", "a", **report())
    hub.transfer()
    hub.clock.pass_(days=60)
    hub.expire()
    again = hub.submit("settlement", "b", **report())
    assert (again.outcome, again.entry.external_id, again.entry.reference) == ("unchanged", "a", "1")
    with pytest.raises(Conflict) as caught:
        hub.submit("settlement", "c", **z_report(1, amount="250.00"))
    assert caught.value.code == "another_content"


def test_what_was_left_out_for_its_day_and_has_expired_is_taken_anew(hub: SyncHub) -> None:
    hub.save(retention_days=30, from_date="2026-02-01")
    hub.submit("settlement", "a", **report())
    hub.clock.pass_(days=60)
    hub.expire()
    assert hub.submit("settlement", "b", **report()).outcome == "created"


def test_by_whatever_road_a_day_comes_it_is_one(hub: SyncHub) -> None:
    file = two_shops()
    first = hub.documents.submit_cash_register(CLIENT, CONNECTION, "till", file)
    again = hub.documents.submit_cash_register(CLIENT, CONNECTION, "till", file.decode().encode("utf-16"))
    assert {one.outcome for one in again.settlements} == {"unchanged"}
    one = first.settlements[0].entry
    by_hand = hub.submit("settlement", "by-hand", **report_of(one.body))
    assert (by_hand.outcome, by_hand.entry.external_id) == ("unchanged", one.external_id)


def report_of(body: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(body).items() if name != "kind"}


def test_twice_in_one_batch_is_once(hub: SyncHub) -> None:
    lines = [{"kind": "settlement", "external_id": name} | report() for name in ("a", "b")]
    lines.append({"kind": "settlement", "external_id": "c"} | z_report(1, amount="250.00"))
    made, _ = hub.uploads.create(CLIENT, CONNECTION, "till", NewUpload.model_validate({"format": "json_lines"}))
    hub.files.files[upload_file_name(made)] = "\n".join(map(json.dumps, lines)).encode()
    hub.uploads.start(CLIENT, CONNECTION, made.id)
    hub.work()
    done = hub.uploads.get(CLIENT, CONNECTION, made.id)
    assert (done.accepted_count, done.unchanged_count, done.refused_count) == (1, 1, 1)


def test_what_is_the_same_as_one_that_could_not_be_kept_is_not_said_to_be_kept(hub: SyncHub) -> None:
    def refused(*_: Any) -> None:
        raise TooMany("No more today.", code="limit_reached")

    full: Any = SimpleNamespace(take=refused)
    batch = [read_incoming("settlement", name, report()) for name in ("a", "b")]
    done = replace(hub.documents, limits=full).submit_many(hub.sync(), "till", batch)
    assert [isinstance(came, TooMany) for _, came in done] == [True, True]


def test_what_is_the_same_as_one_of_its_batch_that_somebody_else_was_first_with_is_judged_by_what_is_kept(
    hub: SyncHub,
) -> None:
    keeping = hub.entries.save_many

    def meanwhile(*arguments: Any) -> list[Any]:
        hub.submit("settlement", "theirs", **z_report(1, amount="250.00"))
        return keeping(*arguments)

    hub.entries.save_many = meanwhile  # type: ignore[method-assign]
    batch = [read_incoming("settlement", name, report()) for name in ("a", "b")]
    done = hub.documents.submit_many(hub.sync(), "till", batch)
    assert [getattr(came, "code", came) for _, came in done] == ["another_content", "another_content"]


def test_somebody_else_is_first_with_the_same_report_under_another_id(hub: SyncHub) -> None:
    looking = hub.documents.identities.holders
    taken: list[Any] = []

    def meanwhile(*arguments: Any) -> dict[str, str]:
        found = looking(*arguments)
        if not taken:
            taken.append(None)
            hub.submit("settlement", "first", **report())
        return found

    hub.documents.identities.holders = meanwhile  # type: ignore[method-assign]
    again = hub.submit("settlement", "second", **report())
    assert (again.outcome, again.entry.external_id) == ("unchanged", "first")


# --- invoices --------------------------------------------------------------------------------------------------------


def test_an_invoice_is_known_by_the_tills_own_number(hub: SyncHub) -> None:
    hub.submit("customer", "K1", name="Fjell")
    hub.submit("invoice", "I1", **INVOICE, number="F-1001")
    again = hub.submit("invoice", "I2", **INVOICE, number="f-1001 ")
    assert (again.outcome, again.entry.external_id) == ("unchanged", "I1")
    with pytest.raises(Conflict) as caught:
        hub.submit("invoice", "I3", **INVOICE | {"customer_id": "K2"}, number="F-1001")
    assert caught.value.code == "another_content"
    hub.submit("invoice", "I4", **INVOICE, number="F-1002")
    hub.transfer()
    assert len([one for one in hub.erp.records.values() if one.kind is B]) == 2


def test_equal_invoices_without_a_number_are_asked_about(hub: SyncHub) -> None:
    hub.submit("invoice", "I1", **INVOICE)
    with pytest.raises(Conflict) as caught:
        hub.submit("invoice", "I2", **INVOICE)
    assert (caught.value.code, caught.value.members["external_id"]) == ("invoice_repeated", "I1")
    assert hub.submit("invoice", "I1", **INVOICE).outcome == "unchanged"


# --- empty ones ------------------------------------------------------------------------------------------------------


def test_an_empty_z_report_uses_up_no_id(hub: SyncHub) -> None:
    empty = hub.submit("settlement", "E1", date="2026-01-31", number=9801)
    assert (empty.entry.status, empty.entry.code) == (EntryStatus.SKIPPED, "settlement_empty")
    assert hub.submit("settlement", "E1", **report(9802)).outcome == "replaced"
    assert hub.submit("settlement", "E2", **report(9801)).outcome == "created"
    hub.transfer()
    assert [hub.entry(Z, name).status for name in ("E1", "E2")] == [EntryStatus.SENT] * 2
