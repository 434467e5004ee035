"""What an accountant makes of a settlement in the inbox is seen: approved, edited first, discarded, or not yet."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from erphub.erp.approvals import Approval, AwaitedVoucher, Edit, Verdict
from erphub.erp.posting import Posted, Posting
from erphub.erp.systems.twentyfourseven.soap_inbox import SoapInbox
from erphub.erp.systems.twentyfourseven.system import TwentyFourSevenOffice
from erphub.platform.errors import Unavailable
from local.erps.twentyfourseven import App, admin, seed
from tests.erp.systems.twentyfourseven.conftest import KEY, PDF, Connect, Time, day, posting, settlement

INBOX = {"target": "inbox"}
OTHER = "EH-01JD8ZK4M2X7Q9T3V5W6Y8A0BD"
SHOP = str(seed.SHOP)


class Inbox:
    """The hub's side of the inbox, and the accountant's."""

    def __init__(self, app: App, user: TwentyFourSevenOffice, clock: Time) -> None:
        self.app, self.user, self.clock = app, user, clock
        self.awaited: list[AwaitedVoucher] = []

    def hand_over(self, key: str = KEY, pdf: bytes | None = PDF, number: int = 17, **routing: Any) -> Posted:
        wanted = posting(key, pdf=pdf, pdf_name="Z.pdf", routing=INBOX | routing)
        document, before = settlement(self.app, number), self.clock()
        posted = self.user.push(document, wanted)
        assert posted.awaiting_approval
        as_kept = Posting(key, wanted.routing)
        self.awaited.append(AwaitedVoucher(document, as_kept, posted.reference, before))
        return posted

    def look(self, since: datetime | None = None) -> dict[str, Approval]:
        since = since or self.awaited[0].handed_over_at - timedelta(hours=1)
        return dict(self.user.approvals(self.awaited, since, SHOP))

    @property
    def drafts(self) -> list[int]:
        return list(self.app.world.organisation(seed.SHOP).drafts)

    def does(self, what: str, **how: Any) -> Any:
        self.clock.sleep(60)
        return admin.ACTIONS[f"drafts/{what}"](self.app.world, {"draft": self.drafts[0]} | how)


@pytest.fixture
def inbox(app: App, user: TwentyFourSevenOffice, clock: Time) -> Inbox:
    return Inbox(app, user, clock)


@pytest.mark.parametrize("pdf", [PDF, None], ids=["with pages", "without"])
def test_what_waits_is_not_told(inbox: Inbox, pdf: bytes | None) -> None:
    inbox.hand_over(pdf=pdf)
    assert inbox.look() == {}


@pytest.mark.parametrize("pdf", [PDF, None], ids=["with pages", "without"])
@pytest.mark.parametrize("department", ["1", ""])
def test_what_was_approved_as_it_was_has_its_number_and_no_edit(
    inbox: Inbox, pdf: bytes | None, department: str
) -> None:
    inbox.hand_over(pdf=pdf, department=department)
    [made] = inbox.does("approve")["vouchers"]
    assert inbox.look() == {KEY: Approval(Verdict.APPROVED, str(made["number"]))}


EDITS: list[tuple[dict[str, Any], list[Edit]]] = [
    ({"lines": [{"line": 0, "account": 3001, "tax": "3"}]}, [
        Edit("amount", "-1000.00", "", "3000"), Edit("amount", "-200.01", "-1200.01", "3001"),
    ]),
    ({"lines": [{"line": 3, "amount": "390.00"}, {"line": 4, "amount": "1010.00"}]}, [
        Edit("amount", "400.00", "390.00", "1900"), Edit("amount", "1000.00", "1010.00", "1920"),
    ]),
    ({"lines": [{"line": 0, "vat": "-240.00"}]}, [
        Edit("amount", "-250.00", "-240.00", "2700"), Edit("amount", "-1000.00", "-1010.00", "3000"),
    ]),
    ({"lines": [{"line": 0, "department": 2}]}, [Edit("department", "1", "2", "3000")]),
    ({"lines": [{"line": 3, "comment": "Counted again"}]}, [
        Edit("text", f"Z17 Oslo Cash {KEY}", "Counted again", "1900"),
    ]),
    ({"type": 1}, [Edit("voucher_type", "3", "1")]),
    ({"number": 4711}, []),
]  # fmt: skip


@pytest.mark.parametrize(("change", "edits"), EDITS)
def test_what_was_edited_before_its_approval_is_told(inbox: Inbox, change: dict[str, Any], edits: list[Edit]) -> None:
    inbox.hand_over()
    inbox.does("edit", **change)
    [made] = inbox.does("approve")["vouchers"]
    assert inbox.look() == {KEY: Approval(Verdict.APPROVED, str(made["number"]), tuple(edits))}


def test_another_day_is_told_and_found_however_far_away(inbox: Inbox, app: App) -> None:
    inbox.hand_over()
    moved = day(app).replace(month=7)
    inbox.does("edit", date=moved.isoformat())
    inbox.does("approve")
    assert inbox.look()[KEY].edits == (Edit("date", day(app).isoformat(), moved.isoformat()),)


def test_a_voucher_whose_every_text_was_replaced_is_known_by_its_pages(inbox: Inbox) -> None:
    inbox.hand_over()
    inbox.does("edit", lines=[{"line": place, "comment": "Day"} for place in range(11)])
    [made] = inbox.does("approve")["vouchers"]
    seen = inbox.look()[KEY]
    assert (seen.verdict, seen.reference) == (Verdict.APPROVED, str(made["number"]))
    assert {edit.field for edit in seen.edits} == {"text"}


def test_what_was_discarded_is_told(inbox: Inbox) -> None:
    inbox.hand_over()
    inbox.does("discard")
    assert inbox.look() == {KEY: Approval(Verdict.DISCARDED)}


def test_without_pages_nobody_can_tell_that_it_was_discarded(inbox: Inbox) -> None:
    inbox.hand_over(pdf=None)
    inbox.does("discard")
    assert inbox.look() == {}


def test_pages_that_are_gone_say_nothing_of_their_draft(inbox: Inbox, app: App) -> None:
    inbox.hand_over()
    inbox.does("edit", lines=[{"line": place, "comment": f"Day {KEY}"} for place in range(11)])
    app.world.organisation(seed.SHOP).documents.clear()
    assert inbox.look() == {}


def test_each_of_several_is_told_by_itself(inbox: Inbox) -> None:
    keys = [f"{KEY[:-1]}{mark}" for mark in "ABC"]
    for number, key in enumerate(keys, start=17):
        inbox.hand_over(key, number=number)
    first, second, _ = inbox.drafts
    inbox.does("approve", draft=first)
    inbox.does("discard", draft=second)
    verdicts = {key: approval.verdict for key, approval in inbox.look().items()}
    assert verdicts == {keys[0]: Verdict.APPROVED, keys[1]: Verdict.DISCARDED}


def test_an_approval_older_than_what_is_read_is_found_by_its_pages(inbox: Inbox) -> None:
    inbox.hand_over()
    inbox.does("approve")
    inbox.clock.sleep(86_400)
    assert inbox.look(since=inbox.clock())[KEY].verdict is Verdict.APPROVED


def test_a_correction_of_it_is_not_taken_for_it(inbox: Inbox, app: App) -> None:
    inbox.hand_over()
    [made] = inbox.does("approve")["vouchers"]
    books = app.world.organisation(seed.SHOP)
    inbox.clock.sleep(60)
    original = next(iter(books.vouchers.values()))
    lines = [
        replace(line, voucher="c", number=1, amount=-line.amount, created=inbox.clock()) for line in original.lines
    ]
    books.add(replace(original, id="c", number=1, lines=lines))
    assert inbox.look()[KEY].reference == str(made["number"])


def test_what_was_sent_again_after_it_was_discarded_waits_and_is_approved(inbox: Inbox) -> None:
    inbox.hand_over()
    inbox.does("discard")
    assert inbox.look()[KEY].verdict is Verdict.DISCARDED
    inbox.awaited.clear()
    inbox.hand_over()
    assert inbox.look() == {}
    inbox.does("approve")
    assert inbox.look()[KEY].verdict is Verdict.APPROVED


@pytest.mark.parametrize("call", ["GetFileInfo", "GetTransactions"])
@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("kind", ["error_before", "timeout_after", "cut_before", "half", "quarantine"])
def test_a_look_that_fails_tells_nothing_and_the_next_tells_all(
    inbox: Inbox, app: App, call: str, after: int, kind: str
) -> None:
    inbox.hand_over()
    inbox.hand_over(OTHER, number=18)
    approved, discarded = inbox.drafts
    inbox.does("approve", draft=approved)
    inbox.does("discard", draft=discarded)
    app.faults.add(f"soap:{call}", kind, after=after, times=None)
    with pytest.raises(Unavailable):
        inbox.look()
    app.faults.clear()
    inbox.clock.sleep(3600)
    assert {key: seen.verdict for key, seen in inbox.look().items()} == {
        KEY: Verdict.APPROVED,
        OTHER: Verdict.DISCARDED,
    }


def test_what_somebody_approves_between_two_questions_is_never_taken_for_discarded(
    inbox: Inbox, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.hand_over()
    asked = SoapInbox._changed_since
    monkeypatch.setattr(SoapInbox, "_changed_since", lambda self, since: inbox.does("approve") and asked(self, since))
    assert inbox.look()[KEY].verdict is Verdict.APPROVED


def test_amounts_are_compared_where_a_code_has_no_account_of_its_own(inbox: Inbox, app: App) -> None:
    books = app.world.organisation(seed.SHOP)
    books.taxes = {number: replace(tax, account=0) for number, tax in books.taxes.items()}
    inbox.hand_over()
    inbox.does("approve")
    assert inbox.look()[KEY].edits == ()


def test_an_account_that_is_gone_by_then_leaves_its_settlement_uncompared_and_says_so(
    inbox: Inbox, app: App, by_user: Connect
) -> None:
    inbox.hand_over()
    inbox.does("approve")
    inbox.user = by_user()
    del app.world.organisation(seed.SHOP).accounts[2900]
    [edit] = inbox.look()[KEY].edits
    assert (edit.field, "2900" in edit.handed_over, edit.in_erp) == ("not_compared", True, "")


def test_an_organisation_has_no_inbox_and_tells_nothing(organisation: TwentyFourSevenOffice, app: App) -> None:
    waiting = AwaitedVoucher(settlement(app), posting(), "stamp 7", app.world.now())
    assert organisation.approvals([waiting], app.world.now(), SHOP) == {}
