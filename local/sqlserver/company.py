"""Invents plausible Norwegian companies: an audit file with two years of balanced vouchers, products and orders.

The same seed gives the same company. Every name, number and address is made up here; account numbers follow the usual
Norwegian order (1 assets, 2 debts, 3 income, 4 goods, 5 wages, 6-7 other costs, 8 interest), their texts are our own.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

from local.sqlserver.catalogue import Database, Table

# number, text, grouping category and code
ACCOUNTS: tuple[tuple[int, str, str], ...] = (
    (1200, "Maskiner og anlegg", "12"),
    (1250, "Inventar og kontorutstyr", "12"),
    (1460, "Innkjøpte varer for videresalg", "14"),
    (1500, "Kundefordringer", "15"),
    (1920, "Bankinnskudd, drift", "19"),
    (1950, "Bankinnskudd, skattetrekk", "19"),
    (2050, "Opptjent egenkapital", "20"),
    (2400, "Leverandørgjeld", "24"),
    (2600, "Skyldig forskuddstrekk", "26"),
    (2700, "Utgående merverdiavgift, høy sats", "27"),
    (2710, "Inngående merverdiavgift, høy sats", "27"),
    (2770, "Skyldig arbeidsgiveravgift", "27"),
    (3000, "Salg av varer, avgiftspliktig", "30"),
    (3020, "Salg av tjenester, avgiftspliktig", "30"),
    (3100, "Salg utenfor avgiftsområdet", "31"),
    (4300, "Innkjøp av varer for videresalg", "43"),
    (4360, "Frakt og toll på innkjøp", "43"),
    (5000, "Lønn til ansatte", "50"),
    (5400, "Arbeidsgiveravgift", "54"),
    (6300, "Husleie", "63"),
    (6340, "Lys og varme", "63"),
    (6540, "Småutstyr", "65"),
    (6800, "Kontorrekvisita", "68"),
    (6900, "Telefon og nett", "69"),
    (7140, "Reisekostnader", "71"),
    (7350, "Representasjon", "73"),
    (7770, "Gebyrer til bank", "77"),
    (8050, "Renteinntekter", "80"),
    (8150, "Rentekostnader", "81"),
)
DEPARTMENTS = ((10, "Administrasjon"), (20, "Salg"), (30, "Lager"), (40, "Verksted"))
PROJECTS = tuple((1000 + number, f"Prosjekt {number}") for number in range(1, 26))
_FIRST = ("Fjord", "Nord", "Berg", "Skog", "Hav", "Lys", "Elve", "Bjørk", "Stein", "Vind", "Øst", "Ås")
_SECOND = ("handel", "teknikk", "bygg", "transport", "mat", "design", "maskin", "marin", "data", "hage")
_FORMS = ("AS", "AS", "AS", "ANS", "DA")
_STREETS = ("Storgata", "Kirkeveien", "Havnegata", "Skolegata", "Industriveien", "Åsveien")
_CITIES = (("0150", "Oslo"), ("5003", "Bergen"), ("7010", "Trondheim"), ("4006", "Stavanger"), ("9008", "Tromsø"))
_GOODS = ("Skrue", "Hengsel", "Malebøtte", "Lampe", "Kabel", "Hylle", "Planke", "Pumpe", "Filter", "Ventil")
# account, signed øre, customer, supplier
type Entry = tuple[int, int, int, int]


@dataclass(frozen=True)
class Invented:
    """What to invent. `lines` is exact; the vouchers lie on the days of `first`..`last`."""

    name: str
    organisation: str
    lines: int
    first: date
    last: date
    seed: int = 1
    customers: int = 60
    suppliers: int = 40


@dataclass(frozen=True)
class Posting:
    """One invented voucher."""

    day: date
    text: str
    kind: str
    reference: int
    department: int
    project: int
    entries: tuple[Entry, ...]


def two_years(name: str, organisation: str, lines: int, last: date, seed: int) -> Invented:
    """A company from the first of January of last year until `last`."""
    return Invented(name, organisation, lines, date(last.year - 1, 1, 1), last, seed)


def organisation_number(seed: int) -> str:
    """A made-up number of the right form, with a valid check digit (modulus 11), in a range nobody was given."""
    for candidate in range(100_000_00 + seed * 7919 % 9_000_000, 100_000_00 + 9_999_999):
        digits = [int(each) for each in str(candidate)]
        check = -sum(weight * digit for weight, digit in zip((3, 2, 7, 6, 5, 4, 3, 2), digits, strict=True)) % 11
        if check != 10:
            return f"{candidate}{check}"
    raise ValueError("no number left")


def postings(wanted: Invented) -> Iterator[Posting]:
    """Balanced vouchers in order of date, with exactly `wanted.lines` lines (at least two)."""
    if wanted.lines < 2:
        raise ValueError("a balanced company has at least two ledger lines")
    chance = random.Random(wanted.seed)
    days = (wanted.last - wanted.first).days + 1
    left, number = wanted.lines, 0
    while left:
        number += 1
        day = wanted.first + timedelta(days=min((wanted.lines - left) * days // wanted.lines, days - 1))
        size = chance.choice((2, 2, 3, 3, 3, 4))
        if left - size < 0 or left - size == 1:
            size = left if left in (2, 3) else 2
        yield _posting(chance, wanted, day, number, size)
        left -= size


def _posting(chance: random.Random, wanted: Invented, day: date, number: int, size: int) -> Posting:
    net = chance.randint(5_000, 4_000_000)
    tax = (net + 2) // 4
    customer, supplier = 10000 + chance.randint(1, wanted.customers), 50000 + chance.randint(1, wanted.suppliers)
    if size == 4:
        held, fee = net * 3 // 10, net * 141 // 1000
        entries: tuple[Entry, ...] = (
            (5000, net, 0, 0),
            (5400, fee, 0, 0),
            (2600, -held, 0, 0),
            (1920, held - net - fee, 0, 0),
        )
        text, kind = f"Lønn {day:%m.%Y}", "LONN"
    elif size == 3 and chance.random() < 0.6:
        income = chance.choice((3000, 3000, 3020))
        entries = ((1500, net + tax, customer, 0), (income, -net, 0, 0), (2700, -tax, 0, 0))
        text, kind = f"Faktura {number}", "UTG"
    elif size == 3:
        cost = chance.choice((4300, 4300, 4360, 6300, 6340, 6540, 6800, 6900))
        entries = ((cost, net, 0, 0), (2710, tax, 0, 0), (2400, -net - tax, 0, supplier))
        text, kind = f"Innkjøp, faktura {chance.randint(1000, 99999)}", "INNG"
    else:
        options: tuple[tuple[str, tuple[Entry, ...]], ...] = (
            ("Innbetaling fra kunde", ((1920, net, 0, 0), (1500, -net, customer, 0))),
            ("Betaling til leverandør", ((2400, net, 0, supplier), (1920, -net, 0, 0))),
            ("Reise, utlegg", ((7140, net // 20 + 1, 0, 0), (1920, -(net // 20) - 1, 0, 0))),
            ("Gebyr", ((7770, net // 1000 + 1, 0, 0), (1920, -(net // 1000) - 1, 0, 0))),
        )
        text, entries = chance.choice(options)
        kind = "BANK"
    return Posting(day, text, kind, number, chance.choice(DEPARTMENTS)[0], chance.choice(PROJECTS)[0], entries)


def write_saft(path: Path, wanted: Invented) -> None:
    """The company as a SAF-T Financial 1.30 file, its totals those of its lines. It is invented twice, not kept."""
    balances: dict[int, int] = {}
    debit = count = 0
    for count, each in enumerate(postings(wanted), 1):  # noqa: B007 - how many there were
        for account, amount, _, _ in each.entries:
            balances[account] = balances.get(account, 0) + amount
            debit += max(amount, 0)
    with path.open("w", encoding="utf-8") as out:
        out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        out.write('<AuditFile xmlns="urn:StandardAuditFile-Taxation-Financial:NO">\n')
        out.write(_header(wanted))
        out.write(_master_files(wanted, balances))
        out.write(f"<GeneralLedgerEntries><NumberOfEntries>{count}</NumberOfEntries>")
        out.write(f"<TotalDebit>{_kroner(debit)}</TotalDebit><TotalCredit>{_kroner(debit)}</TotalCredit>\n")
        out.write("<Journal><JournalID>GL</JournalID><Description>Hovedbok</Description><Type>GL</Type>\n")
        record = 0
        for number, each in enumerate(postings(wanted), 1):
            out.write(_transaction(number, each, record))
            record += len(each.entries)
        out.write("</Journal></GeneralLedgerEntries>\n</AuditFile>\n")


def _kroner(ore: int) -> str:
    """Øre as kroner with two decimals, exactly."""
    return f"{ore // 100}.{ore % 100:02d}" if ore >= 0 else "-" + _kroner(-ore)


def _address(chance: random.Random) -> str:
    code, city = chance.choice(_CITIES)
    street = f"{chance.choice(_STREETS)} {chance.randint(1, 99)}"
    return (
        f"<Address><StreetName>{street}</StreetName><City>{city}</City><PostalCode>{code}</PostalCode>"
        "<Country>NO</Country></Address>"
    )


def _header(wanted: Invented) -> str:
    chance = random.Random(wanted.seed)
    return (
        "<Header><AuditFileVersion>1.30</AuditFileVersion><AuditFileCountry>NO</AuditFileCountry>"
        f"<AuditFileDateCreated>{wanted.last}</AuditFileDateCreated>"
        "<SoftwareCompanyName>ERP Hub</SoftwareCompanyName><SoftwareID>Invented company</SoftwareID>"
        "<SoftwareVersion>1</SoftwareVersion>"
        f"<Company><RegistrationNumber>{wanted.organisation}</RegistrationNumber><Name>{escape(wanted.name)}</Name>"
        f"{_address(chance)}<Contact><ContactPerson><FirstName>Regnskap</FirstName><LastName>Avdeling</LastName>"
        "</ContactPerson></Contact></Company><DefaultCurrencyCode>NOK</DefaultCurrencyCode>"
        f"<SelectionCriteria><SelectionStartDate>{wanted.first}</SelectionStartDate>"
        f"<SelectionEndDate>{wanted.last}</SelectionEndDate></SelectionCriteria>"
        "<TaxAccountingBasis>A</TaxAccountingBasis></Header>\n"
    )


def _master_files(wanted: Invented, balances: Mapping[int, int]) -> str:
    out = ["<MasterFiles><GeneralLedgerAccounts>"]
    for number, text, code in ACCOUNTS:
        balance = balances.get(number, 0)
        side = "Debit" if balance >= 0 else "Credit"
        out.append(
            f"<Account><AccountID>{number}</AccountID><AccountDescription>{escape(text)}</AccountDescription>"
            f"<GroupingCategory>RF-1167</GroupingCategory><GroupingCode>{code}00</GroupingCode>"
            f"<AccountType>GL</AccountType><AccountCreationDate>{wanted.first}</AccountCreationDate>"
            f"<Opening{side}Balance>0.00</Opening{side}Balance>"
            f"<Closing{side}Balance>{_kroner(abs(balance))}</Closing{side}Balance></Account>\n"
        )
    out.append("</GeneralLedgerAccounts>")
    chance = random.Random(wanted.seed + 1)
    out.append(_parties(chance, "Customer", 10000, wanted.customers, 1500))
    out.append(_parties(chance, "Supplier", 50000, wanted.suppliers, 2400))
    out.append("<AnalysisTypeTable>")
    for kind, title, values in (("A", "Avdeling", DEPARTMENTS), ("P", "Prosjekt", PROJECTS)):
        for number, text in values:
            out.append(
                f"<AnalysisTypeTableEntry><AnalysisType>{kind}</AnalysisType>"
                f"<AnalysisTypeDescription>{title}</AnalysisTypeDescription><AnalysisID>{number}</AnalysisID>"
                f"<AnalysisIDDescription>{text}</AnalysisIDDescription></AnalysisTypeTableEntry>\n"
            )
    out.append("</AnalysisTypeTable></MasterFiles>\n")
    return "".join(out)


def _parties(chance: random.Random, kind: str, base: int, count: int, account: int) -> str:
    out = [f"<{kind}s>"]
    for number in range(base + 1, base + count + 1):
        name = f"{chance.choice(_FIRST)}{chance.choice(_SECOND)} {chance.choice(_FORMS)}"
        out.append(
            f"<{kind}><RegistrationNumber>{organisation_number(number)}</RegistrationNumber><Name>{name}</Name>"
            f"{_address(chance)}<Contact><ContactPerson><FirstName>Post</FirstName><LastName>Mottak</LastName>"
            f"</ContactPerson><Email>post{number}@example.invalid</Email></Contact>"
            f"<{kind}ID>{number}</{kind}ID><BalanceAccount><AccountID>{account}</AccountID>"
            "<OpeningDebitBalance>0.00</OpeningDebitBalance><ClosingDebitBalance>0.00</ClosingDebitBalance>"
            f"</BalanceAccount></{kind}>\n"
        )
    out.append(f"</{kind}s>")
    return "".join(out)


def _transaction(number: int, each: Posting, record: int) -> str:
    lines: list[str] = []
    for place, (account, amount, customer, supplier) in enumerate(each.entries, 1):
        side = "Debit" if amount >= 0 else "Credit"
        who = f"<CustomerID>{customer}</CustomerID>" if customer else ""
        who += f"<SupplierID>{supplier}</SupplierID>" if supplier else ""
        lines.append(
            f"<Line><RecordID>{record + place}</RecordID><AccountID>{account}</AccountID>"
            f"<Analysis><AnalysisType>A</AnalysisType><AnalysisID>{each.department}</AnalysisID></Analysis>"
            f"<Analysis><AnalysisType>P</AnalysisType><AnalysisID>{each.project}</AnalysisID></Analysis>"
            f"<ValueDate>{each.day}</ValueDate>{who}<Description>{escape(each.text)}</Description>"
            f"<{side}Amount><Amount>{_kroner(abs(amount))}</Amount></{side}Amount>"
            f"<ReferenceNumber>{each.reference}</ReferenceNumber></Line>"
        )
    return (
        f"<Transaction><TransactionID>{number}</TransactionID><Period>{each.day.month}</Period>"
        f"<PeriodYear>{each.day.year}</PeriodYear><TransactionDate>{each.day}</TransactionDate>"
        f"<VoucherType>{each.kind}</VoucherType><Description>{escape(each.text)}</Description>"
        f"<SystemEntryDate>{each.day}</SystemEntryDate><GLPostingDate>{each.day}</GLPostingDate>"
        f"{''.join(lines)}</Transaction>\n"
    )


def add_trade(database: Database, *, products: int = 200, orders: int = 500, seed: int = 1, last: date) -> None:
    """Products and orders for a company database: an audit file holds none."""
    chance = random.Random(seed)
    stamp = last.year * 10000 + last.month * 100 + last.day
    goods = [
        (f"P{number:05d}", f"{chance.choice(_GOODS)} {chance.randint(1, 400)} mm") for number in range(1, products + 1)
    ]
    database.insert("Prod", [_product(number, text, place, stamp) for place, (number, text) in enumerate(goods)])
    heads: list[dict[str, object]] = []
    lines: list[dict[str, object]] = []
    for number in range(1, orders + 1):
        day = last - timedelta(days=chance.randint(0, 400))
        total = 0
        for place in range(1, chance.randint(1, 5) + 1):
            product, text = chance.choice(goods)
            price, count = chance.randint(500, 500_000), chance.randint(1, 12)
            total += price * count
            lines.append(_order_line(number, place, product, text, price, count))
        heads.append(_order_head(number, day, 10000 + chance.randint(1, 60), total))
    database.insert("Ord", heads)
    database.insert("OrdLn", lines)


def _product(number: str, text: str, place: int, stamp: int) -> dict[str, object]:
    of_group = {"StSaleUn": 1, "Gr": 0, "ProdGr": 1 + place % 7}
    return {"ProdNo": number, "Descr": text, **of_group, "ChDt": stamp, "ChTm": 800}


def _order_line(order: int, place: int, product: str, text: str, price: int, count: int) -> dict[str, object]:
    what = {"OrdNo": order, "LnNo": place, "ProdNo": product, "Descr": text, "Price": _kroner(price), "Dc1p": 0}
    how_many = {"NoOrg": count, "NoInvo": 0, "NoInvoAb": 0, "NoFin": count}
    return {**what, **how_many, "Un": 1, "TrTp": 1, "R7": ""}


def _order_head(number: int, day: date, customer: int, total: int) -> dict[str, object]:
    when = day.year * 10000 + day.month * 100 + day.day
    what = {"OrdNo": number, "TrTp": 1, "OrdTp": 1, "OrdDt": when, "DelDt": when, "CustNo": customer, "Nm": ""}
    invoiced = {"InvoSF": 0, "InvoIF": _kroner(total), "InvoNo": 0, "LstInvDt": 0}
    return {**what, "EdSt": 0, "Cur": 1, "ExRt": 100, **invoiced, "ChDt": when, "ChTm": 1200}


def big_ledger(database: Database, rows: int, *, name: str = "AcTr") -> Table:
    """A ledger of any size in seconds, for measuring: 12 columns, three of them decimal(38,20), about 200 bytes a row.

    Two years of months; JNo and EntNo are the key; the sum of AcAm over an even number of rows is zero.
    """
    if database.find("dbo", name) is not None:
        database.drop_table(name)
    columns = {
        "JNo": "int not null",
        "EntNo": "int not null",
        "VoNo": "int",
        "VoDt": "int",
        "AcNo": "int",
        "AcYrPr": "int",
        "Txt": "nvarchar(60)",
        "InvoNo": "nvarchar(40)",
        "Cust": "int",
        "AcAm": "decimal(38,20)",
        "CurAm": "decimal(38,20)",
        "ExRt": "decimal(38,20)",
    }
    table = database.table(name, columns, key=("JNo", "EntNo"))
    amount = "CAST((i // 2 * 7919 % 100000000) AS DECIMAL(38,20)) / 7 * (CASE WHEN i % 2 = 0 THEN 1 ELSE -1 END)"
    exact = f"CAST({amount} AS DECIMAL(38,20))"
    month = f"(i * 24 // {max(rows, 1)})"
    year = f"(2025 + {month} // 12)"
    database.catalogue.store.execute(
        f"INSERT INTO {table.physical} SELECT 1 + i // 4, 1 + i % 4, 1 + i // 4, "
        f"{year} * 10000 + (1 + {month} % 12) * 100 + 1 + i % 28, 1000 + i * 37 % 8000, "
        f"{year} * 100 + 1 + {month} % 12, 'Bilag ' || (i // 4) || ' kjøp og salg', CAST(i % 99991 AS VARCHAR), "
        f"CASE WHEN i % 3 = 0 THEN 10000 + i % 500 ELSE 0 END, {exact}, {exact}, CAST(100 AS DECIMAL(38,20)) "
        f"FROM range({rows}) AS r(i)"
    )
    return table
