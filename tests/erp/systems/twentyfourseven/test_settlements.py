"""A till's day reaches the ledger or the inbox once, to the øre, with its PDF, whatever happens on the way."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from erphub.erp.documents import DocumentKind
from erphub.erp.systems.twentyfourseven.system import TwentyFourSevenOffice
from erphub.platform.errors import ErpRefused, HubError, Unavailable, Uncertain
from local.erps.twentyfourseven import App, seed
from tests.erp.systems.twentyfourseven.conftest import KEY, PDF, Connect, Time, posting, settlement

POST = {"organisation": "rest:POST /transactions", "user": "soap:SaveBundleList"}
Z = DocumentKind.SETTLEMENT


def ledger(app: App) -> list[Any]:
    return list(app.world.organisation(seed.SHOP).vouchers.values())


def sums(voucher: Any) -> dict[int, Decimal]:
    found: dict[int, Decimal] = defaultdict(Decimal)
    for line in voucher.lines:
        found[line.account] += line.amount
    return {account: amount for account, amount in found.items() if amount}


def test_a_settlement_is_posted_to_the_accounts_chosen_with_the_tills_own_vat(
    system: TwentyFourSevenOffice, app: App
) -> None:
    posted = system.push(settlement(app), posting())
    [voucher] = ledger(app)
    assert sums(voucher) == {
        3000: Decimal("-1000.00"),
        2700: Decimal("-250.00"),
        3001: Decimal("-200.01"),
        2701: Decimal("-30.00"),
        3100: Decimal("-99.90"),
        1900: Decimal("400.00"),
        1920: Decimal("1000.00"),
        1910: Decimal("679.91"),
        2900: Decimal("-500.00"),
        7740: Decimal("-0.09"),
        7745: Decimal("0.09"),
        4390: Decimal("610.50"),
        1460: Decimal("-610.50"),
    }
    assert voucher.total == 0
    assert all(KEY in line.comment and len(line.comment) <= 75 for line in voucher.lines)
    assert all((2, "1") in line.dimensions for line in voucher.lines)
    assert posted.reference in (voucher.id, str(voucher.number))
    assert not posted.awaiting_approval


def test_without_stock_change_the_stock_is_left_alone(system: TwentyFourSevenOffice, app: App) -> None:
    system.push(settlement(app), posting(routing={"stock_change": False}))
    assert not {4390, 1460} & sums(ledger(app)[0]).keys()


def test_preview_shows_what_is_sent_and_sends_nothing(system: TwentyFourSevenOffice, app: App) -> None:
    [call] = system.preview(settlement(app), posting())
    assert "1250" in str(call)
    assert KEY in str(call)
    assert ledger(app) == []


def test_what_was_posted_is_found_by_its_key_and_nothing_else_is(system: TwentyFourSevenOffice, app: App) -> None:
    posted = system.push(settlement(app), posting())
    found = system.find(Z, posting(), settlement(app))
    assert found is not None
    assert found.reference == posted.reference
    assert system.find(Z, posting("EH-OTHER"), settlement(app)) is None


def test_the_pdf_goes_with_the_voucher(system: TwentyFourSevenOffice, app: App) -> None:
    posted = system.push(settlement(app), posting(pdf=PDF, pdf_name="Z-17.pdf"))
    assert posted.attached
    [voucher] = ledger(app)
    documents = {line.document for line in voucher.lines}
    assert len(documents) == 1
    assert None not in documents
    found = system.find(Z, posting(), settlement(app))
    assert found is not None
    assert found.attached


@pytest.mark.parametrize("way", ["organisation", "user"])
@pytest.mark.parametrize("fault", ["error_after", "timeout_after", "cut_after", "half"])
def test_an_answer_that_is_lost_after_posting_leaves_exactly_one_voucher(
    way: str, fault: str, request: pytest.FixtureRequest, app: App
) -> None:
    system = request.getfixturevalue(f"by_{way}")()
    app.faults.add(POST[way], fault)
    with pytest.raises(Uncertain):
        system.push(settlement(app), posting(pdf=PDF))
    found = system.find(Z, posting(pdf=PDF), settlement(app))
    assert found is not None
    assert found.attached
    assert len(ledger(app)) == 1


@pytest.mark.parametrize("way", ["organisation", "user"])
@pytest.mark.parametrize("fault", ["error_before", "timeout_before", "cut_before"])
def test_a_request_that_is_lost_before_posting_is_looked_for_and_sent_again(
    way: str, fault: str, request: pytest.FixtureRequest, app: App
) -> None:
    system = request.getfixturevalue(f"by_{way}")()
    app.faults.add(POST[way], fault)
    with pytest.raises(Uncertain):
        system.push(settlement(app), posting(pdf=PDF))
    assert system.find(Z, posting(pdf=PDF), settlement(app)) is None
    system.push(settlement(app), posting(pdf=PDF))
    assert len(ledger(app)) == 1


@pytest.mark.parametrize("fault", ["error_after", "timeout_after", "cut_after", "half", "error_before", "cut_before"])
def test_a_draft_whose_answer_is_lost_ends_as_exactly_one_draft(
    user: TwentyFourSevenOffice, app: App, fault: str
) -> None:
    inbox = {"target": "inbox"}
    app.faults.add("soap:SaveBundleList", fault)
    with pytest.raises(Uncertain):
        user.push(settlement(app), posting(pdf=PDF, routing=inbox))
    if user.find(Z, posting(pdf=PDF, routing=inbox), settlement(app)) is None:
        user.push(settlement(app), posting(pdf=PDF, routing=inbox))
    org = app.world.organisation(seed.SHOP)
    assert len(org.drafts) == 1
    assert len({document.stamp for document in org.documents.values()}) == 1  # the pages of the first try, used again
    assert ledger(app) == []


def test_a_draft_waits_in_the_inbox_with_an_image_of_every_page(user: TwentyFourSevenOffice, app: App) -> None:
    posted = user.push(settlement(app), posting(pdf=PDF, routing={"target": "inbox"}))
    assert posted.awaiting_approval
    assert posted.attached
    org = app.world.organisation(seed.SHOP)
    [draft] = org.drafts.values()
    assert KEY in draft.name
    pages = list(org.documents.values())
    assert len(pages) == 2
    assert all(page.content.startswith(b"\x89PNG") for page in pages)
    entries = draft.bundle["Vouchers"][0]["Entries"]
    assert {entry["StampNo"] for entry in entries} == {pages[0].stamp}
    assert sum(entry["Amount"] for entry in entries) == 0
    found = user.find(Z, posting(pdf=PDF, routing={"target": "inbox"}), settlement(app))
    assert found is not None
    assert found.awaiting_approval
    assert found.reference == posted.reference


def test_a_draft_without_pages_cannot_be_told_from_none(user: TwentyFourSevenOffice, app: App) -> None:
    user.push(settlement(app), posting(routing={"target": "inbox"}))
    with pytest.raises(Uncertain) as caught:
        user.find(Z, posting(routing={"target": "inbox"}), settlement(app))
    assert caught.value.code == "draft_not_readable"


def test_an_organisation_cannot_reach_the_inbox_and_says_so(organisation: TwentyFourSevenOffice, app: App) -> None:
    with pytest.raises(ErpRefused) as caught:
        organisation.push(settlement(app), posting(routing={"target": "inbox"}))
    assert caught.value.code == "inbox_needs_user"


@pytest.mark.parametrize(
    ("routing", "code"),
    [
        ({"sales_accounts": {"25": "3000", "0": "3100"}}, "account_not_chosen"),
        ({"sales_accounts": {"25": "9999", "15": "3001", "0": "3100"}}, "account_missing"),
        ({"voucher_type": ""}, "voucher_type_not_chosen"),
        ({"department": "77"}, "department_missing"),
        ({"inventory_account": ""}, "account_not_chosen"),
        ({"company": "4711"}, "company_gone"),
    ],
)
def test_what_cannot_be_posted_is_refused_with_the_reason_and_uploads_nothing(
    system: TwentyFourSevenOffice, app: App, routing: dict[str, Any], code: str
) -> None:
    with pytest.raises(ErpRefused) as caught:
        system.push(settlement(app), posting(pdf=PDF, routing=routing))
    assert caught.value.code == code
    assert ledger(app) == []
    assert app.world.organisation(seed.SHOP).documents == {}


def test_a_closed_period_is_the_erps_own_refusal_in_its_words(system: TwentyFourSevenOffice, app: App) -> None:
    closed = settlement(app).model_copy(update={"date": settlement(app).date.replace(year=app.world.now().year - 2)})
    with pytest.raises(ErpRefused) as caught:
        system.push(closed, posting())
    assert "closed" in str(caught.value.members["erp_message"])
    assert ledger(app) == []


def test_another_currency_is_not_posted_as_kroner(system: TwentyFourSevenOffice, app: App) -> None:
    with pytest.raises(ErpRefused) as caught:
        system.push(settlement(app, currency="EUR"), posting())
    assert caught.value.code == "currency_differs"


def test_a_pdf_that_is_none_is_left_out_and_said(system: TwentyFourSevenOffice, app: App) -> None:
    posted = system.push(settlement(app), posting(pdf=b"hello"))
    assert not posted.attached
    assert posted.details["attachment_problem"]["code"] in ("attachment_refused", "pdf_unreadable")
    assert len(ledger(app)) == 1


@pytest.mark.parametrize("operation", ["rest:POST /fileUpload", "upload", "rest:GET /fileUpload/{fileId}"])
def test_a_voucher_waits_for_an_upload_that_does_not_work_now(
    organisation: TwentyFourSevenOffice, app: App, operation: str
) -> None:
    app.faults.add(operation, "error_before", times=None)
    with pytest.raises(Unavailable) as caught:
        organisation.push(settlement(app), posting(pdf=PDF))
    assert caught.value.code == "attachment_unavailable"
    assert ledger(app) == []
    app.faults.clear()
    assert organisation.push(settlement(app), posting(pdf=PDF)).attached


def test_the_ledger_takes_no_pdf_afterwards_which_is_said(organisation: TwentyFourSevenOffice, app: App) -> None:
    posted = organisation.push(settlement(app), posting())
    with pytest.raises(ErpRefused) as caught:
        organisation.attach(posted, posting(), PDF, "Z-17.pdf")
    assert caught.value.code == "attachment_too_late"


def test_a_voucher_names_its_type_by_the_number_that_people_see(user: TwentyFourSevenOffice, app: App) -> None:
    types = {choice.key: choice.title for choice in user.setup(str(seed.SHOP)).voucher_types}
    assert types == {
        str(one.number): one.name for one in app.world.organisation(seed.SHOP).types.values() if one.number > 0
    }
    user.push(settlement(app), posting(routing={"voucher_type": "3"}))
    [voucher] = ledger(app)
    assert app.world.organisation(seed.SHOP).types[voucher.type_id].number == 3
    with pytest.raises(ErpRefused) as caught:
        user.push(settlement(app), posting("EH-OTHER", routing={"voucher_type": "103"}))
    assert caught.value.code == "voucher_type_missing"


def test_pages_that_come_afterwards_go_to_the_retrieval_inbox(user: TwentyFourSevenOffice, app: App) -> None:
    posted = user.push(settlement(app), posting())
    assert user.attach(posted, posting(), PDF, "Z-17.pdf").attached
    assert {page.location for page in app.world.organisation(seed.SHOP).documents.values()} == {"Retrieval"}


@pytest.mark.parametrize("nth", [0, 1])
@pytest.mark.parametrize("fault", ["error_after", "timeout_after", "error_before", "cut_before"])
def test_pages_whose_answer_was_lost_are_in_the_inbox_once(user: Any, app: App, fault: str, nth: int) -> None:
    posted = user.push(settlement(app), posting())
    app.faults.add("soap:Save", fault, after=nth)
    for _ in range(2):
        try:
            user.attach(posted, posting(), PDF, "Z-17.pdf")
        except (Unavailable, Uncertain):
            continue
    user.attach(posted, posting(), PDF, "Z-17.pdf")
    pages = saved_pages(app)
    assert len(pages) == 2
    assert len({page.stamp for page in pages}) == 1


def test_a_corrected_settlement_goes_with_its_own_pages_and_not_with_those_of_the_first_try(
    user: TwentyFourSevenOffice, app: App
) -> None:
    inbox, corrected = {"target": "inbox"}, PDF.replace(b"200 280", b"400 560")
    app.faults.add("soap:SaveBundleList", "not_saved")
    with pytest.raises(ErpRefused):
        user.push(settlement(app), posting(pdf=PDF, routing=inbox))
    old = {page.id for page in saved_pages(app)}
    posted = user.push(settlement(app, comment="counted again"), posting(pdf=corrected, routing=inbox))
    new = [page for page in saved_pages(app) if page.id not in old]
    assert posted.attached
    assert len(new) == 2
    assert posted.reference == f"stamp {new[0].stamp}"
    assert new[0].stamp not in {page.stamp for page in saved_pages(app) if page.id in old}


def test_pages_that_were_saved_by_half_are_completed(user: TwentyFourSevenOffice, app: App) -> None:
    inbox = {"target": "inbox"}
    app.faults.add("soap:Save", "error_before", after=1, times=None)
    with pytest.raises((Unavailable, Uncertain)):
        user.push(settlement(app), posting(pdf=PDF, routing=inbox))
    assert len(saved_pages(app)) == 1
    app.faults.clear()
    assert user.push(settlement(app), posting(pdf=PDF, routing=inbox)).attached
    assert len(saved_pages(app)) == 2


def saved_pages(app: App) -> list[Any]:
    return [page for page in app.world.organisation(seed.SHOP).documents.values() if page.saved is not None]


def test_a_number_that_somebody_else_took_is_read_again(user: TwentyFourSevenOffice, app: App) -> None:
    app.faults.add("soap:SaveBundleList", "duplicate_data")
    posted = user.push(settlement(app), posting())
    assert [str(voucher.number) for voucher in ledger(app)] == [posted.reference]


def test_what_was_saved_already_is_not_saved_again(user: TwentyFourSevenOffice, app: App) -> None:
    app.faults.add("soap:SaveBundleList", "timeout_after")
    with pytest.raises(Uncertain):
        user.push(settlement(app), posting())
    # Sent again without a look: the number read is the next one, and only the key tells. The look is what keeps it one.
    found = user.find(Z, posting(), settlement(app))
    assert found is not None
    assert len(ledger(app)) == 1


@pytest.mark.parametrize(
    ("answer", "expected"), [("not_saved", ErpRefused), ("system_error", Uncertain), ("data_already_saved", None)]
)
def test_each_answer_of_save_means_something_else(
    user: TwentyFourSevenOffice, app: App, answer: str, expected: type[HubError] | None
) -> None:
    app.faults.add("soap:SaveBundleList", answer)
    if expected is None:
        assert user.push(settlement(app), posting()).reference
        return
    with pytest.raises(expected):
        user.push(settlement(app), posting())


def test_two_workers_that_follow_each_other_make_one_voucher(connect: Connect, app: App) -> None:
    connect().push(settlement(app), posting())
    assert connect().find(Z, posting(), settlement(app)) is not None
    assert len(ledger(app)) == 1


def test_a_day_with_thousands_of_lines_is_searched_to_its_end(organisation: TwentyFourSevenOffice, app: App) -> None:
    for number in range(1, 130):
        organisation.push(settlement(app, number), posting(f"EH-BEFORE-{number:04}"))
    app.world.calls.clear()
    organisation.push(settlement(app, 999), posting())
    found = organisation.find(Z, posting(), settlement(app))
    assert found is not None
    assert app.world.calls["rest:GET /transactionlines"] >= 2


def test_a_rate_limit_is_waited_out_when_it_is_short(
    organisation: TwentyFourSevenOffice, app: App, clock: Time
) -> None:
    app.faults.add("rest:POST /transactions", "rate_limited", seconds=3)
    before = clock.now
    organisation.push(settlement(app), posting())
    assert (clock.now - before).total_seconds() >= 3
    assert len(ledger(app)) == 1


def test_a_long_rate_limit_is_the_schedulers_business(organisation: TwentyFourSevenOffice, app: App) -> None:
    app.faults.add("rest:POST /transactions", "rate_limited", seconds=600)
    with pytest.raises(Unavailable) as caught:
        organisation.push(settlement(app), posting())
    assert caught.value.members["retry_after"] == 600
    with pytest.raises(Unavailable):  # everybody else who shares the connection waits too, without asking the ERP
        organisation.push(settlement(app, 18), posting("EH-18"))
    assert ledger(app) == []
