"""Makes a Visma Business company database of a SAF-T file: its tables, and the system database that lists companies.

Table and column names are those of Visma Business (dates are whole numbers YYYYMMDD, credits are negative). What an
audit file does not hold (orders, products) stays an empty table.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from local.sqlserver.catalogue import Catalogue, Database
from local.sqlserver.saft import Party, SaftFile

SYSTEM = "vbsys"
# As Visma's own order: six org units with numbers as keys, six with texts.
_NUMBERED_UNITS = 6
UNITS = 12
_AMOUNT = "decimal(28,6)"


def _unit(unit: int) -> dict[str, str]:
    """A table of organisational units; R1 to R6 are numbered, R7 to R12 named."""
    key = "int" if unit <= _NUMBERED_UNITS else "nvarchar(40)"
    return {
        "RNo": f"{key} not null",
        "Nm": "nvarchar(60)",
        "Ad1": "nvarchar(60)",
        "St": "int",
        "Susp": "int",
        f"MainR{unit}": key,
        "CreDt": "int",
        "ChDt": "int",
    }


TABLES: dict[str, dict[str, str]] = {
    "Ac": {
        "AcNo": "int not null",
        "Nm": "nvarchar(256)",
        "AcCode": "nvarchar(20)",
        "AcGr": "int",
        "Res": "int",
        "TxCl": "int",
        "TxCd": "int",
        "Trn": "int",
        "Susp": "int",
        "ChDt": "int",
        "ChTm": "int",
        "CreDt": "int",
    },
    "AcTr": {
        "JNo": "int not null",
        "EntNo": "int not null",
        "VoNo": "int",
        "VoDt": "int",
        "ValDt": "int",
        "VoTp": "int",
        "AcNo": "int",
        "AcYrPr": "int",
        "AcAm": _AMOUNT,
        "Cr": "int",
        "Cur": "int",
        "ExRt": _AMOUNT,
        "CurAm": _AMOUNT,
        "Cust": "int",
        "Sup": "int",
        "InvoNo": "nvarchar(40)",
        "SrcTp": "int",
        "Txt": "nvarchar(256)",
        "TxCd": "int",
        "ChDt": "int",
        **{f"R{unit}": "int" if unit <= _NUMBERED_UNITS else "nvarchar(40)" for unit in range(1, UNITS + 1)},
    },
    "Actor": {
        "ActNo": "int not null",
        "Nm": "nvarchar(256)",
        "Ad1": "nvarchar(120)",
        "Ad2": "nvarchar(120)",
        "Ad3": "nvarchar(120)",
        "PNo": "nvarchar(20)",
        "PArea": "nvarchar(80)",
        "Ctry": "int",
        "MailAd": "nvarchar(120)",
        "Phone": "nvarchar(40)",
        "MobPh": "nvarchar(40)",
        "CustNo": "int",
        "SupNo": "int",
        "BsNo": "nvarchar(40)",
        "Cur": "int",
        "LiaAct": "int",
        "ChDt": "int",
        "ChTm": "int",
        "CreDt": "int",
    },
    "Ord": {
        "OrdNo": "int not null",
        "TrTp": "int",
        "OrdTp": "int",
        "OrdDt": "int",
        "DelDt": "int",
        "CustNo": "int",
        "Nm": "nvarchar(256)",
        "EdSt": "int",
        "Cur": "int",
        "ExRt": _AMOUNT,
        "OurRef": "nvarchar(60)",
        "YrRef": "nvarchar(60)",
        "InvoSF": _AMOUNT,
        "InvoIF": _AMOUNT,
        "InvoNo": "int",
        "LstInvDt": "int",
        "ChDt": "int",
        "ChTm": "int",
    },
    "OrdLn": {
        "OrdNo": "int not null",
        "LnNo": "int not null",
        "ProdNo": "nvarchar(40)",
        "Descr": "nvarchar(256)",
        "Price": _AMOUNT,
        "Dc1p": _AMOUNT,
        "NoOrg": _AMOUNT,
        "NoInvo": _AMOUNT,
        "NoInvoAb": _AMOUNT,
        "NoFin": _AMOUNT,
        "Un": "int",
        "TrTp": "int",
        "R7": "nvarchar(40)",
    },
    "Prod": {
        "ProdNo": "nvarchar(40) not null",
        "Descr": "nvarchar(256)",
        "StSaleUn": "int",
        "Gr": "int",
        "ProdTp2": "int",
        "ProdTp4": "int",
        "PrCatNo": "int",
        "ProdGr": "int",
        "Inf": "nvarchar(60)",
        "ChDt": "int",
        "ChTm": "int",
    },
    **{f"R{unit}": _unit(unit) for unit in range(1, UNITS + 1)},
    "cur": {"CurNo": "int not null", "ISO": "nchar(3)", "Nm": "nvarchar(60)"},
    "Txt": {"TxtTp": "int not null", "TxtNo": "int not null", "Lang": "int not null", "Txt": "nvarchar(256)"},
}
KEYS: dict[str, tuple[str, ...]] = {
    "Ac": ("AcNo",),
    "AcTr": ("JNo", "EntNo"),
    "Actor": ("ActNo",),
    "Ord": ("OrdNo",),
    "OrdLn": ("OrdNo", "LnNo"),
    "Prod": ("ProdNo",),
    "cur": ("CurNo",),
    "Txt": ("TxtTp", "TxtNo", "Lang"),
    **{f"R{unit}": ("RNo",) for unit in range(1, UNITS + 1)},
}
AT_ONCE = 20_000
"""Lines of a ledger that are written together."""
_COUNTRIES = {"NO": 47, "SE": 46, "DK": 45, "FI": 358, "DE": 49, "GB": 44, "NL": 31, "US": 1}


class Numbering:
    """Whole numbers for a file's identifiers: the identifiers themselves when all are numbers, else their order."""

    def __init__(self, identifiers: Iterable[str]) -> None:
        known = list(dict.fromkeys(identifiers))
        plain = all(each.isascii() and each.isdigit() and 0 < int(each) < 2**31 for each in known)
        distinct = len({int(each) for each in known}) == len(known) if plain else False
        self._numbers = {each: int(each) if plain and distinct else place for place, each in enumerate(known, 1)}

    def __getitem__(self, identifier: str) -> int:
        return self._numbers[identifier]

    def get(self, identifier: str) -> int:
        """Its number; 0, Visma's sign for none, when it is empty."""
        return self._numbers[identifier] if identifier else 0


def company_number(database: str) -> int:
    """`F0001` is company 1. Raises ValueError for another form."""
    match = re.fullmatch(r"F(\d{4,})", database)
    if match is None:
        raise ValueError(f"a Visma Business company database is named F and at least four digits, not {database!r}")
    return int(match[1])


def system(catalogue: Catalogue) -> Database:
    """The system database with the company list, made when it is not there."""
    found = catalogue.find(SYSTEM)
    if found is not None:
        return found
    made = catalogue.database(SYSTEM, snapshot=True)
    made.table("Frm", {"FrmNo": "int not null", "Nm": "nvarchar(60)"}, key=["FrmNo"])
    made.table("usr", {"UsrNo": "int not null", "Nm": "nvarchar(60)", "FrmGr": "int"}, key=["UsrNo"])
    return made


def company(catalogue: Catalogue, database: str, name: str, *, snapshot: bool = True) -> Database:
    """An empty company database with all its tables, entered in the company list."""
    number = company_number(database)
    made = catalogue.database(database, snapshot=snapshot)
    for table, columns in TABLES.items():
        made.table(table, columns, key=KEYS[table])
    made.insert("cur", [(1, "NOK", "Norske kroner")])
    system(catalogue).insert("Frm", [(number, name[:60])])
    return made


def load(catalogue: Catalogue, database: str, file: SaftFile, *, snapshot: bool = True) -> Database:
    """A company database filled from a SAF-T file."""
    made = company(catalogue, database, file.company or database, snapshot=snapshot)
    ledger = file.ledger
    accounts = Numbering([each.number for each in file.accounts] + list(ledger.accounts))
    customers = Numbering([each.number for each in file.customers] + list(ledger.customers))
    suppliers = Numbering([each.number for each in file.suppliers] + list(ledger.suppliers))
    currencies = Numbering(["NOK", *sorted({*ledger.currencies, file.currency})])
    made.sql("DELETE FROM {cur}")
    made.insert("cur", [(currencies[code], code, code) for code in dict.fromkeys(["NOK", file.currency])])
    others = sorted({*ledger.currencies} - {"NOK", file.currency})
    made.insert("cur", [(currencies[code], code, code) for code in others])
    made.insert(
        "Ac",
        [
            {
                "AcNo": accounts[each.number],
                "Nm": each.name[:256],
                "AcCode": each.grouping[:20],
                "AcGr": accounts[each.number] // 1000,
                "Res": int(accounts[each.number] >= 3000),
                "Trn": 1,
                "Susp": 0,
                "ChDt": _day(each.created),
                "ChTm": 0,
                "CreDt": _day(each.created),
            }
            for each in file.accounts
        ],
    )
    _actors(made, file, customers, suppliers, currencies)
    units = _units(made, file)
    _ledger(made, file, (accounts, customers, suppliers, currencies), units)
    return made


def _day(day: date | None) -> int:
    """YYYYMMDD, 0 for none."""
    return day.year * 10000 + day.month * 100 + day.day if day else 0


def _actors(made: Database, file: SaftFile, customers: Numbering, suppliers: Numbering, currencies: Numbering) -> None:
    """Customers and suppliers in the one table Visma keeps them in."""
    rows: list[dict[str, Any]] = []

    def add(party: Party, customer: int, supplier: int) -> None:
        rows.append(
            {
                "ActNo": len(rows) + 1,
                "Nm": party.name[:256],
                "Ad1": party.street[:120],
                "PNo": party.postal_code[:20],
                "PArea": party.city[:80],
                "Ctry": _COUNTRIES.get(party.country, 0),
                "MailAd": party.email[:120],
                "Phone": party.phone[:40],
                "CustNo": customer,
                "SupNo": supplier,
                "BsNo": party.organisation[:40],
                "Cur": currencies["NOK"],
                "LiaAct": 0,
                "ChDt": 0,
                "ChTm": 0,
                "CreDt": 0,
            }
        )

    for party in file.customers:
        add(party, customers[party.number], 0)
    for party in file.suppliers:
        add(party, 0, suppliers[party.number])
    made.insert("Actor", rows)


type Units = dict[str, tuple[int, Numbering]]


def _units(made: Database, file: SaftFile) -> Units:
    """Kinds of analysis in their order in the file become R1, R2 …; returns each kind's unit and numbering."""
    used = list(file.ledger.analysis)
    kinds = list(dict.fromkeys([each.kind for each in file.dimensions] + [kind for kind, _ in used]))[:UNITS]
    units: Units = {}
    for unit, kind in enumerate(kinds, 1):
        identifiers = [each.number for each in file.dimensions if each.kind == kind]
        numbering = Numbering(identifiers + [number for each, number in used if each == kind])
        units[kind] = (unit, numbering)
        named = {each.number: each for each in file.dimensions if each.kind == kind}
        made.insert(
            f"R{unit}",
            [
                {"RNo": numbering[key] if unit <= _NUMBERED_UNITS else key, "Nm": each.name[:60], "St": 0, "Susp": 0}
                for key, each in named.items()
            ],
        )
        made.insert("Txt", [(1000, unit, 47, next((each.title for each in named.values()), kind)[:256])])
    return units


def _ledger(made: Database, file: SaftFile, numberings: Sequence[Numbering], units: Units) -> None:
    """Every line of every voucher; JNo counts vouchers, EntNo the lines in each. VoNo is the voucher's own number where
    all of them are numbers, else JNo."""
    accounts, customers, suppliers, currencies = numberings
    kinds = Numbering(sorted(file.ledger.kinds))
    rows: list[list[Any]] = []
    for journal, voucher in enumerate(file.vouchers, 1):
        for entry, line in enumerate(voucher.lines, 1):
            chosen: list[Any] = [0] * _NUMBERED_UNITS + [""] * (UNITS - _NUMBERED_UNITS)
            for kind, number in line.analysis:
                if kind in units:
                    unit, numbering = units[kind]
                    chosen[unit - 1] = numbering[number] if unit <= _NUMBERED_UNITS else number[:40]
            rows.append(
                [
                    journal,
                    entry,
                    int(voucher.number) if file.ledger.has_plain_numbers else journal,
                    _day(voucher.day),
                    _day(line.value_date or voucher.day),
                    kinds.get(voucher.kind),
                    accounts[line.account],
                    voucher.year * 100 + voucher.period,
                    line.amount,
                    int(line.credit),
                    currencies[line.currency],
                    line.rate if line.rate is not None else 100,
                    line.currency_amount,
                    customers.get(line.customer),
                    suppliers.get(line.supplier),
                    line.reference[:40],
                    1,
                    line.text[:256],
                    int(line.tax_code) if line.tax_code.isdecimal() else 0,
                    _day(voucher.entered or voucher.day),
                    *chosen,
                ]
            )
            if len(rows) == AT_ONCE:
                made.insert("AcTr", rows)
                rows = []
    made.insert("AcTr", rows)
