"""The log forgets what documents said after its time; that they were sent, and as what, it does not."""

from typing import Any

import pytest

from erphub.erp.documents import DocumentKind
from erphub.platform.errors import Conflict
from erphub.sync.export_log.models import EntryStatus
from erphub.sync.export_log.schemas import ManualPosting, SkipRequest
from tests.support.sync import CLIENT, CONNECTION, SyncHub

Z, B, K = DocumentKind.SETTLEMENT, DocumentKind.INVOICE, DocumentKind.CUSTOMER
LINE = {"description": "Kaffe", "quantity": "1", "unit_price": "10", "vat_rate": "25"}


@pytest.fixture
def old(hub: SyncHub) -> SyncHub:
    """A settlement, a customer and an invoice, sent and longer ago than the log is kept."""
    hub.save(retention_days=30)
    hub.settlement(1)
    hub.submit("customer", "K1", name="Ola Nordmann", is_company=False, phone="11111111")
    invoice(hub, "I1")
    hub.transfer()
    hub.clock.pass_(days=40)
    hub.expire()
    return hub


def invoice(hub: SyncHub, name: str, **more: Any) -> Any:
    fields = {"date": "2026-01-31", "customer_id": "K1", "lines": [LINE]}
    return hub.submit("invoice", name, **fields | more)


def test_a_till_that_sends_its_history_again_doubles_nothing(old: SyncHub) -> None:
    assert old.settlement(1).outcome == "unchanged"
    assert invoice(old, "I1").outcome == "unchanged"
    old.transfer()
    assert (len(old.vouchers(Z, "Z1")), len(old.vouchers(B, "I1"))) == (1, 1)


def test_what_was_sent_long_ago_cannot_be_replaced_by_something_else(old: SyncHub) -> None:
    with pytest.raises(Conflict) as caught:
        old.settlement(1, amount="1.00")
    assert (caught.value.code, caught.value.members["reference"]) == ("already_sent", old.entry(Z, "Z1").reference)


def test_a_whole_file_of_history_is_known_again(old: SyncHub) -> None:
    from erphub.sync.documents.service import read_incoming
    from tests.support.sync import z_report

    coming = [read_incoming("settlement", f"Z{number}", z_report(number)) for number in (1, 2)]
    done = old.documents.submit_many(old.sync(), "till", coming)
    assert sorted(str(outcome) for _, outcome in done) == ["created", "unchanged"]


def test_an_invoice_finds_the_customer_of_long_ago(old: SyncHub) -> None:
    invoice(old, "I2", date="2026-03-01")
    old.transfer()
    assert old.entry(B, "I2").status is EntryStatus.SENT


def test_a_customer_of_long_ago_is_corrected_not_made_twice(old: SyncHub) -> None:
    handed = old.submit("customer", "K1", name="Ola Nordmann", is_company=False, phone="22222222")
    assert handed.outcome == "correction"
    old.transfer()
    [record] = old.vouchers(K, "K1")
    assert record.document.phone == "22222222"


def test_what_remains_of_a_settlement_says_what_it_became_and_nothing_else(old: SyncHub) -> None:
    entry = old.entry(Z, "Z1")
    assert (entry.forgotten, entry.status, entry.body, entry.title) == (True, EntryStatus.SENT, "", "")
    assert entry.reference in old.erp.records
    remains = str([item for (_, sk), item in old.items().items() if "ENDED" in sk])
    assert "Nordmann" not in remains
    assert "11111111" not in remains
    assert "till" not in remains.replace("still", ""), "nor who handed it in"


def test_what_a_person_left_out_stays_left_out(hub: SyncHub) -> None:
    hub.save(retention_days=30)
    hub.settlement(1)
    hub.exports.skip(CLIENT, CONNECTION, hub.entry(Z, "Z1").id, "ada", SkipRequest(reason="posted by the accountant"))
    hub.clock.pass_(days=40)
    hub.expire()
    with pytest.raises(Conflict) as caught:
        hub.exports.retry(CLIENT, CONNECTION, hub.entry(Z, "Z1").id)
    assert caught.value.code == "body_forgotten"
    assert hub.settlement(1).entry.status is EntryStatus.SKIPPED
    hub.transfer()
    assert hub.vouchers(Z, "Z1") == []
    hub.exports.retry(CLIENT, CONNECTION, hub.entry(Z, "Z1").id)
    hub.transfer()
    assert len(hub.vouchers(Z, "Z1")) == 1


def test_what_was_posted_by_hand_is_not_posted_again(hub: SyncHub) -> None:
    hub.save(retention_days=30)
    hub.settlement(1)
    hub.exports.post_manually(CLIENT, CONNECTION, hub.entry(Z, "Z1").id, "ada", ManualPosting(voucher="77"))
    hub.clock.pass_(days=40)
    hub.expire()
    assert hub.settlement(1).entry.reference == "77"
    hub.transfer()
    assert hub.vouchers(Z, "Z1") == []


def test_what_was_left_out_for_its_day_is_judged_by_its_day_again(hub: SyncHub) -> None:
    hub.save(retention_days=30, from_date="2026-02-01")
    hub.settlement(1)
    hub.clock.pass_(days=40)
    hub.expire()
    hub.save(from_date="2026-01-01")
    assert hub.settlement(1).outcome == "created"
    hub.transfer()
    assert len(hub.vouchers(Z, "Z1")) == 1


@pytest.mark.parametrize("faults", [["refuse"], ["lost_before"], ["down"]])
def test_what_has_not_come_to_an_end_is_never_forgotten(hub: SyncHub, faults: list[str]) -> None:
    hub.save(retention_days=30, is_automatic=False)
    hub.settlement(1)
    hub.erp.faults = faults
    hub.transfer()
    hub.clock.pass_(days=400)
    hub.expire()
    assert hub.entry(Z, "Z1").body


def test_a_voucher_whose_pdf_still_waits_is_not_forgotten(hub: SyncHub) -> None:
    hub.save(retention_days=30, is_automatic=False)
    hub.settlement(1)
    hub.erp.attach_faults = ["down"]
    hub.transfer()
    hub.clock.pass_(days=400)
    hub.expire()
    hub.transfer()
    assert len(hub.erp.records["1"].pdfs) == 1
