"""A SAF-T file becomes a company database that adds up to what the file says of itself."""

import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from local.sqlserver import Catalogue, Database, company, saft, visma


def signed_sums(database: Database) -> tuple[Decimal, Decimal]:
    """Debits and credits of a company's ledger."""
    return database.sql(
        "SELECT coalesce(sum(AcAm) FILTER (AcAm > 0), 0), coalesce(-sum(AcAm) FILTER (AcAm < 0), 0) FROM {AcTr}"
    )[0]  # type: ignore[return-value]


def invented(tmp_path: Path, lines: int, seed: int = 1) -> Path:
    file = tmp_path / f"{lines}-{seed}.xml"
    number = company.organisation_number(seed)
    company.write_saft(file, company.two_years("Å & Ø <AS>", number, lines, date(2026, 3, 31), seed))
    return file


@pytest.mark.parametrize("lines", [2, 3, 5, 1000])
def test_an_invented_company_has_exactly_the_lines_asked_for_and_balances(tmp_path: Path, lines: int) -> None:
    file = saft.read(invented(tmp_path, lines))
    catalogue = Catalogue()
    made = visma.load(catalogue, "F0042", file)
    assert signed_sums(made) == (file.total_debit, file.total_credit)
    assert file.total_debit == file.total_credit > 0
    assert made.sql("SELECT count(*), count(DISTINCT (JNo, EntNo)) FROM {AcTr}") == [(lines, lines)]
    assert made.sql("SELECT count(*) FROM (SELECT JNo FROM {AcTr} GROUP BY JNo HAVING sum(AcAm) <> 0)") == [(0,)]
    assert catalogue["vbsys"].sql("SELECT FrmNo, Nm FROM {Frm}") == [(42, "Å & Ø <AS>")]


def test_the_same_seed_makes_the_same_company(tmp_path: Path) -> None:
    one, other = invented(tmp_path, 300).read_bytes(), invented(tmp_path, 300, seed=2).read_bytes()
    assert invented(tmp_path, 300).read_bytes() == one
    assert other != one


def test_ledger_lines_name_their_customers_suppliers_departments_and_periods(tmp_path: Path) -> None:
    made = visma.load(Catalogue(), "F0001", saft.read(invented(tmp_path, 2000)))
    assert made.sql("SELECT min(VoDt), max(VoDt), min(AcYrPr), max(AcYrPr) FROM {AcTr}") == [
        (20250101, 20260331, 202501, 202603)
    ]
    assert made.sql("SELECT count(*) FROM {AcTr} WHERE AcNo = 1500 AND Cust NOT IN (SELECT CustNo FROM {Actor})") == [
        (0,)
    ]
    assert made.sql("SELECT count(*) FROM {AcTr} WHERE R1 NOT IN (SELECT RNo FROM {R1})") == [(0,)]
    assert made.sql("SELECT count(*) FROM {AcTr} WHERE AcNo NOT IN (SELECT AcNo FROM {Ac})") == [(0,)]
    assert made.sql("SELECT count(*) > 0 FROM {Actor} WHERE SupNo > 0") == [(True,)]


def test_products_and_orders_can_be_added(tmp_path: Path) -> None:
    made = visma.load(Catalogue(), "F0001", saft.read(invented(tmp_path, 100)))
    assert made.sql("SELECT count(*) FROM {Prod}") == [(0,)]
    company.add_trade(made, products=20, orders=30, last=date(2026, 3, 31))
    assert made.sql("SELECT (SELECT count(*) FROM {Prod}), (SELECT count(*) FROM {Ord})") == [(20, 30)]
    assert made.sql(
        "SELECT count(*) FROM (SELECT o.OrdNo FROM {Ord} o JOIN {OrdLn} l USING (OrdNo) "
        "GROUP BY o.OrdNo, o.InvoIF HAVING sum(l.Price * l.NoOrg) <> o.InvoIF)"
    ) == [(0,)]


def test_an_invented_file_is_valid_by_the_official_schema(tmp_path: Path, samples: Path) -> None:
    schema = etree.XMLSchema(etree.parse(samples / "saft" / "Norwegian_SAF-T_Financial_Schema_v_1.30.xsd"))
    document = etree.parse(invented(tmp_path, 200))
    assert schema.validate(document), schema.error_log.last_error


def test_the_official_example_adds_up_to_its_own_totals(samples: Path) -> None:
    files = sorted((samples / "saft").glob("ExampleFile_SAF-T_Financial_*.xml"))
    assert files
    for place, path in enumerate(files, 1):
        file = saft.read(path)
        made = visma.load(Catalogue(), f"F{place:04d}", file)
        assert signed_sums(made) == (file.total_debit, file.total_credit)
        assert file.entries == len(file.vouchers)


def test_lines_are_told_together_and_each_of_them_when_the_file_is_read_again(tmp_path: Path) -> None:
    file = saft.read(invented(tmp_path, 500))
    for _ in range(2):
        lines = [line for voucher in file.vouchers for line in voucher.lines]
        assert len(lines) == file.ledger.lines == 500
        assert sum(line.amount for line in lines if not line.credit) == file.ledger.debit == file.total_debit
        assert {line.account for line in lines} == set(file.ledger.accounts)
    assert sum(file.ledger.days.values()) == 500


def numbered(tmp_path: Path, *numbers: str) -> list[tuple[int, int]]:
    """(JNo, VoNo) of vouchers with these identifiers."""
    text = LEDGER.format(name="Fjord AS", amount="1250.00", day="2026-01-05")
    one = text[text.index("<Transaction>") : text.index("</Journal>")]
    several = "".join(one.replace("<TransactionID>1<", f"<TransactionID>{number}<") for number in numbers)
    (tmp_path / "x.xml").write_text(text.replace(one, several))
    made = visma.load(Catalogue(), "F0001", saft.read(tmp_path / "x.xml"))
    return made.sql("SELECT DISTINCT JNo, VoNo FROM {AcTr} ORDER BY 1")  # type: ignore[return-value]


def test_vouchers_keep_their_numbers_where_all_are_numbers(tmp_path: Path) -> None:
    assert numbered(tmp_path, "7", "2147483647", "7") == [(1, 7), (2, 2147483647), (3, 7)]
    for other in ("A-1", "007", "2147483648", "٣", "-3", "0"):
        assert numbered(tmp_path, "7", other) == [(1, 1), (2, 2)], other


PEAK = """
import resource, sys
from datetime import date
from pathlib import Path
from local.sqlserver import Catalogue, company, saft, visma

path = Path(sys.argv[1])
company.write_saft(path, company.two_years("Fjord AS", "999999999", int(sys.argv[2]), date(2026, 3, 31), 1))
visma.load(Catalogue(path=path.with_suffix(".duckdb")), "F0001", saft.read(path))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_length_of_a_file(tmp_path: Path) -> None:
    def peak(lines: int) -> int:
        command = [sys.executable, "-c", PEAK, str(tmp_path / f"{lines}.xml"), str(lines)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)

    short, long = peak(25_000), peak(75_000)
    assert long <= short + 40, (short, long)  # of which the store's own pages are most


def test_identifiers_that_are_no_numbers_get_numbers_in_their_order() -> None:
    assert [visma.Numbering(["1000", "20"])[each] for each in ("1000", "20")] == [1000, 20]
    mixed = visma.Numbering(["K-1", "20", "K-1", "020"])
    assert [mixed[each] for each in ("K-1", "20", "020")] == [1, 2, 3]
    assert visma.Numbering(["1", "01"])["01"] == 2
    assert mixed.get("") == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no well-formed XML"),
        ("<a><b></a>", "well-formed"),
        ("<AuditFile/>", "root or its namespace"),
        ('<AuditFile xmlns="urn:StandardAuditFile-Taxation-Financial:NO"/>', "no SAF-T header"),
        (
            '<AuditFile xmlns="urn:StandardAuditFile-Taxation-Financial:NO"><GeneralLedgerEntries>'
            "<TotalDebit>ti</TotalDebit></GeneralLedgerEntries></AuditFile>",
            "no decimal number",
        ),
    ],
)
def test_a_file_that_is_no_audit_file_is_refused_in_words(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "x.xml"
    file.write_text(content)
    with pytest.raises(saft.NotSaft, match=words):
        saft.read(file)


def test_nothing_outside_the_file_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("TOPSECRET")
    file = tmp_path / "x.xml"
    file.write_text(
        f'<!DOCTYPE AuditFile [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
        '<AuditFile xmlns="urn:StandardAuditFile-Taxation-Financial:NO"><Header><AuditFileVersion>1.30'
        "</AuditFileVersion><Company><Name>A&x;B</Name></Company></Header></AuditFile>"
    )
    with pytest.raises(saft.NotSaft, match="document type") as refused:
        saft.read(file)
    assert "TOPSECRET" not in str(refused.value)


LEDGER = """<AuditFile xmlns="urn:StandardAuditFile-Taxation-Financial:NO">
<Header><AuditFileVersion>1.30</AuditFileVersion><Company><Name>{name}</Name></Company></Header>
<GeneralLedgerEntries><NumberOfEntries>1</NumberOfEntries><TotalDebit>1250.00</TotalDebit>
<TotalCredit>1250.00</TotalCredit><Journal><Transaction><TransactionID>1</TransactionID><Period>1</Period>
<PeriodYear>2026</PeriodYear><TransactionDate>{day}</TransactionDate>
<Line><RecordID>1</RecordID><AccountID>1500</AccountID><DebitAmount><Amount>{amount}</Amount></DebitAmount></Line>
<Line><RecordID>2</RecordID><AccountID>3000</AccountID><CreditAmount><Amount>1250.00</Amount></CreditAmount></Line>
</Transaction></Journal></GeneralLedgerEntries>
<SourceDocuments><SalesInvoices><NumberOfEntries>7</NumberOfEntries><TotalDebit>7.00</TotalDebit>
<TotalCredit>7.00</TotalCredit></SalesInvoices><Payments><NumberOfEntries>1</NumberOfEntries>
<TotalDebit>125.00</TotalDebit><TotalCredit>125.00</TotalCredit></Payments></SourceDocuments></AuditFile>"""


def ledger(
    tmp_path: Path, *, name: str = "Fjord AS", amount: str = "1250.00", day: str = "2026-01-05"
) -> saft.SaftFile:
    file = tmp_path / "x.xml"
    file.write_text(LEDGER.format(name=name, amount=amount, day=day))
    return saft.read(file)


def test_totals_are_those_of_the_ledger_whatever_other_sections_add_up_to(tmp_path: Path) -> None:
    read = ledger(tmp_path)
    assert (read.entries, read.total_debit, read.total_credit) == (1, Decimal("1250.00"), Decimal("1250.00"))


@pytest.mark.parametrize(
    "amount", ["<![CDATA[1250.00]]>", "12<!-- checked -->50.00", "1250<?print bold?>.00", " 1250.00\n", "+1250.00"]
)
def test_an_amount_is_all_that_stands_in_its_element(tmp_path: Path, amount: str) -> None:
    assert next(iter(ledger(tmp_path, amount=amount).vouchers)).lines[0].amount == Decimal("1250.00")


@pytest.mark.parametrize("name", ["Fjord <?print bold?>Handel AS", "Fjord <!-- x -->Handel AS", "Fjord Handel AS"])
def test_a_name_is_all_that_stands_in_its_element(tmp_path: Path, name: str) -> None:
    assert ledger(tmp_path, name=name).company == "Fjord Handel AS"


@pytest.mark.parametrize("amount", ["NaN", "INF", "1e3", "1 250.00", "1250,00", "", "²"])
def test_what_is_no_decimal_number_of_xml_schema_is_refused(tmp_path: Path, amount: str) -> None:
    with pytest.raises(saft.NotSaft, match="no decimal number"):
        ledger(tmp_path, amount=amount)


@pytest.mark.parametrize("day", ["20260105", "2026-13-01", "5.1.2026", "2026-01-05 "])
def test_a_day_is_one_of_xml_schema(tmp_path: Path, day: str) -> None:
    if day.strip() == "2026-01-05":
        assert next(iter(ledger(tmp_path, day=day).vouchers)).day == date(2026, 1, 5)
        return
    with pytest.raises(saft.NotSaft, match="no date"):
        ledger(tmp_path, day=day)


def test_a_big_ledger_is_made_in_one_go_and_sums_to_zero() -> None:
    catalogue = Catalogue()
    table = company.big_ledger(catalogue.database("F0900"), 20_000)
    assert [column.type.stored for column in table.columns].count("DECIMAL(38,20)") == 3
    assert len(table.columns) == 12
    found = catalogue["F0900"].sql("SELECT count(*), count(DISTINCT (JNo, EntNo)), sum(AcAm) FROM {AcTr}")
    assert found == [(20_000, 20_000, 0)]
    assert catalogue["F0900"].sql("SELECT count(DISTINCT AcYrPr) FROM {AcTr}") == [(24,)]
