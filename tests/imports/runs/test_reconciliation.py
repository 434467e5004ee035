"""Sums are compared exactly, however many digits a ledger has."""

from datetime import date, timedelta
from decimal import Decimal

from erphub.erp.reading import ControlTotal
from erphub.imports.runs import reconciliation as reconcile

LONG = Decimal("99999999999999.12345678901234567891")


def days(count: int, amount: Decimal) -> list[ControlTotal]:
    return [ControlTotal(date(2026, 1, 1) + timedelta(days=day), 1, amount) for day in range(count)]


def test_sums_of_many_digits_are_kept_to_the_last_one():
    (month, rows, amount) = reconcile.months(days(31, LONG))[0]
    assert (month, rows) == ("2026-01", 31)
    assert amount == "3099999999999972.82716045938271604621"


def test_a_difference_in_the_last_of_many_digits_is_found():
    counted = reconcile.months(days(31, LONG))
    assert reconcile.monthly_differences(counted, days(31, LONG)) == []
    arrived = [*days(30, LONG), ControlTotal(date(2026, 1, 31), 1, LONG + Decimal("1e-20"))]
    found = reconcile.monthly_differences(counted, arrived)
    assert "716045938271604621 in the source" in str(found[0])
    assert [difference.period for difference in found] == ["2026-01"]


def test_the_order_in_which_parts_are_added_makes_no_difference():
    parts = [
        ControlTotal(date(2026, 1, 1), 1, LONG),
        ControlTotal(date(2026, 1, 1), 1, Decimal("1e-20")),
        *days(1, LONG.copy_negate()),
    ]
    assert reconcile.differences(parts, list(reversed(parts))) == []
    assert reconcile.months(parts)[0][2] == "1E-20"


def test_a_day_without_a_sum_is_compared_by_its_rows_and_the_others_still_by_their_sums():
    new_year, next_day = date(2026, 1, 1), date(2026, 1, 2)
    counted = [ControlTotal(new_year, 2, None), ControlTotal(next_day, 1, Decimal(5))]
    assert (
        reconcile.differences(counted, [ControlTotal(new_year, 2, Decimal(9)), ControlTotal(next_day, 1, Decimal(5))])
        == []
    )
    (wrong,) = reconcile.differences(
        counted, [ControlTotal(new_year, 2, Decimal(9)), ControlTotal(next_day, 1, Decimal(6))]
    )
    assert str(wrong) == "2026-01-02: a sum of 5 in the source and 6 here"
    (fewer,) = reconcile.differences(
        counted, [ControlTotal(new_year, 1, Decimal(9)), ControlTotal(next_day, 1, Decimal(5))]
    )
    assert str(fewer) == "2026-01-01: 2 rows in the source and 1 here"


def test_one_day_without_a_sum_leaves_its_month_without_one_and_no_other():
    (january, february) = reconcile.months(
        [
            ControlTotal(date(2026, 1, 1), 1, None),
            ControlTotal(date(2026, 1, 2), 1, LONG),
            ControlTotal(date(2026, 2, 1), 1, LONG),
        ]
    )
    assert (january, february) == (("2026-01", 2, None), ("2026-02", 1, str(LONG)))
    arrived = [ControlTotal(date(2026, 1, 1), 2, LONG), ControlTotal(date(2026, 2, 1), 1, LONG)]
    assert reconcile.monthly_differences([january, february], arrived) == []
    assert len(reconcile.monthly_differences([january, february], arrived[:1])) == 1


def test_rows_that_arrived_without_any_amount_sum_up_to_nothing():
    counted = [ControlTotal(date(2026, 1, 1), 2, Decimal(0)), ControlTotal(date(2026, 1, 2), 1, Decimal(5))]
    arrived = [ControlTotal(date(2026, 1, 1), 2, None), ControlTotal(date(2026, 1, 2), 1, Decimal(5))]
    assert reconcile.differences(counted, arrived) == []
    assert reconcile.monthly_differences(reconcile.months(counted), arrived) == []
