"""The till scene tells what does not add up: each settlement in its own books once, and the ERP's own trial balance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from erphub.sync.documents.saft_cash_register import read_cash_register
from local.demo import cash_register, shop
from local.demo.screen import Screen
from local.demo.shop import ACCOUNTS, COMPANIES, SHOPS, Day, Sums, added, postings
from local.demo.till_balance import TillBalance

type Json = dict[str, Any]
FIRST, LAST = date(2026, 1, 1), date(2026, 1, 4)
MONTH = shop.month(FIRST, 4, 2)
BEFORE: Sums = {3000: Decimal("-17.00"), 1900: Decimal("17.00")}


@dataclass
class Books:
    """The two companies' books, with a voucher for each settlement, and what the hub says of each."""

    companies: dict[int, Json] = field(default_factory=dict[int, Json])
    documents: dict[tuple[str, int], Json] = field(default_factory=dict[tuple[str, int], Json])
    balances: dict[int, Sums] = field(default_factory=dict[int, Sums])

    def company(self, company: int) -> Json:
        return self.companies[company]

    def trial_balance(self, company: int, first: date, last: date) -> Sums:
        assert (first, last) == (FIRST, LAST)
        return self.balances[company]

    def voucher(self, day: Day) -> Json:
        key = f"EH-{self.documents[day.key]['id']}"
        return next(one for one in self.companies[day.shop.company]["vouchers"] if key in one["lines"][0]["comment"])


def voucher(entry: str, number: int, department: str, sums: Sums) -> Json:
    lines = [
        {"account": account, "amount": str(amount), "comment": f"Z EH-{entry}", "dimensions": [[2, department]]}
        for account, amount in sums.items()
    ]
    return {"number": number, "lines": lines, "document": number}


@pytest.fixture
def books() -> Books:
    """As it should be: the second shop's first day was edited, the last shop's first day waits in the inbox."""
    made = Books({number: {"vouchers": [], "drafts": [], "files": [], "accounts": []} for number in COMPANIES})
    edited, waiting = (MONTH[SHOPS[place]][0] for place in (1, 3))
    for number, day in enumerate((day for days in MONTH.values() for day in days), start=1):
        there = made.companies[day.shop.company]
        document: Json = {
            "id": f"E{number:02}", "status": "sent", "code": "", "reference": str(number), "edits": [],
            "document": day.document, "sent_document": day.document, "is_awaiting_approval": day is waiting,
        }  # fmt: skip
        sums = postings(day.document, ACCOUNTS)
        if day is edited:
            sums, document["edits"] = moved(sums)
        made.documents[day.key] = document
        kept = voucher(document["id"], number, day.shop.department, sums)
        if day is waiting:
            there["drafts"].append({"vouchers": [kept]})
        else:
            there["vouchers"].append(kept)
        there["files"].append({"stamp": number, "bytes": 100})
    for number, there in made.companies.items():
        lines = [line for one in there["vouchers"] for line in one["lines"]]
        made.balances[number] = added([BEFORE, *({line["account"]: Decimal(line["amount"])} for line in lines)])
    return made


def moved(sums: Sums) -> tuple[Sums, list[Json]]:
    """The cards on the bank's account instead, and how the hub tells that."""
    card, bank = sums[2380], sums[1920]
    edits = [("1920", bank, bank + card), ("2380", card, "")]
    told = [
        {"field": "amount", "account": account, "handed_over": str(old), "in_erp": str(new)}
        for account, old, new in edits
    ]
    return added([sums, {1920: card, 2380: -card}]), told


def compared(books: Books) -> list[str]:
    before: Mapping[int, Sums] = dict.fromkeys(COMPANIES, BEFORE)
    return TillBalance(Screen(), books, MONTH, books.documents, ACCOUNTS, before).compare()  # type: ignore[arg-type]


def test_a_month_as_it_should_be_sums_to_the_erps_own_trial_balance(books: Books) -> None:
    assert compared(books) == []


DAY, EDITED, WAITING = MONTH[SHOPS[0]][2], MONTH[SHOPS[1]][0], MONTH[SHOPS[3]][0]
CAFE, SHOP = COMPANIES


def twice(books: Books) -> None:
    books.companies[CAFE]["vouchers"].append(books.voucher(DAY))


def elsewhere(books: Books) -> None:
    books.companies[SHOP]["vouchers"].append(books.voucher(DAY))


def missing(books: Books) -> None:
    books.companies[CAFE]["vouchers"].remove(books.voucher(DAY))


def approved_unseen(books: Books) -> None:
    books.companies[SHOP]["vouchers"].append(books.companies[SHOP]["drafts"].pop()["vouchers"][0])


def edited_unseen(books: Books) -> None:
    books.documents[EDITED.key]["edits"] = []


def other_department(books: Books) -> None:
    books.voucher(DAY)["lines"][0]["dimensions"] = [[2, "2"]]


def other_number(books: Books) -> None:
    books.documents[DAY.key]["reference"] = "999"


def no_pages(books: Books) -> None:
    books.voucher(DAY)["document"] = None


def not_sent(books: Books) -> None:
    books.documents[DAY.key]["status"] = "uncertain"


def not_kept(books: Books) -> None:
    del books.documents[DAY.key]


def an_ore_more_was_kept(books: Books) -> None:
    day = books.documents[DAY.key]["document"]
    sales = [day["sales"][0] | {"amount": str(Decimal(day["sales"][0]["amount"]) + Decimal("0.01"))}, *day["sales"][1:]]
    books.documents[DAY.key]["document"] = day | {"sales": sales}


def an_ore_more_in_the_balance(books: Books) -> None:
    books.balances[CAFE] = added([books.balances[CAFE], {1900: Decimal("0.01"), 3000: Decimal("-0.01")}])


def a_balance_of_one_side(books: Books) -> None:
    books.balances[SHOP] = added([books.balances[SHOP], {6300: Decimal("5.00")}])


@pytest.mark.parametrize(
    ("goes_wrong", "words"),
    [
        (twice, "2 times in its ledger"),
        (elsewhere, "another company's books"),
        (missing, "0 times in its ledger"),
        (approved_unseen, "0 times in the ERP's inbox and 1 times in its ledger"),
        (edited_unseen, "not what the hub says"),
        (other_department, "department 1, 2"),
        (other_number, "the hub calls it 999"),
        (no_pages, "no pages"),
        (not_sent, "is uncertain"),
        (not_kept, "does not keep"),
        (an_ore_more_was_kept, "not what the till counted"),
        (an_ore_more_in_the_balance, "account 1900: the hub posted"),
        (a_balance_of_one_side, "trial balance does not balance by 5.00"),
    ],
)
def test_whatever_is_not_as_it_should_be_is_told(books: Books, goes_wrong: Callable[[Books], None], words: str) -> None:
    goes_wrong(books)
    assert any(words in told for told in compared(books)), words


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252", "utf-16"])
def test_a_registers_file_holds_the_shops_days_in_any_encoding(encoding: str) -> None:
    days = MONTH[SHOPS[2]]
    read = read_cash_register(cash_register.written(days, encoding))
    assert (read.refused, read.open_transactions) == ([], {})
    for day, one in zip(days, read.settlements, strict=True):
        document = one.document.model_dump(mode="json")
        assert (document["department"], document["number"], document["date"]) == (*day.key, day.day.isoformat())
        assert postings(document, ACCOUNTS) == postings(day.document, ACCOUNTS)


def test_the_chain_has_four_shops_two_companies_and_three_departments() -> None:
    assert len({one.name for one in SHOPS}) == 4
    assert {one.company for one in SHOPS} == set(COMPANIES)
    assert len({(one.company, one.department) for one in SHOPS}) == 3
