"""What a till hands over is kept once, whole, or refused with the reason."""

import json

import pytest

from erphub.erp.documents import DocumentKind
from erphub.platform.errors import Conflict, Invalid, NotFound
from erphub.sync.canonical import from_text, masked, read_document, to_text
from erphub.sync.export_log.models import Attachment, EntryStatus
from erphub.sync.export_log.schemas import ManualPosting, SkipRequest
from erphub.sync.uploads.schemas import NewUpload
from erphub.sync.uploads.service import upload_file_name
from tests.support.aws import on_both
from tests.support.saft import two_shops
from tests.support.sync import CLIENT, CONNECTION, SyncHub, writes_so_far, z_report

Z, K, P = DocumentKind.SETTLEMENT, DocumentKind.CUSTOMER, DocumentKind.PRODUCT


def test_the_same_body_again_changes_nothing(hub: SyncHub) -> None:
    first = hub.settlement(1)
    writes = writes_so_far()
    again = hub.settlement(1, amount="125.0")
    assert (first.outcome, again.outcome) == ("created", "unchanged")
    assert writes_so_far() == writes
    assert again.entry == first.entry


def test_another_body_replaces_it_before_it_is_sent(hub: SyncHub) -> None:
    hub.settlement(1)
    assert hub.settlement(1, amount="250.00").outcome == "replaced"
    hub.transfer()
    [voucher] = hub.vouchers(Z, "Z1")
    assert str(voucher.document.sales[0].amount) == "250.00" or voucher.document.sales[0].amount == 250


@pytest.mark.parametrize("other", [{"department": "Moss"}, {"till": "2"}, {"number": 2}])
def test_the_settlement_of_another_shop_does_not_take_the_place_of_the_first(
    hub: SyncHub, other: dict[str, object]
) -> None:
    report = z_report() | {"department": "Oslo", "till": "1"}
    hub.submit("settlement", "Z1", **report)
    with pytest.raises(Conflict) as caught:
        hub.submit("settlement", "Z1", **(report | other))
    assert caught.value.code == "another_settlement"
    assert hub.submit("settlement", "Z1", **(report | {"comment": "counted again"})).outcome == "replaced"


@on_both
def test_after_sending_another_body_is_refused_with_the_voucher(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.transfer()
    with pytest.raises(Conflict) as caught:
        hub.settlement(1, amount="250.00")
    assert caught.value.code == "already_sent"
    assert caught.value.members["reference"] == "1"


def test_while_it_cannot_be_told_whether_it_was_sent_nothing_replaces_it(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.erp.faults = ["lost_after"]
    hub.transfer()
    with pytest.raises(Conflict) as caught:
        hub.settlement(1, amount="250.00")
    assert caught.value.code == "being_sent"


def test_a_customer_that_was_sent_is_corrected_in_place(hub: SyncHub) -> None:
    hub.submit("customer", "K1", name="Fjell")
    hub.transfer()
    assert hub.submit("customer", "K1", name="Fjell AS").outcome == "correction"
    hub.transfer()
    assert [record.document.name for record in hub.erp.records.values()] == ["Fjell AS"]
    assert hub.entry(K, "K1").revision == 2


def test_a_correction_that_broke_off_is_simply_sent_again(hub: SyncHub) -> None:
    hub.submit("customer", "K1", name="Fjell")
    hub.transfer()
    hub.submit("customer", "K1", name="Fjell AS")
    hub.erp.faults = ["lost_before"]
    hub.transfer()
    hub.clock.pass_(minutes=25)
    hub.transfer()
    assert [record.document.name for record in hub.erp.records.values()] == ["Fjell AS"]


def test_a_rejected_document_that_is_mended_goes_again(hub: SyncHub) -> None:
    hub.settlement(1, means="vipps")
    hub.transfer()
    assert hub.entry(Z, "Z1").code == "account_missing"
    assert hub.settlement(1).outcome == "replaced"
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT


def test_a_skipped_document_stays_skipped_when_it_comes_again_changed(hub: SyncHub) -> None:
    entry = hub.settlement(1).entry
    hub.exports.skip(CLIENT, CONNECTION, entry.id, "ada", SkipRequest(reason="Posted twice in the till"))
    hub.settlement(1, amount="1.00")
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.SKIPPED


def test_a_settlement_must_balance_to_the_oere(hub: SyncHub) -> None:
    fields = z_report(1)
    fields["payments"][0]["amount"] = "124.99"
    with pytest.raises(Invalid) as caught:
        hub.submit("settlement", "Z1", **fields)
    assert [error.code for error in caught.value.errors] == ["settlement_does_not_balance"]


@pytest.mark.parametrize(
    ("kind", "external_id", "code"),
    [
        ("receipt", "1", "unknown_kind"),
        ("settlement", "a/b", "invalid_request"),
        ("settlement", "x" * 101, "invalid_request"),
    ],
)
def test_what_has_no_place_is_refused(hub: SyncHub, kind: str, external_id: str, code: str) -> None:
    with pytest.raises((NotFound, Invalid)) as caught:
        hub.submit(kind, external_id, **z_report())
    assert caught.value.code == code


def test_everything_wrong_with_a_document_is_said_at_once(hub: SyncHub) -> None:
    with pytest.raises(Invalid) as caught:
        hub.submit("invoice", "I1", date="yesterday", lines=[], customer_id="")
    assert {error.pointer for error in caught.value.errors} == {"/date", "/lines", "/customer_id"}


def test_a_day_that_has_not_come_is_refused(hub: SyncHub) -> None:
    with pytest.raises(Invalid) as caught:
        hub.settlement(1, day="2026-03-01")
    assert caught.value.errors[0].code == "date_in_future"


def test_without_settings_nothing_can_be_handed_in(hub: SyncHub) -> None:
    hub.forget()
    with pytest.raises(Conflict) as caught:
        hub.settlement(1)
    assert caught.value.code == "sync_not_set_up"


def test_numbers_count_by_value_however_they_are_written() -> None:
    one = read_document(P, {"number": "P1", "name": "Kaffe", "price": "40"})
    other = read_document(P, {"number": "P1", "name": "Kaffe", "price": "40.00", "vat_rate": "25.0"})
    assert to_text(one) == to_text(other)
    assert from_text(to_text(one)) == one


def test_a_log_shows_no_customer_in_clear() -> None:
    shown = masked(
        read_document(K, {"name": "Kari Nordmann", "email": "kari@example.test", "address": {"street": "Vei 1"}})
    )
    assert "Nordmann" not in json.dumps(shown)
    assert "kari@" not in json.dumps(shown)
    assert "Vei" not in json.dumps(shown)


def test_marked_as_posted_by_hand_it_is_never_sent(hub: SyncHub) -> None:
    entry = hub.settlement(1).entry
    hand = hub.exports.post_manually(CLIENT, CONNECTION, entry.id, "ada", ManualPosting(voucher="B-77"))
    assert (hand.status, hand.reference, hand.attachment) == (EntryStatus.SENT, "B-77", Attachment.NONE)
    hub.transfer()
    assert not hub.erp.records


def upload(hub: SyncHub, lines: list[object], format: str = "json_lines") -> object:
    made, _ = hub.uploads.create(CLIENT, CONNECTION, "till", NewUpload.model_validate({"format": format}))
    data = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    hub.files.files[upload_file_name(made)] = data
    hub.uploads.start(CLIENT, CONNECTION, made.id)
    hub.work()
    return hub.uploads.get(CLIENT, CONNECTION, made.id)


def product(number: int, price: str = "40") -> dict[str, object]:
    return {
        "kind": "product",
        "external_id": f"P{number}",
        "number": f"P{number}",
        "name": f"Vare {number}",
        "price": price,
    }


def test_a_product_that_comes_twice_in_a_file_is_kept_as_it_came_last_and_counted_twice(hub: SyncHub) -> None:
    done = upload(hub, [product(1), product(2), {**product(1), "name": "New"}, {**product(1), "name": "New"}])
    assert (done.line_count, done.accepted_count, done.unchanged_count, done.refused_count) == (4, 3, 1, 0)
    assert hub.entry(P, "P1").title.endswith("New")


def test_the_registers_of_two_shops_in_one_upload_are_all_there(hub: SyncHub) -> None:
    done = upload(hub, two_shops().splitlines(), "saft_cash_register")
    assert (done.line_count, done.accepted_count) == (2, 2)
    assert {entry.department for entry in hub.entries.queue(CLIENT, CONNECTION, "pending")} == {"Butikk", "Butikk 2"}


def test_a_document_that_is_longer_than_the_log_can_keep_is_refused_with_the_reason(hub: SyncHub) -> None:
    line = {"description": "x" * 500, "quantity": "1", "unit_price": "1", "vat_rate": "25"}
    with pytest.raises(Invalid) as caught:
        hub.submit("invoice", "I1", date="2026-01-31", customer_id="K1", lines=[line] * 1000)
    assert caught.value.code == "document_too_large"


@pytest.mark.generated
def test_ten_thousand_products_are_one_upload(hub: SyncHub) -> None:
    done = upload(hub, [product(number) for number in range(10_000)])
    assert (done.status, done.line_count, done.accepted_count, done.refused_count) == ("done", 10_000, 10_000, 0)
    assert hub.entry(P, "P9999").status is EntryStatus.PENDING


def test_a_batch_says_which_lines_were_refused_and_takes_the_others(hub: SyncHub) -> None:
    hub.submit("product", "P1", number="P1", name="Vare 1", price="40")
    done = upload(
        hub,
        [product(1), product(2), b"{broken", {"kind": "product"}, {**product(3), "price": "-"}, b"", product(2, "41")],
    )
    assert (done.accepted_count, done.unchanged_count, done.refused_count) == (2, 1, 3)
    assert [(error.line_number, error.code) for error in done.errors] == [
        (3, "malformed_json"),
        (4, "external_id_required"),
        (5, "invalid_request"),
    ]
    assert str(from_text(hub.entry(P, "P2").body).price) == "41", "the last one counts"


@on_both
def test_a_batch_that_is_read_twice_changes_nothing(hub: SyncHub) -> None:
    done = upload(hub, [product(1)])
    writes = writes_so_far()
    assert hub.uploads.read(CLIENT, CONNECTION, done.id) == done
    assert writes_so_far() == writes


def test_a_batch_whose_reader_died_unheard_can_be_taken_again_after_an_hour(hub: SyncHub) -> None:
    made, _ = hub.uploads.create(CLIENT, CONNECTION, "till", NewUpload())
    hub.files.files[upload_file_name(made)] = json.dumps(product(1)).encode()
    hub.uploads.start(CLIENT, CONNECTION, made.id)
    hub.queue.tasks.clear()
    hub.clock.pass_(minutes=59)
    with pytest.raises(Conflict) as caught:
        hub.uploads.start(CLIENT, CONNECTION, made.id)
    assert caught.value.code == "upload_taken"
    hub.clock.pass_(minutes=2)
    hub.uploads.start(CLIENT, CONNECTION, made.id)
    hub.work()
    done = hub.uploads.get(CLIENT, CONNECTION, made.id)
    assert (done.status, done.accepted_count) == ("done", 1)


def test_a_batch_whose_file_is_not_there_waits_for_it(hub: SyncHub) -> None:
    made, slot = hub.uploads.create(CLIENT, CONNECTION, "till", NewUpload())
    assert slot.method == "PUT"
    with pytest.raises(Conflict) as caught:
        hub.uploads.start(CLIENT, CONNECTION, made.id)
    assert caught.value.code == "file_missing"


def test_somebody_who_hands_in_at_the_same_moment_is_not_overwritten(hub: SyncHub) -> None:
    taken: list[object] = []
    reading = hub.entries.get_many

    def meanwhile(*arguments: object) -> object:
        found = reading(*arguments)
        if not taken:
            taken.append(hub.submit("product", "P1", number="P1", name="Another", price="1"))
        return found

    hub.entries.get_many = meanwhile  # pyright: ignore
    done = upload(hub, [product(1), product(2)])
    assert done.accepted_count == 2
    assert hub.entry(P, "P1").revision == 2, "the batch's line came second and replaced the other"
