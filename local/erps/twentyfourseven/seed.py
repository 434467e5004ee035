"""The world the stand-in begins with: three companies, two people, charts of accounts, and a ledger on request."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from .ledger import Entry, post
from .state import (
    Account,
    Application,
    FiscalYear,
    Identity,
    Organisation,
    Record,
    Tax,
    User,
    VoucherType,
    World,
    guid,
)

CLIENT_ID, CLIENT_SECRET = "erp-hub", "hub-secret"
APPLICATION_ID = "7a0d6f0e-3b1c-4d57-9a61-0d5f2f8a4c11"
USER, OTHER_USER, PASSWORD = "ola@fjell.example", "kari@kyst.example", "riktig-passord"
SHOP, CAFE, UNCONNECTED = 100001, 100002, 100003

# number, name, tax code, sales type
ACCOUNTS = (
    (1460, "Innkjøpte varer for videresalg", 0, True),
    (1500, "Kundefordringer", 0, False),
    (1900, "Kontanter", 0, True),
    (1910, "Vipps", 0, True),
    (1920, "Bankinnskudd", 0, True),
    (2380, "Oppgjør kort", 0, True),
    (2400, "Leverandørgjeld", 0, False),
    (2700, "Utgående merverdiavgift, høy sats", 0, False),
    (2701, "Utgående merverdiavgift, middels sats", 0, False),
    (2702, "Utgående merverdiavgift, lav sats", 0, False),
    (2710, "Inngående merverdiavgift, høy sats", 0, False),
    (2900, "Gavekort", 0, True),
    (2910, "Tips til ansatte", 0, True),
    (3000, "Salgsinntekt, høy sats", 3, True),
    (3001, "Salgsinntekt, middels sats", 31, True),
    (3002, "Salgsinntekt, lav sats", 33, True),
    (3100, "Salgsinntekt, avgiftsfri", 5, True),
    (3999, "Salgsinntekt uten salgstype", 3, False),
    (4300, "Innkjøp av varer for videresalg", 1, False),
    (4390, "Beholdningsendring", 0, True),
    (6300, "Leie lokale", 1, False),
    (7740, "Øreavrunding", 0, True),
    (7745, "Terminaldifferanse", 0, True),
)
TAXES = (
    (0, "Ingen mva", "0", 0),
    (1, "Inngående mva, høy sats", "25", 2710),
    (3, "Utgående mva, høy sats", "25", 2700),
    (31, "Utgående mva, middels sats", "15", 2701),
    (33, "Utgående mva, lav sats", "12", 2702),
    (5, "Innenlands omsetning fritatt for mva", "0", 0),
)
TYPES = (
    (1, "Bilag", 1), (2, "Inngående faktura", 2), (3, "Kasseoppgjør", 3), (4, "Bank", 4),
    (-1, "Utgående faktura", 5), (-3, "Utlegg", 6),
)  # fmt: skip


def world(now: datetime | None = None) -> World:
    """A fresh world; its years go from two before this one (locked) to the next."""
    at = now or datetime.now(UTC)
    made = World()
    made.organisations = {
        SHOP: organisation(SHOP, "Fjellbutikken AS", "911000001", at),
        CAFE: organisation(CAFE, "Kystkaffe AS", "911000002", at),
        UNCONNECTED: organisation(UNCONNECTED, "Ikke koblet AS", "911000003", at),
    }
    add_product(made.organisations[SHOP], "GIFTCARD", "Gavekort", Decimal(0), at)
    made.users = {
        USER: User(USER, PASSWORD, "Ola Fjell"),
        OTHER_USER: User(OTHER_USER, PASSWORD, "Kari Kyst"),
    }
    places = ((SHOP, USER, True), (CAFE, USER, False), (CAFE, OTHER_USER, True))
    for contact, (org, username, default) in enumerate(places, start=501):
        identity = Identity(guid(), org, username, contact, default)
        made.identities[identity.id] = identity
    made.applications[CLIENT_ID] = Application(CLIENT_ID, CLIENT_SECRET, {SHOP, CAFE})
    made.application_ids.add(APPLICATION_ID)
    return made


def organisation(organisation_id: int, name: str, number: str, at: datetime) -> Organisation:
    """A company with a chart of accounts, VAT codes, voucher types, years, two departments and a few customers."""
    org = Organisation(organisation_id, name, number)
    org.departments = {1: "Oslo", 2: "Bergen"}
    org.projects = {"10": "Ombygging"}
    for account in ACCOUNTS:
        add_account(org, *account)
    org.taxes = {no: Tax(3000 + no, no, title, Decimal(rate), account) for no, title, rate, account in TAXES}
    org.types = {7000 + n: VoucherType(7000 + n, no, title, 40 + series) for n, (no, title, series) in enumerate(TYPES)}
    for year in range(at.year - 2, at.year + 2):
        org.years[year] = FiscalYear(guid(), year, locked=year == at.year - 2)
    org.categories[1] = Record(1, {"name": "Varer"}, at, at)
    org.counters["category"] = 1
    org.counters["customer"] = 10000
    org.counters["stamp"] = 100
    add_customer(org, "Nordlys Kafé AS", at, organizationNumber="922000001")
    add_customer(org, "Grossisten AS", at, organizationNumber="922000002", isSupplier=True)
    add_product(org, "KAFFE-250", "Kaffe 250 g", Decimal("79.20"), at, stock=Decimal(40))
    return org


def add_account(org: Organisation, number: int, name: str, tax: int = 0, sales_type: bool = True) -> Account:
    """Add an account, or change the one that is there."""
    old = org.accounts.get(number)
    account = Account(old.id if old else 1_000_000 + number, number, name, 3000 + tax)
    org.accounts[number] = account
    org.sales_types = {k: v for k, v in org.sales_types.items() if v[1] != number}
    if sales_type:
        org.sales_types[org.next("salestype", 200)] = (name, number)
    return account


def add_customer(org: Organisation, name: str, at: datetime, **fields: object) -> Record:
    """Add a customer with REST's fields."""
    record = Record(org.next("customer"), {"name": name, "isCompany": True, "isSupplier": False} | fields, at, at)
    org.customers[record.id] = record
    return record


def add_product(
    org: Organisation, number: str, name: str, price: Decimal, at: datetime, *, stock: Decimal | None = None
) -> Record:
    """Add a product; with a stock it is managed."""
    fields = {
        "number": number, "name": name, "type": "default", "status": "active", "salesPrice": price,
        "category": {"id": 1}, "stock": {"isManaged": stock is not None, "quantity": stock or Decimal(0)},
    }  # fmt: skip
    record = Record(org.next("product", 500), fields, at, at)
    org.products[record.id] = record
    return record


def fill_ledger(org: Organisation, lines: int, at: datetime, first: date | None = None) -> int:
    """Post sales and purchases over a year and a half until there are that many lines more; returns how many."""
    start = first or date(at.year - 1, 1, 1)
    made = n = 0
    sale, purchase = org.type_by_number(3), org.type_by_number(2)
    if sale is None or purchase is None:
        raise ValueError(f"{org.name} has no voucher types 2 and 3")
    while made < lines:
        day = start + timedelta(days=n % 500)
        gross = Decimal(1000 + n * 37 % 90000) + Decimal(n % 100) / 100
        if n % 5:
            entries = [
                Entry(3000, -gross, day, 3, comment=f"Kassesalg {n}", dimensions=((2, str(1 + n % 2)),)),
                Entry(1920, gross, day, comment=f"Kassesalg {n}", dimensions=((2, str(1 + n % 2)),)),
            ]
        else:
            entries = [
                Entry(4300, gross, day, 1, comment=f"Varekjøp {n}"),
                Entry(2400, -gross, day, comment=f"Varekjøp {n}", customer=10002, invoice=str(9000 + n)),
            ]
        posted_at = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
        made += len(post(org, sale if n % 5 else purchase, entries, posted_at, "seed").lines)
        n += 1
    return made
