"""The end of the till scene: each settlement in its own shop's books, and what the hub says it sent against the ERP.

The hub's side is what its API answers: each document as it was sent, with what an accountant edited of it. The ERP's
side are its vouchers, and the trial balance of its own interface, less what that was before the scene.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rich.text import Text

from local.demo.erp_books import ErpBooks, drafts_of, sums, vouchers_of
from local.demo.screen import Screen, count, money
from local.demo.shop import COMPANIES, Day, Shop, Sums, added, postings
from local.demo.till_sync import Key

type Json = dict[str, Any]
_DEPARTMENT = 2
"""The ERP's dimension that is the department."""
_GOOD, _BAD = Text("✓", "green"), Text("✗", "bold red")


@dataclass
class TillBalance:
    """What came of the month. `documents` are the hub's, `before` each company's trial balance at the beginning."""

    screen: Screen
    books: ErpBooks
    month: Mapping[Shop, Sequence[Day]]
    documents: Mapping[Key, Json]
    accounts: Json
    """The accounts of the saved settings."""
    before: Mapping[int, Sums]
    mistakes: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self._companies = {number: self.books.company(number) for number in COMPANIES}
        days = [day for some in self.month.values() for day in some]
        self._span = min(one.day for one in days), max(one.day for one in days)

    def compare(self) -> list[str]:
        """Show it all; returns what does not add up. Raises DemoFailed."""
        self._compare_settlements()
        for company in COMPANIES:
            self._compare_balance(company)
        return self.mistakes

    # --- each settlement ---------------------------------------------------------------------------------------------

    def _compare_settlements(self) -> None:
        screen = self.screen
        screen.chapter("Each settlement in its own shop's books")
        screen.say("Read from the stand-in's administration, past the hub:")
        rows: list[Sequence[str | Text]] = []
        for shop, days in self.month.items():
            wrong = [words for day in days for words in self._wrong(day)]
            self.mistakes += wrong
            waiting = sum(self._document(day)["is_awaiting_approval"] for day in days)
            sold = sum((day.sold for day in days), Decimal())
            place = f"{COMPANIES[shop.company].split()[0]}/{shop.department}"
            numbers = [count(len(days)), count(len(days) - waiting), count(waiting)]
            rows.append([shop.name, place, *numbers, money(sold), _BAD if wrong else _GOOD])
        heads = ["shop", "books", "days", "ledger", "inbox", "sold, NOK", ""]
        screen.table(heads, rows, numbers=[2, 3, 4, 5])

    def _document(self, day: Day) -> Json:
        return self.documents.get(day.key) or {"is_awaiting_approval": False}

    def _wrong(self, day: Day) -> list[str]:
        """What is wrong with a settlement, in the hub or in the ERP."""
        document, words = self.documents.get(day.key), f"{day.shop.name}'s Z-report {day.number}"
        if document is None:
            return [f"The hub does not keep {words}"]
        if document["status"] != "sent":
            return [f"{words} is {document['status']}: {document['code']}"]
        if postings(document["document"], self.accounts) != postings(day.document, self.accounts):
            return [f"What the hub keeps of {words} is not what the till counted"]
        entry, elsewhere = document["id"], [one for one in COMPANIES if one != day.shop.company]
        drafts = drafts_of(self._companies[day.shop.company]["drafts"], entry)
        vouchers = vouchers_of(self._companies[day.shop.company]["vouchers"], entry)
        wanted = (1, 0) if document["is_awaiting_approval"] else (0, 1)
        if (len(drafts), len(vouchers)) != wanted:
            return [f"{words} is {len(drafts)} times in the ERP's inbox and {len(vouchers)} times in its ledger"]
        if any(vouchers_of(self._companies[one]["vouchers"], entry) for one in elsewhere):
            return [f"{words} is in another company's books"]
        return [f"{words}: {what}" for voucher in vouchers for what in self._wrong_in(voucher, day, document)]

    def _wrong_in(self, voucher: Json, day: Day, document: Json) -> list[str]:
        wrong: list[str] = []
        if sums([voucher]) != added([postings(document["sent_document"], self.accounts), edited(document)]):
            wrong.append("its voucher is not what the hub says")
        if document["reference"] != str(voucher["number"]):
            wrong.append(f"the hub calls it {document['reference']}, the ERP {voucher['number']}")
        departments = {value for line in voucher["lines"] for kind, value in line["dimensions"] if kind == _DEPARTMENT}
        if not departments <= {day.shop.department}:
            wrong.append(f"it is in department {', '.join(sorted(departments))}")
        sizes = {one["stamp"]: one["bytes"] for one in self._companies[day.shop.company]["files"]}
        if not sizes.get(voucher["document"]):
            wrong.append("its voucher has no pages beside it")
        return wrong

    # --- the trial balances ------------------------------------------------------------------------------------------

    def _compare_balance(self, company: int) -> None:
        screen, first = self.screen, company == next(iter(COMPANIES))
        if first:
            screen.chapter("What the hub says it posted, and the ERP's own trial balance")
            screen.request("GET …/documents/settlement/… of each: as it was sent, with what was edited before approval")
            screen.say("> GET /accountbalances of the ERP's own interface, less what it said before", "dim")
        posted = [one for one in self._of(company) if not one["is_awaiting_approval"]]
        sent = added(postings(one["sent_document"], self.accounts) for one in posted)
        changed = added(edited(one) for one in posted)
        now = self.books.trial_balance(company, *self._span)
        there = added([now, {account: -amount for account, amount in self.before[company].items()}])
        said = added([sent, changed])
        names = {one["number"]: one["name"] for one in self._companies[company]["accounts"]}
        rows: list[Sequence[str | Text]] = []
        for account in sorted(said.keys() | there.keys()):
            here, erp = said.get(account, Decimal()), there.get(account, Decimal())
            edit = money(changed[account]) if account in changed else ""
            mark = _GOOD if here == erp else _BAD
            rows.append(
                [str(account), names.get(account, ""), money(sent.get(account, Decimal())), edit, money(erp), mark]
            )
            if here != erp:
                self.mistakes.append(
                    f"{COMPANIES[company]}, account {account}: the hub posted {here}, the ERP has {erp}"
                )
        debits = [sum((one for one in side.values() if one > 0), Decimal()) for side in (said, there)]
        total = ["", "debit in all", money(debits[0]), "", money(debits[1]), _GOOD if debits[0] == debits[1] else _BAD]
        title = f"{COMPANIES[company]}: {count(len(posted))} vouchers, debit positive, NOK"
        heads = ["no.", "account", "the hub sent", "edited", "trial balance", ""]
        screen.table(heads, rows, numbers=[2, 3, 4], cut=[1], total=total, title=title)
        for whose, side in (("What the hub says it posted", said), ("The ERP's trial balance", there)):
            if difference := sum(side.values()):
                self.mistakes.append(f"{COMPANIES[company]}: {whose} does not balance by {difference}")

    def _of(self, company: int) -> list[Json]:
        """The hub's documents of a company, by the shop they name, that were sent."""
        names = {shop.name for shop in self.month if shop.company == company}
        return [one for (name, _), one in self.documents.items() if name in names and one["status"] == "sent"]


def edited(document: Json) -> Sums:
    """What an accountant changed of a voucher in the inbox, by account, as the hub tells it."""
    amounts = [one for one in document["edits"] if one["field"] == "amount"]
    return added(
        {int(one["account"]): Decimal(one["in_erp"] or 0) - Decimal(one["handed_over"] or 0)} for one in amounts
    )
