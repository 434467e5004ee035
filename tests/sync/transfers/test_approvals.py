"""What an accountant makes of a voucher in the ERP's inbox stands in the export log, however the way there went."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erphub.connections.models import ConnectionStatus
from erphub.erp.approvals import Edit
from erphub.erp.documents import DocumentKind
from erphub.platform.errors import Conflict
from erphub.sync.canonical import entry_id
from erphub.sync.documents.models import SubmitOutcome
from erphub.sync.export_log.models import Entry, EntryStatus
from erphub.sync.export_log.schemas import LogQuery, RetryRequest, SkipRequest
from erphub.sync.transfers.approvals import OVERLAP, next_check
from erphub.sync.transfers.models import TransferStatus
from tests.support.ledger import Died
from tests.support.sync import CLIENT, CONNECTION, SyncHub

Z = DocumentKind.SETTLEMENT
MOVED = Edit("amount", "-100.00", "-90.00", "3000")


@pytest.fixture
def inbox(hub: SyncHub) -> SyncHub:
    """A sync by hand whose settlements go to the inbox."""
    hub.save(settlement_target="inbox", is_automatic=False)
    return hub


def hand_over(hub: SyncHub, number: int = 1, **more: Any) -> str:
    """A settlement goes to the inbox; what the ERP calls it there."""
    hub.settlement(number, **more)
    hub.transfer()
    entry = hub.entry(Z, f"Z{number}")
    assert (entry.status, entry.awaiting_approval) == (EntryStatus.SENT, True)
    return entry.reference


def by_transfer(hub: SyncHub) -> None:
    hub.transfer()


def by_clock(hub: SyncHub) -> None:
    hub.clock.pass_(hours=1, minutes=1)
    hub.tick()


def named(hub: SyncHub, number: int = 1) -> str:
    return entry_id(CONNECTION, Z, f"Z{number}")


def retry(hub: SyncHub, *, knowingly: bool) -> Entry:
    return hub.exports.retry(CLIENT, CONNECTION, named(hub), resend_discarded=knowingly)


LOOKS: list[Callable[[SyncHub], None]] = [by_transfer, by_clock]


@pytest.mark.parametrize("look", LOOKS)
def test_an_approved_voucher_has_its_number_in_the_ledger(inbox: SyncHub, look: Callable[[SyncHub], None]) -> None:
    number = inbox.erp.approve(hand_over(inbox))
    look(inbox)
    entry = inbox.entry(Z, "Z1")
    assert (entry.status, entry.reference, entry.awaiting_approval) == (EntryStatus.SENT, number, False)
    assert (entry.edits, entry.detail, entry.approved_at is not None) == ((), "", True)
    assert inbox.notices.codes == ["voucher_approved"]
    assert inbox.sync().approvals_due_at is None or look is by_transfer


@pytest.mark.parametrize("look", LOOKS)
def test_what_was_edited_before_is_kept_and_readable(inbox: SyncHub, look: Callable[[SyncHub], None]) -> None:
    inbox.erp.approve(hand_over(inbox), MOVED, Edit("date", "2026-01-31", "2026-02-01"))
    look(inbox)
    entry = inbox.entry(Z, "Z1")
    kept = [(edit.field, edit.account, edit.handed_over, edit.in_erp) for edit in entry.edits]
    assert kept == [("amount", "3000", "-100.00", "-90.00"), ("date", "", "2026-01-31", "2026-02-01")]
    assert entry.detail == "Edited in the ERP before it was approved: amount, date."
    csv = inbox.exports.export_csv(CLIENT, CONNECTION, LogQuery())
    assert "amount 3000: -100.00 → -90.00; date: 2026-01-31 → 2026-02-01" in csv
    assert inbox.notices.attributes[0]["edits"][0]["in_erp"] == "-90.00"


@pytest.mark.parametrize("look", LOOKS)
def test_a_discarded_voucher_is_said_and_never_sent_again_by_itself(
    inbox: SyncHub, look: Callable[[SyncHub], None]
) -> None:
    inbox.erp.discard(hand_over(inbox))
    look(inbox)
    entry = inbox.entry(Z, "Z1")
    assert (entry.status, entry.code, entry.awaiting_approval) == (EntryStatus.DISCARDED, "discarded_in_erp", False)
    assert inbox.notices.codes == ["voucher_discarded"]
    pushed = inbox.erp.calls["push"]
    assert inbox.settlement(1).outcome is SubmitOutcome.UNCHANGED
    corrected = inbox.settlement(1, amount="250.00")
    assert (corrected.outcome, corrected.entry.status) == (SubmitOutcome.REPLACED, EntryStatus.DISCARDED)
    with pytest.raises(Conflict) as refused:
        retry(inbox, knowingly=False)
    assert refused.value.code == "discarded_in_erp"
    bulk = inbox.exports.retry_many(CLIENT, CONNECTION, RetryRequest(code="discarded_in_erp"))
    assert (bulk.retried_count, [one.code for one in bulk.failed]) == (0, ["discarded_in_erp"])
    inbox.transfer()
    inbox.transfer(document_ids=(named(inbox),))
    assert inbox.erp.calls["push"] == pushed
    [group] = inbox.exports.group_by_code(CLIENT, CONNECTION)
    assert (group.code, group.status, group.count) == ("discarded_in_erp", EntryStatus.DISCARDED, 1)


def test_a_discarded_voucher_goes_again_when_somebody_says_so(inbox: SyncHub) -> None:
    inbox.erp.discard(hand_over(inbox))
    inbox.transfer()
    assert retry(inbox, knowingly=True).status is EntryStatus.PENDING
    inbox.transfer()
    entry = inbox.entry(Z, "Z1")
    assert (entry.status, entry.awaiting_approval, entry.resend_allowed) == (EntryStatus.SENT, True, False)
    number = inbox.erp.approve(entry.reference)
    by_clock(inbox)
    assert inbox.entry(Z, "Z1").reference == number
    assert inbox.notices.codes == ["voucher_discarded", "voucher_approved"]
    with pytest.raises(Conflict) as refused:
        retry(inbox, knowingly=True)
    assert refused.value.code == "already_sent"


def test_many_discarded_ones_go_again_with_one_word(inbox: SyncHub) -> None:
    for number in (1, 2):
        inbox.erp.discard(hand_over(inbox, number))
    inbox.transfer()
    wanted = RetryRequest(code="discarded_in_erp", resend_discarded=True)
    assert inbox.exports.retry_many(CLIENT, CONNECTION, wanted).retried_count == 2
    inbox.transfer()
    assert len(inbox.vouchers(Z, "Z1")) == len(inbox.vouchers(Z, "Z2")) == 2


def test_what_still_waits_in_the_inbox_is_not_doubled_by_saying_that_it_was_discarded(inbox: SyncHub) -> None:
    reference = hand_over(inbox)
    retry(inbox, knowingly=True)
    inbox.transfer()
    entry = inbox.entry(Z, "Z1")
    assert (entry.reference, entry.awaiting_approval, len(inbox.vouchers(Z, "Z1"))) == (reference, True, 1)


def test_a_discarded_voucher_may_be_left_out_for_good_or_posted_by_hand(inbox: SyncHub) -> None:
    inbox.erp.discard(hand_over(inbox))
    inbox.transfer()
    skipped = inbox.exports.skip(CLIENT, CONNECTION, named(inbox), "ada", SkipRequest(reason="Ført i kassen"))
    assert skipped.status is EntryStatus.SKIPPED


def test_what_seemed_discarded_and_is_in_the_ledger_after_all_is_sent(inbox: SyncHub) -> None:
    reference = hand_over(inbox)
    inbox.erp.discard(reference)
    inbox.transfer()
    hand_over(inbox, 2)
    number = inbox.erp.approve(reference)
    inbox.transfer()
    entry = inbox.entry(Z, "Z1")
    assert (entry.status, entry.reference, entry.code) == (EntryStatus.SENT, number, "")


@pytest.mark.parametrize("days", [3, 14])
def test_what_waits_for_too_many_days_is_told_once(inbox: SyncHub, days: int) -> None:
    inbox.save(approval_reminder_days=days)
    hand_over(inbox)
    hand_over(inbox, 2)
    inbox.clock.pass_(days=days, hours=-1)
    inbox.tick()
    assert inbox.notices.codes == []
    for _ in range(4):
        inbox.clock.pass_(days=1)
        inbox.tick()
        inbox.transfer()
    assert inbox.notices.codes == ["approval_overdue"]
    told = inbox.notices.attributes[0]
    assert (told["waiting_count"], {one["external_id"] for one in told["documents"]}) == (2, {"Z1", "Z2"})
    assert f"for {days} days" in told["detail"]


def test_each_voucher_is_told_of_once_as_it_comes_of_age(inbox: SyncHub) -> None:
    hand_over(inbox)
    inbox.clock.pass_(days=7)
    hand_over(inbox, 2)
    for _ in range(20):
        inbox.clock.pass_(days=1)
        inbox.tick()
    assert [told["waiting_count"] for told in inbox.notices.attributes] == [1, 1]


# --- how often the ERP is asked ---------------------------------------------------------------------------------------


def test_the_erp_is_never_asked_while_nothing_waits_there(hub: SyncHub) -> None:
    hub.settlement(1)
    hub.transfer()
    for _ in range(30):
        hub.clock.pass_(hours=1)
        hub.tick()
    assert (hub.erp.calls["approvals"], hub.sync().approvals_due_at, hub.looks) == (0, None, [])


def test_asking_ends_when_all_is_approved(inbox: SyncHub) -> None:
    inbox.erp.approve(hand_over(inbox))
    for _ in range(30):
        inbox.clock.pass_(hours=1)
        inbox.tick()
    assert (inbox.erp.calls["approvals"], inbox.sync().approvals_due_at) == (1, None)


def test_a_day_of_waiting_costs_two_dozen_looks_and_an_old_wait_one_a_day(inbox: SyncHub) -> None:
    hand_over(inbox)
    asked: list[int] = []
    for _ in range(20):
        before = inbox.erp.calls["approvals"]
        for _ in range(24 * 4):
            inbox.clock.pass_(minutes=15)
            inbox.tick()
        asked.append(inbox.erp.calls["approvals"] - before)
    assert asked[0] <= 24
    assert max(asked[3:13]) <= 4
    assert max(asked[15:]) == 1


AT = datetime(2026, 2, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "wait"),
    [(0, 1), (47, 1), (48, 6), (14 * 24 - 1, 6), (14 * 24, 24), (9999, 24)],
)
def test_the_older_the_newest_that_waits_the_seldomer_it_is_asked_for(age: int, wait: int) -> None:
    assert next_check(AT - timedelta(hours=age), AT) == AT + timedelta(hours=wait)


def test_nothing_that_waits_is_asked_for_never() -> None:
    assert next_check(None, AT) is None


@pytest.mark.parametrize("status", [ConnectionStatus.PAUSED, ConnectionStatus.REAUTH_REQUIRED])
def test_a_connection_at_rest_is_not_asked_and_is_asked_again_when_it_works(
    inbox: SyncHub, status: ConnectionStatus
) -> None:
    number = inbox.erp.approve(hand_over(inbox))
    connection = inbox.connections.connection
    assert connection is not None
    inbox.connections.connection = connection.model_copy(update={"status": status})
    for _ in range(24):
        by_clock(inbox)
    assert (inbox.erp.calls["approvals"], set(inbox.looks)) == (0, {None})
    inbox.connections.connection = connection
    inbox.clock.pass_(hours=6)
    inbox.tick()
    assert inbox.entry(Z, "Z1").reference == number


# --- the cursor -------------------------------------------------------------------------------------------------------


def test_changes_are_read_from_the_last_look_with_an_overlap_and_none_is_passed_over(inbox: SyncHub) -> None:
    began = inbox.clock()
    hand_over(inbox)
    hand_over(inbox, 2)
    inbox.clock.pass_(days=3)
    inbox.transfer()
    looked = inbox.clock()
    inbox.clock.pass_(minutes=5)
    inbox.transfer()
    assert inbox.erp.asked_since[0] == began - OVERLAP
    assert inbox.erp.asked_since[-1] == looked - OVERLAP


def test_an_approval_that_the_erp_shows_late_is_seen(inbox: SyncHub) -> None:
    reference = hand_over(inbox)
    inbox.clock.pass_(minutes=30)
    approved_at = inbox.clock()
    inbox.transfer()
    inbox.erp.approve(reference)
    inbox.erp.records[reference].changed_at = approved_at - timedelta(minutes=5)
    by_clock(inbox)
    assert inbox.entry(Z, "Z1").reference == f"L{reference}"


def test_a_company_that_does_not_answer_keeps_back_no_other_and_is_not_passed_over(hub: SyncHub) -> None:
    books = [
        {"departments": ["Oslo"], "company": "1", "department": "10"},
        {"departments": ["Moss"], "company": "2", "department": "10"},
    ]
    hub.save(settlement_target="inbox", is_automatic=False, locations=books)
    for name, shop in (("A", "Oslo"), ("B", "Moss")):
        fields: dict[str, Any] = {
            "date": "2026-01-31", "number": 7, "department": shop,
            "sales": [{"vat_rate": "25", "amount": "125.00", "vat": "25.00"}],
            "payments": [{"means": "cash", "amount": "125.00"}],
        }  # fmt: skip
        hub.submit("settlement", name, **fields)
    hub.transfer()
    first, second = hub.entry(Z, "A"), hub.entry(Z, "B")
    hub.erp.approve(first.reference)
    hub.erp.approve(second.reference)
    hub.erp.silent_companies = {"1"}
    done = hub.transfer()
    assert done.not_read["approvals"]["code"] == "erp_timeout"
    assert [hub.entry(Z, name).awaiting_approval for name in "AB"] == [True, False]
    hub.clock.pass_(hours=5)
    hub.erp.silent_companies = set()
    by_clock(hub)
    assert [hub.entry(Z, name).awaiting_approval for name in "AB"] == [False, False]


# --- faults -----------------------------------------------------------------------------------------------------------


def test_an_erp_that_does_not_answer_is_asked_again_an_hour_later(inbox: SyncHub) -> None:
    number = inbox.erp.approve(hand_over(inbox))
    inbox.erp.down = True
    by_clock(inbox)
    [look] = inbox.looks
    assert look is not None
    assert (look.problem["code"], look.succeeded) == ("erp_unreachable", False)
    inbox.erp.down = False
    by_clock(inbox)
    assert inbox.looks[-1] is not None
    assert inbox.looks[-1].succeeded
    assert inbox.entry(Z, "Z1").reference == number


def test_refused_credentials_are_the_connections_matter(inbox: SyncHub) -> None:
    hand_over(inbox)
    inbox.erp.sees = "wrong"
    by_clock(inbox)
    assert inbox.looks[0] is not None
    assert inbox.looks[0].problem["code"] == "credentials_refused"


def test_the_tills_documents_go_though_the_inbox_cannot_be_read(
    inbox: SyncHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_over(inbox)

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(type(inbox.erp), "approvals", broken)
    inbox.settlement(2)
    done = inbox.transfer()
    assert (done.counts.sent, done.not_read["approvals"]["code"]) == (1, "internal_error")
    assert done.status is TransferStatus.PARTIALLY_SUCCEEDED


STEPS = ["get_many", "save_many"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("verdict", ["approve", "discard"])
def test_a_worker_that_dies_at_its_look_tells_and_keeps_everything_once(
    inbox: SyncHub, monkeypatch: pytest.MonkeyPatch, step: str, after: bool, verdict: str
) -> None:
    reference = hand_over(inbox)
    getattr(inbox.erp, verdict)(reference)
    real, kind = getattr(type(inbox.entries), step), type(inbox.entries)

    def dies(*args: Any) -> Any:
        monkeypatch.setattr(kind, step, real)
        if after:
            real(*args)
        raise Died

    monkeypatch.setattr(kind, step, dies)
    by_clock(inbox)
    inbox.clock.pass_(minutes=16)
    inbox.tick()
    entry = inbox.entry(Z, "Z1")
    wanted = (EntryStatus.SENT, f"L{reference}") if verdict == "approve" else (EntryStatus.DISCARDED, reference)
    assert (entry.status, entry.reference) == wanted
    assert len(inbox.notices.codes) == 1
    by_clock(inbox)
    assert inbox.sync().approvals_due_at is None


def test_two_looks_at_once_keep_and_tell_it_once(inbox: SyncHub, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = hand_over(inbox)
    inbox.erp.approve(reference, MOVED)
    real, kind = type(inbox.erp).approvals, type(inbox.erp)

    def meanwhile(*args: Any) -> Any:
        monkeypatch.setattr(kind, "approvals", real)
        inbox.transfer()
        return real(*args)

    monkeypatch.setattr(kind, "approvals", meanwhile)
    by_clock(inbox)
    entry = inbox.entry(Z, "Z1")
    assert (entry.reference, len(entry.edits), inbox.notices.codes) == (f"L{reference}", 1, ["voucher_approved"])


def test_what_somebody_does_meanwhile_is_not_overwritten(inbox: SyncHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_over(inbox)
    inbox.erp.discard("1")
    inbox.transfer()
    hand_over(inbox, 2)
    real, kind = type(inbox.erp).approvals, type(inbox.erp)

    def meanwhile(*args: Any) -> Any:
        monkeypatch.setattr(kind, "approvals", real)
        inbox.exports.skip(CLIENT, CONNECTION, named(inbox), "ada", SkipRequest(reason="Ført for hånd"))
        inbox.erp.approve("1")
        return real(*args)

    monkeypatch.setattr(kind, "approvals", meanwhile)
    inbox.transfer()
    assert inbox.entry(Z, "Z1").status is EntryStatus.SKIPPED


@pytest.mark.parametrize("fault", ["lost_after", "late", "die_after"])
def test_a_voucher_whose_answer_was_lost_and_that_was_approved_since_is_found_with_its_edits(
    inbox: SyncHub, fault: str
) -> None:
    inbox.erp.faults = [fault]
    inbox.settlement(1)
    inbox.transfer()
    inbox.erp.let_late_requests_through()
    [record] = inbox.vouchers(Z, "Z1")
    number = inbox.erp.approve(record.reference, MOVED)
    inbox.clock.pass_(minutes=30)
    inbox.transfer()
    entry = inbox.entry(Z, "Z1")
    assert (entry.status, entry.reference, entry.awaiting_approval) == (EntryStatus.SENT, number, False)
    assert ([edit.in_erp for edit in entry.edits], entry.approved_at is not None) == (["-90.00"], True)
    assert len(inbox.vouchers(Z, "Z1")) == 1


@pytest.mark.parametrize("fault", ["lost_after", "late", "die_after"])
def test_what_was_sent_again_knowingly_and_lost_its_answer_is_there_once(inbox: SyncHub, fault: str) -> None:
    inbox.erp.discard(hand_over(inbox))
    inbox.transfer()
    retry(inbox, knowingly=True)
    inbox.erp.faults = [fault]
    inbox.transfer()
    inbox.erp.let_late_requests_through()
    for _ in range(3):
        inbox.clock.pass_(minutes=30)
        inbox.transfer()
    entry = inbox.entry(Z, "Z1")
    assert (entry.status, entry.awaiting_approval, len(inbox.vouchers(Z, "Z1"))) == (EntryStatus.SENT, True, 2)


def test_settings_that_changed_since_do_not_count_as_edits(inbox: SyncHub) -> None:
    inbox.erp.faults = ["lost_after"]
    inbox.settlement(1)
    inbox.transfer()
    inbox.save(voucher_type="5", accounts={"sales": {"25": "3010"}, "payment_means": {"cash": "1900"}})
    inbox.clock.pass_(minutes=30)
    inbox.transfer()
    entry = inbox.entry(Z, "Z1")
    assert (entry.awaiting_approval, entry.sent_routing["sales_accounts"]["25"]) == (True, "3000")


def test_a_worker_that_dies_after_handing_over_leaves_it_looked_after(inbox: SyncHub) -> None:
    inbox.erp.faults = ["die_after"]
    inbox.settlement(1)
    inbox.transfer()
    assert inbox.sync().approvals_due_at is not None


def test_what_waits_is_kept_however_long_and_goes_with_its_time_once_it_has_ended(inbox: SyncHub) -> None:
    inbox.save(retention_days=30)
    reference = hand_over(inbox)
    inbox.clock.pass_(days=60)
    inbox.expire()
    assert inbox.entry(Z, "Z1").body
    inbox.erp.approve(reference)
    inbox.transfer()
    inbox.clock.pass_(days=60)
    inbox.expire()
    entry = inbox.entry(Z, "Z1")
    assert (entry.forgotten, entry.reference) == (True, f"L{reference}")
