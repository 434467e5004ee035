"""Where the tills of a sync stand, and to whose books each belongs.

A document names its shop (`department`) and its register (`till`) in the till's own words. A location maps such words
to a company and a department of the ERP. What no location is meant by is nobody's: it waits, and is never posted to
another shop's books.
"""

import unicodedata
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field

from erphub.erp.documents import PaymentMeans
from erphub.platform.lexical import Day, is_digits
from erphub.platform.wire import LINE, Model

AccountNo = Annotated[
    str, Field(pattern=r"^[0-9]{1,10}$", description="An account number of the ERP's chart of accounts")
]
Choice = Annotated[str, Field(max_length=100)]
"""The key of something that the ERP offers to choose from."""
RateKey = Annotated[
    str,
    Field(
        pattern=r"^(0|[1-9][0-9]?(\.[0-9]?[1-9])?|0\.[0-9]?[1-9]|100)$", description="A VAT rate without needless zeros"
    ),
]
MAX_LOCATIONS = 200
_Name = Annotated[str, Field(min_length=1, max_length=50), LINE]


def normalized(name: str) -> str:
    """A till's word for a place in the one form of all its spellings: case, blanks and width of letters aside."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def register_key(name: str) -> str:
    """What a register is, whatever spelling of its name a till or an export of it uses: as `normalized`, and without
    the zeros before a number that stands by itself (`01` is `1`, `Kasse 02` is `Kasse 2`; `Kasse 1` is not `1`).

    Here alone it is told whether two names are of one register: identities, locations and gaps ask.
    """
    return " ".join(word.lstrip("0") or "0" if is_digits(word) else word for word in normalized(name).split(" "))


def rate_key(rate: Decimal) -> str:
    """A VAT rate as settings name it: `25`, `11.11`, `0`."""
    return format(rate.normalize() + 0, "f")


class Accounts(Model):
    """Where in the ledger each part of a settlement goes."""

    sales: dict[RateKey, AccountNo] = Field(default_factory=dict)
    payment_means: dict[PaymentMeans, AccountNo] = Field(default_factory=dict)
    stock_change: AccountNo | None = None
    inventory: AccountNo | None = None


class VatPeriod(Model):
    """From the first to the last day on which a rate of VAT is valid; open where one is left out."""

    rate: RateKey
    from_date: Day | None = None
    to_date: Day | None = None

    def holds(self, day: date) -> bool:
        """Whether the rate is valid on the day."""
        return (self.from_date or date.min) <= day <= (self.to_date or date.max)

    def words(self) -> str:
        """The days, in words."""
        until = f"until {self.to_date}" if self.to_date else ""
        return " ".join(filter(None, (f"from {self.from_date}" if self.from_date else "", until))) or "always"


class Department(Model):
    """A department of the ERP's own, by its key (mostly a number) and its name."""

    key: str
    name: str = ""

    def is_called(self, word: str) -> bool:
        """Whether the till's word is its number or its name."""
        return normalized(word) in (normalized(self.key), normalized(self.name))


class Location(Model):
    """A shop, or registers of one, and whose books they belong to; what is left empty is as in the sync's settings."""

    departments: Annotated[
        tuple[_Name, ...], Field(max_length=20, description="How the till names the shop; empty: any shop")
    ] = ()
    registers: Annotated[
        tuple[_Name, ...], Field(max_length=50, description="Registers of it; empty: every register of the shop")
    ] = ()
    company: Choice = ""
    department: Choice = ""
    """The ERP's department."""
    accounts: Accounts | None = None
    voucher_type: Choice = ""
    from_date: Day | None = None
    time_zone: Annotated[str, Field(max_length=50)] = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return " / ".join(part for part in (", ".join(self.departments[:1]), ", ".join(self.registers)) if part)

    @property
    def shop(self) -> str:
        """The shop in one spelling; empty where it is meant by its registers alone."""
        return normalized(self.departments[0]) if self.departments else ""

    @property
    def precision(self) -> int:
        """A location that names a shop's registers goes before one of the whole shop."""
        return bool(self.departments) + bool(self.registers)

    def is_of(self, department: str, till: str) -> bool:
        """Whether a document with these words of the till is of this location."""
        return _names(self.departments, department, normalized) and _names(self.registers, till, register_key)

    def overlaps(self, other: "Location") -> bool:
        """Whether both are meant by the same words of a till."""
        alike = (bool(self.departments), bool(self.registers)) == (bool(other.departments), bool(other.registers))
        return (
            alike
            and _meet(self.departments, other.departments, normalized)
            and _meet(self.registers, other.registers, register_key)
        )

    def overrides(self) -> dict[str, Any]:
        """The settings that are its own."""
        own = {name: getattr(self, name) for name in ("company", "accounts", "voucher_type", "from_date", "time_zone")}
        return {name: value for name, value in own.items() if value} | {"department": self.department}


def locations_of(locations: Sequence[Location], department: str, till: str) -> list[Location]:
    """The locations that a document may be of: one, none, or several that are meant as precisely."""
    found = [one for one in locations if one.is_of(department, till)]
    best = max((one.precision for one in found), default=0)
    return [one for one in found if one.precision == best]


def _names(named: Sequence[str], word: str, key: Callable[[str], str]) -> bool:
    return not named or key(word) in map(key, named)


def _meet(first: Sequence[str], second: Sequence[str], key: Callable[[str], str]) -> bool:
    return not first or not second or not set(map(key, first)).isdisjoint(map(key, second))
