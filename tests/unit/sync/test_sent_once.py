"""Whatever happens on the way, the ledger ends with each document once."""

from datetime import timedelta

import pytest

from erphub.erp.documents import Customer, Document, DocumentKind
from erphub.erp.posting import Posted, Posting
from erphub.platform.errors import Conflict, Unavailable
from erphub.sync.export_log.models import EntryState
from erphub.sync.export_log.schemas import ByHand, RetryMany, Skip
from erphub.sync.transfers.schemas import NewTransfer
from tests.support.ledger import Died

from .conftest import CLIENT, CONNECTION, World

Z = DocumentKind.SETTLEMENT


def test_a_settlement_is_posted_with_its_pdf(world: World) -> None:
    world.settlement(1)
    transfer = world.transfer()
    entry = world.entry(Z, "Z1")
    assert (entry.state, entry.reference, entry.attachment) == (EntryState.SENT, "1", "attached")
    assert world.erp.records["1"].pdfs == [b"%PDF-rendered"]
    assert (transfer.state, transfer.counts.sent) == ("succeeded", 1)
    assert [(a.number, a.outcome) for a in world.attempts(Z, "Z1")] == [(1, "sent"), (2, "attached")]


def test_a_second_transfer_sends_nothing_again(world: World) -> None:
    world.settlement(1)
    world.transfer()
    calls = dict(world.erp.calls)
    again = world.transfer()
    assert again.counts.sent == 0
    assert world.erp.calls["push"] == calls["push"]
    assert len(world.vouchers(Z, "Z1")) == 1


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "late", "die_before", "die_after", "die_late", "boom"])
def test_it_is_looked_for_before_it_is_sent_again(world: World, fault: str) -> None:
    world.settlement(1)
    world.erp.faults = [fault]
    world.transfer()
    entry = world.entry(Z, "Z1")
    assert entry.state in (EntryState.UNCERTAIN, EntryState.SENDING)

    world.clock.pass_(minutes=7)
    world.transfer()
    assert world.entry(Z, "Z1").state is entry.state, "the settle time has not passed"

    world.erp.let_late_requests_through()
    world.clock.pass_(minutes=7)
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.SENT
    assert len(world.vouchers(Z, "Z1")) == 1
    assert len(world.erp.records["1"].pdfs) == 1


def test_a_transfer_that_died_keeps_others_out_until_its_lease_is_over(world: World) -> None:
    world.settlement(1)
    world.erp.faults = ["die_after"]
    started = world.transfer()
    assert started.state == "running"
    assert world.syncs.holder(CLIENT, CONNECTION, world.clock()) == started.id
    world.clock.pass_(minutes=11)
    world.transfer()
    assert [a.outcome for a in world.attempts(Z, "Z1")] == ["interrupted", "sent", "attached"]
    assert world.attempts(Z, "Z1")[1].looked_first


def test_a_second_worker_of_the_same_transfer_does_nothing(world: World) -> None:
    world.settlement(1)
    world.erp.faults = ["die_before"]
    started = world.transfer()
    task = {"task": "whole", "client_id": CLIENT, "connection_id": CONNECTION, "transfer_id": started.id}
    assert world.do(task, worker="w2") == "transfer_running"
    assert world.erp.calls["push"] == 1


def test_a_worker_that_comes_back_late_finds_the_transfer_finished(world: World) -> None:
    world.settlement(1)
    started = world.transfer()
    task = {"task": "whole", "client_id": CLIENT, "connection_id": CONNECTION, "transfer_id": started.id}
    assert world.do(task, worker="w1") == {"outcome": "finished"}
    assert len(world.vouchers(Z, "Z1")) == 1


def test_one_bad_document_never_stops_the_others(world: World) -> None:
    for number in range(1, 6):
        world.settlement(number, means="vipps") if number == 3 else world.settlement(number)
    world.erp.faults = ["ok", "boom"]
    transfer = world.transfer()
    assert transfer.state == "partially_succeeded"
    assert (transfer.counts.sent, transfer.counts.rejected, transfer.counts.uncertain) == (3, 1, 1)
    assert len(world.surprises) == 1


def test_an_erp_that_is_down_is_not_asked_for_every_document(world: World) -> None:
    for number in range(1, 40):
        world.settlement(number)
    world.save(customers="off", products="off")
    world.erp.down = True
    world.erp.calls.clear()
    transfer = world.transfer()
    assert world.erp.calls == {"push": 1, "find": 1}
    assert (transfer.state, transfer.problem["code"]) == ("failed", "erp_unreachable")
    assert world.entry(Z, "Z1").state is EntryState.PENDING


def poisoned(world: World, *names: str) -> None:
    """The ERP stumbles over these customers, each time, without applying anything."""
    push = world.erp.push

    def stumbles(document: Document, posting: Posting) -> Posted:
        if isinstance(document, Customer) and document.name in names:
            raise Unavailable("500 Internal Server Error", code="erp_error")
        return push(document, posting)

    world.erp.push = stumbles


@pytest.mark.parametrize("number", [1, 2, 3, 60])
def test_any_number_of_documents_that_the_erp_stumbles_over_stop_no_others(world: World, number: int) -> None:
    for one in range(number):
        world.hand_in("customer", f"A{one:03}", name="Poison")
    world.hand_in("customer", "Z", name="Fjell")
    world.settlement(1)
    poisoned(world, "Poison")
    first = world.transfer()
    assert (first.state, first.problem) == ("partially_succeeded", None)
    assert world.entry(Z, "Z1").state is EntryState.SENT
    world.transfer()
    assert world.entry(DocumentKind.CUSTOMER, "Z").state is EntryState.SENT
    assert world.entry(DocumentKind.CUSTOMER, "A000").state is EntryState.PENDING


def test_what_the_erp_stumbles_over_waits_longer_each_time_and_goes_when_it_no_longer_does(world: World) -> None:
    world.hand_in("customer", "K1", name="Poison")
    poisoned(world, "Poison")
    waits: list[float] = []
    for _ in range(3):
        world.transfer()
        entry = world.entry(DocumentKind.CUSTOMER, "K1")
        assert entry.not_before is not None
        waits.append((entry.not_before - world.clock()).total_seconds() / 60)
        world.clock.pass_(minutes=waits[-1] + 1)
    assert waits == [10, 20, 40]
    world.erp.push = type(world.erp).push.__get__(world.erp)
    world.transfer()
    assert world.entry(DocumentKind.CUSTOMER, "K1").state is EntryState.SENT


def test_somebody_who_cannot_wait_retries_at_once(world: World) -> None:
    world.hand_in("customer", "K1", name="Poison")
    poisoned(world, "Poison")
    world.transfer()
    world.erp.push = type(world.erp).push.__get__(world.erp)
    world.transfer()
    assert world.entry(DocumentKind.CUSTOMER, "K1").state is EntryState.PENDING
    world.transfer(documents=(world.entry(DocumentKind.CUSTOMER, "K1").id,))
    assert world.entry(DocumentKind.CUSTOMER, "K1").state is EntryState.SENT


def test_after_an_outage_what_was_tried_in_it_does_not_wait(world: World) -> None:
    world.save(customers="off", products="off")
    world.settlement(1)
    world.erp.down = True
    for _ in range(6):
        world.transfer()
    world.erp.down = False
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.SENT


def test_a_look_that_never_succeeds_stops_no_others(world: World) -> None:
    """It may be there, so it is not sent again; but its neighbours are."""
    for number in (1, 2):
        world.settlement(number)
    world.erp.faults = ["lost_before", "lost_before"]
    world.transfer()
    find = world.erp.find

    def stumbles(kind: DocumentKind, posting: Posting, document: Document) -> Posted | None:
        if kind is Z:
            raise Unavailable("500 Internal Server Error", code="erp_error")
        return find(kind, posting, document)

    world.erp.find = stumbles
    world.settlement(3)
    world.clock.pass_(minutes=30)
    world.transfer()
    assert world.entry(Z, "Z3").state is EntryState.SENT
    assert {world.entry(Z, name).state for name in ("Z1", "Z2")} == {EntryState.UNCERTAIN}


def test_a_call_limit_is_respected(world: World) -> None:
    world.settlement(1)
    world.settlement(2)
    world.erp.faults = ["busy"]
    world.transfer()
    assert world.erp.calls["push"] == 1
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.PENDING, "not before the ERP said"
    world.clock.pass_(seconds=121)
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.SENT


@pytest.mark.parametrize("code", ["credentials_refused", "login_locked", "application_not_connected"])
def test_refused_credentials_stop_at_once_and_turn_the_connection(world: World, code: str) -> None:
    world.settlement(1)
    world.erp.password, world.erp.refused_as = "changed", code
    transfer = world.transfer()
    assert transfer.state == "failed"
    assert world.refusals == [code]
    assert world.sync().next_at is None
    assert sum(world.erp.calls.values()) - world.erp.calls["setup"] == 1
    world.erp.sees = "changed"
    world.desk.reconnected(CLIENT, CONNECTION)
    assert world.sync().next_at == world.clock(), "what waits goes at once"
    world.tick()
    assert world.entry(Z, "Z1").state is EntryState.SENT


def test_only_the_attachment_is_tried_again(world: World) -> None:
    world.settlement(1)
    world.erp.attach_faults = ["down"]
    world.transfer()
    entry = world.entry(Z, "Z1")
    assert (entry.state, entry.code) == (EntryState.SENT, "attachment_failed")
    world.exports.retry(CLIENT, CONNECTION, entry.id)
    world.transfer()
    assert world.entry(Z, "Z1").attachment == "attached"
    assert world.entry(Z, "Z1").code == ""
    assert world.erp.calls["push"] == 1
    assert [a.outcome for a in world.attempts(Z, "Z1")] == ["sent", "attachment_failed", "attached"]


def test_a_pdf_that_goes_with_the_voucher_is_not_attached_again(world: World) -> None:
    world.erp.takes_pdf_with_voucher = True
    world.settlement(1)
    world.transfer()
    assert world.erp.calls["attach"] == 0
    assert world.entry(Z, "Z1").attachment == "attached"


def test_a_pdf_that_cannot_be_rendered_does_not_hold_the_voucher_back(world: World) -> None:
    def broken(settlement: object) -> bytes:
        raise ValueError("no such font")

    world.render = broken
    world.settlement(1)
    world.transfer()
    assert world.entry(Z, "Z1").code == "attachment_refused"
    assert len(world.vouchers(Z, "Z1")) == 1


@pytest.fixture
def unattached(world: World) -> World:
    """A voucher whose PDF the ERP refused."""
    world.settlement(1)
    world.erp.attach_faults = ["refuse"] * 100
    world.transfer()
    return world


def test_a_pdf_that_was_refused_is_not_tried_for_ever(unattached: World) -> None:
    for _ in range(60):
        unattached.clock.pass_(hours=12)
        unattached.tick()
    assert unattached.erp.calls["attach"] == 1
    assert "wait" not in unattached.sync().next_why.split(",")[0], "nothing waits"
    [group] = unattached.exports.by_code(CLIENT, CONNECTION)
    assert (group["code"], group["state"], group["count"]) == ("attachment_refused", "sent", 1)


@pytest.mark.parametrize("every", [True, False])
def test_a_pdf_that_was_refused_goes_when_somebody_retries_it(unattached: World, every: bool) -> None:
    unattached.erp.attach_faults = []
    if every:
        wanted = RetryMany(code="attachment_refused")
        assert unattached.exports.retry_many(CLIENT, CONNECTION, wanted) == {"retried": 1, "failed": []}
    else:
        unattached.exports.retry(CLIENT, CONNECTION, unattached.entry(Z, "Z1").id)
    unattached.transfer()
    entry = unattached.entry(Z, "Z1")
    assert (entry.attachment, entry.code, len(unattached.erp.records["1"].pdfs)) == ("attached", "", 1)
    assert unattached.erp.calls["push"] == 1


@pytest.mark.parametrize("fault", ["refuse", "down"])
def test_a_voucher_is_done_once_somebody_says_that_it_needs_no_pdf(world: World, fault: str) -> None:
    world.settlement(1)
    world.erp.attach_faults = [fault]
    world.transfer()
    world.exports.skip(CLIENT, CONNECTION, world.entry(Z, "Z1").id, "ada", Skip(reason="the accountant has it"))
    world.clock.pass_(days=2)
    world.transfer()
    entry = world.entry(Z, "Z1")
    assert (entry.state, entry.reference, entry.attachment, entry.code) == (EntryState.SENT, "1", "left_out", "")
    assert "the accountant has it" in entry.detail
    assert world.erp.calls["attach"] == 1
    assert world.exports.by_code(CLIENT, CONNECTION) == []


def test_a_pdf_can_be_added_by_hand_to_its_own_voucher_alone(unattached: World) -> None:
    name = unattached.entry(Z, "Z1").id
    with pytest.raises(Conflict):
        unattached.exports.posted_by_hand(CLIENT, CONNECTION, name, "ada", ByHand(voucher="99"))
    done = unattached.exports.posted_by_hand(CLIENT, CONNECTION, name, "ada", ByHand(voucher="1"))
    assert (done.attachment, done.reference, done.settled_by_hand) == ("attached", "1", "ada")
    with pytest.raises(Conflict):
        unattached.exports.retry(CLIENT, CONNECTION, name)


def test_somebody_who_changes_a_document_while_it_goes_stops_no_other(world: World) -> None:
    world.settlement(1)
    world.settlement(2)
    attach = world.erp.attach

    def meanwhile(posted: Posted, posting: Posting, pdf: bytes, name: str) -> Posted:
        entry = world.entry(Z, "Z1")
        if posted.reference == entry.reference:
            world.exports.skip(CLIENT, CONNECTION, entry.id, "ada", Skip(reason="no need"))
        return attach(posted, posting, pdf, name)

    world.erp.attach = meanwhile
    transfer = world.transfer()
    assert transfer.problem is None
    assert {world.entry(Z, name).state for name in ("Z1", "Z2")} == {EntryState.SENT}


def test_the_tills_own_pdf_is_waited_for_and_used(world: World) -> None:
    handed = world.settlement(1, pdf_follows=True)
    assert handed.pdf is not None
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.PENDING
    world.papers.files[handed.pdf.url.removeprefix("memory:")] = b"%PDF-from the till"
    world.transfer()
    assert world.erp.records["1"].pdfs == [b"%PDF-from the till"]


def test_a_pdf_that_never_comes_is_rendered(world: World) -> None:
    world.settlement(1, pdf_follows=True)
    world.clock.pass_(minutes=31)
    world.transfer()
    assert world.erp.records["1"].pdfs == [b"%PDF-rendered"]


def test_invoices_follow_their_customers(world: World) -> None:
    line = {"description": "Kaffe", "quantity": "2", "unit_price": "40", "vat_rate": "15", "product_no": "P1"}
    world.hand_in("invoice", "I1", date="2026-01-31", customer_id="K1", lines=[line])
    world.hand_in("customer", "K1", name="Fjell Bygg AS")
    world.hand_in("product", "P1", number="P1", name="Kaffe", price="40")
    transfer = world.transfer()
    assert transfer.counts.sent == 3
    kinds = [record.kind for record in world.erp.records.values()]
    assert kinds == [DocumentKind.CUSTOMER, DocumentKind.PRODUCT, DocumentKind.INVOICE]


def test_an_invoice_waits_for_a_customer_that_was_refused(world: World) -> None:
    line = {"description": "Kaffe", "quantity": "2", "unit_price": "40", "vat_rate": "15"}
    world.hand_in("invoice", "I1", date="2026-01-31", customer_id="K1", lines=[line])
    world.hand_in("invoice", "I2", date="2026-01-31", customer_id="K9", lines=[line])
    world.hand_in("customer", "K1", name="Fjell Bygg AS")
    world.erp.faults = ["refuse"]
    transfer = world.transfer()
    assert (transfer.counts.rejected, transfer.counts.pending) == (2, 1)
    assert world.entry(DocumentKind.INVOICE, "I1").code == "waits_for_customer"
    assert world.entry(DocumentKind.INVOICE, "I2").code == "customer_unknown"
    world.exports.retry(CLIENT, CONNECTION, world.entry(DocumentKind.CUSTOMER, "K1").id)
    world.transfer()
    assert world.entry(DocumentKind.INVOICE, "I1").state is EntryState.SENT


def test_a_product_the_erp_knows_already_is_updated_not_doubled(world: World) -> None:
    from erphub.erp.documents import Product

    world.erp.create(Product(number="P1", name="Coffee", price="30"))
    world.hand_in("product", "P1", number="P1", name="Kaffe", price="40")
    world.transfer()
    assert [(record.document.name) for record in world.erp.records.values()] == ["Kaffe"]


def test_nothing_before_the_from_date_is_ever_sent(world: World) -> None:
    world.settlement(1, day="2025-12-31")
    assert world.entry(Z, "Z1").state is EntryState.SKIPPED
    world.settlement(2, day="2026-01-02")
    world.save(from_date="2026-01-10")
    transfer = world.transfer()
    assert transfer.counts.skipped == 1
    assert not world.erp.records


def test_a_from_date_that_moves_back_lets_go_what_was_left_out_for_its_day(world: World) -> None:
    world.save(from_date="2026-01-20")
    for number, day in ((1, "2026-01-05"), (2, "2026-01-15"), (3, "2026-01-25")):
        world.settlement(number, day=day)
    world.exports.skip(CLIENT, CONNECTION, world.entry(Z, "Z3").id, "ada", Skip(reason="no"))
    world.transfer()
    world.save(from_date="2026-01-10")
    assert world.sync().next_at - world.clock() <= timedelta(hours=1), "what may go now does not wait a day"
    world.transfer()
    states = [world.entry(Z, name).state for name in ("Z1", "Z2", "Z3")]
    assert states == [EntryState.SKIPPED, EntryState.SENT, EntryState.SKIPPED]
    world.save(from_date="2026-01-01")
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.SENT


def test_what_was_left_out_before_the_hub_remembered_by_which_day_is_looked_at_again(world: World) -> None:
    world.save(from_date="2026-02-01")
    world.settlement(1)
    world.save(from_date="2026-01-01")
    world.syncs.put(world.sync().model_copy(update={"judged_from": None}))
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.SENT


@pytest.mark.parametrize(("fault", "there"), [("lost_before", 0), ("die_before", 0), ("lost_after", 1), ("late", 1)])
def test_what_may_have_arrived_is_sent_no_more_once_its_day_is_too_early(world: World, fault: str, there: int) -> None:
    world.settlement(1)
    world.erp.faults = [fault]
    world.transfer()
    world.save(from_date="2026-02-01")
    world.erp.let_late_requests_through()
    world.clock.pass_(minutes=30)
    world.transfer()
    assert len(world.vouchers(Z, "Z1")) == there
    entry = world.entry(Z, "Z1")
    assert entry.state is (EntryState.SENT if there else EntryState.SKIPPED)
    assert entry.code == ("" if there else "before_from_date")


def test_a_transfer_whose_worker_died_does_not_run_for_ever(world: World) -> None:
    world.settlement(1)
    world.erp.faults = ["die_after"]
    started = world.transfer()
    shown = lambda: world.desk.one_transfer(CLIENT, CONNECTION, started.id)[0]  # noqa: E731
    assert shown().state == "running"
    world.clock.pass_(minutes=7)
    assert (shown().state, shown().problem["code"]) == ("failed", "worker_lost")
    assert [one.state for one in world.desk.transfers(CLIENT, CONNECTION, 9, None).items] == ["failed"]
    world.clock.pass_(minutes=7)
    following = world.transfer()
    assert (world.reread(started).state, following.state) == ("failed", "succeeded")
    task = {"task": "whole", "client_id": CLIENT, "connection_id": CONNECTION, "transfer_id": started.id}
    assert world.do(task, worker="late") == {"outcome": "finished"}, "it is closed for good"


def test_a_dry_run_whose_worker_died_does_not_run_for_ever(world: World) -> None:
    started = world.desk.transfer(CLIENT, CONNECTION, "ada", NewTransfer(dry_run=True))
    world.clock.pass_(minutes=16)
    assert world.desk.one_transfer(CLIENT, CONNECTION, started.id)[0].state == "failed"


def test_what_is_switched_off_waits(world: World) -> None:
    world.save(z_report=False)
    world.settlement(1)
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.PENDING
    world.save(z_report=True)
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.SENT


def test_a_long_transfer_is_handed_to_the_machine_and_finished_there(world: World) -> None:
    for number in range(1, 4):
        world.settlement(number)
    started = world.transfer(seconds=10)
    assert started.state == "running"
    [(name, task)] = world.queue.machines
    assert (name, task["task"]) == (started.id, "collect")
    assert world.carrier.collect(task, "m1", lambda: 280)["outcome"] == "collected"
    assert world.carrier.send(task, "m2", lambda: 280)["outcome"] == "done"
    assert world.carrier.settle(task, "m3")["outcome"] == "finished"
    assert world.reread(started).counts.sent == 3


def test_chosen_documents_go_alone_even_when_they_were_refused(world: World) -> None:
    world.settlement(1)
    world.settlement(2)
    world.erp.faults = ["refuse", "refuse"]
    world.transfer()
    transfer = world.transfer(documents=(world.entry(Z, "Z2").id,))
    assert transfer.counts.sent == 1
    assert world.entry(Z, "Z1").state is EntryState.REJECTED


def test_a_dry_run_shows_the_vouchers_and_posts_nothing(world: World) -> None:
    world.settlement(1)
    world.settlement(2, means="vipps")
    transfer = world.transfer(dry_run=True)
    _, shown = world.desk.one_transfer(CLIENT, CONNECTION, transfer.id)
    assert transfer.state == "succeeded"
    assert shown[0]["postings"][0]["target"] == "ledger" or shown[1]["postings"][0]["target"] == "ledger"
    assert [one["problem"]["code"] for one in shown if "problem" in one] == ["account_missing"]
    assert not world.erp.records
    assert world.entry(Z, "Z1").state is EntryState.PENDING


def would(world: World, **wanted: object) -> dict[str, tuple[str, int]]:
    """What a dry run says of each document: what would be done, and how many postings it shows."""
    transfer = world.transfer(dry_run=True, **wanted)
    _, shown = world.desk.one_transfer(CLIENT, CONNECTION, transfer.id)
    names = {world.entry(Z, f"Z{number}").id: f"Z{number}" for number in range(1, 8)}
    return {names[one["document"]]: (one["would"], len(one.get("postings", ()))) for one in shown}


def test_a_dry_run_shows_as_postings_what_would_be_posted_and_nothing_else(world: World) -> None:
    world.settlement(1, day="2026-01-25")
    world.settlement(2, day="2026-01-24")
    world.erp.attach_faults = ["down"]
    world.erp.faults = ["lost_before"]
    world.transfer()
    world.settlement(3, day="2026-01-02")
    world.settlement(4)
    world.settlement(5, pdf_follows=True)
    world.settlement(6, means="vipps")
    world.settlement(7)
    world.exports.skip(CLIENT, CONNECTION, world.entry(Z, "Z7").id, "ada", Skip(reason="no"))
    world.save(from_date="2026-01-10")
    assert would(world) == {
        "Z1": ("wait", 0),
        "Z2": ("wait", 0),
        "Z3": ("leave_out", 0),
        "Z4": ("post", 1),
        "Z5": ("wait", 0),
        "Z6": ("be_refused", 0),
    }
    world.clock.pass_(hours=24)
    later = would(world)
    assert (later["Z1"], later["Z2"], later["Z5"]) == (("attach", 0), ("look_then_post", 1), ("post", 1))
    chosen = tuple(world.entry(Z, name).id for name in ("Z1", "Z7"))
    assert would(world, documents=chosen) == {"Z1": ("attach", 0), "Z7": ("nothing", 0)}
    world.transfer()
    states = [world.entry(Z, f"Z{number}").state.value for number in range(1, 8)]
    assert states == ["sent", "sent", "skipped", "sent", "sent", "rejected", "skipped"]


def test_a_dry_run_of_what_was_refused_shows_what_a_retry_would_post(world: World) -> None:
    for number in range(1, 8):
        world.settlement(number)
    world.erp.faults = ["refuse"]
    world.transfer()
    [refused] = world.log.queue(CLIENT, CONNECTION, "rejected")
    assert list(would(world, documents=(refused.id,)).values()) == [("post", 1)]
    assert would(world) == {}


def test_a_dry_run_shows_a_record_as_it_would_be_sent_with_what_changed_in_the_erp(world: World) -> None:
    world.save(customers="erp")
    world.hand_in("customer", "K1", name="Fjell", phone="1")
    world.transfer()
    world.clock.pass_(minutes=5)
    world.erp.edit("1", phone="2")
    world.transfer()
    world.hand_in("customer", "K1", name="Fjell og Kyst", phone="1")
    seen: list[Document] = []
    show = world.erp.preview

    def watched(document: Document, posting: Posting) -> object:
        seen.append(document)
        return show(document, posting)

    world.erp.preview = watched
    world.transfer(dry_run=True)
    [customer] = seen
    assert isinstance(customer, Customer)
    assert (customer.name, customer.phone) == ("Fjell og Kyst", "2")


def test_one_that_waits_for_its_pdf_does_not_hold_up_the_others(world: World) -> None:
    world.settlement(1)
    world.settlement(2)
    world.erp.faults = ["pdf_later"]
    world.transfer()
    states = sorted(world.entry(Z, name).state for name in ("Z1", "Z2"))
    assert states == sorted([EntryState.PENDING, EntryState.SENT])
    world.transfer()
    assert {world.entry(Z, name).state for name in ("Z1", "Z2")} == {EntryState.SENT}


def test_a_look_that_is_refused_tells_nothing_of_the_document(world: World) -> None:
    world.settlement(1)
    world.erp.faults = ["lost_after"]
    world.transfer()
    world.erp.looking_is_refused = True
    world.clock.pass_(minutes=21)
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.UNCERTAIN, "it may be there, so it is neither refused nor replaced"
    world.erp.looking_is_refused = False
    world.clock.pass_(hours=3)
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.SENT
    assert len(world.vouchers(Z, "Z1")) == 1


def test_what_was_skipped_while_uncertain_is_looked_for_when_it_comes_back(world: World) -> None:
    world.settlement(1)
    world.erp.faults = ["lost_after"]
    world.transfer()
    entry = world.entry(Z, "Z1")
    world.exports.skip(CLIENT, CONNECTION, entry.id, "ada", Skip(reason="not sure"))
    with pytest.raises(Conflict) as caught:
        world.settlement(1, amount="1.00")
    assert caught.value.code == "being_sent"
    world.exports.retry(CLIENT, CONNECTION, entry.id)
    assert world.transfer().counts.sent == 0, "the settle time has not passed"
    world.clock.pass_(minutes=11)
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.SENT
    assert len(world.vouchers(Z, "Z1")) == 1


@pytest.mark.parametrize("fault", ["lost_after", "late", "die_after", "die_late"])
def test_what_may_have_arrived_is_looked_for_where_it_was_sent_not_where_it_would_go_now(
    world: World, fault: str
) -> None:
    world.save(import_type="inbox")
    world.settlement(1)
    world.erp.faults = [fault]
    world.transfer()
    world.save(import_type="ledger")
    world.erp.let_late_requests_through()
    world.clock.pass_(minutes=30)
    world.transfer()
    [voucher] = world.vouchers(Z, "Z1")
    assert (voucher.target, len(voucher.pdfs)) == ("inbox", 1)
    entry = world.entry(Z, "Z1")
    assert (entry.state, entry.awaiting_approval) == (EntryState.SENT, True)


def test_what_is_not_where_it_was_sent_goes_where_it_belongs_now_and_is_looked_for_there(world: World) -> None:
    world.save(import_type="inbox")
    world.settlement(1)
    world.erp.faults = ["lost_before", "lost_after"]
    world.transfer()
    world.save(import_type="ledger")
    world.clock.pass_(minutes=30)
    world.transfer()
    assert world.entry(Z, "Z1").state is EntryState.UNCERTAIN
    world.save(import_type="inbox")
    world.clock.pass_(minutes=60)
    world.transfer()
    [voucher] = world.vouchers(Z, "Z1")
    assert voucher.target == "ledger"
    assert world.entry(Z, "Z1").state is EntryState.SENT


def test_a_worker_that_dies_while_looking_leaves_word_of_where_the_document_may_be(world: World) -> None:
    world.save(import_type="inbox")
    world.settlement(1)
    world.erp.faults = ["lost_after"]
    world.transfer()
    world.save(import_type="ledger")
    world.clock.pass_(minutes=30)
    find = world.erp.find

    def dies(*_: object) -> None:
        raise Died

    world.erp.find = dies  # pyright: ignore[reportAttributeAccessIssue]
    world.transfer()
    world.erp.find = find
    world.clock.pass_(minutes=60)
    world.transfer()
    assert len(world.vouchers(Z, "Z1")) == 1


def test_a_pdf_follows_its_voucher_to_where_that_was_posted(world: World) -> None:
    world.save(import_type="inbox")
    world.settlement(1)
    world.erp.attach_faults = ["down"]
    world.transfer()
    world.save(import_type="ledger")
    seen: list[str] = []
    attach = world.erp.attach

    def watched(posted: Posted, posting: Posting, pdf: bytes, name: str) -> Posted:
        seen.append(posting.routing["target"])
        return attach(posted, posting, pdf, name)

    world.erp.attach = watched
    world.clock.pass_(hours=3)
    world.transfer()
    assert seen == ["inbox"]
