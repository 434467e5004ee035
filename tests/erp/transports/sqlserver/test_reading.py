"""What is read is what the ledger holds: every row once, every value exact, every anomaly told."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import Any

import pytest

from erphub.erp.datasets import BY_ID
from erphub.erp.reading import DateRange
from erphub.erp.transports.sqlserver import rows
from erphub.platform.errors import ErpRefused
from local.sqlserver import Database

from .conftest import EACH_READER, JANUARY, Fill, Site

pytestmark = EACH_READER

BIG = Decimal("99999999999999999999999999999999999999")  # 38 digits


def test_every_line_of_a_ledger_arrives_once_whatever_the_slices(site: Site, many: Database) -> None:
    for slice_rows in (1, 7, 100, 100_000):
        found = site.imported("gl_transactions", slice_rows=slice_rows)
        assert Counter((row["journal_no"], row["entry_no"]) for row in found.rows) == Counter(
            (str(n // 10), str(n % 10)) for n in range(1000)
        )
        assert sum(total.rows for total in found.totals) == found.plan.rows == 1000
        assert found.consistent
        assert found.anomalies == []


def test_sums_per_day_are_those_of_the_rows(site: Site, many: Database) -> None:
    found = site.imported("gl_transactions", slice_rows=300)
    summed: dict[date, Decimal] = {}
    for row in found.rows:
        summed[row["voucher_date"]] = summed.get(row["voucher_date"], Decimal(0)) + row["amount"]
    assert {total.period: total.amount for total in found.totals} == summed
    assert len(found.totals) == 25


def test_a_window_reads_its_days_and_no_others(site: Site, ledger: Fill) -> None:
    days = [20231231, 20240101, 20240115, 20240131, 20240201, 0, None]
    ledger(*[(1, n, day, 1500, 1) for n, day in enumerate(days)])
    found = site.imported("gl_transactions", window=JANUARY)
    assert found.column("voucher_date") == [date(2024, 1, 1), date(2024, 1, 15), date(2024, 1, 31)]
    assert [total.period for total in found.totals] == found.column("voucher_date")
    since = site.imported("gl_transactions", window=DateRange(first=date(2024, 1, 31)))
    assert since.column("voucher_date") == [date(2024, 1, 31), date(2024, 2, 1)]
    until = site.imported("gl_transactions", window=DateRange(end=date(2024, 1, 1)))
    assert [day for day in until.column("voucher_date") if day] == [date(2023, 12, 31)]


def test_a_date_that_is_none_or_nonsense_is_null_and_told_when_everything_is_read(site: Site, ledger: Fill) -> None:
    ledger((1, 1, 0, 1500, 5), (1, 2, None, 1500, 6), (1, 3, 20240231, 1500, 7), (1, 4, 20240229, 1500, 8))
    found = site.imported("gl_transactions", slice_rows=1)
    assert {row["entry_no"]: row["voucher_date"] for row in found.rows} == {
        "1": None,
        "2": None,
        "3": None,
        "4": date(2024, 2, 29),
    }
    assert [(anomaly.code, anomaly.count) for anomaly in found.anomalies] == [("bad_date", 1)]
    assert "20240231" in found.anomalies[0].examples[0]
    dayless = [total for total in found.totals if total.period is None]
    assert sum(total.rows for total in dayless) == 3
    assert sum(total.amount or 0 for total in dayless) == 18


def test_in_a_window_a_row_on_a_day_that_does_not_exist_is_left_to_a_full_import(site: Site, ledger: Fill) -> None:
    ledger((1, 1, 20240131, 1500, 5), (1, 2, 20240132, 1500, 6))
    found = site.imported("gl_transactions", window=JANUARY)
    assert found.column("entry_no") == ["1"]
    assert sum(total.rows for total in found.totals) == 1
    assert [(anomaly.code, anomaly.count) for anomaly in found.anomalies] == [("bad_date_left_out", 1)]


def test_rows_that_come_after_the_survey_are_still_in_one_slice(site: Site, many: Database) -> None:
    opened, company, plan = site.plan_reading("gl_transactions", slice_rows=100)
    many.insert(
        "AcTr", [(200, n, day, 1500, 1, None, None, None, None) for n, day in enumerate((20200101, 20240107, 20300101))]
    )
    rows = 0
    for part in plan.slices:
        with opened.read(BY_ID["gl_transactions"], company, plan, part) as found:
            rows += sum(batch.num_rows for batch in found.batches())
            assert sum(total.rows for total in found.totals) > 0
    assert rows == 1003


def test_totals_and_rows_are_of_one_moment_where_the_database_allows_it(site: Site, many: Database) -> None:
    opened, company, plan = site.plan_reading("gl_transactions")
    with opened.read(BY_ID["gl_transactions"], company, plan, plan.slices[0]) as found:
        assert found.consistent
        many.sql("DELETE FROM {AcTr} WHERE JNo < 50")
        assert sum(batch.num_rows for batch in found.batches()) == sum(total.rows for total in found.totals) == 1000
    many.snapshot = False
    with opened.read(BY_ID["gl_transactions"], company, plan, plan.slices[0]) as found:
        assert not found.consistent


def test_a_ledger_without_snapshots_says_whether_somebody_worked_in_it_meanwhile(site: Site, many: Database) -> None:
    many.snapshot = False
    opened, company, plan = site.plan_reading("gl_transactions")
    for works in (False, True):
        with opened.read(BY_ID["gl_transactions"], company, plan, plan.slices[0]) as found:
            if works:
                many.sql("DELETE FROM {AcTr} WHERE JNo = 1")
            rows = sum(batch.num_rows for batch in found.batches())
            assert (rows, sum(total.rows for total in found.totals)) == (990 if works else 1000, 1000)
            assert (list(found.recount()) != found.totals) is works


def test_what_an_installation_lacks_is_reported_and_null(site: Site, ledger: Fill) -> None:
    ledger((1, 1, 20240101, 1500, "12.5", "Åpning", 7, "P1", 3))
    found = site.imported("gl_transactions")
    assert {"voucher_no", "currency_amount", "dimension_2", "changed_on"} <= set(found.plan.missing)
    assert not {"amount", "dimension_1", "dimension_7"} & set(found.plan.missing)
    row = found.rows[0]
    assert (row["amount"], row["description"], row["dimension_1"], row["dimension_7"]) == (
        Decimal("12.500000"),
        "Åpning",
        "7",
        "P1",
    )
    assert all(row[name] is None for name in found.plan.missing)
    assert found.plan.types["amount"] == "decimal(28,6)"


def test_capitals_in_column_names_do_not_matter(site: Site, ledger: Fill) -> None:
    ledger(
        (1, 2, 20240101, 1500, 3), columns={"jno": "int", "ENTNO": "int", "vodt": "int", "acno": "int", "ACAM": "int"}
    )
    assert site.imported("gl_transactions").rows[0]["amount"] == Decimal(3)


def test_an_empty_company_is_read_as_empty(site: Site, ledger: Fill) -> None:
    ledger()
    for dataset in ("gl_transactions", "customers"):
        found = site.imported(dataset)
        assert (found.rows, found.plan.rows, len(found.plan.slices)) == ([], 0, 1)
    assert site.imported("gl_transactions", window=JANUARY).rows == []


def test_customers_and_suppliers_are_told_apart(site: Site, ledger: Fill) -> None:
    ledger()
    actors = [
        (1, 10001, 0, "Kunde"),
        (2, 0, 50001, "Leverandør"),
        (3, 10002, 50002, "Begge"),
        (4, None, None, "Ansatt"),
    ]
    site.catalogue["F0001"].insert("Actor", actors)
    for slice_rows in (1, 1000):
        customers = site.imported("customers", slice_rows=slice_rows)
        suppliers = site.imported("suppliers", slice_rows=slice_rows)
        assert sorted(customers.column("customer_no")) == ["10001", "10002"]
        assert sorted(suppliers.column("name")) == ["Begge", "Leverandør"]
        assert sum(total.rows for total in customers.totals) == 2


def test_dimensions_are_read_from_the_tables_there_are(site: Site, company: Database) -> None:
    company.table("R1", {"RNo": "int", "Nm": "nvarchar(60)", "MainR1": "int"}, [(10, "Oslo", 1), (20, "Bergen", None)])
    company.table("R7", {"RNo": "varchar(20)", "Nm": "nvarchar(60)"}, [("P-1", "Prosjekt")])
    found = site.imported("dimensions")
    assert sorted(
        (row["dimension"], row["value"], row["name"], row["parent"]) for row in found.rows if row["name"]
    ) == [
        (1, "10", "Oslo", "1"),
        (1, "20", "Bergen", None),
        (7, "P-1", "Prosjekt", None),
    ]


def test_keys_far_apart_still_lie_in_exactly_one_slice(site: Site, company: Database) -> None:
    numbers = [-5, 0, 1, 2, 3, 1000, 1001, 2_000_000_000, None]
    company.table("Ac", {"AcNo": "int"}, [(number,) for number in numbers])
    found = site.imported("accounts", slice_rows=2)
    assert len(found.plan.slices) > 1
    assert Counter(found.column("account_no")) == Counter(None if n is None else str(n) for n in numbers)


def test_a_text_key_is_read_in_one_slice(site: Site, company: Database) -> None:
    company.table("Prod", {"ProdNo": "varchar(40)", "Descr": "nvarchar(60)"}, [(f"A{n}", "x") for n in range(50)])
    found = site.imported("products", slice_rows=5)
    assert (len(found.plan.slices), len(found.rows)) == (1, 50)


class TestExactness:
    def imported(self, site: Site, company: Database, declaration: str, values: list[Any]) -> tuple[list[Any], Any]:
        company.table(
            "AcTr",
            {"JNo": "int", "EntNo": "int", "VoDt": "int", "AcAm": declaration},
            [(1, n, 20240101, value) for n, value in enumerate(values)],
        )
        found = site.imported("gl_transactions")
        return [row["amount"] for row in found.rows], found

    @pytest.mark.parametrize(
        ("declaration", "values"),
        [
            ("decimal(38,0)", ["4" * 38, "-" + "4" * 37, 0, 1, None]),
            ("decimal(38,20)", ["0.00000000000000000001", "-123456789012345678.00000000000000000009", None]),
            ("decimal(38,38)", ["0." + "1" * 38, "-0." + "4" * 38]),
            ("decimal(9,2)", ["1234567.89", "-0.01"]),
            ("numeric(18,4)", ["99999999999999.9999"]),
            ("money", ["922337203685477.5807", "-922337203685477.5808", "0.0001"]),
            ("smallmoney", ["214748.3647", "-214748.3648"]),
            ("bigint", [2**62, -(2**62)]),
            ("int", [2**30, -(2**30), None]),
            ("tinyint", [0, 255]),
        ],
    )
    def test_amounts_arrive_exactly_as_they_are_declared(
        self, site: Site, company: Database, declaration: str, values: list[Any]
    ) -> None:
        amounts, found = self.imported(site, company, declaration, values)
        expected = [None if value is None else Decimal(value) for value in values]
        assert amounts == expected
        with localcontext(prec=80):
            total = sum((amount for amount in expected if amount is not None), Decimal(0))
        assert found.totals[0].amount in (total, None)
        if declaration not in ("bigint", "int", "tinyint"):
            assert found.totals[0].amount == total

    def test_amounts_whose_sum_the_server_cannot_hold_are_read_and_counted_instead(
        self, site: Site, company: Database
    ) -> None:
        amounts, found = self.imported(site, company, "decimal(38,0)", [BIG, BIG, -1])
        assert amounts == [BIG, BIG, Decimal(-1)]
        assert [(total.rows, total.amount) for total in found.totals] == [(3, None)]
        assert [anomaly.code for anomaly in found.anomalies] == ["sum_not_possible"]

    def test_a_float_is_the_number_people_see_and_losses_are_told(self, site: Site, company: Database) -> None:
        amounts, found = self.imported(site, company, "float", [0.1, -1234.56, 1e-13, 1e20, None])
        assert amounts == [Decimal("0.1"), Decimal("-1234.56"), Decimal(0), Decimal(10) ** 20, None]
        assert [anomaly.code for anomaly in found.anomalies] == ["float_rounded"]
        assert found.plan.types["amount"] == "decimal(38,12)"
        assert found.totals[0].amount is None

    def test_a_short_float_is_the_number_people_see_too(self, site: Site, company: Database) -> None:
        assert self.imported(site, company, "real", [0.1, 16777216.0, -2.5])[0] == [
            Decimal("0.1"),
            Decimal(16777216),
            Decimal("-2.5"),
        ]

    def test_a_number_that_cannot_be_held_exactly_is_refused(self, site: Site, company: Database) -> None:
        with pytest.raises(ErpRefused) as refused:
            self.imported(site, company, "float", [1e30])
        assert refused.value.code == "decimal_too_wide"


@pytest.mark.parametrize(
    "text", ["", " ", "blåbær 🫐", "a\0b", "line\nbreak\t", "'; DROP TABLE x;--", "%s %d %%", "x" * 60]
)
def test_any_text_arrives_as_it_is(site: Site, ledger: Fill, text: str) -> None:
    ledger((1, 1, 20240101, 1500, 1, text))
    assert site.imported("gl_transactions").rows[0]["description"] == text


def test_long_texts_are_read_in_bounded_batches(site: Site, company: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_BYTES", 64 * 1024)
    company.table(
        "AcTr",
        {"JNo": "int", "EntNo": "int", "VoDt": "int", "Txt": "nvarchar(max)"},
        [(1, n, 20240101, "å" * (n * 100)) for n in range(200)],
    )
    opened, chosen, plan = site.plan_reading("gl_transactions")
    with opened.read(BY_ID["gl_transactions"], chosen, plan, plan.slices[0]) as found:
        batches = list(found.batches())
    assert sum(batch.num_rows for batch in batches) == 200
    assert max(batch.nbytes for batch in batches) < 200 * 1024
    assert len(batches) > 20


def test_a_batch_holds_many_small_rows(site: Site, many: Database) -> None:
    opened, chosen, plan = site.plan_reading("gl_transactions")
    with opened.read(BY_ID["gl_transactions"], chosen, plan, plan.slices[0]) as found:
        assert [batch.num_rows for batch in found.batches()] == [1000]


class TestGeneric:
    def imported(self, site: Site, columns: dict[str, str], row: tuple[Any, ...], **options: Any) -> Any:
        database = site.catalogue.database("Lager", grant=["reader"], snapshot=True)
        database.table("data.Poster", columns, [row])
        names = list(columns)
        fields = ["journal_no", "entry_no", "voucher_date", "amount", "description"]
        mapping = {
            "gl_transactions": {"schema": "data", "table": "Poster", "columns": dict(zip(fields, names, strict=False))}
        }
        return site.imported("gl_transactions", key="Lager", system="sqlserver-generic", mapping=mapping, **options)

    @pytest.mark.parametrize(
        ("declaration", "value"),
        [
            ("date", date(2024, 1, 31)),
            ("datetime", datetime.fromisoformat("2024-01-31T23:59:59.997000")),
            ("datetime2(7)", datetime.fromisoformat("2024-01-31T23:59:59.999999")),
            ("smalldatetime", datetime.fromisoformat("2024-01-31T23:59:00")),
            ("int", 20240131),
            ("bigint", 20240131),
        ],
    )
    def test_a_period_may_be_any_kind_of_date(self, site: Site, declaration: str, value: object) -> None:
        columns = {"Bilag": "int", "Linje": "int", "Dato": declaration, "Beløp": "money"}
        found = self.imported(site, columns, (1, 1, value, "10.5"), window=JANUARY)
        assert found.column("voucher_date") == [date(2024, 1, 31)]
        assert [(total.period, total.rows, total.amount) for total in found.totals] == [
            (date(2024, 1, 31), 1, Decimal("10.5"))
        ]

    @pytest.mark.parametrize(
        ("declaration", "value", "earliest"),
        [
            ("date", date(2024, 1, 31), "0001-01-01"),
            ("datetime", datetime.fromisoformat("2024-01-31T08:00:00"), "1753-01-01"),
            ("datetime2(7)", datetime.fromisoformat("2024-01-31T08:00:00"), "0001-01-01"),
            ("smalldatetime", datetime.fromisoformat("2024-01-31T08:00:00"), "1900-01-01"),
        ],
    )
    @pytest.mark.parametrize(("end", "rows"), [(date(2025, 1, 1), 1), (date(999, 1, 1), 0)])
    def test_a_period_may_begin_and_end_before_anybody_kept_books(
        self, site: Site, declaration: str, value: object, earliest: str, end: date, rows: int
    ) -> None:
        columns = {"Bilag": "int", "Linje": "int", "Dato": declaration, "Beløp": "money"}
        found = self.imported(site, columns, (1, 1, value, "10.5"), window=DateRange(date.min, end))
        assert len(found.rows) == rows
        assert found.plan.slices[0].where["low"] == earliest
        assert found.plan.slices[-1].where["high"] >= earliest

    def test_a_window_ends_before_its_last_day(self, site: Site) -> None:
        columns = {"Bilag": "int", "Linje": "int", "Dato": "datetime", "Beløp": "money"}
        found = self.imported(site, columns, (1, 1, datetime.fromisoformat("2024-02-01T00:00:00"), 1), window=JANUARY)
        assert found.rows == []

    @pytest.mark.parametrize(
        ("declaration", "value", "text"),
        [
            ("bit", 1, "1"),
            ("float", 0.1, "0.1"),
            ("real", 0.1, "0.1"),
            ("decimal(10,3)", "1.5", "1.500"),
            ("money", "1.5", "1.5000"),
            ("date", date(2024, 1, 31), "2024-01-31"),
            ("datetime", datetime.fromisoformat("2024-01-31T08:00:00"), "2024-01-31T08:00:00"),
            ("uniqueidentifier", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "6F9619FF-8B86-D011-B42D-00C04FC964FF"),
            ("char(3)", "ab", "ab "),
            ("varchar(10)", "æøå", "æøå"),
        ],
    )
    def test_any_column_can_be_text(self, site: Site, declaration: str, value: object, text: str) -> None:
        columns = {"Bilag": "int", "Linje": "int", "Dato": "date", "Beløp": "money", "Verdi": declaration}
        found = self.imported(site, columns, (1, 1, date(2024, 1, 1), 1, value))
        assert found.column("description") == [text]

    @pytest.mark.parametrize(
        ("columns", "code"),
        [
            ({"Bilag": "varbinary(8)", "Linje": "int", "Dato": "date", "Beløp": "money"}, "column_type_unsuitable"),
            ({"Bilag": "int", "Linje": "int", "Dato": "varchar(10)", "Beløp": "money"}, "column_type_unsuitable"),
            ({"Bilag": "int", "Linje": "int", "Dato": "date", "Beløp": "varchar(10)"}, "column_type_unsuitable"),
        ],
    )
    def test_a_column_that_cannot_be_the_field_is_refused_by_name(
        self, site: Site, columns: dict[str, str], code: str
    ) -> None:
        with pytest.raises(ErpRefused) as refused:
            self.imported(site, columns, (None, None, None, None))
        assert refused.value.code == code
        assert "[data].[Poster]" in refused.value.detail

    def test_a_dataset_nobody_mapped_is_refused(self, site: Site, company: Database) -> None:
        with pytest.raises(ErpRefused) as refused:
            site.plan_reading("accounts", system="sqlserver-generic", mapping={})
        assert refused.value.code == "dataset_not_mapped"

    def test_a_misspelled_table_is_answered_with_the_one_that_is_nearly_so(self, site: Site, many: Database) -> None:
        mapping = {"accounts": {"table": "Acc", "columns": {"account_no": "AcNo"}}}
        with pytest.raises(ErpRefused) as refused:
            site.plan_reading("accounts", system="sqlserver-generic", mapping=mapping)
        assert refused.value.code == "table_missing"
        assert "[dbo].[Ac]?" in refused.value.detail

    def test_a_mapped_column_that_is_not_there_is_reported_and_null(self, site: Site, many: Database) -> None:
        mapping = {"accounts": {"table": "Ac", "columns": {"account_no": "AcNo", "name": "Navn"}}}
        found = site.imported("accounts", system="sqlserver-generic", mapping=mapping)
        assert "name" in found.plan.missing
        assert found.column("name") == [None]
