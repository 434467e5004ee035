"""What the stand-in 24SevenOffice knows: organisations with their ledgers, people, sessions and tokens."""

import threading
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Account:
    """An account of the ledger; `id` is what other things name it by, `number` what people do."""

    id: int
    number: int
    name: str
    tax_id: int = 0


@dataclass(frozen=True)
class Tax:
    """A VAT code: `rate` in per cent; the VAT of a line goes to `account` (0: there is none to post)."""

    id: int
    number: int
    name: str
    rate: Decimal
    account: int = 0


@dataclass(frozen=True)
class VoucherType:
    """A voucher type (bilagsart). Numbers below zero are the system's own; `series` is its number series."""

    id: int
    number: int
    name: str
    series: int

    @property
    def old_number(self) -> int:
        """What the ledger service of old knew it by; vouchers do not name it so any more."""
        return self.number if self.number < 0 else 100 + self.number


@dataclass
class FiscalYear:
    """A calendar year of the accounts; nothing can be posted in a locked one."""

    id: str
    year: int
    locked: bool = False

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, 1, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return date(self.year, 12, 31)


@dataclass
class Line:
    """A line of the ledger: `amount` is debit when positive, in NOK, and holds no VAT (that is a line of its own)."""

    id: str
    voucher: str
    number: int
    sequence: int
    type_id: int
    account: int
    day: date
    amount: Decimal
    tax: int
    comment: str
    created: datetime
    modified: datetime
    period: date
    customer: int | None = None
    document: int | None = None
    currency: str = "NOK"
    rate: Decimal = Decimal(1)
    dimensions: tuple[tuple[int, str], ...] = ()
    invoice: str = ""
    ocr: str = ""
    due: date | None = None
    hidden: bool = False


def _place(line: Line) -> tuple[date, int, int]:
    return line.day, line.number, line.sequence


@dataclass
class Voucher:
    """A voucher of the ledger: final, numbered within its series and year."""

    id: str
    number: int
    series: int
    year: int
    type_id: int
    lines: list[Line]
    via: str
    """`rest`, `soap` or `draft` (a draft that was approved) or `seed`."""

    @property
    def total(self) -> Decimal:
        """The sum of its lines; zero when it balances."""
        return sum((line.amount for line in self.lines), Decimal(0))


@dataclass
class Draft:
    """A draft journal: vouchers that wait for someone to approve them, as SaveBundleList brought them."""

    id: int
    name: str
    year: int
    bundle: dict[str, Any]
    saved: datetime
    saved_by: str


@dataclass
class Document:
    """A file: from REST's upload, or from SOAP's attachment service (where it may be one page of several)."""

    id: int
    type: str
    content: bytes = b""
    stamp: int = 0
    location: str = ""
    saved: datetime | None = None
    stamp_meta: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    frames: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass
class Upload:
    """A pre-signed upload: the bytes come to its address, then there is a document."""

    id: str
    content_type: str
    signature: str
    until: datetime
    status: str = "Pending"
    document: int | None = None


@dataclass
class Order:
    """A sales order with its lines and attachments; `fields` are REST's words for it."""

    id: int
    fields: dict[str, Any]
    lines: dict[int, dict[str, Any]]
    created: datetime
    modified: datetime
    attachments: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    external_status: int | None = None
    soap_status: str | None = None

    @property
    def status(self) -> str:
        """REST's word for where it stands."""
        return str(self.fields.get("status", "Draft"))


@dataclass
class Record:
    """A customer, supplier, product or category: its number, REST's words for it, and when it came and changed."""

    id: int
    fields: dict[str, Any]
    created: datetime
    modified: datetime
    extra: dict[str, Any] = field(default_factory=dict[str, Any])
    """What only SOAP can say of it."""
    active: bool = True


@dataclass
class Organisation:
    """One company's 24SevenOffice."""

    id: int
    name: str
    number: str
    departments: dict[int, str] = field(default_factory=dict[int, str])
    projects: dict[str, str] = field(default_factory=dict[str, str])
    accounts: dict[int, Account] = field(default_factory=dict[int, Account])
    taxes: dict[int, Tax] = field(default_factory=dict[int, Tax])
    types: dict[int, VoucherType] = field(default_factory=dict[int, VoucherType])
    years: dict[int, FiscalYear] = field(default_factory=dict[int, FiscalYear])
    sales_types: dict[int, tuple[str, int]] = field(default_factory=dict[int, tuple[str, int]])
    """By id: name and account number."""
    vouchers: dict[str, Voucher] = field(default_factory=dict[str, Voucher])
    drafts: dict[int, Draft] = field(default_factory=dict[int, Draft])
    customers: dict[int, Record] = field(default_factory=dict[int, Record])
    products: dict[int, Record] = field(default_factory=dict[int, Record])
    categories: dict[int, Record] = field(default_factory=dict[int, Record])
    orders: dict[int, Order] = field(default_factory=dict[int, Order])
    documents: dict[int, Document] = field(default_factory=dict[int, Document])
    uploads: dict[str, Upload] = field(default_factory=dict[str, Upload])
    counters: Counter[str] = field(default_factory=Counter[str])
    taken: dict[tuple[int, int, int], str] = field(default_factory=dict[tuple[int, int, int], str])
    """Voucher numbers in use, by series, year and number: what the voucher says."""
    sorted_lines: list[Line] | None = None
    """The ledger in order of day, number and sequence, once somebody has asked for it."""
    closed: dict[str, str] = field(default_factory=dict[str, str])
    """Areas that are shut, and why: `access` or `module`."""

    def next(self, what: str, first: int = 1) -> int:
        """The next number of a series of the ERP's own."""
        self.counters[what] = max(self.counters[what] + 1, first)
        return self.counters[what]

    def lines(self) -> list[Line]:
        """The ledger in order."""
        if self.sorted_lines is None:
            every = (line for voucher in self.vouchers.values() for line in voucher.lines)
            self.sorted_lines = sorted(every, key=_place)
        return self.sorted_lines

    def between(self, first: date, end: date) -> list[Line]:
        """The ledger's lines from the first day up to, not with, the end."""
        ordered = self.lines()
        low, high = (bisect_left(ordered, day, key=lambda line: line.day) for day in (first, end))
        return ordered[low:high]

    def add(self, voucher: Voucher) -> None:
        """Add a posted voucher, its lines at their place."""
        self.vouchers[voucher.id] = voucher
        if self.sorted_lines is not None:
            for line in voucher.lines:
                insort(self.sorted_lines, line, key=_place)

    def account_by_id(self, account_id: int) -> Account | None:
        """The account with this id, not number."""
        return next((a for a in self.accounts.values() if a.id == account_id), None)

    def type_by_number(self, number: int) -> VoucherType | None:
        """The voucher type with this number, not id."""
        return next((t for t in self.types.values() if t.number == number), None)

    def tax_by_id(self, tax_id: int) -> Tax | None:
        """The VAT code with this id, not number."""
        return next((t for t in self.taxes.values() if t.id == tax_id), None)

    def stamps(self) -> Iterator[Document]:
        """The saved files that have a number."""
        return (d for d in self.documents.values() if d.stamp and d.saved is not None)


@dataclass
class Identity:
    """A person's place in an organisation."""

    id: str
    organisation: int
    username: str
    contact: int
    default: bool = False
    blocked: bool = False
    disabled: bool = False


@dataclass
class User:
    """Someone who can sign in over SOAP."""

    username: str
    password: str
    name: str


@dataclass
class Session:
    """A SOAP session: whose, in which identity, until when it lives unused."""

    username: str
    identity: str
    until: datetime


@dataclass
class Token:
    """A REST token: for which organisation, with which scopes (None: all), until when."""

    client_id: str
    organisation: int
    scopes: frozenset[str] | None
    until: datetime


@dataclass
class Application:
    """An integration as REST knows it: its secret, the organisations that connected it and what it may do."""

    client_id: str
    secret: str
    connected: set[int]
    scopes: frozenset[str] | None = None
    """None is everything."""


@dataclass
class World:
    """Everything; `lock` is held while a call is worked on, so that the ERP does one thing at a time."""

    organisations: dict[int, Organisation] = field(default_factory=dict[int, Organisation])
    users: dict[str, User] = field(default_factory=dict[str, User])
    identities: dict[str, Identity] = field(default_factory=dict[str, Identity])
    applications: dict[str, Application] = field(default_factory=dict[str, Application])
    application_ids: set[str] = field(default_factory=set[str])
    sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    tokens: dict[str, Token] = field(default_factory=dict[str, Token])
    calls: Counter[str] = field(default_factory=Counter[str])
    logins: int = 0
    tokens_given: int = 0
    soap_per_hour: int = 7200
    """Per address, as the vendor says."""
    session_for: timedelta = timedelta(minutes=30)
    token_for: timedelta = timedelta(hours=1)
    chunk_kilobytes: int = 2048
    notices_duplicates: bool = True
    """Whether a taken voucher number is noticed; the vendor's words for it are known, when it says them is not."""
    clock: Callable[[], datetime] = _now
    lock: threading.RLock = field(default_factory=threading.RLock)
    _hours: Counter[tuple[str, datetime]] = field(default_factory=Counter[tuple[str, datetime]])

    def now(self) -> datetime:
        """Now, in UTC."""
        return self.clock().astimezone(UTC)

    def organisation(self, organisation_id: int) -> Organisation:
        """Raises KeyError for one that does not exist."""
        return self.organisations[organisation_id]

    def soap_call_from(self, address: str) -> tuple[int, datetime] | None:
        """Count a call; says how far it is over the hour's limit and when the quarantine ends, if it is."""
        hour = self.now().replace(minute=0, second=0, microsecond=0)
        self._hours[address, hour] += 1
        over = self._hours[address, hour] - self.soap_per_hour
        return (over, hour + timedelta(hours=1)) if over > 0 else None

    def __getstate__(self) -> dict[str, Any]:
        """What is kept when the program ends: everything but the clock and the lock."""
        return {name: value for name, value in self.__dict__.items() if name not in ("clock", "lock")}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        """Go on from what was kept."""
        self.__dict__.update(kept, clock=_now, lock=threading.RLock())

    def forget_sign_ins(self) -> None:
        """Every session and token ends at once."""
        self.sessions.clear()
        self.tokens.clear()


def guid() -> str:
    """A new identifier."""
    return str(uuid4())
