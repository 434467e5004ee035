"""Whatever happens on the way, the ledger ends with each document once."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from erphub.erp.documents import Customer, Document, DocumentKind
from erphub.erp.posting import NEVER_TRIED, Posted, Posting
from erphub.platform.errors import Conflict, Unavailable
from erphub.sync.export_log.models import EntryStatus
from erphub.sync.export_log.schemas import ManualPosting, RetryRequest, RetryResult, SkipRequest
from erphub.sync.transfers.schemas import NewTransfer
from tests.support.ledger import Died
from tests.support.sync import CLIENT, CONNECTION, RESEND_DELAY, SyncHub

Z = DocumentKind.SETTLEMENT


def test_a_settlement_is_posted_with_its_pdf(hub: SyncHub) -> None:
    hub.settlement(1)
    transfer = hub.transfer()
    entry = hub.entry(Z, "Z1")
    assert (entry.status, entry.reference, entry.attachment) == (EntryStatus.SENT, "1", "attached")
    assert hub.erp.records["1"].pdfs == [b"%PDF-rendered"]
    assert (transfer.status, transfer.counts.sent) == ("succeeded", 1)
    assert [(a.number, a.outcome) for a in hub.attempts(Z, "Z1")] == [(1, "sent"), (2, "attached")]


def test_a_second_transfer_sends_nothing_again(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.transfer()
    calls = dict(hub.erp.calls)
    again = hub.transfer()
    assert again.counts.sent == 0
    assert hub.erp.calls["push"] == calls["push"]
    assert len(hub.vouchers(Z, "Z1")) == 1


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "late", "die_before", "die_after", "die_late", "boom"])
def test_it_is_looked_for_before_it_is_sent_again(hub: SyncHub, fault: str) -> None:
    hub.settlement(1)
    hub.erp.faults = [fault]
    hub.transfer()
    entry = hub.entry(Z, "Z1")
    assert entry.status in (EntryStatus.UNCERTAIN, EntryStatus.SENDING)

    hub.clock.pass_(minutes=7)
    hub.transfer()
    assert hub.entry(Z, "Z1").status is entry.status, "the resend delay has not passed"

    hub.erp.let_late_requests_through()
    hub.clock.pass_(minutes=7)
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT
    assert len(hub.vouchers(Z, "Z1")) == 1
    assert len(hub.erp.records["1"].pdfs) == 1


def test_a_transfer_that_died_keeps_others_out_until_its_lease_is_over(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.erp.faults = ["die_after"]
    started = hub.transfer()
    assert started.status == "running"
    assert hub.leases.holder(CLIENT, CONNECTION, hub.clock()) == started.id
    hub.clock.pass_(minutes=11)
    hub.transfer()
    assert [a.outcome for a in hub.attempts(Z, "Z1")] == ["interrupted", "sent", "attached"]
    assert hub.attempts(Z, "Z1")[1].searched_first


def test_a_second_worker_of_the_same_transfer_does_nothing(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.erp.faults = ["die_before"]
    started = hub.transfer()
    task = {"task": "run", "client_id": CLIENT, "connection_id": CONNECTION, "transfer_id": started.id}
    assert hub.do(task, worker="w2") == "transfer_running"
    assert hub.erp.calls["push"] == 1


def test_a_worker_that_comes_back_late_finds_the_transfer_finished(hub: SyncHub) -> None:
    hub.settlement(1)
    started = hub.transfer()
    task = {"task": "run", "client_id": CLIENT, "connection_id": CONNECTION, "transfer_id": started.id}
    assert hub.do(task, worker="w1") == {"outcome": "finished"}
    assert len(hub.vouchers(Z, "Z1")) == 1


def test_one_bad_document_never_stops_the_others(hub: SyncHub) -> None:
    for number in range(1, 6):
        hub.settlement(number, means="vipps") if number == 3 else hub.settlement(number)
    hub.erp.faults = ["ok", "boom"]
    transfer = hub.transfer()
    assert transfer.status == "partially_succeeded"
    assert (transfer.counts.sent, transfer.counts.rejected, transfer.counts.uncertain) == (3, 1, 1)
    assert len(hub.surprises) == 1


def test_an_erp_that_is_down_is_not_asked_for_every_document(hub: SyncHub) -> None:
    for number in range(1, 40):
        hub.settlement(number)
    hub.save(customer_direction="off", product_direction="off")
    hub.erp.down = True
    hub.erp.calls.clear()
    transfer = hub.transfer()
    assert hub.erp.calls == {"push": 1, "find": 1}
    assert (transfer.status, transfer.problem["code"]) == ("failed", "erp_unreachable")
    assert hub.entry(Z, "Z1").status is EntryStatus.PENDING


def poisoned(hub: SyncHub, *names: str) -> None:
    """The ERP stumbles over these customers, each time, without applying anything."""
    push = hub.erp.push

    def stumbles(document: Document, posting: Posting) -> Posted:
        if isinstance(document, Customer) and document.name in names:
            raise Unavailable("500 Internal Server Error", code="erp_error")
        return push(document, posting)

    hub.erp.push = stumbles


@pytest.mark.parametrize("number", [1, 2, 3, 60])
def test_any_number_of_documents_that_the_erp_stumbles_over_stop_no_others(hub: SyncHub, number: int) -> None:
    for one in range(number):
        hub.submit("customer", f"A{one:03}", name="Poison")
    hub.submit("customer", "Z", name="Fjell")
    hub.settlement(1)
    poisoned(hub, "Poison")
    first = hub.transfer()
    assert (first.status, first.problem) == ("partially_succeeded", None)
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT
    hub.transfer()
    assert hub.entry(DocumentKind.CUSTOMER, "Z").status is EntryStatus.SENT
    assert hub.entry(DocumentKind.CUSTOMER, "A000").status is EntryStatus.PENDING


def test_what_the_erp_stumbles_over_waits_longer_each_time_and_goes_when_it_no_longer_does(hub: SyncHub) -> None:
    hub.submit("customer", "K1", name="Poison")
    poisoned(hub, "Poison")
    waits: list[float] = []
    for _ in range(3):
        hub.transfer()
        entry = hub.entry(DocumentKind.CUSTOMER, "K1")
        assert entry.retry_at is not None
        waits.append((entry.retry_at - hub.clock()).total_seconds() / 60)
        hub.clock.pass_(minutes=waits[-1] + 1)
    assert waits == [10, 20, 40]
    hub.erp.push = type(hub.erp).push.__get__(hub.erp)
    hub.transfer()
    assert hub.entry(DocumentKind.CUSTOMER, "K1").status is EntryStatus.SENT


def test_somebody_who_cannot_wait_retries_at_once(hub: SyncHub) -> None:
    hub.submit("customer", "K1", name="Poison")
    poisoned(hub, "Poison")
    hub.transfer()
    hub.erp.push = type(hub.erp).push.__get__(hub.erp)
    hub.transfer()
    assert hub.entry(DocumentKind.CUSTOMER, "K1").status is EntryStatus.PENDING
    hub.transfer(document_ids=(hub.entry(DocumentKind.CUSTOMER, "K1").id,))
    assert hub.entry(DocumentKind.CUSTOMER, "K1").status is EntryStatus.SENT


def test_after_an_outage_what_was_tried_in_it_does_not_wait(hub: SyncHub) -> None:
    hub.save(customer_direction="off", product_direction="off")
    hub.settlement(1)
    hub.erp.down = True
    for _ in range(6):
        hub.transfer()
    hub.erp.down = False
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT


def test_a_look_that_never_succeeds_stops_no_others(hub: SyncHub) -> None:
    """It may be there, so it is not sent again; but its neighbours are."""
    for number in (1, 2):
        hub.settlement(number)
    hub.erp.faults = ["lost_before", "lost_before"]
    hub.transfer()
    find = hub.erp.find

    def stumbles(kind: DocumentKind, posting: Posting, document: Document) -> Posted | None:
        if kind is Z:
            raise Unavailable("500 Internal Server Error", code="erp_error")
        return find(kind, posting, document)

    hub.erp.find = stumbles
    hub.settlement(3)
    hub.clock.pass_(minutes=30)
    hub.transfer()
    assert hub.entry(Z, "Z3").status is EntryStatus.SENT
    assert {hub.entry(Z, name).status for name in ("Z1", "Z2")} == {EntryStatus.UNCERTAIN}


def test_a_call_limit_is_respected(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.settlement(2)
    hub.erp.faults = ["busy"]
    hub.transfer()
    assert hub.erp.calls["push"] == 1
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.PENDING, "not before the ERP said"
    hub.clock.pass_(seconds=121)
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT


@pytest.mark.parametrize("code", ["credentials_refused", "login_locked", "application_not_connected"])
def test_refused_credentials_stop_at_once_and_turn_the_connection(hub: SyncHub, code: str) -> None:
    hub.settlement(1)
    hub.erp.password, hub.erp.refused_as = "changed", code
    transfer = hub.transfer()
    assert transfer.status == "failed"
    assert hub.refusals == [code]
    assert hub.sync().next_at is None
    assert sum(hub.erp.calls.values()) - hub.erp.calls["setup"] == 1
    hub.erp.sees = "changed"
    hub.planner.connection_restored(CLIENT, CONNECTION)
    assert hub.sync().next_at == hub.clock(), "what waits goes at once"
    hub.tick()
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT


def test_only_the_attachment_is_tried_again(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.erp.attach_faults = ["down"]
    hub.transfer()
    entry = hub.entry(Z, "Z1")
    assert (entry.status, entry.code) == (EntryStatus.SENT, "attachment_failed")
    hub.exports.retry(CLIENT, CONNECTION, entry.id)
    hub.transfer()
    assert hub.entry(Z, "Z1").attachment == "attached"
    assert hub.entry(Z, "Z1").code == ""
    assert hub.erp.calls["push"] == 1
    assert [a.outcome for a in hub.attempts(Z, "Z1")] == ["sent", "attachment_failed", "attached"]


def test_a_pdf_that_goes_with_the_voucher_is_not_attached_again(hub: SyncHub) -> None:
    hub.erp.takes_pdf_with_voucher = True
    hub.settlement(1)
    hub.transfer()
    assert hub.erp.calls["attach"] == 0
    assert hub.entry(Z, "Z1").attachment == "attached"


def test_a_pdf_that_cannot_be_rendered_does_not_hold_the_voucher_back(hub: SyncHub) -> None:
    def broken(settlement: object) -> bytes:
        raise ValueError("no such font")

    hub.pdf = broken
    hub.settlement(1)
    hub.transfer()
    assert hub.entry(Z, "Z1").code == "attachment_refused"
    assert len(hub.vouchers(Z, "Z1")) == 1


@pytest.fixture
def unattached(hub: SyncHub) -> SyncHub:
    """A voucher whose PDF the ERP refused."""
    hub.settlement(1)
    hub.erp.attach_faults = ["refuse"] * 100
    hub.transfer()
    return hub


def test_a_pdf_that_was_refused_is_not_tried_for_ever(unattached: SyncHub) -> None:
    for _ in range(60):
        unattached.clock.pass_(hours=12)
        unattached.tick()
    assert unattached.erp.calls["attach"] == 1
    assert "wait" not in unattached.sync().next_reason.split(",")[0], "nothing waits"
    [group] = unattached.exports.group_by_code(CLIENT, CONNECTION)
    assert (group.code, group.status, group.count) == ("attachment_refused", "sent", 1)


@pytest.mark.parametrize("every", [True, False])
def test_a_pdf_that_was_refused_goes_when_somebody_retries_it(unattached: SyncHub, every: bool) -> None:
    unattached.erp.attach_faults = []
    if every:
        wanted = RetryRequest(code="attachment_refused")
        assert unattached.exports.retry_many(CLIENT, CONNECTION, wanted) == RetryResult(retried_count=1, failed=[])
    else:
        unattached.exports.retry(CLIENT, CONNECTION, unattached.entry(Z, "Z1").id)
    unattached.transfer()
    entry = unattached.entry(Z, "Z1")
    assert (entry.attachment, entry.code, len(unattached.erp.records["1"].pdfs)) == ("attached", "", 1)
    assert unattached.erp.calls["push"] == 1


@pytest.mark.parametrize("fault", ["refuse", "down"])
def test_a_voucher_is_done_once_somebody_says_that_it_needs_no_pdf(hub: SyncHub, fault: str) -> None:
    hub.settlement(1)
    hub.erp.attach_faults = [fault]
    hub.transfer()
    hub.exports.skip(CLIENT, CONNECTION, hub.entry(Z, "Z1").id, "ada", SkipRequest(reason="the accountant has it"))
    hub.clock.pass_(days=2)
    hub.transfer()
    entry = hub.entry(Z, "Z1")
    assert (entry.status, entry.reference, entry.attachment, entry.code) == (EntryStatus.SENT, "1", "left_out", "")
    assert "the accountant has it" in entry.detail
    assert hub.erp.calls["attach"] == 1
    assert hub.exports.group_by_code(CLIENT, CONNECTION) == []


def test_a_pdf_can_be_added_by_hand_to_its_own_voucher_alone(unattached: SyncHub) -> None:
    name = unattached.entry(Z, "Z1").id
    with pytest.raises(Conflict):
        unattached.exports.post_manually(CLIENT, CONNECTION, name, "ada", ManualPosting(voucher="99"))
    done = unattached.exports.post_manually(CLIENT, CONNECTION, name, "ada", ManualPosting(voucher="1"))
    assert (done.attachment, done.reference, done.posted_manually_by) == ("attached", "1", "ada")
    with pytest.raises(Conflict):
        unattached.exports.retry(CLIENT, CONNECTION, name)


def test_somebody_who_changes_a_document_while_it_goes_stops_no_other(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.settlement(2)
    attach = hub.erp.attach

    def meanwhile(posted: Posted, posting: Posting, pdf: bytes, name: str) -> Posted:
        entry = hub.entry(Z, "Z1")
        if posted.reference == entry.reference:
            hub.exports.skip(CLIENT, CONNECTION, entry.id, "ada", SkipRequest(reason="no need"))
        return attach(posted, posting, pdf, name)

    hub.erp.attach = meanwhile
    transfer = hub.transfer()
    assert transfer.problem is None
    assert {hub.entry(Z, name).status for name in ("Z1", "Z2")} == {EntryStatus.SENT}


def test_the_tills_own_pdf_is_waited_for_and_used(hub: SyncHub) -> None:
    handed = hub.settlement(1, pdf_follows=True)
    assert handed.pdf_slot is not None
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.PENDING
    hub.files.files[handed.pdf_slot.url.removeprefix("memory:")] = b"%PDF-from the till"
    hub.transfer()
    assert hub.erp.records["1"].pdfs == [b"%PDF-from the till"]


def test_a_pdf_that_never_comes_is_rendered(hub: SyncHub) -> None:
    hub.settlement(1, pdf_follows=True)
    hub.clock.pass_(minutes=31)
    hub.transfer()
    assert hub.erp.records["1"].pdfs == [b"%PDF-rendered"]


def test_invoices_follow_their_customers(hub: SyncHub) -> None:
    line = {"description": "Kaffe", "quantity": "2", "unit_price": "40", "vat_rate": "15", "product_no": "P1"}
    hub.submit("invoice", "I1", date="2026-01-31", customer_id="K1", lines=[line])
    hub.submit("customer", "K1", name="Fjell Bygg AS")
    hub.submit("product", "P1", number="P1", name="Kaffe", price="40")
    transfer = hub.transfer()
    assert transfer.counts.sent == 3
    kinds = [record.kind for record in hub.erp.records.values()]
    assert kinds == [DocumentKind.CUSTOMER, DocumentKind.PRODUCT, DocumentKind.INVOICE]


def test_an_invoice_waits_for_a_customer_that_was_refused(hub: SyncHub) -> None:
    line = {"description": "Kaffe", "quantity": "2", "unit_price": "40", "vat_rate": "15"}
    hub.submit("invoice", "I1", date="2026-01-31", customer_id="K1", lines=[line])
    hub.submit("invoice", "I2", date="2026-01-31", customer_id="K9", lines=[line])
    hub.submit("customer", "K1", name="Fjell Bygg AS")
    hub.erp.faults = ["refuse"]
    transfer = hub.transfer()
    assert (transfer.counts.rejected, transfer.counts.pending) == (2, 1)
    assert hub.entry(DocumentKind.INVOICE, "I1").code == "waits_for_customer"
    assert hub.entry(DocumentKind.INVOICE, "I2").code == "customer_unknown"
    hub.exports.retry(CLIENT, CONNECTION, hub.entry(DocumentKind.CUSTOMER, "K1").id)
    hub.transfer()
    assert hub.entry(DocumentKind.INVOICE, "I1").status is EntryStatus.SENT


def test_a_product_the_erp_knows_already_is_updated_not_doubled(hub: SyncHub) -> None:
    from erphub.erp.documents import Product

    hub.erp.create(Product(number="P1", name="Coffee", price="30"))
    hub.submit("product", "P1", number="P1", name="Kaffe", price="40")
    hub.transfer()
    assert [(record.document.name) for record in hub.erp.records.values()] == ["Kaffe"]


def test_nothing_before_the_from_date_is_ever_sent(hub: SyncHub) -> None:
    hub.settlement(1, day="2025-12-31")
    assert hub.entry(Z, "Z1").status is EntryStatus.SKIPPED
    hub.settlement(2, day="2026-01-02")
    hub.save(from_date="2026-01-10")
    transfer = hub.transfer()
    assert transfer.counts.skipped == 1
    assert not hub.erp.records


def test_a_from_date_that_moves_back_lets_go_what_was_left_out_for_its_day(hub: SyncHub) -> None:
    hub.save(from_date="2026-01-20")
    for number, day in ((1, "2026-01-05"), (2, "2026-01-15"), (3, "2026-01-25")):
        hub.settlement(number, day=day)
    hub.exports.skip(CLIENT, CONNECTION, hub.entry(Z, "Z3").id, "ada", SkipRequest(reason="no"))
    hub.transfer()
    hub.save(from_date="2026-01-10")
    assert hub.sync().next_at - hub.clock() <= timedelta(hours=1), "what may go now does not wait a day"
    hub.transfer()
    states = [hub.entry(Z, name).status for name in ("Z1", "Z2", "Z3")]
    assert states == [EntryStatus.SKIPPED, EntryStatus.SENT, EntryStatus.SKIPPED]
    hub.save(from_date="2026-01-01")
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT


def test_what_was_left_out_before_the_hub_remembered_by_which_day_is_looked_at_again(hub: SyncHub) -> None:
    hub.save(from_date="2026-02-01")
    hub.settlement(1)
    hub.save(from_date="2026-01-01")
    hub.syncs.save(hub.sync().model_copy(update={"judged_from": None}))
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT


@pytest.mark.parametrize(("fault", "there"), [("lost_before", 0), ("die_before", 0), ("lost_after", 1), ("late", 1)])
def test_what_may_have_arrived_is_sent_no_more_once_its_day_is_too_early(hub: SyncHub, fault: str, there: int) -> None:
    hub.settlement(1)
    hub.erp.faults = [fault]
    hub.transfer()
    hub.save(from_date="2026-02-01")
    hub.erp.let_late_requests_through()
    hub.clock.pass_(minutes=30)
    hub.transfer()
    assert len(hub.vouchers(Z, "Z1")) == there
    entry = hub.entry(Z, "Z1")
    assert entry.status is (EntryStatus.SENT if there else EntryStatus.SKIPPED)
    assert entry.code == ("" if there else "before_from_date")


def test_a_transfer_whose_worker_died_does_not_run_for_ever(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.erp.faults = ["die_after"]
    started = hub.transfer()
    shown = lambda: hub.transfer_service.get(CLIENT, CONNECTION, started.id)[0]  # noqa: E731
    assert shown().status == "running"
    hub.clock.pass_(minutes=7)
    assert (shown().status, shown().problem["code"]) == ("failed", "worker_lost")
    assert [one.status for one in hub.transfer_service.list_transfers(CLIENT, CONNECTION, 9, None).items] == ["failed"]
    hub.clock.pass_(minutes=7)
    following = hub.transfer()
    assert (hub.reread(started).status, following.status) == ("failed", "succeeded")
    task = {"task": "run", "client_id": CLIENT, "connection_id": CONNECTION, "transfer_id": started.id}
    assert hub.do(task, worker="late") == {"outcome": "finished"}, "it is closed for good"


def test_a_dry_run_whose_worker_died_does_not_run_for_ever(hub: SyncHub) -> None:
    started = hub.transfer_service.start(CLIENT, CONNECTION, "ada", NewTransfer(dry_run=True))
    hub.clock.pass_(minutes=16)
    assert hub.transfer_service.get(CLIENT, CONNECTION, started.id)[0].status == "failed"


def test_what_is_switched_off_waits(hub: SyncHub) -> None:
    hub.save(z_report=False)
    hub.settlement(1)
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.PENDING
    hub.save(z_report=True)
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT


def test_a_long_transfer_is_handed_to_the_machine_and_finished_there(hub: SyncHub) -> None:
    for number in range(1, 4):
        hub.settlement(number)
    started = hub.transfer(seconds=10)
    assert started.status == "running"
    [(name, task)] = hub.queue.machines
    assert (name, task["task"]) == (started.id, "collect")
    assert hub.executor.collect(task, "m1", lambda: 280)["outcome"] == "collected"
    assert hub.executor.send(task, "m2", lambda: 280)["outcome"] == "done"
    assert hub.executor.complete(task, "m3")["outcome"] == "finished"
    assert hub.reread(started).counts.sent == 3


def test_chosen_documents_go_alone_even_when_they_were_refused(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.settlement(2)
    hub.erp.faults = ["refuse", "refuse"]
    hub.transfer()
    transfer = hub.transfer(document_ids=(hub.entry(Z, "Z2").id,))
    assert transfer.counts.sent == 1
    assert hub.entry(Z, "Z1").status is EntryStatus.REJECTED


def test_a_dry_run_shows_the_vouchers_and_posts_nothing(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.settlement(2, means="vipps")
    transfer = hub.transfer(dry_run=True)
    _, shown = hub.transfer_service.get(CLIENT, CONNECTION, transfer.id)
    assert transfer.status == "succeeded"
    assert shown[0]["postings"][0]["target"] == "ledger" or shown[1]["postings"][0]["target"] == "ledger"
    assert [one["problem"]["code"] for one in shown if "problem" in one] == ["account_missing"]
    assert not hub.erp.records
    assert hub.entry(Z, "Z1").status is EntryStatus.PENDING


def would(hub: SyncHub, **wanted: object) -> dict[str, tuple[str, int]]:
    """What a dry run says of each document: what would be done, and how many postings it shows."""
    transfer = hub.transfer(dry_run=True, **wanted)
    _, shown = hub.transfer_service.get(CLIENT, CONNECTION, transfer.id)
    names = {hub.entry(Z, f"Z{number}").id: f"Z{number}" for number in range(1, 8)}
    return {names[one["entry_id"]]: (one["action"], len(one.get("postings", ()))) for one in shown}


def test_a_dry_run_shows_as_postings_what_would_be_posted_and_nothing_else(hub: SyncHub) -> None:
    hub.settlement(1, day="2026-01-25")
    hub.settlement(2, day="2026-01-24")
    hub.erp.attach_faults = ["down"]
    hub.erp.faults = ["lost_before"]
    hub.transfer()
    hub.settlement(3, day="2026-01-02")
    hub.settlement(4)
    hub.settlement(5, pdf_follows=True)
    hub.settlement(6, means="vipps")
    hub.settlement(7)
    hub.exports.skip(CLIENT, CONNECTION, hub.entry(Z, "Z7").id, "ada", SkipRequest(reason="no"))
    hub.save(from_date="2026-01-10")
    assert would(hub) == {
        "Z1": ("wait", 0),
        "Z2": ("wait", 0),
        "Z3": ("leave_out", 0),
        "Z4": ("post", 1),
        "Z5": ("wait", 0),
        "Z6": ("be_refused", 0),
    }
    hub.clock.pass_(hours=24)
    later = would(hub)
    assert (later["Z1"], later["Z2"], later["Z5"]) == (("attach", 0), ("find_then_post", 1), ("post", 1))
    chosen = tuple(hub.entry(Z, name).id for name in ("Z1", "Z7"))
    assert would(hub, document_ids=chosen) == {"Z1": ("attach", 0), "Z7": ("nothing", 0)}
    hub.transfer()
    states = [hub.entry(Z, f"Z{number}").status.value for number in range(1, 8)]
    assert states == ["sent", "sent", "skipped", "sent", "sent", "rejected", "skipped"]


def test_a_dry_run_of_what_was_refused_shows_what_a_retry_would_post(hub: SyncHub) -> None:
    for number in range(1, 8):
        hub.settlement(number)
    hub.erp.faults = ["refuse"]
    hub.transfer()
    [refused] = hub.entries.queue(CLIENT, CONNECTION, "rejected")
    assert list(would(hub, document_ids=(refused.id,)).values()) == [("post", 1)]
    assert would(hub) == {}


def test_a_dry_run_shows_a_record_as_it_would_be_sent_with_what_changed_in_the_erp(hub: SyncHub) -> None:
    hub.save(customer_direction="erp")
    hub.submit("customer", "K1", name="Fjell", phone="1")
    hub.transfer()
    hub.clock.pass_(minutes=5)
    hub.erp.edit("1", phone="2")
    hub.transfer()
    hub.submit("customer", "K1", name="Fjell og Kyst", phone="1")
    seen: list[Document] = []
    show = hub.erp.preview

    def watched(document: Document, posting: Posting) -> object:
        seen.append(document)
        return show(document, posting)

    hub.erp.preview = watched
    hub.transfer(dry_run=True)
    [customer] = seen
    assert isinstance(customer, Customer)
    assert (customer.name, customer.phone) == ("Fjell og Kyst", "2")


def test_one_that_waits_for_its_pdf_does_not_hold_up_the_others(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.settlement(2)
    hub.erp.faults = ["pdf_later"]
    hub.transfer()
    states = sorted(hub.entry(Z, name).status for name in ("Z1", "Z2"))
    assert states == sorted([EntryStatus.PENDING, EntryStatus.SENT])
    hub.transfer()
    assert {hub.entry(Z, name).status for name in ("Z1", "Z2")} == {EntryStatus.SENT}


def test_a_look_that_is_refused_tells_nothing_of_the_document(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.erp.faults = ["lost_after"]
    hub.transfer()
    hub.erp.looking_is_refused = True
    hub.clock.pass_(minutes=21)
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.UNCERTAIN, "it may be there, so it is neither refused nor replaced"
    hub.erp.looking_is_refused = False
    hub.clock.pass_(hours=3)
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT
    assert len(hub.vouchers(Z, "Z1")) == 1


def test_what_was_skipped_while_uncertain_is_looked_for_when_it_comes_back(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.erp.faults = ["lost_after"]
    hub.transfer()
    entry = hub.entry(Z, "Z1")
    hub.exports.skip(CLIENT, CONNECTION, entry.id, "ada", SkipRequest(reason="not sure"))
    with pytest.raises(Conflict) as caught:
        hub.settlement(1, amount="1.00")
    assert caught.value.code == "being_sent"
    hub.exports.retry(CLIENT, CONNECTION, entry.id)
    assert hub.transfer().counts.sent == 0, "the resend delay has not passed"
    hub.clock.pass_(minutes=11)
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT
    assert len(hub.vouchers(Z, "Z1")) == 1


@pytest.mark.parametrize("fault", ["lost_after", "late", "die_after", "die_late"])
def test_what_may_have_arrived_is_looked_for_where_it_was_sent_not_where_it_would_go_now(
    hub: SyncHub, fault: str
) -> None:
    hub.save(settlement_target="inbox")
    hub.settlement(1)
    hub.erp.faults = [fault]
    hub.transfer()
    hub.save(settlement_target="ledger")
    hub.erp.let_late_requests_through()
    hub.clock.pass_(minutes=30)
    hub.transfer()
    [voucher] = hub.vouchers(Z, "Z1")
    assert (voucher.target, len(voucher.pdfs)) == ("inbox", 1)
    entry = hub.entry(Z, "Z1")
    assert (entry.status, entry.awaiting_approval) == (EntryStatus.SENT, True)


def test_what_is_not_where_it_was_sent_goes_where_it_belongs_now_and_is_looked_for_there(hub: SyncHub) -> None:
    hub.save(settlement_target="inbox")
    hub.settlement(1)
    hub.erp.faults = ["lost_before", "lost_after"]
    hub.transfer()
    hub.save(settlement_target="ledger")
    hub.clock.pass_(minutes=30)
    hub.transfer()
    assert hub.entry(Z, "Z1").status is EntryStatus.UNCERTAIN
    hub.save(settlement_target="inbox")
    hub.clock.pass_(minutes=60)
    hub.transfer()
    [voucher] = hub.vouchers(Z, "Z1")
    assert voucher.target == "ledger"
    assert hub.entry(Z, "Z1").status is EntryStatus.SENT


def test_a_worker_that_dies_while_looking_leaves_word_of_where_the_document_may_be(hub: SyncHub) -> None:
    hub.save(settlement_target="inbox")
    hub.settlement(1)
    hub.erp.faults = ["lost_after"]
    hub.transfer()
    hub.save(settlement_target="ledger")
    hub.clock.pass_(minutes=30)
    find = hub.erp.find

    def dies(*_: object) -> None:
        raise Died

    hub.erp.find = dies  # pyright: ignore[reportAttributeAccessIssue]
    hub.transfer()
    hub.erp.find = find
    hub.clock.pass_(minutes=60)
    hub.transfer()
    assert len(hub.vouchers(Z, "Z1")) == 1


def test_a_pdf_follows_its_voucher_to_where_that_was_posted(hub: SyncHub) -> None:
    hub.save(settlement_target="inbox")
    hub.settlement(1)
    hub.erp.attach_faults = ["down"]
    hub.transfer()
    hub.save(settlement_target="ledger")
    seen: list[str] = []
    attach = hub.erp.attach

    def watched(posted: Posted, posting: Posting, pdf: bytes, name: str) -> Posted:
        seen.append(posting.routing["target"])
        return attach(posted, posting, pdf, name)

    hub.erp.attach = watched
    hub.clock.pass_(hours=3)
    hub.transfer()
    assert seen == ["inbox"]


def test_the_erp_is_told_since_when_nothing_of_a_document_can_still_arrive(hub: SyncHub) -> None:
    """Of one that was never tried nothing can; of another once whoever tried it must be dead."""
    hub.settlement(1)
    told: list[datetime | None] = []
    push = hub.erp.push

    def watched(document: Any, posting: Posting) -> Posted:
        told.append(posting.quiet_since)
        return push(document, posting)

    hub.erp.push = watched
    hub.erp.faults = ["lost_before"]
    tried_at = hub.clock()
    hub.transfer()
    hub.clock.pass_(hours=3)
    hub.transfer()
    assert told == [NEVER_TRIED, tried_at + RESEND_DELAY]
