"""A chain of four shops: what its tills count each day, and where that belongs in the ledgers of its two companies."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, cast

type Json = dict[str, Any]
type Sums = Mapping[int, Decimal]
"""Amounts by account, debit positive."""
COMPANIES = {100002: "Kystkaffe AS", 100001: "Fjellbutikken AS"}
"""The ERP's companies by their number there; the first is the settings' own."""
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
_OWED = ("gift_card_sold", "rounding")
_ORE, _KRONE = Decimal("0.01"), Decimal(1)


@dataclass(frozen=True)
class Shop:
    """A shop of the chain: how its till names it, whose books are its own, and by which road its days come."""

    name: str
    company: int
    department: str
    road: str
    register: str = "1"

    @property
    def location(self) -> Json:
        """It, as the settings have it."""
        return {"departments": [self.name], "company": str(self.company), "department": self.department}


DOCUMENTS, LINES, FILE, FILE_UPLOAD = "a document a day", "one upload of lines", "a SAF-T file", "a SAF-T upload"
FILES = (FILE, FILE_UPLOAD)
SHOPS = (
    Shop("Aker brygge", 100002, "1", DOCUMENTS),
    Shop("Bryggen", 100002, "2", LINES),
    Shop("Grünerløkka", 100001, "1", FILE),
    Shop("Frognerseteren", 100001, "1", FILE_UPLOAD),
)
"""Of two companies and three departments: the last two shops share one."""


@dataclass(frozen=True)
class Day:
    """One shop's Z-report of a day: its number, and the settlement that it is."""

    shop: Shop
    number: int
    day: date
    document: Json

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from every other of the chain."""
        return self.shop.name, self.number

    @property
    def name(self) -> str:
        """The till's own id of it, where the till gives one."""
        return f"{SHOPS.index(self.shop) + 1}-Z{self.number}"

    @property
    def sold(self) -> Decimal:
        """Sales, VAT included."""
        return sum((Decimal(one["amount"]) for one in self.document["sales"]), Decimal())


def postings(document: Mapping[str, Any], accounts: Json) -> Sums:
    """What a settlement's voucher must come to on each account of the settings."""
    found: Counter[int] = Counter()
    sums = cast(dict[int, Decimal], found)
    for one in document["sales"]:
        rate, vat = f"{Decimal(one['vat_rate']).normalize():f}", Decimal(one["vat"])
        sums[int(accounts["sales"][rate])] -= Decimal(one["amount"]) - vat
        sums[_VAT[rate]] -= vat
    for one in document["payments"]:
        sign = -1 if one["means"] in _OWED else 1
        sums[int(accounts["payment_means"][one["means"]])] += Decimal(one["amount"]) * sign
    if document.get("stock_change"):
        cost = Decimal(document["stock_change"])
        sums[int(accounts["stock_change"])] += cost
        sums[int(accounts["inventory"])] -= cost
    return {account: amount for account, amount in sums.items() if amount}


def added(some: Iterable[Sums]) -> dict[int, Decimal]:
    """Several sums in one; an account that comes to nothing is left out."""
    found: dict[int, Decimal] = {}
    for one in some:
        for account, amount in one.items():
            found[account] = found.get(account, Decimal()) + amount
    return {account: amount for account, amount in sorted(found.items()) if amount}


def month_before(today: date) -> date:
    """The first day of the latest month of 31 days that is over."""
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1) if last.day == 31 else month_before(last)


def month(first: date, days: int, gift_card_on: int) -> dict[Shop, list[Day]]:
    """So many days of each shop; the first shop sells a gift card on one of them, counted from 1. Always the same."""
    return {
        shop: [
            _day(
                shop, number, first + timedelta(days=number - 1), gift_card=shop is SHOPS[0] and number == gift_card_on
            )
            for number in range(1, days + 1)
        ]
        for shop in SHOPS
    }


def _day(shop: Shop, number: int, day: date, *, gift_card: bool) -> Day:
    chance = random.Random(number + 1000 * SHOPS.index(shop))
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
    document: Json = {
        "date": day.isoformat(), "number": number, "department": shop.name, "till": shop.register, "sales": sales,
        "payments": [{"means": means, "amount": f"{amount:.2f}"} for means, amount in paid.items() if amount],
    }  # fmt: skip
    if shop.road in (DOCUMENTS, LINES):
        # A register's standard file knows nothing of stock.
        document["stock_change"] = str((total * 2 / 5).quantize(_ORE))
    return Day(shop, number, day, document)


def _sales(rate: str, ore: int) -> Json:
    amount = Decimal(ore) / 100
    vat = (amount * int(rate) / (100 + int(rate))).quantize(_ORE, ROUND_HALF_UP)
    return {"vat_rate": rate, "amount": f"{amount:.2f}", "vat": f"{vat:.2f}"}
