"""Imports: every row once, by a key that stays, with the source's own sums; and what is not offered is said."""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from time import perf_counter
from typing import Any

import pytest

from erphub.erp.datasets import BY_ID, FieldType
from erphub.erp.reading import ControlTotal, CountsByDay, DateRange, ReadPlan, ReadsDatasets, ReportsChanges
from erphub.erp.system import FoundCompany, ListsCompanies
from erphub.platform.errors import ErpRefused, Unavailable
from tests.erp.conformance.subjects import Subject

LEDGER = BY_ID["gl_transactions"]
TYPES = {
    FieldType.TEXT: "string",
    FieldType.INTEGER: "int64",
    FieldType.DECIMAL: "decimal",
    FieldType.DATE: "date32",
    FieldType.TIMESTAMP: "timestamp",
    FieldType.BOOLEAN: "bool",
}


@dataclass
class Imported:
    """A dataset as an import reads it."""

    plan: ReadPlan
    rows: list[dict[str, Any]]
    totals: list[ControlTotal]


def reader(subject: Subject) -> tuple[ReadsDatasets, FoundCompany]:
    system = subject.open()
    assert isinstance(system, ListsCompanies)
    assert isinstance(system, ReadsDatasets)
    return system, next(one for one in system.companies() if one.key == subject.company)


def imported(subject: Subject, dataset: str, window: DateRange | None = None, slice_rows: int = 100) -> Imported:
    system, company = reader(subject)
    plan = system.plan_reading(BY_ID[dataset], company, window or DateRange(), slice_rows)
    found = Imported(plan, [], [])
    for part in plan.slices:
        with system.read(BY_ID[dataset], company, plan, part) as reading:
            for batch in reading.batches():
                names = batch.schema.names
                assert names == [field.name for field in BY_ID[dataset].fields]
                columns = [batch.column(name).to_pylist() for name in names]
                found.rows += [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
            found.totals += reading.totals
            assert sorted(reading.recount(), key=str) == sorted(reading.totals, key=str)
            assert list(reading.anomalies) == []
    return found


def keys(dataset: str, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in BY_ID[dataset].keys) for row in rows]


@pytest.mark.parametrize("dataset", BY_ID)
def test_a_dataset_arrives_whole_or_is_refused_with_a_reason(subject: Subject, dataset: str) -> None:
    if dataset not in subject.datasets:
        with pytest.raises(ErpRefused) as refused:
            imported(subject, dataset)
        assert refused.value.code in ("dataset_not_offered", "dataset_not_mapped")
        return
    found = imported(subject, dataset)
    assert found.plan.types.keys() == {field.name for field in BY_ID[dataset].fields}
    for field in BY_ID[dataset].fields:
        assert found.plan.types[field.name].startswith(TYPES[field.type])
    assert all(row[name] is None for row in found.rows for name in found.plan.missing)
    assert not set(BY_ID[dataset].keys) & set(found.plan.missing)
    found_keys = keys(dataset, found.rows)
    assert len(set(found_keys)) == len(found_keys)
    assert all(None not in key for key in found_keys)
    assert sum(total.rows for total in found.totals) == len(found.rows)
    assert found.plan.rows in (None, len(found.rows))


@pytest.mark.parametrize("dataset", ["accounts", "gl_transactions"])
def test_the_same_rows_have_the_same_keys_the_next_time_however_they_are_cut(subject: Subject, dataset: str) -> None:
    first, again = imported(subject, dataset), imported(subject, dataset, slice_rows=7)
    assert first.rows
    assert sorted(keys(dataset, first.rows)) == sorted(keys(dataset, again.rows))


def test_the_ledger_sums_day_by_day_to_what_the_erp_holds(subject: Subject) -> None:
    held: dict[date, Decimal] = defaultdict(Decimal)
    for day, amount in subject.ledger():
        held[day] += amount
    found = imported(subject, "gl_transactions")
    read: dict[date, Decimal] = defaultdict(Decimal)
    stated: dict[date | None, Decimal] = defaultdict(Decimal)
    for row in found.rows:
        read[row["voucher_date"]] += row["amount"]
    for total in found.totals:
        assert total.amount is not None
        stated[total.period] += total.amount
    assert len(found.rows) == len(subject.ledger())
    assert read == held
    assert stated == held


def test_a_window_holds_its_own_days_only(subject: Subject) -> None:
    days = sorted({day for day, _ in subject.ledger()})
    first, end = days[len(days) // 3], days[2 * len(days) // 3]
    found = imported(subject, "gl_transactions", DateRange(first, end))
    held = Counter(day for day, _ in subject.ledger() if first <= day < end)
    assert held
    assert Counter(row["voucher_date"] for row in found.rows) == held


def test_a_company_that_is_gone_is_refused(subject: Subject) -> None:
    system, company = reader(subject)
    gone = replace(company, key="F9999", name="Gone", attributes={**company.attributes, "database": "F9999"})
    with pytest.raises(ErpRefused) as refused:
        system.plan_reading(BY_ID["accounts"], gone, DateRange(), 100)
    assert refused.value.code == "company_gone"


def test_an_erp_that_falls_silent_is_waited_for_only_so_long_and_can_be_read_again(subject: Subject) -> None:
    whole = imported(subject, "accounts")
    subject.fall_silent()
    started = perf_counter()
    with pytest.raises(Unavailable):
        imported(subject, "accounts")
    assert perf_counter() - started < 10
    subject.recover()
    assert keys("accounts", imported(subject, "accounts").rows) == keys("accounts", whole.rows)


def test_it_tells_the_days_of_what_was_changed_or_says_that_it_cannot(subject: Subject) -> None:
    system, company = reader(subject)
    if ReportsChanges not in subject.optional:
        assert not isinstance(system, ReportsChanges)
        assert subject.touch is None
        return
    assert isinstance(system, ReportsChanges)
    assert subject.touch is not None
    since, day = subject.touch()
    report = system.report_changes(LEDGER, company, since)
    assert report is not None
    assert set(report.days) == {day}
    later = system.report_changes(LEDGER, company, since + timedelta(days=3650))
    assert later is not None
    assert set(later.days) == set()


def test_it_counts_the_days_before_a_window_or_says_that_it_cannot(subject: Subject) -> None:
    system, company = reader(subject)
    days = sorted({day for day, _ in subject.ledger()})
    before = days[len(days) // 2]
    if CountsByDay not in subject.optional:
        assert not isinstance(system, CountsByDay)
        return
    assert isinstance(system, CountsByDay)
    counted: Counter[date | None] = Counter()
    for total in system.daily_totals_before(LEDGER, company, before):
        counted[total.period] += total.rows
    assert counted == Counter(day for day, _ in subject.ledger() if day < before)
