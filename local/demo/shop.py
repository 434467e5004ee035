"""A month of a shop: what its till counted each day, and where that belongs in the ERP's ledger."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, cast

import httpx

from local.demo.hub import DemoFailed

type Json = dict[str, Any]
ORGANISATION = 100002
GIFT_CARDS, OF_GIFT_CARDS = 2900, "Gavekort"
ACCOUNTS: Json = {
    "sales": {"25": "3000", "15": "3001"},
    "payment_means": {
        "cash": "1900", "bankaxept": "1920", "card": "2380", "vipps": "1910", "gift_card_sold": str(GIFT_CARDS),
        "rounding": "7740",
    },
    "stock_change": "4390",
    "inventory": "1460",
}  # fmt: skip
_VAT = {"25": 2700, "15": 2701}
"""The accounts to which the ERP posts the VAT of sales at each rate."""
_ORE, _KRONE = Decimal("0.01"), Decimal(1)


@dataclass(frozen=True)
class Day:
    """One day's Z-report: its number, and the document as the till hands it in."""

    number: int
    day: date
    document: Json

    @property
    def name(self) -> str:
        """The till's own id of the document."""
        return f"Z{self.number}"

    @property
    def sold(self) -> Decimal:
        """Sales, VAT included."""
        return sum((Decimal(one["amount"]) for one in self.document["sales"]), Decimal())

    @property
    def postings(self) -> Mapping[int, Decimal]:
        """What its voucher must come to on each account, debit positive."""
        found: Counter[int] = Counter()
        sums = cast(dict[int, Decimal], found)
        for one in self.document["sales"]:
            vat = Decimal(one["vat"])
            sums[int(ACCOUNTS["sales"][one["vat_rate"]])] -= Decimal(one["amount"]) - vat
            sums[_VAT[one["vat_rate"]]] -= vat
        for one in self.document["payments"]:
            owed = one["means"] in ("gift_card_sold", "rounding")
            sums[int(ACCOUNTS["payment_means"][one["means"]])] += Decimal(one["amount"]) * (-1 if owed else 1)
        cost = Decimal(self.document["stock_change"])
        sums[int(ACCOUNTS["stock_change"])] += cost
        sums[int(ACCOUNTS["inventory"])] -= cost
        return {account: amount for account, amount in sums.items() if amount}


def month_before(today: date) -> date:
    """The first day of the latest month of 31 days that is over."""
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1) if last.day == 31 else month_before(last)


def month(first: date, days: int, gift_card_on: int) -> list[Day]:
    """So many days of sales; on one of them, counted from 1, a gift card is sold. The same every time."""
    return [_day(number, first + timedelta(days=number - 1), number == gift_card_on) for number in range(1, days + 1)]


def _day(number: int, day: date, gift_card: bool) -> Day:
    chance = random.Random(number)
    sales = [
        _sales(rate, chance.randrange(*bounds)) for rate, bounds in (("25", (400000, 1900000)), ("15", (90000, 400000)))
    ]
    total = sum((Decimal(one["amount"]) for one in sales), Decimal())
    cards = {
        means: (total * share / 100).quantize(_ORE) for means, share in (("bankaxept", 52), ("card", 21), ("vipps", 15))
    }
    rest = total - sum(cards.values())
    cash = rest.quantize(_KRONE, ROUND_HALF_UP)
    paid = {"cash": cash, **cards, "rounding": cash - rest}
    if gift_card:
        paid |= {"gift_card_sold": Decimal("500.00"), "bankaxept": cards["bankaxept"] + 500}
    return Day(number, day, {
        "date": day.isoformat(), "number": number, "sales": sales,
        "payments": [{"means": means, "amount": f"{amount:.2f}"} for means, amount in paid.items() if amount],
        "stock_change": str((total * 2 / 5).quantize(_ORE)),
    })  # fmt: skip


def _sales(rate: str, ore: int) -> Json:
    amount = Decimal(ore) / 100
    vat = (amount * int(rate) / (100 + int(rate))).quantize(_ORE, ROUND_HALF_UP)
    return {"vat_rate": rate, "amount": f"{amount:.2f}", "vat": f"{vat:.2f}"}


@dataclass(frozen=True)
class ErpAdmin:
    """The stand-in ERP as its administrator and its accountant see it, past the hub."""

    address: str

    def ledger(self) -> Json:
        """The organisation with its vouchers, files and accounts. Raises DemoFailed."""
        organisations = self._call("GET", "/state")["organisations"]
        return next(one for one in organisations if one["id"] == ORGANISATION)

    def remove_account(self, number: int) -> None:
        """Somebody tidies up the chart of accounts."""
        self._call("POST", "/accounts", {"organisation": ORGANISATION, "number": number, "remove": True})

    def make_account(self, number: int, name: str) -> None:
        """The account is made, again."""
        self._call("POST", "/accounts", {"organisation": ORGANISATION, "number": number, "name": name})

    def lose_answer(self, after: int) -> None:
        """After so many vouchers more, the line breaks once the ERP has posted the next and before it answers."""
        fault = {"operation": "rest:POST /transactions", "kind": "cut_after", "times": 1, "after": after}
        self._call("POST", "/faults", fault)

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        try:
            answer = httpx.request(method, self.address + path, json=body, timeout=30).raise_for_status()
        except httpx.HTTPError as error:
            raise DemoFailed(f"The stand-in ERP did not do {method} {path}: {error}") from error
        return cast(Json, answer.json())


def vouchers_of(vouchers: Sequence[Json], entry: str) -> list[Json]:
    """The vouchers that carry a document's key, on any of their lines."""
    return [one for one in vouchers if any(f"EH-{entry}" in line["comment"] for line in one["lines"])]


def sums(vouchers: Sequence[Json]) -> dict[int, Decimal]:
    """What vouchers come to on each account, debit positive."""
    found: dict[int, Decimal] = {}
    for line in (line for one in vouchers for line in one["lines"]):
        found[line["account"]] = found.get(line["account"], Decimal()) + Decimal(line["amount"])
    return {account: amount for account, amount in found.items() if amount}
